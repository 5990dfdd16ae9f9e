//! A file, a remote, and the connection between them.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context as _, bail};

use super::context::Context;
use super::render::output::{Output, prompt, prompt_hidden};
use crate::domain::remote::PushOptions;
use crate::domain::{Filter, Remote};
use crate::kibana::{Credential, Kibana};
use crate::service::keys::find_unreadable_keys;
use crate::service::remote;
use crate::service::remote::Report;
use crate::store::{Store, SyncPair};
use crate::vault::Vault;

/// The remote.
#[derive(clap::Args)]
pub(super) struct Which {
    /// Name of the remote [default: the default remote; `remote use` sets it]
    #[arg(long, value_name = "NAME")]
    pub(super) remote: Option<String>,
}

/// A file, a remote, and the connection to it.
pub(super) struct Linked {
    pub(super) store: Store,
    pub(super) vault: Vault,
    pub(super) remote: Remote,
    pub(super) kibana: Kibana,
}

/// Opens the file for writing and connects to the remote.
pub(super) fn link(context: &Context, which: &Which, output: &Output) -> anyhow::Result<Linked> {
    let mut store = context.open_existing(output)?;
    let remote = remote::remote_of(&store, which.remote.as_deref())?;
    let vault = context.vault(&store)?;
    find_unreadable_keys(&vault, &mut store)?;
    let kibana = connect(&remote, &vault)?;
    Ok(Linked { store, vault, remote, kibana })
}

/// Connects with the credential of the environment, else the stored one, else one from a prompt.
pub(super) fn connect(remote: &Remote, vault: &Vault) -> anyhow::Result<Kibana> {
    let given = match Credential::from_environment().map_err(anyhow::Error::msg)? {
        None if remote.credential.is_none() && io::stdin().is_terminal() => Some(prompt_credential(remote, false)?),
        given => given,
    };
    Ok(remote::connect(remote, vault, given, &Arc::new(AtomicBool::new(false)))?)
}

impl Linked {
    /// Fetches the connectors of Kibana.
    pub(super) fn fetch(&mut self, output: &Output) -> anyhow::Result<()> {
        let progress = output.progress();
        progress.text(&format!("fetching from {}", self.remote.place()));
        Ok(remote::fetch(&mut self.store, &self.vault, &mut self.remote, &self.kibana)?)
    }
}

/// Returns the comparison with a remote: fetched, or by the last fetch.
pub(in crate::cli) fn compared(
    context: &Context,
    which: &Which,
    offline: bool,
    filter: &Filter,
    output: &Output,
) -> anyhow::Result<(Remote, Report)> {
    let (store, vault, remote) = if offline {
        let mut store = context.read()?;
        let remote = remote::remote_of(&store, which.remote.as_deref())?;
        if remote.fetched_at.is_none() {
            bail!("{} was never fetched; run `connector-admin fetch` first", remote.name);
        }
        let vault = context.vault(&store)?;
        find_unreadable_keys(&vault, &mut store)?;
        (store, vault, remote)
    } else {
        let mut linked = link(context, which, output)?;
        linked.fetch(output)?;
        (linked.store, linked.vault, linked.remote)
    };
    let progress = output.progress();
    let report = remote::report(
        &store,
        &vault,
        &remote,
        PushOptions::default(),
        &|both| passes(&store, filter, both),
        &mut |done, total| progress.bar("compared", done, total, "connectors"),
    )?;
    Ok((remote, report))
}

/// Returns whether a connector of either side passes a filter.
pub(in crate::cli) fn passes(store: &Store, filter: &Filter, both: &SyncPair) -> bool {
    let remote = || both.state.fetched.as_ref().map(|seen| seen.to_connector(&both.state.id));
    filter.is_empty()
        || both
            .local
            .clone()
            .or_else(remote)
            .is_some_and(|side| filter.matches(&store.summary_of(&side), store.catalogue()))
}

/// Prompts for the credential of a remote.
pub(in crate::cli) fn prompt_credential(remote: &Remote, basic: bool) -> anyhow::Result<Credential> {
    let hidden = |prompt: &str| prompt_hidden(prompt).context("no terminal to prompt for the credential");
    if !basic {
        let key = hidden(&format!("API key for {}: ", remote.place()))?;
        return Credential::api_key(&key).map_err(anyhow::Error::msg);
    }
    let user = prompt(&format!("User for {}: ", remote.place())).context("the user cannot be read")?;
    Credential::basic(&user, hidden("Password: ")?).map_err(anyhow::Error::msg)
}

/// Asks for confirmation on the terminal; anything but yes is no.
pub(in crate::cli) fn confirm(question: &str, flag: &str) -> anyhow::Result<bool> {
    if !io::stdin().is_terminal() {
        bail!("nothing was sent: no terminal to confirm on, and {flag} was not given");
    }
    let answer = prompt(&format!("{question} [y/N] "))?;
    Ok(matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes"))
}
