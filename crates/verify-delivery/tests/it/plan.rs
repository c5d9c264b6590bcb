use crate::stage::Stage;
use insta::assert_snapshot;
use pipeline::Plan;
use serde_json::{Value, json};

async fn planned(entries: &[(&str, Value)]) -> String {
    let stage = Stage::open().await;
    let said = match stage.plan(entries).await {
        Plan::Settled { outcome, .. } => outcome.to_string(),
        Plan::Pending { changes, .. } => {
            changes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        }
    };
    assert_eq!(stage.sandbox.journal(), [], "planning asks nothing");
    said
}

#[tokio::test]
async fn there_is_something_to_prove_when_something_was_sent() {
    assert_snapshot!(planned(&[]).await, @"prove delivery of App.pkg");
    assert_snapshot!(planned(&[("pkg_uploaded", json!(true)), ("pkg_metadata_updated", json!(false))]).await, @"prove delivery of App.pkg");
    assert_snapshot!(planned(&[("pkg_uploaded", json!(false)), ("pkg_metadata_updated", json!(true))]).await, @"prove delivery of App.pkg");
    assert_snapshot!(planned(&[("pkg_uploaded", json!(true)), ("pkg_name", json!("Other.pkg"))]).await, @"prove delivery of Other.pkg");
}

#[tokio::test]
async fn nothing_was_sent() {
    assert_snapshot!(planned(&[("pkg_uploaded", json!(false)), ("pkg_metadata_updated", json!(false))]).await, @"skipped: nothing was sent");
    assert_snapshot!(planned(&[("pkg_uploaded", json!(false))]).await, @"skipped: nothing was sent");
}

#[tokio::test]
async fn a_record_without_a_file_has_no_delivery() {
    let record_only = ("record_only", json!(true));
    assert_snapshot!(planned(&[record_only.clone(), ("pkg_metadata_updated", json!(true))]).await, @"skipped: record only");
    assert_snapshot!(planned(&[record_only, ("pkg_uploaded", json!(true))]).await, @"prove delivery of App.pkg");
}
