//! Writes down every request with its bytes: bodies are counted as they pass.

use crate::grant::Desk;
use crate::{Request, Side};
use bytes::Bytes;
use futures_util::StreamExt as _;
use http::header::EXPECT;
use http_body_util::BodyStream;
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
        let bytes = Arc::clone(&self.bytes_in);
        let drains = !request.headers().contains_key(EXPECT);
        request.map(|body| Counted { body: Some(body), bytes, drains })
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

/// The body of a request, counted.
///
/// If it is dropped before its end, because the request was refused, the rest is read and forgotten: clients that look at
/// the answer only when they have sent everything would else see a reset connection and no answer. One that waits for
/// `100 Continue` is spared that, since reading would tell it to go on.
pub(super) struct Counted {
    body: Option<Incoming>,
    bytes: Arc<AtomicU64>,
    drains: bool,
}

impl Body for Counted {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(body).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => {
                let length = frame.data_ref().map_or(0, Bytes::len);
                self.bytes.fetch_add(length as u64, Ordering::Relaxed);
            }
            Some(Err(_)) | None => self.body = None,
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Incoming::size_hint)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let rest = self.body.take().filter(|body| self.drains && !body.is_end_stream());
        if let Some(rest) = rest {
            tokio::spawn(BodyStream::new(rest).for_each(|_| std::future::ready(())));
        }
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
