use crate::stage::{Stage, record};
use insta::assert_snapshot;
use pipeline::Plan;
use serde_json::{Value, json};

async fn planned(entries: &[(&str, Value)]) -> String {
    planned_on(&Stage::open().await, entries).await
}

async fn planned_on(stage: &Stage, entries: &[(&str, Value)]) -> String {
    let said = match stage.plan(entries).await {
        Plan::Settled { outcome, .. } => outcome.to_string(),
        Plan::Pending { changes, .. } => {
            changes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        }
    };
    assert!(!stage.sandbox.journal().iter().any(sandbox::Request::is_write), "planning writes nothing");
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
async fn a_record_that_is_not_ready_is_an_unfinished_proof() {
    let nothing = [("pkg_uploaded", json!(false)), ("pkg_metadata_updated", json!(false))];
    for (state, said) in [
        ("PENDING", "prove delivery of App.pkg (record 1 is still PENDING)"),
        ("ERROR", "prove delivery of App.pkg (record 1 is still ERROR)"),
        ("READY", "skipped: nothing was sent"),
        ("", "skipped: nothing was sent"),
    ] {
        let stage = Stage::open().await;
        let mut record = record();
        record["cloudTransferStatus"] = json!(state);
        stage.sandbox.put_package(record);
        assert_eq!(planned_on(&stage, &nothing).await, said);
    }
}

#[tokio::test]
async fn a_record_without_a_file_has_no_delivery() {
    let record_only = ("record_only", json!(true));
    assert_snapshot!(planned(&[record_only.clone(), ("pkg_metadata_updated", json!(true))]).await, @"skipped: record only");
    assert_snapshot!(planned(&[record_only, ("pkg_uploaded", json!(true))]).await, @"prove delivery of App.pkg");
}
