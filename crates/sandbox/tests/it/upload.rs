//! A package's bytes over the Pro API (`jamf-pro-api.md §5.4`).

use crate::rehearsal::{
    BOUNDARY, FORM, Rehearsal, Said, assert_wire, form, head_of_part, payload, said, until, wire,
};
use bytes::Bytes;
use futures_util::stream;
use reqwest::{Method, StatusCode};
use sandbox::{Account, Privilege};
use serde_json::{Value, json};
use sha3::{Digest as _, Sha3_512};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

const APP: &str = "ExampleApp-1.2.3.pkg";
/// Where the server writes what comes in.
const UPLOADS: &str = "jamf/uploads";
const MIB: usize = 1024 * 1024;

/// A server whose only record has id 42 and names [`APP`].
async fn with_record(configure: impl FnOnce(&mut sandbox::Config)) -> Rehearsal {
    let rehearsal = Rehearsal::with(configure).await;
    for _ in 1..42 {
        let id = rehearsal.sandbox.put_package(json!({}));
        rehearsal.delete(&format!("/JSSResource/packages/id/{id}")).await;
    }
    rehearsal.sandbox.put_package(json!({ "packageName": "Example App", "fileName": APP }));
    rehearsal
}

/// Bytes of uploads that are under way.
fn incoming(rehearsal: &Rehearsal) -> Vec<u64> {
    let folder = std::fs::read_dir(rehearsal.folder.path().join(UPLOADS)).unwrap();
    folder.filter_map(|file| Some(file.ok()?.metadata().ok()?.len())).collect()
}

/// What an upload changes when it should change nothing.
async fn state(rehearsal: &Rehearsal) -> (Vec<sandbox::ListedFile>, Vec<Value>, usize) {
    until(|| incoming(rehearsal).is_empty()).await;
    let blobs = std::fs::read_dir(rehearsal.folder.path().join("files")).unwrap().count();
    (rehearsal.sandbox.files(), rehearsal.sandbox.packages(), blobs)
}

#[tokio::test]
async fn puts_the_bytes_into_the_service() {
    let rehearsal = with_record(|_| {}).await;
    let bytes = payload(1, 3 * MIB);
    let uploaded = rehearsal.upload_to(42, APP, &bytes).await;
    let expected = wire("packages-v1.upload.201.response.json")
        .replace("https://jamf.example.com", &rehearsal.sandbox.connection().jss_url);
    assert_eq!((uploaded.status, uploaded.body.as_str()), (201, expected.trim_end()));

    let file = rehearsal.sandbox.files().remove(0);
    assert_eq!((file.name.as_str(), file.size), (APP, 3 * MIB as u64));
    assert_eq!(file.md5, hex::encode(md5::Md5::digest(&bytes)));
    assert_eq!(file.sha3, hex::encode(Sha3_512::digest(&bytes)));
    assert_eq!(rehearsal.sandbox.bytes_of(APP).unwrap(), bytes);
    let record = rehearsal.record(42).await;
    assert_eq!((&record["hashType"], &record["hashValue"]), (&json!("SHA3_512"), &json!(file.sha3)));
    assert_eq!((&record["size"], &record["cloudTransferStatus"]), (&json!("3145728"), &json!("READY")));
    assert_eq!(incoming(&rehearsal), [0; 0]);

    let upload = rehearsal.sandbox.journal().into_iter().find(|request| request.status == 201).unwrap();
    assert!(upload.is_write() && upload.bytes_in > 3 * MIB as u64);
}

#[tokio::test]
async fn an_empty_file_is_one_too() {
    let rehearsal = with_record(|_| {}).await;
    assert_eq!(rehearsal.upload_to(42, APP, b"").await.status, 201);
    assert_eq!(rehearsal.record(42).await["size"], "0");
}

/// 48 MiB come in, the end does not: the file grows on disk meanwhile, and only what sockets and queues hold is missing.
#[tokio::test]
async fn bytes_go_to_disk_as_they_come() {
    let rehearsal = with_record(|_| {}).await;
    let (pieces, receiver) = mpsc::channel::<Bytes>(1);
    let body = stream::unfold(receiver, async |mut receiver| {
        let piece = receiver.recv().await?;
        Some((Ok::<_, std::io::Error>(piece), receiver))
    });
    let request = rehearsal.request(Method::POST, "/api/v1/packages/42/upload");
    let request = request.header("content-type", FORM).body(reqwest::Body::wrap_stream(body));
    let uploading = tokio::spawn(said(request));
    pieces.send(head_of_part("file", APP).into()).await.unwrap();
    let piece = Bytes::from(payload(1, MIB));
    for _ in 0..48 {
        pieces.send(piece.clone()).await.unwrap();
    }
    until(|| incoming(&rehearsal).iter().sum::<u64>() >= 32 * MIB as u64).await;
    assert_eq!(rehearsal.sandbox.files(), []);
    pieces.send(format!("\r\n--{BOUNDARY}--\r\n").into()).await.unwrap();
    drop(pieces);
    assert_eq!(uploading.await.unwrap().status, 201);
    assert_eq!(rehearsal.sandbox.files()[0].size, 48 * MIB as u64);
}

#[tokio::test]
async fn goes_the_way_of_all_files() {
    let rehearsal = with_record(|config| {
        config.listed_after = Duration::from_secs(10);
        config.ready_after = Duration::from_secs(20);
        config.hash_before_size = Duration::from_secs(25);
    })
    .await;
    assert_eq!(rehearsal.upload_to(42, APP, b"bytes").await.status, 201);
    let state = async || {
        let record = rehearsal.record(42).await;
        let text = |key: &str| record[key].as_str().unwrap().to_owned();
        let hash = text("hashValue").len();
        (rehearsal.listed().len(), text("cloudTransferStatus"), hash, text("size"))
    };
    for (seconds, listed, status, hash, size) in [
        (0, 0, "", 0, ""),
        (9, 0, "", 0, ""),
        (1, 1, "PENDING", 0, ""),
        (19, 1, "PENDING", 0, ""),
        (1, 1, "PENDING", 128, ""),
        (4, 1, "PENDING", 128, ""),
        (1, 1, "READY", 128, "5"),
    ] {
        rehearsal.pass(seconds);
        assert_eq!(state().await, (listed, status.to_owned(), hash, size.to_owned()));
    }
}

#[tokio::test]
async fn a_refresh_for_the_name_makes_it_ready() {
    let rehearsal = with_record(|config| config.ready_after = Duration::from_secs(60)).await;
    rehearsal.upload_to(42, APP, b"bytes").await;
    assert_eq!(rehearsal.record(42).await["cloudTransferStatus"], "PENDING");
    rehearsal.post(&format!("/api/v1/cloud-distribution-point/refresh-inventory?file-name={APP}")).await;
    assert_eq!(rehearsal.record(42).await["cloudTransferStatus"], "READY");
}

#[tokio::test]
async fn replaces_the_file_of_that_name_without_a_twin() {
    let rehearsal = with_record(|config| config.listed_after = Duration::from_secs(10)).await;
    rehearsal.sandbox.put_file(APP, b"old");
    let served = async || {
        let uri = rehearsal.get_json(&format!("/api/v1/jcds/files/{APP}")).await["uri"].clone();
        said(rehearsal.http.get(uri.as_str().unwrap())).await.body
    };
    for (before, bytes) in [("old", "newer"), ("newer", "newest of all")] {
        assert_eq!(rehearsal.upload_to(42, APP, bytes.as_bytes()).await.status, 201);
        rehearsal.pass(9);
        assert_eq!((rehearsal.listed(), served().await.as_str()), (vec![APP.to_owned()], before));
        assert_eq!(rehearsal.record(42).await["size"], before.len().to_string());
        rehearsal.pass(1);
        assert_eq!((rehearsal.listed(), served().await.as_str()), (vec![APP.to_owned()], bytes));
        assert_eq!(rehearsal.record(42).await["size"], bytes.len().to_string());
        assert_eq!(state(&rehearsal).await.2, 1, "the bytes before are gone");
    }
}

#[tokio::test]
async fn over_s3_the_name_is_taken_all_the_same() {
    let rehearsal = with_record(|config| config.listed_after = Duration::from_secs(10)).await;
    rehearsal.upload_to(42, APP, b"over the Pro API").await;
    rehearsal.upload(APP, b"over S3").await;
    rehearsal.pass(10);
    assert_eq!(rehearsal.listed(), [APP, "ExampleApp-1.2.3_1.pkg"]);
    rehearsal.upload_to(42, APP, b"and again").await;
    rehearsal.pass(10);
    assert_eq!(rehearsal.listed(), ["ExampleApp-1.2.3_1.pkg", APP]);
    assert_eq!(rehearsal.sandbox.bytes_of(APP).unwrap(), b"and again");
}

#[tokio::test]
async fn a_deletion_takes_the_upload_that_is_not_listed_yet_with_it() {
    let rehearsal = with_record(|config| config.listed_after = Duration::from_secs(10)).await;
    rehearsal.sandbox.put_file(APP, b"old");
    rehearsal.upload_to(42, APP, b"newer").await;
    assert_eq!(rehearsal.delete("/api/v1/packages/42").await, 204);
    rehearsal.pass(10);
    assert_eq!(state(&rehearsal).await, (vec![], vec![], 0));
}

#[tokio::test]
async fn a_replacement_outlives_a_restart() {
    let first = with_record(|config| config.listed_after = Duration::from_secs(10)).await;
    first.sandbox.put_file(APP, b"old");
    first.upload_to(42, APP, b"newer").await;
    let Rehearsal { sandbox, folder, .. } = first;
    drop(sandbox);
    std::fs::write(folder.path().join(UPLOADS).join("left over"), b"bytes").unwrap();
    let second = Rehearsal::with(|config| config.data = folder.path().to_owned()).await;
    assert_eq!(second.sandbox.bytes_of(APP).unwrap(), b"old");
    second.pass(10);
    assert_eq!(second.sandbox.bytes_of(APP).unwrap(), b"newer");
    assert_eq!(std::fs::read_dir(folder.path().join(UPLOADS)).unwrap().count(), 0);
}

#[tokio::test]
async fn the_file_has_to_have_the_name_that_the_record_has() {
    let rehearsal = with_record(|_| {}).await;
    rehearsal.sandbox.put_file(APP, b"old");
    let before = state(&rehearsal).await;
    for name in ["Other.pkg", "exampleapp-1.2.3.pkg", "ExampleApp-1.2.3.pkg ", ""] {
        assert_wire(
            &rehearsal.upload_to(42, name, b"bytes").await,
            StatusCode::BAD_REQUEST,
            "packages-v1.upload.400.invalid-file-name.response.json",
        );
    }
    assert_eq!(state(&rehearsal).await, before);
}

#[tokio::test]
async fn awkward_names_are_names() {
    let rehearsal = with_record(|_| {}).await;
    for name in [
        "with space.pkg",
        "C# 100%.pkg",
        "50%25.pkg",
        "a+b&c=d;e.pkg",
        "; filename=x.pkg",
        "(1) [2] {3} 'q' \"d\".pkg",
        "rocket 🚀.pkg",
        "Zu\u{308}rich.pkg",
        "in/out.pkg",
    ] {
        let id = rehearsal.sandbox.put_package(json!({ "packageName": name, "fileName": name }));
        assert_eq!(rehearsal.upload_to(id, name, name.as_bytes()).await.status, 201, "{name}");
        assert_eq!(rehearsal.sandbox.bytes_of(name).unwrap(), name.as_bytes());
    }
}

#[tokio::test]
async fn the_record_has_to_be_there() {
    let rehearsal = with_record(|_| {}).await;
    let unknown = rehearsal.upload_to(999_999, APP, b"bytes").await;
    assert_wire(&unknown, StatusCode::NOT_FOUND, "packages-v1.upload.404.response.json");
    let no_number = rehearsal.upload_to("not-a-number", APP, b"bytes").await;
    assert_wire(&no_number, StatusCode::BAD_REQUEST, "pro-api.400.invalid-id.response.json");
    assert_eq!(rehearsal.get("/api/v1/packages/42/upload").await.status, 405);
}

#[tokio::test]
async fn needs_two_privileges_and_a_token() {
    for privilege in Privilege::ALL {
        let account = Account::user("limited", "secret").without(privilege);
        let rehearsal = Rehearsal::with(|config| config.accounts[0] = account).await;
        let id = rehearsal.sandbox.put_package(json!({ "packageName": APP, "fileName": APP }));
        let answer = rehearsal.upload_to(id, APP, b"bytes").await;
        if [Privilege::UpdatePackages, Privilege::ReadPackages].contains(&privilege) {
            assert_wire(&answer, StatusCode::FORBIDDEN, "pro-api.403.invalid-privilege.response.json");
        } else {
            assert_eq!(answer.status, 201, "without {privilege:?}");
        }
    }
    let rehearsal = with_record(|_| {}).await;
    let anonymous = rehearsal.anonymous(Method::POST, "/api/v1/packages/42/upload");
    let answer = said(form(anonymous, &[("file", APP, b"bytes")])).await;
    assert_wire(&answer, StatusCode::UNAUTHORIZED, "auth-token.401.bad-credentials.response.json");
}

#[tokio::test]
async fn needs_a_distribution_point() {
    let rehearsal = with_record(|config| config.distribution_point = sandbox::DistributionPoint::NONE).await;
    let refused = rehearsal.upload_to(42, APP, b"bytes").await;
    assert_wire(&refused, StatusCode::NOT_FOUND, "cdp.404.not-configured.response.json");
    assert_eq!(state(&rehearsal).await.0, []);
}

#[tokio::test]
async fn came_with_the_records_and_stays_after_jcds() {
    for (version, status, jcds) in [("11.4.2", 404, 200), ("11.5.0", 201, 200), ("12.0.0", 201, 404)] {
        let rehearsal = with_record(|config| config.version = version.to_owned()).await;
        assert_eq!(rehearsal.upload_to(42, APP, b"bytes").await.status, status, "{version}");
        assert_eq!(rehearsal.get("/api/v1/jcds/files").await.status, jcds, "{version}");
    }
}

#[tokio::test]
async fn the_form_has_one_part() {
    let rehearsal = with_record(|_| {}).await;
    let send = async |parts: &[(&str, &str, &[u8])]| -> Said {
        said(form(rehearsal.request(Method::POST, "/api/v1/packages/42/upload"), parts)).await
    };
    let part = |name, bytes: &'static str| (name, APP, bytes.as_bytes());
    for parts in [
        vec![],
        vec![part("package", "bytes")],
        vec![part("file", "bytes"), part("file", "more bytes")],
        vec![part("file", "bytes"), part("note", "text")],
    ] {
        let refused = send(&parts).await;
        assert_eq!((refused.status, &refused.json()["errors"][0]["field"]), (400, &json!("file")));
    }
    let json = rehearsal.send_json(Method::POST, "/api/v1/packages/42/upload", &json!({})).await;
    assert_eq!((json.status, json.json()["errors"].clone()), (415, json!([])));
    assert_eq!(state(&rehearsal).await.0, []);
}

/// Bytes that belong to no part are not collected for ever.
#[tokio::test]
async fn a_form_without_its_boundary_is_given_up() {
    let rehearsal = with_record(|_| {}).await;
    let request = rehearsal.request(Method::POST, "/api/v1/packages/42/upload");
    let refused = said(request.header("content-type", FORM).body(payload(1, 12 * MIB))).await;
    assert_eq!((refused.status, &refused.json()["errors"][0]["code"]), (400, &json!("INVALID_FIELD")));
}

#[tokio::test]
async fn a_form_that_ends_too_early_changes_nothing() {
    let rehearsal = with_record(|_| {}).await;
    rehearsal.sandbox.put_file(APP, b"old");
    let before = state(&rehearsal).await;
    let head = head_of_part("file", APP);
    for body in [
        head.clone(),
        format!("{head}bytes"),
        format!("{head}bytes\r\n--{BOUNDARY}"),
        format!("{head}bytes\r\n--{BOUNDARY}-"),
        format!("{head}bytes\r\n--{BOUNDARY}\r\nContent-Disposition: form-data"),
        format!("--{BOUNDARY}"),
    ] {
        let request = rehearsal.request(Method::POST, "/api/v1/packages/42/upload");
        let refused = said(request.header("content-type", FORM).body(body.clone())).await;
        assert_eq!(refused.status, 400, "{body}");
    }
    assert_eq!(state(&rehearsal).await, before);
}

async fn connect(rehearsal: &Rehearsal) -> TcpStream {
    TcpStream::connect(rehearsal.url("").trim_start_matches("http://")).await.unwrap()
}

/// The head of an upload, with one more header line.
fn head(rehearsal: &Rehearsal, id: u64, line: &str) -> String {
    format!(
        "POST /api/v1/packages/{id}/upload HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
         Content-Type: {FORM}\r\n{line}\r\n\r\n",
        rehearsal.token
    )
}

#[tokio::test]
async fn a_connection_that_is_cut_changes_nothing() {
    let rehearsal = with_record(|_| {}).await;
    rehearsal.sandbox.put_file(APP, b"old");
    let before = state(&rehearsal).await;
    let begun = format!("{}{}", head_of_part("file", APP), "x".repeat(MIB));
    for (line, body) in [
        ("Content-Length: 4000000", begun.clone()),
        ("Transfer-Encoding: chunked", format!("{:x}\r\n{begun}\r\n", begun.len())),
    ] {
        let mut connection = connect(&rehearsal).await;
        connection.write_all(head(&rehearsal, 42, line).as_bytes()).await.unwrap();
        connection.write_all(body.as_bytes()).await.unwrap();
        until(|| incoming(&rehearsal).iter().sum::<u64>() > 0).await;
        drop(connection);
        assert_eq!(state(&rehearsal).await, before, "{line}");
    }
}

/// A client that has no eyes for the answer until everything is sent still gets it, because the rest of the body is read.
#[tokio::test]
async fn a_refusal_arrives_although_the_body_was_not_wanted() {
    let rehearsal = with_record(|_| {}).await;
    let body = vec![b'x'; 8 * MIB];
    let mut connection = connect(&rehearsal).await;
    let line = format!("Connection: close\r\nContent-Length: {}", body.len());
    connection.write_all(head(&rehearsal, 7, &line).as_bytes()).await.unwrap();
    connection.write_all(&body).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
}

#[tokio::test]
async fn a_client_that_asks_first_need_not_send_a_body() {
    let rehearsal = with_record(|_| {}).await;
    let line = "Connection: close\r\nExpect: 100-continue\r\nContent-Length: 10000000000";
    for (id, expected) in [(7, "HTTP/1.1 404"), (42, "HTTP/1.1 100")] {
        let mut connection = connect(&rehearsal).await;
        connection.write_all(head(&rehearsal, id, line).as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        connection.read_exact(&mut answer).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&answer), expected);
    }
}

/// Holds an upload before its last bytes while something else happens.
async fn meanwhile(rehearsal: &Rehearsal, happens: impl AsyncFnOnce()) -> String {
    let end = format!("\r\n--{BOUNDARY}--\r\n");
    let begun = format!("{}{}", head_of_part("file", APP), "x".repeat(MIB));
    let line = format!("Connection: close\r\nContent-Length: {}", begun.len() + end.len());
    let mut connection = connect(rehearsal).await;
    connection.write_all(head(rehearsal, 42, &line).as_bytes()).await.unwrap();
    connection.write_all(begun.as_bytes()).await.unwrap();
    until(|| incoming(rehearsal).iter().sum::<u64>() > 0).await;
    happens().await;
    connection.write_all(end.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn a_record_that_changes_meanwhile() {
    let rehearsal = with_record(|_| {}).await;
    let mut renamed = rehearsal.record(42).await;
    renamed["fileName"] = "Other.pkg".into();
    let rename = async || {
        assert_eq!(rehearsal.send_json(Method::PUT, "/api/v1/packages/42", &renamed).await.status, 200);
    };
    let refused = meanwhile(&rehearsal, rename).await;
    assert!(refused.starts_with("HTTP/1.1 400") && refused.contains("INVALID_FILE_NAME"), "{refused}");

    let rehearsal = with_record(|_| {}).await;
    let delete = async || assert_eq!(rehearsal.delete("/api/v1/packages/42").await, 204);
    let refused = meanwhile(&rehearsal, delete).await;
    assert!(refused.starts_with("HTTP/1.1 404"), "{refused}");
    assert_eq!(state(&rehearsal).await, (vec![], vec![], 0));
}

#[tokio::test]
async fn a_token_that_ends_meanwhile_does_no_harm() {
    let rehearsal = with_record(|_| {}).await;
    let done = meanwhile(&rehearsal, async || rehearsal.pass(31 * 60)).await;
    assert!(done.starts_with("HTTP/1.1 201"), "{done}");
}
