use crate::{MIB, bytes, file, shown};
use fingerprint::{Error, Expected, compare_with, digest};
use insta::assert_snapshot;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// What hashing says when `meddle` happens to the file at the first report of progress, in the middle of the file.
async fn meddled(meddle: impl Fn(&Path) + Send + Sync + 'static) -> String {
    let (folder, path) = file(&bytes(12 * MIB));
    let target = path.clone();
    let first = std::sync::Once::new();
    let progress = move |_| first.call_once(|| meddle(&target));
    let error = digest(&path, progress, &CancellationToken::new()).await.unwrap_err();
    shown(error, folder.path())
}

#[tokio::test]
async fn a_file_that_grows() {
    let grow = |path: &Path| {
        std::fs::File::options().append(true).open(path).unwrap().write_all(b"more").unwrap();
    };
    assert_snapshot!(meddled(grow).await, @r"
    FOLDER/Example.pkg changed while it was read
    kind: Local
    hint: run again when nothing writes to the file any more
    ");
}

#[tokio::test]
async fn a_file_that_is_cut() {
    let cut =
        |path: &Path| std::fs::File::options().write(true).open(path).unwrap().set_len(MIB as u64).unwrap();
    assert_snapshot!(meddled(cut).await, @r"
    FOLDER/Example.pkg changed while it was read
    kind: Local
    hint: run again when nothing writes to the file any more
    ");
}

/// The size stays; the times tell.
#[tokio::test]
async fn a_file_that_is_written_over() {
    let write_over = |path: &Path| {
        let mut file = std::fs::File::options().write(true).open(path).unwrap();
        file.seek(SeekFrom::Start(11 * MIB as u64)).unwrap();
        file.write_all(b"other bytes").unwrap();
    };
    assert_snapshot!(meddled(write_over).await, @r"
    FOLDER/Example.pkg changed while it was read
    kind: Local
    hint: run again when nothing writes to the file any more
    ");
}

/// The old bytes can be read to the end through the open file, but the path is somebody else's.
#[tokio::test]
async fn a_file_that_is_replaced() {
    let replace = |path: &Path| {
        let other = path.with_extension("new");
        std::fs::write(&other, bytes(12 * MIB)).unwrap();
        std::fs::rename(&other, path).unwrap();
    };
    assert_snapshot!(meddled(replace).await, @r"
    FOLDER/Example.pkg changed while it was read
    kind: Local
    hint: run again when nothing writes to the file any more
    ");
}

#[tokio::test]
async fn cancelled_in_the_middle() {
    let (folder, path) = file(&bytes(12 * MIB));
    let cancel = CancellationToken::new();
    let inner = cancel.clone();
    let error = digest(&path, move |_| inner.cancel(), &cancel).await.unwrap_err();
    assert_snapshot!(shown(error, folder.path()), @r"
    reading FOLDER/Example.pkg was interrupted
    kind: Interrupted
    hint: -
    ");
}

#[tokio::test]
async fn cancelled_before_the_start() {
    let (_folder, path) = file(b"abc");
    let cancel = CancellationToken::new();
    cancel.cancel();
    assert!(matches!(digest(&path, |_| {}, &cancel).await, Err(Error::Interrupted { .. })));
}

/// The callback lives as long as the follower's thread does: that it goes away shows that the thread ended, and what it
/// told last shows that it ended early.
#[tokio::test]
async fn a_dropped_future_stops_the_threads() {
    let size = 64 * MIB as u64;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("Large.pkg");
    std::fs::File::create(&path).unwrap().set_len(size).unwrap();
    let (told, heard) = mpsc::channel();
    let (started, start) = tokio::sync::oneshot::channel::<()>();
    let started = std::sync::Mutex::new(Some(started));
    let progress = move |bytes| {
        told.send(bytes).unwrap();
        if let Some(started) = started.lock().unwrap().take() {
            started.send(()).unwrap();
        }
    };
    let cancel = CancellationToken::new();
    {
        let work = digest(&path, progress, &cancel);
        tokio::select! {
            result = work => panic!("it was to be dropped half-way: {result:?}"),
            started = start => started.unwrap(),
        }
    }
    let last = heard.iter().last().unwrap();
    assert!(last < size, "the follower went on to {last}");
    assert!(!cancel.is_cancelled(), "the caller's token is the caller's");
}

#[test]
fn the_futures_may_move_between_threads() {
    fn movable<T: Send>(_: T) {}
    let cancel = CancellationToken::new();
    movable(digest(Path::new("a"), |_| {}, &cancel));
    movable(compare_with(Path::new("a"), Expected::default(), |_| {}, &cancel));
}

#[tokio::test]
#[should_panic(expected = "from the callback")]
async fn a_panic_in_the_callback_reaches_the_caller() {
    let (_folder, path) = file(b"abc");
    let _ = digest(&path, |_| panic!("from the callback"), &CancellationToken::new()).await;
}
