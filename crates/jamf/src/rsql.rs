//! Filters of the Pro API (`jamf-pro-api.md §1.4`).

/// `field=="a",field=="b"`: any of these values.
///
/// `*` in a value is a wildcard that cannot be escaped, and matching may ignore case, so a hit is not yet a match: the
/// caller compares again.
pub(crate) fn any_of(field: &str, values: &[String]) -> String {
    let alternatives: Vec<String> =
        values.iter().map(|value| format!("{field}=={}", quoted(value))).collect();
    alternatives.join(",")
}

fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', r"\\").replace('"', r#"\""#))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_are_quoted_and_alternatives_joined() {
        let names = [r#"A "B" \ C,D;E.pkg"#.to_owned(), "F'*.pkg".to_owned()];
        insta::assert_snapshot!(
            any_of("fileName", &names),
            @r#"fileName=="A \"B\" \\ C,D;E.pkg",fileName=="F'*.pkg""#
        );
    }

    /// Reads a quoted value as a server does, and gives what follows it.
    fn unquoted(text: &str) -> Option<(String, &str)> {
        let mut value = String::new();
        let mut rest = text.strip_prefix('"')?.char_indices();
        while let Some((at, sign)) = rest.next() {
            match sign {
                '"' => return Some((value, &text[at + 2..])),
                '\\' => value.push(rest.next()?.1),
                _ => value.push(sign),
            }
        }
        None
    }

    proptest! {
        #[test]
        fn a_value_cannot_leave_its_quotes(value in "[ -~äöü\u{308}🎉\\\\\"]{0,30}") {
            let written = quoted(&value);
            prop_assert_eq!(unquoted(&written), Some((value, "")));
        }
    }
}
