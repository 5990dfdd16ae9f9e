//! The table itself.

use super::key::Key;

/// Where keys hold: what has the focus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The list of connectors.
    Connectors,
    /// One connector, whole.
    Detail,
    /// The review of the migration.
    Review,
    /// The overview.
    Overview,
    /// The history.
    History,
    /// One step of the history.
    Step,
    /// The copies of the file.
    Copies,
    /// What differs from a Kibana.
    Sync,
    /// The form.
    Form,
    /// A list to choose from: the connector type picker.
    Picker,
    /// The line a filter or a path is typed into.
    Input,
    /// A question.
    Dialog,
    /// The help.
    Help,
}

impl Place {
    /// All places, in the order of the help.
    pub const ALL: [Place; 13] = [
        Place::Connectors,
        Place::Detail,
        Place::Review,
        Place::Overview,
        Place::History,
        Place::Step,
        Place::Copies,
        Place::Sync,
        Place::Form,
        Place::Picker,
        Place::Input,
        Place::Dialog,
        Place::Help,
    ];

    /// The name for people.
    pub fn label(self) -> &'static str {
        match self {
            Place::Connectors => "connectors",
            Place::Detail => "one connector",
            Place::Review => "review",
            Place::Overview => "overview",
            Place::History => "history",
            Place::Step => "one step",
            Place::Copies => "copies of the file",
            Place::Sync => "sync with Kibana",
            Place::Form => "form",
            Place::Picker => "choosing",
            Place::Input => "typing a filter or path",
            Place::Dialog => "question",
            Place::Help => "help",
        }
    }
}

/// What a person wants.
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
    Mark,
    MarkRange,
    MarkAll,
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
    TakeBack,
    Copies,
    BackUp,
    Restore,
    Refresh,
    AcceptShared,
    ChoosePerUser,
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
    EditMany,
    Compare,
    OpenFile,
    Theme,
    Filters,
    Columns,
    Mouse,
    CopyText,
    Sync,
    Fetch,
    Pull,
    Push,
    TakeHere,
    TakeThere,
    AllowDelete,
    AllowLoss,
    Execute,
    Quit,
    QuitNow,
    Suspend,
    Redraw,
}

/// One row: an action, its keys, and where they hold.
#[derive(Clone, Debug)]
pub struct Binding {
    /// The action.
    pub action: Action,
    /// Key names; the first one is shown in the footer.
    pub keys: &'static [&'static str],
    /// Where.
    pub places: &'static [Place],
    /// A word for the footer; none keeps it to the help.
    pub hint: Option<&'static str>,
    /// What it does, for the help.
    pub help: &'static str,
    /// It changes the file: not to be had when that is open read-only.
    pub writes: bool,
}

impl Binding {
    /// The keys for people, with blanks between; says so when there is none.
    pub fn shown_keys(&self) -> String {
        if self.keys.is_empty() { "(no key)".to_owned() } else { self.keys.join(" ") }
    }

    /// The keys, read.
    pub fn keys(&self) -> impl Iterator<Item = Option<Key>> {
        self.keys.iter().map(|text| Key::parse(text))
    }
}

const LISTS: &[Place] = &[Place::Connectors, Place::Review, Place::Step];
const MOVING: &[Place] = &[
    Place::Connectors,
    Place::Review,
    Place::Detail,
    Place::Overview,
    Place::History,
    Place::Step,
    Place::Copies,
    Place::Sync,
    Place::Help,
];
const UNDOING: &[Place] = &[Place::Connectors, Place::Detail, Place::Review, Place::History, Place::Step, Place::Sync];
const REDOING: &[Place] = &[Place::Connectors, Place::Detail, Place::History, Place::Step, Place::Sync];
const READING: &[Place] = &[Place::Connectors, Place::Review, Place::Detail];
const HELPED: &[Place] = &[
    Place::Connectors,
    Place::Review,
    Place::Detail,
    Place::Overview,
    Place::History,
    Place::Step,
    Place::Copies,
    Place::Sync,
];

const fn row(
    action: Action,
    keys: &'static [&'static str],
    places: &'static [Place],
    hint: Option<&'static str>,
    help: &'static str,
) -> Binding {
    Binding { action, keys, places, hint, help, writes: false }
}

const fn writing(
    action: Action,
    keys: &'static [&'static str],
    places: &'static [Place],
    hint: Option<&'static str>,
    help: &'static str,
) -> Binding {
    Binding { action, keys, places, hint, help, writes: true }
}

/// All bindings. Their order is the order of the footer and of the help.
pub const TABLE: &[Binding] = &[
    writing(Action::Apply, &["A"], &[Place::Review], Some("apply"), "apply the plan with the decisions made"),
    writing(
        Action::AcceptShared,
        &["a"],
        &[Place::Review],
        Some("shared"),
        "accept shared for the record or all marked ones",
    ),
    writing(
        Action::ChoosePerUser,
        &["p"],
        &[Place::Review],
        Some("per-user"),
        "set per-user instead, for the record or all marked ones",
    ),
    writing(
        Action::Skip,
        &["s"],
        &[Place::Review],
        Some("skip"),
        "skip the record or all marked ones: they stay pending",
    ),
    writing(Action::Rollback, &["U"], &[Place::Review], Some("roll back"), "roll the last run back"),
    writing(Action::Redo, &["Ctrl-r"], &[Place::Review], Some("redo"), "bring again what was taken back last"),
    writing(
        Action::Push,
        &["P"],
        &[Place::Sync],
        Some("push"),
        "send the marked connectors to Kibana, or all, after a question",
    ),
    writing(Action::Pull, &["p"], &[Place::Sync], Some("pull"), "ask Kibana, and take in what it says"),
    writing(Action::Fetch, &["f"], &[Place::Sync], Some("fetch"), "ask Kibana what it has, and only compare"),
    writing(
        Action::TakeHere,
        &["h"],
        &[Place::Sync],
        Some("here"),
        "let this file count where both or Kibana changed it, for the connector or all marked ones",
    ),
    writing(
        Action::TakeThere,
        &["t"],
        &[Place::Sync],
        Some("there"),
        "take what Kibana has, of the connector or all marked ones",
    ),
    row(Action::NextGroup, &["g"], &[Place::Sync], Some("group"), "show one group, or all"),
    row(Action::Mark, &["Space"], &[Place::Sync], Some("mark"), "mark or unmark the row"),
    row(Action::MarkAll, &["*"], &[Place::Sync], None, "mark every row that is shown, or unmark all"),
    row(
        Action::AllowDelete,
        &["d"],
        &[Place::Sync],
        Some("allow deletes"),
        "let a push delete in Kibana what was deleted here, or not",
    ),
    row(
        Action::AllowLoss,
        &["L"],
        &[Place::Sync],
        Some("allow losses"),
        "let a push send also where Kibana loses secrets, or not",
    ),
    row(Action::Open, &["Enter"], &[Place::Connectors, Place::Step], Some("open"), "show the whole connector"),
    row(Action::Open, &["Enter"], &[Place::Sync], Some("open"), "show all that differs, with both sides"),
    row(Action::Open, &["Enter"], &[Place::Overview], Some("show"), "show the connectors of the bar, or the step"),
    row(Action::Open, &["Enter"], &[Place::History], Some("records"), "show the connectors of the step"),
    writing(
        Action::TakeBack,
        &["U"],
        &[Place::History],
        Some("take back"),
        "take the selected step back, whichever it is",
    ),
    writing(
        Action::TakeBack,
        &["U"],
        &[Place::Step],
        Some("take back"),
        "take back what the step did to the connector or to all marked ones",
    ),
    writing(Action::Edit, &["e"], READING, Some("edit"), "edit the connector in the form"),
    writing(Action::Edit, &["e"], &[Place::Sync], Some("edit"), "edit the connector in the form"),
    writing(
        Action::ToggleMode,
        &["t"],
        &[Place::Connectors, Place::Detail],
        Some("mode"),
        "toggle the auth mode of the connector or of all marked ones",
    ),
    row(
        Action::Filter,
        &["/"],
        LISTS,
        Some("filter"),
        "filter: words, type: auth: authtype: needs:migration is:blocked, -not",
    ),
    row(Action::Review, &["m"], &[Place::Connectors], Some("review"), "review the migration of the records"),
    row(
        Action::Sync,
        &["K"],
        &[Place::Connectors, Place::Detail],
        Some("Kibana"),
        "compare with Kibana: what to push, what to pull",
    ),
    writing(
        Action::ResetDecision,
        &["r"],
        &[Place::Review],
        None,
        "take the decision back, for the record or all marked ones",
    ),
    row(Action::NextGroup, &["g"], &[Place::Review], Some("group"), "show one group of the plan, or all"),
    writing(Action::New, &["n"], &[Place::Connectors], Some("new"), "create a connector"),
    writing(
        Action::NextMissing,
        &["N"],
        &[Place::Connectors, Place::Detail],
        Some("fill in"),
        "fill in the secrets of the next connector that misses them",
    ),
    row(Action::Mark, &["Space"], LISTS, Some("mark"), "mark or unmark the row"),
    row(Action::MarkRange, &["v"], LISTS, None, "mark all rows from the last marked one to this one"),
    row(Action::MarkAll, &["*"], LISTS, None, "mark every row of the filter, or unmark all"),
    writing(
        Action::Duplicate,
        &["c"],
        &[Place::Connectors, Place::Detail],
        None,
        "create a copy of the connector, with its secrets where they can be opened",
    ),
    writing(
        Action::Delete,
        &["d", "Del"],
        &[Place::Connectors, Place::Detail],
        None,
        "delete the connector or all marked ones, after a question",
    ),
    row(Action::SortNext, &["s", "o"], &[Place::Connectors, Place::Step], Some("sort"), "sort by the next column"),
    row(Action::SortReverse, &["S", "O"], &[Place::Connectors, Place::Step], None, "sort the other way"),
    row(Action::SortNext, &["o"], &[Place::Review], Some("sort"), "sort each group by the next column"),
    row(Action::SortReverse, &["O"], &[Place::Review], None, "sort the other way"),
    writing(Action::Import, &["i"], &[Place::Connectors], Some("import"), "import an export of Kibana"),
    row(
        Action::Export,
        &["x"],
        &[Place::Connectors],
        Some("export"),
        "export the marked connectors, or those of the filter",
    ),
    writing(Action::Undo, &["u"], UNDOING, Some("undo"), "take the last change back"),
    writing(Action::Redo, &["Ctrl-r"], REDOING, Some("redo"), "bring again what was taken back last"),
    row(Action::History, &["H"], READING, Some("history"), "show every change made in this file"),
    writing(
        Action::Execute,
        &["!"],
        &[Place::Connectors, Place::Detail],
        None,
        "have Kibana run the connector, for real, after a question",
    ),
    row(Action::Overview, &["D"], READING, Some("overview"), "show what is in the file, in numbers"),
    row(Action::Copies, &["b"], &[Place::History], Some("copies"), "show the copies of the file"),
    writing(Action::BackUp, &["b"], &[Place::Copies], Some("back up"), "make a copy of the file"),
    writing(Action::Restore, &["Enter"], &[Place::Copies], Some("put back"), "put the copy in place of the file"),
    row(Action::CopyText, &["y"], READING, None, "copy the id, the name, the config or the JSON of the connector"),
    row(Action::Palette, &[":"], HELPED, None, "everything that can be done, to search and choose from"),
    writing(
        Action::EditMany,
        &["E"],
        &[Place::Connectors],
        None,
        "edit the marked connectors, or those of the filter, all at once, after a preview",
    ),
    row(
        Action::Compare,
        &["="],
        &[Place::Connectors],
        None,
        "compare two marked connectors, or the marked one with the selected one",
    ),
    row(Action::Compare, &["="], &[Place::Detail], None, "compare the connector with what it was before a step"),
    row(Action::Filters, &["F"], &[Place::Connectors], None, "filters that were kept, and keeping the one in use"),
    row(Action::OpenFile, &["Ctrl-o"], &[Place::Connectors], None, "open another file that was open lately"),
    row(Action::Columns, &["C"], &[Place::Connectors], None, "choose the columns and their widths"),
    row(Action::Theme, &["T"], HELPED, None, "other colours: auto, dark, light, high contrast, none"),
    row(Action::Mouse, &["M"], HELPED, None, "leave the mouse to the terminal, or take it again"),
    row(Action::Refresh, &["R"], HELPED, None, "read the file again"),
    row(Action::Down, &["Down", "j"], MOVING, None, "next row"),
    row(Action::Up, &["Up", "k"], MOVING, None, "previous row"),
    row(Action::PageDown, &["PgDn", "Ctrl-d"], MOVING, None, "next page"),
    row(Action::PageUp, &["PgUp", "Ctrl-u"], MOVING, None, "previous page"),
    row(Action::Top, &["Home"], MOVING, None, "first row"),
    row(Action::Bottom, &["End", "G"], MOVING, None, "last row"),
    writing(Action::Save, &["Ctrl-s"], &[Place::Form], Some("save"), "show what will change, then save"),
    row(Action::NextField, &["Tab", "Down"], &[Place::Form], Some("next"), "next field"),
    row(Action::PreviousField, &["Shift-Tab", "Up"], &[Place::Form], None, "previous field"),
    row(Action::Right, &["Right"], &[Place::Form], None, "next choice; in a text, one character on"),
    row(Action::Left, &["Left"], &[Place::Form], None, "previous choice; in a text, one character back"),
    row(Action::Change, &["Space"], &[Place::Form], Some("change"), "flip a toggle, go to the next choice"),
    row(
        Action::Open,
        &["Enter"],
        &[Place::Form],
        None,
        "choose the connector type; in a text of several lines, a new line; else the next field",
    ),
    row(
        Action::ClearField,
        &["Ctrl-x"],
        &[Place::Form],
        Some("clear"),
        "clear a stored secret or a text, or keep it after all",
    ),
    row(
        Action::OpenEditor,
        &["Ctrl-o"],
        &[Place::Form],
        Some("editor"),
        "edit the text or JSON of the field in $EDITOR",
    ),
    row(Action::Confirm, &["Enter"], &[Place::Picker], Some("choose"), "take the highlighted one"),
    row(Action::Down, &["Down"], &[Place::Picker], None, "next one (type to search)"),
    row(Action::Up, &["Up"], &[Place::Picker], None, "previous one"),
    row(Action::PageDown, &["PgDn"], &[Place::Picker], None, "next page"),
    row(Action::PageUp, &["PgUp"], &[Place::Picker], None, "previous page"),
    row(Action::Confirm, &["Enter"], &[Place::Input], Some("done"), "keep the filter; use the file"),
    row(Action::Confirm, &["Enter", "Space"], &[Place::Dialog], Some("choose"), "take the highlighted answer"),
    row(Action::Left, &["Left", "Shift-Tab", "Up"], &[Place::Dialog], None, "previous answer"),
    row(Action::Right, &["Right", "Tab", "Down"], &[Place::Dialog], Some("other answer"), "next answer"),
    row(Action::PageDown, &["PgDn"], &[Place::Dialog], None, "scroll a long question"),
    row(Action::PageUp, &["PgUp"], &[Place::Dialog], None, "scroll it back"),
    row(
        Action::Back,
        &["Esc"],
        &[
            Place::Detail,
            Place::Review,
            Place::Overview,
            Place::History,
            Place::Step,
            Place::Copies,
            Place::Sync,
            Place::Form,
            Place::Picker,
            Place::Input,
            Place::Dialog,
            Place::Help,
        ],
        Some("back"),
        "undo the innermost thing: marks, filter, question, screen; stops a running job",
    ),
    row(Action::Back, &["Esc"], &[Place::Connectors], None, "take marks away, then the filter; stops a running job"),
    row(Action::Help, &["?", "F1"], HELPED, Some("keys"), "all keys"),
    row(Action::Help, &["F1"], &[Place::Form], Some("keys"), "all keys"),
    row(Action::Quit, &["q"], &[Place::Connectors], Some("quit"), "quit"),
    row(
        Action::Quit,
        &["q"],
        &[
            Place::Detail,
            Place::Review,
            Place::Overview,
            Place::History,
            Place::Step,
            Place::Copies,
            Place::Sync,
            Place::Help,
        ],
        None,
        "back to the screen before",
    ),
    row(Action::QuitNow, &["Ctrl-c"], &Place::ALL, None, "quit (a changed form asks first)"),
    row(Action::Suspend, &["Ctrl-z"], &Place::ALL, None, "suspend to the shell"),
    row(Action::Redraw, &["Ctrl-l"], &Place::ALL, None, "redraw the screen"),
];
