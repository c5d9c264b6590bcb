//! The client against the rehearsal server, which other hands wrote from the same contract.

use crate::stub::Rig;
use jamf::{Config, Deletion, Field, FieldValue, PackageApi, Setting};
use pipeline::{Access, FileName, SimulatedClock};
use sandbox::Sandbox;
use std::sync::Arc;
use tempfile::TempDir;

/// Everything that people's tools have stumbled over (`user-pains.md` row 25).
const AWKWARD: &[&str] = &[
    "Example App & Friends-2.0+beta (1).pkg",
    "100% #1; 'quoted' \"twice\" <b> a=b?c.pkg",
    "U\u{308}bung mit Umla\u{308}uten \u{1F389}.pkg",
    "back\\slash, comma*.pkg",
];

struct Stage {
    sandbox: Sandbox,
    _data: TempDir,
}

impl Stage {
    async fn new() -> Self {
        let data = TempDir::new().unwrap();
        let clock = Arc::new(SimulatedClock::at("2026-11-20T12:00:00Z".parse().unwrap()));
        let config = sandbox::Config::new(data.path().to_owned(), clock);
        let sandbox = Sandbox::start(contract::watched(config)).await.unwrap();
        Self { sandbox, _data: data }
    }

    fn rig(&self, as_user: bool, package_api: &str, access: Access) -> Rig {
        let here = self.sandbox.connection();
        let account = if as_user {
            [("API_USERNAME", here.username.as_str()), ("API_PASSWORD", &here.password)]
        } else {
            [("CLIENT_ID", here.client_id.as_str()), ("CLIENT_SECRET", &here.client_secret)]
        };
        let entries = [&account[..], &[("package_api", package_api)]].concat();
        Rig::with(&here.jss_url, &entries, access, Config::default())
    }
}

fn notes(text: &str) -> [Setting; 1] {
    [Setting { field: Field::Notes, value: FieldValue::Text(text.to_owned()) }]
}

#[tokio::test]
async fn awkward_names_travel_through_both_apis_for_both_kinds_of_account() {
    let stage = Stage::new().await;
    for (as_user, api) in [(true, "pro"), (true, "classic"), (false, "pro"), (false, "classic")] {
        let rig = stage.rig(as_user, api, Access::ReadWrite);
        let (session, cx) = (&rig.session, &rig.cx);
        for awkward in AWKWARD {
            let name = format!("{as_user} {api} {awkward}");
            let file: FileName = name.parse().unwrap();
            let category = session.create_category(cx, &name, 9).await.unwrap();
            assert_eq!(session.category_named(cx, &name).await.unwrap(), Some(category.clone()));
            let filed =
                [Setting { field: Field::Category, value: FieldValue::Category(Some(category.clone())) }];
            let id = session.create_package(cx, &file, &name, &filed).await.unwrap();

            let found = session.packages_named(cx, &file).await.unwrap();
            assert_eq!(found.iter().map(|package| package.id).collect::<Vec<_>>(), [id], "{name}");
            assert_eq!(session.packages_displayed_as(cx, &name).await.unwrap().len(), 1, "{name}");
            assert_eq!(session.category_of(cx, &found[0]).await.unwrap(), Some(category));
            session.update_package(cx, &found[0], &notes(&name)).await.unwrap();
            let read = session.package(cx, id).await.unwrap().unwrap();
            assert_eq!(read.values[&Field::Notes], FieldValue::Text(name.clone()));
            assert_eq!(read.file_name, name);

            stage.sandbox.put_file(&name, b"bytes");
            let files = session.jcds_files_now(cx).await.unwrap();
            let listed = files.iter().find(|file| file.name == name).unwrap();
            assert_eq!((listed.size, listed.md5.is_some(), listed.sha3_512.is_some()), (5, true, true));
            session.jcds_download_address(cx, &name).await.unwrap();
            session.refresh_inventory(cx, Some(&name)).await.unwrap();
            assert_eq!(session.jcds_delete(cx, &name).await.unwrap(), Deletion::Deleted);
            assert_eq!(session.jcds_delete(cx, &name).await.unwrap(), Deletion::WasAbsent);
        }
        rig.sessions.close(cx).await;
        assert_eq!(
            rig.notices().iter().filter(|notice| !notice.contains("reading")).count(),
            0,
            "{:?}",
            rig.notices()
        );
    }
}

#[tokio::test]
async fn a_name_is_found_whichever_way_its_umlauts_are_written() {
    let stage = Stage::new().await;
    let record = serde_json::json!({ "packageName": "Übung", "fileName": "Übung.pkg" });
    let id = stage.sandbox.put_package(record);
    for api in ["pro", "classic"] {
        let rig = stage.rig(false, api, Access::ReadWrite);
        let file: FileName = "U\u{308}bung.pkg".parse().unwrap();
        let found = rig.session.packages_named(&rig.cx, &file).await.unwrap();
        assert_eq!(found.iter().map(|package| package.id).collect::<Vec<_>>(), [id], "{api}");
    }
}

#[tokio::test]
async fn two_hundred_and_fifty_packages_are_more_than_a_page() {
    let stage = Stage::new().await;
    for number in 0..250 {
        let name = format!("Same {number}.pkg");
        // Old servers' duplicates: one file, many records.
        stage.sandbox.put_package(serde_json::json!({ "packageName": name, "fileName": "Same.pkg" }));
    }
    for api in ["auto", "classic"] {
        let rig = stage.rig(true, api, Access::ReadWrite);
        let file: FileName = "Same.pkg".parse().unwrap();
        stage.sandbox.clear_journal();
        assert_eq!(rig.session.packages_named(&rig.cx, &file).await.unwrap().len(), 250);
        let reads = stage.sandbox.journal().iter().filter(|request| request.method == "GET").count();
        assert_eq!(reads, if api == "auto" { 2 } else { 251 });
    }
}

#[tokio::test]
async fn only_named_fields_change_in_either_api() {
    let stage = Stage::new().await;
    let rig = stage.rig(false, "auto", Access::ReadWrite);
    let (session, cx) = (&rig.session, &rig.cx);
    assert_eq!(session.package_api(cx).await.unwrap(), PackageApi::Pro);
    let file: FileName = "App.pkg".parse().unwrap();
    let info = [Setting { field: Field::Info, value: FieldValue::Text("kept".into()) }];
    let id = session.create_package(cx, &file, "App", &info).await.unwrap();
    let before = stage.sandbox.packages().remove(0);

    let package = session.package(cx, id).await.unwrap().unwrap();
    session.update_package(cx, &package, &notes("by Pro")).await.unwrap();
    let classic = session.classic_package(cx, id).await.unwrap().unwrap();
    let processor = [Setting { field: Field::RequiredProcessor, value: FieldValue::Text("x86".into()) }];
    session.update_package(cx, &classic, &processor).await.unwrap();

    let mut expected = before;
    expected["notes"] = "by Pro".into();
    assert_eq!(stage.sandbox.packages().remove(0), expected);
    let classic = session.classic_package(cx, id).await.unwrap().unwrap();
    assert_eq!(classic.values[&Field::RequiredProcessor], FieldValue::Text("x86".into()));
}

#[tokio::test]
async fn credentials_open_an_upload_and_are_renewed() {
    let stage = Stage::new().await;
    let rig = stage.rig(false, "auto", Access::ReadWrite);
    let grant = rig.session.jcds_initiate(&rig.cx).await.unwrap();
    let renewed = rig.session.jcds_renew(&rig.cx, &grant).await.unwrap();
    assert_eq!(renewed.bucket, grant.bucket);
    assert!(grant.path.ends_with('/') && grant.expiration > rig.cx.clock().now());
}

#[tokio::test]
async fn a_dry_run_reads_and_leaves_no_trace() {
    let stage = Stage::new().await;
    stage.sandbox.put_package(serde_json::json!({ "packageName": "App", "fileName": "App.pkg" }));
    let rig = stage.rig(false, "auto", Access::ReadOnly);
    let (session, cx) = (&rig.session, &rig.cx);
    let package = session.packages_named(cx, &"App.pkg".parse().unwrap()).await.unwrap().remove(0);
    assert!(session.update_package(cx, &package, &notes("no")).await.is_err());
    assert!(session.create_category(cx, "no", 9).await.is_err());
    assert!(session.jcds_initiate(cx).await.is_err());
    rig.sessions.close(cx).await;
    assert!(stage.sandbox.journal().iter().all(|request| !request.is_write()));
}
