use crate::{
    Delivery, Dict, FileName, Md5, PackageApiChoice, PackageId, Priority, RequiredProcessor, Route,
    RouteChoice, Secret, Sha3_512, Value, Verdict, Witness,
};
use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use std::path::PathBuf;

/// The type of an input or output, for documentation and checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    String,
    /// True or false.
    Bool,
    /// A whole number.
    Integer,
    /// A moment in time.
    Date,
    /// A list.
    Array,
    /// Names and values.
    Dict,
    /// The path of a file or folder.
    Path,
    /// The name of a file in the distribution service: no path, not empty.
    FileName,
    /// 32 hex digits.
    Md5,
    /// 128 hex digits.
    Sha3_512,
    /// The number of a package record in Jamf Pro.
    PackageId,
    /// `absent`, `same` or `different`.
    Verdict,
    /// Text that is never printed.
    Secret,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::String => "string",
            Self::Bool => "bool",
            Self::Integer => "integer",
            Self::Date => "date",
            Self::Array => "array",
            Self::Dict => "dict",
            Self::Path => "path",
            Self::FileName => "file name",
            Self::Md5 => "MD5",
            Self::Sha3_512 => "SHA3-512",
            Self::PackageId => "package id",
            Self::Verdict => "verdict",
            Self::Secret => "secret",
        })
    }
}

/// A value is not what a key wants.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found} is not {expected}")]
pub struct WrongType {
    /// What would have been right, with its spellings.
    pub expected: String,
    /// What was there instead.
    pub found: String,
}

impl WrongType {
    /// Says what was expected and shows what was found.
    #[must_use]
    pub fn new(expected: impl Into<String>, found: &Value) -> Self {
        let mut shown = found.to_string();
        if shown.chars().count() > 60 {
            shown = shown.chars().take(57).chain("...".chars()).collect();
        }
        Self { expected: expected.into(), found: format!("{} {shown}", found.kind_name()) }
    }
}

/// A Rust type that an environment entry can be read as and written from.
///
/// AutoPkg recipes write `"True"` for true and `"10"` for 10 (`recipe-corpus.md §2.2`), so those spellings are read too.
/// The accepted spellings stand on each implementation; nothing vaguer is taken.
pub trait Typed: Sized {
    /// What documentation calls this type.
    const KIND: Kind;
    /// Reads a value.
    ///
    /// # Errors
    /// When the value is not one of the documented spellings.
    fn read(value: &Value) -> Result<Self, WrongType>;
    /// Writes a value that [`read`](Typed::read) gives back.
    fn write(self) -> Value;
}

/// Any value at all is not a string: only strings are. An unquoted `1.10` in YAML is the number 1.1, so reals are
/// refused with advice; integers are read as their decimal text.
impl Typed for String {
    const KIND: Kind = Kind::String;
    fn read(value: &Value) -> Result<Self, WrongType> {
        match value {
            Value::String(text) => Ok(text.clone()),
            Value::Integer(number) => Ok(number.to_string()),
            Value::Real(_) => {
                Err(WrongType::new("a string (put the number in quotes to keep it as it is written)", value))
            }
            _ => Err(WrongType::new("a string", value)),
        }
    }
    fn write(self) -> Value {
        Value::String(self)
    }
}

/// `true`, `false`, and the strings `true`, `True`, `TRUE`, `false`, `False`, `FALSE`.
impl Typed for bool {
    const KIND: Kind = Kind::Bool;
    fn read(value: &Value) -> Result<Self, WrongType> {
        match value {
            Value::Bool(flag) => Ok(*flag),
            Value::String(text) => match text.as_str() {
                "true" | "True" | "TRUE" => Ok(true),
                "false" | "False" | "FALSE" => Ok(false),
                _ => Err(WrongType::new("a bool (true or false)", value)),
            },
            _ => Err(WrongType::new("a bool (true or false)", value)),
        }
    }
    fn write(self) -> Value {
        Value::Bool(self)
    }
}

/// A whole number: an integer, or a string of decimal digits without sign `+`, blanks, separators or leading zeros.
fn read_integer<T: TryFrom<i64>>(value: &Value, expected: &str) -> Result<T, WrongType> {
    let number = match value {
        Value::Integer(number) => Some(*number),
        Value::String(text) => text.parse::<i64>().ok().filter(|number| number.to_string() == *text),
        _ => None,
    };
    number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| WrongType::new(expected, value))
}

/// An integer from 0 to 4,294,967,295, or its decimal digits as a string.
impl Typed for u32 {
    const KIND: Kind = Kind::Integer;
    fn read(value: &Value) -> Result<Self, WrongType> {
        read_integer(value, "a whole number from 0 to 4294967295")
    }
    fn write(self) -> Value {
        Value::Integer(self.into())
    }
}

/// An integer from 0 to 2⁶³−1, or its decimal digits as a string. Larger numbers do not fit a [`Value`]; file sizes
/// never reach them.
impl Typed for u64 {
    const KIND: Kind = Kind::Integer;
    fn read(value: &Value) -> Result<Self, WrongType> {
        read_integer(value, "a whole number, not negative")
    }
    fn write(self) -> Value {
        Value::Integer(i64::try_from(self).unwrap_or(i64::MAX))
    }
}

/// An integer, or its decimal digits as a string.
impl Typed for i64 {
    const KIND: Kind = Kind::Integer;
    fn read(value: &Value) -> Result<Self, WrongType> {
        read_integer(value, "a whole number")
    }
    fn write(self) -> Value {
        Value::Integer(self)
    }
}

/// A date, or a string with an ISO 8601 date, time and offset: `2026-11-20T12:00:00Z`, `2026-11-20T13:00:00+01:00`. Without
/// the offset it would not be a moment.
impl Typed for Timestamp {
    const KIND: Kind = Kind::Date;
    fn read(value: &Value) -> Result<Self, WrongType> {
        let expected = "a date such as 2026-11-20T12:00:00Z";
        match value {
            Value::Date(time) => Ok(*time),
            Value::String(text) => text.parse().map_err(|_| WrongType::new(expected, value)),
            _ => Err(WrongType::new(expected, value)),
        }
    }
    fn write(self) -> Value {
        Value::Date(self)
    }
}

/// A string that is neither empty nor contains a NUL. A path that is not UTF-8 cannot be written as a [`Value`] without
/// loss; recipes and arguments cannot name one.
impl Typed for PathBuf {
    const KIND: Kind = Kind::Path;
    fn read(value: &Value) -> Result<Self, WrongType> {
        match value {
            Value::String(text) if !text.is_empty() && !text.contains('\0') => Ok(Self::from(text)),
            _ => Err(WrongType::new("a path", value)),
        }
    }
    fn write(self) -> Value {
        Value::String(self.to_string_lossy().into_owned())
    }
}

/// An array of strings.
impl Typed for Vec<String> {
    const KIND: Kind = Kind::Array;
    fn read(value: &Value) -> Result<Self, WrongType> {
        match value {
            Value::Array(items) => items.iter().map(String::read).collect(),
            _ => Err(WrongType::new("an array of strings", value)),
        }
    }
    fn write(self) -> Value {
        Value::Array(self.into_iter().map(Value::String).collect())
    }
}

/// A dict.
impl Typed for Dict {
    const KIND: Kind = Kind::Dict;
    fn read(value: &Value) -> Result<Self, WrongType> {
        match value {
            Value::Dict(entries) => Ok(entries.clone()),
            _ => Err(WrongType::new("a dict", value)),
        }
    }
    fn write(self) -> Value {
        Value::Dict(self)
    }
}

/// A string. It is kept in a type that does not print.
impl Typed for Secret {
    const KIND: Kind = Kind::Secret;
    fn read(value: &Value) -> Result<Self, WrongType> {
        match value {
            Value::String(text) => Ok(Self::from(text.clone())),
            // The value itself must not show up in the message.
            _ => Err(WrongType { expected: "a string".into(), found: value.kind_name().into() }),
        }
    }
    fn write(self) -> Value {
        Value::String(self.expose_secret().to_owned())
    }
}

macro_rules! typed_by_spelling {
    ($($type:ty, $kind:ident, $expected:literal;)*) => {$(
        impl Typed for $type {
            const KIND: Kind = Kind::$kind;
            fn read(value: &Value) -> Result<Self, WrongType> {
                match value {
                    Value::String(text) => text.parse().map_err(|_| WrongType::new($expected, value)),
                    _ => Err(WrongType::new($expected, value)),
                }
            }
            fn write(self) -> Value {
                Value::String(self.to_string())
            }
        }
    )*};
}

typed_by_spelling! {
    FileName, FileName, "a file name (not empty, no `/`, at most 255 bytes)";
    Md5, Md5, "an MD5 digest (32 hex digits)";
    Sha3_512, Sha3_512, "a SHA3-512 digest (128 hex digits)";
    Verdict, Verdict, "a verdict (absent, same or different)";
    Delivery, String, "what checking a delivery came to (proven or unverified)";
    PackageApiChoice, String, "an API for package records (auto, pro or classic)";
    RequiredProcessor, String, "a processor (None, ppc or x86)";
    Route, String, "a route into the cloud (jcds or packages-api)";
    RouteChoice, String, "a route into the cloud (auto, jcds or packages-api)";
    Witness, String, "who tells what the server holds (list or record)";
}

/// An integer above 0, or its decimal digits as a string (`jamf-pro-api.md §1.1`: strings in the Pro API, integers in Classic).
impl Typed for PackageId {
    const KIND: Kind = Kind::PackageId;
    fn read(value: &Value) -> Result<Self, WrongType> {
        let expected = "a package id (a whole number above 0)";
        read_integer::<u64>(value, expected)?.try_into().map_err(|_| WrongType::new(expected, value))
    }
    fn write(self) -> Value {
        Value::Integer(i64::try_from(self.get()).unwrap_or(i64::MAX))
    }
}

/// An integer from 1 to 20, or its decimal digits as a string.
impl Typed for Priority {
    const KIND: Kind = Kind::Integer;
    fn read(value: &Value) -> Result<Self, WrongType> {
        let expected = "a priority (a whole number from 1 to 20)";
        read_integer::<u8>(value, expected)?.try_into().map_err(|_| WrongType::new(expected, value))
    }
    fn write(self) -> Value {
        Value::Integer(self.get().into())
    }
}
