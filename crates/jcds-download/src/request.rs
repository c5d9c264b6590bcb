//! One request for one range: what is asked, and whether what is answered is that.

use crate::address::Lease;
use crate::problem::Problem;
use reqwest::Response;
use reqwest::header::{CONTENT_RANGE, HeaderName, RANGE, RETRY_AFTER};
use std::time::Duration;

/// Until the connection stands, TLS included (`jamf-pro-api.md §13.4`).
const CONNECT: Duration = Duration::from_secs(10);
/// No server makes a client wait longer.
const LONGEST_ORDERED: Duration = Duration::from_secs(60);
/// The name of an error stands at its beginning.
const LARGEST_ERROR: usize = 4096;

/// Limits on phases of a request. There is none on all of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// After how long a range that does not move counts as stalled.
    pub stall: Duration,
}

impl Limits {
    /// Until the connection stands.
    pub(crate) fn connect(self) -> Duration {
        CONNECT.min(self.stall)
    }

    /// Until the answer begins; the connection may have to be made first.
    fn head(self) -> Duration {
        self.connect() + self.stall
    }
}

/// The bytes of a request: from `start` on, before `end`, of a file of `size`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub start: u64,
    pub end: u64,
    pub size: u64,
}

impl Asked {
    pub(crate) fn length(self) -> u64 {
        self.end - self.start
    }

    fn is_whole_file(self) -> bool {
        (self.start, self.end) == (0, self.size)
    }
}

/// Asks for the bytes, and gives the answer if it is going to be them. Nothing but the range is added to the address as it
/// was handed out (`jamf-pro-api.md §10`).
pub(crate) async fn send(lease: &Lease, asked: Asked, limits: Limits) -> Result<Response, Problem> {
    let range = format!("bytes={}-{}", asked.start, asked.end - 1);
    let sending = lease.client.get(lease.url.clone()).header(RANGE, range).send();
    let host = &lease.host;
    let response = match tokio::time::timeout(limits.head(), sending).await {
        Ok(Ok(response)) => response,
        Ok(Err(source)) => return Err(broken(host, source)),
        Err(_) => return Err(Problem::Stalled { host: host.clone(), limit: limits.head() }),
    };
    tracing::debug!(host, start = asked.start, end = asked.end, status = response.status().as_u16());
    let head = Head {
        status: response.status().as_u16(),
        content_range: header(&response, CONTENT_RANGE),
        content_length: response.content_length(),
    };
    match judge(host, &head, asked) {
        Ok(()) => Ok(response),
        Err(Problem::Status { host, status, .. }) => {
            let retry_after = header(&response, RETRY_AFTER).and_then(|text| pause(&text));
            let code = code(response, limits.stall).await;
            Err(Problem::Status { host, status, code, retry_after })
        }
        Err(problem) => Err(problem),
    }
}

pub(crate) fn broken(host: &str, source: reqwest::Error) -> Problem {
    // The address is a key to the file for as long as it lives.
    Problem::Connection { host: host.to_owned(), source: source.without_url() }
}

/// What an answer says about itself before its body.
#[derive(Clone, Debug)]
struct Head {
    status: u16,
    content_range: Option<String>,
    content_length: Option<u64>,
}

/// Whether an answer is what was asked for. `jamf-pro-sdk` does not look, and writes the text of an error into the file
/// (`baselines.md §4`).
fn judge(host: &str, head: &Head, asked: Asked) -> Result<(), Problem> {
    let host = || host.to_owned();
    match head.status {
        206 => {
            let other = || Problem::OtherRange {
                host: host(),
                asked: format!("bytes {}-{}/{}", asked.start, asked.end - 1, asked.size),
                got: head.content_range.clone(),
            };
            let got = head.content_range.as_deref().and_then(content_range).ok_or_else(other)?;
            match got.size {
                Some(got) if got != asked.size => {
                    return Err(Problem::OtherSize { host: host(), got, listed: asked.size });
                }
                _ if (got.first, got.last) != (asked.start, asked.end - 1) => return Err(other()),
                _ => {}
            }
        }
        // A file that is one range is what was asked for either way.
        200 if asked.is_whole_file() => {
            if let Some(got) = head.content_length.filter(|got| *got != asked.size) {
                return Err(Problem::OtherSize { host: host(), got, listed: asked.size });
            }
        }
        200 => return Err(Problem::Whole { host: host() }),
        // The file ends before the range begins.
        416 => {
            if let Some(got) = head.content_range.as_deref().and_then(size_alone) {
                return Err(Problem::OtherSize { host: host(), got, listed: asked.size });
            }
            return Err(status(host(), 416));
        }
        other => return Err(status(host(), other)),
    }
    match head.content_length {
        Some(got) if got < asked.length() => Err(Problem::Short { host: host(), got, asked: asked.length() }),
        Some(got) if got > asked.length() => Err(Problem::Long { host: host(), asked: asked.length() }),
        _ => Ok(()),
    }
}

fn status(host: String, status: u16) -> Problem {
    Problem::Status { host, status, code: None, retry_after: None }
}

/// `bytes 0-9/100`, or with `*` where the size is not known.
#[derive(Debug, PartialEq, Eq)]
struct ContentRange {
    first: u64,
    last: u64,
    size: Option<u64>,
}

fn content_range(text: &str) -> Option<ContentRange> {
    let (range, size) = text.trim().strip_prefix("bytes")?.trim_start().split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let size = match size {
        "*" => None,
        size => Some(size.parse().ok()?),
    };
    Some(ContentRange { first: first.parse().ok()?, last: last.parse().ok()?, size })
}

/// `bytes */100`: what a refusal says.
fn size_alone(text: &str) -> Option<u64> {
    text.trim().strip_prefix("bytes")?.trim_start().strip_prefix("*/")?.parse().ok()
}

/// Seconds. What comes as a date is left to our own pauses.
fn pause(text: &str) -> Option<Duration> {
    text.trim().parse().ok().map(|seconds| Duration::from_secs(seconds).min(LONGEST_ORDERED))
}

fn header(response: &Response, name: HeaderName) -> Option<String> {
    response.headers().get(name)?.to_str().ok().map(str::to_owned)
}

/// `AccessDenied`, where an error is one of S3 or CloudFront. It is not worth a wait.
async fn code(mut response: Response, limit: Duration) -> Option<String> {
    let mut text = Vec::new();
    while text.len() < LARGEST_ERROR {
        match tokio::time::timeout(limit, response.chunk()).await {
            Ok(Ok(Some(chunk))) => text.extend_from_slice(&chunk),
            _ => break,
        }
    }
    let text = String::from_utf8_lossy(&text);
    let code = text.split_once("<Code>")?.1.split_once("</Code>")?.0;
    let is_word = !code.is_empty() && code.len() <= 60 && code.chars().all(|c| c.is_ascii_alphanumeric());
    is_word.then(|| code.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ASKED: Asked = Asked { start: 20, end: 40, size: 95 };

    fn judged(status: u16, content_range: &str, content_length: Option<u64>, asked: Asked) -> String {
        let content_range = Some(content_range.to_owned()).filter(|text| !text.is_empty());
        match judge("cdn", &Head { status, content_range, content_length }, asked) {
            Ok(()) => "good".to_owned(),
            Err(problem) => format!("{problem}{}", if problem.may_pass() { " (may pass)" } else { "" }),
        }
    }

    #[test]
    fn only_the_range_that_was_asked_for_is_good() {
        let all = [
            (206, "bytes 20-39/95", Some(20)),
            (206, "bytes 20-39/95", None),
            (206, "bytes 20-39/*", Some(20)),
            (206, "bytes 20-38/95", Some(19)),
            (206, "bytes 0-19/95", Some(20)),
            (206, "bytes 20-39/96", Some(20)),
            (206, "bytes 20-39/95", Some(19)),
            (206, "bytes 20-39/95", Some(21)),
            (206, "", Some(20)),
            (206, "pages 1-2/3", Some(20)),
            (200, "", Some(95)),
            (416, "bytes */15", Some(0)),
            (416, "", Some(0)),
            (403, "", Some(110)),
            (503, "", None),
            (302, "", None),
            (400, "", None),
        ];
        let judged: Vec<_> = all
            .iter()
            .map(|(status, range, length)| {
                format!("{status} {range:?} {length:?}: {}", judged(*status, range, *length, ASKED))
            })
            .collect();
        insta::assert_snapshot!(judged.join("\n"), @r#"
        206 "bytes 20-39/95" Some(20): good
        206 "bytes 20-39/95" None: good
        206 "bytes 20-39/*" Some(20): good
        206 "bytes 20-38/95" Some(19): cdn sent bytes 20-38/95 where bytes 20-39/95 was asked for
        206 "bytes 0-19/95" Some(20): cdn sent bytes 0-19/95 where bytes 20-39/95 was asked for
        206 "bytes 20-39/96" Some(20): the file at cdn has 96 bytes, and the list says 95
        206 "bytes 20-39/95" Some(19): cdn sent 19 bytes where 20 were asked for (may pass)
        206 "bytes 20-39/95" Some(21): cdn sent more than the 20 bytes that were asked for
        206 "" Some(20): cdn sent a piece without a place where bytes 20-39/95 was asked for
        206 "pages 1-2/3" Some(20): cdn sent pages 1-2/3 where bytes 20-39/95 was asked for
        200 "" Some(95): cdn ignores the range that was asked for and sends the whole file
        416 "bytes */15" Some(0): the file at cdn has 15 bytes, and the list says 95
        416 "" Some(0): cdn answered 416
        403 "" Some(110): cdn answered 403 (may pass)
        503 "" None: cdn answered 503 (may pass)
        302 "" None: cdn answered 302
        400 "" None: cdn answered 400
        "#);
    }

    #[test]
    fn a_file_that_is_one_range_may_come_whole() {
        let whole = Asked { start: 0, end: 95, size: 95 };
        assert_eq!(judged(200, "", Some(95), whole), "good");
        assert_eq!(judged(200, "", None, whole), "good");
        assert_eq!(judged(200, "", Some(23), whole), "the file at cdn has 23 bytes, and the list says 95");
        assert_eq!(judged(206, "bytes 0-94/95", Some(95), whole), "good");
    }

    #[test]
    fn ordered_pauses_have_a_limit() {
        assert_eq!(pause(" 7 "), Some(Duration::from_secs(7)));
        assert_eq!(pause("86400"), Some(LONGEST_ORDERED));
        assert_eq!(pause("soon"), None);
    }

    proptest! {
        #[test]
        fn a_content_range_comes_back(first in any::<u64>(), last in any::<u64>(), size in any::<Option<u64>>()) {
            let text = format!("bytes {first}-{last}/{}", size.map_or("*".to_owned(), |size| size.to_string()));
            prop_assert_eq!(content_range(&text), Some(ContentRange { first, last, size }));
        }

        #[test]
        fn any_content_range_can_be_read(text in "\\PC{0,40}") {
            let _ = (content_range(&text), size_alone(&text));
        }
    }
}
