//! The Classic API: packages and the list of categories (`jamf-pro-api.md §6`).

use super::answer::{Page, json, with_type};
use super::caller::Caller;
use super::classic_xml::{Element, document, read, written};
use super::sticky::Heard;
use crate::Privilege;
use crate::core::Core;
use crate::world::{Package, Packages, World};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};
use std::sync::Arc;

type Answer = Result<Response, Page>;

/// How the Classic API spells no category.
const NO_CATEGORY: &str = "No category assigned";

pub(super) fn routes() -> Router<Arc<Core>> {
    Router::new()
        .route("/JSSResource/packages", get(list))
        .route("/JSSResource/packages/id/{id}", get(show_id).post(create).put(update_id).delete(delete_id))
        .route("/JSSResource/packages/name/{name}", get(show_name).put(update_name).delete(delete_name))
        .route("/JSSResource/categories", get(categories))
}

async fn list(
    State(core): State<Arc<Core>>,
    caller: Caller,
    Heard(heard): Heard,
    headers: HeaderMap,
) -> Answer {
    caller.may(Privilege::ReadPackages)?;
    let world = core.world();
    let packages = world.packages_until(heard);
    let rows = packages.iter().map(|package| (package.id, package.record.package_name.as_str()));
    Ok(id_list(&headers, "packages", "package", rows))
}

async fn categories(State(core): State<Arc<Core>>, caller: Caller, headers: HeaderMap) -> Answer {
    caller.may(Privilege::ReadCategories)?;
    let world = core.world();
    let rows = world.categories.iter().map(|category| (category.id, category.name.as_str()));
    Ok(id_list(&headers, "categories", "category", rows))
}

/// Ids and names. Only the XML has a size (`§6.2`).
fn id_list<'r>(
    headers: &HeaderMap,
    plural: &'static str,
    singular: &'static str,
    rows: impl Iterator<Item = (u64, &'r str)>,
) -> Response {
    if wants_json(headers) {
        let rows: Vec<Value> = rows.map(|(id, name)| json!({ "id": id, "name": name })).collect();
        return json(StatusCode::OK, &json!({ plural: rows }));
    }
    let row = |(id, name)| {
        Element::Parent(singular, vec![Element::text("id", u64::to_string(&id)), Element::text("name", name)])
    };
    let rows: Vec<Element> = rows.map(row).collect();
    let mut children = vec![Element::text("size", rows.len().to_string())];
    children.extend(rows);
    xml(StatusCode::OK, document(&Element::Parent(plural, children)))
}

async fn show_id(
    State(core): State<Arc<Core>>,
    caller: Caller,
    Heard(heard): Heard,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Answer {
    caller.may(Privilege::ReadPackages)?;
    let world = core.world();
    Ok(show(&world, by_id(&world.packages_until(heard), &id)?, &headers))
}

/// By display name, not by file name.
async fn show_name(
    State(core): State<Arc<Core>>,
    caller: Caller,
    Heard(heard): Heard,
    headers: HeaderMap,
    Path(name): Path<String>,
) -> Answer {
    caller.may(Privilege::ReadPackages)?;
    let world = core.world();
    Ok(show(&world, by_name(&world.packages_until(heard), &name)?, &headers))
}

/// Ids 0 and -1 mean the next free one.
async fn create(
    State(core): State<Arc<Core>>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    caller.may(Privilege::CreatePackages)?;
    if !["0", "-1"].contains(&id.as_str()) {
        return Err(Page::of(StatusCode::BAD_REQUEST));
    }
    let fields = fields(&headers, &body)?;
    let mut world = core.world();
    let mut package = Package::new(0, crate::world::Record::default());
    write(&world, &mut package, &fields)?;
    for (text, name) in [(&package.record.package_name, "name"), (&package.record.file_name, "filename")] {
        if text.is_empty() {
            return Err(Page::conflict(&format!("Problem with {name}")));
        }
    }
    let id = world.packages.insert(|id| {
        package.id = id;
        package
    });
    Ok(xml(StatusCode::CREATED, written(id.get())))
}

async fn update_id(
    State(core): State<Arc<Core>>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    caller.may(Privilege::UpdatePackages)?;
    let mut world = core.world();
    let id = by_id(&world.packages, &id)?.id;
    update(&mut world, id, &headers, &body)
}

async fn update_name(
    State(core): State<Arc<Core>>,
    caller: Caller,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    caller.may(Privilege::UpdatePackages)?;
    let mut world = core.world();
    let id = by_name(&world.packages, &name)?.id;
    update(&mut world, id, &headers, &body)
}

/// Partial: what is left out stays, what is empty is cleared (`§6.3`).
fn update(world: &mut World, id: u64, headers: &HeaderMap, body: &[u8]) -> Answer {
    let fields = fields(headers, body)?;
    let missing = || Page::of(StatusCode::NOT_FOUND);
    let mut changed = world.packages.get(id).ok_or_else(missing)?.clone();
    write(world, &mut changed, &fields)?;
    let package = world.packages.get_mut(id).ok_or_else(missing)?;
    package.classic = changed.classic;
    package.rewrite(changed.record);
    Ok(xml(StatusCode::CREATED, written(id)))
}

async fn delete_id(State(core): State<Arc<Core>>, caller: Caller, Path(id): Path<String>) -> Answer {
    caller.may(Privilege::DeletePackages)?;
    let id = by_id(&core.world().packages, &id)?.id;
    delete(&core, id)
}

async fn delete_name(State(core): State<Arc<Core>>, caller: Caller, Path(name): Path<String>) -> Answer {
    caller.may(Privilege::DeletePackages)?;
    let id = by_name(&core.world().packages, &name)?.id;
    delete(&core, id)
}

fn delete(core: &Core, id: u64) -> Answer {
    let files = core.world().delete_package(id).ok_or_else(|| Page::of(StatusCode::NOT_FOUND))?;
    core.discard(&files);
    Ok(xml(StatusCode::OK, written(id)))
}

fn by_id<'w>(packages: &'w Packages, id: &str) -> Result<&'w Package, Page> {
    let package = id.parse().ok().and_then(|id| packages.get(id));
    package.ok_or_else(|| Page::of(StatusCode::NOT_FOUND))
}

fn by_name<'w>(packages: &'w Packages, name: &str) -> Result<&'w Package, Page> {
    let package = packages.iter().find(|package| package.record.package_name == name);
    package.ok_or_else(|| Page::of(StatusCode::NOT_FOUND))
}

/// The elements of a write, which has to be XML (`§6.2`).
fn fields(headers: &HeaderMap, body: &[u8]) -> Result<Vec<(String, String)>, Page> {
    let mime = headers.get(CONTENT_TYPE).map(|mime| mime.to_str().unwrap_or_default());
    if mime.is_some_and(|mime| !mime.contains("xml")) {
        return Err(Page::of(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    read(body, "package").ok_or_else(|| Page::of(StatusCode::BAD_REQUEST))
}

/// Writes elements into a package. Elements that nobody knows are passed over.
fn write(world: &World, package: &mut Package, fields: &[(String, String)]) -> Result<(), Page> {
    for (name, text) in fields {
        let problem = || Page::conflict(&format!("Problem with {name}"));
        let flag = || match text.as_str() {
            "true" => Ok(true),
            "false" | "" => Ok(false),
            _ => Err(problem()),
        };
        let (record, classic, text) = (&mut package.record, &mut package.classic, text.clone());
        match name.as_str() {
            "name" if taken(world, package.id, &text) => return Err(Page::conflict("Duplicate name")),
            "name" | "filename" if text.is_empty() => return Err(problem()),
            "name" => record.package_name = text,
            "filename" => record.file_name = text,
            "category" => record.category_id = category_id(world, &text).ok_or_else(problem)?,
            "info" => record.info = text,
            "notes" => record.notes = text,
            "priority" => record.priority = text.trim().parse().map_err(|_| problem())?,
            "reboot_required" => record.reboot_required = flag()?,
            "fill_user_template" => record.fill_user_template = flag()?,
            "fill_existing_users" => record.fill_existing_users = flag()?,
            "os_requirements" => record.os_requirements = text,
            "hash_type" => record.hash_type = text,
            "hash_value" => record.hash_value = text,
            "allow_uninstalled" => classic.allow_uninstalled = flag()?,
            "required_processor" => classic.required_processor = processor(&text).ok_or_else(problem)?,
            "switch_with_package" => classic.switch_with_package = text,
            "install_if_reported_available" => classic.install_if_reported_available = flag()?,
            "reinstall_option" => classic.reinstall_option = text,
            "send_notification" => classic.send_notification = flag()?,
            _ => {}
        }
    }
    Ok(())
}

/// Two records may share a file name, but not a name (`§6.3`).
fn taken(world: &World, own: u64, name: &str) -> bool {
    world.packages.iter().any(|other| other.id != own && other.record.package_name == name)
}

fn category_id(world: &World, name: &str) -> Option<String> {
    if ["", "None", NO_CATEGORY].contains(&name) {
        return Some("-1".to_owned());
    }
    world.categories.named(name).map(|category| category.id.to_string())
}

fn processor(text: &str) -> Option<String> {
    match text {
        "" => Some("None".to_owned()),
        "None" | "ppc" | "x86" => Some(text.to_owned()),
        _ => None,
    }
}

fn show(world: &World, package: &Package, headers: &HeaderMap) -> Response {
    let category = world.category_name(&package.record).unwrap_or(NO_CATEGORY);
    let fields = elements(package, category);
    if wants_json(headers) {
        let fields: Map<String, Value> =
            fields.into_iter().map(|(name, field)| (name.to_owned(), field.into_json())).collect();
        return json(StatusCode::OK, &json!({ "package": fields }));
    }
    let children = fields.into_iter().map(|(name, field)| Element::text(name, field.into_text())).collect();
    xml(StatusCode::OK, document(&Element::Parent("package", children)))
}

/// A value in both formats.
enum Field {
    Text(String),
    Number(i64),
    Flag(bool),
    /// A boolean that the JSON prints as text (`§6.2`).
    FlagText(bool),
    /// Nothing in XML, `{}` in JSON.
    Nothing,
}

impl Field {
    fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    fn into_json(self) -> Value {
        match self {
            Self::Text(text) => text.into(),
            Self::Number(number) => number.into(),
            Self::Flag(flag) => flag.into(),
            Self::FlagText(flag) => flag.to_string().into(),
            Self::Nothing => json!({}),
        }
    }

    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
            Self::Flag(flag) | Self::FlagText(flag) => flag.to_string(),
            Self::Nothing => String::new(),
        }
    }
}

/// All elements in the order in which the server prints them. No size and no transfer state: Classic has neither.
fn elements(package: &Package, category: &str) -> Vec<(&'static str, Field)> {
    let Package { record, classic, .. } = package;
    vec![
        ("id", Field::Number(i64::try_from(package.id).unwrap_or(i64::MAX))),
        ("name", Field::text(&record.package_name)),
        ("category", Field::text(category)),
        ("filename", Field::text(&record.file_name)),
        ("info", Field::text(&record.info)),
        ("notes", Field::text(&record.notes)),
        ("priority", Field::Number(record.priority)),
        ("reboot_required", Field::Flag(record.reboot_required)),
        ("fill_user_template", Field::Flag(record.fill_user_template)),
        ("fill_existing_users", Field::Flag(record.fill_existing_users)),
        ("allow_uninstalled", Field::Flag(classic.allow_uninstalled)),
        ("os_requirements", Field::text(&record.os_requirements)),
        ("required_processor", Field::text(&classic.required_processor)),
        ("hash_type", Field::text(&record.hash_type)),
        ("hash_value", Field::text(&record.hash_value)),
        ("switch_with_package", Field::text(&classic.switch_with_package)),
        ("install_if_reported_available", Field::FlagText(classic.install_if_reported_available)),
        ("reinstall_option", Field::text(&classic.reinstall_option)),
        ("triggering_files", Field::Nothing),
        ("send_notification", Field::Flag(classic.send_notification)),
    ]
}

/// XML unless JSON is named, and named first.
fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    match (accept.find("json"), accept.find("xml")) {
        (Some(json), Some(xml)) => json < xml,
        (json, _) => json.is_some(),
    }
}

fn xml(status: StatusCode, body: String) -> Response {
    with_type(status, "text/xml;charset=UTF-8", body)
}
