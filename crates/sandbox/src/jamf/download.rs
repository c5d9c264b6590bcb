//! Signed download addresses (`jamf-pro-api.md §10`): no bearer token, an end, HEAD and ranges.

use super::answer::with_type;
use super::caller::Query;
use crate::Fault;
use crate::core::Core;
use crate::grant::Desk as _;
use crate::world::later;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use futures_util::StreamExt as _;
use futures_util::stream;
use http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, ETAG, IF_RANGE, RANGE,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use std::io::{self, SeekFrom};
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;
use url::form_urlencoded::Serializer;

const KEY_PAIR_ID: &str = "K2PKGFERRY";

pub(super) fn routes() -> Router<Arc<Core>> {
    Router::new().route("/__cdn/{blob}", get(serve))
}

/// An address that serves this blob for as long as the configuration says.
pub(super) fn address(core: &Core, base: &str, name: &str, blob: &str) -> String {
    let quoted = name.replace('\\', r"\\").replace('"', r#"\""#);
    let disposition = format!("attachment; filename=\"{quoted}\"");
    let end = core.faults.told(later(core.now(), core.config.download_life)).as_second();
    let signed = |second: i64| {
        let expires = second.to_string();
        let signature = core.sign(&signed_text(blob, &disposition, &expires));
        (expires, signature)
    };
    // Within a second all addresses of a file are the same, and that one may have been ended before its time.
    let mut addresses = (end..).map(signed);
    let (expires, signature) =
        addresses.find(|(_, signature)| !core.faults.has_ended(signature)).unwrap_or_default();
    let query = Serializer::new(String::new())
        .append_pair("response-content-disposition", &disposition)
        .append_pair("Expires", &expires)
        .append_pair("Signature", &signature)
        .append_pair("Key-Pair-Id", KEY_PAIR_ID)
        .finish();
    format!("{base}/__cdn/{blob}?{query}")
}

fn signed_text(blob: &str, disposition: &str, expires: &str) -> String {
    format!("{blob}\n{disposition}\n{expires}")
}

/// GET and HEAD: for the latter the body is left out on its way.
async fn serve(
    State(core): State<Arc<Core>>,
    Path(blob): Path<String>,
    query: Query,
    method: Method,
    mut headers: HeaderMap,
) -> Response {
    let Some(disposition) = checked(&core, &blob, &query) else { return access_denied() };
    let Some((size, etag)) = look_up(&core, &blob) else { return access_denied() };
    let is_range = method == Method::GET && headers.contains_key(RANGE);
    let trouble = is_range.then(|| core.faults.play(Trouble::of)).flatten();
    let end = match trouble {
        Some(Trouble::Expired) => {
            core.faults.end(query.get("Signature").unwrap_or_default().to_owned());
            return access_denied();
        }
        Some(Trouble::Unavailable) => return unavailable(),
        Some(Trouble::Body(end)) => end,
        None => End::Whole,
    };
    if is_range && core.faults.plays(|fault| fault == Fault::DownloadIgnoresRange) {
        headers.remove(RANGE);
    }
    let (status, start, length) = match asked(&headers, size, &etag) {
        Asked::Whole => (StatusCode::OK, 0, size),
        Asked::Part { start, length } => (StatusCode::PARTIAL_CONTENT, start, length),
        Asked::Outside => return outside(size),
    };
    let Ok(body) = read(&core, &blob, start, length, end).await else { return access_denied() };
    let mut response = with_type(status, "application/octet-stream", body);
    let answer = response.headers_mut();
    answer.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    answer.insert(CONTENT_LENGTH, length.into());
    let range = (status == StatusCode::PARTIAL_CONTENT)
        .then(|| (CONTENT_RANGE, format!("bytes {start}-{}/{size}", start + length - 1)));
    for (name, text) in [(CONTENT_DISPOSITION, disposition), (ETAG, etag)].into_iter().chain(range) {
        // From bytes, since names of files need not be ASCII.
        if let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) {
            answer.insert(name, value);
        }
    }
    response
}

/// The content disposition, if the signature is ours and the time is not over.
fn checked(core: &Core, blob: &str, query: &Query) -> Option<String> {
    let disposition = query.get("response-content-disposition")?;
    let expires = query.get("Expires")?;
    let signature = core.sign(&signed_text(blob, disposition, expires));
    let is_ours = query.get("Signature") == Some(&signature);
    let is_alive = core.faults.told(core.now()).as_second() < expires.parse().ok()?
        && !core.faults.has_ended(&signature);
    (is_ours && is_alive).then(|| disposition.to_owned())
}

fn look_up(core: &Core, blob: &str) -> Option<(u64, String)> {
    let world = core.world();
    let content = &world.files.with_blob(blob)?.content;
    Some((content.size, format!("\"{}\"", content.md5)))
}

async fn read(core: &Core, blob: &str, start: u64, length: u64, end: End) -> io::Result<Body> {
    let mut file = tokio::fs::File::open(core.blob(blob)).await?;
    file.seek(SeekFrom::Start(start)).await?;
    let length = if end == End::Whole { length } else { length / 2 };
    let bytes = ReaderStream::with_capacity(file.take(length), 64 * 1024);
    Ok(match end {
        End::Whole => Body::from_stream(bytes),
        End::Stall => Body::from_stream(bytes.chain(stream::pending())),
        End::Cut => Body::from_stream(bytes.chain(stream::once(async {
            // Before the connection is closed, what was read gets a chance to leave.
            tokio::task::yield_now().await;
            Err(io::Error::from(io::ErrorKind::ConnectionAborted))
        }))),
    })
}

/// What a fault makes of one range request.
enum Trouble {
    Expired,
    Unavailable,
    Body(End),
}

/// How the body of an answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Whole,
    /// In the middle the connection is closed.
    Cut,
    /// In the middle nothing comes any more.
    Stall,
}

impl Trouble {
    fn of(fault: Fault) -> Option<Self> {
        match fault {
            Fault::DownloadExpired(_) => Some(Self::Expired),
            Fault::DownloadError(_) => Some(Self::Unavailable),
            Fault::DownloadCut(_) => Some(Self::Body(End::Cut)),
            Fault::DownloadStalls(_) => Some(Self::Body(End::Stall)),
            _ => None,
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Whole,
    Part { start: u64, length: u64 },
    Outside,
}

/// What the request asks for. A range that cannot be read, several ranges, and a range of another version of the file
/// are the whole file (RFC 9110, 13.1.5 and 14.2).
fn asked(headers: &HeaderMap, size: u64, etag: &str) -> Asked {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(range) = text(RANGE) else { return Asked::Whole };
    if text(IF_RANGE).is_some_and(|version| version != etag) {
        return Asked::Whole;
    }
    parse_range(range, size).unwrap_or(Asked::Whole)
}

fn parse_range(range: &str, size: u64) -> Option<Asked> {
    let (first, last) = range.strip_prefix("bytes=")?.trim().split_once('-')?;
    let (start, end) = match (first.is_empty(), last.is_empty()) {
        (true, true) => return None,
        (true, false) => match last.parse::<u64>().ok()? {
            0 => return Some(Asked::Outside),
            suffix => (size.saturating_sub(suffix), size),
        },
        (false, true) => (first.parse().ok()?, size),
        (false, false) => {
            let (start, last) = (first.parse::<u64>().ok()?, last.parse::<u64>().ok()?);
            if last < start {
                return None;
            }
            (start, last.saturating_add(1).min(size))
        }
    };
    Some(if start < end { Asked::Part { start, length: end - start } } else { Asked::Outside })
}

fn outside(size: u64) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
    if let Ok(range) = HeaderValue::try_from(format!("bytes */{size}")) {
        response.headers_mut().insert(CONTENT_RANGE, range);
    }
    response
}

/// What the content network says to a wrong signature, after the end, and to what is not there.
fn access_denied() -> Response {
    let body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code><Message>Access denied</Message></Error>\n";
    with_type(StatusCode::FORBIDDEN, "text/xml", body)
}

/// What the content network says when it cannot reach the store.
fn unavailable() -> Response {
    let body = "<html><head><title>ERROR: The request could not be satisfied</title></head><body><h1>503 ERROR</h1></body></html>\n";
    with_type(StatusCode::SERVICE_UNAVAILABLE, "text/html", body)
}

#[cfg(test)]
mod tests {
    use super::{Asked, parse_range};
    use proptest::prelude::{any, proptest};

    #[test]
    fn ranges() {
        let part = |start, length| Some(Asked::Part { start, length });
        for (range, expected) in [
            ("bytes=0-0", part(0, 1)),
            ("bytes=2-5", part(2, 4)),
            ("bytes=2-500", part(2, 8)),
            ("bytes=7-", part(7, 3)),
            ("bytes=-4", part(6, 4)),
            ("bytes=-400", part(0, 10)),
            ("bytes=10-", Some(Asked::Outside)),
            ("bytes=10-12", Some(Asked::Outside)),
            ("bytes=-0", Some(Asked::Outside)),
            ("bytes=5-2", None),
            ("bytes=0-1,3-4", None),
            ("bytes=-", None),
            ("lines=1-2", None),
        ] {
            assert_eq!(parse_range(range, 10), expected, "{range}");
        }
        assert_eq!(parse_range("bytes=0-", 0), Some(Asked::Outside));
    }

    proptest! {
        #[test]
        fn a_part_lies_in_the_file(first in any::<u64>(), last in any::<u64>(), size in any::<u64>()) {
            if let Some(Asked::Part { start, length }) = parse_range(&format!("bytes={first}-{last}"), size) {
                assert!(length > 0 && start.checked_add(length).is_some_and(|end| end <= size));
            }
        }
    }
}
