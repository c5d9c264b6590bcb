use crate::deviation::spelled_in_schema;
use crate::dialect::{self, Direction};
use jsonschema::{ValidationError, Validator};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// All schemas that are known, as they are published.
pub(crate) const PUBLISHED: [&str; 2] = [
    include_str!("../../../fixtures/jamf-pro-openapi/11.23.2.json"),
    include_str!("../../../fixtures/jamf-pro-openapi/11.30.1.json"),
];

/// A schema cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is no JSON.
    #[error("a published schema is no JSON")]
    Json(#[from] serde_json::Error),
    /// The configuration has none.
    #[error("there is no schema for this server")]
    None(#[from] sandbox::Error),
}

/// The calls that a server publishes, and what belongs into their bodies.
pub struct Schema {
    document: Value,
    /// Of all versions that are known: a client may try a call that this one does not have.
    others: Vec<Value>,
    request: Value,
    answer: Value,
    validators: Mutex<HashMap<(Direction, String), Arc<Validator>>>,
}

impl Schema {
    /// The schema of the server that this configuration starts.
    ///
    /// # Errors
    /// When its version is none.
    pub fn of(config: &sandbox::Config) -> Result<Self, Error> {
        Self::published(config.schema()?)
    }

    /// A schema as a server publishes it (OpenAPI 3.0).
    ///
    /// # Errors
    /// When the known ones cannot be read.
    pub fn published(document: Value) -> Result<Self, Error> {
        let others = PUBLISHED.into_iter().map(serde_json::from_str).collect::<Result<_, _>>()?;
        let components = |direction| dialect::components(&document["components"], direction);
        let (request, answer) = (components(Direction::Request), components(Direction::Answer));
        Ok(Self { others, request, answer, document, validators: Mutex::default() })
    }

    /// The version that the schema says it is of.
    #[must_use]
    pub fn version(&self) -> &str {
        self.document["info"]["version"].as_str().unwrap_or_default()
    }

    /// The call of this method and path; the path as it is after `/api`.
    pub(crate) fn operation(&self, method: &str, path: &str) -> Option<&Value> {
        find(&self.document, method, path)
    }

    /// Whether a version has the call, if this one does not.
    pub(crate) fn is_known_elsewhere(&self, method: &str, path: &str) -> bool {
        self.others.iter().any(|other| find(other, method, path).is_some())
    }

    /// What a reference in an operation refers to.
    pub(crate) fn resolved<'s>(&'s self, value: &'s Value) -> &'s Value {
        dialect::resolved(value, &self.document["components"])
    }

    /// The faults of a value, each with its place.
    pub(crate) fn faults(
        &self,
        direction: Direction,
        schema: &Value,
        value: &Value,
    ) -> Vec<(String, String)> {
        match self.validator(direction, schema) {
            Ok(validator) => validator
                .iter_errors(value)
                .map(|error| (error.instance_path().to_string(), worded(&error)))
                .collect(),
            Err(text) => vec![(String::new(), format!("the schema itself is wrong: {text}"))],
        }
    }

    fn validator(&self, direction: Direction, schema: &Value) -> Result<Arc<Validator>, String> {
        let key = (direction, schema.to_string());
        let mut built = self.validators.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(validator) = built.get(&key) {
            return Ok(Arc::clone(validator));
        }
        let components = match direction {
            Direction::Request => &self.request,
            Direction::Answer => &self.answer,
        };
        let mut whole = dialect::schema_of(schema, &self.document["components"], direction);
        whole["components"] = components.clone();
        let validator = jsonschema::draft202012::new(&whole).map_err(|error| error.to_string())?;
        let validator = Arc::new(validator);
        built.insert(key, Arc::clone(&validator));
        Ok(validator)
    }

    /// The schema of the errors of the Pro API.
    pub(crate) fn api_error() -> Value {
        json!({ "$ref": "#/components/schemas/ApiError" })
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schema").field("version", &self.version()).finish_non_exhaustive()
    }
}

/// Literal paths come before those with parameters.
fn find<'s>(document: &'s Value, method: &str, path: &str) -> Option<&'s Value> {
    let path = spelled_in_schema(path);
    let paths = document["paths"].as_object()?;
    let exact = paths.get_key_value(path);
    let (_, operations) = exact.or_else(|| paths.iter().find(|(template, _)| fits(template, path)))?;
    operations.get(method.to_lowercase())
}

/// A fault quotes the value, unless that is a whole list.
fn worded(error: &ValidationError<'_>) -> String {
    const ENOUGH: usize = 200;
    let text = error.to_string();
    if text.len() <= ENOUGH { text } else { error.masked().to_string() }
}

fn fits(template: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if wanted.starts_with('{') && !given.is_empty() => {}
            (Some(wanted), Some(given)) if wanted == given => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{PUBLISHED, Schema, fits};

    fn current() -> Schema {
        Schema::published(serde_json::from_str(PUBLISHED[1]).unwrap()).unwrap()
    }

    #[test]
    fn calls_are_found_by_their_paths() {
        let schema = current();
        assert_eq!(schema.version(), "11.30.1");
        let found = |method, path| schema.operation(method, path).map(|call| call["operationId"].clone());
        insta::assert_snapshot!(found("POST", "/v1/packages/delete-multiple").unwrap(), @r#""post-v1-packages-delete-multiple""#);
        insta::assert_snapshot!(found("GET", "/v1/packages/42").unwrap(), @r#""get-v1-packages-by-id""#);
        insta::assert_snapshot!(found("POST", "/v1/packages/42/upload").unwrap(), @r#""post-v1-packages-by-id-upload""#);
        insta::assert_snapshot!(found("GET", "/v1/jcds/files/a%2Fb.pkg").unwrap(), @r#""get-v1-jcds-files-by-filename""#);
        insta::assert_snapshot!(found("POST", "/oauth/token").unwrap(), @r#""postOAuthToken""#);
        for (method, path) in
            [("GET", "/v1/packages/"), ("PATCH", "/v1/packages"), ("GET", "/v1/packages/1/2")]
        {
            assert!(found(method, path).is_none(), "{method} {path}");
        }
        assert!(!fits("/a/{b}", "/a") && !fits("/a", "/a/b"));
    }

    #[test]
    fn what_another_version_has_is_known() {
        let old = Schema::published(serde_json::from_str(PUBLISHED[0]).unwrap()).unwrap();
        let refresh = ("POST", "/v1/cloud-distribution-point/refresh-inventory");
        assert!(old.operation(refresh.0, refresh.1).is_none());
        assert!(old.is_known_elsewhere(refresh.0, refresh.1));
        assert!(!old.is_known_elsewhere("GET", "/v1/nothing"));
    }
}
