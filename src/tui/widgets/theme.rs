//! Colours by role. Only the 16 named colours on the terminal's own background; the default theme uses those that are
//! readable on light and dark. Without colour, roles differ by bold, underline and reverse.

use ratatui::style::{Color, Modifier, Style};

/// A set of colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scheme {
    /// Colours that can be read on light and on dark.
    #[default]
    Auto,
    /// Bright ones, for a dark ground.
    Dark,
    /// Deep ones, for a light ground.
    Light,
    /// Colour and weight together.
    HighContrast,
    /// No colour.
    None,
}

impl Scheme {
    /// All schemes and their names.
    const ALL: [(Self, &'static str); 5] = [
        (Self::Auto, "auto"),
        (Self::Dark, "dark"),
        (Self::Light, "light"),
        (Self::HighContrast, "high-contrast"),
        (Self::None, "none"),
    ];

    /// The scheme of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(scheme, _)| scheme)
    }

    /// Returns all names.
    pub fn names() -> String {
        Self::ALL.map(|(_, name)| name).join(", ")
    }

    /// Returns the name.
    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(scheme, _)| *scheme == self).map_or("auto", |(_, name)| name)
    }

    /// The one after it.
    #[must_use]
    pub fn next(self) -> Self {
        let at = Self::ALL.into_iter().position(|(scheme, _)| scheme == self).unwrap_or(0);
        Self::ALL[(at + 1) % Self::ALL.len()].0
    }
}

/// The styles of this run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    scheme: Scheme,
}

/// A colour of each scheme that has some: usual, dark, light.
#[derive(Clone, Copy)]
struct Hue(Color, Color, Color);

impl Theme {
    /// A theme with or without colour.
    pub fn new(colour: bool) -> Self {
        Self { scheme: if colour { Scheme::Auto } else { Scheme::None } }
    }

    /// The theme of a scheme.
    pub fn of(scheme: Scheme) -> Self {
        Self { scheme }
    }

    /// Returns the chosen theme; without colour if `NO_COLOR` is set (<https://no-color.org>).
    pub fn from_environment(chosen: Option<Scheme>) -> Self {
        match std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) {
            true => Self::of(chosen.unwrap_or_default()),
            false => Self::new(false),
        }
    }

    /// Returns the scheme.
    pub fn scheme(self) -> Scheme {
        self.scheme
    }

    fn role(self, hue: Hue, plain: Modifier) -> Style {
        match self.scheme {
            Scheme::Auto => Style::new().fg(hue.0),
            Scheme::Dark => Style::new().fg(hue.1),
            Scheme::Light => Style::new().fg(hue.2),
            Scheme::HighContrast => Style::new().fg(hue.0).add_modifier(plain | Modifier::BOLD),
            Scheme::None => Style::new().add_modifier(plain),
        }
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
        self.role(Hue(Color::Cyan, Color::LightCyan, Color::Blue), Modifier::BOLD)
    }

    /// Secondary text: plain on an unknown background, because grey (and DIM) is unreadable on either a light or a dark
    /// one.
    pub fn muted(self) -> Style {
        match self.scheme {
            Scheme::Dark => Style::new().fg(Color::Gray),
            Scheme::Light => Style::new().fg(Color::DarkGray),
            _ => Style::new(),
        }
    }

    /// Success, and added values.
    pub fn good(self) -> Style {
        self.role(Hue(Color::Green, Color::LightGreen, Color::Green), Modifier::BOLD)
    }

    /// Warnings.
    pub fn warning(self) -> Style {
        self.role(Hue(Color::Magenta, Color::LightYellow, Color::Magenta), Modifier::BOLD)
    }

    /// Errors, and removed values.
    pub fn bad(self) -> Style {
        self.role(Hue(Color::Red, Color::LightRed, Color::Red), Modifier::UNDERLINED)
    }

    /// The row or field that has the focus.
    pub fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// What lies below an overlay.
    pub fn dimmed(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// The frame of the focused pane.
    pub fn focus(self) -> Style {
        self.accent()
    }

    /// The frame of a pane without focus.
    pub fn border(self) -> Style {
        match self.scheme {
            Scheme::HighContrast => Style::new(),
            _ => self.muted().add_modifier(Modifier::DIM),
        }
    }
}
