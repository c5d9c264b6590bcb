//! What is found, and how a test hears of it.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails, helpers included")]

use contract::{Schema, watched, watched_for_its_answers};
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use pipeline::SimulatedClock;
use proptest::prelude::*;
use sandbox::{Config, Exchange, JcdsGone, Sandbox};
use serde_json::{Value, json};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, OnceLock};

fn config(version: &str) -> Config {
    let clock = Arc::new(SimulatedClock::at("2026-11-20T12:00:00Z".parse().unwrap()));
    let mut config = Config::new("unused".into(), clock);
    config.version = version.to_owned();
    config
}

fn current() -> &'static Schema {
    static CURRENT: OnceLock<Schema> = OnceLock::new();
    CURRENT.get_or_init(|| Schema::of(&config("11.30.1")).unwrap())
}

fn typed(mime: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if !mime.is_empty() {
        headers.insert("content-type", HeaderValue::from_str(mime).unwrap());
    }
    headers
}

/// `METHOD /path`, what is sent, and what comes back, both as JSON; `null` is no body.
fn exchange(call: &str, sent: &Value, status: u16, answer: &Value) -> Exchange {
    let (method, uri) = call.split_once(' ').unwrap();
    let body = |value: &Value| if value.is_null() { Vec::new() } else { value.to_string().into_bytes() };
    let mime = |value: &Value| typed(if value.is_null() { "" } else { "application/json" });
    Exchange {
        method: method.parse().unwrap(),
        uri: uri.parse::<Uri>().unwrap(),
        headers: mime(sent),
        body: Some(body(sent)),
        status: StatusCode::from_u16(status).unwrap(),
        answer_headers: mime(answer),
        answer: body(answer),
    }
}

fn found(schema: &Schema, exchange: &Exchange) -> String {
    let found = schema.violations(exchange);
    found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn told(call: &str, sent: &Value, status: u16, answer: &Value) -> String {
    found(current(), &exchange(call, sent, status, answer))
}

fn category() -> Value {
    json!({ "name": "Applications", "priority": 9 })
}

#[test]
fn what_is_right_passes() {
    let made = json!({ "id": "1", "href": "https://jamf.example.com/api/v1/categories/1" });
    let sent = json!({ "name": "Applications", "priority": 9, "more": "than the schema knows" });
    for (call, sent, status, answer) in [
        ("POST /api/v1/categories", &sent, 201, &made),
        (
            "GET /api/v1/packages?page=0&page-size=100&sort=id:asc&sort=fileName:desc",
            &Value::Null,
            200,
            &json!({ "totalCount": 0, "results": [] }),
        ),
        ("DELETE /api/v1/packages/42", &Value::Null, 204, &Value::Null),
        ("POST /api/v1/auth/token", &Value::Null, 401, &json!({ "httpStatus": 401, "errors": [] })),
        ("GET /JSSResource/packages", &Value::Null, 200, &json!({ "packages": [] })),
        ("GET /api/schema/", &Value::Null, 200, &json!({ "openapi": "3.0.1" })),
        ("GET /api/v1/packages/42", &Value::Null, 500, &Value::Null),
    ] {
        assert_eq!(told(call, sent, status, answer), "", "{call}");
    }
}

#[test]
fn wrong_requests_are_told() {
    let made = json!({ "id": "1", "href": "https://jamf.example.com/api/v1/categories/1" });
    let no_rows = json!({ "totalCount": 0, "results": [] });
    let list = |query: &str| told(&format!("GET /api/v1/packages?{query}"), &Value::Null, 200, &no_rows);
    let create = |sent: &Value| told("POST /api/v1/categories", sent, 201, &made);
    insta::assert_snapshot!(told("GET /api/v1/computers", &Value::Null, 404, &Value::Null), @"GET /api/v1/computers → 404: version 11.30.1 has no such call");
    insta::assert_snapshot!(told("GET /packages", &Value::Null, 404, &Value::Null), @"GET /packages → 404: version 11.30.1 has no such call");
    insta::assert_snapshot!(told("PATCH /api/v1/packages/42", &category(), 405, &Value::Null), @"PATCH /api/v1/packages/42 → 405: version 11.30.1 has no such call");
    insta::assert_snapshot!(list("pagesize=3"), @r#"GET /api/v1/packages → 200: the call has no parameter "pagesize""#);
    insta::assert_snapshot!(list("page=first"), @r#"GET /api/v1/packages → 200: parameter "page": "first" is not of type "integer""#);
    insta::assert_snapshot!(create(&Value::Null), @"POST /api/v1/categories → 201: the request has no body, and the call needs one");
    insta::assert_snapshot!(create(&json!({ "name": "Applications", "priority": "9" })), @r#"POST /api/v1/categories → 201: request body at /priority: "9" is not of type "integer""#);
    insta::assert_snapshot!(create(&json!({ "name": "Applications" })), @r#"POST /api/v1/categories → 201: request body: "priority" is a required property"#);
    insta::assert_snapshot!(
        told("POST /api/v1/cloud-distribution-point/fail-upload/42?type=PACKAGE", &Value::Null, 204, &Value::Null), @r#"POST /api/v1/cloud-distribution-point/fail-upload/42 → 204: the query lacks "file-name""#);
    insta::assert_snapshot!(
        told(&format!("POST /api/v1/jcds/refresh-inventory?file-name={}", "a".repeat(256)), &Value::Null, 204, &Value::Null), @r#"POST /api/v1/jcds/refresh-inventory → 204: parameter "file-name": value is longer than 255 characters"#);
    insta::assert_snapshot!(told("DELETE /api/v1/packages/42", &json!({}), 204, &Value::Null), @"DELETE /api/v1/packages/42 → 204: the request has a body, and the call takes none");
}

#[test]
fn bodies_are_of_the_types_that_a_call_takes() {
    let token =
        json!({ "access_token": "t", "scope": "api-role:1", "token_type": "Bearer", "expires_in": 59 });
    let form = "grant_type=client_credentials&client_id=a&client_secret=b";
    let sign_in = |mime: &str, body: &str| {
        let mut exchange = exchange("POST /api/oauth/token", &Value::Null, 200, &token);
        exchange.headers = typed(mime);
        exchange.body = Some(body.as_bytes().to_vec());
        found(current(), &exchange)
    };
    assert_eq!(sign_in("application/x-www-form-urlencoded; charset=UTF-8", form), "");
    insta::assert_snapshot!(sign_in("application/x-www-form-urlencoded", "grant_type=client_credentials&client_id=a"), @r#"POST /api/oauth/token → 200: request body: "client_secret" is a required property"#);
    insta::assert_snapshot!(sign_in("application/json", "{}"), @r#"POST /api/oauth/token → 200: the request is "application/json", and the call takes application/x-www-form-urlencoded"#);

    let made = json!({ "id": "42", "href": "https://jamf.example.com/api/v1/packages/42/upload/42" });
    let mut upload = exchange("POST /api/v1/packages/42/upload", &Value::Null, 201, &made);
    upload.body = None;
    insta::assert_snapshot!(found(current(), &upload), @r#"POST /api/v1/packages/42/upload → 201: the request is "", and the call takes multipart/form-data"#);
    upload.headers = typed("multipart/form-data; boundary=x");
    assert_eq!(found(current(), &upload), "");
}

#[test]
fn wrong_answers_are_told() {
    let get = |status, answer: &Value| told("GET /api/v1/categories/7", &Value::Null, status, answer);
    insta::assert_snapshot!(get(200, &json!({ "id": 7, "name": "Applications", "priority": 9 })), @r#"GET /api/v1/categories/7 → 200: answer at /id: 7 is not of type "string""#);
    insta::assert_snapshot!(get(200, &json!({ "id": "7", "name": "Applications" })), @r#"GET /api/v1/categories/7 → 200: answer: "priority" is a required property"#);
    insta::assert_snapshot!(get(200, &json!({ "id": "7", "name": "Applications", "priority": 9, "color": "red" })), @"GET /api/v1/categories/7 → 200: answer: Additional properties are not allowed ('color' was unexpected)");
    insta::assert_snapshot!(get(200, &Value::Null), @r#"GET /api/v1/categories/7 → 200: the answer is "" and not application/json"#);
    insta::assert_snapshot!(get(202, &category()), @"GET /api/v1/categories/7 → 202: the call does not end in this status, but in 200, 404");
    insta::assert_snapshot!(get(404, &json!({ "message": "not found" })), @"GET /api/v1/categories/7 → 404: answer: Additional properties are not allowed ('message' was unexpected)");
    insta::assert_snapshot!(told("DELETE /api/v1/categories/7", &Value::Null, 204, &json!({})), @"DELETE /api/v1/categories/7 → 204: the answer has a body, and this status has none");
    insta::assert_snapshot!(told("POST /api/v1/oauth/token", &Value::Null, 401, &json!({ "httpStatus": 401, "errors": [] })), @r#"
    POST /api/v1/oauth/token → 401: the request has no body, and the call needs one
    POST /api/v1/oauth/token → 401: answer: Additional properties are not allowed ('httpStatus', 'errors' were unexpected)
    POST /api/v1/oauth/token → 401: answer: "error" is a required property
    "#);
}

#[test]
fn pages_come_from_what_stands_in_front_of_a_server() {
    let page = |status| {
        let mut exchange = exchange("GET /api/v1/packages", &Value::Null, status, &Value::Null);
        exchange.answer_headers = typed("text/html");
        exchange.answer = b"<html>".to_vec();
        found(current(), &exchange)
    };
    for status in [403, 413, 502, 503, 504] {
        assert_eq!(page(status), "", "{status}");
    }
    insta::assert_snapshot!(page(404), @r#"GET /api/v1/packages → 404: the answer is "text/html" and not application/json"#);
    insta::assert_snapshot!(page(200), @r#"GET /api/v1/packages → 200: the answer is "text/html" and not application/json"#);
}

#[test]
fn calls_of_other_versions_may_be_tried_and_not_had() {
    let early = Schema::of(&config("11.4.0")).unwrap();
    let late = Schema::of(&Config { jcds_gone: Some(JcdsGone::Gone), ..config("11.30.1") }).unwrap();
    let gone = json!({ "httpStatus": 410, "errors": [] });
    let list = |status| {
        exchange("GET /api/v1/packages", &Value::Null, status, &json!({ "totalCount": 0, "results": [] }))
    };
    let jcds = exchange("GET /api/v1/jcds/files", &Value::Null, 410, &gone);
    assert_eq!(found(&late, &jcds), "");
    assert_eq!(found(&early, &exchange("GET /api/v1/packages", &Value::Null, 404, &Value::Null)), "");
    insta::assert_snapshot!(found(&early, &list(200)), @"GET /api/v1/packages → 200: version 11.4.0 has no such call");
}

/// The examples are what servers were seen to say, or what follows from it (`fixtures/wire`).
#[test]
fn the_examples_are_as_the_schema_has_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/wire");
    let calls = [
        ("auth-token.401", "POST /api/v1/auth/token"),
        ("auth-details", "GET /api/v1/auth"),
        ("categories.list", "GET /api/v1/categories"),
        ("category.get", "GET /api/v1/categories/7"),
        ("category.create", "POST /api/v1/categories"),
        ("cdp.get", "GET /api/v1/cloud-distribution-point"),
        ("cdp.upload-capability", "GET /api/v1/cloud-distribution-point/upload-capability"),
        ("cdp.files", "GET /api/v1/cloud-distribution-point/files"),
        ("jcds.files.list", "GET /api/v1/jcds/files"),
        ("jcds.files.initiate", "POST /api/v1/jcds/files"),
        ("packages-v1.list", "GET /api/v1/packages"),
        ("packages-v1.get", "GET /api/v1/packages/42"),
        ("packages-v1.upload", "POST /api/v1/packages/42/upload"),
        ("pro-api.40", "GET /api/v1/packages/42"),
    ];
    let mut held = 0;
    let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    names.sort();
    for path in names {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let call =
            calls.iter().find(|(prefix, _)| name.starts_with(prefix) && name.ends_with(".response.json"));
        let Some((_, call)) = call else { continue };
        let status = name.split('.').find_map(|part| part.parse::<u16>().ok()).unwrap();
        let answer: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let exchange = exchange(call, &Value::Null, status, &answer);
        let wrong: Vec<_> =
            current().violations(&exchange).into_iter().filter(|found| !found.is_of_request()).collect();
        assert!(wrong.is_empty(), "{name}: {wrong:?}");
        held += 1;
    }
    assert!(held > 15, "{held}");
}

/// A server whose requests are held against its schema, and what the end of it says.
async fn end_of(watch: fn(Config) -> Config, calls: &[(&str, &str)]) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let server =
        Sandbox::start(watch(Config { data: folder.path().to_owned(), ..config("11.30.1") })).await.unwrap();
    let here = server.connection().clone();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let sign_in = http.post(format!("{}/api/v1/auth/token", here.jss_url));
    let token = sign_in.basic_auth(&here.username, Some(&here.password)).send().await.unwrap();
    let token: Value = serde_json::from_str(&token.text().await.unwrap()).unwrap();
    for (path, body) in calls {
        let request =
            http.post(format!("{}{path}", here.jss_url)).bearer_auth(token["token"].as_str().unwrap());
        let request = request.header("content-type", "application/json").body((*body).to_owned());
        request.send().await.unwrap().text().await.unwrap();
    }
    let ended = catch_unwind(AssertUnwindSafe(|| drop(server)));
    ended.err().map(|panic| panic.downcast_ref::<String>().unwrap().clone())
}

#[tokio::test]
async fn a_server_that_is_watched_ends_its_test_if_something_was_wrong() {
    let right = ("/api/v1/categories", r#"{ "name": "Applications", "priority": 9 }"#);
    let refused = ("/api/v1/categories", r#"{ "name": "Others" }"#);
    let unknown = ("/api/v1/nothing", "");
    assert_eq!(end_of(watched, &[right]).await, None);
    insta::assert_snapshot!(end_of(watched, &[right, refused, refused, unknown]).await.unwrap(), @r#"
    not as the schema of Jamf Pro 11.30.1 has it:
      POST /api/v1/categories → 400: request body: "priority" is a required property
      POST /api/v1/nothing → 404: version 11.30.1 has no such call
    "#);
    assert_eq!(end_of(watched_for_its_answers, &[right, refused, unknown]).await, None);
    // Accepted by the server, and not by the schema.
    let odd = ("/api/v1/auth/keep-alive", "{}");
    insta::assert_snapshot!(end_of(watched_for_its_answers, &[odd]).await.unwrap(), @"
    not as the schema of Jamf Pro 11.30.1 has it:
      POST /api/v1/auth/keep-alive → 200: the request has a body, and the call takes none
    ");
}

proptest! {
    /// Whatever is said, it is judged.
    #[test]
    fn nothing_makes_it_stumble(
        path in "/(api|JSSResource)?(/[a-z0-9{}%. -]{0,8}){0,5}",
        query in "[a-z=&%0-9:-]{0,20}",
        status in 100_u16..600,
        mime in prop_oneof!["application/json", "text/html", "[a-z/;]{0,12}"],
        body in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let Ok(uri) = format!("{path}?{query}").parse::<Uri>() else { return Ok(()) };
        let exchange = Exchange {
            method: "POST".parse().unwrap(),
            uri,
            headers: typed(&mime),
            body: Some(body.clone()),
            status: StatusCode::from_u16(status).unwrap(),
            answer_headers: typed(&mime),
            answer: body,
        };
        for violation in current().violations(&exchange) {
            prop_assert!(!violation.to_string().is_empty());
        }
    }
}

/// The sources of tests in a folder, and what they are called.
fn sources(folder: &Path) -> Vec<(String, String)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| match path.extension() {
            _ if path.is_dir() => sources(&path),
            Some(extension) if extension == "rs" => {
                vec![(path.display().to_string(), std::fs::read_to_string(&path).unwrap())]
            }
            _ => Vec::new(),
        })
        .collect()
}

/// A server that nobody watches would be one that may say, and be asked, whatever its author believed. Only the rehearsal's own
/// tests have some: they ask for calls that no version has, and start servers that do not start.
#[test]
fn every_server_of_the_tests_is_watched() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let crates = std::fs::read_dir(crates).unwrap().map(|entry| entry.unwrap().path());
    let others = crates.filter(|path| !path.ends_with("sandbox"));
    let sources: Vec<_> = others.flat_map(|path| sources(&path.join("tests"))).collect();
    // In two pieces, since this file is among them.
    let call = ["Sandbox::", "start("].concat();
    let mut started = 0;
    for (name, source) in &sources {
        for start in source.split(&call).skip(1) {
            let argument: String = start.chars().take(40).collect();
            assert!(argument.contains("watch"), "{name}: {call}{argument}…");
            started += 1;
        }
    }
    assert!(started >= 9, "{started} starts were found");
}
