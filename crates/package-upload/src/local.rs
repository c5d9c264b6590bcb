use crate::Error;
use fingerprint::FileIdentity;
use std::fs::File;
use std::path::{Path, PathBuf};

/// The local file as it was when the upload was planned.
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

    /// Whether nobody has touched it since the plan.
    pub(crate) fn is_unchanged(&self) -> Result<bool, Error> {
        Ok(FileIdentity::of(&self.path)? == self.identity)
    }
}
