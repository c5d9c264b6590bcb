use crate::Problem;
use crate::problem::place;
use pipeline::{Diagnose, EnvError, FailureKind, FileName, Md5, Refused, Sha3_512};
use std::io;
use std::path::PathBuf;

/// A file was not downloaded.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An input is wrong.
    #[error(transparent)]
    Input(#[from] EnvError),
    /// The list of the distribution service could not be read.
    #[error(transparent)]
    Jamf(#[from] jamf::Error),
    /// The distribution service has no such file.
    #[error("the distribution service lists no file {file}")]
    NotListed {
        /// Its name.
        file: FileName,
        /// Names that look alike.
        similar: Vec<String>,
    },
    /// Several listed names are one name to a person; which of them is meant nobody may guess.
    #[error(
        "the distribution service lists {} files whose names differ only in how their characters are encoded: {}",
        names.len(),
        list(names)
    )]
    SeveralFiles {
        /// The names, as the server spells them.
        names: Vec<String>,
    },
    /// The list does not say how large the file is, or says that it is empty, which looks alike.
    #[error("the distribution service lists {file} without a size")]
    NoSize {
        /// Its name.
        file: FileName,
    },
    /// The folder is not there.
    #[error("there is no folder {}", .0.display())]
    NoFolder(PathBuf),
    /// A folder, a device or the like has the target's name.
    #[error("{} is not a file", .0.display())]
    NotAFile(PathBuf),
    /// The name cannot be that of a file on this machine.
    #[error("{file} cannot be the name of a file here; name the target file")]
    Unplaceable {
        /// The name.
        file: FileName,
    },
    /// The target is there, and nobody asked for it to be replaced.
    #[error("{} is there already: {why}", .target.display())]
    Exists {
        /// The target.
        target: PathBuf,
        /// What tells them apart.
        why: String,
    },
    /// The target was not there when the download began.
    #[error("{} is there now, and nobody asked to replace it; it was left alone", .target.display())]
    Appeared {
        /// The target.
        target: PathBuf,
    },
    /// Another download to the same target is at work.
    #[error("another download to {} is at work", .target.display())]
    Busy {
        /// The target.
        target: PathBuf,
    },
    /// The disk is too small.
    #[error("there is not enough room for {}, which takes {}{}", .path.display(), pipeline::size(*.size), free(*.available))]
    NoRoom {
        /// The file that needs it.
        path: PathBuf,
        /// How many bytes.
        size: u64,
        /// Bytes that are free, where that is known.
        available: Option<u64>,
        /// What the system says.
        source: Option<io::Error>,
    },
    /// Something about a local file failed.
    #[error("cannot {action} {}", .path.display())]
    Disk {
        /// What failed.
        action: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file has no address.
    #[error("there is no address to download {file} from")]
    Address {
        /// Its name.
        file: FileName,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
        /// What a caller does about it.
        kind: FailureKind,
        /// What a person can do about it.
        hint: Option<String>,
    },
    /// The address is none that may be asked. It is not shown: it is a key to the file.
    #[error("the address to download {file} from cannot be used: {reason}")]
    UnusableAddress {
        /// Its name.
        file: FileName,
        /// Why not.
        reason: &'static str,
    },
    /// The HTTP client cannot be built.
    #[error("cannot set up the HTTP client")]
    Client(#[source] reqwest::Error),
    /// The boundary does not let a request pass.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// A range did not come, retries included.
    #[error("{} of {file} did not come whole", place(*.start, *.end))]
    Range {
        /// Name of the file.
        file: FileName,
        /// Its first byte.
        start: u64,
        /// The byte after its last one.
        end: u64,
        /// Why.
        source: Box<Problem>,
    },
    /// The bytes that came are not those that the list tells of.
    #[error("the bytes that came for {file} are not those of the listed file: {differs}; they were removed")]
    WrongDigest {
        /// Name of the file.
        file: FileName,
        /// Which digest.
        differs: Box<Differs>,
    },
    /// The bytes that came could not be read back.
    #[error(transparent)]
    Digest(#[from] fingerprint::Error),
    /// Somebody pressed Ctrl-C.
    #[error(
        "the download of {file} was interrupted; {} of {} are kept in {}",
        pipeline::size(*.kept),
        pipeline::size(*.size),
        .part.display()
    )]
    Interrupted {
        /// Name of the file.
        file: FileName,
        /// Bytes that are in place.
        kept: u64,
        /// Bytes in all.
        size: u64,
        /// Where they are.
        part: PathBuf,
    },
}

/// A digest that is not the expected one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Differs {
    /// MD5.
    Md5 {
        /// What the list says.
        expected: Md5,
        /// What came.
        got: Md5,
    },
    /// SHA3-512.
    Sha3_512 {
        /// What the list says.
        expected: Sha3_512,
        /// What came.
        got: Sha3_512,
    },
}

impl std::fmt::Display for Differs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Md5 { expected, got } => write!(f, "MD5 {got} came, {expected} is listed"),
            Self::Sha3_512 { expected, got } => write!(f, "SHA3-512 {got} came, {expected} is listed"),
        }
    }
}

impl Error {
    pub(crate) fn no_address(file: &FileName, error: impl Diagnose) -> Self {
        let (kind, hint) = (error.kind(), error.hint());
        Self::Address { file: file.clone(), kind, hint, source: Box::new(error) }
    }
}

/// Names in which composed and decomposed characters do not look alike.
fn list(names: &[String]) -> String {
    names.iter().map(|name| name.escape_default().to_string()).collect::<Vec<_>>().join(", ")
}

fn free(available: Option<u64>) -> String {
    available.map(|available| format!(", and {} are free", pipeline::size(available))).unwrap_or_default()
}

impl Diagnose for Error {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Input(error) => error.kind(),
            Self::Jamf(error) => error.kind(),
            Self::Digest(error) => error.kind(),
            Self::Refused(error) => error.kind(),
            Self::Address { kind, .. } => *kind,
            Self::Unplaceable { .. } => FailureKind::Recipe,
            Self::NotListed { .. }
            | Self::SeveralFiles { .. }
            | Self::NoSize { .. }
            | Self::UnusableAddress { .. }
            | Self::Client(_)
            | Self::Range { .. }
            | Self::WrongDigest { .. } => FailureKind::Remote,
            Self::NoFolder(_)
            | Self::NotAFile(_)
            | Self::Exists { .. }
            | Self::Appeared { .. }
            | Self::Busy { .. }
            | Self::NoRoom { .. }
            | Self::Disk { .. } => FailureKind::Local,
            Self::Interrupted { .. } => FailureKind::Interrupted,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Input(error) => return error.hint(),
            Self::Jamf(error) => return error.hint(),
            Self::Digest(error) => return error.hint(),
            Self::Refused(error) => return error.hint(),
            Self::Address { hint, .. } => return hint.clone(),
            Self::Range { source, .. } => return Some(source.hint()),
            Self::NotListed { similar, .. } if !similar.is_empty() => {
                return Some(format!("did you mean {}?", similar.join(" or ")));
            }
            Self::NotListed { .. } => {
                "names are case-sensitive; a file that was sent a moment ago may not be listed yet"
            }
            Self::SeveralFiles { .. } => {
                "find out which of these files the package record serves, and delete the others; then run again"
            }
            Self::NoSize { .. } => {
                "if it was sent a moment ago, wait a minute and run again; if not, nothing landed: send the file again"
            }
            Self::NoFolder(_) => "make the folder first, or name another target",
            Self::NotAFile(_) => "name another target",
            Self::Exists { .. } => "to replace it, say --overwrite (in a recipe `overwrite: true`)",
            Self::Appeared { .. } => {
                "move it away, or say --overwrite, and run the same again: nothing is fetched again"
            }
            Self::Busy { .. } => "wait for it to end, or name another target",
            Self::NoRoom { .. } => "make room, or name a target on another disk",
            Self::Client(_) => {
                "check that the system has a store of certificate authorities (ca-certificates)"
            }
            Self::WrongDigest { .. } => {
                "run the same again; if it happens again, the file in the distribution service is damaged: send it \
                 again"
            }
            Self::Interrupted { .. } => "run the same again to go on",
            Self::Disk { .. } | Self::Unplaceable { .. } | Self::UnusableAddress { .. } => return None,
        };
        Some(hint.to_owned())
    }
}
