use crate::place::{Cursor, Position};
use crate::tree::{Budget, MAX_DEPTH, Malformed, Member, Members, Node, Syntax, Tree};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use pipeline::Value;
use serde::de::{self, DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess as _, Visitor};
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use std::cell::RefCell;
use std::fmt;

/// How many `[` and `{` a file may hold, those in its texts included: the largest known recipe has 40 KB altogether.
const MAX_OPENED: usize = 10_000;
const MAX_DIRECTIVES: usize = 100;

/// Reads one YAML document into a value.
///
/// YAML 1.2 typing: `yes` and `012` are strings. Null is the empty string. `!date 2026-11-20T12:00:00Z` is a date and
/// `!data aGVsbG8=` is data; no other tag of one's own is known. YAML's own `!!binary` and `!!timestamp` are not told apart
/// from text by the parser. Merge keys (`<<`) work.
///
/// # Errors
/// When the text is not one YAML document, holds a name twice, nests too deep, or unfolds into too much.
pub fn from_yaml(text: &str) -> Result<Value, Malformed> {
    parse(text).map(Node::into_value)
}

/// Writes a value as YAML; [`from_yaml`] gives the same value back.
#[must_use]
pub fn to_yaml(value: &Value) -> String {
    // Every value has a YAML form, and writing to a string does not fail.
    serde_yaml::to_string(&Written(value)).unwrap_or_default()
}

pub(crate) fn parse(text: &str) -> Result<Node, Malformed> {
    refuse_what_takes_long(text)?;
    let reader = Reader { text, budget: Budget::new(), found: RefCell::new(None) };
    let node =
        Seed(&reader).deserialize(serde_yaml::Deserializer::from_str(text)).map_err(|error| match reader
            .found
            .take()
        {
            Some(found) => Malformed { at: found.at.or_else(|| Some(position(&error))), ..found },
            None => malformed(&error),
        })?;
    // Reading a scalar ends with an error raised on purpose (see `Seed`), so what follows it has not been looked at.
    if matches!(node.tree, Tree::Null | Tree::Scalar(_)) {
        serde_yaml::from_str::<de::IgnoredAny>(text).map_err(|error| malformed(&error))?;
    }
    Ok(node)
}

/// The parser reads a whole document before its limit on depth is asked, and takes time with the square of the depth of
/// `[` and `{`, and of the number of `%TAG` lines: 100,000 took most of a minute. Nothing but the parser knows which of
/// them are inside of strings, so all are counted, against limits far from what recipes hold.
fn refuse_what_takes_long(text: &str) -> Result<(), Malformed> {
    let (mut opened, mut depth, mut too_deep) = (0, 0_usize, None);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'[' | b'{' => {
                opened += 1;
                depth += 1;
                if depth > MAX_DEPTH {
                    too_deep = too_deep.or(Some(at));
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    if opened > MAX_OPENED {
        return Err(match too_deep {
            Some(at) => Malformed::new(Syntax::TooDeep, Some(Cursor::new(text).advance_to(at))),
            None => {
                Malformed::new(Syntax::Yaml(format!("it holds more than {MAX_OPENED} `[` and `{{`")), None)
            }
        });
    }
    let lines = text.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']);
    if lines.filter(|line| line.starts_with('%')).count() > MAX_DIRECTIVES {
        let problem = format!("it holds more than {MAX_DIRECTIVES} lines that start with `%`");
        return Err(Malformed::new(Syntax::Yaml(problem), None));
    }
    Ok(())
}

fn malformed(error: &serde_yaml::Error) -> Malformed {
    let text = message(error);
    let problem = if text.starts_with("recursion limit") {
        Syntax::TooDeep
    } else if text.starts_with("repetition limit") {
        Syntax::TooMuch
    } else if text.contains("more than one document") {
        Syntax::Yaml("it holds more than one document".into())
    } else {
        Syntax::Yaml(text)
    };
    Malformed::new(problem, error.location().map(|at| at_location(&at)))
}

fn at_location(location: &serde_yaml::Location) -> Position {
    Position { line: location.line() as u64, column: location.column() as u64 }
}

/// The parser's message without the place, which stands in front of every fault anyway.
fn message(error: &serde_yaml::Error) -> String {
    let text = error.to_string();
    let place = error.location().map(|at| format!(" at line {} column {}", at.line(), at.column()));
    match place.and_then(|place| Some((text.find(&place)?, place.len()))) {
        Some((start, len)) => format!("{}{}", &text[..start], &text[start + len..]),
        None => text,
    }
}

/// The position that the parser put on an error, from its text: inside a visitor the error's type is not known.
/// An error at the very beginning carries none.
fn position(error: &impl fmt::Display) -> Position {
    let text = error.to_string();
    let parsed = text.rsplit_once(" at line ").and_then(|(_, place)| {
        let (line, column) = place.split_once(" column ")?;
        Some(Position { line: line.parse().ok()?, column: column.parse().ok()? })
    });
    parsed.unwrap_or(Position { line: 1, column: 1 })
}

struct Reader<'t> {
    text: &'t str,
    budget: Budget,
    /// What a visitor found wrong; the parser's error type carries text only.
    found: RefCell<Option<Malformed>>,
}

impl Reader<'_> {
    fn fail<E: de::Error>(&self, problem: Syntax, at: Option<Position>) -> E {
        *self.found.borrow_mut() = Some(Malformed::new(problem, at));
        E::custom("stopped")
    }

    /// Whether a key is the merge key. In quotes it is an ordinary name, and only a key without escapes borrows from
    /// the text, where the character in front of it tells.
    fn is_merge(&self, key: &str, borrowed_at: Option<usize>) -> bool {
        let quoted = |at: usize| self.text[..at].ends_with(['"', '\'']);
        key == "<<" && borrowed_at.is_some_and(|at| !quoted(at))
    }
}

/// Reads one value and its position.
///
/// The parser tells positions only through errors: it adds one to every error that a visitor raises. So the visitor
/// puts each scalar aside and raises an error on purpose, and the position is read off that error. That is safe for
/// scalars because the parser has moved past them by then; containers have to end normally, and stand where their first
/// part stands.
struct Seed<'r, 't>(&'r Reader<'t>);

impl<'de> DeserializeSeed<'de> for Seed<'_, '_> {
    type Value = Node;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        let mut aside = None;
        match deserializer.deserialize_any(NodeVisitor { reader: self.0, aside: &mut aside }) {
            Ok(node) => Ok(node),
            Err(error) => match aside {
                Some(tree) => Ok(Node { tree, at: Some(position(&error)) }),
                None => Err(error),
            },
        }
    }
}

struct NodeVisitor<'r, 't, 'a> {
    reader: &'r Reader<'t>,
    aside: &'a mut Option<Tree>,
}

impl NodeVisitor<'_, '_, '_> {
    fn put_aside<E: de::Error>(self, tree: Tree, bytes: usize) -> Result<Node, E> {
        self.reader.budget.spend(bytes).map_err(|problem| self.reader.fail::<E>(problem, None))?;
        *self.aside = Some(tree);
        Err(E::custom("here"))
    }

    fn scalar<E: de::Error>(self, value: Value) -> Result<Node, E> {
        self.put_aside(Tree::Scalar(value), 0)
    }
}

impl<'de> Visitor<'de> for NodeVisitor<'_, '_, '_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Node, E> {
        self.scalar(Value::Bool(flag))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Node, E> {
        self.scalar(Value::Integer(number))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Node, E> {
        match i64::try_from(number) {
            Ok(number) => self.scalar(Value::Integer(number)),
            Err(_) => Err(self.reader.fail(Syntax::OutOfRange(number.to_string()), None)),
        }
    }

    fn visit_i128<E: de::Error>(self, number: i128) -> Result<Node, E> {
        Err(self.reader.fail(Syntax::OutOfRange(number.to_string()), None))
    }

    fn visit_u128<E: de::Error>(self, number: u128) -> Result<Node, E> {
        Err(self.reader.fail(Syntax::OutOfRange(number.to_string()), None))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Node, E> {
        self.scalar(Value::Real(number))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Node, E> {
        self.put_aside(Tree::Scalar(Value::String(text.to_owned())), text.len())
    }

    fn visit_unit<E: de::Error>(self) -> Result<Node, E> {
        self.put_aside(Tree::Null, 0)
    }

    fn visit_none<E: de::Error>(self) -> Result<Node, E> {
        self.put_aside(Tree::Null, 0)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        self.reader.budget.spend(0).map_err(|problem| self.reader.fail::<A::Error>(problem, None))?;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(Seed(self.reader))? {
            items.push(item);
        }
        let at = items.first().and_then(|first| first.at);
        Ok(Node { tree: Tree::Array(items), at })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let reader = self.reader;
        reader.budget.spend(0).map_err(|problem| reader.fail::<A::Error>(problem, None))?;
        let (mut members, mut merged, mut at) = (Members::new(), Members::new(), None);
        while let Some(key) = access.next_key_seed(KeySeed(reader))? {
            at = at.or(key.at);
            let node = access.next_value_seed(Seed(reader))?;
            if key.merge {
                merge(node, &mut merged).map_err(|problem| reader.fail::<A::Error>(problem, key.at))?;
            } else if members.contains_key(&key.name) {
                return Err(reader.fail(Syntax::DuplicateKey(key.name), key.at));
            } else {
                members.insert(key.name, Member { name_at: key.at, node });
            }
        }
        // Merged entries come first and the dict's own replace them in place, as PyYAML does it.
        if !merged.is_empty() {
            merged.extend(members);
            members = merged;
        }
        Ok(Node { tree: Tree::Dict(members), at })
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<Node, A::Error> {
        let (tag, content): (String, _) = access.variant()?;
        let node = content.newtype_variant_seed(Seed(self.reader))?;
        let at = node.at;
        let value = match (tag.as_str(), node.tree) {
            ("date", Tree::Scalar(Value::String(text))) => text.parse().ok().map(Value::Date),
            ("data", Tree::Scalar(Value::String(text))) => decode_base64(&text).map(Value::Data),
            ("data", Tree::Null) => Some(Value::Data(Vec::new())),
            (TEXT_TAG, Tree::Scalar(text @ Value::String(_))) => Some(text),
            _ => None,
        };
        match value {
            Some(value) => Ok(Node { tree: Tree::Scalar(value), at }),
            None => Err(self.reader.fail(Syntax::Tag(format!("!{tag}")), at)),
        }
    }
}

pub(crate) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let compact: String = text.chars().filter(|ch| !ch.is_ascii_whitespace()).collect();
    BASE64.decode(compact).ok()
}

/// Adds the entries of a merge key's value: a dict, or an array of dicts of which earlier ones win.
fn merge(node: Node, into: &mut Members) -> Result<(), Syntax> {
    let dicts = match node.tree {
        Tree::Array(items) => items,
        tree => vec![Node { tree, at: node.at }],
    };
    for dict in dicts {
        let Tree::Dict(members) = dict.tree else {
            return Err(Syntax::Yaml(format!("`<<` merges dicts, not a value of type {}", dict.kind_name())));
        };
        for (name, member) in members {
            into.entry(name).or_insert(member);
        }
    }
    Ok(())
}

struct Key {
    name: String,
    merge: bool,
    at: Option<Position>,
}

/// Reads the name of an entry and its position, in the manner of [`Seed`].
struct KeySeed<'r, 't>(&'r Reader<'t>);

impl<'de> DeserializeSeed<'de> for KeySeed<'_, '_> {
    type Value = Key;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        let (mut aside, mut borrowed_at) = (None, None);
        let inner = NodeVisitor { reader: self.0, aside: &mut aside };
        let visitor = KeyVisitor { inner, borrowed_at: &mut borrowed_at };
        let result = deserializer.deserialize_any(visitor);
        let (tree, at) = match (aside, result) {
            (Some(tree), Err(error)) => (tree, Some(position(&error))),
            (_, Ok(node)) => (node.tree, node.at),
            (None, Err(error)) => return Err(error),
        };
        let node = Node { tree, at };
        let name = match &node.tree {
            Tree::Scalar(value @ (Value::String(_) | Value::Integer(_) | Value::Bool(_))) => value.as_text(),
            _ => None,
        };
        match name {
            Some(name) => Ok(Key { merge: self.0.is_merge(&name, borrowed_at), name: name.into_owned(), at }),
            None => Err(self.0.fail(Syntax::Name(node.kind_name()), at)),
        }
    }
}

/// Also notes where in the text a string without escapes stands.
struct KeyVisitor<'r, 't, 'a> {
    inner: NodeVisitor<'r, 't, 'a>,
    borrowed_at: &'a mut Option<usize>,
}

impl<'de> Visitor<'de> for KeyVisitor<'_, '_, '_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Node, E> {
        self.inner.visit_bool(flag)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Node, E> {
        self.inner.visit_i64(number)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Node, E> {
        self.inner.visit_u64(number)
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Node, E> {
        self.inner.visit_f64(number)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Node, E> {
        self.inner.visit_str(text)
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Node, E> {
        // Both are parts of the same text, so the difference of their addresses is an offset.
        let offset = (text.as_ptr() as usize).checked_sub(self.inner.reader.text.as_ptr() as usize);
        *self.borrowed_at = offset.filter(|at| self.inner.reader.text.is_char_boundary(*at));
        self.inner.visit_str(text)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Node, E> {
        self.inner.visit_unit()
    }

    fn visit_none<E: de::Error>(self) -> Result<Node, E> {
        self.inner.visit_none()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<Node, A::Error> {
        self.inner.visit_seq(access)
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<Node, A::Error> {
        self.inner.visit_map(access)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<Node, A::Error> {
        self.inner.visit_enum(access)
    }
}

/// Tags a key `<<` that is no merge key when it is written: the serializer cannot be asked for quotes.
const TEXT_TAG: &str = "str";

struct WrittenKey<'v>(&'v str);

impl Serialize for WrittenKey<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            "<<" => serializer.serialize_newtype_variant("Value", 2, TEXT_TAG, self.0),
            name => serializer.serialize_str(name),
        }
    }
}

/// How a value is written.
struct Written<'v>(&'v Value);

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::String(text) => serializer.serialize_str(text),
            Value::Bool(flag) => serializer.serialize_bool(*flag),
            Value::Integer(number) => serializer.serialize_i64(*number),
            Value::Real(number) => serializer.serialize_f64(*number),
            Value::Date(time) => serializer.serialize_newtype_variant("Value", 0, "date", &time.to_string()),
            Value::Data(bytes) => {
                serializer.serialize_newtype_variant("Value", 1, "data", &BASE64.encode(bytes))
            }
            Value::Array(items) => serializer.collect_seq(items.iter().map(Written)),
            Value::Dict(entries) => {
                let mut map = serializer.serialize_map(None)?;
                for (name, value) in entries {
                    map.serialize_entry(&WrittenKey(name), &Written(value))?;
                }
                map.end()
            }
        }
    }
}
