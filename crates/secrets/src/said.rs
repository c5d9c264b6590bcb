//! What a program said on its standard error, as far as it may be shown.

/// As many characters are shown; why it failed stands at the end.
const SHOWN: usize = 300;
/// Shorter lines of output are parts of words, and no secrets.
const SHORTEST: usize = 4;
/// Runs of letters and digits that are as long are tokens more often than words.
const TOKEN: usize = 20;
const IN_PLACE: &str = "***";

/// One line out of `stderr`, with `***` in the place of everything that also stands on `stdout`, which may be the secret or
/// half of it, and of everything that looks like a token. `None` if nothing is left.
pub(crate) fn redacted(stderr: &[u8], stdout: &[u8]) -> Option<String> {
    let mut text = plain(&String::from_utf8_lossy(stderr));
    let stdout = String::from_utf8_lossy(stdout);
    let mut secrets: Vec<&str> = stdout
        .lines()
        .flat_map(|line| line.split_whitespace().chain([line.trim()]))
        .filter(|secret| secret.len() >= SHORTEST)
        .collect();
    // One may be a part of another, whose rest would show.
    secrets.sort_unstable_by_key(|secret| std::cmp::Reverse(secret.len()));
    for secret in secrets {
        text = text.replace(secret, IN_PLACE);
    }
    let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let line = without_tokens(&lines.join(" / "));
    (!line.is_empty()).then(|| end_of(&line))
}

/// Without the colours and other commands of a terminal.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(next) = rest.next() {
        match next {
            '\u{1b}' if rest.next_if_eq(&'[').is_some() => {
                // Parameters, then one letter.
                while rest.next().is_some_and(|c| !('\u{40}'..='\u{7e}').contains(&c)) {}
            }
            '\n' => plain.push('\n'),
            control if control.is_control() => plain.push(' '),
            other => plain.push(other),
        }
    }
    plain
}

fn without_tokens(text: &str) -> String {
    let belongs = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+' | '.' | '~');
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        let (run, tail) = rest.split_at(end);
        let is_token = run.len() >= TOKEN
            && run.bytes().any(|byte| byte.is_ascii_digit())
            && run.bytes().any(|byte| byte.is_ascii_alphabetic());
        clean.push_str(if is_token { IN_PLACE } else { run });
        let next = tail.chars().next().map_or(0, char::len_utf8);
        clean.push_str(&tail[..next]);
        rest = &tail[next..];
    }
    clean
}

fn end_of(line: &str) -> String {
    match line.char_indices().rev().nth(SHOWN) {
        None => line.to_owned(),
        Some((last_cut, c)) => format!("…{}", line[last_cut + c.len_utf8()..].trim_start()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn said(stderr: &str, stdout: &str) -> String {
        redacted(stderr.as_bytes(), stdout.as_bytes()).unwrap_or_else(|| "(nothing)".into())
    }

    #[test]
    fn what_may_be_secret_does_not_show() {
        assert_eq!(said("error: not signed in\n", ""), "error: not signed in");
        assert_eq!(said(" \n\t\n", "x"), "(nothing)");
        assert_eq!(said("\u{1b}[31merror:\u{1b}[0m bad\r\nsecond line\n", ""), "error: bad / second line");
        assert_eq!(said("value `hunter2` is old", "hunter2\n"), "value `***` is old");
        assert_eq!(said("got hunter2 and hunter2-long", "hunter2\nhunter2-long\n"), "got *** and ***");
        assert_eq!(said("is it a?", "a\n"), "is it a?", "one letter is no secret");
        assert_eq!(
            said("token ops_eyJzaWduSW5BZGRyZXNz0123 (item 7q2v) refused, see /usr/local/bin/op", ""),
            "token *** (item 7q2v) refused, see /usr/local/bin/op"
        );
        assert_eq!(said("a-rather-long-word-without-digits", ""), "a-rather-long-word-without-digits");
    }

    #[test]
    fn the_end_of_a_long_story_shows() {
        let shown = said(&format!("{}why it failed", "long ago ".repeat(90)), "");
        assert!(shown.starts_with('…') && shown.ends_with("ago why it failed"), "{shown}");
        assert!(shown.chars().count() <= SHOWN + 1);
    }

    proptest! {
        #[test]
        fn the_output_never_shows(secret in "[!-~]{4,40}", before in "\\PC{0,30}", after in "\\PC{0,400}") {
            // What replaces it is no secret.
            prop_assume!(!IN_PLACE.contains(&secret) && !secret.contains('*'));
            let said = said(&format!("{before}{secret}{after}"), &format!("{secret}\n"));
            prop_assert!(!said.contains(&secret), "{said}");
        }

        #[test]
        fn anything_can_be_said(stderr: Vec<u8>, stdout: Vec<u8>) {
            if let Some(line) = redacted(&stderr, &stdout) {
                prop_assert!(!line.is_empty() && !line.contains('\n'));
            }
        }
    }
}
