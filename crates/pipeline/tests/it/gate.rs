use pipeline::{Access, Boundary, Clock as _, Context, Gate, Place, Places, Silent, SimulatedClock, Stop};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

fn gate(places: usize) -> Gate {
    Gate::new(NonZeroUsize::new(places).unwrap())
}

#[tokio::test]
async fn there_are_no_more_places_than_that_and_clones_share_them() {
    let (gate, cancel) = (gate(2), CancellationToken::new());
    let (one, _two) = (gate.clone().enter(&cancel).await, gate.enter(&cancel).await);
    assert_eq!(gate.free(), 0);
    let mut third = Box::pin(gate.enter(&cancel));
    assert!(now(&mut third).is_none(), "it waits");
    drop(one);
    assert!(third.await.is_some());
}

#[tokio::test]
async fn places_are_given_in_the_order_of_coming() {
    let (gate, cancel) = (gate(1), CancellationToken::new());
    let first = gate.enter(&cancel).await;
    let (mut second, mut third) = (Box::pin(gate.enter(&cancel)), Box::pin(gate.enter(&cancel)));
    assert!(now(&mut second).is_none() && now(&mut third).is_none());
    drop(first);
    assert!(now(&mut third).is_none());
    assert!(second.await.is_some());
}

#[tokio::test]
async fn who_is_cancelled_gets_none_and_keeps_none() {
    let (gate, cancel) = (gate(1), CancellationToken::new());
    let held = gate.enter(&cancel).await;
    let mut waiting = Box::pin(gate.enter(&cancel));
    assert!(now(&mut waiting).is_none());
    cancel.cancel();
    assert!(waiting.await.is_none());
    drop(held);
    assert!(gate.enter(&cancel).await.is_none(), "also where one is free");
    assert_eq!(gate.free(), 1);
}

/// What a future has now, if anything.
fn now<T>(future: &mut std::pin::Pin<Box<impl Future<Output = T>>>) -> Option<T> {
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut cx) {
        std::task::Poll::Ready(value) => Some(value),
        std::task::Poll::Pending => None,
    }
}

fn context(clock: &Arc<SimulatedClock>) -> (Context, CancellationToken) {
    let cancel = CancellationToken::new();
    let boundary = Arc::new(Boundary::new(Access::ReadWrite));
    (Context::new(clock.clone(), boundary, Arc::new(Silent), cancel.clone()), cancel)
}

fn clock() -> Arc<SimulatedClock> {
    Arc::new(SimulatedClock::at("2026-11-20T01:00:00Z".parse().unwrap()))
}

#[tokio::test]
async fn who_takes_all_places_waits_for_all_and_is_waited_for() {
    let (gate, (cx, _)) = (gate(2), context(&clock()));
    let first = gate.turn(Places::One, &cx).await.unwrap();
    let (mut all, mut last) = (Box::pin(gate.turn(Places::All, &cx)), Box::pin(gate.turn(Places::One, &cx)));
    assert!(now(&mut all).is_none());
    assert!(now(&mut last).is_none(), "who comes later does not go before");
    drop(first);
    let alone = now(&mut all).unwrap().unwrap();
    assert_eq!((gate.free(), now(&mut last).is_none()), (0, true));
    drop(alone);
    assert!(last.await.is_ok());
}

#[tokio::test]
async fn nobody_gets_a_turn_when_the_run_stops() {
    let clock = clock();
    let (gate, (cx, cancel)) = (gate(1), context(&clock));
    let until = cx.until("2026-11-20T01:05:00Z".parse().unwrap());
    let deadline = Stop::Deadline("2026-11-20T01:05:00Z".parse().unwrap());
    let held = gate.turn(Places::One, &until).await.unwrap();
    let mut waiting = Box::pin(gate.turn(Places::One, &until));
    assert!(now(&mut waiting).is_none());
    // Whoever looks first lets all others know.
    clock.advance(Duration::from_secs(300));
    assert!(now(&mut waiting).is_none(), "nobody has looked");
    assert_eq!(until.for_recipe("another").stop(), Some(deadline));
    assert_eq!(waiting.await.unwrap_err(), deadline);
    drop(held);
    assert_eq!(gate.turn(Places::One, &until).await.unwrap_err(), deadline, "also where one is free");
    // Without a deadline there is only Ctrl-C, which comes first.
    drop(gate.turn(Places::One, &cx).await.unwrap());
    cancel.cancel();
    assert_eq!(gate.turn(Places::One, &until).await.unwrap_err(), Stop::Interrupted);
    assert_eq!(gate.turn(Places::One, &cx).await.unwrap_err(), Stop::Interrupted);
    assert_eq!((gate.free(), until.shielded().stop()), (1, None));
}

#[tokio::test]
async fn who_watches_looks_at_the_clock() {
    let clock = clock();
    let (cx, cancel) = context(&clock);
    let until = cx.until("2026-11-20T01:00:12Z".parse().unwrap());
    let (watched, heard) = tokio::join!(until.watch(), until.stopped());
    assert_eq!((watched, heard), (Stop::Deadline("2026-11-20T01:00:12Z".parse().unwrap()), watched));
    assert_eq!(clock.now().to_string(), "2026-11-20T01:00:12Z", "neither sooner nor later");
    let mut watching = Box::pin(cx.watch());
    assert!(now(&mut watching).is_none());
    cancel.cancel();
    assert_eq!(watching.await, Stop::Interrupted);
}

#[tokio::test]
async fn a_place_is_free_when_all_is_sent_or_the_recipe_has_ended() {
    let (gate, (cx, _)) = (gate(1), context(&clock()));
    let place = Place::new(gate.turn(Places::One, &cx).await.unwrap());
    let step = cx.sending_from(&place);
    cx.has_sent();
    assert_eq!(gate.free(), 0, "only the step that sends gives it back");
    step.has_sent();
    step.has_sent();
    assert_eq!(gate.free(), 1);
    let place = Place::new(gate.turn(Places::One, &cx).await.unwrap());
    let step = cx.sending_from(&place);
    drop(place);
    assert_eq!(gate.free(), 1, "whatever still holds a context");
    step.has_sent();
}
