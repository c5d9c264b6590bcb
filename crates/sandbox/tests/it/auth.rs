use crate::rehearsal::{Rehearsal, Said, assert_shape, assert_wire, said, wire_json};
use reqwest::{Method, StatusCode};
use sandbox::{Account, Privilege};
use serde_json::{Value, json};
use std::time::Duration;

const PING: &str = "/api/v1/jamf-pro-version";

async fn ping(rehearsal: &Rehearsal, token: &str) -> u16 {
    said(rehearsal.anonymous(Method::GET, PING).bearer_auth(token)).await.status
}

async fn client_token(rehearsal: &Rehearsal, path: &str, form: &[(&str, &str)]) -> Said {
    said(rehearsal.anonymous(Method::POST, path).form(form)).await
}

fn credentials(rehearsal: &Rehearsal) -> [(&'static str, &str); 3] {
    let here = rehearsal.sandbox.connection();
    [
        ("grant_type", "client_credentials"),
        ("client_id", &here.client_id),
        ("client_secret", &here.client_secret),
    ]
}

#[tokio::test]
async fn a_users_token_says_when_it_ends_and_ends_then() {
    let rehearsal = Rehearsal::start().await;
    let here = rehearsal.sandbox.connection();
    let request = rehearsal.anonymous(Method::POST, "/api/v1/auth/token");
    let issued = said(request.basic_auth(&here.username, Some(&here.password))).await.json();
    assert_eq!(issued["expires"], "2026-11-20T12:30:00.481Z");

    let token = issued["token"].as_str().unwrap();
    rehearsal.pass(30 * 60 - 1);
    assert_eq!(ping(&rehearsal, token).await, 200);
    rehearsal.pass(1);
    let refused = said(rehearsal.anonymous(Method::GET, PING).bearer_auth(token)).await;
    assert_wire(&refused, StatusCode::UNAUTHORIZED, "auth-token.401.bad-credentials.response.json");
}

#[tokio::test]
async fn wrong_credentials_are_401_with_empty_errors() {
    let rehearsal = Rehearsal::start().await;
    let here = rehearsal.sandbox.connection();
    for (id, secret) in [
        (here.username.as_str(), "wrong"),
        ("nobody", &here.password),
        (&here.client_id, &here.client_secret),
    ] {
        let request = rehearsal.anonymous(Method::POST, "/api/v1/auth/token").basic_auth(id, Some(secret));
        assert_wire(
            &said(request).await,
            StatusCode::UNAUTHORIZED,
            "auth-token.401.bad-credentials.response.json",
        );
    }
    assert_eq!(said(rehearsal.anonymous(Method::POST, "/api/v1/auth/token")).await.status, 401);
}

#[tokio::test]
async fn keep_alive_ends_the_token_that_was_sent() {
    let rehearsal = Rehearsal::start().await;
    rehearsal.pass(20 * 60);
    let renewed = rehearsal.post("/api/v1/auth/keep-alive").await.json();
    assert_eq!(renewed["expires"], "2026-11-20T12:50:00.481Z");
    assert_eq!(ping(&rehearsal, &rehearsal.token).await, 401);
    assert_eq!(ping(&rehearsal, renewed["token"].as_str().unwrap()).await, 200);
}

#[tokio::test]
async fn invalidate_ends_the_token() {
    let rehearsal = Rehearsal::start().await;
    let said = rehearsal.post("/api/v1/auth/invalidate-token").await;
    assert_eq!((said.status, said.body.as_str()), (204, ""));
    assert_eq!(rehearsal.post("/api/v1/auth/invalidate-token").await.status, 401);
}

#[tokio::test]
async fn both_paths_serve_api_clients() {
    let rehearsal = Rehearsal::start().await;
    for path in ["/api/v1/oauth/token", "/api/oauth/token"] {
        let issued = client_token(&rehearsal, path, &credentials(&rehearsal)).await;
        assert_eq!(issued.status, 200, "{issued:?}");
        assert_shape(&issued.json(), &wire_json("oauth-token.200.response.json"));
        assert_eq!(issued.json()["expires_in"], 59);
        let token = issued.json()["access_token"].as_str().unwrap().to_owned();
        rehearsal.pass(59);
        assert_eq!(ping(&rehearsal, &token).await, 200);
        rehearsal.pass(1);
        assert_eq!(ping(&rehearsal, &token).await, 401);
    }
}

#[tokio::test]
async fn a_clients_life_is_settable_and_cannot_be_renewed() {
    let rehearsal = Rehearsal::with(|config| config.client_token_life = Duration::from_secs(1800)).await;
    let issued = client_token(&rehearsal, "/api/v1/oauth/token", &credentials(&rehearsal)).await.json();
    assert_eq!(issued["expires_in"], 1799);
    let token = issued["access_token"].as_str().unwrap();
    let renewal = rehearsal.anonymous(Method::POST, "/api/v1/auth/keep-alive").bearer_auth(token);
    assert_eq!(said(renewal).await.status, 401);
    assert_eq!(ping(&rehearsal, token).await, 200);
}

#[tokio::test]
async fn oauth_errors_are_those_of_rfc_6749() {
    let rehearsal = Rehearsal::start().await;
    let [grant, id, secret] = credentials(&rehearsal);
    let path = "/api/v1/oauth/token";
    for (form, status, example) in [
        (
            vec![("grant_type", "password"), id, secret],
            StatusCode::BAD_REQUEST,
            "oauth-token.400.unsupported-grant-type.response.json",
        ),
        (
            vec![grant, id, secret, ("scope", "api-role:1 api-role:99")],
            StatusCode::BAD_REQUEST,
            "oauth-token.400.invalid-scope.response.json",
        ),
        (
            vec![grant, id, ("client_secret", "wrong")],
            StatusCode::UNAUTHORIZED,
            "oauth-token.401.invalid-client.response.json",
        ),
    ] {
        assert_wire(&client_token(&rehearsal, path, &form).await, status, example);
    }
    assert_eq!(
        client_token(&rehearsal, path, &[grant, id, secret, ("scope", "api-role:1")]).await.status,
        200
    );
}

#[tokio::test]
async fn only_a_form_in_the_body_counts() {
    let rehearsal = Rehearsal::start().await;
    let form = credentials(&rehearsal);
    let body: serde_json::Value = form.iter().map(|(key, value)| (key.to_string(), json!(value))).collect();
    let request = || rehearsal.anonymous(Method::POST, "/api/v1/oauth/token");
    for wrong in [request().query(&form), request().json(&body), request()] {
        let said = said(wrong).await;
        assert_eq!((said.status, said.json()["error"].as_str()), (400, Some("invalid_request")));
    }
}

#[tokio::test]
async fn details_tell_the_privileges() {
    let rehearsal = Rehearsal::with(|config| {
        config.accounts[0] = Account::user("uploader", "secret").without(Privilege::DeletePackages);
    })
    .await;
    let details = rehearsal.get_json("/api/v1/auth").await;
    assert_shape(&details, &wire_json("auth-details.200.user.response.json"));
    let privileges = details["account"]["privilegesBySite"]["-1"].as_array().unwrap();
    assert!(
        privileges.contains(&"Create Packages".into()) && !privileges.contains(&"Delete Packages".into())
    );
}

#[tokio::test]
async fn cookies_are_set_and_come_back_over_plain_http() {
    let rehearsal = Rehearsal::start().await;
    let http = reqwest::Client::builder().no_proxy().cookie_store(true).build().unwrap();
    let cookies = async || {
        let response = http.get(rehearsal.url("/api/v1/health-check")).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::NO_CONTENT);
        let mut names: Vec<String> = response.cookies().map(|cookie| cookie.name().to_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(cookies().await, ["APBALANCEID", "JSESSIONID", "jpro-ingress"]);
    assert_eq!(cookies().await, [""; 0]);
}

/// What the signed-in account may do, as it is told to it.
async fn told(version: &str, account: Account) -> (Value, Vec<String>) {
    let rehearsal = Rehearsal::with(|config| {
        config.version = version.to_owned();
        config.accounts[0] = account;
    })
    .await;
    let account = rehearsal.get_json("/api/v1/auth").await["account"].clone();
    let names = account["privilegesBySite"]["-1"].as_array().unwrap().iter();
    let names = names.map(|name| name.as_str().unwrap().to_owned()).collect();
    (account, names)
}

#[tokio::test]
async fn privileges_are_told_by_the_names_of_the_version() {
    for (version, service) in
        [("11.19.0", "Content Distribution Server"), ("11.20.0", "Cloud Distribution Service")]
    {
        let (_, names) = told(version, Account::user("user", "secret")).await;
        let jcds: Vec<_> = names.iter().filter(|name| name.contains("Distribution S")).collect();
        let expected = ["Read", "Create", "Delete"].map(|verb| format!("{verb} Jamf {service} Files"));
        assert_eq!(jcds, expected.iter().collect::<Vec<_>>(), "{version}");
        assert_eq!(names.len(), Privilege::ALL.len());
    }
}

#[tokio::test]
async fn a_privilege_that_is_missing_is_not_told_and_an_administrator_has_all() {
    let limited = Account::user("user", "secret").without(Privilege::UpdatePackages);
    let (account, names) = told("11.30.1", limited).await;
    assert_eq!((&account["privilegeSet"], names.len()), (&"CUSTOM".into(), Privilege::ALL.len() - 1));
    assert!(!names.contains(&"Update Packages".to_owned()));

    let (account, names) = told("11.30.1", Account::administrator("admin", "secret")).await;
    assert_eq!((&account["privilegeSet"], names.len()), (&"ADMINISTRATOR".into(), 0));
}

#[tokio::test]
async fn divisions_came_with_11_29_1() {
    for (version, has_it) in [("11.29.0", false), ("11.29.1", true)] {
        let (account, _) = told(version, Account::user("user", "secret")).await;
        assert_eq!(account.get("currentDivisionId").is_some(), has_it, "{version}");
    }
}
