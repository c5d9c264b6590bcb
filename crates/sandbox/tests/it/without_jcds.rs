//! A server without the distribution service (`jamf-pro-api.md §7.7`).

use crate::rehearsal::{Rehearsal, Said, assert_wire, said};
use reqwest::{Method, StatusCode};
use sandbox::{Account, DistributionPoint, Privilege};

const POINT: &str = "/api/v1/cloud-distribution-point";

const JCDS: [(Method, &str); 6] = [
    (Method::GET, "/api/v1/jcds/files"),
    (Method::POST, "/api/v1/jcds/files"),
    (Method::POST, "/api/v1/jcds/renew-credentials"),
    (Method::GET, "/api/v1/jcds/files/Absent.pkg"),
    (Method::DELETE, "/api/v1/jcds/files/Absent.pkg"),
    (Method::POST, "/api/v1/jcds/refresh-inventory"),
];

async fn without_jcds(version: &str) -> Rehearsal {
    Rehearsal::with(|config| {
        config.distribution_point = DistributionPoint::NONE;
        config.version = version.to_owned();
    })
    .await
}

#[tokio::test]
async fn jcds_calls_tell_that_there_is_no_service() {
    let rehearsal = without_jcds("11.26.1").await;
    for (method, path) in JCDS {
        let refused = said(rehearsal.request(method, path)).await;
        assert_wire(&refused, StatusCode::NOT_FOUND, "jcds.404.not-configured.response.json");
    }
}

#[tokio::test]
async fn older_servers_stumbled() {
    let rehearsal = without_jcds("11.26.0").await;
    for (method, path) in JCDS {
        assert_eq!(said(rehearsal.request(method, path)).await.status, 500, "{path}");
    }
}

#[tokio::test]
async fn a_missing_privilege_is_told_first() {
    let rehearsal = Rehearsal::with(|config| {
        config.distribution_point = DistributionPoint::NONE;
        config.accounts = vec![Account::user("user", "password").without(Privilege::ReadJcdsFiles)];
    })
    .await;
    assert_eq!(rehearsal.get("/api/v1/jcds/files").await.status, 403);
}

#[tokio::test]
async fn there_is_no_distribution_point_then() {
    let rehearsal = without_jcds("11.30.1").await;
    let get = async |path: &str| -> Said { rehearsal.get(&format!("{POINT}{path}")).await };
    assert_wire(&get("").await, StatusCode::OK, "cdp.get.200.none.response.json");
    let capability = get("/upload-capability").await;
    assert_wire(&capability, StatusCode::OK, "cdp.upload-capability.200.not-principal.response.json");
    let absent = [get("/files").await, rehearsal.post(&format!("{POINT}/refresh-inventory")).await];
    for refused in absent {
        assert_wire(&refused, StatusCode::NOT_FOUND, "cdp.404.not-configured.response.json");
    }
    assert_eq!(rehearsal.get("/api/v1/packages").await.status, 200);
}
