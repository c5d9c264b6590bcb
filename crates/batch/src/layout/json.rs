use super::{Entry, Layout, Member, RECIPES};
use crate::fault::Problem;
use crate::position::Lines;
use pipeline::Value;
use recipe::Position;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// Reads JSON. Its parts are slices of the text, so where they stand is known without a second walk.
pub(crate) fn json(text: &str) -> Result<Layout, (Problem, Option<Position>)> {
    let lines = Lines::new(text);
    let at = |raw: &RawValue| {
        let offset = (raw.get().as_ptr() as usize).checked_sub(text.as_ptr() as usize);
        offset.map(|offset| lines.position(offset))
    };
    let malformed = |error: &serde_json::Error| {
        let position = Position { line: error.line() as u64, column: error.column().max(1) as u64 };
        (Problem::Json(json_message(error)), Some(position))
    };
    let entries = |items: Vec<&RawValue>| {
        let entry = |raw: &RawValue| {
            Ok(Entry { value: json_value(raw).map_err(|problem| (problem, at(raw)))?, at: at(raw) })
        };
        items.into_iter().map(entry).collect::<Result<Vec<_>, _>>()
    };
    // Passing over a value tells less about what is wrong with it than reading it.
    let whole = || serde_json::from_str::<serde_json::Value>(text).err();
    let root: &RawValue = serde_json::from_str(text).map_err(|error| malformed(&whole().unwrap_or(error)))?;
    if root.get().starts_with('[') {
        let items = serde_json::from_str(root.get()).map_err(|error| malformed(&error))?;
        return entries(items).map(Layout::Array);
    }
    if !root.get().starts_with('{') {
        return Ok(Layout::Other(json_value(root).map_err(|problem| (problem, at(root)))?.kind_name()));
    }
    let Members(parts) = serde_json::from_str(root.get()).map_err(|error| malformed(&error))?;
    let (mut recipes, mut members) = (None, Vec::<Member>::new());
    for (name, raw) in parts {
        if members.iter().any(|member| member.name == name) || (name == RECIPES && recipes.is_some()) {
            return Err((Problem::DuplicateKey(name), at(raw)));
        }
        if name == RECIPES && raw.get().starts_with('[') {
            let items = serde_json::from_str(raw.get()).map_err(|error| malformed(&error))?;
            recipes = Some(entries(items)?);
        } else {
            let value = json_value(raw).map_err(|problem| (problem, at(raw)))?;
            members.push(Member { name, at: at(raw), value });
        }
    }
    Ok(Layout::Dict { recipes, members })
}

/// The parser's message without the place, which stands in front of every fault anyway.
fn json_message(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).unwrap_or(&text).to_owned()
}

/// JSON in the values of recipes; null is the empty string, as in YAML.
fn json_value(raw: &RawValue) -> Result<Value, Problem> {
    let value = serde_json::from_str(raw.get()).map_err(|error| Problem::Json(json_message(&error)))?;
    from_json(value)
}

fn from_json(value: serde_json::Value) -> Result<Value, Problem> {
    Ok(match value {
        serde_json::Value::Null => Value::String(String::new()),
        serde_json::Value::Bool(flag) => Value::Bool(flag),
        serde_json::Value::String(text) => Value::String(text),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Value::Integer(whole),
            (None, Some(real)) if !number.is_u64() => Value::Real(real),
            _ => return Err(recipe::Syntax::OutOfRange(number.to_string()).into()),
        },
        serde_json::Value::Array(items) => {
            Value::Array(items.into_iter().map(from_json).collect::<Result<_, _>>()?)
        }
        serde_json::Value::Object(members) => {
            let members = members.into_iter().map(|(name, value)| Ok((name, from_json(value)?)));
            Value::Dict(members.collect::<Result<_, Problem>>()?)
        }
    })
}

/// The members of a JSON object, in order and each as often as it stands there.
struct Members<'t>(Vec<(String, &'t RawValue)>);

impl<'de> de::Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = access.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(All)
    }
}
