//! Every connector type: create it with the least that is valid, reopen it, edit each field, save; and
//! wrong input in a field names that field.

use connector_admin::demo::keys_of;
use connector_admin::domain::catalogue::{ConnectorType, Field, FieldKind};
use connector_admin::domain::{Catalogue, Connector, SecretsState, validate};
use connector_admin::store::Store;
use connector_admin::vault::Vault;

use crate::support::{App, TestDir};

/// The column that the values begin in.
fn value_column(screen: &str) -> usize {
    let screen = unframed(screen);
    let label = "Connector type *";
    let line =
        screen.lines().find(|line| line.get(3..).is_some_and(|rest| rest.starts_with(label))).expect("the first field");
    let rest: Vec<char> = line.chars().skip(3 + label.len()).collect();
    3 + label.len() + rest.iter().position(|character| *character != ' ').expect("a value")
}

/// Returns the screen without the frame of the form.
fn unframed(screen: &str) -> String {
    let inside = |line: &str| line.trim_start_matches('│').trim_end_matches(['│', '┃']).trim_end().to_owned();
    screen.lines().map(inside).collect::<Vec<_>>().join("\n")
}

/// Returns the label of the focused field, and whether it is below the header of the secrets.
fn focused(screen: &str) -> (String, bool) {
    let form = unframed(screen);
    let lines: Vec<&str> = form.lines().collect();
    let at = lines.iter().position(|line| line.starts_with(" > ")).unwrap_or_else(|| panic!("no focus:\n{screen}"));
    let label: String = lines[at].chars().take(value_column(screen)).skip(3).collect();
    let head = lines.iter().position(|line| line.starts_with("   Secrets"));
    (label.trim().trim_end_matches('*').trim().to_owned(), head.is_some_and(|head| head < at))
}

fn is_label(field: &Field, label: &str) -> bool {
    match label.strip_suffix('…') {
        Some(start) => field.label.starts_with(start.trim_end()),
        None => field.label == label,
    }
}

/// The catalogue's field that has the focus.
fn focused_field(app: &mut App, known: &ConnectorType) -> Option<Field> {
    let (label, is_secret) = focused(&app.screen());
    let fields = if is_secret { &known.secrets } else { &known.config };
    fields.iter().find(|field| is_label(field, &label)).cloned()
}

fn enter(app: &mut App, field: &Field) {
    match field.kind {
        FieldKind::Toggle | FieldKind::Choice => app.act("change"),
        FieldKind::Text => app.type_text("some"),
        FieldKind::LongText => app.paste("line one\nline two"),
        FieldKind::JsonText => app.paste("{\"a\": 1}"),
        FieldKind::Url | FieldKind::Address => app.type_text("https://a.example/x"),
        FieldKind::Email => app.type_text("a@b.example"),
        FieldKind::Number => app.type_text("443"),
        FieldKind::TextMap => app.type_text("Name: value"),
        FieldKind::List => app.type_text("C1 #one"),
        FieldKind::Object => app.type_text(r#"{"a":1}"#),
    };
}

fn choose_type(app: &mut App, id: &str) {
    app.act("new");
    for down in 0..12 {
        app.type_text(id).press(&"Down ".repeat(down)).act("confirm");
        if app.screen().contains(&format!("({id})")) {
            return;
        }
        app.press("Up Enter");
    }
    panic!("{id} cannot be chosen");
}

/// Saves, entering each value that the program requires, until it accepts.
fn fill(app: &mut App, known: &ConnectorType, question: &str) {
    for _ in 0..30 {
        let screen = app.act("save").screen();
        if screen.contains(question) {
            return;
        }
        let field = focused_field(app, known).unwrap_or_else(|| panic!("{}:\n{screen}", known.id));
        assert!(screen.contains(&format!("{}: a value is needed", field.label)), "{}:\n{screen}", known.id);
        enter(app, &field);
    }
    panic!("{} is never content:\n{}", known.id, app.screen());
}

/// Moves to the first secret, if the type shows one.
fn go_to_secrets(app: &mut App, known: &ConnectorType) -> bool {
    for _ in 0..40 {
        let is_present = focused(&app.act("next-field").screen()).1;
        if is_present && focused_field(app, known).is_some() {
            return true;
        }
    }
    false
}

fn created(path: &std::path::Path) -> (Connector, SecretsState) {
    let store = Store::open_read_only(path, connector_admin::store::Reading::Shared).unwrap();
    let id = crate::support::rows(path, "SELECT id FROM connectors").concat().replace('"', "");
    let connector = store.get(&id).unwrap().unwrap();
    let state = Vault::new(keys_of(path)).state(&connector);
    (connector, state)
}

/// The field with the focus holds nothing.
fn is_empty(app: &mut App) -> bool {
    let screen = app.screen();
    let column = value_column(&screen);
    unframed(&screen).lines().any(|line| line.starts_with(" > ") && line.chars().skip(column).all(char::is_whitespace))
}

/// Edits every field once, from the first to the last.
fn edit_each(app: &mut App, known: &ConnectorType) {
    let mut seen = Vec::new();
    while seen.len() < 60 {
        let (label, is_secret) = focused(&app.act("next-field").screen());
        if label == "Connector type" {
            return;
        }
        let field = focused_field(app, known);
        // Choices of how to authenticate change the form itself; another test is about them.
        match field {
            Some(field) if field.kind == FieldKind::Choice && field.name.ends_with("Type") => {}
            Some(field) if field.kind == FieldKind::Toggle && !is_secret => {}
            Some(field) if is_secret => enter(app, &field),
            Some(field) if [FieldKind::TextMap, FieldKind::List, FieldKind::Object].contains(&field.kind) => {
                app.press("End Ctrl-u Backspace Backspace");
                for _ in 0..200 {
                    if is_empty(app) {
                        break;
                    }
                    app.press("Home Del Del Del Del");
                }
                enter(app, &field);
            }
            Some(field) if field.kind == FieldKind::Choice || is_empty(app) => enter(app, &field),
            Some(field) => {
                app.press("End");
                app.type_text(if field.kind == FieldKind::Number { "1" } else { "2" });
            }
            None => {}
        }
        seen.push(label);
    }
    panic!("{} has no last field: {seen:?}", known.id);
}

#[test]
fn every_type_round_trips_through_the_form() {
    for known in Catalogue::built_in().types().iter().filter(|known| !known.is_system) {
        let dir = TestDir::new();
        let path = dir.path("types.db");
        let mut app = App::open(&path, 110, 70);
        choose_type(&mut app, &known.id);
        app.type_text("A name");
        fill(&mut app, known, "Create this connector?");
        app.act("back");
        let has_secrets = go_to_secrets(&mut app, known);
        if has_secrets {
            let field = focused_field(&mut app, known).unwrap();
            enter(&mut app, &field);
            fill(&mut app, known, "Create this connector?");
        } else {
            app.act("save");
        }
        app.act("yes").expect("Created A name");
        let is_set = has_secrets || known.keeps_auth_type_in_secrets();
        let (connector, state) = created(&path);
        assert_eq!(validate::problems(&connector, Catalogue::built_in()), [], "{}: {}", known.id, connector.config);
        assert!(!connector.is_missing_secrets, "{}", known.id);
        assert_eq!(matches!(state, SecretsState::Set { .. }), is_set, "{}: {state:?}", known.id);
        if known.keeps_auth_type_in_secrets() {
            assert_eq!(state.auth_type(), connector.auth_type().name(), "{}", known.id);
        }

        app.act("edit").expect("Edit A name");
        app.type_text("!");
        edit_each(&mut app, known);
        fill(&mut app, known, "Save these changes?");
        app.act("yes").expect("Saved A name!");
        let (edited, state) = created(&path);
        assert_eq!(validate::problems(&edited, Catalogue::built_in()), [], "{}: {}", known.id, edited.config);
        assert_eq!(matches!(state, SecretsState::Set { .. }), is_set, "{}: {state:?}", known.id);
        assert!(known.config.is_empty() || edited.config != connector.config, "{}: {}", known.id, edited.config);
    }
}

#[test]
fn invalid_input_names_its_field() {
    for known in Catalogue::built_in().types().iter().filter(|known| !known.is_system) {
        let dir = TestDir::new();
        let mut app = App::open(&dir.path("types.db"), 110, 70);
        choose_type(&mut app, &known.id);
        app.type_text("A name");
        for fields in 0.. {
            assert!(fields < 100, "{}: the fields have no end", known.id);
            let label = focused(&app.act("next-field").screen()).0;
            if label == "Connector type" {
                break;
            }
            let Some(field) = focused_field(&mut app, known) else { continue };
            let wrong = match field.kind {
                FieldKind::Url | FieldKind::Address | FieldKind::Email | FieldKind::Number | FieldKind::List => "nope",
                FieldKind::TextMap | FieldKind::Object | FieldKind::JsonText => "{nope",
                FieldKind::Text | FieldKind::LongText | FieldKind::Toggle | FieldKind::Choice => continue,
            };
            // A default, for example, is kept.
            app.press("Home").type_text(wrong).act("next-field");
            let screen = app.screen();
            let is_refused = screen.contains("! must be")
                || screen.contains("! not ")
                || screen.contains("! malformed ")
                || screen.contains("! line 1");
            // Values that Kibana accepts are noted and not refused.
            let is_taken = matches!(field.kind, FieldKind::Address | FieldKind::Email | FieldKind::JsonText);
            let is_reported = if is_taken { screen.contains("* is not ") && !is_refused } else { is_refused };
            assert!(is_reported, "{}, {}:\n{screen}", known.id, field.label);
            let is_secret = focused(&app.act("previous-field").screen()).1;
            app.press("Home").press(&if is_secret { "Backspace " } else { "Del " }.repeat(wrong.len()));
        }
    }
}
