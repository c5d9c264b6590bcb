use super::*;
use serde_json::json;
use sha3::{Digest as _, Sha3_512};

const APP: &str = "App.pkg";

/// Name, length, MD5 and SHA3-512 as the list tells them.
async fn list(rehearsal: &Rehearsal) -> Vec<(String, u64, String, String)> {
    let files = rehearsal.get_json("/api/v1/jcds/files").await;
    let text = |file: &Value, key: &str| file[key].as_str().unwrap().to_owned();
    let rows = files.as_array().unwrap().iter();
    rows.map(|file| {
        (text(file, "fileName"), file["length"].as_u64().unwrap(), text(file, "md5"), text(file, "sha3"))
    })
    .collect()
}

fn expected(bytes: &[u8]) -> (String, u64, String, String) {
    let (md5, sha3) = (hex::encode(md5::Md5::digest(bytes)), hex::encode(Sha3_512::digest(bytes)));
    (APP.to_owned(), bytes.len() as u64, md5, sha3)
}

/// `hashValue`, `size` and `cloudTransferStatus` of the record.
async fn record(rehearsal: &Rehearsal, id: pipeline::PackageId) -> [String; 3] {
    let record = rehearsal.record(id).await;
    ["hashValue", "size", "cloudTransferStatus"].map(|key| record[key].as_str().unwrap().to_owned())
}

async fn with_record(faults: &[&str]) -> (Rehearsal, pipeline::PackageId) {
    let rehearsal = armed(faults).await;
    let id = rehearsal.sandbox.put_package(json!({ "packageName": APP, "fileName": APP }));
    (rehearsal, id)
}

#[tokio::test]
async fn an_object_that_is_lost() {
    let (rehearsal, id) = with_record(&["never-listed"]).await;
    rehearsal.upload(APP, b"lost").await;
    rehearsal.pass(1_000_000);
    let token = rehearsal.user_token().await;
    let rehearsal = Rehearsal { token, ..rehearsal };
    assert_eq!(list(&rehearsal).await, []);
    assert_eq!(record(&rehearsal, id).await[2], "");
    for folder in ["files", "s3/objects"] {
        assert_eq!(std::fs::read_dir(rehearsal.folder.path().join(folder)).unwrap().count(), 0, "{folder}");
    }
    rehearsal.upload(APP, b"bytes").await;
    assert_eq!(list(&rehearsal).await, [expected(b"bytes")], "the name was not taken");
}

#[tokio::test]
async fn an_object_whose_length_is_0() {
    let (rehearsal, id) = with_record(&["size-zero"]).await;
    rehearsal.upload(APP, b"bytes").await;
    let (name, _, md5, sha3) = expected(b"bytes");
    assert_eq!(list(&rehearsal).await, [(name, 0, md5, sha3.clone())]);
    assert_eq!(record(&rehearsal, id).await, [sha3, "0".to_owned(), "READY".to_owned()]);
    assert_eq!(rehearsal.delete("/api/v1/jcds/files/App.pkg").await, 204);
    rehearsal.upload(APP, b"bytes").await;
    assert_eq!(list(&rehearsal).await, [expected(b"bytes")]);
}

#[tokio::test]
async fn an_object_whose_digests_are_wrong() {
    let (rehearsal, id) = with_record(&["wrong-digest"]).await;
    rehearsal.upload(APP, b"bytes").await;
    let right = expected(b"bytes");
    let listed = list(&rehearsal).await.remove(0);
    assert_eq!((listed.1, listed.2.len(), listed.3.len()), (5, 32, 128));
    assert!(listed.2 != right.2 && listed.3 != right.3, "{listed:?}");
    assert_eq!(record(&rehearsal, id).await[0], listed.3);
    assert_eq!(rehearsal.delete("/api/v1/jcds/files/App.pkg").await, 204);
    rehearsal.upload(APP, b"bytes").await;
    assert_eq!(list(&rehearsal).await, [right]);
}

#[tokio::test]
async fn a_record_that_tells_the_hash_before_the_size() {
    let (rehearsal, id) = with_record(&["digest-before-size=5"]).await;
    rehearsal.upload(APP, b"bytes").await;
    let sha3 = expected(b"bytes").3;
    let state = |size: &str, status: &str| [sha3.clone(), size.to_owned(), status.to_owned()];
    assert_eq!(record(&rehearsal, id).await, state("", "PENDING"));
    rehearsal.pass(4);
    assert_eq!(record(&rehearsal, id).await, state("", "PENDING"));
    rehearsal.pass(1);
    assert_eq!(record(&rehearsal, id).await, state("5", "READY"));
}

#[tokio::test]
async fn an_object_that_is_listed_late() {
    let (rehearsal, _) = with_record(&["listed-late=30"]).await;
    rehearsal.upload(APP, b"bytes").await;
    rehearsal.upload("Other.pkg", b"bytes").await;
    rehearsal.pass(29);
    assert_eq!(rehearsal.listed(), ["Other.pkg"], "only the next one");
    rehearsal.pass(1);
    assert_eq!(rehearsal.listed(), [APP, "Other.pkg"]);
}

#[tokio::test]
async fn objects_of_multipart_uploads_are_meant_too_and_faults_add_up() {
    let (rehearsal, _) = with_record(&["listed-late=30", "size-zero"]).await;
    Upload::begin(&rehearsal, APP).await.send_all(b"bytes").await.unwrap();
    assert_eq!(list(&rehearsal).await, []);
    rehearsal.pass(30);
    assert_eq!(list(&rehearsal).await[0].1, 0);
}

#[tokio::test]
async fn a_record_that_disagrees_with_the_list() {
    let (rehearsal, id) = with_record(&["record-digest-wrong"]).await;
    let (_, _, _, sha3) = expected(b"bytes");
    for is_right in [false, true] {
        assert_eq!(rehearsal.upload_to(id, APP, b"bytes").await.status, 201);
        assert_eq!(list(&rehearsal).await, [expected(b"bytes")]);
        let [told, size, status] = record(&rehearsal, id).await;
        assert_eq!((told == sha3, size.as_str(), status.as_str()), (is_right, "5", "READY"));
        let full = rehearsal.record(id).await;
        assert_eq!((full["sha3512"] == json!(told), told.len()), (true, sha3.len()));
    }
}
