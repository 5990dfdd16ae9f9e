//! The pictures of the documentation come from the real screens, and its table of keys from the table of actions.
//! After an intended change: `UPDATE_DOCS=1 cargo test --test screens pictures`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use connector_admin::domain::Remote;
use connector_admin::domain::remote::{RemoteConnector, Snapshot};
use connector_admin::store::{ModeChange, Store};

use crate::support::{App, TestDir, execute, svg};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

#[track_caller]
fn check(path: &Path, wanted: &str) {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, wanted).expect("Written");
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(found == wanted, "{} is stale: UPDATE_DOCS=1 cargo test --test screens pictures", path.display());
}

#[test]
fn pictures_match_the_screens() {
    let dir = TestDir::new();
    let path = dir.demo();
    let mut app = App::open(&path, 110, 30);
    app.act("down down choose-second skip down");
    let review = svg::picture(&app.buffer());
    // The name of the copy holds the time.
    let stamp = regex_free_stamp(&review);
    check(&root().join("assets/screen-review.svg"), &review.replace(&stamp, "20261125T120000Z"));
    app.act("back filter").type_text("webhook").act("confirm down down select down down");
    check(&root().join("assets/screen-connectors.svg"), &svg::picture(&app.buffer()));
    app.act("back back filter").type_text("\"Ticket webhook\"").act("confirm edit next-field change");
    check(&root().join("assets/screen-form.svg"), &svg::picture(&app.buffer()));
    let mut app = App::open(&path, 110, 30);
    app.act("back overview down down down");
    check(&root().join("assets/screen-overview.svg"), &svg::picture(&app.buffer()));
    let dir = TestDir::new();
    let mut app = App::open(&dir.demo(), 110, 16);
    app.press("Down p p s A Right Enter Enter Esc / \"").type_text("Aurora runbooks").press("\" Enter t Esc");
    app.act("top select down select delete right confirm undo right confirm history");
    check(&root().join("assets/screen-history.svg"), &svg::picture(&app.buffer()));
}

/// A file whose Kibana was read once, and both sides were edited since.
fn working_copy(dir: &TestDir) -> PathBuf {
    let path = dir.demo();
    // As after a pull: the secrets are in Kibana.
    execute(&path, "UPDATE connectors SET secrets = NULL, is_missing_secrets = 0");
    let (mut store, _) = Store::open(&path, &Arc::default(), &mut |_| Ok(())).expect("opens");
    store.apply(true, "2026-11-25T11:00:00.000Z", &mut |_, _| true).expect("migrated");
    let mut all = Vec::new();
    store
        .each::<connector_admin::store::StoreError>(|connector| {
            all.push(connector);
            Ok(())
        })
        .expect("read");
    let mut message: Vec<RemoteConnector> = all
        .iter()
        .filter(|connector| connector.config_object().is_ok())
        .map(|connector| RemoteConnector {
            id: connector.id.clone(),
            snapshot: Snapshot::of(connector),
            managed_by: None,
            referenced_by: 0,
        })
        .collect();
    message.push(RemoteConnector {
        id: "pre-slack".to_owned(),
        snapshot: Snapshot { name: "On-call (kibana.yml)".to_owned(), ..message[0].snapshot.clone() },
        managed_by: Some("configuration"),
        referenced_by: 0,
    });
    let mut remote = Remote::new("prod", "https://kibana.meridian.example:5601", Some("operations")).expect("a remote");
    (remote.version, remote.knows_modes) = (Some("9.4.0".to_owned()), true);
    remote.fetched_at = Some("2026-11-25T11:58:00.000Z".to_owned());
    store.put_remote(&remote).expect("kept");
    store.record_snapshot(&remote, &message).expect("kept");
    // Two were renamed in Kibana since, one of them locally too.
    for (at, name) in [(20, "Renamed in Kibana"), (21, "Also renamed there")] {
        message[at].snapshot.name = name.to_owned();
    }
    store.record_snapshot(&remote, &message).expect("kept");
    let ids =
        |range: std::ops::Range<usize>| -> Vec<String> { message[range].iter().map(|one| one.id.clone()).collect() };
    store.set_auth_mode(&ids(0..6), ModeChange::Toggle, "2026-11-25T11:59:00.000Z").expect("toggled");
    store.delete(&ids(12..13), "2026-11-25T11:59:00.000Z").expect("deleted");
    drop(store);
    execute(&path, &format!("UPDATE connectors SET name = 'Renamed here' WHERE id = '{}'", message[21].id));
    execute(
        &path,
        "UPDATE connectors SET name = name || ' (new)' WHERE connector_type_id IN ('.server-log', '.index')",
    );
    path
}

#[test]
fn sync_picture_matches_the_screen() {
    let dir = TestDir::new();
    let mut app = App::open(&working_copy(&dir), 110, 30);
    app.act("sync next-group back");
    check(&root().join("assets/screen-sync.svg"), &svg::picture(&app.buffer()));
}

/// The time in `….schema1-20261125T120000Z.bak`.
fn regex_free_stamp(picture: &str) -> String {
    let at = picture.find(".schema1-").expect("the copy's name") + ".schema1-".len();
    picture[at..].chars().take("20261125T120000Z".len()).collect()
}

#[test]
fn tables_of_the_docs_match_the_program() {
    let keys = connector_admin::tui::keymap::KeyMap::default().markdown();
    for (page, name, table) in [("keys", "keys", keys), ("cli", "filters", connector_admin::domain::filter::markdown())]
    {
        let path = root().join(format!("docs/{page}.md"));
        let text = std::fs::read_to_string(&path).expect("the page");
        let (start, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
        let (head, rest) = text.split_once(&start).expect("the start of the table");
        let (_, tail) = rest.split_once(&end).expect("the end of the table");
        check(&path, &format!("{head}{start}{table}{end}{tail}"));
    }
}
