//! Lists: one cursor that moves, one table that draws, and two sources of rows. [`PagedList`] has a window of a list of
//! the file in memory; [`MemoryList`] is whole in memory.

mod cursor;
mod filter;
mod memory;
mod paged;
mod paged_view;
mod table;

pub use cursor::Cursor;
pub use memory::{MemoryList, Rows};
pub use paged::PagedList;
pub use paged_view::{PagedColumn, PagedView};
pub use table::{Column, HEADS, Row, Shown, Table};

use crate::worker::Query;

/// What a click on a list did.
#[derive(Debug)]
pub enum Click {
    /// It was not on a row.
    Outside,
    /// It was on the heads, at this column of cells.
    Head(u16),
    /// It moved the cursor; the queries ask for rows that are not in memory.
    Moved(Vec<Query>),
    /// It was on the row that has the cursor, at this column of cells.
    Current(u16),
}
