//! Where a secret may be kept, each valid by construction.

use crate::Error;
use crate::error::Scheme;
use crate::words;
use std::fmt;
use std::path::{Path, PathBuf};

/// Where a secret is kept. `Display` gives it as a setting says it, but for the arguments of a command, which may be
/// secrets themselves.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Place {
    /// A variable of the process environment.
    Variable(VariableName),
    /// A file.
    File(SecretPath),
    /// A file in the folder that systemd hands to a service.
    Credential(CredentialName),
    /// What a program prints.
    Command(CommandLine),
    /// The keychain of the system.
    Keychain(KeychainItem),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "{}:{name}", Scheme::Variable),
            Self::File(path) => write!(f, "{}:{path}", Scheme::File),
            Self::Credential(name) => write!(f, "{}:{name}", Scheme::Credential),
            Self::Command(line) => write!(f, "{}:{line}", Scheme::Command),
            Self::Keychain(item) => write!(f, "{}:{item}", Scheme::Keychain),
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The name of an environment variable: not empty, without `=`, control characters and blanks at its ends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VariableName(String);

impl VariableName {
    pub(crate) fn new(text: &str) -> Result<Self, Error> {
        match text {
            "" => Err(invalid(Scheme::Variable, "it names no variable")),
            _ if text.contains('=') => Err(invalid(Scheme::Variable, "its name has a `=` in it")),
            _ if has_controls(text) || text.trim() != text => Err(invalid(
                Scheme::Variable,
                "its name begins or ends with a blank, or has control characters in it",
            )),
            _ => Ok(Self(text.to_owned())),
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for VariableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The path of a file, absolute or in the home folder (`~/…`): a scheduler starts programs in a folder of its own choice.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SecretPath(PathBuf);

impl SecretPath {
    pub(crate) fn new(text: &str) -> Result<Self, Error> {
        match text {
            "" => Err(invalid(Scheme::File, "it names no file")),
            _ if has_controls(text) => Err(invalid(Scheme::File, "the path has control characters in it")),
            _ if Path::new(text).is_absolute() || text.starts_with("~/") => Ok(Self(PathBuf::from(text))),
            _ => Err(invalid(Scheme::File, "the path begins with neither `/` nor `~/`")),
        }
    }

    /// Whether it is in the home folder (`~/…`), which has to be known then.
    #[must_use]
    pub fn is_in_home(&self) -> bool {
        self.0.starts_with("~")
    }

    /// The path, with the home folder in it. `None` where there is need of one, and it is not known.
    pub(crate) fn in_home(&self, home: Option<&Path>) -> Option<PathBuf> {
        match self.0.strip_prefix("~") {
            Ok(rest) => home.map(|home| home.join(rest)),
            Err(_) => Some(self.0.clone()),
        }
    }
}

impl fmt::Display for SecretPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}

/// The name of a credential that systemd hands to a service: a file name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CredentialName(String);

impl CredentialName {
    pub(crate) fn new(text: &str) -> Result<Self, Error> {
        match text {
            "" => Err(invalid(Scheme::Credential, "it names no credential")),
            "." | ".." => Err(invalid(Scheme::Credential, "it names a folder")),
            // On Windows a backslash and a colon lead out of the folder, too.
            _ if text.contains(['/', '\\', ':']) || has_controls(text) => {
                Err(invalid(Scheme::Credential, "the name of a credential is the name of a file, not a path"))
            }
            _ => Ok(Self(text.to_owned())),
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CredentialName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A program and its arguments, which go to it as they are.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CommandLine {
    program: String,
    arguments: Vec<String>,
}

impl CommandLine {
    /// One line, cut into words as a shell would.
    pub(crate) fn parse(line: &str) -> Result<Self, Error> {
        let words =
            words::split(line).ok_or(invalid(Scheme::Command, "a quote or a backslash stands open"))?;
        if words.iter().any(words::Word::is_operator) {
            return Err(invalid(
                Scheme::Command,
                "it holds what only a shell understands, and no shell reads it",
            ));
        }
        Self::new(words.into_iter().map(words::Word::into_text))
    }

    /// Words that are cut already.
    pub(crate) fn new(words: impl IntoIterator<Item = String>) -> Result<Self, Error> {
        let mut words = words.into_iter().peekable();
        if words.peek().is_some_and(|program| program.starts_with("command:")) {
            return Err(invalid(Scheme::Command, "a list begins with the program, without `command:`"));
        }
        let program = words
            .next()
            .filter(|program| !program.is_empty())
            .ok_or(invalid(Scheme::Command, "it names no program"))?;
        let arguments: Vec<_> = words.collect();
        if arguments.iter().chain([&program]).any(|word| word.contains('\0')) {
            return Err(invalid(Scheme::Command, "no argument can hold a NUL"));
        }
        Ok(Self { program, arguments })
    }

    /// The program: its path, or a name that is looked for in the folders of `PATH`.
    #[must_use]
    pub fn program(&self) -> &str {
        &self.program
    }

    pub(crate) fn arguments(&self) -> &[String] {
        &self.arguments
    }
}

/// The program, and how many arguments it has: they may be secrets.
impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let program = self.program.escape_debug();
        match self.arguments.len() {
            0 => write!(f, "{program}"),
            1 => write!(f, "{program} (1 argument)"),
            count => write!(f, "{program} ({count} arguments)"),
        }
    }
}

impl fmt::Debug for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A password in the keychain of the system, by service and account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeychainItem {
    service: String,
    account: String,
}

impl KeychainItem {
    /// `SERVICE/ACCOUNT`. The last slash counts: a service may be an address.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let Some((service, account)) = text.rsplit_once('/') else {
            return Err(invalid(Scheme::Keychain, "it is not of the form SERVICE/ACCOUNT"));
        };
        if service.is_empty() || account.is_empty() {
            return Err(invalid(Scheme::Keychain, "it lacks a service or an account"));
        }
        // The tool would take them for options.
        if service.starts_with('-') || account.starts_with('-') || has_controls(text) {
            return Err(invalid(
                Scheme::Keychain,
                "a service or an account begins with `-`, or has control characters in it",
            ));
        }
        Ok(Self { service: service.to_owned(), account: account.to_owned() })
    }

    /// The service.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The account.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }
}

impl fmt::Display for KeychainItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.service, self.account)
    }
}

fn has_controls(text: &str) -> bool {
    text.chars().any(char::is_control)
}

fn invalid(scheme: Scheme, reason: &'static str) -> Error {
    Error::Invalid { scheme, reason }
}
