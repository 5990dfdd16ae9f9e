//! The command line of what has to do with Kibana.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use crate::domain::remote::TIMEOUT;
use crate::sync::Side;

#[derive(Subcommand)]
pub(super) enum RemoteCommand {
    /// Name a space of a Kibana; the file becomes a working copy of it
    Add {
        /// A name for it, for example prod
        name: String,
        /// The server with its base path: https://kibana.example:5601
        url: String,
        /// The id of the space [default: the default space]
        #[arg(long, value_name = "ID")]
        space: Option<String>,
        /// Trust the authorities of this PEM file in place of the system's
        #[arg(long, value_name = "FILE")]
        ca: Option<PathBuf>,
        /// Go through this proxy [default: $HTTPS_PROXY, $ALL_PROXY; $NO_PROXY excepts hosts]
        #[arg(long, value_name = "URL")]
        proxy: Option<String>,
        /// Seconds that one request may take
        #[arg(long, value_name = "SECONDS", default_value_t = TIMEOUT, value_parser = clap::value_parser!(u32).range(1..=3600))]
        timeout: u32,
        /// Take an http:// address of another machine: credentials and secrets can be read on the way
        #[arg(long)]
        allow_http: bool,
        /// The version of Kibana, where it does not tell it to this user (9.4.0, or serverless)
        #[arg(long, value_name = "V", value_parser = version)]
        kibana_version: Option<String>,
        /// Replace the remote of this name; its credential stays only where it is reached the same way, and what it said
        /// only at the same address and space
        #[arg(long)]
        replace: bool,
    },
    /// List the remotes
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Seal a credential for a remote: asked for on a terminal, else read from standard input
    ///
    /// An API key, encoded or as id:key; with --basic a user and a password (USER:PASSWORD on standard input). It
    /// never stands in an argument. Without a sealed one each command takes $CONNECTOR_ADMIN_API_KEY, or
    /// $CONNECTOR_ADMIN_USERNAME and $CONNECTOR_ADMIN_PASSWORD, or asks.
    Login {
        /// The remote [default: the default one]
        name: Option<String>,
        /// User and password in place of an API key
        #[arg(long)]
        basic: bool,
    },
    /// Forget the sealed credential
    Logout {
        /// The remote [default: the default one]
        name: Option<String>,
    },
    /// Make it the remote that is meant where none is named
    Use {
        /// The remote
        name: String,
    },
    /// Forget a remote and what it said; the connectors of the file stay
    Remove {
        /// The remote
        name: String,
    },
}

/// Which remote.
#[derive(clap::Args)]
pub(super) struct Which {
    /// The remote [default: the one that `remote use` made the default, at first the first one]
    #[arg(long, value_name = "NAME")]
    pub(super) remote: Option<String>,
}

#[derive(clap::Args)]
pub(super) struct PushArgs {
    /// Only these connectors [default: all that can be sent]
    #[arg(value_name = "ID")]
    pub(super) ids: Vec<String>,
    #[command(flatten)]
    pub(super) which: Which,
    /// Only connectors that pass this filter; the same language as in the UI
    #[arg(long, short, value_name = "FILTER", allow_hyphen_values = true, conflicts_with = "ids")]
    pub(super) filter: Option<String>,
    /// Show the plan, send nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Send without a question
    #[arg(long, short)]
    pub(super) yes: bool,
    /// Delete in Kibana what was deleted in the file
    #[arg(long)]
    pub(super) delete: bool,
    /// Send also where Kibana loses secrets that the file does not have
    #[arg(long)]
    pub(super) lose_secrets: bool,
    /// The plan and the outcome as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum SideArg {
    /// What the file says; the next push sends it
    Here,
    /// What Kibana says
    There,
}

impl From<SideArg> for Side {
    fn from(side: SideArg) -> Self {
        match side {
            SideArg::Here => Side::Here,
            SideArg::There => Side::There,
        }
    }
}

/// A version as Kibana tells it.
fn version(text: &str) -> Result<String, String> {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = text.split('.').collect();
    if text == "serverless" || ((2..=3).contains(&parts.len()) && parts.into_iter().all(is_number)) {
        return Ok(text.to_owned());
    }
    Err("it must be a version such as 9.4.0, or serverless".to_owned())
}
