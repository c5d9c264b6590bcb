//! What both formats are read into before anybody asks what a recipe is: values with their positions, within limits.

use crate::place::Position;
use indexmap::IndexMap;
use pipeline::text::shown;
use pipeline::{Dict, Value};
use std::cell::Cell;

/// How deep arrays and dicts may nest. Real recipes stay under ten.
pub(crate) const MAX_DEPTH: usize = 128;
/// How many values a file may hold, counted after aliases and shared objects are unfolded: a few bytes of YAML or of a
/// binary plist can stand for billions of them.
pub(crate) const MAX_VALUES: usize = 100_000;
/// How many bytes of text and data a file may hold, counted in the same way.
pub(crate) const MAX_BYTES: usize = 16 << 20;

/// Why a file cannot be read as YAML or as a property list.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Syntax {
    /// Bytes in an encoding that is not read.
    #[error("the file is encoded as {}; recipes are UTF-8", shown(.0))]
    Encoding(String),
    /// Bytes that are no UTF-8.
    #[error("byte {0:#04x} is not UTF-8; the file may be in an older encoding such as Latin-1")]
    NotUtf8(u8),
    /// The YAML parser gave up.
    #[error("not valid YAML: {0}")]
    Yaml(String),
    /// The XML is not well-formed, or not a property list.
    #[error("not a valid XML property list: {0}")]
    Xml(String),
    /// The binary property list is damaged.
    #[error("not a valid binary property list: {0}")]
    Binary(String),
    /// A name stands twice in one dict.
    #[error("`{}` stands twice in the same dict", shown(.0))]
    DuplicateKey(String),
    /// Arrays and dicts nest too deep.
    #[error("nested more than {MAX_DEPTH} levels deep")]
    TooDeep,
    /// The file unfolds into too much.
    #[error("the file unfolds into more than {MAX_VALUES} values or {} MiB of text", MAX_BYTES >> 20)]
    TooMuch,
    /// A number that does not fit.
    #[error("{} is out of range: whole numbers have 64 bits with sign", shown(.0))]
    OutOfRange(String),
    /// A YAML tag other than `!date` and `!data`, or one of these with something else behind it.
    #[error("`{}` is not a tag that recipes use", shown(.0))]
    Tag(String),
    /// A name that is no text.
    #[error("the name of an entry is {}, not text", crate::words::with_article(.0))]
    Name(&'static str),
}

/// A file that cannot be read as YAML or as a property list, and where it goes wrong.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{problem}")]
pub struct Malformed {
    /// What is wrong.
    pub problem: Syntax,
    /// Where, if the format has lines.
    pub at: Option<Position>,
}

impl Malformed {
    pub(crate) fn new(problem: Syntax, at: Option<Position>) -> Self {
        Self { problem, at }
    }
}

/// A value with the positions of everything in it.
#[derive(Debug)]
pub(crate) struct Node {
    pub tree: Tree,
    /// Where it starts. A container that the parser does not place stands where its first part stands.
    pub at: Option<Position>,
}

#[derive(Debug)]
pub(crate) enum Tree {
    /// YAML's null. It reads as the empty string (see [`Value`]), except where a recipe key may be left empty.
    Null,
    Scalar(Value),
    Array(Vec<Node>),
    Dict(Members),
}

pub(crate) type Members = IndexMap<String, Member>;

/// An entry of a dict.
#[derive(Debug)]
pub(crate) struct Member {
    /// Where its name stands.
    pub name_at: Option<Position>,
    pub node: Node,
}

impl Node {
    pub(crate) fn kind_name(&self) -> &'static str {
        match &self.tree {
            Tree::Null => "null",
            Tree::Scalar(value) => value.kind_name(),
            Tree::Array(_) => "array",
            Tree::Dict(_) => "dict",
        }
    }

    /// The value without its positions. Recursion is bounded by [`MAX_DEPTH`].
    pub(crate) fn into_value(self) -> Value {
        match self.tree {
            Tree::Null => Value::String(String::new()),
            Tree::Scalar(value) => value,
            Tree::Array(items) => Value::Array(items.into_iter().map(Node::into_value).collect()),
            Tree::Dict(members) => Value::Dict(
                members.into_iter().map(|(name, member)| (name, member.node.into_value())).collect::<Dict>(),
            ),
        }
    }
}

/// What a file may still unfold into.
pub(crate) struct Budget {
    values: Cell<usize>,
    bytes: Cell<usize>,
}

impl Budget {
    pub(crate) fn new() -> Self {
        Self { values: Cell::new(MAX_VALUES), bytes: Cell::new(MAX_BYTES) }
    }

    /// Takes one value of this many bytes.
    pub(crate) fn spend(&self, bytes: usize) -> Result<(), Syntax> {
        let values = self.values.get().checked_sub(1).ok_or(Syntax::TooMuch)?;
        let bytes = self.bytes.get().checked_sub(bytes).ok_or(Syntax::TooMuch)?;
        self.values.set(values);
        self.bytes.set(bytes);
        Ok(())
    }
}
