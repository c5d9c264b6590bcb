//! Records in the Classic API (`jamf-pro-api.md §6`).

use super::fields::{Holds, PLAIN};
use super::xml;
use crate::answer::Answer;
use crate::call::{Call, Format};
use crate::package::CategoryRef;
use crate::transport::CONNECTIONS;
use crate::{Error, Field, FieldValue, Package, PackageApi, Privilege, Session, Setting, encode};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use pipeline::{Context, FileName, PackageId};
use std::collections::BTreeMap;

const PACKAGES: &str = "/JSSResource/packages";
const A_RECORD: &str = "a package record in XML";
const A_LIST: &str = "a list of packages in XML";
/// What a record without a category reads (`jamf-pro-api.md §6.3`).
const NO_CATEGORY: &str = "No category assigned";
/// A notice after as many records: reading a thousand takes a while.
const NOTICE_EVERY: usize = 250;

pub(super) fn read_call(id: PackageId) -> Call {
    get(format!("{PACKAGES}/id/{id}"))
}

fn get(path: String) -> Call {
    Call::get(path).needs(Privilege::ReadPackages).accept(Format::Xml)
}

/// Id 0 asks for the next free one (`jamf-pro-api.md §6.1`).
pub(super) fn create_call(file: &FileName, display_name: &str, settings: &[Setting]) -> Result<Call, Error> {
    let mut fields = BTreeMap::from([
        ("name", writable(Field::DisplayName, display_name.to_owned())?),
        ("filename", file.as_str().to_owned()),
    ]);
    fields.extend(elements(settings)?);
    Ok(with_xml(Call::post(format!("{PACKAGES}/id/0")), fields))
}

/// What is left out stays as it is (`jamf-pro-api.md §6.3`).
pub(super) fn update_call(id: PackageId, settings: &[Setting]) -> Result<Call, Error> {
    Ok(with_xml(Call::put(format!("{PACKAGES}/id/{id}")), elements(settings)?))
}

fn with_xml(call: Call, fields: BTreeMap<&'static str, String>) -> Call {
    call.body(Format::Xml, xml::package(fields)).accept(Format::Xml)
}

/// One element a field; the order means nothing to the server, and of two settings for a field the later one counts.
fn elements(settings: &[Setting]) -> Result<BTreeMap<&'static str, String>, Error> {
    let element = |setting: &Setting| {
        let text = writable(setting.field, setting.checked()?.to_text())?;
        Ok((setting.field.element(), text))
    };
    settings.iter().map(element).collect()
}

fn writable(field: Field, text: String) -> Result<String, Error> {
    match xml::unwritable(&text) {
        None => Ok(text),
        Some(sign) => {
            let found = format!("the sign U+{:04X}, which XML cannot carry", u32::from(sign));
            Err(Error::Unwritable { field, found })
        }
    }
}

pub(super) fn created(answer: &Answer) -> Result<PackageId, Error> {
    let expected = "the id of a package record";
    let id = fields(answer, expected)?.remove("id").and_then(|id| id.parse().ok());
    id.ok_or_else(|| answer.lacks(expected, "id"))
}

/// The record in an answer.
pub(super) fn package(answer: &Answer) -> Result<Package, Error> {
    let fields = fields(answer, A_RECORD)?;
    let text = |name: &str| fields.get(name).map(|text| text.trim());
    let hash = |kind| text("hash_value").filter(|_| text("hash_type") == Some(kind));
    Ok(Package {
        id: text("id").and_then(|id| id.parse().ok()).ok_or_else(|| answer.lacks(A_RECORD, "id"))?,
        file_name: fields.get("filename").cloned().unwrap_or_default(),
        display_name: fields.get("name").cloned().unwrap_or_default(),
        api: PackageApi::Classic,
        values: PLAIN
            .into_iter()
            .filter_map(|(field, holds)| Some((field, value(&fields, field, holds)?)))
            .collect(),
        size: None,
        md5: hash("MD5").and_then(|text| text.parse().ok()),
        sha3_512: hash("SHA3_512").and_then(|text| text.parse().ok()),
        transfer_status: None,
        category: match fields.get("category").map(String::as_str) {
            None | Some("" | "None" | NO_CATEGORY) => CategoryRef::None,
            Some(name) => CategoryRef::Name(name.to_owned()),
        },
    })
}

/// A field that is not told has no value.
fn value(fields: &BTreeMap<String, String>, field: Field, holds: Holds) -> Option<FieldValue> {
    let text = fields.get(field.element())?;
    match holds {
        Holds::Text => Some(FieldValue::Text(text.clone())),
        Holds::Flag => text.trim().parse().ok().map(FieldValue::Flag),
        Holds::Number => text.trim().parse().ok().map(FieldValue::Number),
        Holds::Category => None,
    }
}

/// The elements of the `package` in an answer.
fn fields(answer: &Answer, expected: &'static str) -> Result<BTreeMap<String, String>, Error> {
    let document = answer.text(expected)?;
    let read = || {
        let root = xml::elements(document)?;
        let Some((_, inside)) = root.iter().find(|(name, _)| name == "package") else { return Ok(None) };
        flat(inside).map(Some)
    };
    let fields = read().map_err(|source| answer.unreadable(expected, source))?;
    fields.ok_or_else(|| answer.lacks(expected, "package"))
}

fn flat(inside: &str) -> Result<BTreeMap<String, String>, quick_xml::errors::Error> {
    let elements = xml::elements(inside)?;
    elements.into_iter().map(|(name, inside)| Ok((name, xml::text(&inside)?))).collect()
}

/// The ids and display names in a list.
fn list(answer: &Answer) -> Result<Vec<(PackageId, String)>, Error> {
    let document = answer.text(A_LIST)?;
    let read = || {
        let root = xml::elements(document)?;
        let Some((_, inside)) = root.iter().find(|(name, _)| name == "packages") else { return Ok(None) };
        let entries = xml::elements(inside)?;
        let packages = entries.iter().filter(|(name, _)| name == "package");
        packages.map(|(_, inside)| flat(inside)).collect::<Result<Vec<_>, _>>().map(Some)
    };
    let entries = read().map_err(|source| answer.unreadable(A_LIST, source))?;
    let entries = entries.ok_or_else(|| answer.lacks(A_LIST, "packages"))?;
    let entry = |mut entry: BTreeMap<String, String>| {
        Some((entry.remove("id")?.trim().parse().ok()?, entry.remove("name").unwrap_or_default()))
    };
    Ok(entries.into_iter().filter_map(entry).collect())
}

impl Session {
    /// Every record, read one by one, as many side by side as the server likes. One that goes meanwhile is left out.
    pub(super) async fn read_all(&self, cx: &Context) -> Result<Vec<Package>, Error> {
        let ids = self.classic_list(cx).await?;
        let count = ids.len();
        cx.info(format!("reading {count} package records: the Classic API cannot search by file name"));
        let mut reading = stream::iter(ids.into_iter().map(|(id, _)| self.classic_package(cx, id)))
            .buffered(CONNECTIONS)
            .enumerate()
            .map(|(index, read)| read.map(|package| (index, package)));
        let mut all = Vec::with_capacity(count);
        while let Some((index, package)) = reading.try_next().await? {
            all.extend(package);
            if (index + 1) % NOTICE_EVERY == 0 {
                cx.info(format!("read {} of {count} package records", index + 1));
            }
        }
        Ok(all)
    }

    /// The record of this display name, if there is one, and perhaps others.
    pub(super) async fn classic_displayed(&self, cx: &Context, name: &str) -> Result<Vec<Package>, Error> {
        // Front ends may refuse a `/` even when it is encoded: such names are looked up in the list (§6.4).
        let segment = encode::segment(name).ok().filter(|_| !name.contains('/'));
        if let Some(segment) = segment {
            let call = get(format!("{PACKAGES}/name/{segment}"));
            let found = self.send_if_there(cx, &call).await?;
            return found.iter().map(package).collect();
        }
        let mut found = Vec::new();
        for (id, _) in self.classic_list(cx).await?.into_iter().filter(|(_, listed)| listed == name) {
            found.extend(self.classic_package(cx, id).await?);
        }
        Ok(found)
    }

    async fn classic_list(&self, cx: &Context) -> Result<Vec<(PackageId, String)>, Error> {
        list(&self.send(cx, &get(PACKAGES.to_owned())).await?)
    }
}
