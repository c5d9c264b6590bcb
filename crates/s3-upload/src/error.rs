use crate::S3Error;
use crate::parts::LARGEST_FILE;
use pipeline::{Diagnose, EnvError, FailureKind, FileName};
use std::path::PathBuf;

/// A file was not sent.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An input is wrong.
    #[error(transparent)]
    Input(#[from] EnvError),
    /// `PKGFERRY_S3_ENDPOINT` is wrong.
    #[error("PKGFERRY_S3_ENDPOINT {endpoint} cannot be used: {reason}")]
    Endpoint {
        /// The setting.
        endpoint: String,
        /// Why not.
        reason: &'static str,
    },
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] fingerprint::Error),
    /// The file is larger than S3 takes.
    #[error("{} is too large: it has {size} bytes, and S3 takes {LARGEST_FILE}", .path.display())]
    TooLarge {
        /// Which.
        path: PathBuf,
        /// Its size.
        size: u64,
    },
    /// The file is not the one that was planned any more.
    #[error("{} changed after the upload was planned; nothing of it was put in place", .path.display())]
    Changed {
        /// Which.
        path: PathBuf,
    },
    /// Ctrl-C.
    #[error("the upload of {file} was interrupted; nothing of it was put in place")]
    Interrupted {
        /// Name of the file.
        file: FileName,
    },
    /// The distribution service could not be asked.
    #[error("the list of the distribution service could not be read, so {file} was not put in place")]
    List {
        /// Name of the file.
        file: FileName,
        /// Why.
        source: Box<jamf::Error>,
    },
    /// S3 did not begin the upload.
    #[error("the upload of {file} could not begin")]
    Begin {
        /// Name of the file.
        file: FileName,
        /// Why.
        source: S3Error,
    },
    /// A part could not be sent, retries included.
    #[error("part {number} of {count} of {file} could not be sent")]
    Part {
        /// Name of the file.
        file: FileName,
        /// Number of the part, from 1.
        number: i32,
        /// Parts in all.
        count: u64,
        /// Why.
        source: S3Error,
    },
    /// S3 has not confirmed every byte. Completing would make a shorter file without any error (`jamf-pro-api.md §9.5`).
    #[error("S3 confirmed {parts} parts and {bytes} bytes of {file}, which has {count} and {size}")]
    Unconfirmed {
        /// Name of the file.
        file: FileName,
        /// Parts confirmed with an ETag.
        parts: u64,
        /// Bytes in them.
        bytes: u64,
        /// Parts in all.
        count: u64,
        /// Bytes in all.
        size: u64,
    },
    /// The old file could not be deleted, and is still there.
    #[error("the old {file} could not be deleted; it is still there, and the new one was not put in place")]
    Delete {
        /// Name of the file.
        file: FileName,
        /// Why.
        source: Box<jamf::Error>,
    },
    /// S3 did not make a file of the parts. Nothing had been deleted.
    #[error("S3 did not put {file} together; nothing was deleted for it")]
    NotCompleted {
        /// Name of the file.
        file: FileName,
        /// Why.
        source: S3Error,
    },
    /// S3 did not make a file of the parts, after the old file had gone.
    #[error("{file} IS MISSING: the old file was deleted, and S3 did not put the new one together")]
    Lost {
        /// Name of the file.
        file: FileName,
        /// Why.
        source: S3Error,
    },
}

impl Error {
    /// Whether S3 may still complete the upload: it was asked to, and nobody knows what it did.
    pub(crate) fn is_undecided(&self) -> bool {
        matches!(self, Self::Lost { source, .. } | Self::NotCompleted { source, .. } if source.may_pass())
    }
}

impl Diagnose for Error {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Input(_) | Self::Endpoint { .. } => FailureKind::Recipe,
            Self::File(source) => source.kind(),
            Self::TooLarge { .. } | Self::Changed { .. } => FailureKind::Local,
            Self::Interrupted { .. } => FailureKind::Interrupted,
            Self::List { source, .. } | Self::Delete { source, .. } => source.kind(),
            Self::Begin { source, .. } | Self::Part { source, .. } => source.kind(),
            Self::NotCompleted { source, .. } => source.kind(),
            Self::Unconfirmed { .. } | Self::Lost { .. } => FailureKind::Remote,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Input(_) | Self::TooLarge { .. } | Self::Interrupted { .. } => None,
            Self::Endpoint { .. } => Some("leave it unset to reach Amazon's S3".into()),
            Self::File(source) => source.hint(),
            Self::Changed { .. } => Some("run again when nothing writes to the file any more".into()),
            Self::List { source, .. } | Self::Delete { source, .. } => source.hint(),
            Self::Begin { source, .. } | Self::Part { source, .. } => source.hint(),
            Self::NotCompleted { source, .. } => source.hint(),
            Self::Unconfirmed { .. } => Some("run again; if it happens again, please report it".into()),
            Self::Lost { .. } => Some(
                "run the same again at once: it sends the file anew. Until then computers cannot install it"
                    .into(),
            ),
        }
    }
}
