//! The list of connectors: moving, filter, sort, selection, toggle, delete, import.

use crate::support::{App, SAMPLE, TestDir, execute, records, rows, untouched};

fn opened(dir: &TestDir, width: u16, height: u16) -> App {
    let path = dir.demo();
    drop(App::open(&path, width, height));
    App::open(&path, width, height)
}

#[test]
fn moving_keeps_the_cursor_in_view() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 80, 24);
    app.expect("1 of 197").act("down down up").expect("2 of 197");
    app.act("bottom").expect("197 of 197").expect("> 경보 채널");
    app.act("top").expect("1 of 197").act("page-down page-down").expect("37 of 197").act("page-up").expect("19 of 197");
}

#[test]
fn filter_applies_as_typed_and_esc_clears_it() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 80, 24);
    app.act("filter").type_text("MONTRÉAL").expect("/MONTRÉAL").expect_not("of 197");
    app.press("Backspace").expect("/MONTRÉA");
    // In the filter, q and j are text.
    app.press("Ctrl-u").type_text("qj").expect("No connectors match");
    assert!(!app.is_quitting());
    app.act("back").expect(" of 197");
    app.act("filter").type_text("is:coffee").expect("is:coffee is not known");
    app.press("Ctrl-u")
        .type_text("needs:migration is:blocked")
        .act("confirm")
        .expect("1 of 5")
        .expect("> Legacy import");
    // The cursor stays on its connector when the filter goes.
    app.act("back").expect(" of 197").expect("> Legacy import");
}

#[test]
fn sorting_keeps_the_cursor_on_its_connector() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 120, 40);
    app.act("down down").expect("> Audit webhook (9.4)");
    app.act("sort-next").expect("TYPE ▲").expect("> Audit webhook (9.4)");
    app.act("sort-reverse").expect("TYPE ▼").expect("> Audit webhook (9.4)");
    app.act("top").expect("> xMatters (URL auth)");
}

#[test]
fn toggle_is_durable_and_undone_by_u() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 120, 40);
    let path = dir.path("demo.db");
    let before = records(&path);
    let secrets = "SELECT id, secrets, config, extra FROM connectors ORDER BY id";
    let kept = rows(&path, secrets);
    app.act("filter").type_text("Ticket").act("confirm toggle-mode").expect("per-user: each user");
    assert_eq!(rows(&path, "SELECT auth_mode FROM connectors WHERE name LIKE 'Ticket%'"), ["\"per-user\""]);
    assert_eq!(rows(&path, secrets), kept);
    app.act("undo").expect("Undid auth mode of Ticket webhook");
    assert_eq!(records(&path), before);
    app.act("undo").expect("Nothing to undo");
}

#[test]
fn steps_are_undone_in_reverse_order() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 120, 40);
    let path = dir.path("demo.db");
    let before = records(&path);
    app.act("filter")
        .type_text("Ticket")
        .act("confirm toggle-mode edit")
        .type_text("!")
        .act("save yes toggle-mode duplicate");
    app.act("save yes delete right confirm");
    for kind in ["delete", "create", "auth mode", "edit", "auth mode"] {
        app.act("undo").expect(&format!("Undid {kind} of "));
    }
    assert_eq!(records(&path), before);
}

#[test]
fn toggling_a_selection_confirms_once_and_is_one_step() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 80, 24);
    let path = dir.path("demo.db");
    let before = records(&path);
    app.act("select down select select-range").expect("selected");
    app.act("toggle-mode").expect("Toggle the auth mode").act("back").expect("selected");
    app.act("toggle-mode right confirm").expect("auth mode of");
    assert_ne!(records(&path), before);
    app.act("back undo right confirm").expect("Undid");
    assert_eq!(records(&path), before);
}

#[test]
fn delete_is_confirmed_and_can_be_undone() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 80, 24);
    let path = dir.path("demo.db");
    let before = records(&path);
    app.act("delete").expect("Delete the connector “Acme pager (plugin type)”?").act("confirm").expect("of 197");
    app.act("delete right confirm").expect("Deleted 1 connector").expect("of 196");
    app.act("select-all")
        .expect("196 selected")
        .act("delete right confirm")
        .expect("Deleted 196 connectors")
        .expect("No connectors yet.");
    app.act("undo right confirm").expect("Undid delete of 196 connectors");
    app.act("undo").expect("Undid delete of Acme pager").expect("of 197");
    assert_eq!(records(&path), before);
}

#[test]
fn esc_goes_back_one_level_and_never_quits() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 80, 24);
    app.act("filter").type_text("hook").act("confirm select").expect("1 selected").expect("/hook");
    app.act("back").expect_not("selected").expect("/hook");
    app.act("back").expect_not("/hook").act("back back back");
    assert!(!app.is_quitting());
    app.act("quit");
    assert!(app.is_quitting());
}

#[test]
fn export_is_imported_from_the_ui() {
    let dir = TestDir::new();
    let export = dir.write("export.ndjson", SAMPLE);
    let mut app = App::open(&dir.path("new.db"), 100, 30);
    app.expect("No connectors yet.").act("import").paste(&export.display().to_string()).act("confirm");
    app.expect("30 connectors, all of them new.").expect("22 connectors need secrets").expect("before 8.3");
    app.expect("backfill 4, stamp only 19, blocked 0")
        .act("back")
        .expect("No connectors yet.")
        .act("import")
        .expect(&export.display().to_string())
        .act("confirm yes");
    app.expect("30 connectors imported: 30 new, 0 replaced.").expect("22 connectors need secrets");
    app.act("confirm").expect("1 of 30");
    app.act("import").paste(&export.display().to_string()).act("confirm").expect("These ids already exist");
    app.expect("30 of the ids in the export are in the file already, 0 are new.");
    app.act("right right confirm").expect("30 connectors imported: 30 new").act("confirm").expect("of 60");
    app.act("undo right confirm").expect("Undid import of 30 connectors").expect("of 30");
    app.act("import").type_text("/no/such/file").act("confirm").expect("The action failed").expect("/no/such/file");
}

#[test]
fn a_file_is_picked_from_its_folder() {
    let dir = TestDir::new();
    std::fs::create_dir(dir.path("exports")).unwrap();
    dir.write("exports/staging.ndjson", SAMPLE);
    dir.write("exports/production.ndjson", SAMPLE);
    dir.write("exports/notes.txt", "");
    dir.write("exports/.hidden.ndjson", "");
    let mut app = App::open(&dir.path("new.db"), 100, 30);
    app.act("import").type_text(&format!("{}/", dir.folder.path().display())).expect("exports/").expect("folder");
    app.press("Down").act("confirm").expect("production.ndjson").expect("staging.ndjson");
    app.expect_not("notes.txt").expect_not(".hidden").type_text("STA").expect_not("production");
    app.press("Tab").expect("exports/staging.ndjson").act("confirm").expect("30 connectors, all of them new.");
    app.act("back import").type_text("x").expect("no folder or .ndjson file starts with this");
    app.act("back import").type_text("/nowhere").type_text("/").expect("cannot be read");
}

#[test]
fn selected_or_filtered_connectors_are_exported() {
    let dir = TestDir::new();
    let mut app = App::open(&dir.demo(), 100, 30);
    let target = dir.path("out.ndjson");
    let lines = || std::fs::read_to_string(&target).unwrap().lines().count();
    app.act("back export").expect("Export all 197 to").type_text(target.to_str().unwrap()).act("confirm");
    app.expect("196 connectors to").expect("excluded").expect("without secrets (exports never contain them)");
    assert_eq!(lines(), 197);
    app.act("confirm filter").type_text("type:jira").act("confirm export").expect("of the filter to").act("confirm");
    app.expect("already exists").act("back");
    assert_eq!(lines(), 197, "nothing is replaced unasked");
    app.act("export confirm right confirm").expect("Exported").act("confirm");
    let of_filter = lines();
    assert!(of_filter > 2 && of_filter < 197);
    app.act("select select export")
        .expect("Export the 2 selected to")
        .act("confirm right confirm")
        .expect("2 connectors to");
    assert_eq!(lines(), 3);
    let file = dir.path("demo.db");
    let before = std::fs::read(&file).unwrap();
    app.act("confirm export").press("Ctrl-u").type_text(file.to_str().unwrap()).act("confirm right confirm");
    app.expect("is the connectors file itself");
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[test]
fn failed_path_can_be_corrected() {
    let dir = TestDir::new();
    let mut app = App::open(&dir.path("new.db"), 100, 30);
    app.act("import")
        .type_text("~/no-such-export.ndjson")
        .act("confirm")
        .expect("The action failed")
        .expect_not("~/no");
    app.act("confirm import").expect("~/no-such-export.ndjson");
}

#[test]
fn bad_export_is_refused_as_a_whole() {
    let dir = TestDir::new();
    let bad = dir.write("bad.ndjson", &format!("{}\n{{\"type\":\"action\"", SAMPLE.lines().next().unwrap()));
    let mut app = App::open(&dir.path("new.db"), 120, 30);
    app.act("import").paste(&bad.display().to_string()).act("confirm").expect("line 2").expect("Nothing was imported");
    app.act("confirm").expect("No connectors yet.");
}

#[test]
fn read_only_file_shows_its_plan_and_refuses_edits() {
    let dir = TestDir::new();
    let path = dir.demo();
    let bytes = std::fs::read(&path).unwrap();
    let mut app = App::start(&path, 120, 40, true, true);
    app.expect("READ-ONLY").expect("189 to migrate");
    app.act("review").expect("backfill 73, stamp only 111, blocked 5").expect("+ shared");
    for key in ["a", "p", "s", "A", "U", "e"] {
        app.press(key).expect("The file is open read-only");
    }
    app.act("back toggle-mode").expect("The file is open read-only").act("new").expect("The file is open read-only");
    drop(app);
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    assert_eq!(dir.names(), ["demo.db", "demo.db.keys"]);
}

#[test]
fn foreign_change_is_noticed() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 120, 40);
    let path = dir.path("demo.db");
    let untouched_before = untouched(&path).len();
    execute(&path, "UPDATE connectors SET name = '!renamed elsewhere' WHERE name LIKE 'Ticket%'");
    app.act("down up").expect("!renamed elsewhere");
    assert_eq!(untouched(&path).len(), untouched_before);
}

#[test]
fn unreadable_file_is_reported_once_and_can_be_closed() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 100, 30);
    execute(&dir.path("demo.db"), "ALTER TABLE connectors RENAME TO elsewhere");
    app.act("down").press("R").expect("The file cannot be read").act("confirm").expect_not("The file cannot be read");
    app.act("down").type_text("te").act("back");
    execute(&dir.path("demo.db"), "ALTER TABLE elsewhere RENAME TO connectors");
    app.act("back refresh").expect(" of 197").act("quit");
    assert!(app.is_quitting());
}

#[test]
fn confirmation_applies_to_the_rows_it_named() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 100, 30);
    let id =
        |path: &std::path::Path, name: &str| rows(path, &format!("SELECT id FROM connectors WHERE name = '{name}'"));
    let path = dir.path("demo.db");
    // Selecting moves the cursor; the confirmation is still about the selected row.
    let selected = id(&path, "Acme pager (plugin type)").concat();
    app.act("select delete").expect("Delete the selected connector").expect(selected.trim_matches('"'));
    app.act("back toggle-mode").expect("The selected connector (not the current one)").act("right confirm");
    app.expect("Acme pager (plugin type) is per-user now");
}

#[test]
fn new_record_is_selected_and_a_hiding_filter_is_reported() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 100, 30);
    app.act("new").type_text("server log").act("confirm").type_text("Zulu log").act("save yes");
    app.expect("Created Zulu log").expect("> Zulu log");
    app.act("filter")
        .type_text("webhook")
        .act("confirm new")
        .type_text("server log")
        .act("confirm")
        .type_text("Yankee log");
    app.act("save yes").expect("the filter hides the connector");
}

#[test]
fn keys_on_a_tiny_screen_do_nothing() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 100, 30);
    let before = records(&dir.path("demo.db"));
    app.resize(20, 5).act("toggle-mode delete open").press("Right").act("open new").resize(100, 30);
    app.expect("Connectors").expect("1 of 197");
    assert_eq!(records(&dir.path("demo.db")), before);
}

#[test]
fn alt_and_a_key_is_esc_and_the_key() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 100, 30);
    app.act("filter").type_text("webhook").press("Enter Alt-/").type_text("notion").expect("/notion");
}
