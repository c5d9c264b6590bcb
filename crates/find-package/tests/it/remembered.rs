//! What earlier runs have left in the state, beside what the server shows.

use crate::Stage;
use find_package::FindPackage;
use fingerprint::Fingerprint;
use insta::assert_snapshot;
use jamf::Sessions;
use pipeline::{Md5, Route, Sha3_512, Witness};
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

/// The list may be late; a file that is sent again before it is listed gets a twin.
#[tokio::test]
async fn what_was_sent_a_moment_ago_is_there_although_the_list_is_late() {
    let state = State::in_memory().unwrap();
    let (mut stage, server) = stage(&state).await;
    let name = "App.pkg".parse().unwrap();
    let keep = |since: &str| {
        let new = NewDelivery {
            server: &server,
            file: &name,
            record: None,
            sent: Fingerprint {
                size: 1000,
                md5: Md5::from_bytes([1; 16]),
                sha3_512: Sha3_512::from_bytes([2; 64]),
            },
            route: Route::Jcds,
            witness: Witness::List,
            since: since.parse().unwrap(),
            arrival: Arrival::Awaited,
        };
        state.keep_delivery(&new).unwrap();
    };
    keep("2026-11-20T11:59:00Z");
    assert_snapshot!(stage.find("App.pkg").await, @"
    no record, file of 1000 bytes, which was sent at 2026-11-20T11:59:00Z and is not listed yet
    pkg_name: App.pkg
    package_found: false
    jcds_file_found: true
    jcds_file_size: 1000
    jcds_file_md5: 01010101010101010101010101010101
    jcds_file_sha3_512: 02020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202
    ");
    stage.set("witness", "record");
    assert!(stage.plan().await.starts_with("no record, no file\n"), "{}", stage.plan().await);
    stage.set("witness", "list");
    keep("2026-11-20T10:59:00Z");
    assert!(stage.plan().await.starts_with("no record, no file\n"), "it was deleted since");

    keep("2026-11-20T11:59:00Z");
    stage.sandbox.put_file("App.pkg", b"listed");
    stage.step = step(&state);
    assert!(stage.plan().await.starts_with("no record, file of 6 bytes\n"), "{}", stage.plan().await);
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
