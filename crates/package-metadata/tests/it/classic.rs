//! The Classic API as the only one, and beside the Pro API for the fields that only it knows.

use crate::stage::{Stage, filled_in};
use insta::assert_snapshot;
use serde_json::json;

#[tokio::test]
async fn a_server_before_11_5_is_served_by_the_classic_api() {
    let stage = Stage::with(|config| config.version = "11.4.0".to_owned()).await;
    stage.sandbox.put_category("Apps");
    let mut entries = vec![
        ("pkg_name", json!("App.pkg")),
        ("pkg_category", json!("Apps")),
        ("required_processor", json!("x86")),
        ("pkg_notes", json!("a < b & c\nd")),
    ];
    let ran = stage.run(&entries).await.unwrap();
    assert_snapshot!(ran.outcome, @"created record 1 (category Apps, notes, required_processor x86)");
    assert_snapshot!(stage.writes().join("\n"), @"POST /JSSResource/packages/id/0 201");
    assert_eq!(stage.record(ran.id())["notes"], json!("a < b & c\nd"));

    assert_snapshot!(stage.run(&entries).await.unwrap().outcome, @"skipped: record 1 already says so");
    entries.push(("send_notification", json!(true)));
    assert_snapshot!(stage.run(&entries).await.unwrap().outcome, @"updated record 1: send_notification");
    assert_snapshot!(stage.writes().join("\n"), @"PUT /JSSResource/packages/id/1 201");
}

#[tokio::test]
async fn only_named_fields_change_over_the_classic_api_too() {
    let stage = Stage::open().await;
    let id = stage.sandbox.put_package(filled_in("App.pkg", "The App")).get();
    let before = stage.record(id);
    let entries =
        [("pkg_name", json!("App.pkg")), ("pkg_info", json!("new")), ("package_api", json!("classic"))];
    assert_snapshot!(stage.run(&entries).await.unwrap().outcome, @"updated record 1: info");
    let mut after = stage.record(id);
    assert_eq!(after["info"], json!("new"));
    after["info"] = before["info"].clone();
    after["size"] = before["size"].clone();
    assert_eq!(after, before);
}

#[tokio::test]
async fn a_pro_record_gets_its_classic_fields_over_the_classic_api() {
    let stage = Stage::open().await;
    let entries = [
        ("pkg_name", json!("App.pkg")),
        ("pkg_priority", json!(4)),
        ("required_processor", json!("x86")),
        ("send_notification", json!(true)),
    ];
    let ran = stage.run(&entries).await.unwrap();
    assert_snapshot!(ran.outcome, @"created record 1 (priority 4, required_processor x86, send_notification true)");
    assert_snapshot!(stage.writes().join("\n"), @r"
    POST /api/v1/packages 201
    PUT /JSSResource/packages/id/1 201
    ");
    assert_snapshot!(stage.run(&entries).await.unwrap().outcome, @"skipped: record 1 already says so");
}

#[tokio::test]
async fn where_only_classic_fields_differ_the_pro_record_is_not_written() {
    let stage = Stage::open().await;
    stage.sandbox.put_package(filled_in("App.pkg", "The App"));
    let entries =
        [("pkg_name", json!("App.pkg")), ("pkg_priority", json!(7)), ("required_processor", json!("ppc"))];
    let ran = stage.run(&entries).await.unwrap();
    assert_snapshot!(ran.plan(), @r#"
    update record App.pkg
      required_processor: "None" -> "ppc"
    "#);
    assert_snapshot!(stage.writes().join("\n"), @"PUT /JSSResource/packages/id/1 201");
}

#[tokio::test]
async fn the_classic_api_is_left_alone_where_no_field_needs_it() {
    let stage = Stage::open().await;
    stage.sandbox.put_package(filled_in("App.pkg", "The App"));
    stage.run(&[("pkg_name", json!("App.pkg")), ("pkg_notes", json!("new"))]).await.unwrap();
    assert!(stage.sandbox.journal().iter().all(|request| !request.path.contains("JSSResource")));
}
