//! Faults on request: what a real service does on a bad day, or may do for all that is known (`jamf-pro-api.md §18`),
//! played when somebody asks for it.
//!
//! A [`Fault`] is data. It is [armed](Faults), waits for what it is about to come by, plays, and is spent; a few stay until
//! they are disarmed. What playing does stands where it happens: at the door of S3 and in its completion, in the handlers
//! of Jamf Pro, where an object lands, where a file is served.

mod armed;
mod spelling;

pub(crate) use armed::Faults;
pub use spelling::{FaultInfo, FaultNumber, ParseFaultError};

use http::HeaderMap;
use http::HeaderValue;
use http::header::DATE;
use jiff::{SignedDuration, Timestamp};
use std::num::NonZeroU32;

/// A bad behaviour to play. As text it is `NAME` or `NAME=N`, as [`Fault::ALL`] lists them.
///
/// Parts are meant by their numbers, requests are counted from the moment on at which the fault is armed, both from 1.
/// Seconds go by the clock of the [`Config`](crate::Config). Unless something else is said a fault plays once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// At this UploadPart request the credentials that it uses have ended, long before their time (400 `ExpiredToken`), for
    /// this and all later requests. Renewed ones work.
    CredentialsEndAtPart(NonZeroU32),
    /// Renewals tell another path; their keys open the first path too. Always.
    RenewalOtherPath,
    /// Renewals tell no bucket, path, region and uuid; their keys open the first path. Always.
    RenewalEmptyFields,
    /// Renewals tell another path, and their keys open nothing else. Always.
    RenewalOnlyNewPath,
    /// Renewals are answered with 500. Always.
    RenewalRefused,
    /// This part is answered with 500 `InternalError`, twice.
    PartFailsTwice(NonZeroU32),
    /// In the middle of this part the server stops reading, and never answers.
    PartStalls(NonZeroU32),
    /// In the middle of this part the server closes the connection.
    PartCut(NonZeroU32),
    /// So many S3 requests are answered with 503 `SlowDown`.
    SlowDown(NonZeroU32),
    /// The answer to this part has no ETag.
    EtagLost(NonZeroU32),
    /// One bit of this part turns over before S3 looks at its checksum: 400 `BadDigest` if there is one, else the wrong bytes
    /// are kept.
    PartDamaged(NonZeroU32),
    /// A completion that is in order is answered with 200, blanks, and then `InternalError`; nothing is completed
    /// (`jamf-pro-api.md §9.5`).
    CompleteError,
    /// The upload is completed, and the connection is closed without an answer.
    CompleteLost,
    /// The completion takes so many seconds; blanks are sent meanwhile.
    CompleteSlow(u64),
    /// A deletion is answered at once, but the file stays listed and its name taken for so many seconds.
    DeleteLate(u64),
    /// A file is deleted, and the answer is a page that says 504.
    DeleteLost,
    /// A deletion is answered with 500 and does nothing.
    DeleteRefused,
    /// The next object that lands is lost: it is never listed and takes no name.
    NeverListed,
    /// The next object that lands has length 0 in the list and in its record, beside its right digests.
    SizeZero,
    /// The next object that lands has another MD5 and another SHA3-512 in the list and in its record.
    WrongDigest,
    /// The record of the next object tells another MD5 and another SHA3-512 than the list, as before 11.25 it could
    /// (`jamf-pro-api.md §11.3`).
    RecordDigestWrong,
    /// The next object's record tells its hashes so many seconds before its size, as
    /// [`hash_before_size`](crate::Config::hash_before_size) does it for all.
    DigestBeforeSize(u64),
    /// The next object is listed after so many seconds, as [`listed_after`](crate::Config::listed_after) does it for all.
    ListedLate(u64),
    /// The server's clock is so many seconds ahead of the right time (behind it, if negative), as far as a client can see:
    /// `Date` of all answers, the ends of credentials, tokens and addresses, and S3's judgement of when a request was signed
    /// (403 `RequestTimeTooSkewed` beyond 15 minutes). Always.
    ///
    /// Clients sign by the real time, so `Date` and that judgement go by it too, and not by the clock of the
    /// [`Config`](crate::Config).
    ClockSkew(i64),
    /// AbortMultipartUpload and ListParts are denied (403 `AccessDenied`), as nobody knows that Jamf's credentials allow them
    /// (`jamf-pro-api.md §9.2`). Always.
    AbortDenied,
    /// At this request with an API token, the token has ended (401).
    TokenEnds(NonZeroU32),
    /// A proxy takes `x-amz-date` out of requests to S3, which answers 403 `AccessDenied` (`jamf-pro-api.md §9.5`). Always.
    DateStripped,
    /// A proxy takes `Authorization` out of requests to S3, which answers 403 `AccessDenied` as to everybody without a
    /// signature. Always.
    SignatureStripped,
    /// S3 knows no checksums: requests that carry or announce one are answered with 501 `NotImplemented`. Always.
    ChecksumRefused,
    /// S3 does not know CRC64NVME: requests that carry or announce it are answered with 400 `InvalidRequest`. Always.
    Crc64Refused,
    /// So many uploads over the Pro API are read to their end and then answered with 500 and no body; nothing of them is kept
    /// (`jamf-pro-api.md §5.4`).
    UploadFails(NonZeroU32),
    /// In the middle of an upload over the Pro API the server stops reading, and never answers.
    UploadStalls,
    /// Before it is read an upload over the Pro API is answered by a proxy: with its page for 413. Always.
    UploadTooLarge,
    /// Before it is read an upload over the Pro API is answered by the edge of the gateway: with its page for 403. Always.
    UploadBlocked,
    /// The connection is closed in the middle of the answer to this range request.
    DownloadCut(NonZeroU32),
    /// At this range request the address has expired (403), for this and all later requests. A new one works.
    DownloadExpired(NonZeroU32),
    /// The answer to this range request stands still in its middle, and never ends.
    DownloadStalls(NonZeroU32),
    /// This range request is answered with 503.
    DownloadError(NonZeroU32),
    /// Range requests are answered with 200 and the whole file. Always.
    DownloadIgnoresRange,
}

/// When a fault plays, counted in the events that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Schedule {
    /// So many pass by first.
    wait: u32,
    /// So many times it plays; `None` is always.
    times: Option<NonZeroU32>,
}

impl Fault {
    fn schedule(self) -> Schedule {
        let once = NonZeroU32::MIN;
        let times = |times| Schedule { wait: 0, times: Some(times) };
        match self {
            Self::CredentialsEndAtPart(nth)
            | Self::TokenEnds(nth)
            | Self::DownloadCut(nth)
            | Self::DownloadExpired(nth)
            | Self::DownloadStalls(nth)
            | Self::DownloadError(nth) => Schedule { wait: nth.get() - 1, times: Some(once) },
            Self::SlowDown(count) | Self::UploadFails(count) => times(count),
            Self::PartFailsTwice(_) => times(once.saturating_add(1)),
            Self::PartStalls(_)
            | Self::PartCut(_)
            | Self::EtagLost(_)
            | Self::PartDamaged(_)
            | Self::CompleteError
            | Self::CompleteLost
            | Self::CompleteSlow(_)
            | Self::DeleteLate(_)
            | Self::DeleteLost
            | Self::DeleteRefused
            | Self::NeverListed
            | Self::SizeZero
            | Self::WrongDigest
            | Self::RecordDigestWrong
            | Self::UploadStalls
            | Self::DigestBeforeSize(_)
            | Self::ListedLate(_) => times(once),
            Self::RenewalOtherPath
            | Self::RenewalEmptyFields
            | Self::RenewalOnlyNewPath
            | Self::RenewalRefused
            | Self::ClockSkew(_)
            | Self::AbortDenied
            | Self::DateStripped
            | Self::SignatureStripped
            | Self::UploadTooLarge
            | Self::UploadBlocked
            | Self::ChecksumRefused
            | Self::Crc64Refused
            | Self::DownloadIgnoresRange => Schedule { wait: 0, times: None },
        }
    }
}

impl Faults {
    /// How far the server's clock seems to be off.
    pub(crate) fn skew(&self) -> Option<SignedDuration> {
        self.armed().into_iter().find_map(|fault| match fault {
            Fault::ClockSkew(seconds) => Some(SignedDuration::from_secs(seconds)),
            _ => None,
        })
    }

    /// What a client is told where this moment is meant.
    pub(crate) fn told(&self, moment: Timestamp) -> Timestamp {
        self.skew().map_or(moment, |skew| skewed(moment, skew))
    }

    /// The time on the server's wrong clock, by which it judges and dates what clients sign and date by the real one.
    pub(crate) fn wrong_time(&self) -> Option<Timestamp> {
        #[expect(
            clippy::disallowed_methods,
            reason = "clients date their signatures by the real time, and so do s3s and hyper"
        )]
        self.skew().map(|skew| skewed(Timestamp::now(), skew))
    }

    /// Dates an answer if the clock is wrong; where it is right, hyper does it.
    pub(crate) fn date(&self, answer: &mut HeaderMap) {
        let date = self.wrong_time().map(|now| now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
        if let Some(date) = date.and_then(|date| HeaderValue::try_from(date).ok()) {
            answer.insert(DATE, date);
        }
    }
}

fn skewed(moment: Timestamp, skew: SignedDuration) -> Timestamp {
    let end = if skew.is_negative() { Timestamp::MIN } else { Timestamp::MAX };
    moment.checked_add(skew).unwrap_or(end)
}
