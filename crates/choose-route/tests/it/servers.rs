//! Against rehearsal servers of several versions.

use choose_route::ChooseRoute;
use insta::assert_snapshot;
use jamf::Sessions;
use pipeline::{
    Access, Boundary, Context, Env, FailureKind, Origin, Outcome, Plan, Processor as _, Silent,
    SimulatedClock, Value, keys,
};
use sandbox::{CdnType, Config, DistributionPoint, JcdsGone, Privilege, Sandbox};
use std::sync::Arc;
use tempfile::TempDir;

struct Stage {
    sandbox: Sandbox,
    step: ChooseRoute,
    cx: Context,
    env: Env,
    _folder: TempDir,
}

impl Stage {
    async fn of_version(version: &str) -> Self {
        Self::with(|config| version.clone_into(&mut config.version)).await
    }

    async fn with(adjust: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(SimulatedClock::at("2026-11-20T12:00:00Z".parse().unwrap()));
        let mut config = Config::new(folder.path().to_owned(), clock.clone());
        adjust(&mut config);
        let sandbox = Sandbox::start(contract::watched(config)).await.unwrap();
        let cx = Context::new(
            clock,
            Arc::new(Boundary::new(Access::ReadOnly)),
            Arc::new(Silent),
            Default::default(),
        );
        let step = ChooseRoute::new(Arc::new(Sessions::new(jamf::Config::default()).unwrap()));
        Self { env: sandbox.env(), sandbox, step, cx, _folder: folder }
    }

    fn set(&mut self, name: &str, value: &str) {
        self.env.insert(name, Value::String(value.into()), Origin::CommandLine, false);
    }

    /// The line, and the outputs.
    async fn choose(&self) -> String {
        match self.step.plan(&self.env, &self.cx).await {
            Ok(Plan::Settled { outcome: Outcome::Done { message }, outputs }) => {
                let outputs = outputs.from_step(1);
                let shown = outputs.iter().map(|(name, entry)| format!("\n{name}: {}", entry.shown()));
                message + &shown.collect::<String>()
            }
            Ok(other) => panic!("it only looks: {other:?}"),
            Err(failure) => format!("{failure}\nhint: {}", failure.hint().unwrap_or_default()),
        }
    }

    /// Requests other than for signing in.
    fn requests(&self) -> Vec<String> {
        let requests = self.sandbox.journal().into_iter();
        requests
            .map(|request| format!("{} {}", request.method, request.path))
            .filter(|line| !line.contains("/oauth/"))
            .collect()
    }
}

#[tokio::test]
async fn a_server_without_packages_in_its_pro_api() {
    assert_snapshot!(Stage::of_version("11.4.2").await.choose().await, @r#"
    jcds: the files of this server are in Jamf Cloud's own distribution service; not packages-api: Jamf Pro 11.4.2 has no packages in its Pro API; 11.5 has
    chosen_route: "jcds"
    witness: "list"
    "#);
}

#[tokio::test]
async fn servers_that_have_both() {
    let expected = "jcds: the files of this server are in Jamf Cloud's own distribution service; packages-api if it is refused
chosen_route: \"jcds\"
fallback_route: \"packages-api\"
witness: \"list\"";
    for version in ["11.5.0", "11.23.2", "11.25.2", "11.30.1"] {
        assert_eq!(Stage::of_version(version).await.choose().await, expected, "{version}");
    }
}

#[tokio::test]
async fn the_record_is_the_witness_where_it_can_be_relied_on() {
    for (version, witness) in
        [("11.5.0", "list"), ("11.23.2", "list"), ("11.25.2", "record"), ("11.30.1", "record")]
    {
        let mut stage = Stage::of_version(version).await;
        stage.set("route", "packages-api");
        let expected = format!(
            "packages-api: the setting route asks for it\nchosen_route: \"packages-api\"\nwitness: \"{witness}\""
        );
        assert_eq!(stage.choose().await, expected, "{version}");
    }
}

#[tokio::test]
async fn a_server_without_jcds_calls() {
    assert_snapshot!(Stage::of_version("12.0.0").await.choose().await, @r#"
    packages-api: Jamf Pro takes the file itself; not jcds: Jamf Pro 12.0.0 has no JCDS calls any more
    chosen_route: "packages-api"
    witness: "record"
    "#);
}

/// A version that still has them in general, and answers 410: its own schema tells.
#[tokio::test]
async fn a_server_that_has_lost_its_jcds_calls() {
    let gone = |config: &mut Config| config.jcds_gone = Some(JcdsGone::Gone);
    assert_snapshot!(Stage::with(gone).await.choose().await, @r#"
    packages-api: Jamf Pro takes the file itself; not jcds: Jamf Pro 11.30.1 has no JCDS calls any more
    chosen_route: "packages-api"
    witness: "record"
    "#);
    // Without a schema nothing is guessed; the step that is refused falls back.
    let silent = |config: &mut Config| {
        gone(config);
        config.serves_schema = false;
    };
    assert_snapshot!(Stage::with(silent).await.choose().await, @r#"
    jcds: the files of this server are in Jamf Cloud's own distribution service; packages-api if it is refused
    chosen_route: "jcds"
    fallback_route: "packages-api"
    witness: "list"
    "#);
}

#[tokio::test]
async fn a_distribution_point_of_another_kind() {
    let amazon = |config: &mut Config| {
        config.distribution_point = DistributionPoint::principal(CdnType::AmazonS3);
        "11.23.2".clone_into(&mut config.version);
    };
    assert_snapshot!(Stage::with(amazon).await.choose().await, @r#"
    packages-api: Jamf Pro takes the file itself; not jcds: the cloud distribution point is AMAZON_S3 and not Jamf Cloud
    chosen_route: "packages-api"
    witness: "record"
    "#);
    let beside = |config: &mut Config| {
        config.distribution_point =
            DistributionPoint { is_principal: false, ..DistributionPoint::JAMF_CLOUD };
    };
    assert_snapshot!(Stage::with(beside).await.choose().await, @r#"
    jcds: the files of this server are in Jamf Cloud's own distribution service; not packages-api: the principal distribution point is not in the cloud
    chosen_route: "jcds"
    witness: "list"
    "#);
}

#[tokio::test]
async fn what_is_asked_for_and_not_there_is_refused() {
    let mut stage = Stage::of_version("11.4.2").await;
    stage.set("route", "packages-api");
    assert_snapshot!(stage.choose().await, @"
    route packages-api is asked for, but Jamf Pro 11.4.2 has no packages in its Pro API; 11.5 has
    hint: let route be auto: jcds is open
    ");
    let mut stage = Stage::of_version("12.0.0").await;
    stage.set("route", "jcds");
    assert_snapshot!(stage.choose().await, @"
    route jcds is asked for, but Jamf Pro 12.0.0 has no JCDS calls any more
    hint: let route be auto: packages-api is open
    ");
}

#[tokio::test]
async fn a_server_without_a_cloud_distribution_point() {
    let stage = Stage::with(|config| config.distribution_point = DistributionPoint::NONE).await;
    assert_snapshot!(stage.choose().await, @"
    no route leads into the cloud of this server; not jcds: no cloud distribution point is set up; not packages-api: the principal distribution point is not in the cloud
    hint: make Jamf Cloud the principal distribution point in Settings > Server > Cloud distribution point; for files that lie elsewhere, the recipe package-record-only makes the record alone
    ");
}

/// What an account may not ask speaks against nothing.
#[tokio::test]
async fn an_account_that_may_not_look_at_the_distribution_point() {
    let stage = Stage::with(|config| {
        for account in &mut config.accounts {
            account.privileges.retain(|privilege| *privilege != Privilege::ReadDistributionPoint);
        }
    })
    .await;
    assert_snapshot!(stage.choose().await, @r#"
    jcds: nothing that this server tells speaks against it; packages-api if it is refused
    chosen_route: "jcds"
    fallback_route: "packages-api"
    witness: "list"
    "#);
}

#[tokio::test]
async fn a_recipe_that_sends_on_one_route_only() {
    let mut stage = Stage::of_version("11.30.1").await;
    let steps = ["choose-route", "s3-upload"].map(str::to_owned).to_vec();
    stage.env.set(keys::RECIPE_STEPS, steps, Origin::Runner);
    assert_snapshot!(stage.choose().await, @r#"
    jcds: the files of this server are in Jamf Cloud's own distribution service; not packages-api: the recipe has no step package-upload
    chosen_route: "jcds"
    witness: "list"
    "#);
    let steps = ["choose-route", "package-upload"].map(str::to_owned).to_vec();
    stage.env.set(keys::RECIPE_STEPS, steps, Origin::Runner);
    assert_snapshot!(stage.choose().await, @r#"
    packages-api: Jamf Pro takes the file itself; not jcds: the recipe has no step s3-upload
    chosen_route: "packages-api"
    witness: "record"
    "#);
}

/// The runner itself sets the route when the first one was refused.
#[tokio::test]
async fn the_second_attempt_says_why_there_is_one() {
    let mut stage = Stage::of_version("11.30.1").await;
    stage.env.set(keys::ROUTE, pipeline::RouteChoice::PackagesApi, Origin::Runner);
    assert_snapshot!(stage.choose().await, @r#"
    packages-api: jcds was refused
    chosen_route: "packages-api"
    witness: "record"
    "#);
}

#[tokio::test]
async fn an_account_that_is_not_let_in_is_an_error_at_once() {
    let mut stage = Stage::of_version("11.30.1").await;
    stage.set("CLIENT_SECRET", "wrong");
    let failure = stage.step.plan(&stage.env, &stage.cx).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Access);
}

#[tokio::test]
async fn only_what_matters_is_asked_and_only_once() {
    let stage = Stage::of_version("11.30.1").await;
    stage.choose().await;
    stage.choose().await;
    assert_eq!(
        stage.requests(),
        [
            "GET /api/v1/jamf-pro-version",
            "GET /api/v1/cloud-distribution-point",
            "GET /api/schema/",
            "GET /api/v1/cloud-distribution-point/upload-capability",
        ]
    );
    let mut stage = Stage::of_version("11.30.1").await;
    stage.set("route", "packages-api");
    stage.choose().await;
    assert_eq!(
        stage.requests(),
        ["GET /api/v1/jamf-pro-version", "GET /api/v1/cloud-distribution-point/upload-capability"]
    );
}
