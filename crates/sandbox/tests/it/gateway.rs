//! The gateway of the Platform API in front of the Jamf side (`jamf-pro-api.md §14`).

use crate::rehearsal::{Rehearsal, Said, assert_shape, assert_wire, form, payload, said, wire_json};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use sandbox::{Account, Addressing, Config, Gateway, GatewayConnection, Privilege, Side, TokenPath};
use serde_json::{Value, json};
use std::time::Duration;

const TENANT: &str = "1f0e2d3c-4b5a-4978-8a9b-0c1d2e3f4a5b";
const OTHER: &str = "00000000-4b5a-4978-8a9b-0c1d2e3f4a5b";
const APP: &str = "ExampleApp-1.2.3.pkg";

/// A server behind its gateway, and a client that is signed in.
struct Gated {
    inner: Rehearsal,
    here: GatewayConnection,
}

fn gateway(change: impl FnOnce(&mut Gateway)) -> impl FnOnce(&mut Config) {
    |config| {
        let mut gateway = Gateway::new(TENANT.parse().unwrap());
        change(&mut gateway);
        config.gateway = Some(gateway);
    }
}

impl Gated {
    async fn start() -> Self {
        Self::with(gateway(|_| {})).await
    }

    async fn with(configure: impl FnOnce(&mut Config)) -> Self {
        let inner = Rehearsal::not_signed_in(configure).await;
        let here = inner.sandbox.connection().gateway.clone().unwrap();
        let mut gated = Self { inner, here };
        gated.inner.token = gated.token().await;
        gated.inner.sandbox.clear_journal();
        gated
    }

    async fn sign_in(&self, url: &str) -> Said {
        let here = self.inner.sandbox.connection();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &here.client_id),
            ("client_secret", &here.client_secret),
        ];
        said(self.inner.http.post(url).form(&form)).await
    }

    async fn token(&self) -> String {
        let said = self.sign_in(&self.here.token_url).await;
        said.json()["access_token"].as_str().unwrap().to_owned()
    }

    fn anonymous(&self, method: Method, url: &str) -> RequestBuilder {
        let request = self.inner.http.request(method, url);
        match &self.here.header {
            Some((name, value)) => request.header(*name, value),
            None => request,
        }
    }

    fn request(&self, method: Method, url: &str) -> RequestBuilder {
        self.anonymous(method, url).bearer_auth(&self.inner.token)
    }

    fn pro(&self, method: Method, path: &str) -> RequestBuilder {
        self.request(method, &format!("{}{path}", self.here.pro_url))
    }

    fn classic(&self, method: Method, path: &str) -> RequestBuilder {
        self.request(method, &format!("{}{path}", self.here.classic_url))
    }

    async fn get(&self, path: &str) -> Said {
        said(self.pro(Method::GET, path)).await
    }
}

fn header<'r>(response: &'r Response, name: &str) -> &'r str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

fn limits(response: &Response) -> [&str; 4] {
    ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after"]
        .map(|name| header(response, name))
}

#[tokio::test]
async fn the_connection_tells_the_addresses() {
    let gated = Gated::start().await;
    let base = &gated.inner.sandbox.connection().jss_url;
    let shown = format!("{:#?}", gated.here).replace(base, "");
    insta::assert_snapshot!(shown, @r#"
    GatewayConnection {
        token_url: "/auth/token",
        pro_url: "/api/pro/v1/tenant/1f0e2d3c-4b5a-4978-8a9b-0c1d2e3f4a5b",
        classic_url: "/api/proclassic/tenant/1f0e2d3c-4b5a-4978-8a9b-0c1d2e3f4a5b",
        header: None,
    }
    "#);
    assert_eq!(Rehearsal::start().await.sandbox.connection().gateway, None);
}

#[tokio::test]
async fn a_client_gets_a_token_for_900_seconds() {
    let gated = Gated::start().await;
    let issued = gated.sign_in(&gated.here.token_url).await;
    assert_eq!(issued.status, 200);
    assert_shape(&issued.json(), &wire_json("platform.auth-token.200.response.json"));
    assert_eq!(issued.json()["expires_in"], 900);
    assert_eq!(gated.get("/jamf-pro-version").await.status, 200);
    gated.inner.pass(899);
    assert_eq!(gated.get("/jamf-pro-version").await.status, 200);
    gated.inner.pass(1);
    assert_eq!(gated.get("/jamf-pro-version").await.status, 401);
}

#[tokio::test]
async fn the_life_of_a_token_is_settable() {
    let gated = Gated::with(gateway(|gateway| gateway.token_life = Duration::from_secs(5))).await;
    assert_eq!(gated.sign_in(&gated.here.token_url).await.json()["expires_in"], 5);
    gated.inner.pass(5);
    assert_eq!(gated.get("/packages").await.status, 401);
}

#[tokio::test]
async fn the_token_path_is_one_of_two() {
    for (token_path, there, absent) in [
        (TokenPath::Auth, "/auth/token", "/oauth2/token"),
        (TokenPath::OAuth2, "/oauth2/token", "/auth/token"),
    ] {
        let gated = Gated::with(gateway(|gateway| gateway.token_path = token_path)).await;
        assert_eq!(gated.sign_in(&gated.inner.url(there)).await.status, 200);
        assert_eq!(gated.sign_in(&gated.inner.url(absent)).await.status, 404);
    }
}

#[tokio::test]
async fn a_sign_in_fails_as_rfc_6749_has_it() {
    let gated = Gated::start().await;
    let here = gated.inner.sandbox.connection();
    let sign_in = async |id: &str, secret: &str| {
        let form = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
        said(gated.inner.http.post(&gated.here.token_url).form(&form)).await
    };
    let wrong = sign_in(&here.client_id, "wrong").await;
    assert_wire(&wrong, StatusCode::UNAUTHORIZED, "oauth-token.401.invalid-client.response.json");
    assert_eq!(sign_in(&here.username, &here.password).await.status, 401, "users have no way in");
    assert_eq!(said(gated.inner.http.post(&gated.here.token_url)).await.json()["error"], "invalid_request");
}

#[tokio::test]
async fn the_pro_api_is_there_under_other_addresses() {
    let gated = Gated::start().await;
    let record = json!({
        "packageName": "in/out & C#.pkg", "fileName": "in/out & C#.pkg", "categoryId": "-1", "priority": 10,
        "fillUserTemplate": false, "rebootRequired": false, "osInstall": false, "suppressUpdates": false,
        "suppressFromDock": false, "suppressEula": false, "suppressRegistration": false,
    });
    let created = said(gated.pro(Method::POST, "/packages").json(&record)).await;
    assert_eq!(created.status, 201);
    // The server behind the gateway does not know how it was reached.
    assert_eq!(created.json()["href"], gated.inner.url("/api/v1/packages/1"));
    assert_eq!(gated.get("/packages/1").await.json()["packageName"], "in/out & C#.pkg");
    let filter = [("filter", r#"fileName=="in/out & C#.pkg""#), ("page-size", "1")];
    assert_eq!(said(gated.pro(Method::GET, "/packages").query(&filter)).await.json()["totalCount"], 1);

    gated.inner.sandbox.put_file("in/out & C#.pkg", b"bytes");
    assert_eq!(gated.get("/jcds/files/in%2Fout%20%26%20C%23.pkg").await.status, 200);
    let refresh = "/cloud-distribution-point/refresh-inventory?file-name=in%2Fout%20%26%20C%23.pkg";
    assert_eq!(said(gated.pro(Method::POST, refresh)).await.status, 204);
    assert_eq!(said(gated.pro(Method::DELETE, "/packages/1")).await.status, 204);
}

#[tokio::test]
async fn the_classic_api_is_there_too() {
    let gated = Gated::start().await;
    let xml = "<package><name>A &amp; B</name><filename>App.pkg</filename></package>";
    let create = gated.classic(Method::POST, "/packages/id/0").header("content-type", "application/xml");
    assert_eq!(said(create.body(xml)).await.status, 201);
    let read = gated.classic(Method::GET, "/packages/name/A%20%26%20B").header("accept", "application/json");
    assert_eq!(said(read).await.json()["package"]["filename"], "App.pkg");
}

#[tokio::test]
async fn another_version_of_the_pro_api_is_another_address() {
    let gated = Gated::start().await;
    let v2 = format!("{}/packages", gated.here.pro_url.replace("/v1/", "/v2/"));
    let absent = said(gated.request(Method::GET, &v2)).await;
    assert_eq!((absent.status, absent.json()["errors"].clone()), (404, json!([])));
}

#[tokio::test]
async fn the_direct_addresses_are_absent() {
    let gated = Gated::start().await;
    for (method, path) in [
        (Method::GET, "/"),
        (Method::GET, "/api/v1/packages"),
        (Method::GET, "/api/v1/jamf-pro-version"),
        (Method::GET, "/api/v1/health-check"),
        (Method::POST, "/api/v1/jcds/files"),
        (Method::POST, "/api/v1/auth/token"),
        (Method::POST, "/api/v1/oauth/token"),
        (Method::POST, "/api/oauth/token"),
        (Method::GET, "/JSSResource/packages"),
        (Method::DELETE, "/JSSResource/packages/id/1"),
        (Method::GET, "/api/pro/v1/packages"),
        (Method::GET, "/pro/v1/packages"),
    ] {
        let absent = said(gated.request(method, &gated.inner.url(path))).await;
        assert_eq!((absent.status, absent.body.as_str()), (404, "404 page not found\n"), "{path}");
    }
}

#[tokio::test]
async fn sign_in_calls_of_the_server_are_absent() {
    let gated = Gated::start().await;
    for (method, path) in [
        (Method::POST, "/auth/token"),
        (Method::POST, "/auth/keep-alive"),
        (Method::POST, "/auth/invalidate-token"),
        (Method::GET, "/auth/current"),
        (Method::GET, "/auth"),
        (Method::POST, "/oauth/token"),
    ] {
        let absent = said(gated.pro(method, path)).await;
        assert_eq!((absent.status, absent.json()["errors"].clone()), (404, json!([])), "{path}");
    }
    assert_eq!(gated.get("/packages").await.status, 200, "the token is alive");
}

#[tokio::test]
async fn another_tenant_is_refused() {
    let gated = Gated::start().await;
    for base in [&gated.here.pro_url, &gated.here.classic_url] {
        let url = format!("{}/packages", base.replace(TENANT, OTHER));
        let refused = said(gated.request(Method::GET, &url)).await;
        assert_eq!(refused.status, 403);
        let error = &refused.json()["errors"][0];
        assert_eq!(error["code"], "OWNERSHIP_FORBIDDEN");
        assert_eq!(error["description"], format!("Tenant '{OTHER}' is not part of your organization"));
    }
    let upper_case = gated.here.pro_url.replace(TENANT, &TENANT.to_uppercase());
    assert_eq!(said(gated.request(Method::GET, &format!("{upper_case}/packages"))).await.status, 403);
}

#[tokio::test]
async fn without_a_token_nothing_is_served() {
    let gated = Gated::start().await;
    for base in [&gated.here.pro_url, &gated.here.classic_url] {
        let url = format!("{base}/packages");
        let missing = said(gated.anonymous(Method::GET, &url)).await;
        assert_eq!(missing.status, 401);
        assert_eq!(missing.body, r#"{"httpStatus":401,"message":"unauthorized access"}"#);
        for request in [
            gated.anonymous(Method::GET, &url).bearer_auth("nobody's"),
            gated.anonymous(Method::GET, &url).basic_auth("user", Some("password")),
        ] {
            let refused = said(request).await;
            assert_eq!((refused.status, refused.body.as_str()), (401, "Authentication failed\n"));
            assert!(refused.mime.starts_with("text/plain"));
        }
    }
}

#[tokio::test]
async fn privileges_count_behind_it() {
    let gated = Gated::with(|config| {
        gateway(|_| {})(config);
        config.accounts = vec![Account::client("limited", "secret").without(Privilege::ReadPackages)];
    })
    .await;
    let refused = gated.get("/packages").await;
    assert_eq!((refused.status, &refused.json()["errors"][0]["code"]), (403, &json!("INVALID_PRIVILEGE")));
    let page = said(gated.classic(Method::GET, "/packages")).await;
    assert_eq!((page.status, page.mime.as_str()), (403, "text/html;charset=UTF-8"));
}

#[tokio::test]
async fn errors_have_a_trace_id_and_classic_ones_stay_pages() {
    let gated = Gated::start().await;
    let response = gated.pro(Method::GET, "/packages/999999").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    let trace = header(&response, "x-tyk-trace-id").to_owned();
    let body = response.text().await.unwrap();
    let error: Value = serde_json::from_str(&body).unwrap();
    assert_shape(&error, &wire_json("platform.404.response.json"));
    assert_eq!((error["traceId"].as_str(), trace.len()), (Some(trace.as_str()), 32));
    assert!(body.contains(r#""httpStatus" : 404,"#), "the server's printing: {body}");

    let page = said(gated.classic(Method::GET, "/packages/id/999999")).await;
    assert_wire(&page, StatusCode::NOT_FOUND, "classic.404.response.html");
    let xml = format!("<package><name>{}</name></package>", "x".repeat(1024 * 1024));
    let large = said(gated.classic(Method::POST, "/packages/id/0").body(xml)).await;
    assert_eq!((large.status, large.mime.as_str()), (413, "text/html;charset=UTF-8"));
}

#[tokio::test]
async fn every_answer_tells_the_limit() {
    let gated = Gated::start().await;
    for (left, request) in [
        ("99", gated.pro(Method::GET, "/packages")),
        ("98", gated.pro(Method::GET, "/packages/999999")),
        ("97", gated.classic(Method::GET, "/packages")),
        ("96", gated.pro(Method::POST, "/auth/token")),
        (
            "95",
            gated.request(Method::GET, &format!("{}/packages", gated.here.pro_url.replace(TENANT, OTHER))),
        ),
    ] {
        // The clock stands at 12:00:00.481.
        assert_eq!(limits(&request.send().await.unwrap()), ["100", left, "1795176002", ""]);
    }
    let sign_in = gated.inner.http.post(&gated.here.token_url).send().await.unwrap();
    assert_eq!(limits(&sign_in), ["", "", "", ""]);
    assert_eq!(gated.get("/packages").await.status, 200);
    gated.inner.pass(1);
    let response = gated.pro(Method::GET, "/packages").send().await.unwrap();
    assert_eq!(limits(&response), ["100", "99", "1795176003", ""]);
}

#[tokio::test]
async fn a_client_that_has_used_up_its_budget_waits() {
    let gated = Gated::with(gateway(|gateway| {
        gateway.budget = 3;
        gateway.window = Duration::from_secs(10);
    }))
    .await;
    let record = json!({ "name": "A", "priority": 9 });
    for left in ["2", "1", "0"] {
        let response = gated.pro(Method::GET, "/categories").send().await.unwrap();
        assert_eq!((response.status(), limits(&response)[1]), (StatusCode::OK, left));
    }
    gated.inner.pass(9);
    let response = gated.pro(Method::POST, "/categories").json(&record).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(limits(&response), ["3", "0", "1795176011", "2"]);
    for name in wire_json("platform.429.response-headers.json").as_object().unwrap().keys() {
        assert_ne!(header(&response, name), "", "{name}");
    }
    assert_eq!(header(&response, "content-type"), "application/json");
    let body: Value = response.json().await.unwrap();
    assert_eq!((&body["httpStatus"], &body["errors"]), (&json!(429), &json!([])));
    let classic = said(gated.classic(Method::GET, "/packages")).await;
    assert_eq!(
        (classic.status, classic.mime.as_str()),
        (429, "application/json"),
        "one budget for both APIs"
    );

    gated.inner.pass(2);
    assert_eq!(gated.get("/categories").await.json()["totalCount"], 0, "nothing was written");
    assert_eq!(said(gated.pro(Method::POST, "/categories").json(&record)).await.status, 201);
}

#[tokio::test]
async fn each_client_has_its_own_budget() {
    let mut gated = Gated::with(|config| {
        gateway(|gateway| gateway.budget = 1)(config);
        config.accounts.push(Account::client("second", "secret"));
    })
    .await;
    assert_eq!(gated.get("/packages").await.status, 200);
    assert_eq!(gated.get("/packages").await.status, 429);
    gated.inner.token = gated.token().await;
    assert_eq!(gated.get("/packages").await.status, 429, "a new token is no new client");
    let form = [("grant_type", "client_credentials"), ("client_id", "second"), ("client_secret", "secret")];
    let second = said(gated.inner.http.post(&gated.here.token_url).form(&form)).await.json();
    gated.inner.token = second["access_token"].as_str().unwrap().to_owned();
    assert_eq!(gated.get("/packages").await.status, 200);
}

#[tokio::test]
async fn s3_and_downloads_are_reached_directly() {
    let gated = Gated::with(gateway(|gateway| gateway.budget = 2)).await;
    let grant = said(gated.pro(Method::POST, "/jcds/files")).await;
    assert_eq!(grant.status, 201);
    gated.inner.upload_with(&grant.json(), APP, b"bytes").await;
    let uri = gated.get(&format!("/jcds/files/{APP}")).await.json()["uri"].as_str().unwrap().to_owned();
    assert_eq!(gated.get("/jcds/files").await.status, 429);
    let response = gated.inner.http.get(&uri).send().await.unwrap();
    assert_eq!((response.status(), limits(&response)), (StatusCode::OK, ["", "", "", ""]));
    assert_eq!(response.text().await.unwrap(), "bytes");
}

#[tokio::test]
async fn packages_of_any_size_pass() {
    let gated = Gated::start().await;
    let id = gated.inner.sandbox.put_package(json!({ "packageName": APP, "fileName": APP }));
    let bytes = payload(1, 4 * 1024 * 1024);
    let request = gated.pro(Method::POST, &format!("/packages/{id}/upload"));
    assert_eq!(said(form(request, &[("file", APP, &bytes)])).await.status, 201);
    assert_eq!(gated.inner.sandbox.bytes_of(APP).unwrap(), bytes);
}

#[tokio::test]
async fn the_journal_has_what_was_sent() {
    let gated = Gated::start().await;
    gated.token().await;
    gated.get("/packages?page=0").await;
    let journal = gated.inner.sandbox.journal();
    let line = |request: &sandbox::Request| format!("{} {}", request.method, request.path);
    assert_eq!(
        journal.iter().map(line).collect::<Vec<_>>(),
        ["POST /auth/token".to_owned(), format!("GET /api/pro/v1/tenant/{TENANT}/packages?page=0")]
    );
    assert!(journal.iter().all(|request| request.side == Side::Jamf && !request.is_write()));
}

/// As it is since September 2026.
#[tokio::test]
async fn the_tenant_may_stand_in_a_header() {
    for (addressing, name) in
        [(Addressing::TenantHeader, "x-tenant-id"), (Addressing::EnvironmentHeader, "x-environment-id")]
    {
        let gated = Gated::with(gateway(|gateway| gateway.addressing = addressing)).await;
        let base = &gated.inner.sandbox.connection().jss_url;
        assert_eq!(gated.here.pro_url, format!("{base}/pro/v1"));
        assert_eq!(gated.here.classic_url, format!("{base}/proclassic"));
        assert_eq!(gated.here.header, Some((name, TENANT.to_owned())));
        assert_eq!(gated.get("/packages").await.status, 200);
        assert_eq!(said(gated.classic(Method::GET, "/packages")).await.status, 200);
        // Errors of the server pass as they are.
        let unknown = gated.get("/packages/999999").await;
        assert_wire(&unknown, StatusCode::NOT_FOUND, "packages-v1.get.404.response.json");

        let url = format!("{base}/pro/v1/packages");
        let request = || gated.inner.http.get(&url).bearer_auth(&gated.inner.token);
        let missing = said(request()).await;
        assert_eq!(
            (missing.status, &missing.json()["errors"][0]["code"]),
            (400, &json!("REQUEST_CONTEXT_NOT_PROVIDED"))
        );
        let foreign = said(request().header(name, OTHER)).await;
        assert_eq!(
            (foreign.status, &foreign.json()["errors"][0]["code"]),
            (403, &json!("OWNERSHIP_FORBIDDEN"))
        );
        let in_path = format!("{base}/api/pro/v1/tenant/{TENANT}/packages");
        assert_eq!(said(gated.request(Method::GET, &in_path)).await.status, 404);
    }
}

#[tokio::test]
async fn cookies_lead_to_the_same_node() {
    let gated = Gated::with(|config| {
        gateway(|_| {})(config);
        config.stale_reads = Duration::from_secs(60);
    })
    .await;
    let xml = "<package><name>App</name><filename>App.pkg</filename></package>";
    let created = gated.classic(Method::POST, "/packages/id/0").body(xml).send().await.unwrap();
    let cookies: Vec<&str> = created
        .headers()
        .get_all("set-cookie")
        .iter()
        .map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap())
        .collect();
    let read = || gated.pro(Method::GET, "/packages/1");
    assert_eq!(said(read()).await.status, 404);
    assert_eq!(said(read().header("cookie", cookies.join("; "))).await.status, 200);
}
