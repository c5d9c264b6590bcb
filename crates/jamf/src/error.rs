use crate::{Field, Lapsed, Rejection, SettingsError, SignInError};
use pipeline::{Diagnose, FailureKind, FileName, PackageId, Refused, causes};
use reqwest::Method;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Method and path of a request, as messages name it: `GET /api/v1/packages`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub(crate) method: Method,
    /// As the server itself has it, whichever way the request takes.
    pub(crate) path: Arc<str>,
    /// As a gateway has it.
    pub(crate) behind: Option<Arc<str>>,
}

impl Request {
    /// The path as it is sent.
    pub(crate) fn sent(&self) -> &str {
        self.behind.as_deref().unwrap_or(&self.path)
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.sent())
    }
}

/// The phase of a request that took too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The body of the request stood still.
    Sending,
    /// Nothing of the answer came.
    Header,
    /// The answer stopped in the middle.
    Body,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sending => "the file stood still",
            Self::Header => "no answer",
            Self::Body => "the answer stopped and nothing more came",
        })
    }
}

/// Talking to Jamf Pro failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The settings do not name a server and an account.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The HTTP client cannot be built.
    #[error("cannot set up the HTTP client")]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The account is refused.
    #[error(transparent)]
    SignIn(#[from] Box<SignInError>),
    /// An answer other than success.
    #[error(transparent)]
    Status(Box<Rejection>),
    /// The distribution service is not set up on this server.
    #[error("this server has no Jamf Cloud Distribution Service")]
    NoJcds(#[source] Box<Rejection>),
    /// The server sends the request elsewhere, where credentials must not follow and nobody speaks of what was asked.
    #[error("{request} is redirected to {to}")]
    Redirected {
        /// The request.
        request: Request,
        /// The new address, without its query.
        to: String,
    },
    /// The connection could not be made, or broke.
    #[error("{request}: no working connection to {host}")]
    Connection {
        /// The request.
        request: Request,
        /// Host and port.
        host: String,
        /// Why.
        source: reqwest::Error,
    },
    /// A phase of the request took too long.
    #[error("{request}: {phase} for {} s", .limit.as_secs_f64())]
    Timeout {
        /// The request.
        request: Request,
        /// Which phase.
        phase: Phase,
        /// Its limit.
        limit: Duration,
    },
    /// A question that failed a moment ago, after all its tries, and was not asked again: nothing has answered since.
    #[error(transparent)]
    Lapsed(Arc<Lapsed>),
    /// The credentials of an upload cannot be renewed any more.
    #[error("another upload was begun since, and the server renews the credentials of the latest one only")]
    Superseded,
    /// The answer does not end where any answer would have.
    #[error("{request}: the answer is larger than {} MiB", .limit >> 20)]
    TooLarge {
        /// The request.
        request: Request,
        /// What is read at most, in bytes.
        limit: usize,
    },
    /// The server said that all is well, and what it sent cannot be used.
    #[error("{request}: the answer is not {expected}: {found}")]
    Decode {
        /// The request.
        request: Request,
        /// What should have come.
        expected: &'static str,
        /// What is wrong with what came.
        found: String,
        /// What the parser says.
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// Something may or may not have been created: the answer was lost, and it cannot be found.
    #[error("{request}: the answer was lost, and nobody knows whether {what} was created")]
    Uncertain {
        /// The request.
        request: Request,
        /// What it was to create.
        what: String,
        /// How the answer was lost.
        source: Box<Error>,
    },
    /// More than one record names the file; servers that were filled through the Classic API may hold such
    /// (`jamf-pro-api.md §12`, `user-pains.md` row 22).
    #[error("{} package records name the file {file}: {}", records.len(), list(records))]
    SeveralRecords {
        /// The file.
        file: FileName,
        /// Id and display name of each.
        records: Vec<(PackageId, String)>,
    },
    /// The Pro API does not have this field.
    #[error("the Pro API has no field for {}", .0.words())]
    ClassicOnly(Field),
    /// A field cannot hold this.
    #[error("{} cannot hold {found}", .field.words())]
    Unwritable {
        /// The field.
        field: Field,
        /// What it was to hold.
        found: String,
    },
    /// No address can carry this name.
    #[error("{0:?} cannot be part of an address")]
    Unaddressable(String),
    /// The file that is to be sent cannot be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not the file that was looked at.
    #[error("{path} changed: it was to have {expected} bytes, and {found}")]
    Changed {
        /// The file.
        path: PathBuf,
        /// Its size as it was.
        expected: u64,
        /// What is the case.
        found: String,
    },
    /// A write was about to leave during a dry run.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Somebody pressed Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// The status of the answer, where there was one and it was not a success.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status(rejection) | Self::NoJcds(rejection) => Some(rejection.status()),
            Self::SignIn(error) => Some(error.status()),
            Self::Lapsed(lapsed) => lapsed.status(),
            _ => None,
        }
    }

    pub(crate) fn is_absence(&self) -> bool {
        matches!(self, Self::Status(rejection) if rejection.status() == 404)
    }

    /// Whether the server refused to make something because it is there already.
    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        matches!(self, Self::Status(rejection) if rejection.is_duplicate())
    }

    /// Whether the server refused a request before anything of it was accepted, so that another way may be taken: it knows no
    /// such call, does not let this account, or does not want what was sent. Not so with what passes (408, 429, 5xx) and with
    /// a token that is refused (401).
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::NoJcds(_) | Self::Redirected { .. } => true,
            Self::Status(rejection) => {
                matches!(rejection.status(), 400..=499 | 501)
                    && !matches!(rejection.status(), 401 | 408 | 429)
            }
            _ => false,
        }
    }

    /// Whether the request may have been carried out although no answer says so.
    pub(crate) fn leaves_outcome_open(&self) -> bool {
        match self {
            Self::Status(rejection) => matches!(rejection.status(), 408 | 500..=599),
            Self::Connection { source, .. } => !source.is_connect(),
            Self::Timeout { .. } | Self::Decode { .. } | Self::TooLarge { .. } => true,
            _ => false,
        }
    }
}

impl Diagnose for Error {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Settings(_) | Self::ClassicOnly(_) | Self::Unwritable { .. } | Self::Unaddressable(_) => {
                FailureKind::Recipe
            }
            Self::SignIn(_) => FailureKind::Access,
            Self::Unreadable { .. } | Self::Changed { .. } => FailureKind::Local,
            Self::Status(rejection) => rejection.kind(),
            Self::Refused(refused) => refused.kind(),
            Self::Interrupted => FailureKind::Interrupted,
            _ => FailureKind::Remote,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Settings(error) => error.hint(),
            Self::SignIn(error) => error.hint(),
            Self::Status(rejection) => rejection.hint(),
            Self::NoJcds(_) => Some(
                "packages can be sent this way only where the principal distribution point is Jamf Cloud: \
                 Settings > Server > Cloud distribution point"
                    .into(),
            ),
            Self::Redirected { request, to } => {
                Some(match to.strip_suffix(request.sent()) {
                    Some(server) => format!("if that is where the server lives now, set JSS_URL to {server}"),
                    None => "check that JSS_URL is the address of a Jamf Pro server and that nothing stands in between, \
                             such as a page to sign in"
                        .into(),
                })
            }
            Self::Lapsed(lapsed) => lapsed.hint(),
            Self::Superseded => Some("send large packages one at a time: --jobs 1".into()),
            Self::Connection { source, .. } => Some(connection_hint(source).into()),
            Self::Timeout { .. } => {
                Some("the server is slow or the network drops packets: try again later".into())
            }
            Self::Decode { .. } | Self::TooLarge { .. } => Some(
                "check that JSS_URL is the address of a Jamf Pro server and that nothing stands in between"
                    .into(),
            ),
            Self::Uncertain { .. } => Some(
                "look in Jamf Pro, then run again: what is already there is found and not made twice".into(),
            ),
            Self::SeveralRecords { .. } => Some(
                "delete all but one of these records in Jamf Pro, or let the others name another file; mind the policies \
                 that use them"
                    .into(),
            ),
            Self::ClassicOnly(_) => {
                Some("set it through the Classic API, or set package_api to classic".into())
            }
            Self::Refused(refused) => refused.hint(),
            Self::Client(_) => {
                Some("check that the system has a store of certificate authorities (ca-certificates)".into())
            }
            Self::Changed { .. } => Some("run again when nobody writes to the file".into()),
            Self::Unreadable { .. } => Some("check the path and the rights of the file".into()),
            Self::Unwritable { .. } | Self::Unaddressable(_) | Self::Interrupted => None,
        }
    }
}

/// A certificate that nobody trusts is what people behind inspecting proxies meet first (`user-pains.md` row 35).
fn connection_hint(error: &reqwest::Error) -> &'static str {
    if causes(error).any(|cause| cause.contains("certificate")) {
        "add the certificate authority of the server, or of the proxy in between, to the trust store of the system"
    } else if error.is_connect() {
        "check JSS_URL, the network and the proxy settings"
    } else {
        "the network or the server broke off: try again later"
    }
}

/// An error and its causes on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    causes(error).collect::<Vec<_>>().join(": ")
}

fn list(records: &[(PackageId, String)]) -> String {
    let each = records.iter().map(|(id, display_name)| format!("{id} ({display_name:?})"));
    each.collect::<Vec<_>>().join(", ")
}
