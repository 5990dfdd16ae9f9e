//! The filter language of the list: free text and `key:value` terms, all of which must hold.
//!
//! ```text
//! jira prod                 both words, anywhere in name, id or type; upper and lower case are equal
//! "on call"  -staging       a phrase; a term that must not hold
//! type:webhook auth:per-user authtype:oauth needs:migration missing:secrets unreadable:secrets
//! is:pending is:blocked is:deprecated is:unknown is:malformed is:unreadable
//! ```

use unicode_normalization::char::decompose_compatible;

use super::auth::AuthMode;
use super::catalogue::Catalogue;
use super::connector::Summary;
use super::diff::ChangeState;
use super::migration::Group;
use super::similar::closest;

/// A parsed filter. The empty one matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    terms: Vec<Term>,
}

/// One term: a test, or that it does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// The test must not hold.
    pub negated: bool,
    /// The test.
    pub test: Test,
}

/// The condition of a term.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Test {
    /// Folded text in name, id or connector type id.
    Text(String),
    /// Folded text in the connector type's id or name.
    Type(String),
    /// The auth mode; `None` matches connectors without one.
    AuthMode(Option<AuthMode>),
    /// Folded text in the auth type; `None` matches connectors without one.
    AuthType(Option<String>),
    /// The connector is in the migration plan.
    NeedsMigration,
    /// The connector is missing secrets.
    MissingSecrets,
    /// The secrets cannot be decrypted because their key is missing.
    UnreadableSecrets,
    /// The connector is in this group of the plan.
    InGroup(Group),
    /// The type, or its use, is deprecated.
    Deprecated,
    /// The catalogue does not know the type.
    UnknownType,
    /// Config or extra is no JSON object.
    Malformed,
    /// The change of the step has this state.
    Change(ChangeState),
}

/// The keys and their values, for help and completion.
pub const TERMS: &[(&str, &str)] = &[
    ("type:", "connector type, part of its id or name (type:.webhook for the id)"),
    ("auth:", "auth mode: shared, per-user or none"),
    ("authtype:", "auth type, part of it, or none"),
    ("needs:", "migration"),
    ("missing:", "secrets"),
    ("unreadable:", "secrets, because their key is missing"),
    ("change:", "in a step of the history: applied, undone, modified-since or deleted-since"),
    ("is:", "pending, backfill, stamp-only, blocked, deprecated, unknown, malformed or unreadable"),
];

/// Returns the keys and their values as the table of docs/cli.md.
pub fn markdown() -> String {
    let rows = TERMS.iter().map(|(key, values)| format!("| `{key}` | {values} |\n"));
    format!("| key | values |\n| --- | --- |\n{}", rows.collect::<String>())
}

impl Filter {
    /// Reads a filter as typed.
    ///
    /// # Errors
    /// A sentence naming the term whose value makes no sense. A word with a colon whose key is not one
    /// of [`TERMS`] is free text: names hold colons too.
    pub fn parse(text: &str) -> Result<Self, String> {
        let terms = words(text).into_iter().filter_map(|word| term(&word).transpose()).collect::<Result<_, _>>()?;
        Ok(Self { terms })
    }

    /// Returns the filter if it is valid for lists of connectors, which have no change states.
    ///
    /// # Errors
    /// Names the term.
    pub fn of_connectors(self) -> Result<Self, String> {
        if self.reads_changes() {
            return Err("change: is for the records of a step of the history, not for connectors".to_owned());
        }
        Ok(self)
    }

    /// Both have to let a connector pass.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.terms.extend(other.terms);
        self
    }

    /// The terms, all of which must hold.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// Matches everything.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Returns whether a term depends on the keys of the secrets.
    pub fn reads_keys(&self) -> bool {
        self.terms.iter().any(|term| term.test == Test::UnreadableSecrets)
    }

    /// Returns whether a term depends on the state of a change, as in the list of a history entry.
    pub fn reads_changes(&self) -> bool {
        self.terms.iter().any(|term| matches!(term.test, Test::Change(_)))
    }

    /// Does this connector pass?
    pub fn matches(&self, summary: &Summary, catalogue: &Catalogue) -> bool {
        self.terms.iter().all(|term| term.test.holds(summary, catalogue) != term.negated)
    }
}

impl Test {
    fn holds(&self, summary: &Summary, catalogue: &Catalogue) -> bool {
        match self {
            Test::Text(wanted) => [&summary.name, &summary.id, &summary.connector_type_id]
                .into_iter()
                .any(|text| fold(text).contains(wanted)),
            Test::Type(wanted) => {
                is_of_type(&summary.connector_type_id, wanted, catalogue)
                    || summary.reported_type.as_ref().is_some_and(|name| fold(name).contains(wanted))
            }
            Test::AuthMode(mode) => summary.auth_mode == *mode,
            Test::AuthType(None) => summary.auth_type.is_none(),
            Test::AuthType(Some(wanted)) => {
                summary.auth_type.as_ref().is_some_and(|auth_type| fold(auth_type).contains(wanted))
            }
            Test::NeedsMigration => summary.group.is_some(),
            Test::MissingSecrets => summary.is_missing_secrets,
            Test::UnreadableSecrets => summary.has_unreadable_secrets,
            Test::InGroup(group) => summary.group == Some(*group),
            Test::Deprecated => summary.is_deprecated,
            Test::UnknownType => summary.is_unknown_type(catalogue),
            Test::Malformed => summary.is_malformed,
            Test::Change(state) => summary.change.as_ref().is_some_and(|change| change.state == *state),
        }
    }
}

/// Does a connector type's id or name hold a folded text?
pub fn is_of_type(connector_type_id: &str, wanted: &str, catalogue: &Catalogue) -> bool {
    let name = catalogue.get(connector_type_id).map(|known| &known.name);
    fold(connector_type_id).contains(wanted) || name.is_some_and(|name| fold(name).contains(wanted))
}

/// Returns possible mistakes for callers that do not see the result at once: unknown keys, and terms without an effect.
pub fn warnings(text: &str) -> Vec<String> {
    words(text).iter().filter_map(warning).collect()
}

/// Returns the unknown keys of a complete filter.
pub fn unknown_keys(text: &str) -> Option<String> {
    let is_none = |warning: &String| warning.contains("is not a filter key");
    warnings(text).into_iter().find(is_none)
}

fn warning(word: &Word) -> Option<String> {
    if word.text.is_empty() || (word.text == "-" && !word.quoted) {
        return Some("a part of the filter is empty and has no effect".to_owned());
    }
    let (key, value) = word.text.split_once(':').filter(|_| !word.quoted)?;
    let is_known = TERMS.iter().any(|(known, _)| known.trim_end_matches(':') == fold(key));
    let is_word = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphabetic());
    match (is_known, value.is_empty()) {
        (true, true) => Some(format!("{key}: has no value and has no effect")),
        (false, _) if is_word => {
            let keys: Vec<&str> = TERMS.iter().map(|(known, _)| *known).collect();
            let advice = match closest(&format!("{key}:"), keys.iter().copied()) {
                Some(known) => format!("did you mean {known}?"),
                None => format!("the keys are {}.", keys.join(" ")),
            };
            Some(format!("{key}: is not a filter key; {advice} Quote it to search for the text: \"{key}:…\""))
        }
        _ => None,
    }
}

struct Word {
    text: String,
    negated: bool,
    quoted: bool,
}

/// Folds a text for comparison: lower case and compatibility decomposition, so that a text is found however it was
/// typed. Characters are folded one by one, so that the folding of a part is a part of the folding (`str::to_lowercase`
/// depends on the neighbours of a Greek sigma).
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut folded = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        decompose_compatible(character, |part| folded.extend(part.to_lowercase().flat_map(decomposed)));
    }
    folded
}

/// Lower case can be put together again: İ becomes i and a dot.
fn decomposed(character: char) -> impl Iterator<Item = char> {
    let mut parts = Vec::with_capacity(1);
    decompose_compatible(character, |part| parts.push(part));
    parts.into_iter()
}

/// Splits at blanks; quotes keep blanks and make colons and dashes literal.
fn words(text: &str) -> Vec<Word> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let negated = rest.starts_with('-') && rest.len() > 1 && !rest[1..].starts_with(char::is_whitespace);
        let body = if negated { &rest[1..] } else { rest };
        let (text, quoted, after) = word(body);
        found.push(Word { text, negated, quoted });
        rest = after.trim_start();
    }
    found
}

fn word(body: &str) -> (String, bool, &str) {
    if let Some(inner) = body.strip_prefix('"') {
        let (text, after) = inner.split_once('"').unwrap_or((inner, ""));
        return (text.to_owned(), true, after);
    }
    let end = body.find(char::is_whitespace).unwrap_or(body.len());
    let head = &body[..end];
    // key:"a phrase"
    if let Some((key, _)) = head.split_once(":\"") {
        let inner = &body[key.len() + 2..];
        let (text, after) = inner.split_once('"').unwrap_or((inner, ""));
        return (format!("{key}:{text}"), false, after);
    }
    (head.to_owned(), false, &body[end..])
}

fn term(word: &Word) -> Result<Option<Term>, String> {
    if word.text.is_empty() {
        return Ok(None);
    }
    let lower = fold(&word.text);
    let test = match lower.split_once(':') {
        Some((key, value)) if !word.quoted && TERMS.iter().any(|(known, _)| known.trim_end_matches(':') == key) => {
            // A key without a value is a term still being typed.
            if value.is_empty() {
                return Ok(None);
            }
            keyed(key, value)?
        }
        _ => Test::Text(lower),
    };
    Ok(Some(Term { negated: word.negated, test }))
}

fn keyed(key: &str, value: &str) -> Result<Test, String> {
    let unknown = |choices: &str| Err(format!("{key}:{value} is not known; {key}: takes {choices}"));
    Ok(match (key, value) {
        ("type", _) => Test::Type(value.to_owned()),
        ("auth", "none") => Test::AuthMode(None),
        ("auth", _) => match AuthMode::parse(value) {
            Some(mode) => Test::AuthMode(Some(mode)),
            None => return unknown("shared, per-user or none"),
        },
        ("authtype", "none") => Test::AuthType(None),
        ("authtype", _) => Test::AuthType(Some(value.to_owned())),
        ("needs", "migration") => Test::NeedsMigration,
        ("needs", _) => return unknown("migration"),
        ("missing", "secrets") => Test::MissingSecrets,
        ("missing", _) => return unknown("secrets"),
        ("unreadable", "secrets") => Test::UnreadableSecrets,
        ("unreadable", _) => return unknown("secrets"),
        ("change", _) => match ChangeState::parse(value) {
            Some(state) => Test::Change(state),
            None => return unknown("applied, undone, modified-since or deleted-since"),
        },
        (_, "deprecated") => Test::Deprecated,
        (_, "unknown") => Test::UnknownType,
        (_, "malformed") => Test::Malformed,
        (_, "pending") => Test::NeedsMigration,
        (_, "unreadable") => Test::UnreadableSecrets,
        (_, value) => match Group::parse(&value.replace('-', "_")) {
            Some(group) => Test::InGroup(group),
            None => {
                return unknown("pending, backfill, stamp-only, blocked, deprecated, unknown, malformed or unreadable");
            }
        },
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn match_ignores_case_and_composition() {
        let found = |name: &str, typed: &str| fold(name).contains(&fold(typed));
        for (name, typed) in [
            ("Uptime: \u{e9}quipe", "e\u{301}quipe"),
            ("Uptime: e\u{301}quipe", "\u{c9}QUIPE"),
            ("\u{ff21}\u{ff2c}\u{ff25}RTS", "alerts"),
            ("pro\u{fb01}le", "PROFILE"),
            ("\u{130}stanbul", "i\u{307}stanbul"),
            ("\u{d55c}\u{ad6d}", "\u{1112}\u{1161}\u{11ab}"),
            ("\u{3a3}\u{3af}\u{3c3}\u{3c5}\u{3c6}\u{3bf}\u{3c3}", "\u{3c3}\u{3af}\u{3c3}"),
        ] {
            assert!(found(name, typed), "{typed} in {name}");
        }
        assert!(!found("alarms", "\u{e4}l"));
    }

    use super::*;
    use proptest::prelude::*;

    fn summary(name: &str) -> Summary {
        Summary {
            id: "ops-1".into(),
            connector_type_id: ".webhook".into(),
            name: name.into(),
            auth_type: Some("webhook-authentication-basic".into()),
            auth_mode: None,
            is_missing_secrets: true,
            has_unreadable_secrets: false,
            reported_type: None,
            is_deprecated: false,
            is_malformed: false,
            group: Some(Group::Backfill),
            model_version: 1,
            updated_at: None,
            revision: 1,
            decision: None,
            drift: None,
            change: None,
        }
    }

    #[test]
    fn filter_terms_match_their_field() {
        let connector = summary("Ops: ÜBERWACHUNG on call");
        for filter in [
            "",
            "überwachung",
            "ops-1 web",
            "\"on call\"",
            "Ops:",
            "ops: über",
            "-staging",
            "type:Webhook",
            "type:webhook auth:none authtype:basic",
            "needs:migration missing:secrets is:backfill",
            "-is:blocked -auth:shared",
            "is:",
            "-",
        ] {
            let parsed = Filter::parse(filter);
            let matched = parsed.as_ref().map(|filter| filter.matches(&connector, Catalogue::built_in()));
            assert_eq!(
                matched,
                Ok(filter != "-" || connector.name.contains('-') || connector.id.contains('-')),
                "{filter}"
            );
        }
        for filter in
            ["-ops", "\"call on\"", "auth:shared", "authtype:none", "is:stamp-only", "-type:webhook", "is:malformed"]
        {
            assert_eq!(
                Filter::parse(filter).map(|filter| filter.matches(&connector, Catalogue::built_in())),
                Ok(false),
                "{filter}"
            );
        }
    }

    #[test]
    fn unknown_filter_value_is_named() {
        for filter in ["auth:personal", "needs:coffee", "is:nice", "missing:link", "change:of-heart"] {
            let reason = Filter::parse(filter).expect_err(filter);
            assert!(reason.starts_with(filter), "{reason}");
        }
    }

    #[test]
    fn possible_filter_mistake_is_noted() {
        for text in ["-authype:oauth", "type:", "-", "\"\"", "jira foo:bar", "-auth:"] {
            assert_eq!(warnings(text).len(), 1, "{text}");
        }
        for text in ["", "jira -type:webhook", "\"foo:bar\"", "http://a.example:80", "12:30", "type:\"a b\""] {
            let expected = usize::from(text.starts_with("http"));
            assert_eq!(warnings(text).len(), expected, "{text}");
        }
    }

    #[test]
    fn change_state_filter_is_refused_for_connectors() {
        let parsed = |text| Filter::parse(text).and_then(Filter::of_connectors);
        assert!(parsed("jira -change:deleted-since").is_err_and(|reason| reason.starts_with("change: ")));
        assert!(parsed("jira is:blocked").is_ok());
    }

    proptest! {
        #[test]
        fn any_text_is_a_filter_or_a_reason(text in "\\PC{0,40}", name in "\\PC{0,20}") {
            if let Ok(filter) = Filter::parse(&text) {
                filter.matches(&summary(&name), Catalogue::built_in());
            }
        }

        #[test]
        fn any_part_of_a_name_finds_it(name in "[^\"]{1,20}", start in 0usize..20, len in 1usize..20) {
            let part: String = name.chars().skip(start).take(len).collect();
            let filter = Filter::parse(&format!("\"{part}\"")).expect("a phrase is always a filter");
            prop_assert!(filter.matches(&summary(&name), Catalogue::built_in()));
        }
    }
}
