//! How faults are armed, listed and disarmed.

use super::*;
use crate::rehearsal::{Said, said};
use reqwest::Method;
use serde_json::json;

const DOOR: &str = "/__sandbox/faults";

async fn post(rehearsal: &Rehearsal, body: &'static str) -> Said {
    said(rehearsal.anonymous(Method::POST, DOOR).body(body)).await
}

#[tokio::test]
async fn they_are_armed_by_configuration_by_call_and_by_request() {
    let rehearsal = armed(&["delete-lost"]).await;
    rehearsal.sandbox.inject(fault("part-cut=2"));
    let answer = post(&rehearsal, "slow-down=2, never-listed").await;
    let all = json!(["delete-lost", "part-cut=2", "slow-down=2", "never-listed"]);
    assert_eq!((answer.status, answer.json()), (200, all.clone()));
    assert_eq!(said(rehearsal.anonymous(Method::GET, DOOR)).await.json(), all);
    let named: Vec<_> = rehearsal.sandbox.armed_faults().iter().map(ToString::to_string).collect();
    assert_eq!(json!(named), all);
    assert_eq!(post(&rehearsal, r#"["etag-lost"]"#).await.json()[4], "etag-lost=1");
}

#[tokio::test]
async fn one_that_was_played_is_listed_no_more() {
    let rehearsal = armed(&["delete-refused", "delete-lost", "abort-denied"]).await;
    rehearsal.sandbox.put_file("App.pkg", b"bytes");
    assert_eq!(rehearsal.delete("/api/v1/jcds/files/App.pkg").await, 500);
    assert_eq!(rehearsal.sandbox.armed_faults(), [fault("delete-lost"), fault("abort-denied")]);
    assert_eq!(said(rehearsal.anonymous(Method::DELETE, DOOR)).await.status, 204);
    assert_eq!(rehearsal.sandbox.armed_faults(), []);
    assert_eq!(rehearsal.delete("/api/v1/jcds/files/App.pkg").await, 204);
}

#[tokio::test]
async fn a_list_with_a_wrong_one_arms_none() {
    let rehearsal = Rehearsal::start().await;
    let answer = post(&rehearsal, "part-cut=2\nslow-donw").await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.json(),
        json!({ "error": "there is no fault called \"slow-donw\"; did you mean slow-down?" })
    );
    assert_eq!(rehearsal.sandbox.armed_faults(), []);
    assert_eq!(rehearsal.sandbox.journal(), [], "the door is not journaled");
}
