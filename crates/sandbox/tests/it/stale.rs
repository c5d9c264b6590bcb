//! Nodes exchange changes once in a while (`jamf-pro-api.md §13.1`).

use crate::rehearsal::Rehearsal;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

const APP: &str = "ExampleApp-1.2.3.pkg";

/// A server whose other nodes are a minute behind.
async fn cluster() -> Rehearsal {
    Rehearsal::with(|config| {
        config.stale_reads = Duration::from_secs(60);
        config.ready_after = Duration::from_secs(20);
    })
    .await
}

/// The same record with another `info`.
async fn edit(rehearsal: &Rehearsal, id: u64, info: &str) {
    let path = format!("/api/v1/packages/{id}");
    let mut record = rehearsal.get_sticky(&path).await.json();
    record["info"] = info.into();
    assert_eq!(rehearsal.send_json(Method::PUT, &path, &record).await.status, 200);
}

/// The first record, which has id 1. The caller has no cookies.
async fn create(rehearsal: &Rehearsal) -> u64 {
    let xml = format!("<package><name>{APP}</name><filename>{APP}</filename></package>");
    assert_eq!(rehearsal.send_xml(Method::POST, "/JSSResource/packages/id/0", &xml).await.status, 201);
    1
}

#[tokio::test]
async fn a_new_record_is_not_there_without_the_cookie() {
    let rehearsal = cluster().await;
    let id = create(&rehearsal).await;
    let reads = [
        format!("/api/v1/packages/{id}"),
        format!("/JSSResource/packages/id/{id}"),
        format!("/JSSResource/packages/name/{APP}"),
    ];
    let lists = ["/api/v1/packages", "/JSSResource/packages"];
    for (seconds, status, listed) in [(0, 404, false), (59, 404, false), (1, 200, true)] {
        rehearsal.pass(seconds);
        for path in &reads {
            assert_eq!(rehearsal.get(path).await.status, status, "{path}");
            assert_eq!(rehearsal.get_sticky(path).await.status, 200, "{path}");
        }
        for path in lists {
            assert_eq!(rehearsal.get(path).await.body.contains(APP), listed, "{path}");
            assert!(rehearsal.get_sticky(path).await.body.contains(APP), "{path}");
        }
    }
}

#[tokio::test]
async fn changes_and_deletions_arrive_one_after_the_other() {
    let rehearsal = cluster().await;
    let id = create(&rehearsal).await;
    let seen = async || rehearsal.get_json(&format!("/api/v1/packages/{id}")).await["info"].clone();
    rehearsal.pass(100);
    edit(&rehearsal, id, "first").await;
    rehearsal.pass(30);
    edit(&rehearsal, id, "second").await;
    assert_eq!(seen().await, "");
    rehearsal.pass(30);
    assert_eq!(seen().await, "first");
    rehearsal.pass(30);
    assert_eq!(seen().await, "second");

    assert_eq!(rehearsal.delete(&format!("/api/v1/packages/{id}")).await, 204);
    assert_eq!(rehearsal.get_sticky(&format!("/api/v1/packages/{id}")).await.status, 404);
    assert_eq!(seen().await, "second");
    rehearsal.pass(60);
    assert_eq!(seen().await, Value::Null);
}

/// What time brings without a write is as late as all the rest.
#[tokio::test]
async fn a_delivery_is_seen_later_too() {
    let rehearsal = cluster().await;
    let id = create(&rehearsal).await;
    rehearsal.pass(60);
    rehearsal.upload(APP, b"bytes").await;
    let state = async || rehearsal.record(id).await["cloudTransferStatus"].clone();
    for (seconds, status) in [(59, ""), (1, "PENDING"), (19, "PENDING"), (1, "READY")] {
        rehearsal.pass(seconds);
        assert_eq!(state().await, status);
        let now = rehearsal.get_sticky(&format!("/api/v1/packages/{id}")).await.json();
        assert_eq!(now["cloudTransferStatus"], "READY");
    }
}

#[tokio::test]
async fn a_client_that_keeps_its_cookies_never_notices() {
    let rehearsal = cluster().await;
    let client = reqwest::Client::builder().no_proxy().cookie_store(true).build().unwrap();
    let body = json!({
        "packageName": APP, "fileName": APP, "categoryId": "-1", "priority": 10, "fillUserTemplate": false,
        "rebootRequired": false, "osInstall": false, "suppressUpdates": false, "suppressFromDock": false,
        "suppressEula": false, "suppressRegistration": false,
    });
    let packages = rehearsal.url("/api/v1/packages");
    let created = client.post(&packages).bearer_auth(&rehearsal.token).json(&body).send().await.unwrap();
    let created: Value = created.json().await.unwrap();
    let read = client.get(created["href"].as_str().unwrap()).bearer_auth(&rehearsal.token);
    assert_eq!(read.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn what_was_there_at_the_start_is_known_everywhere() {
    let first = Rehearsal::start().await;
    create(&first).await;
    let Rehearsal { sandbox, folder, .. } = first;
    drop(sandbox);
    let second = Rehearsal::with(|config| {
        config.data = folder.path().to_owned();
        config.stale_reads = Duration::from_secs(60);
    })
    .await;
    assert_eq!(second.get("/api/v1/packages/1").await.status, 200);
}
