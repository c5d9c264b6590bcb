//! What a structured list says, and where: property list, YAML, JSON.
//!
//! `recipe` reads property lists and YAML, within limits and with one set of rules for the whole house, and tells no
//! positions of values. So what it accepted is walked through a second time for them alone; where the second walk does not
//! come to the same entries, positions are left out.

mod json;
mod plist;
mod yaml;

pub(crate) use json::json;
pub(crate) use plist::plist;
pub(crate) use yaml::yaml;

use pipeline::Value;
use recipe::Position;

/// The name of the array of recipes.
pub(crate) const RECIPES: &str = "recipes";

/// A value and where it starts.
pub(crate) struct Entry {
    pub(crate) value: Value,
    pub(crate) at: Option<Position>,
}

/// An entry of the outer dict.
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) at: Option<Position>,
    pub(crate) value: Value,
}

/// A whole file.
pub(crate) enum Layout {
    /// An array: nothing but recipes.
    Array(Vec<Entry>),
    /// A dict: the entries of its `recipes`, if that is an array, and all other members.
    Dict { recipes: Option<Vec<Entry>>, members: Vec<Member> },
    /// Anything else, by its type.
    Other(&'static str),
}

/// Positions found by the second walk.
#[derive(Default)]
struct Marks {
    /// Of the entries of the array of recipes.
    entries: Vec<Option<Position>>,
    /// Of the names of the outer dict.
    names: Vec<(String, Position)>,
}

impl Layout {
    fn of(value: Value, marks: Marks) -> Self {
        match value {
            Value::Array(items) => Self::Array(entries(items, marks.entries)),
            Value::Dict(dict) => {
                let (mut recipes, mut members, mut places) = (None, Vec::new(), Some(marks.entries));
                for (name, value) in dict {
                    let at = marks.names.iter().find(|(marked, _)| *marked == name).map(|(_, at)| *at);
                    match value {
                        Value::Array(items) if name == RECIPES => {
                            recipes = Some(entries(items, places.take().unwrap_or_default()));
                        }
                        value => members.push(Member { name, at, value }),
                    }
                }
                Self::Dict { recipes, members }
            }
            other => Self::Other(other.kind_name()),
        }
    }
}

fn entries(items: Vec<Value>, places: Vec<Option<Position>>) -> Vec<Entry> {
    let places = if places.len() == items.len() { places } else { vec![None; items.len()] };
    items.into_iter().zip(places).map(|(value, at)| Entry { value, at }).collect()
}
