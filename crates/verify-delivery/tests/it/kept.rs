//! Deliveries that are kept until they are proven.

use crate::stage::{BYTES, Stage, ready, record, told};
use fingerprint::Fingerprint;
use insta::assert_snapshot;
use pipeline::{Applied, Outcome, Plan, Route, Sha3_512, Witness};
use serde_json::{Value as Json, json};
use state::{Arrival, Delivery, NewDelivery, State};
use std::sync::{Arc, Mutex};

fn kept(stage: &Stage) -> Vec<Delivery> {
    stage.state.as_ref().unwrap().unproven(None).unwrap()
}

async fn local(stage: &Stage) -> Fingerprint {
    fingerprint::digest(&stage.path(), |_| {}, &stage.cancel).await.unwrap().0
}

/// As an earlier run has left it.
fn keep(stage: &Stage, sent: Fingerprint) {
    keep_as(stage, sent, YESTERDAY, Route::PackagesApi, Arrival::Awaited);
}

const YESTERDAY: &str = "2026-11-19T22:00:00Z";
/// Not every node of the server has heard of it.
const JUST_NOW: &str = "2026-11-20T11:59:30Z";

fn keep_as(stage: &Stage, sent: Fingerprint, since: &str, route: Route, arrival: Arrival) {
    let server = stage.sandbox.connection().jss_url.clone();
    let new = NewDelivery {
        server: &server,
        file: &"App.pkg".parse().unwrap(),
        record: None,
        sent,
        route,
        witness: Witness::Record,
        since: since.parse().unwrap(),
        arrival,
    };
    stage.state.as_ref().unwrap().keep_delivery(&new).unwrap();
}

/// What is told of bytes whose local file nobody needs any more.
fn known(sent: Fingerprint) -> [(&'static str, Json); 5] {
    [
        ("pkg_path", Json::Null),
        ("pkg_name", json!("App.pkg")),
        ("pkg_size", json!(sent.size)),
        ("pkg_md5", json!(sent.md5.to_string())),
        ("pkg_sha3_512", json!(sent.sha3_512.to_string())),
    ]
}

#[track_caller]
fn came_to(delivery: &str, applied: &Applied) {
    assert!(told(applied).ends_with(&format!("delivery: {delivery}")), "{}", told(applied));
}

fn other(mut bytes: Fingerprint) -> Fingerprint {
    bytes.md5 = pipeline::Md5::from_bytes([7; 16]);
    bytes
}

#[tokio::test]
async fn what_is_not_proven_is_kept_with_all_that_proving_takes() {
    let stage = Stage::with_state().await;
    let id = stage.sandbox.put_package(record());
    let routes = [("chosen_route", json!("packages-api")), ("witness", json!("record"))];
    let applied = stage.prove(&routes).await.unwrap();
    assert_snapshot!(told(&applied), @"
    unverified: App.pkg is not proven after 5 min: record 1 tells no size
    hint: wait a few minutes, then run `pkgferry verify`, which sends nothing
    delivery: unverified
    ");
    let [kept] = &kept(&stage)[..] else { panic!("one is kept") };
    assert_eq!(
        (kept.server.as_str(), kept.file.as_str()),
        (stage.sandbox.connection().jss_url.as_str(), "App.pkg")
    );
    assert_eq!(kept.record, Some(id));
    assert_eq!(kept.sent, local(&stage).await);
    assert_eq!((kept.route, kept.witness), (Route::PackagesApi, Witness::Record));
    // When proving began, and not when it was given up: a kill would not have told that.
    assert_eq!(kept.since.to_string(), "2026-11-20T12:00:00Z");
}

#[tokio::test]
async fn a_recipe_that_does_not_choose_is_proven_by_the_list() {
    let stage = Stage::with_state().await;
    came_to("unverified", &stage.prove(&[]).await.unwrap());
    assert_eq!((kept(&stage)[0].route, kept(&stage)[0].witness), (Route::Jcds, Witness::List));
}

#[tokio::test]
async fn it_is_kept_before_the_first_look_and_settled_by_the_proof() {
    let stage = Stage::with_state().await;
    let seen = Arc::new(Mutex::new(0));
    let (state, counted) = (stage.state.clone().unwrap(), Arc::clone(&seen));
    stage.after(2, move |sandbox| {
        *counted.lock().unwrap() = state.unproven(None).unwrap().len();
        sandbox.put_file("App.pkg", BYTES);
    });
    let applied = stage.prove(&[]).await.unwrap();
    came_to("proven", &applied);
    assert_eq!((*seen.lock().unwrap(), kept(&stage)), (1, vec![]));
}

#[tokio::test]
async fn an_interruption_leaves_it() {
    let stage = Stage::with_state().await;
    let cancel = stage.cancel.clone();
    stage.after(15, move |_| cancel.cancel());
    let failure = stage.prove(&[]).await.unwrap_err();
    assert_snapshot!(failure.hint().unwrap(), @"wait a few minutes, then run `pkgferry verify`, which sends nothing; sending again now may make a twin, App_1.pkg, so no run does for an hour; if somebody has deleted it, `pkgferry verify --forget App.pkg` lets the next run send it");
    assert_eq!(kept(&stage).len(), 1);
}

#[tokio::test]
async fn a_server_that_refuses_to_tell_leaves_it() {
    let mut stage = Stage::with(|config| {
        for account in &mut config.accounts {
            *account = account.clone().without(sandbox::Privilege::ReadJcdsFiles);
        }
    })
    .await;
    stage.state = Some(State::in_memory().unwrap());
    stage.prove(&[]).await.unwrap_err();
    assert_eq!(kept(&stage).len(), 1);
}

/// A local file that cannot be read is no reason to forget what was sent before.
#[tokio::test]
async fn a_local_file_that_is_gone_changes_nothing() {
    let stage = Stage::with_state().await;
    keep(&stage, local(&stage).await);
    std::fs::remove_file(stage.path()).unwrap();
    let before = kept(&stage);
    stage.prove(&[]).await.unwrap_err();
    assert_eq!(kept(&stage), before);
}

#[tokio::test]
async fn what_was_sent_now_takes_the_place_of_what_was_sent_before() {
    let stage = Stage::with_state().await;
    let now = local(&stage).await;
    keep(&stage, other(now));
    came_to("unverified", &stage.prove(&[]).await.unwrap());
    let [kept] = &kept(&stage)[..] else { panic!("one is kept") };
    assert_eq!((kept.sent, kept.since.to_string().as_str()), (now, "2026-11-20T12:00:00Z"));
}

/// What the step that has sent it wrote down is exact.
#[tokio::test]
async fn what_the_sender_wrote_down_is_not_made_younger() {
    for (route, since) in [(Route::Jcds, JUST_NOW), (Route::PackagesApi, "2026-11-20T12:00:00Z")] {
        let stage = Stage::with_state().await;
        keep_as(&stage, local(&stage).await, JUST_NOW, route, Arrival::Listed);
        came_to("unverified", &stage.prove(&[("chosen_route", json!(route.as_str()))]).await.unwrap());
        let [kept] = &kept(&stage)[..] else { panic!("one is kept") };
        assert_eq!(kept.since.to_string(), since);
    }
}

/// The next run may ask a node that has not heard of it. What somebody else has sent, what went through Jamf Pro, and what was sent long
/// ago, nobody waits for.
#[tokio::test]
async fn what_was_sent_and_proven_is_remembered_for_who_looks_at_a_list_that_is_behind() {
    let app = "App.pkg".parse().unwrap();
    let after = async |route, since, arrival, sent: &dyn Fn(Fingerprint) -> Fingerprint| {
        let stage = Stage::with_state().await;
        stage.sandbox.put_file("App.pkg", BYTES);
        keep_as(&stage, sent(local(&stage).await), since, route, arrival);
        let route = ("chosen_route", json!(route.as_str()));
        let found = [("pkg_uploaded", json!(false)), ("pkg_metadata_updated", json!(true)), route];
        came_to("proven", &stage.look(&found).await.unwrap());
        assert_eq!(kept(&stage), []);
        let server = stage.sandbox.connection().jss_url.clone();
        let kept = stage.state.as_ref().unwrap().delivery(&server, &app).unwrap();
        kept.map(|kept| (kept.arrival, kept.since.to_string()))
    };
    let remembered = Some((Arrival::Proven, JUST_NOW.to_owned()));
    for arrival in [Arrival::Awaited, Arrival::Listed, Arrival::Proven] {
        assert_eq!(after(Route::Jcds, JUST_NOW, arrival, &|same| same).await, remembered, "{arrival:?}");
        assert_eq!(after(Route::Jcds, JUST_NOW, arrival, &other).await, None, "{arrival:?}");
        assert_eq!(after(Route::Jcds, YESTERDAY, arrival, &|same| same).await, None, "{arrival:?}");
        assert_eq!(after(Route::PackagesApi, JUST_NOW, arrival, &|same| same).await, None, "{arrival:?}");
    }
    assert_eq!(after(Route::Jcds, JUST_NOW, Arrival::Unawaited, &|same| same).await, None);
}

/// The list may show what was there before it.
#[tokio::test]
async fn a_proof_of_other_bytes_says_nothing_of_what_was_sent_just_now() {
    for (since, left) in [(JUST_NOW, 1), (YESTERDAY, 0)] {
        let stage = Stage::with_state().await;
        stage.sandbox.put_file("App.pkg", BYTES);
        keep_as(&stage, other(local(&stage).await), since, Route::Jcds, Arrival::Awaited);
        came_to("proven", &stage.look(&[]).await.unwrap());
        assert_eq!(kept(&stage).len(), left, "{since}");
    }
}

#[tokio::test]
async fn what_was_proven_is_not_proven_again_and_again() {
    let nothing = [("pkg_uploaded", json!(false)), ("pkg_metadata_updated", json!(false))];
    let stage = Stage::with_state().await;
    keep_as(&stage, local(&stage).await, JUST_NOW, Route::Jcds, Arrival::Proven);
    let Plan::Settled { outcome, .. } = stage.plan(&nothing).await else {
        panic!("there is nothing to prove")
    };
    assert_eq!(outcome.to_string(), "skipped: nothing was sent");

    // Its record is changed, and that is not proven in time: it is open again.
    let changed = [("pkg_uploaded", json!(false)), ("pkg_metadata_updated", json!(true))];
    came_to("unverified", &stage.look(&changed).await.unwrap());
    assert_eq!(kept(&stage).iter().map(|kept| kept.arrival).collect::<Vec<_>>(), [Arrival::Unawaited]);
}

#[tokio::test]
async fn who_found_the_same_bytes_there_waits_as_long_as_the_one_who_sent_them() {
    let stage = Stage::with_state().await;
    keep(&stage, local(&stage).await);
    came_to(
        "unverified",
        &stage.look(&[("pkg_uploaded", json!(false)), ("pkg_metadata_updated", json!(true))]).await.unwrap(),
    );
    let [kept] = &kept(&stage)[..] else { panic!("one is kept") };
    assert_eq!((kept.witness, kept.since.to_string().as_str()), (Witness::List, "2026-11-19T22:00:00Z"));
}

/// Somebody asks whether a local file is there, and it may be one that nobody has sent.
#[tokio::test]
async fn who_only_looks_keeps_nothing_and_replaces_nothing() {
    let stage = Stage::with_state().await;
    let applied = stage.look(&[]).await.unwrap();
    assert!(told(&applied).contains("recipes.verify-package"), "{}", told(&applied));
    assert_eq!(kept(&stage), []);

    let sent = other(local(&stage).await);
    keep(&stage, sent);
    let before = kept(&stage);
    let applied = stage.look(&[]).await.unwrap();
    assert!(told(&applied).contains("recipes.verify-package"), "{}", told(&applied));
    assert_eq!(kept(&stage), before);

    // Other bytes are in its place: nobody will ever prove it.
    stage.sandbox.put_file("App.pkg", BYTES);
    came_to("proven", &stage.look(&[]).await.unwrap());
    assert_eq!(kept(&stage), []);
}

#[tokio::test]
async fn what_is_kept_is_proven_without_the_local_file() {
    let stage = Stage::with_state().await;
    let sent = local(&stage).await;
    keep(&stage, sent);
    let known = known(sent);
    let said = told(&stage.look(&known).await.unwrap());
    assert!(said.contains("run `pkgferry verify`"), "{said}");
    assert_eq!(kept(&stage).len(), 1);
    stage.sandbox.put_file("App.pkg", BYTES);
    came_to("proven", &stage.look(&known).await.unwrap());
    assert_eq!(kept(&stage), []);
}

/// What the server shows.
#[derive(Clone, Copy)]
struct Scene {
    listed: &'static [(&'static str, &'static [u8])],
    record: Record,
    witness: &'static str,
}

#[derive(Clone, Copy)]
enum Record {
    None,
    /// It was there when the step began.
    Missing,
    Blank,
    /// It says so many bytes, beside the digest that was sent or another one.
    Says(u64, Digest),
}

#[derive(Clone, Copy)]
enum Digest {
    Sent,
    Other,
}

impl Scene {
    fn list(listed: &'static [(&'static str, &'static [u8])], record: Record) -> Self {
        Self { listed, record, witness: "list" }
    }

    /// The record tells, and nobody asks for the list.
    fn record(record: Record) -> Self {
        Self { listed: &[], record, witness: "record" }
    }

    async fn open(self) -> (Stage, Fingerprint, Vec<(&'static str, Json)>) {
        let stage = Stage::with_state().await;
        let sent = local(&stage).await;
        for (name, bytes) in self.listed {
            stage.sandbox.put_file(name, bytes);
        }
        let mut entries = vec![("witness", json!(self.witness))];
        match self.record {
            Record::None => {}
            Record::Missing => entries.push(("package_id", json!(77))),
            Record::Blank => _ = stage.sandbox.put_package(record()),
            Record::Says(size, Digest::Sent) => _ = stage.sandbox.put_package(ready(size, sent.sha3_512)),
            Record::Says(size, Digest::Other) => {
                _ = stage.sandbox.put_package(ready(size, Sha3_512::from_bytes([7; 64])));
            }
        }
        (stage, sent, entries)
    }

    /// How many proofs are left after a run that has sent the file, and after one that only looks at what an earlier one has sent.
    /// Both say `said`.
    async fn leaves(self, said: &str) -> [usize; 2] {
        let left = |stage: &Stage, applied: &Applied| {
            assert!(told(applied).contains(said), "{said}: {}", told(applied));
            kept(stage).len()
        };
        let (stage, _, entries) = self.open().await;
        let by_sender = left(&stage, &stage.prove(&entries).await.unwrap());

        let (stage, sent, entries) = self.open().await;
        keep(&stage, sent);
        let applied = stage.look(&[&known(sent)[..], &entries].concat()).await.unwrap();
        [by_sender, left(&stage, &applied)]
    }
}

const OLD: &[u8] = b"the old bytes";

#[tokio::test]
async fn what_is_proven_is_settled() {
    let all = BYTES.len() as u64;
    for scene in [
        Scene::list(&[("App.pkg", BYTES)], Record::None),
        Scene::list(&[("App.pkg", BYTES)], Record::Blank),
        Scene::record(Record::Says(all, Digest::Sent)),
    ] {
        assert_eq!(scene.leaves("delivery: proven").await, [0, 0]);
    }
}

/// It must not turn into a success by looking a second time. What has come empty may be sent again at once; what has a twin may be on its
/// way itself, and may not.
#[tokio::test]
async fn what_has_gone_wrong_is_kept_until_it_is_mended() {
    for (scene, said, arrival) in [
        (Scene::list(&[("App_1.pkg", BYTES)], Record::None), "arrived as App_1.pkg", Arrival::Awaited),
        (
            Scene::list(&[("App.pkg", OLD), ("App_1.pkg", BYTES)], Record::Blank),
            "arrived as App_1.pkg",
            Arrival::Awaited,
        ),
        (Scene::list(&[], Record::Says(0, Digest::Sent)), "arrived without its bytes", Arrival::Unawaited),
        (Scene::record(Record::Says(0, Digest::Sent)), "arrived without its bytes", Arrival::Unawaited),
    ] {
        let (stage, _, entries) = scene.open().await;
        let sent = stage.prove(&entries).await.unwrap();
        let looked = stage.look(&entries).await.unwrap();
        assert!(told(&sent).contains(said) && told(&looked).contains(said), "{said}: {}", told(&looked));
        let arrivals: Vec<_> = kept(&stage).iter().map(|kept| kept.arrival).collect();
        assert_eq!(arrivals, [arrival], "{said}");
    }
}

/// Nobody knows yet, and the next run is to look again and not to send it again.
#[tokio::test]
async fn what_may_change_yet_is_kept() {
    let all = BYTES.len() as u64;
    for (scene, said) in [
        (Scene::list(&[], Record::None), "does not list it"),
        (Scene::list(&[("App.pkg", OLD)], Record::None), "lists 13 bytes instead of 24"),
        (Scene::list(&[("App.pkg", b"OTHER bytes of a package")], Record::None), "lists MD5"),
        // Not beside the new digest: an earlier failure that may be about to be replaced.
        (Scene::list(&[("App.pkg", b"")], Record::None), "lists 0 bytes instead of 24"),
        (Scene::list(&[("App.pkg", BYTES)], Record::Missing), "record 77 is not there"),
        (Scene::record(Record::None), "no package record names it"),
        (Scene::record(Record::Blank), "record 1 tells no size"),
        (Scene::record(Record::Says(13, Digest::Sent)), "record 1 says 13 bytes instead of 24"),
        (Scene::record(Record::Says(all, Digest::Other)), "record 1 says SHA3-512"),
        (Scene::record(Record::Says(0, Digest::Other)), "record 1 says 0 bytes instead of 24"),
    ] {
        assert_eq!(scene.leaves(said).await, [1, 1], "{said}");
    }
}

/// The local file is another build than the one that was sent, and that one may appear yet.
#[tokio::test]
async fn what_went_wrong_with_other_bytes_settles_nothing() {
    for (scene, said) in [
        (Scene::list(&[("App_1.pkg", BYTES)], Record::None), "arrived as App_1.pkg"),
        (Scene::record(Record::Says(0, Digest::Sent)), "arrived without its bytes"),
    ] {
        let (stage, local, entries) = scene.open().await;
        keep(&stage, other(local));
        let before = kept(&stage);
        let applied = stage.look(&entries).await.unwrap();
        assert!(told(&applied).contains(said), "{}", told(&applied));
        assert_eq!(kept(&stage), before, "{said}");
    }
}

/// Another process that sends the same file does not lose what it keeps.
#[tokio::test]
async fn what_another_process_keeps_meanwhile_stays() {
    let stage = Stage::with_state().await;
    let (state, sent) = (stage.state.clone().unwrap(), other(local(&stage).await));
    let server = stage.sandbox.connection().jss_url.clone();
    stage.after(2, move |sandbox| {
        let file = "App.pkg".parse().unwrap();
        let (route, witness, record) = (Route::Jcds, Witness::List, None);
        let since = "2026-11-20T12:00:02Z".parse().unwrap();
        let new = NewDelivery {
            server: &server,
            file: &file,
            record,
            sent,
            route,
            witness,
            since,
            arrival: Arrival::Awaited,
        };
        state.keep_delivery(&new).unwrap();
        sandbox.put_file("App.pkg", BYTES);
    });
    came_to("proven", &stage.prove(&[]).await.unwrap());
    assert_eq!(kept(&stage).iter().map(|kept| kept.sent).collect::<Vec<_>>(), [sent]);
}

#[tokio::test]
async fn a_run_that_finds_nothing_to_send_finishes_an_earlier_proof() {
    let nothing = [("pkg_uploaded", json!(false)), ("pkg_metadata_updated", json!(false))];
    let stage = Stage::with_state().await;
    stage.sandbox.put_package(record());
    stage.sandbox.put_file("App.pkg", BYTES);
    let planned = |plan| match plan {
        Plan::Settled { outcome, .. } => Outcome::to_string(&outcome),
        Plan::Pending { changes, .. } => changes[0].to_string(),
    };
    assert_eq!(planned(stage.plan(&nothing).await), "skipped: nothing was sent");
    keep(&stage, local(&stage).await);
    assert_snapshot!(planned(stage.plan(&nothing).await), @"prove delivery of App.pkg (an earlier run has not proven it)");
    assert_eq!(kept(&stage).len(), 1, "planning settles nothing");
    came_to("proven", &stage.look(&nothing).await.unwrap());
    assert_eq!(kept(&stage), []);
}

#[tokio::test]
async fn what_cannot_be_written_is_told_and_proven_all_the_same() {
    let stage = Stage::with_state().await;
    let file = stage.path().with_file_name("state").join("state.db");
    rusqlite::Connection::open(file).unwrap().execute_batch("DROP TABLE unproven").unwrap();
    stage.sandbox.put_file("App.pkg", BYTES);
    came_to("proven", &stage.prove(&[]).await.unwrap());
    assert_snapshot!(stage.warnings().join("\n"), @"if App.pkg is not proven now, the next run will not know: the state could not be read or written: no such table: unproven: Error code 1: SQL logic error");
}

/// A recipe without choose-route sends by package-upload what was proven a month ago.
#[tokio::test]
async fn what_is_sent_again_without_a_chosen_route_is_to_be_proven_again() {
    let stage = Stage::with_state().await;
    keep_as(&stage, local(&stage).await, JUST_NOW, Route::Jcds, Arrival::Proven);
    came_to("unverified", &stage.prove(&[("witness", json!("record"))]).await.unwrap());
    assert_eq!(kept(&stage).len(), 1, "it must not be forgotten");
}

/// It has the age of what was sent long ago, and something else is sent after it.
#[tokio::test]
async fn what_a_recipe_could_not_prove_today_is_not_forgotten_today() {
    for arrival in [Arrival::Proven, Arrival::Listed] {
        let stage = Stage::with_state().await;
        let (server, sent) = (stage.sandbox.connection().jss_url.clone(), local(&stage).await);
        let keep = |file: &str, since: &str, arrival| {
            let new = NewDelivery {
                server: &server,
                file: &file.parse().unwrap(),
                record: None,
                sent,
                route: Route::Jcds,
                witness: Witness::List,
                since: since.parse().unwrap(),
                arrival,
            };
            stage.state.as_ref().unwrap().keep_delivery(&new).unwrap();
        };
        keep("App.pkg", "2026-10-01T12:00:00Z", arrival);
        // The recipe changes the record; what it reads back does not agree.
        stage.sandbox.put_file("App.pkg", b"OTHER bytes of a package");
        let changed = [("pkg_uploaded", json!(false)), ("pkg_metadata_updated", json!(true))];
        came_to("unverified", &stage.look(&changed).await.unwrap());
        assert_eq!(kept(&stage).len(), 1);
        // The next recipe of the same run.
        keep("Other.pkg", "2026-11-20T12:10:00Z", Arrival::Awaited);
        let files: Vec<_> = kept(&stage).iter().map(|kept| kept.file.to_string()).collect();
        assert_eq!(files, ["App.pkg", "Other.pkg"], "{arrival:?}");
    }
}
