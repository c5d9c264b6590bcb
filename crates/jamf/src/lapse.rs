//! Questions that have just failed for good.
//!
//! A server that is down answers nobody, and finding that out takes all tries with their pauses. In a batch everybody asks the
//! same: so whoever comes within a minute is told what came of it, until something answers. Where nobody could sign in, or no
//! connection could be made, that goes for all questions; what one call was answered with says nothing of the others.
//!
//! This is for questions with which a recipe begins, where nothing is at stake yet. What a recipe asks in the middle of its
//! work (a look at the list as it is now, a deletion, a record to be written) is tried as ever: there bytes have been sent.

use crate::Error;
use crate::error::chain;
use crate::retry::can_pass;
use jiff::{SignedDuration, Timestamp};
use pipeline::{Context, Diagnose as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How long a failure is told to those who come after it.
const TOLD_FOR: SignedDuration = SignedDuration::from_secs(60);

/// What a question failed with when it was asked last. It says the same as the first error did.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Lapsed {
    text: String,
    hint: Option<String>,
    status: Option<u16>,
}

impl Lapsed {
    /// What a person can do about it.
    pub(crate) fn hint(&self) -> Option<String> {
        self.hint.clone()
    }

    /// The status of the answer, where there was one.
    pub(crate) fn status(&self) -> Option<u16> {
        self.status
    }
}

/// The signs of life of a server.
#[derive(Debug, Default)]
pub(crate) struct Life {
    /// How many requests it has answered in a way that shows it at work.
    answers: AtomicU64,
    /// What was answered by nobody.
    down: Lapse,
}

impl Life {
    pub(crate) fn answered(&self) {
        self.answers.fetch_add(1, Ordering::Relaxed);
    }

    /// Nobody could sign in.
    pub(crate) fn no_sign_in(&self, cx: &Context, error: &Error) {
        if can_pass(error) {
            self.down.note(self.now(cx), error);
        }
    }

    fn now(&self, cx: &Context) -> Moment {
        Moment { time: cx.clock().now(), answers: self.answers.load(Ordering::Relaxed) }
    }
}

#[derive(Clone, Copy, Debug)]
struct Moment {
    time: Timestamp,
    answers: u64,
}

impl Moment {
    /// Whether what failed here would only fail again.
    fn holds(self, now: Self) -> bool {
        self.answers == now.answers && now.time.duration_since(self.time) < TOLD_FOR
    }
}

/// The latest failure of one question.
#[derive(Debug, Default)]
pub(crate) struct Lapse(Mutex<Option<(Moment, Arc<Lapsed>)>>);

impl Lapse {
    /// What `ask` gives, or what it came to a moment ago. Only a failure that all tries were spent on is remembered: another
    /// one costs nothing to meet again.
    pub(crate) async fn ask<V>(
        &self,
        cx: &Context,
        life: &Life,
        ask: impl AsyncFnOnce() -> Result<V, Error>,
    ) -> Result<V, Error> {
        let now = life.now(cx);
        if let Some(lapsed) = self.last(now).or_else(|| life.down.last(now)) {
            tracing::debug!("not asked again so soon: {lapsed}");
            return Err(Error::Lapsed(lapsed));
        }
        let outcome = ask().await;
        if let Err(error) = &outcome
            && can_pass(error)
        {
            self.note(life.now(cx), error);
            if matches!(error, Error::Connection { source, .. } if source.is_connect()) {
                life.down.note(life.now(cx), error);
            }
        }
        outcome
    }

    fn note(&self, now: Moment, error: &Error) {
        let lapsed = Lapsed { text: chain(error), hint: error.hint(), status: error.status() };
        *self.failed() = Some((now, Arc::new(lapsed)));
    }

    fn last(&self, now: Moment) -> Option<Arc<Lapsed>> {
        let failed = self.failed();
        failed.as_ref().filter(|(moment, _)| moment.holds(now)).map(|(_, lapsed)| Arc::clone(lapsed))
    }

    fn failed(&self) -> MutexGuard<'_, Option<(Moment, Arc<Lapsed>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_for_a_minute_or_until_something_answers() {
        let at = |seconds: i64, answers| Moment {
            time: Timestamp::from_second(1_000_000 + seconds).unwrap(),
            answers,
        };
        let failed = at(0, 7);
        assert!(failed.holds(at(0, 7)) && failed.holds(at(59, 7)));
        assert!(!failed.holds(at(60, 7)) && !failed.holds(at(0, 8)));
    }
}
