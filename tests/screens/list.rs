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
    app.expect("1 of 197").press("Down j Up").expect("2 of 197");
    app.press("End").expect("197 of 197").expect("> 경보 채널");
    app.press("Home").expect("1 of 197").press("PgDn PgDn").expect("39 of 197").press("PgUp").expect("20 of 197");
}

#[test]
fn filter_applies_as_typed_and_esc_clears_it() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 80, 24);
    app.press("/").type_text("MONTRÉAL").expect("/MONTRÉAL").expect_not("of 197");
    app.press("Backspace").expect("/MONTRÉA");
    // In the filter, q and j are text.
    app.press("Ctrl-u").type_text("qj").expect("No connectors match");
    assert!(!app.is_quitting());
    app.press("Esc").expect(" of 197");
    app.press("/").type_text("is:coffee").expect("is:coffee is not known");
    app.press("Ctrl-u")
        .type_text("needs:migration is:blocked")
        .press("Enter")
        .expect("1 of 5")
        .expect("> Legacy import");
    // The cursor stays on its connector when the filter goes.
    app.press("Esc").expect(" of 197").expect("> Legacy import");
}

#[test]
fn sorting_keeps_the_cursor_on_its_connector() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 120, 40);
    app.press("Down Down").expect("> Audit webhook (9.4)");
    app.press("s").expect("TYPE ▲").expect("> Audit webhook (9.4)");
    app.press("S").expect("TYPE ▼").expect("> Audit webhook (9.4)");
    app.press("Home").expect("> xMatters (URL auth)");
}

#[test]
fn toggle_is_durable_and_undone_by_u() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 120, 40);
    let path = dir.path("demo.db");
    let before = records(&path);
    let secrets = "SELECT id, secrets, config, extra FROM connectors ORDER BY id";
    let kept = rows(&path, secrets);
    app.press("/").type_text("Ticket").press("Enter t").expect("per-user: each user");
    assert_eq!(rows(&path, "SELECT auth_mode FROM connectors WHERE name LIKE 'Ticket%'"), ["\"per-user\""]);
    assert_eq!(rows(&path, secrets), kept);
    app.press("u").expect("Undid auth mode of Ticket webhook");
    assert_eq!(records(&path), before);
    app.press("u").expect("nothing to undo");
}

#[test]
fn steps_are_undone_in_reverse_order() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 120, 40);
    let path = dir.path("demo.db");
    let before = records(&path);
    app.press("/").type_text("Ticket").press("Enter t e").type_text("!").press("Ctrl-s Enter t c");
    app.press("Ctrl-s Enter d Right Enter");
    for kind in ["delete", "create", "auth mode", "edit", "auth mode"] {
        app.press("u").expect(&format!("Undid {kind} of "));
    }
    assert_eq!(records(&path), before);
}

#[test]
fn toggling_a_selection_confirms_once_and_is_one_step() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 80, 24);
    let path = dir.path("demo.db");
    let before = records(&path);
    app.press("Space Down Space v").expect("selected");
    app.press("t").expect("Toggle the auth mode").press("Esc").expect("selected");
    app.press("t Right Enter").expect("auth mode of");
    assert_ne!(records(&path), before);
    app.press("Esc u Right Enter").expect("Undid");
    assert_eq!(records(&path), before);
}

#[test]
fn delete_is_confirmed_and_can_be_undone() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 80, 24);
    let path = dir.path("demo.db");
    let before = records(&path);
    app.press("d").expect("Delete the connector “Acme pager (plugin type)”?").press("Enter").expect("of 197");
    app.press("d Right Enter").expect("deleted 1 connector").expect("of 196");
    app.press("*")
        .expect("196 selected")
        .press("Del Right Enter")
        .expect("deleted 196 connectors")
        .expect("No connectors yet.");
    app.press("u Right Enter").expect("Undid delete of 196 connectors");
    app.press("u").expect("Undid delete of Acme pager").expect("of 197");
    assert_eq!(records(&path), before);
}

#[test]
fn esc_goes_back_one_level_and_never_quits() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 80, 24);
    app.press("/").type_text("hook").press("Enter Space").expect("1 selected").expect("/hook");
    app.press("Esc").expect_not("selected").expect("/hook");
    app.press("Esc").expect_not("/hook").press("Esc Esc Esc");
    assert!(!app.is_quitting());
    app.press("q");
    assert!(app.is_quitting());
}

#[test]
fn export_is_imported_from_the_ui() {
    let dir = TestDir::new();
    let export = dir.write("export.ndjson", SAMPLE);
    let mut app = App::open(&dir.path("new.db"), 100, 30);
    app.expect("No connectors yet.").press("i").paste(&export.display().to_string()).press("Enter");
    app.expect("30 connectors, all of them new.").expect("22 connectors without secrets").expect("before 8.3");
    app.expect("backfill 4, stamp only 19, blocked 0")
        .press("Esc")
        .expect("No connectors yet.")
        .press("i")
        .expect(&export.display().to_string())
        .press("Enter Enter");
    app.expect("30 connectors imported: 30 new, 0 replaced.").expect("22 connectors without secrets");
    app.press("Enter").expect("1 of 30");
    app.press("i").paste(&export.display().to_string()).press("Enter").expect("These ids exist already");
    app.expect("30 of the ids in the export are in the file already, 0 are new.");
    app.press("Right Right Enter").expect("30 connectors imported: 30 new").press("Enter").expect("of 60");
    app.press("u Right Enter").expect("Undid import of 30 connectors").expect("of 30");
    app.press("i").type_text("/no/such/file").press("Enter").expect("That did not work").expect("/no/such/file");
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
    app.press("i").type_text(&format!("{}/", dir.folder.path().display())).expect("exports/").expect("folder");
    app.press("Down Enter").expect("production.ndjson").expect("staging.ndjson");
    app.expect_not("notes.txt").expect_not(".hidden").type_text("STA").expect_not("production");
    app.press("Tab").expect("exports/staging.ndjson").press("Enter").expect("30 connectors, all of them new.");
    app.press("Esc i").type_text("x").expect("no folders or .ndjson files that begin so");
    app.press("Esc i").type_text("/nowhere").type_text("/").expect("cannot be read");
}

#[test]
fn selected_or_filtered_connectors_are_exported() {
    let dir = TestDir::new();
    let mut app = App::open(&dir.demo(), 100, 30);
    let target = dir.path("out.ndjson");
    let lines = || std::fs::read_to_string(&target).unwrap().lines().count();
    app.press("Esc x").expect("Export all 197 to").type_text(target.to_str().unwrap()).press("Enter");
    app.expect("196 connectors to").expect("left out").expect("need secrets (exports never contain them)");
    assert_eq!(lines(), 197);
    app.press("Enter /").type_text("type:jira").press("Enter x").expect("of the filter to").press("Enter");
    app.expect("exists already").press("Esc");
    assert_eq!(lines(), 197, "nothing is replaced unasked");
    app.press("x Enter Right Enter").expect("Exported").press("Enter");
    let of_filter = lines();
    assert!(of_filter > 2 && of_filter < 197);
    app.press("Space Space x").expect("Export the 2 selected to").press("Enter Right Enter").expect("2 connectors to");
    assert_eq!(lines(), 3);
    let file = dir.path("demo.db");
    let before = std::fs::read(&file).unwrap();
    app.press("Enter x").press("Ctrl-u").type_text(file.to_str().unwrap()).press("Enter Right Enter");
    app.expect("is the connectors file itself");
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[test]
fn failed_path_can_be_corrected() {
    let dir = TestDir::new();
    let mut app = App::open(&dir.path("new.db"), 100, 30);
    app.press("i").type_text("~/no-such-export.ndjson").press("Enter").expect("That did not work").expect_not("~/no");
    app.press("Enter i").expect("~/no-such-export.ndjson");
}

#[test]
fn bad_export_is_refused_as_a_whole() {
    let dir = TestDir::new();
    let bad = dir.write("bad.ndjson", &format!("{}\n{{\"type\":\"action\"", SAMPLE.lines().next().unwrap()));
    let mut app = App::open(&dir.path("new.db"), 120, 30);
    app.press("i").paste(&bad.display().to_string()).press("Enter").expect("line 2").expect("Nothing was imported");
    app.press("Enter").expect("No connectors yet.");
}

#[test]
fn read_only_file_shows_its_plan_and_refuses_edits() {
    let dir = TestDir::new();
    let path = dir.demo();
    let bytes = std::fs::read(&path).unwrap();
    let mut app = App::start(&path, 120, 40, true, true);
    app.expect("READ-ONLY").expect("189 to migrate");
    app.press("m").expect("backfill 73, stamp only 111, blocked 5").expect("+ shared");
    for key in ["a", "p", "s", "A", "U", "e"] {
        app.press(key).expect("the file is open read-only");
    }
    app.press("Esc t").expect("the file is open read-only").press("n").expect("the file is open read-only");
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
    app.press("Down Up").expect("!renamed elsewhere");
    assert_eq!(untouched(&path).len(), untouched_before);
}

#[test]
fn unreadable_file_is_reported_once_and_can_be_closed() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 100, 30);
    execute(&dir.path("demo.db"), "ALTER TABLE connectors RENAME TO elsewhere");
    app.press("Down R").expect("The file cannot be read").press("Enter").expect_not("The file cannot be read");
    app.press("Down t e").press("Esc");
    execute(&dir.path("demo.db"), "ALTER TABLE elsewhere RENAME TO connectors");
    app.press("Esc R").expect(" of 197").press("q");
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
    app.press("Space d").expect("Delete the selected connector").expect(selected.trim_matches('"'));
    app.press("Esc t").expect("The selected connector (not the current one)").press("Right Enter");
    app.expect("Acme pager (plugin type) is per-user now");
}

#[test]
fn new_record_is_selected_and_a_hiding_filter_is_reported() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 100, 30);
    app.press("n").type_text("server log").press("Enter").type_text("Zulu log").press("Ctrl-s Enter");
    app.expect("created: Zulu log").expect("> Zulu log");
    app.press("/").type_text("webhook").press("Enter n").type_text("server log").press("Enter").type_text("Yankee log");
    app.press("Ctrl-s Enter").expect("the filter hides the connector");
}

#[test]
fn keys_on_a_tiny_screen_do_nothing() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 100, 30);
    let before = records(&dir.path("demo.db"));
    app.resize(20, 5).press("t d Enter Right Enter n").resize(100, 30);
    app.expect("Connectors").expect("1 of 197");
    assert_eq!(records(&dir.path("demo.db")), before);
}

#[test]
fn alt_and_a_key_is_esc_and_the_key() {
    let dir = TestDir::new();
    let mut app = opened(&dir, 100, 30);
    app.press("/").type_text("webhook").press("Enter Alt-/").type_text("notion").expect("/notion");
}
