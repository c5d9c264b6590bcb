//! What becomes of an upload that one process of a client began and another goes on with (`jamf-pro-api.md §7.3`, `§19.2`).

use super::*;

/// Another process: it signs in anew, as the same user, and knows nothing but the upload's key, id and parts.
async fn another(mut rehearsal: Rehearsal) -> (Rehearsal, Value) {
    rehearsal.token = rehearsal.user_token().await;
    let renewed = rehearsal.post("/api/v1/jcds/renew-credentials").await;
    assert_eq!(renewed.status, 200);
    let grant = renewed.json();
    (rehearsal, grant)
}

#[tokio::test]
async fn renewed_credentials_go_on_with_an_upload_that_earlier_ones_began() {
    let rehearsal = Rehearsal::start().await;
    let (first, second) = (noise(1, 5 * MIB), noise(2, 1000));
    let begun = Upload::begin(&rehearsal, "App.pkg").await;
    let one = begun.send(1, &first).await.unwrap();
    // The first ones have ended meanwhile.
    rehearsal.pass(60 * 60);
    assert_eq!(begun.send(2, &second).await, Err("400 ExpiredToken".to_owned()));

    let (rehearsal, grant) = another(rehearsal).await;
    assert!(begun.key.starts_with(grant["path"].as_str().unwrap()));
    let upload = begun.with(rehearsal.s3(&grant));
    let list = upload.client.list_parts().bucket(&upload.bucket).key(&upload.key).upload_id(&upload.id);
    assert_eq!(list.send().await.unwrap().parts().len(), 1);
    let two = upload.send(2, &second).await.unwrap();
    upload.complete(&[one, two]).await.unwrap();
    assert!(rehearsal.sandbox.bytes_of("App.pkg").unwrap() == [first, second].concat());
}

#[tokio::test]
async fn renewed_credentials_abort_an_upload_that_earlier_ones_began() {
    let rehearsal = Rehearsal::start().await;
    let begun = Upload::begin(&rehearsal, "App.pkg").await;
    begun.send(1, b"one").await.unwrap();
    let (rehearsal, grant) = another(rehearsal).await;
    let upload = begun.with(rehearsal.s3(&grant));
    let abort = upload.client.abort_multipart_upload().bucket(&upload.bucket).key(&upload.key);
    abort.upload_id(&upload.id).send().await.unwrap();
    assert_eq!(rehearsal.sandbox.open_uploads(), Vec::<String>::new());
}

#[tokio::test]
async fn a_renewal_is_for_the_latest_upload_of_its_caller() {
    let rehearsal = Rehearsal::start().await;
    let earlier = Upload::begin(&rehearsal, "Earlier.pkg").await;
    let later = Upload::begin(&rehearsal, "Later.pkg").await;
    let (rehearsal, grant) = another(rehearsal).await;
    let s3 = rehearsal.s3(&grant);
    assert_eq!(earlier.with(s3.clone()).send(1, b"one").await, Err("403 AccessDenied".to_owned()));
    assert!(later.with(s3).send(1, b"one").await.is_ok());
}
