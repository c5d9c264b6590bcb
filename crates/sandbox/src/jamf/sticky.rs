use crate::core::Core;
use axum::extract::{FromRequestParts, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{COOKIE, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use std::convert::Infallible;
use std::sync::Arc;

/// What a load balancer and the container set (`jamf-pro-api.md §13.1`). Without `Secure`, which real ones have: clients
/// do not send such cookies back over plain HTTP.
const COOKIES: [&str; 3] = ["jpro-ingress", "APBALANCEID", "JSESSIONID"];

/// The ones by which a load balancer finds the same node again; each is enough.
const STICKY: [&str; 2] = ["jpro-ingress", "APBALANCEID"];

/// Until when the node that answers has heard of changes to packages; `None` is the one that wrote them.
pub(super) struct Heard(pub Option<Timestamp>);

impl FromRequestParts<Arc<Core>> for Heard {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, core: &Arc<Core>) -> Result<Self, Infallible> {
        let sent = sent(&parts.headers);
        let is_sticky = STICKY.iter().any(|name| sent.iter().any(|own| own == name));
        Ok(Self(core.heard().filter(|_| !is_sticky)))
    }
}

/// Sets the cookies that the caller does not send.
pub(super) async fn set_cookies(request: Request, next: Next) -> Response {
    let sent = sent(request.headers());
    let mut response = next.run(request).await;
    for name in COOKIES {
        if sent.iter().any(|own| own == name) {
            continue;
        }
        let cookie = format!("{name}={}; Path=/; HttpOnly", uuid::Uuid::new_v4().simple());
        if let Ok(cookie) = HeaderValue::try_from(cookie) {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
    }
    response
}

/// Names of the cookies that came with a request.
fn sent(headers: &HeaderMap) -> Vec<String> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';'));
    pairs.filter_map(|pair| Some(pair.split_once('=')?.0.trim().to_owned())).collect()
}
