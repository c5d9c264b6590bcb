//! What faults do at the door of S3, before and after everything else.

use super::journal::Counted;
use super::refusal::{refusal, refusal_saying};
use crate::Fault;
use crate::faults::Faults;
use crate::grant::Desk;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, ETAG};
use http::{HeaderMap, Method, Uri};
use http_body_util::BodyExt as _;
use jiff::{SignedDuration, Timestamp};
use s3s::config::{S3Config, S3ConfigProvider};
use s3s::dto::StreamingBlob;
use s3s::{Body, HttpError, HttpResponse, S3Error, S3ErrorCode};
use std::io;
use std::num::NonZeroU32;
use std::sync::Arc;

/// How far a signature's date may be off (`jamf-pro-api.md §9.5`).
const MAX_SKEW: SignedDuration = SignedDuration::from_mins(15);

/// What a request asks for, as far as faults tell requests apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// UploadPart, with the number of the part.
    Part(u32),
    Complete,
    Abort,
    ListParts,
    Other,
}

impl Operation {
    pub(super) fn of(method: &Method, uri: &Uri) -> Self {
        let query: Vec<_> = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).collect();
        let field = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value);
        let part = field("partNumber").and_then(|number| number.parse().ok());
        match (method.as_str(), field("uploadId"), part) {
            ("PUT", Some(_), Some(number)) => Self::Part(number),
            ("POST", Some(_), _) => Self::Complete,
            ("DELETE", Some(_), _) => Self::Abort,
            ("GET", Some(_), _) => Self::ListParts,
            _ => Self::Other,
        }
    }

    fn is_part(self, number: NonZeroU32) -> bool {
        self == Self::Part(number.get())
    }
}

/// What happens in the place of what was asked for.
pub(super) enum Instead {
    Refuse(S3Error),
    /// Half of the body is read, and then the connection is closed.
    Cut,
    /// Half of the body is read, and then nothing happens any more.
    Stall,
}

/// Whether a fault takes this request for itself.
pub(super) fn instead(faults: &Faults, operation: Operation, headers: &HeaderMap) -> Option<Instead> {
    let now = faults.wrong_time();
    faults.play(|fault| match fault {
        Fault::SlowDown(_) => Some(Instead::Refuse(refusal(S3ErrorCode::SlowDown))),
        Fault::PartFailsTwice(number) if operation.is_part(number) => {
            Some(Instead::Refuse(refusal(S3ErrorCode::InternalError)))
        }
        Fault::PartCut(number) if operation.is_part(number) => Some(Instead::Cut),
        Fault::PartStalls(number) if operation.is_part(number) => Some(Instead::Stall),
        Fault::AbortDenied if matches!(operation, Operation::Abort | Operation::ListParts) => {
            Some(Instead::Refuse(refusal(S3ErrorCode::AccessDenied)))
        }
        Fault::ChecksumRefused if has_checksum(headers) => {
            Some(Instead::Refuse(refusal(S3ErrorCode::NotImplemented)))
        }
        Fault::Crc64Refused if has_crc64(headers) => {
            let message = "Checksum algorithm provided is unsupported. Please try again with any of the valid types: \
                           [CRC32, CRC32C, SHA1, SHA256]";
            Some(Instead::Refuse(refusal_saying(S3ErrorCode::InvalidRequest, message)))
        }
        Fault::ClockSkew(_) if now.is_some_and(|now| is_signed_off_time(headers, now)) => {
            Some(Instead::Refuse(refusal(S3ErrorCode::RequestTimeTooSkewed)))
        }
        _ => None,
    })
}

/// Takes out of a request what the proxy on its way does not let through.
pub(super) fn strip(faults: &Faults, headers: &mut HeaderMap) {
    if faults.plays(|fault| fault == Fault::DateStripped) {
        headers.remove("x-amz-date");
    }
    if faults.plays(|fault| fault == Fault::SignatureStripped) {
        headers.remove(AUTHORIZATION);
    }
}

/// The headers by which a request carries or announces a checksum.
fn of_checksums(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let is_meant = |name: &str| {
        name.starts_with("x-amz-checksum-")
            || ["x-amz-sdk-checksum-algorithm", "x-amz-trailer"].contains(&name)
    };
    let texts = headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default()));
    texts.filter(move |(name, _)| is_meant(name))
}

fn has_checksum(headers: &HeaderMap) -> bool {
    of_checksums(headers).next().is_some()
}

fn has_crc64(headers: &HeaderMap) -> bool {
    let is_meant = |text: &str| text.to_ascii_lowercase().ends_with("crc64nvme");
    of_checksums(headers).any(|(name, value)| is_meant(name) || is_meant(value.trim()))
}

fn is_signed_off_time(headers: &HeaderMap, now: Timestamp) -> bool {
    let date = headers.get("x-amz-date").and_then(|date| date.to_str().ok());
    let date = date.and_then(|date| jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", date).ok());
    let date = date.and_then(|date| date.to_zoned(jiff::tz::TimeZone::UTC).ok());
    date.is_some_and(|date| now.duration_since(date.timestamp()).abs() > MAX_SKEW)
}

/// `s3s` compares the dates of signatures with the right time. Where the server's clock is wrong, it is to let them pass:
/// [`instead`] judges them.
pub(super) struct Leniency {
    desk: Arc<dyn Desk>,
    strict: Arc<S3Config>,
    lenient: Arc<S3Config>,
}

impl Leniency {
    pub(super) fn new(desk: Arc<dyn Desk>) -> Self {
        let mut lenient = S3Config::default();
        lenient.presigned_url_max_skew_time_secs = u32::MAX;
        Self { desk, strict: Arc::default(), lenient: Arc::new(lenient) }
    }
}

impl S3ConfigProvider for Leniency {
    fn snapshot(&self) -> Arc<S3Config> {
        let is_wrong = self.desk.faults().skew().is_some();
        Arc::clone(if is_wrong { &self.lenient } else { &self.strict })
    }
}

/// Reads a body to its middle, as far as pieces of a body go.
pub(super) async fn read_half(request: &mut http::Request<Counted>) {
    let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let half = length.unwrap_or(0_u64) / 2;
    let mut read = 0;
    while read < half {
        let Some(Ok(frame)) = request.body_mut().frame().await else { return };
        read += frame.data_ref().map_or(0, |data| data.len() as u64);
    }
}

/// Ends the connection without an answer.
pub(super) fn closed() -> HttpError {
    HttpError::new("a fault closes the connection".into())
}

/// The body of a part as it arrives, after the signature was looked at and before the checksum is.
pub(super) fn body(faults: &Faults, part: i32, body: Option<StreamingBlob>) -> Option<StreamingBlob> {
    let is_meant = |fault| match fault {
        Fault::PartDamaged(number) => i64::from(number.get()) == i64::from(part),
        _ => false,
    };
    if !faults.plays(is_meant) {
        return body;
    }
    let mut is_done = false;
    let pieces = body?.map(move |piece| match piece {
        Ok(bytes) if !is_done && !bytes.is_empty() => {
            is_done = true;
            Ok(damaged(&bytes))
        }
        Ok(bytes) => Ok(bytes),
        // The text is what tells errors of `s3s` apart.
        Err(error) => Err(io::Error::other(error)),
    });
    Some(StreamingBlob::wrap(pieces))
}

fn damaged(bytes: &[u8]) -> Bytes {
    let mut bytes = BytesMut::from(bytes);
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 1;
    }
    bytes.freeze()
}

/// What becomes of an answer; nothing, if it is lost.
pub(super) async fn answer(
    faults: &Faults,
    operation: Operation,
    mut answer: HttpResponse,
) -> Result<Option<HttpResponse>, HttpError> {
    if !answer.status().is_success() {
        return Ok(Some(answer));
    }
    match operation {
        Operation::Part(_) => {
            let is_meant = |fault| matches!(fault, Fault::EtagLost(number) if operation.is_part(number));
            if faults.plays(is_meant) {
                answer.headers_mut().remove(ETAG);
            }
            Ok(Some(answer))
        }
        Operation::Complete if faults.awaits(Fault::CompleteLost) => {
            // 200 says nothing yet: the end of the body tells whether it was completed.
            let (head, body) = answer.into_parts();
            let document = http_body_util::BodyExt::collect(body).await.map_err(HttpError::new)?.to_bytes();
            let is_completed = document.windows(RESULT.len()).any(|window| window == RESULT);
            if is_completed && faults.plays(|fault| fault == Fault::CompleteLost) {
                return Ok(None);
            }
            Ok(Some(HttpResponse::from_parts(head, Body::from(document))))
        }
        _ => Ok(Some(answer)),
    }
}

/// The root element of a completion that went well.
const RESULT: &[u8] = b"<CompleteMultipartUploadResult";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_told_apart() {
        let of = |method: &str, uri: &str| Operation::of(&method.parse().unwrap(), &uri.parse().unwrap());
        assert_eq!(of("PUT", "/b/k?x-id=UploadPart&partNumber=12&uploadId=u"), Operation::Part(12));
        assert_eq!(of("POST", "/b/k?uploadId=u"), Operation::Complete);
        assert_eq!(of("DELETE", "/b/k?x-id=AbortMultipartUpload&uploadId=u"), Operation::Abort);
        assert_eq!(of("GET", "/b/k?x-id=ListParts&uploadId=u"), Operation::ListParts);
        for (method, uri) in
            [("POST", "/b/k?uploads"), ("PUT", "/b/k"), ("PUT", "/b/k?partNumber=1"), ("GET", "/b?uploads")]
        {
            assert_eq!(of(method, uri), Operation::Other, "{method} {uri}");
        }
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn checksums_are_seen_wherever_they_stand() {
        for (name, value, is_crc64) in [
            ("x-amz-checksum-crc32", "y/Q5Jg==", false),
            ("x-amz-checksum-crc64nvme", "rosUhgp5mIg=", true),
            ("x-amz-checksum-algorithm", "CRC64NVME", true),
            ("x-amz-sdk-checksum-algorithm", "CRC32", false),
            ("x-amz-sdk-checksum-algorithm", "CRC64NVME", true),
            ("x-amz-trailer", "x-amz-checksum-crc64nvme", true),
        ] {
            let headers = headers(&[(name, value)]);
            assert!(has_checksum(&headers), "{name}");
            assert_eq!(has_crc64(&headers), is_crc64, "{name}: {value}");
        }
        let none = headers(&[
            ("content-md5", "JfnnlDI7RTiF9RgfG2JNCw=="),
            ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
        ]);
        assert!(!has_checksum(&none) && !has_crc64(&none));
    }

    #[test]
    fn a_quarter_of_an_hour_is_near_enough() {
        let is_off = |date: &str, now: &str| {
            is_signed_off_time(&headers(&[("x-amz-date", date)]), now.parse().unwrap())
        };
        assert!(!is_off("20261121T080000Z", "2026-11-21T08:15:00Z"));
        assert!(is_off("20261121T080000Z", "2026-11-21T08:15:01Z"));
        assert!(is_off("20261121T080000Z", "2026-11-21T07:44:59Z"));
        assert!(!is_off("tomorrow", "2026-11-21T07:44:59Z"), "no date of a signature: refused elsewhere");
    }
}
