//! The Jamf Pro side: Pro API, Classic API, download addresses, and a backstage door for tests.

mod answer;
mod auth;
mod backstage;
mod caller;
mod categories;
mod classic;
mod classic_xml;
mod distribution_point;
mod download;
mod gateway;
mod jcds;
mod list;
mod meter;
mod observe;
mod packages;
mod server_facts;
mod sticky;
mod upload;

use crate::core::Core;
use answer::{Fault, Page};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use http::header::CONTENT_TYPE;
use http::{StatusCode, Uri};
use std::sync::Arc;

/// No body is larger but those that carry a package, and they have their own rule.
const MAX_BODY: usize = 1024 * 1024;

/// All routes, as far as the version has them.
pub(crate) fn router(core: Arc<Core>) -> Router {
    let version = core.version;
    let jamf_pro = Router::new()
        .merge(auth::routes())
        .merge(server_facts::routes())
        .merge(categories::routes())
        .merge(packages::routes(version))
        .merge(classic::routes())
        .merge(jcds::routes(version, core.jcds_gone()))
        .merge(distribution_point::routes(version))
        .fallback(unknown_path)
        .method_not_allowed_fallback(unknown_method)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn(refuse_large_bodies))
        .layer(from_fn_with_state(Arc::clone(&core), observe::observe));
    let entrance = match &core.config.gateway {
        Some(gateway) => gateway::in_front_of(jamf_pro, gateway, &core),
        None => jamf_pro,
    };
    let served = entrance
        .merge(download::routes())
        .layer(from_fn(sticky::set_cookies))
        .layer(from_fn_with_state(Arc::clone(&core), meter::save_and_record));
    Router::new().merge(backstage::routes()).merge(served).with_state(core)
}

async fn unknown_path(uri: Uri) -> Response {
    refuse(&uri, StatusCode::NOT_FOUND)
}

async fn unknown_method(uri: Uri) -> Response {
    refuse(&uri, StatusCode::METHOD_NOT_ALLOWED)
}

/// The limit refuses in the words of axum, as plain text.
async fn refuse_large_bodies(request: Request, next: Next) -> Response {
    let uri = request.uri().clone();
    match next.run(request).await {
        response if response.status() == StatusCode::PAYLOAD_TOO_LARGE && is_plain(&response) => {
            refuse(&uri, response.status())
        }
        response => response,
    }
}

fn is_plain(response: &Response) -> bool {
    let mime = response.headers().get(CONTENT_TYPE);
    mime.is_some_and(|mime| mime.as_bytes().starts_with(b"text/plain"))
}

/// The same refusal in the words of the API that was asked.
fn refuse(uri: &Uri, status: StatusCode) -> Response {
    if is_classic(uri) { Page::of(status).into_response() } else { Fault::bare(status).into_response() }
}

fn is_classic(uri: &Uri) -> bool {
    uri.path().starts_with("/JSSResource")
}
