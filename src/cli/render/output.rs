//! Writing to standard output and standard error: safe text, tables, JSON.
#![expect(clippy::disallowed_methods, reason = "the one place that writes to the terminal without a screen")]

use std::io::{self, BufRead as _, BufWriter, IsTerminal, StdoutLock, Write};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde_json::Value;
use zeroize::Zeroizing;

use super::progress::Progress;
use crate::domain::json;
use crate::kibana::saved_objects::ReadError;
use crate::service::ServiceError;
use crate::text::terminal::{fit, safe, safe_json, width};

/// The widest column of a table that goes to a file or a pipe.
const WIDEST: usize = 60;

/// Standard output did not accept the text; the work of the command is done.
#[derive(Debug, thiserror::Error)]
#[error("standard output cannot be written")]
pub(in crate::cli) struct OutputFailed(#[from] io::Error);

/// Standard output, whose reader may have gone (`| head`).
struct Pipe {
    stdout: StdoutLock<'static>,
    continues: bool,
}

impl Pipe {
    fn reconcile<T>(&self, outcome: io::Result<T>, instead: T) -> io::Result<T> {
        match outcome {
            Err(error) if self.continues && error.kind() == io::ErrorKind::BrokenPipe => Ok(instead),
            outcome => outcome,
        }
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.stdout.write(bytes);
        self.reconcile(written, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.stdout.flush();
        self.reconcile(flushed, ())
    }
}

/// Standard output, with the settings of the command.
pub(in crate::cli) struct Output {
    stdout: BufWriter<Pipe>,
    to_terminal: bool,
    progress: bool,
    quiet: bool,
    committed: Arc<AtomicBool>,
}

impl Output {
    /// With `continues` the command completes with its exit code even if the reader of its output is gone.
    pub(in crate::cli) fn new(quiet: bool, continues: bool, committed: &Arc<AtomicBool>) -> Self {
        let stdout = io::stdout();
        let to_terminal = stdout.is_terminal();
        let progress = !quiet && io::stderr().is_terminal();
        Self {
            stdout: BufWriter::new(Pipe { stdout: stdout.lock(), continues }),
            to_terminal,
            progress,
            quiet,
            committed: committed.clone(),
        }
    }

    /// The flag that a store raises when it has written something.
    pub(in crate::cli) fn commit_flag(&self) -> &Arc<AtomicBool> {
        &self.committed
    }

    /// Prints a line.
    pub(in crate::cli) fn line(&mut self, text: &str) -> Result<(), OutputFailed> {
        writeln!(self.stdout, "{}", safe(text))?;
        Ok(self.stdout.flush()?)
    }

    /// JSON, indented on a terminal and for one object, escaped where a terminal would act on it.
    pub(in crate::cli) fn json(&mut self, value: &Value) -> Result<(), OutputFailed> {
        self.json_text(&format!("{value:#}"))
    }

    /// JSON text, as [`Output::json`] prints a value.
    pub(in crate::cli) fn json_text(&mut self, text: &str) -> Result<(), OutputFailed> {
        let text = if self.to_terminal { &safe_json(text) } else { text };
        writeln!(self.stdout, "{text}")?;
        Ok(self.stdout.flush()?)
    }

    /// Standard output is a terminal.
    pub(in crate::cli) fn is_terminal(&self) -> bool {
        self.to_terminal
    }

    /// Returns a writer of raw bytes for exports; on a terminal, control characters are escaped as in JSON.
    pub(in crate::cli) fn raw(&mut self) -> Raw<'_> {
        Raw { out: &mut self.stdout, to_terminal: self.to_terminal, partial: Vec::new() }
    }

    /// A table; on a terminal it fits the width, the first column giving way.
    pub(in crate::cli) fn table(&mut self, head: &[&str], rows: &[Vec<String>]) -> Result<(), OutputFailed> {
        let widths = self.widths(head, rows);
        self.head(head, &widths)?;
        self.rows(rows, &widths)
    }

    /// The widths of a table's columns.
    pub(in crate::cli) fn widths(&self, head: &[&str], rows: &[Vec<String>]) -> Vec<usize> {
        let mut widths: Vec<usize> = head.iter().map(|cell| width(cell)).collect();
        for row in rows {
            for (cell, widest) in row.iter().zip(&mut widths) {
                *widest = (*widest).max(width(&safe(cell)));
            }
        }
        match crossterm::terminal::size() {
            Ok((columns, _)) if self.to_terminal => shrink(&mut widths, usize::from(columns)),
            // A single long value must not push every row apart; it sticks out instead.
            _ => widths.iter_mut().for_each(|width| *width = (*width).min(WIDEST)),
        }
        widths
    }

    /// The head of a table.
    pub(in crate::cli) fn head(&mut self, head: &[&str], widths: &[usize]) -> Result<(), OutputFailed> {
        Ok(self.row(head.iter().map(|cell| (*cell).to_owned()), widths)?)
    }

    /// Rows of a table.
    pub(in crate::cli) fn rows(&mut self, rows: &[Vec<String>], widths: &[usize]) -> Result<(), OutputFailed> {
        for row in rows {
            self.row(row.iter().cloned(), widths)?;
        }
        self.flush()
    }

    /// Part of a JSON text.
    pub(in crate::cli) fn text(&mut self, text: &str) -> Result<(), OutputFailed> {
        let text = if self.to_terminal { &safe_json(text) } else { text };
        Ok(self.stdout.write_all(text.as_bytes())?)
    }

    /// Text that is safe already, with its own ends of lines.
    pub(in crate::cli) fn cells(&mut self, text: &str) -> Result<(), OutputFailed> {
        Ok(self.stdout.write_all(text.as_bytes())?)
    }

    pub(in crate::cli) fn flush(&mut self) -> Result<(), OutputFailed> {
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

    /// Prints a note on standard error.
    pub(in crate::cli) fn notice(&self, text: &str) {
        if !self.quiet {
            eprint_note(text);
        }
    }

    /// Returns the progress line of a long job; only on a terminal.
    pub(in crate::cli) fn progress(&self) -> Progress {
        Progress::new(self.progress)
    }
}

/// Standard output for bytes. See [`Output::raw`].
pub(in crate::cli) struct Raw<'a> {
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
        let line = std::mem::take(&mut self.partial);
        for chunk in line.utf8_chunks() {
            self.out.write_all(safe_json(chunk.valid()).as_bytes())?;
            // Bytes that no character begins with are shown as such; those that one may begin with wait.
            let is_last = chunk.invalid().as_ptr_range().end == line.as_ptr_range().end;
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

/// Prompts for a line without echo.
pub(in crate::cli) fn prompt_hidden(question: &str) -> io::Result<Zeroizing<String>> {
    rpassword::prompt_password(safe(question)).map(Zeroizing::new)
}

/// Prompts for a line.
pub(in crate::cli) fn prompt(question: &str) -> io::Result<String> {
    write!(io::stderr(), "{}", safe(question))?;
    io::stderr().flush()?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

/// Pretty-prints JSON, with all lines after the first one indented.
pub(in crate::cli) fn indented(text: &str, indent: usize) -> String {
    json::pretty(text).replace('\n', &format!("\n{}", "  ".repeat(indent)))
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

/// Replaces the progress line; an empty text removes it.
pub(in crate::cli) fn progress_line(text: &str) {
    let _ = write!(io::stderr(), "\r\x1b[K{}", safe(text));
}

/// A remark on standard error; a closed one is no reason to fail.
pub(in crate::cli) fn eprint_note(text: &str) {
    let _ = writeln!(io::stderr(), "{}", safe(text));
}

/// Prints why the program refused.
pub(in crate::cli) fn eprint_error(text: &str) {
    eprint_note(&format!("connector-admin: {text}"));
}

/// The reader of standard output has gone (`| head`): nothing is wrong.
pub(in crate::cli) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let of_output = error.downcast_ref::<OutputFailed>().map(|failed| &failed.0);
    let of_export = error.downcast_ref::<ServiceError>().and_then(|error| match error {
        ServiceError::File(error) | ServiceError::Read(ReadError::Io(error)) => Some(&error.cause),
        _ => None,
    });
    // A report on standard output.
    let of_report = error.downcast_ref::<io::Error>();
    of_output.or(of_export).or(of_report).is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}
