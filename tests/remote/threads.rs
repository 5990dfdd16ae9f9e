//! The real program in a terminal, with a slow server: keys are never waited for, and Esc stops a push.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;

use crate::desk::Desk;
use crate::server::Fault;
use crate::terminal::Terminal;

fn open(desk: &Desk) -> Terminal {
    let (file, keys) = (desk.file.to_str().unwrap(), desk.place.path("keys"));
    let environment = [("CONNECTOR_ADMIN_STATE", ""), ("NO_PROXY", "*")];
    let arguments = ["--key-file", keys.to_str().unwrap(), file];
    Terminal::start_in(std::path::Path::new("."), &arguments, 100, 30, &environment)
}

fn desk() -> Desk {
    let desk = Desk::new();
    for n in 0..8 {
        desk.server.add(&format!("log-{n}"), ".server-log", &json!({}));
    }
    desk
}

#[test]
fn keys_are_taken_while_a_push_runs_and_esc_stops_it() {
    let desk = desk();
    let mut terminal = open(&desk);
    terminal.expect("remote prod").send("K").expect("was not asked yet").send("p").expect("in step 8").send("\x1b");
    // All of them are toggled, and sent to a server that takes its time.
    terminal.expect("8 connectors").send("*").expect("8 marked").send("t").expect("Toggle 8").send("\x1b[C\r");
    terminal.expect("auth mode of 8 connectors changed").send("K").expect("to send 8");
    desk.server.state().delay = Duration::from_millis(150);
    terminal.send("P").expect("Send 8 connectors to").send("\x1b[C\r").expect("pushing: ");
    // The list moves meanwhile, and what would change something says why not now.
    terminal.send("jj").wait("the cursor moves", |screen| screen.contents().contains(">   Name of log-2"));
    terminal.send("p").expect("wait for the running job, or stop it with Esc");
    terminal.wait("some are sent", |_| desk.server.paths("POST").len() >= 2).send("\x1b");
    terminal.expect("Pushed in part").expect("stopped").send("\r");
    let sent = desk.server.paths("POST").len();
    assert!((2..8).contains(&sent), "{sent}");
    terminal.expect(&format!("to send {}", 8 - sent));
    desk.server.state().delay = Duration::ZERO;
    terminal.send("P").expect("Send").send("\x1b[C\r").expect("in step 8").send("q").expect("per-user").send("q");
    assert_eq!(terminal.end_restored().0, 0);
    desk.run(&["status"]).exits(0);
}

#[test]
fn a_server_that_hangs_keeps_nobody_from_stopping_or_leaving() {
    let desk = desk();
    desk.server.state().delay = Duration::from_secs(30);
    let mut terminal = open(&desk);
    terminal.expect("remote prod").send("K").expect("was not asked yet").send("f").send("\x1b").expect("stopped");
    terminal.send("f").expect("asking Kibana …").send("qq").expect("job is running").send("\x1b[C\r");
    assert_eq!(terminal.end_restored().0, 0);
}

#[test]
fn who_leaves_during_a_push_leaves_after_the_connector_that_is_being_sent() {
    let desk = desk();
    desk.run(&["pull"]).exits(0);
    desk.run(&["toggle", "--filter", "log", "--to", "per-user"]).exits(0);
    let is_free = Arc::new(AtomicBool::new(false));
    desk.server.fault("POST", Fault::Held(is_free.clone()));
    let mut terminal = open(&desk);
    terminal.expect("remote prod").send("K").expect("to send 8").send("P").expect("Send 8").send("\x1b[C\r");
    terminal.wait("one is on its way", |_| !desk.server.paths("POST").is_empty()).send("\x03");
    // Ctrl-C on the question answers it.
    terminal.expect("What it is at now is ended first").expect_footer("Enter choose").send("\x03");
    is_free.store(true, Ordering::Relaxed);
    assert_eq!(terminal.end_restored().0, 0);
    // What was on its way has its answer, and nothing more has left.
    assert_eq!(desk.server.paths("POST").len(), 1);
    let status = desk.run(&["status", "--offline", "--json"]).exits(1).json();
    assert_eq!(
        (&status["counts"]["to send"], &status["last_push"]["requests"][0]["state"]),
        (&json!(7), &json!("done"))
    );
}

#[test]
fn who_asks_twice_leaves_at_once() {
    let desk = desk();
    desk.run(&["pull"]).exits(0);
    desk.run(&["toggle", "log-1"]).exits(0);
    desk.server.fault("POST", Fault::Slow(Duration::from_secs(20)));
    let mut terminal = open(&desk);
    terminal.expect("remote prod").send("K").expect("to send 1").send("P").expect("Send 1").send("\x1b[C\r");
    terminal.wait("one is on its way", |_| !desk.server.paths("POST").is_empty()).send("\x03");
    terminal.expect("ended first").send("\x1b[C\r").expect("Ctrl-c quits at once").send("\x03");
    assert_eq!(terminal.end_restored().0, 0);
}

#[test]
fn a_question_about_a_job_ends_with_it() {
    let desk = desk();
    let is_free = Arc::new(AtomicBool::new(false));
    desk.server.fault("GET", Fault::Held(is_free.clone()));
    let mut terminal = open(&desk);
    terminal.expect("remote prod").send("K").expect("was not asked yet").send("p").expect("pulling …").send("\x03");
    terminal.expect("A job is running");
    is_free.store(true, Ordering::Relaxed);
    terminal
        .expect("pulled: 8 new")
        .wait("the question is gone", |screen| !screen.contents().contains("A job is running"));
    terminal.send("q").expect("8 connectors").send("q");
    assert_eq!(terminal.end_restored().0, 0);
}
