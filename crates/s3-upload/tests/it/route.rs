//! Another route: it is skipped for, and fallen back to as long as S3 has nothing of the file.

use crate::killed::killed_at;
use crate::meddler::{Fate, Seen};
use crate::stage::{MIB, Stage, bytes, failed};
use insta::assert_snapshot;
use pipeline::{Failure, Plan, Processor as _, keys};
use s3_upload::S3Upload;
use std::sync::Arc;
use tokio::sync::Notify;

const REFUSAL: &str = "<Error><Code>AccessDenied</Code><Message>AWS authentication requires a valid Date or x-amz-date header</Message></Error>";

/// A stage where `packages-api` is the way out.
async fn stage() -> Stage {
    let mut stage = Stage::open().await;
    stage.set("chosen_route", "jcds");
    stage.set("fallback_route", "packages-api");
    stage
}

fn instead(failure: &Failure) -> Option<String> {
    failure.instead().map(|instead| format!("{}={}", instead.name, instead.value))
}

#[tokio::test]
async fn on_another_route_nothing_is_sent_and_nothing_said_of_it() {
    let mut stage = Stage::open().await;
    stage.set("chosen_route", "packages-api");
    let step =
        S3Upload::new(Arc::new(jamf::Sessions::new(jamf::Config::default()).unwrap()), stage.memory.clone());
    let plan = step.plan(&stage.env("App.pkg", b"x"), &stage.context()).await.unwrap();
    let uploaded = plan.outputs().from_step(1).get(keys::PKG_UPLOADED).unwrap();
    let Plan::Settled { outcome, .. } = plan else { panic!("it sends") };
    assert_snapshot!(outcome, @"skipped: route packages-api: package-upload sends the file");
    assert_eq!(uploaded, None, "the other step says whether the file is sent");
    assert_eq!(stage.sandbox.journal(), []);
}

#[tokio::test]
async fn an_upload_that_s3_does_not_begin_may_go_by_the_other_route() {
    let (old, new) = (bytes(1, 1000), bytes(2, 1000));
    let stage = stage().await;
    stage.sandbox.put_file("App.pkg", &old);
    let rule = |seen: &Seen| match seen.is("POST", "?uploads") {
        true => Fate::Answer(403, REFUSAL.into()),
        false => Fate::Pass,
    };
    let failure = stage.send_through("App.pkg", &new, rule).await.unwrap_err();
    assert_eq!(instead(&failure).as_deref(), Some("route=\"packages-api\""));
    stage.assert_holds("App.pkg", &old);
    assert!(!stage.meddler.seen().iter().any(Seen::is_delete));
}

#[tokio::test]
async fn what_s3_has_begun_to_take_does_not_go_another_way() {
    let stage = stage().await;
    let rule = |seen: &Seen| match seen.is_part(1) {
        true => Fate::Answer(403, REFUSAL.into()),
        false => Fate::Pass,
    };
    let failure = stage.send_through("App.pkg", &bytes(2, 1000), rule).await.unwrap_err();
    assert_eq!(instead(&failure), None);
}

/// Who refuses to begin a second upload after the first one cannot be gone on with.
#[derive(Clone, Copy, Debug)]
enum Refuses {
    JamfPro,
    S3,
}

impl Refuses {
    /// The answer to a request that begins an upload.
    fn fate(self, seen: &Seen) -> Fate {
        match self {
            Self::JamfPro if seen.method == "POST" && seen.path.ends_with("/jcds/files") => {
                Fate::Answer(403, r#"{"httpStatus":403,"errors":[]}"#.into())
            }
            Self::S3 if seen.is("POST", "?uploads") => Fate::Answer(403, DENIED.into()),
            _ => Fate::Pass,
        }
    }
}

const DENIED: &str = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";

/// An earlier run has sent the first part. This one may send until `refused`, and then begin nothing else.
async fn resumed_until(refused: u32, refuses: Refuses) -> Failure {
    let mut stage = stage().await;
    stage.set("upload_concurrency", "1");
    let new = bytes(1, 17 * MIB);
    killed_at(&stage, "App.pkg", &new, |seen| seen.is_part(2), Fate::HoldBefore).await;
    stage.meddler.rule(move |seen| match seen.is_part(refused) {
        true => Fate::Answer(403, DENIED.into()),
        false => refuses.fate(seen),
    });
    let failure = stage.send_again("App.pkg").await.unwrap_err();
    let parts = stage.meddler.seen().iter().filter(|seen| seen.is("PUT", "partNumber=")).count();
    assert_eq!(parts as u32, refused - 1, "{refuses:?}: it sends nothing anew");
    failure
}

#[tokio::test]
async fn a_resumed_upload_goes_another_way_only_where_this_run_has_sent_nothing_of_it() {
    for refuses in [Refuses::JamfPro, Refuses::S3] {
        let failure = resumed_until(2, refuses).await;
        assert_eq!(instead(&failure).as_deref(), Some("route=\"packages-api\""), "{refuses:?}");
        assert_eq!(failure.sent(), 0, "{refuses:?}");

        let failure = resumed_until(3, refuses).await;
        assert_eq!(instead(&failure), None, "{refuses:?}: S3 took a part");
        assert_eq!(failure.sent(), 8 * MIB as u64, "{refuses:?}");
    }
}

/// Another upload of the same run makes that its credentials cannot be renewed (`jamf-pro-api.md §7.3`); S3 ends them after two parts.
#[tokio::test]
async fn a_superseded_upload_that_was_sent_in_part_does_not_go_another_way() {
    for refuses in [Refuses::JamfPro, Refuses::S3] {
        let mut stage = stage().await;
        stage.set("upload_concurrency", "1");
        let env = stage.env("App.pkg", &bytes(1, 17 * MIB));
        let sessions = Arc::new(jamf::Sessions::new(jamf::Config::default()).unwrap());
        let (session, cx) = (sessions.open(&env).unwrap(), stage.context());
        let go = Arc::new(Notify::new());
        let held = Arc::clone(&go);
        let mut is_superseded = false;
        stage.meddler.rule(move |seen| {
            if seen.is_part(2) {
                return Fate::Until(Arc::clone(&held));
            }
            if seen.is_part(3) {
                is_superseded = true;
                let ended = "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>";
                return Fate::Answer(400, ended.into());
            }
            if is_superseded { refuses.fate(seen) } else { Fate::Pass }
        });
        let another = async {
            stage.meddler.holding().await;
            session.jcds_initiate(&cx).await.unwrap();
            go.notify_one();
        };
        let (sent, ()) = tokio::join!(stage.send_within(sessions, env, |_| {}), another);
        let failure = sent.unwrap_err();
        let warnings = stage.ear.warnings().join("\n");
        assert!(warnings.contains("another upload was begun since"), "{refuses:?}: {warnings}");
        assert_eq!(instead(&failure), None, "{refuses:?}");
        assert_eq!(failure.sent(), 16 * MIB as u64, "{refuses:?}");
        match refuses {
            Refuses::JamfPro => assert_snapshot!(failed(&failure), @"
            the upload of App.pkg cannot be gone on with, and there are no credentials to begin it anew: POST /api/v1/jcds/files was answered with 403 Forbidden; it takes the privilege “Create Jamf Cloud Distribution Service Files”
            hint: give the API role the privilege “Create Jamf Cloud Distribution Service Files” in Settings > API roles and clients (a user account: Settings > User accounts and groups); before Jamf Pro 11.20 it is called “Create Jamf Content Distribution Server Files”
            Access
            "),
            Refuses::S3 => assert_snapshot!(failed(&failure), @"
            the upload of App.pkg could not begin: S3 answered 403 AccessDenied: Access Denied
            hint: these credentials do not open this place; let jcds-credentials run right before s3-upload
            Access
            "),
        }
    }
}

#[tokio::test]
async fn without_another_route_a_refusal_is_the_end() {
    let mut stage = Stage::open().await;
    stage.set("chosen_route", "jcds");
    let rule = |seen: &Seen| match seen.is("POST", "?uploads") {
        true => Fate::Answer(403, REFUSAL.into()),
        false => Fate::Pass,
    };
    let failure = stage.send_through("App.pkg", &bytes(2, 1000), rule).await.unwrap_err();
    assert_eq!(instead(&failure), None);
}

#[tokio::test]
async fn a_list_that_is_refused_counts_while_planning_only() {
    let stage = stage().await;
    let refuse = |nth: usize| {
        let mut seen_lists = 0;
        move |seen: &Seen| {
            seen_lists += usize::from(seen.is_list());
            match seen.is_list() && seen_lists >= nth {
                true => Fate::Answer(404, r#"{"httpStatus":404,"errors":[]}"#.into()),
                false => Fate::Pass,
            }
        }
    };
    let failure = stage.send_through("App.pkg", &bytes(2, 1000), refuse(1)).await.unwrap_err();
    assert_eq!(instead(&failure).as_deref(), Some("route=\"packages-api\""));

    // The second one comes when all parts are in S3.
    let failure = stage.send_through("App.pkg", &bytes(2, 1000), refuse(2)).await.unwrap_err();
    assert_eq!(instead(&failure), None);
}
