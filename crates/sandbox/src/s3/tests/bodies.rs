//! Single PUTs, and the ways in which clients send and protect a body.

use super::*;
use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::{ByteStream, Length, SdkBody};
use aws_sdk_s3::types::ChecksumAlgorithm;
use std::io::Write as _;
use tempfile::NamedTempFile;

fn put(client: &Client, name: &str) -> PutObjectFluentBuilder {
    client.put_object().bucket(BUCKET).key(key(name))
}

fn file_of(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

async fn stream_of(file: &NamedTempFile) -> ByteStream {
    let length = file.as_file().metadata().unwrap().len();
    let stream = ByteStream::read_from().path(file.path()).length(Length::Exact(length));
    stream.build().await.unwrap()
}

#[tokio::test]
async fn a_put_lands_with_its_digests() {
    let stage = Stage::new().await;
    let answer = put(&stage.client(), "a.pkg").body(ByteStream::from_static(b"bytes")).send().await.unwrap();
    insta::assert_snapshot!(answer.e_tag().unwrap(), @r#""4b3a6218bb3e3a7303e8a171a60fcf92""#);
    let landed = stage.landed();
    let [object] = landed.as_slice() else { panic!("{} objects landed", landed.len()) };
    assert_eq!((object.key.as_str(), object.bytes.as_slice()), (key("a.pkg").as_str(), b"bytes".as_slice()));
    insta::assert_snapshot!(object.md5, @"4b3a6218bb3e3a7303e8a171a60fcf92");
    insta::assert_snapshot!(object.sha3, @"bb58991d42394256e5bf51e0295275ab244beccf16a7690edffabcd04c18835ac307516dc78e630b38efbca28c1db90829e01531958a3fd0d99b4a7d90166776");
    assert_eq!(stage.journal(), ["PUT 200 5 0"]);
    assert_eq!(stage.left_over(), 0);
}

#[tokio::test]
async fn an_empty_put_lands() {
    let stage = Stage::new().await;
    put(&stage.client(), "empty.pkg").send().await.unwrap();
    assert_eq!(stage.landed()[0].bytes, b"");
}

/// Names that go wrong where they are encoded once too often or too rarely, or normalised.
#[tokio::test]
async fn keys_arrive_byte_by_byte() {
    let stage = Stage::new().await;
    let names = [
        "Name with spaces.pkg",
        "hash#percent%plus+and&.pkg",
        "%20%2B already encoded.pkg",
        "(parentheses) [brackets] {braces} 'quotes' \"double\".pkg",
        "emoji 🚀 日本語.pkg",
        "composed Über.pkg",
        "decomposed U\u{308}ber.pkg",
        "question?equals=semicolon;colon:at@comma,dollar$exclamation!asterisk*tilde~.pkg",
        "sub/folder//double.pkg",
        "..pkg",
    ];
    for name in names {
        put(&stage.client(), name).body(ByteStream::from_static(b"x")).send().await.unwrap();
    }
    let landed: Vec<String> = stage.landed().into_iter().map(|object| object.key).collect();
    assert_eq!(landed, names.map(key));
}

/// In memory: the hash of the body is signed. From a file: `STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER`. Without payload
/// signing, as over TLS: `UNSIGNED-PAYLOAD` and `STREAMING-UNSIGNED-PAYLOAD-TRAILER`. With and without a checksum.
#[tokio::test]
async fn every_way_to_send_a_body_gives_the_same_bytes() {
    let stage = Stage::new().await;
    let bytes = noise(1, 300_000);
    let file = file_of(&bytes);
    let client = stage.client();
    let algorithms = [
        ChecksumAlgorithm::Crc32,
        ChecksumAlgorithm::Crc32C,
        ChecksumAlgorithm::Crc64Nvme,
        ChecksumAlgorithm::Sha1,
        ChecksumAlgorithm::Sha256,
    ];
    for algorithm in algorithms {
        for unsigned in [false, true] {
            for body in [ByteStream::from(bytes.clone()), stream_of(&file).await] {
                let put = put(&client, "a.pkg").checksum_algorithm(algorithm.clone()).body(body).customize();
                let put = if unsigned { put.disable_payload_signing() } else { put };
                put.send().await.unwrap();
            }
        }
    }
    let landed = stage.landed();
    assert_eq!(landed.len(), 20);
    assert!(landed.iter().all(|object| object.bytes == bytes));
}

#[tokio::test]
async fn a_body_that_is_not_what_was_announced_does_not_land() {
    let stage = Stage::new().await;
    let client = stage.client();
    let body = || ByteStream::from_static(b"bytes");
    let md5 = put(&client, "a.pkg").content_md5("AAAAAAAAAAAAAAAAAAAAAA==").body(body()).send().await;
    insta::assert_snapshot!(refused(md5), @"400 BadDigest: The Content-MD5 you specified did not match what we received.");
    let crc = put(&client, "a.pkg").checksum_crc32("AAAAAA==").body(body()).send().await;
    insta::assert_snapshot!(refused(crc), @"400 BadDigest: The CRC32 you specified did not match the calculated checksum.");
    let malformed = put(&client, "a.pkg").checksum_crc32("no").body(body()).send().await;
    insta::assert_snapshot!(refused(malformed), @"400 InvalidRequest: Value for x-amz-checksum-crc32 header is invalid.");
    assert_eq!(stage.landed(), []);
    assert_eq!(stage.left_over(), 0);
}

/// Writes the body of a request in capitals after it was signed.
#[derive(Debug)]
pub(super) struct Tamper;

impl Intercept for Tamper {
    fn name(&self) -> &'static str {
        "Tamper"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.request_mut().body_mut();
        *body = SdkBody::from(body.bytes().unwrap_or_default().to_ascii_uppercase());
        Ok(())
    }
}

#[tokio::test]
async fn a_body_that_was_changed_on_the_way_does_not_land() {
    let stage = Stage::new().await;
    let client = Client::from_conf(stage.config().interceptor(Tamper).build());
    let changed = put(&client, "a.pkg").body(ByteStream::from_static(b"bytes")).send().await;
    insta::assert_snapshot!(refused(changed), @"400 XAmzContentSHA256Mismatch: The provided 'x-amz-content-sha256' header does not match what was computed.");
    let unsigned = put(&client, "a.pkg").body(ByteStream::from_static(b"bytes")).customize();
    insta::assert_snapshot!(refused(unsigned.disable_payload_signing().send().await), @"400 BadDigest: The CRC32 you specified did not match the calculated checksum.");
    assert_eq!(stage.landed(), []);
    assert_eq!(stage.left_over(), 0);
}

/// A client that has no eyes for the answer until everything is sent still gets it, because the rest of the body is read.
#[tokio::test]
async fn a_refusal_arrives_although_the_body_was_not_wanted() {
    let stage = Stage::new().await;
    let client = stage.client();
    let put = client.put_object().bucket(BUCKET).key("elsewhere.pkg").body(noise(1, 8 * MIB).into());
    insta::assert_snapshot!(refused(put.send().await), @"403 AccessDenied: Access Denied");
    let put = client.put_object().bucket(BUCKET).key(key("small.pkg")).body(ByteStream::from_static(b"x"));
    put.send().await.unwrap();
}
