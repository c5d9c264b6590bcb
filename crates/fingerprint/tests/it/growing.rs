use crate::{MIB, bytes, file, plain, shown};
use fingerprint::{Error, Fingerprint, digest_growing};
use insta::assert_snapshot;
use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Writes `steps` of the content one after the other, and says after each what it says: (from, to, ready).
async fn written(content: &[u8], steps: &[(usize, usize, usize)]) -> Result<Fingerprint, Error> {
    let (_folder, path) = file(b"");
    written_to(&path, content, steps, |_| {}).await
}

async fn written_to(
    path: &Path,
    content: &[u8],
    steps: &[(usize, usize, usize)],
    progress: impl Fn(u64) + Send + Sync + 'static,
) -> Result<Fingerprint, Error> {
    let (ready, growing) = watch::channel(0);
    let write = async {
        let mut file = File::options().write(true).open(path).unwrap();
        for &(from, to, there) in steps {
            file.seek(SeekFrom::Start(from as u64)).unwrap();
            file.write_all(&content[from..to]).unwrap();
            ready.send_replace(there as u64);
            tokio::task::yield_now().await;
        }
        drop(ready);
    };
    let cancel = CancellationToken::new();
    let hash = digest_growing(path, content.len() as u64, growing, progress, &cancel);
    let (fingerprint, ()) = tokio::join!(hash, write);
    fingerprint
}

#[tokio::test]
async fn from_front_to_back() {
    let content = bytes(9 * MIB + 5);
    let steps: Vec<_> = (0..10).map(|mib| (mib * MIB, (mib + 1) * MIB)).collect();
    let steps: Vec<_> = steps.into_iter().map(|(from, to)| (from, to.min(content.len()))).collect();
    let steps: Vec<_> = steps.into_iter().map(|(from, to)| (from, to, to)).collect();
    assert_eq!(written(&content, &steps).await.unwrap(), plain(&content));
}

/// As ranges come that are fetched side by side: the last bytes first, and then everything at once.
#[tokio::test]
async fn in_ranges() {
    let content = bytes(6 * MIB);
    let steps = [(4 * MIB, 6 * MIB, 0), (0, MIB, MIB), (2 * MIB, 4 * MIB, MIB), (MIB, 2 * MIB, 6 * MIB)];
    assert_eq!(written(&content, &steps).await.unwrap(), plain(&content));
}

#[tokio::test]
async fn in_small_pieces() {
    let content = bytes(MIB + 1);
    let steps: Vec<_> = (0..content.len()).step_by(1000).collect();
    let steps: Vec<_> = steps.into_iter().map(|from| (from, (from + 1000).min(content.len()))).collect();
    let steps: Vec<_> = steps.into_iter().map(|(from, to)| (from, to, to)).collect();
    assert_eq!(written(&content, &steps).await.unwrap(), plain(&content));
}

#[tokio::test]
async fn there_already() {
    let content = bytes(3);
    assert_eq!(written(&content, &[(0, 3, 3)]).await.unwrap(), plain(&content));
}

/// Nothing is hashed before it is ready: what stands there at first is not what is written in the end.
#[tokio::test]
async fn what_is_not_ready_is_not_looked_at() {
    let content = bytes(12 * MIB);
    let (_folder, path) = file(&vec![0xFF; content.len()]);
    let told = Arc::new(Mutex::new(Vec::new()));
    let listener = Arc::clone(&told);
    let steps = [(0, 4 * MIB, 4 * MIB), (4 * MIB, 12 * MIB, 12 * MIB)];
    let progress = move |bytes| listener.lock().unwrap().push(bytes);
    assert_eq!(written_to(&path, &content, &steps, progress).await.unwrap(), plain(&content));
    assert_eq!(*told.lock().unwrap(), [8, 12].map(|mib| mib * MIB as u64));
}

#[tokio::test]
async fn a_writer_that_gives_up() {
    let content = bytes(3 * MIB);
    let (folder, path) = file(b"");
    let error = written_to(&path, &content, &[(0, MIB, MIB)], |_| {}).await.unwrap_err();
    assert_snapshot!(shown(error, folder.path()), @r"
    FOLDER/Example.pkg was left incomplete: 1048576 of 3145728 bytes were written
    kind: Local
    hint: -
    ");
}

/// The writer says more than it did.
#[tokio::test]
async fn a_file_that_is_shorter_than_it_was_said_to_be() {
    let content = bytes(3 * MIB);
    let (folder, path) = file(b"");
    let error = written_to(&path, &content, &[(0, MIB, 3 * MIB)], |_| {}).await.unwrap_err();
    assert_snapshot!(shown(error, folder.path()), @r"
    FOLDER/Example.pkg changed while it was read
    kind: Local
    hint: run again when nothing writes to the file any more
    ");
}

/// The digests would be right, and yet not the file's.
#[tokio::test]
async fn a_file_that_is_longer_than_it_was_to_be() {
    let content = bytes(MIB);
    let (_folder, path) = file(&vec![0; MIB + 1]);
    let error = written_to(&path, &content, &[(0, MIB, MIB)], |_| {}).await.unwrap_err();
    assert!(matches!(error, Error::Changed { .. }), "{error}");
}

#[tokio::test]
async fn a_file_that_is_to_be_empty() {
    let (_folder, path) = file(b"");
    let (_ready, growing) = watch::channel(0);
    let error = digest_growing(&path, 0, growing, |_| {}, &CancellationToken::new()).await.unwrap_err();
    assert!(matches!(error, Error::Empty { .. }), "{error}");
}

#[tokio::test]
async fn what_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let (_ready, growing) = watch::channel(0);
    let cancel = CancellationToken::new();
    let missing = folder.path().join("Missing.pkg");
    let error = digest_growing(&missing, 1, growing.clone(), |_| {}, &cancel).await.unwrap_err();
    assert!(matches!(error, Error::Read { .. }), "{error}");
    let error = digest_growing(folder.path(), 1, growing, |_| {}, &cancel).await.unwrap_err();
    assert!(matches!(error, Error::Folder { .. }), "{error}");
}

#[tokio::test]
async fn cancelled_while_it_waits_for_bytes() {
    let (_folder, path) = file(b"");
    let (_ready, growing) = watch::channel(0);
    let cancel = CancellationToken::new();
    let hash = digest_growing(&path, 100, growing, |_| {}, &cancel);
    let (result, ()) = tokio::join!(hash, async { cancel.cancel() });
    assert!(matches!(result, Err(Error::Interrupted { .. })));
}

/// That the callback goes away shows that the thread that waited for bytes has ended.
#[tokio::test]
async fn a_dropped_future_ends_the_threads_that_wait() {
    let (_folder, path) = file(&bytes(8 * MIB));
    let (_ready, growing) = watch::channel(8 * MIB as u64);
    let (told, heard) = mpsc::channel();
    let (started, start) = tokio::sync::oneshot::channel();
    let started = Mutex::new(Some(started));
    let progress = move |bytes| {
        told.send(bytes).unwrap();
        if let Some(started) = started.lock().unwrap().take() {
            started.send(()).unwrap();
        }
    };
    let cancel = CancellationToken::new();
    {
        let work = digest_growing(&path, 9 * MIB as u64, growing, progress, &cancel);
        tokio::select! {
            result = work => panic!("it was to be dropped half-way: {result:?}"),
            started = start => started.unwrap(),
        }
    }
    assert_eq!(heard.iter().collect::<Vec<_>>(), [8 * MIB as u64]);
}

#[test]
fn the_future_may_move_between_threads() {
    fn movable<T: Send>(_: T) {}
    let (_ready, growing) = watch::channel(0);
    movable(digest_growing(Path::new("a"), 1, growing, |_| {}, &CancellationToken::new()));
}
