//! Several processes at once.

use crate::child::{IDENTITY, path, play};
use crate::open;
use fingerprint::Memory as _;
use state::{RunEnding, RunId};

#[test]
fn processes_that_write_at_once_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let children: Vec<_> = (0..3).map(|_| play("write 100", folder.path())).collect();
    let said: Vec<Vec<String>> = children.into_iter().map(crate::child::Played::end).collect();
    let state = open(folder.path());
    for said in said {
        assert_eq!(said.last().map(String::as_str), Some("done"));
        let id: RunId = said[0].strip_prefix("run ").unwrap().parse().unwrap();
        let found = state.history().run(id.as_str()).unwrap().unwrap();
        assert!(matches!(found.run.ending, RunEnding::Ended { exit: 0, .. }));
        assert_eq!((found.run.statuses["skipped"], found.run.open, found.run.bytes_saved), (100, 0, 300));
        assert!((1..=100).all(|n| state.recall(&path(&id, n), &IDENTITY).is_some()));
        assert_eq!(state.note(id.as_str()).as_deref(), Some("100"));
    }
    assert_eq!(state.unproven(None).unwrap().len(), 3);
}

#[test]
fn compacting_does_not_wait_for_others_and_breaks_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let child = play("write 100", folder.path());
    let state = open(folder.path());
    for _ in 0..20 {
        state.compact().unwrap();
    }
    let said = child.end();
    assert_eq!(said.last().map(String::as_str), Some("done"));
    let id = said[0].strip_prefix("run ").unwrap();
    assert_eq!(state.history().run(id).unwrap().unwrap().packages.len(), 100);
}
