//! Hashing that goes on where it was interrupted.

use crate::{MIB, bytes, file, plain};
use fingerprint::{
    DigestState, Digests, Error, FileIdentity, Fingerprint, Memory, Start, digest, digest_from,
};
use jiff::{SignedDuration, Timestamp};
use std::path::Path;
use std::sync::{Arc, Mutex};
use tokio_util::sync::CancellationToken;

fn start(path: &Path, state: DigestState) -> Start {
    Start { identity: FileIdentity::of(path).unwrap(), state, begun: Timestamp::UNIX_EPOCH }
}

/// A file that is left at its first saved state.
async fn interrupted(path: &Path) -> DigestState {
    let cancel = CancellationToken::new();
    let saved = Arc::new(Mutex::new(None));
    let (keep, stop) = (Arc::clone(&saved), cancel.clone());
    let save = move |state: DigestState| {
        keep.lock().unwrap().get_or_insert(state);
        stop.cancel();
    };
    let error =
        digest_from(path, start(path, DigestState::default()), save, |_| {}, &cancel).await.unwrap_err();
    assert!(matches!(error, Error::Interrupted { .. }), "{error}");
    saved.lock().unwrap().take().unwrap()
}

#[tokio::test]
async fn an_interrupted_file_is_gone_on_with() {
    let content = bytes(65 * MIB);
    let (_folder, path) = file(&content);
    let state = interrupted(&path).await;
    assert_eq!(state.offset(), 64 * MIB as u64);
    let state = DigestState::from_bytes(&state.to_bytes()).unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let listener = Arc::clone(&told);
    let progress = move |bytes| listener.lock().unwrap().push(bytes);
    let cancel = CancellationToken::new();
    let found = digest_from(&path, start(&path, state), |_| {}, progress, &cancel).await.unwrap();
    assert_eq!(found, plain(&content));
    assert_eq!(*told.lock().unwrap(), [65 * MIB as u64], "nothing before the offset is hashed again");
}

#[tokio::test]
async fn another_file_is_not_gone_on_with() {
    let (_folder, path) = file(b"abc");
    let started = start(&path, DigestState::default());
    std::fs::write(&path, "abcd").unwrap();
    let error = digest_from(&path, started, |_| {}, |_| {}, &CancellationToken::new()).await.unwrap_err();
    assert!(matches!(error, Error::Changed { .. }), "{error}");
}

/// It can only be another file's.
#[tokio::test]
async fn a_state_that_leaves_nothing_to_read_is_not_used() {
    let (_large_folder, large) = file(&vec![1; 65 * MIB]);
    let state = interrupted(&large).await;
    let content = vec![2; state.offset() as usize];
    let (_folder, path) = file(&content);
    let started = start(&path, state);
    let found = digest_from(&path, started, |_| {}, |_| {}, &CancellationToken::new()).await.unwrap();
    assert_eq!(found, plain(&content));
}

#[derive(Default)]
struct Kept(Mutex<Vec<Fingerprint>>);

impl Memory for Kept {
    fn recall(&self, _: &Path, _: &FileIdentity) -> Option<Fingerprint> {
        self.0.lock().unwrap().first().copied()
    }

    fn remember(&self, _: &Path, _: &FileIdentity, fingerprint: Fingerprint) {
        self.0.lock().unwrap().push(fingerprint);
    }
}

/// What counts is when the first byte was read, by whichever run.
#[tokio::test]
async fn digests_are_remembered_if_the_file_was_settled_at_the_beginning() {
    let (_folder, path) = file(b"abc");
    let identity = FileIdentity::of(&path).unwrap();
    let written = Timestamp::from_nanosecond(identity.changed).unwrap();
    let cancel = CancellationToken::new();
    for (begun, remembered) in [(1, 0), (60, 1)] {
        let begun = written + SignedDuration::from_secs(begun);
        let memory = Arc::new(Kept::default());
        let digests = Digests::new(Arc::clone(&memory) as _, false);
        let started = Start { identity, state: DigestState::default(), begun };
        let found = digests.digest_from(&path, started.clone(), |_| {}, |_| {}, &cancel).await.unwrap();
        assert_eq!(found, digest(&path, |_| {}, &cancel).await.unwrap().0);
        assert_eq!(memory.0.lock().unwrap().len(), remembered);

        // What is remembered is not read again.
        let unread = move |bytes| assert_eq!(remembered, 0, "{bytes} were read");
        digests.digest_from(&path, started, |_| {}, unread, &cancel).await.unwrap();
    }
}
