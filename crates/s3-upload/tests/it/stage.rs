//! A rehearsal server behind a [`Meddler`], a local file, and the two steps that send it.

use crate::meddler::{Fate, Meddler, Seen};
use jamf::Sessions;
use jcds_credentials::JcdsCredentials;
use pipeline::{
    Access, Activity, Applied, Boundary, Context, Env, Event, Failure, Level, Listener, Occurrence, Origin,
    Outcome, Place, Plan, Processor as _, Progress, SimulatedClock, Value, keys,
};
use s3_upload::{Memory, S3Upload};
pub use sandbox::noise as bytes;
use sandbox::{Config, Sandbox};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use tokio_util::sync::{CancellationToken, DropGuard};

pub const MIB: usize = 1 << 20;

pub struct Stage {
    pub sandbox: Sandbox,
    pub clock: Arc<SimulatedClock>,
    pub cancel: CancellationToken,
    pub meddler: Meddler,
    pub ear: Arc<Ear>,
    pub boundary: Arc<Boundary>,
    /// From which it sends, if it matters.
    pub place: Option<Place>,
    /// What outlasts an upload; a new run of the program has another one.
    pub memory: Memory,
    env: Env,
    folder: TempDir,
    _ports: [DropGuard; 2],
}

impl Stage {
    pub async fn open() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(adjust: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(SimulatedClock::at("2026-11-20T12:00:00Z".parse().unwrap()));
        let mut config = Config::new(folder.path().join("server"), clock.clone());
        adjust(&mut config);
        let sandbox = Sandbox::start(contract::watched(config)).await.unwrap();

        let meddler = Meddler::default();
        let mut env = sandbox.env();
        let mut before = async |name: &str, address: &str| {
            let upstream = address.strip_prefix("http://").unwrap().parse().unwrap();
            let (port, guard) = meddler.before(upstream).await;
            env.insert(name, Value::String(format!("http://{port}")), Origin::Sandbox, false);
            guard
        };
        let ports = [
            before("JSS_URL", &sandbox.connection().jss_url).await,
            before("PKGFERRY_S3_ENDPOINT", &sandbox.connection().s3_endpoint).await,
        ];
        Self {
            sandbox,
            clock,
            cancel: CancellationToken::new(),
            meddler,
            ear: Arc::default(),
            boundary: Arc::new(Boundary::new(Access::ReadWrite)),
            place: None,
            memory: Memory::of_one_run().unwrap(),
            env,
            folder,
            _ports: ports,
        }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("local.pkg")
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.env.insert(name, Value::String(value.to_owned()), Origin::CommandLine, false);
    }

    pub fn context(&self) -> Context {
        let boundary = Arc::clone(&self.boundary);
        let cx = Context::new(self.clock.clone(), boundary, self.ear.clone(), self.cancel.clone());
        match &self.place {
            Some(place) => cx.sending_from(place),
            None => cx,
        }
    }

    /// The environment for a local file with these bytes that is to be called `name`.
    pub fn env(&self, name: &str, bytes: &[u8]) -> Env {
        std::fs::write(self.path(), bytes).unwrap();
        self.env_of(name)
    }

    /// The same for the local file as it is.
    pub fn env_of(&self, name: &str) -> Env {
        let mut env = self.env.clone();
        env.set(keys::PKG_PATH, self.path(), Origin::CommandLine);
        env.set(keys::PKG_NAME, name.parse().unwrap(), Origin::CommandLine);
        env
    }

    /// Sends the local file as it is.
    pub async fn send_again(&self, name: &str) -> Result<Sent, Failure> {
        self.send_after(self.env_of(name), |_| {}).await
    }

    /// Sends another file.
    pub async fn send_file(&self, path: &Path, name: &str, bytes: &[u8]) -> Result<Sent, Failure> {
        std::fs::write(path, bytes).unwrap();
        let mut env = self.env_of(name);
        env.set(keys::PKG_PATH, path.to_owned(), Origin::CommandLine);
        self.send_after(env, |_| {}).await
    }

    /// Sends another file as another run of the program does it, on another machine.
    pub async fn send_elsewhere(&self, path: &Path, name: &str, bytes: &[u8]) -> Result<Sent, Failure> {
        std::fs::write(path, bytes).unwrap();
        let mut env = self.env_of(name);
        env.set(keys::PKG_PATH, path.to_owned(), Origin::CommandLine);
        let sessions = Arc::new(Sessions::new(jamf::Config::default()).unwrap());
        self.send_with(&Memory::of_one_run().unwrap(), sessions, env, |_| {}).await
    }

    /// Writes the local file, obtains credentials and sends it.
    pub async fn send(&self, name: &str, bytes: &[u8]) -> Result<Sent, Failure> {
        let env = self.env(name, bytes);
        self.send_after(env, |_| {}).await
    }

    /// The same; `meanwhile` happens between plan and apply, and may change what the first step put out.
    pub async fn send_after(&self, env: Env, meanwhile: impl FnOnce(&mut Env)) -> Result<Sent, Failure> {
        let sessions = Arc::new(Sessions::new(jamf::Config::default()).unwrap());
        self.send_within(sessions, env, meanwhile).await
    }

    /// The same within a run that may know the server for long.
    pub async fn send_within(
        &self,
        sessions: Arc<Sessions>,
        env: Env,
        meanwhile: impl FnOnce(&mut Env),
    ) -> Result<Sent, Failure> {
        self.send_with(&self.memory, sessions, env, meanwhile).await
    }

    async fn send_with(
        &self,
        memory: &Memory,
        sessions: Arc<Sessions>,
        mut env: Env,
        meanwhile: impl FnOnce(&mut Env),
    ) -> Result<Sent, Failure> {
        let cx = self.context();
        let credentials = JcdsCredentials::new(Arc::clone(&sessions), memory.state.clone());
        let upload = S3Upload::new(sessions, memory.clone());
        let Plan::Pending { work: obtain, .. } = credentials.plan(&env, &cx).await? else {
            panic!("skipped")
        };
        let planned = upload.plan(&env, &cx).await?;
        let Plan::Pending { work, changes, .. } = planned else { panic!("skipped") };
        env.overlay(&credentials.apply(obtain, &env, &cx).await?.outputs.from_step(1));
        meanwhile(&mut env);
        let applied = upload.apply(work, &env, &cx).await?;
        let change = changes.iter().map(ToString::to_string).collect();
        Ok(Sent { change, outputs: applied.outputs.from_step(2), applied })
    }

    /// Sends while requests meet the fates that `rule` gives them.
    pub async fn send_through(
        &self,
        name: &str,
        bytes: &[u8],
        rule: impl FnMut(&Seen) -> Fate + Send + 'static,
    ) -> Result<Sent, Failure> {
        self.meddler.rule(rule);
        self.send(name, bytes).await
    }

    /// The server has exactly this file under this name.
    pub fn assert_holds(&self, name: &str, bytes: &[u8]) {
        let listed: Vec<_> = self.sandbox.files().into_iter().filter(|file| file.name == name).collect();
        assert_eq!(listed.len(), 1, "{name} is listed once");
        assert!(self.sandbox.bytes_of(name).unwrap() == bytes, "the bytes of {name} are the expected ones");
    }

    pub fn listed(&self) -> Vec<String> {
        let mut names: Vec<_> = self.sandbox.files().into_iter().map(|file| file.name).collect();
        names.sort_unstable();
        names
    }

    /// What the list of the distribution service says now.
    pub fn list_json(&self) -> String {
        let files = self.sandbox.files().into_iter().map(|file| {
            let (name, size, md5, sha3) = (file.name, file.size, file.md5, file.sha3);
            format!(
                r#"{{"fileName":"{name}","length":{size},"md5":"{md5}","region":"us-east-1","sha3":"{sha3}"}}"#
            )
        });
        format!("[{}]", files.collect::<Vec<_>>().join(","))
    }
}

/// An upload that went through.
#[derive(Debug)]
pub struct Sent {
    pub change: String,
    pub applied: Applied,
    pub outputs: Env,
}

impl Sent {
    /// The outcome with its hint.
    pub fn told(&self) -> String {
        match &self.applied.outcome {
            Outcome::Warned { hint: Some(hint), .. } => format!("{}\nhint: {hint}", self.applied.outcome),
            outcome => outcome.to_string(),
        }
    }
}

/// The failure with its causes, its hint and its kind.
pub fn failed(failure: &Failure) -> String {
    let hint = failure.hint().map_or_else(String::new, |hint| format!("\nhint: {hint}"));
    without_ports(&format!("{failure}{hint}\n{:?}", failure.kind()))
}

/// Ports differ from run to run.
pub fn without_ports(text: &str) -> String {
    let mut shown = String::new();
    let mut pieces = text.split("127.0.0.1:");
    shown.push_str(pieces.next().unwrap());
    for piece in pieces {
        shown.push_str("S3");
        shown.push_str(piece.trim_start_matches(|letter: char| letter.is_ascii_digit()));
    }
    shown
}

/// Hears everything, and can do something at a point of the progress.
#[derive(Default)]
pub struct Ear {
    events: Mutex<Vec<Occurrence>>,
    #[expect(clippy::type_complexity, reason = "one field of one test helper")]
    on_progress: Mutex<Option<Box<dyn FnMut(Progress) + Send>>>,
    #[expect(clippy::type_complexity, reason = "one field of one test helper")]
    on_hashing: Mutex<Option<Box<dyn FnMut(u64) + Send>>>,
}

impl Ear {
    pub fn on_progress(&self, act: impl FnMut(Progress) + Send + 'static) {
        *self.on_progress.lock().unwrap() = Some(Box::new(act));
    }

    /// `act` is called by the thread that hashes, and by no other, so that it may hold it.
    pub fn on_hashing(&self, act: impl FnMut(u64) + Send + 'static) {
        *self.on_hashing.lock().unwrap() = Some(Box::new(act));
    }

    pub fn warnings(&self) -> Vec<String> {
        self.notices(Level::Warning)
    }

    pub fn notices(&self, wanted: Level) -> Vec<String> {
        let events = self.events.lock().unwrap();
        let notices = events.iter().filter_map(|event| match event {
            Occurrence::Notice { level, message } if *level == wanted => Some(message.clone()),
            _ => None,
        });
        notices.collect()
    }

    /// The warnings without what differs from run to run: ports, and pauses that are cut at random.
    pub fn steady_warnings(&self) -> String {
        let each = self.warnings().into_iter().map(|warning| {
            let steady = match warning.split_once("trying again in ") {
                Some((why, rest)) => {
                    format!("{why}trying again in _{}", rest.trim_start_matches(|c| c != ' '))
                }
                None => warning,
            };
            without_ports(&steady)
        });
        each.collect::<Vec<_>>().join("\n")
    }

    pub fn progress(&self) -> Vec<Progress> {
        let events = self.events.lock().unwrap();
        let progress = events.iter().filter_map(|event| match event {
            Occurrence::Progress(progress) => Some(*progress),
            _ => None,
        });
        progress.collect()
    }
}

impl Listener for Ear {
    fn on(&self, event: &Event) {
        if let Occurrence::Progress(Progress { activity: Activity::Hashing, done, .. }) = event.what
            && let Some(act) = &mut *self.on_hashing.lock().unwrap()
        {
            act(done);
        }
        if let (Occurrence::Progress(progress), Some(act)) =
            (&event.what, &mut *self.on_progress.lock().unwrap())
        {
            act(*progress);
        }
        self.events.lock().unwrap().push(event.what.clone());
    }
}
