//! Drawing the two sides: the groups, the list, and the three sides of each field.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::{SyncScreen, permits};
use crate::domain::remote::Drift;
use crate::domain::{Catalogue, Remote};
use crate::messages;
use crate::service::remote::{Entry, SyncGroup};
use crate::text::terminal::{clip, safe, width, wrap};
use crate::tui::keymap::{Action, KeyContext, KeyMap};
use crate::tui::overlays::Tone;
use crate::tui::ui::Ui;
use crate::tui::widgets::connector_details::type_name;
use crate::tui::widgets::layout::{cut_bottom, cut_top};
use crate::tui::widgets::list::{Column, Rows, Shown};
use crate::tui::widgets::pane::Pane;
use crate::tui::widgets::split;
use crate::tui::widgets::split::Split;
use crate::tui::widgets::theme::Theme;
use crate::worker::SyncView;

/// Returns the areas of headlines, list and panel.
fn areas(area: Rect) -> (Rect, Rect, Rect) {
    let (head, rest) = cut_top(area, if area.height < 10 { 1 } else { 2 });
    let split = split::split(rest, area.height);
    let Split { list, panel, is_side_by_side } = split;
    // Below the list it has room for the reason and the three sides of a field.
    if !is_side_by_side && panel.area() > 0 {
        let (list, panel) = cut_bottom(rest, (rest.height / 2).min(13));
        return (head, list, panel);
    }
    (head, list, panel)
}

/// Returns the area of the list with its heads.
pub(super) fn list_area(area: Rect) -> Rect {
    areas(area).1
}

/// All columns; a narrow list leaves some out.
const COLUMNS: [(&str, usize); 5] = [("", 1), ("NAME", 0), ("TYPE", 12), ("GROUP", 9), ("WHAT", 22)];

/// Draws the screen.
pub(super) fn view(state: &SyncScreen, frame: &mut Frame<'_>, area: Rect, ui: Ui) {
    let Ui { theme, keys, .. } = ui;
    let (head, list, panel) = areas(area);
    let Some(view) = &state.view else {
        return frame.render_widget(Paragraph::new("  comparing …"), area);
    };
    if view.remote.is_none() {
        return frame.render_widget(Paragraph::new(without_remote(usize::from(area.width), ui)), area);
    }
    frame.render_widget(Paragraph::new(headlines(state, view, head, ui)), head);
    let entries = state.entries();
    if entries.is_empty() {
        let text = match view.remote.as_ref().and_then(|remote| remote.fetched_at.as_ref()) {
            None => format!(
                "  Not fetched yet: {} fetches, {} pulls the connectors of Kibana.",
                key(Action::Fetch, keys),
                key(Action::Pull, keys)
            ),
            Some(_) if state.group.is_some() => {
                format!("  No connector in this group; {} shows the next.", key(Action::NextGroup, keys))
            }
            Some(_) => "  Nothing to push or pull.".to_owned(),
        };
        return frame.render_widget(Paragraph::new(text), list);
    }
    let is_shown = |name: &str| match name {
        "TYPE" => list.width >= 75,
        "WHAT" => list.width >= 55,
        _ => true,
    };
    let shown: Vec<usize> = (0..COLUMNS.len()).filter(|at| is_shown(COLUMNS[*at].0)).collect();
    let columns: Vec<Column> = shown.iter().map(|at| Column::new(COLUMNS[*at].0, COLUMNS[*at].1)).collect();
    let row = |at: usize| {
        let Some(entry) = entries.get(at) else { return Vec::new() };
        let cells = cells(state, entry, theme, ui.catalogue);
        cells.into_iter().enumerate().filter(|(at, _)| shown.contains(at)).map(|(_, cell)| cell).collect()
    };
    state.list.view(&columns, Rows { title: "Changes", total: entries.len(), cells: &row }, frame, list, theme);
    if panel.area() > 0
        && let Some(entry) = state.current()
    {
        let inside = Pane::new(entry.name.clone()).view(frame, panel, theme);
        let height = usize::from(inside.height);
        let mut lines = panel_lines(entry, usize::from(inside.width), ui);
        if lines.len() > height && height > 0 {
            lines.truncate(height - 1);
            lines.push(Line::styled(format!("… {} shows all", key(Action::Open, keys)), theme.muted()));
        }
        frame.render_widget(Paragraph::new(lines), inside);
    }
}

fn key(action: Action, keys: KeyMap) -> String {
    keys.key_of(KeyContext::Sync, action)
}

fn without_remote(cells: usize, ui: Ui) -> Vec<Line<'static>> {
    let Ui { theme, keys, .. } = ui;
    let text = "This file is not a working copy of a Kibana yet. On the command line:";
    let mut lines: Vec<Line<'_>> = wrap(text, cells.saturating_sub(4)).into_iter().map(Line::from).collect();
    lines.push(Line::default());
    for command in ["connector-admin remote add NAME https://KIBANA:5601", "connector-admin remote login"] {
        lines.push(Line::styled(clip(&format!("  {command}"), cells), theme.accent()));
    }
    lines.push(Line::default());
    lines.push(Line::styled(
        format!("{} reads the file again; {} goes back.", key(Action::Refresh, keys), key(Action::Back, keys)),
        theme.muted(),
    ));
    lines
}

/// Draws the address of the remote, or unusual facts; then the size of each group.
fn headlines(state: &SyncScreen, view: &SyncView, area: Rect, ui: Ui) -> Vec<Line<'static>> {
    let theme = ui.theme;
    let cells = usize::from(area.width);
    let mut notices = notices(state, view, ui);
    let place = view.remote.as_ref().map(|remote| Span::styled(safe(&position_text(remote)), theme.muted()));
    if area.height < 2 {
        notices.extend(counts(state, view, theme));
        return vec![clipped(notices, cells)];
    }
    notices.extend(place);
    vec![clipped(notices, cells), clipped(counts(state, view, theme), cells)]
}

fn position_text(remote: &Remote) -> String {
    let version = remote.version.as_deref().map_or_else(String::new, |version| format!(", Kibana {version}"));
    let modes = match (messages::sync::modes_note(remote), &remote.version) {
        (None, _) => "",
        (Some(_), Some(_)) => ", which does not know auth modes: they stay in this file",
        (Some(_), None) => ", version unknown (set it with --kibana-version)",
    };
    let fetched = remote
        .fetched_at
        .as_deref()
        .map_or("never fetched".to_owned(), |at| format!("fetched {}", at.get(..16).unwrap_or(at).replace('T', " ")));
    format!("{}: {}{version}{modes} · {fetched}", remote.name, remote.place())
}

/// Returns notes that stay visible above the list.
fn notices(state: &SyncScreen, view: &SyncView, ui: Ui) -> Vec<Span<'static>> {
    let Ui { theme, keys, .. } = ui;
    let mut found = Vec::new();
    if view.report.was_interrupted() {
        let way = if view.report.last_push.as_ref().is_some_and(|push| push.is_open) {
            format!(": {} finds out", key(Action::Fetch, keys))
        } else {
            String::new()
        };
        found.push((format!("the last push is incomplete{way}"), theme.bad()));
    }
    if !state.selected.is_empty() {
        found.push((format!("{} selected", state.selected.len()), theme.accent()));
    }
    if let Some(group) = state.group {
        found.push((format!("only {} ({})", group.label(), key(Action::NextGroup, keys)), theme.warning()));
    }
    if state.options.delete {
        found.push(("deletes allowed".to_owned(), theme.warning()));
    }
    if state.options.lose_secrets {
        found.push(("loss of secrets allowed".to_owned(), theme.warning()));
    }
    found.into_iter().flat_map(|(text, style)| [Span::styled(text, style), Span::raw(" · ")]).collect()
}

fn counts(state: &SyncScreen, view: &SyncView, theme: Theme) -> Vec<Span<'static>> {
    let mut spans = Vec::new();
    for group in SyncGroup::ALL {
        let count = view.report.count(group);
        if count > 0 {
            let style = if state.group == Some(group) { theme.selected() } else { group_style(group, theme) };
            spans.push(Span::styled(format!("{} {count}", group.label()), style));
            spans.push(Span::raw(", "));
        }
    }
    spans.push(Span::styled(format!("in sync {}", view.report.in_sync), theme.muted()));
    spans
}

/// Joins these to a line, cut with a sign if there is no room.
fn clipped(spans: Vec<Span<'static>>, cells: usize) -> Line<'static> {
    let mut line = Line::default();
    let mut left = cells;
    let last = spans.iter().rposition(|span| span.content.as_ref() != " · ").unwrap_or(0);
    for span in spans.into_iter().take(last + 1) {
        let text = clip(&span.content, left).to_string();
        let is_cut = text != span.content;
        left = left.saturating_sub(width(&text));
        line.push_span(Span::styled(text, span.style));
        if is_cut {
            break;
        }
    }
    line
}

fn group_style(group: SyncGroup, theme: Theme) -> Style {
    match group {
        SyncGroup::Conflict => theme.bad(),
        SyncGroup::ToPush => theme.good(),
        SyncGroup::Blocked => theme.warning(),
        SyncGroup::ToPull => theme.accent(),
        SyncGroup::ReadOnly => theme.muted(),
    }
}

fn cells(state: &SyncScreen, entry: &Entry, theme: Theme, catalogue: &'static Catalogue) -> Vec<Shown> {
    let group = entry.group();
    let sign = if state.selected.contains(&entry.id) { "*" } else { "" };
    vec![
        (sign.to_owned(), theme.accent()),
        (entry.name.clone(), theme.text()),
        (type_name(&entry.connector_type_id, catalogue).to_owned(), theme.muted()),
        (group.map_or("", SyncGroup::label).to_owned(), group.map_or(theme.text(), |group| group_style(group, theme))),
        (messages::sync::summary(entry), theme.muted()),
    ]
}

/// Draws the status and its reasons, then each field with its three sides.
fn panel_lines(entry: &Entry, cells: usize, ui: Ui) -> Vec<Line<'static>> {
    let Ui { theme, keys, .. } = ui;
    let mut lines = Vec::new();
    for (tone, text) in details(entry, keys) {
        match tone {
            // The sides of a field are one line each; all of them are behind Enter.
            Tone::Minus | Tone::Plus | Tone::Head | Tone::Muted => {
                lines.push(Line::styled(clip(&text, cells), tone.style(theme)));
            }
            Tone::Plain => lines.extend(wrap(&text, cells).into_iter().map(|text| Line::styled(text, theme.text()))),
        }
    }
    lines
}

/// Returns the status of a connector with its reasons, and each field with its three sides.
pub(super) fn details(entry: &Entry, keys: KeyMap) -> Vec<(Tone, String)> {
    let mut lines: Vec<(Tone, String)> =
        messages::sync::explained(entry, &permits(keys)).into_iter().map(|text| (Tone::Plain, text)).collect();
    for field in &entry.fields {
        let who = match field.drift {
            Drift::Local => "changed locally",
            Drift::Remote => "changed in Kibana",
            Drift::Both => "changed on both sides",
        };
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "(none)".to_owned());
        lines.push((Tone::Head, format!("{} ({who})", field.field)));
        if entry.has_base && field.drift == Drift::Both {
            lines.push((Tone::Muted, format!("  base    {}", value(&field.base))));
        }
        lines.push((Tone::Minus, format!("  remote  {}", value(&field.remote))));
        lines.push((Tone::Plus, format!("  local   {}", value(&field.local))));
    }
    let has_reasons = !lines.is_empty() && entry.group() == Some(SyncGroup::Conflict);
    if entry.fields.is_empty() && !has_reasons {
        lines.push((Tone::Head, messages::sync::summary(entry)));
    } else if entry.has_new_secrets {
        lines.push((Tone::Head, "secrets (changed in the file, or never sent)".to_owned()));
    }
    lines
}
