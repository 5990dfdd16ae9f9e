//! A whole record as lines: its fields, its plan, its problems, its config.

use jiff::Timestamp;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::domain::diff::{Change, changes};
use crate::domain::migration;
use crate::domain::migration::{Decision, Plan};
use crate::domain::{self, Catalogue, Connector, Group, StoredAuthMode, validate};
use crate::store::{RecordStep, StepState};
use crate::text::terminal::{clip, safe, wrap};
use crate::text::time::{age, readable};
use crate::tui::keymap::{Action, KeyContext};
use crate::tui::ui::Ui;
use crate::tui::widgets::json;
use crate::tui::widgets::theme::Theme;
use crate::worker::Record;

/// Room for the names of fields.
const LABEL: usize = 15;

/// A record as lines of at most `cells`.
pub fn lines(record: &Record, now: Timestamp, ui: Ui, cells: usize) -> Vec<Line<'static>> {
    let theme = ui.theme;
    let connector = &record.connector;
    let mut lines = Vec::new();
    let mut field = |label: &str, value: &str| push_field(&mut lines, label, value, theme, cells);
    field("name", &connector.name);
    field("id", &connector.id);
    field(
        "connector type",
        &match &record.reported_type {
            Some(name) => format!("{name} ({}, not in the catalogue)", connector.connector_type_id),
            None => type_text(&connector.connector_type_id, ui.catalogue),
        },
    );
    field("auth type", &auth_type_text(connector, ui.catalogue));
    field("auth mode", &auth_mode_text(connector));
    field("secrets", &ui.catalogue.describe_secrets(connector, &record.secrets));
    field("model version", &connector.model_version.to_string());
    field("created", &readable(connector.created_at.as_deref(), now));
    field("updated", &readable(connector.updated_at.as_deref(), now));
    if let Some(plan) = migration::plan(connector) {
        field("migration", &format!("{}: {}", plan.group.label(), plan.reason));
    }
    push_problems(&mut lines, connector, theme, cells, ui.catalogue);
    push_history(&mut lines, &record.history, now, ui, cells);
    lines.push(Line::default());
    lines.push(Line::styled("config", theme.accent()));
    match domain::json::parse_lossy(&connector.config) {
        Ok(config) => lines.extend(json::lines(&config, theme)),
        Err(_) => lines.extend(wrap(&connector.config, cells).into_iter().map(Line::from)),
    }
    lines
}

/// Steps of the history that are shown with a record.
const STEPS: usize = 5;

fn push_history(lines: &mut Vec<Line<'static>>, steps: &[RecordStep], now: Timestamp, ui: Ui, cells: usize) {
    let Ui { theme, keys, .. } = ui;
    if steps.is_empty() {
        return;
    }
    lines.push(Line::default());
    lines.push(Line::styled("history", theme.accent()));
    for entry in steps.iter().take(STEPS) {
        let columns: Vec<&str> =
            entry.columns.iter().map(String::as_str).filter(|column| *column != "updated_at").collect();
        let mut text = format!("{:>4}  {}", age(Some(&entry.step.started_at), now), entry.step.word());
        if !columns.is_empty() {
            text.push_str(&format!(": {}", columns.join(", ").replace('_', " ")));
        }
        if entry.step.state == StepState::Reverted {
            text.push_str(" (undone)");
        }
        lines.push(Line::styled(clip(&text, cells), theme.text()));
    }
    if steps.len() > STEPS {
        lines.push(Line::styled(
            format!("      earlier ones: {}", keys.key_of(KeyContext::Detail, Action::History)),
            theme.muted(),
        ));
    }
}

fn push_field(lines: &mut Vec<Line<'static>>, label: &str, value: &str, theme: Theme, cells: usize) {
    let room = cells.saturating_sub(LABEL + 1).max(8);
    for (at, part) in wrap(value, room).into_iter().enumerate() {
        let label = if at == 0 { label } else { "" };
        lines.push(Line::from(vec![
            Span::styled(format!("{label:<LABEL$} "), theme.accent()),
            Span::styled(part, theme.text()),
        ]));
    }
}

fn push_problems(
    lines: &mut Vec<Line<'static>>,
    connector: &Connector,
    theme: Theme,
    cells: usize,
    catalogue: &'static Catalogue,
) {
    let problems = validate::problems(connector, catalogue);
    let hint = validate::auth_mode_warning(connector.effective_auth_mode(), connector.auth_type().name(), catalogue);
    let deprecated = connector
        .is_deprecated(catalogue)
        .then(|| "deprecated: Kibana still runs it and advises to create a new one".to_owned());
    let unknown = catalogue
        .get(&connector.connector_type_id)
        .is_none()
        .then(|| "unknown connector type: its config can be edited as JSON only".to_owned());
    let line = |problem: validate::Problem| format!("{}: {}", problem.field, problem.reason);
    let notes = validate::notes(connector, catalogue).into_iter().map(line);
    let problems = problems.into_iter().map(line);
    for (sign, text) in problems
        .map(|text| ('!', text))
        .chain([hint, deprecated, unknown].into_iter().flatten().chain(notes).map(|text| ('*', text)))
    {
        let style = if sign == '*' { theme.warning() } else { theme.bad() };
        for (at, part) in wrap(&text, cells.saturating_sub(2)).into_iter().enumerate() {
            let sign = if at == 0 { sign } else { ' ' };
            lines.push(Line::styled(format!("{sign} {part}"), style));
        }
    }
}

/// A connector type's name with its id.
pub fn type_text(id: &str, catalogue: &'static Catalogue) -> String {
    match catalogue.get(id) {
        Some(known) => format!("{} ({id})", known.name),
        None => format!("{id} (unknown type)"),
    }
}

/// A connector type's name alone, or its id.
pub fn type_name<'a>(id: &'a str, catalogue: &'static Catalogue) -> &'a str {
    catalogue.get(id).map_or(id, |known| &known.name)
}

/// An auth type's label, or its id.
pub fn auth_type_name<'a>(id: &'a str, catalogue: &'static Catalogue) -> &'a str {
    catalogue.auth_type(id).map_or(id, |known| &known.label)
}

fn auth_type_text(connector: &Connector, catalogue: &'static Catalogue) -> String {
    use crate::domain::AuthType;
    match connector.auth_type() {
        AuthType::None => "none".to_owned(),
        AuthType::Named(id) if id.trim().is_empty() => format!("{id:?} (blanks)"),
        AuthType::Named(id) => match catalogue.auth_type(&id) {
            Some(known) => format!("{} ({id})", known.label),
            None => id,
        },
        AuthType::NotText(json) => format!("{json} (not a string)"),
    }
}

/// The auth mode in a sentence.
pub fn auth_mode_text(connector: &Connector) -> String {
    match connector.stored_auth_mode() {
        StoredAuthMode::None => "not set; behaves as shared".to_owned(),
        StoredAuthMode::Known(mode) => format!("{mode}: {}", mode.explanation()),
        StoredAuthMode::Unknown(value) => {
            format!("{value}, which is not a mode; behaves as shared")
        }
    }
}

/// Returns the changes that applying the plan makes to a record.
pub fn plan_lines(
    connector: &Connector,
    plan: &Plan,
    decision: Option<Decision>,
    ui: Ui,
    cells: usize,
) -> Vec<Line<'static>> {
    let Ui { theme, keys, .. } = ui;
    let style = if plan.group == Group::Blocked { theme.bad() } else { theme.title() };
    let mut lines = wrapped(&headline(plan, decision), cells, style);
    match migration::apply(connector, decision, false) {
        Some(after) => push_outcome(&mut lines, connector, &after, theme, cells, ui.catalogue),
        None => {
            lines.push(Line::styled("  = nothing changes", theme.muted()));
            if plan.group == Group::Blocked && connector.model_version <= migration::latest() {
                lines.push(Line::styled(
                    format!("{} opens it for repair", keys.key_of(KeyContext::Review, Action::Edit)),
                    theme.text(),
                ));
            }
        }
    }
    lines
}

fn headline(plan: &Plan, decision: Option<Decision>) -> String {
    match (plan.group, decision) {
        (Group::Blocked, _) => format!("blocked: {}", plan.reason),
        (_, Some(Decision::Skip)) => "skipped by you: stays pending".to_owned(),
        (_, Some(Decision::Choose(choice))) => format!("{choice}, by your decision"),
        (group, _) => format!("{}: {}", group.label(), plan.reason),
    }
}

fn push_outcome(
    lines: &mut Vec<Line<'static>>,
    before: &Connector,
    after: &Connector,
    theme: Theme,
    cells: usize,
    catalogue: &'static Catalogue,
) {
    let changes = changes(before, after);
    if !changes.iter().any(|change| change.field == "auth mode") {
        let mode = match before.stored_auth_mode() {
            StoredAuthMode::Known(mode) => mode.as_str(),
            StoredAuthMode::None | StoredAuthMode::Unknown(_) => "(none)",
        };
        lines.push(Line::from(vec![
            Span::styled(format!("  {:<LABEL$} ", "auth mode"), theme.accent()),
            Span::styled(format!("= {mode} (unchanged)"), theme.muted()),
        ]));
    }
    for change in &changes {
        push_change(lines, change, theme);
    }
    let kept: Vec<&str> = ["name", "config", "secrets", "extra"]
        .into_iter()
        .filter(|field| !changes.iter().any(|change| change.field.split('.').next() == Some(field)))
        .collect();
    let kept = format!("{}, times: unchanged", kept.join(", "));
    for (at, part) in wrap(&kept, cells.saturating_sub(4)).into_iter().enumerate() {
        let sign = if at == 0 { "  = " } else { "    " };
        lines.push(Line::styled(format!("{sign}{part}"), theme.muted()));
    }
    let warning =
        after.auth_mode.and_then(|mode| validate::auth_mode_warning(mode, before.auth_type().name(), catalogue));
    if let Some(warning) = warning {
        lines.extend(wrapped(&format!("* {warning}"), cells, theme.warning()));
    }
}

fn wrapped(text: &str, cells: usize, style: Style) -> Vec<Line<'static>> {
    wrap(text, cells).into_iter().map(|line| Line::styled(line, style)).collect()
}

fn push_change(lines: &mut Vec<Line<'static>>, change: &Change, theme: Theme) {
    let text = |value: &Option<String>| safe(value.as_deref().unwrap_or("(none)"));
    lines.push(Line::from(vec![
        Span::styled(format!("  {:<LABEL$} ", change.field), theme.accent()),
        Span::styled(format!("- {}", text(&change.before)), theme.bad()),
        Span::styled("  ", theme.text()),
        Span::styled(format!("+ {}", text(&change.after)), theme.good()),
    ]));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapped_warning_keeps_its_color() {
        let mut connector = Connector::new("a", ".webhook");
        connector.config = r#"{"url":"https://a.example","method":"post","hasAuth":false}"#.to_owned();
        connector.name = "A".to_owned();
        connector.auth_mode = Some(domain::AuthMode::PerUser);
        let theme = Theme::new(true);
        let mut lines = Vec::new();
        push_problems(&mut lines, &connector, theme, 24, Catalogue::built_in());
        let is_warning = |line: &Line<'_>| line.style == theme.warning();
        assert!(lines.len() > 1 && lines.iter().all(is_warning), "{lines:?}");
    }
}
