//! Two runs that are about the same package.

use crate::meddler::{Fate, Seen, in_turn};
use crate::stage::{Sent, Stage, bytes, failed};
use insta::assert_snapshot;
use jamf::{Listing, Sessions};
use pipeline::{Activity, Gate, Place, Places};
use sandbox::Fault;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// The sessions of a run that has listed the server now, and will not again for its own sake.
async fn run_of_many(stage: &Stage) -> Arc<Sessions> {
    let config = jamf::Config { listing: Listing::Whole, ..jamf::Config::default() };
    let sessions = Arc::new(Sessions::new(config).unwrap());
    let (session, cx) = (sessions.open(&stage.env_of("App.pkg")).unwrap(), stage.context());
    let name = "App.pkg".parse().unwrap();
    session.jcds_files_for(&cx, &name).await.unwrap();
    session.packages_named(&cx, &name).await.unwrap();
    sessions
}

fn deletions(stage: &Stage) -> usize {
    stage.meddler.seen().iter().filter(|seen| seen.is_delete()).count()
}

#[tokio::test]
async fn a_file_that_another_run_created_since_the_listing_stays_the_only_one() {
    let stage = Stage::open().await;
    stage.meddler.rule(|_| Fate::Pass);
    let ours = run_of_many(&stage).await;
    let (new, old) = (bytes(1, 1000), bytes(2, 1000));
    let theirs = stage.path().with_extension("other");
    let sent = stage.send_elsewhere(&theirs, "App.pkg", &old).await.unwrap();
    assert_eq!(sent.change, "create file App.pkg");

    // The listing says that there is none, and the plan believes it; the commit does not.
    let env = stage.env("App.pkg", &new);
    let failure = stage.send_within(ours.clone(), env, |_| {}).await.unwrap_err();
    assert_snapshot!(failed(&failure), @"
    App.pkg appeared on the server after the plan was made; it was left alone, and the new one was not put in place
    hint: run again: the plan then shows the file that is there now
    Remote
    ");
    assert_eq!((stage.listed(), deletions(&stage)), (vec!["App.pkg".to_owned()], 0));
    stage.assert_holds("App.pkg", &old);
    assert_eq!(stage.sandbox.open_uploads(), Vec::<String>::new());

    // What the commit saw is known from then on.
    let sent = stage.send_within(ours, stage.env_of("App.pkg"), |_| {}).await.unwrap();
    assert_eq!(sent.change, "replace file App.pkg");
    assert_eq!(stage.listed(), ["App.pkg"]);
    stage.assert_holds("App.pkg", &new);
}

#[tokio::test]
async fn a_file_that_another_run_replaced_since_the_listing_is_not_deleted() {
    let stage = Stage::open().await;
    stage.meddler.rule(|_| Fate::Pass);
    stage.sandbox.put_file("App.pkg", &bytes(1, 1000));
    let (ours, theirs) = (run_of_many(&stage).await, run_of_many(&stage).await);
    let (new, other) = (bytes(2, 1000), bytes(3, 1000));
    let sent = stage.send_within(theirs, stage.env("App.pkg", &other), |_| {}).await.unwrap();
    assert_eq!(sent.change, "replace file App.pkg");
    assert_eq!(deletions(&stage), 1);

    let env = stage.env("App.pkg", &new);
    let failure = stage.send_within(ours.clone(), env, |_| {}).await.unwrap_err();
    assert_snapshot!(failed(&failure), @"
    the App.pkg on the server changed after the plan was made; it was left alone, and the new one was not put in place
    hint: run again: the plan then shows the file that is there now
    Remote
    ");
    assert_eq!((stage.listed(), deletions(&stage)), (vec!["App.pkg".to_owned()], 1));
    stage.assert_holds("App.pkg", &other);
    assert_eq!(stage.sandbox.open_uploads(), Vec::<String>::new());

    let sent = stage.send_within(ours, stage.env_of("App.pkg"), |_| {}).await.unwrap();
    assert_eq!(sent.change, "replace file App.pkg");
    assert_eq!(stage.listed(), ["App.pkg"]);
    stage.assert_holds("App.pkg", &new);
}

/// What another run deleted is not missed: there is nothing to make room for.
#[tokio::test]
async fn a_file_that_another_run_deleted_since_the_listing_leaves_its_name_to_the_new_one() {
    let stage = Stage::open().await;
    stage.meddler.rule(|_| Fate::Pass);
    stage.sandbox.put_file("App.pkg", &bytes(1, 1000));
    let (ours, theirs) = (run_of_many(&stage).await, run_of_many(&stage).await);
    let env = stage.env("App.pkg", &bytes(2, 1000));
    let session = theirs.open(&env).unwrap();
    session.jcds_delete(&stage.context(), "App.pkg").await.unwrap();
    let sent = stage.send_within(ours, env, |_| {}).await.unwrap();
    assert_eq!((stage.listed(), deletions(&stage)), (vec!["App.pkg".to_owned()], 1));
    stage.assert_holds("App.pkg", &bytes(2, 1000));
    assert_snapshot!(sent.told(), @"sent App.pkg: 1000 bytes in 1 part");
}

/// Holds the first request that `is_it`, until it is let go.
fn hold_first(stage: &Stage, is_it: impl Fn(&Seen) -> bool + Send + 'static) -> Arc<Notify> {
    let go = Arc::new(Notify::new());
    stage.meddler.rule(in_turn(is_it, [Fate::Until(Arc::clone(&go)), Fate::Pass]));
    go
}

/// Two runs send `ours` and `theirs`. Ours is held right before its completion, while theirs runs to its end and `meanwhile`
/// happens.
async fn overtaken(stage: &Stage, ours: &[u8], theirs: &[u8], meanwhile: impl FnOnce()) -> (Sent, Sent) {
    let go = hold_first(stage, Seen::is_complete);
    race(stage, &go, ours, theirs, meanwhile).await
}

/// Two runs replace a file by the same bytes. Ours is held right before it deletes the old file, while theirs runs to its end and
/// `meanwhile` happens.
async fn replaced_twice(stage: &Stage, new: &[u8], meanwhile: impl FnOnce()) -> (Sent, Sent) {
    stage.sandbox.put_file("App.pkg", &bytes(9, 700));
    let go = hold_first(stage, Seen::is_delete);
    race(stage, &go, new, new, meanwhile).await
}

/// Two runs send `ours` and `theirs`. Where ours is held, until `go`, theirs runs to its end and `meanwhile` happens.
async fn race(
    stage: &Stage,
    go: &Notify,
    ours: &[u8],
    theirs: &[u8],
    meanwhile: impl FnOnce(),
) -> (Sent, Sent) {
    let other = async {
        stage.meddler.holding().await;
        let sent = stage.send_elsewhere(&stage.path().with_extension("other"), "App.pkg", theirs).await;
        meanwhile();
        go.notify_one();
        sent
    };
    let (ours, theirs) = tokio::join!(stage.send("App.pkg", ours), other);
    (ours.unwrap(), theirs.unwrap())
}

fn deleted(stage: &Stage) -> String {
    let seen = stage.meddler.seen();
    seen.iter().filter(|seen| seen.is_delete()).map(|seen| seen.path.as_str()).collect::<Vec<_>>().join("\n")
}

fn assert_one_file(stage: &Stage, bytes: &[u8]) {
    assert_eq!(stage.listed(), ["App.pkg"]);
    stage.assert_holds("App.pkg", bytes);
    assert_eq!(stage.ear.warnings(), Vec::<String>::new());
    assert_eq!(stage.sandbox.open_uploads(), Vec::<String>::new());
}

#[tokio::test]
async fn a_lost_race_ends_in_one_file() {
    let stage = Stage::open().await;
    let same = bytes(1, 1000);
    let (ours, theirs) = overtaken(&stage, &same, &same, || {}).await;
    assert_one_file(&stage, &same);
    assert_snapshot!(deleted(&stage), @"/api/v1/jcds/files/App_1.pkg");
    assert_snapshot!(theirs.told(), @"sent App.pkg: 1000 bytes in 1 part");
    assert_snapshot!(ours.told(), @"sent App.pkg: 1000 bytes in 1 part; another run sent the same, and its surplus App_1.pkg was deleted");
}

#[tokio::test]
async fn a_twin_is_waited_for_until_it_is_listed() {
    let stage = Stage::open().await;
    let same = bytes(1, 1000);
    let meanwhile = || {
        // A completion that takes a while: the other run's file is listed before it ends.
        stage.clock.advance(Duration::from_secs(2));
        stage.sandbox.inject(Fault::ListedLate(1));
    };
    let (ours, _) = overtaken(&stage, &same, &same, meanwhile).await;
    assert_one_file(&stage, &same);
    assert!(ours.told().contains("its surplus App_1.pkg was deleted"), "{}", ours.told());
}

/// The list shows the twin's name at once, and what it holds at the third look (`jamf-pro-api.md §7.1`).
#[tokio::test]
async fn what_a_twin_holds_is_waited_for_before_it_is_deleted() {
    for untold in [r#""length":0"#, r#""length":1000"#] {
        let (stage, same) = (Stage::open().await, bytes(1, 1000));
        let meanwhile = || {
            let theirs = stage.list_json();
            let twin = format!(r#"{{"fileName":"App_1.pkg",{untold},"region":"us-east-1"}}"#);
            let both = Fate::Answer(200, theirs.replace(']', &format!(",{twin}]")));
            stage.meddler.rule(in_turn(Seen::is_list, [both.clone(), both, Fate::Pass]));
        };
        let (ours, _) = overtaken(&stage, &same, &same, meanwhile).await;
        assert_one_file(&stage, &same);
        assert!(ours.told().contains("its surplus App_1.pkg was deleted"), "{untold}: {}", ours.told());
        let seen = stage.meddler.seen();
        let looks = seen.iter().take_while(|seen| !seen.is_delete()).filter(|seen| seen.is_list()).count();
        assert_eq!((looks, &*deleted(&stage)), (3, "/api/v1/jcds/files/App_1.pkg"), "{untold}");
    }
}

/// The service lists all files late. Both have completed before either file is listed, and both look until there is more.
#[tokio::test]
async fn a_twin_on_a_late_service_is_waited_for() {
    let stage = Stage::with(|config| config.listed_after = Duration::from_secs(5)).await;
    let same = bytes(1, 1000);
    let (complete, look) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (go, go_on) = (Arc::clone(&complete), Arc::clone(&look));
    let (mut completions, mut looks) = (0, 0);
    stage.meddler.rule(move |seen| {
        completions += usize::from(seen.is_complete());
        looks += usize::from(seen.is_list() && completions == 2);
        match (completions, looks) {
            (1, 0) if seen.is_complete() => return Fate::Until(Arc::clone(&complete)),
            (2, 1) if seen.is_list() => {
                go.notify_one();
                return Fate::Until(Arc::clone(&look));
            }
            (2, 2) if seen.is_list() => go_on.notify_one(),
            _ => {}
        }
        Fate::Pass
    });
    let other = async {
        stage.meddler.holding().await;
        stage.send_elsewhere(&stage.path().with_extension("other"), "App.pkg", &same).await
    };
    let (ours, theirs) = tokio::join!(stage.send("App.pkg", &same), other);
    let told = [ours.unwrap().told(), theirs.unwrap().told()];
    assert_one_file(&stage, &same);
    assert!(told.iter().any(|told| told.contains("its surplus App_1.pkg was deleted")), "{told:?}");
}

#[tokio::test]
async fn a_twin_of_other_bytes_is_left_and_told() {
    let stage = Stage::open().await;
    let (ours, theirs) = (bytes(1, 1000), bytes(2, 1000));
    let (sent, _) = overtaken(&stage, &ours, &theirs, || {}).await;
    assert_eq!(stage.listed(), ["App.pkg", "App_1.pkg"]);
    stage.assert_holds("App.pkg", &theirs);
    stage.assert_holds("App_1.pkg", &ours);
    assert_eq!(deleted(&stage), "");
    assert_snapshot!(sent.told(), @"sent App.pkg: 1000 bytes in 1 part");
    assert_snapshot!(stage.ear.steady_warnings(), @"App_1.pkg appeared on the distribution service while App.pkg was put in place: either may be the file of this run, and the other one that of another run at the same time; find out which of them the package record serves, and delete the other");
}

#[tokio::test]
async fn a_twin_that_a_record_names_is_left_and_told() {
    let stage = Stage::open().await;
    let same = bytes(1, 1000);
    let meanwhile = || {
        let record = serde_json::json!({ "packageName": "App 1", "fileName": "App_1.pkg" });
        stage.sandbox.put_package(record);
    };
    overtaken(&stage, &same, &same, meanwhile).await;
    assert_eq!(stage.listed(), ["App.pkg", "App_1.pkg"]);
    assert_eq!(deleted(&stage), "");
    assert_snapshot!(stage.ear.steady_warnings(), @"App_1.pkg holds the same bytes as App.pkg, sent by another run, and stays: record 1 names it");
}

/// The other run sees it too.
#[tokio::test]
async fn a_twin_that_the_other_run_deletes_is_as_good_as_deleted() {
    let stage = Stage::open().await;
    let same = bytes(1, 1000);
    let go = Arc::new(Notify::new());
    let mut completion = in_turn(Seen::is_complete, [Fate::Until(Arc::clone(&go)), Fate::Pass]);
    // Another one was faster.
    let mut deletion = in_turn(Seen::is_delete, [Fate::AnswerAfter(404, String::new()), Fate::Pass]);
    stage.meddler.rule(move |seen| if seen.is_delete() { deletion(seen) } else { completion(seen) });
    let (ours, _) = race(&stage, &go, &same, &same, || {}).await;
    assert_one_file(&stage, &same);
    assert!(ours.told().contains("its surplus App_1.pkg was deleted"));
}

/// A forced upload of the bytes that are there: what is listed under the name may be the old file, whose deletion comes late.
#[tokio::test]
async fn nothing_is_surplus_beside_a_file_that_may_be_the_old_one() {
    let stage = Stage::open().await;
    let same = bytes(1, 1000);
    stage.sandbox.put_file("App.pkg", &same);
    stage.sandbox.inject(Fault::DeleteLate(600));
    let sent = stage.send("App.pkg", &same).await.unwrap();
    assert_eq!(stage.listed(), ["App.pkg", "App_1.pkg"]);
    assert_eq!(deletions(&stage), 1);
    assert_snapshot!(stage.ear.steady_warnings(), @"
    the old App.pkg is not known to have gone; the new one is put in place all the same
    App_1.pkg appeared on the distribution service while App.pkg was put in place: either may be the file of this run, and the other one that of another run at the same time; find out which of them the package record serves, and delete the other
    ");
    assert_snapshot!(sent.told(), @"
    unverified: App.pkg was sent, but the old file was not seen to have gone before
    hint: look at the list of the distribution service: the new file may have got a name such as Name_1.pkg
    ");
}

/// Both have seen the old file. Whoever deletes last takes away the other's new one, and places its own.
#[tokio::test]
async fn two_replacements_at_once_end_in_one_file() {
    let (stage, same) = (Stage::open().await, bytes(1, 1000));
    let (ours, theirs) = replaced_twice(&stage, &same, || {}).await;
    assert_one_file(&stage, &same);
    assert_snapshot!(ours.told(), @"sent App.pkg: 1000 bytes in 1 part, in place of the old file");
    assert_snapshot!(theirs.told(), @"sent App.pkg: 1000 bytes in 1 part, in place of the old file");
}

/// What ours deletes is the other's new file, and the list goes on showing it: it is not to be taken for one that stays.
#[tokio::test]
async fn a_file_that_is_about_to_go_is_not_taken_for_the_new_one() {
    let (stage, same) = (Stage::open().await, bytes(1, 1000));
    let meanwhile = || stage.sandbox.inject(Fault::DeleteLate(20));
    let (ours, theirs) = replaced_twice(&stage, &same, meanwhile).await;
    stage.clock.advance(Duration::from_secs(60));
    assert_one_file(&stage, &same);
    assert_snapshot!(ours.told(), @"sent App.pkg: 1000 bytes in 1 part, in place of the old file");
    assert_snapshot!(theirs.told(), @"sent App.pkg: 1000 bytes in 1 part, in place of the old file");
}

/// The old file goes, and before anybody looks again the other run has placed the same bytes.
#[tokio::test]
async fn a_file_that_is_replaced_by_the_same_bytes_while_it_goes_is_left() {
    let stage = Stage::open().await;
    stage.sandbox.put_file("App.pkg", &bytes(9, 700));
    let same = bytes(1, 1000);
    let gates: [Arc<Notify>; 3] = Default::default();
    let [delete, complete, look] = gates.clone();
    let (mut delete_held, mut complete_held, mut look_held) = (Some(delete), Some(complete), Some(look));
    stage.meddler.rule(move |seen| {
        let gate = if seen.is_delete() {
            delete_held.take()
        } else if seen.is_complete() {
            complete_held.take()
        } else if seen.is_list() && complete_held.is_none() {
            look_held.take()
        } else {
            None
        };
        gate.map_or(Fate::Pass, Fate::Until)
    });
    let [delete, complete, look] = &gates;
    let other = async {
        stage.meddler.holding().await;
        let path = stage.path().with_extension("other");
        let theirs = stage.send_elsewhere(&path, "App.pkg", &same);
        let order = async {
            // Theirs has deleted the old file and is about to complete: ours finds nothing to delete.
            stage.meddler.holding().await;
            delete.notify_one();
            stage.meddler.holding().await;
            complete.notify_one();
        };
        let (sent, ()) = tokio::join!(theirs, order);
        look.notify_one();
        sent
    };
    let (ours, theirs) = tokio::join!(stage.send("App.pkg", &same), other);
    assert_one_file(&stage, &same);
    assert_snapshot!(ours.unwrap().told(), @"App.pkg was sent, and another run had put the same bytes in place before; those were left there");
    assert_snapshot!(theirs.unwrap().told(), @"sent App.pkg: 1000 bytes in 1 part, in place of the old file");
}

/// When another upload is begun, and the credentials of this one end.
#[derive(Clone, Copy, Debug)]
enum Superseded {
    BeforeTheFirstByte,
    BeforeTheDeletion,
}

/// Sends a file from the only place there is to send from, which nobody may have meanwhile.
async fn is_begun_anew(when: Superseded, old: Option<&[u8]>) {
    let mut stage = Stage::open().await;
    let gate = Gate::new(NonZeroUsize::MIN);
    stage.place = Some(Place::new(gate.turn(Places::One, &stage.context()).await.unwrap()));
    if let Some(old) = old {
        stage.sandbox.put_file("App.pkg", old);
    }
    let (places, without_place) = (gate.clone(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&without_place);
    stage.meddler.rule(move |seen| {
        if seen.is("PUT", "partNumber=") || seen.is_complete() || seen.is_delete() {
            counted.fetch_add(places.free(), Ordering::Relaxed);
        }
        Fate::Pass
    });
    let sessions = Arc::new(Sessions::new(jamf::Config::default()).unwrap());
    let (session, cx) = (sessions.open(&stage.env_of("App.pkg")).unwrap(), stage.context());
    let clock = stage.clock.clone();
    let supersede = move || {
        let another = session.jcds_initiate(&cx);
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(another)).unwrap();
        clock.advance(Duration::from_secs(3601));
    };
    let mut supersede = Some(supersede);
    if matches!(when, Superseded::BeforeTheDeletion) {
        let mut supersede = supersede.take();
        stage.ear.on_progress(move |progress| {
            if progress.activity == Activity::Committing
                && let Some(supersede) = supersede.take()
            {
                supersede();
            }
        });
    }
    let new = bytes(2, 1000);
    let env = stage.env("App.pkg", &new);
    let meanwhile = |_: &mut pipeline::Env| supersede.into_iter().for_each(|supersede| supersede());
    let sent = stage.send_within(sessions, env, meanwhile).await.unwrap();
    assert!(sent.told().starts_with("sent App.pkg: 1000 bytes in 1 part"), "{when:?}: {}", sent.told());
    stage.assert_holds("App.pkg", &new);
    let warnings = stage.ear.warnings().join("\n");
    assert!(warnings.contains("another upload was begun since"), "{when:?}: {warnings}");
    assert!(!stage.meddler.seen().iter().any(|seen| seen.is("POST", "renew-credentials")));
    assert_eq!(
        without_place.load(Ordering::Relaxed),
        0,
        "{when:?}: it sent after it had given its place back"
    );
    assert_eq!(gate.free(), 1, "{when:?}: it has not given its place back");
}

/// The server renews the credentials of an account's latest upload only (`jamf-pro-api.md §7.3`). One that waited for its turn while
/// another was begun, until its own credentials ended, is begun anew with credentials of its own.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_another_one_has_superseded_is_begun_anew() {
    is_begun_anew(Superseded::BeforeTheFirstByte, None).await;
    is_begun_anew(Superseded::BeforeTheFirstByte, Some(&bytes(1, 1000))).await;
    is_begun_anew(Superseded::BeforeTheDeletion, Some(&bytes(1, 1000))).await;
}
