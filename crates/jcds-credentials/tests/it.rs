//! `jcds-credentials` against the rehearsal server, over real HTTP.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends where it fails, helpers included")]

use insta::assert_snapshot;
use jamf::Sessions;
use jcds_credentials::JcdsCredentials;
use pipeline::{
    Access, Applied, Boundary, Context, Env, ExposeSecret as _, Failure, FailureKind, Origin, Plan,
    Processor as _, Silent, SimulatedClock, Value, keys,
};
use sandbox::{Account, Config, Privilege, Sandbox};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

struct Stage {
    sandbox: Sandbox,
    clock: Arc<SimulatedClock>,
    step: JcdsCredentials,
    _folder: tempfile::TempDir,
}

impl Stage {
    async fn open(adjust: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(SimulatedClock::at("2026-11-20T12:00:00Z".parse().unwrap()));
        let mut config = Config::new(folder.path().to_owned(), clock.clone());
        adjust(&mut config);
        let sandbox = Sandbox::start(contract::watched(config)).await.unwrap();
        let step = JcdsCredentials::new(
            Arc::new(Sessions::new(jamf::Config::default()).unwrap()),
            state::State::in_memory().unwrap(),
        );
        Self { sandbox, clock, step, _folder: folder }
    }

    fn context(&self, access: Access) -> Context {
        let boundary = Arc::new(Boundary::new(access));
        Context::new(self.clock.clone(), boundary, Arc::new(Silent), CancellationToken::new())
    }

    fn env(&self, entries: &[(&str, &str)]) -> Env {
        let mut env = self.sandbox.env();
        for (name, text) in entries {
            env.insert(name, Value::String((*text).to_owned()), Origin::CommandLine, false);
        }
        env
    }

    /// What a dry run says.
    async fn planned(&self, entries: &[(&str, &str)]) -> String {
        let cx = self.context(Access::ReadOnly);
        match self.step.plan(&self.env(entries), &cx).await.unwrap() {
            Plan::Settled { outcome, .. } => outcome.to_string(),
            Plan::Pending { changes, .. } => changes[0].to_string(),
        }
    }

    async fn obtain(&self) -> Result<Applied, Failure> {
        self.obtain_with(&[]).await
    }

    async fn obtain_with(&self, entries: &[(&str, &str)]) -> Result<Applied, Failure> {
        let (env, cx) = (self.env(entries), self.context(Access::ReadWrite));
        let Plan::Pending { work, .. } = self.step.plan(&env, &cx).await? else { panic!("skipped") };
        self.step.apply(work, &env, &cx).await
    }
}

#[tokio::test]
async fn planning_asks_for_nothing() {
    let stage = Stage::open(|_| {}).await;
    assert_snapshot!(stage.planned(&[]).await, @"obtain upload credentials for an upload");
    assert_snapshot!(stage.planned(&[("pkg_path", "/tmp/App.pkg")]).await, @"obtain upload credentials for App.pkg");
    assert_snapshot!(
        stage.planned(&[("pkg_path", "/tmp/App.pkg"), ("pkg_name", "App 2.pkg")]).await,
        @"obtain upload credentials for App 2.pkg"
    );
    assert_snapshot!(stage.planned(&[("verdict", "different")]).await, @"obtain upload credentials for an upload");
    assert_snapshot!(stage.planned(&[("verdict", "same")]).await, @"skipped: the server holds the same file");
    assert_snapshot!(
        stage.planned(&[("verdict", "same"), ("verdict_reason", "3 bytes, MD5 and SHA3-512 agree")]).await,
        @"skipped: 3 bytes, MD5 and SHA3-512 agree"
    );
    assert_eq!(stage.sandbox.journal(), []);
}

#[tokio::test]
async fn credentials_are_handed_on_and_not_shown() {
    let stage = Stage::open(|_| {}).await;
    let applied = stage.obtain().await.unwrap();
    assert_snapshot!(applied.outcome, @"upload credentials, good until 2026-11-20T13:00:00Z");

    let env = applied.outputs.from_step(3);
    assert!(env.need(keys::JCDS_PATH).unwrap().ends_with('/'));
    assert_eq!(env.need(keys::JCDS_EXPIRATION).unwrap().to_string(), "2026-11-20T13:00:00Z");
    let secrets =
        [env.need(keys::JCDS_SECRET_ACCESS_KEY).unwrap(), env.need(keys::JCDS_SESSION_TOKEN).unwrap()];
    let shown = format!("{applied:?} {env:?}");
    for secret in secrets {
        assert!(!secret.expose_secret().is_empty() && !shown.contains(secret.expose_secret()));
    }
    // Everything that the processor declares is there, and nothing else.
    let declared: Vec<_> = stage.step.spec().outputs.iter().map(|output| output.name).collect();
    assert_eq!(env.iter().map(|(name, _)| name).collect::<Vec<_>>(), declared);
}

#[tokio::test]
async fn credentials_that_have_ended_point_to_the_clock() {
    let stage = Stage::open(|config| config.grant_life = Duration::from_secs(3)).await;
    let failure = stage.obtain().await.unwrap_err();
    assert_snapshot!(
        failure,
        @"the server gave upload credentials that end at 2026-11-20T12:00:03Z; this machine's clock shows 2026-11-20T12:00:00Z"
    );
    assert_snapshot!(
        failure.hint().unwrap(),
        @"check this machine's date, time and time zone: fresh credentials last for many minutes"
    );
}

#[tokio::test]
async fn a_missing_privilege_is_named() {
    let client = Account::client("limited", "secret").without(Privilege::CreateJcdsFiles);
    let stage = Stage::open(|config| config.accounts = vec![client]).await;
    let failure = stage.obtain().await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Access);
    let told = format!("{failure} {}", failure.hint().unwrap_or_default());
    assert!(told.contains("Create Jamf C"), "{told}");
}

#[tokio::test]
async fn on_another_route_nothing_is_asked_for() {
    let stage = Stage::open(|_| {}).await;
    assert_snapshot!(stage.planned(&[("chosen_route", "packages-api")]).await, @"skipped: route packages-api: package-upload sends the file");
    assert_snapshot!(stage.planned(&[("chosen_route", "jcds")]).await, @"obtain upload credentials for an upload");
}

#[tokio::test]
async fn what_is_refused_may_go_by_the_other_route() {
    let limited = || Account::client("limited", "secret").without(Privilege::CreateJcdsFiles);
    let stage = Stage::open(|config| config.accounts = vec![limited()]).await;
    let routes = [("chosen_route", "jcds"), ("fallback_route", "packages-api")];
    let failure = stage.obtain_with(&routes).await.unwrap_err();
    assert_eq!(failure.instead().map(|instead| instead.name), Some("route"));
    let failure = stage.obtain_with(&routes[..1]).await.unwrap_err();
    assert_eq!(failure.instead(), None, "no other route is open");

    let wrong = Account::client("limited", "another");
    let stage = Stage::open(|config| config.accounts = vec![limited()]).await;
    let entries = [&routes[..], &[("CLIENT_SECRET", wrong.secret.as_str())]].concat();
    let failure = stage.obtain_with(&entries).await.unwrap_err();
    assert_eq!(failure.instead(), None, "who is not let in has no route at all");
}
