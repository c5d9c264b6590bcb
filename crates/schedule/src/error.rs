use crate::recurrence::InvalidRecurrence;
use crate::target::Kind;
use pipeline::{Diagnose, FailureKind};

/// No unit can be written. Text that may be a secret is never part of the message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A value has the wrong form.
    #[error("{text:?} is not {what}: {reason}")]
    Invalid {
        /// What it should be, with its article.
        what: &'static str,
        /// What was given.
        text: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// A value where the name of a secret belongs; people put the secret itself there, so it is not shown.
    #[error(
        "what was given is not the name of a secret: capital letters, digits and _, such as CLIENT_SECRET"
    )]
    NotASecretName,
    /// A value that looks like a secret.
    #[error("{what} looks like a secret, or holds one")]
    Secret {
        /// What was given, with its article.
        what: &'static str,
    },
    /// An argument that would put a secret on the command line.
    #[error("the argument {flag} would put a secret on the command line")]
    SecretArgument {
        /// The argument without its value.
        flag: String,
    },
    /// The time of runs cannot be read.
    #[error(transparent)]
    Recurrence(#[from] InvalidRecurrence),
    /// Neither a list nor a recipe.
    #[error("there is no recipe and no recipe list to run")]
    NothingToRun,
    /// A relative path for a scheduler that starts nowhere in particular.
    #[error("{what} is {path:?}; {kind} needs an absolute path")]
    Relative {
        /// The scheduler.
        kind: Kind,
        /// Which path, with its article.
        what: &'static str,
        /// The path.
        path: String,
    },
    /// A text that the format has no way to write.
    #[error("{what} cannot be written for {kind}: {why}")]
    CannotSay {
        /// The scheduler.
        kind: Kind,
        /// Which text, with its article.
        what: &'static str,
        /// What stands in the way.
        why: &'static str,
    },
    /// Something that this scheduler does not have.
    #[error("{kind} takes no {what}: {why}")]
    Unsupported {
        /// The scheduler.
        kind: Kind,
        /// What was asked for.
        what: &'static str,
        /// Why it has none.
        why: &'static str,
    },
    /// The unit names secrets, and nothing says which Kubernetes Secret holds them.
    #[error("secrets are named, but not the Kubernetes Secret that holds them")]
    NoKubernetesSecret,
    /// A crontab line that cron would cut off.
    #[error("the crontab line has {length} bytes; cron reads {max}")]
    LongLine {
        /// Its length.
        length: usize,
        /// The longest that cron reads.
        max: usize,
    },
    /// The library that writes YAML failed.
    #[error("the YAML cannot be written: {0}")]
    Yaml(String),
}

impl Diagnose for Error {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Yaml(_) => FailureKind::Internal,
            _ => FailureKind::Recipe,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Secret { .. } | Self::SecretArgument { .. } => {
                "give the secret a name, and its value to the scheduler or the settings file; units are readable by many"
            }
            Self::NothingToRun => "give recipes, or a list with --recipe-list",
            Self::LongLine { .. } => "write the recipes into a list and give that",
            Self::NoKubernetesSecret => "name the Secret that holds them",
            Self::Recurrence(_) => {
                "times are written as 03:00, Mon-Fri 03:00, Sat,Sun 22:15, every 6h, or every 6h at :20"
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }
}
