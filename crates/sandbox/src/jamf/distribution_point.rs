//! The cloud distribution point (`jamf-pro-api.md §8`).

use super::answer::{Answer, Fault, json};
use super::caller::{Caller, Query};
use super::list::page_of;
use crate::Privilege;
use crate::core::Core;
use crate::grant::Desk as _;
use crate::version::Version;
use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse as _;
use axum::routing::{get, post};
use http::StatusCode;
use serde_json::{Value, json};
use std::sync::Arc;

/// The last one only from 11.25 on.
const FILTERABLE: [&str; 3] = ["fileName", "type", "inventoryId"];
/// Counts up with each new configuration; 0 is none.
const INVENTORY_ID: &str = "1";
/// In characters (`§7.6`).
const MAX_FILE_NAME: usize = 255;

pub(super) fn routes(version: Version) -> Router<Arc<Core>> {
    let routes = Router::new()
        .route("/api/v1/cloud-distribution-point", get(show))
        .route("/api/v1/cloud-distribution-point/upload-capability", get(upload_capability))
        .route("/api/v1/cloud-distribution-point/files", get(files));
    if version.has_distribution_point_refresh() {
        routes.route("/api/v1/cloud-distribution-point/refresh-inventory", post(refresh_inventory))
    } else {
        routes
    }
}

async fn show(State(core): State<Arc<Core>>, caller: Caller) -> Answer {
    caller.may(Privilege::ReadDistributionPoint)?;
    let point = core.config.distribution_point;
    let answer = json!({
        "hasConnectionSucceeded": point.exists(),
        "message": "",
        "inventoryId": if point.exists() { INVENTORY_ID } else { "0" },
        "cdnType": point.kind.name(),
        "master": point.is_principal,
        "username": "",
        "directory": "",
        "cdnUrl": "",
        "uploadUrl": "",
        "downloadUrl": "",
        "secondaryAuthRequired": false,
        "secondaryAuthStatusCode": 200,
        "secondaryAuthTimeToLive": 3600,
        "requireSignedUrls": false,
        "keyPairId": "",
        "expirationSeconds": 3600,
        "privateKey": Value::Null,
    });
    Ok(json(StatusCode::OK, &answer))
}

async fn upload_capability(State(core): State<Arc<Core>>, _caller: Caller) -> Answer {
    let point = core.config.distribution_point;
    let answer = json!({
        "principalDistributionTechnology": point.is_principal,
        "directUploadCapable": point.takes_uploads,
    });
    Ok(json(StatusCode::OK, &answer))
}

/// Fails where there is no distribution point.
pub(super) fn need(core: &Core) -> Result<(), Fault> {
    if core.config.distribution_point.exists() { Ok(()) } else { Err(not_there()) }
}

/// Fails where packages cannot be sent over the Pro API. What a real server says then is not known (`§5.4`, `§19.9`): here
/// that it has no such point.
pub(super) fn need_for_packages(core: &Core) -> Result<(), Fault> {
    if core.config.distribution_point.accepts_packages() { Ok(()) } else { Err(not_there()) }
}

fn not_there() -> Fault {
    Fault::not_found("Cloud distribution point not found")
}

/// The inventory: listed files that a record names.
async fn files(State(core): State<Arc<Core>>, caller: Caller, query: Query) -> Answer {
    caller.may(Privilege::ReadDistributionPoint)?;
    need(&core)?;
    let world = core.world();
    let listed = world.files.by_name(core.now());
    let row = |package: &crate::world::Package| {
        let file = listed.get(package.record.file_name.as_str())?;
        Some(json!({
            "id": file.id.to_string(),
            "inventoryId": INVENTORY_ID,
            "type": "PACKAGE",
            "fileName": file.name,
            "fileObjectId": package.id.to_string(),
            "category": world.category_name(&package.record).unwrap_or_default(),
            "status": package.record.cloud_transfer_status,
        }))
    };
    let rows = world.packages.iter().filter_map(row).collect();
    let filterable = if core.version.filters_by_inventory() { &FILTERABLE[..] } else { &FILTERABLE[..2] };
    page_of(rows, filterable, &query)
}

async fn refresh_inventory(State(core): State<Arc<Core>>, caller: Caller, query: Query) -> Answer {
    caller.may(Privilege::ReadDistributionPoint)?;
    need(&core)?;
    refresh(&core, &query).await
}

/// Both spellings of the call do this. Before it answers for a name, the server asks the service about it for a while
/// (`§7.6`). A name that is not listed is no error here; what a real server answers then is not known (`§19.6`).
pub(super) async fn refresh(core: &Core, query: &Query) -> Answer {
    let file = query.get("file-name").filter(|_| core.version.refreshes_by_name());
    if file.is_some_and(|name| name.chars().count() > MAX_FILE_NAME) {
        let text = format!("file-name is longer than {MAX_FILE_NAME} characters");
        return Err(Fault::field("INVALID_FIELD", &text, "file-name"));
    }
    if file.is_some() {
        core.config.clock.sleep(core.config.refresh_takes).await;
    }
    core.world().refresh(file, core.now());
    Ok(StatusCode::NO_CONTENT.into_response())
}
