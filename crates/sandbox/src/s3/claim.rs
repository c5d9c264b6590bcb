//! What a request says about its body, and whether the body is like that.

use super::blob::{MAX_PIECE, Received};
use super::checksum::{Algorithm, Checksum};
use super::refusal::{refusal, refusal_named, refusal_saying};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, Method, StatusCode};
use s3s::{S3ErrorCode, S3Result, TrailingHeaders};

const DECODED_LENGTH: &str = "x-amz-decoded-content-length";

/// What the headers of a PUT claim.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Claim {
    length: Option<u64>,
    md5: Option<[u8; 16]>,
    checksum: Option<ClaimedChecksum>,
}

/// Where the checksum stands.
#[derive(Debug, PartialEq, Eq)]
enum ClaimedChecksum {
    Header(Checksum),
    /// Behind the body, so its value is not known yet.
    Trailer(Algorithm),
}

impl Claim {
    pub(super) fn read(headers: &HeaderMap) -> S3Result<Self> {
        let length = text(headers, DECODED_LENGTH).or_else(|| text(headers, CONTENT_LENGTH.as_str()));
        let length = length.and_then(|text| text.parse().ok());
        if length.is_some_and(|length| length > MAX_PIECE) {
            return Err(refusal(S3ErrorCode::EntityTooLarge));
        }
        let md5 = text(headers, "content-md5").map(decode_md5).transpose()?;
        Ok(Self { length, md5, checksum: claimed_checksum(headers)? })
    }

    /// Which checksum the request carries.
    pub(super) fn algorithm(&self) -> Option<Algorithm> {
        self.checksum.as_ref().map(|claimed| match claimed {
            ClaimedChecksum::Header(checksum) => checksum.algorithm,
            ClaimedChecksum::Trailer(algorithm) => *algorithm,
        })
    }

    /// Compares the body with the claim, once it is read to its end.
    pub(super) fn check(&self, body: &Received, trailers: Option<&TrailingHeaders>) -> S3Result<()> {
        if self.length.is_some_and(|length| length != body.size) {
            return Err(refusal(S3ErrorCode::IncompleteBody));
        }
        if self.md5.is_some_and(|md5| md5 != body.md5) {
            let message = "The Content-MD5 you specified did not match what we received.";
            return Err(refusal_saying(S3ErrorCode::BadDigest, message));
        }
        let claimed = match &self.checksum {
            None => return Ok(()),
            Some(ClaimedChecksum::Header(checksum)) => checksum.clone(),
            Some(ClaimedChecksum::Trailer(algorithm)) => from_trailer(*algorithm, trailers)?,
        };
        if claimed != body.checksum {
            let name = claimed.algorithm.name();
            let message = format!("The {name} you specified did not match the calculated checksum.");
            return Err(refusal_saying(S3ErrorCode::BadDigest, message));
        }
        Ok(())
    }
}

/// A PUT has to say how long its body is (`jamf-pro-api.md §9.5`). With chunked transfer encoding S3 answers 501, unless
/// the `aws-chunked` encoding inside of it gives the length.
pub(super) fn states_its_length(method: &Method, headers: &HeaderMap) -> S3Result<()> {
    if method != Method::PUT || headers.contains_key(CONTENT_LENGTH) || headers.contains_key(DECODED_LENGTH) {
        return Ok(());
    }
    let code = match headers.contains_key(TRANSFER_ENCODING) {
        true => S3ErrorCode::NotImplemented,
        false => S3ErrorCode::MissingContentLength,
    };
    Err(refusal(code))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn decode_md5(text: &str) -> S3Result<[u8; 16]> {
    let bytes = BASE64_STANDARD.decode(text).ok();
    bytes.and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| refusal(S3ErrorCode::InvalidDigest))
}

fn claimed_checksum(headers: &HeaderMap) -> S3Result<Option<ClaimedChecksum>> {
    let mut in_headers = checksums_in(headers);
    let trailer = text(headers, "x-amz-trailer").map(str::trim);
    let in_trailer =
        trailer.and_then(|name| Algorithm::ALL.into_iter().find(|a| a.header().eq_ignore_ascii_case(name)));
    match (in_headers.len() + usize::from(in_trailer.is_some()), in_headers.pop(), in_trailer) {
        (0 | 1, Some(checksum), _) if !checksum.is_well_formed() => {
            let message = format!("Value for {} header is invalid.", checksum.algorithm.header());
            Err(refusal_saying(S3ErrorCode::InvalidRequest, message))
        }
        (0 | 1, Some(checksum), _) => Ok(Some(ClaimedChecksum::Header(checksum))),
        (0 | 1, None, algorithm) => Ok(algorithm.map(ClaimedChecksum::Trailer)),
        _ => Err(refusal_saying(
            S3ErrorCode::InvalidRequest,
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
        )),
    }
}

/// All checksums that stand in the headers.
pub(super) fn checksums_in(headers: &HeaderMap) -> Vec<Checksum> {
    let checksum = |algorithm: Algorithm| {
        let value = text(headers, algorithm.header())?.to_owned();
        Some(Checksum { algorithm, value })
    };
    Algorithm::ALL.into_iter().filter_map(checksum).collect()
}

fn from_trailer(algorithm: Algorithm, trailers: Option<&TrailingHeaders>) -> S3Result<Checksum> {
    let value =
        trailers.and_then(|trailers| trailers.read(|map| text(map, algorithm.header()).map(str::to_owned)));
    match value.flatten() {
        Some(value) => Ok(Checksum { algorithm, value }),
        None => Err(refusal_named("MalformedTrailerError", StatusCode::BAD_REQUEST)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn code(result: S3Result<impl std::fmt::Debug>) -> String {
        result.unwrap_err().code().as_str().to_owned()
    }

    fn received(bytes: &[u8], algorithm: Algorithm) -> Received {
        use md5::Digest as _;
        let mut hasher = algorithm.hasher();
        hasher.update(bytes);
        Received { size: bytes.len() as u64, md5: md5::Md5::digest(bytes).into(), checksum: hasher.finish() }
    }

    #[test]
    fn true_claims_pass() {
        let claim = Claim::read(&headers(&[
            ("content-length", "9"),
            ("content-md5", "JfnnlDI7RTiF9RgfG2JNCw=="),
            ("x-amz-checksum-crc32", "y/Q5Jg=="),
        ]))
        .unwrap();
        assert_eq!(claim.algorithm(), Some(Algorithm::Crc32));
        claim.check(&received(b"123456789", Algorithm::Crc32), None).unwrap();
    }

    #[test]
    fn false_claims_are_refused() {
        let body = received(b"123456789", Algorithm::Crc32);
        let check =
            |pairs: &[(&'static str, &str)]| code(Claim::read(&headers(pairs)).unwrap().check(&body, None));
        assert_eq!(check(&[("content-length", "10")]), "IncompleteBody");
        assert_eq!(
            check(&[("x-amz-decoded-content-length", "8"), ("content-length", "9")]),
            "IncompleteBody"
        );
        assert_eq!(check(&[("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")]), "BadDigest");
        assert_eq!(check(&[("x-amz-checksum-crc32", "AAAAAA==")]), "BadDigest");
        assert_eq!(check(&[("x-amz-trailer", "x-amz-checksum-crc32")]), "MalformedTrailerError");
    }

    #[test]
    fn claims_that_make_no_sense_are_refused_before_the_body_is_read() {
        let read = |pairs: &[(&'static str, &str)]| code(Claim::read(&headers(pairs)));
        assert_eq!(read(&[("content-length", "5368709121")]), "EntityTooLarge");
        assert_eq!(read(&[("content-md5", "not base64")]), "InvalidDigest");
        assert_eq!(read(&[("x-amz-checksum-crc32", "short")]), "InvalidRequest");
        let two = [("x-amz-checksum-crc32", "y/Q5Jg=="), ("x-amz-checksum-crc32c", "4wYYgw==")];
        assert_eq!(read(&two), "InvalidRequest");
        let both = [("x-amz-checksum-crc32", "y/Q5Jg=="), ("x-amz-trailer", "x-amz-checksum-crc32")];
        assert_eq!(read(&both), "InvalidRequest");
    }

    #[test]
    fn a_put_states_its_length() {
        let put = |pairs: &[(&'static str, &str)]| states_its_length(&Method::PUT, &headers(pairs));
        assert!(put(&[("content-length", "0")]).is_ok());
        assert!(put(&[("transfer-encoding", "chunked"), ("x-amz-decoded-content-length", "5")]).is_ok());
        assert_eq!(code(put(&[])), "MissingContentLength");
        assert_eq!(code(put(&[("transfer-encoding", "chunked")])), "NotImplemented");
        assert!(states_its_length(&Method::POST, &HeaderMap::new()).is_ok());
    }
}
