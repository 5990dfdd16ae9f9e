//! A server as it describes itself, and what follows from its version.

/// Characters of a version.
pub(super) const LONGEST_VERSION: usize = 32;

/// The version of a serverless project.
pub(super) const SERVERLESS: &str = "serverless";

/// The version of a server that hides its version and whose connectors have auth modes.
pub(super) const WITH_MODES: &str = "9.4 or later";

/// The version of a server that hides its version and whose connectors have none.
pub(super) const WITHOUT_MODES: &str = "before 9.4";

/// A server as it describes itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Server {
    /// For example `9.4.0`; `None` if the server hides it.
    pub version: Option<String>,
    /// A project of Elastic's cloud, which has no versions.
    pub is_serverless: bool,
}

impl Server {
    /// Returns the server with the version known before, if it hides it now.
    #[must_use]
    pub fn or_known(self, version: Option<&str>) -> Self {
        match (&self.version, self.is_serverless) {
            (None, false) => Self { version: version.map(str::to_owned), is_serverless: version == Some(SERVERLESS) },
            _ => self,
        }
    }

    /// The version as it is kept.
    pub(super) fn kept(&self) -> Option<String> {
        if self.is_serverless { Some(SERVERLESS.to_owned()) } else { self.version.clone() }
    }

    /// From 9.4 on connectors have auth modes.
    pub(super) fn knows_modes(&self) -> bool {
        let numbers = self.version.as_deref().unwrap_or_default().split('.').map(|part| part.parse::<u32>().ok());
        let numbers: Vec<u32> = numbers.map_while(|number| number).take(2).collect();
        self.is_serverless
            || self.version.as_deref() == Some(WITH_MODES)
            || matches!(numbers.as_slice(), [9, minor] if *minor >= 4)
            || numbers.first().is_some_and(|major| *major >= 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auth_mode_support_by_version() {
        for (version, expected) in [
            ("8.19.3", false),
            ("9.3.9", false),
            ("9.4.0", true),
            ("9.10.0-SNAPSHOT", true),
            ("10.0.0", true),
            ("", false),
        ] {
            let server = Server { version: Some(version.to_owned()), is_serverless: false };
            assert_eq!(server.knows_modes(), expected, "{version}");
        }
        assert!(Server { version: None, is_serverless: true }.knows_modes());
    }
}
