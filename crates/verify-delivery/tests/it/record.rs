//! The record as the only witness.

use crate::stage::{BYTES, Stage, ready, record, told};
use insta::assert_snapshot;
use pipeline::FailureKind;
use sandbox::JcdsGone;
use serde_json::{Value, json};

async fn without_list() -> Stage {
    Stage::with(|config| config.jcds_gone = Some(JcdsGone::NotFound)).await
}

fn by_record() -> (&'static str, Value) {
    ("witness", json!("record"))
}

#[tokio::test]
async fn what_is_there_is_proven_without_a_list() {
    let stage = without_list().await;
    stage.sandbox.put_package(record());
    stage.sandbox.put_file("App.pkg", BYTES);
    let applied = stage.prove(&[by_record(), ("package_id", json!(1))]).await.unwrap();
    assert_snapshot!(told(&applied), @"
    proven after 0 s: size and SHA3-512 agree in record 1, which is READY
    delivery: proven
    ");
    assert!(stage.sandbox.journal().iter().all(|request| !request.path.contains("/jcds/")));
}

#[tokio::test]
async fn a_change_of_the_record_blanks_the_size_until_the_refresh() {
    let stage = without_list().await;
    stage.sandbox.put_package(record());
    stage.sandbox.put_file("App.pkg", BYTES);
    stage.change_notes().await;
    assert_eq!(stage.sandbox.packages()[0]["size"], "");
    let applied = stage.prove(&[by_record()]).await.unwrap();
    assert_snapshot!(told(&applied), @"
    proven after 0 s: size and SHA3-512 agree in record 1, which is READY
    delivery: proven
    ");
}

#[tokio::test]
async fn a_replacement_is_waited_for_while_the_old_bytes_are_told() {
    let stage = without_list().await;
    stage.sandbox.put_file("App.pkg", b"the old bytes");
    stage.sandbox.put_package(record());
    stage.after(8, |sandbox| sandbox.put_file("App.pkg", BYTES));
    let applied = stage.prove(&[by_record()]).await.unwrap();
    assert_snapshot!(told(&applied), @"
    proven after 14 s: size and SHA3-512 agree in record 1, which is READY
    delivery: proven
    ");
}

#[tokio::test]
async fn a_file_that_never_comes_is_unverified() {
    let stage = without_list().await;
    stage.sandbox.put_package(record());
    let applied = stage.prove(&[by_record()]).await.unwrap();
    assert_snapshot!(told(&applied), @"
    unverified: App.pkg is not proven after 5 min: record 1 tells no size
    hint: wait a few minutes, then run `pkgferry run com.github.pkgferry.recipes.verify-package -k pkg_path=…`, which sends nothing
    delivery: unverified
    ");
}

/// `jamf-pro-api.md §11.3`: the upload was accepted and nothing landed.
#[tokio::test]
async fn the_new_digest_beside_size_0_is_told_at_once() {
    let stage = without_list().await;
    let (fingerprint, _) = fingerprint::digest(&stage.path(), |_| {}, &stage.cancel).await.unwrap();
    stage.sandbox.put_package(ready(0, fingerprint.sha3_512));
    let applied = stage.prove(&[by_record()]).await.unwrap();
    assert_snapshot!(told(&applied), @"
    unverified: App.pkg arrived without its bytes: record 1 says 0 bytes instead of 24, beside the new digest
    hint: upload it again: run `pkgferry run` with -k force=true
    delivery: unverified
    ");
}

#[tokio::test]
async fn without_a_record_there_is_nothing_to_wait_for() {
    let stage = without_list().await;
    let applied = stage.prove(&[by_record()]).await.unwrap();
    assert_snapshot!(told(&applied), @"
    unverified: App.pkg is not proven after 0 s: no package record names it
    hint: nothing was sent under this name, or somebody deleted the record: `pkgferry upload` makes both
    delivery: unverified
    ");
}

#[tokio::test]
async fn a_run_that_only_looks_may_look_at_the_record_instead_of_a_list_that_is_refused() {
    let stage = without_list().await;
    let routes = [("chosen_route", json!("jcds")), ("fallback_route", json!("packages-api"))];
    let failure = stage.look(&routes).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Remote);
    assert_eq!(failure.instead().map(|instead| instead.name), Some("route"));

    let failure = stage.prove(&routes).await.unwrap_err();
    assert_eq!(failure.instead(), None, "what has been sent is not sent again on another route");
}

#[tokio::test]
async fn ctrl_c_speaks_of_no_twins() {
    let stage = without_list().await;
    stage.sandbox.put_package(record());
    let cancel = stage.cancel.clone();
    stage.after(15, move |_| cancel.cancel());
    let failure = stage.prove(&[by_record()]).await.unwrap_err();
    assert_snapshot!(failure.hint().unwrap(), @"wait a few minutes, then run `pkgferry run com.github.pkgferry.recipes.verify-package -k pkg_path=…`, which sends nothing");
}
