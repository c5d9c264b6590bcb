//! What of the history is kept.

use crate::{begin_run, clock, time};
use proptest::prelude::*;
use state::{HistoryKeep, HistoryPruned, NewPackage, PackageFacts, RunLog, State};
use std::num::NonZeroU32;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Runs of one day each, from the twentieth on, with as many packages as their number. The one that `open` names goes on.
fn runs(count: u64, open: Option<u64>) -> (State, Option<RunLog>) {
    let (state, clock) = (State::in_memory().unwrap(), clock());
    let mut goes_on = None;
    for n in 0..count {
        let run = begin_run(&state, &n.to_string().parse().unwrap(), &clock);
        for _ in 0..n {
            let package = run.package(&NewPackage { recipe: "App", facts: PackageFacts::default() });
            package.warn(None, "odd", None);
        }
        if open == Some(n) {
            goes_on = Some(run);
        } else {
            run.end(0).unwrap();
        }
        clock.advance(DAY);
    }
    (state, goes_on)
}

fn kept(state: &State) -> Vec<u64> {
    let page = state.history().runs(NonZeroU32::new(100).unwrap(), None).unwrap();
    page.items.into_iter().map(|run| run.id.as_str().parse().unwrap()).collect()
}

#[test]
fn old_runs_and_too_many_runs_go() {
    let since = Some(time("2026-11-22T22:00:00Z"));
    for (keep, left) in [
        (HistoryKeep::default(), &[4, 3, 2, 1, 0][..]),
        (HistoryKeep { since, runs: None }, &[4, 3, 2]),
        (HistoryKeep { since: None, runs: Some(4) }, &[4, 3, 2, 1]),
        (HistoryKeep { since, runs: Some(1) }, &[4]),
        (HistoryKeep { since: None, runs: Some(0) }, &[]),
    ] {
        let (state, _) = runs(5, None);
        let history = state.history();
        let packages = (0..5).filter(|run| !left.contains(run)).sum();
        let expected = HistoryPruned { runs: 5 - left.len() as u64, packages };
        assert_eq!(history.prunable(keep).unwrap(), expected);
        assert_eq!(kept(&state).len(), 5, "counting removes nothing");
        assert_eq!(history.prune(keep).unwrap(), expected);
        assert_eq!(kept(&state), left);
        assert_eq!(history.prune(keep).unwrap(), HistoryPruned::default());
    }
}

#[test]
fn a_run_that_goes_on_stays() {
    let (state, run) = runs(3, Some(1));
    let none = HistoryKeep { since: None, runs: Some(0) };
    assert_eq!(state.history().prune(none).unwrap().runs, 2);
    assert_eq!(kept(&state), [1]);
    drop(run);
    assert_eq!(state.history().prune(none).unwrap().runs, 1, "nobody will end it any more");
    assert_eq!(kept(&state), []);
}

#[test]
fn numbers_are_not_given_again() {
    let (state, _) = runs(3, None);
    let one = NonZeroU32::new(1).unwrap();
    let next = state.history().runs(one, None).unwrap().next;
    state.history().prune(HistoryKeep { since: None, runs: Some(0) }).unwrap();
    begin_run(&state, &"later".parse().unwrap(), &clock()).end(0).unwrap();
    assert_eq!(state.history().runs(one, next).unwrap().items, [], "a page of long ago shows nothing new");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn the_newest_are_kept_in_order(count in 0_u64..8, most in proptest::option::of(0_u32..10), days in proptest::option::of(0_u64..10)) {
        let (state, _) = runs(count, None);
        let since = days.map(|days| time("2026-11-20T22:00:00Z") + DAY * u32::try_from(days).unwrap());
        let keep = HistoryKeep { since, runs: most };
        let counted = state.history().prunable(keep).unwrap();
        let pruned = state.history().prune(keep).unwrap();
        prop_assert_eq!(counted, pruned);
        let first = days.unwrap_or(0).max(count.saturating_sub(most.map_or(count, u64::from)));
        let expected: Vec<u64> = (first.min(count)..count).rev().collect();
        prop_assert_eq!(kept(&state), expected);
    }
}
