use crate::rehearsal::{Rehearsal, assert_wire, payload, wire, wire_json};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const PACKAGES: &str = "/api/v1/packages";
const APP: &str = "ExampleApp-1.2.3.pkg";

/// A server whose ids are those of the examples: categories 3 and 7, packages from 42.
async fn as_in_examples(configure: impl FnOnce(&mut sandbox::Config)) -> Rehearsal {
    let rehearsal = Rehearsal::with(configure).await;
    for name in ["1", "2", "Applications", "4", "5", "6", "Design & Media"] {
        rehearsal.sandbox.put_category(name);
    }
    for _ in 1..42 {
        let id = rehearsal.sandbox.put_package(json!({}));
        assert_eq!(rehearsal.delete(&format!("{PACKAGES}/{id}")).await, 204);
    }
    rehearsal
}

fn minimal(name: &str) -> Value {
    let mut body = wire_json("packages-v1.create.request.minimal.json");
    body["packageName"] = name.into();
    body["fileName"] = name.into();
    body
}

#[tokio::test]
async fn prints_records_as_a_server_does() {
    let rehearsal = as_in_examples(|_| {}).await;
    for example in [
        "packages-v1.get.200.metadata-only.response.json",
        "packages-v1.get.200.ready.response.json",
        "packages-v1.get.200.pending.response.json",
        "packages-v1.get.200.size-blank-after-put.response.json",
    ] {
        let id = rehearsal.sandbox.put_package(wire_json(example));
        let said = rehearsal.get(&format!("{PACKAGES}/{id}")).await;
        let expected = wire(example).replace(r#""id" : "42""#, &format!(r#""id" : "{id}""#));
        assert_eq!((said.status, said.body.as_str()), (200, expected.trim_end()), "{example}");
        assert_eq!(said.mime, "application/json");
    }
}

#[tokio::test]
async fn creates_with_defaults() {
    let rehearsal = as_in_examples(|_| {}).await;
    let created = rehearsal.send_json(Method::POST, PACKAGES, &minimal(APP)).await;
    assert_eq!(created.status, 201);
    assert_eq!(created.json(), json!({ "id": "42", "href": rehearsal.url("/api/v1/packages/42") }));
    let mut expected = wire_json("packages-v1.get.200.metadata-only.response.json");
    expected["categoryId"] = "-1".into();
    assert_eq!(rehearsal.record(42).await, expected);
}

#[tokio::test]
async fn keeps_what_a_full_request_says_but_for_the_size() {
    let rehearsal = as_in_examples(|_| {}).await;
    let mut body = wire_json("packages-v1.create.request.full.json");
    body["size"] = "17".into();
    body["cloudTransferStatus"] = "READY".into();
    body["osInstall"] = 0.into();
    body["swu"] = 1.into();
    body["unknownKey"] = json!(["ignored"]);
    assert_eq!(rehearsal.send_json(Method::POST, PACKAGES, &body).await.status, 201);
    let record = rehearsal.record(42).await;
    assert_eq!((&record["size"], &record["cloudTransferStatus"]), (&json!(""), &json!("")));
    assert_eq!((&record["osInstall"], &record["swu"]), (&json!(false), &json!(true)));
    assert_eq!((&record["hashValue"], &record["info"]), (&body["hashValue"], &json!("Installs ExampleApp")));
}

#[tokio::test]
async fn refuses_as_a_server_does() {
    let rehearsal = as_in_examples(|_| {}).await;
    rehearsal.send_json(Method::POST, PACKAGES, &minimal(APP)).await;
    rehearsal.send_json(Method::POST, PACKAGES, &minimal("Other.dmg")).await;
    let mut bad_hash = minimal("New.pkg");
    bad_hash["hashType"] = "CRC32".into();
    let mut same_file = minimal("New.pkg");
    same_file["fileName"] = APP.into();
    let create = async |body| rehearsal.send_json(Method::POST, PACKAGES, &body).await;
    for (said, example) in [
        (create(minimal(APP)).await, "packages-v1.create.400.duplicate-package-name.response.json"),
        (create(same_file).await, "packages-v1.create.400.duplicate-file-name.response.json"),
        (create(minimal("New.app")).await, "packages-v1.create.400.unsupported-file-type.response.json"),
        (create(bad_hash).await, "packages-v1.create.400.bad-hash-type.response.json"),
    ] {
        assert_wire(&said, StatusCode::BAD_REQUEST, example);
    }
    let mut rename = minimal(APP);
    rename["fileName"] = "Other.dmg".into();
    assert_wire(
        &rehearsal.send_json(Method::PUT, "/api/v1/packages/42", &rename).await,
        StatusCode::BAD_REQUEST,
        "packages-v1.update.400.duplicate-file-name.response.json",
    );
    assert_wire(
        &rehearsal.get("/api/v1/packages/999999").await,
        StatusCode::NOT_FOUND,
        "packages-v1.get.404.response.json",
    );
    assert_wire(
        &rehearsal.get("/api/v1/packages/not-a-number").await,
        StatusCode::BAD_REQUEST,
        "pro-api.400.invalid-id.response.json",
    );
    let nothing = rehearsal.send_json(Method::POST, PACKAGES, &json!({})).await;
    assert_eq!((nothing.status, nothing.json()["errors"].as_array().unwrap().len()), (400, 11));
}

#[tokio::test]
async fn a_put_replaces_everything_but_the_hashes() {
    let rehearsal = as_in_examples(|_| {}).await;
    rehearsal.send_json(Method::POST, PACKAGES, &wire_json("packages-v1.create.request.full.json")).await;
    let updated = rehearsal.send_json(Method::PUT, "/api/v1/packages/42", &minimal(APP)).await;
    let record = updated.json();
    assert_eq!((updated.status, &record), (200, &rehearsal.record(42).await));
    assert_eq!((&record["info"], &record["categoryId"]), (&json!(""), &json!("-1")));
    assert_eq!(record["md5"], "57edc6fb14900ff7ae0c80727f6a03a1");
}

#[tokio::test]
async fn a_file_shows_in_its_record_and_any_put_blanks_the_size() {
    let rehearsal = as_in_examples(|_| {}).await;
    rehearsal.sandbox.put_file(APP, &payload(1, 1_048_576));
    rehearsal.send_json(Method::POST, PACKAGES, &minimal(APP)).await;
    let mut expected = wire_json("packages-v1.get.200.ready.response.json");
    expected["categoryId"] = "-1".into();
    // The list of files has no SHA-256 that a server could take.
    expected["sha256"] = Value::Null;
    assert_eq!(rehearsal.record(42).await, expected);

    let mut edited = minimal(APP);
    edited["hashType"] = "MD5".into();
    edited["hashValue"] = "00".into();
    assert_eq!(rehearsal.send_json(Method::PUT, "/api/v1/packages/42", &edited).await.json()["size"], "");
    let record = rehearsal.record(42).await;
    assert_eq!((&record["size"], &record["cloudTransferStatus"]), (&json!(""), &json!("READY")));
    assert_eq!((&record["hashValue"], &record["md5"]), (&json!("00"), &expected["md5"]));

    rehearsal.post(&format!("/api/v1/cloud-distribution-point/refresh-inventory?file-name={APP}")).await;
    assert_eq!(rehearsal.record(42).await, expected);
}

#[tokio::test]
async fn pages_sorts_and_filters() {
    let rehearsal = Rehearsal::start().await;
    for number in 1..=257 {
        let name = format!("App-{number}.pkg");
        rehearsal
            .sandbox
            .put_package(json!({ "packageName": name, "fileName": name, "priority": number % 3 }));
    }
    let ids = async |query: &[(&str, &str)]| {
        let list = rehearsal.list(PACKAGES, query).await.json();
        let results = list["results"].as_array().unwrap().clone();
        let ids: Vec<u64> = results.iter().map(|row| row["id"].as_str().unwrap().parse().unwrap()).collect();
        (list["totalCount"].as_u64().unwrap(), ids)
    };
    assert_eq!(ids(&[]).await, (257, (1..=100).collect()));
    assert_eq!(ids(&[("page", "2")]).await, (257, (201..=257).collect()));
    assert_eq!(ids(&[("page", "1"), ("page-size", "200")]).await, (257, (201..=257).collect()));
    assert_eq!(ids(&[("page", "3")]).await, (257, vec![]));
    assert_eq!(ids(&[("sort", "id:desc"), ("page-size", "2")]).await, (257, vec![257, 256]));
    // A literal `id%3Aasc`: JamfSync encodes the colon twice.
    assert_eq!(ids(&[("sort", "id%3Aasc"), ("page-size", "2")]).await, (257, vec![1, 2]));
    assert_eq!(ids(&[("sort", "priority:asc,id:desc"), ("page-size", "2")]).await, (257, vec![255, 252]));
    assert_eq!(
        ids(&[("sort", "priority:asc"), ("sort", "id:desc"), ("page-size", "2")]).await,
        (257, vec![255, 252])
    );
    assert_eq!(ids(&[("filter", r#"fileName=="App-25?.pkg""#)]).await, (0, vec![]));
    assert_eq!(
        ids(&[("filter", r#"fileName=="App-25*""#)]).await,
        (9, [25].into_iter().chain(250..=257).collect())
    );
    assert_eq!(
        ids(&[("filter", r#"id=in=(5,7) and (packageName!="App-5.pkg" or id==9)"#)]).await,
        (1, vec![7])
    );
    assert_eq!(rehearsal.list(PACKAGES, &[("page", "first")]).await.status, 400);
    assert_wire(
        &rehearsal.list(PACKAGES, &[("filter", "size==1")]).await,
        StatusCode::BAD_REQUEST,
        "pro-api.400.unsupported-filter-field.response.json",
    );
    assert_wire(
        &rehearsal.list(PACKAGES, &[("filter", r#"fileName=="absent.pkg""#)]).await,
        StatusCode::OK,
        "packages-v1.list.empty.200.response.json",
    );
}

#[tokio::test]
async fn prints_pages_as_a_server_does() {
    let rehearsal = as_in_examples(|_| {}).await;
    let pages = [
        (wire("packages-v1.list.page1-of-2.200.response.json"), "0"),
        (wire("packages-v1.list.page2-of-2.200.response.json"), "1"),
    ];
    for (page, _) in &pages {
        let page: Value = serde_json::from_str(page).unwrap();
        for record in page["results"].as_array().unwrap() {
            let id = rehearsal.sandbox.put_package(record.clone());
            assert_eq!(record["id"], id.to_string());
        }
    }
    for (page, number) in &pages {
        let query = [("page", *number), ("page-size", "2"), ("sort", "id:asc")];
        let said = rehearsal.list(PACKAGES, &query).await;
        assert_eq!((said.status, said.body.as_str()), (200, page.trim_end()));
    }
}

#[tokio::test]
async fn deletes_many_and_lists_those_that_it_could_not() {
    let rehearsal = as_in_examples(|_| {}).await;
    rehearsal.send_json(Method::POST, PACKAGES, &minimal(APP)).await;
    let body = wire_json("packages-v1.delete-multiple.request.json");
    assert_wire(
        &rehearsal.send_json(Method::POST, "/api/v1/packages/delete-multiple", &body).await,
        StatusCode::BAD_REQUEST,
        "packages-v1.delete-multiple.400.response.json",
    );
    assert_eq!(rehearsal.sandbox.packages(), [json!(null); 0]);
}

#[tokio::test]
async fn older_servers() {
    let rehearsal = as_in_examples(|config| config.version = "11.23.2".to_owned()).await;
    let example = "packages-v1.get.200.v11-23.response.json";
    rehearsal.sandbox.put_package(wire_json("packages-v1.get.200.ready.response.json"));
    assert_wire(&rehearsal.get("/api/v1/packages/42").await, StatusCode::OK, example);

    let rehearsal = Rehearsal::with(|config| config.version = "11.4.2".to_owned()).await;
    assert_eq!(rehearsal.get(PACKAGES).await.status, 404);
    assert_eq!(rehearsal.get("/JSSResource/packages").await.status, 200);
    let version = rehearsal.get_json("/api/v1/jamf-pro-version").await;
    assert!(version["version"].as_str().unwrap().starts_with("11.4.2-t"));
}
