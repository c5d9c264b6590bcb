//! Credentials end while a file is on its way.

use crate::meddler::{Fate, Seen};
use crate::stage::{MIB, Stage, bytes, failed};
use insta::assert_snapshot;
use pipeline::{Activity, Env, Origin, Value};
use std::time::Duration;

fn renewals(stage: &Stage) -> usize {
    stage.sandbox.journal().iter().filter(|request| request.path.ends_with("/renew-credentials")).count()
}

#[tokio::test]
async fn they_are_renewed_before_they_end() {
    let mut stage = Stage::open().await;
    stage.set("upload_concurrency", "1");
    let clock = stage.clock.clone();
    let mut passed = false;
    stage.ear.on_progress(move |progress| {
        // The first part takes 57 of 60 minutes.
        if progress.activity == Activity::Uploading && progress.done >= 8 * MIB as u64 && !passed {
            passed = true;
            clock.advance(Duration::from_secs(57 * 60));
        }
    });
    let new = bytes(1, 17 * MIB);
    stage.send("App.pkg", &new).await.unwrap();
    stage.assert_holds("App.pkg", &new);
    assert_eq!(renewals(&stage), 1);
}

#[tokio::test]
async fn short_lived_ones_are_not_renewed_for_every_request() {
    let stage = Stage::with(|config| config.grant_life = Duration::from_secs(60)).await;
    stage.send("App.pkg", &bytes(1, 17 * MIB)).await.unwrap();
    assert_eq!(renewals(&stage), 0);
}

#[tokio::test]
async fn they_are_renewed_when_s3_says_that_they_ended() {
    let stage = Stage::with(|config| config.grant_life = Duration::from_secs(3600)).await;
    let new = bytes(1, 9 * MIB);
    let env = stage.env("App.pkg", &new);
    let clock = stage.clock.clone();
    // Nobody told when they end, and they have.
    let sent = stage
        .send_after(env, move |env: &mut Env| {
            env.remove("jcds_expiration");
            clock.advance(Duration::from_secs(4000));
        })
        .await;
    sent.unwrap();
    stage.assert_holds("App.pkg", &new);
    assert_eq!(renewals(&stage), 1);
}

#[tokio::test]
async fn a_renewal_that_is_refused_is_said() {
    let stage = Stage::open().await;
    let env = stage.env("App.pkg", &bytes(1, 1000));
    let refused = r#"{"httpStatus":403,"errors":[{"code":"INVALID_PRIVILEGE","description":"Forbidden","id":"0","field":""}]}"#;
    stage.meddler.rule(move |seen: &Seen| {
        if seen.is("POST", "/renew-credentials") { Fate::Answer(403, refused.into()) } else { Fate::Pass }
    });
    let clock = stage.clock.clone();
    let failure = stage.send_after(env, move |_| clock.advance(Duration::from_secs(4000))).await.unwrap_err();
    let shown = failed(&failure);
    assert!(
        shown.starts_with(
            "the upload of App.pkg could not begin: the upload credentials could not be renewed: "
        ),
        "{shown}"
    );
    assert!(shown.ends_with("\nAccess"), "{shown}");
}

/// Advances the clock when all parts are in and the commit begins.
fn late_commit(stage: &Stage, minutes: u64) {
    let clock = stage.clock.clone();
    let mut passed = false;
    stage.ear.on_progress(move |progress| {
        if progress.activity == Activity::Committing && !passed {
            passed = true;
            clock.advance(Duration::from_secs(minutes * 60));
        }
    });
}

#[tokio::test]
async fn they_outlast_the_deletion_or_are_renewed_before_it() {
    for (minutes, renewed) in [(45, 0), (52, 1)] {
        let stage = Stage::open().await;
        stage.sandbox.put_file("App.pkg", &bytes(1, 1000));
        late_commit(&stage, minutes);
        let new = bytes(2, 1000);
        stage.send("App.pkg", &new).await.unwrap();
        stage.assert_holds("App.pkg", &new);
        assert_eq!(renewals(&stage), renewed, "after {minutes} minutes");
    }
}

#[tokio::test]
async fn short_lived_ones_outlast_a_deletion_too() {
    let stage = Stage::with(|config| config.grant_life = Duration::from_secs(60)).await;
    stage.sandbox.put_file("App.pkg", &bytes(1, 1000));
    stage.send("App.pkg", &bytes(2, 1000)).await.unwrap();
    assert_eq!(renewals(&stage), 0);
}

#[tokio::test]
async fn nothing_is_deleted_with_credentials_that_end_too_soon() {
    let stage = Stage::open().await;
    let old = bytes(1, 1000);
    stage.sandbox.put_file("App.pkg", &old);
    late_commit(&stage, 52);
    let refused = r#"{"httpStatus":403,"errors":[{"code":"INVALID_PRIVILEGE","description":"Forbidden","id":"0","field":""}]}"#;
    let rule = move |seen: &Seen| {
        if seen.is("POST", "/renew-credentials") { Fate::Answer(403, refused.into()) } else { Fate::Pass }
    };
    let failure = stage.send_through("App.pkg", &bytes(2, 1000), rule).await.unwrap_err();
    assert_snapshot!(failed(&failure), @r"
    the upload credentials end too soon to replace App.pkg safely, and there are no new ones; the old file was left alone: POST /api/v1/jcds/renew-credentials was answered with 403 Forbidden: Forbidden (INVALID_PRIVILEGE); it takes the privilege “Create Jamf Cloud Distribution Service Files”
    hint: give the API role the privilege “Create Jamf Cloud Distribution Service Files” in Settings > API roles and clients (a user account: Settings > User accounts and groups); before Jamf Pro 11.20 it is called “Create Jamf Content Distribution Server Files”
    Access
    ");
    assert!(!stage.meddler.seen().iter().any(Seen::is_delete));
    stage.assert_holds("App.pkg", &old);
    assert_eq!(stage.sandbox.open_uploads(), Vec::<String>::new());
}

/// By our clock: S3 would take them, but nobody can say for how long.
#[tokio::test]
async fn nothing_is_deleted_with_new_credentials_that_have_ended() {
    let stage = Stage::open().await;
    let old = bytes(1, 1000);
    stage.sandbox.put_file("App.pkg", &old);
    late_commit(&stage, 52);
    let ended =
        r#"{"accessKeyID":"A","secretAccessKey":"hunter2","sessionToken":"hunter2","expiration":1000}"#;
    let rule = move |seen: &Seen| {
        if seen.is("POST", "/renew-credentials") { Fate::Answer(201, ended.into()) } else { Fate::Pass }
    };
    let failure = stage.send_through("App.pkg", &bytes(2, 1000), rule).await.unwrap_err();
    assert_snapshot!(failed(&failure), @r"
    the upload credentials end too soon to replace App.pkg safely, and there are no new ones; the old file was left alone
    hint: run again: the upload begins with new credentials
    Remote
    ");
    assert!(!stage.meddler.seen().iter().any(Seen::is_delete));
    stage.assert_holds("App.pkg", &old);
}

#[tokio::test]
async fn wrong_ones_are_told_without_showing_them() {
    let stage = Stage::open().await;
    let env = stage.env("App.pkg", &bytes(1, 1000));
    let failure = stage
        .send_after(env, |env: &mut Env| {
            let wrong = Value::String("hunter2-is-not-the-secret".into());
            env.insert("jcds_secret_access_key", wrong, Origin::Output(1), true);
        })
        .await
        .unwrap_err();
    assert_snapshot!(failed(&failure), @r#"
    the upload of App.pkg could not begin: S3 answered 403 SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key and signing method
    hint: these credentials do not open this place; let jcds-credentials run right before s3-upload
    Access
    "#);
    assert!(!format!("{failure:?}").contains("hunter2"), "{failure:?}");
}

/// The old file has gone, so nothing is given up because of credentials that may yet be renewed, and nothing taken away.
async fn completed_with_ended_credentials(refusals: usize) -> (Stage, Result<(), String>) {
    let stage = Stage::open().await;
    stage.sandbox.put_file("App.pkg", &bytes(1, 1000));
    let ended = "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>";
    let down = r#"{"httpStatus":403,"errors":[{"code":"INVALID_PRIVILEGE","description":"Forbidden","id":"0","field":""}]}"#;
    let (mut completions, mut renewals) = (0, 0);
    let rule = move |seen: &Seen| {
        completions += usize::from(seen.is_complete());
        renewals += usize::from(seen.is("POST", "/renew-credentials"));
        if seen.is_complete() && completions == 1 {
            Fate::Answer(400, ended.into())
        } else if seen.is("POST", "/renew-credentials") && renewals <= refusals {
            Fate::Answer(403, down.into())
        } else {
            Fate::Pass
        }
    };
    let sent = stage.send_through("App.pkg", &bytes(2, 1000), rule).await;
    (stage, sent.map(drop).map_err(|failure| failed(&failure)))
}

#[tokio::test]
async fn after_the_deletion_they_are_renewed_until_it_works() {
    let (stage, sent) = completed_with_ended_credentials(3).await;
    assert_eq!(sent, Ok(()));
    stage.assert_holds("App.pkg", &bytes(2, 1000));
}

#[tokio::test]
async fn after_the_deletion_the_parts_stay_although_they_cannot_be_renewed() {
    let (stage, sent) = completed_with_ended_credentials(usize::MAX).await;
    let shown = sent.unwrap_err();
    assert!(shown.starts_with("App.pkg IS MISSING"), "{shown}");
    assert_eq!(stage.sandbox.open_uploads().len(), 1);
    let renewals = stage.meddler.seen().iter().filter(|seen| seen.is("POST", "/renew-credentials")).count();
    assert!(renewals > 5, "{renewals}");
}

/// The code and the sentence of an error are the server's own.
#[tokio::test]
async fn an_answer_that_repeats_them_is_told_without_them() {
    let stage = Stage::open().await;
    let env = stage.env("App.pkg", &bytes(1, 1000));
    stage.meddler.rule(|seen: &Seen| {
        let token = seen.header("x-amz-security-token").unwrap_or_default();
        let echo = format!("<Error><Code>Odd{token}</Code><Message>No: {token}, hunter2.</Message></Error>");
        if seen.is("POST", "?uploads") { Fate::Answer(400, echo) } else { Fate::Pass }
    });
    let known = |env: &mut Env| {
        env.insert("jcds_secret_access_key", Value::String("hunter2".into()), Origin::Output(1), true);
        env.insert("jcds_session_token", Value::String("first-token".into()), Origin::Output(1), true);
    };
    let failure = stage.send_after(env, known).await.unwrap_err();
    assert_snapshot!(failed(&failure), @r"
    the upload of App.pkg could not begin: S3 answered 400 Odd***: No: ***, ***
    Remote
    ");
    assert!(!format!("{failure:?}").contains("first-token"), "{failure:?}");
}
