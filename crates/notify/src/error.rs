use pipeline::{Diagnose, FailureKind};
use std::time::Duration;

/// Why a connection failed, without the address.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Cause(pub(crate) String);

/// A message or a ping did not get through. `label` is what the caller calls the webhook; nothing holds its address.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is none that may be asked.
    #[error("the address of {label} cannot be used: {reason}")]
    Address {
        /// Which webhook.
        label: String,
        /// Why not.
        reason: &'static str,
    },
    /// The HTTP client cannot be built.
    #[error("cannot set up the HTTP client for {label}")]
    Client {
        /// Which webhook.
        label: String,
        /// Why.
        source: Cause,
    },
    /// The connection could not be made, or broke.
    #[error("no working connection to {label}")]
    Connection {
        /// Which webhook.
        label: String,
        /// Why.
        source: Cause,
    },
    /// Nothing came for too long.
    #[error("{label} did not answer within {} s", .limit.as_secs_f64())]
    Timeout {
        /// Which webhook.
        label: String,
        /// For how long.
        limit: Duration,
    },
    /// It leads elsewhere, and a secret is not carried after it.
    #[error("{label} answered {status}, which leads elsewhere")]
    Redirected {
        /// Which webhook.
        label: String,
        /// The status.
        status: u16,
    },
    /// It refused, or failed.
    #[error("{label} answered {status}{}", .code.as_ref().map(|code| format!(" {code}")).unwrap_or_default())]
    Status {
        /// Which webhook.
        label: String,
        /// The status.
        status: u16,
        /// What the service calls it: `no_service`, `WorkflowTriggerIsNotEnabled`.
        code: Option<String>,
    },
    /// Somebody pressed Ctrl-C while it was sent.
    #[error("interrupted while {label} was told")]
    Interrupted {
        /// Which webhook.
        label: String,
    },
}

impl Error {
    /// Whether sending it again may help.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Connection { .. } | Self::Timeout { .. } => true,
            Self::Status { status, .. } => matches!(status, 408 | 429 | 500..=599),
            Self::Address { .. }
            | Self::Client { .. }
            | Self::Redirected { .. }
            | Self::Interrupted { .. } => false,
        }
    }
}

impl Diagnose for Error {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Address { .. } => FailureKind::Recipe,
            Self::Client { .. } => FailureKind::Internal,
            Self::Status { status: 401 | 403, .. } => FailureKind::Access,
            Self::Connection { .. }
            | Self::Timeout { .. }
            | Self::Redirected { .. }
            | Self::Status { .. } => FailureKind::Remote,
            Self::Interrupted { .. } => FailureKind::Interrupted,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Address { .. } => "copy the whole address from the service, https:// included",
            Self::Connection { source, .. } if source.0.contains("certificate") => {
                "add the certificate authority of the service, or of the proxy in between, to the trust store of the \
                 system"
            }
            Self::Connection { .. } | Self::Timeout { .. } => {
                "check the network, the proxy settings and the address"
            }
            Self::Redirected { .. } => {
                "copy the address from the service again; it has another one now, or wants a person to sign in"
            }
            Self::Status { status: 401 | 403 | 404 | 410, .. } => {
                "look whether the webhook is still there and switched on, and whether who made it is still allowed to; \
                 else make a new one"
            }
            Self::Status { status: 400 | 413 | 422, .. } => {
                "look whether the address belongs to the kind of service that is set, and whether its workflow is switched \
                 on; if both is so, please report this"
            }
            Self::Status { status: 429, .. } => {
                "others send to it too, and too much: give it a webhook of its own"
            }
            Self::Status { .. } => "look at the status page of the service",
            Self::Client { .. } | Self::Interrupted { .. } => return None,
        };
        Some(hint.to_owned())
    }
}
