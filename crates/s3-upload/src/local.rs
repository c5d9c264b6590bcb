//! The local file: still the one that was looked at, and its digests.

use crate::Error;
use fingerprint::{FileIdentity, Fingerprint};
use pipeline::{Activity, Context};
use std::fs::File;
use std::path::{Path, PathBuf};
use tokio_util::sync::CancellationToken;

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

    /// Whether nobody has touched it since the plan.
    pub(crate) fn check_unchanged(&self) -> Result<(), Error> {
        self.is(FileIdentity::of(&self.path)?)
    }

    fn is(&self, now: FileIdentity) -> Result<(), Error> {
        if now == self.identity { Ok(()) } else { Err(Error::Changed { path: self.path.clone() }) }
    }

    /// Reads the file for its digests, and makes sure that what was read is the planned file.
    pub(crate) async fn fingerprint(&self, cx: &Context) -> Result<Fingerprint, Error> {
        let total = self.size();
        let voice = cx.clone();
        let progress = move |done| voice.progress(Activity::Hashing, done, total);
        // Ctrl-C drops this future, which ends the reading.
        let never = CancellationToken::new();
        let (fingerprint, identity) = fingerprint::digest(&self.path, progress, &never).await?;
        self.is(identity)?;
        Ok(fingerprint)
    }
}
