use crate::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::OnceCell;

/// How long an asking waits for the one before it. A server that answers takes a second; for one that does not, nobody waits
/// twice. By the runtime's clock, because the network does not follow an injected one.
const PATIENCE: Duration = Duration::from_secs(5);

/// A list that changes under its readers, and is asked for as seldom as they allow.
///
/// Some are content with what is remembered, as long as nothing that concerns them was changed since it was asked for. Others
/// want to know it as it is [now](Latest::now): these wait until the asking under way has ended, and share the next one. So
/// however many look at a time, one request is on its way, and each gets an answer to a request that left after it came.
#[derive(Debug)]
pub(crate) struct Latest<V, C> {
    state: Mutex<State<V, C>>,
    turn: tokio::sync::Mutex<()>,
}

/// One asking, and all who wait for it.
type Round<V> = Arc<OnceCell<V>>;

#[derive(Debug)]
struct State<V, C> {
    /// Counts askings and changes, as they come.
    moment: u64,
    newest: Option<(u64, V)>,
    /// The last one that was begun, and when.
    running: Option<(u64, Round<V>)>,
    next: Round<V>,
    /// Those that `newest` does not know of.
    changes: Vec<(u64, C)>,
}

impl<V, C> Default for Latest<V, C> {
    fn default() -> Self {
        let state =
            State { moment: 0, newest: None, running: None, next: Round::default(), changes: Vec::new() };
        Self { state: Mutex::new(state), turn: tokio::sync::Mutex::default() }
    }
}

impl<V: Clone, C> Latest<V, C> {
    /// What is remembered, unless something that `concerns` the caller was changed since; else what `ask` gives. Callers at the
    /// same time share one asking. A failed asking is not remembered.
    pub(crate) async fn get(
        &self,
        concerns: impl Fn(&C) -> bool,
        ask: impl AsyncFnOnce() -> Result<V, Error>,
    ) -> Result<V, Error> {
        let under_way = {
            let state = self.state();
            let concerning = state.changes.iter().filter(|(_, change)| concerns(change));
            let since = concerning.map(|(moment, _)| *moment).max().unwrap_or(0);
            match (&state.newest, &state.running) {
                (Some((began, value)), _) if *began > since => return Ok(value.clone()),
                (_, Some((began, round))) if *began > since => Some(Arc::clone(round)),
                _ => None,
            }
        };
        match under_way {
            Some(round) => self.run(round, ask).await,
            None => self.now(ask).await,
        }
    }

    /// What `ask` gives, or the `ask` of somebody else who asks after this was called; it takes the place of what is remembered.
    pub(crate) async fn now(&self, ask: impl AsyncFnOnce() -> Result<V, Error>) -> Result<V, Error> {
        let round = Arc::clone(&self.state().next);
        let _turn = tokio::time::timeout(PATIENCE, self.turn.lock()).await;
        self.run(round, ask).await
    }

    /// Something was changed, which no asking that has begun knows of.
    pub(crate) fn changed(&self, change: C) {
        let mut state = self.state();
        state.moment += 1;
        let moment = state.moment;
        state.changes.push((moment, change));
    }

    /// The asking is boxed: it is large, and callers that hold it in futures of their own would fill small stacks.
    async fn run(&self, round: Round<V>, ask: impl AsyncFnOnce() -> Result<V, Error>) -> Result<V, Error> {
        let asking = async || {
            let began = self.begin(&round);
            let value = ask().await?;
            self.learn(began, &value);
            Ok(value)
        };
        round.get_or_try_init(|| Box::pin(asking())).await.cloned()
    }

    /// From here on nobody joins this round who wants to know it as it is now.
    fn begin(&self, round: &Round<V>) -> u64 {
        let mut state = self.state();
        if Arc::ptr_eq(&state.next, round) {
            state.next = Round::default();
        }
        state.moment += 1;
        state.running = Some((state.moment, Arc::clone(round)));
        state.moment
    }

    fn learn(&self, began: u64, value: &V) {
        let mut state = self.state();
        if state.newest.as_ref().is_none_or(|(newest, _)| *newest < began) {
            state.newest = Some((began, value.clone()));
            state.changes.retain(|(moment, _)| *moment > began);
        }
    }

    fn state(&self) -> MutexGuard<'_, State<V, C>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};
    use tokio::sync::Semaphore;

    /// A server that numbers its answers and gives one for each permit.
    #[derive(Debug)]
    struct Server {
        asked: AtomicU32,
        gate: Semaphore,
    }

    impl Server {
        fn answering(answers: usize) -> Self {
            Self { asked: AtomicU32::new(0), gate: Semaphore::new(answers) }
        }

        async fn answer(&self) -> Result<u32, Error> {
            let number = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
            self.gate.acquire().await.unwrap().forget();
            Ok(number)
        }
    }

    type List = Latest<u32, &'static str>;

    /// The future, after it has gone as far as it can by itself.
    fn begun<T>(future: impl Future<Output = T>) -> std::pin::Pin<Box<impl Future<Output = T>>> {
        let mut future = Box::pin(future);
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(future.as_mut().poll(&mut cx).is_pending());
        future
    }

    #[tokio::test]
    async fn who_is_content_with_what_is_remembered_asks_once() {
        let (list, server) = (List::default(), Server::answering(9));
        let get = || list.get(|_| true, async || server.answer().await);
        let (one, two) = tokio::join!(get(), get());
        assert_eq!((one.unwrap(), two.unwrap(), get().await.unwrap()), (1, 1, 1));
        assert_eq!(list.now(async || server.answer().await).await.unwrap(), 2);
        assert_eq!(get().await.unwrap(), 2);
    }

    #[tokio::test]
    async fn only_a_change_that_concerns_the_caller_is_asked_about() {
        let (list, server) = (List::default(), Server::answering(9));
        let get =
            async |name| list.get(|change| *change == name, async || server.answer().await).await.unwrap();
        assert_eq!(get("a").await, 1);
        list.changed("b");
        assert_eq!((get("a").await, get("b").await, get("b").await, get("a").await), (1, 2, 2, 2));
        assert!(list.state().changes.is_empty());
    }

    #[tokio::test]
    async fn who_wants_it_as_it_is_now_shares_the_next_asking_and_not_the_one_under_way() {
        let (list, server) = (List::default(), Server::answering(0));
        let now = || list.now(async || server.answer().await);
        let first = begun(now());
        let (second, third) = (begun(now()), begun(now()));
        assert_eq!(server.asked.load(Ordering::Relaxed), 1, "the others wait");
        server.gate.add_permits(2);
        assert_eq!(first.await.unwrap(), 1);
        // Polled out of order: whoever is first asks for both.
        let (third, second) = tokio::join!(third, second);
        assert_eq!((second.unwrap(), third.unwrap()), (2, 2));
    }

    #[tokio::test]
    async fn an_asking_under_way_serves_who_needs_no_newer_one() {
        let (list, server) = (List::default(), Server::answering(0));
        let get = |name| list.get(move |change| *change == name, async || server.answer().await);
        let first = begun(get("a"));
        let second = begun(get("b"));
        list.changed("b");
        // It began before the change.
        let third = begun(get("b"));
        server.gate.add_permits(2);
        let (first, second, third) = tokio::join!(first, second, third);
        assert_eq!((first.unwrap(), second.unwrap(), third.unwrap()), (1, 1, 2));
    }

    #[tokio::test]
    async fn who_waits_takes_over_from_one_that_failed_or_went_away() {
        let (list, server) = (List::default(), Server::answering(0));
        let now = || list.now(async || server.answer().await);
        let first = begun(now());
        let second = begun(now());
        drop(first);
        server.gate.add_permits(1);
        assert_eq!(second.await.unwrap(), 2);

        let failed = list.now(async || Err(Error::Interrupted));
        assert!(failed.await.is_err());
        assert_eq!(list.get(|_| true, async || Ok(9)).await.unwrap(), 2, "what was known before stays");
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_long_for_an_asking_that_stands_still() {
        let (list, server) = (List::default(), Server::answering(0));
        let still = begun(list.now(async || server.answer().await));
        let start = tokio::time::Instant::now();
        assert_eq!(list.now(async || Ok(7)).await.unwrap(), 7);
        assert_eq!(start.elapsed(), PATIENCE);
        server.gate.add_permits(1);
        assert_eq!(still.await.unwrap(), 1);
        let known = list.get(|_| true, async || Err(Error::Interrupted)).await.unwrap();
        assert_eq!(known, 7, "an older answer that comes late takes no place");
    }
}
