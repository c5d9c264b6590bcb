//! `pkgferry promote`.

use crate::servers::{settle, stage_with_two, table};
use crate::stage::{Server, Stage, noise};
use crate::verify::folder;
use sandbox::{DistributionPoint, JcdsGone};
use serde_json::{Value, json};
use state::State;

const PROMOTE: [&str; 6] = ["promote", "App.pkg", "--from", "test", "--to", "production"];

/// A stage on whose first server the package is proven, with a record that says something.
fn tested() -> (Stage, Server, Server) {
    let (stage, test, production) = stage_with_two();
    let file = stage.write("App.pkg", noise(1, 50_000));
    let arguments = ["upload", &file, "--server", "test", "--category", "Tested", "--create-category"];
    let more = ["--notes", "tested by many", "--priority", "7", "--display-name", "The App"];
    stage.run(&[&arguments[..], &more].concat()).succeeded();
    std::fs::remove_file(file).unwrap();
    test.clear_journal();
    (stage, test, production)
}

fn fetched(server: &Server) -> bool {
    server.requests().contains("GET /api/v1/jcds/files/App.pkg")
}

#[test]
fn a_proven_package_goes_on_with_its_record() {
    let (stage, test, production) = tested();
    production.put_category("Tested");
    let ran = stage.run(&PROMOTE).succeeded();
    let outline = ran.stdout.lines().filter(|line| !line.starts_with("  ") || line.starts_with("  ="));
    let outline = outline.collect::<Vec<_>>().join("\n");
    let digest = &production.files()[0].sha3;
    insta::assert_snapshot!(outline.replace(digest, "[SHA3-512]"), @"
    App.pkg: proven on test: 48.8 KiB, SHA3-512 [SHA3-512], record 1 is READY
    App.pkg (test)
      = downloaded: 48.8 KiB fetched
    App.pkg (production)
      = created: 48.8 KiB sent
    App.pkg: promoted from test to production: 48.8 KiB, SHA3-512 [SHA3-512]
    2 runs on 2 servers: 1 created, 1 downloaded; 48.8 KiB sent, 48.8 KiB fetched
    ");
    assert!(production.bytes_of("App.pkg").unwrap() == noise(1, 50_000));
    let record = &production.packages()[0];
    assert_eq!((&record["notes"], &record["priority"]), (&json!("tested by many"), &json!(7)));
    assert_eq!(record["packageName"], "The App");
    assert_eq!(record["categoryId"], "1");
    assert!(test.writes().is_empty(), "{}", test.requests());

    // Again: nothing is fetched and nothing sent.
    test.clear_journal();
    production.clear_journal();
    let ran = stage.run(&PROMOTE).succeeded();
    assert!(ran.stdout.contains("this server holds the same bytes already"), "{}", ran.stdout);
    assert!(production.writes().is_empty() && !fetched(&test), "{}", production.requests());
}

#[test]
fn only_the_record_goes_where_the_bytes_are() {
    let (stage, test, production) = tested();
    production.put_file("App.pkg", &noise(1, 50_000));
    stage.run(&[&PROMOTE[..], &["--create-category"]].concat()).succeeded();
    assert!(!fetched(&test));
    assert_eq!(production.packages()[0]["notes"], "tested by many");
    assert!(
        production.writes().iter().all(|request| !request.path.contains("jcds")),
        "{}",
        production.requests()
    );
}

#[test]
fn the_file_alone() {
    let (stage, _test, production) = tested();
    let ran = stage.run(&[&PROMOTE[..], &["--file-only"]].concat()).succeeded();
    assert!(ran.stdout.contains("= created"), "{}", ran.stdout);
    let record = &production.packages()[0];
    assert_eq!(
        (record["notes"].as_str().unwrap_or(""), record["packageName"].as_str()),
        ("", Some("App.pkg"))
    );
    production.clear_journal();
    let ran = stage.run(&[&PROMOTE[..], &["--file-only"]].concat()).succeeded();
    assert!(ran.stdout.ends_with("= skipped: nothing sent\n"), "{}", ran.stdout);
    assert!(production.writes().is_empty());
}

#[test]
fn a_table_says_what_its_server_has_of_its_own() {
    let (mut stage, test, production) = tested();
    let text = format!(
        "{}{}pkg_category = \"Released\"\ncreate_category = true\n",
        table("test", &test),
        table("production", &production)
    );
    settle(&mut stage, &text);
    stage.run(&[&PROMOTE[..], &["-k", "pkg_notes=released"]].concat()).succeeded();
    let record = &production.packages()[0];
    assert_eq!((&record["notes"], &record["priority"]), (&json!("released"), &json!(7)));
    assert_eq!(production.requests().matches("POST /api/v1/categories 201").count(), 1);
}

#[test]
fn a_dry_run_tells_all_and_fetches_nothing() {
    let (stage, test, production) = tested();
    let ran = stage.run(&[&PROMOTE[..], &["--dry-run"]].concat()).succeeded();
    let digest = &test.files()[0].sha3;
    let shown = ran.shown().replace(digest, "[SHA3-512]");
    let folder = shown.split_once("/pkgferry-promote-").map(|(_, rest)| rest[..6].to_owned()).unwrap();
    insta::assert_snapshot!(shown.replace(&folder, "[RANDOM]"), @"
    exit 0
    --- stdout
    App.pkg: proven on test: 48.8 KiB, SHA3-512 [SHA3-512], record 1 is READY
    App.pkg (test)
      plan  jcds-download     download file App.pkg to /tmp/pkgferry-promote-[RANDOM]/App.pkg, 48.8 KiB to fetch
      = would be downloaded: 48.8 KiB to fetch
    App.pkg (production)
      plan  promote           create file App.pkg (the server has no file of this name), 48.8 KiB to send
      = would be created: 48.8 KiB to send
    2 runs on 2 servers: 1 would be created, 1 would be downloaded; 48.8 KiB to send, 48.8 KiB to fetch
    Dry run: no write request was made (7 reads).
    --- stderr
      warn  Jamf marked /v1/jcds/* deprecated on 2025-08-28; they are still served; `route: packages-api` does without them
    ");
    assert!(production.writes().is_empty() && test.writes().is_empty() && !fetched(&test));
}

#[test]
fn json_tells_what_was_promoted() {
    let (stage, test, production) = tested();
    let ran = stage.run(&[&PROMOTE[..], &["--create-category", "--json"]].concat()).succeeded();
    let result: Value = serde_json::from_str(ran.stdout.lines().last().unwrap()).unwrap();
    let promoted = &result["promoted"];
    assert_eq!((&promoted["file"], &promoted["from"]), (&json!("App.pkg"), &json!("test")));
    assert_eq!(promoted["sha3_512"], test.files()[0].sha3);
    let servers: Vec<_> =
        result["recipes"].as_array().unwrap().iter().map(|report| &report["server"]).collect();
    assert_eq!(servers, ["test", "production"]);
    assert_eq!(production.names(), ["App.pkg"]);
}

#[test]
fn a_kept_package_is_not_fetched_again() {
    let (stage, test, production) = tested();
    let cache = stage.path("cache");
    let arguments = [&PROMOTE[..], &["--create-category", "--cache", cache.to_str().unwrap()]].concat();
    stage.run(&arguments).succeeded();
    assert!(cache.join("App.pkg").is_file() && fetched(&test));
    // As if production had lost it, long ago.
    production.put_file("App.pkg", b"something else");
    let state = State::open(&folder(&stage)).unwrap().state;
    let sent =
        state.delivery(&production.connection().jss_url, &"App.pkg".parse().unwrap()).unwrap().unwrap();
    assert!(state.forget_delivery(&sent).unwrap());
    drop(state);
    test.clear_journal();
    stage.run(&arguments).succeeded();
    assert!(!fetched(&test));
    assert!(production.bytes_of("App.pkg").unwrap() == noise(1, 50_000));
}

#[test]
fn given_bytes_are_carried_if_they_are_the_proven_ones() {
    let (stage, test, production) = tested();
    let (right, wrong) =
        (stage.write("Right.pkg", noise(1, 50_000)), stage.write("Wrong.pkg", noise(2, 50_000)));
    insta::assert_snapshot!(
        stage.run(&[&PROMOTE[..], &["--file", &wrong]].concat()).shown().replace(&test.files()[0].sha3, "[SHA3-512]"),
        @"
    exit 6
    --- stdout
    App.pkg: proven on test: 48.8 KiB, SHA3-512 [SHA3-512], record 1 is READY
    --- stderr
      warn  Jamf marked /v1/jcds/* deprecated on 2025-08-28; they are still served; `route: packages-api` does without them
    pkgferry: [STAGE]/Wrong.pkg is not the file that is proven as App.pkg on test
      hint: give the package as it was sent there, or leave --file out so that it is fetched
    "
    );
    assert!(production.names().is_empty());
    stage.run(&[&PROMOTE[..], &["--create-category", "--file", &right]].concat()).succeeded();
    assert!(!fetched(&test));
    assert_eq!(production.names(), ["App.pkg"]);
}

#[test]
fn a_server_without_jcds_lets_go_by_its_record_if_the_bytes_are_given() {
    let mut stage = Stage::new();
    let gone = |config: &mut sandbox::Config| config.jcds_gone = Some(JcdsGone::Gone);
    let (test, production) =
        (Server::start(stage.path("test"), gone), Server::start(stage.path("production"), gone));
    settle(&mut stage, &format!("{}{}", table("test", &test), table("production", &production)));
    let file = stage.write("App.pkg", noise(1, 50_000));
    stage.run(&["upload", &file, "--server", "test"]).succeeded();
    let ran = stage.run(&PROMOTE);
    assert_eq!(ran.code, 5, "{}", ran.shown());
    assert!(ran.stderr.contains("hint: give the package with --file"), "{}", ran.stderr);
    stage.run(&[&PROMOTE[..], &["--file", &file]].concat()).succeeded();
    assert!(production.bytes_of("App.pkg").unwrap() == noise(1, 50_000));
}

#[test]
fn what_is_not_proven_stays_where_it_is() {
    let (stage, test, production) = stage_with_two();
    let ran = stage.run(&PROMOTE);
    assert!(
        ran.code == 5 && ran.stderr.contains("no package record on test names the file App.pkg"),
        "{}",
        ran.shown()
    );

    test.put_file("App.pkg", b"bytes");
    test.put_package(json!({
        "packageName": "App.pkg", "fileName": "App.pkg", "categoryId": "-1", "priority": 10, "cloudTransferStatus": "PENDING",
    }));
    let ran = stage.run(&PROMOTE);
    insta::assert_snapshot!(ran.shown(), @"
    exit 7
    --- stderr
      warn  Jamf marked /v1/jcds/* deprecated on 2025-08-28; they are still served; `route: packages-api` does without them
    pkgferry: App.pkg is not proven on test: its record is PENDING and not READY
      hint: send it there again, or run verify-package with --server test, which lets the server look again
    ");
    assert!(production.journal().is_empty());
}

#[test]
fn one_server_does_not_hold_up_the_others() {
    let (mut stage, test, production) = tested();
    let away = table("away", &production).replace(&production.connection().client_secret, "wrong");
    let text = format!("{}{}{away}", table("test", &test), table("production", &production));
    settle(&mut stage, &text);
    let to_both = ["promote", "App.pkg", "--from", "test", "--to", "away", "--to", "production"];
    let report = stage.path("run.json").to_str().unwrap().to_owned();
    let ran = stage.run(&[&to_both[..], &["--create-category", "--report", &report]].concat());
    assert_eq!(ran.code, 4, "{}", ran.shown());
    let report: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    let told = report["packages"].as_array().unwrap().iter();
    let told: Vec<_> =
        told.map(|package| (package["server"].as_str().unwrap(), &package["status"])).collect();
    assert_eq!(
        told,
        [("away", &json!("failed")), ("test", &json!("downloaded")), ("production", &json!("created"))]
    );
    assert_eq!(production.names(), ["App.pkg"]);
}

#[test]
fn nothing_is_fetched_for_a_server_that_another_run_works_on() {
    let (stage, test, production) = tested();
    production.put_category("Tested");
    let state = state::State::open(&stage.path("home/.local/state/pkgferry")).unwrap().state;
    let claim = state::Claim { what: "run nightly", host: "mac", since: jiff::Timestamp::UNIX_EPOCH };
    let server = production.connection().jss_url.clone();
    let lock = state.lock_server(&server, pipeline::Shard::WHOLE, &claim).unwrap();
    let ran = stage.run(&PROMOTE);
    assert_eq!(ran.code, 10, "{}", ran.shown());
    assert!(ran.stderr.contains("another pkgferry works on"), "{}", ran.stderr);
    assert!(!fetched(&test) && production.names().is_empty(), "{}", test.requests());
    drop(lock);
    stage.run(&PROMOTE).succeeded();
}

#[test]
fn a_promotion_has_two_ends() {
    let (mut stage, ..) = stage_with_two();
    let to_itself = ["promote", "App.pkg", "--from", "test", "--to", "test"];
    assert_eq!(stage.run(&to_itself).code, 64);
    assert_eq!(stage.run(&["promote", "App.pkg", "--from", "test", "--to", "nowhere"]).code, 64);
    assert_eq!(stage.run(&[&PROMOTE[..], &["--sandbox"]].concat()).code, 64);
    stage.set("JSS_URL", "https://x.example.com");
    let ran = stage.run(&PROMOTE);
    assert!(ran.code == 64 && ran.stderr.contains("JSS_URL"), "{}", ran.shown());
}

#[test]
fn it_goes_by_the_other_route_too() {
    let mut stage = Stage::new();
    let test = Server::start(stage.path("test"), |_| {});
    let production = Server::start(stage.path("production"), |config| {
        config.distribution_point = DistributionPoint::principal(sandbox::CdnType::AmazonS3);
    });
    settle(&mut stage, &format!("{}{}", table("test", &test), table("production", &production)));
    let file = stage.write("App.pkg", noise(1, 50_000));
    stage.run(&["upload", &file, "--server", "test"]).succeeded();
    std::fs::remove_file(file).unwrap();
    let ran = stage.run(&PROMOTE).succeeded();
    assert!(production.requests().contains("/upload 201"), "{}\n{}", ran.shown(), production.requests());
    production.clear_journal();
    stage.run(&PROMOTE).succeeded();
    assert!(production.writes().is_empty(), "{}", production.requests());
}
