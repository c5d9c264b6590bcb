use crate::Permit;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The place from which a recipe sends. It is free again when this is dropped, or sooner, as soon as everything
/// [has been sent](crate::Context::has_sent).
#[derive(Debug)]
pub struct Place(Arc<Mutex<Option<Permit>>>);

/// A step's view of it, which does not keep it.
#[derive(Clone, Debug, Default)]
pub(crate) struct PlaceRef(Weak<Mutex<Option<Permit>>>);

impl Place {
    /// A place behind a gate.
    #[must_use]
    pub fn new(permit: Permit) -> Self {
        Self(Arc::new(Mutex::new(Some(permit))))
    }
}

impl PlaceRef {
    pub(crate) fn of(place: &Place) -> Self {
        Self(Arc::downgrade(&place.0))
    }

    pub(crate) fn leave(&self) {
        if let Some(place) = self.0.upgrade() {
            place.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
    }
}
