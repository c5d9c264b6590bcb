use crate::stage::{BYTES, Stage, record, told};
use insta::assert_snapshot;
use pipeline::FailureKind;
use sandbox::Privilege;
use serde_json::json;

#[tokio::test]
async fn nothing_is_listed_until_the_time_is_over() {
    let stage = Stage::open().await;
    stage.sandbox.put_package(record());
    let applied = stage.prove(&[]).await.unwrap();
    assert_snapshot!(told(&applied), @"
    unverified: App.pkg is not proven after 5 min: the distribution service does not list it
    hint: wait a few minutes, then run `pkgferry run com.github.pkgferry.recipes.verify-package -k pkg_path=…`, which sends nothing; sending again now may make a twin, App_1.pkg
    delivery: unverified
    ");
    assert_eq!(stage.refreshes(), 10);
}

#[tokio::test]
async fn the_time_can_be_set() {
    let stage = Stage::open().await;
    let applied = stage.prove(&[("verify_timeout", json!("7"))]).await.unwrap();
    assert_snapshot!(told(&applied), @"
    unverified: App.pkg is not proven after 7 s: the distribution service does not list it
    hint: wait a few minutes, then run `pkgferry run com.github.pkgferry.recipes.verify-package -k pkg_path=…`, which sends nothing; sending again now may make a twin, App_1.pkg
    delivery: unverified
    ");
}

#[tokio::test]
async fn old_bytes_stay() {
    let stage = Stage::open().await;
    stage.sandbox.put_file("App.pkg", b"the old bytes");
    stage.sandbox.put_package(record());
    let applied = stage.prove(&[]).await.unwrap();
    assert_snapshot!(told(&applied), @"
    unverified: App.pkg is not proven after 5 min: the distribution service lists 13 bytes instead of 24; record 1 says 13 bytes instead of 24
    hint: wait a few minutes, then run `pkgferry run com.github.pkgferry.recipes.verify-package -k pkg_path=…`, which sends nothing; if other bytes are listed even then, send the file again with `pkgferry run`
    delivery: unverified
    ");
}

#[tokio::test]
async fn the_bytes_arrived_under_a_twins_name() {
    let stage = Stage::open().await;
    stage.sandbox.put_file("App.pkg", b"the old bytes");
    stage.sandbox.put_file("App_1.pkg", BYTES);
    stage.sandbox.put_package(record());
    let applied = stage.prove(&[]).await.unwrap();
    assert_snapshot!(told(&applied), @"
    unverified: App.pkg arrived as App_1.pkg, which holds its bytes; of App.pkg itself: the distribution service lists 13 bytes instead of 24; record 1 says 13 bytes instead of 24; a record that names App.pkg does not serve the new bytes
    hint: wait a few minutes, then run `pkgferry run com.github.pkgferry.recipes.verify-package -k pkg_path=…`, which sends nothing; if App.pkg is not listed even then, delete App_1.pkg from the distribution service, then run again: App.pkg is sent anew
    delivery: unverified
    ");
}

#[tokio::test]
async fn a_record_that_never_turns_up() {
    let stage = Stage::open().await;
    stage.sandbox.put_file("App.pkg", BYTES);
    let applied = stage.prove(&[("package_id", json!(77)), ("verify_timeout", json!(60))]).await.unwrap();
    assert_snapshot!(told(&applied), @"
    unverified: App.pkg is not proven after 60 s: record 77 is not there
    hint: wait a few minutes, then run `pkgferry run com.github.pkgferry.recipes.verify-package -k pkg_path=…`, which sends nothing
    delivery: unverified
    ");
}

#[tokio::test]
async fn a_refresh_that_fails_is_told_once_and_stops_nothing() {
    // Before 11.10 there is no refresh (`jamf-pro-api.md §7.6`).
    let stage = Stage::with(|config| config.version = "11.9.0".to_owned()).await;
    stage.sandbox.put_package(record());
    stage.after(40, |sandbox| sandbox.put_file("App.pkg", BYTES));
    let applied = stage.prove(&[]).await.unwrap();
    assert_snapshot!(told(&applied), @r"
    proven after 44 s: size, MD5 and SHA3-512 agree, record 1 is READY
    delivery: proven
    ");
    assert_snapshot!(stage.warnings().join("\n"), @"the refresh of the inventory failed, looking goes on: POST /api/v1/jcds/refresh-inventory was answered with 404 Not Found");
}

#[tokio::test]
async fn a_list_that_may_not_be_read_is_a_failure() {
    let stage = Stage::with(|config| {
        for account in &mut config.accounts {
            *account = account.clone().without(Privilege::ReadJcdsFiles);
        }
    })
    .await;
    let failure = stage.prove(&[]).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Access);
}
