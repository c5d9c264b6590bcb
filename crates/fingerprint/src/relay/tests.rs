use super::{BLOCK, Block, Leader, Next, POOL, Pace, Presence, Relay, State};
use pipeline::Md5;
use std::thread;
use tokio_util::sync::CancellationToken;

const SIZE: u64 = (4 * POOL * BLOCK) as u64;

fn relay(pace: Pace) -> Relay {
    Relay::new(SIZE, pace, CancellationToken::new())
}

fn ahead() -> Pace {
    Pace::Ahead(Md5::from_bytes([7; 16]))
}

/// Waits until the threads have come to where `there` holds.
fn until(relay: &Relay, there: impl Fn(&State) -> bool) {
    let mut state = relay.lock();
    while !there(&state) {
        state = relay.wait(state);
    }
}

fn hand_all(mut leader: Leader<'_>) -> u64 {
    let mut end = 0;
    while end < SIZE {
        let Some(block) = leader.next() else { break };
        end = block.end();
        leader.hand(block);
    }
    end
}

/// Buffers in the queue, in the pool, and made at all.
fn buffers(relay: &Relay) -> (usize, usize, usize) {
    let state = relay.lock();
    (state.queue.len(), state.free.len(), state.made)
}

fn handed(next: Option<Next>) -> Block {
    match next {
        Some(Next::Handed(block)) => block,
        Some(Next::Passed(block)) => panic!("{} was not handed on", block.start()),
        None => panic!("it has ended"),
    }
}

#[test]
fn buffers_come_back_and_serve_again() {
    let relay = relay(Pace::Together);
    let (mut leader, mut follower) = (relay.leader(), relay.follower());
    let mut seen = Vec::new();
    for start in (0..SIZE).step_by(BLOCK) {
        let mut block = leader.next().unwrap();
        assert_eq!((block.start(), block.bytes().len()), (start, BLOCK));
        block.bytes_mut()[0] = 1;
        seen.push(block.bytes().as_ptr());
        leader.hand(block);
        let block = handed(follower.next());
        assert_eq!((block.start(), block.bytes()[0]), (start, 1));
        follower.done(block);
    }
    seen.dedup();
    assert_eq!(
        (seen.len(), buffers(&relay)),
        (1, (0, 1, 1)),
        "one buffer is enough when the two are in step"
    );
}

#[test]
fn together_the_leader_gets_no_further_than_the_pool() {
    let relay = relay(Pace::Together);
    let mut follower = relay.follower();
    thread::scope(|scope| {
        let leader = scope.spawn(|| hand_all(relay.leader()));
        until(&relay, |state| state.queue.len() == POOL);
        let block = handed(follower.next());
        assert_eq!(relay.lock().led, (POOL * BLOCK) as u64);
        follower.done(block);
        until(&relay, |state| state.led == ((POOL + 1) * BLOCK) as u64);
        assert_eq!(buffers(&relay), (POOL, 0, POOL));
        while follower.offset() < SIZE {
            let block = handed(follower.next());
            follower.done(block);
        }
        assert_eq!(leader.join().unwrap(), SIZE);
    });
    assert_eq!(buffers(&relay), (0, POOL, POOL));
}

#[test]
fn ahead_it_takes_no_more_memory() {
    let relay = relay(ahead());
    let mut follower = relay.follower();
    assert_eq!(hand_all(relay.leader()), SIZE);
    assert_eq!(buffers(&relay), (POOL, 0, POOL));
    let mut passed = 0;
    while follower.offset() < SIZE {
        let block = match follower.next().unwrap() {
            Next::Handed(block) => block,
            Next::Passed(block) => {
                passed += 1;
                block
            }
        };
        assert_eq!(block.start(), follower.offset());
        follower.done(block);
    }
    assert_eq!(passed, 3 * POOL);
}

/// A leader that finds buffers again hands on again, from where it is then.
#[test]
fn a_follower_reads_the_gap_and_takes_up_what_comes_after_it() {
    let relay = relay(ahead());
    let (mut leader, mut follower) = (relay.leader(), relay.follower());
    for _ in 0..=POOL {
        let block = leader.next().unwrap();
        leader.hand(block);
    }
    let block = handed(follower.next());
    follower.done(block);
    let block = leader.next().unwrap();
    leader.hand(block);
    for _ in 1..POOL {
        let block = handed(follower.next());
        follower.done(block);
    }
    let Some(Next::Passed(block)) = follower.next() else { panic!("the leader had no buffer for it") };
    assert_eq!(block.start(), (POOL * BLOCK) as u64);
    follower.done(block);
    assert_eq!(handed(follower.next()).start(), ((POOL + 1) * BLOCK) as u64);
}

#[test]
fn a_leader_that_waits_for_a_buffer_can_be_stopped() {
    let relay = relay(Pace::Together);
    let _follower = relay.follower();
    thread::scope(|scope| {
        let leader = scope.spawn(|| hand_all(relay.leader()));
        until(&relay, |state| state.queue.len() == POOL);
        relay.stop();
        assert_eq!(leader.join().unwrap(), (POOL * BLOCK) as u64);
    });
}

#[test]
fn a_leader_that_waits_for_a_buffer_ends_with_the_follower() {
    let relay = relay(Pace::Together);
    let follower = relay.follower();
    thread::scope(|scope| {
        let leader = scope.spawn(|| hand_all(relay.leader()));
        until(&relay, |state| state.queue.len() == POOL);
        drop(follower);
        assert_eq!(leader.join().unwrap(), (POOL * BLOCK) as u64);
    });
}

#[test]
fn a_follower_that_waits_can_be_stopped() {
    let relay = relay(Pace::Together);
    let _leader = relay.leader();
    thread::scope(|scope| {
        let next = scope.spawn(|| relay.follower().next().is_none());
        until(&relay, |state| state.follower == Presence::Here);
        relay.stop();
        assert!(next.join().unwrap());
    });
}

/// Only whole blocks are begun, so that a writer that trickles costs no small reads.
#[test]
fn a_growing_file_is_read_no_further_than_it_is_ready() {
    let relay = Relay::growing(SIZE, CancellationToken::new());
    let _follower = relay.follower();
    thread::scope(|scope| {
        let leader = scope.spawn(|| hand_all(relay.leader()));
        for ready in [1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK - 1, 3 * BLOCK] {
            let whole = ready / BLOCK * BLOCK;
            relay.ready(ready as u64);
            until(&relay, |state| state.led == whole as u64);
        }
        // What was said before is not taken back.
        relay.ready(0);
        assert_eq!(relay.lock().ready, 3 * BLOCK as u64);
        relay.stop();
        assert_eq!(leader.join().unwrap(), 3 * BLOCK as u64);
    });
}
