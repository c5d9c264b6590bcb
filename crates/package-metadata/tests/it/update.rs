use crate::stage::{Stage, filled_in};
use insta::assert_snapshot;
use serde_json::{Value as Json, json};

/// A record without what is expected to change. `size` goes blank with every PUT (`jamf-pro-api.md §5.3`).
fn rest(mut record: Json, changed: &[&str]) -> Json {
    let fields = record.as_object_mut().unwrap();
    for key in changed.iter().chain(&["size"]) {
        assert!(fields.remove(*key).is_some(), "{key}");
    }
    record
}

#[tokio::test]
async fn only_named_fields_change() {
    let stage = Stage::open().await;
    stage.sandbox.put_file("App.pkg", b"the bytes");
    let id = stage.sandbox.put_package(filled_in("App.pkg", "The App")).get();
    let before = stage.record(id);
    let entries = [
        ("pkg_name", json!("App.pkg")),
        ("pkg_priority", json!(3)),
        ("pkg_notes", json!("line 1\nline 2\n")),
        ("os_requirements", json!("14.x,15.x")),
        ("pkg_info", json!("")),
    ];
    let ran = stage.run(&entries).await.unwrap();
    assert_snapshot!(ran.plan(), @r#"
    update record App.pkg
      info: "typed by hand" -> ""
      priority: "7" -> "3"
    "#);
    assert_snapshot!(ran.outcome, @"updated record 1: info, priority");
    assert!(ran.updated());
    assert_snapshot!(stage.writes().join("\n"), @"PUT /api/v1/packages/1 200");
    let after = stage.record(id);
    assert_eq!((&after["info"], &after["priority"]), (&json!(""), &json!(3)));
    assert_eq!(rest(after, &["info", "priority"]), rest(before, &["info", "priority"]));
}

#[tokio::test]
async fn no_difference_no_write() {
    let stage = Stage::open().await;
    let category = stage.sandbox.put_category("Apps");
    let mut record = filled_in("App.pkg", "The App");
    record["categoryId"] = json!(category.to_string());
    stage.sandbox.put_package(record);
    for api in ["pro", "classic"] {
        let entries = [
            ("pkg_path", json!("/builds/App.pkg")),
            ("package_api", json!(api)),
            ("pkg_display_name", json!("The App")),
            ("pkg_category", json!("Apps")),
            ("pkg_info", json!("typed by hand")),
            ("pkg_notes", json!("line 1\nline 2")),
            ("pkg_priority", json!(7)),
            ("reboot_required", json!(true)),
            ("fill_user_template", json!(false)),
            ("fill_existing_users", json!(false)),
            ("os_requirements", json!("14.x, 15.x")),
            ("required_processor", json!("None")),
            ("send_notification", json!(false)),
        ];
        let ran = stage.run(&entries).await.unwrap();
        assert_eq!(ran.plan(), "", "{api}");
        assert_eq!(stage.writes(), Vec::<String>::new(), "{api}");
    }
}

#[tokio::test]
async fn a_recipe_that_names_nothing_asks_for_the_record_only() {
    let stage = Stage::open().await;
    stage.sandbox.put_package(filled_in("App.pkg", "The App"));
    let ran = stage.run(&[("pkg_name", json!("App.pkg"))]).await.unwrap();
    assert_snapshot!(ran.outcome, @"skipped: record 1 already says so");
    let asked = stage.sandbox.journal().into_iter().filter(|request| request.path.contains("packages"));
    assert_eq!(asked.count(), 1);
}

#[tokio::test]
async fn a_category_is_set_changed_and_taken_away() {
    for api in ["pro", "classic"] {
        let stage = Stage::open().await;
        stage.sandbox.put_category("Apps");
        stage.sandbox.put_category("Tools");
        let id = stage.sandbox.put_package(filled_in("App.pkg", "The App")).get();
        for (name, number, change) in [
            ("Apps", "1", "category: \"\" -> \"Apps\""),
            ("Tools", "2", "category: \"Apps\" -> \"Tools\""),
            ("", "-1", "category: \"Tools\" -> \"\""),
        ] {
            let entries =
                [("pkg_name", json!("App.pkg")), ("pkg_category", json!(name)), ("package_api", json!(api))];
            let ran = stage.run(&entries).await.unwrap();
            assert_eq!(ran.plan(), format!("update record App.pkg\n  {change}"), "{api}");
            assert_eq!(ran.outcome.to_string(), "updated record 1: category", "{api}");
            assert_eq!(stage.record(id)["categoryId"], json!(number), "{api}");
        }
    }
}

#[tokio::test]
async fn a_disk_image_may_fill_homes() {
    let stage = Stage::open().await;
    let id = stage.sandbox.put_package(filled_in("Fonts.dmg", "Fonts")).get();
    let entries = [
        ("pkg_name", json!("Fonts.dmg")),
        ("fill_user_template", json!(true)),
        ("fill_existing_users", json!("True")),
    ];
    let ran = stage.run(&entries).await.unwrap();
    assert_snapshot!(ran.outcome, @"updated record 1: fill_user_template, fill_existing_users");
    let record = stage.record(id);
    assert_eq!((&record["fillUserTemplate"], &record["fillExistingUsers"]), (&json!(true), &json!(true)));
}

#[tokio::test]
async fn the_display_name_of_a_record_can_change() {
    let stage = Stage::open().await;
    let id = stage.sandbox.put_package(filled_in("App.pkg", "Old name")).get();
    let entries = [("pkg_name", json!("App.pkg")), ("pkg_display_name", json!("New name"))];
    assert_snapshot!(stage.run(&entries).await.unwrap().outcome, @"updated record 1: display_name");
    assert_eq!(stage.record(id)["packageName"], json!("New name"));
}

#[tokio::test]
async fn what_a_dry_run_plans_is_what_the_run_does() {
    let stage = Stage::open().await;
    stage.sandbox.put_package(filled_in("App.pkg", "The App"));
    let entries = [("pkg_name", json!("App.pkg")), ("pkg_notes", json!("new"))];
    let pipeline::Plan::Pending { changes, .. } = stage.plan(&entries).await.unwrap() else {
        panic!("there is something to do");
    };
    assert_eq!(stage.run(&entries).await.unwrap().changes, changes);
}
