use super::*;
use crate::rehearsal::{Said, said};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;

async fn renew(rehearsal: &Rehearsal) -> Said {
    rehearsal.post("/api/v1/jcds/renew-credentials").await
}

fn text<'j>(json: &'j Value, key: &str) -> &'j str {
    json[key].as_str().unwrap()
}

/// An upload that has begun, and the credentials for it.
async fn begun(rehearsal: &Rehearsal) -> (Value, Upload) {
    let grant = rehearsal.post("/api/v1/jcds/files").await.json();
    let upload = Upload::begin_with(rehearsal, &grant, "App.pkg").await;
    (grant, upload)
}

#[tokio::test]
async fn credentials_end_at_a_part() {
    let rehearsal = armed(&["credentials-end-at-part=2"]).await;
    let (_, upload) = begun(&rehearsal).await;
    let one = upload.send(1, &noise(1, 5 * MIB)).await.unwrap();
    let ended = Err("400 ExpiredToken".to_owned());
    assert_eq!(upload.send(2, b"two").await.map(drop), ended);
    assert_eq!(upload.send(2, b"two").await.map(drop), ended, "they do not live again");
    assert_eq!(upload.complete(&[]).await, ended, "nor for anything else");
    let upload = upload.with(rehearsal.s3(&renew(&rehearsal).await.json()));
    let two = upload.send(2, b"two").await.unwrap();
    upload.complete(&[one, two]).await.unwrap();
    assert_eq!(rehearsal.sandbox.files()[0].size, 5 * MIB as u64 + 3);
    assert_eq!(
        s3_journal(&rehearsal),
        ["POST 200", "PUT 200", "PUT 400", "PUT 400", "POST 400", "PUT 200", "POST 200"]
    );
}

#[tokio::test]
async fn a_renewal_with_another_path_opens_the_first_too() {
    let rehearsal = armed(&["renewal-other-path"]).await;
    let (first, upload) = begun(&rehearsal).await;
    for _ in 0..2 {
        let renewed = renew(&rehearsal).await.json();
        assert_ne!(text(&renewed, "path"), text(&first, "path"));
        assert_eq!(format!("tmp/{}/", text(&renewed, "uuid")), text(&renewed, "path"));
        assert!(upload.with(rehearsal.s3(&renewed)).send(1, b"one").await.is_ok());
        rehearsal.upload_with(&renewed, "Other.pkg", b"bytes").await;
    }
}

#[tokio::test]
async fn a_renewal_with_empty_fields_opens_the_first_path() {
    let rehearsal = armed(&["renewal-empty-fields"]).await;
    let (_, upload) = begun(&rehearsal).await;
    for _ in 0..2 {
        let renewed = renew(&rehearsal).await;
        assert_eq!(renewed.status, 200);
        let renewed = renewed.json();
        assert_eq!(["region", "bucketName", "path", "uuid"].map(|key| text(&renewed, key)), [""; 4]);
        assert!(upload.with(rehearsal.s3(&renewed)).send(1, b"one").await.is_ok());
    }
}

#[tokio::test]
async fn a_renewal_with_another_path_opens_nothing_else() {
    let rehearsal = armed(&["renewal-only-new-path"]).await;
    let (first, upload) = begun(&rehearsal).await;
    let renewed = renew(&rehearsal).await.json();
    assert_ne!(text(&renewed, "path"), text(&first, "path"));
    let elsewhere = upload.with(rehearsal.s3(&renewed));
    assert_eq!(elsewhere.send(1, b"one").await, Err("403 AccessDenied".to_owned()));
    rehearsal.upload_with(&renewed, "Other.pkg", b"bytes").await;
    assert!(upload.send(1, b"one").await.is_ok(), "the first ones live on");
}

#[tokio::test]
async fn a_renewal_that_is_refused() {
    let rehearsal = armed(&["renewal-refused"]).await;
    let (_, upload) = begun(&rehearsal).await;
    assert_eq!((renew(&rehearsal).await.status, renew(&rehearsal).await.status), (500, 500));
    assert!(upload.send(1, b"one").await.is_ok());
    rehearsal.sandbox.disarm_faults();
    assert_eq!(renew(&rehearsal).await.status, 200);
}

#[tokio::test]
async fn a_token_ends_in_the_middle_of_a_run() {
    let mut rehearsal = armed(&["token-ends=3"]).await;
    let list = "/api/v1/jcds/files";
    let status = async |rehearsal: &Rehearsal| rehearsal.get(list).await.status;
    // Without a token a request is not one of those that count.
    assert_eq!(said(rehearsal.anonymous(Method::GET, list)).await.status, 401);
    let heard = [
        status(&rehearsal).await,
        status(&rehearsal).await,
        status(&rehearsal).await,
        status(&rehearsal).await,
    ];
    assert_eq!(heard, [200, 200, 401, 401]);
    rehearsal.token = rehearsal.user_token().await;
    assert_eq!(status(&rehearsal).await, 200);
    let statuses: Vec<_> = rehearsal.sandbox.journal().iter().map(|request| request.status).collect();
    assert_eq!(statuses, [401, 200, 200, 401, 401, 200, 200]);
}

#[tokio::test]
async fn abort_and_list_are_denied() {
    let rehearsal = armed(&["abort-denied"]).await;
    let (_, upload) = begun(&rehearsal).await;
    let (client, bucket, key, id) = (&upload.client, &upload.bucket, &upload.key, &upload.id);
    let denied = "403 AccessDenied";
    for _ in 0..2 {
        let abort = client.abort_multipart_upload().bucket(bucket).key(key).upload_id(id).send().await;
        assert_eq!(told(&abort.unwrap_err()), denied);
        let list = client.list_parts().bucket(bucket).key(key).upload_id(id).send().await;
        assert_eq!(told(&list.unwrap_err()), denied);
    }
    upload.send_all(b"bytes").await.unwrap();
    assert_eq!(rehearsal.listed(), ["App.pkg"]);
}

/// How far the `Date` of an answer is ahead of the right time, in seconds.
fn ahead(response: &reqwest::Response) -> f64 {
    let date = response.headers().get("date").unwrap().to_str().unwrap();
    let date = jiff::fmt::rfc2822::parse(date).unwrap().timestamp();
    #[expect(clippy::disallowed_methods, reason = "answers are dated by the real time")]
    let now = Timestamp::now();
    date.duration_since(now).as_secs_f64()
}

#[tokio::test]
async fn a_clock_that_is_wrong() {
    for (fault, expected) in
        [("clock-skew=3600", 3600.0), ("clock-skew=-3600", -3600.0), ("clock-skew=600", 600.0)]
    {
        let rehearsal = armed(&[fault]).await;
        let near = |response: &reqwest::Response| (ahead(response) - expected).abs() < 60.0;
        let jamf = rehearsal.request(Method::POST, "/api/v1/jcds/files").send().await.unwrap();
        assert!(near(&jamf), "{fault}: {jamf:?}");
        let s3 = rehearsal.http.get(&rehearsal.sandbox.connection().s3_endpoint).send().await.unwrap();
        assert!(near(&s3), "{fault}: {s3:?}");

        let grant: Value = jamf.json().await.unwrap();
        let life =
            rehearsal.now() + SignedDuration::from_hours(1) + SignedDuration::from_secs(expected as i64);
        assert_eq!(grant["expiration"], life.as_second());
        let put = rehearsal.s3(&grant).put_object().bucket(text(&grant, "bucketName"));
        let put = put.key(format!("{}App.pkg", text(&grant, "path"))).send().await;
        let put = put.map(drop).map_err(|error| told(&error));
        let is_near_enough = expected == 600.0;
        assert_eq!(
            put,
            if is_near_enough { Ok(()) } else { Err("403 RequestTimeTooSkewed".to_owned()) },
            "{fault}"
        );
    }
}

#[tokio::test]
async fn a_client_that_goes_by_the_wrong_clock_is_let_in() {
    let rehearsal = armed(&["clock-skew=7200"]).await;
    let grant = rehearsal.post("/api/v1/jcds/files").await.json();
    let endpoint = &rehearsal.sandbox.connection().s3_endpoint;
    let response = rehearsal.http.get(endpoint).send().await.unwrap();
    let date = response.headers().get("date").unwrap().to_str().unwrap();
    let date = jiff::fmt::rfc2822::parse(date).unwrap().timestamp();
    let put = rehearsal.s3(&grant).put_object().bucket(text(&grant, "bucketName"));
    let signed = aws_sdk_s3::presigning::PresigningConfig::builder()
        .start_time(date.into())
        .expires_in(std::time::Duration::from_secs(600))
        .build()
        .unwrap();
    let address = put.key(format!("{}App.pkg", text(&grant, "path"))).presigned(signed).await.unwrap();
    let put = said(rehearsal.http.put(address.uri()).body("bytes")).await;
    assert_eq!(put.status, 200, "{put:?}");
    assert_eq!(rehearsal.listed(), ["App.pkg"]);
}
