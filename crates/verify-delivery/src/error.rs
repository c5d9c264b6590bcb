use crate::report::{LookAgain, no_second_sending};
use pipeline::{Diagnose, EnvError, FailureKind, FileName, Witness};

/// Why a delivery could not be checked. A delivery that was checked and is not proven is no error.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Somebody pressed Ctrl-C.
    #[error("interrupted while the delivery of {file} was being proven")]
    Interrupted {
        /// The file.
        file: FileName,
        /// Who was heard.
        witness: Witness,
        /// How somebody looks again.
        again: LookAgain,
    },
    /// The environment could not be read.
    #[error(transparent)]
    Env(#[from] EnvError),
    /// The local file could not be read.
    #[error(transparent)]
    File(#[from] fingerprint::Error),
    /// Talking to Jamf Pro failed.
    #[error(transparent)]
    Jamf(#[from] jamf::Error),
}

impl Diagnose for Error {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Interrupted { .. } => FailureKind::Interrupted,
            Self::Env(error) => error.kind(),
            Self::File(error) => error.kind(),
            Self::Jamf(error) => error.kind(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            // Nobody knows whether the file is listed yet.
            Self::Interrupted { file, witness: Witness::List, again } => {
                Some(format!("{again}; {}", no_second_sending(file, *again)))
            }
            Self::Interrupted { witness: Witness::Record, again, .. } => Some(again.to_string()),
            Self::Env(error) => error.hint(),
            Self::File(error) => error.hint(),
            Self::Jamf(error) => error.hint(),
        }
    }
}
