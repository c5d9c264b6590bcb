use crate::rehearsal::{Rehearsal, assert_shape, assert_wire, payload, said, wire_json};
use reqwest::{Method, StatusCode};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn lists_a_bare_array_with_both_digests() {
    let rehearsal = Rehearsal::start().await;
    let empty = rehearsal.get("/api/v1/jcds/files").await;
    assert_wire(&empty, StatusCode::OK, "jcds.files.list.empty.200.response.json");
    for (name, number, size) in [
        ("ExampleApp-1.2.3.pkg", 1, 1_048_576),
        ("Example App & Friends-2.0+beta.pkg", 3, 4_096),
        ("ExampleSuite-4.5.0.pkg", 2, 11_534_336),
    ] {
        rehearsal.sandbox.put_file(name, &payload(number, size));
    }
    let files = rehearsal.get("/api/v1/jcds/files").await;
    assert_wire(&files, StatusCode::OK, "jcds.files.list.200.response.json");
}

#[tokio::test]
async fn credentials_tell_their_end_in_seconds() {
    let rehearsal = Rehearsal::with(|config| config.grant_life = Duration::from_secs(900)).await;
    let initiated = rehearsal.post("/api/v1/jcds/files").await;
    let grant = initiated.json();
    assert_eq!(initiated.status, 201);
    assert_shape(&grant, &wire_json("jcds.files.initiate.201.response.json"));
    assert_eq!(grant["expiration"], json!(pipeline::Clock::now(&*rehearsal.clock).as_second() + 900));
    let uuid = grant["uuid"].as_str().unwrap();
    assert_eq!(grant["path"], format!("tmp/{uuid}/"));
    assert_ne!(rehearsal.post("/api/v1/jcds/files").await.json()["path"], grant["path"]);
}

#[tokio::test]
async fn renewal_repeats_the_place_of_the_callers_latest_upload() {
    let rehearsal = Rehearsal::start().await;
    let first = rehearsal.post("/api/v1/jcds/files").await.json();
    let latest = rehearsal.post("/api/v1/jcds/files").await.json();
    let renewed = rehearsal.post("/api/v1/jcds/renew-credentials").await;
    assert_eq!(renewed.status, 200);
    let renewed = renewed.json();
    for same in ["path", "uuid", "bucketName", "region"] {
        assert_eq!(renewed[same], latest[same]);
    }
    for new in ["accessKeyID", "secretAccessKey", "sessionToken"] {
        assert_ne!(renewed[new], latest[new]);
    }
    // All three sets of keys work, each under its own path.
    for (grant, name) in [(&first, "first.pkg"), (&latest, "latest.pkg"), (&renewed, "renewed.pkg")] {
        rehearsal.upload_with(grant, name, b"bytes").await;
    }
    assert_eq!(rehearsal.listed(), ["first.pkg", "latest.pkg", "renewed.pkg"]);
}

#[tokio::test]
async fn deleting_a_file_leaves_its_record_but_not_the_other_way_round() {
    let rehearsal = Rehearsal::start().await;
    for name in ["A.pkg", "B.pkg", "C.pkg"] {
        rehearsal.sandbox.put_file(name, b"bytes");
        rehearsal.sandbox.put_package(json!({ "packageName": name, "fileName": name }));
    }
    assert_eq!(rehearsal.delete("/api/v1/jcds/files/A.pkg").await, 204);
    let again = said(rehearsal.request(Method::DELETE, "/api/v1/jcds/files/A.pkg")).await;
    assert_wire(&again, StatusCode::NOT_FOUND, "jcds.file.404.not-found.response.json");
    assert_eq!(rehearsal.record(1).await["fileName"], "A.pkg");

    assert_eq!(rehearsal.delete("/api/v1/packages/2").await, 204);
    assert_eq!(rehearsal.delete("/JSSResource/packages/name/C.pkg").await, 200);
    assert_eq!(rehearsal.listed(), [""; 0]);
    let blobs = std::fs::read_dir(rehearsal.folder.path().join("files")).unwrap();
    assert_eq!(blobs.count(), 0);
}

#[tokio::test]
async fn is_marked_as_deprecated_from_11_25_on() {
    for (version, mark) in [("11.30.1", Some("Thu, 28 Aug 2025 00:00:00 GMT")), ("11.24.0", None)] {
        let rehearsal = Rehearsal::with(|config| config.version = version.to_owned()).await;
        let response = rehearsal.request(Method::GET, "/api/v1/jcds/files").send().await.unwrap();
        let header = response.headers().get("deprecation").map(|value| value.to_str().unwrap());
        assert_eq!(header, mark, "{version}");
    }
}

/// The calls are deprecated; a client has to live with a server that lacks them (`jamf-pro-api.md §15`).
#[tokio::test]
async fn a_far_version_has_no_such_calls() {
    let rehearsal = Rehearsal::with(|config| config.version = "12.0.0".to_owned()).await;
    for (method, path) in [
        (Method::GET, "/api/v1/jcds/files"),
        (Method::POST, "/api/v1/jcds/files"),
        (Method::POST, "/api/v1/jcds/renew-credentials"),
        (Method::GET, "/api/v1/jcds/files/App.pkg"),
        (Method::DELETE, "/api/v1/jcds/files/App.pkg"),
        (Method::POST, "/api/v1/jcds/refresh-inventory"),
    ] {
        let absent = said(rehearsal.request(method, path)).await;
        assert_wire(&absent, StatusCode::NOT_FOUND, "pro-api.404.empty-errors.response.json");
    }
    assert_eq!(rehearsal.get("/api/v1/cloud-distribution-point").await.status, 200);
}
