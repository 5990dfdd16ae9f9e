//! The README's pictures come from the real screens, and its table of keys from the table of actions.
//! After an intended change: `UPDATE_DOCS=1 cargo test --test screens pictures`.

use std::path::{Path, PathBuf};

use crate::support::{App, Place, svg};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

#[track_caller]
fn check(path: &Path, wanted: &str) {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, wanted).expect("written");
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(found == wanted, "{} is stale: UPDATE_DOCS=1 cargo test --test screens pictures", path.display());
}

#[test]
fn the_pictures_are_the_programs() {
    let place = Place::new();
    let path = place.demo();
    let mut app = App::open(&path, 110, 30);
    app.press("Down Down p s Down");
    let review = svg::picture(&app.buffer());
    // The name of the copy holds the time.
    let stamp = regex_free_stamp(&review);
    check(&root().join("assets/screen-review.svg"), &review.replace(&stamp, "20261125T120000Z"));
    app.press("Esc /").type_text("webhook").press("Enter Down Down Space Down Down");
    check(&root().join("assets/screen-connectors.svg"), &svg::picture(&app.buffer()));
    app.press("Esc Esc /").type_text("\"Ticket webhook\"").press("Enter e Down Space");
    check(&root().join("assets/screen-form.svg"), &svg::picture(&app.buffer()));
    let mut app = App::open(&path, 110, 30);
    app.press("Esc D Down Down Down");
    check(&root().join("assets/screen-overview.svg"), &svg::picture(&app.buffer()));
    let place = Place::new();
    let mut app = App::open(&place.demo(), 110, 16);
    app.press("Down p p s A Right Enter Enter Esc / \"").type_text("Aurora runbooks").press("\" Enter t Esc");
    app.press("Home Space Down Space d Right Enter u Right Enter H");
    check(&root().join("assets/screen-history.svg"), &svg::picture(&app.buffer()));
}

/// The time in `….schema1-20261125T120000Z.bak`.
fn regex_free_stamp(picture: &str) -> String {
    let at = picture.find(".schema1-").expect("the copy's name") + ".schema1-".len();
    picture[at..].chars().take("20261125T120000Z".len()).collect()
}

#[test]
fn the_readme_has_the_keys_of_the_program() {
    let path = root().join("README.md");
    let readme = std::fs::read_to_string(&path).expect("a README");
    let (head, rest) = readme.split_once("<!-- keys -->\n").expect("the place of the keys");
    let (_, tail) = rest.split_once("<!-- /keys -->").expect("its end");
    check(&path, &format!("{head}<!-- keys -->\n{}<!-- /keys -->{tail}", connector_admin::keymap::markdown()));
}
