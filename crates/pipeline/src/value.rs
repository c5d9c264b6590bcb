use indexmap::IndexMap;
use jiff::Timestamp;
use std::borrow::Cow;

/// A dictionary in the order of its file; the order matters to substitution (`autopkg-recipes.md §1.1`).
pub type Dict = IndexMap<String, Value>;

/// What a recipe can say: everything that YAML and property lists have in common.
///
/// There is no null: a property list cannot say it, and AutoPkg reads it as the empty string
/// (`autopkg-recipes.md §3.3`), so the reader of recipes does the same.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text.
    String(String),
    /// True or false.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Real(f64),
    /// A moment in time, UTC.
    Date(Timestamp),
    /// Bytes.
    Data(Vec<u8>),
    /// A list.
    Array(Vec<Value>),
    /// Names and values.
    Dict(Dict),
}

impl Value {
    /// The word for what this is, as used in messages: `string`, `bool`, `integer`, ….
    #[must_use]
    pub fn kind_name(&self) -> &'static str {
        match self {
            Self::String(_) => "string",
            Self::Bool(_) => "bool",
            Self::Integer(_) => "integer",
            Self::Real(_) => "real",
            Self::Date(_) => "date",
            Self::Data(_) => "data",
            Self::Array(_) => "array",
            Self::Dict(_) => "dict",
        }
    }

    /// The text that stands for this value inside another string (`%KEY%`).
    ///
    /// Strings are themselves, integers are decimal, bools are spelled `True` and `False` (AutoPkg's spelling), dates
    /// are ISO 8601. A real has no text: `version: 1.10` without quotes is the number 1.1, and writing that into a name
    /// would be wrong without anybody noticing. Data, arrays and dicts have none either.
    #[must_use]
    pub fn as_text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::String(text) => Some(Cow::Borrowed(text)),
            Self::Bool(true) => Some(Cow::Borrowed("True")),
            Self::Bool(false) => Some(Cow::Borrowed("False")),
            Self::Integer(number) => Some(Cow::Owned(number.to_string())),
            Self::Date(time) => Some(Cow::Owned(time.to_string())),
            Self::Real(_) | Self::Data(_) | Self::Array(_) | Self::Dict(_) => None,
        }
    }
}

/// One line for a person: strings in quotes, containers by their size.
impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::String(text) => write!(f, "{text:?}"),
            Self::Bool(flag) => write!(f, "{flag}"),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Real(number) => write!(f, "{number:?}"),
            Self::Date(time) => write!(f, "{time}"),
            Self::Data(bytes) => write!(f, "{} bytes of data", bytes.len()),
            Self::Array(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{item}")?;
                }
                f.write_str("]")
            }
            Self::Dict(entries) => {
                f.write_str("{")?;
                for (index, (name, value)) in entries.iter().enumerate() {
                    if index > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{name}: {value}")?;
                }
                f.write_str("}")
            }
        }
    }
}
