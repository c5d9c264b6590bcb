//! Proxies between a client and S3 that do not let all headers through, and keys that nobody gave out.

use super::*;
use aws_sdk_s3::config::Credentials;

/// Code and message with which S3 refuses to begin an upload.
async fn refused(rehearsal: &Rehearsal) -> (String, String) {
    let grant = rehearsal.post("/api/v1/jcds/files").await.json();
    let text = |key: &str| grant[key].as_str().unwrap();
    let begun = rehearsal.s3(&grant).create_multipart_upload();
    let begun = begun.bucket(text("bucketName")).key(format!("{}App.pkg", text("path"))).send().await;
    let error = begun.unwrap_err();
    assert_eq!(error.raw_response().unwrap().status().as_u16(), 403);
    (error.code().unwrap().to_owned(), error.message().unwrap().to_owned())
}

#[tokio::test]
async fn a_request_without_its_date() {
    let rehearsal = armed(&["date-stripped"]).await;
    let (code, message) = refused(&rehearsal).await;
    assert_eq!(code, "AccessDenied");
    let document = crate::rehearsal::wire("s3.error.access-denied-no-date.403.response.xml");
    assert!(document.contains(&message), "{message}");
    rehearsal.sandbox.disarm_faults();
    rehearsal.upload("App.pkg", b"bytes").await;
}

#[tokio::test]
async fn a_request_without_its_signature() {
    let rehearsal = armed(&["signature-stripped"]).await;
    assert_eq!(refused(&rehearsal).await, ("AccessDenied".to_owned(), "Access Denied".to_owned()));
}

/// Whoever only wants to know whether S3 can be reached, and what gets there, needs no credentials for it.
#[tokio::test]
async fn made_up_keys_are_told_from_headers_that_are_lost() {
    let rehearsal = Rehearsal::start().await;
    let grant = rehearsal.post("/api/v1/jcds/files").await.json();
    let made_up = Credentials::new("AKIAIOSFODNN7EXAMPLE", "made up", None, None, "test");
    let client = Client::from_conf(rehearsal.s3_config(&grant).credentials_provider(made_up).build());
    let bucket = grant["bucketName"].as_str().unwrap();

    let listed = client.list_buckets().send().await.unwrap_err();
    assert_eq!(told(&listed), "403 InvalidAccessKeyId");
    let document = crate::rehearsal::wire("s3.error.invalid-access-key-id.403.response.xml");
    assert!(document.contains(listed.message().unwrap()));
    for bucket in [bucket, "another-bucket"] {
        let headed = client.head_bucket().bucket(bucket).send().await.unwrap_err();
        assert_eq!(headed.raw_response().unwrap().status().as_u16(), 403, "{bucket}");
    }

    rehearsal.sandbox.inject(fault("date-stripped"));
    let listed = client.list_buckets().send().await.unwrap_err();
    assert_eq!(told(&listed), "403 AccessDenied");
}
