//! Notes about imports and exports.

use crate::kibana::saved_objects::ImportWarnings;
use crate::service::export::ExportReport;
use crate::text::{grouped, plural};

/// The note about ids that the newest Kibana releases refuse.
pub const LONG_IDS: &str = "with an id that the newest Kibana releases skip on import: they accept 1 to 36 lower-case \
                        letters, digits and hyphens (--create-new-copies gives new ids)";

/// Returns the notes about an import.
pub fn import_notes(warnings: &ImportWarnings) -> Vec<String> {
    let mut lines = Vec::new();
    if !warnings.other_types.is_empty() {
        let types: Vec<String> =
            warnings.other_types.iter().map(|(name, count)| format!("{} of type {name}", grouped(*count))).collect();
        lines.push(format!("skipped objects that are not connectors: {}", types.join(", ")));
    }
    if warnings.has_none {
        lines.push("it holds no connectors".to_owned());
    }
    if let Some(promised) = warnings.promised {
        lines.push(format!("the summary line promises {} objects; the export may be incomplete", grouped(promised)));
    }
    let counted = [
        (warnings.migrated, "from before 8.3, migrated on import"),
        (
            warnings.left_pending,
            "from before 8.3, not migrated: the secrets are bound to the config, or it is not an object",
        ),
        (warnings.long_ids, LONG_IDS),
        (warnings.api_keys, "with an API key (apiKey, uiamApiKey), which was removed, as in an export of Kibana"),
    ];
    lines.extend(connector_lines(&counted));
    lines
}

/// Returns the notes about an export: excluded connectors, and what to do after its import in Kibana.
pub fn export_notes(report: &ExportReport) -> Vec<String> {
    let mut lines: Vec<String> =
        report.excluded.iter().map(|(id, reason)| format!("excluded {id}: {reason}")).collect();
    lines.extend(connector_lines(&[
        (report.long_ids, LONG_IDS),
        (report.missing_secrets, "exported without secrets (exports never contain them): enter them after the import"),
    ]));
    lines
}

fn connector_lines(counted: &[(u64, &str)]) -> Vec<String> {
    let counted = counted.iter().filter(|(count, _)| *count > 0);
    counted.map(|(count, text)| format!("{} {text}", plural(*count, "connector"))).collect()
}
