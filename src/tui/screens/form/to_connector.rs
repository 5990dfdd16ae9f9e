//! From the form to a record: only changed values are written.

use serde_json::{Map, Value};

use super::field::{Field, FieldId, has_field};
use super::input::Widget;
use super::{Form, Purpose};
use crate::domain::json::{self, RawObject, raw, raw_string};
use crate::domain::{AuthMode, Catalogue, Connector, SecretsState, StoredAuthMode, migration};

impl Form {
    /// Returns the record as edited.
    ///
    /// # Errors
    /// If a field is invalid.
    pub(super) fn draft(&self) -> Result<Connector, String> {
        let mut draft = self.base.clone();
        for field in &self.fields {
            match (&field.id, &field.widget) {
                (FieldId::Name, Widget::Text(input)) => draft.name = input.text().to_owned(),
                // An unchanged column stays: the value of `extra` is not copied into it.
                (FieldId::AuthMode, Widget::Mode(_, chosen))
                    if field.is_changed() || self.purpose == Purpose::Create =>
                {
                    draft.auth_mode = *chosen;
                }
                (FieldId::WholeConfig, Widget::Json(input)) if field.is_changed() => {
                    draft.config = compact(input.text())?;
                }
                (FieldId::Extra, Widget::Json(input)) if field.is_changed() => draft.extra = compact(input.text())?,
                _ => {}
            }
        }
        if self.fields.iter().any(|field| is_config(field) && field.is_changed())
            || self.auth_type_for_config().is_some()
        {
            draft.config = self.config(&draft.config)?;
        }
        if self.purpose == Purpose::Create && (self.duplicate_of.is_none() || self.base.is_missing_secrets) {
            draft.is_missing_secrets = self.catalogue.misses_secrets(&draft, &SecretsState::None);
        }
        Ok(draft)
    }

    /// The config with the changed keys in their places and the others untouched.
    fn config(&self, start: &str) -> Result<String, String> {
        let wrong = |error: serde_json::Error| error.to_string();
        let mut config = RawObject::parse(start).map_err(wrong)?;
        for field in self.fields.iter().filter(|field| field.is_changed() && self.is_shown(field)) {
            match &field.id {
                FieldId::Config(key) => match field.value()? {
                    Some(value) => config.set(key, raw(value.to_string()).map_err(wrong)?),
                    None => {
                        config.take(key);
                    }
                },
                FieldId::OtherConfig => {
                    let Widget::Json(input) = &field.widget else {
                        continue;
                    };
                    self.replace_other_config(&mut config, input.text())?;
                }
                _ => {}
            }
        }
        for field in self.fields.iter().filter(|field| field.is_stored && self.is_obsolete(field)) {
            if let FieldId::Config(key) = &field.id {
                config.take(key);
            }
        }
        if let Some(auth_type) = self.auth_type_for_config() {
            config.set("authType", raw_string(&auth_type));
        }
        Ok(config.to_text())
    }

    fn replace_other_config(&self, config: &mut RawObject, text: &str) -> Result<(), String> {
        let base = self.base.config_object().unwrap_or_default();
        let known = self.catalogue.get(&self.base.connector_type_id);
        let is_known = |key: &str| {
            let value = base.get(key).unwrap_or(&Value::Null);
            known.is_some_and(|known| has_field(known, key, value))
        };
        let text = if text.trim().is_empty() { "{}" } else { text };
        let other = RawObject::parse(text).map_err(|error| error.to_string())?;
        if let Some((key, _)) = other.0.iter().find(|(key, _)| is_known(key)) {
            return Err(format!("{key} has its own field above; remove it from the other config"));
        }
        config.0.retain(|(key, _)| is_known(key));
        for (key, value) in other.0 {
            config.set(&key, raw(&compact(value.get())?).map_err(|error| error.to_string())?);
        }
        Ok(())
    }
}

/// Returns whether a change of the field changes the config, directly or by a dependent field.
fn is_config(field: &Field) -> bool {
    matches!(field.id, FieldId::Config(_) | FieldId::OtherConfig | FieldId::AuthType)
}

/// JSON without the blanks of the editor; numbers and key order stay as typed.
fn compact(text: &str) -> Result<String, String> {
    json::read(text).map(|value| value.to_string()).map_err(|error| error.to_string())
}

/// The template of a new connector.
pub(super) fn new_connector(id: &str) -> Connector {
    Connector::new(id, "")
}

/// The config a new connector of a type starts with: the catalogue's defaults.
pub(super) fn default_config(connector_type_id: &str, catalogue: &'static Catalogue) -> String {
    let Some(known) = catalogue.get(connector_type_id) else {
        return "{}".to_owned();
    };
    let config: Map<String, Value> =
        known.config.iter().filter_map(|field| Some((field.name.clone(), field.default.clone()?))).collect();
    Value::Object(config).to_string()
}

/// A copy of a record under a new id: at the newest model version, and without what belongs to the original
/// alone. Its secrets are the vault's matter; until they are copied it has none.
pub(super) fn duplicate_of(original: &Connector, id: &str) -> Connector {
    let mut duplicate = original.clone();
    duplicate.id = id.to_owned();
    duplicate.name = format!("{} (copy)", original.name);
    duplicate.secrets = None;
    duplicate.auth_mode = Some(match original.stored_auth_mode() {
        StoredAuthMode::Known(mode) => mode,
        StoredAuthMode::None | StoredAuthMode::Unknown(_) => AuthMode::Shared,
    });
    duplicate.model_version = original.model_version.max(migration::latest());
    duplicate.revision = 0;
    if let Ok(mut extra) = RawObject::parse(&original.extra) {
        for key in ["originId", "version", "created_by", "updated_by", "migrationVersion", "typeMigrationVersion"] {
            extra.take(key);
        }
        duplicate.extra = extra.to_text();
    }
    duplicate
}
