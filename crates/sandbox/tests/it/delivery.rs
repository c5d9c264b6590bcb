//! From the completed upload to the proof (`jamf-pro-api.md §11`, `§12`).

use crate::rehearsal::{Rehearsal, payload};
use serde_json::json;
use sha3::{Digest as _, Sha3_512};
use std::time::Duration;

const APP: &str = "ExampleApp-1.2.3.pkg";

async fn slow() -> Rehearsal {
    Rehearsal::with(|config| {
        config.listed_after = Duration::from_secs(10);
        config.ready_after = Duration::from_secs(20);
    })
    .await
}

async fn refresh(rehearsal: &Rehearsal, query: &str) {
    let said = rehearsal.post(&format!("/api/v1/cloud-distribution-point/refresh-inventory{query}")).await;
    assert_eq!((said.status, said.body.as_str()), (204, ""));
}

#[tokio::test]
async fn an_upload_is_listed_then_pending_then_ready() {
    let rehearsal = slow().await;
    let id = rehearsal.sandbox.put_package(json!({ "packageName": APP, "fileName": APP }));
    rehearsal.upload(APP, &payload(1, 1_048_576)).await;
    let state = async || {
        let record = rehearsal.record(id).await;
        let text = |key: &str| record[key].as_str().unwrap().to_owned();
        (rehearsal.listed().len(), text("cloudTransferStatus"), text("size"), text("hashValue").len())
    };
    let expected =
        |listed, status: &str, size: &str, hash| (listed, status.to_owned(), size.to_owned(), hash);
    assert_eq!(state().await, expected(0, "", "", 0));
    rehearsal.pass(9);
    refresh(&rehearsal, &format!("?file-name={APP}")).await;
    assert_eq!(state().await, expected(0, "", "", 0));
    rehearsal.pass(1);
    assert_eq!(state().await, expected(1, "PENDING", "", 0));
    rehearsal.pass(19);
    assert_eq!(state().await, expected(1, "PENDING", "", 0));
    rehearsal.pass(1);
    assert_eq!(state().await, expected(1, "READY", "1048576", 128));

    let file = rehearsal.sandbox.files().remove(0);
    assert_eq!(file.md5, "57edc6fb14900ff7ae0c80727f6a03a1");
    assert_eq!(rehearsal.record(id).await["hashValue"], file.sha3);
    assert_eq!(rehearsal.sandbox.bytes_of(APP).unwrap(), payload(1, 1_048_576));
}

#[tokio::test]
async fn a_refresh_for_the_name_makes_it_ready_at_once() {
    let rehearsal = slow().await;
    let id = rehearsal.sandbox.put_package(json!({ "packageName": APP, "fileName": APP }));
    rehearsal.upload(APP, b"bytes").await;
    rehearsal.pass(10);
    refresh(&rehearsal, "?file-name=Other.pkg").await;
    assert_eq!(rehearsal.record(id).await["cloudTransferStatus"], "PENDING");
    refresh(&rehearsal, &format!("?file-name={APP}")).await;
    assert_eq!(rehearsal.record(id).await["cloudTransferStatus"], "READY");
}

#[tokio::test]
async fn a_replacement_tells_the_old_hash_until_it_is_known() {
    let rehearsal = slow().await;
    rehearsal.sandbox.put_file(APP, b"old");
    let id = rehearsal.sandbox.put_package(json!({ "packageName": APP, "fileName": APP }));
    let old = rehearsal.record(id).await["hashValue"].clone();
    assert_eq!(rehearsal.delete(&format!("/api/v1/jcds/files/{APP}")).await, 204);
    rehearsal.upload(APP, b"newer").await;
    rehearsal.pass(10);
    let record = rehearsal.record(id).await;
    assert_eq!((&record["hashValue"], &record["cloudTransferStatus"]), (&old, &json!("PENDING")));
    refresh(&rehearsal, &format!("?file-name={APP}")).await;
    let record = rehearsal.record(id).await;
    assert_eq!(
        (&record["size"], &record["hashValue"]),
        (&json!("5"), &json!(rehearsal.sandbox.files()[0].sha3))
    );
}

#[tokio::test]
async fn hashes_come_before_the_size() {
    let rehearsal = Rehearsal::with(|config| config.hash_before_size = Duration::from_secs(5)).await;
    rehearsal.sandbox.put_file(APP, b"old");
    let id = rehearsal.sandbox.put_package(json!({ "packageName": APP, "fileName": APP }));
    let state = async || {
        let record = rehearsal.record(id).await;
        ["hashValue", "size", "cloudTransferStatus"].map(|key| record[key].as_str().unwrap().to_owned())
    };
    let sha3 = |bytes: &[u8]| hex::encode(Sha3_512::digest(bytes));
    let expected = |bytes: &[u8], size: &str, status: &str| [sha3(bytes), size.to_owned(), status.to_owned()];
    assert_eq!(state().await, expected(b"old", "3", "READY"), "put in as a whole");

    assert_eq!(rehearsal.delete(&format!("/api/v1/jcds/files/{APP}")).await, 204);
    rehearsal.upload(APP, b"newer").await;
    assert_eq!(state().await, expected(b"newer", "3", "PENDING"));
    rehearsal.pass(4);
    refresh(&rehearsal, &format!("?file-name={APP}")).await;
    assert_eq!(state().await, expected(b"newer", "3", "PENDING"), "a refresh does not help");
    let record = rehearsal.record(id).await;
    rehearsal.send_json(reqwest::Method::PUT, &format!("/api/v1/packages/{id}"), &record).await;
    assert_eq!(state().await, expected(b"newer", "", "PENDING"));
    rehearsal.pass(1);
    assert_eq!(state().await, expected(b"newer", "5", "READY"));
}

#[tokio::test]
async fn a_refresh_brings_the_hashes_if_the_size_is_not_known_yet() {
    let rehearsal = Rehearsal::with(|config| {
        config.ready_after = Duration::from_secs(20);
        config.hash_before_size = Duration::from_secs(5);
    })
    .await;
    let id = rehearsal.sandbox.put_package(json!({ "packageName": APP, "fileName": APP }));
    rehearsal.upload(APP, b"bytes").await;
    let state = async || {
        let record = rehearsal.record(id).await;
        let text = |key: &str| record[key].as_str().unwrap().to_owned();
        (text("hashValue").len(), text("size"), text("cloudTransferStatus"))
    };
    let expected = |hash, size: &str, status: &str| (hash, size.to_owned(), status.to_owned());
    assert_eq!(state().await, expected(0, "", "PENDING"));
    refresh(&rehearsal, &format!("?file-name={APP}")).await;
    assert_eq!(state().await, expected(128, "", "PENDING"));
    rehearsal.pass(5);
    assert_eq!(state().await, expected(128, "5", "READY"));
}

#[tokio::test]
async fn a_refresh_for_a_name_takes_its_time() {
    let rehearsal = Rehearsal::with(|config| {
        config.ready_after = Duration::from_secs(60);
        config.refresh_takes = Duration::from_secs(4);
    })
    .await;
    let now = || pipeline::Clock::now(&*rehearsal.clock);
    let start = now();
    let passed = || now().duration_since(start).as_secs();
    refresh(&rehearsal, "").await;
    assert_eq!(passed(), 0, "one of everything answers at once");
    refresh(&rehearsal, &format!("?file-name={APP}")).await;
    assert_eq!(passed(), 4);
    let old_path = format!("/api/v1/jcds/refresh-inventory?file-name={APP}");
    assert_eq!((rehearsal.post(&old_path).await.status, passed()), (204, 8));
}

#[tokio::test]
async fn a_refresh_of_everything_works_once_in_15_seconds() {
    let rehearsal = Rehearsal::start().await;
    rehearsal.sandbox.put_file(APP, b"bytes");
    let id = rehearsal.sandbox.put_package(json!({ "packageName": APP, "fileName": APP }));
    let size_after_put = async || {
        let record = rehearsal.record(id).await;
        rehearsal.send_json(reqwest::Method::PUT, &format!("/api/v1/packages/{id}"), &record).await.json()["size"].clone()
    };
    let size = async || rehearsal.record(id).await["size"].clone();
    assert_eq!(size_after_put().await, "");
    refresh(&rehearsal, "").await;
    assert_eq!(size().await, "5");
    assert_eq!(size_after_put().await, "");
    rehearsal.pass(14);
    refresh(&rehearsal, "").await;
    assert_eq!(size().await, "", "silent, and nothing done");
    refresh(&rehearsal, &format!("?file-name={APP}")).await;
    assert_eq!(size().await, "5", "a named one is not limited");
    assert_eq!(size_after_put().await, "");
    rehearsal.pass(1);
    refresh(&rehearsal, "").await;
    assert_eq!(size().await, "5");
}

#[tokio::test]
async fn a_name_that_is_taken_becomes_a_twin() {
    let rehearsal = Rehearsal::start().await;
    let id = rehearsal.sandbox.put_package(json!({ "packageName": APP, "fileName": APP }));
    for bytes in [b"one".as_slice(), b"two two", b"three three"] {
        rehearsal.upload(APP, bytes).await;
    }
    assert_eq!(rehearsal.listed(), [APP, "ExampleApp-1.2.3_1.pkg", "ExampleApp-1.2.3_2.pkg"]);
    assert_eq!(rehearsal.record(id).await["size"], "3", "the record goes on serving the old bytes");
    assert_eq!(rehearsal.sandbox.bytes_of("ExampleApp-1.2.3_1.pkg").unwrap(), b"two two");
    assert_eq!(rehearsal.delete(&format!("/api/v1/jcds/files/{APP}")).await, 204);
    rehearsal.upload(APP, b"four").await;
    assert_eq!(rehearsal.listed(), ["ExampleApp-1.2.3_1.pkg", "ExampleApp-1.2.3_2.pkg", APP]);
}
