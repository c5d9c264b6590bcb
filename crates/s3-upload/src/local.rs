//! The local file: still the one that was looked at.

use crate::Error;
use fingerprint::FileIdentity;
use std::fs::File;
use std::path::{Path, PathBuf};

/// A file as it was when the upload was planned.
#[derive(Debug)]
pub(crate) struct LocalFile {
    path: PathBuf,
    identity: FileIdentity,
}

impl LocalFile {
    pub(crate) fn look(path: PathBuf) -> Result<Self, Error> {
        let identity = FileIdentity::of(&path)?;
        // A file that may not be read shows its size all the same, and a plan has to fail where applying would.
        if let Err(source) = File::open(&path) {
            return Err(fingerprint::Error::Read { path, source }.into());
        }
        Ok(Self { path, identity })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn size(&self) -> u64 {
        self.identity.size
    }

    pub(crate) fn identity(&self) -> FileIdentity {
        self.identity
    }

    /// Its path, as it is written down for later runs.
    pub(crate) fn absolute(&self) -> PathBuf {
        std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone())
    }

    /// Whether nobody has touched it since the plan.
    pub(crate) fn check_unchanged(&self) -> Result<(), Error> {
        self.is(FileIdentity::of(&self.path)?)
    }

    /// Whether this is the file as it was planned.
    pub(crate) fn is(&self, now: FileIdentity) -> Result<(), Error> {
        if now == self.identity { Ok(()) } else { Err(Error::Changed { path: self.path.clone() }) }
    }
}
