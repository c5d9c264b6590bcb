use super::{ReadAt, SAVE_EVERY, Source};
use crate::relay::{BLOCK, Follower, Leader, POOL, Pace, Relay};
use crate::sha3::Sha3;
use crate::{DigestState, Error};
use md5::Digest as _;
use pipeline::{Md5, Sha3_512};
use std::cell::Cell;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;
use tokio_util::sync::CancellationToken;

/// More than the pool holds, and not a whole number of blocks.
const SIZE: usize = (3 * POOL) * BLOCK + 1234;

/// A file in memory that notes what is read of it.
struct Noted {
    bytes: Vec<u8>,
    reads: Mutex<Vec<(u64, u64)>>,
    /// From here on the disk is broken.
    good: u64,
}

impl ReadAt for Noted {
    /// As short as a read may be, and interrupted now and then.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        if offset >= self.good {
            return Err(io::Error::other("the disk is on fire"));
        }
        let mut reads = self.reads.lock().unwrap();
        if reads.len() % 7 == 3 {
            reads.push((offset, 0));
            return Err(io::ErrorKind::Interrupted.into());
        }
        let from = &self.bytes[offset as usize..];
        let read = buffer.len().min(from.len()).min(100_000);
        buffer[..read].copy_from_slice(&from[..read]);
        reads.push((offset, read as u64));
        Ok(read)
    }
}

impl Noted {
    fn new(size: usize) -> Self {
        let bytes = (0..size as u64).map(|index| (index.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8);
        Self { bytes: bytes.collect(), reads: Mutex::new(Vec::new()), good: u64::MAX }
    }

    fn bytes_read(&self) -> u64 {
        self.reads.lock().unwrap().iter().map(|(_, read)| read).sum()
    }

    /// Whether the reads cover everything once, in order.
    fn was_read_once(&self) -> bool {
        self.was_read_once_from(0)
    }

    /// Whether the reads cover everything behind `start` once, in order.
    fn was_read_once_from(&self, start: u64) -> bool {
        let mut end = start;
        for &(offset, read) in &*self.reads.lock().unwrap() {
            if offset != end {
                return false;
            }
            end += read;
        }
        end == self.bytes.len() as u64
    }

    fn md5(&self) -> Md5 {
        Md5::from_bytes(md5::Md5::digest(&self.bytes).into())
    }

    fn sha3_512(&self) -> Sha3_512 {
        Sha3_512::from_bytes(sha3::Sha3_512::digest(&self.bytes).into())
    }
}

fn source(file: &Arc<Noted>) -> Source {
    Source::new(Arc::clone(file) as _, PathBuf::from("Example.pkg"))
}

fn relay(file: &Noted, pace: Pace) -> Relay {
    Relay::new(file.bytes.len() as u64, pace, CancellationToken::new())
}

fn lead(source: &Source, leader: Leader<'_>) -> Result<Option<Md5>, Error> {
    super::lead(source, leader, md5::Md5::new())
}

fn follow(
    source: &Source,
    follower: Follower<'_>,
    progress: &dyn Fn(u64),
) -> Result<Option<Sha3_512>, Error> {
    super::follow(source, follower, Sha3::default(), &super::Listeners { progress, save: &|_| {} })
}

fn other_md5() -> Md5 {
    Md5::from_bytes([7; 16])
}

#[test]
fn together_every_byte_is_read_once() {
    let file = Arc::new(Noted::new(SIZE));
    let (source, relay) = (source(&file), relay(&file, Pace::Together));
    let follower = relay.follower();
    let sha3 = thread::scope(|scope| {
        let sha3 = scope.spawn(|| follow(&source, follower, &|_| {}).unwrap());
        assert_eq!(lead(&source, relay.leader()).unwrap(), Some(file.md5()));
        sha3.join().unwrap()
    });
    assert_eq!(sha3, Some(file.sha3_512()));
    assert!(file.was_read_once(), "{:?}", file.reads.lock().unwrap());
}

/// On one thread, so that the follower stands still until the leader has ended.
#[test]
fn ahead_the_leader_waits_for_nobody() {
    let file = Arc::new(Noted::new(SIZE));
    let (source, relay) = (source(&file), relay(&file, Pace::Ahead(file.md5())));
    let follower = relay.follower();
    assert_eq!(lead(&source, relay.leader()).unwrap(), Some(file.md5()));
    assert!(file.was_read_once());
    assert_eq!(follow(&source, follower, &|_| {}).unwrap(), Some(file.sha3_512()));
    // What the pool held was handed on; the rest was read again.
    assert_eq!(file.bytes_read(), (2 * SIZE - POOL * BLOCK) as u64);
}

#[test]
fn another_md5_ends_a_follower_that_is_far_behind() {
    let file = Arc::new(Noted::new(SIZE));
    let (source, relay) = (source(&file), relay(&file, Pace::Ahead(other_md5())));
    let follower = relay.follower();
    assert_eq!(lead(&source, relay.leader()).unwrap(), Some(file.md5()));
    let progress = |bytes| panic!("{bytes} were hashed in vain");
    assert_eq!(follow(&source, follower, &progress).unwrap(), None);
    assert!(file.was_read_once(), "the follower reads nothing more");
}

/// A file of one block is hashed before the follower gets anything.
#[test]
fn another_md5_spares_a_small_file_the_other_digest() {
    let file = Arc::new(Noted::new(1000));
    let (source, relay) = (source(&file), relay(&file, Pace::Ahead(other_md5())));
    let follower = relay.follower();
    assert_eq!(lead(&source, relay.leader()).unwrap(), Some(file.md5()));
    assert_eq!(follow(&source, follower, &|_| {}).unwrap(), None);
}

/// With a single thread to run on, the follower begins when the leader has ended: waiting for it would be for ever.
#[test]
fn a_follower_that_has_not_begun_is_not_waited_for() {
    let file = Arc::new(Noted::new(SIZE));
    let (source, relay) = (source(&file), relay(&file, Pace::Together));
    assert_eq!(lead(&source, relay.leader()).unwrap(), Some(file.md5()));
    assert_eq!(follow(&source, relay.follower(), &|_| {}).unwrap(), Some(file.sha3_512()));
}

#[test]
fn a_leader_that_fails_ends_the_follower() {
    let mut file = Noted::new(SIZE);
    file.good = (2 * BLOCK) as u64;
    let file = Arc::new(file);
    let (source, relay) = (source(&file), relay(&file, Pace::Together));
    let follower = relay.follower();
    thread::scope(|scope| {
        let sha3 = scope.spawn(|| follow(&source, follower, &|_| {}).unwrap());
        assert!(matches!(lead(&source, relay.leader()), Err(Error::Read { .. })));
        assert_eq!(sha3.join().unwrap(), None);
    });
}

#[test]
fn a_follower_that_fails_ends_the_leader() {
    let file = Arc::new(Noted::new(SIZE));
    let (source, relay) = (source(&file), relay(&file, Pace::Together));
    drop(relay.follower());
    assert_eq!(lead(&source, relay.leader()).unwrap(), None);
    assert_eq!(file.bytes_read(), 0);
}

#[test]
fn a_stop_ends_both_at_the_next_block() {
    let file = Arc::new(Noted::new(40 * 1024 * 1024));
    let (source, relay) = (source(&file), relay(&file, Pace::Together));
    let last = Cell::new(0);
    let follower = relay.follower();
    thread::scope(|scope| {
        let md5 = scope.spawn(|| lead(&source, relay.leader()).unwrap());
        let progress = |bytes| {
            last.set(bytes);
            relay.stop();
        };
        assert_eq!(follow(&source, follower, &progress).unwrap(), None);
        assert_eq!(md5.join().unwrap(), None);
    });
    assert_eq!(last.get(), 8 * 1024 * 1024, "nothing was hashed after the stop");
}

/// Reads a file side by side behind `state`, and gives its digests and what was to be saved.
fn pass(file: &Arc<Noted>, state: DigestState) -> (Md5, Sha3_512, Vec<DigestState>) {
    let source = source(file);
    let relay = relay(file, Pace::Together).behind(state.offset());
    let (md5, sha3) = state.into_digests();
    let saved = Mutex::new(Vec::new());
    let follower = relay.follower();
    thread::scope(|scope| {
        let sha3 = scope.spawn(|| {
            let save = |state| saved.lock().unwrap().push(state);
            super::follow(&source, follower, sha3, &super::Listeners { progress: &|_| {}, save: &save })
                .unwrap()
        });
        let md5 = super::lead(&source, relay.leader(), md5).unwrap();
        (md5.unwrap(), sha3.join().unwrap().unwrap(), saved.lock().unwrap().split_off(0))
    })
}

fn state_of(bytes: &[u8]) -> DigestState {
    let mut sha3 = Sha3::default();
    sha3.update(bytes);
    DigestState::new(bytes.len() as u64, md5::Md5::new_with_prefix(bytes), sha3)
}

/// It goes on saving, too.
#[test]
fn what_was_hashed_before_is_not_read_again() {
    let file = Arc::new(Noted::new(SAVE_EVERY as usize + 1234));
    let expected = (file.md5(), file.sha3_512());
    let first = SAVE_EVERY - 4 * BLOCK as u64;
    let mut state = state_of(&file.bytes[..first as usize]);
    for (from, next) in [(first, Some(SAVE_EVERY)), (SAVE_EVERY, None)] {
        let (md5, sha3, saved) = pass(&file, DigestState::from_bytes(&state.to_bytes()).unwrap());
        assert_eq!((md5, sha3), expected);
        assert!(file.was_read_once_from(from), "{:?}", file.reads.lock().unwrap());
        assert_eq!(saved.iter().map(DigestState::offset).collect::<Vec<_>>(), Vec::from_iter(next));
        state = saved.into_iter().next().unwrap_or(state);
        file.reads.lock().unwrap().clear();
    }
}
