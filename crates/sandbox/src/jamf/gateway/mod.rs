//! The gateway of the Platform API (`jamf-pro-api.md §14`): another way to the same calls, with its own addresses, tokens
//! and limit.
//!
//! A request goes [`route`] (is this an address of ours?) → token → [`budget`] → [`route`] (is this our tenant?) → the Jamf
//! side, which hears the address that it knows. What is said on that way is in [`refusal`].

mod budget;
mod refusal;
mod route;

use super::answer::{Fault, json, with_trace};
use super::auth::{OAuthError, client};
use crate::Gateway;
use crate::core::Core;
use crate::grant::Desk as _;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::post;
use budget::{Allowance, Budget};
use http::header::{AUTHORIZATION, CONTENT_LENGTH, RETRY_AFTER};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use refusal::Refusal;
use serde_json::json;
use std::sync::{Arc, Mutex, PoisonError};

const TRACE: HeaderName = HeaderName::from_static("x-tyk-trace-id");

/// The token path, and everything else of `jamf_pro` under the gateway's addresses.
pub(super) fn in_front_of(
    jamf_pro: Router<Arc<Core>>,
    gateway: &Gateway,
    core: &Arc<Core>,
) -> Router<Arc<Core>> {
    let door = Door {
        core: Arc::clone(core),
        gateway: gateway.clone(),
        budget: Arc::new(Mutex::new(Budget::new(gateway.budget, gateway.window))),
    };
    let behind = jamf_pro.with_state(Arc::clone(core));
    let behind = Router::new().fallback_service(behind).layer(from_fn_with_state(door.clone(), pass));
    let sign_in = post(sign_in).with_state(door);
    Router::new().route(gateway.token_path.as_str(), sign_in).fallback_service(behind)
}

#[derive(Clone)]
struct Door {
    core: Arc<Core>,
    gateway: Gateway,
    budget: Arc<Mutex<Budget>>,
}

/// Client credentials; users cannot sign in here.
async fn sign_in(State(door): State<Door>, headers: HeaderMap, body: String) -> Result<Response, OAuthError> {
    let number = client(&door.core, &headers, &body)?;
    let life = door.gateway.token_life;
    let token = door.core.world().tokens.issue(number, life, door.core.now()).token;
    let answer = json!({ "access_token": token, "token_type": "Bearer", "expires_in": life.as_secs() });
    Ok(json(StatusCode::OK, &answer))
}

/// Everything but the sign-in.
async fn pass(State(door): State<Door>, request: Request, next: Next) -> Response {
    let Some(asked) = route::read(request.uri().path(), door.gateway.addressing) else {
        return refusal::unknown_address();
    };
    let admitted = asked.admitted(&door.gateway, request.headers());
    let trace = uuid::Uuid::new_v4().simple().to_string();
    let mut response = match door.client(request.headers()) {
        Ok(client) => door.answer(client, admitted, request, next, &trace).await,
        Err(refusal) => refusal.into_response(&trace),
    };
    if let Ok(trace) = HeaderValue::try_from(trace) {
        response.headers_mut().insert(TRACE, trace);
    }
    response
}

impl Door {
    async fn answer(
        &self,
        client: usize,
        admitted: Result<String, Refusal>,
        request: Request,
        next: Next,
        trace: &str,
    ) -> Response {
        let allowance = self.spend(client);
        let admitted = if allowance.is_used_up { Err(Refusal::TooManyRequests) } else { admitted };
        let mut response = match admitted {
            Ok(path) => self.traced(next.run(at(request, &path)).await, trace),
            Err(refusal) => refusal.into_response(trace),
        };
        allowance.tell(response.headers_mut());
        response
    }

    /// The account of the client whose token this is.
    fn client(&self, headers: &HeaderMap) -> Result<usize, Refusal> {
        if !headers.contains_key(AUTHORIZATION) {
            return Err(Refusal::NoToken);
        }
        let token = super::caller::bearer(headers).ok_or(Refusal::BadToken)?;
        self.core.world().tokens.account(token, self.core.now()).ok_or(Refusal::BadToken)
    }

    fn spend(&self, client: usize) -> Allowance {
        let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        budget.spend(client, self.core.now())
    }

    /// Errors of the Pro API get a trace id; since the tenant is in a header they pass as they are.
    fn traced(&self, mut response: Response, trace: &str) -> Response {
        let fault = response.extensions_mut().remove::<Fault>();
        if let Some(fault) = fault.filter(|_| self.gateway.addressing.header().is_none()) {
            *response.body_mut() = with_trace(&fault, trace);
            response.headers_mut().remove(CONTENT_LENGTH);
        }
        response
    }
}

impl Allowance {
    /// Every answer tells where the client stands.
    fn tell(&self, headers: &mut HeaderMap) {
        headers.insert("x-ratelimit-limit", self.limit.into());
        headers.insert("x-ratelimit-remaining", self.remaining.into());
        headers.insert("x-ratelimit-reset", self.resets_at.into());
        if self.is_used_up {
            headers.insert(RETRY_AFTER, self.resets_in.into());
        }
    }
}

/// The same request to another path; the query stays.
fn at(mut request: Request, path: &str) -> Request {
    let target = match request.uri().query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    // What was cut out of a path is one.
    if let Ok(target) = PathAndQuery::try_from(target) {
        *request.uri_mut() = Uri::from(target);
    }
    request
}
