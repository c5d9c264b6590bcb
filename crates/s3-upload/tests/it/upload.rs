use crate::meddler::Fate;
use crate::stage::{MIB, Stage, bytes, failed};
use insta::assert_snapshot;
use pipeline::{Activity, FailureKind, Plan, Processor as _, keys};
use std::sync::{Arc, Mutex};

#[tokio::test]
async fn a_new_file_arrives_byte_for_byte() {
    let stage = Stage::open().await;
    let new = bytes(1, 20 * MIB);
    let sent = stage.send("App.pkg", &new).await.unwrap();

    stage.assert_holds("App.pkg", &new);
    assert_eq!(stage.sandbox.open_uploads(), Vec::<String>::new());
    assert_snapshot!(sent.change, @"create file App.pkg");
    assert_snapshot!(sent.told(), @"sent App.pkg: 20.0 MiB in 3 parts");
    let listed = stage.sandbox.files().remove(0);
    assert_eq!(sent.outputs.need(keys::PKG_MD5).unwrap().to_string(), listed.md5);
    assert_eq!(sent.outputs.need(keys::PKG_SHA3_512).unwrap().to_string(), listed.sha3);
    assert_eq!(sent.outputs.need(keys::PKG_SIZE).unwrap(), 20 * MIB as u64);
    let key = sent.outputs.need(s3_upload::JCDS_OBJECT_KEY).unwrap();
    assert!(key.starts_with("tmp/") && key.ends_with("/App.pkg"), "{key}");
    assert_eq!(stage.ear.warnings(), Vec::<String>::new());
}

#[tokio::test]
async fn progress_ends_at_the_whole_file() {
    let stage = Stage::open().await;
    stage.send("App.pkg", &bytes(1, 9 * MIB)).await.unwrap();
    for activity in [Activity::Uploading, Activity::Hashing, Activity::Committing] {
        let all: Vec<_> =
            stage.ear.progress().into_iter().filter(|progress| progress.activity == activity).collect();
        let last = all.last().unwrap();
        assert_eq!(last.done, last.total, "{activity:?}");
        assert!(all.iter().all(|progress| progress.done <= progress.total), "{activity:?}");
    }
}

/// The sum of what passes the boundary is what leaves the machine: a dry run could not have sent any of it.
#[tokio::test]
async fn every_request_passes_the_boundary() {
    let stage = Stage::open().await;
    stage.meddler.rule(|_| crate::meddler::Fate::Pass);
    stage.send("App.pkg", &bytes(1, 9 * MIB)).await.unwrap();
    let traffic = stage.boundary.traffic();
    assert_eq!(traffic.sign_ins + traffic.reads + traffic.writes, stage.meddler.seen().len() as u64);
    // Initiate, create, two parts, complete.
    assert_eq!(traffic.writes, 5);
}

/// Runs another test of this binary under settings each of which would break it: an upload knows none of them.
#[test]
fn no_setting_of_the_users_environment_leaks_in() {
    let nowhere = "http://127.0.0.1:1";
    let hostile = [
        ("AWS_ENDPOINT_URL", nowhere),
        ("AWS_ENDPOINT_URL_S3", nowhere),
        ("AWS_REGION", "mars-north-1"),
        ("AWS_DEFAULT_REGION", "mars-north-1"),
        ("AWS_ACCESS_KEY_ID", "AKIAWRONG"),
        ("AWS_SECRET_ACCESS_KEY", "wrong"),
        ("AWS_SESSION_TOKEN", "wrong"),
        ("AWS_PROFILE", "missing"),
        ("AWS_CONFIG_FILE", "/nonexistent/config"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/credentials"),
        ("AWS_REQUEST_CHECKSUM_CALCULATION", "nonsense"),
        ("AWS_RETRY_MODE", "nonsense"),
        ("AWS_MAX_ATTEMPTS", "nonsense"),
        ("AWS_USE_FIPS_ENDPOINT", "true"),
        ("AWS_USE_DUALSTACK_ENDPOINT", "true"),
        ("AWS_CA_BUNDLE", "/nonexistent/ca.pem"),
        ("HTTP_PROXY", nowhere),
        ("http_proxy", nowhere),
        ("HTTPS_PROXY", nowhere),
        ("ALL_PROXY", nowhere),
    ];
    let run = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "upload::a_new_file_arrives_byte_for_byte"])
        .envs(hostile)
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test]
async fn digests_that_are_known_are_not_computed() {
    let stage = Stage::open().await;
    let mut env = stage.env("App.pkg", &bytes(1, 1000));
    env.set(keys::PKG_MD5, "00000000000000000000000000000001".parse().unwrap(), pipeline::Origin::Output(1));
    env.set(keys::PKG_SHA3_512, "0".repeat(128).parse().unwrap(), pipeline::Origin::Output(1));
    let sent = stage.send_after(env, |_| {}).await.unwrap();
    assert_eq!(sent.outputs.need(keys::PKG_MD5).unwrap().to_string(), "00000000000000000000000000000001");
    assert!(stage.ear.progress().iter().all(|progress| progress.activity != Activity::Hashing));
}

#[tokio::test]
async fn awkward_names_arrive_as_they_are() {
    let stage = Stage::open().await;
    let names = [
        "Two Words.pkg",
        "a+b&c=d.pkg",
        "50%25 #1?.pkg",
        "(Beta) [x] 'q' \"r\".pkg",
        "Bu\u{308}ro.pkg",
        "\u{1F680}.pkg",
        "~tilde;semi,comma@at$.pkg",
    ];
    for (name, seed) in names.into_iter().zip(1..) {
        let new = bytes(seed, 1000);
        stage.send(name, &new).await.unwrap();
        stage.assert_holds(name, &new);
    }
    assert_eq!(stage.sandbox.files().len(), names.len());
}

#[tokio::test]
async fn larger_parts_can_be_asked_for() {
    let mut stage = Stage::open().await;
    stage.set("part_size_mib", "16");
    stage.set("upload_concurrency", "1");
    let new = bytes(1, 20 * MIB);
    let sent = stage.send("App.pkg", &new).await.unwrap();
    stage.assert_holds("App.pkg", &new);
    assert_snapshot!(sent.told(), @"sent App.pkg: 20.0 MiB in 2 parts");
}

#[tokio::test]
async fn ctrl_c_aborts() {
    let stage = Stage::open().await;
    let old = bytes(1, 1000);
    stage.sandbox.put_file("App.pkg", &old);
    let cancel = stage.cancel.clone();
    stage.ear.on_progress(move |progress| {
        if progress.activity == Activity::Uploading && progress.done > 9 * MIB as u64 {
            cancel.cancel();
        }
    });
    let failure = stage.send("App.pkg", &bytes(2, 20 * MIB)).await.unwrap_err();
    assert_snapshot!(failed(&failure), @"
    the upload of App.pkg was interrupted; nothing of it was put in place, and its parts were removed from S3
    hint: run again: the file is sent from its beginning; with --keep-partial an interrupted upload goes on where it stopped
    Interrupted
    ");
    assert_eq!(stage.sandbox.open_uploads(), Vec::<String>::new());
    stage.assert_holds("App.pkg", &old);
}

#[tokio::test]
async fn a_file_that_changes_before_it_is_sent_is_not_sent() {
    let stage = Stage::open().await;
    let env = stage.env("App.pkg", &bytes(1, 1000));
    let path = stage.path();
    let failure =
        stage.send_after(env, move |_| std::fs::write(path, bytes(2, 1000)).unwrap()).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Local);
    assert!(
        failure
            .to_string()
            .ends_with("local.pkg changed after the upload was planned; nothing of it was put in place")
    );
    assert!(stage.sandbox.journal().iter().all(|request| request.side != sandbox::Side::S3));
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_sent_is_called_off() {
    let stage = Arc::new(Stage::open().await);
    let old = bytes(1, 1000);
    stage.sandbox.put_file("App.pkg", &old);
    let path = stage.path();
    stage.ear.on_progress(move |progress| {
        if progress.activity == Activity::Uploading && progress.done > 9 * MIB as u64 {
            use std::io::Write as _;
            let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
            file.write_all(b"more").unwrap();
        }
    });
    let failure = stage.send("App.pkg", &bytes(2, 20 * MIB)).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Local);
    assert!(failure.to_string().contains("local.pkg changed "), "{failure}");
    assert_eq!(stage.sandbox.open_uploads(), Vec::<String>::new());
    stage.assert_holds("App.pkg", &old);
}

#[tokio::test]
async fn a_file_that_goes_away_is_called_off() {
    let stage = Stage::open().await;
    let env = stage.env("App.pkg", &bytes(1, 1000));
    let path = stage.path();
    let failure = stage.send_after(env, move |_| std::fs::remove_file(path).unwrap()).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Local);
    assert_eq!(stage.sandbox.open_uploads(), Vec::<String>::new());
}

/// An upload that is begun meanwhile would take away the credentials to go on with this one (`jamf-pro-api.md §7.3`), and between the
/// deletion and the completion nothing else is left of the file.
#[tokio::test]
async fn the_place_to_send_from_is_free_when_the_file_is_in_place() {
    let mut stage = Stage::open().await;
    stage.sandbox.put_file("App.pkg", &bytes(9, 700));
    let gate = pipeline::Gate::new(std::num::NonZeroUsize::MIN);
    let permit = gate.turn(pipeline::Places::One, &stage.context()).await.unwrap();
    stage.place = Some(pipeline::Place::new(permit));
    let told = Arc::new(Mutex::new(Vec::new()));
    let (free, tell) = (gate.clone(), told.clone());
    stage.meddler.rule(move |seen| {
        let what = if seen.is_part(1) || seen.is_part(2) {
            "part"
        } else if seen.is_delete() {
            "delete"
        } else if seen.is_complete() {
            "complete"
        } else {
            return Fate::Pass;
        };
        tell.lock().unwrap().push((what, free.free()));
        Fate::Pass
    });
    stage.send("App.pkg", &bytes(1, 9 * MIB)).await.unwrap();
    assert_eq!(*told.lock().unwrap(), [("part", 0), ("part", 0), ("delete", 0), ("complete", 0)]);
    assert_eq!(gate.free(), 1);
    assert!(stage.place.is_some(), "the recipe itself has not ended");
}

/// Its credentials cannot be renewed once another upload has begun (`jamf-pro-api.md §7.3`), and it may take longer than they live.
#[tokio::test]
async fn a_large_file_is_to_be_sent_alone() {
    let stage = Stage::open().await;
    for (size, alone) in [((512 << 20) - 1, false), (512 << 20, true)] {
        std::fs::File::create(stage.path()).unwrap().set_len(size).unwrap();
        let sessions = Arc::new(jamf::Sessions::new(jamf::Config::default()).unwrap());
        let step = s3_upload::S3Upload::new(sessions, stage.memory.clone());
        let planned = step.plan(&stage.env_of("App.pkg"), &stage.context()).await.unwrap();
        let Plan::Pending { changes, .. } = planned else { panic!("nothing to send") };
        assert_eq!(changes.iter().map(|change| change.alone).collect::<Vec<_>>(), [alone], "{size}");
    }
}
