//! A rehearsal server, a local file, and the step that sends it.

use jamf::Sessions;
use package_upload::PackageUpload;
use pipeline::{
    Access, Applied, Boundary, Context, Env, Event, Failure, Listener, Occurrence, Origin, Place, Plan,
    Processor as _, Progress, SimulatedClock, Value, keys,
};
use sandbox::{Config, Sandbox};
use serde_json::{Value as Json, json};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// Bytes that differ everywhere.
pub fn bytes(seed: u8, length: usize) -> Vec<u8> {
    (0..length).map(|index| (index * 31 + index / 251) as u8 ^ seed).collect()
}

pub struct Stage {
    pub sandbox: Sandbox,
    pub cancel: CancellationToken,
    pub ear: Arc<Ear>,
    pub boundary: Arc<Boundary>,
    /// From which it sends, if it matters.
    pub place: Option<Place>,
    clock: Arc<SimulatedClock>,
    folder: TempDir,
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
        Self {
            sandbox,
            cancel: CancellationToken::new(),
            ear: Arc::default(),
            boundary: Arc::new(Boundary::new(Access::ReadWrite)),
            place: None,
            clock,
            folder,
        }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("App.pkg")
    }

    /// Writes the local file.
    pub fn write(&self, bytes: &[u8]) {
        std::fs::write(self.path(), bytes).unwrap();
    }

    pub fn context(&self) -> Context {
        let cx =
            Context::new(self.clock.clone(), self.boundary.clone(), self.ear.clone(), self.cancel.clone());
        match &self.place {
            Some(place) => cx.sending_from(place),
            None => cx,
        }
    }

    pub fn env(&self, entries: &[(&str, Json)]) -> Env {
        let mut env = self.sandbox.env();
        env.set(keys::PKG_PATH, self.path(), Origin::CommandLine);
        for (name, value) in entries {
            let value = match value {
                Json::String(text) => Value::String(text.clone()),
                Json::Bool(flag) => Value::Bool(*flag),
                Json::Number(number) => Value::Integer(number.as_i64().unwrap()),
                other => panic!("no recipe says {other}"),
            };
            env.insert(name, value, Origin::Output(1), false);
        }
        env
    }

    pub fn step(&self) -> PackageUpload {
        let sessions = Arc::new(Sessions::new(jamf::Config::default()).unwrap());
        PackageUpload::new(sessions, fingerprint::Digests::default())
    }

    /// Plans and applies.
    pub async fn send(&self, entries: &[(&str, Json)]) -> Result<Applied, Failure> {
        self.send_after(entries, || {}).await
    }

    /// The same; `meanwhile` happens between plan and apply.
    pub async fn send_after(
        &self,
        entries: &[(&str, Json)],
        meanwhile: impl FnOnce(),
    ) -> Result<Applied, Failure> {
        let (step, env, cx) = (self.step(), self.env(entries), self.context());
        let Plan::Pending { work, .. } = step.plan(&env, &cx).await? else { panic!("nothing to send") };
        meanwhile();
        step.apply(work, &env, &cx).await
    }

    /// A record for `App.pkg`.
    pub fn put_record(&self) {
        self.sandbox.put_package(json!({ "packageName": "App", "fileName": "App.pkg" }));
    }

    /// Requests other than for signing in and for facts, with their status.
    pub fn requests(&self) -> Vec<String> {
        let requests = self.sandbox.journal().into_iter();
        requests
            .map(|request| {
                let path = request.path.split('?').next().unwrap().to_owned();
                format!("{} {path} {}", request.method, request.status)
            })
            .filter(|line| ["/auth/", "/oauth/", "version", "schema"].iter().all(|part| !line.contains(part)))
            .collect()
    }
}

/// The failure with its causes and its hint.
pub fn failed(failure: &Failure) -> String {
    let hint = failure.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    format!("{failure}{hint}")
}

type OnProgress = Box<dyn FnMut(Progress) + Send>;

/// Hears everything, and can do something while the file moves.
#[derive(Default)]
pub struct Ear {
    pub progress: Mutex<Vec<Progress>>,
    on_progress: Mutex<Option<OnProgress>>,
}

impl Ear {
    pub fn on_progress(&self, act: impl FnMut(Progress) + Send + 'static) {
        *self.on_progress.lock().unwrap() = Some(Box::new(act));
    }
}

impl Listener for Ear {
    fn on(&self, event: &Event) {
        let Occurrence::Progress(progress) = &event.what else { return };
        if let Some(act) = &mut *self.on_progress.lock().unwrap() {
            act(*progress);
        }
        self.progress.lock().unwrap().push(*progress);
    }
}
