use pipeline::{Diagnose, FailureKind};
use std::io;
use std::path::{Path, PathBuf};

/// A file has no fingerprint.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not there, or may not be read, or the disk failed.
    #[error("cannot read {path}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is a folder; older packages are (`jamf-pro-api.md §12`).
    #[error("{path} is a folder, not a file")]
    Folder {
        /// Which.
        path: PathBuf,
    },
    /// It is a device, a socket or a pipe.
    #[error("{path} is not a regular file")]
    NotRegular {
        /// Which.
        path: PathBuf,
    },
    /// It has no bytes.
    #[error("{path} is empty")]
    Empty {
        /// Which.
        path: PathBuf,
    },
    /// Somebody wrote to it, or put another file in its place.
    #[error("{path} changed while it was read")]
    Changed {
        /// Which.
        path: PathBuf,
    },
    /// Whoever writes it ended before all of it was there.
    #[error("{path} was left incomplete: {ready} of {size} bytes were written")]
    Incomplete {
        /// Which.
        path: PathBuf,
        /// Bytes from the start that are there.
        ready: u64,
        /// Bytes that it was to have.
        size: u64,
    },
    /// The reading was cancelled.
    #[error("reading {path} was interrupted")]
    Interrupted {
        /// Which.
        path: PathBuf,
    },
}

impl Error {
    pub(crate) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        |source| Self::Read { path: path.to_owned(), source }
    }

    pub(crate) fn interrupted(path: &Path) -> Self {
        Self::Interrupted { path: path.to_owned() }
    }
}

impl Diagnose for Error {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Interrupted { .. } => FailureKind::Interrupted,
            _ => FailureKind::Local,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Folder { .. } => {
                "a bundle package is a folder: zip it first, and name the zip file instead"
            }
            Self::Empty { .. } => "an empty file installs nothing: look at the step that made it",
            Self::Read { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                "check pkg_path; what makes the package may not have run, or may have made it elsewhere"
            }
            Self::Changed { .. } => "run again when nothing writes to the file any more",
            Self::Read { .. }
            | Self::NotRegular { .. }
            | Self::Incomplete { .. }
            | Self::Interrupted { .. } => return None,
        };
        Some(hint.to_owned())
    }
}
