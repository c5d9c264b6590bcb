//! Deliveries that were not proven in time.

use crate::{SERVER, digests, file, open, time};
use pipeline::{FileName, PackageId, Route, Witness};
use state::{NewUnproven, State, Unproven};

const OTHER: &str = "https://other.jamfcloud.com";

fn new<'a>(server: &'a str, file: &'a FileName, byte: u8) -> NewUnproven<'a> {
    NewUnproven {
        server,
        file,
        record: Some(PackageId::try_from(7).unwrap()),
        sent: digests(byte),
        route: Route::PackagesApi,
        witness: Witness::Record,
        since: time("2026-11-20T22:00:00.123Z"),
        may_be_late: true,
    }
}

fn kept(state: &State) -> Vec<(String, String)> {
    let text = |unproven: Unproven| (unproven.server, unproven.file.to_string());
    state.unproven(None).unwrap().into_iter().map(text).collect()
}

#[test]
fn what_was_not_proven_is_found_by_the_next_process() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).keep_unproven(&new(SERVER, &file("App.pkg"), 1)).unwrap();
    let found = open(folder.path()).unproven(Some(SERVER)).unwrap();
    let [found] = &found[..] else { panic!("{found:?}") };
    assert_eq!((found.server.as_str(), found.file.as_str()), (SERVER, "App.pkg"));
    assert_eq!(found.record, PackageId::try_from(7).ok());
    assert_eq!(found.sent, digests(1));
    assert_eq!((found.route, found.witness), (Route::PackagesApi, Witness::Record));
    assert_eq!(found.since, time("2026-11-20T22:00:00.123Z"));
}

#[test]
fn something_else_that_was_sent_takes_its_place() {
    let state = State::in_memory().unwrap();
    let (composed, decomposed) = (file("B\u{fc}ro.pkg"), file("Bu\u{308}ro.pkg"));
    state.keep_unproven(&new(SERVER, &composed, 1)).unwrap();
    state.keep_unproven(&new(OTHER, &composed, 1)).unwrap();
    state.keep_unproven(&new(SERVER, &file("App.pkg"), 1)).unwrap();
    state.keep_unproven(&new(SERVER, &decomposed, 2)).unwrap();
    let sent: Vec<_> = state.unproven(Some(SERVER)).unwrap();
    assert_eq!(
        sent.iter().map(|unproven| (unproven.file.as_str(), unproven.sent)).collect::<Vec<_>>(),
        [("App.pkg", digests(1)), (decomposed.as_str(), digests(2))]
    );
    assert_eq!(state.unproven(Some(OTHER)).unwrap().len(), 1);
}

/// The list of the distribution service may be late, and not for ever.
#[test]
fn what_was_sent_within_the_hour_need_not_be_listed() {
    let state = State::in_memory().unwrap();
    let composed = file("B\u{fc}ro.pkg");
    let sent = NewUnproven { route: Route::Jcds, ..new(SERVER, &composed, 1) };
    state.keep_unproven(&sent).unwrap();
    let lately = |server: &str, name: &str, now: &str| {
        state.sent_lately(server, &file(name), time(now)).unwrap().map(|kept| kept.sent)
    };
    let (decomposed, soon) = ("Bu\u{308}ro.pkg", "2026-11-20T22:00:01Z");
    assert_eq!(lately(SERVER, decomposed, soon), Some(digests(1)));
    assert_eq!(lately(SERVER, decomposed, "2026-11-20T23:00:00Z"), Some(digests(1)));
    assert_eq!(lately(SERVER, decomposed, "2026-11-20T23:00:01Z"), None);
    assert_eq!(
        lately(SERVER, decomposed, "2026-11-20T21:30:00Z"),
        Some(digests(1)),
        "a clock that was set back"
    );
    assert_eq!(lately(SERVER, decomposed, "2026-11-20T20:59:59Z"), None);
    assert_eq!((lately(OTHER, decomposed, soon), lately(SERVER, "App.pkg", soon)), (None, None));
    // The list has shown it since. It is still to be proven.
    state.no_longer_late(OTHER, &composed).unwrap();
    assert_eq!(lately(SERVER, decomposed, soon), Some(digests(1)));
    state.no_longer_late(SERVER, &file(decomposed)).unwrap();
    assert_eq!(lately(SERVER, decomposed, "2026-11-20T22:05:00Z"), Some(digests(1)), "by another node");
    assert_eq!(lately(SERVER, decomposed, "2026-11-20T22:05:01Z"), None);
    assert_eq!(
        state.unproven(None).unwrap().iter().map(|kept| kept.may_be_late).collect::<Vec<_>>(),
        [false]
    );
    state.keep_unproven(&sent).unwrap();
    assert_eq!(lately(SERVER, decomposed, soon), Some(digests(1)), "it was sent once more");
    // What went through Jamf Pro is told by the record.
    state.keep_unproven(&new(SERVER, &composed, 1)).unwrap();
    assert_eq!(lately(SERVER, decomposed, soon), None);
}

/// Recipes need not have a step that proves.
#[test]
fn what_was_seen_and_nobody_proves_is_forgotten_after_a_month() {
    let state = State::in_memory().unwrap();
    for name in ["Seen.pkg", "Unseen.pkg"] {
        state.keep_unproven(&new(SERVER, &file(name), 1)).unwrap();
    }
    state.no_longer_late(SERVER, &file("Seen.pkg")).unwrap();
    let later = |name: &str, since: &str| {
        state.keep_unproven(&NewUnproven { since: time(since), ..new(SERVER, &file(name), 2) }).unwrap();
        kept(&state).into_iter().map(|(_, file)| file).collect::<Vec<_>>()
    };
    assert_eq!(later("New.pkg", "2026-12-20T21:00:00Z"), ["Seen.pkg", "Unseen.pkg", "New.pkg"]);
    assert_eq!(later("New.pkg", "2026-12-20T23:00:00Z"), ["Unseen.pkg", "New.pkg"]);
}

/// Somebody verifies, and meanwhile another run sends the next version, which is not proven either.
#[test]
fn who_proves_the_old_delivery_does_not_settle_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let (verifies, runs) = (open(folder.path()), open(folder.path()));
    runs.keep_unproven(&new(SERVER, &file("App.pkg"), 1)).unwrap();
    let old = verifies.unproven(None).unwrap().remove(0);
    runs.keep_unproven(&new(SERVER, &file("App.pkg"), 2)).unwrap();
    assert!(!verifies.settle_this(&old).unwrap());
    let new = verifies.unproven(None).unwrap().remove(0);
    assert_eq!(new.sent, digests(2));
    assert!(verifies.settle_this(&new).unwrap());
    assert_eq!(kept(&runs), []);
}
