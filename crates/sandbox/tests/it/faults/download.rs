use super::*;
use crate::rehearsal::said;
use reqwest::Response;

/// A file that is larger than what a connection holds, and an address for it.
async fn with_file(faults: &[&str]) -> (Rehearsal, Vec<u8>, String) {
    let rehearsal = armed(faults).await;
    let bytes = noise(1, MIB);
    rehearsal.sandbox.put_file("App.pkg", &bytes);
    let address = address(&rehearsal).await;
    (rehearsal, bytes, address)
}

async fn address(rehearsal: &Rehearsal) -> String {
    let answer = rehearsal.get_json("/api/v1/jcds/files/App.pkg").await;
    answer["uri"].as_str().unwrap().to_owned()
}

async fn range(rehearsal: &Rehearsal, address: &str) -> Response {
    rehearsal.http.get(address).header("range", "bytes=0-524287").send().await.unwrap()
}

/// Reads what comes of an answer, and how it ends.
async fn read(mut response: Response) -> (usize, reqwest::Result<()>) {
    let mut length = 0;
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => length += chunk.len(),
            Ok(None) => return (length, Ok(())),
            Err(error) => return (length, Err(error)),
        }
    }
}

#[tokio::test]
async fn an_answer_is_cut_in_its_middle() {
    let (rehearsal, _, address) = with_file(&["download-cut=2"]).await;
    // Only ranges count.
    rehearsal.http.head(&address).send().await.unwrap();
    rehearsal.http.get(&address).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(range(&rehearsal, &address).await.bytes().await.unwrap().len(), 512 * 1024);
    let cut = range(&rehearsal, &address).await;
    assert_eq!((cut.status().as_u16(), cut.content_length()), (206, Some(512 * 1024)));
    let (length, end) = read(cut).await;
    assert!(end.is_err() && length <= 256 * 1024, "{length} {end:?}");
    let request = journaled(&rehearsal, |request| request.bytes_out == 256 * 1024).await;
    assert_eq!((request.status, request.side), (206, Side::Download));
    assert_eq!(range(&rehearsal, &address).await.bytes().await.unwrap().len(), 512 * 1024);
}

#[tokio::test]
async fn an_answer_stands_still_in_its_middle() {
    let (rehearsal, bytes, address) = with_file(&["download-stalls=1"]).await;
    let mut stalled = range(&rehearsal, &address).await;
    let mut read = Vec::new();
    while read.len() < 256 * 1024 {
        read.extend(stalled.chunk().await.unwrap().unwrap());
    }
    assert!(read == bytes[..256 * 1024]);
    tokio::select! {
        more = stalled.chunk() => panic!("{more:?}"),
        whole = range(&rehearsal, &address) => assert_eq!(whole.bytes().await.unwrap().len(), 512 * 1024),
    }
    drop(stalled);
    let request = journaled(&rehearsal, |request| request.bytes_out == 256 * 1024).await;
    assert_eq!((request.status, request.side), (206, Side::Download));
}

#[tokio::test]
async fn an_address_ends_before_its_time() {
    let (rehearsal, _, old) = with_file(&["download-expired=2"]).await;
    let status = async |address: &str| range(&rehearsal, address).await.status().as_u16();
    assert_eq!([status(&old).await, status(&old).await, status(&old).await], [206, 403, 403]);
    assert_eq!(
        said(rehearsal.http.get(&old)).await.body,
        crate::rehearsal::wire("cloudfront.error.access-denied.403.response.xml")
    );
    let new = address(&rehearsal).await;
    assert_ne!(new, old);
    assert_eq!(status(&new).await, 206);
    assert_eq!(address(&rehearsal).await, new);
}

#[tokio::test]
async fn a_range_request_fails_once() {
    let (rehearsal, _, address) = with_file(&["download-error=2"]).await;
    let status = async || {
        let response = range(&rehearsal, &address).await;
        (response.status().as_u16(), response.bytes().await.unwrap().len()).0
    };
    assert_eq!([status().await, status().await, status().await], [206, 503, 206]);
    let journal = rehearsal.sandbox.journal();
    let statuses: Vec<_> = journal
        .iter()
        .filter(|request| request.side == Side::Download)
        .map(|request| request.status)
        .collect();
    assert_eq!(statuses, [206, 503, 206]);
}

#[tokio::test]
async fn ranges_are_ignored() {
    let (rehearsal, bytes, address) = with_file(&["download-ignores-range"]).await;
    for _ in 0..2 {
        let whole = range(&rehearsal, &address).await;
        assert_eq!((whole.status().as_u16(), whole.headers().get("content-range")), (200, None));
        assert!(whole.bytes().await.unwrap() == bytes);
    }
}
