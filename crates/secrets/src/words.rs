//! A line cut into words as a POSIX shell would cut it, without anything else that a shell does.

/// A word, and whether any of it was quoted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Word {
    text: String,
    quoted: bool,
}

impl Word {
    /// Whether a shell would not have handed this word to the program.
    pub(crate) fn is_operator(&self) -> bool {
        !self.quoted
            && matches!(
                self.text.as_str(),
                "|" | "||" | "|&" | "&" | "&&" | ";" | "<" | ">" | ">>" | "<<" | "<<<" | "2>" | "2>&1" | "&>"
            )
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }
}

/// The words of a line; `None` where a quote or a backslash stands open at its end. Nothing is a comment: `#1` names an
/// item in some vaults.
pub(crate) fn split(line: &str) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut word: Option<Word> = None;
    let mut rest = line.chars();
    while let Some(next) = rest.next() {
        match next {
            ' ' | '\t' | '\n' | '\r' => words.extend(word.take()),
            '\\' => {
                let escaped = rest.next()?;
                let word = word.get_or_insert_default();
                word.quoted = true;
                // A shell takes a backslash at the end of a line for a line that goes on.
                if escaped != '\n' {
                    word.text.push(escaped);
                }
            }
            '\'' => {
                let word = word.get_or_insert_default();
                word.quoted = true;
                loop {
                    match rest.next()? {
                        '\'' => break,
                        literal => word.text.push(literal),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                word.quoted = true;
                double_quoted(&mut rest, &mut word.text)?;
            }
            plain => word.get_or_insert_default().text.push(plain),
        }
    }
    words.extend(word);
    Some(words)
}

/// Up to the closing quote. A backslash stands for itself unless what follows would mean something.
fn double_quoted(rest: &mut std::str::Chars<'_>, text: &mut String) -> Option<()> {
    loop {
        match rest.next()? {
            '"' => return Some(()),
            '\\' => match rest.next()? {
                '\n' => {}
                special @ ('$' | '`' | '"' | '\\') => text.push(special),
                other => text.extend(['\\', other]),
            },
            literal => text.push(literal),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(line: &str) -> Option<Vec<String>> {
        split(line).map(|words| words.into_iter().map(Word::into_text).collect())
    }

    #[test]
    fn words_are_cut_as_a_shell_cuts_them() {
        let cut = |line| texts(line).unwrap().join("|");
        assert_eq!(cut("op read op://Private/Jamf/password"), "op|read|op://Private/Jamf/password");
        assert_eq!(cut("  op read \"op://My vault/It's/x\"\t"), "op|read|op://My vault/It's/x");
        assert_eq!(cut(r#"a 'b "c" \d' "e \"f\" \g" h\ i '' j"k l"m"#), r#"a|b "c" \d|e "f" \g|h i||jk lm"#);
        assert_eq!(cut("$HOME #1 `id`"), "$HOME|#1|`id`", "nothing is replaced, nothing is a comment");
        for open in ["'a", "\"a", "a\\", "\"a\\\""] {
            assert_eq!(texts(open), None, "{open}");
        }
    }

    #[test]
    fn only_bare_operators_are_operators() {
        let operators = |line| split(line).unwrap().iter().filter(|word| word.is_operator()).count();
        assert_eq!(operators("cat /etc/secret | head -1"), 1);
        assert_eq!(operators("a && b > c"), 2);
        assert_eq!(operators(r#"sh -c 'a | b' "|" \| a|b"#), 0);
    }

    proptest! {
        #[test]
        fn another_implementation_agrees(line in "[a-c\"'\\\\ \t\n$`é]{0,24}") {
            prop_assert_eq!(texts(&line), shlex::split(&line));
        }

        #[test]
        fn any_words_can_be_said(words in proptest::collection::vec("\\PC{0,12}", 0..5)) {
            let line = shlex::try_join(words.iter().map(String::as_str)).unwrap();
            prop_assert_eq!(texts(&line), Some(words));
        }
    }
}
