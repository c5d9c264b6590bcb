//! The journal over HTTP, for whoever runs `pkgferry sandbox` beside another client. These calls are not journaled.

use super::answer::json;
use crate::core::Core;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<Core>> {
    Router::new().route("/__sandbox/journal", get(show).delete(clear))
}

async fn show(State(core): State<Arc<Core>>) -> Response {
    json(StatusCode::OK, &core.journal.requests())
}

async fn clear(State(core): State<Arc<Core>>) -> StatusCode {
    core.journal.clear();
    StatusCode::NO_CONTENT
}
