//! A fake model version for the unit tests of the chain and for the tests of the whole program.

use super::{Choice, Connector, MigrationStep};

/// A model version 3 that only the tests know: names lose the blanks around them, or are written in capitals.
pub(super) struct TrimmedNames;

impl MigrationStep for TrimmedNames {
    fn version(&self) -> i64 {
        3
    }

    fn title(&self) -> &'static str {
        "trimmed names"
    }

    fn writes(&self) -> &'static [&'static str] {
        &["name"]
    }

    fn choices(&self) -> &'static [Choice] {
        &["trimmed", "capitals"]
    }

    fn plan(&self, record: &mut Connector) -> Result<&'static str, String> {
        let trimmed = record.name.trim().to_owned();
        if trimmed.is_empty() {
            return Err("the name is blank".to_owned());
        }
        record.name = trimmed;
        Ok("names carry no blanks around them")
    }

    fn apply(&self, record: &mut Connector, choice: Option<Choice>, _all: bool) {
        if choice == Some("capitals") {
            record.name = record.name.to_uppercase();
        }
    }
}
