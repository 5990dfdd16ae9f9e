//! The values of options.

use clap::ValueEnum;

use crate::domain::AuthMode;
use crate::service::remote::Side;
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

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum SideArg {
    /// Keep the file's version; the next push sends it
    Local,
    /// Use Kibana's version
    Remote,
}

impl From<SideArg> for Side {
    fn from(side: SideArg) -> Self {
        match side {
            SideArg::Local => Side::Local,
            SideArg::Remote => Side::Remote,
        }
    }
}
