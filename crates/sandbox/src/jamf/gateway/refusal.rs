use crate::jamf::answer::{plain, with_type};
use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};

/// What the gateway itself says no to; it answers in its own words and not in those of the API that was asked. Seen in its
/// answers of autumn 2026 (jamfplatform-go-sdk, docs/WIRE-FACTS.md) unless marked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No header with a token.
    NoToken,
    /// The token is unknown or has expired.
    BadToken,
    /// The header that names the tenant is missing.
    NoScope,
    /// Another tenant.
    ForeignScope(String),
    /// A call that is not offered here. 403 was seen too (`§14`), and the body is not known.
    NotOffered,
    /// The budget is used up. The body is not known.
    TooManyRequests,
}

/// What is said to an address that is neither Pro nor Classic.
pub(super) fn unknown_address() -> Response {
    plain(StatusCode::NOT_FOUND, "404 page not found\n")
}

impl Refusal {
    pub(super) fn into_response(self, trace: &str) -> Response {
        let errors = |status: StatusCode, errors: Value| {
            let body = json!({ "httpStatus": status.as_u16(), "traceId": trace, "errors": errors });
            with_type(status, "application/json", body.to_string())
        };
        let error = |status, code: &str, description: &str| {
            errors(
                status,
                json!([{ "code": code, "description": description, "id": Value::Null, "field": Value::Null }]),
            )
        };
        match self {
            Self::NoToken => {
                let body = json!({ "httpStatus": 401, "message": "unauthorized access" });
                with_type(StatusCode::UNAUTHORIZED, "application/json", body.to_string())
            }
            Self::BadToken => plain(StatusCode::UNAUTHORIZED, "Authentication failed\n"),
            // The code was seen, the text was not.
            Self::NoScope => error(
                StatusCode::BAD_REQUEST,
                "REQUEST_CONTEXT_NOT_PROVIDED",
                "Request context was not provided",
            ),
            Self::ForeignScope(tenant) => error(
                StatusCode::FORBIDDEN,
                "OWNERSHIP_FORBIDDEN",
                &format!("Tenant '{tenant}' is not part of your organization"),
            ),
            Self::NotOffered => errors(StatusCode::NOT_FOUND, json!([])),
            Self::TooManyRequests => errors(StatusCode::TOO_MANY_REQUESTS, json!([])),
        }
    }
}
