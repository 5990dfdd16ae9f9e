//! The visible fields, depending on the values of the others.

use serde_json::Value;

use super::Form;
use super::field::{Field, FieldId};
use crate::domain::catalogue;

impl Form {
    /// Returns the value of a config field or of the auth type; null for an absent one.
    pub(super) fn value_of(&self, key: &str) -> Value {
        let is_it = |field: &&Field| match &field.id {
            FieldId::AuthType => key == "authType",
            FieldId::Config(name) => name == key,
            _ => false,
        };
        self.fields.iter().find(is_it).and_then(|field| field.value().ok().flatten()).unwrap_or(Value::Null)
    }

    pub(super) fn applies(&self, kind: &catalogue::Field) -> bool {
        kind.applies(|key| self.value_of(key))
    }

    pub(super) fn controls_changed(&self, kind: &catalogue::Field) -> bool {
        let is_changed = |key: &str| {
            let mut named = self.fields.iter().filter(|field| match &field.id {
                FieldId::AuthType => key == "authType",
                FieldId::Config(name) => name == key,
                _ => false,
            });
            named.any(Field::is_changed)
        };
        kind.controls().any(is_changed)
    }

    /// Returns whether a field is visible: a stored value of a hidden field is shown until a value that it depends on
    /// is changed.
    pub(super) fn is_shown(&self, field: &Field) -> bool {
        match &field.kind {
            None => true,
            Some(kind) if kind.hidden => matches!(field.id, FieldId::Config(_)) && field.is_stored,
            Some(kind) if self.applies(kind) => true,
            Some(kind) => matches!(field.id, FieldId::Config(_)) && field.is_stored && !self.controls_changed(kind),
        }
    }

    /// Returns whether the field belongs to a choice that the user changed, and so is dropped with it.
    pub(super) fn is_obsolete(&self, field: &Field) -> bool {
        field.kind.as_ref().is_some_and(|kind| !self.applies(kind) && self.controls_changed(kind))
    }

    pub(super) fn shown(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| self.is_shown(field))
    }

    pub(super) fn shown_places(&self) -> Vec<usize> {
        (0..self.fields.len()).filter(|at| self.is_shown(&self.fields[*at])).collect()
    }

    /// Copies a typed secret to the field of the same name of another choice.
    pub(super) fn share_secrets(&mut self) {
        for at in self.shown_places() {
            let FieldId::Secret(name, _) = self.fields[at].id.clone() else { continue };
            if self.fields[at].is_changed() {
                continue;
            }
            let is_typed =
                |field: &Field| matches!(&field.id, FieldId::Secret(other, _) if *other == name) && field.is_changed();
            if let Some(typed) = self.fields.iter().position(is_typed)
                && !self.is_shown(&self.fields[typed])
            {
                let mine = self.fields[at].widget.clone();
                self.fields[at].widget = std::mem::replace(&mut self.fields[typed].widget, mine);
            }
        }
    }
}
