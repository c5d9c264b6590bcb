//! Multipart uploads from the first part to the commit.

use super::bodies::Tamper;
use super::*;
use aws_sdk_s3::operation::complete_multipart_upload::CompleteMultipartUploadOutput;
use aws_sdk_s3::operation::complete_multipart_upload::builders::CompleteMultipartUploadFluentBuilder;
use aws_sdk_s3::operation::upload_part::builders::UploadPartFluentBuilder;
use aws_sdk_s3::primitives::{ByteStream, Length};
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart, Part};
use md5::Digest as _;

const SMALLEST: usize = 5 * MIB;

/// An upload of one key.
struct Upload {
    client: Client,
    key: String,
    id: String,
}

impl Upload {
    async fn begin(client: Client, name: &str) -> Self {
        let created = client.create_multipart_upload().bucket(BUCKET).key(key(name)).send().await.unwrap();
        Self { client, key: key(name), id: created.upload_id().unwrap().to_owned() }
    }

    fn part(&self, number: i32) -> UploadPartFluentBuilder {
        self.client.upload_part().bucket(BUCKET).key(&self.key).upload_id(&self.id).part_number(number)
    }

    async fn send(&self, number: i32, bytes: Vec<u8>) -> CompletedPart {
        let sent = self.part(number).body(bytes.into()).send().await.unwrap();
        CompletedPart::builder().part_number(number).e_tag(sent.e_tag().unwrap()).build()
    }

    fn completion(&self, parts: &[CompletedPart]) -> CompleteMultipartUploadFluentBuilder {
        let list = CompletedMultipartUpload::builder().set_parts(Some(parts.to_vec())).build();
        let complete = self.client.complete_multipart_upload().bucket(BUCKET).key(&self.key);
        complete.upload_id(&self.id).multipart_upload(list)
    }

    async fn complete(&self, parts: &[CompletedPart]) -> CompleteMultipartUploadOutput {
        self.completion(parts).send().await.unwrap()
    }

    async fn refused(&self, parts: &[CompletedPart]) -> String {
        refused(self.completion(parts).send().await)
    }
}

#[tokio::test]
async fn parts_become_an_object() {
    let stage = Stage::new().await;
    let bytes = noise(7, 2 * SMALLEST + 1000);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &bytes).unwrap();
    let upload = Upload::begin(stage.client(), "Größe 1.0.pkg").await;
    assert_eq!(stage.side.open_uploads(), [key("Größe 1.0.pkg")]);

    // The last part first, the middle one from memory, and one that is sent again.
    let range =
        ByteStream::read_from().path(file.path()).offset(2 * SMALLEST as u64).length(Length::Exact(1000));
    let third = upload.part(3).body(range.build().await.unwrap()).send().await.unwrap();
    upload.send(1, noise(8, SMALLEST)).await;
    let second = upload.send(2, bytes[SMALLEST..2 * SMALLEST].to_vec()).await;
    let range = ByteStream::read_from().path(file.path()).length(Length::Exact(SMALLEST as u64));
    let first = upload.part(1).body(range.build().await.unwrap()).send().await.unwrap();
    assert_eq!(stage.landed(), []);

    let part = |number, e_tag: Option<&str>| {
        CompletedPart::builder().part_number(number).set_e_tag(e_tag.map(str::to_owned)).build()
    };
    let parts = [part(1, first.e_tag()), second, part(3, third.e_tag())];
    let completed = upload.complete(&parts).await;
    let md5s: Vec<u8> = bytes.chunks(SMALLEST).flat_map(md5::Md5::digest).collect();
    let expected = format!("\"{}-3\"", hex::encode(md5::Md5::digest(md5s)));
    assert_eq!(completed.e_tag(), Some(expected.as_str()));
    assert_eq!(completed.key(), Some(upload.key.as_str()));
    assert_eq!(completed.checksum_type(), Some(&ChecksumType::FullObject));

    let landed = stage.landed();
    let [object] = landed.as_slice() else { panic!("{} objects landed", landed.len()) };
    assert_eq!(object.key, upload.key);
    assert!(object.bytes == bytes);
    assert_eq!(object.md5, hex::encode(md5::Md5::digest(&bytes)));
    assert_eq!(object.sha3, hex::encode(sha3::Sha3_512::digest(&bytes)));
    assert_eq!(stage.side.open_uploads(), <[String; 0]>::default());
    assert_eq!(stage.left_over(), 0);

    // A client that lost the answer asks again.
    assert_eq!(upload.complete(&parts).await.e_tag(), Some(expected.as_str()));
    assert_eq!(stage.landed(), []);
    let late = upload.part(4).body(ByteStream::from_static(b"late")).send().await;
    insta::assert_snapshot!(refused(late), @"404 NoSuchUpload: The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.");
}

#[tokio::test]
async fn a_completion_that_is_not_in_order_is_refused_and_can_be_repeated() {
    let stage = Stage::new().await;
    let upload = Upload::begin(stage.client(), "a.pkg").await;
    let first = upload.send(1, noise(1, SMALLEST)).await;
    let second = upload.send(2, noise(2, 100)).await;
    let third = upload.send(3, noise(3, 100)).await;
    let wrong = CompletedPart::builder().part_number(2).e_tag("\"0196137465515953dc2ff63966c9726a\"").build();
    insta::assert_snapshot!(upload.refused(&[first.clone(), wrong]).await, @"400 InvalidPart: One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.");
    insta::assert_snapshot!(upload.refused(&[second.clone(), first.clone()]).await, @"400 InvalidPartOrder: The list of parts was not in ascending order. Parts must be ordered by part number.");
    insta::assert_snapshot!(upload.refused(&[first.clone(), second.clone(), third]).await, @"400 EntityTooSmall: Your proposed upload is smaller than the minimum allowed size");
    insta::assert_snapshot!(upload.refused(&[]).await, @"400 MalformedXML: The XML you provided was not well-formed or did not validate against our published schema");
    let size = upload.completion(&[first.clone(), second.clone()]).mpu_object_size(1).send().await;
    insta::assert_snapshot!(refused(size), @"400 InvalidRequest: The provided 'x-amz-mp-object-size' header value 1 does not match what was computed: 5242980");
    assert_eq!(stage.landed(), []);
    upload.complete(&[first, second]).await;
    assert_eq!(stage.landed()[0].bytes.len(), SMALLEST + 100);
}

#[tokio::test]
async fn a_list_that_was_changed_on_the_way_completes_nothing() {
    let stage = Stage::new().await;
    let upload = Upload::begin(stage.client(), "a.pkg").await;
    let part = upload.send(1, noise(1, 100)).await;
    let tampered = Client::from_conf(stage.config().interceptor(Tamper).build());
    let tampered = Upload { client: tampered, key: upload.key.clone(), id: upload.id.clone() };
    insta::assert_snapshot!(tampered.refused(std::slice::from_ref(&part)).await, @"400 XAmzContentSHA256Mismatch: The provided 'x-amz-content-sha256' header does not match what was computed.");
    assert_eq!(stage.landed(), []);
    upload.complete(&[part]).await;
    assert_eq!(stage.landed().len(), 1);
}

#[tokio::test]
async fn an_aborted_upload_leaves_nothing() {
    let stage = Stage::new().await;
    let upload = Upload::begin(stage.client(), "a.pkg").await;
    let part = upload.send(1, noise(1, 1000)).await;
    assert_eq!(stage.left_over(), 1);
    let abort = || {
        stage.client().abort_multipart_upload().bucket(BUCKET).key(&upload.key).upload_id(&upload.id).send()
    };
    abort().await.unwrap();
    assert_eq!(stage.left_over(), 0);
    assert_eq!(stage.side.open_uploads(), <[String; 0]>::default());
    insta::assert_snapshot!(refused(abort().await), @"404 NoSuchUpload: The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.");
    insta::assert_snapshot!(upload.refused(&[part]).await, @"404 NoSuchUpload: The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.");
    assert_eq!(stage.landed(), []);
}

#[tokio::test]
async fn an_upload_belongs_to_its_key() {
    let stage = Stage::new().await;
    let mut upload = Upload::begin(stage.client(), "a.pkg").await;
    let part = upload.send(1, noise(1, 1000)).await;
    upload.key = key("b.pkg");
    insta::assert_snapshot!(upload.refused(&[part]).await, @"404 NoSuchUpload: The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.");
    let number = upload.part(10_001).body(ByteStream::from_static(b"x")).send().await;
    insta::assert_snapshot!(refused(number), @"400 InvalidArgument: Part number must be an integer between 1 and 10000, inclusive");
}

/// The checksums of the parts are announced, sent with each part, and listed at the end.
#[tokio::test]
async fn composite_checksums_are_agreed_upon() {
    let stage = Stage::new().await;
    let client = stage.client();
    let create = client.create_multipart_upload().bucket(BUCKET).key(key("a.pkg"));
    let created = create.checksum_algorithm(ChecksumAlgorithm::Crc32).send().await.unwrap();
    assert_eq!(created.checksum_algorithm(), Some(&ChecksumAlgorithm::Crc32));
    assert_eq!(created.checksum_type(), Some(&ChecksumType::Composite));
    let upload = Upload { client, key: key("a.pkg"), id: created.upload_id().unwrap().to_owned() };

    let other =
        upload.part(1).checksum_algorithm(ChecksumAlgorithm::Sha256).body(ByteStream::from_static(b"x"));
    insta::assert_snapshot!(refused(other.send().await), @"400 InvalidRequest: Checksum Type mismatch occurred, expected checksum Type: crc32, actual checksum Type: sha256");
    let sent = upload.part(1).body(ByteStream::from_static(b"123456789")).send().await.unwrap();
    insta::assert_snapshot!(sent.checksum_crc32().unwrap(), @"y/Q5Jg==");
    let part = CompletedPart::builder().part_number(1).e_tag(sent.e_tag().unwrap());
    insta::assert_snapshot!(upload.refused(&[part.clone().build()]).await, @"400 InvalidRequest: The upload was created using a crc32 checksum. The complete request must include the checksum for each part. It was missing for part 1 in the request.");
    let completed = upload.complete(&[part.checksum_crc32("y/Q5Jg==").build()]).await;
    insta::assert_snapshot!(completed.checksum_crc32().unwrap(), @"7kxlUA==-1");
    assert_eq!(completed.checksum_type(), Some(&ChecksumType::Composite));
}

/// The client knows the checksum of the whole. If it is wrong, the error comes with status 200, since S3 has begun to
/// answer by then, and the upload is as it was.
#[tokio::test]
async fn a_checksum_of_the_whole_object_is_compared() {
    let stage = Stage::new().await;
    let client = stage.client();
    let create = client.create_multipart_upload().bucket(BUCKET).key(key("a.pkg"));
    let create = create.checksum_algorithm(ChecksumAlgorithm::Crc32).checksum_type(ChecksumType::FullObject);
    let id = create.send().await.unwrap().upload_id().unwrap().to_owned();
    let upload = Upload { client, key: key("a.pkg"), id };
    let part = upload.send(1, b"123456789".to_vec()).await;
    let wrong = upload.completion(std::slice::from_ref(&part)).checksum_crc32("AAAAAA==").send().await;
    let answer = wrong
        .unwrap_err()
        .raw_response()
        .map(|raw| (raw.status().as_u16(), raw.body().bytes().unwrap().to_vec()));
    let (status, document) = answer.unwrap();
    assert_eq!(status, 200);
    let document = String::from_utf8(document).unwrap();
    let (_declaration, rest) = document.split_once("?>").unwrap();
    assert!(
        rest.starts_with(' ') && rest.trim_start().starts_with("<Error><Code>BadDigest</Code>"),
        "{document}"
    );
    assert_eq!(stage.side.open_uploads(), [key("a.pkg")]);
    assert_eq!(std::fs::read_dir(stage.folder.path().join("objects")).unwrap().count(), 0);
    upload.completion(&[part]).checksum_crc32("y/Q5Jg==").send().await.unwrap();
    assert_eq!(stage.landed()[0].bytes, b"123456789");
}

#[tokio::test]
async fn parts_and_uploads_are_listed_in_pages() {
    let stage = Stage::new().await;
    let client = stage.client();
    let upload = Upload::begin(client.clone(), "a.pkg").await;
    for number in [3, 1, 2] {
        upload.send(number, noise(1, 10 * number.unsigned_abs() as usize)).await;
    }
    let list = || client.list_parts().bucket(BUCKET).key(&upload.key).upload_id(&upload.id).max_parts(2);
    let page = list().send().await.unwrap();
    let sizes: Vec<_> = page.parts().iter().map(|part| (part.part_number(), part.size())).collect();
    assert_eq!(sizes, [(Some(1), Some(10)), (Some(2), Some(20))]);
    assert_eq!(page.is_truncated(), Some(true));
    let page = list().part_number_marker(page.next_part_number_marker().unwrap()).send().await.unwrap();
    assert_eq!(page.parts().iter().map(Part::part_number).collect::<Vec<_>>(), [Some(3)]);
    assert_eq!(page.is_truncated(), Some(false));

    Upload::begin(client.clone(), "b.pkg").await;
    Upload::begin(client.clone(), "c.pkg").await;
    let list = || client.list_multipart_uploads().bucket(BUCKET);
    let page = list().prefix(PATH).max_uploads(2).send().await.unwrap();
    let keys = |page: &[aws_sdk_s3::types::MultipartUpload]| {
        page.iter().map(|upload| upload.key().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(keys(page.uploads()), [key("a.pkg"), key("b.pkg")]);
    let next = list().prefix(PATH).key_marker(page.next_key_marker().unwrap());
    let page = next.upload_id_marker(page.next_upload_id_marker().unwrap()).send().await.unwrap();
    assert_eq!(keys(page.uploads()), [key("c.pkg")]);
    insta::assert_snapshot!(refused(list().send().await), @"403 AccessDenied: Access Denied");
}

#[tokio::test]
async fn uploads_of_an_earlier_process_are_removed() {
    let stage = Stage::new().await;
    let left = stage.folder.path().join("uploads/left");
    std::fs::create_dir(&left).unwrap();
    std::fs::write(left.join("part"), b"part").unwrap();
    let again = start(&stage.folder, &stage.desk).await;
    assert_eq!(stage.left_over(), 0);
    assert_ne!(again.address(), stage.side.address());
}

#[tokio::test]
async fn it_stops_when_it_is_dropped() {
    let Stage { side, desk, folder: _folder } = Stage::new().await;
    let address = side.address();
    let mut open = tokio::net::TcpStream::connect(address).await.unwrap();
    drop(side);
    let mut rest = Vec::new();
    let read = tokio::io::AsyncReadExt::read_to_end(&mut open, &mut rest).await;
    assert!(read.is_err() || rest.is_empty());
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
    assert_eq!(desk.requests.lock().unwrap().len(), 0);
}
