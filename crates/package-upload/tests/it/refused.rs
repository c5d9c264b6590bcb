use crate::stage::{Stage, bytes, failed};
use insta::assert_snapshot;
use pipeline::{Failure, FailureKind};
use sandbox::Privilege;
use serde_json::json;

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
    for (status, body) in [
        (413, "<html><head><title>413 Request Entity Too Large</title></head></html>"),
        (403, "<html><body>Request blocked.</body></html>"),
        (404, "<html><body>Not here.</body></html>"),
    ] {
        let (_stage, failure) = refused_by(|stage| stage.door.refuse(status, body), |_| {}).await;
        assert_eq!(instead(&failure).as_deref(), Some("route=\"jcds\""), "{status}");
        let told = failed(&failure);
        assert!(told.starts_with("App.pkg could not be sent onto record 1: "), "{told}");
        assert!(told.contains(&status.to_string()), "{told}");
    }
}

/// Nobody knows what a server that broke down has taken.
#[tokio::test]
async fn a_server_that_breaks_down_is_no_reason_for_another_route() {
    let (_stage, failure) = refused_by(|stage| stage.door.refuse(500, ""), |_| {}).await;
    assert_eq!((failure.kind(), instead(&failure)), (FailureKind::Remote, None));
}

#[tokio::test]
async fn without_another_route_a_refusal_is_the_end() {
    let stage = Stage::open().await;
    stage.put_record();
    stage.write(b"some bytes");
    stage.door.refuse(413, "<html></html>");
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
