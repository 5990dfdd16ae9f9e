//! Reading a saved-object export: one JSON document a line, of any Kibana release; also saved objects in other forms
//! (`documents`, `forms`).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::documents::{Document, Documents, Length};
use super::forms::{Form, Promise, form_of};
use super::{TransferError, older, stamp};
use crate::domain::json::{self, RawObject};
use crate::domain::secret::{OpenSecrets, Secret};
use crate::domain::{AuthMode, Connector, RawText, is_plain_id};
use crate::store::{OnConflict, SeenIds};

/// What an export held besides connectors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notices {
    /// Objects of other types, left out, by type.
    pub other_types: BTreeMap<String, u64>,
    /// Objects, or connectors, that the summary lines promise, when fewer were there.
    pub promised: Option<u64>,
    /// There was no connector.
    pub has_none: bool,
    /// Connectors of releases before model versions that took the migrations of those.
    pub migrated: u64,
    /// Such connectors that could not: their ciphertext is bound to their config, or the config is none.
    pub left_old: u64,
    /// Connectors with ids that newest Kibana releases do not take.
    pub long_ids: u64,
    /// Connectors that had an API key in the clear, which was left out.
    pub api_keys: u64,
}

impl Notices {
    /// What to tell a person; empty when there is nothing.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.other_types.is_empty() {
            let types: Vec<String> =
                self.other_types.iter().map(|(name, count)| format!("{count} of type {name}")).collect();
            lines.push(format!("left out objects that are not connectors: {}", types.join(", ")));
        }
        if self.has_none {
            lines.push("there is no connector in it".to_owned());
        }
        if let Some(promised) = self.promised {
            lines.push(format!("the summary line promises {promised} objects; the export may be incomplete"));
        }
        if self.migrated > 0 {
            lines.push(format!(
                "{} of releases before 8.3 took the migrations of those releases",
                connectors(self.migrated)
            ));
        }
        if self.left_old > 0 {
            lines.push(format!(
                "{} of releases before 8.3 stay as they were: their secrets are bound to the config, or it is no object",
                connectors(self.left_old)
            ));
        }
        if self.long_ids > 0 {
            lines.push(format!("{} {LONG_IDS}", connectors(self.long_ids)));
        }
        if self.api_keys > 0 {
            lines.push(format!(
                "{} with an API key of their own (apiKey, uiamApiKey): it was left out, as in an export of Kibana",
                connectors(self.api_keys)
            ));
        }
        lines
    }
}

/// So many connectors.
pub(super) fn connectors(count: u64) -> String {
    if count == 1 { "1 connector".to_owned() } else { format!("{count} connectors") }
}

/// What is said of ids that [`is_plain_id`] refuses.
pub const LONG_IDS: &str = "with an id that the newest Kibana releases leave out on import: they take 1 to 36 \
     lower-case letters, digits and hyphens (--create-new-copies gives new ids)";

/// A connector of an export.
#[derive(Debug)]
pub struct Incoming {
    /// The record; its secrets are ciphertext or none.
    pub connector: Connector,
    /// Secrets that stood there as plain text, to be sealed.
    pub plain_secrets: Option<OpenSecrets>,
    /// It had an API key of its own, which was left out.
    pub had_api_key: bool,
    /// The line on which it begins, from 1.
    pub line: u64,
}

/// An export being read: an iterator over its connectors.
pub struct Export {
    source_name: String,
    documents: Documents,
    /// The line on which the last document begins.
    line: u64,
    /// Ids so far, unless somebody else looks for those that come twice.
    seen: Option<SeenIds>,
    objects: u64,
    connectors: u64,
    /// What the summary lines promise in all; an export of several has several.
    promised: Promised,
    notices: Notices,
}

/// What summary lines promise.
#[derive(Clone, Copy, Debug, Default)]
struct Promised {
    has_any: bool,
    objects: u64,
    connectors: u64,
}

impl Promised {
    fn add(&mut self, promise: Promise) {
        self.has_any = true;
        match promise {
            Promise::Objects(count) => self.objects += count,
            Promise::Connectors(count) => self.connectors += count.unwrap_or(0),
        }
    }
}

impl Export {
    /// Opens a file; `-` is standard input.
    ///
    /// # Errors
    /// When it cannot be opened, or is a directory.
    pub fn open(source: &Path) -> Result<Self, TransferError> {
        if source == Path::new("-") {
            return Ok(Self::read("standard input", Box::new(BufReader::new(io::stdin()))));
        }
        let name = source.display().to_string();
        let io = |cause| TransferError::Io { name: name.clone(), cause };
        let file = File::open(source).map_err(io)?;
        let metadata = file.metadata().map_err(io)?;
        if metadata.is_dir() {
            return Err(TransferError::NotAnExport { source_name: name, reason: "is a directory".to_owned() });
        }
        let mut export = Self::read(&name, Box::new(BufReader::with_capacity(1 << 20, file)));
        export.documents.length.bytes = metadata.len();
        Ok(export)
    }

    /// Reads from anything.
    pub fn read(source_name: &str, reader: Box<dyn BufRead + Send>) -> Self {
        Self {
            source_name: source_name.to_owned(),
            documents: Documents::new(reader),
            line: 1,
            seen: None,
            objects: 0,
            connectors: 0,
            promised: Promised::default(),
            notices: Notices::default(),
        }
    }

    /// Finds ids that come twice; without this, the file that takes the connectors in is to find them.
    ///
    /// # Errors
    /// When there is no room for temporary files.
    pub fn with_memory_of_ids(mut self) -> Result<Self, TransferError> {
        self.seen = Some(SeenIds::new()?);
        Ok(self)
    }

    /// Tells how long it is, while it is read.
    pub fn length(&self) -> Length {
        self.documents.length.clone()
    }

    /// A line that cannot be taken.
    pub(super) fn refuse(&self, line: u64, reason: String) -> TransferError {
        TransferError::Line { source_name: self.source_name.clone(), line, reason }
    }

    /// What there was besides connectors, after all were read.
    ///
    /// # Errors
    /// When there was nothing at all: no object and no summary line.
    pub fn into_notices(mut self, on_conflict: OnConflict) -> Result<Notices, TransferError> {
        if self.objects == 0 && !self.promised.has_any {
            let reason = "holds no saved object; an export has one JSON document a line".to_owned();
            return Err(TransferError::NotAnExport { source_name: self.source_name, reason });
        }
        if on_conflict == OnConflict::CreateNewCopies {
            self.notices.long_ids = 0;
        }
        // More than promised is no loss: exports that were joined, or one that somebody added to.
        let promised = [(self.promised.objects, self.objects), (self.promised.connectors, self.connectors)];
        self.notices.promised =
            promised.into_iter().find(|(promised, found)| promised > found).map(|(promised, _)| promised);
        self.notices.has_none = self.connectors == 0;
        Ok(self.notices)
    }

    /// The next connector; what is none is counted and passed over.
    fn next_connector(&mut self) -> Result<Option<Incoming>, String> {
        while let Some(document) = self.next_document()? {
            match form_of(document)? {
                Form::SavedObject(document) if document.get("type") == Some(r#""action""#) => {
                    self.objects += 1;
                    self.connectors += 1;
                    return self.incoming(document).map(Some);
                }
                Form::SavedObject(document) => {
                    let kind = document.get("type").unwrap_or_default();
                    self.leave_out(serde_json::from_str(kind).map_err(|_| "type is not a string".to_owned())?);
                }
                Form::Other(name) => self.leave_out(name),
                Form::Several(inner) => self.documents.put_first(inner, self.line),
                Form::Summary(promise) => self.promised.add(promise),
            }
        }
        Ok(None)
    }

    fn leave_out(&mut self, name: String) {
        self.objects += 1;
        *self.notices.other_types.entry(name).or_default() += 1;
    }

    /// The next JSON object of the text.
    fn next_document(&mut self) -> Result<Option<RawObject>, String> {
        loop {
            let document = match self.documents.next() {
                Ok(None) => return Ok(None),
                Ok(Some(document)) => document,
                Err(reason) => {
                    self.line = self.documents.line();
                    return Err(reason);
                }
            };
            self.line = document.line;
            match RawObject::parse(&document.text) {
                Ok(object) => return Ok(Some(object)),
                Err(error) if !self.documents.take_apart(&document)? => return Err(no_document(&document, &error)),
                Err(_) => {}
            }
        }
    }

    fn incoming(&mut self, document: RawObject) -> Result<Incoming, String> {
        let mut incoming = Incoming { line: self.line, ..connector_of(document)? };
        let id = &incoming.connector.id;
        if let Some(seen) = &self.seen
            && !seen.insert(id).map_err(|error| error.to_string())?
        {
            return Err(repeated(id));
        }
        self.notices.api_keys += u64::from(incoming.had_api_key);
        self.notices.long_ids += u64::from(!is_plain_id(&incoming.connector.id));
        let has_login = incoming.plain_secrets.as_ref().is_some_and(has_login);
        match older::migrate(&mut incoming.connector, has_login) {
            older::Outcome::NotOld => {}
            older::Outcome::Migrated => self.notices.migrated += 1,
            older::Outcome::LeftAlone => self.notices.left_old += 1,
        }
        Ok(incoming)
    }
}

impl Iterator for Export {
    type Item = Result<Incoming, TransferError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_connector().transpose().map(|found| found.map_err(|reason| self.refuse(self.line, reason)))
    }
}

fn no_document(document: &Document, error: &serde_json::Error) -> String {
    match document.text.starts_with('[') {
        true => format!("is a JSON array that cannot be read: {error}"),
        false => format!("is not a JSON document: {error}"),
    }
}

/// A saved object of type `action` as a record. What has no column goes to `extra`, in its order.
fn connector_of(mut document: RawObject) -> Result<Incoming, String> {
    let id = string(document.take("id").as_deref(), "id")?.ok_or("has no id")?;
    if id.is_empty() {
        return Err("has an empty id".to_owned());
    }
    document.take("type");
    let attributes = Zeroizing::new(text_of(document.take("attributes").ok_or("has no attributes")?));
    let mut attributes = RawObject::parse(&attributes).map_err(|error| format!("attributes are not right: {error}"))?;
    let connector_type_id = string(attributes.take("actionTypeId").as_deref(), "attributes.actionTypeId")?
        .ok_or("has no attributes.actionTypeId")?;
    let name = string(attributes.take("name").as_deref(), "attributes.name")?.ok_or("has no attributes.name")?;
    let config = attributes.take("config").map_or("{}".to_owned(), |config| config.get().to_owned());
    let (secrets, plain_secrets) = secrets_of(attributes.take("secrets"))?;
    if document.get("secrets").is_some() {
        return Err("has secrets beside its attributes, where no saved object has them".to_owned());
    }
    let is_missing_secrets = boolean(attributes.take("isMissingSecrets").as_deref(), "attributes.isMissingSecrets")?;
    let auth_mode = known_auth_mode(&mut attributes);
    let created_at = string(document.take("created_at").as_deref(), "created_at")?;
    let updated_at = string(document.take("updated_at").as_deref(), "updated_at")?;
    let had_api_key = leave_out_api_keys(&mut attributes);
    if !attributes.0.is_empty() {
        let rest = json::raw(attributes.to_text()).map_err(|error| error.to_string())?;
        document.set("attributes", rest);
    }
    let model_version = stamp::model_version(&document)?.unwrap_or(1);
    let extra = document.to_text();
    if json::depth(&config).max(json::depth(&extra)) > json::DEEPEST {
        return Err(format!("is nested deeper than {} levels", json::DEEPEST));
    }
    refuse_half_pairs(&config, &extra)?;
    let connector = Connector {
        model_version,
        id,
        connector_type_id,
        name,
        config,
        secrets,
        is_missing_secrets,
        auth_mode,
        extra,
        created_at,
        updated_at,
        revision: 0,
        key: 0,
        raw: RawText::default(),
    };
    Ok(Incoming { connector, plain_secrets, had_api_key, line: 0 })
}

/// Empties the attributes that Kibana encrypts from model version 3 on: no export of its own has them, and this program
/// encrypts nothing but the secrets.
fn leave_out_api_keys(attributes: &mut RawObject) -> bool {
    let mut had_any = false;
    for key in ["apiKey", "uiamApiKey"] {
        if attributes.get(key).is_some_and(|value| value != "null") {
            attributes.set(key, RawValue::NULL.to_owned());
            had_any = true;
        }
    }
    had_any
}

fn boolean(value: Option<&RawValue>, name: &str) -> Result<bool, String> {
    match value.map(RawValue::get) {
        Some("true") => Ok(true),
        None | Some("false" | "null") => Ok(false),
        Some(_) => Err(format!("{name} is not a boolean")),
    }
}

fn string(value: Option<&RawValue>, name: &str) -> Result<Option<String>, String> {
    match value.map(RawValue::get) {
        None | Some("null") => Ok(None),
        Some(text) if text.starts_with('"') && json::has_lone_surrogate(text) => {
            Err(format!("{name} holds half of a surrogate pair, which is no text"))
        }
        Some(text) => serde_json::from_str(text).map(Some).map_err(|_| format!("{name} is not a string")),
    }
}

/// In a text such a half is kept as it is; a key with one could not be written again.
fn refuse_half_pairs(config: &str, extra: &str) -> Result<(), String> {
    match [config, extra]
        .into_iter()
        .filter(|text| json::has_lone_surrogate(text))
        .find_map(|text| json::sorted(text).err())
    {
        Some(error) => Err(format!("holds half of a surrogate pair in a key: {error}")),
        None => Ok(()),
    }
}

/// Exports hold `{}` or nothing (before 8.5). Ciphertext of a raw dump is kept as it is; plain secrets
/// are given apart, so that they are sealed and never written in the clear.
fn secrets_of(value: Option<Box<RawValue>>) -> Result<(Option<String>, Option<OpenSecrets>), String> {
    let Some(value) = value else { return Ok((None, None)) };
    let text = Zeroizing::new(text_of(value));
    match text.as_bytes().first() {
        Some(b'n') => Ok((None, None)),
        Some(b'{') if json::has_repeated_key(&text) => Err("attributes.secrets names a key twice".to_owned()),
        Some(b'{') => {
            let secrets = OpenSecrets::read(Secret::json(text)).map_err(|_| "attributes.secrets cannot be read")?;
            Ok((None, Some(secrets).filter(|secrets| !secrets.is_empty())))
        }
        Some(b'"') => {
            let ciphertext: String = serde_json::from_str(&text).map_err(|_| "attributes.secrets cannot be read")?;
            if !ciphertext.is_empty() && !is_ciphertext(&ciphertext) {
                // It may be a secret in the clear, so nothing of it is told or kept.
                return Err("attributes.secrets is a text that is no ciphertext; give plain secrets as an object {…}"
                    .to_owned());
            }
            Ok((Some(ciphertext).filter(|text| !text.is_empty()), None))
        }
        _ => Err("attributes.secrets is not an object".to_owned()),
    }
}

fn has_login(secrets: &OpenSecrets) -> bool {
    let state = secrets.state();
    state.has("user") || state.has("password")
}

/// The reason for refusing an id that came before.
pub(super) fn repeated(id: &str) -> String {
    format!("the id {id:?} stands on an earlier line too")
}

/// Kibana's ciphertext is base64 of a salt (64 bytes), an initialization vector (12), a tag (16) and the rest;
/// ours says so itself.
fn is_ciphertext(text: &str) -> bool {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    const LEAST: usize = 64 + 12 + 16;
    crate::vault::key_id_of(text).is_some() || STANDARD.decode(text).is_ok_and(|bytes| bytes.len() > LEAST)
}

/// The text of a raw value, without a second copy of it.
fn text_of(value: Box<RawValue>) -> String {
    String::from(Box::<str>::from(value))
}

/// One of the two values gets the column; anything else stays in `extra`, where the plan explains it.
fn known_auth_mode(attributes: &mut RawObject) -> Option<AuthMode> {
    let text: String = serde_json::from_str(attributes.get("authMode")?).ok()?;
    let mode = AuthMode::parse(&text)?;
    attributes.take("authMode");
    Some(mode)
}

/// A copy under a new id is nobody's descendant (Kibana's `createNewCopies`).
pub(super) fn without_origin(extra: &str) -> String {
    let Ok(mut object) = RawObject::parse(extra) else {
        return extra.to_owned();
    };
    if object.take("originId").is_some() { object.to_text() } else { extra.to_owned() }
}
