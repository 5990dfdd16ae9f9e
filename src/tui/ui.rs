//! What every screen is drawn with.

use crate::tui::keymap::KeyMap;
use crate::tui::widgets::theme::Theme;

/// The theme and the active key map, which views name in their hints.
#[derive(Clone, Copy, Debug)]
pub struct Ui {
    /// The styles.
    pub theme: Theme,
    /// The keys in use.
    pub keys: KeyMap,
}
