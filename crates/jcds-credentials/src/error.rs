use jiff::Timestamp;
use pipeline::{Diagnose, FailureKind};

/// The server gave credentials that cannot be used. What else can fail is an error of the `jamf` crate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// They have ended, or are about to.
    #[error("the server gave upload credentials that end at {expiration}; this machine's clock shows {now}")]
    Ended {
        /// When they end.
        expiration: Timestamp,
        /// The moment now, by this machine.
        now: Timestamp,
    },
}

impl Diagnose for Error {
    fn kind(&self) -> FailureKind {
        FailureKind::Remote
    }

    fn hint(&self) -> Option<String> {
        let Self::Ended { .. } = self;
        Some("check this machine's date, time and time zone: fresh credentials last for many minutes".into())
    }
}
