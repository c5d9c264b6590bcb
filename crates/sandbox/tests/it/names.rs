//! Awkward names go through every path, query and body.

use crate::rehearsal::{Rehearsal, said};
use reqwest::Method;
use serde_json::json;

const NAMES: [&str; 9] = [
    "with space.pkg",
    "C# 100%.pkg",
    "50%25.pkg",
    "a+b&c=d;e.pkg",
    "what?.pkg",
    "(1) [2] {3} 'q' \"d\".pkg",
    "rocket 🚀.pkg",
    "Zu\u{308}rich.pkg",
    "Zürich.pkg",
];

fn segment(name: &str) -> String {
    name.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn in_files_and_downloads() {
    let rehearsal = Rehearsal::start().await;
    for name in NAMES {
        rehearsal.upload(name, name.as_bytes()).await;
        assert_eq!(rehearsal.listed(), [name]);
        let path = format!("/api/v1/jcds/files/{}", segment(name));
        let uri = rehearsal.get_json(&path).await["uri"].as_str().unwrap().to_owned();
        assert_eq!(said(rehearsal.http.get(&uri)).await.body, name);
        assert_eq!(rehearsal.delete(&path).await, 204, "{name}");
    }
}

#[tokio::test]
async fn in_records_of_both_apis() {
    let rehearsal = Rehearsal::start().await;
    for name in NAMES.into_iter().chain(["in/out.pkg"]) {
        let xml =
            format!("<package><name>{0}</name><filename>{0}</filename></package>", quick_xml_escape(name));
        let created = rehearsal.send_xml(Method::POST, "/JSSResource/packages/id/0", &xml).await;
        assert_eq!(created.status, 201, "{name}");
        let path = format!("/JSSResource/packages/name/{}", segment(name));
        let package = rehearsal.get_as(&path, "application/json").await.json()["package"].clone();
        assert_eq!(package["filename"], name);

        let quoted = name.replace('\\', r"\\").replace('"', "\\\"");
        let filter = format!("fileName==\"{quoted}\"");
        let found = rehearsal.list("/api/v1/packages", &[("filter", &filter)]).await.json();
        assert_eq!((&found["totalCount"], &found["results"][0]["packageName"]), (&json!(1), &json!(name)));
        rehearsal.post(&format!("/api/v1/jcds/refresh-inventory?file-name={}", segment(name))).await;
        assert_eq!(rehearsal.delete(&path).await, 200, "{name}");
    }
}

/// An encoded slash stays inside its segment.
#[tokio::test]
async fn a_slash_does_not_split_the_path() {
    let rehearsal = Rehearsal::start().await;
    rehearsal.sandbox.put_file("in/out.pkg", b"bytes");
    assert_eq!(rehearsal.get("/api/v1/jcds/files/in%2Fout.pkg").await.status, 200);
    assert_eq!(rehearsal.get("/api/v1/jcds/files/in/out.pkg").await.status, 404);
    assert_eq!(rehearsal.delete("/api/v1/jcds/files/in%2fout.pkg").await, 204);
}

fn quick_xml_escape(name: &str) -> String {
    name.replace('&', "&amp;").replace('<', "&lt;")
}
