//! Filters of the commands. An unknown key is refused by every command: nothing would match, and a script would not
//! notice.

use anyhow::bail;

use super::render::output::Output;
use crate::domain::{Filter, filter};

/// Parses a filter of a reading command; terms without an effect are reported as notes.
pub(super) fn parse_filter(text: Option<&str>, output: &Output) -> anyhow::Result<Filter> {
    parse_change_filter(text, output)?.of_connectors().map_err(anyhow::Error::msg)
}

/// Parses a filter of a history entry, which may also contain states of changes.
pub(super) fn parse_change_filter(text: Option<&str>, output: &Output) -> anyhow::Result<Filter> {
    let text = text.unwrap_or_default();
    if let Some(unknown) = filter::unknown_keys(text) {
        bail!("{unknown}");
    }
    for warning in filter::warnings(text) {
        output.notice(&warning);
    }
    Filter::parse(text).map_err(anyhow::Error::msg)
}

/// Parses a filter of a command that reports problems or differences: a mistake in it would look like a good result.
pub(super) fn parse_checked_filter(text: Option<&str>) -> anyhow::Result<Filter> {
    let text = text.unwrap_or_default();
    if let Some(warning) = filter::warnings(text).first() {
        bail!("{warning}");
    }
    Filter::parse(text).and_then(Filter::of_connectors).map_err(anyhow::Error::msg)
}

/// Parses a filter of a writing command; a mistake in it could change every connector.
pub(super) fn parse_filter_to_write(text: &str) -> anyhow::Result<Filter> {
    refuse_doubtful(text)?;
    Filter::parse(text).and_then(Filter::of_connectors).map_err(anyhow::Error::msg)
}

/// Refuses a filter of a writing command that is empty or has a possible mistake.
pub(super) fn refuse_doubtful(text: &str) -> anyhow::Result<()> {
    if text.trim().is_empty() {
        bail!("the filter is empty and would match every connector; nothing was changed");
    }
    match filter::warnings(text).first() {
        Some(warning) => bail!("{warning}; nothing was changed"),
        None => Ok(()),
    }
}
