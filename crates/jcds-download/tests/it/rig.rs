//! A client with a clock that does not wait, and a folder.

use crate::cdn::Cdn;
use jcds_download::{AddressSource, Error, Fetched, Options, Wanted, fetch};
use md5::Digest as _;
use pipeline::{
    Access, Activity, Boundary, Context, Diagnose, Event, Listener, Md5, Occurrence, Progress, Sha3_512,
    SimulatedClock,
};
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use url::Url;

pub const KIB: usize = 1 << 10;
/// Ranges of tests are smaller than real ones.
pub const RANGE: usize = 64 * KIB;

/// Bytes that are the same every time, and of which no piece equals another.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut bytes = vec![0; length];
    random.fill(&mut bytes);
    bytes
}

/// The bytes as a list tells of them.
pub fn wanted(bytes: &[u8]) -> Wanted {
    Wanted {
        name: "App.pkg".parse().unwrap(),
        size: bytes.len() as u64,
        md5: Some(Md5::from_bytes(md5::Md5::digest(bytes).into())),
        sha3_512: Some(Sha3_512::from_bytes(sha3::Sha3_512::digest(bytes).into())),
    }
}

/// Hands out addresses of one server, each with a number, and counts them.
pub struct Desk {
    url: String,
    pub asked: AtomicUsize,
}

impl Desk {
    pub fn at(cdn: &Cdn) -> Self {
        Self { url: cdn.url.clone(), asked: AtomicUsize::new(0) }
    }

    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl AddressSource for Desk {
    type Error = pipeline::EnvError;

    async fn address(&self, _cx: &Context) -> Result<Url, Self::Error> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        // Others that were refused by the same address arrive meanwhile.
        tokio::task::yield_now().await;
        Ok(format!("{}?address={number}", self.url).parse().unwrap())
    }
}

/// What a test does when something moves.
type Reaction = Box<dyn Fn(Progress) + Send>;

#[derive(Default)]
pub struct Ear {
    notices: Mutex<Vec<String>>,
    progress: Mutex<Vec<Progress>>,
    pub on_progress: Mutex<Option<Reaction>>,
}

impl Listener for Ear {
    fn on(&self, event: &Event) {
        match &event.what {
            Occurrence::Notice { message, .. } => self.notices.lock().unwrap().push(message.clone()),
            Occurrence::Progress(progress) => {
                self.progress.lock().unwrap().push(*progress);
                if let Some(react) = &*self.on_progress.lock().unwrap() {
                    react(*progress);
                }
            }
            _ => {}
        }
    }
}

impl Ear {
    pub fn notices(&self) -> Vec<String> {
        std::mem::take(&mut *self.notices.lock().unwrap())
    }

    pub fn downloading(&self) -> Vec<Progress> {
        let all = self.progress.lock().unwrap();
        all.iter().copied().filter(|progress| progress.activity == Activity::Downloading).collect()
    }
}

pub struct Rig {
    pub folder: TempDir,
    pub cx: Context,
    pub boundary: Arc<Boundary>,
    pub cancel: CancellationToken,
    pub ear: Arc<Ear>,
    pub options: Options,
}

impl Rig {
    pub fn new() -> Self {
        let clock = Arc::new(SimulatedClock::at("2026-11-20T12:00:00Z".parse().unwrap()));
        // What only reads is allowed in a dry run, and nothing here writes to a server.
        let boundary = Arc::new(Boundary::new(Access::ReadOnly));
        let (ear, cancel) = (Arc::new(Ear::default()), CancellationToken::new());
        let cx = Context::new(clock, boundary.clone(), ear.clone(), cancel.clone());
        let options = Options {
            range_size: NonZeroU64::new(RANGE as u64).unwrap(),
            // Long enough for a machine that has much else to do.
            stall: Duration::from_secs(60),
            ..Options::default()
        };
        Self { folder: tempfile::tempdir().unwrap(), cx, boundary, cancel, ear, options }
    }

    /// One range at a time, so that requests come in order.
    pub fn one_by_one() -> Self {
        let mut rig = Self::new();
        rig.options.concurrency = NonZeroUsize::MIN;
        rig
    }

    /// Stalls are noticed soon.
    pub fn impatient() -> Self {
        let mut rig = Self::new();
        rig.options.stall = Duration::from_millis(500);
        rig
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn target(&self) -> PathBuf {
        self.path("App.pkg")
    }

    pub async fn fetch(&self, source: &impl AddressSource, wanted: &Wanted) -> Result<Fetched, Error> {
        fetch(source, wanted, &self.target(), &self.options, &self.cx).await
    }

    /// Fetches these bytes, and sees to it that they are there and nothing else is.
    pub async fn succeeds(&self, cdn: &Cdn, bytes: &[u8]) -> Fetched {
        let fetched = self.fetch(&Desk::at(cdn), &wanted(bytes)).await.unwrap();
        assert!(std::fs::read(self.target()).unwrap() == bytes, "other bytes than were sent");
        assert_eq!(self.names(), ["App.pkg"]);
        fetched
    }

    /// Fetches these bytes, and shows why that fails.
    pub async fn fails(&self, cdn: &Cdn, bytes: &[u8]) -> String {
        let error = self.fetch(&Desk::at(cdn), &wanted(bytes)).await.unwrap_err();
        self.shown(error, cdn)
    }

    /// What a person sees of an error: message, causes, and what to do.
    pub fn shown(&self, error: Error, cdn: &Cdn) -> String {
        let kind = error.kind();
        let failure = pipeline::Failure::from(error);
        let hint = failure.hint().unwrap_or_else(|| "(no hint)".to_owned());
        let host = cdn.url.trim_start_matches("http://").trim_end_matches("/blob");
        format!("{kind:?}: {failure}\n{hint}")
            .replace(host, "CDN")
            .replace(self.folder.path().to_str().unwrap(), "FOLDER")
    }

    /// What the folder holds.
    pub fn names(&self) -> Vec<String> {
        let all = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> = all.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Lines of the journal that stand for ranges.
    pub fn noted(&self) -> Vec<usize> {
        let text = std::fs::read_to_string(self.path("App.pkg.part.ranges")).unwrap();
        let mut noted: Vec<usize> = text.lines().skip(1).map(|line| line.parse().unwrap()).collect();
        noted.sort_unstable();
        noted
    }

    /// Seconds since the start by the clock of the run.
    pub fn elapsed(&self) -> f64 {
        let start: jiff::Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        self.cx.clock().now().duration_since(start).as_secs_f64()
    }
}
