use crate::stub::{CLIENT, Reply, Rig, Seen, Stub, USER, shown, signed_in};
use futures_util::future::join_all;
use jamf::Config;
use pipeline::{Access, Traffic};
use std::time::Duration;

const NO_FILES: &str = "[]";

fn user_rig(url: &str) -> Rig {
    Rig::with(url, USER, Access::ReadWrite, Config::default())
}

fn user_token(number: u32, expires: &str) -> Reply {
    Reply::new(200, format!(r#"{{ "token" : "token-{number}", "expires" : "{expires}" }}"#))
}

#[tokio::test]
async fn an_api_client_signs_in_once_and_again_before_its_token_ends() {
    let mut given = 0;
    let stub = Stub::start(move |seen| match seen.line().as_str() {
        "POST /api/v1/oauth/token" => {
            given += 1;
            Reply::new(200, format!(r#"{{ "access_token" : "token-{given}", "expires_in" : 59 }}"#))
        }
        _ => Reply::new(200, NO_FILES),
    })
    .await;
    let rig = Rig::new(&stub.url);

    rig.session.jcds_files_now(&rig.cx).await.unwrap();
    rig.clock.advance(Duration::from_secs(44));
    rig.session.jcds_files_now(&rig.cx).await.unwrap();
    rig.clock.advance(Duration::from_secs(1));
    rig.session.jcds_files_now(&rig.cx).await.unwrap();

    let bearers: Vec<_> =
        stub.calls().iter().map(|seen| seen.header("authorization").unwrap().to_owned()).collect();
    assert_eq!(bearers, ["Bearer token-1", "Bearer token-1", "Bearer token-2"]);
    let form = &stub.sign_ins()[0];
    assert_eq!(form.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(form.header("authorization"), None);
    insta::assert_snapshot!(form.body, @"grant_type=client_credentials&client_id=an%20id&client_secret=hush%2Bhush");
    assert_eq!(rig.cx.boundary().traffic(), Traffic { sign_ins: 2, reads: 3, writes: 0, refused: 0 });
}

#[tokio::test]
async fn older_servers_have_the_client_token_at_another_path() {
    let stub = Stub::start(|seen| match seen.line().as_str() {
        "POST /api/v1/oauth/token" => Reply::new(404, r#"{"httpStatus":404,"errors":[]}"#),
        "POST /api/oauth/token" => Reply::new(200, r#"{"access_token":"old","expires_in":60}"#),
        _ => Reply::new(200, NO_FILES),
    })
    .await;
    let rig = Rig::new(&stub.url);
    rig.session.jcds_files(&rig.cx).await.unwrap();
    assert_eq!(stub.calls()[0].header("authorization"), Some("Bearer old"));
}

#[tokio::test]
async fn a_user_signs_in_with_basic_and_keeps_the_token_alive() {
    let stub = Stub::start(|seen| match seen.line().as_str() {
        "POST /api/v1/auth/token" => user_token(1, "2026-11-20T12:30:00Z"),
        "POST /api/v1/auth/keep-alive" => user_token(2, "2026-11-20T12:59:40.481Z"),
        _ => Reply::new(200, NO_FILES),
    })
    .await;
    let rig = user_rig(&stub.url);
    rig.session.jcds_files_now(&rig.cx).await.unwrap();
    rig.clock.advance(Duration::from_secs(1769));
    rig.session.jcds_files_now(&rig.cx).await.unwrap();
    rig.clock.advance(Duration::from_secs(2));
    rig.session.jcds_files_now(&rig.cx).await.unwrap();

    let sign_ins: Vec<_> = stub
        .sign_ins()
        .iter()
        .map(|seen| (seen.target.clone(), seen.header("authorization").unwrap().to_owned()))
        .collect();
    assert_eq!(sign_ins.len(), 2);
    // "jane:pässword" in UTF-8.
    assert_eq!(sign_ins[0].1, "Basic amFuZTpww6Rzc3dvcmQ=");
    assert_eq!(sign_ins[1], ("/api/v1/auth/keep-alive".into(), "Bearer token-1".into()));
    assert_eq!(stub.calls()[2].header("authorization"), Some("Bearer token-2"));
}

#[tokio::test]
async fn a_user_signs_in_again_where_keeping_alive_fails() {
    let mut given = 0;
    let stub = Stub::start(move |seen| match seen.line().as_str() {
        "POST /api/v1/auth/token" => {
            given += 1;
            user_token(given, if given == 1 { "2026-11-20T12:30:00.4Z" } else { "2026-11-20T13:30:00.4Z" })
        }
        "POST /api/v1/auth/keep-alive" => Reply::new(401, ""),
        _ => Reply::new(200, NO_FILES),
    })
    .await;
    let rig = user_rig(&stub.url);
    rig.session.jcds_files_now(&rig.cx).await.unwrap();
    rig.clock.advance(Duration::from_secs(1771));
    rig.session.jcds_files_now(&rig.cx).await.unwrap();
    assert_eq!(stub.calls()[1].header("authorization"), Some("Bearer token-2"));
    assert_eq!(stub.sign_ins().len(), 3);
    assert_eq!(rig.notices(), Vec::<String>::new());
}

#[tokio::test]
async fn clocks_that_disagree_are_told_and_survived() {
    let stub = Stub::start(|seen| match seen.line().as_str() {
        "POST /api/v1/auth/token" => user_token(1, "2026-11-20T11:00:00Z"),
        _ => Reply::new(200, NO_FILES),
    })
    .await;
    let rig = user_rig(&stub.url);
    rig.session.jcds_files_now(&rig.cx).await.unwrap();
    rig.session.jcds_files_now(&rig.cx).await.unwrap();
    assert_eq!(stub.sign_ins().len(), 1);
    insta::assert_snapshot!(rig.notices().join("\n"), @"the server gave a token that has ended by the clock of this machine: one of the two clocks is wrong");
}

#[tokio::test]
async fn callers_that_meet_401_share_one_renewal_and_are_repeated_once() {
    let stub = Stub::start(signed_in(|seen| match seen.header("authorization") {
        Some("Bearer token-1") => Reply::After(
            Duration::from_millis(20),
            Box::new(Reply::fault(401, "INVALID_TOKEN", "Unauthorized", None)),
        ),
        _ => Reply::new(200, NO_FILES),
    }))
    .await;
    let rig = Rig::new(&stub.url);
    let all = join_all((0..5).map(|_| rig.session.refresh_inventory(&rig.cx, Some("a.pkg")))).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert_eq!(stub.sign_ins().len(), 2);
    let with = |token| stub.calls().iter().filter(|seen| seen.header("authorization") == Some(token)).count();
    assert_eq!(with("Bearer token-1"), with("Bearer token-2"));
}

#[tokio::test]
async fn a_401_for_a_new_token_is_the_end() {
    let stub = Stub::start(signed_in(|_| Reply::page(401, "The request requires user authentication"))).await;
    let rig = Rig::new(&stub.url);
    let error = rig.session.jcds_files(&rig.cx).await.unwrap_err();
    assert_eq!(stub.calls().len(), 2);
    insta::assert_snapshot!(shown(error, &stub.url), @r"
    Access: GET /api/v1/jcds/files was answered with 401 Unauthorized: The request requires user authentication
    the server refuses a token that it gave a moment ago: run again; if that does not help, check the account in Jamf Pro
    ");
}

#[tokio::test]
async fn a_refused_account_is_not_tried_again() {
    let stub = Stub::start(|_| Reply::new(401, r#"{ "error" : "invalid_client" }"#)).await;
    let rig = Rig::new(&stub.url);
    let (one, two) =
        tokio::join!(rig.session.jcds_files(&rig.cx), rig.session.category_named(&rig.cx, "Apps"));
    assert!(one.is_err() && two.is_err());
    let error = rig.session.jcds_files(&rig.cx).await.unwrap_err();
    assert_eq!(stub.seen().len(), 1);
    insta::assert_snapshot!(shown(error, &stub.url), @r"
    Access: SERVER does not let API client an id in: POST /api/v1/oauth/token was answered with 401 Unauthorized: invalid_client
    check CLIENT_ID and CLIENT_SECRET, and that the API client is enabled in Settings > API roles and clients
    ");
}

#[tokio::test]
async fn a_refused_user_learns_why() {
    let mut answers = vec![
        Reply::new(401, r#"{ "httpStatus" : 401, "errors" : [] }"#),
        Reply::fault(401, "USER_EXPIRED_PASSWORD", "Password expired", None),
    ]
    .into_iter();
    let stub = Stub::start(move |_| answers.next().unwrap()).await;
    let rig = user_rig(&stub.url);
    let error = rig.session.jcds_files(&rig.cx).await.unwrap_err();
    insta::assert_snapshot!(shown(error, &stub.url), @r"
    Access: SERVER does not let user jane in: POST /api/v1/auth/token was answered with 401 Unauthorized
    check API_USERNAME and API_PASSWORD; where single sign-on is enforced, use an API client instead
    ");
    let rig = user_rig(&stub.url);
    let error = rig.session.jcds_files(&rig.cx).await.unwrap_err();
    insta::assert_snapshot!(shown(error, &stub.url), @r"
    Access: SERVER does not let user jane in: POST /api/v1/auth/token was answered with 401 Unauthorized: Password expired (USER_EXPIRED_PASSWORD)
    change the password of the account in Jamf Pro
    ");
}

#[tokio::test]
async fn trouble_on_the_way_to_sign_in_passes() {
    let mut answers = vec![
        Reply::new(503, ""),
        Reply::Cut,
        Reply::new(200, r#"{"access_token":"t","expires_in":3600}"#),
        Reply::new(200, NO_FILES),
    ]
    .into_iter();
    let stub = Stub::start(move |_| answers.next().unwrap()).await;
    let rig = Rig::new(&stub.url);
    rig.session.jcds_files(&rig.cx).await.unwrap();
    assert_eq!(stub.seen().len(), 4);
    assert_eq!(rig.notices().len(), 2);
}

#[tokio::test]
async fn a_server_that_is_not_jamf_pro_is_recognised() {
    let stub =
        Stub::start(|_| Reply::new(200, "<!DOCTYPE html><html><title>Welcome to nginx!</title></html>"))
            .await;
    let rig = Rig::new(&stub.url);
    let error = rig.session.jcds_files(&rig.cx).await.unwrap_err();
    insta::assert_snapshot!(shown(error, &stub.url), @r"
    Remote: POST /api/v1/oauth/token: the answer is not a token: it is a page that says “Welcome to nginx!”
    check that JSS_URL is the address of a Jamf Pro server and that nothing stands in between
    ");

    let stub = Stub::start(|_| Reply::new(200, r#"{"access_token":"line\nbreak"}"#)).await;
    let rig = Rig::new(&stub.url);
    let error = rig.session.jcds_files(&rig.cx).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "POST /api/v1/oauth/token: the answer is not a token: it has no usable access_token"
    );
}

#[tokio::test]
async fn cookies_of_the_sign_in_choose_the_node_for_the_rest() {
    let stub = Stub::start(|seen: &Seen| match seen.line().as_str() {
        "POST /api/v1/oauth/token" => Reply::new(200, r#"{"access_token":"t","expires_in":3600}"#)
            .with("set-cookie", "APBALANCEID=aws.use1-std-1; Path=/; HttpOnly"),
        _ => Reply::new(200, NO_FILES),
    })
    .await;
    let rig = Rig::new(&stub.url);
    rig.session.jcds_files(&rig.cx).await.unwrap();
    assert_eq!(stub.calls()[0].header("cookie"), Some("APBALANCEID=aws.use1-std-1"));
    assert!(stub.calls()[0].header("user-agent").unwrap().starts_with("pkgferry/"));
}

#[tokio::test]
async fn closing_invalidates_the_token_also_after_ctrl_c() {
    for (status, notices) in [(204, 0), (401, 0), (500, 1)] {
        let stub = Stub::start(move |seen| match seen.line().as_str() {
            "POST /api/v1/oauth/token" => Reply::new(200, r#"{"access_token":"t","expires_in":3600}"#),
            "POST /api/v1/auth/invalidate-token" => Reply::new(status, ""),
            _ => Reply::new(200, NO_FILES),
        })
        .await;
        let rig = Rig::new(&stub.url);
        rig.session.jcds_files(&rig.cx).await.unwrap();
        rig.cancel.cancel();
        rig.sessions.close(&rig.cx).await;
        rig.sessions.close(&rig.cx).await;
        let goodbyes: Vec<_> =
            stub.sign_ins().into_iter().filter(|seen| seen.target.ends_with("invalidate-token")).collect();
        assert_eq!(goodbyes.len(), 1);
        assert_eq!(goodbyes[0].header("authorization"), Some("Bearer t"));
        assert_eq!(rig.notices().len(), notices, "{:?}", rig.notices());
    }
}

#[tokio::test]
async fn a_token_that_was_never_asked_for_or_has_ended_is_not_invalidated() {
    let stub = Stub::start(signed_in(|_| Reply::new(200, NO_FILES))).await;
    let rig = Rig::new(&stub.url);
    rig.sessions.close(&rig.cx).await;
    assert_eq!(stub.seen().len(), 0);
    rig.session.jcds_files(&rig.cx).await.unwrap();
    rig.clock.advance(Duration::from_secs(4000));
    rig.sessions.close(&rig.cx).await;
    assert_eq!(stub.sign_ins().len(), 1);
}

#[tokio::test]
async fn one_account_has_one_session_and_no_secret_shows() {
    let stub = Stub::start(signed_in(|_| Reply::new(200, NO_FILES))).await;
    let rig = Rig::new(&stub.url);
    rig.session.jcds_files(&rig.cx).await.unwrap();
    let shown = format!("{:?}", rig.sessions);
    assert!(!shown.contains("hush") && !shown.contains("token-1"), "{shown}");
    assert_eq!(rig.session.server(), stub.url);

    let mut env = pipeline::Env::new();
    let origin = pipeline::Origin::CommandLine;
    for (name, value) in CLIENT {
        env.insert(name, pipeline::Value::String((*value).to_owned()), origin.clone(), false);
    }
    env.insert("JSS_URL", pipeline::Value::String(format!("{}/", stub.url)), origin.clone(), false);
    assert!(std::sync::Arc::ptr_eq(&rig.session, &rig.sessions.open(&env).unwrap()));
    env.insert("CLIENT_SECRET", pipeline::Value::String("other".into()), origin, false);
    assert!(!std::sync::Arc::ptr_eq(&rig.session, &rig.sessions.open(&env).unwrap()));
}

/// A server or a proxy that says what it was sent, in every way that it came in.
#[tokio::test]
async fn what_a_server_echoes_of_a_secret_is_hidden() {
    let stub = Stub::start(|seen| {
        Reply::fault(400, "BAD hush+hush", &format!("cannot read {}", seen.body), Some("hush+hush"))
    })
    .await;
    let rig = Rig::new(&stub.url);
    let error = rig.session.jcds_files(&rig.cx).await.unwrap_err();
    assert!(!format!("{error:?}").contains("hush"), "{error:?}");
    insta::assert_snapshot!(shown(error, &stub.url), @r"
    Access: SERVER does not let API client an id in: POST /api/v1/oauth/token was answered with 400 Bad Request: ***: cannot read grant_type=client_credentials&client_id=an%20id&client_secret=*** (BAD ***)
    check CLIENT_ID and CLIENT_SECRET, and that the API client is enabled in Settings > API roles and clients
    ");

    let stub =
        Stub::start(|seen| Reply::new(401, format!("bad header {}", seen.header("authorization").unwrap())))
            .await;
    let rig = user_rig(&stub.url);
    let error = rig.session.jcds_files(&rig.cx).await.unwrap_err();
    insta::assert_snapshot!(shown(error, &stub.url), @r"
    Access: SERVER does not let user jane in: POST /api/v1/auth/token was answered with 401 Unauthorized: bad header Basic ***
    check API_USERNAME and API_PASSWORD; where single sign-on is enforced, use an API client instead
    ");
}

#[tokio::test]
async fn what_a_server_echoes_of_a_token_is_hidden_in_errors_and_notices() {
    let mut answered = 0;
    let stub = Stub::start(signed_in(move |seen| {
        answered += 1;
        let header = seen.header("authorization").unwrap().to_owned();
        match answered {
            1 => Reply::new(401, ""),
            2 => Reply::new(503, header),
            3 => Reply::new(503, format!("{}{header} and token-1", "x".repeat(280))),
            _ => Reply::new(200, format!("<html><title>{header}</title></html>")),
        }
    }))
    .await;
    let rig = Rig::new(&stub.url);
    let error = rig.session.jcds_files(&rig.cx).await.unwrap_err();
    insta::assert_snapshot!(shown(error, &stub.url), @r"
    Remote: GET /api/v1/jcds/files: the answer is not a list of files: it is a page that says “Bearer ***”
    check that JSS_URL is the address of a Jamf Pro server and that nothing stands in between
    ");
    let notices = rig.notices().join("\n");
    assert!(!notices.contains("token-") && notices.contains("Bearer ***; trying again"), "{notices}");
}
