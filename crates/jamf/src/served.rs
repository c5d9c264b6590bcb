//! What a server says of its own calls: the schema at `/api/schema/` (`jamf-pro-api.md §1.1`), of which only the paths, the
//! methods and the marks of deprecation are read.

use crate::Version;
use jiff::civil::Date;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

/// The first line of what is kept.
const HEADING: &str = "calls 1";
/// The methods that an OpenAPI path can have.
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
/// Jamf's list of deprecations has them here (`user-pains.md` section 3).
const JCDS_DEPRECATED: Version = Version::new(11, 24);
const JCDS_DEPRECATED_ON: Date = Date::constant(2025, 8, 28);

/// A call is marked as deprecated: it stays for a year at least (`jamf-pro-api.md §13.4`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deprecation {
    /// Since when, if the server says.
    pub since: Option<Date>,
}

/// The calls that a server has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// By path, as `/v1/packages/{id}`, and method in upper case.
    paths: BTreeMap<String, BTreeMap<String, Option<Deprecation>>>,
}

impl Served {
    /// Whether the server has a call: `has("POST", "/v1/jcds/files")`. A part of the path in braces, there or here, stands for
    /// anything.
    #[must_use]
    pub fn has(&self, method: &str, path: &str) -> bool {
        self.call(method, path).is_some()
    }

    /// Whether the server marks a call as deprecated.
    #[must_use]
    pub fn deprecation(&self, method: &str, path: &str) -> Option<Deprecation> {
        self.call(method, path)?
    }

    fn call(&self, method: &str, path: &str) -> Option<Option<Deprecation>> {
        let path = path.strip_prefix("/api").unwrap_or(path).trim_end_matches('/');
        let of = |methods: &BTreeMap<String, _>| methods.get(method).copied();
        // `/v1/packages/export` is no package.
        if let Some(call) = self.paths.get(path).and_then(of) {
            return Some(call);
        }
        self.paths.iter().filter(|(template, _)| fits(template, path)).find_map(|(_, methods)| of(methods))
    }

    /// Reads a schema. One without any path says nothing about what is not in it.
    pub(crate) fn from_schema(json: &[u8]) -> Result<Option<Self>, serde_json::Error> {
        let Schema { paths } = serde_json::from_slice(json)?;
        let paths: BTreeMap<_, _> = paths
            .into_iter()
            .map(|(path, Methods(methods))| {
                (path.strip_prefix("/api").unwrap_or(&path).trim_end_matches('/').to_owned(), methods)
            })
            .filter(|(path, methods)| !path.is_empty() && !methods.is_empty())
            .collect();
        Ok((!paths.is_empty()).then_some(Self { paths }))
    }

    /// As a note: a line for each call, with a date or a dash where it is deprecated.
    pub(crate) fn to_note(&self) -> String {
        let mut note = HEADING.to_owned();
        for (path, methods) in &self.paths {
            for (method, deprecation) in methods {
                let _ = write!(note, "\n{method} {path}");
                match deprecation {
                    None => {}
                    Some(Deprecation { since: Some(date) }) => {
                        let _ = write!(note, " {date}");
                    }
                    Some(Deprecation { since: None }) => note.push_str(" -"),
                }
            }
        }
        note
    }

    /// Reads a note; `None` for one that another version of this program left.
    pub(crate) fn from_note(note: &str) -> Option<Self> {
        let mut lines = note.lines();
        if lines.next() != Some(HEADING) {
            return None;
        }
        let mut served = Self::default();
        for line in lines {
            let mut words = line.split(' ');
            let (method, path) = (words.next()?, words.next()?);
            let deprecation = match (words.next(), words.next()) {
                (None, _) => None,
                (Some("-"), None) => Some(Deprecation { since: None }),
                (Some(date), None) => Some(Deprecation { since: Some(date.parse().ok()?) }),
                (Some(_), Some(_)) => return None,
            };
            served.paths.entry(path.to_owned()).or_default().insert(method.to_owned(), deprecation);
        }
        (!served.paths.is_empty()).then_some(served)
    }
}

/// What is known of calls where a server does not tell: Jamf's list of deprecations.
pub(crate) fn known_deprecation(version: Version, path: &str) -> Option<Deprecation> {
    let is_jcds = path.strip_prefix("/api").unwrap_or(path).starts_with("/v1/jcds/");
    (is_jcds && version >= JCDS_DEPRECATED).then_some(Deprecation { since: Some(JCDS_DEPRECATED_ON) })
}

fn fits(template: &str, path: &str) -> bool {
    let is_any = |part: &str| part.starts_with('{') && part.ends_with('}');
    let (mut ours, mut theirs) = (template.split('/'), path.split('/'));
    loop {
        match (ours.next(), theirs.next()) {
            (None, None) => return true,
            (Some(one), Some(other)) if one == other || is_any(one) || is_any(other) => {}
            _ => return false,
        }
    }
}

#[derive(Deserialize)]
struct Schema {
    paths: BTreeMap<String, Methods>,
}

/// The methods of a path; beside them stand things that are none.
struct Methods(BTreeMap<String, Option<Deprecation>>);

impl<'de> Deserialize<'de> for Methods {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Methods;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the methods of a path")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Methods, A::Error> {
                let mut methods = BTreeMap::new();
                while let Some(key) = map.next_key::<String>()? {
                    if METHODS.contains(&&*key) {
                        let operation: Operation = map.next_value()?;
                        methods.insert(key.to_uppercase(), operation.deprecation());
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(Methods(methods))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

/// The little that is read of a call; the values are of any type, so that an odd one spoils nothing.
#[derive(Deserialize)]
struct Operation {
    #[serde(default)]
    deprecated: serde_json::Value,
    #[serde(default, rename = "x-deprecation-date")]
    since: serde_json::Value,
}

impl Operation {
    fn deprecation(&self) -> Option<Deprecation> {
        let since = self.since.as_str().and_then(|date| date.parse().ok());
        (self.deprecated.as_bool() == Some(true)).then_some(Deprecation { since })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SCHEMA: &str = r#"{
        "openapi": "3.0.1", "servers": [{ "url": "/api" }],
        "paths": {
            "/v1/jcds/files": {
                "get": { "deprecated": true, "x-deprecation-date": "2025-08-28", "responses": { "200": {} } },
                "post": { "deprecated": true, "x-deprecation-date": "soon" },
                "summary": "files", "parameters": [{ "name": "x" }]
            },
            "/v1/packages": { "get": { "deprecated": false }, "post": {} },
            "/v1/packages/export": { "post": { "deprecated": true, "x-deprecation-date": "2026-01-01" } },
            "/v1/packages/{id}": { "get": { "deprecated": "odd", "x-deprecation-date": 7 }, "post": {} },
            "/v1/packages/{id}/upload": { "post": {} },
            "/v1/empty": {}
        },
        "components": { "schemas": { "Package": { "type": "object" } } }
    }"#;

    fn served() -> Served {
        Served::from_schema(SCHEMA.as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn a_schema_tells_calls_and_their_end() {
        let served = served();
        for (method, path, has) in [
            ("POST", "/v1/jcds/files", true),
            ("DELETE", "/v1/jcds/files", false),
            ("POST", "/v1/packages/{id}/upload", true),
            ("POST", "/v1/packages/{packageId}/upload", true),
            ("POST", "/api/v1/packages/42/upload", true),
            ("POST", "/v1/packages/42/upload/more", false),
            ("GET", "/v1/packages/export", true),
            ("GET", "/v1/packages/", true),
            ("GET", "/v1/empty", false),
            ("GET", "", false),
        ] {
            assert_eq!(served.has(method, path), has, "{method} {path}");
        }
        let since = |method, path| {
            served.deprecation(method, path).map(|mark| mark.since.map(|date| date.to_string()))
        };
        assert_eq!(since("GET", "/v1/jcds/files"), Some(Some("2025-08-28".into())));
        assert_eq!(since("POST", "/v1/jcds/files"), Some(None));
        assert_eq!(since("POST", "/v1/packages/export"), Some(Some("2026-01-01".into())));
        assert_eq!(since("POST", "/v1/packages/7"), None);
        assert_eq!(since("GET", "/v1/packages/7"), None);
    }

    #[test]
    fn what_is_no_schema_says_nothing() {
        for none in [r#"{"paths":{}}"#, r#"{"paths":{"/v1/a":{"summary":"b"}}}"#] {
            assert_eq!(Served::from_schema(none.as_bytes()).unwrap(), None, "{none}");
        }
        for odd in ["", "[]", "{}", "<html>", r#"{"paths":[]}"#, r#"{"paths":{"/a":7}}"#] {
            assert!(Served::from_schema(odd.as_bytes()).is_err(), "{odd}");
        }
    }

    #[test]
    fn a_note_keeps_it() {
        let note = served().to_note();
        insta::assert_snapshot!(note, @r"
        calls 1
        GET /v1/jcds/files 2025-08-28
        POST /v1/jcds/files -
        GET /v1/packages
        POST /v1/packages
        POST /v1/packages/export 2026-01-01
        GET /v1/packages/{id}
        POST /v1/packages/{id}
        POST /v1/packages/{id}/upload
        ");
        assert_eq!(Served::from_note(&note), Some(served()));
        for odd in
            ["", "calls 1", "calls 2\nGET /a", "calls 1\nGET", "calls 1\nGET /a b", "calls 1\nGET /a - -"]
        {
            assert_eq!(Served::from_note(odd), None, "{odd:?}");
        }
    }

    #[test]
    fn the_known_end_of_jcds() {
        let known = |minor, path| known_deprecation(Version::new(11, minor), path).is_some();
        assert!(known(24, "/api/v1/jcds/files") && known(30, "/v1/jcds/renew-credentials"));
        assert!(!known(23, "/api/v1/jcds/files") && !known(30, "/api/v1/packages"));
    }

    proptest! {
        #[test]
        fn any_note_is_read_or_not(note in "(calls 1)?(\n|GET|/a|-| |2025-08-28|\\PC){0,30}") {
            if let Some(served) = Served::from_note(&note) {
                prop_assert_eq!(Served::from_note(&served.to_note()), Some(served));
            }
        }
    }
}
