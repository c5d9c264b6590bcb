use crate::stage::{BYTES, Stage, record, told};
use insta::assert_snapshot;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn what_is_there_is_proven_at_once() {
    let stage = Stage::open().await;
    stage.sandbox.put_package(record());
    stage.sandbox.put_file("App.pkg", BYTES);
    let applied = stage.prove(&[("package_id", json!(1))]).await.unwrap();
    assert_snapshot!(told(&applied), @r"
    proven after 0 s: size, MD5 and SHA3-512 agree, record 1 is READY
    delivery: proven
    ");
    assert_eq!(stage.refreshes(), 1);
    assert_eq!(stage.warnings(), Vec::<String>::new());
}

#[tokio::test]
async fn a_file_that_is_listed_late_is_waited_for() {
    let stage = Stage::open().await;
    stage.sandbox.put_package(record());
    stage.after(20, |sandbox| sandbox.put_file("App.pkg", BYTES));
    let applied = stage.prove(&[]).await.unwrap();
    assert_snapshot!(told(&applied), @r"
    proven after 24 s: size, MD5 and SHA3-512 agree, record 1 is READY
    delivery: proven
    ");
}

#[tokio::test]
async fn a_record_that_is_ready_late_is_waited_for() {
    let stage = Stage::open().await;
    let mut pending = record();
    pending["cloudTransferStatus"] = json!("PENDING");
    stage.after(10, |sandbox| {
        sandbox.put_file("App.pkg", BYTES);
        // It says so until the next refresh.
        sandbox.put_package(pending);
    });
    let applied = stage.prove(&[("package_id", json!(1))]).await.unwrap();
    assert_snapshot!(told(&applied), @"
    proven after 24 s: size, MD5 and SHA3-512 agree, record 1 is READY
    delivery: proven
    ");
    assert_eq!(stage.refreshes(), 2);
}

#[tokio::test]
async fn a_replacement_is_waited_for_while_the_old_bytes_are_shown() {
    let stage = Stage::open().await;
    stage.sandbox.put_file("App.pkg", b"the old bytes");
    stage.sandbox.put_package(record());
    stage.after(8, |sandbox| sandbox.put_file("App.pkg", BYTES));
    let applied = stage.prove(&[]).await.unwrap();
    assert_snapshot!(told(&applied), @r"
    proven after 14 s: size, MD5 and SHA3-512 agree, record 1 is READY
    delivery: proven
    ");
}

#[tokio::test]
async fn the_size_that_a_change_of_the_record_blanked_comes_back() {
    let stage = Stage::open().await;
    stage.sandbox.put_package(record());
    stage.sandbox.put_file("App.pkg", BYTES);
    stage.change_notes().await;
    assert_eq!(stage.sandbox.packages()[0]["size"], json!(""));
    let applied = stage.prove(&[]).await.unwrap();
    assert_snapshot!(told(&applied), @r"
    proven after 0 s: size, MD5 and SHA3-512 agree, record 1 is READY
    delivery: proven
    ");
    assert_eq!(stage.sandbox.packages()[0]["size"], json!(BYTES.len().to_string()));
}

#[tokio::test]
async fn over_the_classic_api_the_list_is_the_proof() {
    let stage = Stage::open().await;
    stage.sandbox.put_package(record());
    stage.sandbox.put_file("App.pkg", BYTES);
    let applied = stage.prove(&[("package_api", json!("classic"))]).await.unwrap();
    assert_snapshot!(told(&applied), @r"
    proven after 0 s: size, MD5 and SHA3-512 agree in the list; record 1 tells no size, no state
    delivery: proven
    ");
}

#[tokio::test]
async fn without_a_record_the_list_is_the_proof() {
    let stage = Stage::open().await;
    stage.sandbox.put_file("App.pkg", BYTES);
    let applied = stage.prove(&[]).await.unwrap();
    assert_snapshot!(told(&applied), @r"
    proven after 0 s: size, MD5 and SHA3-512 agree in the list; no record names the file
    delivery: proven
    ");
}

#[tokio::test]
async fn digests_that_earlier_steps_know_spare_the_reading() {
    let stage = Stage::open().await;
    stage.sandbox.put_file("App.pkg", BYTES);
    let listed = stage.sandbox.files().remove(0);
    std::fs::remove_file(stage.path()).unwrap();
    let known = [
        ("pkg_size", json!(listed.size)),
        ("pkg_md5", json!(listed.md5)),
        ("pkg_sha3_512", json!(listed.sha3)),
    ];
    assert_snapshot!(told(&stage.prove(&known).await.unwrap()), @r"
    proven after 0 s: size, MD5 and SHA3-512 agree in the list; no record names the file
    delivery: proven
    ");
}

#[tokio::test]
async fn a_second_listing_of_the_same_bytes_is_reported() {
    let stage = Stage::open().await;
    stage.sandbox.put_package(record());
    stage.sandbox.put_file("App.pkg", BYTES);
    stage.sandbox.put_file("App_1.pkg", BYTES);
    let applied = stage.prove(&[]).await.unwrap();
    assert_snapshot!(told(&applied), @"
    warning: proven after 34 s: size, MD5 and SHA3-512 agree, record 1 is READY; the same bytes are also listed as App_1.pkg
    hint: delete App_1.pkg from the distribution service, unless a record of its own names it
    delivery: proven
    ");
}

#[tokio::test]
async fn awkward_names_are_proven() {
    for name in ["A p+p & C%o #1 (x).pkg", "100%25.pkg", "\"q\" 'n'; a==b,c.pkg", "Ku\u{308}che 🍳.zip"] {
        for api in ["pro", "classic"] {
            let stage = Stage::open().await;
            let mut named = record();
            named["fileName"] = json!(name);
            stage.sandbox.put_package(named);
            stage.sandbox.put_file(name, BYTES);
            let applied =
                stage.prove(&[("pkg_name", json!(name)), ("package_api", json!(api))]).await.unwrap();
            assert!(told(&applied).ends_with("delivery: proven"), "{name} {api}: {}", told(&applied));
            assert_eq!(stage.warnings(), Vec::<String>::new(), "{name}");
        }
    }
}

#[tokio::test]
async fn another_unicode_spelling_is_the_same_file() {
    let stage = Stage::open().await;
    let mut named = record();
    named["fileName"] = json!("K\u{fc}che.pkg");
    stage.sandbox.put_package(named);
    stage.sandbox.put_file("K\u{fc}che.pkg", BYTES);
    let applied = stage.prove(&[("pkg_name", json!("Ku\u{308}che.pkg"))]).await.unwrap();
    assert_snapshot!(told(&applied), @r"
    proven after 0 s: size, MD5 and SHA3-512 agree, record 1 is READY
    delivery: proven
    ");
}

#[tokio::test]
async fn where_nothing_can_be_refreshed_the_list_outranks_a_record_that_cannot_know() {
    let stage = Stage::with(|config| {
        config.version = "11.9.0".into();
        config.ready_after = Duration::from_secs(3_600);
    })
    .await;
    let mut old = record();
    old["hashType"] = json!("SHA3_512");
    old["hashValue"] = json!("ab".repeat(64));
    old["cloudTransferStatus"] = json!("READY");
    old["size"] = json!("7");
    stage.sandbox.put_file("App.pkg", BYTES);
    // Its own values stand until a refresh, which never comes.
    stage.sandbox.put_package(old);
    let applied = stage.prove(&[]).await.unwrap();
    assert_snapshot!(told(&applied), @"
    proven after 34 s: size, MD5 and SHA3-512 agree in the list; record 1 tells no size, no SHA3-512
    delivery: proven
    ");
}

/// Another run has made it at the same time, and deletes it.
#[tokio::test]
async fn a_twin_that_goes_is_not_told() {
    let stage = Stage::open().await;
    stage.sandbox.put_package(record());
    stage.sandbox.put_file("App.pkg", BYTES);
    stage.sandbox.put_file("App_1.pkg", BYTES);
    stage.sandbox.inject(sandbox::Fault::DeleteLate(5));
    stage.delete("App_1.pkg").await;
    let applied = stage.prove(&[]).await.unwrap();
    assert_snapshot!(told(&applied), @"
    proven after 6 s: size, MD5 and SHA3-512 agree, record 1 is READY
    delivery: proven
    ");
}
