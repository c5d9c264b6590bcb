//! `pkgferry cache`: the digests that are remembered of local files.

use crate::stage::{Stage, example_package, noise};
use fingerprint::{FileIdentity, Fingerprint, Memory as _};
use insta::assert_snapshot;
use pipeline::{Md5, Sha3_512};
use serde_json::{Value, json};
use state::State;
use std::path::{Path, PathBuf};

fn folder(stage: &Stage) -> PathBuf {
    stage.path("home/.local/state/pkgferry")
}

/// A state that remembers files: some used on this day, one of them there.
fn remembering(stage: &Stage, used: &str, names: &[&str]) {
    let state = State::open(&folder(stage)).unwrap().state;
    state.today(used.parse().unwrap());
    for name in names {
        let path = stage.path(name);
        let identity = FileIdentity::of(&path).unwrap_or(FileIdentity {
            size: 3,
            modified: 0,
            changed: 0,
            inode: 1,
            device: 1,
        });
        let (md5, sha3_512) = (Md5::from_bytes([0; 16]), Sha3_512::from_bytes([0; 64]));
        state.remember(&path, &identity, Fingerprint { size: identity.size, md5, sha3_512 });
    }
}

fn files(stage: &Stage) -> u64 {
    State::open(&folder(stage)).unwrap().state.digest_cache().facts().unwrap().entries
}

/// Without sizes of the state, which are SQLite's business.
fn steady(text: &str) -> String {
    let lines = text.lines().map(|line| match line.split_once("on disk") {
        Some((before, after)) if before.trim().is_empty() => {
            let behind = after.split_once("with").map_or("", |(_, behind)| behind);
            format!("{before}on disk      [SIZE], with{behind}")
        }
        Some((before, _)) => format!("{} [SIZE] on disk …", before.split(" takes ").next().unwrap()),
        None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn there_may_be_nothing_in_it() {
    let stage = Stage::new();
    assert_snapshot!(stage.run(&["cache", "show"]).shown(), @"
    exit 0
    --- stdout
    no digests are remembered
    --- stderr
      warn  [STAGE]/home/.local/state/pkgferry holds no state: nothing was remembered there yet
    ");
    assert_snapshot!(stage.run(&["cache", "prune", "--missing"]).shown(), @"
    exit 0
    --- stdout
    no digests are remembered
    --- stderr
      warn  [STAGE]/home/.local/state/pkgferry holds no state: nothing was remembered there yet
    ");
    assert!(!folder(&stage).exists(), "who asks makes nothing");
}

#[test]
fn it_tells_how_much_there_is() {
    let stage = Stage::new();
    remembering(&stage, "2025-03-01T00:00:00Z", &["a.pkg", "b.pkg"]);
    remembering(&stage, "2025-04-01T00:00:00Z", &["c.pkg"]);
    assert_snapshot!(steady(&stage.run(&["cache", "show"]).shown()), @"
    exit 0
    --- stdout
    digests of 3 files are remembered in [STAGE]/home/.local/state/pkgferry
      on disk      [SIZE], with the history and all else
      oldest use   2025-03-01
    ");
    let told: Value =
        serde_json::from_str(&stage.run(&["cache", "show", "--json"]).succeeded().stdout).unwrap();
    assert_eq!(json!([told["type"], told["version"], told["files"]]), json!(["cache", 1, 3]));
    assert_eq!(json!([told["oldest_use"], told["use_unknown"]]), json!(["2025-03-01T00:00:00Z", 0]));
    assert_eq!(told["folder"], "[STAGE]/home/.local/state/pkgferry");
    assert!(told["bytes_on_disk"].as_u64() > Some(0));
}

#[test]
fn each_condition_forgets_its_own() {
    let fresh = || {
        let stage = Stage::new();
        stage.write("there.pkg", noise(1, 10));
        remembering(&stage, "2020-01-01T00:00:00Z", &["a.pkg", "b.pkg"]);
        remembering(&stage, "2099-01-01T00:00:00Z", &["c.pkg", "there.pkg"]);
        stage
    };
    for (conditions, forgotten) in [
        (&["--unused-for", "30"][..], 2),
        (&["--at-most", "3"], 1),
        (&["--missing"], 3),
        (&["--at-most", "4"], 0),
        (&["--at-most", "0"], 4),
        (&["--missing", "--unused-for", "30"], 3),
    ] {
        let stage = fresh();
        let arguments = [&["cache", "prune"], conditions].concat();
        let ran = stage.run(&[&arguments[..], &["--dry-run"]].concat()).succeeded();
        let noun = if forgotten == 1 { "file" } else { "files" };
        assert_eq!(
            ran.stdout,
            format!("digests of {forgotten} {noun} would be forgotten\n"),
            "{conditions:?}"
        );
        assert_eq!(files(&stage), 4);
        let ran = stage.run(&arguments).succeeded();
        assert!(
            ran.stdout.starts_with(&format!("digests of {forgotten} {noun} are forgotten\n")),
            "{}",
            ran.shown()
        );
        assert_eq!(files(&stage), 4 - forgotten, "{conditions:?}");
    }
}

#[test]
fn the_room_is_given_back() {
    let stage = Stage::new();
    let names: Vec<String> = (0..3_000).map(|number| format!("{number}.pkg")).collect();
    remembering(&stage, "2025-03-01T00:00:00Z", &names.iter().map(String::as_str).collect::<Vec<_>>());
    let size = |path: &Path| std::fs::metadata(path).unwrap().len();
    let file = folder(&stage).join("state.db");
    let before = size(&file);
    let ran = stage.run(&["cache", "prune", "--at-most", "10"]).succeeded();
    assert_snapshot!(steady(&ran.shown()), @"
    exit 0
    --- stdout
    digests of 2990 files are forgotten
    the state [SIZE] on disk …
    ");
    assert!(size(&file) * 2 < before, "{} of {before}", size(&file));

    // Not while somebody else works with it.
    let _state = State::open(&folder(&stage)).unwrap().state;
    let reader = rusqlite::Connection::open(&file).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM digests").unwrap();
    let ran = stage.run(&["cache", "prune", "--at-most", "0"]).succeeded();
    assert_snapshot!(ran.shown(), @"
    exit 0
    --- stdout
    digests of 10 files are forgotten
    others use the state now: the room is used again, and given back another time
    ");
}

#[test]
fn a_condition_has_to_be_named() {
    let stage = Stage::new();
    assert_snapshot!(stage.run(&["cache", "prune"]).shown(), @"
    exit 64
    --- stderr
    error: the following required arguments were not provided:
      <--unused-for <DAYS>|--at-most <N>|--missing>

    Usage: pkgferry cache prune <--unused-for <DAYS>|--at-most <N>|--missing>

    For more information, try '--help'.
    ");
    assert_eq!(stage.run(&["cache", "prune", "--dry-run"]).code, 64);
    assert_eq!(stage.run(&["cache"]).code, 64);
}

/// What a run remembers is what is counted here.
#[test]
fn a_run_that_reads_a_file_is_seen() {
    let (stage, _server) = Stage::with_server();
    // A file that was written just now would not be remembered.
    stage.run(&["upload", example_package().to_str().unwrap()]).succeeded();
    assert_eq!(files(&stage), 1);
    stage.run(&["cache", "prune", "--at-most", "0"]).succeeded();
    assert_eq!(files(&stage), 0);
}
