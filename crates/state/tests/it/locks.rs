//! One at a time.

use crate::child::{claim, play};
use crate::{SERVER, open};
use pipeline::Diagnose as _;
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

#[test]
fn a_server_is_locked_once_and_others_are_free() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (open(folder.path()), open(folder.path()));
    let lock = one.lock_server(SERVER, &claim()).unwrap();
    assert_eq!(lock.left_by(), None);
    let own = Held { server: SERVER.into(), by: Some(holder(std::process::id())) };
    assert_eq!(refused(other.lock_server(SERVER, &claim())), own);
    assert_eq!(refused(one.lock_server(SERVER, &claim())), own, "not twice by one process either");
    assert_eq!(other.server_holder(SERVER), own.by);
    assert_eq!(other.server_holder("https://other.jamfcloud.com"), None);
    drop(other.lock_server("https://other.jamfcloud.com", &claim()).unwrap());

    drop(lock);
    assert_eq!(one.server_holder(SERVER), None);
    assert_eq!(other.lock_server(SERVER, &claim()).unwrap().left_by(), None, "it was let go of");
}

#[test]
fn a_lock_outlives_the_state_that_it_came_from() {
    let folder = tempfile::tempdir().unwrap();
    let lock = open(folder.path()).lock_server(SERVER, &claim()).unwrap();
    let other = open(folder.path());
    assert_eq!(refused(other.lock_server(SERVER, &claim())).by, Some(holder(std::process::id())));
    drop(lock);
}

#[test]
fn a_refusal_says_who_and_since_when() {
    let held = Error::Held(Held { server: SERVER.into(), by: Some(holder(71)) });
    insta::assert_snapshot!(held, @"another pkgferry works on https://example.jamfcloud.com: process 71 on mac-3 since 2026-11-20T22:00:00Z (run nightly.yaml)");
    insta::assert_snapshot!(held.hint().unwrap(), @"wait until it has ended; if it hangs, end process 71 on mac-3");
    let unknown = Error::Held(Held { server: SERVER.into(), by: None });
    insta::assert_snapshot!(unknown, @"another pkgferry works on https://example.jamfcloud.com");
}

#[test]
fn another_process_is_seen_and_its_end_too() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(folder.path());
    let mut child = play("hold", folder.path());
    assert_eq!(child.says().as_deref(), Some("held"));
    let by = Some(holder(child.child.id()));
    assert_eq!(refused(state.lock_server(SERVER, &claim())).by, by);
    assert_eq!(state.server_holder(SERVER), by);
    assert_eq!(child.end(), ["released"]);
    assert_eq!(state.lock_server(SERVER, &claim()).unwrap().left_by(), None);
}

#[test]
fn a_killed_process_holds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(folder.path());
    for _ in 0..10 {
        let mut child = play("hold", folder.path());
        assert_eq!(child.says().as_deref(), Some("held"));
        let pid = child.child.id();
        assert_eq!(refused(state.lock_server(SERVER, &claim())).by, Some(holder(pid)));
        child.kill();
        assert_eq!(state.server_holder(SERVER), None);
        let lock = state.lock_server(SERVER, &claim()).unwrap();
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
                match state.lock_server(SERVER, &claim()) {
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
    let _lock = state.lock_server(SERVER, &claim()).unwrap();
    assert!(state.lock_server(SERVER, &claim()).is_ok());
    assert_eq!(state.server_holder(SERVER), None);
}

/// What is said of a process goes onto one line each, whatever it is.
#[test]
fn words_of_several_lines_do_not_break_the_facts() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(folder.path());
    let what = "run\npid: 1\n.\n";
    let _lock = state.lock_server(SERVER, &Claim { what, ..claim() }).unwrap();
    let by = refused(state.lock_server(SERVER, &claim())).by.unwrap();
    assert_eq!((by.pid, by.what.as_str()), (std::process::id(), "run pid: 1 . "));
}
