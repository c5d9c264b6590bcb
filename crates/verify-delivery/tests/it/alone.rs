use crate::stage::{BYTES, Stage, record};
use insta::assert_snapshot;
use pipeline::FailureKind;
use serde_json::json;

#[tokio::test]
async fn several_records_for_one_file_are_not_guessed_about() {
    let stage = Stage::open().await;
    stage.sandbox.put_package(record());
    stage.sandbox.put_package(record());
    stage.sandbox.put_file("App.pkg", BYTES);
    let failure = stage.prove(&[]).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Remote);
    assert_snapshot!(failure, @r#"2 package records name the file App.pkg: 1 ("App"), 2 ("App")"#);
}

#[tokio::test]
async fn a_local_file_that_is_gone_is_a_local_failure() {
    let stage = Stage::open().await;
    std::fs::remove_file(stage.path()).unwrap();
    let failure = stage.prove(&[]).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Local);
    assert_eq!(stage.sandbox.journal(), []);
}

#[tokio::test]
async fn ctrl_c_ends_the_wait() {
    let stage = Stage::open().await;
    let cancel = stage.cancel.clone();
    stage.after(15, move |_| cancel.cancel());
    let failure = stage.prove(&[("verify_timeout", json!(3600))]).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Interrupted);
    assert_snapshot!(failure, @"interrupted while the delivery of App.pkg was being proven");
    assert_snapshot!(failure.hint().unwrap(), @"wait a few minutes, then run `pkgferry run com.github.pkgferry.recipes.verify-package -k pkg_path=…`, which sends nothing; sending again now may make a twin, App_1.pkg");
}
