//! The header: where one is, and what needs attention.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::text::grouped;
use crate::text::terminal::{clip, safe, width};
use crate::tui::context::Context;

/// What the header is about.
pub(super) struct Header {
    /// The title of the screen.
    pub(super) title: &'static str,
    /// What the screen shows.
    pub(super) subject: Option<String>,
    /// The file is not at its path any more.
    pub(super) is_displaced: bool,
}

impl Header {
    /// Returns the path to the screen, and badges at the right end. A badge that does not fit whole is left out.
    pub(super) fn line(&self, cells: usize, cx: &Context) -> Line<'static> {
        let theme = cx.ui.theme;
        let mut spans = vec![Span::styled(format!(" {}", clip(&cx.file, cells / 3)), theme.muted())];
        let mut crumb = |text: &str, style| {
            spans.push(Span::styled(" › ", theme.muted()));
            spans.push(Span::styled(clip(text, cells / 2), style));
        };
        crumb(self.title, theme.title());
        if let Some(subject) = &self.subject {
            crumb(subject, theme.text());
        }
        let mut used: usize = spans.iter().map(Span::width).sum();
        let mut shown = Vec::new();
        for (text, style) in self.badges(cx) {
            let needed = width(&text) + 2;
            if used + needed < cells {
                used += needed;
                shown.push(Span::raw("  "));
                shown.push(Span::styled(text, style));
            }
        }
        spans.push(Span::raw(" ".repeat(cells.saturating_sub(used + 1))));
        spans.extend(shown);
        Line::from(spans)
    }

    /// Returns what needs attention, the most urgent first.
    fn badges(&self, cx: &Context) -> Vec<(String, Style)> {
        let theme = cx.ui.theme;
        let mut badges = Vec::new();
        if self.is_displaced {
            badges.push(("FILE GONE".to_owned(), theme.bad()));
        }
        if cx.is_read_only {
            badges.push(("READ-ONLY".to_owned(), theme.warning()));
        }
        let overview = &cx.overview;
        let counts = [
            (overview.plan.blocked, "X", "blocked", theme.bad()),
            (overview.plan.pending(), "M", "to migrate", theme.warning()),
            (overview.missing_secrets, "S", "missing secrets", theme.warning()),
            (overview.unreadable_secrets, "U", "unreadable", theme.bad()),
        ];
        let of_count = |(count, sign, what, style): (u64, &str, &str, Style)| {
            (count > 0).then(|| (format!("{sign} {} {what}", grouped(count)), style))
        };
        badges.extend(counts.into_iter().filter_map(of_count));
        badges.extend(overview.remote.as_ref().map(|remote| (format!("remote {}", safe(remote)), theme.muted())));
        badges
    }
}
