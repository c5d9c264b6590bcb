use crate::rehearsal::{Rehearsal, said};
use reqwest::Method;
use sandbox::{Request, Side};
use serde_json::json;

fn lines(journal: &[Request]) -> Vec<String> {
    let line = |request: &Request| {
        let Request { side, method, path, status, bytes_in, bytes_out, .. } = request;
        format!("{side:?} {method} {path} {status} in {bytes_in} out {bytes_out}")
    };
    journal.iter().map(line).collect()
}

#[tokio::test]
async fn counts_requests_and_bytes() {
    let rehearsal = Rehearsal::start().await;
    let body = json!({ "name": "A", "priority": 1 });
    rehearsal.delete("/api/v1/categories/9").await;
    rehearsal.list("/api/v1/categories", &[("filter", r#"name=="A""#)]).await;
    let created = rehearsal.send_json(Method::POST, "/api/v1/categories", &body).await;
    let journal = rehearsal.sandbox.journal();
    insta::assert_snapshot!(lines(&journal[..2]).join("\n"), @r"
    Jamf DELETE /api/v1/categories/9 404 in 0 out 186
    Jamf GET /api/v1/categories?filter=name%3D%3D%22A%22 200 in 0 out 40
    ");
    let post = &journal[2];
    assert_eq!(
        (post.bytes_in, post.bytes_out),
        (body.to_string().len() as u64, created.body.len() as u64),
        "{post:?}"
    );
    assert_eq!(journal.iter().filter(|request| request.is_write()).count(), 2);
    rehearsal.sandbox.clear_journal();
    assert_eq!(rehearsal.sandbox.journal(), []);
}

#[tokio::test]
async fn has_a_side_for_downloads_and_one_for_s3() {
    let rehearsal = Rehearsal::start().await;
    rehearsal.upload("App.pkg", b"0123456789").await;
    let uri = rehearsal.get_json("/api/v1/jcds/files/App.pkg").await["uri"].as_str().unwrap().to_owned();
    said(rehearsal.http.get(&uri).header("range", "bytes=0-3")).await;
    rehearsal.http.head(&uri).send().await.unwrap();
    let journal = rehearsal.sandbox.journal();
    let seen: Vec<_> =
        journal.iter().map(|request| (request.side, request.method.as_str(), request.bytes_out)).collect();
    assert_eq!(seen[1].0, Side::S3);
    assert_eq!(seen[3..], [(Side::Download, "GET", 4), (Side::Download, "HEAD", 0)]);
}

#[tokio::test]
async fn is_served_over_http_and_does_not_show_itself() {
    let rehearsal = Rehearsal::start().await;
    rehearsal.get("/api/v1/health-check").await;
    let door = "/__sandbox/journal";
    let shown = said(rehearsal.anonymous(Method::GET, door)).await.json();
    assert_eq!(
        shown,
        json!([{
            "time": "2026-11-20T12:00:00.481Z",
            "side": "jamf",
            "method": "GET",
            "path": "/api/v1/health-check",
            "status": 204,
            "bytes_in": 0,
            "bytes_out": 0,
        }])
    );
    assert_eq!(said(rehearsal.anonymous(Method::DELETE, door)).await.status, 204);
    assert_eq!(rehearsal.sandbox.journal(), []);
}
