//! Tells the observer of each exchange of the Jamf side.

use crate::Exchange;
use crate::core::Core;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body_util::BodyExt as _;
use hyper::body::{Frame, SizeHint};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

/// The innermost layer: it sees what the handlers see and say.
pub(super) async fn observe(State(core): State<Arc<Core>>, request: Request, next: Next) -> Response {
    let Some(observer) = &core.config.observer else { return next.run(request).await };
    let (method, uri, headers) = (request.method().clone(), request.uri().clone(), request.headers().clone());
    let heard = Arc::new(Heard::default());
    let request = if is_form_of_files(&headers) {
        request
    } else {
        if request.body().is_end_stream() {
            heard.end();
        }
        request.map(|inner| Body::new(Overheard { inner, heard: Arc::clone(&heard) }))
    };
    let (head, body) = next.run(request).await.into_parts();
    // Every answer here is whole before it leaves, so nothing is waited for and nothing fails.
    let answer = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    observer.on(&Exchange {
        method,
        uri,
        headers,
        body: heard.whole(),
        status: head.status,
        answer_headers: head.headers.clone(),
        answer: answer.to_vec(),
    });
    Response::from_parts(head, Body::from(answer))
}

fn is_form_of_files(headers: &HeaderMap) -> bool {
    let mime = headers.get(CONTENT_TYPE).and_then(|mime| mime.to_str().ok());
    mime.is_some_and(|mime| mime.starts_with("multipart/"))
}

/// What was read of a body. Handlers that refuse a request leave it unread.
#[derive(Default)]
struct Heard(Mutex<(Vec<u8>, bool)>);

impl Heard {
    fn add(&self, bytes: &Bytes) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0.extend_from_slice(bytes);
    }

    fn end(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
    }

    /// The body, if it was read to its end.
    fn whole(&self) -> Option<Vec<u8>> {
        let heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.1.then(|| heard.0.clone())
    }
}

/// A body that is listened to while somebody else reads it.
struct Overheard {
    inner: Body,
    heard: Arc<Heard>,
}

impl HttpBody for Overheard {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => {
                if let Some(bytes) = frame.data_ref() {
                    self.heard.add(bytes);
                }
                // Whoever knows the length does not ask for the end.
                if self.inner.is_end_stream() {
                    self.heard.end();
                }
            }
            Some(Err(_)) => {}
            None => self.heard.end(),
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
