//! What a client sends, counted as it is read.

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::Request;
use http::header::EXPECT;
use http_body_util::BodyStream;
use hyper::body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

/// The body of a request, counted.
///
/// If it is dropped before its end, because the request was refused, the rest is read and forgotten: clients that look at
/// the answer only when they have sent everything would else see a reset connection and no answer. One that waits for
/// `100 Continue` is spared that, since reading would tell it to go on.
pub(crate) struct Received<B: Carried> {
    body: Option<B>,
    bytes: Arc<AtomicU64>,
    drains: bool,
}

/// A body as HTTP servers hand it over.
pub(crate) trait Carried: Body<Data = Bytes, Error: Send> + Unpin + Send + 'static {}

impl<B: Body<Data = Bytes, Error: Send> + Unpin + Send + 'static> Carried for B {}

impl<B: Carried> Received<B> {
    /// The same request; the bytes that are read of its body are added to `bytes`.
    pub(crate) fn count(request: Request<B>, bytes: &Arc<AtomicU64>) -> Request<Self> {
        let drains = !request.headers().contains_key(EXPECT);
        request.map(|body| Self { body: Some(body), bytes: Arc::clone(bytes), drains })
    }
}

impl<B: Carried> Body for Received<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
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
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl<B: Carried> Drop for Received<B> {
    fn drop(&mut self) {
        let rest = self.body.take().filter(|body| self.drains && !body.is_end_stream());
        if let Some(rest) = rest {
            tokio::spawn(BodyStream::new(rest).for_each(|_| std::future::ready(())));
        }
    }
}
