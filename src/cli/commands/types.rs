//! `types`.

use anyhow::bail;
use serde_json::{Value, json};

use super::{Access, Run};
use crate::cli::DONE;
use crate::cli::context::Session;
use crate::cli::render::output::Output;
use crate::domain::catalogue::{ConnectorType, Field};
use crate::domain::{AuthMode, Catalogue};

const EXAMPLES: &str = "\
Examples:
  connector-admin types
  connector-admin types .webhook
  connector-admin types .webhook --json > my-type.json";

/// List connector types, or show the fields, secrets and auth types of one
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Types {
    /// Connector type id, for example .webhook
    id: Option<String>,
    /// Print the form that --types reads
    #[arg(long)]
    json: bool,
}

impl Run for Types {
    fn access(&self) -> Access {
        Access::NoFile
    }

    fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<u8> {
        let catalogue = session.catalogue;
        let Some(id) = self.id else {
            if self.json {
                output.json(&json!(catalogue.types()))?;
            } else {
                list(catalogue, output)?;
            }
            return Ok(DONE);
        };
        match catalogue.get(&id).or_else(|| catalogue.get(&format!(".{id}"))) {
            None => bail!("{}", catalogue.unknown_type(&id)),
            Some(known) if self.json => output.json(&json!(known))?,
            Some(known) => show(catalogue, known, output)?,
        }
        Ok(DONE)
    }
}

fn list(catalogue: &Catalogue, output: &mut Output) -> anyhow::Result<()> {
    let rows: Vec<Vec<String>> = catalogue
        .types()
        .iter()
        .map(|known| {
            let flags = flags(known).join(", ");
            let auth_types = if known.auth_types.is_empty() { "-".to_owned() } else { known.auth_types.join(", ") };
            vec![
                known.name.clone(),
                known.id.clone(),
                known.group().label().to_owned(),
                known.minimum_license.clone(),
                auth_types,
                flags,
            ]
        })
        .collect();
    Ok(output.table(&["NAME", "ID", "GROUP", "LICENCE", "AUTH TYPES", "FLAGS"], &rows)?)
}

fn flags(known: &ConnectorType) -> Vec<&'static str> {
    [
        (!known.per_user_auth_types.is_empty(), "can be per-user"),
        (known.is_deprecated, "deprecated"),
        (known.is_technical_preview, "technical preview"),
        (known.is_system, "Kibana's own"),
    ]
    .into_iter()
    .filter_map(|(holds, word)| holds.then_some(word))
    .collect()
}

fn show(catalogue: &Catalogue, known: &ConnectorType, output: &mut Output) -> anyhow::Result<()> {
    let features: Vec<&str> = known.supported_feature_ids.iter().map(|id| catalogue.feature(id)).collect();
    let needs = if known.needs_secrets() { "needed" } else { "depend on the config, or none" };
    for (label, value) in [
        ("name", known.name.as_str()),
        ("id", &known.id),
        ("description", &known.description),
        ("framework", &known.framework),
        ("licence", &known.minimum_license),
        ("features", &features.join(", ")),
        ("flags", &flags(known).join(", ")),
        ("secrets", needs),
        ("notes", known.notes.as_deref().unwrap_or_default()),
    ] {
        if !value.is_empty() {
            output.line(&format!("{label:<12} {value}"))?;
        }
    }
    let auth_types: Vec<Vec<String>> = known
        .auth_types
        .iter()
        .map(|id| {
            let info = catalogue.auth_type(id);
            let mode = info.map_or(AuthMode::Shared, |info| info.auth_mode());
            vec![id.clone(), info.map_or_else(String::new, |info| info.label.clone()), mode.to_string()]
        })
        .collect();
    if !auth_types.is_empty() {
        output.line("")?;
        output.table(&["AUTH TYPE", "NAME", "AUTH MODE"], &auth_types)?;
    }
    let fields: Vec<Vec<String>> = known
        .config
        .iter()
        .map(|field| field_row("config", field))
        .chain(known.secrets.iter().map(|field| field_row("secrets", field)))
        .collect();
    if !fields.is_empty() {
        output.line("")?;
        output.table(&["FIELD", "KIND", "REQUIRED", "NAME", "ONLY WHEN"], &fields)?;
    }
    Ok(())
}

fn field_row(place: &str, field: &Field) -> Vec<String> {
    let kind = match json!(field.kind) {
        Value::String(kind) => kind,
        other => other.to_string(),
    };
    let values = |values: &[Value]| {
        let shown = |value: &Value| {
            value
                .as_str()
                .map_or_else(|| if value.is_null() { "absent".to_owned() } else { value.to_string() }, str::to_owned)
        };
        values.iter().map(shown).collect::<Vec<_>>().join(" or ")
    };
    let conditions: Vec<String> = field
        .when
        .iter()
        .map(|(key, accepted)| format!("{key} is {}", values(accepted)))
        .chain(field.unless.iter().map(|(key, excluded)| format!("{key} is not {}", values(excluded))))
        .collect();
    let required = if field.is_required() { "yes" } else { "" };
    vec![format!("{place}.{}", field.name), kind, required.to_owned(), field.label.clone(), conditions.join("; ")]
}
