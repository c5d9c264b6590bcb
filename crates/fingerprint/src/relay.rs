//! What the two threads of one file share: a fixed pool of buffers, the queue of those that are filled, and how far the
//! leader is.

use pipeline::Md5;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

/// Bytes of a block: what is read, hashed and handed on at once.
pub(crate) const BLOCK: usize = 256 * 1024;

/// Buffers in the pool. With the two that the threads keep for reading alone, one file takes at most 4 MiB.
pub(crate) const POOL: usize = 14;

/// Whether the leader waits for the follower when the pool is empty.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// It waits, so that every byte is read once: both digests are wanted, and the slower one sets the time anyway.
    Together,
    /// It goes on alone, and the follower reads for itself what it was not handed, which the page cache serves because the
    /// leader has just filled it. Any other MD5 than this one ends both threads, so MD5 has to get there at its own speed.
    Ahead(Md5),
}

impl Pace {
    /// Whether SHA3-512 is still wanted when the file has this MD5.
    pub(crate) fn goes_on(self, md5: Md5) -> bool {
        match self {
            Self::Together => true,
            Self::Ahead(expected) => expected == md5,
        }
    }
}

pub(crate) struct Relay {
    size: u64,
    /// Bytes from the start of the file that were hashed before.
    start: u64,
    pace: Pace,
    stop: CancellationToken,
    state: Mutex<State>,
    /// Anything in `state` is another than before.
    moved: Condvar,
}

struct State {
    /// Bytes from the start that can be read.
    ready: u64,
    /// Bytes that the leader has hashed. Reaches the size only when the follower is to finish as well.
    led: u64,
    queue: VecDeque<Block>,
    /// The last state of MD5 that was marked, and how many bytes it is of.
    mark: Option<(u64, md5::Md5)>,
    free: Vec<Vec<u8>>,
    /// How many buffers the pool has made.
    made: usize,
    leader: Presence,
    follower: Presence,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    /// Its thread has not begun.
    Awaited,
    Here,
    Gone,
}

/// One stretch of the file, and a buffer of its length.
pub(crate) struct Block {
    start: u64,
    buffer: Vec<u8>,
    owner: Owner,
}

enum Owner {
    /// Goes to the follower and from there back into the pool.
    Pool,
    /// Stays with the thread that made it.
    Thread,
}

impl Block {
    pub(crate) fn start(&self) -> u64 {
        self.start
    }

    pub(crate) fn end(&self) -> u64 {
        self.start + self.buffer.len() as u64
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.buffer
    }
}

impl Relay {
    /// For a file of `size` bytes, all of which are there. `stop` ends both threads at their next block.
    pub(crate) fn new(size: u64, pace: Pace, stop: CancellationToken) -> Self {
        Self::over(size, size, pace, stop)
    }

    /// For a file that is still being written: nothing is read before [`ready`](Relay::ready) says that it is there.
    pub(crate) fn growing(size: u64, stop: CancellationToken) -> Self {
        Self::over(size, 0, Pace::Together, stop)
    }

    fn over(size: u64, ready: u64, pace: Pace, stop: CancellationToken) -> Self {
        let state = State {
            ready,
            led: 0,
            queue: VecDeque::new(),
            mark: None,
            free: Vec::new(),
            made: 0,
            leader: Presence::Awaited,
            follower: Presence::Awaited,
        };
        Self { size, start: 0, pace, stop, state: Mutex::new(state), moved: Condvar::new() }
    }

    /// Leaves out so many bytes from the start of the file; fewer than it has.
    pub(crate) fn behind(mut self, start: u64) -> Self {
        self.state.get_mut().unwrap_or_else(PoisonError::into_inner).led = start;
        Self { start, ..self }
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn pace(&self) -> Pace {
        self.pace
    }

    /// The first `bytes` of the file can be read.
    pub(crate) fn ready(&self, bytes: u64) {
        self.change(|state| state.ready = state.ready.max(bytes));
    }

    /// Ends both threads, those that wait included.
    pub(crate) fn stop(&self) {
        self.stop.cancel();
        self.change(|_| ());
    }

    /// The leader's side. Dropped before the end of the file is handed on, it ends the follower too.
    pub(crate) fn leader(&self) -> Leader<'_> {
        self.change(|state| state.leader = Presence::Here);
        Leader { relay: self, spare: None }
    }

    /// The follower's side. Dropped, it ends the leader too.
    pub(crate) fn follower(&self) -> Follower<'_> {
        self.change(|state| state.follower = Presence::Here);
        Follower { relay: self, offset: self.start, spare: None }
    }

    fn block(&self, start: u64, mut buffer: Vec<u8>, owner: Owner) -> Block {
        buffer.resize(self.length(start), 0);
        Block { start, buffer, owner }
    }

    /// Of the block at `start`: only the last one is shorter than the others.
    fn length(&self, start: u64) -> usize {
        usize::try_from(self.size - start).map_or(BLOCK, |left| left.min(BLOCK))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.moved.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.moved.notify_all();
    }
}

impl State {
    fn pooled(&mut self) -> Option<Vec<u8>> {
        if self.free.is_empty() && self.made < POOL {
            self.made += 1;
            return Some(Vec::new());
        }
        self.free.pop()
    }
}

pub(crate) struct Leader<'a> {
    relay: &'a Relay,
    spare: Option<Vec<u8>>,
}

impl Leader<'_> {
    pub(crate) fn relay(&self) -> &Relay {
        self.relay
    }

    /// The block to read and hash now, as soon as its bytes are there. `None` when there is nothing to be had from going
    /// on: it was stopped, or the follower failed.
    pub(crate) fn next(&mut self) -> Option<Block> {
        let mut state = self.relay.lock();
        let start = state.led;
        let end = start + self.relay.length(start) as u64;
        loop {
            if self.relay.stop.is_cancelled() || state.follower == Presence::Gone {
                return None;
            }
            if state.ready >= end {
                if let Some(buffer) = state.pooled() {
                    drop(state);
                    return Some(self.relay.block(start, buffer, Owner::Pool));
                }
                // A follower whose thread has not begun may be waiting for the leader's thread to end.
                let alone = matches!(self.relay.pace, Pace::Ahead(_)) || state.follower == Presence::Awaited;
                if alone {
                    drop(state);
                    let spare = self.spare.take().unwrap_or_default();
                    return Some(self.relay.block(start, spare, Owner::Thread));
                }
            }
            state = self.relay.wait(state);
        }
    }

    /// Keeps the state of MD5 for the follower: `md5` has taken `bytes` bytes. To be called before the block that ends there is
    /// handed on. A follower that is that far behind that another mark comes first does not get it.
    pub(crate) fn mark(&self, bytes: u64, md5: md5::Md5) {
        self.relay.lock().mark = Some((bytes, md5));
    }

    /// Passes on a block that was hashed: from now on the follower may go as far as its end.
    pub(crate) fn hand(&mut self, block: Block) {
        let led = block.end();
        let handed = match block.owner {
            Owner::Pool => Some(block),
            Owner::Thread => {
                self.spare = Some(block.buffer);
                None
            }
        };
        self.relay.change(|state| {
            state.led = led;
            state.queue.extend(handed);
        });
    }
}

impl Drop for Leader<'_> {
    fn drop(&mut self) {
        self.relay.change(|state| state.leader = Presence::Gone);
    }
}

pub(crate) struct Follower<'a> {
    relay: &'a Relay,
    offset: u64,
    spare: Option<Vec<u8>>,
}

/// How the follower comes by its next block.
pub(crate) enum Next {
    /// It is filled.
    Handed(Block),
    /// The leader has read it and not handed it on.
    Passed(Block),
}

impl Follower<'_> {
    pub(crate) fn relay(&self) -> &Relay {
        self.relay
    }

    /// Bytes that were hashed.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The state of MD5 that was marked here, if there is one.
    pub(crate) fn mark(&self) -> Option<md5::Md5> {
        let mark = self.relay.lock().mark.take_if(|(bytes, _)| *bytes == self.offset);
        mark.map(|(_, md5)| md5)
    }

    /// The block after the last one, as soon as the leader has been there. `None` when it was stopped, or when the leader
    /// has ended without reaching the end of the file.
    pub(crate) fn next(&mut self) -> Option<Next> {
        let mut state = self.relay.lock();
        loop {
            let gave_up = state.leader == Presence::Gone && state.led < self.relay.size;
            if self.relay.stop.is_cancelled() || gave_up {
                return None;
            }
            if state.led > self.offset {
                if let Some(block) = state.queue.pop_front_if(|block| block.start() == self.offset) {
                    return Some(Next::Handed(block));
                }
                drop(state);
                let spare = self.spare.take().unwrap_or_default();
                return Some(Next::Passed(self.relay.block(self.offset, spare, Owner::Thread)));
            }
            state = self.relay.wait(state);
        }
    }

    /// Takes back a block that was hashed.
    pub(crate) fn done(&mut self, block: Block) {
        self.offset = block.end();
        match block.owner {
            Owner::Pool => self.relay.change(|state| state.free.push(block.buffer)),
            Owner::Thread => self.spare = Some(block.buffer),
        }
    }
}

impl Drop for Follower<'_> {
    fn drop(&mut self) {
        self.relay.change(|state| state.follower = Presence::Gone);
    }
}

#[cfg(test)]
mod tests;
