//! The client through the gateway of the Platform API (`jamf-pro-api.md §14`).

use crate::stub::{CLIENT, Reply, Rig, Stub, env, shown};
use jamf::{Config, Deletion, Fact, PackageFile, ServerKind, Setting, TokenFacts};
use pipeline::{Access, FileName, SimulatedClock};
use sandbox::{Addressing, Gateway, Sandbox, TokenPath};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

const TENANT: &str = "1f0e2d3c-4b5a-4978-8a9b-0c1d2e3f4a5b";
const ADDRESSINGS: [Addressing; 3] =
    [Addressing::TenantInPath, Addressing::TenantHeader, Addressing::EnvironmentHeader];

struct Stage {
    sandbox: Sandbox,
    clock: Arc<SimulatedClock>,
    addressing: Addressing,
    _data: TempDir,
}

impl Stage {
    async fn new(addressing: Addressing, change: impl FnOnce(&mut Gateway)) -> Self {
        let data = TempDir::new().unwrap();
        let clock = Arc::new(SimulatedClock::at("2026-11-20T12:00:00Z".parse().unwrap()));
        let mut config = sandbox::Config::new(data.path().to_owned(), Arc::clone(&clock) as _);
        let mut gateway = Gateway { addressing, ..Gateway::new(TENANT.parse().unwrap()) };
        change(&mut gateway);
        config.gateway = Some(gateway);
        Self {
            sandbox: Sandbox::start(contract::watched(config)).await.unwrap(),
            clock,
            addressing,
            _data: data,
        }
    }

    fn rig(&self) -> Rig {
        self.rig_for(TENANT, &self.sandbox.connection().client_secret)
    }

    fn rig_for(&self, tenant: &str, secret: &str) -> Rig {
        let here = self.sandbox.connection();
        let scope = match self.addressing {
            Addressing::EnvironmentHeader => ("JAMF_ENVIRONMENT_ID", tenant),
            _ => ("JAMF_TENANT_ID", tenant),
        };
        let place = match self.addressing {
            Addressing::TenantInPath => "path",
            _ => "auto",
        };
        let entries = [
            ("CLIENT_ID", here.client_id.as_str()),
            ("CLIENT_SECRET", secret),
            scope,
            ("JAMF_GATEWAY_ADDRESSING", place),
        ];
        Rig::at(&here.jss_url, &entries, Access::ReadWrite, Config::default(), Arc::clone(&self.clock))
    }
}

#[tokio::test]
async fn every_call_goes_through_in_each_addressing() {
    for addressing in ADDRESSINGS {
        for token_path in [TokenPath::Auth, TokenPath::OAuth2] {
            let stage = Stage::new(addressing, |gateway| gateway.token_path = token_path).await;
            let rig = stage.rig();
            let (session, cx) = (&rig.session, &rig.cx);
            assert_eq!(session.kind(), ServerKind::Gateway);
            let life = TokenFacts { life: Duration::from_secs(900), renewable: false };
            assert_eq!(session.token(cx).await.unwrap(), life);

            let name = "A & B (1+2) ü.pkg";
            let file: FileName = name.parse().unwrap();
            let category = session.create_category(cx, name, 9).await.unwrap();
            let filed =
                [Setting { field: jamf::Field::Category, value: jamf::FieldValue::Category(Some(category)) }];
            let id = session.create_package(cx, &file, name, &filed).await.unwrap();
            assert_eq!(session.packages_named(cx, &file).await.unwrap().len(), 1);
            let package = session.classic_package(cx, id).await.unwrap().unwrap();
            assert_eq!(package.file_name, name);
            session.jcds_initiate(cx).await.unwrap();

            let folder = TempDir::new().unwrap();
            let path = folder.path().join("App.pkg");
            std::fs::write(&path, b"bytes").unwrap();
            let local = PackageFile { path: &path, name, size: 5, patience: Duration::from_secs(60) };
            session.upload_package(cx, id, &local, |_| {}).await.unwrap();
            session.refresh_inventory(cx, Some(name)).await.unwrap();
            assert_eq!(session.package(cx, id).await.unwrap().unwrap().size, Some(5));
            assert_eq!(session.jcds_files(cx).await.unwrap().len(), 1);
            session.jcds_download_address(cx, name).await.unwrap();
            assert_eq!(session.jcds_delete(cx, name).await.unwrap(), Deletion::Deleted);
            assert!(session.version(cx).await.unwrap().has_reliable_records());
            assert!(session.upload_capability(cx).await.unwrap().told().is_some());

            let requests = stage.sandbox.journal().len();
            assert_eq!(session.rights(cx).await.unwrap(), Fact::NotServed);
            assert_eq!(session.served(cx).await.unwrap(), Fact::NotServed);
            rig.sessions.close(cx).await;
            assert_eq!(
                stage.sandbox.journal().len(),
                requests,
                "nothing that a gateway does not have is asked of it"
            );
            let refused: Vec<_> =
                stage.sandbox.journal().into_iter().filter(|request| request.status >= 400).collect();
            let tried = if token_path == TokenPath::Auth { 0 } else { 1 };
            assert_eq!(refused.len(), tried, "{refused:?}");
            // What asking for the version has told.
            assert!(rig.notices().iter().all(|notice| notice.contains("deprecated")), "{:?}", rig.notices());
        }
    }
}

#[tokio::test]
async fn a_window_that_is_used_up_is_waited_for_before_the_gateway_says_so() {
    for addressing in ADDRESSINGS {
        let stage = Stage::new(addressing, |gateway| {
            gateway.budget = 3;
            gateway.window = Duration::from_secs(10);
        })
        .await;
        let rig = stage.rig();
        for _ in 0..4 {
            rig.session.jcds_files_now(&rig.cx).await.unwrap();
        }
        // Another session of the same client has the same budget.
        let here = stage.sandbox.connection();
        let other = [("JSS_URL", here.jss_url.as_str()), ("CLIENT_ID", &here.client_id)];
        let other =
            [&other[..], &[("CLIENT_SECRET", &here.client_secret), ("package_api", "classic")]].concat();
        let scope = match addressing {
            Addressing::TenantInPath => [("JAMF_TENANT_ID", TENANT), ("JAMF_GATEWAY_ADDRESSING", "path")],
            Addressing::TenantHeader => [("JAMF_TENANT_ID", TENANT), ("JAMF_GATEWAY_ADDRESSING", "header")],
            Addressing::EnvironmentHeader => [("JAMF_ENVIRONMENT_ID", TENANT), ("JAMF_REGION", "us")],
        };
        let other = rig.sessions.open(&env(&[&other[..], &scope].concat())).unwrap();
        for _ in 0..4 {
            other.jcds_files_now(&rig.cx).await.unwrap();
        }
        let refused = stage.sandbox.journal().iter().filter(|request| request.status == 429).count();
        assert_eq!((refused, rig.elapsed()), (0, 20.0), "eight calls are three windows");
        insta::allow_duplicates! {
            insta::assert_snapshot!(rig.notices()[0], @"the gateway lets no more requests through for 10.0 s");
        }
    }
}

/// Somebody else has the same API client and spends its requests; nothing was done, so that a creation may be repeated.
#[tokio::test]
async fn a_429_is_waited_for_whatever_the_method() {
    let mut answered = 0;
    let stub = Stub::start(move |seen| match seen.target.as_str() {
        "/auth/token" => Reply::new(200, r#"{"access_token":"t"}"#),
        "/pro/v1/categories" => {
            answered += 1;
            let limited = Reply::new(429, r#"{"httpStatus":429,"traceId":"7","errors":[]}"#);
            match answered {
                1 => limited.with("x-ratelimit-remaining", "0").with("x-ratelimit-reset", "1795176007"),
                2..=9 => limited.with("x-ratelimit-remaining", "0").with("x-ratelimit-reset", "1"),
                10 => limited.with("retry-after", "2"),
                _ => Reply::new(201, r#"{ "id" : "7", "href" : "" }"#),
            }
        }
        _ => Reply::new(500, ""),
    })
    .await;
    let rig = Rig::with(
        &stub.url,
        &[CLIENT, &[("JAMF_TENANT_ID", TENANT)]].concat(),
        Access::ReadWrite,
        Config::default(),
    );
    assert_eq!(rig.session.create_category(&rig.cx, "Apps", 9).await.unwrap().id, 7);
    assert_eq!(stub.calls().len(), 11);
    assert_eq!(rig.elapsed(), 7.0 + 8.0 + 2.0);
    assert!(stub.calls().iter().all(|seen| seen.header("x-tenant-id") == Some(TENANT)));
    assert_eq!(stub.sign_ins()[0].header("x-tenant-id"), None);
    insta::assert_snapshot!(rig.notices()[0], @"POST /pro/v1/categories was answered with 429 Too Many Requests (trace id 7); trying again in 7.0 s (try 2 of 20)");
    assert_eq!(
        rig.session.token(&rig.cx).await.unwrap().life,
        Duration::from_secs(900),
        "as Jamf documents it"
    );
}

#[tokio::test]
async fn a_gateway_s_refusals_have_hints_of_their_own() {
    let stage = Stage::new(Addressing::TenantHeader, |_| {}).await;
    let url = &stage.sandbox.connection().jss_url;
    let secret = &stage.sandbox.connection().client_secret;
    let rig = stage.rig_for("00000000-4b5a-4978-8a9b-0c1d2e3f4a5b", secret);
    let text = shown(rig.session.jcds_files(&rig.cx).await.unwrap_err(), url);
    let (message, hint) = text.split_once('\n').unwrap();
    let (message, trace) = message.split_once(" (trace id ").unwrap();
    insta::assert_snapshot!(message, @"Access: GET /pro/v1/jcds/files was answered with 403 Forbidden: Tenant '00000000-4b5a-4978-8a9b-0c1d2e3f4a5b' is not part of your organization (OWNERSHIP_FORBIDDEN)");
    assert_eq!(trace.len(), 33);
    insta::assert_snapshot!(hint, @"check JAMF_TENANT_ID or JAMF_ENVIRONMENT_ID, and that the API client belongs to the same organization");

    let rig = stage.rig_for(TENANT, "wrong");
    insta::assert_snapshot!(shown(rig.session.jcds_files(&rig.cx).await.unwrap_err(), url), @r"
    Access: SERVER does not let API client rehearsal-client in: POST /auth/token was answered with 401 Unauthorized: invalid_client
    check CLIENT_ID and CLIENT_SECRET: gateways take API clients of Jamf Account, not those of Jamf Pro, and each only in its own region
    ");

    let entries = [CLIENT, &[("JAMF_TENANT_ID", TENANT)]].concat();
    let mut answers = vec![
        Reply::new(200, r#"{"access_token":"t","expires_in":900}"#),
        Reply::new(403, "<html><head><title>Request blocked</title></head></html>")
            .with("x-traceid", "edge-1"),
        Reply::fault(403, "INVALID_PRIVILEGE", "Forbidden", None),
    ]
    .into_iter();
    let stub = Stub::start(move |_| answers.next().unwrap()).await;
    let rig = Rig::with(&stub.url, &entries, Access::ReadWrite, Config::default());
    insta::assert_snapshot!(shown(rig.session.jcds_files(&rig.cx).await.unwrap_err(), &stub.url), @r"
    Access: GET /pro/v1/jcds/files was answered with 403 Forbidden: Request blocked (trace id edge-1)
    the edge of the gateway refused this and not Jamf Pro: ask those who run it whether it lets this address and this call through
    ");
    insta::assert_snapshot!(shown(rig.session.jcds_files(&rig.cx).await.unwrap_err(), &stub.url), @r"
    Access: GET /pro/v1/jcds/files was answered with 403 Forbidden: Forbidden (INVALID_PRIVILEGE); it takes the privilege “read:pro:jamf-cloud-distribution-service-files”
    give the API client the permission “read:pro:jamf-cloud-distribution-service-files” in Jamf Account
    ");
}

#[tokio::test]
async fn a_gateway_token_is_not_kept_alive_but_asked_for_anew() {
    let stage = Stage::new(Addressing::TenantHeader, |_| {}).await;
    let rig = stage.rig();
    rig.session.jcds_files_now(&rig.cx).await.unwrap();
    rig.clock.advance(Duration::from_secs(871));
    rig.session.jcds_files_now(&rig.cx).await.unwrap();
    let tokens = stage.sandbox.journal().iter().filter(|request| request.path == "/auth/token").count();
    assert_eq!((tokens, rig.cx.boundary().traffic().sign_ins), (2, 2));
    assert!(stage.sandbox.journal().iter().all(|request| request.status < 400));
}

/// Journals of uploads are kept by the server's name.
#[tokio::test]
async fn tenants_of_one_gateway_are_servers_of_their_own() {
    let stage = Stage::new(Addressing::TenantHeader, |_| {}).await;
    let rig = stage.rig();
    let url = &stage.sandbox.connection().jss_url;
    assert_eq!(rig.session.server(), format!("{url} (tenant {TENANT})"));
    let open = |scope: (&str, &str)| {
        let entries = [("JSS_URL", url.as_str()), ("CLIENT_ID", "id"), ("CLIENT_SECRET", "hush"), scope];
        rig.sessions.open(&env(&entries)).unwrap()
    };
    let one = open(("JAMF_TENANT_ID", "one"));
    assert!(Arc::ptr_eq(&one, &open(("JAMF_TENANT_ID", "one"))));
    for other in
        [open(("JAMF_TENANT_ID", "two")), open(("JAMF_ENVIRONMENT_ID", "one")), open(("JAMF_TENANT_ID", ""))]
    {
        assert!(!Arc::ptr_eq(&one, &other) && one.server() != other.server(), "{}", other.server());
    }
}
