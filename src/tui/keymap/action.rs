//! What a key does, and where.

/// The context of a key: the focused part. They are in the order of the help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr, strum::VariantArray)]
pub enum KeyContext {
    /// The list of connectors.
    #[strum(serialize = "connectors")]
    Connectors,
    /// One connector, whole.
    #[strum(serialize = "one connector")]
    Detail,
    /// The review of the migration.
    #[strum(serialize = "review")]
    Review,
    /// The overview.
    #[strum(serialize = "overview")]
    Overview,
    /// The history.
    #[strum(serialize = "history")]
    History,
    /// One step of the history.
    #[strum(serialize = "one step")]
    Step,
    /// The backups of the file.
    #[strum(serialize = "backups of the file")]
    Backups,
    /// The screen of a remote.
    #[strum(serialize = "sync with Kibana")]
    Sync,
    /// The messages since the start.
    #[strum(serialize = "messages")]
    Messages,
    /// The form.
    #[strum(serialize = "form")]
    Form,
    /// A list to choose from: a menu, the connector type picker.
    #[strum(serialize = "choosing")]
    Picker,
    /// The line a filter or a path is typed into.
    #[strum(serialize = "typing a filter or path")]
    Input,
    /// A question.
    #[strum(serialize = "question")]
    Dialog,
    /// The help.
    #[strum(serialize = "help")]
    Help,
}

impl KeyContext {
    /// All contexts, in the order of the help.
    pub const ALL: &'static [KeyContext] = <KeyContext as strum::VariantArray>::VARIANTS;

    /// Returns the display name.
    pub fn label(self) -> &'static str {
        self.into()
    }
}

/// An action of the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is described by its row of the table")]
pub enum Action {
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Top,
    Bottom,
    Select,
    SelectRange,
    SelectAll,
    Open,
    Back,
    Edit,
    New,
    Duplicate,
    Delete,
    ToggleMode,
    Filter,
    SortNext,
    SortReverse,
    Review,
    Import,
    /// Export connectors.
    Export,
    Undo,
    Redo,
    History,
    Overview,
    Revert,
    Backups,
    CreateBackup,
    Restore,
    Refresh,
    ChooseFirst,
    ChooseSecond,
    Skip,
    ResetDecision,
    NextGroup,
    Apply,
    Rollback,
    NextField,
    PreviousField,
    Change,
    Save,
    ClearField,
    OpenEditor,
    NextMissing,
    Confirm,
    Help,
    Palette,
    BulkEdit,
    Compare,
    OpenFile,
    Theme,
    SavedViews,
    Columns,
    Mouse,
    CopyText,
    About,
    Messages,
    Yes,
    No,
    Sync,
    Fetch,
    Pull,
    Push,
    KeepLocal,
    UseRemote,
    AllowDelete,
    AllowLoss,
    Execute,
    Quit,
    QuitNow,
    Suspend,
    Redraw,
}

impl Action {
    /// Returns whether it only moves, or goes back.
    pub fn is_navigation(self) -> bool {
        use Action::{Back, Bottom, Down, Left, PageDown, PageUp, Right, Top, Up};
        matches!(self, Up | Down | Left | Right | PageUp | PageDown | Top | Bottom | Back)
    }

    /// Returns whether it needs a row with the cursor.
    pub fn needs_row(self) -> bool {
        use Action::{
            BulkEdit, ChooseFirst, ChooseSecond, Delete, Duplicate, Edit, Open, Restore, Revert, Select, Skip,
            ToggleMode,
        };
        matches!(
            self,
            Open | Edit
                | ToggleMode
                | Duplicate
                | Delete
                | BulkEdit
                | Select
                | ChooseFirst
                | ChooseSecond
                | Skip
                | Revert
                | Restore
        )
    }

    /// Returns whether it needs a remote.
    pub fn needs_remote(self) -> bool {
        matches!(self, Action::Fetch | Action::Pull | Action::Push | Action::Execute)
    }
}
