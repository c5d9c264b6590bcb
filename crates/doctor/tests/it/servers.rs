//! Rehearsal servers with one thing wrong each: it is named with its mending, and nothing else is above a note.

use doctor::{Check, Expected, Finding, Level, Remembered, StateFolder, Subject, judge, observe};
use jamf::Sessions;
use pipeline::{Access, Boundary, Context, Env, Origin, Silent, SimulatedClock, Value, keys};
use s3_upload::Connections;
use sandbox::{Addressing, CdnType, Config, DistributionPoint, Fault, Gateway, JcdsGone, Privilege, Sandbox};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Hyper stamps answers with the real time, so that the clocks here have to show it too.
fn clock() -> Arc<SimulatedClock> {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos();
    Arc::new(SimulatedClock::at(jiff::Timestamp::from_nanosecond(i128::try_from(now).unwrap()).unwrap()))
}

struct Practice {
    sandbox: Sandbox,
    folder: tempfile::TempDir,
    clock: Arc<SimulatedClock>,
    env: Env,
}

impl Practice {
    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
        let mut config = Config::new(folder.path().join("server"), clock.clone());
        change(&mut config);
        let sandbox = Sandbox::start(contract::watched(config)).await.unwrap();
        let mut env = sandbox.env();
        if let Some(gateway) = &sandbox.connection().gateway {
            let mut set =
                |name, value: &str| env.insert(name, Value::String(value.into()), Origin::Sandbox, false);
            set(keys::TENANT_ID.name(), TENANT);
            set(jamf::GATEWAY_ADDRESSING.name(), if gateway.header.is_some() { "header" } else { "path" });
        }
        Self { sandbox, folder, clock, env }
    }

    fn set(&mut self, name: &str, value: &str) {
        self.env.insert(name, Value::String(value.to_owned()), Origin::CommandLine, false);
    }

    async fn examine_with(&self, expected: Expected) -> Vec<Finding> {
        let boundary = Arc::new(Boundary::new(Access::ReadOnly));
        let cx =
            Context::new(self.clock.clone(), boundary.clone(), Arc::new(Silent), CancellationToken::new());
        let sessions = Sessions::new(jamf::Config::default()).unwrap();
        let subject = Subject {
            sessions: &sessions,
            connections: &Connections::default(),
            env: &self.env,
            expected,
            state: StateFolder::At(&self.folder.path().join("state")),
            temporary: self.folder.path(),
            free: |_| Ok(1 << 40),
        };
        let seen = observe(subject, &cx).await;
        sessions.close(&cx).await;
        assert_eq!((boundary.traffic().writes, boundary.traffic().refused), (0, 0));
        judge(&seen)
    }

    async fn examine(&self) -> Vec<Finding> {
        self.examine_with(Expected::ASSUMED).await
    }
}

const TENANT: &str = "1f0e2d3c-4b5a-4978-8a9b-0c1d2e3f4a5b";

/// What is above a note.
fn serious(findings: &[Finding]) -> Vec<(Check, Level)> {
    let serious = findings.iter().filter(|finding| finding.level > Level::Note);
    serious.map(|finding| (finding.check, finding.level)).collect()
}

/// Examines a server with one thing wrong.
async fn only(change: impl FnOnce(&mut Config)) -> Finding {
    only_of(&Practice::with(change).await).await
}

async fn only_of(practice: &Practice) -> Finding {
    let findings = practice.examine().await;
    assert_eq!(serious(&findings).len(), 1, "{findings:#?}");
    let first = findings[0].clone();
    assert!(first.mend.is_some(), "{first:#?}");
    first
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_nothing_wrong() {
    let practice = Practice::with(|_| {}).await;
    practice.sandbox.put_file("App.pkg", b"bytes");
    let findings = practice.examine().await;
    assert_eq!(serious(&findings), [], "{findings:#?}");
    let find = |check| findings.iter().find(|finding| finding.check == check).unwrap();
    assert_eq!(find(Check::Privileges).what, "the account has all that both routes take");
    assert_eq!(find(Check::Storage).level, Level::Fine, "{findings:#?}");
    assert_eq!(find(Check::Clock).level, Level::Fine);
    insta::assert_snapshot!(find(Check::DeprecatedCalls).what, @"Jamf marked /v1/jcds/* deprecated on 2025-08-28");
    insta::assert_snapshot!(find(Check::Route).what, @"jcds: the files of this server are in Jamf Cloud's own distribution service; packages-api if it is refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_version_is_told_by_its_own_measure() {
    for version in ["11.4.2", "11.5.0", "11.23.2", "11.25.2", "11.30.1", "12.0.0"] {
        let findings = Practice::with(|config| config.version = version.into()).await.examine().await;
        let allowed: &[(Check, Level)] = match version {
            // Without JCDS calls the file goes through Jamf Pro, for which tokens of a minute are short.
            "12.0.0" => &[(Check::TokenLife, Level::Warning)],
            _ => &[],
        };
        assert_eq!(serious(&findings), allowed, "{version}: {findings:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret() {
    let mut practice = Practice::with(|_| {}).await;
    practice.set("CLIENT_SECRET", "wrong");
    let found = only_of(&practice).await;
    assert_eq!((found.check, found.level), (Check::SignIn, Level::Blocks));
    assert!(found.mend.unwrap().contains("check CLIENT_ID and CLIENT_SECRET"));
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_without_a_server() {
    let mut practice = Practice::with(|_| {}).await;
    practice.set("JSS_URL", "");
    let found = only_of(&practice).await;
    assert_eq!((found.check, found.what.as_str()), (Check::SignIn, "JSS_URL is not set"));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_privilege() {
    for (privilege, level) in [
        (Privilege::ReadPackages, Level::Blocks),
        (Privilege::CreatePackages, Level::Blocks),
        (Privilege::UpdatePackages, Level::Warning),
        (Privilege::ReadCategories, Level::Warning),
        (Privilege::ReadJcdsFiles, Level::Warning),
        (Privilege::CreateJcdsFiles, Level::Warning),
        (Privilege::DeleteJcdsFiles, Level::Warning),
        (Privilege::ReadDistributionPoint, Level::Warning),
    ] {
        let without = |config: &mut Config| {
            config.accounts = config.accounts.drain(..).map(|account| account.without(privilege)).collect();
        };
        let found = only(without).await;
        assert_eq!(
            (found.check, found.level),
            (Check::Privileges, level),
            "{}: {found:#?}",
            privilege.name()
        );
        assert!(found.what.contains(privilege.name()), "{found:#?}");
        assert!(found.mend.unwrap().contains(privilege.name()));
    }
    // By the name of the time.
    let found = only(|config| {
        config.version = "11.19.0".into();
        let without = |account: sandbox::Account| account.without(Privilege::DeleteJcdsFiles);
        config.accounts = config.accounts.drain(..).map(without).collect();
    })
    .await;
    assert!(found.what.contains("“Delete Jamf Content Distribution Server Files”"), "{found:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn distribution_points() {
    let point = |point| only(move |config: &mut Config| config.distribution_point = point);
    let none = point(DistributionPoint::NONE).await;
    assert_eq!((none.check, none.level), (Check::DistributionPoint, Level::Blocks));
    let beside = point(DistributionPoint { is_principal: false, ..DistributionPoint::JAMF_CLOUD }).await;
    assert_eq!((beside.check, beside.level), (Check::DistributionPoint, Level::Warning));
    let deaf = point(DistributionPoint { takes_uploads: false, ..DistributionPoint::JAMF_CLOUD }).await;
    assert_eq!((deaf.check, deaf.level), (Check::DirectUpload, Level::Warning));
    let bucket = DistributionPoint::principal(CdnType::AmazonS3);
    let beside = point(DistributionPoint { is_principal: false, ..bucket }).await;
    assert_eq!((beside.check, beside.level), (Check::DistributionPoint, Level::Blocks));

    // A bucket of one's own is no fault; a token of a minute then is.
    let mut practice = Practice::with(|config| {
        config.distribution_point = bucket;
        config.client_token_life = std::time::Duration::from_secs(1_200);
    })
    .await;
    assert_eq!(serious(&practice.examine().await), []);
    practice.set("route", "jcds");
    let found = only_of(&practice).await;
    assert_eq!((found.check, found.level), (Check::Route, Level::Blocks));
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_end_too_soon() {
    let mut practice = Practice::with(|_| {}).await;
    practice.set("route", "packages-api");
    let large = Expected { size: 8 << 30, is_assumed: false, rate: 10 << 20 };
    let findings = practice.examine_with(large).await;
    assert_eq!(serious(&findings), [(Check::TokenLife, Level::Warning)], "{findings:#?}");
    assert!(findings[0].mend.as_ref().unwrap().contains("live 1680 s"), "{findings:#?}");
    let small = Expected { size: 1 << 20, ..large };
    assert_eq!(serious(&practice.examine_with(small).await), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_are_gone() {
    for gone in [JcdsGone::NotFound, JcdsGone::Gone] {
        let practice = Practice::with(|config| {
            config.jcds_gone = Some(gone);
            config.client_token_life = std::time::Duration::from_secs(1_200);
        })
        .await;
        let findings = practice.examine().await;
        assert_eq!(serious(&findings), [], "{findings:#?}");
        let told = findings.iter().find(|finding| finding.check == Check::DeprecatedCalls).unwrap();
        assert_eq!(told.what, "this server has no JCDS calls any more");
    }
    let practice = Practice::with(|config| config.serves_schema = false).await;
    let findings = practice.examine().await;
    let told = findings.iter().find(|finding| finding.check == Check::DeprecatedCalls).unwrap();
    assert!(told.what.contains("2025-08-28"), "{told:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn proxies_before_s3() {
    for (fault, header) in [(Fault::DateStripped, "x-amz-date"), (Fault::SignatureStripped, "Authorization")]
    {
        let practice = Practice::with(|config| config.faults = vec![fault]).await;
        let found = only_of(&practice).await;
        assert_eq!((found.check, found.level), (Check::Storage, Level::Warning), "{found:#?}");
        assert!(found.what.contains(header) && found.mend.unwrap().contains("amazonaws.com"));
    }
    let mut practice = Practice::with(|_| {}).await;
    practice.set("PKGFERRY_S3_ENDPOINT", "http://127.0.0.1:1");
    practice.set("route", "jcds");
    let found = only_of(&practice).await;
    assert_eq!((found.check, found.level), (Check::Storage, Level::Blocks), "{found:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_that_disagree() {
    let practice =
        Practice::with(|config| config.client_token_life = std::time::Duration::from_secs(36_000)).await;
    practice.clock.advance(std::time::Duration::from_secs(20 * 60));
    let found = only_of(&practice).await;
    assert_eq!((found.check, found.level), (Check::Clock, Level::Warning), "{found:#?}");
    insta::assert_snapshot!(found.what, @"this machine's clock is 19 minutes ahead of the server's and S3's");
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_name_one_file() {
    let record = |name: &str| serde_json::json!({ "packageName": name, "fileName": "App.pkg", "categoryId": "-1", "priority": 10 });
    let practice = Practice::with(|_| {}).await;
    practice.sandbox.put_package(record("One"));
    practice.sandbox.put_package(record("Two"));
    let found = only_of(&practice).await;
    assert_eq!((found.check, found.level), (Check::Duplicates, Level::Warning));
    assert!(found.what.contains("App.pkg (records 1 and 2)"), "{found:#?}");

    let practice = Practice::with(|_| {}).await;
    practice.sandbox.put_file("App.pkg", b"old");
    practice.sandbox.put_file("App_1.pkg", b"new");
    let found = only_of(&practice).await;
    assert!(found.what.contains("App_1.pkg beside App.pkg"), "{found:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_is_damaged() {
    let practice = Practice::with(|_| {}).await;
    let folder = practice.folder.path().join("state");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("state.db"), vec![b'x'; 9_000]).unwrap();
    let found = only_of(&practice).await;
    assert_eq!((found.check, found.level), (Check::State, Level::Warning));
    assert_eq!(std::fs::read(folder.join("state.db")).unwrap(), vec![b'x'; 9_000], "looking mends nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_tells_less_and_is_no_fault() {
    for addressing in [Addressing::TenantInPath, Addressing::TenantHeader] {
        let practice = Practice::with(|config| {
            config.gateway = Some(Gateway { addressing, ..Gateway::new(TENANT.parse().unwrap()) });
        })
        .await;
        let findings = practice.examine().await;
        assert_eq!(serious(&findings), [], "{findings:#?}");
        let told = findings.iter().find(|finding| finding.check == Check::Version).unwrap();
        assert!(told.what.ends_with("through the Platform API gateway"), "{told:#?}");
    }
}

#[test]
fn nothing_is_known_before_anybody_looks() {
    let findings = judge(&doctor::Observations::nothing(Remembered::Nothing { folder: "/state".into() }));
    assert!(findings.iter().all(|finding| finding.level <= Level::Note), "{findings:#?}");
}
