//! Digests that are remembered.

use fingerprint::{Comparison, Digests, Expected, FileIdentity, Fingerprint, Memory};
use jiff::Timestamp;
use pipeline::{Gate, Md5, Sha3_512};
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio_util::sync::CancellationToken;

#[derive(Default)]
struct Shelf(Mutex<HashMap<(PathBuf, FileIdentity), Fingerprint>>);

impl Memory for Shelf {
    fn recall(&self, path: &Path, identity: &FileIdentity) -> Option<Fingerprint> {
        self.0.lock().unwrap().get(&(path.to_owned(), *identity)).copied()
    }

    fn remember(&self, path: &Path, identity: &FileIdentity, fingerprint: Fingerprint) {
        self.0.lock().unwrap().insert((path.to_owned(), *identity), fingerprint);
    }
}

struct Desk {
    folder: tempfile::TempDir,
    shelf: Arc<Shelf>,
}

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), shelf: Arc::default() }
    }

    fn write(&self, bytes: &str) -> PathBuf {
        let path = self.folder.path().join("App.pkg");
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn digests(&self, rehash: bool) -> Digests {
        Digests::new(self.shelf.clone(), rehash)
    }
}

/// Long after any file of today was written.
fn later() -> Timestamp {
    "2100-01-01T00:00:00Z".parse().unwrap()
}

/// Digests, and whether the file was read for them.
async fn digest(digests: &Digests, path: &Path, now: fn() -> Timestamp) -> (Fingerprint, bool) {
    let read = Arc::new(AtomicBool::new(false));
    let noticed = Arc::clone(&read);
    let progress = move |_| noticed.store(true, Ordering::Relaxed);
    let (fingerprint, _) = digests.digest(path, now, progress, &CancellationToken::new()).await.unwrap();
    (fingerprint, read.load(Ordering::Relaxed))
}

#[tokio::test]
async fn a_file_is_read_once() {
    let desk = Desk::new();
    let path = desk.write("abc");
    assert_eq!(desk.digests(false).known(&path).unwrap(), None);
    let (first, read) = digest(&desk.digests(false), &path, later).await;
    assert!(read);
    assert_eq!(digest(&desk.digests(false), &path, later).await, (first, false));
    assert_eq!(desk.digests(false).known(&path).unwrap(), Some(first));
}

#[tokio::test]
async fn what_is_remembered_is_not_believed_on_request_but_replaced() {
    let desk = Desk::new();
    let path = desk.write("abc");
    let identity = FileIdentity::of(&path).unwrap();
    let wrong =
        Fingerprint { size: 3, md5: Md5::from_bytes([9; 16]), sha3_512: Sha3_512::from_bytes([9; 64]) };
    desk.shelf.remember(&path, &identity, wrong);
    assert_eq!(digest(&desk.digests(false), &path, later).await, (wrong, false));
    let (right, read) = digest(&desk.digests(true), &path, later).await;
    assert!(read && right != wrong);
    assert_eq!(digest(&desk.digests(false), &path, later).await, (right, false));
}

#[tokio::test]
async fn another_file_at_the_path_is_read() {
    let desk = Desk::new();
    let (first, _) = digest(&desk.digests(false), &desk.write("abc"), later).await;
    std::fs::remove_file(desk.folder.path().join("App.pkg")).unwrap();
    let (second, read) = digest(&desk.digests(false), &desk.write("abd"), later).await;
    assert!(read && first != second);
}

#[tokio::test]
async fn a_file_that_was_written_just_now_is_not_remembered() {
    let desk = Desk::new();
    let path = desk.write("abc");
    let changed = FileIdentity::of(&path).unwrap().changed;
    assert!(changed > 0);
    // A clock that stands before the file was written.
    digest(&desk.digests(false), &path, || Timestamp::UNIX_EPOCH).await;
    assert_eq!(desk.digests(false).known(&path).unwrap(), None);
}

#[tokio::test]
async fn a_comparison_remembers_and_recalls() {
    let desk = Desk::new();
    let path = desk.write("abc");
    let compare = async |expected| {
        let read = Arc::new(AtomicBool::new(false));
        let noticed = Arc::clone(&read);
        let progress = move |_| noticed.store(true, Ordering::Relaxed);
        let digests = desk.digests(false);
        let done = digests.compare_with(&path, expected, later, progress, &CancellationToken::new()).await;
        (done.unwrap(), read.load(Ordering::Relaxed))
    };
    let (Comparison::Equal { fingerprint }, true) = compare(Expected::default()).await else { panic!() };
    let same = Expected { md5: Some(fingerprint.md5), sha3_512: Some(fingerprint.sha3_512) };
    assert_eq!(compare(same).await, (Comparison::Equal { fingerprint }, false));
    let other = Expected { md5: Some(Md5::from_bytes([0; 16])), ..same };
    assert_eq!(compare(other).await, (Comparison::Md5Differs { md5: fingerprint.md5 }, false));
    let other = Expected { sha3_512: Some(Sha3_512::from_bytes([0; 64])), ..same };
    assert_eq!(compare(other).await, (Comparison::Sha3Differs { fingerprint }, false));
}

/// Moves a clock to so long after the last change of a file.
fn after(path: &Path, milliseconds: i128) -> Timestamp {
    let identity = FileIdentity::of(path).unwrap();
    let latest = identity.modified.max(identity.changed);
    Timestamp::from_nanosecond(latest + milliseconds * 1_000_000).unwrap()
}

/// Digests of a run, and whether each of two askings read the file.
async fn twice(digests: &Digests, path: &Path, now: Timestamp) -> (bool, bool) {
    let ask = async || {
        let read = Arc::new(AtomicBool::new(false));
        let noticed = Arc::clone(&read);
        let progress = move |_| noticed.store(true, Ordering::Relaxed);
        digests.digest(path, || now, progress, &CancellationToken::new()).await.unwrap();
        read.load(Ordering::Relaxed)
    };
    (ask().await, ask().await)
}

#[tokio::test]
async fn a_file_written_a_second_ago_is_read_once_in_a_run_and_again_by_the_next() {
    let desk = Desk::new();
    let path = desk.write("abc");
    if FileIdentity::of(&path).unwrap().changed % 10_000_000 == 0 {
        // This file system tells nothing finer, and the file is read again.
        return;
    }
    let run = desk.digests(false);
    assert_eq!(twice(&run, &path, after(&path, 1_000)).await, (true, false));
    assert_eq!(run.clone().known(&path).unwrap().map(|known| known.size), Some(3));
    assert_eq!(desk.digests(false).known(&path).unwrap(), None);
}

#[tokio::test]
async fn a_file_written_within_a_clock_tick_is_read_again() {
    let desk = Desk::new();
    let path = desk.write("abc");
    assert_eq!(twice(&desk.digests(false), &path, after(&path, 100)).await, (true, true));
}

#[tokio::test]
async fn reading_again_on_request_happens_once_in_a_run() {
    let desk = Desk::new();
    let path = desk.write("abc");
    digest(&desk.digests(false), &path, later).await;
    assert_eq!(twice(&desk.digests(true), &path, later()).await, (true, false));
}

#[tokio::test]
async fn a_file_that_was_touched_within_a_run_is_read_again() {
    let desk = Desk::new();
    let run = desk.digests(false);
    let path = desk.write("abc");
    let (first, _) = digest(&run, &path, later).await;
    std::fs::remove_file(&path).unwrap();
    let (second, read) = digest(&run, &desk.write("abcd"), later).await;
    assert!(read && first != second);
}

#[tokio::test]
async fn no_more_files_are_read_at_a_time_than_the_gate_lets_through() {
    let folder = tempfile::tempdir().unwrap();
    let gate = Gate::new(NonZeroUsize::new(2).unwrap());
    let digests = Digests::default().behind(gate.clone());
    let most = Arc::new(AtomicUsize::new(0));
    let mut reading = tokio::task::JoinSet::new();
    for number in 0..8 {
        let path = folder.path().join(format!("{number}.pkg"));
        std::fs::write(&path, crate::bytes(crate::MIB)).unwrap();
        let (digests, gate, most) = (digests.clone(), gate.clone(), Arc::clone(&most));
        reading.spawn(async move {
            // Whoever reports progress holds a place.
            let progress = move |_| _ = most.fetch_max(2 - gate.free(), Ordering::Relaxed);
            digests.digest(&path, later, progress, &CancellationToken::new()).await.unwrap().0
        });
    }
    let found = reading.join_all().await;
    assert!(found.iter().all(|found| *found == crate::plain(&crate::bytes(crate::MIB))));
    assert!((1..=2).contains(&most.load(Ordering::Relaxed)));
    assert_eq!(gate.free(), 2);
}

#[tokio::test]
async fn what_is_remembered_waits_for_nobody_and_what_is_read_meanwhile_is_not_read_again() {
    let desk = Desk::new();
    let path = desk.write("abc");
    let gate = Gate::new(NonZeroUsize::MIN);
    let digests = desk.digests(false).behind(gate.clone());
    let held = gate.enter(&CancellationToken::new()).await;
    let mut waiting = Box::pin(digest(&digests, &path, later));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(waiting.as_mut().poll(&mut cx).is_pending());
    // Another run of the process, without this gate.
    let (first, read) = digest(&desk.digests(false), &path, later).await;
    assert!(read);
    assert_eq!(digest(&digests, &path, later).await, (first, false), "although there is no place");
    drop(held);
    assert_eq!(waiting.await, (first, false));
}

#[tokio::test]
async fn an_interrupt_ends_the_waiting() {
    let desk = Desk::new();
    let path = desk.write("abc");
    let gate = Gate::new(NonZeroUsize::MIN);
    let _held = gate.enter(&CancellationToken::new()).await;
    let cancel = CancellationToken::new();
    let digests = desk.digests(false).behind(gate);
    let (ended, ()) =
        tokio::join!(digests.compare_with(&path, Expected::default(), later, |_| {}, &cancel), async {
            cancel.cancel();
        });
    assert!(matches!(ended.unwrap_err(), fingerprint::Error::Interrupted { .. }));
}
