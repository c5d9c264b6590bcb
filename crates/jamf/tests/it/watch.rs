//! Calls are held against what the server says of them.

use crate::stub::{CLIENT, Reply, Rig, Seen, Stub, env, signed_in};
use jamf::{Config, Fact, Notes};
use pipeline::Access;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

const SCHEMA: &str = r#"{ "openapi": "3.0.1", "paths": {
    "/v1/jcds/files": {
        "get": { "deprecated": true, "x-deprecation-date": "2025-08-28" },
        "post": { "deprecated": true, "x-deprecation-date": "2025-08-28" } },
    "/v1/packages": { "get": {}, "post": {} },
    "/v1/packages/{id}/upload": { "post": {} },
    "/v1/categories": { "get": { "deprecated": true, "x-deprecation-date": "2027-01-31" } }
} }"#;

#[derive(Debug, Default)]
struct Kept(Mutex<HashMap<String, String>>);

impl Notes for Kept {
    fn get(&self, key: &str) -> Option<String> {
        self.0.lock().unwrap().get(key).cloned()
    }

    fn put(&self, key: &str, value: &str) {
        self.0.lock().unwrap().insert(key.to_owned(), value.to_owned());
    }
}

fn rig(url: &str, notes: &Arc<Kept>) -> Rig {
    let config = Config { notes: Some(Arc::clone(notes) as _), ..Config::default() };
    Rig::with(url, CLIENT, Access::ReadWrite, config)
}

/// A server of this version, with that answer for its schema.
fn server(
    version: &'static str,
    schema: impl Fn() -> Reply + Send + 'static,
) -> impl FnMut(&Seen) -> Reply + Send + 'static {
    signed_in(move |seen| match seen.target.split('?').next().unwrap() {
        "/api/v1/jamf-pro-version" => {
            Reply::new(200, format!(r#"{{ "version" : "{version}-t1784555528405" }}"#))
        }
        "/api/schema/" => schema(),
        "/api/v1/jcds/files" => Reply::new(200, "[]"),
        _ => Reply::list(&[]),
    })
}

#[tokio::test]
async fn a_family_of_calls_is_warned_about_once_a_run_and_the_schema_read_once_a_version() {
    let stub = Stub::start(server("11.30.1", || Reply::new(200, SCHEMA))).await;
    let notes = Arc::default();
    let one = rig(&stub.url, &notes);
    for _ in 0..2 {
        one.session.jcds_files_now(&one.cx).await.unwrap();
        one.session.category_named(&one.cx, "Apps").await.unwrap();
        one.session.packages_displayed_as(&one.cx, "App").await.unwrap();
    }
    // Another account of the same run.
    let other =
        one.sessions.open(&env(&[("JSS_URL", &stub.url), ("CLIENT_ID", "2"), ("CLIENT_SECRET", "hush")]));
    other.unwrap().jcds_files(&one.cx).await.unwrap();
    insta::assert_snapshot!(one.notices().join("\n"), @r"
    Jamf marked /v1/jcds/* deprecated on 2025-08-28; they are still served; `route: packages-api` does without them
    Jamf marked /v1/categories/* deprecated on 2027-01-31; they are still served; look for a newer pkgferry that does without them
    ");
    let lines = stub.lines();
    assert!(
        lines.starts_with("GET /api/v1/jamf-pro-version\nGET /api/schema/\nGET /api/v1/jcds/files\n"),
        "{lines}"
    );
    assert_eq!(lines.matches("/api/schema/").count(), 1);
    assert_eq!(stub.calls()[1].header("authorization"), None);

    let begun = stub.calls().len();
    let next = rig(&stub.url, &notes);
    next.session.jcds_files(&next.cx).await.unwrap();
    let seen: Vec<_> = stub.calls()[begun..].iter().map(Seen::line).collect();
    assert_eq!(seen, ["GET /api/v1/jamf-pro-version", "GET /api/v1/jcds/files"]);
    assert_eq!(next.notices().len(), 1);
    let Fact::Told(served) = next.session.served(&next.cx).await.unwrap() else { panic!("not told") };
    assert!(served.has("POST", "/v1/packages/{id}/upload") && !served.has("DELETE", "/v1/packages/{id}"));
    assert_eq!(stub.calls().len(), begun + 2);
}

#[tokio::test]
async fn a_new_version_is_asked_anew() {
    let notes = Arc::default();
    let version = Arc::new(Mutex::new("11.30.1"));
    let now = Arc::clone(&version);
    let stub = Stub::start(signed_in(move |seen| match seen.target.as_str() {
        "/api/v1/jamf-pro-version" => {
            Reply::new(200, format!(r#"{{ "version" : "{}" }}"#, now.lock().unwrap()))
        }
        "/api/schema/" => Reply::new(200, SCHEMA),
        _ => Reply::new(200, "[]"),
    }))
    .await;
    for (told, schemas) in [("11.30.1", 1), ("11.30.1", 1), ("11.31.0", 2)] {
        *version.lock().unwrap() = told;
        let rig = rig(&stub.url, &notes);
        rig.session.jcds_files(&rig.cx).await.unwrap();
        assert_eq!(stub.lines().matches("/api/schema/").count(), schemas);
    }
}

#[tokio::test]
async fn a_schema_that_is_not_to_be_had_fails_nothing() {
    for (version, warnings) in [("11.24.0", 1), ("11.23.2", 0)] {
        for (status, body, is_final) in [
            (404, "", true),
            (401, "", true),
            (302, "", false),
            (500, "", false),
            (200, "<html>", true),
            (200, "{}", true),
            (200, r#"{"paths":{}}"#, true),
        ] {
            let stub = Stub::start(server(version, move || Reply::new(status, body))).await;
            let notes = Arc::default();
            for run in 1..=2 {
                let rig = rig(&stub.url, &notes);
                rig.session.jcds_files(&rig.cx).await.unwrap();
                rig.session.jcds_files_now(&rig.cx).await.unwrap();
                assert_eq!(rig.session.served(&rig.cx).await.unwrap(), Fact::NotServed);
                assert_eq!(rig.notices().len(), warnings, "{:?}", rig.notices());
                assert_eq!(rig.elapsed(), 0.0, "nobody waits for it");
                let asked = if is_final { 1 } else { run };
                assert_eq!(stub.lines().matches("/api/schema/").count(), asked, "{status} {body}");
            }
        }
    }
}

#[tokio::test]
async fn a_version_that_is_not_to_be_had_fails_nothing_either() {
    let stub = Stub::start(signed_in(|seen| match seen.target.as_str() {
        "/api/v1/jcds/files" => Reply::new(200, "[]"),
        _ => Reply::new(500, ""),
    }))
    .await;
    let rig = rig(&stub.url, &Arc::default());
    rig.session.jcds_files(&rig.cx).await.unwrap();
    rig.session.jcds_files_now(&rig.cx).await.unwrap();
    insta::assert_snapshot!(stub.lines(), @r"
    GET /api/v1/jamf-pro-version
    GET /api/schema/
    GET /api/v1/jcds/files
    GET /api/v1/jcds/files
    ");
    assert_eq!(rig.notices(), Vec::<String>::new());
}

/// The schema is megabytes: without a place to keep it nobody asks for it of his own accord.
#[tokio::test]
async fn without_notes_what_is_known_has_to_do() {
    let stub = Stub::start(server("11.30.1", || Reply::new(200, SCHEMA))).await;
    let rig = Rig::new(&stub.url);
    rig.session.jcds_files(&rig.cx).await.unwrap();
    assert_eq!((stub.calls().len(), rig.notices().len()), (1, 0));
    rig.session.version(&rig.cx).await.unwrap();
    rig.session.category_named(&rig.cx, "Apps").await.unwrap();
    assert_eq!(rig.notices().len(), 0);
    rig.session.jcds_files_now(&rig.cx).await.unwrap();
    assert_eq!(rig.notices().len(), 1);
    rig.session.served(&rig.cx).await.unwrap();
    rig.session.category_named(&rig.cx, "Tools").await.unwrap();
    assert_eq!(rig.notices().len(), 2);
    assert_eq!(stub.calls().len(), 6);
}
