//! The screens. Each is a type that implements [`Screen`]: it has its state, sends queries for what it shows, turns actions
//! into [commands](crate::tui::command::Command), and draws itself. A [`Route`] leads to each; the app knows them by their
//! trait only.

mod backups;
mod connectors;
mod copy;
mod detail;
mod form;
mod help;
mod history;
mod history_entry;
mod messages;
mod opening;
mod overview;
mod review;
mod screen;
mod sync;
mod welcome;

pub use form::FormStart;
pub use history::{confirm_on_page, redo, undo};
pub use screen::{Screen, ScreenMessage};
pub use sync::permits;
pub use welcome::menu as welcome_menu;

use crate::store::HistoryEntry;
use crate::tui::context::Context;
use crate::tui::keymap::KeyContext;
use backups::BackupsScreen;
use connectors::ConnectorsScreen;
use detail::DetailScreen;
use form::FormScreen;
use help::HelpScreen;
use history::HistoryScreen;
use history_entry::HistoryEntryScreen;
use messages::MessagesScreen;
use opening::OpeningScreen;
use overview::OverviewScreen;
use review::ReviewScreen;
use sync::SyncScreen;
use welcome::WelcomeScreen;

/// A screen to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// The ways to begin, while the file does not exist.
    Welcome,
    /// The file is being opened, after a restore if that is true.
    Opening(bool),
    /// The list of connectors.
    Connectors,
    /// One connector.
    Detail(String),
    /// The form.
    Form(FormStart),
    /// The review of the migration.
    Review,
    /// The overview.
    Overview,
    /// The history.
    History,
    /// One step of the history, with a filter.
    Step(Box<HistoryEntry>, &'static str),
    /// The backups of the file.
    Backups,
    /// The comparison with a remote.
    Sync,
    /// The messages since the start.
    Messages,
    /// The help, with the keys of this context first.
    Help(KeyContext),
}

/// Makes the screen of a route.
pub fn screen(route: Route, cx: &Context) -> Box<dyn Screen> {
    match route {
        Route::Welcome => Box::new(WelcomeScreen),
        Route::Opening(is_restoring) => Box::new(OpeningScreen::new(is_restoring)),
        Route::Connectors => Box::new(ConnectorsScreen::new(cx)),
        Route::Detail(id) => Box::new(DetailScreen::new(id)),
        Route::Form(start) => Box::new(FormScreen::new(start, cx)),
        Route::Review => Box::new(ReviewScreen::default()),
        Route::Overview => Box::new(OverviewScreen::default()),
        Route::History => Box::new(HistoryScreen::default()),
        Route::Step(step, filter) => Box::new(HistoryEntryScreen::new(*step, filter)),
        Route::Backups => Box::new(BackupsScreen::default()),
        Route::Sync => Box::new(SyncScreen::default()),
        Route::Messages => Box::new(MessagesScreen::default()),
        Route::Help(context) => Box::new(HelpScreen::new(context)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{OperationKind, StepState};
    use crate::tui::keymap::Action;

    /// Returns a route after another one. A new route has to be added here.
    fn next(route: &Route) -> Option<Route> {
        Some(match route {
            Route::Welcome => Route::Opening(false),
            Route::Opening(_) => Route::Connectors,
            Route::Connectors => Route::Detail("an-id".to_owned()),
            Route::Detail(_) => Route::Form(FormStart::New),
            Route::Form(_) => Route::Review,
            Route::Review => Route::Overview,
            Route::Overview => Route::History,
            Route::History => Route::Step(Box::new(step()), ""),
            Route::Step(..) => Route::Backups,
            Route::Backups => Route::Sync,
            Route::Sync => Route::Messages,
            Route::Messages => Route::Help(KeyContext::Connectors),
            Route::Help(_) => return None,
        })
    }

    fn step() -> HistoryEntry {
        HistoryEntry {
            step: 1,
            kind: OperationKind::Edit,
            state: StepState::Done,
            started_at: String::new(),
            records: 1,
            subject: None,
            bytes: 0,
            reverts: None,
            undone: 0,
            reverts_kind: None,
            origin: None,
        }
    }

    fn has_key(context: KeyContext, cx: &Context, wanted: &[Action]) -> bool {
        cx.ui.keys.bindings(context).any(|binding| wanted.contains(&binding.action) && !binding.keys.is_empty())
    }

    #[test]
    fn every_screen_has_a_title_a_way_back_and_help() {
        let cx = Context::for_tests();
        for route in std::iter::successors(Some(Route::Welcome), next) {
            let mut opened = screen(route.clone(), &cx);
            let context = opened.key_context();
            assert!(!opened.title().is_empty(), "{route:?}");
            assert!(has_key(context, &cx, &[Action::Back]), "{route:?} has no way back");
            let needs_help = !matches!(context, KeyContext::Picker | KeyContext::Help);
            assert!(!needs_help || has_key(context, &cx, &[Action::Help]), "{route:?} has no help");
            // A screen without queries has everything it shows.
            let is_complete =
                matches!(route, Route::Welcome | Route::Opening(_) | Route::Help(_) | Route::Messages | Route::Form(_));
            assert_eq!(is_complete, opened.queries().is_empty(), "queries of {route:?}");
        }
    }
}
