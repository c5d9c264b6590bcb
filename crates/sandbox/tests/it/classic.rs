use crate::rehearsal::{Rehearsal, assert_wire, wire, wire_json};
use reqwest::{Method, StatusCode};
use sandbox::Config;
use serde_json::json;

const NEW: &str = "/JSSResource/packages/id/0";

/// The three packages and two categories of the examples, under their ids.
async fn as_in_examples(configure: impl FnOnce(&mut Config)) -> Rehearsal {
    let rehearsal = Rehearsal::with(configure).await;
    for name in ["1", "2", "Applications", "4", "5", "6", "Design & Media"] {
        let id = rehearsal.sandbox.put_category(name);
        if name.len() == 1 {
            rehearsal.delete(&format!("/api/v1/categories/{id}")).await;
        }
    }
    for _ in 1..42 {
        let id = rehearsal.sandbox.put_package(json!({}));
        rehearsal.delete(&format!("/JSSResource/packages/id/{id}")).await;
    }
    let hash = |example: &str| {
        wire(example).split(['<', '>']).skip_while(|part| *part != "hash_value").nth(1).unwrap().to_owned()
    };
    for (name, category, hash_type, example) in [
        ("ExampleApp-1.2.3.pkg", "3", "SHA3_512", "classic.package.get.200.response.xml"),
        (
            "Example App & Friends-2.0+beta.pkg",
            "7",
            "SHA_512",
            "classic.package.get.200.awkward-name.response.xml",
        ),
        ("ExampleSuite-4.5.0.pkg", "-1", "MD5", "classic.package.get.200.no-category.response.xml"),
    ] {
        rehearsal.sandbox.put_package(json!({
            "packageName": name, "fileName": name, "categoryId": category, "hashType": hash_type, "hashValue": hash(example),
        }));
    }
    rehearsal
}

#[tokio::test]
async fn prints_xml_and_json_as_a_server_does() {
    let rehearsal = as_in_examples(|_| {}).await;
    for (path, accept, example) in [
        ("packages", "application/xml", "classic.packages.list.200.response.xml"),
        ("packages", "application/json", "classic.packages.list.200.response.json"),
        ("categories", "text/xml", "classic.categories.list.200.response.xml"),
        ("categories", "application/json", "classic.categories.list.200.response.json"),
        ("packages/id/42", "*/*", "classic.package.get.200.response.xml"),
        ("packages/id/42", "application/json", "classic.package.get.200.response.json"),
        ("packages/id/44", "application/xml", "classic.package.get.200.no-category.response.xml"),
        (
            "packages/name/Example%20App%20%26%20Friends-2.0%2Bbeta.pkg",
            "application/xml",
            "classic.package.get.200.awkward-name.response.xml",
        ),
    ] {
        let said = rehearsal.get_as(&format!("/JSSResource/{path}"), accept).await;
        assert_wire(&said, StatusCode::OK, example);
    }
}

#[tokio::test]
async fn creates_under_the_next_free_id_and_answers_xml() {
    let rehearsal = as_in_examples(|_| {}).await;
    for id in [44, 43, 42] {
        assert_eq!(rehearsal.delete(&format!("/JSSResource/packages/id/{id}")).await, 200);
    }
    let request = wire("classic.package.create.request.full.xml");
    let asking_json = rehearsal
        .request(Method::POST, "/JSSResource/packages/id/-1")
        .header("accept", "application/json")
        .header("content-type", "text/xml")
        .body(request);
    let created = crate::rehearsal::said(asking_json).await;
    let example = wire("classic.package.create.201.response.xml").replace("42", "45");
    assert_eq!((created.status, created.body.as_str()), (201, example.trim_end()));
    let package =
        rehearsal.get_as("/JSSResource/packages/id/45", "application/json").await.json()["package"].clone();
    assert_eq!(package["category"], "Design & Media");
    assert_eq!(
        (&package["hash_type"], &package["os_requirements"]),
        (&json!("SHA_512"), &json!("14.x, 15.x"))
    );
    assert_eq!(rehearsal.record(45).await["categoryId"], "7");
}

#[tokio::test]
async fn a_put_changes_only_what_it_names() {
    let rehearsal = as_in_examples(|_| {}).await;
    let path = "/JSSResource/packages/id/43";
    let set = "<package><notes>old</notes><priority>3</priority><required_processor>x86</required_processor>\
               <send_notification>true</send_notification><boot_volume_required>true</boot_volume_required></package>";
    assert_eq!(rehearsal.send_xml(Method::PUT, path, set).await.status, 201);
    let partial = wire("classic.package.update.request.partial.xml");
    let updated = rehearsal.send_xml(Method::PUT, path, &partial).await;
    assert_eq!(updated.body, r#"<?xml version="1.0" encoding="UTF-8"?><package><id>43</id></package>"#);
    let package = rehearsal.get_as(path, "application/json").await.json()["package"].clone();
    assert_eq!(
        [&package["category"], &package["notes"], &package["priority"], &package["required_processor"]],
        [&json!("Applications"), &json!(""), &json!(3), &json!("x86")]
    );
    assert_eq!((&package["id"], &package["send_notification"]), (&json!(43), &json!(true)));
    assert_eq!(rehearsal.record(43).await.get("requiredProcessor"), None);

    let by_name = "/JSSResource/packages/name/ExampleSuite-4.5.0.pkg";
    assert_eq!(
        rehearsal.send_xml(Method::PUT, by_name, "<package><info>i</info></package>").await.status,
        201
    );
    assert_eq!(rehearsal.record(44).await["info"], "i");
}

#[tokio::test]
async fn no_category_has_three_spellings() {
    let rehearsal = as_in_examples(|_| {}).await;
    for spelling in
        ["<category></category>", "<category>None</category>", "<category>No category assigned</category>"]
    {
        let path = "/JSSResource/packages/id/42";
        rehearsal.send_xml(Method::PUT, path, "<package><category>Applications</category></package>").await;
        assert_eq!(rehearsal.record(42).await["categoryId"], "3");
        rehearsal.send_xml(Method::PUT, path, &format!("<package>{spelling}</package>")).await;
        assert_eq!(rehearsal.record(42).await["categoryId"], "-1", "{spelling}");
    }
}

#[tokio::test]
async fn refuses_with_html_pages() {
    let rehearsal = as_in_examples(|_| {}).await;
    let post = async |xml: &str| rehearsal.send_xml(Method::POST, NEW, xml).await;
    let taken = "<package><name>ExampleApp-1.2.3.pkg</name><filename>b.pkg</filename></package>";
    let unknown = "<package><name>b</name><filename>b.pkg</filename><category>Nope</category></package>";
    for (said, status, example) in [
        (post(taken).await, StatusCode::CONFLICT, "classic.409.duplicate-name.response.html"),
        (post(unknown).await, StatusCode::CONFLICT, "classic.409.problem-with-category.response.html"),
        (post("<package><name>A & B</name>").await, StatusCode::BAD_REQUEST, "classic.400.response.html"),
        (
            rehearsal.get("/JSSResource/packages/name/absent.pkg").await,
            StatusCode::NOT_FOUND,
            "classic.404.response.html",
        ),
        (
            rehearsal.send_xml(Method::PUT, NEW, "<package/>").await,
            StatusCode::NOT_FOUND,
            "classic.404.response.html",
        ),
    ] {
        assert_wire(&said, status, example);
        assert!(said.mime.starts_with("text/html"));
    }
    for xml in [
        "<package><name>b</name></package>",
        "<package><name>b</name><filename>b</filename><priority>x</priority></package>",
    ] {
        assert_eq!(post(xml).await.status, 409, "{xml}");
    }
    let json =
        rehearsal.send_json(Method::POST, NEW, &wire_json("packages-v1.create.request.minimal.json")).await;
    assert_eq!(json.status, 415);
    assert_eq!(rehearsal.sandbox.packages().len(), 3);
}

#[tokio::test]
async fn two_records_may_share_a_file_name() {
    let rehearsal = Rehearsal::start().await;
    for name in ["first", "second"] {
        let xml = format!("<package><name>{name}</name><filename>Same.pkg</filename></package>");
        assert_eq!(rehearsal.send_xml(Method::POST, NEW, &xml).await.status, 201);
    }
    let found = rehearsal.list("/api/v1/packages", &[("filter", r#"fileName=="Same.pkg""#)]).await.json();
    assert_eq!(found["totalCount"], 2);
}

#[tokio::test]
async fn any_put_blanks_the_size_here_too() {
    let rehearsal = Rehearsal::start().await;
    rehearsal.sandbox.put_file("App.pkg", b"bytes");
    rehearsal
        .send_xml(Method::POST, NEW, "<package><name>App</name><filename>App.pkg</filename></package>")
        .await;
    assert_eq!(rehearsal.record(1).await["size"], "5");
    rehearsal
        .send_xml(Method::PUT, "/JSSResource/packages/id/1", "<package><notes>n</notes></package>")
        .await;
    assert_eq!(rehearsal.record(1).await["size"], "");
}
