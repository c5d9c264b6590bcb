//! What came back for a call, and how it is read.

use crate::error::{Request, chain};
use crate::redact::Redactor;
use crate::rejection::Rejection;
use crate::said::Said;
use crate::{Error, Privilege, ServerKind, trace, wire};
use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderName};
use std::sync::Arc;

/// A complete answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) request: Request,
    pub(crate) kind: ServerKind,
    pub(crate) privilege: Option<Privilege>,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Goes over everything that an error tells of the body.
    pub(crate) redactor: Arc<Redactor>,
}

impl Answer {
    /// The answer as the error that it is when its status is no success.
    pub(crate) fn into_error(self) -> Error {
        let said = Said::from_body(&self.body, &self.redactor);
        let trace = trace::id(&self.body, &self.headers);
        let Self { request, status, privilege, kind, .. } = self;
        Error::Status(Box::new(Rejection { request, status, said, privilege, kind, trace }))
    }

    /// A header's text.
    pub(crate) fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON. `expected` completes "the answer is not …".
    pub(crate) fn json(&self, expected: &'static str) -> Result<serde_json::Value, Error> {
        serde_json::from_slice(&self.body).map_err(|source| self.unreadable(expected, source))
    }

    /// The body as text in UTF-8.
    pub(crate) fn text(&self, expected: &'static str) -> Result<&str, Error> {
        std::str::from_utf8(&self.body).map_err(|source| self.unreadable(expected, source))
    }

    /// The id in a `HrefResponse`; its `href` may name another host (`jamf-pro-api.md §4`).
    pub(crate) fn created_id(&self) -> Result<u64, Error> {
        let expected = "the id of what was created";
        wire::number(&self.json(expected)?, "id").ok_or_else(|| self.lacks(expected, "id"))
    }

    /// The body is in the wrong language.
    pub(crate) fn unreadable(
        &self,
        expected: &'static str,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> Error {
        let (found, source) = if self.body.is_empty() {
            ("it is empty".to_owned(), None)
        } else if let Some(sentence) = self.page() {
            (format!("it is a page that says “{sentence}”"), None)
        } else {
            ("it cannot be read".to_owned(), Some(self.redacted(source)))
        };
        Error::Decode { request: self.request.clone(), expected, found, source }
    }

    /// The body can be read and lacks something.
    pub(crate) fn lacks(&self, expected: &'static str, what: &str) -> Error {
        self.unusable(expected, format!("it has no {what}"))
    }

    /// The body can be read and makes no sense.
    pub(crate) fn unusable(&self, expected: &'static str, found: String) -> Error {
        Error::Decode { request: self.request.clone(), expected, found, source: None }
    }

    /// What an HTML page says.
    fn page(&self) -> Option<String> {
        let body = &self.body[..];
        let start =
            String::from_utf8_lossy(body.get(..256).unwrap_or(body)).trim_start().to_ascii_lowercase();
        let is_page = start.starts_with("<!doctype html") || start.starts_with("<html");
        is_page.then(|| Said::from_body(body, &self.redactor).sentence).flatten()
    }

    /// What the parser says; it may quote the body.
    fn redacted(
        &self,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> Box<dyn std::error::Error + Send + Sync> {
        let text = chain(&source);
        let redacted = self.redactor.redact(text.clone());
        if redacted == text { source.into() } else { redacted.into() }
    }
}
