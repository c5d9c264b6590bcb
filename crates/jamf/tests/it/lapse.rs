//! A batch on a server that answers nobody.

use crate::stub::{CLIENT, Reply, Rig, Stub, signed_in};
use futures_util::future::join_all;
use jamf::{Config, Error, Listing};
use pipeline::{Access, Failure, FileName, SimulatedClock};
use sandbox::Sandbox;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

fn whole() -> Config {
    Config { listing: Listing::Whole, ..Config::default() }
}

fn rig(url: &str) -> Rig {
    Rig::with(url, CLIENT, Access::ReadWrite, whole())
}

/// What a recipe asks before it changes anything. As in choose-route, a server that answers with trouble is asked on.
async fn recipe(rig: &Rig, number: usize) -> Result<usize, Error> {
    let (session, cx) = (&rig.session, &rig.cx);
    let file: FileName = format!("{number}.pkg").parse().unwrap();
    let is_told = |error: &Error| error.status().is_some();
    session.version(cx).await.map(drop).or_else(|error| if is_told(&error) { Ok(()) } else { Err(error) })?;
    let point = session.distribution_point(cx).await.map(drop);
    point.or_else(|error| if is_told(&error) { Ok(()) } else { Err(error) })?;
    session.packages_named(cx, &file).await?;
    session.category_named(cx, "Apps").await?;
    let files = session.jcds_files_for(cx, &file).await?.len();
    session.jcds_initiate(cx).await?;
    Ok(files)
}

/// What a hundred recipes say, four side by side.
async fn batch(rig: &Rig) -> Vec<String> {
    let mut told = Vec::new();
    for four in 0..25 {
        let ends = join_all((0..4).map(|one| recipe(rig, four * 4 + one))).await;
        told.extend(ends.into_iter().map(|end| Failure::from(end.unwrap_err()).to_string()));
    }
    told
}

fn sent(rig: &Rig) -> u64 {
    let traffic = rig.cx.boundary().traffic();
    traffic.sign_ins + traffic.reads + traffic.writes
}

#[tokio::test]
async fn a_hundred_recipes_find_out_once_that_nobody_is_there() {
    let rig = rig("http://127.0.0.1:1");
    let told = batch(&rig).await;
    assert!(told[0].starts_with("POST /api/v1/oauth/token: no working connection to 127.0.0.1:1: "));
    assert!(told.iter().all(|one| *one == told[0]), "all say the same: {told:?}");
    assert_eq!(sent(&rig), 4);
    assert!(rig.elapsed() <= 14.0, "{}", rig.elapsed());

    // A minute later it is asked again.
    rig.clock.advance(MINUTE);
    batch(&rig).await;
    assert_eq!(sent(&rig), 8);
}

#[tokio::test]
async fn a_server_that_lets_nobody_in_for_now_is_not_asked_by_everybody() {
    let stub = Stub::start(|_| Reply::new(503, "").with("retry-after", "60")).await;
    let rig = rig(&stub.url);
    let told = batch(&rig).await;
    assert!(
        told.iter().all(|one| one == "POST /api/v1/oauth/token was answered with 503 Service Unavailable")
    );
    assert_eq!(stub.seen().len(), 4);
}

/// Who is signed in finds out for each question, since one call that fails says nothing of another.
#[tokio::test]
async fn a_server_that_answers_all_with_trouble_is_asked_each_question_once() {
    let stub = Stub::start(signed_in(|_| Reply::new(502, ""))).await;
    let rig = rig(&stub.url);
    let told = batch(&rig).await;
    assert!(told.iter().all(|one| one.ends_with("was answered with 502 Bad Gateway")), "{told:?}");
    assert_eq!(stub.calls().len(), 3 * 4, "version, distribution point, records: {}", stub.lines());
}

#[tokio::test]
async fn a_call_that_is_broken_does_not_keep_others_from_being_made() {
    let stub = Stub::start(signed_in(|seen| match seen.target.as_str() {
        "/api/v1/jamf-pro-version" => Reply::new(200, r#"{"version":"11.30.1"}"#),
        "/api/v1/cloud-distribution-point" => Reply::new(500, ""),
        "/api/v1/jcds/files" => Reply::new(200, "[]"),
        _ => Reply::list(&[]),
    }))
    .await;
    let rig = rig(&stub.url);
    let (session, cx) = (&rig.session, &rig.cx);
    for asked in [4, 4] {
        assert_eq!(session.distribution_point(cx).await.unwrap_err().status(), Some(500));
        assert_eq!(stub.calls().iter().filter(|seen| seen.target.ends_with("-point")).count(), asked);
    }
    assert!(session.packages_named(cx, &"App.pkg".parse().unwrap()).await.unwrap().is_empty());
    // Something has answered since, so that it may be better now.
    assert!(matches!(session.distribution_point(cx).await, Err(Error::Status(_))));
    assert_eq!(stub.calls().iter().filter(|seen| seen.target.ends_with("-point")).count(), 8);
}

/// What recipes ask in the middle of their work is tried by each of them.
#[tokio::test]
async fn who_has_sent_something_tries_on() {
    let up = Arc::new(AtomicBool::new(false));
    let is_up = Arc::clone(&up);
    let stub = Stub::start(move |seen| match seen.line().as_str() {
        _ if !is_up.load(Ordering::SeqCst) => Reply::new(503, ""),
        "POST /api/v1/oauth/token" => Reply::new(200, r#"{"access_token":"token","expires_in":3600}"#),
        "GET /api/v1/jcds/files" => Reply::new(200, "[]"),
        _ => Reply::new(404, ""),
    })
    .await;
    let rig = rig(&stub.url);
    let (session, cx, file) = (&rig.session, &rig.cx, "App.pkg".parse().unwrap());
    session.jcds_files_for(cx, &file).await.unwrap_err();
    up.store(true, Ordering::SeqCst);
    assert!(matches!(session.jcds_files_for(cx, &file).await, Err(Error::Lapsed(_))));
    assert_eq!(session.jcds_files_now(cx).await.unwrap().len(), 0);
    // That was an answer, so everybody asks again.
    assert_eq!(session.jcds_files_for(cx, &file).await.unwrap().len(), 0);
    assert!(matches!(session.version(cx).await, Err(Error::Status(_))));
}

/// The rehearsal server goes down in the middle of a batch and comes back.
#[tokio::test]
async fn a_server_that_comes_back_is_used_again() {
    let data = tempfile::tempdir().unwrap();
    let clock = Arc::new(SimulatedClock::at("2026-11-20T12:00:00Z".parse().unwrap()));
    let mut config = sandbox::Config::new(data.path().to_owned(), clock.clone());
    let sandbox = Sandbox::start(contract::watched(config.clone())).await.unwrap();
    sandbox.put_file("App.pkg", b"bytes");
    let here = sandbox.connection().clone();
    config.jamf = here.jss_url.strip_prefix("http://").unwrap().parse().unwrap();
    let account = [("CLIENT_ID", here.client_id.as_str()), ("CLIENT_SECRET", &here.client_secret)];
    let rig = Rig::at(&here.jss_url, &account, Access::ReadWrite, whole(), clock.clone());
    assert_eq!(recipe(&rig, 0).await.unwrap(), 1);

    drop(sandbox);
    // The token of a client lives for a minute.
    clock.advance(MINUTE);
    let before = sent(&rig);
    let told = batch(&rig).await;
    assert!(told.iter().all(|one| one.contains("no working connection")), "{told:?}");
    // What is known is not asked for; only who is about to send finds out, four at a time at first.
    assert!(sent(&rig) - before <= 4 * 4, "{}", sent(&rig) - before);

    let _sandbox = Sandbox::start(contract::watched(config)).await.unwrap();
    clock.advance(MINUTE);
    for number in 0..3 {
        assert_eq!(recipe(&rig, number).await.unwrap(), 1);
    }
}
