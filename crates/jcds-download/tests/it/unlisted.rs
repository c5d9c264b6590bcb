//! Lists that do not tell everything, from a server made for it.

use crate::rig::noise;
use crate::stage::{Stage, text};
use insta::assert_snapshot;
use serde_json::{Value as Json, json};
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// A Jamf Pro that lists one file as it is told, and serves its bytes itself.
async fn server(entry: Json, bytes: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let (url, bytes) = (base.clone(), Arc::new(bytes));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.windows(4).any(|window| window == b"\r\n\r\n") {
                if stream.read_buf(&mut head).await.unwrap() == 0 {
                    break;
                }
            }
            let head = String::from_utf8(head).unwrap();
            let path = head.split(' ').nth(1).unwrap_or_default();
            let json = |value: Json| (200, String::new(), value.to_string().into_bytes());
            let (status, extra, body) = match path {
                "/blob" => {
                    let range = format!("content-range: bytes 0-{}/{}\r\n", bytes.len() - 1, bytes.len());
                    (206, range, bytes.to_vec())
                }
                "/api/v1/jcds/files" => json(json!([entry])),
                "/api/v1/jcds/files/App.pkg" => json(json!({ "uri": format!("{url}/blob") })),
                _ => json(json!({ "access_token": "token", "expires_in": 3600 })),
            };
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status} X\r\nconnection: close\r\n{extra}content-length: {length}\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(&body).await.unwrap();
        }
    });
    base
}

async fn ran(entry: Json) -> (String, Stage) {
    let stage = Stage::open().await;
    let url = server(entry, noise(1, 842)).await;
    (stage.ran(&[("JSS_URL", text(&url))]).await, stage)
}

#[tokio::test]
async fn a_list_without_digests_leaves_a_file_unverified() {
    let (ran, stage) = ran(json!({ "fileName": "App.pkg", "length": 842, "md5": "", "sha3": null })).await;
    assert_snapshot!(ran, @r#"
    unverified: downloaded App.pkg to HERE/App.pkg: 842 bytes; only the size agrees, since the list has no digest
    hint: run the same again when the list has digests: it compares them, and fetches nothing if they agree
    pkg_path = "HERE/App.pkg"
    pkg_size = 842
    "#);
    assert!(std::fs::read(stage.path("App.pkg")).unwrap() == noise(1, 842));
    // Nobody can tell whether it is the listed file, so nobody may replace it unasked.
    let again = again(&stage, json!({ "fileName": "App.pkg", "length": 842 })).await;
    assert_snapshot!(again, @"Local: HERE/App.pkg is there already: the list has no digest to tell whether it is the same");
}

/// Runs once more on the same stage.
async fn again(stage: &Stage, entry: Json) -> String {
    let url = server(entry, noise(1, 842)).await;
    stage.ran(&[("JSS_URL", text(&url))]).await.lines().next().unwrap().to_owned()
}

#[tokio::test]
async fn one_digest_is_a_proof_too() {
    use md5::Digest as _;
    let bytes = noise(1, 842);
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>();
    let md5 = hex(&md5::Md5::digest(&bytes));
    let entry = json!({ "fileName": "App.pkg", "length": 842, "md5": md5 });
    let (said, stage) = ran(entry.clone()).await;
    assert_snapshot!(said.lines().next().unwrap(), @"downloaded App.pkg to HERE/App.pkg: 842 bytes, MD5 agrees (the list has no SHA3-512)");
    assert_snapshot!(again(&stage, entry).await, @"skipped: HERE/App.pkg is the listed file: 842 bytes, MD5 agrees (the list has no SHA3-512)");
    let sha3 = hex(&sha3::Sha3_512::digest(&bytes));
    let (said, _stage) = ran(json!({ "fileName": "App.pkg", "length": 842, "sha3": sha3 })).await;
    assert_snapshot!(said.lines().next().unwrap(), @"downloaded App.pkg to HERE/App.pkg: 842 bytes, SHA3-512 agrees (the list has no MD5)");
}

#[tokio::test]
async fn a_wrong_digest_leaves_nothing() {
    let entry = json!({ "fileName": "App.pkg", "length": 842, "md5": "00112233445566778899aabbccddeeff" });
    let (ran, stage) = ran(entry).await;
    assert_snapshot!(ran, @"
    Remote: the bytes that came for App.pkg are not those of the listed file: MD5 0eb125075c8e085253eaa715718494bd came, 00112233445566778899aabbccddeeff is listed; they were removed
    hint: run the same again; if it happens again, the file in the distribution service is damaged: send it again
    ");
    assert_eq!(stage.names(), [""; 0]);
}

#[tokio::test]
async fn a_list_without_a_size_is_not_believed() {
    let (without, stage) = ran(json!({ "fileName": "App.pkg" })).await;
    assert_snapshot!(without, @"
    Remote: the distribution service lists App.pkg without a size
    hint: if it was sent a moment ago, wait a minute and run again; if not, nothing landed: send the file again
    ");
    assert_eq!(stage.names(), [""; 0]);
    // What landed as nothing looks alike (`jamf-pro-api.md §11.3`).
    let (empty, _stage) = ran(json!({ "fileName": "App.pkg", "length": 0 })).await;
    assert_eq!(empty, without);
}
