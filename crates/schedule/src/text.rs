//! The texts of a request, each of a type that cannot hold what no scheduler can take, and never what looks like a secret.

use crate::error::Error;
use crate::secret::looks_secret;
use pipeline::digits;
use std::fmt;
use std::str::FromStr;

/// Defines a text that is checked when it is read.
macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $what:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                if looks_secret(text) {
                    return Err(Error::Secret { what: $what });
                }
                let check: fn(&str) -> Result<(), &'static str> = $check;
                match check(text) {
                    Ok(()) => Ok(Self(text.to_owned())),
                    Err(reason) => Err(Error::Invalid { what: $what, text: text.to_owned(), reason }),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text! {
    /// What the units are called: small letters, digits and `-`, at most 40 characters, so that it fits everywhere.
    /// `pkgferry-` is put in front of it.
    Name, "a name for units", |text| {
        let first_and_last = !text.starts_with('-') && !text.ends_with('-');
        if text.is_empty() || text.len() > 40 || !first_and_last {
            return Err("it has 1 to 40 characters, and no `-` at its ends");
        }
        only(text, |ch| ch.is_ascii_lowercase() || ch.is_ascii_digit() || ch == '-', "small letters, digits and `-` only")
    }
}

text! {
    /// The path of a file or folder where the run happens. Any characters but NUL; whether a format can say them is found
    /// out when it is written.
    FilePath, "a path", |text| {
        if text.starts_with('-') {
            return Err("it begins with `-` and would be taken for a flag; write ./ in front");
        }
        no_nul(text)
    }
}

text! {
    /// A recipe: a file, an identifier, a name, a folder or a pattern.
    RecipeName, "a recipe", |text| {
        if text.starts_with('-') {
            return Err("it begins with `-` and would be taken for a flag");
        }
        no_nul(text)
    }
}

text! {
    /// A server of the settings file.
    ServerName, "the name of a server", |text| {
        if text.starts_with('-') {
            return Err("it begins with `-` and would be taken for a flag");
        }
        no_nul(text)
    }
}

text! {
    /// A further argument of `pkgferry run`, one word as the program gets it.
    Argument, "an argument", no_nul
}

text! {
    /// A user account of the machine.
    UserName, "the name of a user", |text| {
        if text.len() > 32 || !text.starts_with(|ch: char| ch.is_ascii_alphabetic() || ch == '_') {
            return Err("it has 1 to 32 characters and begins with a letter or `_`");
        }
        let part = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '_' | '-' | '.');
        only(text, part, "letters, digits, `_`, `-` and `.` only")
    }
}

text! {
    /// A time zone of the IANA database, such as `Europe/Berlin`. That there is one of this name is not looked up.
    TimeZone, "a time zone", |text| {
        if !text.starts_with(|ch: char| ch.is_ascii_alphabetic()) {
            return Err("it is a name such as Europe/Berlin");
        }
        let part = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '_' | '-' | '+' | '/');
        only(text, part, "it is a name such as Europe/Berlin")
    }
}

text! {
    /// Where cron sends what a run prints.
    MailAddress, "a mail address", |text| {
        let part = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '_' | '-' | '.' | '@' | '+');
        if text.is_empty() || text.starts_with('-') {
            return Err("it is a user or an address");
        }
        only(text, part, "letters, digits and `_-.@+` only")
    }
}

text! {
    /// A label or tag by which a CI server finds a runner.
    RunnerLabel, "the label of a runner", |text| {
        if text.is_empty() || text.trim() != text {
            return Err("it is empty, or has blanks at its ends");
        }
        let part = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '_' | '-' | '.' | ':' | '/' | ' ');
        only(text, part, "letters, digits, blanks and `_-.:/` only")
    }
}

text! {
    /// A container image, with a tag or a digest.
    Image, "a container image", |text| {
        if !text.starts_with(|ch: char| ch.is_ascii_alphanumeric()) {
            return Err("it begins with a letter or a digit");
        }
        let part = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '_' | '-' | '.' | ':' | '/' | '@');
        only(text, part, "letters, digits and `_-.:/@` only")
    }
}

text! {
    /// Shell commands that put pkgferry onto a runner; they may have several lines.
    Script, "a script", |text| {
        if text.trim().is_empty() {
            return Err("it is empty");
        }
        only(text, |ch| ch == '\n' || ch == '\t' || !ch.is_control(), "it holds a control character")
    }
}

text! {
    /// The name of a Kubernetes object: an RFC 1123 label.
    KubernetesName, "the name of a Kubernetes object", |text| {
        let ends = |ch: char| ch.is_ascii_lowercase() || ch.is_ascii_digit();
        if text.len() > 63 || !text.starts_with(ends) || !text.ends_with(ends) {
            return Err("it has 1 to 63 characters, letters or digits at its ends");
        }
        only(text, |ch| ends(ch) || ch == '-', "small letters, digits and `-` only")
    }
}

/// The name of a secret: of an environment variable, and of the entry of the scheduler's store that holds its value.
/// Capital letters, digits and `_`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretName(String);

impl SecretName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SecretName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let part = |ch: char| ch.is_ascii_uppercase() || ch.is_ascii_digit() || ch == '_';
        let first = |ch: char| ch.is_ascii_uppercase() || ch == '_';
        let is_name =
            text.starts_with(first) && text.chars().all(part) && text.len() <= 64 && !looks_secret(text);
        is_name.then(|| Self(text.to_owned())).ok_or(Error::NotASecretName)
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How many shards a run is divided into, 1 to 200; GitLab starts no more at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShardCount(u8);

impl ShardCount {
    /// All in one.
    pub const ONE: Self = Self(1);

    /// The number.
    #[must_use]
    pub fn get(self) -> u8 {
        self.0
    }
}

impl FromStr for ShardCount {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if looks_secret(text) {
            return Err(Error::Secret { what: "a number of shards" });
        }
        let count = digits(text).filter(|count| (1..=200).contains(count));
        count.map(Self).ok_or_else(|| Error::Invalid {
            what: "a number of shards",
            text: text.to_owned(),
            reason: "it is 1 to 200",
        })
    }
}

fn no_nul(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        return Err("it is empty");
    }
    only(text, |ch| ch != '\0', "it holds a NUL")
}

fn only(text: &str, part: impl Fn(char) -> bool, reason: &'static str) -> Result<(), &'static str> {
    if text.chars().all(part) { Ok(()) } else { Err(reason) }
}
