//! Values of lists as messages show them.

use std::borrow::Cow;

/// How many characters of one value a message shows.
const MAX_SHOWN: usize = 200;

/// A value as a message shows it.
pub(crate) fn shown(value: &str) -> Cow<'_, str> {
    clip(value, MAX_SHOWN)
}

/// A text up to a length, in characters that do nothing to the terminal or log that it is printed to. What is escaped
/// already stays as it is.
pub(crate) fn clip(value: &str, length: usize) -> Cow<'_, str> {
    let end = value.char_indices().nth(length).map(|(end, _)| end);
    if end.is_none() && !value.contains(acts) {
        return Cow::Borrowed(value);
    }
    let mut text = String::new();
    for ch in value[..end.unwrap_or(value.len())].chars() {
        if acts(ch) {
            text.extend(ch.escape_unicode());
        } else {
            text.push(ch);
        }
    }
    if end.is_some() {
        text.push('…');
    }
    Cow::Owned(text)
}

/// Control characters, line breaks, and what turns the direction of writing.
pub(crate) fn acts(ch: char) -> bool {
    ch.is_control()
        || matches!(ch, '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// `an array`, `a dict`.
pub(crate) fn with_article(kind: &str) -> String {
    if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { format!("an {kind}") } else { format!("a {kind}") }
}
