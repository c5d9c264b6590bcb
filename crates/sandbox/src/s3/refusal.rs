//! Refusals in the words of S3, because people search the web for them.

use bytes::Bytes;
use http::StatusCode;
use http_body_util::BodyExt as _;
use s3s::{Body, HttpResponse, S3Error, S3ErrorCode};

/// A refusal with the words that S3 uses for this code.
pub(super) fn refusal(code: S3ErrorCode) -> S3Error {
    match words(code.as_str()) {
        Some(words) => S3Error::with_message(code, words),
        None => S3Error::new(code),
    }
}

/// A refusal with words of its own.
pub(super) fn refusal_saying(
    code: S3ErrorCode,
    message: impl Into<std::borrow::Cow<'static, str>>,
) -> S3Error {
    S3Error::with_message(code, message)
}

/// A refusal with a code that `s3s` does not list.
pub(super) fn refusal_named(code: &'static str, status: StatusCode) -> S3Error {
    let mut error = refusal(S3ErrorCode::Custom(code.into()));
    error.set_status_code(status);
    error
}

/// `jamf-pro-api.md §9.5` and the examples beside it; the others are S3's own too.
fn words(code: &str) -> Option<&'static str> {
    Some(match code {
        "AccessDenied" => "Access Denied",
        "BadDigest" => "The checksum you specified did not match what we received.",
        "EntityTooLarge" => "Your proposed upload exceeds the maximum allowed size",
        "EntityTooSmall" => "Your proposed upload is smaller than the minimum allowed size",
        "ExpiredToken" => "The provided token has expired.",
        "IncompleteBody" => {
            "You did not provide the number of bytes specified by the Content-Length HTTP header"
        }
        "InternalError" => "We encountered an internal error. Please try again.",
        "InvalidAccessKeyId" => "The AWS Access Key Id you provided does not exist in our records.",
        "InvalidDigest" => "The Content-MD5 you specified was invalid.",
        "InvalidPart" => {
            "One or more of the specified parts could not be found. The part may not have been uploaded, or the \
             specified entity tag may not match the part's entity tag."
        }
        "InvalidPartOrder" => {
            "The list of parts was not in ascending order. Parts must be ordered by part number."
        }
        "InvalidToken" => "The provided token is malformed or otherwise invalid.",
        "MalformedTrailerError" => {
            "The request contained trailing data that was not well-formed or did not conform to our published schema."
        }
        "MalformedXML" => {
            "The XML you provided was not well-formed or did not validate against our published schema"
        }
        "MissingContentLength" => "You must provide the Content-Length HTTP header.",
        "NoSuchBucket" => "The specified bucket does not exist",
        "NoSuchUpload" => {
            "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or \
             completed."
        }
        "NotImplemented" => "A header you provided implies functionality that is not implemented",
        "RequestTimeTooSkewed" => {
            "The difference between the request time and the current time is too large."
        }
        "SlowDown" => "Please reduce your request rate.",
        "SignatureDoesNotMatch" => {
            "The request signature we calculated does not match the signature you provided. Check your key and signing \
             method."
        }
        "XAmzContentSHA256Mismatch" => {
            "The provided 'x-amz-content-sha256' header does not match what was computed."
        }
        _ => return None,
    })
}

/// Where `s3s` reads a body as a whole (the list of parts), one that is not as it was signed is an internal error to it,
/// and one without a message, unlike those that are made here.
pub(super) fn is_of_a_broken_body(answer: &HttpResponse) -> bool {
    let text = answer.body().bytes().unwrap_or_default();
    answer.status() == StatusCode::INTERNAL_SERVER_ERROR
        && text.ends_with(b"<Code>InternalError</Code></Error>")
}

/// Completes an error document: `s3s` leaves out the message where it only knows the code, and S3 always names the
/// request. Anything that is no error document stays as it is.
pub(super) fn complete(document: &Bytes, request_id: &str) -> Option<Bytes> {
    let text = std::str::from_utf8(document).ok()?;
    let (head, tail) = text.split_once("</Code>")?;
    let (_, code) = head.split_once("<Error><Code>")?;
    let message = match words(code) {
        Some(words) if !tail.contains("<Message>") => format!("<Message>{words}</Message>"),
        _ => String::new(),
    };
    let tail = tail.strip_suffix("</Error>")?;
    let text = format!("{head}</Code>{message}{tail}<RequestId>{request_id}</RequestId></Error>");
    Some(Bytes::from(text))
}

/// Puts the body of a completion right: a blank at least comes before the result, as clients have to expect it
/// (`jamf-pro-api.md §9.5`); and there is one XML declaration, although `s3s` begins an error that comes after the first one
/// with another.
pub(super) fn with_blank(answer: HttpResponse) -> HttpResponse {
    let (head, body) = answer.into_parts();
    let mut is_first = true;
    let body = body.map_frame(move |frame| {
        let is_declaration = std::mem::take(&mut is_first);
        frame.map_data(|piece| match is_declaration {
            true => Bytes::from([&piece, b" ".as_slice()].concat()),
            false => without_declaration(piece),
        })
    });
    HttpResponse::from_parts(head, Body::http_body(body))
}

fn without_declaration(piece: Bytes) -> Bytes {
    let end = piece.windows(2).position(|window| window == b"?>").map(|at| at + 2);
    match end.filter(|_| piece.starts_with(b"<?xml")) {
        Some(end) => piece.slice(end..),
        None => piece,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(document: &'static str) -> Option<String> {
        let bytes = complete(&Bytes::from_static(document.as_bytes()), "R1")?;
        Some(String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[test]
    fn fills_in_what_is_missing() {
        insta::assert_snapshot!(
            completed("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>AccessDenied</Code></Error>").unwrap(),
            @r#"<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message><RequestId>R1</RequestId></Error>"#
        );
    }

    #[test]
    fn keeps_what_is_there() {
        insta::assert_snapshot!(
            completed("<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>").unwrap(),
            @"<Error><Code>AccessDenied</Code><Message>Request has expired</Message><RequestId>R1</RequestId></Error>"
        );
        assert_eq!(completed("<ListPartsResult></ListPartsResult>"), None);
        assert_eq!(completed(""), None);
    }
}
