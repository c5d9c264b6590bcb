use crate::words::with_article;
use pipeline::text::shown;
use pipeline::{Dict, Env, Value};
use std::borrow::Cow;

/// A value whose `%KEY%` references are replaced.
#[derive(Clone, Debug, PartialEq)]
pub struct Substituted {
    /// The value.
    pub value: Value,
    /// Whether a secret went into it, so that it must not be shown either.
    pub secret: bool,
}

/// A reference that cannot be replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// Nothing defines the key.
    Undefined {
        /// The key.
        name: String,
    },
    /// The key's value has no text: it is a real, data, an array or a dict.
    NotText {
        /// The key.
        name: String,
        /// The type of its value.
        kind: &'static str,
    },
    /// The text has grown beyond [`MAX_SUBSTITUTED`] by the key's value.
    TooLong {
        /// The key.
        name: String,
    },
}

/// How many bytes references may add to one value. A chain of variables that each name the next one twice would fill any
/// memory otherwise.
pub const MAX_SUBSTITUTED: usize = 1 << 20;

/// References that cannot be replaced; never empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", keys.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct Unresolved {
    /// The references, in the order of the value, each once.
    pub keys: Vec<Reference>,
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Undefined { name } => write!(f, "`%{}%` is not defined", shown(name)),
            Self::NotText { name, kind } => {
                write!(f, "`%{}%` is {}, which cannot stand inside a text", shown(name), with_article(kind))
            }
            Self::TooLong { name } => {
                write!(f, "`%{}%` makes the text longer than {} MiB", shown(name), MAX_SUBSTITUTED >> 20)
            }
        }
    }
}

impl pipeline::Diagnose for Unresolved {
    fn kind(&self) -> pipeline::FailureKind {
        pipeline::FailureKind::Recipe
    }

    fn hint(&self) -> Option<String> {
        self.keys.iter().find_map(Reference::hint)
    }
}

impl Reference {
    /// Advice that depends on nothing but the reference.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::NotText { name, kind: "real" } => {
                Some(format!("put the value of `{}` in quotes to keep it as it is written", shown(name)))
            }
            Self::Undefined { name }
                if name.len() == 2 && name.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
            {
                Some(
                    "it looks like percent-encoding, but reads as a variable; write the character itself"
                        .into(),
                )
            }
            _ => None,
        }
    }
}

/// Replaces every `%KEY%` in a value by the text of the environment's entry (`autopkg-recipes.md §3.3`).
///
/// Strings are replaced in arrays and in the values of dicts, not in the names of dicts. Text that came from a variable is
/// not looked at again, and nothing can escape a reference. In two points AutoPkg is not followed: a key that is not
/// defined is an error instead of a text that reaches the server, and integers and bools have a text instead of ending
/// the program ([`Value::as_text`]).
///
/// # Errors
/// When keys are not defined or their values have no text; all of them are told.
pub fn substitute(value: &Value, env: &Env) -> Result<Substituted, Unresolved> {
    let known =
        |name: &str| env.entry(name).map(|entry| Known { value: entry.value(), secret: entry.is_secret() });
    substitute_with(value, &mut |name| known(name).map(Some))
}

/// What a reference leads to.
pub(crate) struct Known<'v> {
    pub value: &'v Value,
    pub secret: bool,
}

/// [`substitute`] with any source of values. `Some(None)` stands for a value that is known to be faulty already; the
/// reference stays, and nothing is told.
pub(crate) fn substitute_with<'v>(
    value: &Value,
    known: &mut dyn FnMut(&str) -> Option<Option<Known<'v>>>,
) -> Result<Substituted, Unresolved> {
    let (mut secret, mut grown) = (false, 0_usize);
    let mut keys = Vec::new();
    let mut lookup = |name: &str| {
        let known = match known(name) {
            Some(Some(known)) => known,
            Some(None) => return Ok(None),
            None => return Err(Reference::Undefined { name: name.to_owned() }),
        };
        let kind = known.value.kind_name();
        let text = known.value.as_text().ok_or_else(|| Reference::NotText { name: name.to_owned(), kind })?;
        secret |= known.secret;
        grown = grown.saturating_add(text.len());
        if grown > MAX_SUBSTITUTED {
            return Err(Reference::TooLong { name: name.to_owned() });
        }
        Ok(Some(text))
    };
    let value = replace(value, &mut |name| {
        lookup(name).unwrap_or_else(|reference| {
            if !keys.contains(&reference) {
                keys.push(reference);
            }
            None
        })
    });
    if keys.is_empty() { Ok(Substituted { value, secret }) } else { Err(Unresolved { keys }) }
}

/// The keys that a value refers to, in order, each once.
#[must_use]
pub fn references(value: &Value) -> Vec<String> {
    let mut names = Vec::new();
    replace(value, &mut |name| {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
        None
    });
    names
}

/// The key, if a value is one reference and nothing else.
pub(crate) fn sole_reference(value: &Value) -> Option<&str> {
    let Value::String(text) = value else { return None };
    let name = text.strip_prefix('%')?.strip_suffix('%')?;
    is_key(name).then_some(name)
}

fn is_key(name: &str) -> bool {
    let starts = name.starts_with(|ch: char| ch.is_ascii_alphabetic() || ch == '_');
    starts && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

type Lookup<'l, 't> = dyn FnMut(&str) -> Option<Cow<'t, str>> + 'l;

/// Rebuilds a value with what the lookup gives for each reference; where it gives nothing, the reference stays.
fn replace<'t>(value: &Value, lookup: &mut Lookup<'_, 't>) -> Value {
    match value {
        Value::String(text) => Value::String(replace_in_text(text, lookup)),
        Value::Array(items) => Value::Array(items.iter().map(|item| replace(item, lookup)).collect()),
        Value::Dict(entries) => {
            let entries = entries.iter().map(|(name, value)| (name.clone(), replace(value, lookup)));
            Value::Dict(entries.collect::<Dict>())
        }
        other => other.clone(),
    }
}

fn replace_in_text<'t>(text: &str, lookup: &mut Lookup<'_, 't>) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(start) = rest.find('%') {
        let (before, from) = rest.split_at(start);
        out.push_str(before);
        let after = &from[1..];
        match after.find('%').map(|end| &after[..end]).filter(|name| is_key(name)) {
            Some(name) => {
                let whole = &from[..name.len() + 2];
                out.push_str(&lookup(name).unwrap_or(Cow::Borrowed(whole)));
                rest = &from[whole.len()..];
            }
            // Not a reference; the next `%` may begin one.
            None => {
                out.push('%');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}
