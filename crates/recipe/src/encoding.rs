//! From bytes to text.

use crate::place::Cursor;
use crate::tree::{Malformed, Syntax};

/// The text without its byte order mark.
pub(crate) fn utf8(bytes: &[u8]) -> Result<&str, Malformed> {
    let other = match bytes {
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => Some("UTF-32"),
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0, _, 0, _, ..] | [_, 0, _, 0, ..] => Some("UTF-16"),
        _ => None,
    };
    if let Some(other) = other {
        return Err(Malformed::new(Syntax::Encoding(other.to_owned()), None));
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let (good, bad) = bytes.split_at(error.valid_up_to());
        let good = String::from_utf8_lossy(good);
        let at = Cursor::new(&good).advance_to(good.len());
        Malformed::new(Syntax::NotUtf8(bad.first().copied().unwrap_or_default()), Some(at))
    })
}

/// XML says its own encoding. Only UTF-8 is read, and ASCII is UTF-8 whatever it calls itself.
pub(crate) fn xml_text(bytes: &[u8]) -> Result<&str, Malformed> {
    let declared = declared_encoding(bytes);
    let is_utf8 = |name: &str| ["utf-8", "utf8", "us-ascii"].contains(&name.to_ascii_lowercase().as_str());
    match declared {
        Some(name) if !is_utf8(&name) && !bytes.is_ascii() => {
            Err(Malformed::new(Syntax::Encoding(name), None))
        }
        _ => utf8(bytes),
    }
}

/// `encoding="…"` of the XML declaration.
fn declared_encoding(bytes: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(bytes.get(..200).unwrap_or(bytes));
    let declaration = head.trim_start_matches('\u{FEFF}').strip_prefix("<?xml")?.split("?>").next()?;
    let value = declaration.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|ch| matches!(ch, '"' | '\''))?;
    value[1..].split(quote).next().map(str::to_owned)
}
