//! Runs, as they are read.

use crate::{CommandLine, RunId};
use jiff::Timestamp;
use pipeline::{FileName, Outcome, PackageId, StepRef, Warning};
use std::collections::BTreeMap;

/// How a run ended, if it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunEnding {
    /// It goes on: its process lives.
    GoesOn,
    /// It ended by itself.
    Ended {
        /// When.
        at: Timestamp,
        /// The exit code of the process.
        exit: u8,
    },
    /// Its process is gone and has told nothing: it was killed, or the machine went down.
    Gone,
}

/// A run, without what it did package by package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRun {
    /// Its id.
    pub id: RunId,
    /// When it began.
    pub begun: Timestamp,
    /// Whether and how it ended.
    pub ending: RunEnding,
    /// What was typed, without secrets.
    pub command: CommandLine,
    /// The version of pkgferry.
    pub version: String,
    /// The machine.
    pub host: String,
    /// Whether nothing was changed, on purpose.
    pub dry_run: bool,
    /// How many packages came to which status.
    pub statuses: BTreeMap<String, u64>,
    /// Packages that were begun and of which nobody has told what came of them.
    pub open: u64,
    /// Bytes of packages that were sent.
    pub bytes_sent: u64,
    /// Bytes that the servers had already.
    pub bytes_saved: u64,
}

/// A run and all that is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDetail {
    /// The run.
    pub run: StoredRun,
    /// Its packages, in the order in which they were begun.
    pub packages: Vec<StoredPackage>,
    /// Warnings that belong to no package.
    pub warnings: Vec<StoredWarning>,
}

/// A package of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPackage {
    /// The run.
    pub run: RunId,
    /// Whether the run was a dry run: then nothing of this was done.
    pub dry_run: bool,
    /// The recipe, as it was asked for.
    pub recipe: String,
    /// Address of the server, if it was known.
    pub server: Option<String>,
    /// The name of the file, if it was known.
    pub file: Option<FileName>,
    /// The id of its record, if it was known.
    pub record: Option<PackageId>,
    /// When its turn came.
    pub begun: Timestamp,
    /// When it was over; `None` if that was not told.
    pub ended: Option<Timestamp>,
    /// What came of it in one word, in the words of the report; `None` if that was not told.
    pub status: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// Bytes of the file that were sent.
    pub bytes_sent: u64,
    /// Bytes of the file that were fetched.
    pub bytes_fetched: u64,
    /// Bytes that the server had already.
    pub bytes_saved: u64,
    /// Why it failed.
    pub failure: Option<StoredFailure>,
    /// Its steps, in the order of the recipe.
    pub steps: Vec<StoredStep>,
    /// What a person should look at, in the order in which it was said.
    pub warnings: Vec<StoredWarning>,
}

/// Why a package failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFailure {
    /// The step; `None` if the recipe did not get as far as steps.
    pub step: Option<StepRef>,
    /// What failed, and why.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

/// A step of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredStep {
    /// Which.
    pub step: StepRef,
    /// How far it came.
    pub progress: StepProgress,
    /// What it said: its outcome, its plan, or why it failed.
    pub message: Option<String>,
    /// When it came so far; `None` if it was not begun.
    pub at: Option<Timestamp>,
}

/// Something that a person should look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredWarning {
    /// The step that said so.
    pub step: Option<StepRef>,
    /// What is odd.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

macro_rules! words {
    ($(#[$doc:meta])* $type:ident { $( $(#[$variant_doc:meta])* $variant:ident = $word:literal, )* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $type { $( $(#[$variant_doc])* $variant, )* }

        impl $type {
            /// The word for it.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $( Self::$variant => $word, )* }
            }

            pub(super) fn parse(word: &str) -> Option<Self> {
                match word { $( $word => Some(Self::$variant), )* _ => None }
            }
        }
    };
}

words! {
    /// How far a step came.
    StepProgress {
        /// Its turn has not come.
        Waiting = "waiting",
        /// It knows what it will change.
        Planned = "planned",
        /// It makes its changes, or was doing so when its process died.
        Working = "working",
        /// It did what it is for.
        Done = "done",
        /// It did what it is for, and something is odd.
        Warned = "warned",
        /// What it sent is not shown to have arrived.
        Unverified = "unverified",
        /// There was nothing to do.
        Skipped = "skipped",
        /// It failed.
        Failed = "failed",
    }
}

impl From<&Outcome> for StepProgress {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Done { .. } => Self::Done,
            Outcome::Warned { warning: Warning::Unverified, .. } => Self::Unverified,
            Outcome::Warned { .. } => Self::Warned,
            Outcome::Skipped { .. } => Self::Skipped,
        }
    }
}
