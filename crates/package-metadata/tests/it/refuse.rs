//! What is refused is refused while planning, before anything is sent.

use crate::stage::{Stage, filled_in};
use insta::assert_snapshot;
use serde_json::json;

#[tokio::test]
async fn a_category_that_is_not_there() {
    let stage = Stage::open().await;
    stage.sandbox.put_category("Apps");
    let entries = [("pkg_name", json!("App.pkg")), ("pkg_category", json!("apps"))];
    assert_snapshot!(stage.refusal(&entries).await, @r#"
    Recipe: there is no category "apps"
    hint: capitals count; create it in Jamf Pro, or set create_category: true (pkgferry upload: --create-category)
    "#);
}

#[tokio::test]
async fn several_records_for_one_file() {
    let stage = Stage::open().await;
    stage.sandbox.put_package(filled_in("App.pkg", "One"));
    stage.sandbox.put_package(filled_in("Other.pkg", "Other"));
    stage.sandbox.put_package(filled_in("App.pkg", "Two"));
    let entries = [("pkg_name", json!("App.pkg")), ("pkg_notes", json!("x"))];
    let said = stage.refusal(&entries).await;
    assert_snapshot!(said, @r#"
    Remote: 2 package records name the file App.pkg: 1 ("One"), 3 ("Two")
    hint: delete all but one of these records in Jamf Pro, or let the others name another file; mind the policies that use them
    "#);
    let classic = [("pkg_name", json!("App.pkg")), ("package_api", json!("classic"))];
    assert_eq!(stage.refusal(&classic).await, said);
}

#[tokio::test]
async fn a_display_name_that_another_record_has() {
    let stage = Stage::open().await;
    stage.sandbox.put_package(filled_in("Old.pkg", "The App"));
    let new = [("pkg_name", json!("App.pkg")), ("pkg_display_name", json!("The App"))];
    let said = stage.refusal(&new).await;
    assert_snapshot!(said, @r#"
    Remote: record 1 already has the display name "The App", and its file is Old.pkg
    hint: choose another pkg_display_name, or correct the file name of record 1
    "#);
    stage.sandbox.put_package(filled_in("App.pkg", "App"));
    assert_eq!(stage.refusal(&new).await, said, "renaming meets the same refusal");
}

#[tokio::test]
async fn a_file_name_that_is_a_display_name_already() {
    let stage = Stage::open().await;
    stage.sandbox.put_package(filled_in("Old.pkg", "App.pkg"));
    assert_snapshot!(stage.refusal(&[("pkg_name", json!("App.pkg"))]).await, @r#"
    Remote: record 1 already has the display name "App.pkg", and its file is Old.pkg
    hint: choose another pkg_display_name, or correct the file name of record 1
    "#);
}

#[tokio::test]
async fn what_needs_no_server_is_refused_without_a_request() {
    let stage = Stage::open().await;
    assert_snapshot!(stage.refusal(&[("pkg_path", json!("/builds/App.app"))]).await, @r"
    Recipe: App.app is no package to Jamf Pro: its name must end in .pkg, .mpkg, .dmg or .zip
    hint: set pkg_name, or zip what is not a flat package
    ");
    assert_snapshot!(stage.refusal(&[("pkg_priority", json!(10))]).await, @"Recipe: pkg_name is not set");
    let entries = [("pkg_name", json!("App.pkg")), ("fill_user_template", json!(true))];
    assert_snapshot!(stage.refusal(&entries).await, @"Recipe: fill_user_template is true for App.pkg: Jamf Pro allows it for a .dmg only");
    assert_eq!(stage.sandbox.journal(), []);
}
