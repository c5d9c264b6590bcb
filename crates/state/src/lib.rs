//! What is remembered between runs, in one SQLite file: digests of local files, journals of uploads in flight, what each run
//! did, deliveries that are not proven yet, and notes.
//!
//! - [`State`] opens the file, or keeps everything in memory where nothing shall outlast the run. A damaged file is set
//!   aside, not repaired: no delivery depends on what is in it. A newer program's file is left alone.
//! - It is the [`Memory`](fingerprint::Memory) of digests; [`DigestCache`] tells how much that is, and prunes it.
//! - [`State::begin`] opens a [`Journal`] for an upload; [`State::take_over`] finds what a process left behind that died.
//!   Whether it died is told by a lock that the system takes away with the process, and by nothing else.
//! - [`History`] keeps runs, their packages and steps, as they happen: a [`RunLog`] and its [`PackageLog`]s write,
//!   and a run whose process died is told from one that goes on.
//! - [`State::keep_delivery`] remembers what was sent until somebody proves it, and a little longer: lists are late.
//! - [`State::lock_server`] makes a server, or a shard of its packages, one process's alone, and tells who has it.
//! - [`examine`] looks into a folder without mending anything; [`State::note`] keeps small texts.
//!
//! It stores and finds; what a left-over means is decided by who asks. There are no secrets in it.
//!
//! ```
//! use fingerprint::{FileIdentity, Fingerprint, Memory as _};
//! use pipeline::{Md5, Sha3_512};
//! use state::State;
//! # let path = std::path::Path::new("/tmp/Example.pkg");
//! # let identity = FileIdentity { size: 3, modified: 0, changed: 0, inode: 1, device: 1 };
//! # let md5 = Md5::from_bytes([0; 16]);
//! # let sha3_512 = Sha3_512::from_bytes([0; 64]);
//!
//! let state = State::in_memory()?;
//! state.remember(path, &identity, Fingerprint { size: 3, md5, sha3_512 });
//! assert!(state.recall(path, &identity).is_some());
//! # Ok::<(), state::Error>(())
//! ```

mod cache;
mod compact;
mod database;
mod deliveries;
mod digests;
mod error;
mod examine;
mod folder;
mod history;
mod journal;
mod life;
mod lock;
mod notes;
mod schema;
mod times;
mod uploads;

pub use cache::{CacheFacts, CacheKeep, CachePruned, CachedFiles, DigestCache};
pub use compact::Compacted;
pub use deliveries::{Arrival, Delivery, NewDelivery};
pub use error::Error;
pub use examine::{Examined, examine};
pub use history::{
    CommandLine, Cursor, Failed, History, HistoryKeep, HistoryPruned, InvalidRunId, NewPackage, NewRun,
    PackageEnd, PackageFacts, PackageLog, Page, RunDetail, RunEnding, RunId, RunLog, StepProgress,
    StoredFailure, StoredPackage, StoredRun, StoredStep, StoredWarning,
};
pub use journal::Journal;
pub use lock::{Claim, Held, Holder, ServerLock};
pub use notes::Note;
pub use uploads::{NewUpload, Phase, Place, StoredPart, StoredUpload};

use jiff::Timestamp;
use life::Life;
use rusqlite::Connection;
use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is remembered between runs. Clones share it.
#[derive(Clone)]
pub struct State {
    shared: Arc<Shared>,
}

struct Shared {
    database: Mutex<Connection>,
    life: Life,
    /// Where it is, if it outlasts the run.
    folder: Option<PathBuf>,
    /// Uploads that this process is working at.
    held: Mutex<HashSet<i64>>,
    /// Runs of this process that go on.
    running: Mutex<HashSet<i64>>,
    /// What counts as now for what is used; [`State::today`].
    today: Mutex<Option<Timestamp>>,
}

/// A state that was opened.
#[derive(Debug)]
pub struct Opened {
    /// It.
    pub state: State,
    /// Where the former file is now, if it was damaged.
    pub set_aside: Option<PathBuf>,
    /// Why nothing will be remembered after this run; of [`State::open_or_forget`] only.
    pub forgets: Option<Error>,
}

impl State {
    /// Opens the state in `folder`, which is made if missing, for this user alone. A folder that is open to several users
    /// stays so, and what is made in it is open to the same.
    ///
    /// # Errors
    /// When the folder or the file cannot be used, or a newer program has written the file.
    pub fn open(folder: &Path) -> Result<Opened, Error> {
        let life = Life::begin(folder)?;
        let (database, set_aside) = database::open(folder, life.follows_deaths())?;
        Ok(Opened { state: Self::new(database, life, Some(folder)), set_aside, forgets: None })
    }

    /// As [`open`](State::open); where that fails, a state in memory, so that the run goes on. Locks of servers still hold between
    /// processes if the folder can be used, and only the file cannot.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn open_or_forget(folder: &Path) -> Result<Opened, Error> {
        let life = match Life::begin(folder) {
            Ok(life) => life,
            Err(error) => {
                return Ok(Opened { state: Self::in_memory()?, set_aside: None, forgets: Some(error) });
            }
        };
        let (database, set_aside, forgets) = match database::open(folder, life.follows_deaths()) {
            Ok((database, set_aside)) => (database, set_aside, None),
            Err(error) => (database::in_memory()?, None, Some(error)),
        };
        Ok(Opened { state: Self::new(database, life, Some(folder)), set_aside, forgets })
    }

    /// A state that ends with this value and its clones.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn in_memory() -> Result<Self, Error> {
        Ok(Self::new(database::in_memory()?, Life::unrecorded(), None))
    }

    /// Says which day it is: what is used from now on counts as used at this moment. Ages are counted in days, so the time when a
    /// run begins will do for all of it, and [`History::begin_run`] says it. Until somebody says it, times of use are unknown.
    pub fn today(&self, now: Timestamp) {
        *self.shared.today.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    /// Whether another process will find what is written.
    #[must_use]
    pub fn outlasts_process(&self) -> bool {
        self.database().path().is_some_and(|path| !path.is_empty())
    }

    /// What runs did.
    #[must_use]
    pub fn history(&self) -> History {
        History::new(self.clone())
    }

    /// The digests that are remembered.
    #[must_use]
    pub fn digest_cache(&self) -> DigestCache {
        DigestCache::new(self.clone())
    }

    fn new(database: Connection, life: Life, folder: Option<&Path>) -> Self {
        let shared = Shared {
            database: Mutex::new(database),
            life,
            folder: folder.map(Path::to_owned),
            held: Mutex::default(),
            running: Mutex::default(),
            today: Mutex::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    fn moment(&self) -> Option<Timestamp> {
        *self.shared.today.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn running(&self) -> MutexGuard<'_, HashSet<i64>> {
        self.shared.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn database(&self) -> MutexGuard<'_, Connection> {
        self.shared.database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn held(&self) -> MutexGuard<'_, HashSet<i64>> {
        self.shared.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}
