//! A env: a file, a server, and the program between them.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::server::{API_KEY, Server};
use crate::support::TestDir;

pub const BINARY: &str = env!("CARGO_BIN_EXE_connector-admin");

/// A config of a webhook with basic authentication.
pub fn basic(n: usize) -> Value {
    json!({
        "url": format!("https://example.com/{n}"), "method": "post", "hasAuth": true,
        "authType": "webhook-authentication-basic", "headers": null,
    })
}

pub struct Env {
    pub dir: TestDir,
    pub file: PathBuf,
    pub server: Server,
}

/// The output of a command, with its exit code.
#[derive(Debug)]
pub struct CommandOutput {
    pub out: String,
    pub err: String,
    pub code: i32,
}

impl CommandOutput {
    #[track_caller]
    pub fn exit_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub fn contains(self, text: &str) -> Self {
        assert!(self.out.contains(text) || self.err.contains(text), "{text:?} is not in\n{}\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub fn lacks(self, text: &str) -> Self {
        assert!(!self.out.contains(text) && !self.err.contains(text), "{text:?} is in\n{}\n{}", self.out, self.err);
        self
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }
}

impl From<Output> for CommandOutput {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self { out: text(output.stdout), err: text(output.stderr), code: output.status.code().unwrap_or(-1) }
    }
}

impl Env {
    /// Creates a file with a remote whose API key is stored encrypted.
    pub fn new() -> Self {
        let dir = TestDir::new();
        let env = Self { file: dir.path("work.db"), dir, server: Server::start() };
        env.run(&["remote", "add", "prod", &env.server.url()]).exit_code(0);
        env.with_input(&["remote", "login"], API_KEY).exit_code(0);
        env
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command
            .args(arguments)
            .env("CONNECTOR_ADMIN_FILE", &self.file)
            .env("CONNECTOR_ADMIN_KEY_FILE", self.dir.path("keys"))
            .env_remove("CONNECTOR_ADMIN_API_KEY")
            .env("NO_PROXY", "*")
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> CommandOutput {
        self.command(arguments).output().expect("runs").into()
    }

    pub fn with_input(&self, arguments: &[&str], input: &str) -> CommandOutput {
        use std::io::Write;
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("runs");
        child.stdin.take().unwrap().write_all(input.as_bytes()).expect("Written");
        child.wait_with_output().expect("ends").into()
    }

    /// Gives a connector of the file its secrets.
    pub fn enter_secrets(&self, id: &str, secrets: &Value) {
        let one = self.run(&["get", id, "--json"]).json();
        let body = json!({"name": one["name"], "config": one["config"], "secrets": secrets});
        self.with_input(&["update", id, "--from", "-"], &body.to_string()).exit_code(0);
    }

    /// A change in the file, by a body of the API.
    pub fn update(&self, id: &str, change: impl FnOnce(&mut Value)) {
        let one = self.run(&["get", id, "--json"]).json();
        let mut body = json!({"name": one["name"], "config": one["config"]});
        change(&mut body);
        self.with_input(&["update", id, "--from", "-"], &body.to_string()).exit_code(0);
    }
}
