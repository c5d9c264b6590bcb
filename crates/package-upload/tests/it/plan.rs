use crate::stage::{Stage, failed};
use insta::assert_snapshot;
use package_upload::Work;
use pipeline::{FailureKind, Plan, Processor as _, keys};
use serde_json::{Value, json};

async fn planned(stage: &Stage, entries: &[(&str, Value)]) -> Plan<Work> {
    stage.step().plan(&stage.env(entries), &stage.context()).await.unwrap()
}

/// What is planned, the bytes, and whether it is said that the file is sent.
fn shown(plan: &Plan<Work>) -> String {
    let uploaded = plan.outputs().from_step(1).get(keys::PKG_UPLOADED).unwrap();
    match plan {
        Plan::Settled { outcome, .. } => format!("{outcome} {uploaded:?}"),
        Plan::Pending { changes, .. } => format!("{} {} {uploaded:?}", changes[0], changes[0].bytes),
    }
}

#[tokio::test]
async fn a_plan_says_what_it_would_send_and_why() {
    let stage = Stage::open().await;
    stage.write(b"some bytes");
    assert_snapshot!(shown(&planned(&stage, &[]).await), @"create file App.pkg 10 Some(true)");
    let other = [
        ("verdict", json!("different")),
        ("verdict_reason", json!("MD5 differs")),
        ("jcds_file_found", json!(true)),
        ("pkg_name", json!("Other.pkg")),
        ("chosen_route", json!("packages-api")),
    ];
    assert_snapshot!(shown(&planned(&stage, &other).await), @"replace file Other.pkg (MD5 differs) 10 Some(true)");
    assert_eq!(stage.boundary.traffic().writes, 0);
}

#[tokio::test]
async fn the_same_file_is_not_sent() {
    let stage = Stage::open().await;
    let same = [("verdict", json!("same")), ("verdict_reason", json!("10 bytes agree"))];
    assert_snapshot!(shown(&planned(&stage, &same).await), @"skipped: 10 bytes agree Some(false)");
    assert_eq!(stage.sandbox.journal(), []);
}

/// `pkg_uploaded` of the step that does send must not be overwritten.
#[tokio::test]
async fn on_another_route_nothing_is_sent_and_nothing_said_of_it() {
    let stage = Stage::open().await;
    let other = [("chosen_route", json!("jcds")), ("verdict", json!("same"))];
    assert_snapshot!(shown(&planned(&stage, &other).await), @"skipped: route jcds: s3-upload sends the file None");
    assert_eq!(stage.sandbox.journal(), []);
}

#[tokio::test]
async fn a_server_without_packages_in_its_pro_api() {
    let stage = Stage::with(|config| "11.4.2".clone_into(&mut config.version)).await;
    stage.write(b"some bytes");
    let routes = [("fallback_route", json!("jcds"))];
    let failure = stage.send(&routes).await.unwrap_err();
    assert_snapshot!(failed(&failure), @"
    App.pkg cannot be sent onto a package record: the records of this server come from the Classic API
    hint: it takes Jamf Pro 11.5 or later, and package_api may not be classic; the route jcds takes neither
    ");
    assert_eq!(failure.instead().map(|instead| instead.name), Some("route"));
}

#[tokio::test]
async fn a_file_that_cannot_be_sent_is_told_while_planning() {
    let stage = Stage::open().await;
    let failure = stage.send(&[]).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Local);
    stage.write(b"");
    let failure = stage.send(&[("fallback_route", json!("jcds"))]).await.unwrap_err();
    assert_eq!((failure.kind(), failure.instead()), (FailureKind::Local, None), "no route takes it");
    assert_eq!(stage.boundary.traffic().writes, 0);
}
