//! What the server says of itself (`jamf-pro-api.md §3`).

use super::answer::{Answer, Fault, json};
use super::caller::Caller;
use crate::core::Core;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<Core>> {
    Router::new()
        .route("/api/v1/jamf-pro-version", get(version))
        .route("/api/v1/cloud-information", get(cloud_information))
        .route("/api/schema", get(schema))
        .route("/api/schema/", get(schema))
        .route("/api/v1/health-check", get(|| async { StatusCode::NO_CONTENT }))
}

async fn version(State(core): State<Arc<Core>>, _caller: Caller) -> Answer {
    let version = &core.config.version;
    // Real ones carry the time of the build.
    let built = if version.contains('-') { version.clone() } else { format!("{version}-t1784555528405") };
    Ok(json(StatusCode::OK, &serde_json::json!({ "version": built })))
}

/// The same to everybody; nobody has to sign in (`§1.1`).
async fn schema(State(core): State<Arc<Core>>) -> Answer {
    if !core.config.serves_schema {
        return Err(Fault::bare(StatusCode::NOT_FOUND));
    }
    match core.config.schema() {
        Ok(schema) => Ok(json(StatusCode::OK, &schema)),
        Err(error) => {
            tracing::error!(%error, "the schema cannot be served");
            Err(Fault::bare(StatusCode::INTERNAL_SERVER_ERROR))
        }
    }
}

async fn cloud_information() -> Response {
    json(
        StatusCode::OK,
        &serde_json::json!({
            "cloudInstance": true,
            "rampInstance": false,
            "fedRampInstance": false,
            "govCloudInstance": false,
            "managedServiceProviderInstance": false,
            "highComplianceInstance": false,
            "fipsEnabled": false,
        }),
    )
}
