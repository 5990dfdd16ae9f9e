//! Every screen at 80x24, 120x40 and 40x10, as text and as styles, with colour and with NO_COLOR. After an intended
//! change: `INSTA_UPDATE=always cargo test`, then review the difference.

use crate::support::{App, TestDir, styles_of, text_of};
use connector_admin::domain::Catalogue;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (40, 10)];

fn snapshot(name: &str, keys: impl Fn(&mut App)) {
    for (width, height) in SIZES {
        let dir = TestDir::new();
        let buffers = [true, false].map(|colour| {
            let file = dir.path(if colour { "colour" } else { "plain" });
            std::fs::create_dir(&file).expect("a folder");
            let path = file.join("demo.db");
            connector_admin::demo::Demo::create(Some(&path), Catalogue::built_in()).expect("the demo").finish();
            let mut app = App::start(&path, width, height, colour, false);
            keys(&mut app);
            app.buffer()
        });
        let [coloured, plain] = [&buffers[0], &buffers[1]].map(|buffer| without_stamp(&text_of(buffer)));
        assert_eq!(coloured, plain, "colour changes the text of {name}");
        let shown = format!(
            "{}\n--- styles\n{}\n--- styles with NO_COLOR\n{}",
            text_of(&buffers[0]),
            styles_of(&buffers[0]),
            styles_of(&buffers[1])
        );
        let mut settings = insta::Settings::clone_current();
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.add_filter(r"(schema1|backup|replaced)-\d{8}T\d{6}Z", "$1-<time>");
        settings.bind(|| insta::assert_snapshot!(format!("{name}-{width}x{height}"), shown));
    }
}

/// The copy's name holds the time.
fn without_stamp(text: &str) -> String {
    text.lines().filter(|line| !line.contains("schema1-") && !line.contains("backup-")).collect()
}

#[test]
fn the_review_of_a_freshly_upgraded_file() {
    snapshot("review", |app| {
        app.act("choose-second skip select select");
    });
}

#[test]
fn the_question_before_applying() {
    snapshot("review-apply", |app| {
        app.act("choose-second skip apply");
    });
}

#[test]
fn the_list() {
    snapshot("connectors", |app| {
        app.act("back down down select down");
    });
}

#[test]
fn the_list_with_a_filter_being_typed() {
    snapshot("connectors-filter", |app| {
        app.act("back filter").type_text("type:webhook is:blocked");
    });
}

#[test]
fn one_connector() {
    snapshot("detail", |app| {
        app.act("back filter").type_text("障害対応").press("Enter Enter");
    });
}

#[test]
fn the_form() {
    snapshot("form", |app| {
        app.act("back filter").type_text("numeric").act("confirm edit");
    });
}

/// The form of connector types with different fields, new or of the demo.
#[test]
fn the_forms_of_connector_types() {
    for (name, keys) in
        [("email", ".email"), ("servicenow", ".servicenow-sir"), ("slack_api", ".slack_api"), ("webhook", ".webhook")]
    {
        snapshot(&format!("form-new-{name}"), |app| {
            app.act("back new").type_text(keys).act("confirm").type_text("New one");
        });
    }
    snapshot("form-new-oauth", |app| {
        app.act("back new")
            .type_text(".slack2")
            .act("confirm")
            .type_text("New one")
            .act("previous-field previous-field previous-field")
            .type_text("secret");
    });
    snapshot("form-unknown-type", |app| {
        app.act("back filter").type_text("\"SMS gateway\"").act("confirm edit next-field next-field");
    });
    snapshot("form-unreadable", |app| {
        app.act("back filter")
            .type_text("\"Release webhook\"")
            .act("confirm edit previous-field previous-field previous-field")
            .type_text("entered")
            .act("previous-field previous-field save");
    });
}

#[test]
fn the_changes_before_saving() {
    snapshot("form-changes", |app| {
        app.act("back filter")
            .type_text("Ticket webhook")
            .act("confirm edit")
            .type_text(" X")
            .act("next-field change save");
    });
}

#[test]
fn the_picker() {
    snapshot("picker", |app| {
        app.act("back new").type_text("service");
    });
}

#[test]
fn the_help() {
    snapshot("help", |app| {
        app.act("back help");
    });
}

#[test]
fn the_history_and_one_step() {
    snapshot("history", |app| {
        app.act("choose-second apply right confirm confirm back bottom toggle-mode up toggle-mode undo history");
    });
    snapshot("step", |app| {
        app.act("choose-second apply right confirm confirm back bottom toggle-mode history down open down select down");
    });
    snapshot("step-conflict", |app| {
        app.act("apply right confirm confirm back bottom toggle-mode history down revert right confirm confirm revert");
    });
}

#[test]
fn the_backups() {
    snapshot("backups", |app| {
        app.act("apply right confirm confirm back history backups create-backup");
    });
}
