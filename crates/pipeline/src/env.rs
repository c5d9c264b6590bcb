use crate::{Key, Typed, Value, WrongType, keys};
use indexmap::IndexMap;
use std::fmt;
use std::path::PathBuf;

/// Who set an environment entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The settings file.
    Settings(PathBuf),
    /// The table of a named server in the settings file.
    Server {
        /// The server's name.
        name: String,
        /// The file.
        file: PathBuf,
    },
    /// A variable of the process environment.
    Variable(String),
    /// The runner itself (`RECIPE_DIR`, …).
    Runner,
    /// `Input` of the recipe in this file.
    Input(PathBuf),
    /// A recipe list, for the recipes in it.
    List(PathBuf),
    /// `-k` on the command line. It may refer to other values (`%KEY%`), as in AutoPkg.
    CommandLine,
    /// Another flag of the command line, such as `--url`. It is taken literally.
    Flag(&'static str),
    /// The built-in rehearsal server.
    Sandbox,
    /// The default that a processor declares.
    Default(&'static str),
    /// `Arguments` of the step with this number, counted from 1.
    Argument(usize),
    /// An output of the step with this number, counted from 1.
    Output(usize),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settings(path) => write!(f, "settings file {}", path.display()),
            Self::Server { name, file } => write!(f, "[servers.{name}] of settings file {}", file.display()),
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::Runner => f.write_str("pkgferry"),
            Self::Input(path) => write!(f, "Input of {}", path.display()),
            Self::List(path) => write!(f, "recipe list {}", path.display()),
            Self::CommandLine => f.write_str("-k"),
            Self::Flag(flag) => f.write_str(flag),
            Self::Sandbox => f.write_str("rehearsal server"),
            Self::Default(processor) => write!(f, "default of {processor}"),
            Self::Argument(step) => write!(f, "Arguments of step {step}"),
            Self::Output(step) => write!(f, "output of step {step}"),
        }
    }
}

/// A value, who set it, and whether it may be shown.
#[derive(Clone, PartialEq)]
pub struct Entry {
    value: Value,
    origin: Origin,
    secret: bool,
}

impl Entry {
    /// The value itself. Look at [`is_secret`](Entry::is_secret) before showing it; [`shown`](Entry::shown) does.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Who set it.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Whether it must never be printed.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.secret
    }

    /// The value as a person may see it.
    #[must_use]
    pub fn shown(&self) -> String {
        if self.secret { "(secret)".to_owned() } else { self.value.to_string() }
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {}", self.shown(), self.origin)
    }
}

/// Reading the environment failed. The entry's value shows only if it is no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvError {
    /// A required entry is not there.
    #[error("{0} is not set")]
    Missing(&'static str),
    /// An entry has the wrong type.
    #[error("{name} (from {origin}) has the wrong type")]
    WrongType {
        /// The entry's name.
        name: &'static str,
        /// Who set it.
        origin: Origin,
        /// What was wrong.
        source: WrongType,
    },
}

/// The typed environment that is handed from step to step.
///
/// Entries keep the order in which they were first set, as AutoPkg's do. Names in [`keys::SECRETS`] are secret
/// whoever sets them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Env {
    entries: IndexMap<String, Entry>,
}

impl Env {
    /// An empty environment.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads an entry.
    ///
    /// # Errors
    /// When it is there and has the wrong type.
    pub fn get<T: Typed>(&self, key: Key<T>) -> Result<Option<T>, EnvError> {
        let Some(entry) = self.entries.get(key.name()) else { return Ok(None) };
        T::read(&entry.value).map(Some).map_err(|mut source| {
            if entry.secret {
                source.found = entry.value.kind_name().to_owned();
            }
            EnvError::WrongType { name: key.name(), origin: entry.origin.clone(), source }
        })
    }

    /// Reads an entry that has to be there.
    ///
    /// # Errors
    /// When it is missing or has the wrong type.
    pub fn need<T: Typed>(&self, key: Key<T>) -> Result<T, EnvError> {
        self.get(key)?.ok_or(EnvError::Missing(key.name()))
    }

    /// Writes an entry.
    pub fn set<T: Typed>(&mut self, key: Key<T>, value: T, origin: Origin) {
        let secret = matches!(T::KIND, crate::Kind::Secret);
        self.insert(key.name(), value.write(), origin, secret);
    }

    /// Writes an entry by name: what recipes, settings and the command line do. `secret` marks a value that was made
    /// from a secret; names in [`keys::SECRETS`] are secret in any case.
    pub fn insert(&mut self, name: &str, value: Value, origin: Origin, secret: bool) {
        let secret = secret || keys::SECRETS.contains(&name);
        self.entries.insert(name.to_owned(), Entry { value, origin, secret });
    }

    /// The entry of this name.
    #[must_use]
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.get(name)
    }

    /// Whether there is an entry of this name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// Removes an entry.
    pub fn remove(&mut self, name: &str) -> Option<Entry> {
        self.entries.shift_remove(name)
    }

    /// All entries, in the order in which they were first set.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries.iter().map(|(name, entry)| (name.as_str(), entry))
    }

    /// Lays another environment's entries over this one.
    pub fn overlay(&mut self, other: &Env) {
        for (name, entry) in &other.entries {
            self.entries.insert(name.clone(), entry.clone());
        }
    }
}
