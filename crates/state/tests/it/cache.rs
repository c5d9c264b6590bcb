//! What is remembered of local files, and for how long.

use crate::child::IDENTITY;
use crate::{begin_run, clock, digests, open, time};
use fingerprint::{FileIdentity, Memory as _};
use state::{CacheKeep, CachedFiles, Compacted, State};
use std::path::PathBuf;

fn path(n: u32) -> PathBuf {
    PathBuf::from(format!("/packages/{n}.pkg"))
}

fn remember(state: &State, n: u32) {
    state.remember(&path(n), &IDENTITY, digests(1));
}

fn kept(state: &State, numbers: std::ops::Range<u32>) -> Vec<u32> {
    numbers.filter(|n| state.recall(&path(*n), &IDENTITY).is_some()).collect()
}

/// Three entries: from before ages were kept, of the first, and of the third of November.
fn aged() -> State {
    let state = State::in_memory().unwrap();
    remember(&state, 0);
    state.today(time("2026-11-01T00:00:00Z"));
    remember(&state, 1);
    state.today(time("2026-11-03T00:00:00Z"));
    remember(&state, 2);
    state
}

#[test]
fn the_facts_of_an_empty_cache_and_of_a_full_one() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(folder.path());
    let empty = state.digest_cache().facts().unwrap();
    assert_eq!((empty.entries, empty.oldest_use, empty.use_unknown), (0, None, 0));
    remember(&state, 0);
    state.today(time("2026-11-03T00:00:00Z"));
    (1..2000).for_each(|n| remember(&state, n));
    let full = state.digest_cache().facts().unwrap();
    assert_eq!((full.entries, full.use_unknown), (2000, 1));
    assert_eq!(full.oldest_use, Some(time("2026-11-03T00:00:00Z")));
    let bytes = |name: &str| std::fs::metadata(folder.path().join(name)).unwrap().len();
    assert_eq!(full.bytes_on_disk, bytes("state.db") + bytes("state.db-wal"));
    assert!(full.bytes_on_disk > 2000 * 100);
}

#[test]
fn a_use_makes_an_entry_young() {
    let state = aged();
    assert_eq!(state.digest_cache().facts().unwrap().oldest_use, Some(time("2026-11-01T00:00:00Z")));
    assert!(state.recall(&path(1), &IDENTITY).is_some());
    assert_eq!(state.digest_cache().facts().unwrap().oldest_use, Some(time("2026-11-03T00:00:00Z")));
    // Another file at this path was not a use.
    state.today(time("2026-11-09T00:00:00Z"));
    assert!(state.recall(&path(1), &FileIdentity { inode: 9, ..IDENTITY }).is_none());
    assert_eq!(state.digest_cache().facts().unwrap().oldest_use, Some(time("2026-11-03T00:00:00Z")));
}

#[test]
fn a_run_says_which_day_it_is() {
    let state = State::in_memory().unwrap();
    let _run = begin_run(&state, &"a".parse().unwrap(), &clock());
    remember(&state, 1);
    assert_eq!(state.digest_cache().facts().unwrap().oldest_use, Some(time("2026-11-20T22:00:00Z")));
}

#[test]
fn what_was_not_used_for_long_goes() {
    let state = aged();
    let cache = state.digest_cache();
    let keep = CacheKeep { used_since: Some(time("2026-11-02T00:00:00Z")), ..CacheKeep::default() };
    assert_eq!(cache.prunable(keep).unwrap().entries, 1);
    assert_eq!(cache.facts().unwrap().entries, 3, "counting removes nothing");
    assert_eq!(cache.prune(keep).unwrap().entries, 1);
    assert_eq!(cache.prune(keep).unwrap().entries, 0);
    assert_eq!(kept(&state, 0..3), [0, 2]);
}

#[test]
fn the_age_of_an_entry_whose_use_is_unknown_counts_from_the_first_pruning() {
    let state = aged();
    let cache = state.digest_cache();
    assert_eq!(cache.prune(CacheKeep::default()).unwrap().entries, 0);
    assert_eq!(cache.facts().unwrap().use_unknown, 0);
    let keep = CacheKeep { used_since: Some(time("2026-11-04T00:00:00Z")), ..CacheKeep::default() };
    assert_eq!(cache.prune(keep).unwrap().entries, 3);
}

#[test]
fn of_too_many_the_oldest_go() {
    for (most, left) in [(0, &[][..]), (1, &[2]), (2, &[1, 2]), (3, &[0, 1, 2])] {
        let state = aged();
        let keep = CacheKeep { entries: Some(most), ..CacheKeep::default() };
        assert_eq!(state.digest_cache().prunable(keep).unwrap().entries, 3 - most);
        assert_eq!(state.digest_cache().prune(keep).unwrap().entries, 3 - most);
        assert_eq!(kept(&state, 0..3), left);
    }
}

#[test]
fn entries_of_files_that_are_gone_go() {
    let folder = tempfile::tempdir().unwrap();
    let state = State::in_memory().unwrap();
    let there = folder.path().join("there.pkg");
    std::fs::write(&there, "abc").unwrap();
    for path in [&there, &folder.path().join("gone.pkg"), &there.join("was-a-folder.pkg")] {
        state.remember(path, &IDENTITY, digests(1));
    }
    let keep = CacheKeep { files: CachedFiles::Present, ..CacheKeep::default() };
    assert_eq!(state.digest_cache().prune(CacheKeep::default()).unwrap().entries, 0);
    assert_eq!(state.digest_cache().prunable(keep).unwrap().entries, 2);
    assert_eq!(state.digest_cache().prune(keep).unwrap().entries, 2);
    assert!(state.recall(&there, &IDENTITY).is_some());
}

#[test]
fn compacting_gives_room_back() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(folder.path());
    (0..3000).for_each(|n| remember(&state, n));
    let cache = state.digest_cache();
    cache.prune(CacheKeep { entries: Some(10), ..CacheKeep::default() }).unwrap();
    let facts = cache.facts().unwrap();
    assert!(facts.bytes_free > 300_000, "{facts:?}");
    let compacted = state.compact().unwrap();
    let Compacted::Done { before, after } = compacted else { panic!("{compacted:?}") };
    assert_eq!((before, after), (facts.bytes_on_disk, cache.facts().unwrap().bytes_on_disk));
    assert!(after < before / 3, "{compacted:?}");
    assert_eq!(cache.facts().unwrap().bytes_free, 0);
    assert_eq!(std::fs::metadata(folder.path().join("state.db-wal")).unwrap().len(), 0);
    assert_eq!(kept(&state, 0..3000).len(), 10);
    assert_eq!(open(folder.path()).digest_cache().facts().unwrap().entries, 10);
}

#[test]
fn who_reads_is_not_disturbed_by_compacting() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(folder.path());
    (0..100).for_each(|n| remember(&state, n));
    let reader = rusqlite::Connection::open(folder.path().join("state.db")).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    let count = |reader: &rusqlite::Connection| {
        reader.query_row("SELECT count(*) FROM digests", [], |row| row.get::<_, u32>(0)).unwrap()
    };
    assert_eq!(count(&reader), 100);
    state.digest_cache().prune(CacheKeep { entries: Some(0), ..CacheKeep::default() }).unwrap();
    assert_eq!(state.compact().unwrap(), Compacted::InUse);
    assert_eq!(count(&reader), 100);
    reader.execute_batch("COMMIT").unwrap();
    assert!(matches!(state.compact().unwrap(), Compacted::Done { .. }));
}
