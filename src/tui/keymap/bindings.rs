//! The table itself.

use super::action::{Action, KeyContext};
use super::key::Key;
use crate::domain::migration;

/// One row: an action, its keys, and where they hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The action.
    pub action: Action,
    /// Key names; the first one is shown in the footer.
    pub keys: &'static [&'static str],
    /// The contexts.
    pub contexts: &'static [KeyContext],
    /// A word for the footer; none keeps it to the help.
    pub(super) hint: Option<&'static str>,
    /// The description in the help.
    pub help: &'static str,
    /// The action changes the file, so it is unavailable in a read-only file.
    pub writes: bool,
}

impl Binding {
    /// Returns the keys with blanks between them, or `(no key)`.
    pub fn shown_keys(&self) -> String {
        if self.keys.is_empty() { "(no key)".to_owned() } else { self.keys.join(" ") }
    }

    /// Returns whether most contexts have this binding.
    pub(super) fn is_common(&self) -> bool {
        self.contexts.len() * 2 >= KeyContext::ALL.len()
    }

    /// Returns the contexts of a common binding in words.
    pub(super) fn place(&self) -> String {
        let others = KeyContext::ALL.iter().filter(|context| !self.contexts.contains(context));
        let others: Vec<&str> = others.map(|context| context.label()).collect();
        match others.is_empty() {
            true => "everywhere".to_owned(),
            false => format!("everywhere except: {}", others.join(", ")),
        }
    }

    /// Returns the word for the footer. Those of the review's choices come from the newest step of the migration.
    pub fn hint(&self) -> Option<&'static str> {
        let choices = migration::current().choices();
        match self.action {
            Action::ChooseFirst => choices.first().copied(),
            Action::ChooseSecond => choices.get(1).copied(),
            _ => self.hint,
        }
    }

    /// The keys, read.
    pub fn keys(&self) -> impl Iterator<Item = Option<Key>> {
        self.keys.iter().map(|text| Key::parse(text))
    }
}

const LISTS: &[KeyContext] = &[KeyContext::Connectors, KeyContext::Review, KeyContext::Step];
const MOVING: &[KeyContext] = &[
    KeyContext::Messages,
    KeyContext::Connectors,
    KeyContext::Review,
    KeyContext::Detail,
    KeyContext::Overview,
    KeyContext::History,
    KeyContext::Step,
    KeyContext::Backups,
    KeyContext::Sync,
    KeyContext::Help,
];
const UNDOING: &[KeyContext] = &[
    KeyContext::Connectors,
    KeyContext::Detail,
    KeyContext::Review,
    KeyContext::History,
    KeyContext::Step,
    KeyContext::Sync,
];
const REDOING: &[KeyContext] =
    &[KeyContext::Connectors, KeyContext::Detail, KeyContext::History, KeyContext::Step, KeyContext::Sync];
const READING: &[KeyContext] = &[KeyContext::Connectors, KeyContext::Review, KeyContext::Detail];
const HELPED: &[KeyContext] = &[
    KeyContext::Messages,
    KeyContext::Connectors,
    KeyContext::Review,
    KeyContext::Detail,
    KeyContext::Overview,
    KeyContext::History,
    KeyContext::Step,
    KeyContext::Backups,
    KeyContext::Sync,
];

const fn row(
    action: Action,
    keys: &'static [&'static str],
    contexts: &'static [KeyContext],
    hint: Option<&'static str>,
    help: &'static str,
) -> Binding {
    Binding { action, keys, contexts, hint, help, writes: false }
}

const fn writing(
    action: Action,
    keys: &'static [&'static str],
    contexts: &'static [KeyContext],
    hint: Option<&'static str>,
    help: &'static str,
) -> Binding {
    Binding { action, keys, contexts, hint, help, writes: true }
}

/// All bindings. Their order is the order of the footer and of the help.
pub const TABLE: &[Binding] = &[
    writing(Action::Apply, &["A"], &[KeyContext::Review], Some("apply"), "apply the plan with the decisions made"),
    writing(
        Action::ChooseFirst,
        &["a"],
        &[KeyContext::Review],
        Some("first choice"),
        "accept what the plan proposes (shared), for the record or all selected",
    ),
    writing(
        Action::ChooseSecond,
        &["p"],
        &[KeyContext::Review],
        Some("second choice"),
        "choose the other value (per-user), for the record or all selected",
    ),
    writing(
        Action::Skip,
        &["s"],
        &[KeyContext::Review],
        Some("skip"),
        "skip the record or all selected: they stay pending",
    ),
    writing(Action::Rollback, &["U"], &[KeyContext::Review], Some("roll back"), "roll the last run back"),
    writing(Action::Redo, &["Ctrl-r"], &[KeyContext::Review], Some("redo"), "redo the last undone step"),
    writing(Action::Push, &["P"], &[KeyContext::Sync], Some("push"), "push the selected connectors to Kibana, or all"),
    writing(Action::Pull, &["p"], &[KeyContext::Sync], Some("pull"), "pull changes from Kibana"),
    writing(Action::Fetch, &["f"], &[KeyContext::Sync], Some("fetch"), "fetch the state of Kibana and compare"),
    writing(
        Action::KeepLocal,
        &["h"],
        &[KeyContext::Sync],
        Some("keep local"),
        "keep local: keep what the file has, for the connector or all selected",
    ),
    writing(
        Action::UseRemote,
        &["t"],
        &[KeyContext::Sync],
        Some("use Kibana's"),
        "use Kibana's: replace what the file has, for the connector or all selected",
    ),
    row(Action::NextGroup, &["g"], &[KeyContext::Sync], Some("group"), "show one group, or all"),
    row(Action::Select, &["Space"], &[KeyContext::Sync], Some("select"), "select or deselect the row"),
    row(Action::SelectAll, &["*"], &[KeyContext::Sync], None, "select all rows, or deselect all"),
    row(
        Action::AllowDelete,
        &["d"],
        &[KeyContext::Sync],
        Some("allow deletes"),
        "deletes on or off: a push deletes in Kibana what was deleted in the file",
    ),
    row(
        Action::AllowLoss,
        &["L"],
        &[KeyContext::Sync],
        Some("allow losses"),
        "secret loss on or off: a push may cost Kibana secrets",
    ),
    row(
        Action::Open,
        &["Enter"],
        &[KeyContext::Connectors, KeyContext::Step],
        Some("open"),
        "show the whole connector",
    ),
    row(Action::Open, &["Enter"], &[KeyContext::Sync], Some("open"), "show all that differs, with both sides"),
    row(Action::Open, &["Enter"], &[KeyContext::Overview], Some("show"), "show the connectors of the bar, or the step"),
    row(Action::Open, &["Enter"], &[KeyContext::History], Some("records"), "show the connectors of the step"),
    writing(Action::Revert, &["U"], &[KeyContext::History], Some("revert"), "revert this step"),
    writing(
        Action::Revert,
        &["U"],
        &[KeyContext::Step],
        Some("revert"),
        "revert what the step changed in the connector or all selected",
    ),
    writing(Action::Edit, &["e"], READING, Some("edit"), "edit the connector in the form"),
    writing(Action::Edit, &["e"], &[KeyContext::Sync], Some("edit"), "edit the connector in the form"),
    writing(
        Action::ToggleMode,
        &["t"],
        &[KeyContext::Connectors, KeyContext::Detail],
        Some("mode"),
        "toggle the auth mode of the connector or all selected",
    ),
    row(
        Action::Filter,
        &["/"],
        LISTS,
        Some("filter"),
        "filter: words, type: auth: authtype: needs:migration is:blocked, -not",
    ),
    row(Action::Open, &["Enter"], &[KeyContext::Help], Some("run"), "run the command on the screen below"),
    row(Action::Filter, &["/"], &[KeyContext::Help], Some("search"), "search keys, commands and filter terms"),
    row(
        Action::NextGroup,
        &["Tab"],
        &[KeyContext::Help],
        Some("all screens"),
        "show the keys of all screens, or of one",
    ),
    row(Action::Review, &["m"], &[KeyContext::Connectors], Some("review"), "review the migration of the records"),
    row(
        Action::Sync,
        &["K"],
        &[KeyContext::Connectors, KeyContext::Detail],
        Some("Kibana"),
        "compare with Kibana: what to push, what to pull",
    ),
    writing(
        Action::ResetDecision,
        &["r"],
        &[KeyContext::Review],
        None,
        "reset the decision for the record or all selected",
    ),
    row(Action::NextGroup, &["g"], &[KeyContext::Review], Some("group"), "show one group of the plan, or all"),
    writing(Action::New, &["n"], &[KeyContext::Connectors], Some("new"), "create a connector"),
    writing(
        Action::NextMissing,
        &["N"],
        &[KeyContext::Connectors, KeyContext::Detail],
        Some("fill in"),
        "next missing secrets: fill in those of the next connector",
    ),
    row(Action::Select, &["Space"], LISTS, Some("select"), "select or deselect the row"),
    row(Action::SelectRange, &["v"], LISTS, None, "select all rows from the last selected one to this one"),
    row(Action::SelectAll, &["*"], LISTS, None, "select all (filtered), or deselect all"),
    writing(
        Action::Duplicate,
        &["c"],
        &[KeyContext::Connectors, KeyContext::Detail],
        None,
        "duplicate the connector with its secrets",
    ),
    writing(
        Action::Delete,
        &["d", "Del"],
        &[KeyContext::Connectors, KeyContext::Detail],
        None,
        "delete the connector or all selected",
    ),
    row(
        Action::SortNext,
        &["s", "o"],
        &[KeyContext::Connectors, KeyContext::Step],
        Some("sort"),
        "sort by the next column",
    ),
    row(Action::SortReverse, &["S", "O"], &[KeyContext::Connectors, KeyContext::Step], None, "sort the other way"),
    row(Action::SortNext, &["o"], &[KeyContext::Review], Some("sort"), "sort each group by the next column"),
    row(Action::SortReverse, &["O"], &[KeyContext::Review], None, "sort the other way"),
    writing(Action::Import, &["i"], &[KeyContext::Connectors], Some("import"), "import an export of Kibana"),
    row(
        Action::Export,
        &["x"],
        &[KeyContext::Connectors],
        Some("export"),
        "export the selected connectors, or those of the filter",
    ),
    writing(Action::Undo, &["u"], UNDOING, Some("undo"), "undo the last change"),
    writing(Action::Redo, &["Ctrl-r"], REDOING, Some("redo"), "redo the last undone step"),
    row(Action::History, &["H"], READING, Some("history"), "history of changes"),
    writing(
        Action::Execute,
        &["!"],
        &[KeyContext::Connectors, KeyContext::Detail],
        None,
        "test in Kibana (runs the connector for real)",
    ),
    row(Action::Overview, &["D"], READING, Some("overview"), "overview in numbers"),
    row(Action::Backups, &["b"], &[KeyContext::History], Some("backups"), "backups of the file"),
    row(Action::Backups, &["b"], READING, None, "backups of the file"),
    writing(Action::CreateBackup, &["b"], &[KeyContext::Backups], Some("back up"), "create a backup of the file"),
    writing(Action::Restore, &["Enter"], &[KeyContext::Backups], Some("restore"), "restore the backup"),
    row(Action::CopyText, &["y"], READING, None, "copy the id, the name, the config or the JSON of the connector"),
    writing(
        Action::BulkEdit,
        &["E"],
        &[KeyContext::Connectors],
        None,
        "bulk edit the selected connectors, or those of the filter",
    ),
    row(
        Action::Compare,
        &["="],
        &[KeyContext::Connectors],
        None,
        "compare two selected connectors, or the selected one with the current one",
    ),
    row(Action::Compare, &["="], &[KeyContext::Detail], None, "compare the connector with what it was before a step"),
    row(Action::SavedViews, &["F"], &[KeyContext::Connectors], None, "saved views: open, save and delete filters"),
    row(Action::OpenFile, &["Ctrl-o"], &[KeyContext::Connectors], None, "open a recent file"),
    row(Action::Columns, &["C"], &[KeyContext::Connectors], None, "choose the columns and their widths"),
    row(Action::Theme, &["T"], HELPED, None, "theme: auto, dark, light, high contrast, none"),
    row(Action::Messages, &["@"], HELPED, None, "messages: those shown since the start"),
    row(Action::About, &["V"], HELPED, None, "about: version, file and configuration"),
    row(Action::Mouse, &["M"], HELPED, None, "mouse on or off"),
    row(Action::Refresh, &["R"], HELPED, None, "reload the file"),
    row(Action::Down, &["Down", "j"], MOVING, None, "next row"),
    row(Action::Up, &["Up", "k"], MOVING, None, "previous row"),
    row(Action::PageDown, &["PgDn", "Ctrl-d", "Ctrl-f"], MOVING, None, "next page"),
    row(Action::PageUp, &["PgUp", "Ctrl-u", "Ctrl-b"], MOVING, None, "previous page"),
    row(Action::Top, &["Home"], MOVING, None, "first row"),
    row(Action::Bottom, &["End", "G"], MOVING, None, "last row"),
    writing(Action::Save, &["Ctrl-s"], &[KeyContext::Form], Some("save"), "show what will change, then save"),
    row(Action::NextField, &["Tab", "Down"], &[KeyContext::Form], Some("next"), "next field"),
    row(Action::PreviousField, &["Shift-Tab", "Up"], &[KeyContext::Form], None, "previous field"),
    row(Action::Right, &["Right"], &[KeyContext::Form], None, "next choice; in a text, one character on"),
    row(Action::Left, &["Left"], &[KeyContext::Form], None, "previous choice; in a text, one character back"),
    row(Action::Change, &["Space"], &[KeyContext::Form], Some("change"), "flip a toggle, go to the next choice"),
    row(
        Action::Open,
        &["Enter"],
        &[KeyContext::Form],
        None,
        "choose the connector type; in a text of several lines, a new line; else the next field",
    ),
    row(
        Action::ClearField,
        &["Ctrl-x"],
        &[KeyContext::Form],
        Some("clear"),
        "clear a stored secret or a text, or keep it after all",
    ),
    row(
        Action::OpenEditor,
        &["Ctrl-o"],
        &[KeyContext::Form],
        Some("editor"),
        "edit the text or JSON of the field in $EDITOR",
    ),
    row(Action::Confirm, &["Enter"], &[KeyContext::Picker], Some("choose"), "choose the highlighted one"),
    row(Action::Down, &["Down"], &[KeyContext::Picker], None, "next one (type to search)"),
    row(Action::Up, &["Up"], &[KeyContext::Picker], None, "previous one"),
    row(Action::PageDown, &["PgDn"], &[KeyContext::Picker], None, "next page"),
    row(Action::PageUp, &["PgUp"], &[KeyContext::Picker], None, "previous page"),
    row(Action::Confirm, &["Enter"], &[KeyContext::Input], Some("done"), "keep the filter; use the file"),
    row(Action::Confirm, &["Enter", "Space"], &[KeyContext::Dialog], Some("choose"), "choose the highlighted answer"),
    row(Action::Left, &["Left", "Shift-Tab", "Up"], &[KeyContext::Dialog], None, "previous answer"),
    row(Action::Right, &["Right", "Tab", "Down"], &[KeyContext::Dialog], Some("other answer"), "next answer"),
    row(Action::Yes, &["y"], &[KeyContext::Dialog], Some("yes"), "yes: the answer that acts, if there is only one"),
    row(Action::No, &["n"], &[KeyContext::Dialog], Some("no"), "no: the answer that changes nothing"),
    row(Action::PageDown, &["PgDn"], &[KeyContext::Dialog], None, "scroll down"),
    row(Action::PageUp, &["PgUp"], &[KeyContext::Dialog], None, "scroll up"),
    row(Action::Palette, &[":"], HELPED, Some("commands"), "command palette"),
    row(
        Action::Back,
        &["Esc"],
        &[
            KeyContext::Detail,
            KeyContext::Review,
            KeyContext::Overview,
            KeyContext::History,
            KeyContext::Step,
            KeyContext::Backups,
            KeyContext::Sync,
            KeyContext::Messages,
            KeyContext::Form,
            KeyContext::Picker,
            KeyContext::Input,
            KeyContext::Dialog,
            KeyContext::Help,
        ],
        Some("back"),
        "back: clear selection, filter, dialog, screen; cancel a running job",
    ),
    row(
        Action::Back,
        &["Esc"],
        &[KeyContext::Connectors],
        None,
        "clear the selection, then the filter; cancel a running job",
    ),
    row(Action::Help, &["?", "F1"], HELPED, Some("help"), "keyboard shortcuts"),
    row(Action::Help, &["F1"], &[KeyContext::Form], Some("help"), "keyboard shortcuts"),
    row(Action::Quit, &["q"], &[KeyContext::Connectors], Some("quit"), "quit"),
    row(
        Action::Quit,
        &["q"],
        &[
            KeyContext::Detail,
            KeyContext::Review,
            KeyContext::Overview,
            KeyContext::History,
            KeyContext::Step,
            KeyContext::Backups,
            KeyContext::Sync,
            KeyContext::Messages,
            KeyContext::Help,
        ],
        None,
        "back to the screen before",
    ),
    row(Action::QuitNow, &["Ctrl-c"], KeyContext::ALL, None, "quit (confirms if a form has changes)"),
    row(Action::Suspend, &["Ctrl-z"], KeyContext::ALL, None, "suspend to the shell"),
    row(Action::Redraw, &["Ctrl-l"], KeyContext::ALL, None, "redraw the screen"),
];
