use crate::faults::Faults;
use crate::grant::{Desk, Grant, Landed};
use crate::journal::Journal;
use crate::version::Version;
use crate::world::{Arrival, Content, Disk, StoredFile, Told, World, earlier, later};
use crate::{Config, Error, Fault, JcdsGone, Request};
use jiff::Timestamp;
use pipeline::BoxFuture;
use sha3::{Digest as _, Sha3_512};
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What both sides and the [`Sandbox`](crate::Sandbox) share.
pub(crate) struct Core {
    pub config: Config,
    pub version: Version,
    pub journal: Journal,
    pub faults: Faults,
    /// Key of the signatures of download addresses.
    seal: String,
    disk: Disk,
    world: Mutex<World>,
}

impl Core {
    pub(crate) fn open(config: Config) -> Result<Self, Error> {
        let version = config.parsed_version()?;
        let (disk, world) = Disk::open(&config.data)?;
        let faults = config.faults.iter().copied().collect();
        let core = Self {
            config,
            version,
            journal: Journal::default(),
            faults,
            seal: uuid::Uuid::new_v4().to_string(),
            disk,
            world: Mutex::new(world),
        };
        core.remember();
        Ok(core)
    }

    /// The world as it is now: what time brought has happened. Never held across an await.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        let mut world = self.lock();
        let gone = world.catch_up(self.now());
        self.discard(&gone);
        world
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends a write: the world goes to disk. A few kilobytes, so the thread may wait for it.
    pub(crate) fn save(&self) -> io::Result<()> {
        self.remember();
        self.disk.save(&self.world())
    }

    /// Until when the nodes that nobody wrote to have heard of changes, if there are any.
    pub(crate) fn heard(&self) -> Option<Timestamp> {
        let behind = self.config.stale_reads;
        (!behind.is_zero()).then(|| earlier(self.now(), behind))
    }

    /// Keeps the records as they are now for those nodes.
    pub(crate) fn remember(&self) {
        if let Some(heard) = self.heard() {
            self.world().remember(self.now(), heard);
        }
    }

    /// How JCDS calls are answered if the server no longer has them.
    pub(crate) fn jcds_gone(&self) -> Option<JcdsGone> {
        let by_version = (!self.version.has_jcds()).then_some(JcdsGone::NotFound);
        self.config.jcds_gone.or(by_version)
    }

    /// Where a blob is.
    pub(crate) fn blob(&self, name: &str) -> PathBuf {
        self.disk.blob(name)
    }

    /// Where uploads are written until they are complete.
    pub(crate) fn incoming(&self) -> PathBuf {
        self.disk.incoming()
    }

    /// Deletes the bytes of files that are no longer in the world. Downloads that are under way go on.
    pub(crate) fn discard(&self, files: &[StoredFile]) {
        for file in files {
            if let Err(error) = std::fs::remove_file(self.blob(&file.content.blob)) {
                tracing::warn!(file = file.name, %error, "the bytes of a deleted file stay on disk");
            }
        }
    }

    /// A signature over `text` that only this process can make.
    pub(crate) fn sign(&self, text: &str) -> String {
        // Keccak takes the key as a prefix; it needs no HMAC around it.
        hex::encode(&Sha3_512::new().chain_update(&self.seal).chain_update(text).finalize()[..32])
    }

    /// Puts a file in, listed and ready at once, in the place of one that has its name.
    pub(crate) fn put_file(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let blob = Disk::new_blob();
        std::fs::write(self.blob(&blob), bytes)?;
        let content = Content {
            blob,
            size: bytes.len() as u64,
            md5: hex::encode(md5::Md5::digest(bytes)),
            sha3: hex::encode(Sha3_512::digest(bytes)),
            told: None,
        };
        let now = self.now();
        let mut world = self.world();
        let replaced = world.files.remove(name);
        world.files.add(name, content, Arrival::at_once(now));
        drop(world);
        self.discard(&replaced);
        Ok(())
    }

    /// Takes the bytes of a finished upload over; from now on it goes the way of all files, by the configured delays.
    pub(crate) fn take_in(&self, name: &str, object: &Landed, taken: TakenName) -> io::Result<()> {
        if self.faults.plays(|fault| fault == Fault::NeverListed) {
            return std::fs::remove_file(&object.blob);
        }
        let blob = Disk::new_blob();
        std::fs::rename(&object.blob, self.blob(&blob))?;
        let others =
            || Told { md5: hex::encode(object.md5.map(|b| !b)), sha3: hex::encode(object.sha3.map(|b| !b)) };
        let mut content = Content {
            blob,
            size: object.size,
            md5: hex::encode(object.md5),
            sha3: hex::encode(object.sha3),
            told: None,
        };
        if self.faults.plays(|fault| fault == Fault::SizeZero) {
            content.size = 0;
        }
        if self.faults.plays(|fault| fault == Fault::WrongDigest) {
            Told { md5: content.md5, sha3: content.sha3 } = others();
        }
        if self.faults.plays(|fault| fault == Fault::RecordDigestWrong) {
            content.told = Some(others());
        }
        let arrival = self.arrival();
        let mut world = self.world();
        match taken {
            TakenName::IsNumbered => drop(world.files.add(name, content, arrival)),
            TakenName::IsReplaced => world.files.replace(name, content, arrival),
        }
        drop(world);
        self.save()
    }

    /// When an object that lands now becomes known.
    fn arrival(&self) -> Arrival {
        let late = self.faults.play(|fault| match fault {
            Fault::ListedLate(seconds) => Some(Duration::from_secs(seconds)),
            _ => None,
        });
        let size_late = self.faults.play(|fault| match fault {
            Fault::DigestBeforeSize(seconds) => Some(Duration::from_secs(seconds)),
            _ => None,
        });
        let listed_at = later(self.now(), late.unwrap_or(self.config.listed_after));
        Arrival {
            listed_at,
            ready_at: later(listed_at, self.config.ready_after),
            sized_at: later(listed_at, size_late.unwrap_or(self.config.hash_before_size)),
        }
    }
}

/// What becomes of an upload under a name that another file has (`jamf-pro-api.md §12`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TakenName {
    /// It gets a number, and the other one stays: uploads over S3.
    IsNumbered,
    /// It takes the other one's place: uploads over the Pro API.
    IsReplaced,
}

impl Desk for Core {
    fn now(&self) -> Timestamp {
        self.config.clock.now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.config.clock.sleep(duration)
    }

    fn faults(&self) -> &Faults {
        &self.faults
    }

    fn grant(&self, access_key_id: &str) -> Option<Grant> {
        self.lock().grants.get(access_key_id).cloned()
    }

    fn landed(&self, object: Landed) {
        // The last part of the key: the service knows no paths (`jamf-pro-api.md §7.1`).
        let name = object.key.rsplit('/').next().unwrap_or_default();
        if let Err(error) = self.take_in(name, &object, TakenName::IsNumbered) {
            tracing::error!(key = object.key, %error, "a finished upload could not be taken in");
        }
    }

    fn record(&self, request: Request) {
        self.journal.record(request);
    }
}
