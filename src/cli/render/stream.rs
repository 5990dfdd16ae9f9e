//! Output that comes piece by piece, so that a file of any size is printed in flat memory.

use std::io;

use csv::WriterBuilder;
use serde_json::{Value, json};

use super::output::{Output, OutputFailed, indented};
use crate::text::terminal::safe;

/// Rows that set the widths of a table, and rows printed at once after that.
const ROWS: usize = 500;

/// A table whose rows come one after the other; the first ones set the widths.
pub(in crate::cli) struct Table {
    head: &'static [&'static str],
    widths: Option<Vec<usize>>,
    waiting: Vec<Vec<String>>,
}

impl Table {
    pub(in crate::cli) fn new(head: &'static [&'static str]) -> Self {
        Self { head, widths: None, waiting: Vec::new() }
    }

    pub(in crate::cli) fn push(&mut self, row: Vec<String>, output: &mut Output) -> Result<(), OutputFailed> {
        self.waiting.push(row);
        if self.waiting.len() < ROWS { Ok(()) } else { self.flush(output) }
    }

    /// Prints the remaining rows. A table without rows has no header, unless `with_head` is set.
    pub(in crate::cli) fn end(mut self, with_head: bool, output: &mut Output) -> Result<(), OutputFailed> {
        if self.waiting.is_empty() && (self.widths.is_some() || !with_head) { Ok(()) } else { self.flush(output) }
    }

    fn flush(&mut self, output: &mut Output) -> Result<(), OutputFailed> {
        let rows = std::mem::take(&mut self.waiting);
        match &self.widths {
            Some(widths) => output.rows(&rows, widths),
            None => {
                let widths = output.widths(self.head, &rows);
                output.head(self.head, &widths)?;
                output.rows(&rows, &widths)?;
                self.widths = Some(widths);
                Ok(())
            }
        }
    }
}

/// A JSON array, or an object with one, whose items come one after the other. It reads as if it had been
/// printed whole.
pub(in crate::cli) struct List {
    items: u64,
    indent: usize,
}

impl List {
    /// Begins an array.
    pub(in crate::cli) fn array(output: &mut Output) -> Result<Self, OutputFailed> {
        output.text("[")?;
        Ok(Self { items: 0, indent: 1 })
    }

    /// Begins an object with some members and the array `name`.
    pub(in crate::cli) fn object(
        members: &[(&str, Value)],
        name: &str,
        output: &mut Output,
    ) -> Result<Self, OutputFailed> {
        let mut text = String::from("{\n");
        for (member, value) in members {
            text.push_str(&format!("  {}: {},\n", json!(member), indented(&value.to_string(), 1)));
        }
        output.text(&format!("{text}  {}: [", json!(name)))?;
        Ok(Self { items: 0, indent: 2 })
    }

    /// Adds an item.
    pub(in crate::cli) fn push(&mut self, item: &Value, output: &mut Output) -> Result<(), OutputFailed> {
        self.push_text(&item.to_string(), output)
    }

    /// Adds an item that is JSON text already.
    pub(in crate::cli) fn push_text(&mut self, item: &str, output: &mut Output) -> Result<(), OutputFailed> {
        let comma = if self.items == 0 { "" } else { "," };
        self.items += 1;
        output.text(&format!("{comma}\n{}{}", "  ".repeat(self.indent), indented(item, self.indent)))
    }

    /// Ends the array, or the object with more members.
    pub(in crate::cli) fn end(self, members: &[(&str, Value)], output: &mut Output) -> Result<(), OutputFailed> {
        let mut text = String::new();
        if self.items > 0 {
            text.push('\n');
            text.push_str(&"  ".repeat(self.indent - 1));
        }
        text.push(']');
        for (member, value) in members {
            text.push_str(&format!(",\n  {}: {}", json!(member), indented(&value.to_string(), 1)));
        }
        output.text(&text)?;
        output.text(if self.indent == 1 { "\n" } else { "\n}\n" })?;
        output.flush()
    }
}

/// A table for spreadsheets (RFC 4180), row by row.
pub(in crate::cli) struct Sheet {
    head: Option<&'static [&'static str]>,
}

impl Sheet {
    pub(in crate::cli) fn new(head: &'static [&'static str]) -> Self {
        Self { head: Some(head) }
    }

    pub(in crate::cli) fn push(&mut self, cells: &[String], output: &mut Output) -> Result<(), OutputFailed> {
        self.begin(output)?;
        output.cells(&sheet_row(cells)?)
    }

    pub(in crate::cli) fn end(mut self, output: &mut Output) -> Result<(), OutputFailed> {
        self.begin(output)?;
        output.flush()
    }

    fn begin(&mut self, output: &mut Output) -> Result<(), OutputFailed> {
        let head = self.head.take();
        head.map_or(Ok(()), |head| output.cells(&sheet_row(head)?))
    }
}

/// One row of a spreadsheet's table, with its end of line.
pub(in crate::cli) fn sheet_row<T: AsRef<str>>(cells: &[T]) -> io::Result<String> {
    let mut line = WriterBuilder::new().from_writer(Vec::new());
    line.write_record(cells.iter().map(|cell| harmless(cell.as_ref()).into_bytes()))?;
    let bytes = line.into_inner().map_err(|error| error.into_error())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The beginnings of a formula, in both widths.
const FORMULAS: [char; 8] = ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// Prefixes text that a spreadsheet would run as a formula with an apostrophe, and escapes control characters, so that
/// no cell can reach a terminal or another line.
fn harmless(cell: &str) -> String {
    let text = safe(cell);
    // Some programs split cells at a semicolon, and some trim blanks first.
    let parts = text.split(';').map(|part| match part.trim_start().starts_with(FORMULAS) {
        true => format!("'{part}"),
        false => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join(";")
}
