//! Exports of connectors.

use std::io::Write;

use super::ServiceError;
use crate::domain::{Connector, is_plain_id};
use crate::fs::FileError;
use crate::kibana::saved_objects::{to_line, write_summary};
use crate::parallel::with_mapper;
use crate::store::{Progress, Store, StoreError};

/// The result of an export.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportReport {
    /// Connectors written.
    pub exported: u64,
    /// Connectors left out, with the reason: their JSON is broken, so no line can hold them.
    pub excluded: Vec<(String, String)>,
    /// The number of connectors with ids that the newest Kibana releases refuse.
    pub long_ids: u64,
    /// The number of connectors whose secrets were removed.
    pub missing_secrets: u64,
}

/// Writes the connectors for which `wanted` holds, by id.
///
/// # Errors
/// If the file cannot be read or `out` cannot be written, or `progress` stops the export.
pub fn export(
    store: &Store,
    out: &mut dyn Write,
    name: &str,
    wanted: impl Fn(&Connector) -> bool,
    progress: Progress<'_>,
) -> Result<ExportReport, ServiceError> {
    let catalogue = store.catalogue();
    let mut report = ExportReport::default();
    let (mut read, total) = (0, store.count_rows()? as u64);
    let io = |cause| FileError { name: name.to_owned(), cause };
    // The lines are made while the next connectors are read.
    let line = |connector: Connector| {
        let line = to_line(&connector, catalogue);
        (connector.id, line)
    };
    let mut write = |(id, line): (String, Result<(String, bool), String>)| -> Result<(), ServiceError> {
        match line {
            Ok((line, is_missing)) => {
                report.exported += 1;
                report.long_ids += u64::from(!is_plain_id(&id));
                report.missing_secrets += u64::from(is_missing);
                out.write_all(line.as_bytes()).and_then(|()| out.write_all(b"\n")).map_err(|cause| io(cause).into())
            }
            Err(reason) => {
                report.excluded.push((id, reason));
                Ok(())
            }
        }
    };
    with_mapper(line, |lines| {
        store.each::<ServiceError>(|connector| {
            read += 1;
            if read % 500 == 0 && !progress(read, total) {
                return Err(StoreError::Cancelled.into());
            }
            if wanted(&connector) { lines.push(connector, &mut write) } else { Ok(()) }
        })?;
        lines.finish(&mut write)
    })?;
    write_summary(out, report.exported, &report.excluded).map_err(io)?;
    Ok(report)
}
