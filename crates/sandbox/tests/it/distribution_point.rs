use crate::rehearsal::{Rehearsal, assert_shape, assert_wire, wire_json};
use reqwest::StatusCode;
use serde_json::json;

const POINT: &str = "/api/v1/cloud-distribution-point";

#[tokio::test]
async fn is_jamfs_own_and_the_principal_one() {
    let rehearsal = Rehearsal::start().await;
    assert_wire(&rehearsal.get(POINT).await, StatusCode::OK, "cdp.get.200.jamf-cloud.response.json");
    let capability = rehearsal.get_json(&format!("{POINT}/upload-capability")).await;
    assert_eq!(capability, json!({ "principalDistributionTechnology": true, "directUploadCapable": true }));
}

#[tokio::test]
async fn the_inventory_joins_files_and_records() {
    let rehearsal = Rehearsal::start().await;
    let category = rehearsal.sandbox.put_category("Applications").to_string();
    for name in ["A.pkg", "B.pkg"] {
        rehearsal.sandbox.put_file(name, b"bytes");
        rehearsal
            .sandbox
            .put_package(json!({ "packageName": name, "fileName": name, "categoryId": category }));
    }
    rehearsal.sandbox.put_file("without a record.pkg", b"bytes");
    rehearsal.sandbox.put_package(json!({ "packageName": "without a file", "fileName": "none.pkg" }));
    let found = rehearsal.list(&format!("{POINT}/files"), &[("filter", r#"fileName=="B.pkg""#)]).await.json();
    assert_shape(&found, &wire_json("cdp.files.by-file-name.200.response.json"));
    assert_eq!(
        (&found["results"][0]["fileObjectId"], &found["results"][0]["status"]),
        (&json!("2"), &json!("READY"))
    );
    assert_eq!(rehearsal.get_json(&format!("{POINT}/files")).await["totalCount"], 2);
}

#[tokio::test]
async fn refreshes_come_with_their_versions() {
    for (version, jcds, point) in
        [("11.9.2", 404, 404), ("11.10.0", 204, 404), ("11.24.0", 204, 404), ("11.25.0", 204, 204)]
    {
        let rehearsal = Rehearsal::with(|config| config.version = version.to_owned()).await;
        assert_eq!(rehearsal.post("/api/v1/jcds/refresh-inventory").await.status, jcds, "{version}");
        assert_eq!(rehearsal.post(&format!("{POINT}/refresh-inventory")).await.status, point, "{version}");
    }
}

#[tokio::test]
async fn the_inventory_can_be_filtered_by_its_id_from_11_25_on() {
    for (version, status) in [("11.24.0", 400), ("11.25.0", 200)] {
        let rehearsal = Rehearsal::with(|config| config.version = version.to_owned()).await;
        let path = format!("{POINT}/files");
        for (filter, status) in [("inventoryId==1", status), ("type==PACKAGE", 200), ("status==READY", 400)] {
            let said = rehearsal.list(&path, &[("filter", filter)]).await;
            assert_eq!(said.status, status, "{version} {filter}");
        }
    }
}

#[tokio::test]
async fn a_refresh_takes_names_up_to_255_characters() {
    let rehearsal = Rehearsal::start().await;
    for (length, status) in [(255, 204), (256, 400)] {
        let path = format!("{POINT}/refresh-inventory?file-name={}", "a".repeat(length));
        assert_eq!(rehearsal.post(&path).await.status, status);
    }
}

#[tokio::test]
async fn before_11_14_a_refresh_takes_no_name() {
    let rehearsal = Rehearsal::with(|config| config.version = "11.13.1".to_owned()).await;
    rehearsal.sandbox.put_file("A.pkg", b"bytes");
    let id = rehearsal.sandbox.put_package(json!({ "packageName": "A", "fileName": "A.pkg" }));
    let record = rehearsal.record(id).await;
    let put = rehearsal.send_json(reqwest::Method::PUT, &format!("/api/v1/packages/{id}"), &record).await;
    assert_eq!(put.json()["size"], "");
    rehearsal.post("/api/v1/jcds/refresh-inventory?file-name=Other.pkg").await;
    assert_eq!(rehearsal.record(id).await["size"], "5");
}
