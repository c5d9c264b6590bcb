//! Signing in and out (`jamf-pro-api.md §2`).

use super::answer::{Answer, Fault, json};
use super::caller::{Caller, Query};
use crate::core::Core;
use crate::grant::Desk as _;
use crate::world::Issued;
use crate::{Account, PrivilegeSet};
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;

/// The one role that every API client here has.
const ROLE: &str = "api-role:1";

pub(super) fn routes() -> Router<Arc<Core>> {
    Router::new()
        .route("/api/v1/auth", get(details))
        .route("/api/v1/auth/token", post(sign_in))
        .route("/api/v1/auth/keep-alive", post(keep_alive))
        .route("/api/v1/auth/invalidate-token", post(invalidate))
        .route("/api/v1/oauth/token", post(client_token))
        .route("/api/oauth/token", post(client_token))
}

async fn sign_in(State(core): State<Arc<Core>>, headers: HeaderMap) -> Answer {
    let number = basic(&headers)
        .and_then(|(id, secret)| find(&core, false, &id, &secret))
        .ok_or_else(|| Fault::bare(StatusCode::UNAUTHORIZED))?;
    Ok(user_token(&core, number))
}

/// A new token for a user; the one that was sent ends at once. API clients cannot do this (`§2.2`).
async fn keep_alive(State(core): State<Arc<Core>>, caller: Caller) -> Answer {
    if caller.account.is_client {
        return Err(Fault::bare(StatusCode::UNAUTHORIZED));
    }
    core.world().tokens.end(&caller.token);
    Ok(user_token(&core, caller.number))
}

async fn invalidate(State(core): State<Arc<Core>>, caller: Caller) -> StatusCode {
    core.world().tokens.end(&caller.token);
    StatusCode::NO_CONTENT
}

fn user_token(core: &Core, number: usize) -> Response {
    let Issued { token, expires } =
        core.world().tokens.issue(number, core.config.user_token_life, core.now());
    let expires = core.faults.told(expires).strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    json(StatusCode::OK, &json!({ "token": token, "expires": expires }))
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, credentials) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let decoded = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    scheme.eq_ignore_ascii_case("basic").then(|| (id.to_owned(), secret.to_owned()))
}

fn find(core: &Core, is_client: bool, id: &str, secret: &str) -> Option<usize> {
    let fits =
        |account: &Account| account.is_client == is_client && account.id == id && account.secret == secret;
    core.config.accounts.iter().position(fits)
}

async fn client_token(
    State(core): State<Arc<Core>>,
    headers: HeaderMap,
    body: String,
) -> Result<Response, OAuthError> {
    let number = client(&core, &headers, &body)?;
    let life = core.config.client_token_life;
    let token = core.world().tokens.issue(number, life, core.now()).token;
    let answer = json!({
        "access_token": token,
        "scope": ROLE,
        "token_type": "Bearer",
        // One less than configured was seen (`§2.5`).
        "expires_in": life.as_secs().saturating_sub(1),
    });
    Ok(json(StatusCode::OK, &answer))
}

/// The account that client credentials belong to. Only a form in the body counts; errors are those of RFC 6749 (`§2.5`).
pub(super) fn client(core: &Core, headers: &HeaderMap, body: &str) -> Result<usize, OAuthError> {
    let is_form = headers
        .get(CONTENT_TYPE)
        .and_then(|mime| mime.to_str().ok())
        .is_some_and(|mime| mime.starts_with("application/x-www-form-urlencoded"));
    let form = Query::new(if is_form { body } else { "" });
    let field = |name| form.get(name).ok_or(OAuthError::InvalidRequest { field: name });
    if field("grant_type")? != "client_credentials" {
        return Err(OAuthError::UnsupportedGrantType);
    }
    let (id, secret) = (field("client_id")?, field("client_secret")?);
    let number = find(core, true, id, secret).ok_or(OAuthError::InvalidClient)?;
    if form.get("scope").is_some_and(|scope| scope.split_whitespace().any(|role| role != ROLE)) {
        return Err(OAuthError::InvalidScope);
    }
    Ok(number)
}

pub(super) enum OAuthError {
    InvalidRequest { field: &'static str },
    UnsupportedGrantType,
    InvalidScope,
    InvalidClient,
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let parameter = |error: &str, name: &str| {
            json!({
                "error": error,
                "error_description": format!("OAuth 2.0 Parameter: {name}"),
                "error_uri": "https://datatracker.ietf.org/doc/html/rfc6749#section-5.2",
            })
        };
        let (status, body) = match self {
            Self::InvalidRequest { field } => (StatusCode::BAD_REQUEST, parameter("invalid_request", field)),
            Self::UnsupportedGrantType => {
                (StatusCode::BAD_REQUEST, parameter("unsupported_grant_type", "grant_type"))
            }
            Self::InvalidScope => (StatusCode::BAD_REQUEST, parameter("invalid_scope", "scope")),
            Self::InvalidClient => (StatusCode::UNAUTHORIZED, json!({ "error": "invalid_client" })),
        };
        json(status, &body)
    }
}

/// Who the token belongs to and what it may do (`§2.4`).
async fn details(State(core): State<Arc<Core>>, caller: Caller) -> Answer {
    let Caller { number, account, .. } = caller;
    let privileges: Vec<&str> = match account.privilege_set {
        PrivilegeSet::Administrator => Vec::new(),
        PrivilegeSet::Custom => {
            account.privileges.iter().map(|privilege| privilege.name_at(core.version)).collect()
        }
    };
    let mut answer = json!({
        "account": {
            "id": (number + 1).to_string(),
            "username": account.id,
            "realName": "",
            "email": "",
            "preferences": {
                "language": "en",
                "dateFormat": "MM/dd/yyyy",
                "region": "",
                "timezone": "Etc/UTC",
                "disableRelativeDates": false,
            },
            "multiSiteAdmin": false,
            "accessLevel": "FullAccess",
            "privilegeSet": account.privilege_set.name(),
            "privilegesBySite": { "-1": privileges },
            "groupIds": [],
            "currentSiteId": "-1",
        },
        "accountGroups": [],
        "sites": [],
        "authenticationType": if account.is_client { "CLIENT_CREDENTIALS" } else { "JSS" },
    });
    if core.version.has_divisions() {
        answer["account"]["currentDivisionId"] = Value::Null;
    }
    Ok(json(StatusCode::OK, &answer))
}
