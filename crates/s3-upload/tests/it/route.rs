//! Another route: it is skipped for, and fallen back to as long as S3 has nothing of the file.

use crate::meddler::{Fate, Seen};
use crate::stage::{Stage, bytes};
use insta::assert_snapshot;
use pipeline::{Failure, Plan, Processor as _, keys};
use s3_upload::S3Upload;
use std::sync::Arc;

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
