use crate::rehearsal::{Rehearsal, said, wire};
use reqwest::{Method, Response, StatusCode};
use std::time::Duration;

const BYTES: &[u8] = b"0123456789abcdef";

async fn address(rehearsal: &Rehearsal, name: &str) -> String {
    let answer = rehearsal.get_json(&format!("/api/v1/jcds/files/{name}")).await;
    answer["uri"].as_str().unwrap().to_owned()
}

async fn with_file() -> (Rehearsal, String) {
    let rehearsal = Rehearsal::with(|config| config.download_life = Duration::from_secs(60)).await;
    rehearsal.sandbox.put_file("App.pkg", BYTES);
    let uri = address(&rehearsal, "App.pkg").await;
    (rehearsal, uri)
}

fn header<'r>(response: &'r Response, name: &str) -> &'r str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn an_address_needs_no_token_and_tells_nothing_in_its_path() {
    let (rehearsal, uri) = with_file().await;
    for part in ["response-content-disposition=", "Expires=1795176060", "Signature=", "Key-Pair-Id="] {
        assert!(uri.contains(part), "{uri}");
    }
    assert!(!uri.split('?').next().unwrap().contains("App.pkg"));
    let response = rehearsal.http.get(&uri).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header(&response, "content-disposition"), "attachment; filename=\"App.pkg\"");
    assert_eq!((header(&response, "content-length"), header(&response, "accept-ranges")), ("16", "bytes"));
    assert_eq!(response.bytes().await.unwrap(), BYTES);
    assert_eq!(rehearsal.get("/api/v1/jcds/files/absent.pkg").await.status, 404);
}

#[tokio::test]
async fn head_tells_the_length() {
    let (rehearsal, uri) = with_file().await;
    let response = rehearsal.http.head(&uri).send().await.unwrap();
    assert_eq!((response.status(), header(&response, "content-length")), (StatusCode::OK, "16"));
}

#[tokio::test]
async fn serves_ranges() {
    let (rehearsal, uri) = with_file().await;
    for (range, status, content_range, body) in [
        ("bytes=0-3", 206, "bytes 0-3/16", "0123"),
        ("bytes=12-", 206, "bytes 12-15/16", "cdef"),
        ("bytes=-2", 206, "bytes 14-15/16", "ef"),
        ("bytes=4-400", 206, "bytes 4-15/16", "456789abcdef"),
        ("bytes=16-", 416, "bytes */16", ""),
        ("bytes=0-0,4-5", 200, "", "0123456789abcdef"),
    ] {
        let response = rehearsal.http.get(&uri).header("range", range).send().await.unwrap();
        assert_eq!((response.status().as_u16(), header(&response, "content-range")), (status, content_range));
        assert_eq!(response.text().await.unwrap(), body, "{range}");
    }
}

#[tokio::test]
async fn a_range_of_another_version_is_the_whole_file() {
    let (rehearsal, uri) = with_file().await;
    let etag = header(&rehearsal.http.head(&uri).send().await.unwrap(), "etag").to_owned();
    for (version, status) in [(etag.as_str(), 206), ("\"other\"", 200)] {
        let request = rehearsal.http.get(&uri).header("range", "bytes=0-3").header("if-range", version);
        assert_eq!(request.send().await.unwrap().status().as_u16(), status);
    }
}

#[tokio::test]
async fn ends_and_cannot_be_forged() {
    let (rehearsal, uri) = with_file().await;
    let denied = async |uri: &str| {
        let answer = said(rehearsal.http.request(Method::GET, uri)).await;
        assert_eq!(answer.status, 403, "{uri}");
        assert_eq!(answer.body, wire("cloudfront.error.access-denied.403.response.xml"));
    };
    denied(&uri.replace("Expires=1795176060", "Expires=1795176061")).await;
    denied(&uri.replace("App.pkg", "Other.pkg")).await;
    denied(uri.split('?').next().unwrap()).await;
    rehearsal.pass(59);
    assert_eq!(said(rehearsal.http.get(&uri)).await.status, 200);
    rehearsal.pass(1);
    denied(&uri).await;
}

#[tokio::test]
async fn an_address_of_a_deleted_file_is_refused() {
    let (rehearsal, uri) = with_file().await;
    rehearsal.delete("/api/v1/jcds/files/App.pkg").await;
    assert_eq!(said(rehearsal.http.get(&uri)).await.status, 403);
}
