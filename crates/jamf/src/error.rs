use pipeline::{Diagnose, FailureKind};

/// Talking to Jamf Pro failed.
#[derive(Debug, thiserror::Error)]
#[error("placeholder")]
pub struct Error;

impl Diagnose for Error {
    fn kind(&self) -> FailureKind {
        FailureKind::Remote
    }
}
