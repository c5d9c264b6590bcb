use jiff::Timestamp;
use pipeline::{Clock as _, SimulatedClock};
use proptest::prelude::*;
use std::sync::Arc;
use std::time::Duration;

fn start() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

proptest! {
    #[test]
    fn sleeping_and_advancing_add_up(pauses in prop::collection::vec((any::<bool>(), 0..1_000_000_u64), 0..20)) {
        let clock = SimulatedClock::at(start());
        let mut slept = Duration::ZERO;
        run(async {
            for (sleep, milliseconds) in pauses {
                let pause = Duration::from_millis(milliseconds);
                slept += pause;
                if sleep {
                    clock.sleep(pause).await;
                } else {
                    clock.advance(pause);
                }
            }
        });
        prop_assert_eq!(Duration::try_from(clock.now() - start()).unwrap(), slept);
    }
}

#[test]
fn it_stands_still_by_itself() {
    let clock = SimulatedClock::at(start());
    assert_eq!((clock.now(), clock.now()), (start(), start()));
}

/// Somebody else can make progress between two polls of a loop that sleeps.
#[test]
fn sleeping_lets_others_go_on() {
    let clock = Arc::new(SimulatedClock::at(start()));
    let rounds = run(async {
        let (done, is_done) = tokio::sync::oneshot::channel();
        let other = async move {
            tokio::task::yield_now().await;
            done.send(()).unwrap();
        };
        let waiting = async {
            let mut is_done = is_done;
            let mut rounds = 0;
            while is_done.try_recv().is_err() {
                clock.sleep(Duration::from_secs(3600)).await;
                rounds += 1;
            }
            rounds
        };
        tokio::join!(waiting, other).0
    });
    assert!((1..10).contains(&rounds), "{rounds}");
}

#[test]
fn it_stops_at_the_end_of_time() {
    let clock = SimulatedClock::at(start());
    clock.advance(Duration::MAX);
    assert_eq!(clock.now(), Timestamp::MAX);
    run(clock.sleep(Duration::MAX));
    assert_eq!(clock.now(), Timestamp::MAX);
}
