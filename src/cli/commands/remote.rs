//! `remote`.

use std::io::{self, BufRead, IsTerminal};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Subcommand;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{Access, Run};
use crate::cli::DONE;
use crate::cli::context::{Context, Session};
use crate::cli::remote_link::prompt_credential;
use crate::cli::render::output::Output;
use crate::domain::Remote;
use crate::domain::remote::TIMEOUT;
use crate::kibana::Credential;
use crate::service::remote;

const EXAMPLES: &str = "\
Examples:
  connector-admin remote add prod https://kibana.example:5601 --space ops
  connector-admin remote login prod
  connector-admin remote list";

/// Manage the Kibana remotes of this file
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Remotes {
    #[command(subcommand)]
    command: RemoteCommand,
}

/// Manage the Kibana remotes of this file
#[derive(Subcommand)]
enum RemoteCommand {
    Add(Add),
    /// List the remotes
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Store an encrypted credential for a remote (prompt, or standard input)
    ///
    /// An API key, encoded or as id:key; with --basic a user and a password (USER:PASSWORD on standard input). It is
    /// never an argument. Without a stored credential each command uses $CONNECTOR_ADMIN_API_KEY, or
    /// $CONNECTOR_ADMIN_USERNAME and $CONNECTOR_ADMIN_PASSWORD, or a prompt.
    Login {
        /// Name of the remote [default: the default remote]
        name: Option<String>,
        /// Use user and password instead of an API key
        #[arg(long)]
        basic: bool,
    },
    /// Remove the stored credential
    Logout {
        /// Name of the remote [default: the default remote]
        name: Option<String>,
    },
    /// Make a remote the default
    Use {
        /// Name of the remote
        name: String,
    },
    /// Remove a remote and its fetched state; the connectors of the file stay
    Remove {
        /// Name of the remote
        name: String,
    },
}

/// Add a remote: a space of a Kibana that this file is a working copy of
#[derive(clap::Args)]
struct Add {
    /// Name of the remote, for example prod
    name: String,
    /// URL of the server with its base path: https://kibana.example:5601
    url: String,
    /// Id of the space [default: the default space]
    #[arg(long, value_name = "ID")]
    space: Option<String>,
    /// Trust the authorities of this PEM file instead of the system's
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Proxy URL [default: $HTTPS_PROXY, $ALL_PROXY; $NO_PROXY excludes hosts]
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,
    /// Timeout of a request in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = TIMEOUT, value_parser = clap::value_parser!(u32).range(1..=3600))]
    timeout: u32,
    /// Allow http:// to another machine: credentials and secrets are readable on the network
    #[arg(long)]
    allow_http: bool,
    /// Version of Kibana (9.4.0 or serverless), where it does not report it to this user
    #[arg(long, value_name = "V", value_parser = version)]
    kibana_version: Option<String>,
    /// Replace the remote of this name; its credential is kept only if the connection stays the same, its fetched
    /// state only if URL and space stay the same
    #[arg(long)]
    replace: bool,
}

impl Run for Remotes {
    fn access(&self) -> Access {
        if matches!(self.command, RemoteCommand::List { .. }) { Access::Read } else { Access::Write }
    }

    fn run(self, session: &Session, output: &mut Output) -> anyhow::Result<u8> {
        let context = session.context()?;
        match self.command {
            RemoteCommand::Add(add) => add.run(&context, output),
            RemoteCommand::List { json } => list(&context, json, output),
            RemoteCommand::Login { name, basic } => login(&context, name.as_deref(), basic, output),
            RemoteCommand::Logout { name } => logout(&context, name.as_deref(), output),
            RemoteCommand::Use { name } => use_remote(&context, &name, output),
            RemoteCommand::Remove { name } => remove(&context, &name, output),
        }
    }
}

impl Add {
    fn run(self, context: &Context, output: &mut Output) -> anyhow::Result<u8> {
        let mut remote = Remote::new(&self.name, &self.url, self.space.as_deref()).map_err(anyhow::Error::msg)?;
        remote.ca_file = self.ca.as_deref().map(absolute).transpose()?;
        remote.proxy = self.proxy.map(checked_proxy).transpose()?;
        if remote.is_in_the_clear() && !self.allow_http {
            bail!(
                "over http:// the credential and the secrets are readable on the network; use https://, or --allow-http"
            );
        }
        remote.allow_http = self.allow_http && remote.is_in_the_clear();
        remote.timeout = self.timeout;
        remote.version = self.kibana_version;
        add(context, &remote, self.replace, output)
    }
}

fn logout(context: &Context, name: Option<&str>, output: &mut Output) -> anyhow::Result<u8> {
    let mut store = context.open_existing(output)?;
    let remote = remote::remote_of(&store, name)?;
    store.put_remote(&Remote { credential: None, ..remote.clone() })?;
    output.line(&format!("{}: the credential is removed", remote.name))?;
    Ok(DONE)
}

fn use_remote(context: &Context, name: &str, output: &mut Output) -> anyhow::Result<u8> {
    let mut store = context.open_existing(output)?;
    let remote = remote::remote_of(&store, Some(name))?;
    store.put_remote(&Remote { is_default: true, ..remote })?;
    output.line(&format!("{name} is the default remote now"))?;
    Ok(DONE)
}

fn remove(context: &Context, name: &str, output: &mut Output) -> anyhow::Result<u8> {
    let mut store = context.open_existing(output)?;
    remote::remote_of(&store, Some(name))?;
    store.remove_remote(name)?;
    output.line(&format!("{name} is removed, with its credential and fetched state; the connectors stay"))?;
    Ok(DONE)
}

fn absolute(path: &Path) -> anyhow::Result<String> {
    let path = std::fs::canonicalize(path).with_context(|| format!("{} cannot be read", path.display()))?;
    path.to_str().map(str::to_owned).with_context(|| format!("{} is not UTF-8", path.display()))
}

/// Refuses a proxy with a password, which would be stored in the file as plain text.
fn checked_proxy(url: String) -> anyhow::Result<String> {
    let Some((_, rest)) = url.split_once("://") else {
        bail!("the proxy is not an address such as http://proxy.example:3128");
    };
    if rest.contains('@') {
        bail!("the proxy's address holds a user or a password; give it in $HTTPS_PROXY instead, which is not kept");
    }
    Ok(url)
}

fn add(context: &Context, remote: &Remote, replace: bool, output: &mut Output) -> anyhow::Result<u8> {
    let (mut store, _) = context.open(output)?;
    let name = &remote.name;
    if let Some(known) = store.remotes()?.into_iter().find(|known| known.name == *name) {
        if !replace {
            bail!("the remote {name} already exists; --replace replaces it");
        }
        // The same space of the same Kibana, with another connection.
        if (&known.url, &known.space) == (&remote.url, &remote.space) {
            let credential = known.credential.clone().filter(|_| known.is_reached_like(remote));
            let is_lost = known.credential.is_some() && credential.is_none();
            let Remote { ca_file, proxy, timeout, allow_http, version, .. } = remote.clone();
            let version = version.or(known.version.clone());
            store.put_remote(&Remote { ca_file, proxy, timeout, allow_http, credential, version, ..known })?;
            output.line(&format!("{name}: {}, with its fetched state", remote.place()))?;
            if is_lost {
                output.notice(&format!(
                    "its connection changed, so its credential was removed; store it again with `connector-admin remote login \
                     {name}`"
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
        output.notice("this file has no remote; add one with `connector-admin remote add NAME URL`");
    }
    let row = |remote: &Remote| {
        vec![
            format!("{}{}", remote.name, if remote.is_default { " *" } else { "" }),
            remote.place(),
            remote.version.clone().unwrap_or_default(),
            if remote.credential.is_some() { "stored" } else { "none" }.to_owned(),
            remote.fetched_at.clone().unwrap_or_else(|| "never".to_owned()),
        ]
    };
    let rows: Vec<Vec<String>> = remotes.iter().map(row).collect();
    output.table(&["NAME", "WHERE", "VERSION", "CREDENTIAL", "LAST FETCH"], &rows)?;
    Ok(DONE)
}

fn as_json(remote: &Remote) -> Value {
    json!({
        "name": remote.name, "url": remote.url, "space": if remote.space.is_empty() { "default" } else { &remote.space },
        "ca_file": remote.ca_file, "proxy": remote.proxy, "timeout": remote.timeout, "allow_http": remote.allow_http,
        "has_credential": remote.credential.is_some(), "is_default": remote.is_default,
        "version": remote.version, "knows_auth_modes": remote.knows_modes, "fetched_at": remote.fetched_at,
    })
}

fn login(context: &Context, name: Option<&str>, basic: bool, output: &mut Output) -> anyhow::Result<u8> {
    let mut store = context.open_existing(output)?;
    let mut remote = remote::remote_of(&store, name)?;
    let vault = context.vault(&store)?;
    let credential =
        if io::stdin().is_terminal() { prompt_credential(&remote, basic)? } else { read_credential(basic)? };
    remote.credential = Some(vault.encrypt(&remote, &credential.to_secret())?);
    store.put_remote(&remote)?;
    output.line(&format!("{}: {} stored, encrypted, in the file", remote.name, credential.kind()))?;
    Ok(DONE)
}

fn read_credential(basic: bool) -> anyhow::Result<Credential> {
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

/// Parses a version as Kibana reports it.
fn version(text: &str) -> Result<String, String> {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = text.split('.').collect();
    if text == "serverless" || ((2..=3).contains(&parts.len()) && parts.into_iter().all(is_number)) {
        return Ok(text.to_owned());
    }
    Err("it must be a version such as 9.4.0, or serverless".to_owned())
}
