//! What becomes of an upload whose run ended before it.

use crate::killed::{asked, killed_at, one_at_a_time, rerun};
use crate::meddler::{Fate, Seen};
use crate::stage::{MIB, Stage, bytes, failed};
use insta::assert_snapshot;
use pipeline::{Access, Boundary, Origin, Plan, Processor as _, Verdict, keys};
use s3_upload::S3Upload;
use state::Arrival;
use std::sync::Arc;

#[tokio::test]
async fn a_killed_upload_goes_on_with_the_missing_parts() {
    let stage = one_at_a_time().await;
    let new = bytes(1, 33 * MIB);
    killed_at(&stage, "App.pkg", &new, |seen| seen.is_part(4), Fate::HoldBefore).await;
    assert_eq!(stage.sandbox.open_uploads().len(), 1);
    assert_eq!(rerun(&stage, "App.pkg", &new).await, ["renew", "part 4", "part 5", "complete"]);
    assert_eq!(stage.ear.warnings(), Vec::<String>::new());
}

#[tokio::test]
async fn what_an_earlier_run_had_sent_is_told_apart() {
    let stage = one_at_a_time().await;
    let new = bytes(1, 33 * MIB);
    killed_at(&stage, "App.pkg", &new, |seen| seen.is_part(4), Fate::HoldBefore).await;
    stage.meddler.rule(|_| Fate::Pass);
    let sent = stage.send_again("App.pkg").await.unwrap();
    assert_snapshot!(sent.told(), @"sent App.pkg: 33.0 MiB in 5 parts, 9.0 MiB of it by this run");

    let stage = one_at_a_time().await;
    stage.sandbox.put_file("App.pkg", &bytes(1, 1000));
    killed_at(&stage, "App.pkg", &new, Seen::is_complete, Fate::HoldBefore).await;
    stage.meddler.rule(|_| Fate::Pass);
    let sent = stage.send_again("App.pkg").await.unwrap();
    assert_snapshot!(sent.told(), @"sent App.pkg: 33.0 MiB in 5 parts, all of it by an earlier run");
}

#[tokio::test]
async fn another_file_is_sent_anew_and_the_old_parts_are_removed() {
    let stage = one_at_a_time().await;
    killed_at(&stage, "App.pkg", &bytes(1, 20 * MIB), |seen| seen.is_part(3), Fate::HoldBefore).await;
    let newer = bytes(2, 9 * MIB);
    std::fs::write(stage.path(), &newer).unwrap();
    assert_eq!(
        rerun(&stage, "App.pkg", &newer).await,
        ["renew", "abort", "begin", "part 1", "part 2", "complete"]
    );
}

#[tokio::test]
async fn what_died_before_it_knew_the_uploads_name_leaves_nothing() {
    let stage = one_at_a_time().await;
    let new = bytes(1, 9 * MIB);
    killed_at(&stage, "App.pkg", &new, |seen| seen.is("POST", "?uploads"), Fate::HoldAfter).await;
    assert_eq!(stage.sandbox.open_uploads().len(), 1);
    assert_eq!(
        rerun(&stage, "App.pkg", &new).await,
        ["renew", "abort", "begin", "part 1", "part 2", "complete"]
    );
}

/// A proxy that rewrites answers. S3 has begun something, and the journal lets the next run find it.
#[tokio::test]
async fn an_upload_without_a_name_is_not_sent_to() {
    let stage = one_at_a_time().await;
    let new = bytes(1, 9 * MIB);
    let empty = "<InitiateMultipartUploadResult><Bucket>b</Bucket></InitiateMultipartUploadResult>";
    let nameless = |seen: &Seen| match seen.is("POST", "?uploads") {
        true => Fate::AnswerAfter(200, empty.to_owned()),
        false => Fate::Pass,
    };
    let failure = stage.send_through("App.pkg", &new, nameless).await.unwrap_err();
    assert_snapshot!(failed(&failure), @"
    the upload of App.pkg could not begin: S3 began the upload, but its answer does not name it
    hint: a proxy or gateway seems to answer for S3; let it pass untouched
    Remote
    ");
    assert_eq!(asked(&stage.meddler.seen()), ["credentials", "begin"]);
    assert_eq!(
        rerun(&stage, "App.pkg", &new).await,
        ["renew", "abort", "begin", "part 1", "part 2", "complete"]
    );
}

#[tokio::test]
async fn a_kill_between_deletion_and_completion_is_repaired() {
    let stage = one_at_a_time().await;
    stage.sandbox.put_file("App.pkg", &bytes(1, 1000));
    let new = bytes(2, 9 * MIB);
    killed_at(&stage, "App.pkg", &new, Seen::is_complete, Fate::HoldBefore).await;
    assert_eq!(stage.listed(), Vec::<String>::new(), "the old file has gone");
    assert_eq!(rerun(&stage, "App.pkg", &new).await, ["renew", "complete"]);
}

#[tokio::test]
async fn nothing_is_deleted_for_an_upload_that_s3_has_forgotten() {
    let stage = one_at_a_time().await;
    let (old, new) = (bytes(1, 1000), bytes(2, 9 * MIB));
    stage.sandbox.put_file("App.pkg", &old);
    killed_at(&stage, "App.pkg", &new, Seen::is_delete, Fate::HoldBefore).await;
    let gone =
        "<Error><Code>NoSuchUpload</Code><Message>The specified upload does not exist.</Message></Error>";
    let mut first = None;
    stage.meddler.rule(move |seen| {
        let id = seen.path.split_once("uploadId=").map(|(_, id)| id.split('&').next().unwrap().to_owned());
        let about_the_first = id.is_some() && (first.is_none() || first == id);
        if about_the_first {
            first = id;
            return Fate::Answer(404, gone.to_owned());
        }
        Fate::Pass
    });
    stage.send_again("App.pkg").await.unwrap();
    stage.assert_holds("App.pkg", &new);
    assert_eq!(asked(&stage.meddler.seen()), ["renew", "begin", "part 1", "part 2", "delete", "complete"]);
}

#[tokio::test]
async fn where_s3_may_not_be_asked_a_part_that_is_sent_again_tells_that_it_still_knows_the_upload() {
    let stage = one_at_a_time().await;
    stage.sandbox.put_file("App.pkg", &bytes(1, 1000));
    let new = bytes(2, 9 * MIB);
    killed_at(&stage, "App.pkg", &new, Seen::is_delete, Fate::HoldBefore).await;
    let denied = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
    stage.meddler.rule(|seen| match seen.is("GET", "uploadId=") {
        true => Fate::Answer(403, denied.to_owned()),
        false => Fate::Pass,
    });
    stage.send_again("App.pkg").await.unwrap();
    stage.assert_holds("App.pkg", &new);
    assert_eq!(asked(&stage.meddler.seen()), ["renew", "part 2", "delete", "complete"]);
}

#[tokio::test]
async fn an_upload_whose_credentials_are_not_renewed_begins_anew() {
    let stage = one_at_a_time().await;
    let new = bytes(1, 9 * MIB);
    killed_at(&stage, "App.pkg", &new, |seen| seen.is_part(2), Fate::HoldBefore).await;
    stage.meddler.rule(|seen| match seen.is("POST", "/renew-credentials") {
        true => Fate::Answer(403, String::new()),
        false => Fate::Pass,
    });
    stage.send_again("App.pkg").await.unwrap();
    stage.assert_holds("App.pkg", &new);
    assert_eq!(
        asked(&stage.meddler.seen()),
        ["renew", "credentials", "abort", "begin", "part 1", "part 2", "complete"]
    );
}

#[tokio::test]
async fn renewed_keys_that_open_another_place_lead_to_new_credentials() {
    let stage = one_at_a_time().await;
    let new = bytes(1, 9 * MIB);
    killed_at(&stage, "App.pkg", &new, |seen| seen.is_part(2), Fate::HoldBefore).await;
    // Another upload has begun meanwhile: renewal is about that one (`jamf-pro-api.md §7.3`).
    stage.meddler.rule(|_| Fate::Pass);
    let other = stage.path().with_file_name("other.pkg");
    let before = std::fs::metadata(stage.path()).unwrap().modified().unwrap();
    stage.send_file(&other, "Other.pkg", &bytes(3, 1000)).await.unwrap();
    assert_eq!(std::fs::metadata(stage.path()).unwrap().modified().unwrap(), before);
    stage.meddler.rule(|_| Fate::Pass);
    stage.send_again("App.pkg").await.unwrap();
    stage.assert_holds("App.pkg", &new);
    assert_eq!(
        asked(&stage.meddler.seen()),
        ["renew", "part 2", "abort", "credentials", "begin", "part 1", "part 2", "complete"]
    );
    assert_eq!(stage.memory.state.left_over().unwrap().len(), 0);
}

#[tokio::test]
async fn a_completion_that_was_seen_to_have_worked_is_struck_from_the_journal() {
    let stage = one_at_a_time().await;
    let new = bytes(1, 9 * MIB);
    killed_at(&stage, "App.pkg", &new, Seen::is_complete, Fate::HoldAfter).await;
    stage.assert_holds("App.pkg", &new);
    assert_eq!(stage.memory.state.left_over().unwrap().len(), 1);

    let mut env = stage.env_of("App.pkg");
    env.set(keys::VERDICT, Verdict::Same, Origin::Output(1));
    let sessions = Arc::new(jamf::Sessions::new(jamf::Config::default()).unwrap());
    let planned = S3Upload::new(sessions, stage.memory.clone()).plan(&env, &stage.context()).await.unwrap();
    assert!(!matches!(planned, Plan::Pending { .. }));
    assert_eq!(stage.memory.state.left_over().unwrap().len(), 0);
}

/// The old bytes are wanted again. Those of the killed run may still appear, and then they are not to be a surprise.
#[tokio::test]
async fn a_completion_of_other_bytes_stays_in_the_journal_and_a_dry_run_strikes_nothing() {
    let stage = one_at_a_time().await;
    let new = bytes(1, 9 * MIB);
    killed_at(&stage, "App.pkg", &new, Seen::is_complete, Fate::HoldAfter).await;
    let known = stage.memory.state.left_over().unwrap()[0].fingerprint.unwrap();
    let plan = async |md5, access| {
        let mut env = stage.env_of("App.pkg");
        env.set(keys::VERDICT, Verdict::Same, Origin::Output(1));
        env.set(keys::PKG_MD5, md5, Origin::Output(1));
        let sessions = Arc::new(jamf::Sessions::new(jamf::Config::default()).unwrap());
        let cx = stage.context().through(Arc::new(Boundary::new(access)));
        let _ = S3Upload::new(sessions, stage.memory.clone()).plan(&env, &cx).await.unwrap();
        stage.memory.state.left_over().unwrap().len()
    };
    assert_eq!(plan(pipeline::Md5::from_bytes([1; 16]), Access::ReadWrite).await, 1);
    assert_eq!(plan(known.md5, Access::ReadOnly).await, 1);
    assert_eq!(stage.memory.state.unproven(None).unwrap(), []);
    assert_eq!(plan(known.md5, Access::ReadWrite).await, 0);
    // It is there, and nobody has proven it.
    let kept = stage.memory.state.unproven(None).unwrap();
    assert_eq!(
        kept.iter().map(|kept| (kept.sent, kept.arrival)).collect::<Vec<_>>(),
        [(known, Arrival::Listed)]
    );
    // Somebody else has put other bytes there, and they are what is wanted now.
    let other = pipeline::Md5::from_bytes([1; 16]);
    plan(other, Access::ReadOnly).await;
    assert_eq!(stage.memory.state.unproven(None).unwrap().len(), 1);
    plan(other, Access::ReadWrite).await;
    assert_eq!(stage.memory.state.unproven(None).unwrap(), []);
}

#[tokio::test]
async fn parts_are_kept_on_request_and_removed_otherwise() {
    for keep in [true, false] {
        let mut stage = one_at_a_time().await;
        stage.set("keep_partial", if keep { "true" } else { "false" });
        let new = bytes(1, 20 * MIB);
        let cancel = stage.cancel.clone();
        stage.meddler.rule(move |seen| {
            if seen.is_part(3) {
                cancel.cancel();
            }
            Fate::Pass
        });
        let said = failed(&stage.send("App.pkg", &new).await.unwrap_err());
        assert_eq!(stage.sandbox.open_uploads().len(), usize::from(keep));
        if keep {
            assert_snapshot!(said, @"
            the upload of App.pkg was interrupted; nothing of it was put in place; its parts are kept, and the next run goes on with them
            hint: run again: it goes on where it stopped
            Interrupted
            ");
            stage.cancel = tokio_util::sync::CancellationToken::new();
            assert_eq!(rerun(&stage, "App.pkg", &new).await, ["renew", "part 3", "complete"]);
        } else {
            assert_eq!(stage.memory.state.left_over().unwrap().len(), 0);
        }
    }
}

#[tokio::test]
async fn what_could_not_be_removed_is_gone_on_with() {
    let stage = one_at_a_time().await;
    let new = bytes(1, 20 * MIB);
    let cut_off =
        |seen: &Seen| if seen.is_part(3) || seen.is("DELETE", "uploadId=") { Fate::Cut } else { Fate::Pass };
    stage.send_through("App.pkg", &new, cut_off).await.unwrap_err();
    assert_eq!(rerun(&stage, "App.pkg", &new).await, ["renew", "part 3", "complete"]);
}

#[tokio::test]
async fn leftovers_of_files_that_are_gone_are_removed_by_the_next_upload() {
    let stage = one_at_a_time().await;
    killed_at(&stage, "App.pkg", &bytes(1, 20 * MIB), |seen| seen.is_part(3), Fate::HoldBefore).await;
    std::fs::remove_file(stage.path()).unwrap();
    stage.meddler.rule(|_| Fate::Pass);
    let other = stage.path().with_file_name("other.pkg");
    stage.send_file(&other, "Other.pkg", &bytes(3, 1000)).await.unwrap();
    assert_eq!(asked(&stage.meddler.seen()), ["credentials", "begin", "part 1", "complete", "abort"]);
    assert_eq!(stage.memory.state.left_over().unwrap().len(), 0);
}

fn refusing(words: &'static [&'static str]) -> impl FnMut(&Seen) -> Fate + Send {
    let xml = "<Error><Code>NotImplemented</Code><Message>A header you provided implies functionality that is not \
               implemented.</Message></Error>";
    move |seen| {
        let head = seen.header("x-amz-checksum-algorithm").map(str::to_ascii_lowercase);
        let begins_with = |word: &&str| head.as_deref() == Some(word);
        match words.iter().any(begins_with) {
            true => Fate::Answer(501, xml.to_owned()),
            false => Fate::Pass,
        }
    }
}

#[tokio::test]
async fn the_best_checksum_that_the_server_takes_is_found_out() {
    for (refused, used) in
        [(&["crc64nvme"][..], Some("x-amz-checksum-crc32")), (&["crc64nvme", "crc32"][..], None)]
    {
        let stage = one_at_a_time().await;
        let new = bytes(1, 9 * MIB);
        stage.send_through("App.pkg", &new, refusing(refused)).await.unwrap();
        stage.assert_holds("App.pkg", &new);
        assert_eq!(stage.memory.state.left_over().unwrap().len(), 0);
        let seen = stage.meddler.seen();
        let part = seen.iter().find(|seen| seen.is_part(1)).unwrap();
        for header in ["x-amz-checksum-crc64nvme", "x-amz-checksum-crc32"] {
            assert_eq!(part.header(header).is_some(), Some(header) == used, "{header}");
        }
    }
}

#[tokio::test]
async fn a_checksum_that_was_asked_for_is_not_left_out() {
    let mut stage = one_at_a_time().await;
    stage.set("upload_checksum", "crc64nvme");
    let failure = stage.send_through("App.pkg", &bytes(1, 1000), refusing(&["crc64nvme"])).await.unwrap_err();
    assert!(failure.to_string().contains("501 NotImplemented"), "{failure}");
}

#[tokio::test]
async fn a_part_that_stands_still_is_sent_again_alone() {
    let mut stage = Stage::open().await;
    stage.set("upload_stall_seconds", "1");
    let new = bytes(1, 17 * MIB);
    let mut tries = 0;
    let rule = move |seen: &Seen| {
        tries += u32::from(seen.is_part(2));
        if seen.is_part(2) && tries == 1 { Fate::HoldBefore } else { Fate::Pass }
    };
    stage.send_through("App.pkg", &new, rule).await.unwrap();
    stage.assert_holds("App.pkg", &new);
    let sent = |number| stage.meddler.seen().iter().filter(|seen| seen.is_part(number)).count();
    assert_eq!([sent(1), sent(2), sent(3)], [1, 2, 1]);
    assert_snapshot!(stage.ear.steady_warnings(), @"part 2 of 3 of App.pkg: no answer from S3: nothing moved for 1 s; trying again in _ s (try 2 of 8)");
}
