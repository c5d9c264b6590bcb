//! Writing YAML that all readers take the same way.

use crate::error::Error;
use crate::target::Kind;
use serde_json::Value;

/// The document, under a comment.
///
/// # Errors
/// When a text would be read as something else by readers of YAML 1.1, as Kubernetes and GitLab are, and the library, which
/// writes YAML 1.2, puts no quotes around it.
pub(crate) fn write(kind: Kind, comment: &str, document: &Value) -> Result<String, Error> {
    check(kind, document)?;
    let yaml = serde_yaml::to_string(document).map_err(|error| Error::Yaml(error.to_string()))?;
    let comment: String = comment.lines().map(|line| format!("# {line}\n")).collect();
    Ok(comment + &yaml)
}

fn check(kind: Kind, value: &Value) -> Result<(), Error> {
    match value {
        Value::String(text) if is_misread(text) => Err(Error::CannotSay {
            kind,
            what: "a word of the request",
            why: "older readers of YAML take it for a truth value, a number or a date",
        }),
        Value::Array(items) => items.iter().try_for_each(|item| check(kind, item)),
        Value::Object(members) => members.values().try_for_each(|member| check(kind, member)),
        _ => Ok(()),
    }
}

/// Whether a word without quotes is something else than text in YAML 1.1 (<https://yaml.org/type/>) and text in 1.2. Words
/// that are no text in 1.2 either get quotes.
fn is_misread(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let word = matches!(lower.as_str(), "y" | "n" | "yes" | "no" | "on" | "off" | "=" | "<<");
    // 1_000, 0b11, 12:30, 2026-11-21, 2026-11-21t03:00:00z
    let number = text.starts_with(|ch: char| ch.is_ascii_digit() || matches!(ch, '+' | '-' | '.'))
        && text.contains(|ch: char| ch.is_ascii_digit())
        && lower.chars().all(|ch| {
            ch.is_ascii_hexdigit() || matches!(ch, '_' | ':' | '.' | '-' | '+' | 't' | 'z' | ' ' | 'x' | 'o')
        });
    word || (number && lower.contains(['_', ':', 'b', '-']))
}
