//! Reading JSON whose keys may be missing, null or of a neighbouring type (`jamf-pro-api.md §1.1`).

use serde_json::Value;

/// A string, or nothing.
pub(crate) fn text<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.get(key)?.as_str()
}

/// A string that is not empty, or nothing.
pub(crate) fn filled<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    text(object, key).filter(|text| !text.is_empty())
}

/// A whole number, as a number or as its digits. Ids are strings in the Pro API and integers in the Classic API.
pub(crate) fn number(object: &Value, key: &str) -> Option<u64> {
    match object.get(key)? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// True or false, also as 0 and 1, which servers take from clients and may give back.
pub(crate) fn flag(object: &Value, key: &str) -> Option<bool> {
    match object.get(key)? {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => match number.as_u64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}
