//! Bulk edit: one edit of many connectors, with a preview.

use std::collections::HashMap;

use crate::domain::bulk::{BulkEdit, Edited};
use crate::domain::{Catalogue, Connector, Filter, SecretEdits, SecretsState};
use crate::service::ServiceError;
use crate::store::{Scope, Sort, Store, Written};
use crate::vault::Vault;

/// The preview of a bulk edit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BulkPreview {
    /// So many would change.
    pub changed: u64,
    /// So many would stay as they are.
    pub unchanged: u64,
    /// So many cannot be changed, by reason.
    pub refused: Vec<(String, u64)>,
    /// Warnings about changes that are possible but doubtful, with the number of connectors.
    pub warnings: Vec<(String, u64)>,
    /// The first changed connectors, before and after; the second is `None` for a delete.
    pub first: Vec<(Connector, Option<Connector>)>,
}

/// Changes that are shown before an edit is made.
const PREVIEW_ROWS: usize = 5;

/// Returns the ids of a bulk edit: the given ones, else those of the filter.
///
/// # Errors
/// If the file cannot be read.
pub fn targets(store: &Store, ids: Vec<String>, filter: &Filter) -> Result<Vec<String>, ServiceError> {
    if !ids.is_empty() {
        return Ok(ids);
    }
    let order = store.order(Scope::Connectors, filter, Sort::default())?;
    Ok(store.ids(&order.window(0, usize::MAX))?)
}

/// Returns the effect of the edit; nothing is written.
///
/// # Errors
/// If the file cannot be read.
pub fn preview(store: &Store, vault: &Vault, ids: &[String], edit: &BulkEdit) -> Result<BulkPreview, ServiceError> {
    let mut preview = BulkPreview::default();
    let mut refused: HashMap<String, u64> = HashMap::new();
    let mut warnings: HashMap<String, u64> = HashMap::new();
    for id in ids {
        let Some(current) = store.get(id)? else { continue };
        let after = match possible(vault, &current, edit, store.catalogue()) {
            Edited::Unchanged => {
                preview.unchanged += 1;
                continue;
            }
            Edited::Refused(reason) => {
                *refused.entry(reason).or_default() += 1;
                continue;
            }
            Edited::Changed(after) => Some(*after),
            Edited::Deleted => None,
        };
        preview.changed += 1;
        if let Some(warning) = edit.warning(&current, store.catalogue()) {
            *warnings.entry(warning).or_default() += 1;
        }
        if preview.first.len() < PREVIEW_ROWS {
            preview.first.push((current, after));
        }
    }
    (preview.refused, preview.warnings) = (frequent_first(refused), frequent_first(warnings));
    Ok(preview)
}

fn frequent_first(reasons: HashMap<String, u64>) -> Vec<(String, u64)> {
    let mut reasons: Vec<(String, u64)> = reasons.into_iter().collect();
    reasons.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    reasons
}

/// Applies the edit, as one step of the history.
///
/// # Errors
/// If secrets cannot be encrypted or the file cannot be written; nothing is changed then.
pub fn apply(
    store: &mut Store,
    vault: &Vault,
    ids: &[String],
    edit: &BulkEdit,
    now: &str,
) -> Result<Written, ServiceError> {
    let catalogue = store.catalogue();
    let is_delete = *edit == BulkEdit::Delete;
    store.edit_each::<ServiceError>(ids, is_delete, now, |current| {
        let mut edited = possible(vault, current, edit, catalogue);
        if let Edited::Changed(draft) = &mut edited {
            vault.prepare_secrets(Some(current), draft, &SecretEdits::default(), catalogue)?;
            draft.updated_at = Some(now.to_owned());
        }
        Ok(edited)
    })
}

/// Secrets that cannot be opened now never could again with another config.
fn possible(vault: &Vault, current: &Connector, edit: &BulkEdit, catalogue: &Catalogue) -> Edited {
    match edit.apply(current, catalogue) {
        Edited::Changed(after) if after.config != current.config => match vault.state(current) {
            SecretsState::Unreadable(_) => Edited::Refused(
                "its secrets cannot be decrypted now, and with another config they never could".to_owned(),
            ),
            _ => Edited::Changed(after),
        },
        edited => edited,
    }
}
