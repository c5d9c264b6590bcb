//! From the schema objects of OpenAPI 3.0 to JSON Schema 2020-12, as far as Jamf Pro uses them.

use crate::deviation;
use serde_json::{Map, Value, json};

/// Which way a body goes. Read-only properties need not be in requests, and write-only ones not in answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Direction {
    Request,
    Answer,
}

impl Direction {
    /// The mark of properties that are not sent this way.
    fn foreign(self) -> &'static str {
        match self {
            Self::Request => "readOnly",
            Self::Answer => "writeOnly",
        }
    }
}

/// What a schema object says besides its meaning.
const REMARKS: [&str; 8] =
    ["default", "deprecated", "example", "externalDocs", "nullable", "readOnly", "writeOnly", "xml"];

/// The named schemas, for a `components` of the same shape.
pub(crate) fn components(raw: &Value, direction: Direction) -> Value {
    let named = raw["schemas"].as_object().into_iter().flatten();
    let converted = named.map(|(name, schema)| {
        let mut schema = schema_of(schema, raw, direction);
        let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
        for (property, schema) in properties.into_iter().flatten() {
            if direction == Direction::Answer && deviation::may_be_null(name, property) {
                admit_null(schema);
            }
        }
        (name.clone(), schema)
    });
    json!({ "schemas": converted.collect::<Map<_, _>>() })
}

/// One schema. References stay as they are, but for those inside `allOf`: only what is merged can be closed.
pub(crate) fn schema_of(raw: &Value, components: &Value, direction: Direction) -> Value {
    let Value::Object(raw) = raw else { return raw.clone() };
    if raw.contains_key("$ref") {
        return json!({ "$ref": raw["$ref"] });
    }
    let raw = &merged(raw, components);
    let mut schema = Map::new();
    for (key, value) in raw {
        let converted = match key.as_str() {
            key if REMARKS.contains(&key) || key.starts_with("x-") => continue,
            "properties" => {
                let properties = value.as_object().into_iter().flatten();
                let converted = properties
                    .map(|(name, property)| (name.clone(), schema_of(property, components, direction)));
                Value::Object(converted.collect())
            }
            "required" => needed(value, &raw["properties"], direction),
            "items" | "additionalProperties" => schema_of(value, components, direction),
            _ => value.clone(),
        };
        schema.insert(key.clone(), converted);
    }
    let is_closed = direction == Direction::Answer && schema.contains_key("properties");
    if is_closed && !schema.contains_key("additionalProperties") {
        schema.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    if direction == Direction::Request && schema.get("type").is_some_and(|kind| kind == "boolean") {
        schema.shift_remove("type");
        schema.insert("enum".to_owned(), deviation::booleans().to_vec().into());
    }
    if schema.get("format").is_some_and(|format| format == "int32") {
        schema.insert("minimum".to_owned(), i32::MIN.into());
        schema.insert("maximum".to_owned(), i32::MAX.into());
    }
    let mut schema = Value::Object(schema);
    if raw.get("nullable") == Some(&Value::Bool(true)) {
        admit_null(&mut schema);
    }
    schema
}

/// The required properties that are sent this way.
fn needed(required: &Value, properties: &Value, direction: Direction) -> Value {
    let names = required.as_array().into_iter().flatten();
    let needed = names.filter(|name| {
        let property = name.as_str().map(|name| &properties[name]);
        property.is_none_or(|property| property[direction.foreign()] != true)
    });
    needed.cloned().collect()
}

/// `allOf` as the one object that it describes.
fn merged(raw: &Map<String, Value>, components: &Value) -> Map<String, Value> {
    let Some(branches) = raw.get("allOf").and_then(Value::as_array) else { return raw.clone() };
    let mut whole = raw.clone();
    whole.shift_remove("allOf");
    for branch in branches {
        let Some(branch) = resolved(branch, components).as_object() else { continue };
        for (key, value) in merged(branch, components) {
            match (whole.get_mut(&key), value) {
                (Some(Value::Object(known)), Value::Object(more)) => known.extend(more),
                (Some(Value::Array(known)), Value::Array(more)) => known.extend(more),
                (_, value) => drop(whole.insert(key, value)),
            }
        }
    }
    whole
}

/// What a reference refers to.
pub(crate) fn resolved<'s>(schema: &'s Value, components: &'s Value) -> &'s Value {
    let pointer = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/components"));
    pointer.and_then(|pointer| components.pointer(pointer)).unwrap_or(schema)
}

fn admit_null(schema: &mut Value) {
    if let Some(reference) = schema.get("$ref").cloned() {
        *schema = json!({ "anyOf": [{ "$ref": reference }, { "type": "null" }] });
        return;
    }
    if let Some(Value::String(kind)) = schema.get("type").cloned() {
        schema["type"] = json!([kind, "null"]);
    }
    if let Some(known) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        known.push(Value::Null);
    }
}

#[cfg(test)]
mod tests {
    use super::{Direction, components, schema_of};
    use serde_json::{Value, json};

    fn valid(schema: &Value, direction: Direction, value: &Value) -> bool {
        let schema = schema_of(schema, &Value::Null, direction);
        jsonschema::draft202012::new(&schema).unwrap().is_valid(value)
    }

    #[test]
    fn null_is_a_value_where_it_is_said() {
        let text = json!({ "type": "string", "nullable": true, "enum": ["a"], "example": 3 });
        for (value, is_valid) in
            [(json!("a"), true), (json!(null), true), (json!("b"), false), (json!(1), false)]
        {
            assert_eq!(valid(&text, Direction::Answer, &value), is_valid, "{value}");
        }
        assert!(!valid(&json!({ "type": "string" }), Direction::Answer, &json!(null)));
    }

    #[test]
    fn each_way_has_its_properties() {
        let record = json!({
            "type": "object",
            "required": ["id", "name", "password"],
            "properties": {
                "id": { "type": "string", "readOnly": true },
                "name": { "type": "string" },
                "password": { "type": "string", "writeOnly": true },
            },
        });
        assert!(valid(&record, Direction::Request, &json!({ "name": "n", "password": "p", "more": 1 })));
        assert!(!valid(&record, Direction::Request, &json!({ "name": "n" })));
        assert!(valid(&record, Direction::Answer, &json!({ "name": "n", "id": "1" })));
        assert!(!valid(&record, Direction::Answer, &json!({ "name": "n" })));
        assert!(!valid(&record, Direction::Answer, &json!({ "name": "n", "id": "1", "more": 1 })));
    }

    #[test]
    fn requests_have_two_spellings_of_booleans() {
        let flag = json!({ "type": "boolean", "nullable": true });
        for value in [json!(true), json!(false), json!(0), json!(1), json!(null)] {
            assert!(valid(&flag, Direction::Request, &value), "{value}");
        }
        for value in [json!(2), json!("true")] {
            assert!(!valid(&flag, Direction::Request, &value), "{value}");
        }
        assert!(!valid(&flag, Direction::Answer, &json!(1)));
    }

    #[test]
    fn parts_of_an_object_are_one_object() {
        let raw = json!({ "schemas": {
            "Base": { "type": "object", "required": ["a"], "properties": { "a": { "type": "integer", "format": "int32" } } },
            "Whole": { "allOf": [
                { "$ref": "#/components/schemas/Base" },
                { "type": "object", "required": ["b"], "properties": { "b": { "type": "string" } } },
            ] },
        } });
        let components = components(&raw, Direction::Answer);
        let whole = json!({ "$ref": "#/components/schemas/Whole", "components": components });
        let whole = jsonschema::draft202012::new(&whole).unwrap();
        assert!(whole.is_valid(&json!({ "a": 1, "b": "b" })));
        for wrong in [json!({ "a": 1 }), json!({ "b": "b" }), json!({ "a": 1, "b": "b", "c": 1 })] {
            assert!(!whole.is_valid(&wrong), "{wrong}");
        }
        assert!(!whole.is_valid(&json!({ "a": 2_147_483_648_u64, "b": "b" })));
    }

    /// A keyword that nobody has translated would be passed over, or mean something else in JSON Schema.
    #[test]
    fn the_schemas_use_no_other_keywords() {
        const KNOWN: [&str; 15] = [
            "$ref",
            "additionalProperties",
            "allOf",
            "enum",
            "format",
            "items",
            "maxLength",
            "maximum",
            "minItems",
            "minLength",
            "minimum",
            "properties",
            "required",
            "type",
            "uniqueItems",
        ];
        fn look(schema: &Value, path: &str) {
            for (key, value) in schema.as_object().into_iter().flatten() {
                let is_remark = super::REMARKS.contains(&key.as_str()) || key.starts_with("x-");
                assert!(is_remark || KNOWN.contains(&key.as_str()), "{path}: {key}");
                match key.as_str() {
                    "properties" => {
                        for (name, schema) in value.as_object().unwrap() {
                            look(schema, &format!("{path}.{name}"));
                        }
                    }
                    "items" | "additionalProperties" => look(value, path),
                    "allOf" => value.as_array().unwrap().iter().for_each(|branch| look(branch, path)),
                    _ => {}
                }
            }
        }
        for text in crate::schema::PUBLISHED {
            let document: Value = serde_json::from_str(text).unwrap();
            for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
                look(schema, name);
            }
        }
    }
}
