//! `pkgferry verify`: what earlier runs have sent and not proven.

use crate::stage::{Server, Stage, noise};
use insta::assert_snapshot;
use sandbox::Request;
use serde_json::{Value, json};
use state::{Arrival, Delivery, NewDelivery, State};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

pub fn folder(stage: &Stage) -> PathBuf {
    stage.path("home/.local/state/pkgferry")
}

fn kept(stage: &Stage) -> Vec<Delivery> {
    State::open(&folder(stage)).unwrap().state.unproven(None).unwrap()
}

/// An upload that was not proven in its second; its file would be listed after this time.
fn unproven(listed_after: Duration) -> (Stage, Server, String) {
    let (stage, server) = Stage::with_server_like(|config| config.listed_after = listed_after);
    let file = stage.write("App.pkg", noise(1, 5_000));
    let ran = stage.run(&["upload", &file, "-k", "verify_timeout=1"]);
    assert_eq!(ran.code, 7, "{}", ran.shown());
    assert!(ran.stdout.contains("then run `pkgferry verify`, which sends nothing"), "{}", ran.shown());
    server.clear_journal();
    (stage, server, file)
}

/// A file that is on the server since, and that an earlier run has kept without a record.
fn kept_and_there(stage: &Stage, server: &Server) -> String {
    server.put_file("App.pkg", &noise(1, 5_000));
    keep(stage, server)
}

/// A file that an earlier run has kept without a record, and that is not on the server. What that run did is not seen, and not
/// waited for.
fn keep(stage: &Stage, server: &Server) -> String {
    let file = stage.write("App.pkg", noise(1, 5_000));
    let cancel = tokio_util::sync::CancellationToken::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (sent, _) = runtime.block_on(fingerprint::digest(file.as_ref(), |_| {}, &cancel)).unwrap();
    let new = NewDelivery {
        server: &server.connection().jss_url,
        file: &"App.pkg".parse().unwrap(),
        record: None,
        sent,
        route: pipeline::Route::Jcds,
        witness: pipeline::Witness::List,
        since: "2026-11-19T22:00:00Z".parse().unwrap(),
        arrival: Arrival::Awaited,
    };
    State::open(&folder(stage)).unwrap().state.keep_delivery(&new).unwrap();
    file
}

/// All that a look may do to a server: sign in and out, and ask it to refresh.
#[track_caller]
fn nothing_was_sent(server: &Server) {
    let harmless = ["refresh-inventory", "/oauth/token", "/auth/"];
    let is_harmless = |path: &str| harmless.iter().any(|part| path.contains(part));
    let writes: Vec<_> = server.writes().into_iter().filter(|request| !is_harmless(&request.path)).collect();
    assert!(writes.is_empty(), "{}", server.requests());
    assert!(server.requests().contains("refresh-inventory"), "{}", server.requests());
}

#[test]
fn there_may_be_nothing_to_prove() {
    let stage = Stage::new();
    // Not even a server is needed for that.
    assert_snapshot!(stage.run(&["verify"]).shown(), @"
    exit 0
    --- stdout
    nothing is left to prove
    --- stderr
      warn  [STAGE]/home/.local/state/pkgferry holds no state: nothing was remembered there yet
    ");
    assert!(!folder(&stage).exists(), "who asks makes nothing");
    drop(State::open(&folder(&stage)).unwrap());
    assert_snapshot!(stage.run(&["verify"]).shown(), @"
    exit 0
    --- stdout
    nothing is left to prove
    ");
    let result: Value = serde_json::from_str(&stage.run(&["verify", "--json"]).succeeded().stdout).unwrap();
    assert_eq!(json!([result["type"], result["recipes"]]), json!(["result", []]));
}

#[test]
fn what_has_arrived_since_is_proven_and_settled() {
    let (stage, server, file) = unproven(Duration::from_secs(3_600));
    // It has arrived.
    server.put_file("App.pkg", &noise(1, 5_000));
    // It need not be here any more.
    std::fs::remove_file(file).unwrap();
    let records = server.packages();
    let ran = stage.run(&["verify"]).succeeded();
    assert_snapshot!(ran.stdout, @"
    App.pkg
      look  choose-route      jcds: the files of this server are in Jamf Cloud's own distribution service; packages-api if it is refused
      plan  verify-delivery   prove delivery of App.pkg
      done  verify-delivery   proven after [N] s: size, MD5 and SHA3-512 agree, record 1 is READY
      = skipped: nothing sent
    ");
    nothing_was_sent(&server);
    assert_eq!((server.packages().len(), server.names()), (records.len(), vec!["App.pkg".to_owned()]));
    assert_eq!(server.packages()[0]["packageName"], records[0]["packageName"]);
    assert_eq!(kept(&stage), []);
    assert_eq!(stage.run(&["verify"]).succeeded().stdout, "nothing is left to prove\n");
}

#[test]
fn what_has_not_arrived_stays_and_is_7() {
    let (stage, server, _) = unproven(Duration::from_secs(3_600));
    let before = kept(&stage);
    let ran = stage.run(&["verify", "-k", "verify_timeout=1"]);
    assert_snapshot!(ran.shown(), @"
    exit 7
    --- stdout
    App.pkg
      look  choose-route      jcds: the files of this server are in Jamf Cloud's own distribution service; packages-api if it is refused
      plan  verify-delivery   prove delivery of App.pkg
      warn  verify-delivery   unverified: App.pkg is not proven after [N] s: the distribution service does not list it
            hint: wait a few minutes, then run `pkgferry verify`, which sends nothing; sending again now may make a twin, App_1.pkg, so no run does for an hour; if somebody has deleted it, `pkgferry verify --forget App.pkg` lets the next run send it
      = unverified: 0 bytes sent
    --- stderr
      warn  Jamf marked /v1/jcds/* deprecated on 2025-08-28; they are still served; `route: packages-api` does without them
    ");
    nothing_was_sent(&server);
    assert_eq!(kept(&stage), before);

    let ran = stage.run(&["verify", "-k", "verify_timeout=1", "--json"]);
    let result: Value = serde_json::from_str(ran.stdout.lines().last().unwrap()).unwrap();
    assert_eq!((ran.code, &result["recipes"][0]["status"]), (7, &"unverified".into()), "{result}");
}

#[test]
fn a_run_that_was_killed_while_it_waited_is_known() {
    let (stage, server) = Stage::with_server_like(|config| config.listed_after = Duration::from_secs(5));
    let file = stage.write("App.pkg", noise(1, 5_000));
    let mut command = stage.command(&["upload", &file]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let refreshes = |request: &Request| request.path.contains("refresh-inventory");
    server.until("the refresh", |requests| requests.iter().any(refreshes));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(kept(&stage).len(), 1);
    server.clear_journal();
    let ran = stage.run(&["verify"]).succeeded();
    assert!(ran.stdout.contains("size, MD5 and SHA3-512 agree"), "{}", ran.shown());
    nothing_was_sent(&server);
    assert_eq!(kept(&stage), []);
}

#[test]
fn the_next_run_that_finds_nothing_to_send_proves_it_too() {
    let (stage, server) = Stage::with_server();
    let file = kept_and_there(&stage, &server);
    server.put_package(
        json!({ "packageName": "App.pkg", "fileName": "App.pkg", "categoryId": "-1", "priority": 10 }),
    );
    let ran = stage.run(&["upload", &file]).succeeded();
    assert!(ran.stdout.contains("an earlier run has not proven it"), "{}", ran.shown());
    assert_eq!(kept(&stage), []);
}

#[test]
fn a_dry_run_keeps_nothing_and_settles_nothing() {
    let (stage, _server, file) = unproven(Duration::from_secs(3_600));
    let before = kept(&stage);
    stage.run(&["upload", &file, "--dry-run"]);
    let other = stage.write("Other.pkg", noise(2, 100));
    stage.run(&["upload", &other, "--dry-run"]).succeeded();
    assert_eq!(kept(&stage), before);
}

#[test]
fn deliveries_to_other_servers_are_left_alone_and_named() {
    let (stage, server) = Stage::with_server();
    keep(&stage, &server);
    let before = kept(&stage);
    let mut other = Stage::new();
    other.set("PKGFERRY_STATE", folder(&stage).to_str().unwrap());
    other.set("JSS_URL", "http://127.0.0.1:9");
    other.set("CLIENT_ID", "id");
    other.set("CLIENT_SECRET", "secret");
    assert_snapshot!(other.run(&["verify"]).shown(), @"
    exit 0
    --- stdout
    nothing is left to prove here
    --- stderr
      warn  App.pkg on http://127.0.0.1:[PORT] is not proven; --url http://127.0.0.1:[PORT] lets pkgferry verify look there
    ");

    let at = &server.connection().jss_url;
    let text =
        format!("[servers.production]\nJSS_URL = {at:?}\n[servers.test]\nJSS_URL = \"http://127.0.0.1:9\"\n");
    let settings = other.write("settings.toml", text);
    other.set("JSS_URL", "");
    assert_snapshot!(other.run(&["verify", "--server", "test", "--settings", &settings]).shown(), @"
    exit 0
    --- stdout
    nothing is left to prove here
    --- stderr
      warn  App.pkg on http://127.0.0.1:[PORT] is not proven; --server production lets pkgferry verify look there
    ");
    assert_eq!(kept(&stage), before);
    assert!(server.journal().is_empty(), "{}", server.requests());
}

#[test]
fn what_nobody_will_ever_prove_can_be_given_up() {
    let (stage, server) = Stage::with_server();
    keep(&stage, &server);
    assert_eq!(kept(&stage).len(), 1);
    assert_snapshot!(stage.run(&["verify", "--forget", "Other.pkg", "--forget", "App.pkg"]).shown(), @"
    exit 0
    --- stdout
    App.pkg on http://127.0.0.1:[PORT] is not to be proven any more
    --- stderr
      warn  Other.pkg is not among what is to be proven here
    ");
    assert_eq!(kept(&stage), []);
    assert!(server.journal().is_empty(), "{}", server.requests());
}

#[test]
fn an_unusable_state_is_no_empty_one() {
    let mut stage = Stage::new();
    let occupied = stage.write("occupied", "no folder");
    stage.set("PKGFERRY_STATE", &occupied);
    for command in [&["verify"][..], &["history"], &["cache", "show"], &["cache", "prune", "--missing"]] {
        let ran = stage.run(command);
        assert_eq!((ran.code, ran.stdout.as_str()), (6, ""), "{command:?}");
        assert!(
            ran.stderr.starts_with("pkgferry: cannot use [STAGE]/occupied"),
            "{command:?}: {}",
            ran.stderr
        );
    }
}

#[test]
fn a_delivery_without_a_record_is_looked_for_by_its_name() {
    let (stage, server) = Stage::with_server();
    let file = kept_and_there(&stage, &server);
    std::fs::remove_file(file).unwrap();
    let ran = stage.run(&["verify"]).succeeded();
    assert!(ran.stdout.contains("no record names the file"), "{}", ran.shown());
    nothing_was_sent(&server);
}

/// The list is late, and whoever runs again must not make a twin of what is on its way into it.
#[test]
fn what_was_sent_and_is_not_listed_yet_is_not_sent_again() {
    let (stage, server, file) = unproven(Duration::from_secs(12));
    let ran = stage.run(&["upload", &file]).succeeded();
    assert_snapshot!(ran.shown(), @"
    exit 0
    --- stdout
    App.pkg
      look  choose-route      jcds: the files of this server are in Jamf Cloud's own distribution service; packages-api if it is refused
      look  find-package      record 1, file of 4.8 KiB, which was sent at [TIME] and is not listed yet
      look  compare-hash      same: 4.8 KiB, MD5 and SHA3-512 agree
      skip  jcds-credentials  4.8 KiB, MD5 and SHA3-512 agree
      skip  s3-upload         4.8 KiB, MD5 and SHA3-512 agree
      skip  package-metadata  record 1 already says so
      skip  package-upload    route jcds: s3-upload sends the file
      plan  verify-delivery   prove delivery of App.pkg (an earlier run has not proven it)
      done  verify-delivery   proven after [N] s: size, MD5 and SHA3-512 agree, record 1 is READY
      = skipped: nothing sent
    --- stderr
      warn  Jamf marked /v1/jcds/* deprecated on 2025-08-28; they are still served; `route: packages-api` does without them
    ");
    assert_eq!(server.names(), ["App.pkg"]);
    assert!(!server.journal().iter().any(|seen| seen.side == sandbox::Side::S3), "{}", server.requests());
    assert_eq!(kept(&stage), []);
}

#[test]
fn what_a_run_sent_before_it_was_ended_is_not_sent_again_either() {
    for signal in ["-TERM", "-KILL"] {
        let late = Duration::from_secs(4);
        let (stage, server) = Stage::with_server_like(|config| config.listed_after = late);
        let file = stage.write("App.pkg", noise(1, 5_000));
        let mut command = stage.command(&["upload", &file]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // As soon as S3 has answered, whatever the run does then.
        let completes = |seen: &Request| seen.method == "POST" && seen.path.contains("uploadId=");
        server.until("the completion", |requests| requests.iter().any(completes));
        std::process::Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        child.wait().unwrap();
        server.clear_journal();
        let ran = stage.run(&["upload", &file]).succeeded();
        assert_eq!(server.names(), ["App.pkg"], "{signal}: {}", ran.shown());
        let parts = server.journal().iter().filter(|seen| seen.path.contains("partNumber=")).count();
        assert_eq!(parts, 0, "{signal}: {}", ran.shown());
        assert_eq!(kept(&stage), []);
        let again = stage.run(&["upload", &file]).succeeded();
        assert!(again.stdout.contains("= skipped"), "{}", again.shown());
    }
}

/// The deletion that a killed run has asked for shows when the next one has looked.
#[test]
fn a_file_that_is_about_to_go_is_not_called_the_same() {
    let (stage, server) = Stage::with_server();
    let bytes = noise(1, 5_000);
    let file = stage.write("App.pkg", &bytes);
    stage.run(&["upload", &file]).succeeded();
    server.clear_journal();
    server.inject(sandbox::Fault::DeleteLate(3));
    let mut command = stage.command(&["upload", &file, "--force"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    server.until("the deletion", |requests| requests.iter().any(|seen| seen.method == "DELETE"));
    child.kill().unwrap();
    child.wait().unwrap();
    let ran = stage.run(&["upload", &file]).succeeded();
    assert!(ran.stdout.contains("an earlier run has asked the server to delete its file"), "{}", ran.shown());
    assert!(ran.stdout.contains("= replaced"), "{}", ran.shown());
    assert_eq!(server.names(), ["App.pkg"]);
    assert!(server.bytes_of("App.pkg").unwrap() == bytes);
}
