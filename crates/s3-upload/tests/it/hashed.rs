//! Digests that an earlier run has half-way.

use crate::meddler::Fate;
use crate::stage::{MIB, Stage, bytes};
use fingerprint::DigestState;
use pipeline::keys;
use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};
use tokio::sync::Notify;

/// Where both digests are saved for the first time.
const SAVED: u64 = 64 * MIB as u64;
const SIZE: usize = 65 * MIB;

/// A stage that remembers in a folder.
async fn stage(folder: &Path) -> Stage {
    let mut stage = Stage::open().await;
    stage.memory.state = state::State::open(folder).unwrap().state;
    stage
}

/// A run that is dropped as soon as it has hashed so much as to write it down.
async fn killed_while_hashing(stage: &Stage, bytes: &[u8]) {
    let (told, (release, held)) = (Arc::new(Notify::new()), mpsc::channel::<()>());
    let tell = Arc::clone(&told);
    stage.ear.on_hashing(move |done| {
        if done >= SAVED {
            tell.notify_one();
            // Until the other end is dropped.
            let _ = held.recv();
        }
    });
    stage.meddler.rule(|_| Fate::Pass);
    tokio::select! {
        biased;
        sent = stage.send("App.pkg", bytes) => panic!("not killed: {sent:?}"),
        // Once more around, so that the run has seen what was saved before it was told.
        () = async { told.notified().await; tokio::task::yield_now().await } => {}
    }
    drop(release);
}

/// The rerun; gives what was told of the hashing.
async fn rerun(stage: &Stage, bytes: &[u8]) -> Vec<u64> {
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&told);
    stage.ear.on_hashing(move |done| tell.lock().unwrap().push(done));
    let sent = stage.send_again("App.pkg").await.unwrap();
    stage.assert_holds("App.pkg", bytes);
    let server = &stage.sandbox.files()[0];
    assert_eq!(sent.outputs.need(keys::PKG_MD5).unwrap().to_string(), server.md5);
    assert_eq!(sent.outputs.need(keys::PKG_SHA3_512).unwrap().to_string(), server.sha3);
    told.lock().unwrap().clone()
}

fn offset(stage: &Stage) -> Option<u64> {
    let left = stage.memory.state.left_over().unwrap();
    left[0].digest_state.as_ref().map(DigestState::offset)
}

#[tokio::test]
async fn a_killed_upload_goes_on_hashing_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let stage = stage(folder.path()).await;
    let new = bytes(1, SIZE);
    killed_while_hashing(&stage, &new).await;
    assert_eq!(offset(&stage), Some(SAVED));
    assert_eq!(rerun(&stage, &new).await, [SIZE as u64], "nothing before the offset is hashed again");
}

#[tokio::test]
async fn a_damaged_state_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let stage = stage(folder.path()).await;
    let new = bytes(1, SIZE);
    killed_while_hashing(&stage, &new).await;
    let database = rusqlite::Connection::open(folder.path().join("state.db")).unwrap();
    // A byte of MD5's words.
    let damage = "UPDATE uploads SET digest_state = \
                  CAST(substr(digest_state, 1, 50) || x'00' || substr(digest_state, 52) AS BLOB)";
    assert_eq!(database.execute(damage, []).unwrap(), 1);
    assert_eq!(offset(&stage), None);
    let told = rerun(&stage, &new).await;
    assert_eq!((told[0], told.len()), (8 * MIB as u64, 9));
}
