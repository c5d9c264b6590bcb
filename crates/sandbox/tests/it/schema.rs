//! What the server publishes about its calls (`jamf-pro-api.md §1.1`, `§15`).

use crate::rehearsal::{Rehearsal, said};
use reqwest::Method;
use sandbox::JcdsGone;

#[tokio::test]
async fn anybody_may_read_it() {
    let rehearsal = Rehearsal::not_signed_in(|_| {}).await;
    for path in ["/api/schema", "/api/schema/"] {
        let told = said(rehearsal.anonymous(Method::GET, path)).await;
        assert_eq!((told.status, told.mime.as_str()), (200, "application/json"), "{path}");
        let jcds = &told.json()["paths"]["/v1/jcds/files"]["post"];
        assert_eq!((&jcds["deprecated"], &jcds["x-deprecation-date"]), (&true.into(), &"2025-08-28".into()));
    }
}

#[tokio::test]
async fn it_is_that_of_the_version_that_is_played() {
    let rehearsal = Rehearsal::not_signed_in(|config| config.version = "11.4.2".to_owned()).await;
    let schema = said(rehearsal.anonymous(Method::GET, "/api/schema/")).await.json();
    assert_eq!(schema["info"]["version"], "11.4.2");
    assert!(schema["paths"].get("/v1/packages").is_none() && schema["paths"].get("/v1/jcds/files").is_some());
}

#[tokio::test]
async fn it_can_be_kept() {
    let rehearsal = Rehearsal::not_signed_in(|config| config.serves_schema = false).await;
    assert_eq!(said(rehearsal.anonymous(Method::GET, "/api/schema/")).await.status, 404);
}

#[tokio::test]
async fn jcds_calls_that_are_gone_are_not_in_it() {
    let start = async |gone, version: &'static str| {
        Rehearsal::with(move |config| {
            config.jcds_gone = gone;
            config.version = version.to_owned();
        })
        .await
    };
    for (gone, version, status) in [
        (Some(JcdsGone::NotFound), "11.30.1", 404),
        (Some(JcdsGone::Gone), "11.30.1", 410),
        (Some(JcdsGone::Gone), "12.1.0", 410),
        (None, "12.1.0", 404),
    ] {
        let rehearsal = start(gone, version).await;
        let paths = rehearsal.get_json("/api/schema/").await["paths"].clone();
        assert!(!paths.as_object().unwrap().keys().any(|path| path.starts_with("/v1/jcds")));
        for (method, path) in [
            (Method::GET, "files"),
            (Method::POST, "files"),
            (Method::POST, "renew-credentials"),
            (Method::DELETE, "files/A.pkg"),
            (Method::POST, "refresh-inventory"),
        ] {
            let told = said(rehearsal.request(method, &format!("/api/v1/jcds/{path}"))).await;
            assert_eq!(told.status, status, "{gone:?} {version} {path}");
            assert_eq!(told.json()["errors"], serde_json::json!([]));
        }
        assert_eq!(rehearsal.get("/api/v1/packages").await.status, 200);
    }
}
