//! One edit of many connectors.

use super::auth::{AuthMode, StoredAuthMode};
use super::catalogue::Catalogue;
use super::connector::Connector;
use super::json::{self, RawObject};
use super::validate;

/// An edit of many connectors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BulkEdit {
    /// Set the auth mode.
    AuthMode(AuthMode),
    /// Set the auth mode where it goes with the auth type.
    FittingAuthMode(AuthMode),
    /// Replace a text wherever it occurs in the name.
    Rename {
        /// The text to find.
        find: String,
        /// The replacement.
        replace: String,
    },
    /// Set a field of the config.
    Field {
        /// The key of the field.
        key: String,
        /// The value, as JSON.
        value: String,
    },
    /// Delete it.
    Delete,
}

/// The outcome of an edit for one connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edited {
    /// The edit changes nothing.
    Unchanged,
    /// This.
    Changed(Box<Connector>),
    /// The connector is deleted.
    Deleted,
    /// The edit is not possible, with the reason.
    Refused(String),
}

impl BulkEdit {
    /// Parses `find => replace`.
    ///
    /// # Errors
    /// Names the missing part.
    pub fn rename(text: &str) -> Result<Self, String> {
        let (find, replace) = text.split_once("=>").ok_or("write it as: what to find => what to put in its place")?;
        let (find, replace) = (find.trim().to_owned(), replace.trim().to_owned());
        if find.is_empty() {
            return Err("what is to be found is missing before the =>".to_owned());
        }
        Ok(Self::Rename { find, replace })
    }

    /// Parses `field = value`; a value that is not JSON is a text.
    ///
    /// # Errors
    /// Names the missing part.
    pub fn field(text: &str) -> Result<Self, String> {
        let (key, value) = text.split_once('=').ok_or("write it as: field = value")?;
        let (key, value) = (key.trim().to_owned(), value.trim());
        if key.is_empty() {
            return Err("the field is missing before the =".to_owned());
        }
        if key == "authType" {
            return Err("change the auth type in the form, which has the fields for its secrets".to_owned());
        }
        let value = json::compact(value).unwrap_or_else(|_| json::quote(value));
        Ok(Self::Field { key, value })
    }

    /// Returns a description for the UI.
    pub fn label(&self) -> String {
        match self {
            Self::AuthMode(mode) => format!("set the auth mode to {mode}"),
            Self::FittingAuthMode(mode) => format!("set the auth mode to {mode} where it makes sense"),
            Self::Rename { find, replace } => format!("rename: “{find}” becomes “{replace}”"),
            Self::Field { key, value } => format!("set the config's {key} to {value}"),
            Self::Delete => "delete".to_owned(),
        }
    }

    /// Returns a warning about an edit of this connector that is possible but doubtful.
    pub fn warning(&self, current: &Connector, catalogue: &Catalogue) -> Option<String> {
        match self {
            Self::AuthMode(mode) => Self::warning_about(*mode, current, catalogue),
            _ => None,
        }
    }

    fn warning_about(mode: AuthMode, current: &Connector, catalogue: &Catalogue) -> Option<String> {
        validate::auth_mode_warning(mode, current.auth_type().name(), catalogue)
    }

    /// Applies the edit. Whether the secrets can be re-encrypted for a changed config is decided by the caller.
    pub fn apply(&self, current: &Connector, catalogue: &Catalogue) -> Edited {
        if *self == Self::Delete {
            return Edited::Deleted;
        }
        if current.is_newer_than_known() {
            return Edited::Refused("its model version is newer than this program knows".to_owned());
        }
        let edited = match self.edited(current, catalogue) {
            Ok(Some(edited)) => edited,
            Ok(None) => return Edited::Unchanged,
            Err(reason) => return Edited::Refused(reason),
        };
        let before = validate::problems(current, catalogue);
        match validate::problems(&edited, catalogue).into_iter().find(|problem| !before.contains(problem)) {
            Some(problem) => Edited::Refused(format!("{}: {}", problem.field, problem.reason)),
            None => Edited::Changed(Box::new(edited)),
        }
    }

    fn edited(&self, current: &Connector, catalogue: &Catalogue) -> Result<Option<Connector>, String> {
        let mut edited = current.clone();
        match self {
            Self::FittingAuthMode(mode) if Self::warning_about(*mode, current, catalogue).is_some() => {
                return Err(Self::warning_about(*mode, current, catalogue).unwrap_or_default());
            }
            Self::AuthMode(mode) | Self::FittingAuthMode(mode) => {
                if current.stored_auth_mode() == StoredAuthMode::Known(*mode) {
                    return Ok(None);
                }
                edited.auth_mode = Some(*mode);
            }
            Self::Rename { find, replace } => {
                edited.name = current.name.replace(find.as_str(), replace);
                if edited.name.trim().is_empty() {
                    return Err("its name would be empty".to_owned());
                }
            }
            Self::Field { key, value } => {
                let mut config =
                    RawObject::parse(&current.config).map_err(|_| "its config is not an object".to_owned())?;
                if config.get(key).is_some_and(|now| json::canonical(now) == json::canonical(value)) {
                    return Ok(None);
                }
                config.set(key, json::raw(value.as_str()).map_err(|error| error.to_string())?);
                edited.config = config.to_text();
            }
            Self::Delete => {}
        }
        Ok((edited != *current).then_some(edited))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connector() -> Connector {
        let config = r#"{"url":"https://a.example","method":"post","hasAuth":false,"authType":null}"#.to_owned();
        Connector { name: "staging: a".to_owned(), config, ..Connector::new("a", ".webhook") }
    }

    #[test]
    fn bulk_edits_are_parsed() {
        assert!(BulkEdit::rename("no arrow").is_err() && BulkEdit::rename(" => x").is_err());
        assert!(BulkEdit::field("no sign").is_err() && BulkEdit::field("authType = x").is_err());
        let field = |text| BulkEdit::field(text).expect(text);
        assert_eq!(field("a = b c"), BulkEdit::Field { key: "a".to_owned(), value: r#""b c""#.to_owned() });
        assert_eq!(field("a={\"x\": 1}"), BulkEdit::Field { key: "a".to_owned(), value: r#"{"x":1}"#.to_owned() });
    }

    #[test]
    fn bulk_edit_changes_only_its_field() {
        let current = connector();
        let edit = |edit: &BulkEdit| match edit.apply(&current, Catalogue::built_in()) {
            Edited::Changed(edited) => *edited,
            other => panic!("{other:?}"),
        };
        let renamed = edit(&BulkEdit::rename("staging => production").expect("an edit"));
        assert_eq!(renamed, Connector { name: "production: a".to_owned(), ..current.clone() });
        let url = edit(&BulkEdit::field("url = https://b.example").expect("an edit"));
        assert_eq!(url.config, current.config.replace("a.example", "b.example"));
        assert_eq!(edit(&BulkEdit::AuthMode(AuthMode::PerUser)).auth_mode, Some(AuthMode::PerUser));
        assert!(BulkEdit::AuthMode(AuthMode::PerUser).warning(&current, Catalogue::built_in()).is_some());
        let fitting = BulkEdit::FittingAuthMode(AuthMode::PerUser);
        assert!(matches!(fitting.apply(&current, Catalogue::built_in()), Edited::Refused(_)));
        let consent = current.config.replace("null", "\"oauth_authorization_code\"");
        assert!(matches!(
            fitting.apply(&Connector { config: consent, ..current }, Catalogue::built_in()),
            Edited::Changed(_)
        ));
    }

    #[test]
    fn impossible_bulk_edit_has_a_reason() {
        let current = connector();
        let is_refused = |text: Result<BulkEdit, String>| matches!(text.expect("an edit").apply(&current, Catalogue::built_in()), Edited::Refused(reason) if !reason.is_empty());
        assert!(is_refused(BulkEdit::field("method = shout")) && is_refused(BulkEdit::rename("staging: a =>")));
        let newer = Connector { model_version: 9, ..connector() };
        assert!(matches!(
            BulkEdit::AuthMode(AuthMode::Shared).apply(&newer, Catalogue::built_in()),
            Edited::Refused(_)
        ));
        assert_eq!(
            BulkEdit::field("method = post").expect("an edit").apply(&current, Catalogue::built_in()),
            Edited::Unchanged
        );
        assert_eq!(BulkEdit::Delete.apply(&newer, Catalogue::built_in()), Edited::Deleted);
    }
}
