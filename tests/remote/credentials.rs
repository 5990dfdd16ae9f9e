//! Where a credential is sent, and what answers repeat of it and of the secrets.

use serde_json::json;

use crate::env::{CommandOutput, Env, basic};
use crate::server::{API_KEY, Fault, Server};
use crate::support::{execute, records, rows};

/// The API key as it is used, and its parts.
const KEY_FORMS: [&str; 3] = [API_KEY, "id:top-secret-key", "top-secret-key"];

fn env() -> Env {
    let env = Env::new();
    env.server.add("a", ".server-log", &json!({}));
    env
}

/// None of the encodings is in the output, nor in any file.
#[track_caller]
fn is_nowhere(env: &Env, printed: &CommandOutput, forms: &[&str]) {
    for form in forms {
        assert!(!printed.out.contains(form) && !printed.err.contains(form), "{form}: {printed:?}");
        for name in env.dir.names() {
            let bytes = std::fs::read(env.dir.path(&name)).unwrap();
            assert!(!bytes.windows(form.len()).any(|part| part == form.as_bytes()), "{form} is in {name}");
        }
    }
}

#[test]
fn changed_connection_settings_invalidate_the_credential() {
    let evil = Server::start();
    for change in [
        format!("url = '{}'", evil.url()),
        format!("proxy = '{}'", evil.url()),
        "ca_file = '/tmp/evil.pem'".to_owned(),
        "space = 'other'".to_owned(),
        "allow_http = 1".to_owned(),
    ] {
        let env = env();
        env.run(&["pull"]).exit_code(0);
        let before = env.server.state().came.len();
        execute(&env.file, &format!("UPDATE remotes SET {change}"));
        let printed = env.run(&["status"]).exit_code(2);
        assert!(
            printed.err.contains("another address, space, proxy or authority") || printed.err.contains("http://"),
            "{change}: {printed:?}"
        );
        is_nowhere(&env, &printed, &KEY_FORMS);
        assert_eq!(env.server.state().came.len(), before, "{change}");
    }
    assert!(evil.state().came.is_empty());
}

#[test]
fn changed_remote_requires_a_new_login() {
    let env = env();
    let url = env.server.url();
    env.run(&["remote", "add", "prod", &url, "--replace", "--timeout", "9"]).exit_code(0).lacks("removed");
    env.run(&["pull"]).exit_code(0);
    env.run(&["remote", "add", "prod", &url, "--replace", "--proxy", &url, "--allow-http"])
        .exit_code(0)
        .contains("its credential was removed")
        .contains("remote login prod");
    assert_eq!(rows(&env.file, "SELECT credential FROM remotes"), ["Null"]);
    // The pulled connectors are still known.
    env.run(&["remote", "add", "prod", &url, "--replace"]).exit_code(0);
    env.with_input(&["remote", "login"], API_KEY).exit_code(0);
    env.run(&["status"]).exit_code(0);
}

#[test]
fn plain_http_to_another_host_is_refused_each_time() {
    let env = env();
    for (url, is_refused) in [
        ("http://kibana.example", true),
        ("http://127.evil.example", true),
        ("http://127.0.0.1.evil.example", true),
        ("http://localhost.evil.example", true),
        ("http://[::1]evil.example", true),
        ("http://localhost:1", false),
    ] {
        execute(&env.file, &format!("UPDATE remotes SET url = '{url}', credential = NULL"));
        let mut command = env.command(&["pull"]);
        let printed: CommandOutput = command.env("CONNECTOR_ADMIN_API_KEY", API_KEY).output().unwrap().into();
        let printed = printed.exit_code(2);
        let refusals = ["can be read on the way; nothing was sent", "not one of a server"];
        assert_eq!(refusals.iter().any(|refusal| printed.err.contains(refusal)), is_refused, "{url}: {printed:?}");
        let added = env.run(&["remote", "add", "again", url, "--replace"]);
        assert_eq!(added.code, if is_refused { 2 } else { 0 }, "{url}: {added:?}");
    }
}

#[test]
fn echoed_credential_is_masked_everywhere() {
    let error = |text: &str| Fault::Error(400, text.to_owned());
    for text in KEY_FORMS {
        let env = env();
        env.run(&["pull"]).exit_code(0);
        for fault in [
            error(&format!("no access with {text} here")),
            Fault::Redirect(format!("http://{}.evil.example/", text.replace([':', '='], "-"))),
            Fault::Redirect(format!("http://user:{text}@evil.example/")),
            Fault::Body("application/json", format!(r#"{{"version":{{"number":"{text}"}}}}"#).into()),
            Fault::Body("application/json", format!("[{text}").into()),
        ] {
            env.server.fault("GET", fault.clone());
            let printed = env.run(&["status"]);
            let hidden: &[&str] = if text.contains("id:") { &["id:top-secret-key", "top-secret-key"] } else { &[text] };
            is_nowhere(&env, &printed, hidden);
            env.server.state().faults.clear();
        }
        // A list that repeats it is refused as a whole.
        env.server.set("a", "name", json!(format!("see {text}")));
        let before = records(&env.file);
        let printed = env.run(&["pull"]).exit_code(2).contains("repeats a credential");
        is_nowhere(&env, &printed, &[text]);
        assert_eq!(records(&env.file), before);
        env.server.set("a", "name", json!("Name of a"));
        env.server.fault(
            "POST",
            Fault::Body(
                "application/json",
                json!({"status": "error", "message": text, "data": {"x": text}}).to_string().into(),
            ),
        );
        let printed =
            env.run(&["test", "a", "--yes", "--params", env.dir.write("p.json", "{}").to_str().unwrap(), "--json"]);
        is_nowhere(&env, &printed.contains("…"), &[text]);
    }
}

#[test]
fn basic_credential_is_masked_in_every_encoding() {
    let env = env();
    env.with_input(&["remote", "login", "--basic"], "elastic:hunter2-pw").exit_code(0);
    let header = "ZWxhc3RpYzpodW50ZXIyLXB3";
    for text in ["hunter2-pw", "elastic:hunter2-pw", header, "Basic ZWxhc3RpYzpodW50ZXIyLXB3", "elastic%3Ahunter2%2Dpw"]
    {
        env.server.fault("GET", Fault::Error(401, format!("got {text}")));
        let printed = env.run(&["pull"]).exit_code(2).contains("got ");
        is_nowhere(&env, &printed, &["hunter2", header]);
    }
}

#[test]
fn answer_echoing_secrets_is_refused() {
    let env = Env::new();
    env.server.add("w", ".webhook", &basic(1));
    env.run(&["pull"]).exit_code(0);
    env.enter_secrets("w", &json!({"user": "me", "password": "hunter2-sent"}));
    for echo in ["hunter2-sent", "aHVudGVyMi1zZW50"] {
        let mut config = basic(1);
        config["url"] = json!(format!("https://example.com/?p={echo}"));
        let answer = json!({"id": "w", "name": "Name of w", "connector_type_id": ".webhook", "config": config, "is_missing_secrets": false});
        env.server.fault("PUT", Fault::Body("application/json", answer.to_string().into()));
        let before = records(&env.file);
        let printed = env.run(&["push", "--yes"]).exit_code(1).contains("repeats a credential or a secret");
        is_nowhere(&env, &printed, &[echo]);
        assert_eq!(records(&env.file), before);
    }
    // A value that the config itself contains is no echo.
    env.update("w", |body| body["config"]["url"] = json!("https://example.com/hunter2-sent"));
    env.enter_secrets("w", &json!({"user": "me", "password": "hunter2-sent"}));
    env.run(&["push", "--yes"]).exit_code(0).contains("1 done");
}

#[test]
fn oversized_answer_is_refused() {
    let env = env();
    env.run(&["pull"]).exit_code(0);
    let before = records(&env.file);
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
        env.server.fault("GET", Fault::Slow(std::time::Duration::ZERO));
        env.server.fault("GET", Fault::Body("application/json", body.into_bytes()));
        env.run(&["pull"]).exit_code(2).contains(word);
        env.server.state().faults.clear();
        assert_eq!(records(&env.file), before);
    }
    env.server.fault(
        "GET",
        Fault::Body("application/json", format!(r#"{{"version":{{"number":"9.{}"}}}}"#, "4".repeat(999)).into()),
    );
    env.run(&["pull"]);
    assert_eq!(rows(&env.file, "SELECT coalesce(length(version), 0) < 40 FROM remotes"), ["Integer(1)"]);
}

/// A connector whose secrets were sent from this file, and a request by a program that did not send them.
fn env_with_sent_secrets() -> Env {
    let env = Env::new();
    env.server.add("w", ".webhook", &basic(1));
    env.run(&["pull"]).exit_code(0);
    env.enter_secrets("w", &json!({"user": "hookuser-9", "password": "P@ss/w\"ord\\é+7"}));
    env.run(&["push", "--yes"]).exit_code(0).contains("1 done");
    env
}

#[test]
fn secrets_of_an_earlier_push_are_masked() {
    let forms = [
        r#"P@ss/w\"ord\\\u00e9+7"#,
        r"P%40ss/w%22ord%5C%c3%a9%2b7",
        r#"\u0050@ss\/w\u0022ord\u005C\u00E9+7"#,
        "aG9va3VzZXItOTpQQHNzL3cib3JkXMOpKzc=",
        "hookuser-9",
    ];
    for form in forms {
        let env = env_with_sent_secrets();
        // In a config, which would be stored. The text is JSON already.
        let config =
            format!(r#"{{"url":"https://hook.example","method":"post","hasAuth":true,"headers":{{"x":"{form}"}}}}"#);
        let list = format!(
            r#"[{{"id":"w","name":"Name of w","connector_type_id":".webhook","config":{config},"is_missing_secrets":false}}]"#
        );
        let before = records(&env.file);
        env.server.fault("GET", Fault::Slow(std::time::Duration::ZERO));
        env.server.fault("GET", Fault::Body("application/json", list.into()));
        let printed = env.run(&["pull"]).exit_code(2).contains("repeats a credential or a secret");
        is_nowhere(&env, &printed, &[form]);
        assert_eq!(records(&env.file), before);
        env.server.state().faults.clear();
        // In what came of a run, and of the import that comes before the update.
        let params = env.dir.write("p.json", "{}");
        let ran = format!(r#"{{"status":"error","message":"401 for {form} there"}}"#);
        env.server.fault("POST", Fault::Body("application/json", ran.into()));
        let printed = env.run(&["test", "w", "--yes", "--params", params.to_str().unwrap()]).contains("401 for …");
        is_nowhere(&env, &printed, &[form]);
        env.run(&["toggle", "w", "--to", "per-user"]).exit_code(0);
        env.server.fault("POST", Fault::Error(400, format!("boo {form} there")));
        let printed = env.run(&["push", "--yes"]).exit_code(1).contains("boo …");
        is_nowhere(&env, &printed, &[form]);
    }
}

#[test]
fn stored_credential_cannot_be_decrypted_as_a_connector() {
    let env = env();
    env.run(&["pull"]).exit_code(0);
    let way = r#"{"url":"'||url||'","space":"","proxy":null,"ca_file":null,"allow_http":false}"#;
    for (id, type_id) in [("remote:prod", "remote"), ("prod", "remote"), ("prod", "")] {
        execute(
            &env.file,
            &format!(
                "INSERT INTO connectors (id, connector_type_id, name, config, secrets, model_version, is_missing_secrets)
                 SELECT '{id}', '{type_id}', 'Innocent', '{way}', credential, 2, 0 FROM remotes WHERE name = 'prod'"
            ),
        );
        env.run(&["get", id]).contains("unreadable");
        let requests = env.server.paths("POST").len();
        let printed = env.run(&["push", "--yes", id]).exit_code(1).contains("cannot be decrypted");
        is_nowhere(&env, &printed, &KEY_FORMS[1..]);
        assert_eq!(env.server.paths("POST").len(), requests);
        execute(&env.file, &format!("DELETE FROM connectors WHERE id = '{id}'"));
    }
}

#[test]
fn invalid_proxy_variable_is_an_error() {
    let env = env();
    env.run(&["remote", "add", "away", "https://kibana.invalid"]).exit_code(0);
    env.with_input(&["remote", "login", "away"], "id:top-secret-key").exit_code(0);
    for value in ["ftp://proxy.example", "http://user:p w@bad host:x"] {
        let output = env.command(&["pull", "--remote", "away"]).env("HTTPS_PROXY", value).output().unwrap();
        let printed = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && printed.contains("$HTTPS_PROXY is not an address"), "{printed}");
        assert!(!printed.contains("p w@"), "{printed}");
    }
}
