use crate::stage::{Stage, bytes, failed};
use insta::assert_snapshot;
use pipeline::{Failure, FailureKind};
use sandbox::{DistributionPoint, Fault, Privilege};
use serde_json::json;
use std::num::NonZeroU32;

/// A server with an old file, asked to take a new one by a recipe that knows another route.
async fn refused_by(
    adjust: impl FnOnce(&Stage),
    config: impl FnOnce(&mut sandbox::Config),
) -> (Stage, Failure) {
    let stage = Stage::with(config).await;
    stage.sandbox.put_file("App.pkg", b"the old bytes");
    stage.put_record();
    stage.write(&bytes(1, 1 << 20));
    adjust(&stage);
    let failure =
        stage.send(&[("package_id", json!(1)), ("fallback_route", json!("jcds"))]).await.unwrap_err();
    assert_eq!(stage.sandbox.bytes_of("App.pkg").unwrap(), b"the old bytes", "the old file is never lost");
    (stage, failure)
}

fn instead(failure: &Failure) -> Option<String> {
    failure.instead().map(|instead| format!("{}={}", instead.name, instead.value))
}

#[tokio::test]
async fn a_missing_privilege() {
    let (_stage, failure) = refused_by(
        |_| {},
        |config| {
            for account in &mut config.accounts {
                account.privileges.retain(|held| *held != Privilege::UpdatePackages);
            }
        },
    )
    .await;
    assert_eq!(failure.kind(), FailureKind::Access);
    assert_eq!(instead(&failure).as_deref(), Some("route=\"jcds\""));
    assert!(failed(&failure).contains("Update Packages"), "{}", failed(&failure));
}

#[tokio::test]
async fn what_a_proxy_in_front_of_the_server_refuses() {
    let (_stage, failure) = refused_by(|stage| stage.sandbox.inject(Fault::UploadTooLarge), |_| {}).await;
    assert_eq!(instead(&failure).as_deref(), Some("route=\"jcds\""));
    assert_snapshot!(failed(&failure), @"
    App.pkg could not be sent onto record 1: POST /api/v1/packages/1/upload was answered with 413 Payload Too Large: 413 Request Entity Too Large
    hint: a proxy in front of the server limits the size of requests; with route: jcds the file does not pass it
    ");
    let (_stage, failure) = refused_by(|stage| stage.sandbox.inject(Fault::UploadBlocked), |_| {}).await;
    assert_eq!(instead(&failure).as_deref(), Some("route=\"jcds\""));
    assert_snapshot!(failed(&failure), @"
    App.pkg could not be sent onto record 1: POST /api/v1/packages/1/upload was answered with 403 Forbidden: 403 Forbidden
    hint: something in front of the server, such as a firewall, refused this and not Jamf Pro: with route: jcds the file does not pass it
    ");
}

/// 404 of the call: the server passes files on to nothing.
#[tokio::test]
async fn a_distribution_point_that_takes_no_uploads() {
    let direct = DistributionPoint { takes_uploads: false, ..DistributionPoint::JAMF_CLOUD };
    let (_stage, failure) = refused_by(|_| {}, |config| config.distribution_point = direct).await;
    assert_eq!(instead(&failure).as_deref(), Some("route=\"jcds\""));
    assert_snapshot!(failed(&failure), @"
    App.pkg could not be sent onto record 1: POST /api/v1/packages/1/upload was answered with 404 Not Found: Cloud distribution point not found (NOT_FOUND)
    hint: record 1 is gone, or the server has no cloud distribution point to pass files on to: with route: auto it is asked
    ");
}

/// Nobody knows what a server that broke down has taken.
#[tokio::test]
async fn a_server_that_breaks_down_is_tried_again_and_is_no_reason_for_another_route() {
    let many = NonZeroU32::new(9).unwrap();
    let (stage, failure) = refused_by(|stage| stage.sandbox.inject(Fault::UploadFails(many)), |_| {}).await;
    assert_eq!((failure.kind(), instead(&failure)), (FailureKind::Remote, None));
    let tries = stage.requests().iter().filter(|line| line.ends_with("/upload 500")).count();
    assert!(tries > 1, "{tries}");
}

#[tokio::test]
async fn a_server_that_recovers_has_the_whole_file() {
    let stage = Stage::open().await;
    stage.put_record();
    stage.write(&bytes(1, 1 << 20));
    stage.sandbox.inject(Fault::UploadFails(NonZeroU32::MIN));
    let _ = stage.send(&[("package_id", json!(1))]).await.unwrap();
    assert!(stage.sandbox.bytes_of("App.pkg").unwrap() == bytes(1, 1 << 20));
}

#[tokio::test]
async fn without_another_route_a_refusal_is_the_end() {
    let stage = Stage::open().await;
    stage.put_record();
    stage.write(b"some bytes");
    stage.sandbox.inject(Fault::UploadTooLarge);
    let failure = stage.send(&[("package_id", json!(1))]).await.unwrap_err();
    assert_eq!(instead(&failure), None);
}

/// A record that cannot be made is in the way of either route.
#[tokio::test]
async fn a_record_that_cannot_be_made_is_no_reason_for_another_route() {
    let stage = Stage::with(|config| {
        for account in &mut config.accounts {
            account.privileges.retain(|held| *held != Privilege::CreatePackages);
        }
    })
    .await;
    stage.write(b"some bytes");
    let failure = stage.send(&[("fallback_route", json!("jcds"))]).await.unwrap_err();
    assert_eq!((failure.kind(), instead(&failure)), (FailureKind::Access, None));
    let told = failed(&failure);
    assert_snapshot!(told.lines().next().unwrap(), @"the package record of App.pkg could not be had, so the file was not sent: POST /api/v1/packages was answered with 403 Forbidden: Forbidden (INVALID_PRIVILEGE); it takes the privilege “Create Packages”");
    assert!(stage.requests().iter().all(|line| !line.contains("/upload")), "{:?}", stage.requests());
}
