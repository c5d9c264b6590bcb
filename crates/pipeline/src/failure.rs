use crate::{Env, EnvError, Key, Typed, Value, keys};
use std::error::Error;
use std::fmt;

/// What a caller does about a failure; the binary maps it to an exit code. Reports write and read it as its [word](Self::word).
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The recipe or the settings are wrong.
    Recipe,
    /// Sign-in failed, or a privilege is missing.
    Access,
    /// The server, the storage or the network failed, or the server holds something that nobody may guess about.
    Remote,
    /// A local file is missing, unreadable or changed.
    Local,
    /// Somebody pressed Ctrl-C or sent SIGTERM.
    Interrupted,
    /// The run's deadline came before its turn.
    Deadline,
    /// Another run works on the server.
    Busy,
    /// pkgferry itself is at fault.
    Internal,
}

impl FailureKind {
    /// The word, as it is written.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Recipe => "recipe",
            Self::Access => "access",
            Self::Remote => "remote",
            Self::Local => "local",
            Self::Interrupted => "interrupted",
            Self::Deadline => "deadline",
            Self::Busy => "busy",
            Self::Internal => "internal",
        }
    }
}

/// What an error says, and what each of its causes says, the outermost first.
///
/// ```
/// let broken = std::io::Error::other("the cable is loose");
/// assert_eq!(pipeline::causes(&broken).collect::<Vec<_>>(), ["the cable is loose"]);
/// ```
pub fn causes(error: &dyn Error) -> impl Iterator<Item = String> {
    std::iter::successors(Some(error), |error| (*error).source()).map(ToString::to_string)
}

/// An error that knows what a caller can do about it. Facts are in its message, the cause in `source`, advice apart.
pub trait Diagnose: Error + Send + Sync + 'static {
    /// What a caller does about it.
    fn kind(&self) -> FailureKind;
    /// What a person can do about it.
    fn hint(&self) -> Option<String> {
        None
    }
}

/// What may succeed instead: the recipe, planned again with another value of one entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Instead {
    /// Name of the entry.
    pub name: &'static str,
    /// Its value for the next attempt.
    pub value: Value,
}

/// Why a step failed: any crate's error that can [`Diagnose`] itself.
pub struct Failure {
    error: Box<dyn Diagnose>,
    instead: Option<Instead>,
    sent: u64,
}

impl Failure {
    /// What a caller does about it.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        self.error.kind()
    }

    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        self.error.hint()
    }

    /// The error itself.
    #[must_use]
    pub fn error(&self) -> &(dyn Error + 'static) {
        &*self.error
    }

    /// The same failure of a step that has changed nothing that another attempt would stumble over, and a reason to plan the
    /// recipe again, once, with this entry.
    #[must_use]
    pub fn or_with<T: Typed>(mut self, key: Key<T>, value: T) -> Self {
        self.instead = Some(Instead { name: key.name(), value: value.write() });
        self
    }

    /// The same failure of a step that was refused before any byte of the file was accepted: the recipe may be planned again on
    /// the [fallback route](keys::FALLBACK_ROUTE), if one was chosen.
    #[must_use]
    pub fn or_fallback(self, env: &Env) -> Self {
        match env.get(keys::FALLBACK_ROUTE) {
            Ok(Some(route)) => self.or_with(keys::ROUTE, route.into()),
            // What cannot be read is no route to take; the failure itself counts for more.
            Ok(None) | Err(_) => self,
        }
    }

    /// The same failure of a step that has sent so many bytes of package files before it failed.
    #[must_use]
    pub fn having_sent(mut self, bytes: u64) -> Self {
        self.sent = bytes;
        self
    }

    /// Bytes of package files that were sent before it failed, as far as the step says.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// What may succeed instead.
    #[must_use]
    pub fn instead(&self) -> Option<&Instead> {
        self.instead.as_ref()
    }

    /// The message and its causes, one after the other.
    #[must_use]
    pub fn chain(&self) -> Vec<String> {
        causes(&*self.error).collect()
    }
}

impl<E: Diagnose> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { error: Box::new(error), instead: None, sent: 0 }
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.error, f)
    }
}

/// The message and its causes on one line.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.chain().join(": "))
    }
}

impl Diagnose for EnvError {
    fn kind(&self) -> FailureKind {
        FailureKind::Recipe
    }
}
