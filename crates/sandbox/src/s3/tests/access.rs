//! Who may do what.

use super::*;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What a small PUT with these settings gets.
async fn put(config: Builder, key: &str) -> String {
    let put = Client::from_conf(config.build()).put_object().bucket(BUCKET).key(key);
    refused(put.body(ByteStream::from_static(b"bytes")).send().await)
}

#[tokio::test]
async fn only_the_grant_opens() {
    let stage = Stage::new().await;
    let Grant { access_key_id, secret_access_key, session_token, .. } = &stage.desk.grant;
    let unknown = stage.config_with("ASIAUNKNOWN", secret_access_key, Some(session_token));
    insta::assert_snapshot!(put(unknown, &key("a.pkg")).await, @"403 InvalidAccessKeyId: The AWS Access Key Id you provided does not exist in our records.");
    let wrong_secret = stage.config_with(access_key_id, "another", Some(session_token));
    insta::assert_snapshot!(put(wrong_secret, &key("a.pkg")).await, @"403 SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key and signing method.");
    let wrong_token = stage.config_with(access_key_id, secret_access_key, Some("another"));
    insta::assert_snapshot!(put(wrong_token, &key("a.pkg")).await, @"400 InvalidToken: The provided token is malformed or otherwise invalid.");
    let no_token = stage.config_with(access_key_id, secret_access_key, None);
    insta::assert_snapshot!(put(no_token, &key("a.pkg")).await, @"403 InvalidAccessKeyId: The AWS Access Key Id you provided does not exist in our records.");
    let elsewhere = stage.config().region(Region::new("us-east-1"));
    insta::assert_snapshot!(put(elsewhere, &key("a.pkg")).await, @"400 AuthorizationHeaderMalformed: The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-central-1'");
    assert_eq!(stage.landed(), []);
    assert_eq!(stage.left_over(), 0);
}

#[tokio::test]
async fn it_opens_until_it_expires() {
    let stage = Stage::new().await;
    stage.desk.clock.advance(Duration::from_secs(3599));
    stage.client().put_object().bucket(BUCKET).key(key("a.pkg")).send().await.unwrap();
    stage.desk.clock.advance(Duration::from_secs(1));
    insta::assert_snapshot!(put(stage.config(), &key("b.pkg")).await, @"400 ExpiredToken: The provided token has expired.");
}

#[tokio::test]
async fn it_opens_only_its_prefix_and_bucket() {
    let stage = Stage::new().await;
    insta::assert_snapshot!(put(stage.config(), "tmp/a.pkg").await, @"403 AccessDenied: Access Denied");
    insta::assert_snapshot!(put(stage.config(), &format!("/{PATH}a.pkg")).await, @"403 AccessDenied: Access Denied");
    let other = stage.client().put_object().bucket("another-bucket").key(key("a.pkg")).send().await;
    insta::assert_snapshot!(refused(other), @"404 NoSuchBucket: The specified bucket does not exist");
    let create = stage.client().create_multipart_upload().bucket(BUCKET).key("a.pkg").send().await;
    insta::assert_snapshot!(refused(create), @"403 AccessDenied: Access Denied");
    assert_eq!(stage.landed(), []);
}

#[tokio::test]
async fn it_opens_no_reading_and_no_deleting() {
    let stage = Stage::new().await;
    let client = stage.client();
    client.put_object().bucket(BUCKET).key(key("a.pkg")).send().await.unwrap();
    insta::assert_snapshot!(refused(client.get_object().bucket(BUCKET).key(key("a.pkg")).send().await), @"403 AccessDenied: Access Denied");
    insta::assert_snapshot!(refused(client.delete_object().bucket(BUCKET).key(key("a.pkg")).send().await), @"403 AccessDenied: Access Denied");
    insta::assert_snapshot!(refused(client.list_objects_v2().bucket(BUCKET).prefix(PATH).send().await), @"403 AccessDenied: Access Denied");
    insta::assert_snapshot!(refused(client.list_buckets().send().await), @"403 AccessDenied: Access Denied");
    let head = client.head_object().bucket(BUCKET).key(key("a.pkg")).send().await.unwrap_err();
    assert_eq!(head.raw_response().unwrap().status().as_u16(), 403);
}

#[tokio::test]
async fn a_presigned_address_opens_too() {
    let stage = Stage::new().await;
    let put = stage.client().put_object().bucket(BUCKET).key(key("a+b.pkg"));
    let address = put.presigned(one_minute()).await.unwrap();
    let host = stage.side.address().to_string();
    let target = address.uri().split_once(&host).unwrap().1;
    let answer = raw(&stage, &format!("PUT {target} HTTP/1.1\r\nHost: {host}\r\n{SHORT}")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(stage.landed()[0].key, key("a+b.pkg"));

    // What JamfSync before 1.2.0 sent (`jamf-pro-api.md §9.1`): the signature is right, the name is not.
    let bare = target.replace("a%2Bb.pkg", "a+b.pkg");
    let answer = raw(&stage, &format!("PUT {bare} HTTP/1.1\r\nHost: {host}\r\n{SHORT}")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(stage.landed()[0].key, key("a b.pkg"));

    let altered = target.replace("a%2Bb.pkg", "c.pkg");
    let answer = raw(&stage, &format!("PUT {altered} HTTP/1.1\r\nHost: {host}\r\n{SHORT}")).await;
    insta::assert_snapshot!(error_in(&answer), @"403 SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key and signing method.");
}

#[tokio::test]
async fn requests_that_are_not_signed_as_they_should_be() {
    let stage = Stage::new().await;
    let target = format!("PUT /{BUCKET}/{PATH}a.pkg HTTP/1.1\r\n{{host}}");
    let scope = "AWS4-HMAC-SHA256 Credential=ASIAIOSFODNN7EXAMPLE/20261121/eu-central-1/s3/aws4_request";
    let token = "x-amz-security-token: EXAMPLE/SESSION+TOKEN/0001==";
    let date = "x-amz-date: 20261121T080000Z";

    let anonymous = raw(&stage, &format!("{target}\r\nContent-Length: 0\r\n\r\n")).await;
    insta::assert_snapshot!(error_in(&anonymous), @"403 AccessDenied: Access Denied");
    let version_2 =
        format!("{target}\r\nContent-Length: 0\r\nAuthorization: AWS KEY:SIGNATURE\r\n{date}\r\n\r\n");
    insta::assert_snapshot!(error_in(&raw(&stage, &version_2).await), @"400 InvalidRequest: The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.");
    let no_date = format!("{target}\r\nContent-Length: 0\r\nAuthorization: {scope}\r\n\r\n");
    insta::assert_snapshot!(error_in(&raw(&stage, &no_date).await), @"403 AccessDenied: AWS authentication requires a valid Date or x-amz-date header");
    let token_not_signed = format!(
        "{target}\r\nContent-Length: 0\r\nAuthorization: {scope}, SignedHeaders=host;x-amz-date, Signature=0\r\n{date}\r\n{token}\r\n\r\n"
    );
    insta::assert_snapshot!(error_in(&raw(&stage, &token_not_signed).await), @"403 AccessDenied: There were headers present in the request which were not signed");
    let long_ago = format!(
        "{target}\r\nContent-Length: 0\r\nAuthorization: AWS4-HMAC-SHA256 Credential=ASIAIOSFODNN7EXAMPLE/20200101/eu-central-1/s3/aws4_request, \
         SignedHeaders=host;x-amz-date;x-amz-security-token;x-amz-content-sha256, Signature=0\r\n\
         x-amz-date: 20200101T000000Z\r\n{token}\r\nx-amz-content-sha256: UNSIGNED-PAYLOAD\r\n\r\n"
    );
    insta::assert_snapshot!(error_in(&raw(&stage, &long_ago).await), @"403 RequestTimeTooSkewed: request time is too far from server time");
}

#[tokio::test]
async fn a_bucket_may_stand_in_the_host() {
    let stage = Stage::new().await;
    let port = stage.side.address().port();
    let config = stage.config().force_path_style(false).endpoint_url(format!("http://localhost:{port}"));
    let put = Client::from_conf(config.build()).put_object().bucket(BUCKET).key(key("a b.pkg"));
    let address = put.presigned(one_minute()).await.unwrap();
    let host = format!("{BUCKET}.localhost:{port}");
    let target = address.uri().strip_prefix(&format!("http://{host}")).unwrap();
    // Sent by hand, because not every resolver knows the names under `localhost`.
    let answer = raw(&stage, &format!("PUT {target} HTTP/1.1\r\nHost: {host}\r\n{SHORT}")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(stage.landed()[0].key, key("a b.pkg"));
}

/// The end of a request with a small body.
const SHORT: &str = "Connection: close\r\nContent-Length: 5\r\n\r\nbytes";

fn one_minute() -> PresigningConfig {
    PresigningConfig::expires_in(Duration::from_secs(60)).unwrap()
}

/// Sends a request as it is written, but for `{host}`, and gives the answer.
async fn raw(stage: &Stage, request: &str) -> String {
    let mut stream = TcpStream::connect(stage.side.address()).await.unwrap();
    let request = request.replace("{host}", &format!("Host: {}\r\nConnection: close", stage.side.address()));
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// `403 AccessDenied: Access Denied`
fn error_in(answer: &str) -> String {
    let between = |start, end| {
        answer.split_once(start).and_then(|(_, rest)| rest.split_once(end)).map(|(text, _)| text)
    };
    let status = between("HTTP/1.1 ", " ").unwrap();
    format!(
        "{status} {}: {}",
        between("<Code>", "</Code>").unwrap(),
        between("<Message>", "</Message>").unwrap()
    )
}

#[tokio::test]
async fn a_put_without_a_length() {
    let stage = Stage::new().await;
    let target = format!("PUT /{BUCKET}/{PATH}a.pkg HTTP/1.1\r\n{{host}}");
    insta::assert_snapshot!(error_in(&raw(&stage, &format!("{target}\r\n\r\n")).await), @"411 MissingContentLength: You must provide the Content-Length HTTP header.");
    let chunked = format!("{target}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbytes\r\n0\r\n\r\n");
    insta::assert_snapshot!(error_in(&raw(&stage, &chunked).await), @"501 NotImplemented: A header you provided implies functionality that is not implemented");
}
