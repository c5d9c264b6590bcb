use crate::{Held, RunId};
use pipeline::{Diagnose, FailureKind, Shard};
use std::io;
use std::path::PathBuf;

/// The state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A folder or file of it.
    #[error("cannot use {path}")]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A newer program wrote the file.
    #[error("{path} was written by a newer pkgferry (format {found}; this one knows {known})")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest format that is known here.
        known: i64,
    },
    /// SQLite refused.
    #[error("the state could not be read or written")]
    Database(#[from] rusqlite::Error),
    /// Another process works on a server.
    #[error("{0}")]
    Held(Held),
    /// Several runs have an id that begins so.
    #[error("{beginning:?} is the beginning of several runs: {}", .ids.iter().map(RunId::as_str).collect::<Vec<_>>().join(", "))]
    Ambiguous {
        /// What was asked for.
        beginning: String,
        /// Their ids, the newest first.
        ids: Vec<RunId>,
    },
    /// An entry is not what this program writes.
    #[error("an entry of the state is not understood: {what}")]
    Entry {
        /// What is wrong.
        what: &'static str,
    },
}

impl Error {
    pub(crate) fn folder(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| Self::Folder { path, source }
    }
}

impl Diagnose for Error {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Held(_) => FailureKind::Busy,
            _ => FailureKind::Local,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Newer { .. } => Some("update this pkgferry, or name another state folder".into()),
            Self::Folder { path, .. } => Some(format!(
                "name a state folder that can be written, or mend the rights of {}",
                path.display()
            )),
            Self::Held(Held { wanted, shard, by, .. }) => {
                let split = match (*wanted, *shard) {
                    (Shard::WHOLE, _) | (_, Shard::WHOLE) => "",
                    (wanted, shard) if wanted == shard => "",
                    _ => "; shards run side by side if all divide the packages by the same number",
                };
                Some(format!(
                    "wait until it has ended; if it hangs, end process {} on {}{split}",
                    by.pid, by.host
                ))
            }
            Self::Ambiguous { .. } => Some("write more of it".into()),
            Self::Database(_) | Self::Entry { .. } => None,
        }
    }
}
