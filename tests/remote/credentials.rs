//! Where a credential goes, and what of it and of the secrets comes back.

use serde_json::json;

use crate::desk::{Desk, Said, basic};
use crate::server::{API_KEY, Fault, Server};
use crate::support::{execute, records, rows};

/// The API key as it is used, and its parts.
const KEY_FORMS: [&str; 3] = [API_KEY, "id:top-secret-key", "top-secret-key"];

fn desk() -> Desk {
    let desk = Desk::new();
    desk.server.add("a", ".server-log", &json!({}));
    desk
}

/// None of the forms is in what was said, nor in any file.
#[track_caller]
fn is_nowhere(desk: &Desk, said: &Said, forms: &[&str]) {
    for form in forms {
        assert!(!said.out.contains(form) && !said.err.contains(form), "{form}: {said:?}");
        for name in desk.place.names() {
            let bytes = std::fs::read(desk.place.path(&name)).unwrap();
            assert!(!bytes.windows(form.len()).any(|part| part == form.as_bytes()), "{form} is in {name}");
        }
    }
}

#[test]
fn a_stored_credential_goes_nowhere_when_the_file_names_another_way() {
    let evil = Server::start();
    for change in [
        format!("url = '{}'", evil.url()),
        format!("proxy = '{}'", evil.url()),
        "ca_file = '/tmp/evil.pem'".to_owned(),
        "space = 'other'".to_owned(),
        "allow_http = 1".to_owned(),
    ] {
        let desk = desk();
        desk.run(&["pull"]).exits(0);
        let asked = desk.server.state().came.len();
        execute(&desk.file, &format!("UPDATE remotes SET {change}"));
        let said = desk.run(&["status"]).exits(2);
        assert!(
            said.err.contains("another address, space, proxy or authority") || said.err.contains("http://"),
            "{change}: {said:?}"
        );
        is_nowhere(&desk, &said, &KEY_FORMS);
        assert_eq!(desk.server.state().came.len(), asked, "{change}");
    }
    assert!(evil.state().came.is_empty());
}

#[test]
fn a_remote_that_is_reached_another_way_asks_for_its_credential_again() {
    let desk = desk();
    let url = desk.server.url();
    desk.run(&["remote", "add", "prod", &url, "--replace", "--timeout", "9"]).exits(0).says_not("removed");
    desk.run(&["pull"]).exits(0);
    desk.run(&["remote", "add", "prod", &url, "--replace", "--proxy", &url, "--allow-http"])
        .exits(0)
        .says("its credential was removed")
        .says("remote login prod");
    assert_eq!(rows(&desk.file, "SELECT credential FROM remotes"), ["Null"]);
    // What was pulled is still known.
    desk.run(&["remote", "add", "prod", &url, "--replace"]).exits(0);
    desk.with_input(&["remote", "login"], API_KEY).exits(0);
    desk.run(&["status"]).exits(0);
}

#[test]
fn plain_http_to_another_machine_is_refused_for_each_connection() {
    let desk = desk();
    for (url, is_refused) in [
        ("http://kibana.example", true),
        ("http://127.evil.example", true),
        ("http://127.0.0.1.evil.example", true),
        ("http://localhost.evil.example", true),
        ("http://[::1]evil.example", true),
        ("http://localhost:1", false),
    ] {
        execute(&desk.file, &format!("UPDATE remotes SET url = '{url}', credential = NULL"));
        let mut command = desk.command(&["pull"]);
        let said: Said = command.env("CONNECTOR_ADMIN_API_KEY", API_KEY).output().unwrap().into();
        let said = said.exits(2);
        let refusals = ["can be read on the way; nothing was sent", "not one of a server"];
        assert_eq!(refusals.iter().any(|refusal| said.err.contains(refusal)), is_refused, "{url}: {said:?}");
        let added = desk.run(&["remote", "add", "again", url, "--replace"]);
        assert_eq!(added.code, if is_refused { 2 } else { 0 }, "{url}: {added:?}");
    }
}

#[test]
fn what_a_server_repeats_of_a_credential_is_masked_wherever_it_comes_up() {
    let error = |text: &str| Fault::Error(400, text.to_owned());
    for text in KEY_FORMS {
        let desk = desk();
        desk.run(&["pull"]).exits(0);
        for fault in [
            error(&format!("no access with {text} here")),
            Fault::Redirect(format!("http://{}.evil.example/", text.replace([':', '='], "-"))),
            Fault::Redirect(format!("http://user:{text}@evil.example/")),
            Fault::Body("application/json", format!(r#"{{"version":{{"number":"{text}"}}}}"#).into()),
            Fault::Body("application/json", format!("[{text}").into()),
        ] {
            desk.server.fault("GET", fault.clone());
            let said = desk.run(&["status"]);
            let hidden: &[&str] = if text.contains("id:") { &["id:top-secret-key", "top-secret-key"] } else { &[text] };
            is_nowhere(&desk, &said, hidden);
            desk.server.state().faults.clear();
        }
        // A list that repeats it is refused as a whole.
        desk.server.set("a", "name", json!(format!("see {text}")));
        let before = records(&desk.file);
        let said = desk.run(&["pull"]).exits(2).says("repeats a credential");
        is_nowhere(&desk, &said, &[text]);
        assert_eq!(records(&desk.file), before);
        desk.server.set("a", "name", json!("Name of a"));
        desk.server.fault(
            "POST",
            Fault::Body(
                "application/json",
                json!({"status": "error", "message": text, "data": {"x": text}}).to_string().into(),
            ),
        );
        let said =
            desk.run(&["test", "a", "--yes", "--params", desk.place.write("p.json", "{}").to_str().unwrap(), "--json"]);
        is_nowhere(&desk, &said.says("…"), &[text]);
    }
}

#[test]
fn a_user_and_a_password_are_masked_in_each_form() {
    let desk = desk();
    desk.with_input(&["remote", "login", "--basic"], "elastic:hunter2-pw").exits(0);
    let header = "ZWxhc3RpYzpodW50ZXIyLXB3";
    for text in ["hunter2-pw", "elastic:hunter2-pw", header, "Basic ZWxhc3RpYzpodW50ZXIyLXB3", "elastic%3Ahunter2%2Dpw"]
    {
        desk.server.fault("GET", Fault::Error(401, format!("got {text}")));
        let said = desk.run(&["pull"]).exits(2).says("got ");
        is_nowhere(&desk, &said, &["hunter2", header]);
    }
}

#[test]
fn an_answer_that_repeats_sent_secrets_is_refused_as_a_whole() {
    let desk = Desk::new();
    desk.server.add("w", ".webhook", &basic(1));
    desk.run(&["pull"]).exits(0);
    desk.enter_secrets("w", &json!({"user": "me", "password": "hunter2-sent"}));
    for echo in ["hunter2-sent", "aHVudGVyMi1zZW50"] {
        let mut config = basic(1);
        config["url"] = json!(format!("https://example.com/?p={echo}"));
        let answer = json!({"id": "w", "name": "Name of w", "connector_type_id": ".webhook", "config": config, "is_missing_secrets": false});
        desk.server.fault("PUT", Fault::Body("application/json", answer.to_string().into()));
        let before = records(&desk.file);
        let said = desk.run(&["push", "--yes"]).exits(1).says("repeats a credential or a secret");
        is_nowhere(&desk, &said, &[echo]);
        assert_eq!(records(&desk.file), before);
    }
    // What the config says in the clear by itself is no echo.
    desk.update("w", |body| body["config"]["url"] = json!("https://example.com/hunter2-sent"));
    desk.enter_secrets("w", &json!({"user": "me", "password": "hunter2-sent"}));
    desk.run(&["push", "--yes"]).exits(0).says("1 done");
}

#[test]
fn what_is_too_large_is_refused_with_what_it_is() {
    let desk = desk();
    desk.run(&["pull"]).exits(0);
    let before = records(&desk.file);
    let one = |id: &str, name: &str, config: &str| {
        format!(r#"{{"id":"{id}","name":"{name}","connector_type_id":".x","config":{config}}}"#)
    };
    let long = "x".repeat(5 << 20);
    let many = (0..50_001).map(|n| one(&n.to_string(), "n", "{}")).collect::<Vec<_>>().join(",");
    for (body, word) in [
        (format!("[{many}]"), "lists more than 50000 connectors"),
        (format!("[{}]", one(&long, "n", "{}")), "the id of a connector is longer"),
        (format!("[{}]", one("a", &long, "{}")), "the name of a connector is longer"),
        (format!("[{}]", one("a", "n", &format!("{{\"x\":\"{long}\"}}"))), "the config of a connector is longer"),
    ] {
        desk.server.fault("GET", Fault::Slow(std::time::Duration::ZERO));
        desk.server.fault("GET", Fault::Body("application/json", body.into_bytes()));
        desk.run(&["pull"]).exits(2).says(word);
        desk.server.state().faults.clear();
        assert_eq!(records(&desk.file), before);
    }
    desk.server.fault(
        "GET",
        Fault::Body("application/json", format!(r#"{{"version":{{"number":"9.{}"}}}}"#, "4".repeat(999)).into()),
    );
    desk.run(&["pull"]);
    assert_eq!(rows(&desk.file, "SELECT coalesce(length(version), 0) < 40 FROM remotes"), ["Integer(1)"]);
}

/// A connector whose secrets this file has sent, and whose server is asked by a program that did not send them.
fn desk_with_sent_secrets() -> Desk {
    let desk = Desk::new();
    desk.server.add("w", ".webhook", &basic(1));
    desk.run(&["pull"]).exits(0);
    desk.enter_secrets("w", &json!({"user": "hookuser-9", "password": "P@ss/w\"ord\\é+7"}));
    desk.run(&["push", "--yes"]).exits(0).says("1 done");
    desk
}

#[test]
fn secrets_that_an_earlier_program_sent_come_back_in_no_form() {
    let forms = [
        r#"P@ss/w\"ord\\\u00e9+7"#,
        r"P%40ss/w%22ord%5C%c3%a9%2b7",
        r#"\u0050@ss\/w\u0022ord\u005C\u00E9+7"#,
        "aG9va3VzZXItOTpQQHNzL3cib3JkXMOpKzc=",
        "hookuser-9",
    ];
    for form in forms {
        let desk = desk_with_sent_secrets();
        // In a config, which would be stored. The text stands in JSON already.
        let config =
            format!(r#"{{"url":"https://hook.example","method":"post","hasAuth":true,"headers":{{"x":"{form}"}}}}"#);
        let list = format!(
            r#"[{{"id":"w","name":"Name of w","connector_type_id":".webhook","config":{config},"is_missing_secrets":false}}]"#
        );
        let before = records(&desk.file);
        desk.server.fault("GET", Fault::Slow(std::time::Duration::ZERO));
        desk.server.fault("GET", Fault::Body("application/json", list.into()));
        let said = desk.run(&["pull"]).exits(2).says("repeats a credential or a secret");
        is_nowhere(&desk, &said, &[form]);
        assert_eq!(records(&desk.file), before);
        desk.server.state().faults.clear();
        // In what came of a run, and of the import that comes before the update.
        let params = desk.place.write("p.json", "{}");
        let ran = format!(r#"{{"status":"error","message":"401 for {form} there"}}"#);
        desk.server.fault("POST", Fault::Body("application/json", ran.into()));
        let said = desk.run(&["test", "w", "--yes", "--params", params.to_str().unwrap()]).says("401 for …");
        is_nowhere(&desk, &said, &[form]);
        desk.run(&["toggle", "w", "--to", "per-user"]).exits(0);
        desk.server.fault("POST", Fault::Error(400, format!("boo {form} there")));
        let said = desk.run(&["push", "--yes"]).exits(1).says("boo …");
        is_nowhere(&desk, &said, &[form]);
    }
}

#[test]
fn a_credential_cannot_be_had_by_moving_it_into_a_connector() {
    let desk = desk();
    desk.run(&["pull"]).exits(0);
    let way = r#"{"url":"'||url||'","space":"","proxy":null,"ca_file":null,"allow_http":false}"#;
    for (id, type_id) in [("remote:prod", "remote"), ("prod", "remote"), ("prod", "")] {
        execute(
            &desk.file,
            &format!(
                "INSERT INTO connectors (id, connector_type_id, name, config, secrets, model_version, is_missing_secrets)
                 SELECT '{id}', '{type_id}', 'Innocent', '{way}', credential, 2, 0 FROM remotes WHERE name = 'prod'"
            ),
        );
        desk.run(&["get", id]).says("unreadable");
        let requests = desk.server.paths("POST").len();
        let said = desk.run(&["push", "--yes", id]).exits(1).says("cannot be opened");
        is_nowhere(&desk, &said, &KEY_FORMS[1..]);
        assert_eq!(desk.server.paths("POST").len(), requests);
        execute(&desk.file, &format!("DELETE FROM connectors WHERE id = '{id}'"));
    }
}

#[test]
fn a_proxy_of_the_environment_that_cannot_be_read_is_not_passed_over() {
    let desk = desk();
    desk.run(&["remote", "add", "away", "https://kibana.invalid"]).exits(0);
    desk.with_input(&["remote", "login", "away"], "id:top-secret-key").exits(0);
    for value in ["ftp://proxy.example", "http://user:p w@bad host:x"] {
        let output = desk.command(&["pull", "--remote", "away"]).env("HTTPS_PROXY", value).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && said.contains("$HTTPS_PROXY is no address"), "{said}");
        assert!(!said.contains("p w@"), "{said}");
    }
}
