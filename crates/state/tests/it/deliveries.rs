//! Deliveries, until they are proven and a little longer.

use crate::{SERVER, digests, file, open, time};
use pipeline::{FileName, PackageId, Route, Witness};
use state::{Arrival, Delivery, NewDelivery, State};

const OTHER: &str = "https://other.jamfcloud.com";
const SENT: &str = "2026-11-20T22:00:00.123Z";

fn new<'a>(server: &'a str, file: &'a FileName, byte: u8) -> NewDelivery<'a> {
    NewDelivery {
        server,
        file,
        record: Some(PackageId::try_from(7).unwrap()),
        sent: digests(byte),
        route: Route::PackagesApi,
        witness: Witness::Record,
        since: time(SENT),
        arrival: Arrival::Awaited,
    }
}

fn kept(state: &State) -> Vec<String> {
    state.unproven(None).unwrap().into_iter().map(|delivery| delivery.file.to_string()).collect()
}

#[test]
fn what_was_not_proven_is_found_by_the_next_process() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).keep_delivery(&new(SERVER, &file("App.pkg"), 1)).unwrap();
    let state = open(folder.path());
    let found = state.unproven(Some(SERVER)).unwrap();
    let [found] = &found[..] else { panic!("{found:?}") };
    assert_eq!((found.server.as_str(), found.file.as_str()), (SERVER, "App.pkg"));
    assert_eq!(found.record, PackageId::try_from(7).ok());
    assert_eq!(found.sent, digests(1));
    assert_eq!((found.route, found.witness), (Route::PackagesApi, Witness::Record));
    assert_eq!((found.since, found.arrival), (time(SENT), Arrival::Awaited));
    assert_eq!(state.delivery(SERVER, &file("App.pkg")).unwrap().as_ref(), Some(found));
}

#[test]
fn something_else_that_was_sent_takes_its_place() {
    let state = State::in_memory().unwrap();
    let (composed, decomposed) = (file("B\u{fc}ro.pkg"), file("Bu\u{308}ro.pkg"));
    state.keep_delivery(&new(SERVER, &composed, 1)).unwrap();
    state.keep_delivery(&new(OTHER, &composed, 1)).unwrap();
    state.keep_delivery(&new(SERVER, &file("App.pkg"), 1)).unwrap();
    state.keep_delivery(&new(SERVER, &decomposed, 2)).unwrap();
    let sent: Vec<_> = state.unproven(Some(SERVER)).unwrap();
    assert_eq!(
        sent.iter().map(|delivery| (delivery.file.as_str(), delivery.sent)).collect::<Vec<_>>(),
        [("App.pkg", digests(1)), (decomposed.as_str(), digests(2))]
    );
    assert_eq!(state.unproven(Some(OTHER)).unwrap().len(), 1);
    let sent = |server, name| state.delivery(server, name).unwrap().map(|delivery| delivery.sent);
    assert_eq!(sent(SERVER, &composed), Some(digests(2)), "in whatever spelling");
    assert_eq!(sent(OTHER, &decomposed), Some(digests(1)));
    assert_eq!(sent(OTHER, &file("App.pkg")), None);
}

#[test]
fn what_was_proven_is_to_be_proven_no_more_and_not_forgotten_at_once() {
    let state = State::in_memory().unwrap();
    let app = file("App.pkg");
    state.keep_delivery(&new(SERVER, &app, 1)).unwrap();
    let delivery = || state.delivery(SERVER, &app).unwrap();
    state.arrived(&delivery().unwrap(), Arrival::Proven).unwrap();
    assert_eq!((kept(&state).len(), delivery().unwrap().arrival), (0, Arrival::Proven));

    let later = |server, since| {
        let other = file("Other.pkg");
        state.keep_delivery(&NewDelivery { since: time(since), ..new(server, &other, 2) }).unwrap();
        delivery().is_some()
    };
    assert!(later(SERVER, "2026-11-20T22:01:15Z"));
    assert!(later(OTHER, "2026-11-20T22:03:00Z"), "nobody asks that server about it");
    assert!(!later(SERVER, "2026-11-20T22:01:16Z"), "every node knows it by now");
}

/// The list of the distribution service may be late, and not for ever.
#[test]
fn how_long_the_list_may_be_late_depends_on_what_it_has_shown() {
    let state = State::in_memory().unwrap();
    let app = file("App.pkg");
    let sent = |arrival, at| -> Delivery {
        let new = NewDelivery { arrival, since: time(at), route: Route::Jcds, ..new(SERVER, &app, 1) };
        state.keep_delivery(&new).unwrap();
        state.delivery(SERVER, &app).unwrap().unwrap()
    };
    let seconds = |delivery: &Delivery, now| delivery.spreads_for(time(now)).as_secs();
    for arrival in [Arrival::Awaited, Arrival::Listed, Arrival::Proven] {
        let sent = sent(arrival, "2026-11-20T22:00:00Z");
        assert_eq!(seconds(&sent, "2026-11-20T22:00:00Z"), 75);
        assert_eq!(seconds(&sent, "2026-11-20T22:01:14Z"), 1);
        assert_eq!(seconds(&sent, "2026-11-20T22:01:15Z"), 0);
        assert!(sent.may_be_unlisted(time("2026-11-20T22:01:14Z")));
        assert_eq!(sent.may_be_unlisted(time("2026-11-20T22:01:15Z")), arrival == Arrival::Awaited);
    }
    let awaited = sent(Arrival::Awaited, "2026-11-20T22:00:00Z");
    assert!(awaited.may_be_unlisted(time("2026-11-20T22:59:59Z")));
    assert!(!awaited.may_be_unlisted(time("2026-11-20T23:00:00Z")));
    // A clock that was set back makes nothing old.
    assert_eq!(seconds(&awaited, "2026-11-20T21:59:00Z"), 15);
    assert!(awaited.may_be_unlisted(time("2026-11-20T21:00:01Z")));
    assert!(!awaited.may_be_unlisted(time("2026-11-20T21:00:00Z")));

    // What went through Jamf Pro is told by its record.
    state
        .keep_delivery(&NewDelivery { since: time("2026-11-20T22:00:00Z"), ..new(SERVER, &app, 1) })
        .unwrap();
    let through_jamf = state.delivery(SERVER, &app).unwrap().unwrap();
    assert!(!through_jamf.may_be_unlisted(time("2026-11-20T22:00:00Z")));

    let over = sent(Arrival::Unawaited, "2026-11-20T22:00:00Z");
    assert_eq!(seconds(&over, "2026-11-20T22:00:00Z"), 0);
    assert!(!over.may_be_unlisted(time("2026-11-20T22:00:00Z")));
    assert_eq!(kept(&state), ["App.pkg"], "it is still to be proven");
}

/// Recipes need not have a step that proves.
#[test]
fn what_was_seen_and_nobody_proves_is_forgotten_after_a_month() {
    let state = State::in_memory().unwrap();
    for (name, arrival) in
        [("Seen.pkg", Arrival::Listed), ("Unseen.pkg", Arrival::Awaited), ("Empty.pkg", Arrival::Unawaited)]
    {
        state.keep_delivery(&NewDelivery { arrival, ..new(SERVER, &file(name), 1) }).unwrap();
    }
    let later = |server, since| {
        let name = file("New.pkg");
        state.keep_delivery(&NewDelivery { since: time(since), ..new(server, &name, 2) }).unwrap();
        let kept = state.unproven(Some(SERVER)).unwrap();
        kept.into_iter().map(|delivery| delivery.file.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(later(SERVER, "2026-12-20T21:00:00Z"), ["Seen.pkg", "Unseen.pkg", "Empty.pkg", "New.pkg"]);
    assert_eq!(later(OTHER, "2026-12-20T23:00:00Z").len(), 4, "another server's are none of its business");
    assert_eq!(later(SERVER, "2026-12-20T23:00:00Z"), ["Unseen.pkg", "Empty.pkg", "New.pkg"]);
}

/// Somebody verifies, and meanwhile another run sends the next version, which is not proven either.
#[test]
fn who_proves_the_old_delivery_does_not_settle_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let (verifies, runs) = (open(folder.path()), open(folder.path()));
    runs.keep_delivery(&new(SERVER, &file("App.pkg"), 1)).unwrap();
    let old = verifies.unproven(None).unwrap().remove(0);
    runs.keep_delivery(&new(SERVER, &file("App.pkg"), 2)).unwrap();
    verifies.arrived(&old, Arrival::Proven).unwrap();
    assert!(!verifies.forget_delivery(&old).unwrap());
    let new = verifies.unproven(None).unwrap().remove(0);
    assert_eq!((new.sent, new.arrival), (digests(2), Arrival::Awaited));
    assert!(verifies.forget_delivery(&new).unwrap());
    assert_eq!(kept(&runs), [""; 0]);
}

/// A server may spell one name in part composed and in part decomposed.
#[test]
fn a_delivery_is_found_under_every_spelling_that_is_one_name() {
    let state = State::in_memory().unwrap();
    let (mixed, composed) = (file("B\u{fc}rou\u{308}.pkg"), file("B\u{fc}ro\u{fc}.pkg"));
    assert!(mixed.same_name(composed.as_str()));
    state.keep_delivery(&new(SERVER, &mixed, 1)).unwrap();
    assert!(state.delivery(SERVER, &composed).unwrap().is_some());
}
