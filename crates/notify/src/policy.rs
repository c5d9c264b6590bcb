use crate::summary::{Standing, Summary};
use std::fmt;
use std::str::FromStr;

/// Which runs are worth a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NotifyOn {
    /// Those that changed something, and those that went wrong.
    #[default]
    Change,
    /// Those that went wrong: a failure, something unverified, packages that had no turn.
    Failure,
    /// All of them.
    Always,
}

impl NotifyOn {
    /// Whether this run is worth a message.
    #[must_use]
    pub fn wants(self, summary: &Summary) -> bool {
        let least = match self {
            Self::Always => Standing::Unchanged,
            Self::Change => Standing::Changed,
            Self::Failure => Standing::Unverified,
        };
        summary.standing() >= least
    }
}

/// Text is none of `change`, `failure` and `always`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not change, failure or always")]
pub struct InvalidNotifyOn(String);

impl FromStr for NotifyOn {
    type Err = InvalidNotifyOn;

    fn from_str(text: &str) -> Result<Self, InvalidNotifyOn> {
        match text {
            "change" => Ok(Self::Change),
            "failure" => Ok(Self::Failure),
            "always" => Ok(Self::Always),
            other => Err(InvalidNotifyOn(other.to_owned())),
        }
    }
}

impl fmt::Display for NotifyOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Change => "change",
            Self::Failure => "failure",
            Self::Always => "always",
        })
    }
}
