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
pub struct Gate(Arc<Semaphore>);

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
        Self(Arc::new(Semaphore::new(places.get().min(Semaphore::MAX_PERMITS))))
    }

    /// Waits for a place. `None` when `cancel` came first, also when a place was free: who is cancelled begins nothing.
    pub async fn enter(&self, cancel: &CancellationToken) -> Option<Permit> {
        let place = cancel.run_until_cancelled(Arc::clone(&self.0).acquire_owned()).await?;
        if cancel.is_cancelled() {
            return None;
        }
        // Nobody closes the semaphore.
        place.ok().map(|place| Permit { _place: place })
    }

    /// Places that are free at this moment.
    #[must_use]
    pub fn free(&self) -> usize {
        self.0.available_permits()
    }
}
