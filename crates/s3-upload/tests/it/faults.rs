//! What can go wrong between the client and S3.

use crate::meddler::{Fate, Seen};
use crate::stage::{MIB, Stage, bytes, failed};
use insta::assert_snapshot;
use std::time::Duration;

fn error_xml(code: &str, message: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>\
         <RequestId>R</RequestId></Error>"
    )
}

/// A fate for the first `times` requests that are `meant`.
fn first(times: usize, meant: impl Fn(&Seen) -> bool + Send, fate: Fate) -> impl FnMut(&Seen) -> Fate + Send {
    let mut left = times;
    move |seen| {
        if left > 0 && meant(seen) {
            left -= 1;
            return fate.clone();
        }
        Fate::Pass
    }
}

#[tokio::test]
async fn every_part_carries_a_checksum() {
    let stage = Stage::open().await;
    stage.meddler.rule(|_| Fate::Pass);
    stage.send("App.pkg", &bytes(1, 17 * MIB)).await.unwrap();
    let seen = stage.meddler.seen();
    for number in 1..=3 {
        let part = seen.iter().find(|seen| seen.is_part(number)).unwrap();
        assert!(part.header("x-amz-checksum-crc64nvme").is_some(), "{part:?}");
        // Hashing every byte for the signature takes longer than sending it.
        assert_eq!(part.header("x-amz-content-sha256"), Some("UNSIGNED-PAYLOAD"), "{part:?}");
        assert_eq!(part.header("content-encoding"), None, "{part:?}");
    }
    let begun = seen.iter().find(|seen| seen.is("POST", "?uploads")).unwrap();
    assert_eq!(begun.header("x-amz-checksum-algorithm"), Some("CRC64NVME"));
    let completed = seen.iter().find(|seen| seen.is_complete()).unwrap();
    assert!(completed.header("x-amz-checksum-crc64nvme").is_some(), "S3 compares the whole: {completed:?}");
    assert_eq!(completed.header("x-amz-mp-object-size"), Some("17825792"));
}

#[tokio::test]
async fn a_part_that_was_damaged_on_the_way_is_refused_and_sent_again() {
    let stage = Stage::open().await;
    let new = bytes(1, 17 * MIB);
    stage.send_through("App.pkg", &new, first(1, |seen| seen.is_part(2), Fate::Damage)).await.unwrap();
    stage.assert_holds("App.pkg", &new);
    let journal = stage.sandbox.journal();
    let second = journal.iter().filter(|request| request.path.contains("partNumber=2&"));
    assert_eq!(second.map(|request| request.status).collect::<Vec<_>>(), [400, 200]);
    assert_snapshot!(stage.ear.steady_warnings(), @"part 2 of 3 of App.pkg: S3 answered 400 BadDigest: The CRC64NVME you specified did not match the calculated checksum; trying again in _ s (try 2 of 8)");
}

#[tokio::test]
async fn a_part_that_is_damaged_every_time_is_given_up() {
    let stage = Stage::open().await;
    let old = bytes(1, 1000);
    stage.sandbox.put_file("App.pkg", &old);
    let rule = |seen: &Seen| if seen.is_part(1) { Fate::Damage } else { Fate::Pass };
    let failure = stage.send_through("App.pkg", &bytes(2, 1000), rule).await.unwrap_err();
    assert_snapshot!(failed(&failure), @"
    part 1 of 1 of App.pkg could not be sent: S3 answered 400 BadDigest: The CRC64NVME you specified did not match the calculated checksum
    hint: bytes were damaged or lost on the way, again and again; try another network
    Remote
    ");
    assert_eq!(stage.meddler.seen().iter().filter(|seen| seen.is_part(1)).count(), 8);
    stage.assert_holds("App.pkg", &old);
    assert_eq!(stage.sandbox.open_uploads(), Vec::<String>::new());
}

/// Each try stands still until its own limit.
#[tokio::test]
async fn a_part_that_never_gets_an_answer_is_given_up_in_minutes() {
    let stage = Stage::open().await;
    let clock = stage.clock.clone();
    let rule = move |seen: &Seen| {
        if !seen.is_part(1) {
            return Fate::Pass;
        }
        clock.advance(Duration::from_secs(240));
        Fate::Cut
    };
    let failure = stage.send_through("App.pkg", &bytes(2, 1000), rule).await.unwrap_err();
    assert!(
        failure.to_string().starts_with("part 1 of 1 of App.pkg could not be sent: no answer"),
        "{failure}"
    );
    assert_eq!(stage.meddler.seen().iter().filter(|seen| seen.is_part(1)).count(), 3);
    assert_eq!(stage.sandbox.open_uploads(), Vec::<String>::new());
}

#[tokio::test]
async fn every_try_of_a_part_is_told() {
    let stage = Stage::open().await;
    let slow = Fate::Answer(503, error_xml("SlowDown", "Please reduce your request rate."));
    stage.send_through("App.pkg", &bytes(1, 17 * MIB), first(3, |seen| seen.is_part(2), slow)).await.unwrap();
    assert_snapshot!(stage.ear.steady_warnings(), @r"
    part 2 of 3 of App.pkg: S3 answered 503 SlowDown: Please reduce your request rate; trying again in _ s (try 2 of 8)
    part 2 of 3 of App.pkg: S3 answered 503 SlowDown: Please reduce your request rate; trying again in _ s (try 3 of 8)
    part 2 of 3 of App.pkg: S3 answered 503 SlowDown: Please reduce your request rate; trying again in _ s (try 4 of 8)
    ");
}

#[tokio::test]
async fn a_part_that_fails_twice_is_sent_again_alone() {
    for fate in [
        Fate::Answer(503, error_xml("SlowDown", "Please reduce your request rate.")),
        Fate::Answer(400, error_xml("BadDigest", "The CRC32 you specified did not match what we received.")),
        Fate::Answer(400, error_xml("RequestTimeout", "Your socket connection was not read from in time.")),
        Fate::Damage,
        Fate::Cut,
        Fate::LoseAnswer,
    ] {
        let stage = Stage::open().await;
        let new = bytes(1, 17 * MIB);
        stage.send_through("App.pkg", &new, first(2, |seen| seen.is_part(2), fate)).await.unwrap();
        stage.assert_holds("App.pkg", &new);
        let seen = stage.meddler.seen();
        let sent = |number| seen.iter().filter(|seen| seen.is_part(number)).count();
        assert_eq!([sent(1), sent(2), sent(3)], [1, 3, 1]);
        assert_eq!(stage.ear.warnings().len(), 2, "{:?}", stage.ear.warnings());
    }
}

async fn refused_part(status: u16, body: &str) -> String {
    let stage = Stage::open().await;
    let old = bytes(1, 1000);
    stage.sandbox.put_file("App.pkg", &old);
    let body = body.to_owned();
    let rule =
        move |seen: &Seen| if seen.is_part(2) { Fate::Answer(status, body.clone()) } else { Fate::Pass };
    let failure = stage.send_through("App.pkg", &bytes(2, 9 * MIB), rule).await.unwrap_err();
    stage.assert_holds("App.pkg", &old);
    assert_eq!(stage.sandbox.open_uploads(), Vec::<String>::new());
    failed(&failure)
}

#[tokio::test]
async fn what_s3_refuses_is_said_with_advice() {
    assert_snapshot!(refused_part(403, &error_xml("AccessDenied", "Access Denied")).await, @r#"
    part 2 of 2 of App.pkg could not be sent: S3 answered 403 AccessDenied: Access Denied
    hint: these credentials do not open this place; let jcds-credentials run right before s3-upload
    Access
    "#);
    assert_snapshot!(
        refused_part(403, &error_xml("AccessDenied", "AWS authentication requires a valid Date or x-amz-date header")).await,
        @r#"
    part 2 of 2 of App.pkg could not be sent: S3 answered 403 AccessDenied: AWS authentication requires a valid Date or x-amz-date header
    hint: the request left with an x-amz-date header; a proxy seems to remove it: let S3 pass untouched
    Access
    "#
    );
    assert_snapshot!(
        refused_part(403, &error_xml("RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")).await,
        @r#"
    part 2 of 2 of App.pkg could not be sent: S3 answered 403 RequestTimeTooSkewed: The difference between the request time and the current time is too large
    hint: this machine's clock is wrong by more than 15 minutes; set it
    Remote
    "#
    );
    // S3 answers so too, without a body.
    assert_snapshot!(refused_part(503, "").await, @r"
    part 2 of 2 of App.pkg could not be sent: S3 answered 503 without saying why
    hint: S3, or a proxy before it, is in trouble and does not say why; run again later, and if it stays so ask whoever runs the proxy
    Remote
    ");
    assert_snapshot!(refused_part(413, "<html><body>Request Entity Too Large</body></html>").await, @r#"
    part 2 of 2 of App.pkg could not be sent: S3 answered 413 without saying why
    hint: a proxy or gateway seems to answer for S3; let it pass untouched
    Remote
    "#);
}

#[tokio::test]
async fn a_place_that_is_not_there_is_named() {
    let stage = Stage::open().await;
    let mut env = stage.env("App.pkg", &bytes(1, 1000));
    // Port 1 is closed everywhere.
    env.set(pipeline::keys::S3_ENDPOINT, "http://127.0.0.1:1".into(), pipeline::Origin::CommandLine);
    let failure = stage.send_after(env, |_| {}).await.unwrap_err();
    assert_snapshot!(failed(&failure), @r#"
    the upload of App.pkg could not begin: no answer from S3: Connection refused (os error 111)
    hint: check that this machine reaches S3: name service, firewall, proxy
    Remote
    "#);
}

#[tokio::test]
async fn a_completion_that_fails_inside_an_ok_is_tried_again() {
    let stage = Stage::open().await;
    stage.sandbox.put_file("App.pkg", &bytes(1, 1000));
    let new = bytes(2, 1000);
    let inside =
        Fate::Answer(200, error_xml("InternalError", "We encountered an internal error. Please try again."));
    stage.send_through("App.pkg", &new, first(2, Seen::is_complete, inside)).await.unwrap();
    stage.assert_holds("App.pkg", &new);
    assert_eq!(stage.listed(), ["App.pkg"]);
}

#[tokio::test]
async fn a_completion_whose_answer_is_lost_is_found_in_the_list() {
    let stage = Stage::open().await;
    stage.sandbox.put_file("App.pkg", &bytes(1, 1000));
    let new = bytes(2, 1000);
    let sent =
        stage.send_through("App.pkg", &new, first(1, Seen::is_complete, Fate::LoseAnswer)).await.unwrap();
    assert_snapshot!(sent.told(), @"sent App.pkg: 1000 bytes in 1 part, in place of the old file");
    stage.assert_holds("App.pkg", &new);
    assert_eq!(stage.listed(), ["App.pkg"]);
}

/// The list shows the new file late, and the repeated completion is told that there is no such upload.
#[tokio::test]
async fn a_completion_that_s3_has_forgotten_is_found_in_the_list() {
    let stage = Stage::open().await;
    let new = bytes(2, 1000);
    let mut tries = 0;
    let gone = error_xml("NoSuchUpload", "The specified upload does not exist.");
    let rule = move |seen: &Seen| {
        tries += usize::from(seen.is_complete());
        match tries {
            1 if seen.is_complete() => Fate::LoseAnswer,
            1 if seen.is_list() => Fate::Answer(200, "[]".into()),
            _ if seen.is_complete() => Fate::Answer(404, gone.clone()),
            _ => Fate::Pass,
        }
    };
    stage.send_through("App.pkg", &new, rule).await.unwrap();
    stage.assert_holds("App.pkg", &new);
}

#[tokio::test]
async fn a_completion_that_is_refused_after_the_deletion_says_that_the_file_is_missing() {
    let stage = Stage::open().await;
    stage.sandbox.put_file("App.pkg", &bytes(1, 1000));
    let gone = error_xml("NoSuchUpload", "The specified upload does not exist.");
    let rule =
        move |seen: &Seen| if seen.is_complete() { Fate::Answer(404, gone.clone()) } else { Fate::Pass };
    let failure = stage.send_through("App.pkg", &bytes(2, 1000), rule).await.unwrap_err();
    assert_snapshot!(failed(&failure), @r#"
    App.pkg IS MISSING: the old file was deleted, and S3 did not put the new one together: S3 answered 404 NoSuchUpload: The specified upload does not exist
    hint: run the same again at once: it sends the file anew. Until then computers cannot install it
    Remote
    "#);
    assert_eq!(stage.listed(), Vec::<String>::new());
    assert_eq!(stage.sandbox.open_uploads().len(), 1, "the parts are all that there is");
}

#[tokio::test]
async fn a_completion_that_is_refused_with_nothing_deleted_says_so() {
    let stage = Stage::open().await;
    let refused = error_xml("InvalidPart", "One or more of the specified parts could not be found.");
    let rule =
        move |seen: &Seen| if seen.is_complete() { Fate::Answer(400, refused.clone()) } else { Fate::Pass };
    let failure = stage.send_through("App.pkg", &bytes(2, 1000), rule).await.unwrap_err();
    assert_snapshot!(failed(&failure), @"
    S3 did not put App.pkg together; this run deleted nothing for it: S3 answered 400 InvalidPart: One or more of the specified parts could not be found
    Remote
    ");
    assert_eq!(stage.sandbox.open_uploads(), Vec::<String>::new());
}

/// Servers other than Amazon's make ETags of their own; verify-delivery compares the digests.
#[tokio::test]
async fn an_etag_of_another_make_is_odd_and_no_more() {
    let stage = Stage::open().await;
    let new = bytes(2, 1000);
    let body = "<CompleteMultipartUploadResult><ETag>\"00000000000000000000000000000001-1\"</ETag>\
                </CompleteMultipartUploadResult>";
    let rule = move |seen: &Seen| {
        if seen.is_complete() { Fate::AnswerAfter(200, body.to_owned()) } else { Fate::Pass }
    };
    let sent = stage.send_through("App.pkg", &new, rule).await.unwrap();
    assert_snapshot!(sent.told(), @r"
    warning: App.pkg was sent, but S3 gave it another ETag than its parts make
    hint: let verify-delivery compare the digests, and run again if they differ
    ");
    stage.assert_holds("App.pkg", &new);
}

/// S3 was asked to complete and never answered: it may yet do it, so nothing takes the parts away.
#[tokio::test]
async fn a_completion_that_is_never_answered_is_not_aborted() {
    let stage = Stage::open().await;
    stage.sandbox.put_file("App.pkg", &bytes(1, 1000));
    let rule = |seen: &Seen| if seen.is_complete() { Fate::Cut } else { Fate::Pass };
    let failure = stage.send_through("App.pkg", &bytes(2, 1000), rule).await.unwrap_err();
    assert!(failure.to_string().starts_with("App.pkg IS MISSING"), "{failure}");
    assert_eq!(stage.sandbox.open_uploads().len(), 1);
    let seen = stage.meddler.seen();
    let asked: Vec<_> = seen.iter().filter(|seen| seen.is_complete() || seen.is_list()).collect();
    assert!(
        !asked.windows(2).any(|pair| pair[0].is_complete() && pair[1].is_complete()),
        "the list is asked between tries"
    );
    let completions = seen.iter().filter(|seen| seen.is_complete()).count();
    assert!((5..20).contains(&completions), "{completions}");
}

/// Each try stands still until its own limit.
#[tokio::test]
async fn completion_ends_after_a_quarter_of_an_hour() {
    let stage = Stage::open().await;
    stage.sandbox.put_file("App.pkg", &bytes(1, 1000));
    let clock = stage.clock.clone();
    let rule = move |seen: &Seen| {
        if !seen.is_complete() {
            return Fate::Pass;
        }
        clock.advance(Duration::from_secs(300));
        Fate::Cut
    };
    let failure = stage.send_through("App.pkg", &bytes(2, 1000), rule).await.unwrap_err();
    assert!(failure.to_string().starts_with("App.pkg IS MISSING"), "{failure}");
    assert_eq!(stage.meddler.seen().iter().filter(|seen| seen.is_complete()).count(), 3);
}

#[tokio::test]
async fn an_abort_that_is_refused_is_only_told() {
    let stage = Stage::open().await;
    let refused = error_xml("AccessDenied", "Access Denied");
    let rule = move |seen: &Seen| match seen.method.as_str() {
        "DELETE" => Fate::Answer(403, refused.clone()),
        "PUT" => Fate::Answer(400, error_xml("InvalidRequest", "No.")),
        _ => Fate::Pass,
    };
    let failure = stage.send_through("App.pkg", &bytes(2, 1000), rule).await.unwrap_err();
    assert_snapshot!(failed(&failure), @r#"
    part 1 of 1 of App.pkg could not be sent: S3 answered 400 InvalidRequest: No
    Remote
    "#);
    let warnings = stage.ear.warnings();
    assert_eq!(warnings.len(), 1);
    assert!(
        warnings[0].starts_with("the parts of App.pkg that were sent could not be removed from S3: "),
        "{warnings:?}"
    );
}
