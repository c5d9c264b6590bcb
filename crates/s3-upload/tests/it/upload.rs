use crate::stage::{MIB, Stage, bytes, failed};
use insta::assert_snapshot;
use pipeline::{Activity, FailureKind, keys};
use std::sync::Arc;

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

/// Uploads side by side, behind a gate with one place: the second is begun when the first has sent its parts.
#[tokio::test]
async fn so_many_uploads_send_at_a_time_as_the_gate_lets_through() {
    let mut stage = Stage::open().await;
    let gate = pipeline::Gate::new(std::num::NonZeroUsize::MIN);
    stage.memory.gate = Some(gate.clone());
    let (one, two) = (stage.path().with_file_name("1"), stage.path().with_file_name("2"));
    let (first, second) = (bytes(1, 9 * MIB), bytes(2, 9 * MIB));
    let (sent, also) =
        tokio::join!(stage.send_file(&one, "One.pkg", &first), stage.send_file(&two, "Two.pkg", &second),);
    sent.unwrap();
    also.unwrap();
    stage.assert_holds("One.pkg", &first);
    stage.assert_holds("Two.pkg", &second);
    let s3: Vec<_> =
        stage.sandbox.journal().into_iter().filter(|seen| seen.side == sandbox::Side::S3).collect();
    let begun =
        |name: &str| s3.iter().position(|seen| seen.path.contains(name) && seen.method == "POST").unwrap();
    let parts = |name: &str| {
        let is_part = |seen: &&sandbox::Request| seen.path.contains(name) && seen.method == "PUT";
        s3.iter().enumerate().filter(|(_, seen)| is_part(seen)).map(|(at, _)| at).collect::<Vec<_>>()
    };
    let (first, second) =
        if begun("One.pkg") < begun("Two.pkg") { ("One.pkg", "Two.pkg") } else { ("Two.pkg", "One.pkg") };
    assert!(parts(first).len() == 2 && parts(first).iter().all(|part| *part < begun(second)));
    assert_eq!(gate.free(), 1);
}

#[tokio::test]
async fn an_upload_that_waits_for_its_turn_is_interrupted_before_it_begins() {
    let mut stage = Stage::open().await;
    let gate = pipeline::Gate::new(std::num::NonZeroUsize::MIN);
    stage.memory.gate = Some(gate.clone());
    let _held = gate.enter(&tokio_util::sync::CancellationToken::new()).await;
    let (env, is_under_way) = (stage.env("App.pkg", &bytes(1, MIB)), std::cell::Cell::new(false));
    let sending = stage.send_after(env, |_| is_under_way.set(true));
    let (sent, ()) = tokio::join!(sending, async {
        while !is_under_way.get() {
            tokio::task::yield_now().await;
        }
        // It has gone by now as far as it can by itself.
        stage.cancel.cancel();
    });
    let failure = failed(&sent.unwrap_err());
    assert_snapshot!(failure, @"
    the upload of App.pkg was interrupted; nothing of it was put in place
    hint: run again: the file is sent from its beginning; with --keep-partial an interrupted upload goes on where it stopped
    Interrupted
    ");
    assert!(stage.sandbox.journal().iter().all(|seen| seen.side != sandbox::Side::S3));
}
