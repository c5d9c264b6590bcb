//! A rehearsal server and a client that share a simulated clock; the clock can make things happen on the server.

use jamf::{Field, FieldValue, Setting};
use jiff::Timestamp;
use pipeline::{
    Access, Applied, Boundary, BoxFuture, Clock, Context, Env, Event, Failure, Level, Listener, Occurrence,
    Origin, Outcome, Plan, Processor as _, Sha3_512, SimulatedClock, Value, keys,
};
use sandbox::{Config, Sandbox};
use serde_json::{Value as Json, json};
use state::State;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use verify_delivery::{VerifyDelivery, Work};

/// What arrives.
pub const BYTES: &[u8] = b"the bytes of the package";

pub struct Stage {
    pub sandbox: Arc<Sandbox>,
    pub clock: Arc<EventfulClock>,
    pub cancel: CancellationToken,
    notices: Arc<Notices>,
    folder: TempDir,
    /// Where deliveries are kept, if anywhere.
    pub state: Option<State>,
}

impl Stage {
    pub async fn open() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(adjust: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(EventfulClock::new());
        let mut config = Config::new(folder.path().join("server"), clock.clone());
        adjust(&mut config);
        let sandbox = Arc::new(Sandbox::start(contract::watched(config)).await.unwrap());
        std::fs::write(folder.path().join("App.pkg"), BYTES).unwrap();
        let (cancel, notices) = (CancellationToken::new(), Arc::default());
        Self { sandbox, clock, cancel, notices, folder, state: None }
    }

    /// With a state that outlasts the process.
    pub async fn with_state() -> Self {
        let mut stage = Self::open().await;
        stage.state = Some(State::open(&stage.folder.path().join("state")).unwrap().state);
        stage
    }

    /// Lets something happen on the server after so many seconds.
    pub fn after(&self, seconds: u64, what: impl FnOnce(&Sandbox) + Send + 'static) {
        let sandbox = Arc::clone(&self.sandbox);
        self.clock.after(Duration::from_secs(seconds), move || what(&sandbox));
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("App.pkg")
    }

    pub fn context(&self, access: Access) -> Context {
        let boundary = Arc::new(Boundary::new(access));
        Context::new(self.clock.clone(), boundary, self.notices.clone(), self.cancel.clone())
    }

    /// The environment after an upload, with more entries over it; null takes one away.
    pub fn env(&self, entries: &[(&str, Json)]) -> Env {
        let mut env = self.sandbox.env();
        env.set(keys::PKG_PATH, self.path(), Origin::CommandLine);
        for (name, value) in entries {
            let value = match value {
                Json::String(text) => Value::String(text.clone()),
                Json::Bool(flag) => Value::Bool(*flag),
                Json::Null => {
                    env.remove(name);
                    continue;
                }
                Json::Number(number) => Value::Integer(number.as_i64().unwrap()),
                other => panic!("no recipe says {other}"),
            };
            env.insert(name, value, Origin::Output(1), false);
        }
        env
    }

    pub async fn plan(&self, entries: &[(&str, Json)]) -> Plan<Work> {
        self.step().plan(&self.env(entries), &self.context(Access::ReadOnly)).await.unwrap()
    }

    /// Plans and applies after an upload of `App.pkg`.
    pub async fn prove(&self, entries: &[(&str, Json)]) -> Result<Applied, Failure> {
        let sent = [&[("pkg_uploaded", json!(true))], entries].concat();
        self.look(&sent).await
    }

    /// Plans and applies without anything having been said about an upload.
    pub async fn look(&self, entries: &[(&str, Json)]) -> Result<Applied, Failure> {
        let (step, env, cx) = (self.step(), self.env(entries), self.context(Access::ReadWrite));
        let Plan::Pending { work, .. } = step.plan(&env, &cx).await? else { panic!("nothing to prove") };
        step.apply(work, &env, &cx).await
    }

    fn step(&self) -> VerifyDelivery {
        let sessions = Arc::new(jamf::Sessions::new(jamf::Config::default()).unwrap());
        let step = VerifyDelivery::new(sessions, fingerprint::Digests::default());
        match &self.state {
            Some(state) => step.keeping(state.clone()),
            None => step,
        }
    }

    /// What a step before may do: a change of the first record that concerns no bytes.
    pub async fn change_notes(&self) {
        let cx = self.context(Access::ReadWrite);
        let sessions = jamf::Sessions::new(jamf::Config::default()).unwrap();
        let session = sessions.open(&self.env(&[])).unwrap();
        let record = session.package(&cx, 1.try_into().unwrap()).await.unwrap().unwrap();
        let notes = Setting { field: Field::Notes, value: FieldValue::Text("new".to_owned()) };
        session.update_package(&cx, &record, &[notes]).await.unwrap();
    }

    /// What another run may do.
    pub async fn delete(&self, name: &str) {
        let sessions = jamf::Sessions::new(jamf::Config::default()).unwrap();
        let session = sessions.open(&self.env(&[])).unwrap();
        session.jcds_delete(&self.context(Access::ReadWrite), name).await.unwrap();
    }

    /// Warnings that were told on the way.
    pub fn warnings(&self) -> Vec<String> {
        self.notices.0.lock().unwrap().clone()
    }

    /// How often the server was asked to refresh.
    pub fn refreshes(&self) -> usize {
        self.sandbox.journal().iter().filter(|request| request.path.contains("refresh-inventory")).count()
    }
}

/// The outcome with its hint, and the output.
pub fn told(applied: &Applied) -> String {
    let outputs = applied.outputs.from_step(1);
    let delivery = outputs.need(keys::DELIVERY).unwrap();
    let hint = match &applied.outcome {
        Outcome::Warned { hint: Some(hint), .. } => format!("\nhint: {hint}"),
        _ => String::new(),
    };
    format!("{}{hint}\ndelivery: {delivery}", applied.outcome)
}

/// A record for `App.pkg` that has no file yet.
pub fn record() -> Json {
    json!({ "packageName": "App", "fileName": "App.pkg", "categoryId": "-1", "priority": 10 })
}

/// The same that says so much of its file, and goes on saying so until a file is there and the server looks again.
pub fn ready(size: u64, sha3_512: Sha3_512) -> Json {
    let mut ready = record();
    ready["cloudTransferStatus"] = json!("READY");
    ready["size"] = json!(size.to_string());
    ready["hashType"] = json!("SHA3_512");
    ready["hashValue"] = json!(sha3_512.to_string());
    ready["sha3512"] = json!(sha3_512.to_string());
    ready
}

type Happening = Box<dyn FnOnce() + Send>;

/// A simulated clock that runs what is due whenever somebody sleeps.
pub struct EventfulClock {
    clock: SimulatedClock,
    passed: Mutex<Duration>,
    due: Mutex<Vec<(Duration, Happening)>>,
}

impl EventfulClock {
    fn new() -> Self {
        let clock = SimulatedClock::at("2026-11-20T12:00:00Z".parse().unwrap());
        Self { clock, passed: Mutex::default(), due: Mutex::default() }
    }

    pub fn after(&self, delay: Duration, event: impl FnOnce() + Send + 'static) {
        self.due.lock().unwrap().push((delay, Box::new(event)));
    }
}

impl Clock for EventfulClock {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let sleep = self.clock.sleep(duration);
        let passed = {
            let mut passed = self.passed.lock().unwrap();
            *passed += duration;
            *passed
        };
        let due: Vec<_> = self.due.lock().unwrap().extract_if(.., |(when, _)| *when <= passed).collect();
        for (_, event) in due {
            event();
        }
        sleep
    }
}

#[derive(Default)]
struct Notices(Mutex<Vec<String>>);

impl Listener for Notices {
    fn on(&self, event: &Event) {
        if let Occurrence::Notice { level: Level::Warning, message } = &event.what {
            self.0.lock().unwrap().push(message.clone());
        }
    }
}
