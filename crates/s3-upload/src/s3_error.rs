//! What S3 says, or that it says nothing, in words.

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use pipeline::{Diagnose, FailureKind, Refused, causes};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

/// A request to S3 failed for good, retries included.
#[derive(Debug, thiserror::Error)]
pub enum S3Error {
    /// S3 refused it.
    #[error("{host} answered {status} {}", said(.code.as_deref(), .message.as_deref()))]
    Answer {
        /// Who answered.
        host: String,
        /// Status of the answer. An error can come with 200 (`jamf-pro-api.md §9.5`).
        status: u16,
        /// S3's name for the error; `None` if the answer is not S3's.
        code: Option<String>,
        /// S3's sentence.
        message: Option<String>,
    },
    /// No answer came.
    #[error("no answer from {host}")]
    NoAnswer {
        /// Who was asked.
        host: String,
        /// Why.
        source: Cause,
    },
    /// An answer came that is not S3's.
    #[error("{host} answered {status} with something that is not S3's")]
    Unreadable {
        /// Who answered.
        host: String,
        /// Status of the answer.
        status: u16,
        /// Why.
        source: Cause,
    },
    /// S3 took a part, but its answer lacks what completion needs.
    #[error("{host} took the part, but its answer has no ETag")]
    NoEtag {
        /// Who answered.
        host: String,
    },
    /// S3 has begun an upload, but its answer does not name it.
    #[error("{host} began the upload, but its answer does not name it")]
    NoUploadId {
        /// Who answered.
        host: String,
    },
    /// The request was not sent.
    #[error("a request to {host} could not be made")]
    Unsendable {
        /// Who was to be asked.
        host: String,
        /// Why.
        source: Cause,
    },
    /// The boundary refused it.
    #[error(transparent)]
    Refused(Refused),
    /// The temporary credentials had ended, and Jamf Pro gave no new ones.
    #[error("the upload credentials could not be renewed")]
    Renewal(#[source] Arc<jamf::Error>),
}

fn said(code: Option<&str>, message: Option<&str>) -> String {
    match (code, message) {
        (Some(code), Some(message)) => format!("{code}: {}", message.trim_end_matches('.')),
        (Some(code), None) => code.to_owned(),
        (None, _) => "without saying why".to_owned(),
    }
}

impl S3Error {
    /// Takes what the SDK says. Its own words for where in the SDK it failed are left out, and `hide` takes secrets out of
    /// the server's.
    pub(crate) fn new<E>(error: &SdkError<E>, host: &str, hide: impl Fn(&str) -> String) -> Self
    where
        E: Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        if let Some(refused) = find::<Refused>(error) {
            return Self::Refused(refused.clone());
        }
        if let Some(RenewalFailed(source)) = find(error) {
            return Self::Renewal(Arc::clone(source));
        }
        let host = host.to_owned();
        let status = error.raw_response().map_or(0, |answer| answer.status().as_u16());
        let cause = || Cause(hide(&innermost(error).to_string()));
        match error {
            SdkError::ServiceError(answer) => Self::Answer {
                host,
                status,
                code: answer.err().code().map(&hide),
                message: answer.err().message().map(&hide),
            },
            SdkError::ResponseError(_) => Self::Unreadable { host, status, source: cause() },
            SdkError::ConstructionFailure(_) => Self::Unsendable { host, source: cause() },
            _ => Self::NoAnswer { host, source: cause() },
        }
    }

    /// Nothing came and nothing left.
    pub(crate) fn silent(host: &str, time: Duration) -> Self {
        let source = Cause(format!("nothing moved for {} s", time.as_secs()));
        Self::NoAnswer { host: host.to_owned(), source }
    }

    /// A part was taken without an ETag.
    pub(crate) fn no_etag(host: &str) -> Self {
        Self::NoEtag { host: host.to_owned() }
    }

    /// S3's name for the error.
    pub(crate) fn code(&self) -> Option<&str> {
        match self {
            Self::Answer { code, .. } => code.as_deref(),
            _ => None,
        }
    }

    /// Whether the same request may do better later. Not so if S3 understood it and said no.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            // An error in a 200 is S3's own trouble (`jamf-pro-api.md §9.5`); a redirection leads astray every time.
            Self::Answer { status, .. } => matches!(status, 200..=299 | 408 | 429 | 500..=599),
            Self::NoAnswer { .. }
            | Self::Unreadable { .. }
            | Self::NoEtag { .. }
            | Self::NoUploadId { .. } => true,
            Self::Unsendable { .. } | Self::Refused(_) | Self::Renewal(_) => false,
        }
    }

    /// Whether S3 has too much to do.
    pub(crate) fn asks_to_slow_down(&self) -> bool {
        matches!(self, Self::Answer { status: 429 | 503, .. })
    }

    /// Whether the server does not know the checksum, or any. There is no code for it, and the words differ.
    pub(crate) fn refuses_checksums(&self) -> bool {
        let Self::Answer { status, code, message, .. } = self else { return false };
        let says = |word| message.as_ref().is_some_and(|message| message.to_ascii_lowercase().contains(word));
        match code.as_deref() {
            Some("NotImplemented") => true,
            None => *status == 501,
            Some("InvalidArgument" | "InvalidRequest") => {
                says("checksum") || says("algorithm") || says("x-amz-")
            }
            Some(_) => false,
        }
    }

    /// Whether S3 does not know the upload: it is through with it, or was told to forget it.
    pub(crate) fn is_forgotten(&self) -> bool {
        self.code() == Some("NoSuchUpload")
    }

    /// Whether S3 has forgotten the upload, or these credentials do not open it.
    pub(crate) fn shuts_out(&self) -> bool {
        self.is_forgotten() || self.locks_out()
    }

    /// Whether these credentials do not open the upload, which S3 may know all the same.
    pub(crate) fn locks_out(&self) -> bool {
        let codes = ["AccessDenied", "InvalidAccessKeyId", "InvalidToken", "ExpiredToken"];
        self.is_superseded() || self.code().is_some_and(|code| codes.contains(&code))
    }

    /// Whether the credentials have ended and cannot be renewed, since another upload was begun after this one.
    pub(crate) fn is_superseded(&self) -> bool {
        matches!(self, Self::Renewal(error) if matches!(**error, jamf::Error::Superseded))
    }

    /// Whether S3 may have done what was asked: no answer of its own came.
    pub(crate) fn leaves_open_what_happened(&self) -> bool {
        match self {
            Self::NoAnswer { .. } | Self::Unreadable { .. } | Self::NoUploadId { .. } => true,
            // A gateway that gave up waiting says so without S3's words.
            Self::Answer { code, status, .. } => code.is_none() && matches!(status, 500..=599),
            Self::NoEtag { .. } | Self::Unsendable { .. } | Self::Refused(_) | Self::Renewal(_) => false,
        }
    }

    /// Whether S3 may have put the parts together although it said that it failed: by trouble of its own, half-way through.
    pub(crate) fn may_have_completed(&self) -> bool {
        let is_own_trouble =
            matches!(self, Self::Answer { status, .. } if matches!(status, 200..=299 | 500..=599));
        self.leaves_open_what_happened() || (is_own_trouble && !self.asks_to_slow_down())
    }

    /// Whether S3 may yet do for other credentials of the same place what it was asked: it has not said no, or could not be asked
    /// because there were none to ask with.
    pub(crate) fn leaves_open_what_is_allowed(&self) -> bool {
        self.may_pass() || (matches!(self, Self::Renewal(_)) && !self.is_superseded())
    }

    /// Whether new credentials would help.
    pub(crate) fn is_about_ended_credentials(&self) -> bool {
        matches!(self, Self::Renewal(_)) || self.code() == Some("ExpiredToken")
    }

    /// Whether S3 noticed that the body of a part did not arrive as it left: other bytes than the checksum or the signature
    /// tells, or too few. The signature itself is none of it, since the same keys have begun the upload.
    pub(crate) fn is_damage(&self) -> bool {
        matches!(
            self.code(),
            Some(
                "BadDigest"
                    | "IncompleteBody"
                    | "RequestTimeout"
                    | "SignatureDoesNotMatch"
                    | "XAmzContentSHA256Mismatch"
            )
        )
    }
}

impl Diagnose for S3Error {
    fn kind(&self) -> FailureKind {
        match (self, self.code()) {
            (Self::Refused(refused), _) => refused.kind(),
            (Self::Renewal(source), _) => source.kind(),
            (
                _,
                Some(
                    "AccessDenied"
                    | "ExpiredToken"
                    | "InvalidAccessKeyId"
                    | "InvalidToken"
                    | "SignatureDoesNotMatch",
                ),
            ) => FailureKind::Access,
            _ => FailureKind::Remote,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Refused(refused) => refused.hint(),
            Self::Renewal(source) => source.hint(),
            Self::NoAnswer { host, .. } => {
                Some(format!("check that this machine reaches {host}: name service, firewall, proxy"))
            }
            Self::Answer { host, status: 500..=599, code: None, .. } => Some(format!(
                "{host}, or a proxy before it, is in trouble and does not say why; run again later, and if it stays so ask \
                 whoever runs the proxy"
            )),
            Self::Unreadable { host, .. }
            | Self::NoUploadId { host }
            | Self::Answer { host, code: None, .. } => {
                Some(format!("a proxy or gateway seems to answer for {host}; let it pass untouched"))
            }
            Self::NoEtag { host } => {
                Some(format!("a proxy seems to remove headers of {host}'s answers; let it pass untouched"))
            }
            Self::Unsendable { .. } => None,
            Self::Answer { host, code: Some(code), message, .. } => {
                hint_for(code, message.as_deref().unwrap_or_default(), host)
            }
        }
    }
}

/// Advice for the answers of `jamf-pro-api.md §9.5`.
fn hint_for(code: &str, message: &str, host: &str) -> Option<String> {
    Some(match code {
        "ExpiredToken" => "the upload credentials ended; run again to get new ones".to_owned(),
        "RequestTimeTooSkewed" => "this machine's clock is wrong by more than 15 minutes; set it".to_owned(),
        // Seen on managed Macs only: something on the way removes headers (`user-pains.md` row 34).
        "AccessDenied" if message.to_ascii_lowercase().contains("date") => format!(
            "the request left with an x-amz-date header; a proxy seems to remove it: let {host} pass untouched"
        ),
        "AccessDenied" | "InvalidAccessKeyId" | "InvalidToken" | "SignatureDoesNotMatch" => {
            "these credentials do not open this place; let jcds-credentials run right before s3-upload"
                .to_owned()
        }
        "SlowDown" | "ServiceUnavailable" | "InternalError" => {
            "S3 is busy; run again later, or with a lower upload_concurrency".to_owned()
        }
        _ => return None,
    })
}

/// What happened, in the words of an SDK error's innermost cause, without the layers that passed it on. Text only: the
/// error itself holds the whole answer.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Cause(String);

/// How the credentials provider tells through the SDK why there are none.
#[derive(Clone, Debug, thiserror::Error)]
#[error("no new credentials")]
pub(crate) struct RenewalFailed(#[source] pub Arc<jamf::Error>);

/// An error with its causes, on one line.
pub(crate) fn in_full(error: &(dyn Error + 'static)) -> String {
    causes(error).collect::<Vec<_>>().join(": ")
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

fn innermost<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    chain(error).last().unwrap_or(error)
}

fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    chain(error).find_map(|error| error.downcast_ref())
}
