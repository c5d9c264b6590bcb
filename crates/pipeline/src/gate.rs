use crate::{Context, Stop};
use std::num::NonZeroUsize;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// So much work of one kind at a time, such as files that are hashed; who comes first is first. Clones share the places.
///
/// ```
/// # use pipeline::Gate;
/// # use tokio_util::sync::CancellationToken;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let gate = Gate::new(std::num::NonZeroUsize::MIN);
/// let cancel = CancellationToken::new();
/// let permit = gate.enter(&cancel).await;
/// assert!(permit.is_some() && gate.free() == 0);
/// drop(permit);
/// assert_eq!(gate.free(), 1);
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Gate {
    places: u32,
    free: Arc<Semaphore>,
}

/// How many of a gate's places somebody takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Places {
    /// One, beside others.
    One,
    /// All of them: it works alone.
    All,
}

/// A place behind a [`Gate`], free again when this is dropped.
#[derive(Debug)]
#[must_use = "the place is free again as soon as this is dropped"]
pub struct Permit {
    _place: OwnedSemaphorePermit,
}

impl Gate {
    /// A gate with so many places behind it.
    #[must_use]
    pub fn new(places: NonZeroUsize) -> Self {
        let places = u32::try_from(places.get()).unwrap_or(u32::MAX);
        let free = usize::try_from(places).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Self { places, free: Arc::new(Semaphore::new(free)) }
    }

    /// Waits for a place. `None` when `cancel` came first, also when a place was free: who is cancelled begins nothing.
    pub async fn enter(&self, cancel: &CancellationToken) -> Option<Permit> {
        let place = cancel.run_until_cancelled(Arc::clone(&self.free).acquire_owned()).await?;
        if cancel.is_cancelled() {
            return None;
        }
        // Nobody closes the semaphore.
        place.ok().map(|place| Permit { _place: place })
    }

    /// Waits for places until nothing new is to be [begun](Context::stop).
    ///
    /// # Errors
    /// That came first, also when there were places.
    pub async fn turn(&self, places: Places, cx: &Context) -> Result<Permit, Stop> {
        let places = match places {
            Places::One => 1,
            Places::All => self.places,
        };
        let place = tokio::select! {
            biased;
            stop = cx.stopped() => return Err(stop),
            place = Arc::clone(&self.free).acquire_many_owned(places) => place,
        };
        match (place, cx.stop()) {
            (Ok(place), None) => Ok(Permit { _place: place }),
            (_, Some(stop)) => Err(stop),
            // Nobody closes the semaphore.
            (Err(_), None) => Err(Stop::Interrupted),
        }
    }

    /// Places that are free at this moment.
    #[must_use]
    pub fn free(&self) -> usize {
        self.free.available_permits()
    }
}
