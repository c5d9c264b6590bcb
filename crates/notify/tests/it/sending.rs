use crate::rig::{PATH, Rig, impatient, notifier, notifier_with, webhook};
use crate::samples::{bad, quiet};
use crate::stub::{Reply, Stub};
use base64::Engine as _;
use notify::{
    Announced, Config, Delivery, Error, InDryRun, Limits, Notifier, NotifyOn, Service, Webhook, payload,
};
use pipeline::{Diagnose as _, Failure, Secret, Traffic};
use std::time::Duration;

async fn told(notifier: &Notifier, rig: &Rig) -> Result<Delivery, Error> {
    let mut all = notifier.announce(&rig.cx, &bad()).await;
    assert_eq!(all.len(), 1);
    all.remove(0).outcome
}

/// What a person sees: message, causes, and what to do.
fn shown(error: Error) -> String {
    let hint = error.hint().unwrap_or_else(|| "(no hint)".to_owned());
    let failure = Failure::from(error);
    format!("{:?}: {failure}\n{hint}", failure.kind())
}

#[tokio::test]
async fn every_service_gets_its_message() {
    for service in [Service::Slack, Service::Teams, Service::Json] {
        let (stub, rig) = (Stub::kind().await, Rig::new());
        let outcome = told(&notifier(service, &stub.url), &rig).await;
        assert_eq!(outcome.unwrap(), Delivery::Sent { tries: 1 });
        let seen = stub.seen();
        assert_eq!(stub.lines(), format!("POST {PATH}"));
        assert_eq!(seen[0].header("content-type"), "application/json; charset=utf-8");
        assert!(seen[0].header("user-agent").starts_with("pkgferry/"));
        assert_eq!(seen[0].json(), payload(service, &bad()));
        assert_eq!(rig.notices(), "");
    }
}

#[tokio::test]
async fn what_is_not_worth_it_is_not_told() {
    let (stub, rig) = (Stub::kind().await, Rig::new());
    let all = notifier(Service::Slack, &stub.url).announce(&rig.cx, &quiet()).await;
    assert_eq!(*all[0].outcome.as_ref().unwrap(), Delivery::NotDue);
    assert_eq!(stub.lines(), "");
}

#[tokio::test]
async fn a_dry_run_tells_nobody_unless_it_is_asked_to() {
    let stub = Stub::kind().await;
    let silent = Rig::dry(InDryRun::Silent);
    assert_eq!(told(&notifier(Service::Slack, &stub.url), &silent).await.unwrap(), Delivery::Withheld);
    assert_eq!((stub.lines().as_str(), silent.notices().as_str()), ("", ""));
    let telling = Rig::dry(InDryRun::Tell);
    assert_eq!(
        told(&notifier(Service::Slack, &stub.url), &telling).await.unwrap(),
        Delivery::Sent { tries: 1 }
    );
    assert_eq!(telling.boundary.traffic(), Traffic { writes: 1, ..Traffic::default() });
}

#[tokio::test]
async fn a_service_that_asks_for_patience_gets_it() {
    for (header, pause) in [("7", 7.0), ("Sat, 21 Nov 2026 02:00:09 GMT", 9.0), ("86400", 30.0)] {
        let stub = Stub::after([Reply::new(429, "rate_limited").with("retry-after", header)]).await;
        let rig = Rig::new();
        let outcome = told(&notifier(Service::Slack, &stub.url), &rig).await;
        assert_eq!(outcome.unwrap(), Delivery::Sent { tries: 2 });
        assert_eq!(rig.elapsed(), pause, "{header}");
        assert_eq!(rig.boundary.traffic().writes, 2);
    }
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    let stub = Stub::after([Reply::new(503, ""), Reply::Cut]).await;
    let rig = Rig::new();
    let outcome = told(&notifier(Service::Teams, &stub.url), &rig).await;
    assert_eq!(outcome.unwrap(), Delivery::Sent { tries: 3 });
    // Pauses of 2 s and 4 s, each cut by up to half.
    assert!((3.0..=6.0).contains(&rig.elapsed()), "{}", rig.elapsed());
    let notices = rig.notices();
    let mut lines = notices.lines();
    assert!(lines.next().unwrap().starts_with("Info: the teams webhook answered 503; trying again in "));
    assert!(lines.next().unwrap().starts_with("Info: no working connection to the teams webhook: "));
    assert_eq!(lines.next(), None, "what got through in the end is no warning");
}

#[tokio::test]
async fn a_service_that_stays_down_is_given_up_with_a_warning() {
    let stub = Stub::start(|_| Reply::new(502, "<html>bad gateway</html>")).await;
    let rig = Rig::new();
    let error = told(&notifier(Service::Slack, &stub.url), &rig).await.unwrap_err();
    assert_eq!(stub.seen().len(), 3);
    insta::assert_snapshot!(shown(error), @"
    Remote: the slack webhook answered 502
    look at the status page of the service
    ");
    insta::assert_snapshot!(rig.notices().lines().last().unwrap(), @"Warning: the run was not announced: the slack webhook answered 502 (look at the status page of the service)");
}

#[tokio::test]
async fn waiting_has_a_limit_in_all() {
    let stub = Stub::start(|_| Reply::new(429, "").with("retry-after", "30")).await;
    let rig = Rig::new();
    let limits = Limits { tries: 99, ..Config::default().limits };
    told(&notifier_with(Service::Slack, &stub.url, limits), &rig).await.unwrap_err();
    assert_eq!((stub.seen().len(), rig.elapsed()), (3, 60.0));
}

#[tokio::test]
async fn refusals_are_final_and_told_without_the_address() {
    let mut all = String::new();
    let azure = r#"{"error":{"code":"WorkflowTriggerIsNotEnabled","message":"Could not execute workflow s3cr3t-hook"}}"#;
    let long = "a_word_that_is_far_too_long_to_be_the_name_of_any_error_that_a_service_has";
    for (service, status, body) in [
        (Service::Slack, 400, "invalid_blocks"),
        (Service::Slack, 404, "no_service\n"),
        (Service::Slack, 403, "s3cr3t-hook"),
        (Service::Slack, 410, long),
        (Service::Teams, 400, azure),
        (Service::Teams, 401, "{\"error\":{\"code\":\"s3cr3t hook\"}}"),
        (Service::Json, 413, "{\"code\":\"too_large\"}"),
        (Service::Json, 404, "<html>/services/T000/B000/s3cr3t-hook was not found</html>"),
    ] {
        let stub = Stub::start(move |_| Reply::new(status, body)).await;
        let rig = Rig::new();
        let error = told(&notifier(service, &stub.url), &rig).await.unwrap_err();
        assert_eq!(stub.seen().len(), 1, "{status}");
        all.push_str(&format!("{}\n", shown(error)));
    }
    assert!(!all.contains("s3cr3t"), "{all}");
    insta::assert_snapshot!(all, @"
    Remote: the slack webhook answered 400 invalid_blocks
    look whether the address belongs to the kind of service that is set, and whether its workflow is switched on; if both is so, please report this
    Remote: the slack webhook answered 404 no_service
    look whether the webhook is still there and switched on, and whether who made it is still allowed to; else make a new one
    Access: the slack webhook answered 403
    look whether the webhook is still there and switched on, and whether who made it is still allowed to; else make a new one
    Remote: the slack webhook answered 410
    look whether the webhook is still there and switched on, and whether who made it is still allowed to; else make a new one
    Remote: the teams webhook answered 400 WorkflowTriggerIsNotEnabled
    look whether the address belongs to the kind of service that is set, and whether its workflow is switched on; if both is so, please report this
    Access: the teams webhook answered 401
    look whether the webhook is still there and switched on, and whether who made it is still allowed to; else make a new one
    Remote: the json webhook answered 413 too_large
    look whether the address belongs to the kind of service that is set, and whether its workflow is switched on; if both is so, please report this
    Remote: the json webhook answered 404
    look whether the webhook is still there and switched on, and whether who made it is still allowed to; else make a new one
    ");
}

#[tokio::test]
async fn redirections_are_not_followed() {
    let elsewhere = Stub::kind().await;
    let to = elsewhere.url.clone();
    let stub = Stub::start(move |_| Reply::new(307, "").with("location", format!("{to}{PATH}"))).await;
    let error = told(&notifier(Service::Json, &stub.url), &Rig::new()).await.unwrap_err();
    insta::assert_snapshot!(shown(error), @"
    Remote: the json webhook answered 307, which leads elsewhere
    copy the address from the service again; it has another one now, or wants a person to sign in
    ");
    assert_eq!((stub.seen().len(), elsewhere.seen().len()), (1, 0));
}

#[tokio::test]
async fn a_service_that_says_nothing_is_not_waited_for() {
    let stub = Stub::start(|_| Reply::Silence).await;
    let error = told(&notifier_with(Service::Slack, &stub.url, impatient()), &Rig::new()).await.unwrap_err();
    assert_eq!(stub.seen().len(), 2);
    insta::assert_snapshot!(shown(error), @"
    Remote: the slack webhook did not answer within 0.2 s
    check the network, the proxy settings and the address
    ");
    // A refusal is known before its end, which may never come.
    let stub = Stub::start(|_| Reply::Torrent(400)).await;
    let error = told(&notifier(Service::Slack, &stub.url), &Rig::new()).await.unwrap_err();
    assert_eq!(error.to_string(), "the slack webhook answered 400");
}

#[tokio::test]
async fn where_nobody_listens_the_address_does_not_show() {
    let stub = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = stub.local_addr().unwrap().to_string();
    drop(stub);
    let rig = Rig::new();
    let notifier = notifier(Service::Slack, &format!("http://{host}"));
    let error = told(&notifier, &rig).await.unwrap_err();
    let everything = format!("{error:?} {} {notifier:?} {error}", rig.notices()) + &shown(error);
    let port = host.rsplit_once(':').unwrap().1;
    for part in ["127.0.0.1", port, "s3cr3t", "/services"] {
        assert!(!everything.contains(part), "{part}: {everything}");
    }
    assert!(everything.contains("no working connection to the slack webhook: "), "{everything}");
}

#[tokio::test]
async fn one_that_fails_does_not_keep_the_others() {
    let (good, bad_one, rig) = (Stub::kind().await, Stub::start(|_| Reply::new(404, "")).await, Rig::new());
    let webhooks = vec![
        webhook(Service::Slack, &bad_one.url).unwrap(),
        webhook(Service::Teams, &good.url).unwrap(),
        webhook(Service::Json, &good.url).unwrap(),
    ];
    let notifier = Notifier::new(webhooks, NotifyOn::Failure, &Config::default());
    let all = notifier.announce(&rig.cx, &bad()).await;
    let told =
        |one: &Announced| format!("{}: {}", one.label, one.outcome.as_ref().map_or("failed", |_| "told"));
    let all: Vec<_> = all.iter().map(told).collect();
    assert_eq!(all, ["the slack webhook: failed", "the teams webhook: told", "the json webhook: told"]);
    assert_eq!(good.seen().len(), 2);
    assert_eq!(rig.notices().lines().count(), 1);
}

#[tokio::test]
async fn an_interrupted_run_is_told_and_an_interruption_ends_the_telling() {
    let (stub, rig) = (Stub::kind().await, Rig::new());
    rig.cancel.cancel();
    assert_eq!(told(&notifier(Service::Slack, &stub.url), &rig).await.unwrap(), Delivery::Sent { tries: 1 });

    let rig = Rig::new();
    let cancel = rig.cancel.clone();
    let stub = Stub::start(move |_| {
        cancel.cancel();
        Reply::Silence
    })
    .await;
    let error = told(&notifier(Service::Slack, &stub.url), &rig).await.unwrap_err();
    assert!(matches!(error, Error::Interrupted { .. }), "{error}");
    assert_eq!(stub.seen().len(), 1);
}

#[tokio::test]
async fn credentials_in_an_address_go_into_a_header() {
    let (stub, rig) = (Stub::kind().await, Rig::new());
    let address = format!("{}/topic?priority=high", stub.url.replace("://", "://jane:pa55word@"));
    let webhook = Webhook::new(Service::Json, "ntfy", &Secret::from(address)).unwrap();
    let notifier = Notifier::new(vec![webhook], NotifyOn::Always, &Config::default());
    told(&notifier, &rig).await.unwrap();
    let seen = &stub.seen()[0];
    assert_eq!(seen.line(), "POST /topic?priority=high");
    let basic = base64::prelude::BASE64_STANDARD.encode("jane:pa55word");
    assert_eq!(seen.header("authorization"), format!("Basic {basic}"));
}

#[test]
fn addresses_that_cannot_be_are_refused_without_showing_them() {
    let mut all = String::new();
    for address in
        ["", "s3cr3t", "http://s3cr3t.example.com/", "ftp://s3cr3t.example.com", "mailto:s3cr3t@example.com"]
    {
        let error = Webhook::new(Service::Slack, "NOTIFY_SLACK", &Secret::from(address)).unwrap_err();
        all.push_str(&format!("{}\n", shown(error)));
    }
    assert!(!all.contains("s3cr3t"), "{all}");
    insta::assert_snapshot!(all, @"
    Recipe: the address of NOTIFY_SLACK cannot be used: it cannot be read as an address
    copy the whole address from the service, https:// included
    Recipe: the address of NOTIFY_SLACK cannot be used: it cannot be read as an address
    copy the whole address from the service, https:// included
    Recipe: the address of NOTIFY_SLACK cannot be used: plain http is for this machine only
    copy the whole address from the service, https:// included
    Recipe: the address of NOTIFY_SLACK cannot be used: it does not begin with https://
    copy the whole address from the service, https:// included
    Recipe: the address of NOTIFY_SLACK cannot be used: it has no host
    copy the whole address from the service, https:// included
    ");
}

#[test]
fn what_is_sent_to_ends_in_good_time() {
    let Limits { tries, each, longest_pause, total, .. } = Config::default().limits;
    assert!(total + each < Duration::from_secs(90), "systemd kills what it stops after that");
    assert!(tries >= 2 && longest_pause <= total);
}
