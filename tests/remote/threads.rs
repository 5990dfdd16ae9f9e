//! The real program in a terminal, with a slow server: keys are never waited for, and Esc stops a push.

use std::time::Duration;

use serde_json::json;

use crate::desk::Desk;
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
    terminal.send("f").expect("asking Kibana …").send("qq").expect("is running").send("\x1b[C\r");
    assert_eq!(terminal.end_restored().0, 0);
}
