use crate::place::{Cursor, Position};
use crate::tree::{Budget, MAX_DEPTH, Malformed, Member, Members, Node, Syntax, Tree};
use crate::yaml::decode_base64;
use jiff::Timestamp;
use pipeline::Value;
use plist::stream::{BinaryReader, Event as BinaryEvent};
use quick_xml::events::{BytesRef, Event};
use std::io::Cursor as Bytes;
use std::time::SystemTime;

/// The first bytes of a binary property list.
pub(crate) const BINARY_MAGIC: &[u8] = b"bplist00";

/// Reads a property list, XML or binary, into a value.
///
/// # Errors
/// When the bytes are no property list, hold a key twice, nest too deep, or unfold into too much.
pub fn from_plist(bytes: &[u8]) -> Result<Value, Malformed> {
    if bytes.starts_with(BINARY_MAGIC) {
        parse_binary(bytes).map(Node::into_value)
    } else {
        parse_xml(crate::encoding::xml_text(bytes)?).map(Node::into_value)
    }
}

/// A value that a property list cannot hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotPlist {
    /// XML has no way to write this character.
    #[error("XML cannot hold the character {0:?}")]
    Character(char),
    /// Property lists write years with four digits.
    #[error("a property list cannot hold the date {0}")]
    Date(Timestamp),
}

/// Writes a value as an XML property list; [`from_plist`] gives the same value back. Dates lose fractions of a second,
/// which property lists do not have.
///
/// # Errors
/// When the value holds a character that XML cannot hold, or a date outside the years 0 to 9999.
pub fn to_plist_xml(value: &Value) -> Result<Vec<u8>, NotPlist> {
    check_characters(value)?;
    let mut xml = Vec::new();
    // Everything that the writer refuses has been refused above, and writing to a vector does not fail.
    to_plist_value(value)?.to_writer_xml(&mut xml).unwrap_or_default();
    // The writer itself ends lines with `\n`, so a carriage return is part of a text, and readers would turn it into
    // `\n` if it were not escaped (XML 1.0 §2.11).
    let mut escaped = Vec::with_capacity(xml.len());
    for byte in xml {
        match byte {
            b'\r' => escaped.extend_from_slice(b"&#13;"),
            byte => escaped.push(byte),
        }
    }
    escaped.push(b'\n');
    Ok(escaped)
}

/// Writes a value as a binary property list; [`from_plist`] gives the same value back. Dates lose fractions of a
/// second, as in XML.
///
/// # Errors
/// When the value holds a date outside the years 0 to 9999.
pub fn to_plist_binary(value: &Value) -> Result<Vec<u8>, NotPlist> {
    let mut bytes = Vec::new();
    to_plist_value(value)?.to_writer_binary(&mut bytes).unwrap_or_default();
    Ok(bytes)
}

fn to_plist_value(value: &Value) -> Result<plist::Value, NotPlist> {
    Ok(match value {
        Value::String(text) => plist::Value::String(text.clone()),
        Value::Bool(flag) => plist::Value::Boolean(*flag),
        Value::Integer(number) => plist::Value::Integer((*number).into()),
        Value::Real(number) => plist::Value::Real(*number),
        Value::Date(time) => plist::Value::Date(to_plist_date(*time)?),
        Value::Data(bytes) => plist::Value::Data(bytes.clone()),
        Value::Array(items) => {
            plist::Value::Array(items.iter().map(to_plist_value).collect::<Result<_, _>>()?)
        }
        Value::Dict(entries) => {
            let entries = entries.iter().map(|(name, value)| Ok((name.clone(), to_plist_value(value)?)));
            plist::Value::Dictionary(entries.collect::<Result<_, NotPlist>>()?)
        }
    })
}

fn to_plist_date(time: Timestamp) -> Result<plist::Date, NotPlist> {
    let years = -62_167_219_200..=253_402_300_799; // 0000-01-01T00:00:00Z to 9999-12-31T23:59:59Z
    let seconds = time.as_nanosecond().div_euclid(1_000_000_000);
    let whole = i64::try_from(seconds).ok().filter(|seconds| years.contains(seconds));
    let whole = whole.and_then(|seconds| Timestamp::from_second(seconds).ok());
    whole.map(|time| SystemTime::from(time).into()).ok_or(NotPlist::Date(time))
}

fn check_characters(value: &Value) -> Result<(), NotPlist> {
    match value {
        Value::String(text) => check_text(text),
        Value::Array(items) => items.iter().try_for_each(check_characters),
        Value::Dict(entries) => entries.iter().try_for_each(|(name, value)| {
            check_text(name)?;
            check_characters(value)
        }),
        _ => Ok(()),
    }
}

fn check_text(text: &str) -> Result<(), NotPlist> {
    text.chars().find(|ch| !is_xml_char(*ch)).map_or(Ok(()), |ch| Err(NotPlist::Character(ch)))
}

/// XML 1.0 §2.2.
fn is_xml_char(ch: char) -> bool {
    matches!(ch, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// Builds the tree from what both readers say, without recursion, so that depth costs no stack.
struct Builder {
    budget: Budget,
    open: Vec<Open>,
    root: Option<Node>,
}

enum Open {
    Array { items: Vec<Node>, at: Option<Position> },
    Dict { members: Members, key: Option<(String, Option<Position>)>, at: Option<Position> },
}

impl Builder {
    fn new() -> Self {
        Self { budget: Budget::new(), open: Vec::new(), root: None }
    }

    fn open(&mut self, container: Open) -> Result<(), Syntax> {
        self.budget.spend(0)?;
        if self.open.len() >= MAX_DEPTH {
            return Err(Syntax::TooDeep);
        }
        self.open.push(container);
        Ok(())
    }

    fn open_array(&mut self, at: Option<Position>) -> Result<(), Syntax> {
        self.open(Open::Array { items: Vec::new(), at })
    }

    fn open_dict(&mut self, at: Option<Position>) -> Result<(), Syntax> {
        self.open(Open::Dict { members: Members::new(), key: None, at })
    }

    /// Whether a name has to come next.
    fn wants_key(&self) -> bool {
        matches!(self.open.last(), Some(Open::Dict { key: None, .. }))
    }

    /// Takes the name of the next entry; the text says what is wrong if it does not fit here.
    fn key(&mut self, name: String, at: Option<Position>) -> Result<(), Refused> {
        self.budget.spend(name.len())?;
        match self.open.last_mut() {
            Some(Open::Dict { members, .. }) if members.contains_key(&name) => {
                Err(Syntax::DuplicateKey(name).into())
            }
            Some(Open::Dict { key: key @ None, .. }) => {
                *key = Some((name, at));
                Ok(())
            }
            _ => Err(Refused::Structure(format!("the key `{name}` does not follow a value in a dict"))),
        }
    }

    fn scalar(&mut self, value: Value, at: Option<Position>) -> Result<(), Refused> {
        self.budget.spend(match &value {
            Value::String(text) => text.len(),
            Value::Data(bytes) => bytes.len(),
            _ => 0,
        })?;
        self.attach(Node { tree: Tree::Scalar(value), at })
    }

    fn attach(&mut self, node: Node) -> Result<(), Refused> {
        match self.open.last_mut() {
            Some(Open::Array { items, .. }) => items.push(node),
            Some(Open::Dict { members, key, .. }) => match key.take() {
                Some((name, name_at)) => {
                    members.insert(name, Member { name_at, node });
                }
                None => return Err(Refused::Structure("a value in a dict has no key".into())),
            },
            None if self.root.is_some() => {
                return Err(Refused::Structure("a second value follows the first".into()));
            }
            None => self.root = Some(node),
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), Refused> {
        let node = match self.open.pop() {
            Some(Open::Array { items, at }) => Node { tree: Tree::Array(items), at },
            Some(Open::Dict { key: Some((name, _)), .. }) => {
                return Err(Refused::Structure(format!("the key `{name}` has no value")));
            }
            Some(Open::Dict { members, at, .. }) => Node { tree: Tree::Dict(members), at },
            None => return Err(Refused::Structure("nothing is open that could end here".into())),
        };
        self.attach(node)
    }

    fn finish(self) -> Option<Node> {
        self.root.filter(|_| self.open.is_empty())
    }
}

/// What the builder does not take: something wrong in any format, or a structure whose format the caller names.
enum Refused {
    Syntax(Syntax),
    Structure(String),
}

impl From<Syntax> for Refused {
    fn from(syntax: Syntax) -> Self {
        Self::Syntax(syntax)
    }
}

impl Refused {
    fn in_format(self, format: fn(String) -> Syntax) -> Syntax {
        match self {
            Self::Syntax(syntax) => syntax,
            Self::Structure(text) => format(text),
        }
    }
}

/// Reads a binary property list as a stream of events: the objects may refer to each other in ways that unfold into
/// more than any memory holds, and events can be counted while they come.
pub(crate) fn parse_binary(bytes: &[u8]) -> Result<Node, Malformed> {
    let mut builder = Builder::new();
    for event in BinaryReader::new(Bytes::new(bytes)) {
        let event =
            event.map_err(|error| Malformed::new(Syntax::Binary(damage(&error.to_string())), None))?;
        take_binary(&mut builder, event)
            .map_err(|refused| Malformed::new(refused.in_format(Syntax::Binary), None))?;
    }
    builder.finish().ok_or_else(|| Malformed::new(Syntax::Binary("it ends too early".into()), None))
}

/// The reader's errors are names of variants, `ObjectOffsetTooLarge (offset 12)`; the commonest means a file cut short.
fn damage(error: &str) -> String {
    if error.contains("UnexpectedEof") || error.contains("failed to fill whole buffer") {
        "it ends too early".to_owned()
    } else if error.contains("RecursiveObject") {
        "an object contains itself".to_owned()
    } else {
        format!("damaged or cut short: {error}")
    }
}

fn take_binary(builder: &mut Builder, event: BinaryEvent<'_>) -> Result<(), Refused> {
    let value = match event {
        BinaryEvent::StartArray(_) => return Ok(builder.open_array(None)?),
        BinaryEvent::StartDictionary(_) => return Ok(builder.open_dict(None)?),
        BinaryEvent::EndCollection => return builder.close(),
        BinaryEvent::String(text) if builder.wants_key() => return builder.key(text.into_owned(), None),
        BinaryEvent::String(text) => Value::String(text.into_owned()),
        BinaryEvent::Boolean(flag) => Value::Bool(flag),
        BinaryEvent::Data(bytes) => Value::Data(bytes.into_owned()),
        BinaryEvent::Real(number) => Value::Real(number),
        BinaryEvent::Integer(number) => {
            Value::Integer(number.as_signed().ok_or_else(|| Syntax::OutOfRange(number.to_string()))?)
        }
        BinaryEvent::Date(date) => Value::Date(
            Timestamp::try_from(SystemTime::from(date))
                .map_err(|_| Refused::Structure(format!("the date {date:?} is out of range")))?,
        ),
        _ => return Err(Refused::Structure("it holds an object of a type that recipes do not use".into())),
    };
    builder.scalar(value, None)
}

/// Reads an XML property list. The `plist` crate could, but tells no positions, takes the last of two equal keys, and
/// drops CDATA and unknown entities without a word.
pub(crate) fn parse_xml(text: &str) -> Result<Node, Malformed> {
    let mut reader = XmlReader::new(text);
    reader.read().map_err(|problem| Malformed::new(problem, Some(reader.here)))
}

struct XmlReader<'t> {
    events: quick_xml::Reader<&'t [u8]>,
    cursor: Cursor<'t>,
    /// Where the event starts that is being looked at.
    here: Position,
    /// Whether `<plist>` is still open.
    inside: bool,
    builder: Builder,
}

impl<'t> XmlReader<'t> {
    fn new(text: &'t str) -> Self {
        let mut events = quick_xml::Reader::from_str(text);
        events.config_mut().expand_empty_elements = true;
        let mut cursor = Cursor::new(text);
        Self { events, here: cursor.advance_to(0), cursor, inside: false, builder: Builder::new() }
    }

    fn next(&mut self) -> Result<Event<'t>, Syntax> {
        let start = usize::try_from(self.events.buffer_position()).unwrap_or(usize::MAX);
        self.here = self.cursor.advance_to(start);
        self.events.read_event().map_err(|error| {
            let at = usize::try_from(self.events.error_position()).unwrap_or(start);
            self.here = self.cursor.advance_to(at.max(start));
            Syntax::Xml(error.to_string())
        })
    }

    fn read(&mut self) -> Result<Node, Syntax> {
        loop {
            match self.next()? {
                Event::Start(tag) => {
                    let name = tag.local_name().as_ref().to_owned();
                    self.element(&name).map_err(|refused| refused.in_format(Syntax::Xml))?;
                }
                Event::End(tag) if matches!(tag.local_name().as_ref(), "array" | "dict") => {
                    self.builder.close().map_err(|refused| refused.in_format(Syntax::Xml))?;
                }
                Event::Eof => {
                    let builder = std::mem::replace(&mut self.builder, Builder::new());
                    let early = || Syntax::Xml("it ends before the property list does".into());
                    return builder.finish().filter(|_| !self.inside).ok_or_else(early);
                }
                Event::End(_) => self.inside = false,
                Event::Text(text) if !text.chars().all(char::is_whitespace) => {
                    return Err(Syntax::Xml(format!("text outside of an element: {}", excerpt(&text))));
                }
                Event::CData(text) => {
                    return Err(Syntax::Xml(format!("text outside of an element: {}", excerpt(&text))));
                }
                Event::GeneralRef(entity) => {
                    return Err(Syntax::Xml(format!("text outside of an element: &{};", &*entity)));
                }
                _ => {}
            }
        }
    }

    fn element(&mut self, name: &str) -> Result<(), Refused> {
        let at = self.here;
        match name {
            "plist" => {
                self.inside = true;
                return Ok(());
            }
            "array" => return Ok(self.builder.open_array(Some(at))?),
            "dict" => return Ok(self.builder.open_dict(Some(at))?),
            "key" | "string" | "integer" | "real" | "date" | "data" | "true" | "false" => {}
            other => {
                return Err(Refused::Structure(format!("<{other}> is no element of property lists")));
            }
        }
        let content = self.content(name)?;
        // Faults in the content are told at the element.
        self.here = at;
        if name == "key" {
            return self.builder.key(content, Some(at));
        }
        self.builder.scalar(scalar(name, content)?, Some(at))
    }

    /// The text up to the end of the element, with character references resolved and line ends normalised.
    fn content(&mut self, name: &str) -> Result<String, Syntax> {
        let mut content = String::new();
        loop {
            match self.next()? {
                Event::Text(text) => content.push_str(&text.xml10_content()),
                Event::CData(text) => content.push_str(&text.xml10_content()),
                Event::GeneralRef(entity) => content.push_str(&resolve(&entity)?),
                Event::Start(tag) => {
                    return Err(Syntax::Xml(format!("<{}> inside <{name}>", tag.local_name().as_ref())));
                }
                Event::End(_) => return Ok(content),
                Event::Eof => return Err(Syntax::Xml(format!("it ends inside <{name}>"))),
                _ => {}
            }
        }
    }
}

/// Entities that a document defines for itself are not expanded, so they cannot grow either.
fn resolve(entity: &BytesRef<'_>) -> Result<String, Syntax> {
    let unknown = || Syntax::Xml(format!("&{}; is not one of XML's own entities", &**entity));
    match entity.resolve_char_ref().map_err(|error| Syntax::Xml(error.to_string()))? {
        Some(ch) => Ok(ch.to_string()),
        None => quick_xml::escape::resolve_xml_entity(entity).map(str::to_owned).ok_or_else(unknown),
    }
}

fn scalar(element: &str, content: String) -> Result<Value, Syntax> {
    let wrong = || Syntax::Xml(format!("{} is not a value of type {element}", excerpt(&content)));
    let trimmed = content.trim();
    Ok(match element {
        "string" => Value::String(content),
        "integer" => Value::Integer(integer(trimmed).map_err(|out_of_range| {
            if out_of_range { Syntax::OutOfRange(trimmed.to_owned()) } else { wrong() }
        })?),
        "real" => Value::Real(trimmed.parse().map_err(|_| wrong())?),
        "date" => Value::Date(trimmed.parse().map_err(|_| wrong())?),
        "data" => Value::Data(decode_base64(&content).ok_or_else(wrong)?),
        flag if trimmed.is_empty() => Value::Bool(flag == "true"),
        _ => return Err(wrong()),
    })
}

/// A whole number, decimal or after `0x`; the error says whether it is one that is out of range.
fn integer(text: &str) -> Result<i64, bool> {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    use std::num::IntErrorKind::{NegOverflow, PosOverflow};
    parsed.map_err(|error| matches!(error.kind(), PosOverflow | NegOverflow))
}

fn excerpt(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{:?}", format!("{}...", &text[..end])),
        None => format!("{text:?}"),
    }
}
