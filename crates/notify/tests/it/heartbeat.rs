use crate::rig::Rig;
use crate::samples::bad;
use crate::stub::{Reply, Stub};
use notify::{Config, Delivery, Heartbeat, HeartbeatStyle, InDryRun, Signal, note};
use pipeline::{Secret, Shard};

fn heartbeat(url: &str, style: HeartbeatStyle) -> Heartbeat {
    let address = Secret::from(format!("{url}/ping/5f1c-s3cr3t?create=1"));
    Heartbeat::new("the heartbeat", &address, Shard::WHOLE, style, &Config::default()).unwrap()
}

#[tokio::test]
async fn a_run_is_heard_when_it_starts_and_when_it_ends() {
    let (stub, rig) = (Stub::kind().await, Rig::new());
    let heartbeat = heartbeat(&stub.url, HeartbeatStyle::Signals);
    for (signal, note) in [
        (Signal::Start, String::new()),
        (Signal::Exit(0), "300 skipped".to_owned()),
        (Signal::Exit(5), note(&bad())),
        (Signal::Exit(130), String::new()),
    ] {
        assert_eq!(heartbeat.ping(&rig.cx, signal, &note).await, Some(Delivery::Sent { tries: 1 }));
    }
    insta::assert_snapshot!(stub.lines(), @"
    POST /ping/5f1c-s3cr3t/start?create=1
    POST /ping/5f1c-s3cr3t?create=1
    POST /ping/5f1c-s3cr3t/5?create=1
    POST /ping/5f1c-s3cr3t/130?create=1
    ");
    let bodies: Vec<_> = stub.seen().into_iter().map(|seen| seen.body).collect();
    assert_eq!(bodies, [String::new(), "300 skipped".to_owned(), note(&bad()), String::new()]);
    assert_eq!(stub.seen()[1].header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(rig.boundary.traffic().writes, 4);
}

#[tokio::test]
async fn some_services_hear_of_successes_alone() {
    let (stub, rig) = (Stub::kind().await, Rig::new());
    let heartbeat = heartbeat(&stub.url, HeartbeatStyle::SuccessOnly);
    for (signal, delivery) in [
        (Signal::Start, Delivery::NotDue),
        (Signal::Exit(7), Delivery::NotDue),
        (Signal::Exit(0), Delivery::Sent { tries: 1 }),
    ] {
        assert_eq!(heartbeat.ping(&rig.cx, signal, "a note").await, Some(delivery));
    }
    insta::assert_snapshot!(stub.lines(), @"GET /ping/5f1c-s3cr3t?create=1");
}

#[tokio::test]
async fn a_ping_that_fails_is_a_warning() {
    let stub = Stub::after([Reply::new(404, "not found")]).await;
    let rig = Rig::new();
    let heartbeat = heartbeat(&stub.url, HeartbeatStyle::Signals);
    assert_eq!(heartbeat.ping(&rig.cx, Signal::Start, "").await, None);
    insta::assert_snapshot!(rig.notices(), @"Warning: the heartbeat was not heard: the heartbeat answered 404 (look whether the webhook is still there and switched on, and whether who made it is still allowed to; else make a new one)");
    assert_eq!(heartbeat.ping(&rig.cx, Signal::Exit(0), "").await, Some(Delivery::Sent { tries: 1 }));
    assert!(!format!("{heartbeat:?}").contains("s3cr3t"));
}

#[tokio::test]
async fn a_ping_is_tried_again() {
    let stub = Stub::after([Reply::Cut, Reply::new(500, "")]).await;
    let rig = Rig::new();
    let heartbeat = heartbeat(&stub.url, HeartbeatStyle::Signals);
    assert_eq!(heartbeat.ping(&rig.cx, Signal::Exit(0), "").await, Some(Delivery::Sent { tries: 3 }));
}

#[tokio::test]
async fn a_rehearsal_is_no_sign_of_life() {
    let (stub, rig) = (Stub::kind().await, Rig::dry(InDryRun::Silent));
    let heartbeat = heartbeat(&stub.url, HeartbeatStyle::Signals);
    assert_eq!(heartbeat.ping(&rig.cx, Signal::Start, "").await, Some(Delivery::Withheld));
    assert_eq!(stub.lines(), "");
}

/// Each of several runs has a name of its own, so that the silence of one is noticed.
#[tokio::test]
async fn each_shard_has_an_address_of_its_own() {
    let (stub, rig) = (Stub::kind().await, Rig::new());
    let address = Secret::from(format!("{}/ping/s3cr3t/nightly-{{shard}}?of={{shard}}", stub.url));
    for shard in [Shard::new(2, 4).unwrap(), Shard::new(1, 1).unwrap(), Shard::WHOLE] {
        let (style, config) = (HeartbeatStyle::Signals, Config::default());
        let heartbeat = Heartbeat::new("the heartbeat", &address, shard, style, &config).unwrap();
        heartbeat.ping(&rig.cx, Signal::Start, "").await;
    }
    insta::assert_snapshot!(stub.lines(), @"
    POST /ping/s3cr3t/nightly-2-of-4/start?of=2-of-4
    POST /ping/s3cr3t/nightly-all/start?of=all
    POST /ping/s3cr3t/nightly-all/start?of=all
    ");
}
