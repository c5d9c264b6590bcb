//! `pkgferry history`: what earlier runs did.

use crate::stage::{Stage, noise};
use insta::assert_snapshot;
use pipeline::SimulatedClock;
use serde_json::{Value, json};
use state::{CommandLine, NewPackage, NewRun, PackageEnd, PackageFacts, RunId, State};
use std::path::PathBuf;
use std::sync::Arc;

fn folder(stage: &Stage) -> PathBuf {
    stage.path("home/.local/state/pkgferry")
}

/// Without moments, machines and the ids of runs, which are new every time.
fn steady(text: &str) -> String {
    let mut out = Vec::new();
    for line in text.lines() {
        let mut line = line.to_owned();
        if let Some(host) = line.split_once(" on ").and_then(|(_, rest)| rest.split_once(", pkgferry ")) {
            line = line.replace(host.0, "[HOST]").replace(host.1, "[VERSION]");
        }
        let words: Vec<String> = line.split(' ').map(steady_word).collect();
        out.push(words.join(" "));
    }
    out.join("\n")
}

fn steady_word(word: &str) -> String {
    let is_like = |pattern: &str| {
        word.len() == pattern.len()
            && word.bytes().zip(pattern.bytes()).all(|(byte, like)| match like {
                b'0' => byte.is_ascii_digit(),
                b'f' => byte.is_ascii_hexdigit(),
                other => byte == other,
            })
    };
    if is_like("0000-00-00") {
        "[   DAY  ]".to_owned()
    } else if is_like("00:00:00") {
        "[ TIME ]".to_owned()
    } else if is_like("ffffffff") {
        "[  ID  ]".to_owned()
    } else if is_like(&"f".repeat(32)) {
        "[ID]".to_owned()
    } else {
        word.to_owned()
    }
}

#[test]
fn there_may_be_no_history() {
    let stage = Stage::new();
    assert_snapshot!(stage.run(&["history"]).shown(), @"
    exit 0
    --- stdout
    no run is remembered
    --- stderr
      warn  [STAGE]/home/.local/state/pkgferry holds no state: nothing was remembered there yet
    ");
    assert!(!folder(&stage).exists(), "who asks makes nothing");
    drop(State::open(&folder(&stage)).unwrap());
    assert_snapshot!(stage.run(&["history"]).shown(), @"
    exit 0
    --- stdout
    no run is remembered
    ");
    assert_snapshot!(stage.run(&["history", "--package", "App.pkg"]).shown(), @"
    exit 0
    --- stdout
    no run has had to do with App.pkg
    ");
    assert_snapshot!(stage.run(&["history", "abc"]).shown(), @r#"
    exit 64
    --- stderr
    pkgferry: no run has an id that begins with "abc"
      hint: pkgferry history lists the newest runs
    "#);
}

/// Two runs against a server, and one that failed.
fn lived() -> (Stage, crate::stage::Server) {
    let (stage, server) = Stage::with_server();
    let file = stage.write("App.pkg", noise(1, 5_000));
    stage.run(&["upload", &file, "--notes", "carried by night"]).succeeded();
    stage.run(&["upload", &file, "--dry-run"]).succeeded();
    let other = stage.path("Gone.pkg");
    // One after the other, so that what is said once is said of the first.
    assert_eq!(stage.run(&["upload", &file, other.to_str().unwrap(), "--jobs", "1"]).code, 6);
    (stage, server)
}

#[test]
fn runs_are_told_the_newest_first() {
    let (stage, _server) = lived();
    let ran = stage.run(&["history"]).succeeded();
    assert_snapshot!(steady(&ran.stdout), @"
    run       begun (UTC)          end     packages             bytes                  command
    [  ID  ]  [   DAY  ] [ TIME ]  exit 6  1 failed, 1 skipped  4.8 KiB saved          upload [STAGE]/App.pkg [STAGE]/Gone.pkg --jobs 1
    [  ID  ]  [   DAY  ] [ TIME ]  exit 0  dry run: 1 skipped   4.8 KiB there already  upload [STAGE]/App.pkg --dry-run
    [  ID  ]  [   DAY  ] [ TIME ]  exit 0  1 created            4.8 KiB sent           upload [STAGE]/App.pkg --notes 'carried by night'
    ");
    let ran = stage.run(&["history", "-n", "1"]).succeeded();
    assert_snapshot!(steady(&ran.stdout), @"
    run       begun (UTC)          end     packages             bytes          command
    [  ID  ]  [   DAY  ] [ TIME ]  exit 6  1 failed, 1 skipped  4.8 KiB saved  upload [STAGE]/App.pkg [STAGE]/Gone.pkg --jobs 1
    There are older ones: -n 2 shows more.
    ");

    let ran = stage.run(&["history", "--json"]).succeeded();
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(json!([told["type"], told["version"], told["more"]]), json!(["history", 1, false]));
    let runs = told["runs"].as_array().unwrap();
    let statuses: Vec<_> = runs.iter().map(|run| run["statuses"].to_string()).collect();
    assert_eq!(statuses, [r#"{"failed":1,"skipped":1}"#, r#"{"skipped":1}"#, r#"{"created":1}"#]);
    let endings: Vec<_> =
        runs.iter().map(|run| json!([run["ending"], run["exit_code"], run["dry_run"]])).collect();
    assert_eq!(endings, [json!(["ended", 6, false]), json!(["ended", 0, true]), json!(["ended", 0, false])]);
}

#[test]
fn a_run_is_told_with_its_packages_steps_and_warnings() {
    let (stage, _server) = lived();
    let told: Value = serde_json::from_str(&stage.run(&["history", "--json"]).stdout).unwrap();
    let id = |index: usize| told["runs"][index]["id"].as_str().unwrap();
    let ran = stage.run(&["history", &id(2)[..8]]).succeeded();
    assert_snapshot!(steady(&ran.stdout), @"
    run [ID]
      command   upload [STAGE]/App.pkg --notes 'carried by night'
      begun     [   DAY  ] [ TIME ] UTC on [HOST], pkgferry [VERSION]
      end       [   DAY  ] [ TIME ] UTC, 0 s later: exit 0
      packages  1 created
      bytes     4.8 KiB sent
      warn  Jamf marked /v1/jcds/* deprecated on 2025-08-28; they are still served; `route: packages-api` does without them

    [STAGE]/App.pkg  (App.pkg on http://127.0.0.1:[PORT])
      done  choose-route      jcds: the files of this server are in Jamf Cloud's own distribution service; packages-api if it is refused
      done  find-package      no record, no file
      done  compare-hash      absent: the server has no file of this name
      done  jcds-credentials  upload credentials, good until [TIME]
      done  s3-upload         sent App.pkg: 4.8 KiB in 1 part
      done  package-metadata  created record 1 (notes)
      skip  package-upload    route jcds: s3-upload sends the file
      done  verify-delivery   proven after [N] s: size, MD5 and SHA3-512 agree, record 1 is READY
      = created: the server has no file of this name; 4.8 KiB sent
    ");
    let ran = stage.run(&["history", id(0)]).succeeded();
    assert_snapshot!(steady(&ran.stdout), @"
    run [ID]
      command   upload [STAGE]/App.pkg [STAGE]/Gone.pkg --jobs 1
      begun     [   DAY  ] [ TIME ] UTC on [HOST], pkgferry [VERSION]
      end       [   DAY  ] [ TIME ] UTC, 0 s later: exit 6
      packages  1 failed, 1 skipped
      bytes     4.8 KiB saved
      warn  Jamf marked /v1/jcds/* deprecated on 2025-08-28; they are still served; `route: packages-api` does without them

    [STAGE]/App.pkg  (App.pkg on http://127.0.0.1:[PORT])
      done  choose-route      jcds: the files of this server are in Jamf Cloud's own distribution service; packages-api if it is refused
      done  find-package      record 1, file of 4.8 KiB
      done  compare-hash      same: 4.8 KiB, MD5 and SHA3-512 agree
      skip  jcds-credentials  4.8 KiB, MD5 and SHA3-512 agree
      skip  s3-upload         4.8 KiB, MD5 and SHA3-512 agree
      skip  package-metadata  record 1 already says so
      skip  package-upload    route jcds: s3-upload sends the file
      skip  verify-delivery   nothing was sent
      = skipped: same: 4.8 KiB, MD5 and SHA3-512 agree; 4.8 KiB saved

    [STAGE]/Gone.pkg  (Gone.pkg on http://127.0.0.1:[PORT])
      fail  compare-hash      cannot read [STAGE]/Gone.pkg: No such file or directory (os error 2)
            hint: check pkg_path; what makes the package may not have run, or may have made it elsewhere
      = failed; nothing sent
    ");

    let ran = stage.run(&["history", id(0), "--json"]).succeeded();
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(json!([told["type"], told["run"]["exit_code"]]), json!(["history-of-run", 6]));
    let (step, failure) = (&told["packages"][0]["steps"][0], &told["packages"][1]["failure"]);
    assert_eq!(json!([step["progress"], failure["step"]["processor"]]), json!(["done", "compare-hash"]));
}

#[test]
fn a_package_is_told_over_all_runs() {
    let (stage, _server) = lived();
    let ran = stage.run(&["history", "--package", "App.pkg"]).succeeded();
    assert_snapshot!(steady(&ran.stdout), @"
    run       begun (UTC)          status            bytes                  server                  why
    [  ID  ]  [   DAY  ] [ TIME ]  skipped           4.8 KiB saved          http://127.0.0.1:[PORT]  same: 4.8 KiB, MD5 and SHA3-512 agree
    [  ID  ]  [   DAY  ] [ TIME ]  dry run: skipped  4.8 KiB there already  http://127.0.0.1:[PORT]  same: 4.8 KiB, MD5 and SHA3-512 agree
    [  ID  ]  [   DAY  ] [ TIME ]  created           4.8 KiB sent           http://127.0.0.1:[PORT]  the server has no file of this name
    ");
    let ran = stage.run(&["history", "--package", "App.pkg", "--json"]).succeeded();
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    let statuses: Vec<_> =
        told["packages"].as_array().unwrap().iter().map(|package| &package["status"]).collect();
    assert_eq!(statuses, ["skipped", "skipped", "created"]);
}

/// Nothing was sent, and nobody may read it as if something was.
#[test]
fn a_dry_run_is_told_as_what_would_be() {
    let (stage, _server) = Stage::with_server();
    let (one, two) = (stage.write("One.pkg", noise(1, 5_000)), stage.write("Two.pkg", noise(2, 5_000)));
    let dry = stage.run(&["upload", &one, &two, "--dry-run"]).succeeded();
    assert!(dry.stdout.contains("\n2 recipes: 2 would be created; 9.7 KiB to send\n"), "{}", dry.stdout);
    assert_snapshot!(steady(&stage.run(&["history"]).succeeded().stdout), @"
    run       begun (UTC)          end     packages                     bytes            command
    [  ID  ]  [   DAY  ] [ TIME ]  exit 0  dry run: 2 would be created  9.7 KiB to send  upload [STAGE]/One.pkg [STAGE]/Two.pkg --dry-run
    ");
    let ran = stage.run(&["history", "--package", "One.pkg"]).succeeded();
    assert_snapshot!(steady(&ran.stdout), @"
    run       begun (UTC)          status                     bytes            server                  why
    [  ID  ]  [   DAY  ] [ TIME ]  dry run: would be created  4.8 KiB to send  http://127.0.0.1:[PORT]  the server has no file of this name
    ");
    let told: Value = serde_json::from_str(&stage.run(&["history", "--json"]).stdout).unwrap();
    let ran = stage.run(&["history", told["runs"][0]["id"].as_str().unwrap()]).succeeded();
    let ends: Vec<_> = ran.stdout.lines().filter(|line| line.starts_with("  = ")).collect();
    let end = "  = dry run: would be created: the server has no file of this name; 4.8 KiB to send";
    assert_eq!(ends, [end, end]);
}

#[test]
fn a_package_that_nobody_delivered_may_have_a_near_name() {
    let (stage, _server) = lived();
    assert_snapshot!(stage.run(&["history", "--package", "Ap.pkg"]).shown(), @"
    exit 0
    --- stdout
    no run has had to do with Ap.pkg
      hint: did you mean App.pkg?
    ");
    let other = stage.run(&["history", "--package", "Elsewhere-1.0.pkg"]).succeeded();
    assert_eq!(other.stdout, "no run has had to do with Elsewhere-1.0.pkg\n");
}

/// Runs that somebody else has written, each of one package.
fn write(state: &State, begun: &str, count: usize) {
    let clock = Arc::new(SimulatedClock::at(begun.parse().unwrap()));
    for _ in 0..count {
        let command = CommandLine::from_words(["run", "App.yaml"]);
        let new = NewRun {
            id: &RunId::random(),
            command: &command,
            version: "0.1.0",
            host: "mac-3",
            dry_run: false,
        };
        let run = state.history().begin_run(&new, clock.clone()).unwrap();
        let package = run.package(&NewPackage { recipe: "App.yaml", facts: PackageFacts::default() });
        let (status, reason) = ("skipped", "the server has this very file");
        package.end(&PackageEnd {
            status,
            reason,
            bytes_sent: 0,
            bytes_fetched: 0,
            bytes_saved: 7,
            failure: None,
        });
        drop(package);
        run.end(0).unwrap();
    }
}

#[test]
fn a_run_that_goes_on_is_told_from_one_that_did_not_end() {
    let stage = Stage::new();
    let here = State::open(&folder(&stage)).unwrap().state;
    let command = CommandLine::from_words(["run", "nightly.yaml"]);
    let begin = |begun: &str| {
        let clock = Arc::new(SimulatedClock::at(begun.parse().unwrap()));
        let new = NewRun {
            id: &RunId::random(),
            command: &command,
            version: "0.1.0",
            host: "mac-3",
            dry_run: false,
        };
        here.history().begin_run(&new, clock).unwrap()
    };
    // Dropped without an end, as by a panic.
    let gone = begin("2026-11-20T22:00:00Z");
    let facts = PackageFacts { file: Some(&"App.pkg".parse().unwrap()), ..PackageFacts::default() };
    drop((gone.package(&NewPackage { recipe: "App.yaml", facts }), gone));
    let goes_on = begin("2026-11-21T22:00:00Z");
    let package = goes_on.package(&NewPackage { recipe: "App.yaml", facts: PackageFacts::default() });
    goes_on.warn("the list has a recipe twice", Some("take one out"));
    assert_snapshot!(steady(&stage.run(&["history"]).succeeded().stdout), @"
    run       begun (UTC)          end          packages       bytes      command
    [  ID  ]  [   DAY  ] [ TIME ]  goes on      1 in hand      not known  run nightly.yaml
    [  ID  ]  [   DAY  ] [ TIME ]  did not end  1 did not end  not known  run nightly.yaml
    ");
    let id = goes_on.id().short().to_owned();
    assert_snapshot!(steady(&stage.run(&["history", &id]).succeeded().stdout), @"
    run [ID]
      command   run nightly.yaml
      begun     [   DAY  ] [ TIME ] UTC on [HOST], pkgferry [VERSION]
      end       it goes on
      packages  1 in hand
      bytes     not known
      warn  the list has a recipe twice
            hint: take one out

    App.yaml
      = goes on
    ");
    assert_snapshot!(steady(&stage.run(&["history", "--package", "App.pkg"]).succeeded().stdout), @"
    run       begun (UTC)          status       bytes      server  why
    [  ID  ]  [   DAY  ] [ TIME ]  did not end  not known          the run did not end: it was killed, or the machine went down
    ");
    drop((package, goes_on));
}

#[test]
fn old_runs_are_forgotten_but_for_the_newest() {
    let stage = Stage::new();
    let state = State::open(&folder(&stage)).unwrap().state;
    write(&state, "2020-01-01T00:00:00Z", 3);
    write(&state, "2020-03-01T00:00:00Z", 100);
    assert_snapshot!(stage.run(&["history", "--prune", "30"]).shown(), @"
    exit 0
    --- stdout
    3 runs with 3 packages forgotten
    ");
    assert_snapshot!(stage.run(&["history", "--prune", "30"]).shown(), @"
    exit 0
    --- stdout
    no run began more than 30 days ago and is not among the newest 100
    ");
    let ran = stage.run(&["history", "--prune", "30", "--json"]).succeeded();
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(json!([told["type"], told["runs"]]), json!(["history-pruned", 0]));
    let count = std::num::NonZeroU32::new(1_000).unwrap();
    assert_eq!(state.history().runs(count, None).unwrap().items.len(), 100);
}

#[test]
fn an_id_has_to_be_one_runs() {
    let stage = Stage::new();
    let state = State::open(&folder(&stage)).unwrap().state;
    let clock = Arc::new(SimulatedClock::at("2026-11-20T22:00:00Z".parse().unwrap()));
    for id in ["abc1", "abc2"] {
        let command = CommandLine::default();
        let new = NewRun {
            id: &id.parse().unwrap(),
            command: &command,
            version: "0.1.0",
            host: "mac-3",
            dry_run: false,
        };
        state.history().begin_run(&new, clock.clone()).unwrap().end(0).unwrap();
    }
    assert_snapshot!(stage.run(&["history", "abc"]).shown(), @r#"
    exit 64
    --- stderr
    pkgferry: "abc" is the beginning of several runs: abc2, abc1
      hint: write more of it
    "#);
    assert_eq!(stage.run(&["history", "abc", "--package", "App.pkg"]).code, 64);
    assert_eq!(stage.run(&["history", "abc", "--prune", "3"]).code, 64);
    assert_eq!(stage.run(&["history", "-n", "0"]).code, 64);
}

/// It is about what is over: a settings file that cannot be read is none of its business.
#[test]
fn no_settings_are_needed() {
    let stage = Stage::new();
    let settings = stage.write("settings.toml", "this is no TOML");
    stage.run(&["history", "--settings", &settings]).succeeded();
    stage.run(&["cache", "show", "--settings", &settings]).succeeded();
}

#[test]
fn a_newer_programs_state_is_left_alone() {
    let stage = Stage::new();
    drop(State::open(&folder(&stage)).unwrap());
    let file = folder(&stage).join("state.db");
    rusqlite::Connection::open(&file).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert_snapshot!(stage.run(&["history"]).shown(), @"
    exit 6
    --- stderr
    pkgferry: [STAGE]/home/.local/state/pkgferry/state.db was written by a newer pkgferry (format 99; this one knows 6)
      hint: update this pkgferry, or name another state folder
    ");
}
