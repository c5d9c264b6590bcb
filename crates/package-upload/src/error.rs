use pipeline::{Diagnose, EnvError, FailureKind, FileName, PackageId};
use std::path::PathBuf;

/// A file was not sent.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An input is wrong.
    #[error(transparent)]
    Input(#[from] EnvError),
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] fingerprint::Error),
    /// The server has no packages in its Pro API, or `package_api` forbids it.
    #[error(
        "{file} cannot be sent onto a package record: the records of this server come from the Classic API"
    )]
    NoProApi {
        /// Name of the file.
        file: FileName,
    },
    /// The file is not the one that was planned any more, which was seen before the server had all of it.
    #[error("{} changed after the upload was planned; the server did not take it", .path.display())]
    Changed {
        /// Which.
        path: PathBuf,
    },
    /// The server may hold some bytes of before and some of after.
    #[error("{} changed while it was sent; what the server holds of it cannot be relied on", .path.display())]
    ChangedMeanwhile {
        /// Which.
        path: PathBuf,
    },
    /// The record that the file belongs to could not be read or made.
    #[error("the package record of {file} could not be had, so the file was not sent")]
    Record {
        /// Name of the file.
        file: FileName,
        /// Why.
        source: Box<jamf::Error>,
    },
    /// The record was there a moment ago.
    #[error("record {id} is gone, so {file} was not sent")]
    RecordGone {
        /// Its id.
        id: PackageId,
        /// Name of the file.
        file: FileName,
    },
    /// The file would become that of another package.
    #[error("record {id} names the file {found}, so {file} was not sent onto it")]
    OtherRecord {
        /// The record.
        id: PackageId,
        /// Name of the file.
        file: FileName,
        /// What the record names.
        found: String,
    },
    /// The server did not take the file.
    #[error("{file} could not be sent onto record {id}")]
    Upload {
        /// Name of the file.
        file: FileName,
        /// The record.
        id: PackageId,
        /// Why.
        source: Box<jamf::Error>,
    },
    /// Ctrl-C.
    #[error("the upload of {file} was interrupted")]
    Interrupted {
        /// Name of the file.
        file: FileName,
    },
}

impl Error {
    /// Whether the server said no before it had taken anything of the file.
    pub(crate) fn is_refusal(&self) -> bool {
        match self {
            Self::NoProApi { .. } => true,
            Self::Upload { source, .. } => source.is_refusal(),
            _ => false,
        }
    }
}

impl Diagnose for Error {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Input(_) => FailureKind::Recipe,
            Self::File(source) => source.kind(),
            Self::Changed { .. } | Self::ChangedMeanwhile { .. } => FailureKind::Local,
            Self::Record { source, .. } | Self::Upload { source, .. } => source.kind(),
            Self::NoProApi { .. } | Self::RecordGone { .. } | Self::OtherRecord { .. } => FailureKind::Remote,
            Self::Interrupted { .. } => FailureKind::Interrupted,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Input(_) => None,
            Self::File(source) => source.hint(),
            Self::NoProApi { .. } => {
                Some("it takes Jamf Pro 11.5 or later, and package_api may not be classic; the route jcds takes neither".into())
            }
            Self::Changed { .. } => Some("run again when nothing writes to the file any more".into()),
            Self::ChangedMeanwhile { .. } => Some(
                "run again as soon as nothing writes to the file any more: what the server holds is compared, and the file sent \
                 anew if it differs"
                    .into(),
            ),
            // The call is there, since the record came by the same API.
            Self::Upload { id, source, .. } if source.status() == Some(404) => Some(format!(
                "record {id} is gone, or the server has no cloud distribution point to pass files on to: with route: auto it is \
                 asked"
            )),
            Self::Record { source, .. } | Self::Upload { source, .. } => source.hint(),
            Self::RecordGone { .. } => Some("somebody deleted it meanwhile: run again".into()),
            Self::OtherRecord { id, .. } => {
                Some(format!("do not set package_id, or correct the file name of record {id} in Jamf Pro"))
            }
            Self::Interrupted { .. } => Some(
                "run again: it finds out what the server holds, and sends the file if that is not the same".into(),
            ),
        }
    }
}
