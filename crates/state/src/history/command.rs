//! The words of a command line that may be kept.

use pipeline::keys::names_secret;
use std::fmt;

const IN_PLACE: &str = "***";
/// No shell hands it on by accident, and it divides the words where they are stored.
const DIVIDER: char = '\u{1f}';

/// The words of a command line, without secrets.
///
/// pkgferry takes no secret there, but people try. What is kept for months therefore leaves out whatever could be one: the value
/// of anything whose name sounds like it (`CLIENT_SECRET=…`, `--token …`), and of addresses everything but scheme and host, since
/// accounts stand before the host, and the addresses of webhooks are secrets from the first slash on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandLine(Vec<String>);

impl CommandLine {
    /// Takes the words behind the program's name.
    pub fn from_words(words: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let mut kept = Vec::new();
        let mut value_follows = false;
        for word in words {
            let word = word.as_ref();
            let is_option = word.starts_with('-');
            if std::mem::take(&mut value_follows) && !is_option {
                kept.push(IN_PLACE.to_owned());
                continue;
            }
            value_follows = is_option && !word.contains('=') && names_secret(word);
            kept.push(without_divider(&without_secret(word)));
        }
        Self(kept)
    }

    /// The words.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.0
    }

    pub(super) fn to_stored(&self) -> String {
        self.0.join(&DIVIDER.to_string())
    }

    pub(super) fn from_stored(stored: &str) -> Self {
        let words = stored.split(DIVIDER).map(str::to_owned);
        Self(if stored.is_empty() { Vec::new() } else { words.collect() })
    }
}

/// One line, as a shell would take it.
impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, word) in self.0.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            let is_plain = |c: char| c.is_alphanumeric() || "-_./,:=+@%*".contains(c);
            if !word.is_empty() && word.chars().all(is_plain) {
                write!(f, "{space}{word}")?;
            } else {
                write!(f, "{space}'{}'", word.replace('\'', r"'\''"))?;
            }
        }
        Ok(())
    }
}

fn without_secret(word: &str) -> String {
    match word.split_once('=') {
        Some((name, _)) if names_secret(name) => format!("{name}={IN_PLACE}"),
        // A name that holds an address is none; a value may be a pair of its own, as in `--key=CLIENT_SECRET=abc`.
        Some((name, value)) if !name.contains("://") => format!("{name}={}", without_secret(value)),
        _ => without_path(word),
    }
}

/// Of an address, scheme, host and port.
fn without_path(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let (authority, behind) = rest.split_at(rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len()));
    if behind.contains('@') {
        // Perhaps a password with a slash in it, and then the host is not where it seems to be.
        return format!("{scheme}://{IN_PLACE}");
    }
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let left_out = if behind.trim_end_matches('/').is_empty() { "" } else { "/***" };
    format!("{scheme}://{host}{left_out}")
}

fn without_divider(word: &str) -> String {
    word.chars().map(|c| if c == DIVIDER { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kept(words: &[&str]) -> String {
        CommandLine::from_words(words).to_string()
    }

    #[test]
    fn words_are_kept_and_secrets_are_not() {
        let words = ["run", "nightly.yaml", "--jobs", "4", "-k", "pkg_category=Web Browsers", "--dry-run"];
        insta::assert_snapshot!(kept(&words), @"run nightly.yaml --jobs 4 -k 'pkg_category=Web Browsers' --dry-run");
        let words = ["run", "-k", "CLIENT_SECRET=abc", "--API_PASSWORD=abc", "--client-secret", "abc", "-v"];
        insta::assert_snapshot!(kept(&words), @"run -k CLIENT_SECRET=*** --API_PASSWORD=*** --client-secret *** -v");
        insta::assert_snapshot!(kept(&["--key=CLIENT_SECRET=abc", "--notify-on", "failure"]), @"--key=CLIENT_SECRET=*** --notify-on failure");
        let words = ["--url", "https://jane:pw@test.jamfcloud.com/", "JSS_URL=https://a:b@c:8443"];
        insta::assert_snapshot!(kept(&words), @"--url https://test.jamfcloud.com JSS_URL=https://c:8443");
        let words = ["--slack", "https://hooks.slack.com/services/T0/B0/abc", "x=https://h?key=abc"];
        insta::assert_snapshot!(kept(&words), @"--slack https://hooks.slack.com/*** x=https://h/***");
        // An option that takes no value hides nothing.
        insta::assert_snapshot!(kept(&["--notify-on", "--json", "it's"]), @r#"--notify-on --json 'it'\''s'"#);
    }

    proptest! {
        #[test]
        fn what_has_a_telling_name_never_shows(
            before in "[a-z]{1,4}", name in proptest::sample::select(&["secret", "password", "passphrase", "token", "apikey", "webhook", "heartbeat", "notify"][..]), upper: bool, form in 0..4_u8
        ) {
            let name = if upper { name.to_uppercase() } else { name.to_owned() };
            let words = match form {
                0 => vec![format!("{before}_{name}=s3cr3t!")],
                1 => vec![format!("--{before}-{name}=s3cr3t!")],
                2 => vec![format!("--key={before}_{name}=s3cr3t!")],
                _ => vec![format!("--{before}-{name}"), "s3cr3t!".to_owned()],
            };
            prop_assert!(!CommandLine::from_words(words).to_string().contains("s3cr3t!"));
        }

        #[test]
        fn nothing_before_or_behind_a_host_shows(
            user in "[^=]{0,8}", slash in "[/?#]?", path in "[/?#][^ ]{0,8}"
        ) {
            let word = format!("https://{user}:s3cr3t!{slash}{user}@host{path}s3cr3t!");
            let kept = CommandLine::from_words([word]);
            prop_assert!(!kept.words()[0].contains("s3cr3t!"), "{kept}");
        }

        #[test]
        fn any_words_are_stored_and_found(words in proptest::collection::vec(".{0,12}", 0..6)) {
            let line = CommandLine::from_words(words);
            // Nothing and one empty word look alike; nobody types the latter.
            prop_assume!(line.words() != [""]);
            prop_assert_eq!(CommandLine::from_stored(&line.to_stored()), line);
        }
    }
}
