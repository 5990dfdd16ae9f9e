//! What every screen is drawn with.

use crate::domain::Catalogue;
use crate::tui::keymap::KeyMap;
use crate::tui::widgets::theme::Theme;

/// The theme, the active key map, which hints name, and the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Ui {
    /// The styles.
    pub theme: Theme,
    /// The keys in use.
    pub keys: KeyMap,
    /// The connector types that the program knows.
    pub catalogue: &'static Catalogue,
}
