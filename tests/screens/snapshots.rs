//! Every screen at 80x24, 120x40 and 40x10, as text and as styles, with colour and with NO_COLOR. After an intended
//! change: `INSTA_UPDATE=always cargo test`, then review the difference.

use crate::support::{App, TestDir, styles_of, text_of};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (40, 10)];

fn snapshot(name: &str, keys: impl Fn(&mut App)) {
    for (width, height) in SIZES {
        let dir = TestDir::new();
        let buffers = [true, false].map(|colour| {
            let file = dir.path(if colour { "colour" } else { "plain" });
            std::fs::create_dir(&file).expect("a folder");
            let path = file.join("demo.db");
            connector_admin::demo::Demo::create(Some(&path)).expect("the demo").finish();
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
        app.press("p s Space Space");
    });
}

#[test]
fn the_question_before_applying() {
    snapshot("review-apply", |app| {
        app.press("p s A");
    });
}

#[test]
fn the_list() {
    snapshot("connectors", |app| {
        app.press("Esc Down Down Space Down");
    });
}

#[test]
fn the_list_with_a_filter_being_typed() {
    snapshot("connectors-filter", |app| {
        app.press("Esc /").type_text("type:webhook is:blocked");
    });
}

#[test]
fn one_connector() {
    snapshot("detail", |app| {
        app.press("Esc /").type_text("障害対応").press("Enter Enter");
    });
}

#[test]
fn the_form() {
    snapshot("form", |app| {
        app.press("Esc /").type_text("numeric").press("Enter e");
    });
}

/// The form of connector types with different fields, new or of the demo.
#[test]
fn the_forms_of_connector_types() {
    for (name, keys) in
        [("email", ".email"), ("servicenow", ".servicenow-sir"), ("slack_api", ".slack_api"), ("webhook", ".webhook")]
    {
        snapshot(&format!("form-new-{name}"), |app| {
            app.press("Esc n").type_text(keys).press("Enter").type_text("New one");
        });
    }
    snapshot("form-new-oauth", |app| {
        app.press("Esc n")
            .type_text(".slack2")
            .press("Enter")
            .type_text("New one")
            .press("Up Up Up")
            .type_text("secret");
    });
    snapshot("form-unknown-type", |app| {
        app.press("Esc /").type_text("\"SMS gateway\"").press("Enter e Down Down");
    });
    snapshot("form-unreadable", |app| {
        app.press("Esc /")
            .type_text("\"Release webhook\"")
            .press("Enter e Up Up Up")
            .type_text("entered")
            .press("Up Up Ctrl-s");
    });
}

#[test]
fn the_changes_before_saving() {
    snapshot("form-changes", |app| {
        app.press("Esc /").type_text("Ticket webhook").press("Enter e").type_text(" X").press("Down Space Ctrl-s");
    });
}

#[test]
fn the_picker() {
    snapshot("picker", |app| {
        app.press("Esc n").type_text("service");
    });
}

#[test]
fn the_help() {
    snapshot("help", |app| {
        app.press("Esc ?");
    });
}

#[test]
fn the_history_and_one_step() {
    snapshot("history", |app| {
        app.press("p A Right Enter Enter Esc End t Up t u H");
    });
    snapshot("step", |app| {
        app.press("p A Right Enter Enter Esc End t H Down Enter Down Space Down");
    });
    snapshot("step-conflict", |app| {
        app.press("A Right Enter Enter Esc End t H Down U Right Enter Enter U");
    });
}

#[test]
fn the_backups() {
    snapshot("copies", |app| {
        app.press("A Right Enter Enter Esc H b b");
    });
}
