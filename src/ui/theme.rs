//! Colours by role. Only the 16 named colours on the terminal's own background, so that light and dark
//! both work; without colour every role is told by bold, underline or reverse.

use ratatui::style::{Color, Modifier, Style};

/// The styles of this run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    colour: bool,
}

impl Theme {
    /// A theme with or without colour.
    pub fn new(colour: bool) -> Self {
        Self { colour }
    }

    /// Without colour when `NO_COLOR` is set to anything (<https://no-color.org>).
    pub fn from_environment() -> Self {
        Self::new(std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()))
    }

    fn role(self, colour: Color, plain: Modifier) -> Style {
        if self.colour { Style::new().fg(colour) } else { Style::new().add_modifier(plain) }
    }

    /// Ordinary text.
    pub fn text(self) -> Style {
        Style::new()
    }

    /// Screen titles and column heads.
    pub fn title(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// Names of fields and keys of the keyboard.
    pub fn accent(self) -> Style {
        self.role(Color::Cyan, Modifier::BOLD)
    }

    /// What matters less: plain, since grey (and DIM) cannot be read on a light or on a dark ground.
    pub fn muted(self) -> Style {
        Style::new()
    }

    /// Success, and what is added.
    pub fn good(self) -> Style {
        self.role(Color::Green, Modifier::BOLD)
    }

    /// Worth a look.
    pub fn warning(self) -> Style {
        self.role(Color::Magenta, Modifier::BOLD)
    }

    /// Errors, and what is taken away.
    pub fn bad(self) -> Style {
        self.role(Color::Red, Modifier::UNDERLINED)
    }

    /// The row or field that has the focus.
    pub fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// Lines around things.
    pub fn border(self) -> Style {
        self.muted()
    }
}
