//! Classifies a JSON document: a saved object, a summary line, or a container of saved objects, such as an answer of
//! Kibana's API or a document of its index.

use serde_json::value::RawValue;

use crate::domain::json::{self, RawObject};

/// The kind of a document.
pub(super) enum Form {
    /// A saved object.
    SavedObject(RawObject),
    /// The last line of an export: how many objects, or connectors, it promises.
    Summary(Promise),
    /// A container of these documents.
    Several(Vec<String>),
    /// Something else that is known, and left out; by a name in the plural or a type.
    Other(String),
}

/// The numbers of a summary line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Promise {
    /// Objects of any type.
    Objects(u64),
    /// Connectors: the export of detection rules counts them apart. `None` where it did not yet.
    Connectors(Option<u64>),
}

/// Classifies a document.
///
/// # Errors
/// Names a format that contains no saved objects.
pub(super) fn form_of(mut document: RawObject) -> Result<Form, String> {
    if let Some(inner) = list_in(&document) {
        return Ok(Form::Several(inner));
    }
    if document.get("attributes").is_none() {
        if let Some(source) = document.take("_source") {
            return of_index(text(&document, "_id"), &source);
        }
        if text(&document, "type").as_deref() == Some("doc")
            && let Some(value) = document.take("value")
        {
            return of_archive(&value);
        }
        if document.get("connector_type_id").is_some() && document.get("id").is_some() {
            return of_api(document);
        }
        if document.get("rule_id").is_some() {
            return Ok(Form::Other("security rule".to_owned()));
        }
        if document.get("list_id").is_some() {
            return Ok(Form::Other("exception list".to_owned()));
        }
    }
    if document.get("type").is_some() {
        return Ok(Form::SavedObject(document));
    }
    let number = |key: &str| document.get(key).and_then(|count| count.parse().ok());
    if let Some(count) = number("exportedCount") {
        return Ok(Form::Summary(Promise::Objects(count)));
    }
    if document.get("exported_count").is_some() {
        return Ok(Form::Summary(Promise::Connectors(number("exported_action_connector_count"))));
    }
    Err(refusal(&document))
}

/// The documents of an answer that lists them: of `_find`, of a search of the index, of an import's or export's wrapper.
fn list_in(document: &RawObject) -> Option<Vec<String>> {
    let list = |text: &str| -> Option<Vec<String>> {
        let elements = serde_json::from_str::<Vec<&RawValue>>(text).ok()?;
        Some(elements.into_iter().map(|element| element.get().to_owned()).collect())
    };
    if document.get("type").is_some() {
        return None;
    }
    match document.get("saved_objects") {
        Some(found) => list(found),
        None => list(RawObject::parse(document.get("hits")?).ok()?.get("hits")?),
    }
}

/// Parses a document of the index: the object is stored under the name of its type.
fn of_index(id: Option<String>, source: &RawValue) -> Result<Form, String> {
    let mut source = RawObject::parse(source.get()).map_err(|_| "has a _source that is not an object".to_owned())?;
    let kind = text(&source, "type").ok_or("is a document of an index that names no type")?;
    if kind != "action" {
        return Ok(Form::Other(kind));
    }
    let id = id.ok_or("is a document of an index without an id")?;
    // `action:ID`, or `SPACE:action:ID` in old releases.
    let id = id.split_once("action:").map_or(id.as_str(), |(_, id)| id);
    let attributes = source.take("action").ok_or("is a document of an index without its object")?;
    let mut object = RawObject::default();
    object.set("attributes", attributes);
    object.set("id", json::raw_string(id));
    object.set("type", json::raw_string("action"));
    // The space is no part of an export.
    for key in ["type", "namespaces", "namespace"] {
        source.take(key);
    }
    for (key, value) in source.0 {
        object.set(&key, value);
    }
    Ok(Form::SavedObject(object))
}

/// A document of an archive of Kibana's own tests.
fn of_archive(value: &RawValue) -> Result<Form, String> {
    let mut value = RawObject::parse(value.get()).map_err(|_| "has a value that is not an object".to_owned())?;
    let id = text(&value, "id");
    let source = value.take("source").ok_or("is a document of an archive without its source")?;
    of_index(id, &source)
}

/// Parses a connector of Kibana's API.
fn of_api(mut document: RawObject) -> Result<Form, String> {
    let is = |key: &str| document.get(key) == Some("true");
    if is("is_preconfigured") || is("is_system_action") {
        return Ok(Form::Other("preconfigured connector".to_owned()));
    }
    let has_mode = document.get("auth_mode").is_some();
    let mut attributes = RawObject::default();
    for (from, to) in [
        ("connector_type_id", "actionTypeId"),
        ("auth_mode", "authMode"),
        ("config", "config"),
        ("is_missing_secrets", "isMissingSecrets"),
        ("name", "name"),
        ("secrets", "secrets"),
    ] {
        if let Some(value) = document.take(from) {
            attributes.set(to, value);
        }
    }
    let mut object = RawObject::default();
    object.set("attributes", json::raw(attributes.to_text()).map_err(|error| error.to_string())?);
    object.set("id", document.take("id").ok_or("has no id")?);
    object.set("type", json::raw_string("action"));
    // Objects of today's API have been migrated already.
    object.set("typeMigrationVersion", json::raw_string(if has_mode { "10.2.0" } else { "10.1.0" }));
    Ok(Form::SavedObject(object))
}

fn text(document: &RawObject, key: &str) -> Option<String> {
    serde_json::from_str(document.get(key)?).ok()
}

fn refusal(document: &RawObject) -> String {
    /// The length to which a text is cut.
    const LONGEST: usize = 200;
    match (document.get("statusCode"), text(document, "error")) {
        (Some(status), error) => {
            let message = text(document, "message").or(error).unwrap_or_default();
            let message: String = message.chars().take(LONGEST).collect();
            format!("is an error response of Kibana ({status}: {message}), not an export; repeat the export")
        }
        _ => "has no type; a saved object names one".to_owned(),
    }
}
