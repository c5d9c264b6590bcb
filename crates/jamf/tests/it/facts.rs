//! What a server and an account say of themselves.

use crate::stub::{CLIENT, Reply, Rig, Stub, USER, shown, signed_in};
use jamf::{Config, Fact, Privilege, ServerKind, TokenFacts};
use pipeline::{Access, Route, SimulatedClock};
use sandbox::{Account, Sandbox};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

async fn rehearsal(configure: impl FnOnce(&mut sandbox::Config)) -> (Sandbox, TempDir) {
    let data = TempDir::new().unwrap();
    let clock = Arc::new(SimulatedClock::at("2026-11-20T12:00:00Z".parse().unwrap()));
    let mut config = sandbox::Config::new(data.path().to_owned(), clock);
    configure(&mut config);
    (Sandbox::start(contract::watched(config)).await.unwrap(), data)
}

fn client(sandbox: &Sandbox, package_api: &str) -> Rig {
    let here = sandbox.connection();
    let entries = [
        ("CLIENT_ID", here.client_id.as_str()),
        ("CLIENT_SECRET", &here.client_secret),
        ("package_api", package_api),
    ];
    Rig::with(&here.jss_url, &entries, Access::ReadWrite, Config::default())
}

#[tokio::test]
async fn tokens_tell_their_life() {
    let stub = Stub::start(signed_in(|_| Reply::new(500, ""))).await;
    let rig = Rig::new(&stub.url);
    let hour = TokenFacts { life: Duration::from_secs(3600), renewable: false };
    assert_eq!(rig.session.token(&rig.cx).await.unwrap(), hour);
    rig.clock.advance(Duration::from_secs(60));
    assert_eq!(rig.session.token(&rig.cx).await.unwrap(), hour);
    assert_eq!((stub.seen().len(), rig.session.kind()), (1, ServerKind::Instance));

    let stub = Stub::start(|_| Reply::new(200, r#"{"token":"t","expires":"2026-11-20T12:30:00Z"}"#)).await;
    let rig = Rig::with(&stub.url, USER, Access::ReadOnly, Config::default());
    let half = TokenFacts { life: Duration::from_secs(1800), renewable: true };
    assert_eq!(rig.session.token(&rig.cx).await.unwrap(), half);

    let stub = Stub::start(|_| Reply::new(401, r#"{"error":"invalid_client"}"#)).await;
    let rig = Rig::with(&stub.url, CLIENT, Access::ReadOnly, Config::default());
    let error = rig.session.token(&rig.cx).await.unwrap_err();
    assert!(shown(error, &stub.url).starts_with("Access: SERVER does not let API client an id in"));
}

#[tokio::test]
async fn rights_tell_what_is_missing_for_a_route() {
    let lacking = sandbox::Privilege::CreateJcdsFiles;
    let (sandbox, _data) =
        rehearsal(|config| config.accounts = vec![Account::client("id", "hush").without(lacking)]).await;
    let rig = client(&sandbox, "auto");
    let Fact::Told(rights) = rig.session.rights(&rig.cx).await.unwrap() else { panic!("not told") };
    assert_eq!(rights.lacking(Privilege::of(Route::Jcds, true)), [Privilege::CreateFiles]);
    assert_eq!(rights.lacking(Privilege::of(Route::PackagesApi, true)), []);

    let stub =
        Stub::start(signed_in(|_| Reply::new(200, r#"{ "account" : { "privilegesBySite" : {} } }"#))).await;
    let rig = Rig::new(&stub.url);
    assert_eq!(
        rig.session.rights(&rig.cx).await.unwrap(),
        Fact::NotServed,
        "nothing told is not nothing allowed"
    );
    let stub = Stub::start(signed_in(|_| Reply::new(403, ""))).await;
    let rig = Rig::new(&stub.url);
    assert_eq!(rig.session.rights(&rig.cx).await.unwrap(), Fact::NotServed);
}

#[tokio::test]
async fn the_difference_of_the_clocks_is_told_without_signing_in() {
    for (date, seconds) in [
        (Some("Fri, 20 Nov 2026 12:00:00 GMT"), Some(0)),
        (Some("Fri, 20 Nov 2026 12:20:00 GMT"), Some(1200)),
        (Some("Fri, 20 Nov 2026 11:50:00 GMT"), Some(-599)),
        (Some("lunchtime"), None),
        (None, None),
    ] {
        let stub = Stub::start(move |_| {
            let reply = Reply::new(503, "");
            if let Some(date) = date { reply.with("date", date) } else { reply }
        })
        .await;
        let rig = Rig::new(&stub.url);
        let difference = rig.session.clock_difference(&rig.cx).await.unwrap();
        assert_eq!(difference.map(|difference| difference.as_secs()), seconds, "{date:?}");
        assert_eq!(stub.lines(), "GET /api/v1/health-check");
        assert_eq!(stub.seen()[0].header("authorization"), None);
    }
    let rig = Rig::new("http://127.0.0.1:1");
    assert!(rig.session.clock_difference(&rig.cx).await.is_err());
}

#[tokio::test]
async fn every_record_is_listed_through_either_api() {
    let (sandbox, _data) = rehearsal(|_| {}).await;
    for number in 0..210 {
        let name = format!("Record {number}.pkg");
        sandbox.put_package(serde_json::json!({ "packageName": name, "fileName": name }));
    }
    for api in ["pro", "classic"] {
        let rig = client(&sandbox, api);
        let all = rig.session.all_packages(&rig.cx).await.unwrap();
        assert_eq!(all.len(), 210, "{api}");
        assert!(all.iter().any(|package| package.file_name == "Record 209.pkg"));
    }
}

/// The cookies of the sign-in go with the file too, although it travels over another connection.
#[tokio::test]
async fn an_upload_goes_to_the_node_of_the_session() {
    let stub = Stub::start(|seen| match seen.line().as_str() {
        "POST /api/v1/oauth/token" => Reply::new(200, r#"{"access_token":"t","expires_in":3600}"#)
            .with("set-cookie", "APBALANCEID=n1; Path=/"),
        _ => Reply::new(201, r#"{"id":"42"}"#),
    })
    .await;
    let rig = Rig::new(&stub.url);
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("App.pkg");
    std::fs::write(&path, b"bytes").unwrap();
    let file = jamf::PackageFile { path: &path, name: "App.pkg", size: 5, patience: Duration::from_secs(60) };
    rig.session.upload_package(&rig.cx, 42.try_into().unwrap(), &file, |_| {}).await.unwrap();
    assert_eq!(stub.calls()[0].header("cookie"), Some("APBALANCEID=n1"));
}
