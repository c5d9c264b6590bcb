use serde::Serialize;
use std::fmt;

/// Something that a person should look at although the step went through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Warning {
    /// Sent, but the server has not shown that it holds the right bytes. Never counted as delivered.
    Unverified,
    /// Anything else.
    Other,
}

/// How a step ended. Failure is the `Err` beside it; a skip is a result with a reason, never a silent return.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// It did what it is for.
    Done {
        /// What was done or found.
        message: String,
    },
    /// It did what it is for, and something is odd.
    Warned {
        /// What kind of odd.
        warning: Warning,
        /// What is odd.
        message: String,
        /// What to do about it.
        #[serde(skip_serializing_if = "Option::is_none")]
        hint: Option<String>,
    },
    /// There was nothing to do.
    Skipped {
        /// Why.
        reason: String,
    },
}

impl Outcome {
    /// The sentence it carries.
    #[must_use]
    pub fn message(&self) -> &str {
        match self {
            Self::Done { message } | Self::Warned { message, .. } | Self::Skipped { reason: message } => {
                message
            }
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done { message } => f.write_str(message),
            Self::Warned { warning: Warning::Unverified, message, .. } => write!(f, "unverified: {message}"),
            Self::Warned { message, .. } => write!(f, "warning: {message}"),
            Self::Skipped { reason } => write!(f, "skipped: {reason}"),
        }
    }
}
