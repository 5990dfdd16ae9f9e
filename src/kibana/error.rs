//! Failures of a server, with advice.

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KibanaError {
    /// The server was not reached, or did not answer in time.
    #[error("{place} {}: {cause}", if *may_have_arrived { "did not answer" } else { "was not reached" })]
    Unreachable {
        /// The server.
        place: String,
        /// The cause, with advice.
        cause: String,
        /// The request may have arrived before.
        may_have_arrived: bool,
        /// Another try may have more luck.
        is_passing: bool,
    },
    /// The server answered with an error.
    #[error("{place} refused ({status}): {message}{advice}")]
    Refused {
        /// The server.
        place: String,
        /// The HTTP status.
        status: u16,
        /// Kibana's word.
        message: String,
        /// The advice.
        advice: &'static str,
    },
    /// The answer is not from Kibana, or not in a known format.
    #[error("{place} answered with something else than Kibana: {reason}")]
    NotKibana {
        /// The server.
        place: String,
        /// The problem with the answer.
        reason: String,
        /// The request may still have taken effect.
        may_have_arrived: bool,
    },
    /// Kibana accepted the request and rejected the object in it.
    #[error("{place} did not take it: {reason}")]
    NotTaken {
        /// The server.
        place: String,
        /// Kibana's word.
        reason: String,
    },
    /// Kibana accepted the import and then removed the connector.
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
    /// Returns whether the request may have taken effect without an answer.
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

    /// Returns whether the whole server is affected, so that the next request would fail too.
    pub fn concerns_server(&self) -> bool {
        match self {
            KibanaError::Refused { status, .. } => is_of_the_server(*status),
            KibanaError::NotKibana { .. } | KibanaError::NotTaken { .. } | KibanaError::Removed { .. } => false,
            KibanaError::Unreachable { .. } | KibanaError::Settings(_) | KibanaError::Cancelled => true,
        }
    }

    /// Returns whether a push ends here. The next fetch shows the effect of a request without an answer.
    pub fn ends_a_push(&self) -> bool {
        match self {
            KibanaError::Unreachable { may_have_arrived, .. } => !may_have_arrived,
            other => other.concerns_server(),
        }
    }

    /// Returns whether Kibana examined the request and refused it.
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

/// Returns advice for a refusal.
pub(super) fn advice(status: u16, has_credential: bool) -> &'static str {
    match status {
        401 if !has_credential => {
            ". No credential was given: store one with `remote login`, or set $CONNECTOR_ADMIN_API_KEY"
        }
        401 => ". The credential is not accepted; `remote login` gives another one",
        403 => ". The privilege \"Actions and Connectors\" (All to change, Read to look) is needed in this space",
        429 => ". Kibana is busy; try again later",
        502..=504 => ". Kibana, or a proxy in front of it, is not available; try again later",
        _ => "",
    }
}
