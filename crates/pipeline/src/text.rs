//! Text from elsewhere as messages show it: recipes and lists come from strangers, and an escape sequence or a line break could
//! make a report say what it does not.

use std::borrow::Cow;

/// How many characters of one value a message shows.
const MAX_SHOWN: usize = 200;

/// A value as a message shows it: [clipped](clip) to 200 characters.
#[must_use]
pub fn shown(value: &str) -> Cow<'_, str> {
    clip(value, MAX_SHOWN)
}

/// A text up to a length, in characters that do nothing to the terminal or log that it is printed to. What is escaped
/// already stays as it is.
///
/// ```
/// use pipeline::text::clip;
/// assert_eq!(clip("Firefox", 4), "Fire…");
/// assert_eq!(clip("a\u{1b}[2Jb", 40), r"a\u{1b}[2Jb");
/// ```
#[must_use]
pub fn clip(text: &str, length: usize) -> Cow<'_, str> {
    let end = text.char_indices().nth(length).map(|(end, _)| end);
    if end.is_none() && !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut clipped = String::new();
    for ch in text[..end.unwrap_or(text.len())].chars() {
        if acts(ch) {
            clipped.extend(ch.escape_unicode());
        } else {
            clipped.push(ch);
        }
    }
    if end.is_some() {
        clipped.push('…');
    }
    Cow::Owned(clipped)
}

/// Control characters, line breaks, and what turns the direction of writing.
#[must_use]
pub fn acts(ch: char) -> bool {
    ch.is_control()
        || matches!(ch, '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}
