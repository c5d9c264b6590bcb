use super::*;
use aws_sdk_s3::types::ChecksumAlgorithm;

#[tokio::test]
async fn a_part_fails_twice_and_the_others_do_not() {
    let rehearsal = armed(&["part-fails-twice=2"]).await;
    let upload = Upload::begin(&rehearsal, "App.pkg").await;
    assert!(upload.send(1, b"one").await.is_ok());
    assert_eq!(upload.send(2, b"two").await, Err("500 InternalError".to_owned()));
    assert!(upload.send(3, b"three").await.is_ok());
    assert_eq!(upload.send(2, b"two").await, Err("500 InternalError".to_owned()));
    assert!(upload.send(2, b"two").await.is_ok());
    assert_eq!(s3_journal(&rehearsal), ["POST 200", "PUT 200", "PUT 500", "PUT 200", "PUT 500", "PUT 200"]);
}

#[tokio::test]
async fn a_part_stands_still_in_its_middle() {
    let rehearsal = armed(&["part-stalls=1"]).await;
    let upload = Upload::begin(&rehearsal, "App.pkg").await;
    // More than the buffers of a connection hold.
    let bytes = noise(1, 32 * MIB);
    let stalled = journaled(&rehearsal, |request| request.status == 444);
    let stalled = tokio::select! {
        sent = upload.send(1, &bytes) => panic!("it was answered: {sent:?}"),
        stalled = stalled => stalled,
    };
    let (half, whole) = (bytes.len() as u64 / 2, bytes.len() as u64);
    assert!((half..whole).contains(&stalled.bytes_in), "{stalled:?}");
    upload.send_all(&bytes).await.unwrap();
    assert!(rehearsal.sandbox.bytes_of("App.pkg").unwrap() == bytes);
}

#[tokio::test]
async fn the_connection_is_cut_in_a_part() {
    let rehearsal = armed(&["part-cut=1"]).await;
    let upload = Upload::begin(&rehearsal, "App.pkg").await;
    let bytes = noise(1, 8 * MIB);
    assert_eq!(upload.send(1, &bytes).await, Err("no answer".to_owned()));
    let journal = rehearsal.sandbox.journal();
    let cut = journal.iter().find(|request| request.status == 444).unwrap();
    assert!((bytes.len() as u64 / 2..bytes.len() as u64).contains(&cut.bytes_in), "{cut:?}");
    upload.send_all(&bytes).await.unwrap();
    assert!(rehearsal.sandbox.bytes_of("App.pkg").unwrap() == bytes);
}

#[tokio::test]
async fn s3_asks_to_slow_down_so_many_times() {
    let rehearsal = armed(&["slow-down=2"]).await;
    let grant = rehearsal.post("/api/v1/jcds/files").await.json();
    let put = async || {
        let text = |key: &str| grant[key].as_str().unwrap();
        let put = rehearsal.s3(&grant).put_object().bucket(text("bucketName"));
        put.key(format!("{}App.pkg", text("path"))).send().await.map(drop).map_err(|error| told(&error))
    };
    assert_eq!(put().await, Err("503 SlowDown".to_owned()));
    assert_eq!(put().await, Err("503 SlowDown".to_owned()));
    assert_eq!(put().await, Ok(()));
    assert_eq!(s3_journal(&rehearsal), ["PUT 503", "PUT 503", "PUT 200"]);
}

#[tokio::test]
async fn an_answer_without_an_etag() {
    let rehearsal = armed(&["etag-lost=2"]).await;
    let upload = Upload::begin(&rehearsal, "App.pkg").await;
    let etag = async |number| upload.part(number, b"bytes").send().await.unwrap().e_tag().map(str::to_owned);
    let expected = Some("\"4b3a6218bb3e3a7303e8a171a60fcf92\"".to_owned());
    assert_eq!([etag(1).await, etag(2).await, etag(2).await], [expected.clone(), None, expected]);
}

#[tokio::test]
async fn a_damaged_part_is_noticed_by_its_checksum() {
    let rehearsal = armed(&["part-damaged=1", "part-damaged=1"]).await;
    let upload = Upload::begin(&rehearsal, "App.pkg").await;
    let bytes = noise(1, MIB);
    // The body is signed, but it is damaged behind the signature, as it would be with TLS around it.
    assert_eq!(upload.send(1, &bytes).await, Err("400 BadDigest".to_owned()));
    let md5 = upload.part(1, &bytes).content_md5("AAAAAAAAAAAAAAAAAAAAAA==").send().await;
    assert_eq!(told(&md5.unwrap_err()), "400 BadDigest");
    upload.send_all(&bytes).await.unwrap();
    assert!(rehearsal.sandbox.bytes_of("App.pkg").unwrap() == bytes);
}

#[tokio::test]
async fn a_damaged_part_without_a_checksum_is_kept() {
    use aws_sdk_s3::config::RequestChecksumCalculation::WhenRequired;
    let rehearsal = armed(&["part-damaged=1"]).await;
    let grant = rehearsal.post("/api/v1/jcds/files").await.json();
    let bare = rehearsal.s3_config(&grant).request_checksum_calculation(WhenRequired).build();
    let upload = Upload::begin_with(&rehearsal, &grant, "App.pkg").await.with(Client::from_conf(bare));
    upload.send_all(b"bytes").await.unwrap();
    let kept = rehearsal.sandbox.bytes_of("App.pkg").unwrap();
    assert_eq!(kept.iter().zip(b"bytes").filter(|(kept, sent)| kept != sent).count(), 1);
}

/// How a part with this checksum, or with none, is answered.
async fn with_checksum(rehearsal: &Rehearsal, algorithm: Option<ChecksumAlgorithm>) -> Result<(), String> {
    use aws_sdk_s3::config::RequestChecksumCalculation::WhenRequired;
    let grant = rehearsal.post("/api/v1/jcds/files").await.json();
    let text = |key: &str| grant[key].as_str().unwrap();
    let bare = rehearsal.s3_config(&grant).request_checksum_calculation(WhenRequired).build();
    let put = Client::from_conf(bare).put_object().set_checksum_algorithm(algorithm);
    let put = put.bucket(text("bucketName")).key(format!("{}App.pkg", text("path")));
    put.body(b"bytes".to_vec().into()).send().await.map(drop).map_err(|error| told(&error))
}

#[tokio::test]
async fn a_server_that_knows_no_checksums() {
    let rehearsal = armed(&["checksum-refused"]).await;
    for _ in 0..2 {
        let refused = Err("501 NotImplemented".to_owned());
        assert_eq!(with_checksum(&rehearsal, Some(ChecksumAlgorithm::Crc32)).await, refused);
        assert_eq!(with_checksum(&rehearsal, Some(ChecksumAlgorithm::Crc64Nvme)).await, refused);
    }
    assert_eq!(with_checksum(&rehearsal, None).await, Ok(()));
}

#[tokio::test]
async fn a_server_that_does_not_know_crc64nvme() {
    let rehearsal = armed(&["crc64-refused"]).await;
    let refused = Err("400 InvalidRequest".to_owned());
    for _ in 0..2 {
        assert_eq!(with_checksum(&rehearsal, Some(ChecksumAlgorithm::Crc64Nvme)).await, refused);
    }
    assert_eq!(with_checksum(&rehearsal, Some(ChecksumAlgorithm::Crc32)).await, Ok(()));
    let grant = rehearsal.post("/api/v1/jcds/files").await.json();
    let begin = rehearsal.s3(&grant).create_multipart_upload().bucket(grant["bucketName"].as_str().unwrap());
    let begin = begin.key("App.pkg").checksum_algorithm(ChecksumAlgorithm::Crc64Nvme);
    assert_eq!(begin.send().await.map(drop).map_err(|error| told(&error)), refused);
}
