use crate::stage::{Stage, bytes, failed};
use insta::assert_snapshot;
use pipeline::{Activity, FailureKind, Gate, Place, Places, keys};
use serde_json::json;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};

#[tokio::test]
async fn a_file_goes_onto_its_record() {
    let stage = Stage::open().await;
    let sent = bytes(1, 300_000);
    stage.write(&sent);
    stage.put_record();
    let applied = stage.send(&[("package_id", json!(1))]).await.unwrap();
    assert_snapshot!(applied.outcome, @"sent App.pkg onto record 1: 292.9 KiB");
    assert!(stage.sandbox.bytes_of("App.pkg").unwrap() == sent);

    let outputs = applied.outputs.from_step(7);
    let (fingerprint, _) = fingerprint::digest(&stage.path(), |_| {}, &stage.cancel).await.unwrap();
    assert_eq!(outputs.need(keys::PKG_SIZE).unwrap(), 300_000);
    assert_eq!(outputs.need(keys::PKG_MD5).unwrap(), fingerprint.md5);
    assert_eq!(outputs.need(keys::PKG_SHA3_512).unwrap(), fingerprint.sha3_512);
    assert_eq!(outputs.need(keys::PACKAGE_ID).unwrap().get(), 1);
    assert!(outputs.need(keys::PKG_UPLOADED).unwrap());

    let progress = stage.ear.progress.lock().unwrap();
    for activity in [Activity::Uploading, Activity::Hashing] {
        let last = progress.iter().rfind(|progress| progress.activity == activity).unwrap();
        assert_eq!((last.done, last.total), (300_000, 300_000), "{activity:?}");
    }
}

#[tokio::test]
async fn an_old_file_is_replaced_under_its_name() {
    let stage = Stage::open().await;
    stage.sandbox.put_file("App.pkg", b"the old bytes");
    stage.put_record();
    stage.write(b"the new bytes");
    let replaces = [("jcds_file_found", json!(true)), ("package_id", json!(1))];
    let applied = stage.send(&replaces).await.unwrap();
    assert_snapshot!(applied.outcome, @"sent App.pkg onto record 1: 13 bytes, in place of the old file");
    assert_eq!(stage.sandbox.files().len(), 1);
    assert_eq!(stage.sandbox.bytes_of("App.pkg").unwrap(), b"the new bytes");
}

#[tokio::test]
async fn without_a_record_one_is_made() {
    let stage = Stage::open().await;
    stage.write(b"some bytes");
    let applied = stage.send(&[("pkg_display_name", json!("The App"))]).await.unwrap();
    assert_snapshot!(applied.outcome, @"sent App.pkg onto record 1: 10 bytes");
    let record = &stage.sandbox.packages()[0];
    assert_eq!((&record["fileName"], &record["packageName"]), (&json!("App.pkg"), &json!("The App")));

    // The next one is found.
    stage.write(b"other bytes");
    let applied = stage.send(&[]).await.unwrap();
    assert_snapshot!(applied.outcome, @"sent App.pkg onto record 1: 11 bytes");
    assert_eq!(stage.sandbox.packages().len(), 1);
}

/// The server refuses a part that is named otherwise than the record's file (`jamf-pro-api.md §5.4`).
#[tokio::test]
async fn the_part_is_named_as_the_record_spells_it() {
    let stage = Stage::open().await;
    stage.write(b"some bytes");
    stage.sandbox.put_package(json!({ "packageName": "App", "fileName": "M\u{fc}ller \"1\" & 50%+.pkg" }));
    let decomposed = [("pkg_name", json!("Mu\u{308}ller \"1\" & 50%+.pkg")), ("package_id", json!(1))];
    let _ = stage.send(&decomposed).await.unwrap();
    assert_eq!(stage.sandbox.files()[0].name, "M\u{fc}ller \"1\" & 50%+.pkg");
}

#[tokio::test]
async fn digests_that_are_known_are_not_computed_again() {
    let stage = Stage::open().await;
    stage.put_record();
    stage.write(b"some bytes");
    let (known, _) = fingerprint::digest(&stage.path(), |_| {}, &stage.cancel).await.unwrap();
    let entries = [
        ("package_id", json!(1)),
        ("pkg_md5", json!(known.md5.to_string())),
        ("pkg_sha3_512", json!(known.sha3_512.to_string())),
    ];
    let applied = stage.send(&entries).await.unwrap();
    assert_eq!(applied.outputs.from_step(1).need(keys::PKG_SHA3_512).unwrap(), known.sha3_512);
    let progress = stage.ear.progress.lock().unwrap();
    assert!(progress.iter().all(|progress| progress.activity == Activity::Uploading));
}

#[tokio::test]
async fn another_packages_record_is_left_alone() {
    let stage = Stage::open().await;
    stage.write(b"some bytes");
    stage.sandbox.put_package(json!({ "packageName": "Other", "fileName": "Other.pkg" }));
    stage.sandbox.put_file("Other.pkg", b"others");
    let failure = stage.send(&[("package_id", json!(1))]).await.unwrap_err();
    assert_snapshot!(failed(&failure), @"
    record 1 names the file Other.pkg, so App.pkg was not sent onto it
    hint: do not set package_id, or correct the file name of record 1 in Jamf Pro
    ");
    assert_eq!(stage.sandbox.bytes_of("Other.pkg").unwrap(), b"others");
    let failure = stage.send(&[("package_id", json!(7))]).await.unwrap_err();
    assert_snapshot!(failed(&failure), @"
    record 7 is gone, so App.pkg was not sent
    hint: somebody deleted it meanwhile: run again
    ");
    assert_eq!(stage.boundary.traffic().writes, 0);
}

#[tokio::test]
async fn a_file_that_changed_since_the_plan_is_not_sent() {
    let stage = Stage::open().await;
    stage.put_record();
    stage.write(b"some bytes");
    let failure = stage.send_after(&[], || stage.write(b"more bytes than that")).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Local);
    assert_eq!(stage.boundary.traffic().writes, 0);
    assert!(stage.sandbox.files().is_empty());
}

/// Whatever the server may hold then, it is not called sent, and the next run finds the difference.
#[tokio::test]
async fn a_file_that_changes_while_it_is_sent_is_not_called_sent() {
    let stage = Stage::open().await;
    stage.put_record();
    stage.write(&bytes(1, 4 << 20));
    let path = stage.path();
    let mut once = Some(bytes(2, 4 << 20));
    stage.ear.on_progress(move |progress| {
        if progress.activity == Activity::Uploading
            && progress.done > 0
            && let Some(other) = once.take()
        {
            std::fs::write(&path, other).unwrap();
        }
    });
    let failure =
        stage.send(&[("package_id", json!(1)), ("fallback_route", json!("jcds"))]).await.unwrap_err();
    assert_eq!((failure.kind(), failure.instead()), (FailureKind::Local, None));
    let told = failed(&failure);
    assert!(told.contains("changed"), "{told}");
}

#[tokio::test]
async fn ctrl_c_ends_the_upload_and_leaves_the_old_file() {
    let stage = Stage::open().await;
    stage.sandbox.put_file("App.pkg", b"the old bytes");
    stage.put_record();
    stage.write(&bytes(1, 8 << 20));
    let cancel = stage.cancel.clone();
    stage.ear.on_progress(move |progress| {
        if progress.activity == Activity::Uploading {
            cancel.cancel();
        }
    });
    let failure = stage.send(&[("package_id", json!(1))]).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Interrupted);
    assert_snapshot!(failed(&failure), @"
    the upload of App.pkg was interrupted
    hint: run again: it finds out what the server holds, and sends the file if that is not the same
    ");
    assert_eq!(stage.sandbox.bytes_of("App.pkg").unwrap(), b"the old bytes");
}

/// What comes after, such as the proof, does not need the line.
#[tokio::test]
async fn the_place_to_send_from_is_free_when_the_file_has_been_sent() {
    let mut stage = Stage::open().await;
    let gate = Gate::new(NonZeroUsize::MIN);
    stage.place = Some(Place::new(gate.turn(Places::One, &stage.context()).await.unwrap()));
    stage.write(&bytes(1, 300_000));
    let told = Arc::new(Mutex::new(Vec::new()));
    let (free, tell) = (gate.clone(), told.clone());
    stage.ear.on_progress(move |_| tell.lock().unwrap().push(free.free()));
    let _ = stage.send(&[]).await.unwrap();
    let told = told.lock().unwrap();
    assert!(!told.is_empty() && told.iter().all(|free| *free == 0), "{told:?}");
    assert_eq!((stage.sandbox.files().len(), gate.free()), (1, 1));
    assert!(stage.place.is_some(), "the recipe itself has not ended");
}
