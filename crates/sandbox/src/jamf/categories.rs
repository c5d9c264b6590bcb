//! Categories of the Pro API (`jamf-pro-api.md §4`).

use super::answer::{Answer, Fault, id, json};
use super::caller::{Base, Caller, Query};
use super::list::page_of;
use crate::Privilege;
use crate::core::Core;
use crate::world::{Category, World};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::IntoResponse as _;
use axum::routing::{get, post};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

const FILTERABLE: [&str; 2] = ["name", "priority"];

pub(super) fn routes() -> Router<Arc<Core>> {
    Router::new()
        .route("/api/v1/categories", get(list).post(create))
        .route("/api/v1/categories/delete-multiple", post(delete_multiple))
        .route("/api/v1/categories/{id}", get(read).put(update).delete(delete))
}

/// What a request says of a category; both are required.
#[derive(Deserialize)]
struct Wanted {
    name: String,
    priority: i64,
}

/// The body of a `delete-multiple`.
#[derive(Deserialize)]
pub(super) struct Ids {
    pub ids: Vec<String>,
}

async fn list(State(core): State<Arc<Core>>, caller: Caller, query: Query) -> Answer {
    caller.may(Privilege::ReadCategories)?;
    let rows = core.world().categories.iter().map(show).collect();
    page_of(rows, &FILTERABLE, &query)
}

async fn create(State(core): State<Arc<Core>>, caller: Caller, Base(base): Base, body: Bytes) -> Answer {
    caller.may(Privilege::CreateCategories)?;
    let Wanted { name, priority } = read_body(&body)?;
    let mut world = core.world();
    check_name(&world, &name, None)?;
    let id = world.categories.insert(|id| Category { id, name, priority });
    let href = format!("{base}/api/v1/categories/{id}");
    Ok(json(StatusCode::CREATED, &json!({ "id": id.to_string(), "href": href })))
}

async fn read(State(core): State<Arc<Core>>, caller: Caller, Path(number): Path<String>) -> Answer {
    caller.may(Privilege::ReadCategories)?;
    let number = id(&number)?;
    let world = core.world();
    let category = world.categories.get(number).ok_or_else(|| unknown(number))?;
    Ok(json(StatusCode::OK, &show(category)))
}

async fn update(
    State(core): State<Arc<Core>>,
    caller: Caller,
    Path(number): Path<String>,
    body: Bytes,
) -> Answer {
    caller.may(Privilege::UpdateCategories)?;
    let number = id(&number)?;
    let Wanted { name, priority } = read_body(&body)?;
    let mut world = core.world();
    check_name(&world, &name, Some(number))?;
    let category = world.categories.get_mut(number).ok_or_else(|| unknown(number))?;
    *category = Category { id: number, name, priority };
    Ok(json(StatusCode::OK, &show(category)))
}

async fn delete(State(core): State<Arc<Core>>, caller: Caller, Path(number): Path<String>) -> Answer {
    caller.may(Privilege::DeleteCategories)?;
    let number = id(&number)?;
    if core.world().delete_category(number) {
        Ok(StatusCode::NO_CONTENT.into_response())
    } else {
        Err(unknown(number))
    }
}

/// Deletes those that exist and lists the others (`§5.2`).
async fn delete_multiple(State(core): State<Arc<Core>>, caller: Caller, body: Bytes) -> Answer {
    caller.may(Privilege::DeleteCategories)?;
    let Ids { ids } = read_body(&body)?;
    let mut world = core.world();
    let mut fault = Fault::bare(StatusCode::BAD_REQUEST);
    for text in ids {
        if !text.parse().is_ok_and(|id| world.delete_category(id)) {
            fault = fault.and("INVALID_ID", "Category ID does not exist", Some(&text), Some("ids"));
        }
    }
    if fault.is_bare() { Ok(StatusCode::NO_CONTENT.into_response()) } else { Err(fault) }
}

/// A JSON body of this shape, else 400.
pub(super) fn read_body<T: for<'de> Deserialize<'de>>(body: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|error| {
        Fault::new(StatusCode::BAD_REQUEST, "INVALID_FIELD", &error.to_string(), Some("0"), None)
    })
}

fn check_name(world: &World, name: &str, own: Option<u64>) -> Result<(), Fault> {
    match world.categories.named(name) {
        Some(other) if own != Some(other.id) => {
            let id = own.unwrap_or(0).to_string();
            Err(Fault::new(
                StatusCode::BAD_REQUEST,
                "DUPLICATE_FIELD",
                "duplicate name",
                Some(&id),
                Some("name"),
            ))
        }
        _ if name.is_empty() => Err(Fault::field("INVALID_FIELD", "name is required", "name")),
        _ => Ok(()),
    }
}

fn unknown(id: u64) -> Fault {
    Fault::unknown_id("Category", id)
}

fn show(category: &Category) -> Value {
    json!({ "id": category.id.to_string(), "name": category.name, "priority": category.priority })
}
