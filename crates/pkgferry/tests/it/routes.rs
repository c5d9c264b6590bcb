//! Two routes into the cloud: one recipe, unchanged, on every kind of server.

use crate::stage::{Ran, Server, Stage, noise};
use sandbox::{Addressing, Config, DistributionPoint, Fault, Gateway, JcdsGone, Privilege};
use serde_json::{Value, json};

const RECIPE: &str = "recipes/ExampleApp.jamf.recipe.yaml";
const EXAMPLE: &str = "ExampleApp-1.2.3.pkg";
const VERSIONS: [&str; 6] = ["11.4.2", "11.5.0", "11.23.2", "11.25.2", "11.30.1", "12.0.0"];
const TENANT: &str = "1f0e2d3c-4b5a-4978-8a9b-0c1d2e3f4a5b";

fn of_version(version: &str) -> (Stage, Server) {
    Stage::with_server_like(|config| version.clone_into(&mut config.version))
}

/// The line of a step, without its word.
fn line<'a>(ran: &'a Ran, step: &str) -> &'a str {
    let mut lines = ran.stdout.lines().filter_map(|line| line.split_once(step));
    lines.next().map_or("", |(_, rest)| rest.trim())
}

fn chosen(ran: &Ran) -> &str {
    line(ran, "choose-route").split(':').next().unwrap_or_default()
}

#[track_caller]
fn assert_holds(server: &Server, name: &str, bytes: &[u8]) {
    assert_eq!(server.names(), [name]);
    assert!(server.bytes_of(name).unwrap() == bytes, "the bytes of {name} are the expected ones");
}

/// Delivers the example, then replaces it, then finds nothing to do; twice over nothing is sent, and all of it is proven.
#[track_caller]
fn delivers(stage: &Stage, server: &Server, route: &str, more: &[&str]) {
    let (old, new) = (noise(1, 70_000), noise(2, 70_000));
    let file = stage.write(EXAMPLE, &old);
    let path = format!("pkg_path={file}");
    let run = || stage.run(&[&["run", RECIPE, "-k", &path], more].concat());

    let first = run().succeeded();
    assert_eq!(chosen(&first), route, "{}", first.stdout);
    assert!(first.stdout.contains("= created: 68.3 KiB sent"), "{}", first.stdout);
    let proof = first.stdout.lines().rfind(|line| line.contains("verify-delivery")).unwrap();
    assert!(proof.contains("done  verify-delivery   proven after"), "{}", first.stdout);
    assert_holds(server, EXAMPLE, &old);

    server.clear_journal();
    let second = run().succeeded();
    assert!(second.stdout.contains("= skipped: nothing sent"), "{}", second.stdout);
    assert_eq!(server.writes(), [], "{}", server.requests());

    let records = server.packages();
    stage.write(EXAMPLE, &new);
    let third = run().succeeded();
    assert!(third.stdout.contains("= replaced: 68.3 KiB sent"), "{}", third.stdout);
    let proof = third.stdout.lines().rfind(|line| line.contains("verify-delivery")).unwrap();
    assert!(proof.contains("done  verify-delivery   proven after"), "{}", third.stdout);
    assert_holds(server, EXAMPLE, &new);
    let kept = |records: &[Value]| {
        records.iter().map(|record| (record["id"].clone(), record["notes"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(kept(&server.packages()), kept(&records), "the record stays");

    server.clear_journal();
    run().succeeded();
    assert_eq!(server.writes(), [], "{}", server.requests());
}

#[test]
fn one_recipe_delivers_to_every_version_and_sends_nothing_twice() {
    for version in VERSIONS {
        let (stage, server) = of_version(version);
        let route = if version == "12.0.0" { "packages-api" } else { "jcds" };
        delivers(&stage, &server, route, &[]);
    }
}

#[test]
fn it_does_so_through_jamf_pro_where_that_is_asked_for() {
    for version in &VERSIONS[1..] {
        let (stage, server) = of_version(version);
        delivers(&stage, &server, "packages-api", &["-k", "route=packages-api"]);
        assert!(!server.requests().contains("/pkgferry-rehearsal/"), "nothing went to S3");
    }
}

#[test]
fn it_does_so_through_the_gateway() {
    for (addressing, place) in [(Addressing::TenantHeader, "header"), (Addressing::TenantInPath, "path")] {
        for route in ["jcds", "packages-api"] {
            let (stage, server) = Stage::with_server_like(|config| {
                config.gateway = Some(Gateway { addressing, ..Gateway::new(TENANT.parse().unwrap()) });
            });
            let wanted = format!("route={}", if route == "jcds" { "auto" } else { route });
            let tenant = format!("JAMF_TENANT_ID={TENANT}");
            let place = format!("JAMF_GATEWAY_ADDRESSING={place}");
            delivers(&stage, &server, route, &["-k", &wanted, "-k", &tenant, "-k", &place]);
        }
    }
}

#[test]
fn a_dry_run_names_the_route_and_writes_nothing() {
    let (stage, server) = of_version("12.0.0");
    let ran = stage.run(&["run", RECIPE, "--dry-run"]).succeeded();
    insta::assert_snapshot!(ran.stdout, @r#"
    com.github.pkgferry.recipes.ExampleApp
      look  choose-route      packages-api: Jamf Pro takes the file itself; not jcds: Jamf Pro 12.0.0 has no JCDS calls any more
      look  find-package      no record, no file
      look  compare-hash      absent: the server has no file of this name
      skip  jcds-credentials  route packages-api: package-upload sends the file
      skip  s3-upload         route packages-api: package-upload sends the file
      plan  package-metadata  create category Applications
      plan  package-metadata  create record ExampleApp-1.2.3.pkg
                                display_name: "ExampleApp-1.2.3.pkg"
                                category: "Applications"
                                notes: "ExampleApp 1.2.3, carried by pkgferry"
                                priority: "10"
      plan  package-upload    create file ExampleApp-1.2.3.pkg (the server has no file of this name), 842 bytes to send
      plan  verify-delivery   prove delivery of ExampleApp-1.2.3.pkg
      = would be created: 842 bytes to send
    Dry run: no write request was made (6 reads).
    "#);
    assert_eq!(server.writes(), []);
}

#[test]
fn the_way_through_jamf_pro_is_told_step_by_step() {
    let (stage, server) = of_version("12.0.0");
    insta::assert_snapshot!(stage.run(&["run", RECIPE]).succeeded().shown(), @r#"
    exit 0
    --- stdout
    com.github.pkgferry.recipes.ExampleApp
      look  choose-route      packages-api: Jamf Pro takes the file itself; not jcds: Jamf Pro 12.0.0 has no JCDS calls any more
      look  find-package      no record, no file
      look  compare-hash      absent: the server has no file of this name
      skip  jcds-credentials  route packages-api: package-upload sends the file
      skip  s3-upload         route packages-api: package-upload sends the file
      plan  package-metadata  create category Applications
      plan  package-metadata  create record ExampleApp-1.2.3.pkg
                                display_name: "ExampleApp-1.2.3.pkg"
                                category: "Applications"
                                notes: "ExampleApp 1.2.3, carried by pkgferry"
                                priority: "10"
      plan  package-upload    create file ExampleApp-1.2.3.pkg (the server has no file of this name), 842 bytes to send
      plan  verify-delivery   prove delivery of ExampleApp-1.2.3.pkg
      done  package-metadata  created record 1 (category Applications, notes, priority 10)
      done  package-upload    sent ExampleApp-1.2.3.pkg onto record 1: 842 bytes
      done  verify-delivery   proven after [N] s: size and SHA3-512 agree in record 1, which is READY
      = created: 842 bytes sent
    "#);
    insta::assert_snapshot!(server.requests(), @"
    POST /api/v1/oauth/token 200
    GET /api/v1/jamf-pro-version 200
    GET /api/schema/ 200
    GET /api/v1/cloud-distribution-point 200
    GET /api/v1/cloud-distribution-point/upload-capability 200
    GET /api/v1/packages 200
    GET /api/v1/categories 200
    POST /api/v1/categories 201
    POST /api/v1/packages 201
    GET /api/v1/packages/1 200
    GET /api/v1/packages/1 200
    POST /api/v1/packages/1/upload 201
    POST /api/v1/cloud-distribution-point/refresh-inventory 204
    GET /api/v1/packages/1 200
    POST /api/v1/auth/invalidate-token 204
    ");
    server.clear_journal();
    insta::assert_snapshot!(stage.run(&["run", RECIPE]).succeeded().shown(), @"
    exit 0
    --- stdout
    com.github.pkgferry.recipes.ExampleApp
      look  choose-route      packages-api: Jamf Pro takes the file itself; not jcds: Jamf Pro 12.0.0 has no JCDS calls any more
      look  find-package      record 1, file of 842 bytes
      look  compare-hash      same: 842 bytes, MD5 and SHA3-512 agree
      skip  jcds-credentials  route packages-api: package-upload sends the file
      skip  s3-upload         route packages-api: package-upload sends the file
      skip  package-metadata  record 1 already says so
      skip  package-upload    842 bytes, MD5 and SHA3-512 agree
      skip  verify-delivery   nothing was sent
      = skipped: nothing sent
    ");
    insta::assert_snapshot!(server.requests(), @"
    POST /api/v1/oauth/token 200
    GET /api/v1/jamf-pro-version 200
    GET /api/v1/cloud-distribution-point 200
    GET /api/v1/cloud-distribution-point/upload-capability 200
    GET /api/v1/packages 200
    GET /api/v1/categories 200
    POST /api/v1/auth/invalidate-token 204
    ");
}

#[test]
fn a_change_of_the_record_alone_is_proven_by_the_record() {
    let (stage, server) = of_version("12.0.0");
    let file = stage.write("App.pkg", noise(3, 5_000));
    stage.run(&["upload", &file, "--notes", "one"]).succeeded();
    let ran = stage.run(&["upload", &file, "--notes", "two"]).succeeded();
    assert!(ran.stdout.contains("= metadata only: 0 bytes sent"), "{}", ran.stdout);
    assert!(line(&ran, "done  verify-delivery").starts_with("proven after"), "{}", ran.stdout);
    let record = &server.packages()[0];
    assert_eq!((&record["notes"], &record["size"]), (&json!("two"), &json!("5000")));
}

#[test]
fn what_was_sent_through_jamf_pro_is_proven_alone() {
    let (stage, server) = of_version("12.0.0");
    let file = stage.write("App.pkg", noise(3, 5_000));
    stage.run(&["upload", &file]).succeeded();
    server.clear_journal();
    let path = format!("pkg_path={file}");
    let ran = stage.run(&["run", "recipes/verify-package.recipe.yaml", "-k", &path]).succeeded();
    assert!(
        line(&ran, "done  verify-delivery").contains("agree in record 1, which is READY"),
        "{}",
        ran.stdout
    );
}

/// Recipes of before, and recipes for one route, need nobody to choose.
#[test]
fn a_recipe_that_does_not_choose_does_what_its_steps_are_for() {
    let jcds = [
        "find-package",
        "compare-hash",
        "jcds-credentials",
        "s3-upload",
        "package-metadata",
        "verify-delivery",
    ];
    let packages_api =
        ["find-package", "compare-hash", "package-metadata", "package-upload", "verify-delivery"];
    for steps in [&jcds[..], &packages_api[..]] {
        let (stage, server) = of_version("11.30.1");
        let file = stage.write("App.pkg", noise(4, 9_000));
        let process: String = steps.iter().map(|step| format!("- Processor: {step}\n")).collect();
        let recipe = format!("Identifier: test.one-way\nInput:\n  pkg_path: {file}\nProcess:\n{process}");
        let recipe = stage.write("one-way.recipe.yaml", recipe);
        let ran = stage.run(&["run", &recipe]).succeeded();
        assert!(line(&ran, "done  verify-delivery").starts_with("proven after"), "{}", ran.stdout);
        assert_holds(&server, "App.pkg", &noise(4, 9_000));
        server.clear_journal();
        let again = stage.run(&["run", &recipe]).succeeded();
        assert!(again.stdout.contains("= skipped: nothing sent"), "{}", again.stdout);
        assert_eq!(server.writes(), [], "{}", server.requests());
    }
}

/// A server with an old file under a record, and a new one here.
fn with_old_file(change: impl FnOnce(&mut Config)) -> (Stage, Server, String) {
    let (stage, server) = Stage::with_server_like(change);
    server.put_file("App.pkg", b"the old bytes");
    server.put_package(json!({ "fileName": "App.pkg", "packageName": "App.pkg", "notes": "by hand" }));
    let file = stage.write("App.pkg", noise(2, 40_000));
    (stage, server, file)
}

fn without(config: &mut Config, privilege: Privilege) {
    for account in &mut config.accounts {
        account.privileges.retain(|held| *held != privilege);
    }
}

/// The run falls back to `packages-api`, says so once, and ends delivered and proven; the next one sends nothing.
#[track_caller]
fn falls_back(stage: &Stage, server: &Server, file: &str) -> Ran {
    let ran = stage.run(&["upload", file]).succeeded();
    assert_eq!(
        ran.stderr.matches("; planning again with route packages-api\n").count(),
        1,
        "{}",
        ran.shown()
    );
    assert!(ran.stdout.contains("choose-route      packages-api: jcds was refused"), "{}", ran.stdout);
    assert!(ran.stdout.contains("= replaced: 39.0 KiB sent"), "{}", ran.stdout);
    assert!(line(&ran, "done  verify-delivery").starts_with("proven after"), "{}", ran.stdout);
    assert_holds(server, "App.pkg", &noise(2, 40_000));
    assert_eq!(server.packages()[0]["notes"], "by hand");
    assert!(server.requests().lines().all(|line| !line.starts_with("DELETE")), "{}", server.requests());

    server.clear_journal();
    let again = stage.run(&["upload", file]).succeeded();
    assert!(again.stdout.contains("= skipped: nothing sent"), "{}", again.shown());
    assert_eq!(server.writes(), [], "{}", server.requests());
    ran
}

#[test]
fn credentials_that_are_refused_lead_to_the_other_route() {
    let (stage, server, file) = with_old_file(|config| without(config, Privilege::CreateJcdsFiles));
    insta::assert_snapshot!(falls_back(&stage, &server, &file).shown(), @"
    exit 0
    --- stdout
    App.pkg
      look  choose-route      jcds: the files of this server are in Jamf Cloud's own distribution service; packages-api if it is refused
      look  find-package      record 1, file of 13 bytes
      look  compare-hash      different: size 39.0 KiB here, 13 bytes on the server
      plan  jcds-credentials  obtain upload credentials for App.pkg
      plan  s3-upload         replace file App.pkg (size 39.0 KiB here, 13 bytes on the server), 39.0 KiB to send
      skip  package-metadata  record 1 already says so
      skip  package-upload    route jcds: s3-upload sends the file
      plan  verify-delivery   prove delivery of App.pkg
      look  choose-route      packages-api: jcds was refused
      look  find-package      record 1, file of 13 bytes
      look  compare-hash      different: size 39.0 KiB here, 13 bytes on the server
      skip  jcds-credentials  route packages-api: package-upload sends the file
      skip  s3-upload         route packages-api: package-upload sends the file
      skip  package-metadata  record 1 already says so
      plan  package-upload    replace file App.pkg (size 39.0 KiB here, 13 bytes on the server), 39.0 KiB to send
      plan  verify-delivery   prove delivery of App.pkg
      done  package-upload    sent App.pkg onto record 1: 39.0 KiB, in place of the old file
      done  verify-delivery   proven after [N] s: size and SHA3-512 agree in record 1, which is READY
      = replaced: 39.0 KiB sent
    --- stderr
      warn  Jamf marked /v1/jcds/* deprecated on 2025-08-28; they are still served; `route: packages-api` does without them
      warn  jcds-credentials  POST /api/v1/jcds/files was answered with 403 Forbidden: Forbidden (INVALID_PRIVILEGE); it takes the privilege “Create Jamf Cloud Distribution Service Files”; planning again with route packages-api
    ");
}

#[test]
fn a_route_that_a_server_refused_is_not_tried_again_in_the_same_run() {
    let (stage, server) = Stage::with_server_like(|config| without(config, Privilege::CreateJcdsFiles));
    let files: Vec<_> = (0..5).map(|n| stage.write(&format!("App{n}.pkg"), noise(n, 9000))).collect();
    let mut arguments = vec!["upload", "--jobs", "1"];
    arguments.extend(files.iter().map(String::as_str));
    let ran = stage.run(&arguments).succeeded();
    assert!(ran.stdout.ends_with("5 recipes: 5 created; 43.9 KiB sent\n"), "{}", ran.shown());
    assert_eq!(
        ran.stdout.matches("packages-api: jcds was refused before in this run").count(),
        4,
        "{}",
        ran.shown()
    );
    let asked = server.requests().lines().filter(|line| line.starts_with("POST /api/v1/jcds/files ")).count();
    assert_eq!(asked, 1, "{}", server.requests());
}

#[test]
fn a_list_that_is_refused_leads_to_the_other_route() {
    for gone in [JcdsGone::NotFound, JcdsGone::Gone] {
        let (stage, server, file) = with_old_file(|config| {
            config.jcds_gone = Some(gone);
            // With it the choice would be right from the start.
            config.serves_schema = false;
        });
        falls_back(&stage, &server, &file);
    }
    let (stage, server, file) = with_old_file(|config| without(config, Privilege::ReadJcdsFiles));
    falls_back(&stage, &server, &file);
}

#[test]
fn storage_that_refuses_leads_to_the_other_route() {
    for fault in [Fault::DateStripped, Fault::SignatureStripped] {
        let (stage, server, file) = with_old_file(|config| config.faults.push(fault));
        falls_back(&stage, &server, &file);
        assert!(server.open_uploads().is_empty());
    }
}

#[test]
fn a_dry_run_falls_back_too() {
    let (stage, server, file) = with_old_file(|config| without(config, Privilege::ReadJcdsFiles));
    let ran = stage.run(&["upload", &file, "--dry-run"]).succeeded();
    assert!(ran.stderr.contains("; planning again with route packages-api"), "{}", ran.shown());
    assert!(ran.stdout.contains("= would be replaced: 39.0 KiB to send"), "{}", ran.stdout);
    assert_eq!(server.writes(), []);
}

#[test]
fn programs_read_what_was_given_up_and_why() {
    let (stage, _server, file) = with_old_file(|config| without(config, Privilege::CreateJcdsFiles));
    let ran = stage.run(&["upload", &file, "--json"]).succeeded();
    let last: Value = serde_json::from_str(ran.stdout.lines().last().unwrap()).unwrap();
    let recipe = &last["recipes"][0];
    assert_eq!((&recipe["status"], &recipe["failure"]), (&json!("replaced"), &Value::Null));
    let given_up = &recipe["given_up"];
    assert_eq!(given_up["failure"]["step"]["processor"], "jcds-credentials");
    assert_eq!(given_up["failure"]["kind"], "access");
    assert!(
        given_up["failure"]["hint"]
            .as_str()
            .unwrap()
            .contains("Create Jamf Cloud Distribution Service Files")
    );
}

#[test]
fn a_route_that_is_asked_for_is_not_left() {
    let (stage, server, file) = with_old_file(|config| without(config, Privilege::CreateJcdsFiles));
    let ran = stage.run(&["upload", &file, "-k", "route=jcds"]);
    assert_eq!(ran.code, 4, "{}", ran.shown());
    assert_holds(&server, "App.pkg", b"the old bytes");

    for (fault, code) in [(Fault::UploadTooLarge, 5), (Fault::UploadBlocked, 4)] {
        let (stage, server, file) = with_old_file(|config| config.faults.push(fault));
        let ran = stage.run(&["upload", &file, "-k", "route=packages-api"]);
        assert_eq!(ran.code, code, "{}", ran.shown());
        assert!(ran.stderr.contains("hint: ") && ran.stderr.contains("route: jcds"), "{}", ran.stderr);
        assert_holds(&server, "App.pkg", b"the old bytes");
    }
}

#[test]
fn where_no_route_leads_both_reasons_are_told() {
    let (stage, server, file) = with_old_file(|config| config.distribution_point = DistributionPoint::NONE);
    insta::assert_snapshot!(stage.run(&["upload", &file]).shown(), @"
    exit 5
    --- stdout
    App.pkg
      = failed
    --- stderr
      fail  step 1 choose-route: no route leads into the cloud of this server; not jcds: no cloud distribution point is set up; not packages-api: the principal distribution point is not in the cloud
            hint: make Jamf Cloud the principal distribution point in Settings > Server > Cloud distribution point; for files that lie elsewhere, the recipe package-record-only makes the record alone
    ");
    assert_eq!(server.writes(), []);
}

/// Servers whose facts leave nothing but `packages-api`, as long as they take it: the processors as they are, behind one that
/// chooses otherwise than `choose-route` would.
mod the_other_way_round {
    use super::*;
    use jamf::Sessions;
    use pipeline::{
        Access, Applied, Boundary, Context, Env, Failure, Input, Origin, Output, Plan, Processor, Route,
        RouteChoice, Silent, SimulatedClock, Spec, Status, Witness, keys,
    };
    use recipe::Library;
    use runner::{Registry, Report};
    use sandbox::Sandbox;
    use std::convert::Infallible;
    use std::sync::Arc;

    struct PrefersPackagesApi;

    impl Processor for PrefersPackagesApi {
        type Work = Infallible;
        fn spec(&self) -> &'static Spec {
            static SPEC: Spec = Spec {
                name: "choose-route",
                summary: "",
                docs: "",
                writes: false,
                inputs: &[Input::optional(keys::ROUTE, "")],
                outputs: &[
                    Output::planned(keys::CHOSEN_ROUTE, ""),
                    Output::planned(keys::FALLBACK_ROUTE, ""),
                    Output::planned(keys::WITNESS, ""),
                ],
            };
            &SPEC
        }
        async fn plan(&self, env: &Env, _cx: &Context) -> Result<Plan<Infallible>, Failure> {
            if env.get(keys::ROUTE)? == Some(RouteChoice::Jcds) {
                return Ok(Plan::done("jcds")
                    .with(keys::CHOSEN_ROUTE, Route::Jcds)
                    .with(keys::WITNESS, Witness::List));
            }
            Ok(Plan::done("packages-api")
                .with(keys::CHOSEN_ROUTE, Route::PackagesApi)
                .with(keys::FALLBACK_ROUTE, Route::Jcds)
                .with(keys::WITNESS, Witness::Record))
        }
        async fn apply(&self, work: Infallible, _env: &Env, _cx: &Context) -> Result<Applied, Failure> {
            match work {}
        }
    }

    fn registry(sessions: &Arc<Sessions>) -> Registry {
        let memory = s3_upload::Memory::of_one_run().unwrap();
        let digests = memory.digests.clone();
        let mut registry = Registry::default();
        registry.register(PrefersPackagesApi).unwrap();
        registry.register(find_package::FindPackage::new(sessions.clone())).unwrap();
        registry.register(compare_hash::CompareHash::new(digests.clone())).unwrap();
        let credentials = jcds_credentials::JcdsCredentials::new(sessions.clone(), memory.state.clone());
        registry.register(credentials).unwrap();
        registry.register(s3_upload::S3Upload::new(sessions.clone(), memory)).unwrap();
        registry.register(package_metadata::PackageMetadata::new(sessions.clone())).unwrap();
        registry.register(package_upload::PackageUpload::new(sessions.clone(), digests.clone())).unwrap();
        registry.register(verify_delivery::VerifyDelivery::new(sessions.clone(), digests)).unwrap();
        registry
    }

    /// Delivers `new` in place of `old`, through the shipped recipe.
    async fn deliver(sandbox: &Sandbox, clock: &Arc<SimulatedClock>, path: &std::path::Path) -> Report {
        let sessions = Arc::new(Sessions::new(jamf::Config::default()).unwrap());
        let registry = registry(&sessions);
        let mut values = sandbox.env();
        values.set(keys::PKG_PATH, path.to_owned(), Origin::Flag("FILE"));
        let recipe = crate::stage::repository().join("recipes/upload-package.recipe.yaml");
        let source = recipe::Source { bytes: std::fs::read(&recipe).unwrap(), path: recipe };
        let chain = Library::default().load_source(&source).unwrap();
        let checked = recipe::check(&chain, &registry.specs(), &Env::new(), &values).unwrap();
        let boundary = Arc::new(Boundary::new(Access::ReadWrite));
        let cx = Context::new(clock.clone(), boundary, Arc::new(Silent), Default::default());
        runner::run(&registry, &checked, false, &cx).await
    }

    async fn server(change: impl FnOnce(&mut Config)) -> (Sandbox, Arc<SimulatedClock>, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(SimulatedClock::at("2026-11-20T12:00:00Z".parse().unwrap()));
        let mut config = Config::new(folder.path().join("server"), clock.clone());
        change(&mut config);
        let sandbox = Sandbox::start(contract::watched(config)).await.unwrap();
        sandbox.put_file("App.pkg", b"the old bytes");
        (sandbox, clock, folder)
    }

    #[tokio::test]
    async fn an_upload_that_is_refused_leads_to_jcds() {
        let refusals: [fn(&mut Config); 3] = [
            |config| config.faults.push(Fault::UploadTooLarge),
            |config| config.faults.push(Fault::UploadBlocked),
            |config| {
                let direct = DistributionPoint { takes_uploads: false, ..DistributionPoint::JAMF_CLOUD };
                config.distribution_point = direct;
            },
        ];
        for refuse in refusals {
            let (sandbox, clock, folder) = server(refuse).await;
            let path = folder.path().join("App.pkg");
            std::fs::write(&path, noise(2, 40_000)).unwrap();
            let report = deliver(&sandbox, &clock, &path).await;
            assert_eq!((report.status, &report.failure), (Status::Replaced, &None));
            let given_up = report.given_up.unwrap();
            assert_eq!(given_up.failure.unwrap().step.unwrap().processor, "package-upload");
            let proof = report.steps.last().unwrap().outcome.as_ref().unwrap();
            assert!(proof.message().starts_with("proven after"), "{proof}");
            assert!(sandbox.bytes_of("App.pkg").unwrap() == noise(2, 40_000));
            assert_eq!(sandbox.packages().len(), 1, "the record of the first attempt is used");

            sandbox.clear_journal();
            let again = deliver(&sandbox, &clock, &path).await;
            assert_eq!((again.status, again.bytes_sent), (Status::Skipped, 0));
            assert!(!sandbox.journal().iter().any(sandbox::Request::is_write));
        }
    }
}
