//! The cloud distribution point (`jamf-pro-api.md §8`): here always Jamf's own, and the principal one.

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

const FILTERABLE: [&str; 3] = ["fileName", "type", "inventoryId"];
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

async fn show(caller: Caller) -> Answer {
    caller.may(Privilege::ReadDistributionPoint)?;
    let answer = json!({
        "hasConnectionSucceeded": true,
        "message": "",
        "inventoryId": INVENTORY_ID,
        "cdnType": "JAMF_CLOUD",
        "master": true,
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

async fn upload_capability(_caller: Caller) -> Answer {
    let answer = json!({ "principalDistributionTechnology": true, "directUploadCapable": true });
    Ok(json(StatusCode::OK, &answer))
}

/// The inventory: listed files that a record names.
async fn files(State(core): State<Arc<Core>>, caller: Caller, query: Query) -> Answer {
    caller.may(Privilege::ReadDistributionPoint)?;
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
    page_of(rows, &FILTERABLE, &query)
}

async fn refresh_inventory(State(core): State<Arc<Core>>, caller: Caller, query: Query) -> Answer {
    caller.may(Privilege::ReadDistributionPoint)?;
    refresh(&core, &query)
}

/// Both spellings of the call do this. A name that is not listed is no error here; what a real server answers then is
/// not known (`§19.6`).
pub(super) fn refresh(core: &Core, query: &Query) -> Answer {
    let file = query.get("file-name").filter(|_| core.version.refreshes_by_name());
    if file.is_some_and(|name| name.chars().count() > MAX_FILE_NAME) {
        let text = format!("file-name is longer than {MAX_FILE_NAME} characters");
        return Err(Fault::field("INVALID_FIELD", &text, "file-name"));
    }
    core.world().refresh(file, core.now());
    Ok(StatusCode::NO_CONTENT.into_response())
}
