//! Naming remotes, and their credentials.

use std::io::{self, BufRead, IsTerminal};
use std::path::Path;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{open, open_existing};
use crate::cli::DONE;
use crate::cli::context::Context;
use crate::cli::remote_args::RemoteCommand;
use crate::cli::render::output::{Output, prompt, prompt_hidden};
use crate::domain::Remote;
use crate::kibana::Credential;
use crate::service::remote;
use crate::store::Store;
use crate::vault::{Resealed, Vault};

pub(super) fn remote(command: RemoteCommand, context: &Context, output: &mut Output) -> anyhow::Result<u8> {
    match command {
        RemoteCommand::List { json } => list(context, json, output),
        RemoteCommand::Add { name, url, space, ca, proxy, timeout, allow_http, kibana_version, replace } => {
            let mut remote = Remote::new(&name, &url, space.as_deref()).map_err(anyhow::Error::msg)?;
            remote.ca_file = ca.as_deref().map(absolute).transpose()?;
            remote.proxy = proxy.map(checked_proxy).transpose()?;
            if remote.is_in_the_clear() && !allow_http {
                bail!(
                    "over http:// the credential and the secrets can be read on the way; use https://, or --allow-http"
                );
            }
            remote.allow_http = allow_http && remote.is_in_the_clear();
            remote.timeout = timeout;
            remote.version = kibana_version;
            add(context, &remote, replace, output)
        }
        RemoteCommand::Login { name, basic } => login(context, name.as_deref(), basic, output),
        RemoteCommand::Logout { name } => {
            let mut store = open_existing(&context.file, output)?;
            let remote = remote::remote_of(&store, name.as_deref())?;
            store.put_remote(&Remote { credential: None, ..remote.clone() })?;
            output.line(&format!("{}: the credential is removed", remote.name))?;
            Ok(DONE)
        }
        RemoteCommand::Use { name } => {
            let mut store = open_existing(&context.file, output)?;
            let remote = remote::remote_of(&store, Some(&name))?;
            store.put_remote(&Remote { is_default: true, ..remote })?;
            output.line(&format!("{name} is meant where no remote is named"))?;
            Ok(DONE)
        }
        RemoteCommand::Remove { name } => {
            let mut store = open_existing(&context.file, output)?;
            remote::remote_of(&store, Some(&name))?;
            store.remove_remote(&name)?;
            output.line(&format!("{name} is removed, with its credential and fetched state; the connectors stay"))?;
            Ok(DONE)
        }
    }
}

fn absolute(path: &Path) -> anyhow::Result<String> {
    let path = std::fs::canonicalize(path).with_context(|| format!("{} cannot be read", path.display()))?;
    path.to_str().map(str::to_owned).with_context(|| format!("{} is not UTF-8", path.display()))
}

/// A proxy's password would lie in the file in the clear.
fn checked_proxy(url: String) -> anyhow::Result<String> {
    let Some((_, rest)) = url.split_once("://") else {
        bail!("the proxy is no address such as http://proxy.example:3128");
    };
    if rest.contains('@') {
        bail!("the proxy's address holds a user or a password; give it in $HTTPS_PROXY instead, which is not kept");
    }
    Ok(url)
}

fn add(context: &Context, remote: &Remote, replace: bool, output: &mut Output) -> anyhow::Result<u8> {
    let (mut store, _) = open(&context.file, output)?;
    let name = &remote.name;
    if let Some(known) = store.remotes()?.into_iter().find(|known| known.name == *name) {
        if !replace {
            bail!("the remote {name} exists already; --replace replaces it");
        }
        // The same space of the same Kibana is only reached another way.
        if (&known.url, &known.space) == (&remote.url, &remote.space) {
            let credential = known.credential.clone().filter(|_| known.is_reached_like(remote));
            let is_lost = known.credential.is_some() && credential.is_none();
            let Remote { ca_file, proxy, timeout, allow_http, version, .. } = remote.clone();
            let version = version.or(known.version.clone());
            store.put_remote(&Remote { ca_file, proxy, timeout, allow_http, credential, version, ..known })?;
            output.line(&format!("{name}: {}, with what was pulled as before", remote.place()))?;
            if is_lost {
                output.notice(&format!(
                    "it is reached another way now, so its credential was removed; `connector-admin remote login {name}` \
                     encrypts it again"
                ));
            }
            return Ok(DONE);
        }
        store.remove_remote(name)?;
    }
    store.put_remote(remote)?;
    output.line(&format!("{name}: {}", remote.place()))?;
    output.notice(&format!(
        "next: `connector-admin remote login {name}` stores a credential (or set it in $CONNECTOR_ADMIN_API_KEY), \
         then `connector-admin pull`"
    ));
    Ok(DONE)
}

fn list(context: &Context, json: bool, output: &mut Output) -> anyhow::Result<u8> {
    let remotes = context.read()?.remotes()?;
    if json {
        let all: Vec<Value> = remotes.iter().map(as_json).collect();
        output.json(&Value::from(all))?;
        return Ok(DONE);
    }
    if remotes.is_empty() {
        output.notice("this file has no remote; `connector-admin remote add NAME URL` names a Kibana");
    }
    let row = |remote: &Remote| {
        vec![
            format!("{}{}", remote.name, if remote.is_default { " *" } else { "" }),
            remote.place(),
            remote.version.clone().unwrap_or_default(),
            if remote.credential.is_some() { "sealed" } else { "none" }.to_owned(),
            remote.seen_at.clone().unwrap_or_else(|| "never".to_owned()),
        ]
    };
    let rows: Vec<Vec<String>> = remotes.iter().map(row).collect();
    output.table(&["NAME", "WHERE", "VERSION", "CREDENTIAL", "READ LAST"], &rows)?;
    Ok(DONE)
}

fn as_json(remote: &Remote) -> Value {
    json!({
        "name": remote.name, "url": remote.url, "space": if remote.space.is_empty() { "default" } else { &remote.space },
        "ca_file": remote.ca_file, "proxy": remote.proxy, "timeout": remote.timeout, "allow_http": remote.allow_http,
        "has_credential": remote.credential.is_some(), "is_default": remote.is_default,
        "version": remote.version, "knows_auth_modes": remote.knows_modes, "seen_at": remote.seen_at,
    })
}

fn login(context: &Context, name: Option<&str>, basic: bool, output: &mut Output) -> anyhow::Result<u8> {
    let mut store = open_existing(&context.file, output)?;
    let mut remote = remote::remote_of(&store, name)?;
    let vault = context.vault(&store)?;
    let credential = if io::stdin().is_terminal() { read_credential(&remote, basic)? } else { read(basic)? };
    remote.credential = Some(vault.seal(&remote, &credential.to_secret())?);
    store.put_remote(&remote)?;
    output.line(&format!("{}: {} stored, encrypted, in the file", remote.name, credential.kind()))?;
    Ok(DONE)
}

/// Prompts for the credential of a remote.
pub(super) fn read_credential(remote: &Remote, basic: bool) -> anyhow::Result<Credential> {
    let hidden = |prompt: &str| prompt_hidden(prompt).context("no terminal to ask for the credential");
    if !basic {
        let key = hidden(&format!("API key for {}: ", remote.place()))?;
        return Credential::api_key(&key).map_err(anyhow::Error::msg);
    }
    let user = prompt(&format!("User for {}: ", remote.place())).context("the user cannot be read")?;
    Credential::basic(&user, hidden("Password: ")?).map_err(anyhow::Error::msg)
}

fn read(basic: bool) -> anyhow::Result<Credential> {
    let mut line = Zeroizing::new(String::new());
    io::stdin().lock().read_line(&mut line).context("the credential cannot be read from standard input")?;
    let line = line.trim_end_matches(['\r', '\n']);
    let credential = match (basic, line.split_once(':')) {
        (false, _) => Credential::api_key(line),
        (true, Some((user, password))) => Credential::basic(user, Zeroizing::new(password.to_owned())),
        (true, None) => Err("standard input does not begin with USER:PASSWORD".to_owned()),
    };
    credential.map_err(anyhow::Error::msg)
}

/// Re-encrypts the credentials of all remotes with the newest key; unreadable ones are added to `unreadable`.
pub(super) fn reseal(store: &mut Store, vault: &Vault, unreadable: &mut Vec<(String, String)>) -> anyhow::Result<()> {
    for remote in store.remotes()?.into_iter().filter(|remote| remote.credential.is_some()) {
        match vault.reseal(&remote)? {
            Resealed::Current => {}
            Resealed::Reencrypted(sealed) => store.put_remote(&Remote { credential: Some(sealed), ..remote })?,
            Resealed::Unreadable(reason) => unreadable.push((format!("remote {}", remote.name), reason.to_string())),
        }
    }
    Ok(())
}
