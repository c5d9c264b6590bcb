//! Records in the Pro API (`jamf-pro-api.md §5`).

use super::fields::{Holds, PLAIN};
use crate::answer::Answer;
use crate::book::{Index, Names};
use crate::call::Call;
use crate::package::CategoryRef;
use crate::{Error, FieldValue, Package, PackageApi, Privilege, Session, Setting, rsql, wire};
use pipeline::{Context, FileName, PackageId};
use serde_json::{Map, Value, json};

pub(super) const PACKAGES: &str = "/api/v1/packages";
pub(super) const A_RECORD: &str = "a package record";

/// What only the server writes. A blank `size` in particular is never sent back (`jamf-pro-api.md §5.1`, `§5.3`).
const READ_ONLY: [&str; 4] = ["id", "size", "cloudTransferStatus", "indexed"];

pub(super) fn path(id: PackageId) -> String {
    format!("{PACKAGES}/{id}")
}

pub(super) fn read_call(id: PackageId) -> Call {
    Call::get(path(id)).needs(Privilege::ReadPackages)
}

impl Session {
    /// All records whose `field` is one of `values`, and perhaps some more.
    ///
    /// A record without an id cannot be used. One that is `wanted` by what its field says must not be passed over either:
    /// it would be made a second time.
    pub(super) async fn pro_packages(
        &self,
        cx: &Context,
        field: &str,
        values: &[String],
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<Package>, Error> {
        let filter = rsql::any_of(field, values);
        let hits = self.every_page(cx, PACKAGES, Privilege::ReadPackages, Some(&filter)).await?;
        let mut packages = Vec::with_capacity(hits.len());
        for hit in &hits {
            match package(hit) {
                Some(package) => packages.push(package),
                None if wire::text(hit, field).is_some_and(&wanted) => {
                    return Err(without_id(field, wire::text(hit, field).unwrap_or_default()));
                }
                None => {}
            }
        }
        Ok(packages)
    }

    /// All records, and the names of those that have no usable id.
    pub(super) async fn pro_index(&self, cx: &Context) -> Result<Index, Error> {
        let hits = self.every_page(cx, PACKAGES, Privilege::ReadPackages, None).await?;
        let (mut records, mut unusable) = (Vec::with_capacity(hits.len()), Vec::new());
        for hit in &hits {
            let name = |key| wire::text(hit, key).unwrap_or_default().to_owned();
            match package(hit) {
                Some(record) => records.push(record),
                None => unusable.push(Names { file: name("fileName"), display: name("packageName") }),
            }
        }
        Ok(Index::new(records, unusable))
    }

    /// All records that have an id.
    pub(super) async fn pro_all(&self, cx: &Context) -> Result<Vec<Package>, Error> {
        let hits = self.every_page(cx, PACKAGES, Privilege::ReadPackages, None).await?;
        Ok(hits.iter().filter_map(package).collect())
    }

    pub(super) async fn pro_package(&self, cx: &Context, id: PackageId) -> Result<Option<Package>, Error> {
        let Some(answer) = self.send_if_there(cx, &read_call(id)).await? else { return Ok(None) };
        let package = package(&answer.json(A_RECORD)?);
        package.map(Some).ok_or_else(|| answer.lacks(A_RECORD, "id"))
    }
}

pub(super) fn without_id(field: &str, value: &str) -> Error {
    Error::Decode {
        request: Call::get(PACKAGES).request().clone(),
        expected: "a list of package records",
        found: format!("the record whose {field} is {value:?} has no usable id"),
        source: None,
    }
}

/// The record in the answer to a write, where there is one.
pub(super) fn told(answer: &Answer) -> Option<Package> {
    package(&answer.json(A_RECORD).ok()?)
}

pub(super) fn created(answer: &Answer) -> Result<PackageId, Error> {
    let id = answer.created_id()?;
    PackageId::try_from(id).map_err(|source| answer.unreadable("the id of a package record", source))
}

/// A record; without an id there is none. Texts and flags that are null or missing are empty and false, as Jamf Pro
/// shows them.
fn package(json: &Value) -> Option<Package> {
    let text = |key| wire::text(json, key);
    let hash_type = text("hashType").unwrap_or_default();
    // An empty digest is none, and does not stand before the one in the other place.
    let digest = |key| wire::filled(json, key);
    let hash_value = |name| digest("hashValue").filter(|_| hash_type == name);
    Some(Package {
        id: wire::number(json, "id")?.try_into().ok()?,
        file_name: text("fileName").unwrap_or_default().to_owned(),
        display_name: text("packageName").unwrap_or_default().to_owned(),
        api: PackageApi::Pro,
        values: PLAIN
            .into_iter()
            .filter_map(|(field, holds)| Some((field, value(json, field.key()?, holds)?)))
            .collect(),
        size: wire::number(json, "size"),
        md5: digest("md5").or_else(|| hash_value("MD5")).and_then(|text| text.parse().ok()),
        sha3_512: digest("sha3512").or_else(|| hash_value("SHA3_512")).and_then(|text| text.parse().ok()),
        transfer_status: text("cloudTransferStatus").map(str::to_owned),
        // 0 and -1 are no ids of categories; -1 is no number here.
        category: wire::number(json, "categoryId")
            .filter(|id| *id > 0)
            .map_or(CategoryRef::None, CategoryRef::Id),
    })
}

fn value(json: &Value, key: &str, holds: Holds) -> Option<FieldValue> {
    match holds {
        Holds::Text => Some(FieldValue::Text(wire::text(json, key).unwrap_or_default().to_owned())),
        Holds::Flag => Some(FieldValue::Flag(wire::flag(json, key).unwrap_or_default())),
        Holds::Number => {
            wire::number(json, key).and_then(|number| number.try_into().ok()).map(FieldValue::Number)
        }
        Holds::Category => None,
    }
}

/// The keys that a write has to have, with Jamf's defaults (`jamf-pro-api.md §5.1`).
fn required() -> [(&'static str, Value); 9] {
    [
        ("categoryId", json!("-1")),
        ("priority", json!(10)),
        ("fillUserTemplate", json!(false)),
        ("rebootRequired", json!(false)),
        ("osInstall", json!(false)),
        ("suppressUpdates", json!(false)),
        ("suppressFromDock", json!(false)),
        ("suppressEula", json!(false)),
        ("suppressRegistration", json!(false)),
    ]
}

/// The body that creates a record.
pub(super) fn new_record(file: &FileName, display_name: &str, settings: &[Setting]) -> Result<Value, Error> {
    let mut record = Map::new();
    record.insert("packageName".into(), display_name.into());
    record.insert("fileName".into(), file.as_str().into());
    record.extend(required().map(|(key, value)| (key.to_owned(), value)));
    apply(&mut record, settings)?;
    Ok(Value::Object(record))
}

/// The body that updates a record: everything as it came, also what this version of pkgferry does not know, with the
/// settings laid over it.
pub(super) fn merged(json: Value, settings: &[Setting]) -> Result<Value, Error> {
    let mut record = match json {
        Value::Object(record) => record,
        _ => Map::new(),
    };
    for key in READ_ONLY {
        record.shift_remove(key);
    }
    for (key, default) in required() {
        let value = record.entry(key).or_insert(Value::Null);
        if value.is_null() {
            *value = default;
        }
    }
    apply(&mut record, settings)?;
    Ok(Value::Object(record))
}

fn apply(record: &mut Map<String, Value>, settings: &[Setting]) -> Result<(), Error> {
    for setting in settings {
        let key = setting.field.key().ok_or(Error::ClassicOnly(setting.field))?;
        record.insert(key.to_owned(), setting.checked()?.to_json());
    }
    Ok(())
}
