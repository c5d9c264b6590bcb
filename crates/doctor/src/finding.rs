use serde::Serialize;
use std::fmt;

/// What was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// Whether the account is let in.
    SignIn,
    /// The version of Jamf Pro.
    Version,
    /// Which route `auto`, or the setting, comes to.
    Route,
    /// What the account may do.
    Privileges,
    /// How long a token lives, against how long a transfer takes.
    TokenLife,
    /// What the cloud distribution point is.
    DistributionPoint,
    /// Whether Jamf Pro takes files itself.
    DirectUpload,
    /// Whether S3 is reached, and what arrives there.
    Storage,
    /// Whether the clocks agree.
    Clock,
    /// Records and files whose names are too much alike.
    Duplicates,
    /// Calls that Jamf has marked as deprecated.
    DeprecatedCalls,
    /// What is remembered between runs.
    State,
    /// Room on this machine.
    Disk,
}

impl Check {
    /// Its name, as the output has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::Version => "version",
            Self::Route => "route",
            Self::Privileges => "privileges",
            Self::TokenLife => "token-life",
            Self::DistributionPoint => "distribution-point",
            Self::DirectUpload => "direct-upload",
            Self::Storage => "storage",
            Self::Clock => "clock",
            Self::Duplicates => "duplicates",
            Self::DeprecatedCalls => "deprecated-calls",
            Self::State => "state",
            Self::Disk => "disk",
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// As it should be.
    Fine,
    /// Worth knowing; nothing has to be done.
    Note,
    /// Some packages, or some day all of them, will not arrive.
    Warning,
    /// No package arrives.
    Blocks,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Fine => "fine",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Blocks => "blocks",
        })
    }
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub check: Check,
    /// How much it matters.
    pub level: Level,
    /// What is so.
    pub what: String,
    /// Why it matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}

impl Finding {
    pub(crate) fn new(check: Check, level: Level, what: impl Into<String>) -> Self {
        Self { check, level, what: what.into(), why: None, mend: None }
    }

    pub(crate) fn fine(check: Check, what: impl Into<String>) -> Self {
        Self::new(check, Level::Fine, what)
    }

    pub(crate) fn note(check: Check, what: impl Into<String>) -> Self {
        Self::new(check, Level::Note, what)
    }

    pub(crate) fn warning(check: Check, what: impl Into<String>) -> Self {
        Self::new(check, Level::Warning, what)
    }

    pub(crate) fn because(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }

    pub(crate) fn mend(mut self, mend: impl Into<String>) -> Self {
        self.mend = Some(mend.into());
        self
    }

    pub(crate) fn mend_with(mut self, mend: Option<String>) -> Self {
        self.mend = mend;
        self
    }
}
