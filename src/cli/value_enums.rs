//! The values of options.

use clap::ValueEnum;

use crate::domain::AuthMode;
use crate::store::{Sort, SortColumn};

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum KeyKind {
    KeyFile,
    Passphrase,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum SortArg {
    Name,
    Type,
    AuthType,
    AuthMode,
    Updated,
}

impl SortArg {
    pub(super) fn sort(self, descending: bool) -> Sort {
        let column = match self {
            SortArg::Name => SortColumn::Name,
            SortArg::Type => SortColumn::Type,
            SortArg::AuthType => SortColumn::AuthType,
            SortArg::AuthMode => SortColumn::AuthMode,
            SortArg::Updated => SortColumn::Updated,
        };
        Sort { column, descending }
    }
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum ModeArg {
    Shared,
    PerUser,
}

impl From<ModeArg> for AuthMode {
    fn from(mode: ModeArg) -> Self {
        match mode {
            ModeArg::Shared => AuthMode::Shared,
            ModeArg::PerUser => AuthMode::PerUser,
        }
    }
}
