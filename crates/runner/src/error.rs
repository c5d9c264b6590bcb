use pipeline::{Diagnose, FailureKind, Stop};

/// A step could not be run, for a reason that lies in the chain and not in its processor.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The registry that checked the recipe is not the one that runs it.
    #[error("there is no processor called {0}")]
    UnknownProcessor(String),
    /// An argument refers to something that has no value, although the check found one promised: an earlier step
    /// declares the output and did not set it.
    #[error("argument {argument} cannot be filled in")]
    Unset {
        /// The argument.
        argument: String,
        /// What it refers to.
        source: recipe::Unresolved,
    },
    /// A secret would be stored and printed.
    #[error("argument {argument} is made from a secret, and is shown and stored")]
    SecretShown {
        /// The argument.
        argument: String,
    },
    /// Nothing new is begun any more.
    #[error(transparent)]
    Stopped(#[from] Stop),
}

impl Diagnose for Error {
    fn kind(&self) -> FailureKind {
        match self {
            Self::UnknownProcessor(_) | Self::Unset { .. } | Self::SecretShown { .. } => FailureKind::Recipe,
            Self::Stopped(stop) => stop.kind(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Unset { .. } => Some(
                "the step before it was skipped or found nothing; give the value in Input or Arguments"
                    .into(),
            ),
            Self::Stopped(stop) => stop.hint(),
            Self::UnknownProcessor(_) | Self::SecretShown { .. } => None,
        }
    }
}
