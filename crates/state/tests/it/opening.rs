//! Files that cannot be used as they are.

use crate::child::claim;
use crate::{SERVER, begin_run, clock, open};
use pipeline::Diagnose as _;
use state::{Error, State};

fn a_newer_file() -> (tempfile::TempDir, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let newer = rusqlite::Connection::open(&path).unwrap();
    newer.execute_batch("CREATE TABLE later (x); PRAGMA user_version = 99;").unwrap();
    drop(newer);
    let bytes = std::fs::read(path).unwrap();
    (folder, bytes)
}

#[test]
fn a_newer_file_is_left_alone_and_the_run_goes_on_without() {
    let (folder, bytes) = a_newer_file();
    let error = State::open(folder.path()).unwrap_err();
    assert!(matches!(error, Error::Newer { found: 99, .. }), "{error}");
    let opened = State::open_or_forget(folder.path()).unwrap();
    let why = opened.forgets.unwrap();
    insta::assert_snapshot!(why.to_string().replace(&*folder.path().to_string_lossy(), "…"), @"…/state.db was written by a newer pkgferry (format 99; this one knows 6)");
    insta::assert_snapshot!(why.hint().unwrap(), @"update this pkgferry, or name another state folder");
    assert_eq!(opened.set_aside, None);

    begin_run(&opened.state, &"a".parse().unwrap(), &clock()).end(0).unwrap();
    assert!(opened.state.history().run("a").unwrap().is_some());
    drop(opened.state);
    assert_eq!(std::fs::read(folder.path().join("state.db")).unwrap(), bytes);
    assert!(!folder.path().join("state.db-wal").exists());
}

/// Two runs that cannot remember anything must not start twice either.
#[test]
fn locks_hold_where_only_the_file_cannot_be_used() {
    let (folder, _) = a_newer_file();
    let one = State::open_or_forget(folder.path()).unwrap().state;
    let other = State::open_or_forget(folder.path()).unwrap().state;
    let _lock = one.lock_server(SERVER, pipeline::Shard::WHOLE, &claim()).unwrap();
    assert!(matches!(other.lock_server(SERVER, pipeline::Shard::WHOLE, &claim()), Err(Error::Held(_))));
}

#[test]
fn what_is_no_folder_is_done_without() {
    let folder = tempfile::tempdir().unwrap();
    let occupied = folder.path().join("occupied");
    std::fs::write(&occupied, "no folder").unwrap();
    let opened = State::open_or_forget(&occupied).unwrap();
    assert!(matches!(opened.forgets, Some(Error::Folder { .. })));
    opened.state.put_note("a", "b");
    assert_eq!(opened.state.note("a").as_deref(), Some("b"));
}

#[test]
fn many_that_find_no_file_make_one() {
    for _ in 0..10 {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for n in 0..6 {
                let path = folder.path();
                scope.spawn(move || open(path).put_note(&n.to_string(), "x"));
            }
        });
        let state = open(folder.path());
        assert!((0..6).all(|n| state.note(&n.to_string()).is_some()));
    }
}

#[test]
fn many_that_find_a_damaged_file_set_it_aside_once() {
    for _ in 0..10 {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("state.db"), vec![b'x'; 8192]).unwrap();
        let open_first = |n: usize| {
            let opened = State::open(folder.path()).unwrap();
            opened.state.put_note(&n.to_string(), "x");
            usize::from(opened.set_aside.is_some())
        };
        let open_first = &open_first;
        let set_aside: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|n| scope.spawn(move || open_first(n))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(set_aside, 1);
        assert!(!folder.path().join("state.db.damaged-2").exists());
        let state = open(folder.path());
        assert!((0..4).all(|n| state.note(&n.to_string()).is_some()), "nobody wrote into the wrong file");
    }
}
