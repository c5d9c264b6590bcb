//! What the server publishes about its calls, without sign-in (`jamf-pro-api.md §1.1`): the reduced schema of the nearest
//! version that is known, without what the played one does not have (`§15`).

use crate::Privilege;
use crate::version::Version;
use serde_json::{Map, Value};

const BEFORE_DEPRECATION: &str = include_str!("../../../fixtures/jamf-pro-openapi/11.23.2.json");
const CURRENT: &str = include_str!("../../../fixtures/jamf-pro-openapi/11.30.1.json");

/// The schema of a version. `has_jcds` may be false for a version that has the calls: then somebody took them away.
pub(crate) fn of(version: Version, told_version: &str, has_jcds: bool) -> serde_json::Result<Value> {
    // 11.25.2 is the first whose schema is known to be like the later ones.
    let is_early = !version.deprecates_jcds();
    let mut schema: Value = serde_json::from_str(if is_early { BEFORE_DEPRECATION } else { CURRENT })?;
    schema["info"]["version"] = Value::from(told_version);
    if let Some(paths) = schema["paths"].as_object_mut() {
        paths.retain(|path, _| has(version, path, has_jcds));
        for (path, operations) in paths {
            let operations = operations.as_object_mut().into_iter().flat_map(Map::values_mut);
            for operation in operations {
                adapt(operation, path, version);
            }
        }
    }
    if !version.has_divisions() {
        for (name, field) in [("AuthAccountV1", "currentDivisionId"), ("V1SiteBase", "divisionId")] {
            let properties =
                schema["components"]["schemas"].get_mut(name).map(|named| &mut named["properties"]);
            properties.and_then(Value::as_object_mut).and_then(|fields| fields.shift_remove(field));
        }
    }
    Ok(schema)
}

fn has(version: Version, path: &str, has_jcds: bool) -> bool {
    if path.starts_with("/v1/packages") {
        version.has_pro_packages()
    } else if path == "/v1/jcds/refresh-inventory" {
        has_jcds && version.has_jcds_refresh()
    } else if path.starts_with("/v1/jcds/") {
        has_jcds
    } else {
        true
    }
}

fn adapt(operation: &mut Value, path: &str, version: Version) {
    let refreshes_all = path == "/v1/jcds/refresh-inventory" && !version.refreshes_by_name();
    if refreshes_all && let Some(parameters) = operation["parameters"].as_array_mut() {
        parameters.retain(|parameter| parameter["name"] != "file-name");
    }
    let privileges = operation.get_mut("x-required-privileges").and_then(Value::as_array_mut);
    for told in privileges.into_iter().flatten() {
        let known = Privilege::ALL.into_iter().find(|privilege| told == privilege.name());
        if let Some(privilege) = known {
            *told = Value::from(privilege.name_at(version));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::of;
    use serde_json::Value;

    fn schema(version: &str) -> Value {
        let parsed: crate::version::Version = version.parse().unwrap();
        of(parsed, version, parsed.has_jcds()).unwrap()
    }

    /// Which of these calls a version has; `!` marks those that it calls deprecated.
    fn calls(version: &str) -> String {
        let schema = schema(version);
        let calls = [
            ("post", "/v1/packages"),
            ("post", "/v1/packages/{id}/upload"),
            ("post", "/v1/jcds/files"),
            ("post", "/v1/jcds/refresh-inventory"),
            ("post", "/v1/cloud-distribution-point/refresh-inventory"),
            ("get", "/v1/cloud-distribution-point"),
        ];
        let told = calls.into_iter().filter_map(|(method, path)| {
            let call = schema["paths"].get(path)?.get(method)?;
            let mark = if call["deprecated"] == true { "!" } else { "" };
            Some(format!("{mark}{}", path.trim_start_matches("/v1/")))
        });
        told.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn each_version_has_its_calls() {
        insta::assert_snapshot!(calls("11.4.2"), @"jcds/files cloud-distribution-point");
        insta::assert_snapshot!(calls("11.5.0"), @"packages packages/{id}/upload jcds/files cloud-distribution-point");
        insta::assert_snapshot!(calls("11.10.0"), @"packages packages/{id}/upload jcds/files jcds/refresh-inventory cloud-distribution-point");
        insta::assert_snapshot!(calls("11.24.9"), @"packages packages/{id}/upload jcds/files jcds/refresh-inventory cloud-distribution-point");
        insta::assert_snapshot!(calls("11.25.0"), @"packages packages/{id}/upload !jcds/files !jcds/refresh-inventory cloud-distribution-point/refresh-inventory cloud-distribution-point");
        insta::assert_snapshot!(calls("12.0.0"), @"packages packages/{id}/upload cloud-distribution-point/refresh-inventory cloud-distribution-point");
    }

    #[test]
    fn details_come_with_their_versions() {
        let told = |version: &str| {
            let schema = schema(version);
            let jcds = &schema["paths"]["/v1/jcds/refresh-inventory"]["post"];
            let schemas = &schema["components"]["schemas"];
            (
                schema["info"]["version"].as_str().unwrap().to_owned(),
                jcds["x-required-privileges"][0].as_str().unwrap().to_owned(),
                jcds["parameters"].as_array().unwrap().len(),
                schemas["Package"]["properties"].get("sha3512").is_some(),
                schemas["AuthAccountV1"]["properties"].get("currentDivisionId").is_some(),
            )
        };
        let old = "Read Jamf Content Distribution Server Files".to_owned();
        let new = "Read Jamf Cloud Distribution Service Files".to_owned();
        assert_eq!(told("11.13.1"), ("11.13.1".to_owned(), old.clone(), 0, false, false));
        assert_eq!(told("11.19.0"), ("11.19.0".to_owned(), old, 1, false, false));
        assert_eq!(told("11.20.0"), ("11.20.0".to_owned(), new.clone(), 1, false, false));
        assert_eq!(told("11.25.2"), ("11.25.2".to_owned(), new.clone(), 1, true, false));
        assert_eq!(told("11.30.1"), ("11.30.1".to_owned(), new, 1, true, true));
    }
}
