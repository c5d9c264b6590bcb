//! Package records of the Pro API (`jamf-pro-api.md §5`).

use super::answer::{Answer, Fault, id, json};
use super::caller::{Base, Caller, Query};
use super::categories::{Ids, read_body};
use super::list::page_of;
use super::sticky::Heard;
use super::upload;
use crate::Privilege;
use crate::core::Core;
use crate::version::Version;
use crate::world::{Package, Record, World};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::IntoResponse as _;
use axum::routing::{get, post};
use http::StatusCode;
use serde_json::{Map, Value, json};
use std::sync::Arc;

const FILTERABLE: [&str; 8] = [
    "id",
    "fileName",
    "packageName",
    "categoryId",
    "info",
    "notes",
    "manifestFileName",
    "cloudTransferStatus",
];

/// Keys that every write has to have (`§5.1`).
const REQUIRED: [&str; 11] = [
    "packageName",
    "fileName",
    "categoryId",
    "priority",
    "fillUserTemplate",
    "rebootRequired",
    "osInstall",
    "suppressUpdates",
    "suppressFromDock",
    "suppressEula",
    "suppressRegistration",
];

/// Keys that a write does not change, whatever it says.
const READ_ONLY: [&str; 6] = ["id", "size", "indexed", "cloudTransferStatus", "manifest", "manifestFileName"];

const HASHES: [&str; 5] = ["md5", "sha256", "sha3512", "hashType", "hashValue"];

const HASH_TYPES: [&str; 4] = ["MD5", "SHA_256", "SHA_512", "SHA3_512"];

const FILE_TYPES: [&str; 4] = ["pkg", "mpkg", "dmg", "zip"];

pub(super) fn routes(version: Version) -> Router<Arc<Core>> {
    if !version.has_pro_packages() {
        return Router::new();
    }
    Router::new()
        .route("/api/v1/packages", get(list).post(create))
        .route("/api/v1/packages/delete-multiple", post(delete_multiple))
        .route("/api/v1/packages/{id}", get(read).put(update).delete(delete))
        .route("/api/v1/packages/{id}/upload", upload::route())
}

async fn list(State(core): State<Arc<Core>>, caller: Caller, Heard(heard): Heard, query: Query) -> Answer {
    caller.may(Privilege::ReadPackages)?;
    let tells_sha3512 = core.version.tells_sha3512();
    let rows = core.world().packages_until(heard).iter().map(|package| package.pro(tells_sha3512)).collect();
    page_of(rows, &FILTERABLE, &query)
}

async fn create(State(core): State<Arc<Core>>, caller: Caller, Base(base): Base, body: Bytes) -> Answer {
    caller.may(Privilege::CreatePackages)?;
    let mut world = core.world();
    let record = wanted(&body, &Record::default())?;
    check(&world, &record, None)?;
    let id = world.packages.insert(|id| Package::new(id, record));
    let href = format!("{base}/api/v1/packages/{id}");
    Ok(json(StatusCode::CREATED, &json!({ "id": id.to_string(), "href": href })))
}

async fn read(
    State(core): State<Arc<Core>>,
    caller: Caller,
    Heard(heard): Heard,
    Path(number): Path<String>,
) -> Answer {
    caller.may(Privilege::ReadPackages)?;
    let number = id(&number)?;
    let world = core.world();
    let packages = world.packages_until(heard);
    let package = packages.get(number).ok_or_else(|| unknown(number))?;
    Ok(json(StatusCode::OK, &package.pro(core.version.tells_sha3512())))
}

/// Replaces the record: what the body leaves out gets its default. Hashes survive (`§5.3`).
async fn update(
    State(core): State<Arc<Core>>,
    caller: Caller,
    Path(number): Path<String>,
    body: Bytes,
) -> Answer {
    caller.may(Privilege::UpdatePackages)?;
    let number = id(&number)?;
    let mut world = core.world();
    let package = world.packages.get(number).ok_or_else(|| unknown(number))?;
    let record = wanted(&body, &package.record)?;
    check(&world, &record, Some(package))?;
    let package = world.packages.get_mut(number).ok_or_else(|| unknown(number))?;
    package.rewrite(record);
    Ok(json(StatusCode::OK, &package.pro(core.version.tells_sha3512())))
}

async fn delete(State(core): State<Arc<Core>>, caller: Caller, Path(number): Path<String>) -> Answer {
    caller.may(Privilege::DeletePackages)?;
    let number = id(&number)?;
    let files = core.world().delete_package(number).ok_or_else(|| unknown(number))?;
    core.discard(&files);
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Deletes those that exist and lists the others (`§5.2`).
async fn delete_multiple(State(core): State<Arc<Core>>, caller: Caller, body: Bytes) -> Answer {
    caller.may(Privilege::DeletePackages)?;
    let Ids { ids } = read_body(&body)?;
    let mut fault = Fault::bare(StatusCode::BAD_REQUEST);
    for text in ids {
        match text.parse().ok().and_then(|id| core.world().delete_package(id)) {
            Some(files) => core.discard(&files),
            None => fault = fault.and("INVALID_ID", "Package ID does not exist", Some(&text), Some("ids")),
        }
    }
    if fault.is_bare() { Ok(StatusCode::NO_CONTENT.into_response()) } else { Err(fault) }
}

/// The record that the body describes, in the place of `old`.
fn wanted(body: &[u8], old: &Record) -> Result<Record, Fault> {
    let mut body: Map<String, Value> = read_body(body)?;
    let mut missing = Fault::bare(StatusCode::BAD_REQUEST);
    for key in REQUIRED.into_iter().filter(|key| body.get(*key).is_none_or(Value::is_null)) {
        missing = missing.and("INVALID_FIELD", &format!("{key} is required"), Some("0"), Some(key));
    }
    if !missing.is_bare() {
        return Err(missing);
    }
    if let Ok(Value::Object(mut old)) = serde_json::to_value(old) {
        for key in READ_ONLY {
            body.remove(key);
        }
        for key in READ_ONLY.into_iter().chain(HASHES) {
            if let (None, Some(value)) = (body.get(key), old.shift_remove(key)) {
                body.insert(key.to_owned(), value);
            }
        }
    }
    let mut record: Record = serde_json::from_value(Value::Object(body)).map_err(|error| {
        Fault::new(StatusCode::BAD_REQUEST, "INVALID_FIELD", &error.to_string(), Some("0"), None)
    })?;
    if record.hash_type.is_empty() {
        record.hash_type = Record::default().hash_type;
    }
    Ok(record)
}

/// What Jamf Pro refuses: a taken name, another kind of file, an unknown kind of hash, a category that is not there.
fn check(world: &World, record: &Record, own: Option<&Package>) -> Result<(), Fault> {
    let own_id = own.map_or(0, |package| package.id);
    let refuse = |code: &str, description: &str, field: &str| {
        let id = own_id.to_string();
        Err(Fault::new(StatusCode::BAD_REQUEST, code, description, Some(&id), Some(field)))
    };
    let taken = |same: &dyn Fn(&Record) -> bool| {
        world.packages.iter().any(|other| other.id != own_id && same(&other.record))
    };
    let extension = record.file_name.rsplit_once('.').map_or("", |(_, extension)| extension);
    if !FILE_TYPES.iter().any(|known| known.eq_ignore_ascii_case(extension)) {
        let text = "Unsupported file extension. Acceptable formats are pkg, mpkg, dmg or zip.";
        return refuse("UNSUPPORTED_FILE_TYPE", text, "fileName");
    }
    if !HASH_TYPES.contains(&record.hash_type.as_str()) {
        let text = format!("Invalid hash type. Allowed: {}", HASH_TYPES.join(", "));
        return refuse("INVALID_FIELD", &text, "hashType");
    }
    if taken(&|other| other.package_name == record.package_name) {
        return refuse("DUPLICATE_FIELD", "duplicate name", "packageName");
    }
    if taken(&|other| other.file_name == record.file_name) {
        return refuse("DUPLICATE_FIELD", "duplicate name", "fileName");
    }
    // A record that names a category which has vanished can still be written back as it is.
    let moved = own.is_none_or(|package| package.record.category_id != record.category_id);
    if moved && record.category_id != "-1" && world.category_name(record).is_none() {
        return refuse("INVALID_ID", "Category with that id does not exist", "categoryId");
    }
    Ok(())
}

pub(super) fn unknown(id: u64) -> Fault {
    Fault::unknown_id("Package", id)
}
