//! Arguments of the commands for Kibana.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use crate::domain::remote::TIMEOUT;
use crate::service::remote::Side;

#[derive(Subcommand)]
pub(super) enum RemoteCommand {
    /// Add a remote: a space of a Kibana that this file is a working copy of
    Add {
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
    },
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

/// The remote.
#[derive(clap::Args)]
pub(super) struct Which {
    /// Name of the remote [default: the default remote; `remote use` sets it]
    #[arg(long, value_name = "NAME")]
    pub(super) remote: Option<String>,
}

#[derive(clap::Args)]
pub(super) struct PushArgs {
    /// Ids of the connectors [default: all that can be pushed]
    #[arg(value_name = "ID")]
    pub(super) ids: Vec<String>,
    #[command(flatten)]
    pub(super) which: Which,
    /// Only connectors that pass this filter
    #[arg(long, short, value_name = "FILTER", allow_hyphen_values = true, conflicts_with = "ids")]
    pub(super) filter: Option<String>,
    /// Show the plan, change nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Do not ask for confirmation
    #[arg(long, short)]
    pub(super) yes: bool,
    /// Delete in Kibana what was deleted in the file
    #[arg(long)]
    pub(super) delete: bool,
    /// Push also where Kibana loses secrets that the file does not have
    #[arg(long)]
    pub(super) allow_secret_loss: bool,
    /// Print the plan and the outcome as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum SideArg {
    /// Keep the file's version; the next push sends it
    Local,
    /// Use Kibana's version
    Remote,
}

impl From<SideArg> for Side {
    fn from(side: SideArg) -> Self {
        match side {
            SideArg::Local => Side::Local,
            SideArg::Remote => Side::Remote,
        }
    }
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
