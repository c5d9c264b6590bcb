use super::{Layout, Marks, RECIPES};
use pipeline::Value;
use recipe::{Malformed, Position, from_yaml};
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Reads YAML.
pub(crate) fn yaml(text: &str) -> Result<Layout, Malformed> {
    let value = from_yaml(text)?;
    let mut marks = Marks::default();
    if matches!(value, Value::Array(_) | Value::Dict(_)) {
        // What cannot be walked through has no positions; it was read all the same.
        let _ = serde_yaml::Deserializer::from_str(text).deserialize_any(RootMarks(&mut marks));
    }
    Ok(Layout::of(value, marks))
}

struct RootMarks<'m>(&'m mut Marks);

impl<'de> Visitor<'de> for RootMarks<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        while let Some(at) = access.next_element_seed(Mark)? {
            self.0.entries.push(at);
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        while let Some((name, at)) = access.next_key_seed(Name)? {
            let is_list = name == RECIPES;
            if let Some(at) = at {
                self.0.names.push((name, at));
            }
            if is_list {
                access.next_value_seed(EntryMarks(&mut self.0.entries))?;
            } else {
                access.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

struct EntryMarks<'m>(&'m mut Vec<Option<Position>>);

impl<'de> DeserializeSeed<'de> for EntryMarks<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for EntryMarks<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        while let Some(at) = access.next_element_seed(Mark)? {
            self.0.push(at);
        }
        Ok(())
    }
}

/// Reads the position of one scalar. The parser tells positions only in errors, and has moved past a scalar when its
/// visitor is called, so raising an error there on purpose tells where it stands and loses nothing.
struct Mark;

impl<'de> DeserializeSeed<'de> for Mark {
    type Value = Option<Position>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let mut scalar = None;
        match deserializer.deserialize_any(Scalar(&mut scalar)) {
            Ok(()) => Ok(None),
            Err(error) if scalar.is_some() => Ok(position(&error.to_string())),
            Err(error) => Err(error),
        }
    }
}

/// The same for a name, with the name.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = (String, Option<Position>);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let mut scalar = None;
        match deserializer.deserialize_any(Scalar(&mut scalar)) {
            Err(error) => match scalar {
                Some(name) => Ok((name, position(&error.to_string()))),
                None => Err(error),
            },
            Ok(()) => Ok((String::new(), None)),
        }
    }
}

/// `… at line 3 column 5`; an error at the very beginning carries no position.
fn position(error: &str) -> Option<Position> {
    let Some((_, place)) = error.rsplit_once(" at line ") else {
        return Some(Position { line: 1, column: 1 });
    };
    let (line, column) = place.split_once(" column ")?;
    Some(Position { line: line.parse().ok()?, column: column.parse().ok()? })
}

/// Puts the text of a scalar aside and fails; passes over anything else.
struct Scalar<'s>(&'s mut Option<String>);

impl Scalar<'_> {
    fn aside<E: de::Error>(self, text: &str) -> Result<(), E> {
        *self.0 = Some(text.to_owned());
        Err(E::custom("here"))
    }
}

impl<'de> Visitor<'de> for Scalar<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        self.aside("")
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        self.aside("")
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<(), E> {
        self.aside("")
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        self.aside("")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        self.aside(text)
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.aside("")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        while access.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        while access.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }
}
