use crate::{
    Comparison, DigestState, Error, Expected, FileIdentity, Fingerprint, Start, compare_with, digest,
    digest_from,
};
use jiff::Timestamp;
use pipeline::{Gate, Permit};
use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

/// Where digests are remembered between runs. Remembering is a favour: what is lost is computed again.
pub trait Memory: Send + Sync + 'static {
    /// The digests of the file that was at `path` with this identity.
    fn recall(&self, path: &Path, identity: &FileIdentity) -> Option<Fingerprint>;
    /// Remembers them.
    fn remember(&self, path: &Path, identity: &FileIdentity, fingerprint: Fingerprint);
}

/// Digests of files, read from the file only if they are not remembered.
///
/// What this value and its clones have computed themselves they recall until the run ends, also where nothing is remembered
/// longer: one package may go to several servers.
#[derive(Clone, Default)]
pub struct Digests {
    memory: Option<Arc<dyn Memory>>,
    recalls: bool,
    this_run: Arc<Mutex<HashMap<PathBuf, (FileIdentity, Fingerprint)>>>,
    gate: Option<Gate>,
}

impl Digests {
    /// Digests that are remembered there. With `rehash`, what earlier runs remembered is not believed, but replaced.
    #[must_use]
    pub fn new(memory: Arc<dyn Memory>, rehash: bool) -> Self {
        Self { memory: Some(memory), recalls: !rehash, ..Self::default() }
    }

    /// The same, with only so many files read at a time as the gate lets through. Each takes two threads; what is remembered
    /// waits for nobody.
    #[must_use]
    pub fn behind(self, gate: Gate) -> Self {
        Self { gate: Some(gate), ..self }
    }

    /// What is remembered of the file that is at `path` now. It is not opened.
    ///
    /// # Errors
    /// When there is no file that can be sent.
    pub fn known(&self, path: &Path) -> Result<Option<Fingerprint>, Error> {
        let identity = FileIdentity::of(path)?;
        Ok(self.recall(path, &identity))
    }

    /// As [`digest()`], unless the digests are remembered. What was written just before `now` is not remembered, because it
    /// may be written to again without its times showing it.
    ///
    /// # Errors
    /// As [`digest()`].
    pub async fn digest(
        &self,
        path: &Path,
        now: impl Fn() -> Timestamp,
        progress: impl Fn(u64) + Send + Sync + 'static,
        cancel: &CancellationToken,
    ) -> Result<(Fingerprint, FileIdentity), Error> {
        let _place = match self.look(path, cancel).await? {
            Look::Known(known, identity) => return Ok((known, identity)),
            Look::Read { place, .. } => place,
        };
        let begun = now();
        let (fingerprint, identity) = digest(path, progress, cancel).await?;
        self.remember(path, &identity, fingerprint, begun);
        Ok((fingerprint, identity))
    }

    /// As [`digest_from`], unless the digests are remembered.
    ///
    /// # Errors
    /// As [`digest_from`].
    pub async fn digest_from(
        &self,
        path: &Path,
        start: Start,
        save: impl Fn(DigestState) + Send + Sync + 'static,
        progress: impl Fn(u64) + Send + Sync + 'static,
        cancel: &CancellationToken,
    ) -> Result<Fingerprint, Error> {
        let Start { identity, begun, .. } = start;
        let _place = match self.look(path, cancel).await? {
            Look::Known(known, found) if found == identity => return Ok(known),
            // Another file than the start is about is refused below, before anything of it is read.
            Look::Known(..) => None,
            Look::Read { place, .. } => place,
        };
        let fingerprint = digest_from(path, start, save, progress, cancel).await?;
        self.remember(path, &identity, fingerprint, begun);
        Ok(fingerprint)
    }

    /// As [`compare_with`], unless the digests are remembered.
    ///
    /// # Errors
    /// As [`compare_with`].
    pub async fn compare_with(
        &self,
        path: &Path,
        expected: Expected,
        now: impl Fn() -> Timestamp,
        progress: impl Fn(u64) + Send + Sync + 'static,
        cancel: &CancellationToken,
    ) -> Result<Comparison, Error> {
        let (identity, _place) = match self.look(path, cancel).await? {
            Look::Known(known, _) => return Ok(expected.compare(known)),
            Look::Read { identity, place } => (identity, place),
        };
        let begun = now();
        let comparison = compare_with(path, expected, progress, cancel).await?;
        if let Comparison::Equal { fingerprint } | Comparison::Sha3Differs { fingerprint } = comparison
            // The comparison has made sure that the file is still the one that it opened.
            && FileIdentity::of(path)? == identity
        {
            self.remember(path, &identity, fingerprint, begun);
        }
        Ok(comparison)
    }

    fn this_run(&self) -> MutexGuard<'_, HashMap<PathBuf, (FileIdentity, Fingerprint)>> {
        self.this_run.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is remembered of the file, else a place to read it. Whoever had to wait for the place looks again: somebody else may
    /// have read the same file meanwhile.
    async fn look(&self, path: &Path, cancel: &CancellationToken) -> Result<Look, Error> {
        let found = || {
            let identity = FileIdentity::of(path)?;
            Ok((identity, self.recall(path, &identity)))
        };
        let place = match (found()?, &self.gate) {
            ((identity, Some(known)), _) => return Ok(Look::Known(known, identity)),
            ((identity, None), None) => return Ok(Look::Read { identity, place: None }),
            (_, Some(gate)) => gate.enter(cancel).await.ok_or_else(|| Error::interrupted(path))?,
        };
        Ok(match found()? {
            (identity, Some(known)) => Look::Known(known, identity),
            (identity, None) => Look::Read { identity, place: Some(place) },
        })
    }

    fn recall(&self, path: &Path, identity: &FileIdentity) -> Option<Fingerprint> {
        let path = absolute(path);
        if let Some((known, fingerprint)) = self.this_run().get(&path)
            && known == identity
        {
            return Some(*fingerprint);
        }
        let memory = self.memory.as_ref().filter(|_| self.recalls)?;
        memory.recall(&path, identity)
    }

    fn remember(&self, path: &Path, identity: &FileIdentity, fingerprint: Fingerprint, now: Timestamp) {
        if identity.settled_for_a_run(now) {
            self.this_run().insert(absolute(path), (*identity, fingerprint));
        }
        if let Some(memory) = &self.memory
            && identity.settled_by(now)
        {
            memory.remember(&absolute(path), identity, fingerprint);
        }
    }
}

enum Look {
    Known(Fingerprint, FileIdentity),
    Read {
        identity: FileIdentity,
        /// None where any number of files may be read at a time.
        place: Option<Permit>,
    },
}

/// A path that means the same in every folder.
fn absolute(path: &Path) -> std::path::PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

impl fmt::Debug for Digests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { recalls, gate, .. } = self;
        f.debug_struct("Digests").field("recalls", recalls).field("gate", gate).finish_non_exhaustive()
    }
}
