use crate::{Change, Outcome};
use serde::Serialize;

/// The step that an event belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepRef {
    /// Its number in the chain, counted from 1.
    pub number: usize,
    /// The processor's name.
    pub processor: String,
}

/// What moves while a step works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activity {
    /// Bytes of the local file are read and digested.
    Hashing,
    /// Bytes of the local file are sent.
    Uploading,
    /// Bytes of a file in the distribution service are fetched.
    Downloading,
    /// The old file goes and the new one takes its place.
    Committing,
    /// The server is asked until it shows the new file.
    Verifying,
}

/// How far an activity is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// What moves.
    pub activity: Activity,
    /// Bytes (or tries, for verifying) so far.
    pub done: u64,
    /// Bytes (or tries) in all.
    pub total: u64,
}

/// How much a notice matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Detail for `-v`.
    Info,
    /// Worth a line in any case: a retry, a slow server, a left-over.
    Warning,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Occurrence {
    /// A recipe starts; all its steps are listed.
    RecipeStarted {
        /// Whether only the first half will run.
        dry_run: bool,
        /// The steps to come.
        steps: Vec<StepRef>,
    },
    /// A step has planned: it would make these changes, or has this outcome already.
    StepPlanned {
        /// The changes; empty when there is nothing to do.
        changes: Vec<Change>,
        /// The outcome, when there is nothing to do.
        #[serde(skip_serializing_if = "Option::is_none")]
        result: Option<Outcome>,
    },
    /// The plan of the whole recipe is ready; from here on a real run writes.
    PlanReady,
    /// A step begins to make its changes.
    StepStarted,
    /// A step moves. Sent often; listeners thin it out.
    Progress(Progress),
    /// Something worth a line happened on the way.
    Notice {
        /// How much it matters.
        level: Level,
        /// What happened.
        message: String,
    },
    /// A step made its changes.
    StepFinished {
        /// How it ended.
        result: Outcome,
    },
    /// A step failed; the steps after it do not run.
    StepFailed {
        /// The message and its causes.
        message: String,
    },
    /// A recipe ended, for better or worse.
    RecipeFinished,
}

/// What happened, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// The recipe, by its identifier or file name.
    pub recipe: String,
    /// The step, if it belongs to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<StepRef>,
    /// What happened.
    #[serde(flatten)]
    pub what: Occurrence,
}
