//! Why a range did not come.

use pipeline::causes;
use std::time::Duration;

/// What went wrong with one request for a range.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The connection could not be made, or broke.
    #[error("no working connection to {host}")]
    Connection {
        /// Host and port.
        host: String,
        /// Why.
        source: reqwest::Error,
    },
    /// Too few bytes came for too long, or none.
    #[error("next to nothing came from {host} for {} s", .limit.as_secs_f64())]
    Stalled {
        /// Host and port.
        host: String,
        /// For how long.
        limit: Duration,
    },
    /// The answer ended early, and nobody said so.
    #[error("{host} sent {got} bytes where {asked} were asked for")]
    Short {
        /// Host and port.
        host: String,
        /// Bytes that came.
        got: u64,
        /// Bytes that were asked for.
        asked: u64,
    },
    /// The answer goes on where it should have ended.
    #[error("{host} sent more than the {asked} bytes that were asked for")]
    Long {
        /// Host and port.
        host: String,
        /// Bytes that were asked for.
        asked: u64,
    },
    /// An answer other than the bytes.
    #[error("{host} answered {status}{}", code.as_ref().map(|code| format!(" {code}")).unwrap_or_default())]
    Status {
        /// Host and port.
        host: String,
        /// The status.
        status: u16,
        /// What the content network calls it.
        code: Option<String>,
        /// How long the server wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// The server does not know ranges.
    #[error("{host} ignores the range that was asked for and sends the whole file")]
    Whole {
        /// Host and port.
        host: String,
    },
    /// The server sends other bytes than were asked for.
    #[error("{host} sent {} where {asked} was asked for", got.as_deref().unwrap_or("a piece without a place"))]
    OtherRange {
        /// Host and port.
        host: String,
        /// What was asked for.
        asked: String,
        /// `Content-Range` of the answer.
        got: Option<String>,
    },
    /// The file at the address has another size than the list says.
    #[error("the file at {host} has {got} bytes, and the list says {listed}")]
    OtherSize {
        /// Host and port.
        host: String,
        /// The size in the answer.
        got: u64,
        /// The size in the list.
        listed: u64,
    },
}

impl Problem {
    /// Whether asking again may help.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Connection { .. } | Self::Stalled { .. } | Self::Short { .. } => true,
            Self::Status { status, .. } => {
                self.is_refusal() || matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
            }
            Self::Long { .. } | Self::Whole { .. } | Self::OtherRange { .. } | Self::OtherSize { .. } => {
                false
            }
        }
    }

    /// Whether the address does not serve any more: 403 after its end (`jamf-pro-api.md §10`), and what other stores say
    /// when what it led to has gone.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, Self::Status { status: 401 | 403 | 404 | 410, .. })
    }

    /// How long the server wants to be left alone.
    pub(crate) fn ordered_pause(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    pub(crate) fn hint(&self) -> String {
        match self {
            Self::Connection { source, .. }
                if causes(source).any(|cause| cause.contains("certificate")) =>
            {
                "add the certificate authority of the server, or of the proxy in between, to the trust store of the \
                 system"
            }
            Self::Connection { .. } | Self::Stalled { .. } | Self::Short { .. } => {
                "check the network and the proxy settings, and run the same again: what has come is not fetched again"
            }
            Self::Status { .. } if self.is_refusal() => {
                "run the same again; if it happens again, look whether the file is still in the distribution service, \
                 and whether the clock of this machine is right"
            }
            Self::Status { status: 300..=399, .. }
            | Self::Whole { .. }
            | Self::Long { .. }
            | Self::OtherRange { .. } => {
                "something between this machine and the distribution service changes requests, such as a proxy that \
                 scans downloads: let this address pass, or use another network"
            }
            Self::Status { .. } => "try again later: what has come is not fetched again",
            Self::OtherSize { .. } => "the file was replaced a moment ago: wait a minute, then run the same again",
        }
        .to_owned()
    }
}

/// A problem and its causes on one line.
pub(crate) fn in_full(problem: &Problem) -> String {
    causes(problem).collect::<Vec<_>>().join(": ")
}

/// `bytes 0-20971519`, for messages.
pub(crate) fn place(start: u64, end: u64) -> String {
    format!("bytes {start}-{}", end.saturating_sub(1))
}
