//! What earlier runs have left in the state, beside what the server shows.

use crate::Stage;
use find_package::FindPackage;
use fingerprint::Fingerprint;
use insta::assert_snapshot;
use jamf::Sessions;
use pipeline::{Md5, Route, Sha3_512, Witness};
use sandbox::Sandbox;
use state::{Arrival, NewDelivery, State};
use std::sync::Arc;

/// The step of a run that reads this state, and has asked the server nothing yet.
fn step(state: &State) -> FindPackage {
    let sessions = Arc::new(Sessions::new(jamf::Config::default()).unwrap());
    FindPackage::new(sessions).remembering(state.clone())
}

/// A stage for it, and the server's name in the state.
async fn stage(state: &State) -> (Stage, String) {
    let stage = Stage { step: step(state), ..Stage::open().await };
    let sessions = Sessions::new(jamf::Config::default()).unwrap();
    let server = sessions.open(&stage.env).unwrap().server().to_owned();
    (stage, server)
}

const BYTES: &[u8] = b"what was sent";
const OLD: &[u8] = b"the old bytes";

/// A file of the server, as this machine has sent it.
async fn keep(state: &State, server: &str, bytes: &[u8], since: &str, arrival: Arrival) {
    let new = NewDelivery {
        server,
        file: &"App.pkg".parse().unwrap(),
        record: None,
        sent: fingerprint_of(bytes).await,
        route: Route::Jcds,
        witness: Witness::List,
        since: since.parse().unwrap(),
        arrival,
    };
    state.keep_delivery(&new).unwrap();
}

async fn fingerprint_of(bytes: &[u8]) -> Fingerprint {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("App.pkg");
    std::fs::write(&path, bytes).unwrap();
    fingerprint::digest(&path, |_| {}, &Default::default()).await.unwrap().0
}

/// The list may be late; a file that is sent again before it is listed gets a twin.
#[tokio::test]
async fn what_was_sent_a_moment_ago_is_there_although_the_list_is_late() {
    let state = State::in_memory().unwrap();
    let (mut stage, server) = stage(&state).await;
    keep(&state, &server, BYTES, "2026-11-20T11:59:00Z", Arrival::Awaited).await;
    assert_snapshot!(stage.find("App.pkg").await, @"
    no record, file of 13 bytes, which was sent at 2026-11-20T11:59:00Z and is not listed yet
    pkg_name: App.pkg
    package_found: false
    jcds_file_found: true
    jcds_file_size: 13
    jcds_file_md5: 983077626377966c1cf3546025025721
    jcds_file_sha3_512: e195a95627d7ce8f85c669274e23efcd14c416fe533ba37af484ace8bae9acfc08b921da52059173f5a814a3b86ac0ea69731ec3e505505193fcfdf53edc154e
    ");
    stage.set("witness", "record");
    assert!(stage.plan().await.starts_with("no record, no file\n"), "{}", stage.plan().await);
    stage.set("witness", "list");
    keep(&state, &server, BYTES, "2026-11-20T10:59:00Z", Arrival::Awaited).await;
    assert!(stage.plan().await.starts_with("no record, no file\n"), "it was deleted since");

    keep(&state, &server, BYTES, "2026-11-20T11:59:00Z", Arrival::Awaited).await;
    stage.sandbox.put_file("App.pkg", BYTES);
    stage.step = step(&state);
    assert!(stage.plan().await.starts_with("no record, file of 13 bytes\n"), "{}", stage.plan().await);
}

/// What came empty, or was to be deleted, is not on its way.
#[tokio::test]
async fn what_came_to_nothing_is_not_waited_for() {
    let state = State::in_memory().unwrap();
    let (mut stage, server) = stage(&state).await;
    keep(&state, &server, BYTES, "2026-11-20T11:59:59Z", Arrival::Unawaited).await;
    let found = stage.find("App.pkg").await;
    assert!(found.starts_with("no record, no file\n") && !found.contains("asked again"), "{found}");
}

fn looks(stage: &Stage) -> usize {
    stage.requests().iter().filter(|request| *request == "GET /api/v1/jcds/files").count()
}

/// What the step finds while the list changes, after it was asked twice.
async fn found_while(stage: &mut Stage, change: impl FnOnce(&Sandbox)) -> String {
    stage.set("pkg_name", "App.pkg");
    let stage = &*stage;
    let changes = async {
        while looks(stage) < 2 {
            tokio::task::yield_now().await;
        }
        change(&stage.sandbox);
    };
    tokio::join!(stage.plan(), changes).0
}

/// Another node of the server answers, which is as far as it was a minute ago: it has nothing, or the file that was replaced.
#[tokio::test]
async fn a_list_that_is_behind_is_asked_again_until_it_shows_what_was_sent() {
    for (arrival, old) in [
        (Arrival::Awaited, Some(OLD)),
        (Arrival::Listed, Some(OLD)),
        (Arrival::Listed, None),
        (Arrival::Proven, Some(OLD)),
        (Arrival::Proven, None),
    ] {
        let state = State::in_memory().unwrap();
        let (mut stage, server) = stage(&state).await;
        keep(&state, &server, BYTES, "2026-11-20T11:59:40Z", arrival).await;
        if let Some(old) = old {
            stage.sandbox.put_file("App.pkg", old);
        }
        let found = found_while(&mut stage, |sandbox| sandbox.put_file("App.pkg", BYTES)).await;
        assert!(found.starts_with("no record, file of 13 bytes\n"), "{arrival:?} {old:?}: {found}");
        let sha3_512 = fingerprint_of(BYTES).await.sha3_512.to_string();
        assert!(found.contains(&sha3_512), "{arrival:?} {old:?}: {found}");
        assert!((3..=4).contains(&looks(&stage)), "{arrival:?} {old:?}: {} looks", looks(&stage));
    }
}

/// Somebody has deleted the file since, or put another one in its place.
#[tokio::test]
async fn a_list_that_stays_as_it_is_for_long_enough_is_believed() {
    for old in [None, Some(OLD)] {
        let state = State::in_memory().unwrap();
        let (mut stage, server) = stage(&state).await;
        keep(&state, &server, BYTES, "2026-11-20T11:59:40Z", Arrival::Proven).await;
        if let Some(old) = old {
            stage.sandbox.put_file("App.pkg", old);
        }
        let found = stage.find("App.pkg").await;
        let said = "warning: the list does not show App.pkg as it was sent from here at 2026-11-20T11:59:40Z: either somebody has \
                    changed it since, or this node of the server has not heard of it yet; the list is asked again for 55 s, and \
                    then believed";
        assert!(found.contains(said), "{found}");
        let holds = old.map_or("no record, no file\n", |_| "no record, file of 13 bytes\n");
        assert!(found.starts_with(holds), "{found}");
        assert!(old.is_none() || !found.contains(&fingerprint_of(BYTES).await.md5.to_string()), "{found}");
        assert_eq!(looks(&stage), 12, "every five seconds");
        let now = stage.plan().await;
        assert!(now.starts_with(holds) && !now.contains("asked again"), "{now}");
    }
}

/// It says so at once, and asks no more than it has to.
#[tokio::test]
async fn a_list_that_shows_what_was_sent_is_asked_once() {
    let state = State::in_memory().unwrap();
    for arrival in [Arrival::Awaited, Arrival::Listed, Arrival::Unawaited, Arrival::Proven] {
        let (mut stage, server) = stage(&state).await;
        keep(&state, &server, BYTES, "2026-11-20T11:59:40Z", arrival).await;
        stage.sandbox.put_file("App.pkg", BYTES);
        assert!(stage.find("App.pkg").await.starts_with("no record, file of 13 bytes\n"));
        assert_eq!(looks(&stage), 1, "{arrival:?}");
    }
}

/// A deletion shows late, and whoever asked for it was killed before the new file was in place.
#[tokio::test]
async fn a_file_that_an_earlier_run_has_asked_to_delete_is_told_apart() {
    let state = State::in_memory().unwrap();
    let (mut stage, server) = stage(&state).await;
    stage.sandbox.put_file("App.pkg", b"old");
    let place = state::Place { endpoint: None, region: "r".into(), bucket: "b".into(), prefix: "p/".into() };
    let new = state::NewUpload {
        server: &server,
        file: &"App.pkg".parse().unwrap(),
        path: std::path::Path::new("/App.pkg"),
        identity: fingerprint::FileIdentity { size: 1, modified: 1, changed: 1, inode: 1, device: 1 },
        place: &place,
        key: "p/App.pkg",
        part_size: 8 << 20,
        begun: "2026-11-20T11:59:00Z".parse().unwrap(),
    };
    let journal = state.begin(&new).unwrap();
    let asked = |time: &str| time.parse().unwrap();
    journal.phase(state::Phase::Deleting, asked("2026-11-20T11:59:30Z")).unwrap();
    assert!(!stage.find("App.pkg").await.contains("leaving"), "a run that lives sees to it");
    drop(journal);
    assert_snapshot!(stage.plan().await, @"
    no record, file of 3 bytes, which an earlier run has asked the server to delete
    pkg_name: App.pkg
    package_found: false
    jcds_file_found: true
    jcds_file_leaving: true
    jcds_file_size: 3
    jcds_file_md5: 149603e6c03516362a8da23f624db945
    jcds_file_sha3_512: 3efa1b9f71100c0b3b321fad7c730a18e6022caf96b9e15dbffef4827ec7dda208d8964c90d6c0908929fbe0490c03eece4341eb9816d21e9b6551cd15d86a43
    ");
    // What S3 was asked for last is what is to stay.
    for (byte, leaves) in [(1, true), (0, false)] {
        let (journal, _) = state.take_over(&server, |_| true).unwrap().remove(0);
        journal.phase(state::Phase::Completing, asked("2026-11-20T11:59:30Z")).unwrap();
        let listed = stage.sandbox.files()[0].sha3.parse::<Sha3_512>().unwrap();
        let sha3_512 = if byte == 0 { listed } else { Sha3_512::from_bytes([byte; 64]) };
        journal.digests(Fingerprint { size: 3, md5: Md5::from_bytes([1; 16]), sha3_512 }).unwrap();
        drop(journal);
        assert_eq!(stage.plan().await.contains("jcds_file_leaving: true"), leaves);
    }
    // After so long it would have gone.
    let (journal, _) = state.take_over(&server, |_| true).unwrap().remove(0);
    journal.phase(state::Phase::Deleting, asked("2026-11-20T10:59:00Z")).unwrap();
    drop(journal);
    assert!(!stage.plan().await.contains("leaving"));
}
