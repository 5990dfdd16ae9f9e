//! The real program in a terminal, with a slow server: keys are never waited for, and Esc stops a push.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;

use crate::env::Env;
use crate::server::Fault;
use crate::terminal::Terminal;

fn open(env: &Env) -> Terminal {
    let (file, keys) = (env.file.to_str().unwrap(), env.dir.path("keys"));
    let environment = [("CONNECTOR_ADMIN_STATE", ""), ("NO_PROXY", "*")];
    let arguments = ["--key-file", keys.to_str().unwrap(), file];
    Terminal::start_in(std::path::Path::new("."), &arguments, 100, 30, &environment)
}

fn env() -> Env {
    let env = Env::new();
    for n in 0..8 {
        env.server.add(&format!("log-{n}"), ".server-log", &json!({}));
    }
    env
}

#[test]
fn keys_work_during_a_push_and_esc_stops_it() {
    let env = env();
    let mut terminal = open(&env);
    terminal.expect("remote prod").send("K").expect("Not fetched yet").send("p").expect("in sync 8").send("\x1b");
    // All of them are toggled, and pushed to a slow server.
    terminal.expect("of 8").send("*").expect("8 selected").send("t").expect("Toggle 8").send("\x1b[C\r");
    terminal.expect("auth mode of 8 connectors changed").send("K").expect("to push 8");
    env.server.state().delay = Duration::from_millis(150);
    terminal.send("P").expect("Send 8 connectors to").send("\x1b[C\r").expect("pushing ");
    // The list scrolls in the meantime, and an action that would change something says why it cannot run.
    terminal.send("jj").wait("the cursor moves", |screen| screen.contents().contains(">   Name of log-2"));
    terminal.send("p").expect("Wait for the running job, or stop it with Esc");
    terminal.wait("some are sent", |_| env.server.paths("POST").len() >= 2).send("\x1b");
    terminal.expect("Pushed in part").expect("stopped").send("\r");
    let sent = env.server.paths("POST").len();
    assert!((2..8).contains(&sent), "{sent}");
    terminal.expect(&format!("to push {}", 8 - sent));
    env.server.state().delay = Duration::ZERO;
    terminal.send("P").expect("Send").send("\x1b[C\r").expect("in sync 8").send("q").expect("per-user").send("q");
    assert_eq!(terminal.end_restored().0, 0);
    env.run(&["status"]).exit_code(0);
}

#[test]
fn hanging_server_never_blocks_stop_or_quit() {
    let env = env();
    env.server.state().delay = Duration::from_secs(30);
    let mut terminal = open(&env);
    terminal.expect("remote prod").send("K").expect("Not fetched yet").send("f").send("\x1b").expect("Stopped");
    terminal.send("f").expect("fetching …").send("qq").expect("job is running").send("\x1b[C\r");
    assert_eq!(terminal.end_restored().0, 0);
}

#[test]
fn quit_during_push_waits_for_current_request() {
    let env = env();
    env.run(&["pull"]).exit_code(0);
    env.run(&["toggle", "--filter", "log", "--to", "per-user"]).exit_code(0);
    let is_free = Arc::new(AtomicBool::new(false));
    env.server.fault("POST", Fault::Held(is_free.clone()));
    let mut terminal = open(&env);
    terminal.expect("remote prod").send("K").expect("to push 8").send("P").expect("Send 8").send("\x1b[C\r");
    terminal.wait("one is on its way", |_| !env.server.paths("POST").is_empty()).send("\x03");
    // Ctrl-C on the question answers it.
    terminal.expect("The current step is finished first").expect_footer("Enter choose").send("\x03");
    is_free.store(true, Ordering::Relaxed);
    assert_eq!(terminal.end_restored().0, 0);
    // The current request was answered, and no other was sent.
    assert_eq!(env.server.paths("POST").len(), 1);
    let status = env.run(&["status", "--offline", "--json"]).exit_code(1).json();
    assert_eq!(
        (&status["counts"]["to push"], &status["last_push"]["requests"][0]["state"]),
        (&json!(7), &json!("done"))
    );
}

#[test]
fn second_quit_leaves_at_once() {
    let env = env();
    env.run(&["pull"]).exit_code(0);
    env.run(&["toggle", "log-1"]).exit_code(0);
    env.server.fault("POST", Fault::Slow(Duration::from_secs(20)));
    let mut terminal = open(&env);
    terminal.expect("remote prod").send("K").expect("to push 1").send("P").expect("Send 1").send("\x1b[C\r");
    terminal.wait("one is on its way", |_| !env.server.paths("POST").is_empty()).send("\x03");
    terminal.expect("The current step is finished first").send("\x1b[C\r").expect("Ctrl-c quits at once").send("\x03");
    assert_eq!(terminal.end_restored().0, 0);
}

#[test]
fn confirmation_about_a_job_closes_with_it() {
    let env = env();
    let is_free = Arc::new(AtomicBool::new(false));
    env.server.fault("GET", Fault::Held(is_free.clone()));
    let mut terminal = open(&env);
    terminal.expect("remote prod").send("K").expect("Not fetched yet").send("p").expect("pulling …").send("\x03");
    terminal.expect("A job is running");
    is_free.store(true, Ordering::Relaxed);
    terminal
        .expect("Pulled: 8 new")
        .wait("the question is gone", |screen| !screen.contents().contains("A job is running"));
    terminal.send("q").expect("of 8").send("q");
    assert_eq!(terminal.end_restored().0, 0);
}
