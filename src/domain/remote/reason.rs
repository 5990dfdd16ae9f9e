//! Why a push does what it does: typed reasons, which the front ends put into words.

use crate::domain::auth::AuthMode;

/// Who manages a connector that users cannot change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manager {
    /// Kibana itself: a system connector.
    Kibana,
    /// The configuration: a preconfigured connector.
    Configuration,
}

/// The secrets in Kibana that a request would remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LostSecrets {
    /// Neither side has them.
    MissingOnBothSides,
    /// Only Kibana has them.
    OnlyInKibana,
    /// Kibana may have some.
    MaybeInKibana,
}

/// Why a push cannot send a connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlockReason {
    /// Its config in Kibana is nested deeper than this program reads.
    ConfigTooDeep,
    /// Kibana has a managed connector with this id.
    Managed(Manager),
    /// Its id cannot be part of a URL; `is_deleted`: it was deleted in the file.
    IdNotInUrl {
        /// The file does not have it any more.
        is_deleted: bool,
    },
    /// Deleting in Kibana needs permission.
    DeleteNotPermitted,
    /// Kibana changed another field of it.
    ChangedInKibana,
    /// Its type was changed.
    TypeChanged,
    /// Kibana would infer another mode, if it knows modes at all.
    ModeSupportUnknown(AuthMode),
    /// The import that sets the mode removes secrets, which needs permission.
    ImportLosesSecrets(LostSecrets),
    /// The update removes secrets, which needs permission.
    UpdateLosesSecrets(LostSecrets),
    /// Kibana refuses an update without secrets.
    UpdateNeedsSecrets(LostSecrets),
    /// Kibana removes a connector with such an id on import.
    IdRemovedOnImport,
    /// Kibana refuses every update of a shared connector with this auth type.
    NoUpdateOfShared {
        /// The auth type.
        auth_type: String,
        /// The update would follow an import that removes the secrets.
        is_after_import: bool,
    },
    /// Some secrets are not set, by their labels if they are known.
    SecretsIncomplete(Vec<String>),
    /// Kibana would refuse the value of a field.
    InvalidValue {
        /// The field.
        field: String,
        /// The problem.
        problem: String,
    },
    /// A column is not UTF-8.
    NotUtf8(&'static str),
    /// The config is not a JSON object.
    InvalidConfig(String),
    /// A newer Kibana wrote the record.
    NewerModelVersion(i64),
    /// The secrets cannot be decrypted.
    UnreadableSecrets(String),
    /// Kibana creates no connector with such an id.
    IdNotAccepted,
    /// The type is internal to Kibana.
    SystemType,
    /// Kibana does not create it without its secrets.
    SecretsMissing,
    /// Kibana sets this auth type itself.
    AuthTypeSetByKibana(String),
    /// Kibana refuses another auth type for a per-user connector.
    AuthTypeOfPerUser,
}

/// What to consider before a connector is pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PushNote {
    /// So many rules or others use a connector that is deleted.
    UsedBy(u64),
    /// Kibana would infer one mode; the import sets the other.
    ModeByImport {
        /// The inferred mode.
        inferred: AuthMode,
        /// The mode of the file.
        mode: AuthMode,
    },
    /// Kibana does not know modes: per-user stays in the file.
    ModeNotSupported,
    /// The secrets in Kibana are removed.
    SecretsRemoved,
    /// Secrets that Kibana may have are removed.
    SecretsMayBeRemoved,
    /// The connector cannot run until the update has sent the secrets.
    DownUntilUpdate,
    /// Kibana has no secrets; the update sends those of the file.
    SecretsMissingInKibana,
    /// The secrets of the file replace those in Kibana.
    SecretsReplaced,
    /// All users are disconnected.
    UsersDisconnected,
    /// A value that Kibana may refuse.
    DoubtfulValue {
        /// The field.
        field: String,
        /// The doubt.
        note: String,
    },
}
