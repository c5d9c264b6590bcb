//! A rehearsal server and the processor, on one simulated clock.

use crate::rig::{Ear, noise};
use jcds_download::{JcdsDownload, Work};
use pipeline::{
    Access, Applied, Boundary, Context, Env, Failure, Origin, Outcome, Plan, Processor as _, SimulatedClock,
    Value, keys,
};
use sandbox::{Config, Sandbox, Side};
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

pub struct Stage {
    pub sandbox: Arc<Sandbox>,
    pub clock: Arc<SimulatedClock>,
    pub cancel: CancellationToken,
    pub ear: Arc<Ear>,
    pub folder: TempDir,
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
        let sandbox = Arc::new(Sandbox::start(contract::watched(config)).await.unwrap());
        std::fs::create_dir(folder.path().join("here")).unwrap();
        Self { sandbox, clock, cancel: CancellationToken::new(), ear: Arc::default(), folder }
    }

    /// The same with a file on the server.
    pub async fn with_file(name: &str, length: usize) -> (Self, Vec<u8>) {
        let (stage, bytes) = (Self::open().await, noise(7, length));
        stage.sandbox.put_file(name, &bytes);
        (stage, bytes)
    }

    /// A path in the folder that files go to.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("here").join(name)
    }

    /// What is in that folder.
    pub fn names(&self) -> Vec<String> {
        let all = std::fs::read_dir(self.path("")).unwrap();
        let mut names: Vec<_> = all.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    pub fn context(&self, access: Access) -> Context {
        let boundary = Arc::new(Boundary::new(access));
        Context::new(self.clock.clone(), boundary, self.ear.clone(), self.cancel.clone())
    }

    /// The environment of a download of `App.pkg` into the folder, with more entries over it.
    pub fn env(&self, entries: &[(&str, Value)]) -> Env {
        let mut env = self.sandbox.env();
        env.set(keys::PKG_NAME, "App.pkg".parse().unwrap(), Origin::CommandLine);
        env.set(jcds_download::DOWNLOAD_PATH, self.path(""), Origin::CommandLine);
        for (name, value) in entries {
            env.insert(name, value.clone(), Origin::CommandLine, false);
        }
        env
    }

    /// Plans in a dry run.
    pub async fn plan(&self, entries: &[(&str, Value)]) -> Result<Plan<Work>, Failure> {
        step().plan(&self.env(entries), &self.context(Access::ReadOnly)).await
    }

    /// Plans, and shows what came of it.
    pub async fn planned(&self, entries: &[(&str, Value)]) -> String {
        let text = match self.plan(entries).await {
            Ok(Plan::Settled { outcome, .. }) => outcome.to_string(),
            Ok(Plan::Pending { changes, .. }) => {
                let lines = changes.iter().map(|change| format!("{change}, {} to fetch", change.fetches));
                lines.collect::<Vec<_>>().join("\n")
            }
            Err(failure) => shown(&failure),
        };
        self.steady(&text)
    }

    /// Plans and applies.
    pub async fn run(&self, entries: &[(&str, Value)]) -> Result<Applied, Failure> {
        let (step, env, cx) = (step(), self.env(entries), self.context(Access::ReadWrite));
        match step.plan(&env, &cx).await? {
            Plan::Pending { work, .. } => step.apply(work, &env, &cx).await,
            Plan::Settled { outcome, outputs } => Ok(Applied { outcome, outputs, sent: None }),
        }
    }

    /// Plans and applies, and sees to it that all is well.
    pub async fn fetches(&self, entries: &[(&str, Value)]) {
        let applied = self.run(entries).await.unwrap();
        assert!(!matches!(applied.outcome, Outcome::Warned { .. }), "{applied:?}");
    }

    /// What came of it: the outcome, the outputs, or why it failed.
    pub async fn ran(&self, entries: &[(&str, Value)]) -> String {
        let text = match self.run(entries).await {
            Ok(Applied { outcome, outputs, .. }) => {
                let env = outputs.from_step(1);
                let outputs: Vec<_> =
                    env.iter().map(|(name, entry)| format!("{name} = {}", entry.shown())).collect();
                let hint = match &outcome {
                    Outcome::Warned { hint: Some(hint), .. } => format!("\nhint: {hint}"),
                    _ => String::new(),
                };
                format!("{outcome}{hint}\n{}", outputs.join("\n"))
            }
            Err(failure) => shown(&failure),
        };
        self.steady(&text)
    }

    /// Requests of one side, one a line, without queries.
    pub fn requests(&self, side: Side) -> Vec<String> {
        let all = self.sandbox.journal();
        let of_side = all.iter().filter(|request| request.side == side && !request.path.contains("/oauth/"));
        let line = |request: &sandbox::Request| {
            let path = request.path.split('?').next().unwrap();
            let path = if side == Side::Download { "/__cdn/…" } else { path };
            format!("{} {path} {}", request.method, request.status)
        };
        of_side.map(line).collect()
    }

    /// Bytes of each range that was served, the largest first.
    pub fn ranges(&self) -> Vec<u64> {
        let all = self.sandbox.journal();
        let served = all.iter().filter(|request| request.side == Side::Download && request.status == 206);
        let mut ranges: Vec<_> = served.map(|request| request.bytes_out).collect();
        ranges.sort_unstable_by_key(|bytes| std::cmp::Reverse(*bytes));
        ranges
    }

    /// Bytes that were downloaded.
    pub fn fetched(&self) -> u64 {
        self.ranges().iter().sum()
    }

    fn steady(&self, text: &str) -> String {
        let here = self.path("");
        text.replace(here.to_str().unwrap().trim_end_matches('/'), "HERE")
    }
}

pub fn step() -> JcdsDownload {
    JcdsDownload::new(Arc::new(jamf::Sessions::new(jamf::Config::default()).unwrap()))
}

pub fn shown(failure: &Failure) -> String {
    let hint = failure.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    format!("{:?}: {failure}{hint}", failure.kind())
}

pub fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}
