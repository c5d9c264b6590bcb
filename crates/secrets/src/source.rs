use crate::Error;
use crate::error::Scheme;
use crate::place::{CommandLine, CredentialName, KeychainItem, Place, SecretPath, VariableName};
use pipeline::{Secret, Value};
use std::fmt;
use std::str::FromStr;

/// What a setting says about a secret: the secret itself, or where it is kept.
#[derive(Clone)]
pub enum SecretSource {
    /// The secret stands in the setting.
    Plain(Secret),
    /// The secret is kept elsewhere.
    At(Place),
}

impl SecretSource {
    /// Reads a setting's value: text, or the words of a command in a list.
    ///
    /// # Errors
    /// When it is neither, or names a place that there cannot be.
    pub fn from_value(value: &Value) -> Result<Self, Error> {
        match value {
            Value::String(text) => text.parse(),
            Value::Array(items) => {
                let words = items.iter().map(|item| match item {
                    Value::String(word) => Ok(word.clone()),
                    _ => Err(Error::NotText { found: "a list with other things than text in it" }),
                });
                let words = words.collect::<Result<Vec<_>, _>>()?;
                CommandLine::new(words).map(Place::Command).map(Self::At)
            }
            // `API_PASSWORD = 0123` has lost its zero when it comes here.
            other => Err(Error::NotText { found: with_article(other) }),
        }
    }

    /// Whether the secret stands in the setting itself, where whoever reads the settings reads it.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        matches!(self, Self::Plain(_))
    }

    /// Where it is kept, if that is elsewhere.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Plain(_) => None,
            Self::At(place) => Some(place),
        }
    }
}

/// Text that begins with no scheme is the secret itself. What looks like a scheme and is none is refused if it is one of
/// those that people write for ours; of any other text nobody may say that it is no password.
impl FromStr for SecretSource {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (head, rest) = text.split_once(':').unwrap_or(("", text));
        let at = |place: Place| Ok(Self::At(place));
        match head {
            "plain" => Ok(Self::Plain(Secret::from(rest))),
            "env" => at(Place::Variable(VariableName::new(rest)?)),
            "file" => at(Place::File(SecretPath::new(rest)?)),
            "credential" => at(Place::Credential(CredentialName::new(rest)?)),
            "command" => at(Place::Command(CommandLine::parse(rest)?)),
            "keychain" => at(Place::Keychain(KeychainItem::parse(rest)?)),
            "op" if rest.starts_with("//") => {
                Err(Error::UnknownScheme { written: "op", meant: Scheme::Command })
            }
            _ => match misspelt(head.trim()) {
                None => Ok(Self::Plain(Secret::from(text))),
                Some((written, meant)) if written == meant.as_str() => Err(Error::Invalid {
                    scheme: meant,
                    reason: "that is written in small letters, without blanks",
                }),
                Some((written, meant)) => Err(Error::UnknownScheme { written, meant }),
            },
        }
    }
}

fn with_article(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a string",
        Value::Bool(_) => "a bool",
        Value::Integer(_) => "an integer",
        Value::Real(_) => "a real",
        Value::Date(_) => "a date",
        Value::Data(_) => "data",
        Value::Array(_) => "a list",
        Value::Dict(_) => "a dict",
    }
}

/// What people write for our schemes, and what they mean.
const MISSPELT: &[(&str, Scheme)] = &[
    ("cmd", Scheme::Command),
    ("commands", Scheme::Command),
    ("cred", Scheme::Credential),
    ("credentials", Scheme::Credential),
    ("environment", Scheme::Variable),
    ("envvar", Scheme::Variable),
    ("exec", Scheme::Command),
    ("keyring", Scheme::Keychain),
    ("path", Scheme::File),
    ("shell", Scheme::Command),
    ("var", Scheme::Variable),
    ("variable", Scheme::Variable),
];

fn misspelt(head: &str) -> Option<(&'static str, Scheme)> {
    let ours = Scheme::ALL.iter().map(|scheme| (scheme.as_str(), *scheme));
    MISSPELT.iter().copied().chain(ours).find(|(written, _)| written.eq_ignore_ascii_case(head))
}

/// Where the secret is kept; `plain` if it stands in the setting.
impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(_) => f.write_str("plain"),
            Self::At(place) => place.fmt(f),
        }
    }
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
