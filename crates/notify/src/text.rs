//! Text of others, made fit for one line of a message.

/// In the place of what was cut.
const CUT: char = '…';

/// One line: white space and control characters become single blanks. Marks that turn the direction of text around go, since
/// what they turn would be the rest of the message.
pub(crate) fn line(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let blank = |c: char| c.is_whitespace() || c.is_control();
    let words = text.split(blank).map(|word| word.replace(turns, ""));
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Its length as services count: a character outside the basic plane is two.
pub(crate) fn units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// One line of at most `most` units, never empty.
pub(crate) fn short(text: &str, most: usize) -> String {
    let line = line(text);
    match line.is_empty() {
        true => "(nothing)".to_owned(),
        false => cut(&line, most),
    }
}

/// Cut to at most `most` units, which have to be at least one.
pub(crate) fn cut(text: &str, most: usize) -> String {
    if units(text) <= most {
        return text.to_owned();
    }
    let mut left = most.saturating_sub(1);
    let fits = |c: &char| {
        let fits = c.len_utf16() <= left;
        left = left.saturating_sub(c.len_utf16());
        fits
    };
    let mut short: String = text.chars().take_while(fits).collect();
    short.truncate(short.trim_end().len());
    short.push(CUT);
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_becomes_one_line() {
        assert_eq!(line(" a\r\n\tb\u{0}c  d\u{85}"), "a b c d");
        assert_eq!(line("invoice\u{202e}gpj.pkg"), "invoicegpj.pkg");
        assert_eq!(line("\u{202e}"), "");
        assert_eq!(short("\n", 9), "(nothing)");
        assert_eq!(cut("twelve units", 12), "twelve units");
        assert_eq!(cut("twelve units", 8), "twelve…");
        assert_eq!(cut("📦📦", 3), "📦…", "no half character");
    }

    proptest! {
        #[test]
        fn a_cut_keeps_its_limit_and_its_beginning(text in "\\PC{0,60}", most in 1_usize..70) {
            let cut = cut(&text, most);
            prop_assert!(units(&cut) <= most);
            prop_assert!(cut == text || text.starts_with(cut.trim_end_matches(CUT)));
        }

        #[test]
        fn a_line_is_a_line(text in any::<String>()) {
            let made = line(&text);
            prop_assert!(!made.chars().any(char::is_control) && !made.contains("  "));
            prop_assert_eq!(line(&made), made);
        }
    }
}
