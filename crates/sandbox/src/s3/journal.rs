//! Writes down every request with its bytes: bodies are counted as they pass.

use crate::grant::Desk;
use crate::received::Received;
use crate::{Request, Side};
use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use s3s::StdError;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

/// The status that is noted if the client left before it got an answer (nginx's word for it).
const CLIENT_CLOSED_REQUEST: u16 = 499;

/// The status that is noted if a fault left the request without an answer (nginx's word for that).
const NO_RESPONSE: u16 = 444;

/// The body of a request.
pub(super) type Counted = Received<Incoming>;

/// A request on its way. It is recorded when this is dropped, so none is forgotten.
pub(super) struct Entry {
    desk: Arc<dyn Desk>,
    request: Request,
    bytes_in: Arc<AtomicU64>,
}

impl Entry {
    pub(super) fn begin<B>(desk: Arc<dyn Desk>, request: &http::Request<B>) -> Self {
        let uri = request.uri();
        let request = Request {
            time: desk.now(),
            side: Side::S3,
            method: request.method().to_string(),
            path: uri.path_and_query().map_or_else(|| uri.to_string(), ToString::to_string),
            status: CLIENT_CLOSED_REQUEST,
            bytes_in: 0,
            bytes_out: 0,
        };
        Self { desk, request, bytes_in: Arc::default() }
    }

    /// Counts the body of the request.
    pub(super) fn counting(&self, request: http::Request<Incoming>) -> http::Request<Counted> {
        Received::count(request, &self.bytes_in)
    }

    /// Ends without an answer.
    pub(super) fn unanswered(mut self) {
        self.request.status = NO_RESPONSE;
    }

    /// Ends with the body of the answer.
    pub(super) fn answered(mut self, answer: http::Response<s3s::Body>) -> http::Response<Recorded> {
        self.request.status = answer.status().as_u16();
        answer.map(|body| Recorded { body, entry: Some(self) })
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.request.bytes_in = self.bytes_in.load(Ordering::Relaxed);
        self.desk.record(self.request.clone());
    }
}

/// The body of an answer, counted; its end is the end of the entry.
pub(super) struct Recorded {
    body: s3s::Body,
    entry: Option<Entry>,
}

impl Body for Recorded {
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let (Some(Ok(frame)), Some(entry)) = (&frame, &mut self.entry) {
            entry.request.bytes_out += frame.data_ref().map_or(0, Bytes::len) as u64;
        }
        // Before the last bytes leave, so that whoever has the answer finds the request in the journal.
        if !matches!(&frame, Some(Ok(_))) || self.body.is_end_stream() {
            self.entry = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
