//! Every request against the description of Kibana's API: a server built from it (Prism) refuses what does not match.
//!
//! Node.js runs it, from the npm registry, once. If either is missing, the test prints a notice and does nothing.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::json;

use crate::env::Env;
use crate::server::API_KEY;
use crate::support::tool::{installed, run_bounded};

/// The release that the test was written with.
const PRISM: &str = "@stoplight/prism-cli@5.15.11";

struct Prism {
    child: Child,
    url: String,
}

impl Drop for Prism {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A registry, or a machine, that needs longer is as good as none.
const LONGEST_INSTALL: Duration = Duration::from_secs(300);
const LONGEST_START: Duration = Duration::from_secs(120);

/// Prism's own program; none where it cannot be had.
fn prism() -> Option<PathBuf> {
    let is_present = |program: &str| {
        let longest = Duration::from_secs(60);
        run_bounded(Command::new(program).arg("--version"), longest).is_some_and(|status| status.success())
    };
    if !is_present("node") || !is_present("npm") {
        return None;
    }
    let folder = installed("prism-5.15.11", |folder| {
        let arguments = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-save", PRISM];
        let mut npm = Command::new("npm");
        npm.args(arguments).current_dir(folder);
        run_bounded(&mut npm, LONGEST_INSTALL).is_some_and(|status| status.success())
    })?;
    Some(folder.join("node_modules/@stoplight/prism-cli/dist/index.js")).filter(|program| program.exists())
}

/// Starts it; none where it does not come up.
fn start() -> Option<Prism> {
    let program = prism()?;
    // Another test may use the free port before Prism does.
    (0..3).find_map(|_| start_at(&program, free_port()))
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn start_at(program: &Path, port: u16) -> Option<Prism> {
    let description = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/remote/kibana.openapi.json");
    let mut child = Command::new("node")
        .arg(program)
        .args(["mock", "--errors", "--host", "127.0.0.1", "--port", &port.to_string()])
        .arg(description)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let lines = BufReader::new(child.stdout.take()?).lines();
    let prism = Prism { child, url: format!("http://127.0.0.1:{port}") };
    let (send, up) = mpsc::channel();
    // Its later output is read too, so that it never blocks.
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            if line.contains("listening") {
                let _ = send.send(());
            }
        }
    });
    up.recv_timeout(LONGEST_START).ok().map(|()| prism)
}

#[allow(clippy::print_stderr, reason = "a skipped test says so")]
fn skipped() {
    eprintln!("skipped: Node.js, npm or its registry are not there, or the contract server does not come up");
}

#[test]
fn every_request_matches_the_api_description() {
    let Some(prism) = start() else { return skipped() };
    let env = Env::new();
    env.run(&["remote", "add", "prism", &prism.url]).exit_code(0);
    env.with_input(&["remote", "login", "prism"], API_KEY).exit_code(0);
    env.run(&["remote", "use", "prism"]).exit_code(0);
    // The example of the description is one connector, the same for every id.
    env.run(&["pull"]).exit_code(0).contains("1 new");
    env.run(&["status"]).exit_code(0).contains("Kibana 9.4.0");
    env.run(&["test", "c1", "--yes"]).exit_code(0).contains("ok");

    // An update, an import, a delete: each is accepted, or the answer would be a 422 with the mismatch.
    env.update("c1", |body| body["name"] = json!("Other"));
    env.run(&["push", "--yes"]).contains("done: Other (c1), update").lacks("refused");
    env.run(&["toggle", "c1", "--to", "per-user"]).exit_code(0);
    // The import matches; a stateless server cannot show the mode afterwards, and that is reported.
    env.run(&["push", "--yes"]).exit_code(1).contains("Kibana did not accept the auth mode").lacks("422");
    env.run(&["delete", "c1"]).exit_code(0);
    env.run(&["resolve", "c1", "--keep", "local"]);
    env.run(&["push", "--yes", "--delete"]).contains("done: ").contains("(c1), delete").lacks("refused");
}

#[test]
fn create_matches_the_api_description() {
    let Some(prism) = start() else { return skipped() };
    // The server is stateless, so no connector is looked up first: the call itself is made.
    use connector_admin::domain::secrets::OpenSecrets;
    use connector_admin::domain::{Connector, Remote};
    use connector_admin::kibana::{Credential, Kibana};
    let remote = Remote::new("prism", &prism.url, None).unwrap();
    let credential = Credential::api_key(API_KEY).unwrap();
    let kibana = Kibana::new(&remote, Some(&credential), &std::sync::Arc::default()).unwrap();
    let mut record = Connector::new("c 1", ".index");
    (record.name, record.config) = ("Logs".to_owned(), r#"{"index":"logs"}"#.to_owned());
    kibana.create(&record, &OpenSecrets::empty(), true).unwrap();
    // The description does refuse: a name is needed.
    record.name = String::new();
    let refused = kibana.create(&record, &OpenSecrets::empty(), true).unwrap_err();
    assert_eq!(refused.status(), Some(422), "{refused}");
}
