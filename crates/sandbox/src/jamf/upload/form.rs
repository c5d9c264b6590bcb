use crate::jamf::answer::Fault;
use axum::BoxError;
use axum::body::Body;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest as _, Multipart, Request};
use bytes::Bytes;
use futures_util::StreamExt as _;
use http::StatusCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The most that the parser may hold back. It does so while it looks for a boundary or for the end of a part's headers, and
/// would go on for gigabytes if they never came; the bytes of a part it gives away as they come.
const MAX_HELD: usize = 8 * 1024 * 1024;

/// The name of the one part.
const PART: &str = "file";

/// A `multipart/form-data` body that holds one part, named `file` (`§5.4`). Nothing of it is kept in memory.
pub(super) struct Form {
    parts: Multipart,
    held: Arc<AtomicUsize>,
}

/// The part while it is read.
pub(super) struct Part<'f> {
    field: Field<'f>,
    held: Arc<AtomicUsize>,
}

impl Form {
    /// 415 for a body of another type.
    pub(super) async fn read(request: Request) -> Result<Self, Fault> {
        let held = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&held);
        let request = request.map(|body| {
            Body::from_stream(body.into_data_stream().map(move |piece| -> Result<Bytes, BoxError> {
                let piece = piece?;
                let held = counter.fetch_add(piece.len(), Ordering::Relaxed) + piece.len();
                if held > MAX_HELD { Err("no boundary in sight".into()) } else { Ok(piece) }
            }))
        });
        let parts = Multipart::from_request(request, &()).await;
        let parts = parts.map_err(|_| Fault::bare(StatusCode::UNSUPPORTED_MEDIA_TYPE))?;
        Ok(Self { parts, held })
    }

    /// The first part, if it is the one.
    pub(super) async fn part(&mut self) -> Result<Part<'_>, Fault> {
        let held = Arc::clone(&self.held);
        let field = self.parts.next_field().await.map_err(|error| unreadable(&error))?;
        let field = field.filter(|field| field.name() == Some(PART)).ok_or_else(not_one_part)?;
        held.store(0, Ordering::Relaxed);
        Ok(Part { field, held })
    }

    /// Reads on to the end of the form: what ends sooner was cut off.
    pub(super) async fn end(mut self) -> Result<(), Fault> {
        match self.parts.next_field().await.map_err(|error| unreadable(&error))? {
            None => Ok(()),
            Some(_) => Err(not_one_part()),
        }
    }
}

impl Part<'_> {
    /// The name that the client gave the file.
    pub(super) fn file_name(&self) -> Option<&str> {
        self.field.file_name()
    }

    /// The next bytes of the file.
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, Fault> {
        let chunk = self.field.chunk().await.map_err(|error| unreadable(&error))?;
        self.held.store(0, Ordering::Relaxed);
        Ok(chunk)
    }
}

fn not_one_part() -> Fault {
    Fault::field("INVALID_FIELD", "The request takes one part, named file", PART)
}

fn unreadable(error: &MultipartError) -> Fault {
    Fault::field("INVALID_FIELD", &error.body_text(), PART)
}
