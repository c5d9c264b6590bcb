use crate::rehearsal::{Rehearsal, assert_shape, assert_wire, wire_json};
use reqwest::StatusCode;
use sandbox::{CdnType, DistributionPoint};
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

fn kind_is(point: DistributionPoint) -> impl FnOnce(&mut sandbox::Config) {
    move |config| config.distribution_point = point
}

#[tokio::test]
async fn only_jamfs_own_has_jcds_and_every_kind_takes_packages() {
    for kind in CdnType::ALL {
        let rehearsal = Rehearsal::with(kind_is(DistributionPoint::principal(kind))).await;
        let told = rehearsal.get_json(POINT).await;
        assert_eq!(told["cdnType"], kind.name());
        let jcds = rehearsal.get("/api/v1/jcds/files").await.status;
        assert_eq!(jcds, if kind == CdnType::JamfCloud { 200 } else { 404 }, "{kind:?}");

        let id = rehearsal.sandbox.put_package(json!({ "packageName": "A", "fileName": "A.pkg" }));
        let uploaded = rehearsal.upload_to(id, "A.pkg", b"bytes").await.status;
        assert_eq!(uploaded, if kind == CdnType::None { 404 } else { 201 }, "{kind:?}");
        let record = rehearsal.record(id).await;
        let (size, status) = if kind == CdnType::None { ("", "") } else { ("5", "READY") };
        assert_eq!((&record["size"], &record["cloudTransferStatus"]), (&json!(size), &json!(status)));
    }
}

#[tokio::test]
async fn a_bucket_of_the_customers_own_reads_as_the_example_does() {
    let rehearsal = Rehearsal::with(kind_is(DistributionPoint::principal(CdnType::AmazonS3))).await;
    let told = rehearsal.get_json(POINT).await;
    assert_shape(&told, &wire_json("cdp.get.200.amazon-s3.response.json"));
    assert_eq!((&told["inventoryId"], &told["master"]), (&json!("1"), &json!(true)));
}

/// JCDS reaches one that is not the principal one, and the Pro API does not (JamfSync#4, JamfSync#26).
#[tokio::test]
async fn packages_go_to_the_principal_one_that_takes_them() {
    let jamf_cloud = DistributionPoint::JAMF_CLOUD;
    for (point, is_principal, takes_uploads) in [
        (DistributionPoint { is_principal: false, ..jamf_cloud }, false, true),
        (DistributionPoint { takes_uploads: false, ..jamf_cloud }, true, false),
    ] {
        let rehearsal = Rehearsal::with(kind_is(point)).await;
        assert_eq!(rehearsal.get_json(POINT).await["master"], is_principal);
        let capability = rehearsal.get_json(&format!("{POINT}/upload-capability")).await;
        let expected = json!({
            "principalDistributionTechnology": is_principal,
            "directUploadCapable": takes_uploads,
        });
        assert_eq!(capability, expected);
        let id = rehearsal.sandbox.put_package(json!({ "packageName": "A", "fileName": "A.pkg" }));
        let refused = rehearsal.upload_to(id, "A.pkg", b"bytes").await;
        assert_wire(&refused, StatusCode::NOT_FOUND, "cdp.404.not-configured.response.json");
        rehearsal.upload("A.pkg", b"bytes").await;
        assert_eq!(rehearsal.record(id).await["cloudTransferStatus"], "READY");
    }
}
