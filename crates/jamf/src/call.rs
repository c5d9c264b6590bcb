//! A request as data.

use crate::error::Request;
use crate::retry::Repeat;
use crate::{Privilege, encode};
use bytes::Bytes;
use pipeline::Effect;
use reqwest::Method;

/// The language of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Xml,
    Form,
}

impl Format {
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Xml => "application/xml",
            Self::Form => "application/x-www-form-urlencoded",
        }
    }
}

/// A request as data. It has no `Debug`: the body of a sign-in is a secret.
pub(crate) struct Call {
    pub(crate) request: Request,
    pub(crate) query: Option<String>,
    pub(crate) body: Option<(Format, Bytes)>,
    pub(crate) accept: Format,
    pub(crate) effect: Effect,
    pub(crate) privilege: Option<Privilege>,
    pub(crate) repeat: Repeat,
    is_watched: bool,
}

impl Call {
    /// `path` is percent-encoded.
    pub(crate) fn new(method: Method, path: impl Into<String>) -> Self {
        let effect = if method == Method::GET { Effect::Read } else { Effect::Write };
        let repeat = if method == Method::POST { Repeat::UnlessDone } else { Repeat::Always };
        let request = Request { method, path: path.into().into(), behind: None };
        Self {
            request,
            query: None,
            body: None,
            accept: Format::Json,
            effect,
            privilege: None,
            repeat,
            is_watched: true,
        }
    }

    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    pub(crate) fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path)
    }

    pub(crate) fn put(path: impl Into<String>) -> Self {
        Self::new(Method::PUT, path)
    }

    /// The privilege that a 403 names.
    pub(crate) fn needs(mut self, privilege: Privilege) -> Self {
        self.privilege = Some(privilege);
        self
    }

    pub(crate) fn query(mut self, pairs: &[(&str, &str)]) -> Self {
        self.query = Some(encode::pairs(pairs));
        self
    }

    pub(crate) fn body(mut self, format: Format, bytes: impl Into<Bytes>) -> Self {
        self.body = Some((format, bytes.into()));
        self
    }

    pub(crate) fn json(self, value: &serde_json::Value) -> Self {
        self.body(Format::Json, value.to_string())
    }

    pub(crate) fn accept(mut self, format: Format) -> Self {
        self.accept = format;
        self
    }

    /// It opens, renews or ends a session.
    pub(crate) fn signs_in(mut self) -> Self {
        self.effect = Effect::SignIn;
        self.repeatable()
    }

    /// Sending it twice does no harm, although it is a POST.
    pub(crate) fn repeatable(mut self) -> Self {
        self.repeat = Repeat::Always;
        self
    }

    /// Nothing depends on its answer: it is sent once, whatever comes of it.
    pub(crate) fn once(mut self) -> Self {
        self.repeat = Repeat::Never;
        self
    }

    /// It asks what a server says of its calls, which must not wait for the answer to that.
    pub(crate) fn unwatched(mut self) -> Self {
        self.is_watched = false;
        self
    }

    pub(crate) fn is_watched(&self) -> bool {
        self.is_watched
    }

    pub(crate) fn request(&self) -> &Request {
        &self.request
    }
}
