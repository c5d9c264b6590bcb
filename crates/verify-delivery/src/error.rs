use pipeline::{Diagnose, EnvError, FailureKind, FileName, PackageId};

/// Why a delivery could not be checked. A delivery that was checked and is not proven is no error.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// More than one record names the file (`jamf-pro-api.md §12`); nobody may guess which is meant.
    #[error("{} package records name the file {file}: {}", ids.len(), list(ids))]
    SeveralRecords {
        /// The file.
        file: FileName,
        /// The records.
        ids: Vec<PackageId>,
    },
    /// Somebody pressed Ctrl-C.
    #[error("interrupted while the delivery of {file} was being proven")]
    Interrupted {
        /// The file.
        file: FileName,
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

fn list(ids: &[PackageId]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl Diagnose for Error {
    fn kind(&self) -> FailureKind {
        match self {
            Self::SeveralRecords { .. } => FailureKind::Remote,
            Self::Interrupted { .. } => FailureKind::Interrupted,
            Self::Env(error) => error.kind(),
            Self::File(error) => error.kind(),
            Self::Jamf(error) => error.kind(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::SeveralRecords { .. } => Some(
                "nothing was guessed: let one of them keep the file, and rename or delete the others".into(),
            ),
            Self::Interrupted { .. } => {
                Some("run again: nothing is sent twice if the bytes have arrived".into())
            }
            Self::Env(error) => error.hint(),
            Self::File(error) => error.hint(),
            Self::Jamf(error) => error.hint(),
        }
    }
}
