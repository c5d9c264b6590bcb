use super::{ReadAt, Source, follow, lead};
use crate::Error;
use crate::relay::{BLOCK, POOL, Pace, Relay};
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
        let mut end = 0;
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
