use crate::stub::{CLIENT, Reply, Rig, Stub, shown, signed_in};
use futures_util::future::join_all;
use jamf::{Config, Error, Retry, Timeouts};
use pipeline::Access;
use std::time::Duration;

/// A rig whose limits are short, for tests that really wait.
fn impatient(url: &str, limit: Duration) -> Rig {
    let config = Config {
        timeouts: Timeouts { connect: limit, header: limit, idle: limit },
        retry: Retry { tries: 1, ..Config::default().retry },
        ..Config::default()
    };
    Rig::with(url, CLIENT, Access::ReadWrite, config)
}

#[tokio::test]
async fn retry_after_is_obeyed_up_to_a_minute_and_told() {
    let mut answers = vec![
        Reply::new(503, "").with("retry-after", "7"),
        Reply::new(429, "").with("retry-after", "Fri, 20 Nov 2026 12:00:10 GMT"),
        Reply::new(503, "").with("retry-after", "86400"),
        Reply::new(200, "[]"),
    ]
    .into_iter();
    let stub = Stub::start(signed_in(move |_| answers.next().unwrap())).await;
    let rig = Rig::new(&stub.url);
    rig.session.jcds_files(&rig.cx).await.unwrap();
    assert_eq!(rig.elapsed(), 7.0 + 3.0 + 60.0);
    insta::assert_snapshot!(rig.notices().join("\n"), @r"
    GET /api/v1/jcds/files was answered with 503 Service Unavailable; trying again in 7.0 s (try 2 of 4)
    GET /api/v1/jcds/files was answered with 429 Too Many Requests; trying again in 3.0 s (try 3 of 4)
    GET /api/v1/jcds/files was answered with 503 Service Unavailable; trying again in 60.0 s (try 4 of 4)
    ");
}

#[tokio::test]
async fn what_does_not_pass_is_given_up() {
    let page = "<html>\r\n<head><title>504 Gateway Time-out</title></head>\r\n<body>\r\n</body></html>";
    let stub = Stub::start(signed_in(move |_| Reply::new(504, page))).await;
    let rig = Rig::new(&stub.url);
    let error = rig.session.jcds_files(&rig.cx).await.unwrap_err();
    assert_eq!(stub.calls().len(), 4);
    // 2, 4 and 8 seconds, each cut by half at most.
    assert!((7.0..=14.0).contains(&rig.elapsed()), "{}", rig.elapsed());
    insta::assert_snapshot!(shown(error, &stub.url), @r"
    Remote: GET /api/v1/jcds/files was answered with 504 Gateway Timeout: 504 Gateway Time-out
    the server or a proxy in front of it failed: try again later
    ");
}

#[tokio::test]
async fn broken_connections_are_tried_again() {
    let mut answers = vec![Reply::Cut, Reply::Cut, Reply::new(200, "[]")].into_iter();
    let stub = Stub::start(signed_in(move |_| answers.next().unwrap())).await;
    let rig = Rig::new(&stub.url);
    rig.session.jcds_files(&rig.cx).await.unwrap();
    assert_eq!(stub.calls().len(), 3);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let rig = Rig::new("http://127.0.0.1:1");
    let error = rig.session.jcds_files(&rig.cx).await.unwrap_err();
    let text = shown(error, "http://127.0.0.1:1");
    let first = "Remote: POST /api/v1/oauth/token: no working connection to HOST: ";
    assert!(text.starts_with(first) && !text.contains("for url"), "{text}");
    assert!(text.ends_with("\ncheck JSS_URL, the network and the proxy settings"), "{text}");
    assert_eq!(rig.notices().len(), 3);
}

#[tokio::test]
async fn silence_and_stalls_end_and_slow_bodies_do_not() {
    let limit = Duration::from_millis(150);
    let stub = Stub::start(signed_in(|_| Reply::Silence)).await;
    let rig = impatient(&stub.url, limit);
    let error = rig.session.jcds_files(&rig.cx).await.unwrap_err();
    insta::assert_snapshot!(shown(error, &stub.url), @r"
    Remote: GET /api/v1/jcds/files: no answer for 0.15 s
    the server is slow or the network drops packets: try again later
    ");

    let stub = Stub::start(signed_in(|_| Reply::Stall)).await;
    let rig = impatient(&stub.url, limit);
    let error = rig.session.jcds_files(&rig.cx).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "GET /api/v1/jcds/files: the answer stopped and nothing more came for 0.15 s"
    );

    let pieces = vec!["[", " ", " ", " ", " ", " ", " ", "]"];
    let stub =
        Stub::start(signed_in(move |_| Reply::Trickle(Duration::from_millis(50), pieces.clone()))).await;
    let rig = impatient(&stub.url, limit);
    assert_eq!(rig.session.jcds_files(&rig.cx).await.unwrap().len(), 0);
}

#[tokio::test]
async fn ctrl_c_ends_a_request_in_flight_and_a_pause() {
    let stub = Stub::start(signed_in(|_| Reply::Silence)).await;
    let rig = Rig::new(&stub.url);
    let cancel = async {
        while stub.calls().is_empty() {
            tokio::task::yield_now().await;
        }
        rig.cancel.cancel();
    };
    let (outcome, ()) = tokio::join!(rig.session.jcds_files(&rig.cx), cancel);
    assert!(matches!(outcome, Err(Error::Interrupted)), "{outcome:?}");
    let outcome = rig.session.jcds_files(&rig.cx).await;
    assert!(matches!(outcome, Err(Error::Interrupted)), "{outcome:?}");
    assert_eq!(stub.calls().len(), 1);
}

#[tokio::test]
async fn five_at_a_time() {
    let reply = || Reply::After(Duration::from_millis(20), Box::new(Reply::list(&[])));
    let stub = Stub::start(signed_in(move |_| reply())).await;
    let rig = Rig::new(&stub.url);
    let names: Vec<String> = (0..20).map(|number| format!("category {number}")).collect();
    let all = join_all(names.iter().map(|name| rig.session.category_named(&rig.cx, name))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(stub.calls().len(), 20);
    assert_eq!(stub.most_busy(), 5);
}

#[tokio::test]
async fn reads_follow_to_the_same_place() {
    let stub = Stub::start(signed_in(|seen| match seen.target.as_str() {
        "/api/v1/jcds/files" => Reply::new(307, "").with("location", "files?a=b"),
        "/api/v1/jcds/files?a=b" => Reply::new(200, "[]"),
        _ => Reply::new(500, ""),
    }))
    .await;
    let rig = Rig::new(&stub.url);
    rig.session.jcds_files(&rig.cx).await.unwrap();
    assert_eq!(stub.calls()[1].header("authorization"), Some("Bearer token-1"));
    assert_eq!(rig.cx.boundary().traffic().reads, 2);
}

#[tokio::test]
async fn nothing_follows_to_another_server_and_no_write_follows_at_all() {
    let other = Stub::start(|_| Reply::new(200, "[]")).await;
    let location = format!("{}/api/v1/jcds/files?secret=1", other.url);
    let stub = Stub::start(signed_in(move |_| Reply::new(302, "").with("location", location.clone()))).await;
    let rig = Rig::new(&stub.url);
    let error = rig.session.jcds_files(&rig.cx).await.unwrap_err();
    assert_eq!(other.seen().len(), 0);
    insta::assert_snapshot!(shown(error, &other.url), @r"
    Remote: GET /api/v1/jcds/files is redirected to SERVER/api/v1/jcds/files
    if that is where the server lives now, set JSS_URL to SERVER
    ");

    let stub =
        Stub::start(|_| Reply::new(301, "").with("location", "https://jamf.example.com/api/v1/oauth/token"))
            .await;
    let rig = Rig::new(&stub.url);
    let error = rig.session.jcds_files(&rig.cx).await.unwrap_err();
    insta::assert_snapshot!(shown(error, &stub.url), @r"
    Remote: POST /api/v1/oauth/token is redirected to https://jamf.example.com/api/v1/oauth/token
    if that is where the server lives now, set JSS_URL to https://jamf.example.com
    ");

    let stub = Stub::start(signed_in(|seen| Reply::new(302, "").with("location", seen.target.clone()))).await;
    let rig = Rig::new(&stub.url);
    let error = rig.session.jcds_files(&rig.cx).await.unwrap_err();
    assert!(matches!(error, Error::Redirected { .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_may_live_in_a_folder() {
    let stub = Stub::start(|seen| match seen.target.as_str() {
        "/jss/api/v1/oauth/token" => Reply::new(200, r#"{"access_token":"t","expires_in":3600}"#),
        "/jss/api/v1/jcds/files" => Reply::new(200, "[]"),
        _ => Reply::new(404, ""),
    })
    .await;
    let rig = Rig::new(&format!("{}/jss/", stub.url));
    rig.session.jcds_files(&rig.cx).await.unwrap();
}

#[tokio::test]
async fn no_answer_fills_the_memory() {
    let stub = Stub::start(signed_in(|_| Reply::new(200, " ".repeat(65 << 20)))).await;
    let rig = Rig::new(&stub.url);
    let error = rig.session.jcds_files(&rig.cx).await.unwrap_err();
    assert_eq!(stub.calls().len(), 1);
    insta::assert_snapshot!(shown(error, &stub.url), @r"
    Remote: GET /api/v1/jcds/files: the answer is larger than 64 MiB
    check that JSS_URL is the address of a Jamf Pro server and that nothing stands in between
    ");
}

/// Somebody who reads all of it would wait for ever.
#[tokio::test]
async fn a_long_refusal_is_read_from_its_beginning() {
    let stub =
        Stub::start(signed_in(|_| Reply::Torrent(400, "<p>Sorry</p><p>Error: No such thing</p>"))).await;
    let rig = Rig::new(&stub.url);
    let error = rig.session.jcds_files(&rig.cx).await.unwrap_err();
    assert_eq!(error.to_string(), "GET /api/v1/jcds/files was answered with 400 Bad Request: No such thing");
}

/// What a page for people answers is no answer of the API: a 404 there does not mean that the API is missing.
#[tokio::test]
async fn a_redirection_to_a_page_is_no_absence() {
    let stub = Stub::start(signed_in(|seen| match seen.target.as_str() {
        "/login.html" => Reply::new(404, ""),
        _ => Reply::new(302, "").with("location", "/login.html?from=token-1"),
    }))
    .await;
    let rig = Rig::new(&stub.url);
    let error = rig.session.packages_named(&rig.cx, &"App.pkg".parse().unwrap()).await.unwrap_err();
    assert_eq!(stub.calls().len(), 1);
    insta::assert_snapshot!(shown(error, &stub.url), @r"
    Remote: GET /api/v1/packages is redirected to SERVER/login.html
    check that JSS_URL is the address of a Jamf Pro server and that nothing stands in between, such as a page to sign in
    ");
}

#[tokio::test]
async fn a_silent_server_is_waited_for_twice() {
    let limit = Duration::from_millis(200);
    let timeouts = Timeouts { connect: limit, header: limit, idle: limit };
    let config = Config { timeouts, ..Config::default() };

    // Silence counts after other trouble too, and trouble after silence is its last try.
    for silent in [[true, true], [false, true], [true, false]] {
        let mut answered = 0;
        let stub = Stub::start(signed_in(move |_| {
            answered += 1;
            if silent[answered - 1] { Reply::Silence } else { Reply::new(503, "") }
        }))
        .await;
        let rig = Rig::with(&stub.url, CLIENT, Access::ReadWrite, config.clone());
        rig.session.jcds_files(&rig.cx).await.unwrap_err();
        assert_eq!(stub.calls().len(), 2);
        assert!(rig.notices().last().is_some_and(|notice| notice.contains("(try 2 of ")));
    }

    // Nor is it asked to create something more often, with a look after each.
    let stub = Stub::start(signed_in(|seen| match seen.method.as_str() {
        "POST" => Reply::Silence,
        _ => Reply::list(&[]),
    }))
    .await;
    let rig = Rig::with(&stub.url, CLIENT, Access::ReadWrite, config);
    let error = rig.session.create_category(&rig.cx, "Apps", 9).await.unwrap_err();
    assert!(matches!(error, Error::Uncertain { .. }), "{error:?}");
    insta::assert_snapshot!(stub.calls().iter().map(|seen| &*seen.method).collect::<Vec<_>>().join(" "), @"POST GET POST GET");
}
