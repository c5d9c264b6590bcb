//! A rehearsal server and a client that share a simulated clock.

use package_metadata::{PackageMetadata, Work};
use pipeline::{
    Access, Applied, Boundary, Change, Context, Env, Failure, Origin, Outcome, Outputs, Plan, Processor as _,
    Silent, SimulatedClock, Typed as _, Value, keys,
};
use sandbox::{Config, Sandbox};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

pub struct Stage {
    pub sandbox: Sandbox,
    clock: Arc<SimulatedClock>,
    pub cancel: CancellationToken,
    _folder: TempDir,
}

/// What a run of the step came to.
pub struct Ran {
    pub changes: Vec<Change>,
    pub outcome: Outcome,
    /// Planned outputs and, over them, applied ones.
    pub outputs: Env,
}

impl Stage {
    pub async fn open() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(adjust: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(SimulatedClock::at("2026-11-20T12:00:00Z".parse().unwrap()));
        let mut config = Config::new(folder.path().to_owned(), clock.clone());
        adjust(&mut config);
        let sandbox = Sandbox::start(contract::watched(config)).await.unwrap();
        Self { sandbox, clock, cancel: CancellationToken::new(), _folder: folder }
    }

    fn context(&self, access: Access) -> Context {
        let boundary = Arc::new(Boundary::new(access));
        Context::new(self.clock.clone(), boundary, Arc::new(Silent), self.cancel.clone())
    }

    fn env(&self, entries: &[(&str, Json)]) -> Env {
        let mut env = self.sandbox.env();
        for (name, value) in entries {
            let value = match value {
                Json::String(text) => Value::String(text.clone()),
                Json::Bool(flag) => Value::Bool(*flag),
                Json::Number(number) => Value::Integer(number.as_i64().unwrap()),
                other => panic!("no recipe says {other}"),
            };
            env.insert(name, value, Origin::CommandLine, false);
        }
        env
    }

    /// Plans as a dry run does: a write would be refused.
    pub async fn plan(&self, entries: &[(&str, Json)]) -> Result<Plan<Work>, Failure> {
        step().plan(&self.env(entries), &self.context(Access::ReadOnly)).await
    }

    /// Why planning fails, with its hint, and that it wrote nothing.
    pub async fn refusal(&self, entries: &[(&str, Json)]) -> String {
        self.sandbox.clear_journal();
        let failure = self.plan(entries).await.unwrap_err();
        assert_eq!(self.writes(), Vec::<String>::new());
        let hint = failure.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
        format!("{:?}: {failure}{hint}", failure.kind())
    }

    /// Plans and applies, as a new process would.
    pub async fn run(&self, entries: &[(&str, Json)]) -> Result<Ran, Failure> {
        self.sandbox.clear_journal();
        let (step, env, cx) = (step(), self.env(entries), self.context(Access::ReadWrite));
        let plan = step.plan(&env, &cx).await?;
        assert_eq!(self.writes(), Vec::<String>::new(), "planning writes nothing");
        let flatten = |outputs: &Outputs| outputs.from_step(1);
        match plan {
            Plan::Settled { outcome, outputs } => {
                Ok(Ran { changes: Vec::new(), outcome, outputs: flatten(&outputs) })
            }
            Plan::Pending { changes, outputs, work } => {
                let applied = step.apply(work, &env, &cx).await?;
                let mut outputs = flatten(&outputs);
                outputs.overlay(&flatten(&applied.outputs));
                Ok(Ran { changes, outcome: applied.outcome, outputs })
            }
        }
    }

    /// Two runs at once: both have planned before either applies. What the second one came to.
    pub async fn overtaken(
        &self,
        first: &[(&str, Json)],
        second: &[(&str, Json)],
    ) -> Result<Applied, Failure> {
        let cx = self.context(Access::ReadWrite);
        let (mut applied, mut planned) = (Vec::new(), Vec::new());
        for entries in [first, second] {
            let (step, env) = (step(), self.env(entries));
            match step.plan(&env, &cx).await? {
                Plan::Pending { work, .. } => planned.push((step, env, work)),
                Plan::Settled { outcome, .. } => panic!("nothing to do: {outcome}"),
            }
        }
        for (step, env, work) in planned {
            self.sandbox.clear_journal();
            applied.push(step.apply(work, &env, &cx).await);
        }
        applied.pop().unwrap()
    }

    /// Method and path of what was written since the last run began.
    pub fn writes(&self) -> Vec<String> {
        let writes = self.sandbox.journal().into_iter().filter(sandbox::Request::is_write);
        writes.map(|request| format!("{} {} {}", request.method, request.path, request.status)).collect()
    }

    /// The record of this id, as the Pro API shows it.
    pub fn record(&self, id: u64) -> Json {
        let id = Json::String(id.to_string());
        self.sandbox.packages().into_iter().find(|record| record["id"] == id).unwrap()
    }
}

impl Ran {
    pub fn id(&self) -> u64 {
        self.outputs.need(keys::PACKAGE_ID).unwrap().get()
    }

    pub fn updated(&self) -> bool {
        bool::read(self.outputs.entry("pkg_metadata_updated").unwrap().value()).unwrap()
    }

    /// The changes as a plan prints them, field by field.
    pub fn plan(&self) -> String {
        let mut lines = Vec::new();
        for change in &self.changes {
            lines.push(change.to_string());
            for field in &change.fields {
                let old = field.old.as_ref().map_or_else(|| "-".to_owned(), |old| format!("{old:?}"));
                lines.push(format!("  {}: {old} -> {:?}", field.field, field.new));
            }
        }
        lines.join("\n")
    }
}

fn step() -> PackageMetadata {
    PackageMetadata::new(Arc::new(jamf::Sessions::new(jamf::Config::default()).unwrap()))
}

/// A record that an administrator has filled in: nothing in it is Jamf's default.
pub fn filled_in(file: &str, display_name: &str) -> Json {
    json!({
        "packageName": display_name,
        "fileName": file,
        "categoryId": "-1",
        "info": "typed by hand",
        "notes": "line 1\r\nline 2",
        "priority": 7,
        "osRequirements": "14.x, 15.x",
        "fillUserTemplate": false,
        "fillExistingUsers": false,
        "swu": true,
        "rebootRequired": true,
        "selfHealNotify": true,
        "selfHealingAction": "nothing",
        "osInstall": false,
        "serialNumber": "C02XXXXX",
        "parentPackageId": "-1",
        "basePath": "/base",
        "suppressUpdates": true,
        "ignoreConflicts": true,
        "suppressFromDock": true,
        "suppressEula": true,
        "suppressRegistration": true,
        "installLanguage": "en_US",
        "osInstallerVersion": "15.1",
        "manifest": "<plist/>",
        "manifestFileName": "manifest.plist",
        "format": "flat"
    })
}
