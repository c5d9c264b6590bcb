use crate::stage::Stage;
use insta::assert_snapshot;
use serde_json::json;

#[tokio::test]
async fn a_record_is_created_with_what_the_recipe_names() {
    let stage = Stage::open().await;
    stage.sandbox.put_category("Apps");
    let entries = [
        ("pkg_path", json!("/builds/App.pkg")),
        ("pkg_category", json!("Apps")),
        ("pkg_priority", json!("5")),
        ("pkg_notes", json!("first\nsecond")),
        ("reboot_required", json!("True")),
    ];
    let ran = stage.run(&entries).await.unwrap();
    assert_snapshot!(ran.plan(), @r#"
    create record App.pkg
      display_name: - -> "App.pkg"
      category: - -> "Apps"
      notes: - -> "first\nsecond"
      priority: - -> "5"
      reboot_required: - -> "true"
    "#);
    assert_snapshot!(ran.outcome, @"created record 1 (category Apps, notes, priority 5, reboot_required true)");
    assert!(ran.updated());
    let record = stage.record(ran.id());
    assert_eq!((&record["packageName"], &record["fileName"]), (&json!("App.pkg"), &json!("App.pkg")));
    assert_eq!((&record["categoryId"], &record["priority"]), (&json!("1"), &json!(5)));
    assert_eq!((&record["notes"], &record["rebootRequired"]), (&json!("first\nsecond"), &json!(true)));

    let again = stage.run(&entries).await.unwrap();
    assert_snapshot!(again.outcome, @"skipped: record 1 already says so");
    assert!(!again.updated());
    assert_eq!(again.id(), ran.id());
    assert_eq!(stage.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_missing_category_is_created_when_the_recipe_asks_for_it() {
    let stage = Stage::open().await;
    let entries = [
        ("pkg_name", json!("App.pkg")),
        ("pkg_display_name", json!("The App")),
        ("pkg_category", json!("Werkzeuge & Co.")),
        ("create_category", json!(true)),
    ];
    let ran = stage.run(&entries).await.unwrap();
    assert_snapshot!(ran.plan(), @r#"
    create category Werkzeuge & Co.
    create record App.pkg
      display_name: - -> "The App"
      category: - -> "Werkzeuge & Co."
    "#);
    assert_snapshot!(ran.outcome, @"created record 1 (display_name The App, category Werkzeuge & Co.)");
    assert_eq!(stage.record(ran.id())["categoryId"], json!("1"));
    assert_snapshot!(stage.writes().join("\n"), @r"
    POST /api/v1/categories 201
    POST /api/v1/packages 201
    ");

    stage.run(&[("pkg_name", json!("Other.pkg")), ("pkg_category", json!("Werkzeuge & Co."))]).await.unwrap();
    assert_snapshot!(stage.writes().join("\n"), @"POST /api/v1/packages 201");
}

#[tokio::test]
async fn a_record_can_be_made_without_a_file() {
    let stage = Stage::open().await;
    let entries = [("pkg_name", json!("Elsewhere.zip")), ("record_only", json!(true))];
    let ran = stage.run(&entries).await.unwrap();
    assert_snapshot!(ran.outcome, @"created record 1; record only, no file is looked at");
    assert!(stage.sandbox.journal().iter().all(|request| !request.path.contains("jcds")));
    assert_snapshot!(stage.run(&entries).await.unwrap().outcome, @"skipped: record 1 already says so");
}

#[tokio::test]
async fn awkward_names_are_found_again() {
    let names = [
        "A p+p & C%o #1 (x).pkg",
        "100%25 50%.pkg",
        "\"quoted\" 'name'; a==b,c.pkg",
        "back\\slash*.dmg",
        "Küche 🍳.zip",
        "<tag>.mpkg",
    ];
    for api in ["pro", "classic"] {
        let stage = Stage::open().await;
        for name in names {
            let category = format!("{name}/category");
            let entries = [
                ("pkg_name", json!(name)),
                ("pkg_category", json!(category)),
                ("pkg_notes", json!(name)),
                ("create_category", json!(true)),
                ("package_api", json!(api)),
            ];
            let ran = stage.run(&entries).await.unwrap();
            let record = stage.record(ran.id());
            assert_eq!((&record["fileName"], &record["notes"]), (&json!(name), &json!(name)), "{api}");
            let again = stage.run(&entries).await.unwrap();
            assert!(again.changes.is_empty(), "{api}: {}", again.plan());
            assert_eq!(again.id(), ran.id());
        }
    }
}

#[tokio::test]
async fn a_record_under_another_unicode_spelling_is_the_record() {
    let stage = Stage::open().await;
    stage.run(&[("pkg_name", json!("K\u{fc}che.pkg"))]).await.unwrap();
    let again = stage.run(&[("pkg_name", json!("Ku\u{308}che.pkg"))]).await.unwrap();
    assert_snapshot!(again.outcome, @"skipped: record 1 already says so");
}

#[tokio::test]
async fn a_run_that_is_overtaken_goes_on_with_the_record_of_the_other() {
    for api in ["pro", "classic"] {
        let stage = Stage::open().await;
        let first = [
            ("pkg_name", json!("App.pkg")),
            ("pkg_notes", json!("same")),
            ("pkg_priority", json!("7")),
            ("package_api", json!(api)),
        ];
        let mut second = first.clone();
        let same = stage.overtaken(&first, &second).await.unwrap();
        assert_eq!(
            same.outcome.to_string(),
            "record 1 was made by somebody else meanwhile, and says so already"
        );

        second[2].1 = json!("3");
        second[0].1 = json!("Other.pkg");
        let mut first = first;
        first[0].1 = json!("Other.pkg");
        let other = stage.overtaken(&first, &second).await.unwrap();
        assert_eq!(other.outcome.to_string(), "updated record 2: priority; somebody else made it meanwhile");
        let record = stage.record(2);
        assert_eq!((&record["priority"], &record["notes"]), (&json!(3), &json!("same")));
        assert_eq!(stage.sandbox.packages().len(), 2);
    }
}

/// The display name is changed only if the recipe names it.
#[tokio::test]
async fn a_run_that_is_overtaken_leaves_alone_what_its_recipe_does_not_name() {
    let stage = Stage::open().await;
    let name = ("pkg_name", json!("App.pkg"));
    let first = [name.clone(), ("pkg_display_name", json!("The App"))];
    let applied = stage.overtaken(&first, std::slice::from_ref(&name)).await.unwrap();
    assert_snapshot!(applied.outcome, @"record 1 was made by somebody else meanwhile, and says so already");
    assert_eq!(stage.record(1)["packageName"], json!("The App"));
}

#[tokio::test]
async fn a_category_that_somebody_else_made_meanwhile_is_used() {
    let stage = Stage::open().await;
    let run =
        |name| [("pkg_name", json!(name)), ("pkg_category", json!("Apps")), ("create_category", json!(true))];
    let applied = stage.overtaken(&run("A.pkg"), &run("B.pkg")).await.unwrap();
    assert_snapshot!(applied.outcome, @"created record 2 (category Apps)");
    assert_eq!(stage.record(2)["categoryId"], stage.record(1)["categoryId"]);
}

#[tokio::test]
async fn a_display_name_that_somebody_else_took_meanwhile_is_refused() {
    let stage = Stage::open().await;
    let run = |name| [("pkg_name", json!(name)), ("pkg_display_name", json!("The App"))];
    let failure = stage.overtaken(&run("A.pkg"), &run("B.pkg")).await.unwrap_err();
    assert_snapshot!(failure, @"POST /api/v1/packages was answered with 400 Bad Request: packageName: duplicate name (DUPLICATE_FIELD)");
}
