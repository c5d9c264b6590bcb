//! Writes the journal and saves the world after each request.

use crate::core::Core;
use crate::grant::Desk as _;
use crate::received::Received;
use crate::{Request, Side};
use axum::body::{Body, HttpBody};
use axum::extract::State;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{Method, StatusCode};
use hyper::body::{Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

/// The outermost layer of the Jamf Pro side.
pub(super) async fn save_and_record(
    State(core): State<Arc<Core>>,
    request: axum::extract::Request,
    next: Next,
) -> Response {
    let mut entry = Request {
        time: core.now(),
        side: if request.uri().path().starts_with("/__cdn/") { Side::Download } else { Side::Jamf },
        method: request.method().to_string(),
        path: request.uri().path_and_query().map(ToString::to_string).unwrap_or_default(),
        status: 0,
        bytes_in: 0,
        bytes_out: 0,
    };
    let is_head = request.method() == Method::HEAD;
    let received = Arc::default();
    let request = Received::count(request, &received).map(Body::new);
    let mut response = next.run(request).await;
    core.faults.date(response.headers_mut());
    if entry.is_write()
        && let Err(error) = core.save()
    {
        tracing::error!(%error, "cannot save the rehearsal server's data");
        response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    entry.status = response.status().as_u16();
    entry.bytes_in = received.load(Ordering::Relaxed);
    let expected = if is_head { 0 } else { length(&response) };
    let mut pending = Pending { core, entry: Some(entry), expected };
    if pending.expected == 0 {
        pending.finish();
        return response;
    }
    response.map(|inner| Body::new(Counted { inner, pending }))
}

/// How long the body will be; every answer here says so.
fn length(response: &Response) -> u64 {
    let header = response.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    header.or_else(|| response.body().size_hint().exact()).unwrap_or(u64::MAX)
}

/// A journal entry that waits for the end of its answer.
struct Pending {
    core: Arc<Core>,
    entry: Option<Request>,
    expected: u64,
}

impl Pending {
    fn count(&mut self, bytes: u64) {
        if let Some(entry) = &mut self.entry {
            entry.bytes_out += bytes;
            // Before the last bytes leave: who has read the whole answer finds it in the journal.
            if entry.bytes_out >= self.expected {
                self.finish();
            }
        }
    }

    fn finish(&mut self) {
        if let Some(entry) = self.entry.take() {
            self.core.record(entry);
        }
    }
}

/// The caller may go away in the middle.
impl Drop for Pending {
    fn drop(&mut self) {
        self.finish();
    }
}

struct Counted {
    inner: Body,
    pending: Pending,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = std::task::ready!(Pin::new(&mut self.inner).poll_frame(cx));
        if let Some(Ok(frame)) = &frame {
            let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
            self.pending.count(bytes);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
