//! The body that carries a package over the Pro API: a form with one part (`jamf-pro-api.md §5.4`), streamed from the disk.
//!
//! Its own because what is wanted of it is little and exact: the name in raw UTF-8, a length that is known, a file that is
//! sent whole or not at all, and a gauge of how far it is.

use bytes::Bytes;
use futures_util::Stream as _;
use http_body::{Body, Frame, SizeHint};
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use tokio::fs::File;
use tokio_util::io::ReaderStream;

/// Reads of this size cost a quarter of what 4 KiB reads cost (`baselines.md §2`).
const BLOCK: usize = 256 * 1024;
/// What is handed over at a time; a slow line is seen to move by it.
const PIECE: usize = 64 * 1024;

/// Everything of a form but the bytes of its file.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    content_type: String,
    head: Bytes,
    tail: Bytes,
    size: u64,
}

impl Form {
    /// A form for a file of this name and size. Nothing that the file holds is looked at, so the boundary has to be one that no
    /// file holds.
    pub(crate) fn new(name: &str, size: u64, boundary: &str) -> Self {
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n",
            quoted(name)
        );
        Self {
            content_type: format!("multipart/form-data; boundary={boundary}"),
            head: head.into(),
            tail: format!("\r\n--{boundary}--\r\n").into(),
            size,
        }
    }

    pub(crate) fn content_type(&self) -> &str {
        &self.content_type
    }

    /// Bytes in all.
    pub(crate) fn length(&self) -> u64 {
        (self.head.len() + self.tail.len()) as u64 + self.size
    }

    /// The body, from its start.
    pub(crate) fn body(&self, file: File, gauge: Arc<Gauge>) -> FormBody {
        FormBody {
            left: self.length(),
            file_size: self.size,
            file_sent: 0,
            next: Next::Head(self.head.clone()),
            file: ReaderStream::with_capacity(file, BLOCK),
            tail: self.tail.clone(),
            gauge,
        }
    }
}

/// A name in quotes, in raw UTF-8. Browsers, curl and Go disagree on what else is escaped; a quotation mark has to be, and
/// nothing may end the line.
fn quoted(name: &str) -> String {
    name.replace('"', "\\\"").replace('\r', "%0D").replace('\n', "%0A")
}

/// Told the bytes of the file that were handed over.
pub(crate) type Progress = Arc<dyn Fn(u64) + Send + Sync>;

/// How far a body is, and what became of its file.
pub(crate) struct Gauge {
    moved: AtomicU64,
    is_over: AtomicBool,
    fault: OnceLock<Fault>,
    progress: Progress,
}

impl Gauge {
    pub(crate) fn new(progress: Progress) -> Arc<Self> {
        progress(0);
        Arc::new(Self {
            moved: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
            fault: OnceLock::new(),
            progress,
        })
    }

    /// Bytes of the body that were handed over.
    pub(crate) fn moved(&self) -> u64 {
        self.moved.load(Ordering::Relaxed)
    }

    /// Nobody wants the rest.
    pub(crate) fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    /// Why the body could not be sent to its end.
    pub(crate) fn fault(&self) -> Option<&Fault> {
        self.fault.get()
    }
}

/// A file cannot be sent.
#[derive(Debug)]
pub(crate) enum Fault {
    Read(io::Error),
    /// It ended after so many bytes.
    Ended(u64),
    /// It goes on.
    Grown,
}

/// A form under way.
pub(crate) struct FormBody {
    left: u64,
    file_size: u64,
    file_sent: u64,
    next: Next,
    file: ReaderStream<File>,
    tail: Bytes,
    gauge: Arc<Gauge>,
}

enum Next {
    Head(Bytes),
    /// What was read and not handed over yet.
    File(Bytes),
    Nothing,
}

impl FormBody {
    fn hand_over(&mut self, bytes: Bytes) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.left = self.left.saturating_sub(bytes.len() as u64);
        self.gauge.moved.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    /// Ends the body before its end, so that the server has not got all of it and takes none.
    fn give_up(&mut self, fault: Fault) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.next = Next::Nothing;
        let _ = self.gauge.fault.set(fault);
        Poll::Ready(Some(Err(io::Error::other("the file cannot be sent"))))
    }
}

impl Body for FormBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.gauge.is_over.load(Ordering::Relaxed) {
            return Poll::Ready(Some(Err(io::Error::other("nobody waits for it any more"))));
        }
        let this = &mut *self;
        match &mut this.next {
            Next::Nothing => Poll::Ready(None),
            Next::Head(head) => {
                let head = std::mem::take(head);
                this.next = Next::File(Bytes::new());
                this.hand_over(head)
            }
            Next::File(read) => {
                if read.is_empty() {
                    match std::task::ready!(Pin::new(&mut this.file).poll_next(cx)) {
                        Some(Err(error)) => return this.give_up(Fault::Read(error)),
                        Some(Ok(bytes)) if bytes.len() as u64 > this.file_size - this.file_sent => {
                            return this.give_up(Fault::Grown);
                        }
                        Some(Ok(bytes)) => *read = bytes,
                        None if this.file_sent < this.file_size => {
                            return this.give_up(Fault::Ended(this.file_sent));
                        }
                        None => {
                            this.next = Next::Nothing;
                            let tail = std::mem::take(&mut this.tail);
                            return this.hand_over(tail);
                        }
                    }
                }
                let piece = read.split_to(read.len().min(PIECE));
                this.file_sent += piece.len() as u64;
                (this.gauge.progress)(this.file_sent);
                this.hand_over(piece)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

impl fmt::Debug for FormBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FormBody").field("left", &self.left).finish_non_exhaustive()
    }
}
