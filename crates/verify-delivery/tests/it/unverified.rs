use crate::stage::{BYTES, Stage, record, told};
use insta::assert_snapshot;
use pipeline::FailureKind;
use sandbox::Privilege;
use serde_json::json;

#[tokio::test]
async fn nothing_is_listed_until_the_time_is_over() {
    let stage = Stage::open().await;
    stage.sandbox.put_package(record());
    let applied = stage.prove(&[]).await.unwrap();
    assert_snapshot!(told(&applied), @"");
    assert_eq!(stage.refreshes(), 10);
}

#[tokio::test]
async fn the_time_can_be_set() {
    let stage = Stage::open().await;
    let applied = stage.prove(&[("verify_timeout", json!("7"))]).await.unwrap();
    assert_snapshot!(told(&applied), @"");
}

#[tokio::test]
async fn old_bytes_stay() {
    let stage = Stage::open().await;
    stage.sandbox.put_file("App.pkg", b"the old bytes");
    stage.sandbox.put_package(record());
    let applied = stage.prove(&[]).await.unwrap();
    assert_snapshot!(told(&applied), @"");
}

#[tokio::test]
async fn the_bytes_arrived_under_a_twins_name() {
    let stage = Stage::open().await;
    stage.sandbox.put_file("App.pkg", b"the old bytes");
    stage.sandbox.put_file("App_1.pkg", BYTES);
    stage.sandbox.put_package(record());
    let applied = stage.prove(&[]).await.unwrap();
    assert_snapshot!(told(&applied), @"");
}

#[tokio::test]
async fn a_record_that_never_turns_up() {
    let stage = Stage::open().await;
    stage.sandbox.put_file("App.pkg", BYTES);
    let applied = stage.prove(&[("package_id", json!(77)), ("verify_timeout", json!(60))]).await.unwrap();
    assert_snapshot!(told(&applied), @"");
}

#[tokio::test]
async fn a_refresh_that_fails_is_told_once_and_stops_nothing() {
    let stage = Stage::with(|config| {
        for account in &mut config.accounts {
            *account = account
                .clone()
                .without(Privilege::ReadDistributionPoint)
                .without(Privilege::UpdateDistributionPoint);
        }
    })
    .await;
    stage.sandbox.put_package(record());
    stage.after(40, |sandbox| sandbox.put_file("App.pkg", BYTES));
    let applied = stage.prove(&[]).await.unwrap();
    assert!(told(&applied).ends_with("delivery: proven"), "{}", told(&applied));
    assert!(stage.warnings().len() <= 1, "{:?}", stage.warnings());
}

#[tokio::test]
async fn a_list_that_may_not_be_read_is_a_failure() {
    let stage = Stage::with(|config| {
        for account in &mut config.accounts {
            *account = account.clone().without(Privilege::ReadJcdsFiles);
        }
    })
    .await;
    let failure = stage.prove(&[]).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Access);
}
