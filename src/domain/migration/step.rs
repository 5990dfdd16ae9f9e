//! A step of the migration: one model version.

use crate::domain::connector::Connector;

/// A choice of the user instead of the plan, such as an auth mode. It is the word in the file, in JSON and in the UI.
pub type Choice = &'static str;

/// A model version: what its migration does to a record of the version before.
///
/// The plan, the review, the counts, the command line and the history are built from what a step offers.
pub trait MigrationStep: Sync {
    /// Returns the model version that this step reaches.
    fn version(&self) -> i64;

    /// Returns the title in the UI.
    fn title(&self) -> &'static str;

    /// Returns the attributes of the saved object that the step may write. A migration does not decrypt secrets, so no
    /// encrypted or authenticated attribute can be one of them; a test guards that.
    fn writes(&self) -> &'static [&'static str];

    /// Returns the choices that the review offers; the first one is what the plan proposes.
    fn choices(&self) -> &'static [Choice];

    /// Changes a record as the plan proposes and returns the reason.
    ///
    /// # Errors
    /// Explains why the record is blocked until a user repairs it.
    fn plan(&self, record: &mut Connector) -> Result<&'static str, String>;

    /// Changes a planned record to a choice of the user. With `all` it applies the rule of the newest Kibana release
    /// to records that the plan does not change.
    fn apply(&self, record: &mut Connector, choice: Option<Choice>, all: bool);
}
