//! `push` and `test`: the plan is shown and confirmed before anything is sent.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use super::sync::{Linked, connect, link, list_group, passes, report_json};
use super::{certain, parse_filter};
use crate::cli::context::Context;
use crate::cli::remote_args::{PushArgs, Which};
use crate::cli::render::output::{Output, prompt};
use crate::cli::{DONE, NEEDS_ATTENTION};
use crate::domain::remote::{ApiCall, PushOptions};
use crate::domain::{json as text_of, test_params};
use crate::service::remote;
use crate::service::remote::{Planned, PushReport, Report, Sent, SentOutcome, SyncGroup};
use crate::store::SyncPair;
use crate::text::plural;

pub(super) fn push(context: &Context, args: &PushArgs, output: &mut Output) -> anyhow::Result<u8> {
    if let Some(filter) = &args.filter {
        certain(filter)?;
    }
    if args.json && !args.yes && !args.dry_run {
        bail!("--json cannot ask for confirmation: add --yes to push, or --dry-run to see the plan");
    }
    let filter = parse_filter(args.filter.as_deref(), output)?;
    let options = PushOptions { delete: args.delete, lose_secrets: args.allow_secret_loss };
    let mut linked = link(context, &args.which, output)?;
    let _lock = remote::lock_for_push(&context.file)?;
    linked.fetch(output)?;
    let known = |id: &String| -> anyhow::Result<bool> {
        let both = linked.store.both_sides(&linked.remote.name, id)?;
        Ok(both.local.is_some() || both.state.base.is_some() || both.state.seen.is_some())
    };
    for id in &args.ids {
        if !known(id)? {
            bail!("neither the file nor {} has a connector {id:?}; nothing was sent", linked.remote.name);
        }
    }
    let is_named = |both: &SyncPair| args.ids.is_empty() || args.ids.contains(&both.state.id);
    let is_wanted = |both: &SyncPair| is_named(both) && passes(&linked.store, &filter, both);
    let report = remote::report(&linked.store, &linked.vault, &linked.remote, options, &is_wanted, &mut |_, _| true)?;
    let plan = Planned::of(&report.entries);
    if args.dry_run || plan.is_empty() {
        return show_only(&linked, &report, args.json, output);
    }
    if !args.json {
        show(&report, output)?;
    }
    if !args.yes && !confirm(&plan, &linked.remote.place())? {
        bail!("nothing was sent");
    }
    let pushed = send(&mut linked, (&plan, options), args.json, output)?;
    if args.json {
        output.json(&outcome_json(&linked, &report, &pushed))?;
    } else {
        print_report(&pushed, output)?;
    }
    let is_clear = report.count(SyncGroup::Conflict) + report.count(SyncGroup::Blocked) == 0;
    Ok(if pushed.is_whole() && is_clear { DONE } else { NEEDS_ATTENTION })
}

fn show_only(linked: &Linked, report: &Report, json: bool, output: &mut Output) -> anyhow::Result<u8> {
    if json {
        output.json(&report_json(&linked.remote, report))?;
    } else {
        show(report, output)?;
        if report.count(SyncGroup::ToPush) == 0 {
            output.line("nothing to push")?;
        }
    }
    let is_clear = report.count(SyncGroup::Conflict) + report.count(SyncGroup::Blocked) == 0;
    Ok(if is_clear { DONE } else { NEEDS_ATTENTION })
}

fn show(report: &Report, output: &mut Output) -> anyhow::Result<()> {
    for group in [SyncGroup::Conflict, SyncGroup::Blocked, SyncGroup::ToPull, SyncGroup::ToPush] {
        list_group(report, group, output)?;
    }
    Ok(())
}

fn confirm(plan: &[Planned], place: &str) -> anyhow::Result<bool> {
    let deletes = plan.iter().filter(|planned| planned.calls.contains(&ApiCall::Delete)).count();
    let deletes = if deletes == 0 { String::new() } else { format!(", {deletes} of them to be deleted") };
    let disconnected = plan.iter().filter(|planned| planned.disconnects_users).count();
    let disconnected = match disconnected {
        0 => String::new(),
        count => format!(", {count} of them per-user: all their users are disconnected"),
    };
    yes(&format!("Send {}{deletes}{disconnected} to {place}?", plural(plan.len() as u64, "connector")), "--yes")
}

/// Asks for confirmation on the terminal; anything but yes is no.
fn yes(question: &str, flag: &str) -> anyhow::Result<bool> {
    if !io::stdin().is_terminal() {
        bail!("nothing was sent: no terminal to confirm on, and {flag} was not given");
    }
    let answer = prompt(&format!("{question} [y/N] "))?;
    Ok(matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// Ctrl-C stops between two connectors.
fn send(
    linked: &mut Linked,
    plan: (&[Planned], PushOptions),
    json: bool,
    output: &mut Output,
) -> anyhow::Result<PushReport> {
    let stop = Arc::new(AtomicBool::new(false));
    let handler =
        signal_hook::flag::register(signal_hook::consts::SIGINT, stop.clone()).context("Ctrl-C cannot be handled")?;
    let Linked { store, vault, remote, kibana } = linked;
    let mut done = 0;
    // The reader of the output may be gone; a confirmed push is sent completely.
    let mut printed = Ok(());
    let pushed = remote::push(store, vault, remote, kibana, plan, &mut |sent, total| {
        done += 1;
        if !json {
            let line = output.line(&format!("{done}/{total} {}", sent_line(sent)));
            printed = std::mem::replace(&mut printed, Ok(())).and(line);
        }
        !stop.load(Ordering::Relaxed)
    });
    signal_hook::low_level::unregister(handler);
    let pushed = pushed?;
    printed?;
    Ok(pushed)
}

fn sent_line(sent: &Sent) -> String {
    let calls: Vec<&str> = sent.calls.iter().map(|call| call.as_str()).collect();
    let what = format!("{} ({}), {}", sent.name, sent.id, calls.join(" then "));
    let text = match &sent.outcome {
        SentOutcome::Done => format!("done: {what}"),
        SentOutcome::InStep => format!("done: {what}: Kibana has the same already"),
        SentOutcome::Refused(reason) => format!("refused: {what}: {reason}"),
        SentOutcome::Skipped(reason) => format!("not sent: {what}: {reason}"),
        SentOutcome::Unknown(reason) => format!("not known: {what}: {reason}"),
    };
    sent.half_done().map_or(text.clone(), |half| format!("{text}; {half}"))
}

fn print_report(pushed: &PushReport, output: &mut Output) -> anyhow::Result<()> {
    if pushed.refetched {
        output.line("the state of unknown requests was fetched from Kibana")?;
    }
    output.line(&format!("{} done, {} not, {} left", pushed.done(), pushed.sent.len() - pushed.done(), pushed.left))?;
    if !pushed.filled_in.changed.is_empty() {
        let count = plural(pushed.filled_in.changed.len() as u64, "connector");
        output.line(&format!("the result in Kibana was pulled into the file, for {count}"))?;
    }
    if let Some(reason) = &pushed.ended_by {
        output.line(&format!("ended before its end: {reason}"))?;
        output.line("`connector-admin status` shows what was sent; push again to resume")?;
    }
    Ok(())
}

fn outcome_json(linked: &Linked, plan: &Report, pushed: &PushReport) -> Value {
    let sent: Vec<Value> = pushed
        .sent
        .iter()
        .map(|sent| {
            let (outcome, reason) = match &sent.outcome {
                SentOutcome::Done => ("done", None),
                SentOutcome::InStep => ("in sync", None),
                SentOutcome::Refused(reason) => ("refused", Some(reason)),
                SentOutcome::Skipped(reason) => ("not sent", Some(reason)),
                SentOutcome::Unknown(reason) => ("unknown", Some(reason)),
            };
            let calls: Vec<&str> = sent.calls.iter().map(|call| call.as_str()).collect();
            json!({"id": sent.id, "name": sent.name, "requests": calls, "accepted": calls.get(..sent.done), "outcome": outcome, "reason": reason})
        })
        .collect();
    json!({
        "remote": linked.remote.name, "plan": report_json(&linked.remote, plan)["connectors"], "connectors": sent, "left": pushed.left, "ended_by": pushed.ended_by,
        "filled_in": pushed.filled_in.changed,
    })
}

/// The text of a file; - is standard input.
fn read_input(path: &Path) -> anyhow::Result<String> {
    if path == Path::new("-") {
        return io::read_to_string(io::stdin()).context("standard input cannot be read");
    }
    std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
}

/// Has Kibana run a connector.
pub(super) fn test(
    context: &Context,
    which: &Which,
    id: &str,
    settings: (Option<&Path>, bool, bool),
    output: &mut Output,
) -> anyhow::Result<u8> {
    let (params, is_sure, json) = settings;
    let store = context.read()?;
    let remote = remote::remote_of(&store, which.remote.as_deref())?;
    let local = store.get(id)?;
    let state = store.remote_state(&remote.name, id)?;
    let type_id = local
        .as_ref()
        .map(|local| local.connector_type_id.clone())
        .or_else(|| state.seen.as_ref().map(|seen| seen.connector_type_id.clone()))
        .unwrap_or_default();
    let params: Value = match params {
        Some(path) => {
            let text = read_input(path)?;
            text_of::read(&text).with_context(|| match path.to_str() {
                Some("-") => "standard input is no JSON".to_owned(),
                _ => format!("{} is no JSON", path.display()),
            })?
        }
        None if type_id.is_empty() => bail!("no connector {id:?}, neither in the file nor in {}", remote.name),
        None => test_params::of(&type_id).with_context(|| {
            format!("no test params are known for {type_id}; give them as JSON with --params FILE (or -)")
        })?,
    };
    output.notice(&format!(
        "{} runs the connector {id} FOR REAL: a message is sent, a ticket opened, a document written. It uses \
         Kibana's version, not the changes in the file. Params: {params}",
        remote.place()
    ));
    if !is_sure && !yes("Run it?", "--yes")? {
        bail!("nothing was run");
    }
    let vault = context.vault(&store)?;
    let kibana = connect(&remote, &vault)?;
    remote::make_secrets_known(&store, &vault, &kibana, id)?;
    let ran = match kibana.execute(id, &params) {
        Err(error) if error.may_have_arrived() => {
            output.notice(&format!("unknown: it may still have run. {error}"));
            return Ok(NEEDS_ATTENTION);
        }
        ran => ran?,
    };
    if json {
        output.json_text(&ran.answer)?;
    } else {
        output.line(&format!("{}: {}", if ran.is_ok { "ok" } else { "failed" }, ran.message))?;
    }
    Ok(if ran.is_ok { DONE } else { NEEDS_ATTENTION })
}
