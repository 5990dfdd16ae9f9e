//! Auth mode (whose credentials a connector uses) and auth type (how it authenticates).

use std::fmt;

/// Whose credentials a connector uses; Kibana's `authMode` attribute (model version 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuthMode {
    /// One set of credentials for every user; also the meaning of an absent mode.
    Shared,
    /// Each user is meant to use their own account.
    PerUser,
}

impl AuthMode {
    /// The two values as Kibana writes them.
    pub const ALL: [AuthMode; 2] = [AuthMode::Shared, AuthMode::PerUser];

    /// The stored value: `shared` or `per-user`.
    pub const fn as_str(self) -> &'static str {
        match self {
            AuthMode::Shared => "shared",
            AuthMode::PerUser => "per-user",
        }
    }

    /// Reads a stored value; `None` for anything but the two.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text)
    }

    /// The other mode.
    #[must_use]
    pub fn toggled(self) -> Self {
        match self {
            AuthMode::Shared => AuthMode::PerUser,
            AuthMode::PerUser => AuthMode::Shared,
        }
    }

    /// Returns a one-line explanation for the UI.
    pub fn explanation(self) -> &'static str {
        match self {
            AuthMode::Shared => "everyone uses the stored credentials",
            AuthMode::PerUser => "each user is meant to use their own account",
        }
    }
}

impl fmt::Display for AuthMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The auth mode of a record as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoredAuthMode {
    /// Absent, null or an empty string.
    None,
    /// One of the two values.
    Known(AuthMode),
    /// Something else, as JSON text; blocks a migration.
    Unknown(String),
}

/// The `config.authType` of a record as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthType {
    /// Absent, null or an empty string.
    None,
    /// A non-empty string (blanks count).
    Named(String),
    /// Not a string: the JSON text found instead; blocks a migration.
    NotText(String),
}

impl AuthType {
    /// Returns the name of the auth type, if there is one.
    pub fn name(&self) -> Option<&str> {
        match self {
            AuthType::Named(name) => Some(name),
            AuthType::None | AuthType::NotText(_) => None,
        }
    }
}
