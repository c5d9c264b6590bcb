use crate::{Context, Diagnose, FailureKind};
use jiff::Timestamp;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Why nothing new is begun any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// Somebody pressed Ctrl-C or sent SIGTERM.
    #[error("the run was interrupted")]
    Interrupted,
    /// The run's deadline has come.
    #[error("the run was to begin nothing after {0:.0}")]
    Deadline(Timestamp),
}

impl Diagnose for Stop {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Interrupted => FailureKind::Interrupted,
            Self::Deadline(_) => FailureKind::Deadline,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Interrupted => None,
            Self::Deadline(_) => {
                Some("run again for what is left, or give the run more time or more jobs".into())
            }
        }
    }
}

/// A moment after which nothing is begun. Clones are one deadline.
#[derive(Clone, Debug)]
pub(crate) struct Deadline {
    at: Timestamp,
    over: CancellationToken,
}

impl Deadline {
    pub(crate) fn new(at: Timestamp) -> Self {
        Self { at, over: CancellationToken::new() }
    }
}

/// How long a look at the clock may be in coming: timers stand still while a machine sleeps, and clocks do not.
const LOOK_EVERY: Duration = Duration::from_secs(5);

impl Context {
    /// Whether nothing new may be begun, and why. What is under way is brought to its end at a deadline, and ends early when
    /// [somebody interrupts](Context::cancelled) it.
    #[must_use]
    pub fn stop(&self) -> Option<Stop> {
        if self.cancelled().is_cancelled() {
            return Some(Stop::Interrupted);
        }
        let deadline = self.deadline.as_ref()?;
        if !deadline.over.is_cancelled() && self.clock().now() >= deadline.at {
            deadline.over.cancel();
        }
        deadline.over.is_cancelled().then_some(Stop::Deadline(deadline.at))
    }

    /// Waits until nothing new may be begun. Of a deadline it hears when [somebody looks](Context::watch).
    pub async fn stopped(&self) -> Stop {
        if let Some(stop) = self.stop() {
            return stop;
        }
        let Some(deadline) = &self.deadline else {
            self.cancelled().cancelled().await;
            return Stop::Interrupted;
        };
        tokio::select! {
            biased;
            () = self.cancelled().cancelled() => Stop::Interrupted,
            () = deadline.over.cancelled() => Stop::Deadline(deadline.at),
        }
    }

    /// Looks at the clock until nothing new may be begun, so that all who wait hear of the deadline.
    pub async fn watch(&self) -> Stop {
        loop {
            if let Some(stop) = self.stop() {
                return stop;
            }
            let Some(deadline) = &self.deadline else { return self.stopped().await };
            let left = Duration::try_from(deadline.at.duration_since(self.clock().now())).unwrap_or_default();
            tokio::select! {
                stop = self.stopped() => return stop,
                () = self.clock().sleep(left.min(LOOK_EVERY)) => {}
            }
        }
    }
}
