//! What happens to uploads over the Pro API (`jamf-pro-api.md §5.4`).

use super::*;
use crate::rehearsal::{Said, until, wire};
use serde_json::json;

const APP: &str = "App.pkg";

async fn with_record(faults: &[&str]) -> (Rehearsal, pipeline::PackageId) {
    let rehearsal = armed(faults).await;
    let id = rehearsal.sandbox.put_package(json!({ "packageName": APP, "fileName": APP }));
    (rehearsal, id)
}

/// Nothing of an upload is left, neither in the list nor on disk.
async fn assert_nothing_landed(rehearsal: &Rehearsal) {
    assert_eq!(rehearsal.listed(), [""; 0]);
    let folder = rehearsal.folder.path().join("jamf/uploads");
    until(|| std::fs::read_dir(&folder).unwrap().count() == 0).await;
}

#[tokio::test]
async fn so_many_are_answered_with_500_and_nothing_else() {
    let (rehearsal, id) = with_record(&["upload-fails=2"]).await;
    for _ in 0..2 {
        let failed = rehearsal.upload_to(id, APP, &noise(1, MIB)).await;
        assert_eq!((failed.status, failed.body.as_str()), (500, ""));
        assert_nothing_landed(&rehearsal).await;
    }
    let sent = rehearsal.sandbox.journal().into_iter().filter(|request| request.bytes_in > MIB as u64);
    assert_eq!(sent.count(), 2, "they were read to their end");
    assert_eq!(rehearsal.upload_to(id, APP, b"bytes").await.status, 201);
    assert_eq!(rehearsal.listed(), [APP]);
}

#[tokio::test]
async fn a_proxy_finds_them_too_large() {
    let (rehearsal, id) = with_record(&["upload-too-large"]).await;
    for _ in 0..2 {
        let refused = rehearsal.upload_to(id, APP, &noise(1, MIB)).await;
        let page = wire("packages-v1.upload.413.response.html");
        assert_eq!(refused, Said { status: 413, mime: "text/html".to_owned(), body: page });
        assert_nothing_landed(&rehearsal).await;
    }
    assert_eq!(rehearsal.get("/api/v1/packages").await.status, 200, "only uploads pass it");
}

#[tokio::test]
async fn the_edge_blocks_them_whoever_sends_them() {
    let (rehearsal, id) = with_record(&["upload-blocked"]).await;
    let refused = rehearsal.upload_to(id, APP, b"bytes").await;
    assert_eq!((refused.status, refused.mime.as_str()), (403, "text/html"));
    insta::assert_snapshot!(refused.body, @r"
    <html>
    <head><title>403 Forbidden</title></head>
    <body>
    <center><h1>403 Forbidden</h1></center>
    </body>
    </html>
    ");
    assert_nothing_landed(&rehearsal).await;
}

#[tokio::test]
async fn one_stands_still_in_its_middle_and_the_next_does_not() {
    let (rehearsal, id) = with_record(&["upload-stalls"]).await;
    {
        let bytes = noise(1, 16 * MIB);
        let stalled = rehearsal.upload_to(id, APP, &bytes);
        tokio::pin!(stalled);
        let begun = until(|| rehearsal.sandbox.armed_faults().is_empty());
        tokio::select! {
            answer = &mut stalled => panic!("{answer:?}"),
            () = begun => {}
        }
    }
    assert_eq!(rehearsal.listed(), [""; 0]);
    assert_eq!(rehearsal.upload_to(id, APP, b"bytes").await.status, 201);
}

/// "Hash changed, size 0": the server took the bytes, and nothing landed.
#[tokio::test]
async fn one_is_accepted_and_does_not_land() {
    let (rehearsal, id) = with_record(&["size-zero"]).await;
    assert_eq!(rehearsal.upload_to(id, APP, b"bytes").await.status, 201);
    let record = rehearsal.record(id).await;
    assert_eq!((&record["size"], record["hashValue"].as_str().unwrap().len()), (&json!("0"), 128));
    assert_eq!(rehearsal.upload_to(id, APP, b"bytes").await.status, 201);
    assert_eq!(rehearsal.record(id).await["size"], "5");
}
