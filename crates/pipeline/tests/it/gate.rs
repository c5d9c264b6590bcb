use pipeline::Gate;
use std::num::NonZeroUsize;
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
