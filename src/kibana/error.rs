//! What can go wrong with a server, in words that say what to do next.

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KibanaError {
    /// It was not reached, or did not answer in time.
    #[error("{place} {}: {cause}", if *may_have_arrived { "was asked, and no answer came" } else { "was not reached" })]
    Unreachable {
        /// The server.
        place: String,
        /// Why, with what to do.
        cause: String,
        /// The request may have arrived before.
        may_have_arrived: bool,
        /// Another try may have more luck.
        is_passing: bool,
    },
    /// It answered with an error.
    #[error("{place} refused ({status}): {message}{advice}")]
    Refused {
        /// The server.
        place: String,
        /// The HTTP status.
        status: u16,
        /// Kibana's word.
        message: String,
        /// What to do.
        advice: &'static str,
    },
    /// What answered is not Kibana, or not as this program knows it.
    #[error("{place} answered with something else than Kibana: {reason}")]
    NotKibana {
        /// The server.
        place: String,
        /// What it was.
        reason: String,
        /// The request may have been done all the same.
        may_have_arrived: bool,
    },
    /// It took the request, and not what was in it.
    #[error("{place} did not take it: {reason}")]
    NotTaken {
        /// The server.
        place: String,
        /// Kibana's word.
        reason: String,
    },
    /// It took the request, and then removed the connector.
    #[error("{place} removed the connector: {reason}")]
    Removed {
        /// The server.
        place: String,
        /// Kibana's word.
        reason: String,
    },
    /// The remote cannot be used as it is.
    #[error("{0}")]
    Settings(String),
    /// The user stopped it.
    #[error("stopped")]
    Cancelled,
}

impl KibanaError {
    /// Kibana may have done what was asked, though it did not say so.
    pub fn may_have_arrived(&self) -> bool {
        match self {
            KibanaError::Unreachable { may_have_arrived, .. } | KibanaError::NotKibana { may_have_arrived, .. } => {
                *may_have_arrived
            }
            KibanaError::Refused { status, .. } => *status >= 500,
            KibanaError::Settings(_) | KibanaError::Cancelled => false,
            KibanaError::NotTaken { .. } | KibanaError::Removed { .. } => false,
        }
    }

    /// It concerns the server as a whole: the next request would fail too.
    pub fn is_about_the_server(&self) -> bool {
        match self {
            KibanaError::Refused { status, .. } => is_of_the_server(*status),
            KibanaError::NotKibana { .. } | KibanaError::NotTaken { .. } | KibanaError::Removed { .. } => false,
            KibanaError::Unreachable { .. } | KibanaError::Settings(_) | KibanaError::Cancelled => true,
        }
    }

    /// After it no other connector is tried. Of a request without an answer that is found out by the next look.
    pub fn ends_a_push(&self) -> bool {
        match self {
            KibanaError::Unreachable { may_have_arrived, .. } => !may_have_arrived,
            other => other.is_about_the_server(),
        }
    }

    /// Kibana has looked at it and said no.
    pub fn is_refusal(&self) -> bool {
        matches!(self, KibanaError::Refused { .. } | KibanaError::NotTaken { .. } | KibanaError::Removed { .. })
    }

    /// The HTTP status of a refusal.
    pub fn status(&self) -> Option<u16> {
        match self {
            KibanaError::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }
}

/// A status that any other request would get too.
fn is_of_the_server(status: u16) -> bool {
    matches!(status, 401 | 429 | 502..=504)
}

/// What a person can do about a refusal.
pub(super) fn advice(status: u16, has_credential: bool) -> &'static str {
    match status {
        401 if !has_credential => {
            ". No credential was given: `remote login` seals one, or set $CONNECTOR_ADMIN_API_KEY"
        }
        401 => ". The credential is not accepted; `remote login` gives another one",
        403 => ". The privilege \"Actions and Connectors\" (All to change, Read to look) is needed in this space",
        429 => ". Kibana is busy; try again later",
        502..=504 => ". Kibana, or what stands before it, is not available; try again later",
        _ => "",
    }
}
