//! Writing to standard output and standard error: safe text, tables, JSON.
#![expect(clippy::disallowed_methods, reason = "the one place that writes to the terminal without a screen")]

use std::io::{self, BufRead as _, BufWriter, IsTerminal, StdoutLock, Write};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde_json::Value;
use zeroize::Zeroizing;

use super::progress::Progress;
use crate::domain::json;
use crate::transfer::TransferError;
use crate::ui::text::{fit, safe, safe_json, width};

/// The widest column of a table that goes to a file or a pipe.
const WIDEST: usize = 60;

/// Standard output did not take the text; what the command did is done.
#[derive(Debug, thiserror::Error)]
#[error("standard output cannot be written")]
pub(super) struct OutputFailed(#[from] io::Error);

/// Standard output, whose reader may have gone (`| head`).
struct Pipe {
    stdout: StdoutLock<'static>,
    goes_on: bool,
}

impl Pipe {
    fn settle<T>(&self, outcome: io::Result<T>, instead: T) -> io::Result<T> {
        match outcome {
            Err(error) if self.goes_on && error.kind() == io::ErrorKind::BrokenPipe => Ok(instead),
            outcome => outcome,
        }
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.stdout.write(bytes);
        self.settle(written, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.stdout.flush();
        self.settle(flushed, ())
    }
}

/// Standard output and what goes beside it.
pub(super) struct Output {
    stdout: BufWriter<Pipe>,
    to_terminal: bool,
    progress: bool,
    quiet: bool,
    committed: Arc<AtomicBool>,
}

impl Output {
    /// With `goes_on` the command comes to its end, and to its exit code, also when nobody reads it any more.
    pub(super) fn new(quiet: bool, goes_on: bool, committed: &Arc<AtomicBool>) -> Self {
        let stdout = io::stdout();
        let to_terminal = stdout.is_terminal();
        let progress = !quiet && io::stderr().is_terminal();
        Self {
            stdout: BufWriter::new(Pipe { stdout: stdout.lock(), goes_on }),
            to_terminal,
            progress,
            quiet,
            committed: committed.clone(),
        }
    }

    /// The flag that a store raises when it has written something.
    pub(super) fn commit_flag(&self) -> &Arc<AtomicBool> {
        &self.committed
    }

    /// One line for people.
    pub(super) fn line(&mut self, text: &str) -> Result<(), OutputFailed> {
        writeln!(self.stdout, "{}", safe(text))?;
        Ok(self.stdout.flush()?)
    }

    /// JSON, indented on a terminal and for one object, escaped where a terminal would act on it.
    pub(super) fn json(&mut self, value: &Value) -> Result<(), OutputFailed> {
        self.json_text(&format!("{value:#}"))
    }

    /// JSON text, as [`Output::json`] prints a value.
    pub(super) fn json_text(&mut self, text: &str) -> Result<(), OutputFailed> {
        let text = if self.to_terminal { &safe_json(text) } else { text };
        writeln!(self.stdout, "{text}")?;
        Ok(self.stdout.flush()?)
    }

    /// Standard output is a terminal.
    pub(super) fn is_terminal(&self) -> bool {
        self.to_terminal
    }

    /// Bytes as they are, for exports; on a terminal with what it would act on escaped as in JSON.
    pub(super) fn raw(&mut self) -> Raw<'_> {
        Raw { out: &mut self.stdout, to_terminal: self.to_terminal, partial: Vec::new() }
    }

    /// A table; on a terminal it fits the width, the first column giving way.
    pub(super) fn table(&mut self, head: &[&str], rows: &[Vec<String>]) -> Result<(), OutputFailed> {
        let widths = self.widths(head, rows);
        self.head(head, &widths)?;
        self.rows(rows, &widths)
    }

    /// The widths of a table's columns.
    pub(super) fn widths(&self, head: &[&str], rows: &[Vec<String>]) -> Vec<usize> {
        let mut widths: Vec<usize> = head.iter().map(|cell| width(cell)).collect();
        for row in rows {
            for (cell, widest) in row.iter().zip(&mut widths) {
                *widest = (*widest).max(width(&safe(cell)));
            }
        }
        match ratatui::crossterm::terminal::size() {
            Ok((columns, _)) if self.to_terminal => shrink(&mut widths, usize::from(columns)),
            // A single long value must not push every row apart; it stands out whole instead.
            _ => widths.iter_mut().for_each(|width| *width = (*width).min(WIDEST)),
        }
        widths
    }

    /// The head of a table.
    pub(super) fn head(&mut self, head: &[&str], widths: &[usize]) -> Result<(), OutputFailed> {
        Ok(self.row(head.iter().map(|cell| (*cell).to_owned()), widths)?)
    }

    /// Rows of a table.
    pub(super) fn rows(&mut self, rows: &[Vec<String>], widths: &[usize]) -> Result<(), OutputFailed> {
        for row in rows {
            self.row(row.iter().cloned(), widths)?;
        }
        self.flush()
    }

    /// Part of a JSON text.
    pub(super) fn text(&mut self, text: &str) -> Result<(), OutputFailed> {
        let text = if self.to_terminal { &safe_json(text) } else { text };
        Ok(self.stdout.write_all(text.as_bytes())?)
    }

    /// Text that is safe already, with its own ends of lines.
    pub(super) fn cells(&mut self, text: &str) -> Result<(), OutputFailed> {
        Ok(self.stdout.write_all(text.as_bytes())?)
    }

    pub(super) fn flush(&mut self) -> Result<(), OutputFailed> {
        Ok(self.stdout.flush()?)
    }

    fn row(&mut self, cells: impl Iterator<Item = String>, widths: &[usize]) -> io::Result<()> {
        let shown = |cell: String, cells| match safe(&cell) {
            whole if !self.to_terminal && width(&whole) > cells => whole,
            _ => fit(&cell, cells),
        };
        let cells: Vec<String> = cells.zip(widths).map(|(cell, &width)| shown(cell, width)).collect();
        writeln!(self.stdout, "{}", cells.join("  ").trim_end())
    }

    /// A remark for people, on standard error.
    pub(super) fn notice(&self, text: &str) {
        if !self.quiet {
            remark(text);
        }
    }

    /// How far a long job is, on a terminal only.
    pub(super) fn progress(&self) -> Progress {
        Progress::new(self.progress)
    }
}

/// Standard output for bytes. See [`Output::raw`].
pub(super) struct Raw<'a> {
    out: &'a mut BufWriter<Pipe>,
    to_terminal: bool,
    /// The beginning of a character whose end has not come yet.
    partial: Vec<u8>,
}

impl Write for Raw<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.to_terminal {
            return self.out.write(bytes);
        }
        self.partial.extend_from_slice(bytes);
        let taken = std::mem::take(&mut self.partial);
        for chunk in taken.utf8_chunks() {
            self.out.write_all(safe_json(chunk.valid()).as_bytes())?;
            // Bytes that no character begins with are shown as such; those that one may begin with wait.
            let is_last = chunk.invalid().as_ptr_range().end == taken.as_ptr_range().end;
            match chunk.invalid() {
                [] => {}
                begun if is_last && begun.len() < 4 => self.partial = begun.to_vec(),
                _ => self.out.write_all("\u{fffd}".as_bytes())?,
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !std::mem::take(&mut self.partial).is_empty() {
            self.out.write_all("\u{fffd}".as_bytes())?;
        }
        self.out.flush()
    }
}

/// Asks on the terminal for something that is not shown.
pub(super) fn prompt_hidden(question: &str) -> io::Result<Zeroizing<String>> {
    rpassword::prompt_password(safe(question)).map(Zeroizing::new)
}

/// Asks on the terminal for a line.
pub(super) fn prompt(question: &str) -> io::Result<String> {
    write!(io::stderr(), "{}", safe(question))?;
    io::stderr().flush()?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

/// JSON text for people, its lines after the first one moved to the right.
pub(super) fn indented(text: &str, indent: usize) -> String {
    json::pretty(text).replace('\n', &format!("\n{}", "  ".repeat(indent)))
}

/// A number of things: `1 connector`, `2 connectors`.
pub(super) fn counted(count: u64, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}

/// Narrows the widest columns until the row fits.
fn shrink(widths: &mut [usize], columns: usize) {
    let gaps = 2 * widths.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > columns {
        let Some(widest) = widths.iter_mut().max() else {
            return;
        };
        if *widest <= 8 {
            return;
        }
        *widest -= 1;
    }
}

/// The line of a job's progress, in place of the one before; an empty one takes it away.
pub(super) fn progress_line(text: &str) {
    let _ = write!(io::stderr(), "\r\x1b[K{}", safe(text));
}

/// A remark on standard error; a closed one is no reason to fail.
pub(super) fn remark(text: &str) {
    let _ = writeln!(io::stderr(), "{}", safe(text));
}

/// Why the program refused.
pub(super) fn complain(text: &str) {
    remark(&format!("connector-admin: {text}"));
}

/// The reader of standard output has gone (`| head`): nothing is wrong.
pub(super) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let of_output = error.downcast_ref::<OutputFailed>().map(|failed| &failed.0);
    let of_export = error.downcast_ref::<TransferError>().and_then(|error| match error {
        TransferError::Io { cause, .. } => Some(cause),
        _ => None,
    });
    of_output.or(of_export).is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}
