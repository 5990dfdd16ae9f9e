//! Reading a saved-object export: one JSON document per line, of any Kibana release; also saved objects in other forms
//! (`documents`, `forms`).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::documents::{Document, Documents, Length};
use super::forms::{Form, Promise, form_of};
use super::{ReadError, legacy_migrations, model_version};
use crate::domain::json::{self, RawObject};
use crate::domain::secrets::{OpenSecrets, Secret};
use crate::domain::{AuthMode, Connector, RawText, is_plain_id};
use crate::fs::FileError;

/// The rest of an export besides its connectors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportWarnings {
    /// Objects of other types, left out, by type.
    pub other_types: BTreeMap<String, u64>,
    /// The number of objects, or connectors, in the summary lines, if fewer were found.
    pub promised: Option<u64>,
    /// The export contains no connector.
    pub has_none: bool,
    /// The number of connectors from before model versions that were migrated.
    pub migrated: u64,
    /// The number of such connectors that could not be migrated: their ciphertext is bound to their config, or the
    /// config is unreadable.
    pub left_pending: u64,
    /// The number of connectors with ids that the newest Kibana releases refuse.
    pub long_ids: u64,
    /// Connectors that had an API key in the clear, which was left out.
    pub api_keys: u64,
}

/// A connector of an export.
#[derive(Debug)]
pub struct ImportedConnector {
    /// The record; its secrets are ciphertext or none.
    pub connector: Connector,
    /// Secrets in plain text, to be encrypted.
    pub plain_secrets: Option<OpenSecrets>,
    /// The API key of the connector was dropped.
    pub had_api_key: bool,
    /// The line on which it begins, from 1.
    pub line: u64,
}

/// An export being read: an iterator over its connectors.
pub struct ExportReader {
    source_name: String,
    documents: Documents,
    /// The line on which the last document begins.
    line: u64,
    objects: u64,
    connectors: u64,
    /// The sums of all summary lines; a concatenated export has several.
    promised: Promised,
    notices: ImportWarnings,
}

/// The numbers of the summary lines.
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

impl ExportReader {
    /// Opens a file; `-` is standard input.
    ///
    /// # Errors
    /// If it cannot be opened, or is a directory.
    pub fn open(source: &Path) -> Result<Self, ReadError> {
        if source == Path::new("-") {
            return Ok(Self::new("standard input", Box::new(BufReader::new(io::stdin()))));
        }
        let name = source.display().to_string();
        let io = |cause| FileError { name: name.clone(), cause };
        let file = File::open(source).map_err(io)?;
        let metadata = file.metadata().map_err(io)?;
        if metadata.is_dir() {
            return Err(ReadError::NotAnExport { source_name: name, reason: "is a directory".to_owned() });
        }
        let mut export = Self::new(&name, Box::new(BufReader::with_capacity(1 << 20, file)));
        export.documents.length.bytes = metadata.len();
        Ok(export)
    }

    /// Reads from anything.
    pub fn new(source_name: &str, reader: Box<dyn BufRead + Send>) -> Self {
        Self {
            source_name: source_name.to_owned(),
            documents: Documents::new(reader),
            line: 1,
            objects: 0,
            connectors: 0,
            promised: Promised::default(),
            notices: ImportWarnings::default(),
        }
    }

    /// Returns a handle to its length, which is updated while it is read.
    pub fn length(&self) -> Length {
        self.documents.length.clone()
    }

    /// Refuses a connector whose id an earlier line has too.
    pub fn refuse_repeated(&self, line: u64, id: &str) -> ReadError {
        self.refuse(line, format!("the id {id:?} is on an earlier line too"))
    }

    fn refuse(&self, line: u64, reason: String) -> ReadError {
        ReadError::Line { source_name: self.source_name.clone(), line, reason }
    }

    /// Returns the notes after the last connector.
    ///
    /// # Errors
    /// If the input was empty: no object and no summary line.
    pub fn into_warnings(mut self) -> Result<ImportWarnings, ReadError> {
        if self.objects == 0 && !self.promised.has_any {
            let reason = "holds no saved object; an export has one JSON document per line".to_owned();
            return Err(ReadError::NotAnExport { source_name: self.source_name, reason });
        }
        // More objects than in the summary are fine: concatenated exports, or a file with an added line.
        let promised = [(self.promised.objects, self.objects), (self.promised.connectors, self.connectors)];
        self.notices.promised =
            promised.into_iter().find(|(promised, found)| promised > found).map(|(promised, _)| promised);
        self.notices.has_none = self.connectors == 0;
        Ok(self.notices)
    }

    /// Returns the next connector; other objects are counted and skipped.
    fn next_connector(&mut self) -> Result<Option<ImportedConnector>, String> {
        while let Some(document) = self.next_document()? {
            match form_of(document)? {
                Form::SavedObject(document) if document.get("type") == Some(r#""action""#) => {
                    self.objects += 1;
                    self.connectors += 1;
                    return self.incoming(document).map(Some);
                }
                Form::SavedObject(document) => {
                    let kind = document.get("type").unwrap_or_default();
                    self.drop_key(serde_json::from_str(kind).map_err(|_| "type is not a string".to_owned())?);
                }
                Form::Other(name) => self.drop_key(name),
                Form::Several(inner) => self.documents.put_first(inner, self.line),
                Form::Summary(promise) => self.promised.add(promise),
            }
        }
        Ok(None)
    }

    fn drop_key(&mut self, name: String) {
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
                Err(error) if !self.documents.split_line(&document)? => return Err(no_document(&document, &error)),
                Err(_) => {}
            }
        }
    }

    fn incoming(&mut self, document: RawObject) -> Result<ImportedConnector, String> {
        let mut incoming = ImportedConnector { line: self.line, ..connector_of(document)? };
        self.notices.api_keys += u64::from(incoming.had_api_key);
        self.notices.long_ids += u64::from(!is_plain_id(&incoming.connector.id));
        let has_login = incoming.plain_secrets.as_ref().is_some_and(has_login);
        match legacy_migrations::migrate(&mut incoming.connector, has_login) {
            legacy_migrations::Outcome::NotOld => {}
            legacy_migrations::Outcome::Migrated => self.notices.migrated += 1,
            legacy_migrations::Outcome::Skipped => self.notices.left_pending += 1,
        }
        Ok(incoming)
    }
}

impl Iterator for ExportReader {
    type Item = Result<ImportedConnector, ReadError>;

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

/// Parses a saved object of type `action`. Attributes without a column go to `extra`, in their order.
fn connector_of(mut document: RawObject) -> Result<ImportedConnector, String> {
    let id = string(document.take("id").as_deref(), "id")?.ok_or("has no id")?;
    if id.is_empty() {
        return Err("has an empty id".to_owned());
    }
    document.take("type");
    let attributes = Zeroizing::new(text_of(document.take("attributes").ok_or("has no attributes")?));
    let mut attributes = RawObject::parse(&attributes).map_err(|error| format!("attributes are malformed: {error}"))?;
    let connector_type_id = string(attributes.take("actionTypeId").as_deref(), "attributes.actionTypeId")?
        .ok_or("has no attributes.actionTypeId")?;
    let name = string(attributes.take("name").as_deref(), "attributes.name")?.ok_or("has no attributes.name")?;
    let config = attributes.take("config").map_or("{}".to_owned(), |config| config.get().to_owned());
    let (secrets, plain_secrets) = secrets_of(attributes.take("secrets"))?;
    if document.get("secrets").is_some() {
        return Err("has secrets outside its attributes, where no saved object has them".to_owned());
    }
    let is_missing_secrets = boolean(attributes.take("isMissingSecrets").as_deref(), "attributes.isMissingSecrets")?;
    let auth_mode = known_auth_mode(&mut attributes);
    let created_at = string(document.take("created_at").as_deref(), "created_at")?;
    let updated_at = string(document.take("updated_at").as_deref(), "updated_at")?;
    let had_api_key = drop_api_keys(&mut attributes);
    if !attributes.0.is_empty() {
        let rest = json::raw(attributes.to_text()).map_err(|error| error.to_string())?;
        document.set("attributes", rest);
    }
    let model_version = model_version::model_version(&document)?.unwrap_or(1);
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
    Ok(ImportedConnector { connector, plain_secrets, had_api_key, line: 0 })
}

/// Drops the attributes that Kibana encrypts from model version 3 on: its exports never contain them, and this program
/// encrypts only the secrets.
fn drop_api_keys(attributes: &mut RawObject) -> bool {
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
            Err(format!("{name} holds half of a surrogate pair, which is not text"))
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

/// Exports hold `{}` or nothing (before 8.5). The ciphertext of a raw dump is kept; plain secrets are returned
/// separately, so that they are encrypted and never stored as they are.
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
                // It may be a plain secret, so it is neither printed nor kept.
                return Err(
                    "attributes.secrets is a string but not ciphertext; give plain secrets as an object {…}".to_owned()
                );
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

/// Kibana's ciphertext is base64 of a salt (64 bytes), an initialization vector (12), a tag (16) and the rest; ours has
/// a prefix.
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

/// Drops the origin: a duplicate under a new id has none (Kibana's `createNewCopies`).
pub fn without_origin(extra: &str) -> String {
    let Ok(mut object) = RawObject::parse(extra) else {
        return extra.to_owned();
    };
    if object.take("originId").is_some() { object.to_text() } else { extra.to_owned() }
}
