//! Other words for actions: those of git, vim, k9s, lazygit, Kibana and the menus of desktop programs. The command palette
//! finds an action by them.

use super::action::Action;

impl Action {
    /// Returns other words for the action, with blanks between them.
    pub fn aliases(self) -> &'static str {
        match self {
            Action::Undo => "back ctrl-z oops previous",
            Action::Redo => "repeat again forward",
            Action::History => "log changes timeline audit journal events revert reflog steps activity blame",
            Action::Backups | Action::CreateBackup => "snapshot restore dump archive recover copy-of-file",
            Action::Help => "shortcuts keys bindings keyboard manual docs ? f1 cheatsheet",
            Action::Palette => "commands menu",
            Action::Theme => "colours colors dark light appearance skin contrast",
            Action::About => {
                "settings config configuration preferences options version info setup environment path customize rebind"
            }
            Action::Messages => "notifications log errors console output alerts warnings",
            Action::Quit => "exit close leave bye :q q! logout",
            Action::QuitNow => "exit kill force",
            Action::Suspend => "background shell ctrl-z fg bg",
            Action::Redraw => "repaint clear ctrl-l",
            Action::Refresh => "refresh reread update-view sync-view ctrl-r f5 again",
            Action::Sync => {
                "remote kibana push pull fetch login connect deploy upload download status conflicts resolve \
                 spaces synchronize server publish"
            }
            Action::Push => "send upload publish deploy",
            Action::Pull => "download merge get update",
            Action::Fetch => "refresh look status",
            Action::KeepLocal => "ours mine",
            Action::UseRemote => "theirs accept",
            Action::Review => "migrate migration upgrade plan rollback apply backfill convert model-version",
            Action::Apply => "migrate run go execute commit",
            Action::Rollback => "undo revert back",
            Action::ChooseFirst => "accept shared",
            Action::ChooseSecond => "per-user",
            Action::Skip => "ignore later",
            Action::ResetDecision => "unset clear",
            Action::Open => "show details describe inspect get read see",
            Action::Edit => "change modify update alter fix repair secrets password write",
            Action::New => "add insert make connector",
            Action::Duplicate => "clone cp",
            Action::Delete => "remove rm drop kill destroy erase trash",
            Action::ToggleMode => "switch auth shared per-user authmode flip",
            Action::BulkEdit => "batch mass many multiple all",
            Action::Filter => "search find grep where query look",
            Action::SavedViews => "bookmarks favorites favourites filters queries save-filter searches",
            Action::SortNext | Action::SortReverse => "order arrange by",
            Action::Columns => "fields hide width layout table",
            Action::Select | Action::SelectRange | Action::SelectAll => "mark pick tag choose visual",
            Action::Import => "load ndjson read",
            Action::Export => "save download dump ndjson write backup-to-file",
            Action::OpenFile => "recent switch load database",
            Action::Overview => "dashboard stats statistics summary numbers counts pulse home metrics charts",
            Action::NextMissing => "secrets passwords credentials tokens fill enter missing",
            Action::Execute => "run try ping check call",
            Action::Compare => "diff difference versus vs delta",
            Action::CopyText => "copy yank clipboard json id",
            Action::Mouse => "pointer click",
            Action::Revert => "undo back restore",
            Action::Restore => "recover load back",
            Action::Save => "write store :w ctrl-s",
            Action::NextGroup => "category tab",
            Action::AllowDelete => "deletes permit",
            Action::AllowLoss => "losses permit secrets",
            _ => "",
        }
    }
}
