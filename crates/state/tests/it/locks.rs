//! One at a time.

use crate::child::{claim, play};
use crate::{SERVER, open};
use pipeline::{Diagnose as _, Shard};
use state::{Claim, Error, Held, Holder, ServerLock, State};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

fn refused(taken: Result<ServerLock, Error>) -> Held {
    match taken {
        Err(Error::Held(held)) => held,
        other => panic!("{other:?}"),
    }
}

fn holder(pid: u32) -> Holder {
    let Claim { what, host, since } = claim();
    Holder { pid, host: host.into(), what: what.into(), since }
}

fn shard(index: u32, count: u32) -> Shard {
    Shard::new(index, count).unwrap()
}

fn whole(by: Holder) -> Held {
    Held { server: SERVER.into(), wanted: Shard::WHOLE, shard: Shard::WHOLE, by }
}

#[test]
fn a_server_is_locked_once_and_others_are_free() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (open(folder.path()), open(folder.path()));
    let lock = one.lock_server(SERVER, Shard::WHOLE, &claim()).unwrap();
    assert_eq!(lock.left_by(), None);
    let own = whole(holder(std::process::id()));
    assert_eq!(refused(other.lock_server(SERVER, Shard::WHOLE, &claim())), own);
    assert_eq!(
        refused(one.lock_server(SERVER, Shard::WHOLE, &claim())),
        own,
        "not twice by one process either"
    );
    assert_eq!(other.server_holders(SERVER), [(Shard::WHOLE, own.by)]);
    assert_eq!(other.server_holders("https://other.jamfcloud.com"), []);
    drop(other.lock_server("https://other.jamfcloud.com", Shard::WHOLE, &claim()).unwrap());

    drop(lock);
    assert_eq!(one.server_holders(SERVER), []);
    assert_eq!(
        other.lock_server(SERVER, Shard::WHOLE, &claim()).unwrap().left_by(),
        None,
        "it was let go of"
    );
}

#[test]
fn a_lock_outlives_the_state_that_it_came_from() {
    let folder = tempfile::tempdir().unwrap();
    let lock = open(folder.path()).lock_server(SERVER, Shard::WHOLE, &claim()).unwrap();
    let other = open(folder.path());
    assert_eq!(refused(other.lock_server(SERVER, Shard::WHOLE, &claim())).by, holder(std::process::id()));
    drop(lock);
}

#[test]
fn a_refusal_says_who_and_since_when() {
    let held = Error::Held(whole(holder(71)));
    insta::assert_snapshot!(held, @"another pkgferry works on https://example.jamfcloud.com: process 71 on mac-3 since 2026-11-20T22:00:00Z (run nightly.yaml)");
    insta::assert_snapshot!(held.hint().unwrap(), @"wait until it has ended; if it hangs, end process 71 on mac-3");
    let of = |wanted, shard| Error::Held(Held { wanted, shard, ..whole(holder(71)) });
    let told = [
        of(Shard::WHOLE, shard(2, 4)),
        of(shard(2, 4), Shard::WHOLE),
        of(shard(2, 4), shard(2, 4)),
        of(shard(2, 4), shard(1, 3)),
    ];
    let told = told.map(|held| format!("{held}\n  hint: {}", held.hint().unwrap()));
    insta::assert_snapshot!(told.join("\n"), @"
    another pkgferry works on shard 2/4 of https://example.jamfcloud.com: process 71 on mac-3 since 2026-11-20T22:00:00Z (run nightly.yaml)
      hint: wait until it has ended; if it hangs, end process 71 on mac-3
    another pkgferry works on all packages of https://example.jamfcloud.com: process 71 on mac-3 since 2026-11-20T22:00:00Z (run nightly.yaml)
      hint: wait until it has ended; if it hangs, end process 71 on mac-3
    another pkgferry works on shard 2/4 of https://example.jamfcloud.com: process 71 on mac-3 since 2026-11-20T22:00:00Z (run nightly.yaml)
      hint: wait until it has ended; if it hangs, end process 71 on mac-3
    another pkgferry works on shard 1/3 of https://example.jamfcloud.com: process 71 on mac-3 since 2026-11-20T22:00:00Z (run nightly.yaml)
      hint: wait until it has ended; if it hangs, end process 71 on mac-3; shards run side by side if all divide the packages by the same number
    ");
}

/// Nobody works on a package that another process may work on too.
#[test]
fn shards_of_one_division_work_side_by_side_and_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (open(folder.path()), open(folder.path()));
    let first = one.lock_server(SERVER, shard(1, 4), &claim()).unwrap();
    let second = other.lock_server(SERVER, shard(2, 4), &claim()).unwrap();
    for wanted in [Shard::WHOLE, shard(1, 4), shard(2, 4), shard(1, 2), shard(3, 5)] {
        let held = refused(other.lock_server(SERVER, wanted, &claim()));
        assert_eq!(held.wanted, wanted);
        assert!(wanted.overlaps(held.shard), "{held}");
    }
    let mut holders = other.server_holders(SERVER);
    holders.sort_by_key(|(shard, _)| shard.to_string());
    let own = holder(std::process::id());
    assert_eq!(holders, [(shard(1, 4), own.clone()), (shard(2, 4), own)]);
    drop(first);
    drop(one.lock_server(SERVER, shard(1, 4), &claim()).unwrap());
    refused(one.lock_server(SERVER, Shard::WHOLE, &claim()));
    drop(second);
    let whole = one.lock_server(SERVER, Shard::WHOLE, &claim()).unwrap();
    assert_eq!(refused(other.lock_server(SERVER, shard(3, 4), &claim())).shard, Shard::WHOLE);
    drop(whole);
    drop(other.lock_server(SERVER, shard(3, 5), &claim()).unwrap());
}

#[test]
fn another_process_is_seen_and_its_end_too() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(folder.path());
    let mut child = play("hold", folder.path());
    assert_eq!(child.says().as_deref(), Some("held"));
    let by = holder(child.child.id());
    assert_eq!(refused(state.lock_server(SERVER, Shard::WHOLE, &claim())).by, by);
    assert_eq!(state.server_holders(SERVER), [(Shard::WHOLE, by)]);
    assert_eq!(child.end(), ["released"]);
    assert_eq!(state.lock_server(SERVER, Shard::WHOLE, &claim()).unwrap().left_by(), None);
}

#[test]
fn a_killed_process_holds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(folder.path());
    for _ in 0..10 {
        let mut child = play("hold", folder.path());
        assert_eq!(child.says().as_deref(), Some("held"));
        let pid = child.child.id();
        assert_eq!(refused(state.lock_server(SERVER, Shard::WHOLE, &claim())).by, holder(pid));
        child.kill();
        assert_eq!(state.server_holders(SERVER), []);
        let lock = state.lock_server(SERVER, Shard::WHOLE, &claim()).unwrap();
        assert_eq!(lock.left_by(), Some(&holder(pid)), "it never let go");
    }
}

#[test]
fn never_two_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (taken, times) = (AtomicBool::new(false), AtomicU32::new(0));
    let worker = || {
        let state = open(folder.path());
        for _ in 0..50 {
            let lock = loop {
                match state.lock_server(SERVER, Shard::WHOLE, &claim()) {
                    Ok(lock) => break lock,
                    Err(Error::Held(_)) => std::thread::yield_now(),
                    Err(error) => panic!("{error}"),
                }
            };
            assert!(!taken.swap(true, Ordering::SeqCst));
            times.fetch_add(1, Ordering::SeqCst);
            assert!(taken.swap(false, Ordering::SeqCst));
            drop(lock);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(worker);
        }
    });
    assert_eq!(times.into_inner(), 200);
}

#[test]
fn a_state_without_a_folder_keeps_off_nobody() {
    let state = State::in_memory().unwrap();
    let _lock = state.lock_server(SERVER, Shard::WHOLE, &claim()).unwrap();
    assert!(state.lock_server(SERVER, Shard::WHOLE, &claim()).is_ok());
    assert_eq!(state.server_holders(SERVER), []);
}

/// What is said of a process goes onto one line each, whatever it is.
#[test]
fn words_of_several_lines_do_not_break_the_facts() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(folder.path());
    let what = "run\npid: 1\n.\n";
    let _lock = state.lock_server(SERVER, Shard::WHOLE, &Claim { what, ..claim() }).unwrap();
    let by = refused(state.lock_server(SERVER, Shard::WHOLE, &claim())).by;
    assert_eq!((by.pid, by.what.as_str()), (std::process::id(), "run pid: 1 . "));
}
