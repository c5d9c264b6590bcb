//! How the server prints: JSON with ` : `, faults of the Pro API, HTML pages of the Classic API.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter};
use serde_json::{Value, json};
use std::io;

/// An answer of the Pro API, or why there is none.
pub(super) type Answer = Result<Response, Fault>;

/// Jamf Pro prints two spaces of indent and a space on both sides of the colon (`jamf-pro-api.md §1.1`).
pub(super) fn print(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut text = Vec::new();
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut text, SpacedColon::default()))?;
    Ok(text)
}

/// A JSON answer.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match print(value) {
        Ok(text) => with_type(status, "application/json", text),
        Err(error) => {
            tracing::error!(%error, "an answer cannot be printed");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// An answer with a content type.
pub(super) fn with_type(status: StatusCode, mime: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(mime));
    response
}

/// An error of the Pro API (`§1.5`). The answer carries it along, for those who add to it on its way out.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fault {
    status: StatusCode,
    errors: Vec<Value>,
}

impl Fault {
    /// With an empty list of errors.
    pub(super) fn bare(status: StatusCode) -> Self {
        Self { status, errors: Vec::new() }
    }

    /// With one error.
    pub(super) fn new(
        status: StatusCode,
        code: &str,
        description: &str,
        id: Option<&str>,
        field: Option<&str>,
    ) -> Self {
        Self::bare(status).and(code, description, id, field)
    }

    /// With one more error.
    pub(super) fn and(
        mut self,
        code: &str,
        description: &str,
        id: Option<&str>,
        field: Option<&str>,
    ) -> Self {
        self.errors.push(json!({ "code": code, "description": description, "id": id, "field": field }));
        self
    }

    /// 400 for a field of the request.
    pub(super) fn field(code: &str, description: &str, field: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, description, Some("0"), Some(field))
    }

    /// 404 for something that was asked for by its name, or is not there at all.
    pub(super) fn not_found(description: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", description, None, None)
    }

    /// 404 for an id.
    pub(super) fn unknown_id(kind: &str, id: u64) -> Self {
        let description = format!("{kind} with that id does not exist");
        Self::new(StatusCode::NOT_FOUND, "INVALID_ID", &description, Some(&id.to_string()), Some("id"))
    }

    /// Whether no error is listed.
    pub(super) fn is_bare(&self) -> bool {
        self.errors.is_empty()
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let body = json!({ "httpStatus": self.status.as_u16(), "errors": self.errors });
        let mut response = json(self.status, &body);
        response.extensions_mut().insert(self);
        response
    }
}

/// The body of an error as it reads behind a gateway (`§14`).
pub(super) fn with_trace(fault: &Fault, trace: &str) -> Body {
    let body = json!({ "httpStatus": fault.status.as_u16(), "traceId": trace, "errors": fault.errors });
    print(&body).map_or_else(|_| Body::empty(), Body::from)
}

/// A line of text.
pub(super) fn plain(status: StatusCode, text: &'static str) -> Response {
    with_type(status, "text/plain; charset=utf-8", text)
}

/// An id in the path of the Pro API: digits, else 400.
pub(super) fn id(text: &str) -> Result<u64, Fault> {
    text.parse().map_err(|_| {
        let description = "Id must be numeric";
        Fault::new(StatusCode::BAD_REQUEST, "INVALID_ID", description, Some(text), Some("id"))
    })
}

/// An error page of the Classic API: HTML, and not well-formed XML (`§6.5`).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    status: StatusCode,
    reason: String,
}

impl Page {
    /// With the text that the web container has for the status.
    pub(super) fn of(status: StatusCode) -> Self {
        let reason = match status {
            StatusCode::BAD_REQUEST => {
                "The request could not be understood by the server due to malformed syntax"
            }
            StatusCode::UNAUTHORIZED => "The request requires user authentication",
            StatusCode::FORBIDDEN => "The server understood the request, but refuses to fulfill it",
            StatusCode::NOT_FOUND => "The server has not found anything matching the request URI",
            StatusCode::METHOD_NOT_ALLOWED => {
                "The method specified in the request is not allowed for the resource identified by the request URI"
            }
            StatusCode::PAYLOAD_TOO_LARGE => {
                "The server is refusing to process a request because the request entity is larger than the server is willing or able to process"
            }
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                "The server is refusing to service the request because the entity of the request is in a format not supported by the requested resource for the requested method"
            }
            _ => {
                "The server encountered an unexpected condition which prevented it from fulfilling the request"
            }
        };
        Self { status, reason: reason.to_owned() }
    }

    /// 409 with a reason: `Duplicate name`, `Problem with category`.
    pub(super) fn conflict(reason: &str) -> Self {
        Self { status: StatusCode::CONFLICT, reason: format!("Error: {reason}") }
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let name = self.status.canonical_reason().unwrap_or("Error");
        // Sections of RFC 2616: 10.4.1 is 400, 10.4.10 is 409, 10.5.1 is 500.
        let (class, number) = (self.status.as_u16() / 100, self.status.as_u16() % 100 + 1);
        let reason = quick_xml::escape::partial_escape(self.reason.as_str());
        let page = format!(
            r#"<html>
<head>
   <title>Status page</title>
</head>
<body style="font-family: sans-serif;">
<p style="font-size: 1.2em;font-weight: bold;margin: 1em 0px;">{name}</p>
<p>{reason}</p>
<p>You can get technical details <a href="http://www.w3.org/Protocols/rfc2616/rfc2616-sec10.html#sec10.{class}.{number}">here</a>.<br>
Please continue your visit at our <a href="/">home page</a>.
</p>
</body>
</html>
"#
        );
        with_type(self.status, "text/html;charset=UTF-8", page)
    }
}

/// A page of something between client and server, as nginx prints them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ProxyPage(pub(super) StatusCode);

impl IntoResponse for ProxyPage {
    fn into_response(self) -> Response {
        // nginx keeps the older name of 413.
        let name = match self.0 {
            StatusCode::PAYLOAD_TOO_LARGE => "Request Entity Too Large",
            status => status.canonical_reason().unwrap_or("Error"),
        };
        let title = format!("{} {name}", self.0.as_u16());
        let page = format!(
            "<html>\n<head><title>{title}</title></head>\n<body>\n<center><h1>{title}</h1></center>\n</body>\n</html>\n"
        );
        with_type(self.0, "text/html", page)
    }
}

/// serde_json's pretty printer, but for the colon.
#[derive(Default)]
struct SpacedColon(PrettyFormatter<'static>);

impl Formatter for SpacedColon {
    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b" : ")
    }

    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}
