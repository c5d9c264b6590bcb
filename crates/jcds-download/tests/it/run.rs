//! Whole runs against the rehearsal server.

use crate::rig::noise;
use crate::stage::{Stage, shown, text};
use insta::assert_snapshot;
use pipeline::{Activity, FailureKind, Value};
use sandbox::{Account, Privilege, Side};
use std::time::Duration;

const MIB: usize = 1 << 20;

#[tokio::test]
async fn a_file_goes_into_a_folder_proven() {
    let (stage, bytes) = Stage::with_file("App.pkg", 842).await;
    assert_snapshot!(stage.ran(&[]).await, @r#"
    downloaded App.pkg to HERE/App.pkg: 842 bytes, MD5 and SHA3-512 agree
    pkg_path = "HERE/App.pkg"
    pkg_size = 842
    pkg_md5 = "5b8c6cf332fc31955d9d860f5332b0d0"
    pkg_sha3_512 = "b7933f16e35d5ad64dd7e93b1bbeafaf996d57ee5aed4c5a914cb393d759ddcbbb8d9383e589406723e401aa8198fa35ed1f1e29b3becdece18eeb014932eebd"
    "#);
    assert!(std::fs::read(stage.path("App.pkg")).unwrap() == bytes);
    assert_eq!(stage.names(), ["App.pkg"]);
    assert_eq!(
        stage.requests(Side::Jamf),
        ["GET /api/v1/jcds/files 200", "GET /api/v1/jcds/files/App.pkg 200"]
    );
    assert_eq!(stage.requests(Side::Download), ["GET /__cdn/… 206"]);

    stage.sandbox.clear_journal();
    assert_snapshot!(stage.ran(&[]).await, @r#"
    skipped: HERE/App.pkg is the listed file: 842 bytes, MD5 and SHA3-512 agree
    pkg_path = "HERE/App.pkg"
    pkg_size = 842
    pkg_md5 = "5b8c6cf332fc31955d9d860f5332b0d0"
    pkg_sha3_512 = "b7933f16e35d5ad64dd7e93b1bbeafaf996d57ee5aed4c5a914cb393d759ddcbbb8d9383e589406723e401aa8198fa35ed1f1e29b3becdece18eeb014932eebd"
    "#);
    assert_eq!(stage.fetched(), 0);
}

#[tokio::test]
async fn a_large_file_comes_in_ranges_of_20_mib() {
    let (stage, bytes) = Stage::with_file("App.pkg", 45 * MIB).await;
    let target = text(stage.path("Other name.pkg").to_str().unwrap());
    stage.fetches(&[("download_path", target)]).await;
    assert!(std::fs::read(stage.path("Other name.pkg")).unwrap() == bytes);
    assert_eq!(stage.names(), ["Other name.pkg"]);
    assert_eq!(stage.ranges(), [20 * MIB as u64, 20 * MIB as u64, 5 * MIB as u64]);
}

#[tokio::test]
async fn an_address_that_ends_is_renewed() {
    let bytes = noise(3, 45 * MIB);
    let stage = Stage::with(|config| config.download_life = Duration::from_secs(60)).await;
    stage.sandbox.put_file("App.pkg", &bytes);
    // The clock passes the end as soon as there is a range.
    let clock = stage.clock.clone();
    *stage.ear.on_progress.lock().unwrap() = Some(Box::new(move |progress| {
        if progress.activity == Activity::Downloading && progress.done > 0 {
            clock.advance(Duration::from_secs(10));
        }
    }));
    stage.fetches(&[("download_concurrency", Value::Integer(1))]).await;
    assert!(std::fs::read(stage.path("App.pkg")).unwrap() == bytes);
    let (refused, served): (Vec<_>, Vec<_>) =
        stage.requests(Side::Download).into_iter().partition(|line| line.ends_with("403"));
    assert_eq!((refused.len(), served.len()), (2, 3));
    assert_eq!(stage.fetched(), 45 * MIB as u64);
}

#[tokio::test]
async fn the_local_name_is_the_one_that_was_asked_for() {
    let (stage, bytes) = Stage::with_file("Bu\u{308}ro + 100% #1.pkg", 842).await;
    let composed = "B\u{fc}ro + 100% #1.pkg";
    stage.fetches(&[("pkg_name", text(composed))]).await;
    assert_eq!(std::fs::read(stage.path(composed)).unwrap(), bytes);
    assert_eq!(stage.names(), [composed]);
}

#[tokio::test]
async fn a_replaced_file_is_told_in_the_plan_and_replaced() {
    let (stage, bytes) = Stage::with_file("App.pkg", 842).await;
    std::fs::write(stage.path("App.pkg"), "old").unwrap();
    stage.fetches(&[("overwrite", text("true"))]).await;
    assert_eq!(std::fs::read(stage.path("App.pkg")).unwrap(), bytes);
    assert_eq!(stage.names(), ["App.pkg"]);
}

/// A kill between the renaming and the removal of the journal.
#[tokio::test]
async fn what_a_kill_left_beside_a_finished_file_is_removed() {
    let (stage, bytes) = Stage::with_file("App.pkg", 842).await;
    std::fs::write(stage.path("App.pkg"), bytes).unwrap();
    std::fs::write(stage.path("App.pkg.part.ranges"), "{\"pkgferry_download\":1}\n0\n").unwrap();
    assert_snapshot!(stage.planned(&[]).await, @"remove left-over HERE/App.pkg.part.ranges, 0 to fetch");
    assert_eq!(stage.names(), ["App.pkg", "App.pkg.part.ranges"]);
    assert_snapshot!(stage.ran(&[]).await, @r#"
    HERE/App.pkg is the listed file: 842 bytes, MD5 and SHA3-512 agree
    pkg_path = "HERE/App.pkg"
    pkg_size = 842
    pkg_md5 = "5b8c6cf332fc31955d9d860f5332b0d0"
    pkg_sha3_512 = "b7933f16e35d5ad64dd7e93b1bbeafaf996d57ee5aed4c5a914cb393d759ddcbbb8d9383e589406723e401aa8198fa35ed1f1e29b3becdece18eeb014932eebd"
    "#);
    assert_eq!(stage.names(), ["App.pkg"]);
    assert_eq!(stage.fetched(), 0);
}

/// Other programs have files of that name too.
#[tokio::test]
async fn a_part_file_without_a_journal_is_left_alone_beside_a_finished_file() {
    let (stage, bytes) = Stage::with_file("App.pkg", 842).await;
    std::fs::write(stage.path("App.pkg"), bytes).unwrap();
    std::fs::write(stage.path("App.pkg.part"), "of a browser").unwrap();
    stage.fetches(&[]).await;
    assert_eq!(stage.names(), ["App.pkg", "App.pkg.part"]);
}

#[tokio::test]
async fn a_download_that_goes_on_says_what_is_left() {
    let (stage, bytes) = Stage::with_file("App.pkg", 45 * MIB).await;
    let cancel = stage.cancel.clone();
    // The third range has begun when the second is noted.
    *stage.ear.on_progress.lock().unwrap() = Some(Box::new(move |progress| {
        if progress.activity == Activity::Downloading && progress.done > 41 * MIB as u64 {
            cancel.cancel();
        }
    }));
    let failure = stage.run(&[("download_concurrency", Value::Integer(1))]).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Interrupted);
    let here = stage.path("");
    assert_snapshot!(shown(&failure).replace(here.to_str().unwrap(), "HERE/"), @"
    Interrupted: the download of App.pkg was interrupted; 40.0 MiB of 45.0 MiB are kept in HERE/App.pkg.part
    hint: run the same again to go on
    ");

    let stage = Stage { cancel: Default::default(), ear: Default::default(), ..stage };
    stage.sandbox.clear_journal();
    assert_snapshot!(stage.planned(&[]).await, @"download file App.pkg to HERE/App.pkg (40.0 MiB are here already), 5242880 to fetch");
    assert_snapshot!(stage.ran(&[]).await.lines().next().unwrap(), @"downloaded App.pkg to HERE/App.pkg: 45.0 MiB (40.0 MiB of them earlier), MD5 and SHA3-512 agree");
    assert!(std::fs::read(stage.path("App.pkg")).unwrap() == bytes);
    // The range that was interrupted may be noted by the server only now; it was not fetched to its end.
    assert!(stage.ranges().ends_with(&[5 * MIB as u64]) || stage.ranges().starts_with(&[5 * MIB as u64]));
    assert!(stage.ranges().iter().all(|bytes| *bytes < 20 * MIB as u64), "{:?}", stage.ranges());
}

#[tokio::test]
async fn a_file_that_goes_between_plan_and_download_is_told() {
    let (stage, _) = Stage::with_file("App.pkg", 842).await;
    let (step, env) = (crate::stage::step(), stage.env(&[]));
    let cx = stage.context(pipeline::Access::ReadWrite);
    let pipeline::Plan::Pending { work, .. } = pipeline::Processor::plan(&step, &env, &cx).await.unwrap()
    else {
        panic!("nothing to fetch")
    };
    delete(&stage).await;
    let failure = pipeline::Processor::apply(&step, work, &env, &cx).await.unwrap_err();
    assert_snapshot!(shown(&failure), @"Remote: there is no address to download App.pkg from: GET /api/v1/jcds/files/App.pkg was answered with 404 Not Found: File not found (NOT_FOUND)");
    assert_eq!(stage.names(), [""; 0]);
}

async fn delete(stage: &Stage) {
    let sessions = jamf::Sessions::new(jamf::Config::default()).unwrap();
    let session = sessions.open(&stage.env(&[])).unwrap();
    session.jcds_delete(&stage.context(pipeline::Access::ReadWrite), "App.pkg").await.unwrap();
}

#[tokio::test]
async fn a_missing_privilege_is_named() {
    let stage = Stage::with(|config| {
        config.accounts = vec![Account::client("client", "secret").without(Privilege::ReadJcdsFiles)];
    })
    .await;
    let planned = stage.planned(&[]).await;
    assert!(planned.starts_with("Access: "), "{planned}");
    assert!(planned.contains("Read Jamf Cloud Distribution Service Files"), "{planned}");
}
