//! Who calls, and from where: the bearer token, the host, the query.

use super::answer::{Fault, Page};
use super::is_classic;
use crate::core::Core;
use crate::grant::Desk as _;
use crate::{Account, Privilege, faults};
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse as _, Response};
use http::header::{AUTHORIZATION, HOST};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use std::convert::Infallible;
use std::sync::Arc;

/// Somebody with a token that is alive. Pro and Classic take the same one (`jamf-pro-api.md §1.1`).
pub(super) struct Caller {
    /// The number of the account in the configuration.
    pub number: usize,
    pub account: Account,
    pub token: String,
}

/// A privilege is missing.
pub(super) struct Forbidden;

impl Caller {
    /// Fails unless the caller has this privilege.
    pub(super) fn may(&self, privilege: Privilege) -> Result<(), Forbidden> {
        if self.account.privileges.contains(&privilege) { Ok(()) } else { Err(Forbidden) }
    }
}

impl From<Forbidden> for Fault {
    fn from(_: Forbidden) -> Self {
        Self::new(StatusCode::FORBIDDEN, "INVALID_PRIVILEGE", "Forbidden", Some("0"), None)
    }
}

impl From<Forbidden> for Page {
    fn from(_: Forbidden) -> Self {
        Self::of(StatusCode::FORBIDDEN)
    }
}

impl FromRequestParts<Arc<Core>> for Caller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, core: &Arc<Core>) -> Result<Self, Response> {
        let signed_in = bearer(&parts.headers).and_then(|token| {
            let number = core.world().tokens.account(token, core.now())?;
            if core.faults.plays(|fault| matches!(fault, faults::Fault::TokenEnds(_))) {
                core.world().tokens.end(token);
                return None;
            }
            let account = core.config.accounts.get(number)?.clone();
            Some(Self { number, account, token: token.to_owned() })
        });
        signed_in.ok_or_else(|| {
            if is_classic(&parts.uri) {
                Page::of(StatusCode::UNAUTHORIZED).into_response()
            } else {
                Fault::bare(StatusCode::UNAUTHORIZED).into_response()
            }
        })
    }
}

pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The server's address as the caller knows it: answers hold absolute addresses.
pub(super) struct Base(pub String);

impl FromRequestParts<Arc<Core>> for Base {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, core: &Arc<Core>) -> Result<Self, Infallible> {
        let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
        let host = host.map_or_else(|| core.config.jamf.to_string(), str::to_owned);
        Ok(Self(format!("http://{host}")))
    }
}

/// The pairs of a query, decoded, in their order: names may repeat.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn new(text: &str) -> Self {
        Self(url::form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::new(parts.uri.query().unwrap_or_default()))
    }
}
