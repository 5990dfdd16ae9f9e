//! Every request by the description of Kibana's API: a server built from it (Prism) refuses what does not fit.
//!
//! It is run by Node.js, which gets it from the npm registry once. Where one of the two is not there, the test says so
//! and does nothing.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::json;

use crate::desk::Desk;
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
    let is_there = |program: &str| {
        let longest = Duration::from_secs(60);
        run_bounded(Command::new(program).arg("--version"), longest).is_some_and(|status| status.success())
    };
    if !is_there("node") || !is_there("npm") {
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
    // A port that was free may be taken by another test before Prism has it.
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
    // What it says later is read too, so that it never waits for a reader.
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
fn every_request_fits_the_description_of_the_api() {
    let Some(prism) = start() else { return skipped() };
    let desk = Desk::new();
    desk.run(&["remote", "add", "prism", &prism.url]).exits(0);
    desk.with_input(&["remote", "login", "prism"], API_KEY).exits(0);
    desk.run(&["remote", "use", "prism"]).exits(0);
    // The description's example is one connector, and it says the same of every id.
    desk.run(&["pull"]).exits(0).says("1 new");
    desk.run(&["status"]).exits(0).says("Kibana 9.4.0");
    desk.run(&["test", "c1", "--yes"]).exits(0).says("ok");

    // An update, an import, a delete: each is accepted, or the answer would be a 422 that says what is wrong.
    desk.update("c1", |body| body["name"] = json!("Other"));
    desk.run(&["push", "--yes"]).says("done: Other (c1), update").says_not("refused");
    desk.run(&["toggle", "c1", "--to", "per-user"]).exits(0);
    // The import fits; that the mode is there afterwards a description without state cannot say, and that is told.
    desk.run(&["push", "--yes"]).exits(1).says("Kibana did not take the auth mode").says_not("422");
    desk.run(&["delete", "c1"]).exits(0);
    desk.run(&["resolve", "c1", "--take", "here"]);
    desk.run(&["push", "--yes", "--delete"]).says("done: ").says("(c1), delete").says_not("refused");
}

#[test]
fn a_create_fits_the_description_of_the_api() {
    let Some(prism) = start() else { return skipped() };
    // The description knows no state, so whether a connector is there is asked of nobody: the call itself is made.
    use connector_admin::domain::secret::OpenSecrets;
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
