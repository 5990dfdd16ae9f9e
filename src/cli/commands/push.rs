//! `push`: the plan is shown and confirmed before anything is sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use super::{Access, Run};
use crate::cli::context::Session;
use crate::cli::filters::{parse_filter, refuse_doubtful};
use crate::cli::remote_link::{Linked, Which, confirm, link, passes};
use crate::cli::render::output::Output;
use crate::cli::render::remote::{print_group, report_json};
use crate::cli::{DONE, NEEDS_ATTENTION};
use crate::domain::remote::{ApiCall, PushOptions};
use crate::messages::sync::{HALF_DONE, Permits, skip_reason};
use crate::service::remote;
use crate::service::remote::{Planned, PushReport, Report, Sent, SentOutcome, SyncGroup};
use crate::store::SyncPair;
use crate::text::{grouped, plural};

const EXAMPLES: &str = "\
Examples:
  connector-admin push --dry-run
  connector-admin push ops-webhook
  connector-admin push --filter type:webhook --yes --json";

/// Push local changes to the remote, after you confirm the plan
///
/// Connectors are sent one by one. Ctrl-C stops after the current one; push again to resume. Changes made in Kibana
/// since the last fetch are never overwritten. The plan shows the resulting auth mode of each connector.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Push {
    /// Ids of the connectors [default: all that can be pushed]
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    #[command(flatten)]
    which: Which,
    /// Only connectors that pass this filter; `list --help` shows its keys
    #[arg(long, short, value_name = "FILTER", allow_hyphen_values = true, conflicts_with = "ids")]
    filter: Option<String>,
    /// Show the plan, change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask for confirmation
    #[arg(long, short)]
    yes: bool,
    /// Delete in Kibana what was deleted in the file
    #[arg(long)]
    delete: bool,
    /// Push also where Kibana loses secrets that the file does not have
    #[arg(long)]
    allow_secret_loss: bool,
    /// Print the plan and the outcome as JSON
    #[arg(long)]
    json: bool,
}

impl Run for Push {
    fn access(&self) -> Access {
        Access::Write
    }

    fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<u8> {
        if self.json && !self.yes && !self.dry_run {
            bail!("--json cannot prompt for confirmation: add --yes to push, or --dry-run to see the plan");
        }
        self.filter.as_deref().map_or(Ok(()), refuse_doubtful)?;
        let filter = parse_filter(self.filter.as_deref(), output)?;
        let context = session.context()?;
        let options = PushOptions { delete: self.delete, lose_secrets: self.allow_secret_loss };
        let mut linked = link(&context, &self.which, output)?;
        let _lock = remote::lock_for_push(&context.file)?;
        linked.fetch(output)?;
        self.refuse_unknown_ids(&linked)?;
        let Linked { store, vault, remote, .. } = &linked;
        let is_named = |both: &SyncPair| self.ids.is_empty() || self.ids.contains(&both.state.id);
        let is_wanted = |both: &SyncPair| is_named(both) && passes(store, &filter, both);
        let report = remote::report(store, vault, remote, options, &is_wanted, &mut |_, _| true)?;
        let plan = Planned::of(&report.entries);
        if self.dry_run || plan.is_empty() {
            return self.show_only(&linked, &report, output);
        }
        if !self.json {
            print_plan(&report, output)?;
        }
        if !self.yes && !confirm(&question(&plan, &linked.remote.place()), "--yes")? {
            bail!("nothing was sent");
        }
        let pushed = self.send(&mut linked, (&plan, options), output)?;
        if self.json {
            output.json(&outcome_json(&linked, &report, &pushed))?;
        } else {
            print_outcome(&pushed, output)?;
        }
        Ok(if pushed.is_complete() && is_clear(&report) { DONE } else { NEEDS_ATTENTION })
    }
}

impl Push {
    fn refuse_unknown_ids(&self, linked: &Linked) -> anyhow::Result<()> {
        for id in &self.ids {
            let both = linked.store.both_sides(&linked.remote.name, id)?;
            if both.local.is_none() && both.state.base.is_none() && both.state.fetched.is_none() {
                bail!("neither the file nor {} has a connector {id:?}; nothing was sent", linked.remote.name);
            }
        }
        Ok(())
    }

    fn show_only(&self, linked: &Linked, report: &Report, output: &mut Output) -> anyhow::Result<u8> {
        if self.json {
            output.json(&report_json(&linked.remote, report))?;
        } else {
            print_plan(report, output)?;
            if report.count(SyncGroup::ToPush) == 0 {
                output.line("Nothing to push")?;
            }
        }
        Ok(if is_clear(report) { DONE } else { NEEDS_ATTENTION })
    }

    /// Sends the plan; Ctrl-C stops between two connectors.
    fn send(
        &self,
        linked: &mut Linked,
        plan: (&[Planned], PushOptions),
        output: &mut Output,
    ) -> anyhow::Result<PushReport> {
        let stop = Arc::new(AtomicBool::new(false));
        let handler = signal_hook::flag::register(signal_hook::consts::SIGINT, stop.clone())
            .context("Ctrl-C cannot be handled")?;
        let Linked { store, vault, remote, kibana } = linked;
        let mut done = 0;
        // The reader of the output may be gone; a confirmed push is sent completely.
        let mut printed = Ok(());
        let pushed = remote::push(store, vault, remote, kibana, plan, &mut |sent, total| {
            done += 1;
            if !self.json {
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
}

fn is_clear(report: &Report) -> bool {
    report.count(SyncGroup::Conflict) + report.count(SyncGroup::Blocked) == 0
}

fn print_plan(report: &Report, output: &mut Output) -> anyhow::Result<()> {
    for group in [SyncGroup::Conflict, SyncGroup::Blocked, SyncGroup::ToPull, SyncGroup::ToPush] {
        print_group(report, group, output)?;
    }
    Ok(())
}

fn question(plan: &[Planned], place: &str) -> String {
    let deletes = plan.iter().filter(|planned| planned.calls.contains(&ApiCall::Delete)).count();
    let deletes = if deletes == 0 { String::new() } else { format!(", {deletes} of them to be deleted") };
    let disconnected = match plan.iter().filter(|planned| planned.disconnects_users).count() {
        0 => String::new(),
        count => format!(", {count} of them per-user: all their users are disconnected"),
    };
    format!("Send {}{deletes}{disconnected} to {place}?", plural(plan.len() as u64, "connector"))
}

fn sent_line(sent: &Sent) -> String {
    let calls: Vec<&str> = sent.calls.iter().map(|call| call.as_str()).collect();
    let what = format!("{} ({}), {}", sent.name, sent.id, calls.join(" then "));
    let text = match &sent.outcome {
        SentOutcome::Done => format!("done: {what}"),
        SentOutcome::InStep => format!("done: {what}: Kibana has the same already"),
        SentOutcome::Refused(reason) => format!("refused: {what}: {reason}"),
        SentOutcome::Skipped(reason) => format!("not sent: {what}: {}", skip_reason(reason, &Permits::flags())),
        SentOutcome::Unknown(reason) => format!("not known: {what}: {reason}"),
    };
    if sent.is_half_done() { format!("{text}; {HALF_DONE}") } else { text }
}

fn print_outcome(pushed: &PushReport, output: &mut Output) -> anyhow::Result<()> {
    if pushed.refetched {
        output.line("the state of unknown requests was fetched from Kibana")?;
    }
    output.line(&format!(
        "{} done, {} not, {} left",
        grouped(pushed.done()),
        grouped(pushed.sent.len() - pushed.done()),
        grouped(pushed.left)
    ))?;
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
                SentOutcome::Refused(reason) => ("refused", Some(reason.clone())),
                SentOutcome::Skipped(reason) => ("not sent", Some(skip_reason(reason, &Permits::flags()))),
                SentOutcome::Unknown(reason) => ("unknown", Some(reason.clone())),
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
