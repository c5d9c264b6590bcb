//! What there is to tell of a run.

use jiff::Timestamp;
use pipeline::{Status, StepRef};
use std::time::Duration;
use url::Url;

/// Whether a run changed anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It did what it said.
    Real,
    /// It only planned; what changed is what would change.
    DryRun,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Every package had its turn.
    Complete,
    /// Somebody pressed Ctrl-C or sent SIGTERM.
    Interrupted,
    /// Its time was over before every package had its turn.
    DeadlineReached,
    /// It could not begin, or not go on.
    BrokenOff {
        /// Why.
        message: String,
        /// What to do about it.
        next_step: Option<String>,
    },
}

/// A package that did not arrive, or that nobody can say of that it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The package's file name; the recipe's name where no file was known yet.
    pub package: String,
    /// The recipe.
    pub recipe: String,
    /// Host name of the server, if it got as far as one.
    pub server: Option<String>,
    /// The step that it happened in; `None` if the recipe did not get as far as steps.
    pub step: Option<StepRef>,
    /// What happened, causes included.
    pub message: String,
    /// What to do about it.
    pub next_step: Option<String>,
}

/// In which way a package changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The server had no such file.
    Created,
    /// The server had another file of this name.
    Replaced,
    /// Only the record, or its category.
    MetadataOnly,
    /// Fetched from the server.
    Downloaded,
}

impl How {
    /// What has the words for it.
    pub(crate) fn status(self) -> Status {
        match self {
            Self::Created => Status::Created,
            Self::Replaced => Status::Replaced,
            Self::MetadataOnly => Status::MetadataOnly,
            Self::Downloaded => Status::Downloaded,
        }
    }
}

/// A package that is another one now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The package's file name.
    pub package: String,
    /// The recipe.
    pub recipe: String,
    /// Host name of the server.
    pub server: Option<String>,
    /// In which way.
    pub how: How,
    /// Its version, if it is known. One that is not is left out, not called unknown (`user-pains.md` row 46).
    pub version: Option<String>,
    /// Its category, if it has one.
    pub category: Option<String>,
    /// Why: `MD5 differs`, `not in the distribution service`.
    pub reason: Option<String>,
}

/// Bytes of package files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Volume {
    /// Sent to the server.
    pub sent: u64,
    /// Not sent, since they were there already.
    pub saved: u64,
    /// Fetched from the server.
    pub fetched: u64,
}

/// Where everything else about the run stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FullReport {
    /// A page that can be opened from anywhere.
    Page(Url),
    /// A file on the machine of the run.
    File(String),
}

/// What there is to tell of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// What tells this run from others: the name of the list, of the machine.
    pub title: String,
    /// The run's id.
    pub run: String,
    /// Name and version of the program.
    pub program: String,
    /// Whether it changed anything.
    pub mode: Mode,
    /// When it began.
    pub started: Timestamp,
    /// How long it took.
    pub duration: Duration,
    /// How much was moved.
    pub volume: Volume,
    /// How it ended.
    pub ending: Ending,
    /// Packages that did not arrive.
    pub failed: Vec<Trouble>,
    /// Packages that were sent, and that the server has not shown to hold.
    pub unverified: Vec<Trouble>,
    /// Packages that are other ones now.
    pub changed: Vec<Changed>,
    /// How many packages were there already.
    pub skipped: u64,
    /// How many packages had no turn.
    pub not_begun: u64,
    /// Where everything else stands.
    pub report: Option<FullReport>,
}

/// A run in one word, the worst that can be said of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Everything was there already.
    Unchanged,
    /// Something changed, and all went well.
    Changed,
    /// Something was sent and is not proven.
    Unverified,
    /// Some packages had no turn.
    Unfinished,
    /// A package failed, or the run itself.
    Failed,
}

impl Standing {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Changed => "changed",
            Self::Unverified => "unverified",
            Self::Unfinished => "unfinished",
            Self::Failed => "failed",
        }
    }
}

impl Summary {
    /// The worst that can be said of the run.
    #[must_use]
    pub fn standing(&self) -> Standing {
        if !self.failed.is_empty() || matches!(self.ending, Ending::BrokenOff { .. }) {
            Standing::Failed
        } else if self.not_begun > 0 || self.ending != Ending::Complete {
            Standing::Unfinished
        } else if !self.unverified.is_empty() {
            Standing::Unverified
        } else if !self.changed.is_empty() {
            Standing::Changed
        } else {
            Standing::Unchanged
        }
    }

    /// How many packages there were in all.
    #[must_use]
    pub fn packages(&self) -> u64 {
        let listed = self.failed.len() + self.unverified.len() + self.changed.len();
        (listed as u64).saturating_add(self.skipped).saturating_add(self.not_begun)
    }

    /// How many packages changed in this way.
    #[must_use]
    pub fn count(&self, how: How) -> usize {
        self.changed.iter().filter(|changed| changed.how == how).count()
    }
}
