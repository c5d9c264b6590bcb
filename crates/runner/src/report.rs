use pipeline::{
    Change, Diagnose, Failure, FailureKind, Outcome, PackageId, Status, StepRef, Stop, Subject, Verb, Warning,
};
use serde::Serialize;
use std::path::PathBuf;

/// A step, what it changes, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepReport {
    /// Which step.
    #[serde(flatten)]
    pub step: StepRef,
    /// What it planned to change.
    pub changes: Vec<Change>,
    /// How it ended; `None` if it did not run to its end: a dry run, a failure, or a failure before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Id of the package record, if the step found or made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package_id: Option<PackageId>,
    /// Bytes of package files that the step sent, where it says so itself; else they are those of its changes, once it has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_sent: Option<u64>,
}

impl StepReport {
    fn planned_bytes(&self) -> u64 {
        self.changes.iter().map(|change| change.bytes).sum()
    }
}

/// Why a recipe ended early.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FailureReport {
    /// The step that failed; none if the recipe did not get as far as steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<StepRef>,
    /// What a caller does about it.
    pub kind: FailureKind,
    /// What failed.
    pub message: String,
    /// Why, from the nearest cause to the farthest.
    pub causes: Vec<String>,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Everything that is wrong with the recipe, if that is why; `message` then says the same as text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<FaultReport>,
}

/// One thing that is wrong with a recipe, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FaultReport {
    /// The file; none for what comes from settings or the command line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// The line, counted from 1, where the format has lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The column, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u64>,
    /// The step that it concerns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<StepRef>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl From<&recipe::Fault> for FaultReport {
    fn from(fault: &recipe::Fault) -> Self {
        let place = fault.place.as_ref();
        let step = fault.step.as_ref();
        Self {
            file: place.map(|place| place.file.to_path_buf()),
            line: place.and_then(recipe::Place::line),
            column: place.and_then(recipe::Place::column),
            step: step.map(|(number, processor)| StepRef { number: *number, processor: processor.clone() }),
            message: fault.message(),
            hint: fault.hint.clone(),
        }
    }
}

impl FailureReport {
    pub(crate) fn new(step: StepRef, failure: &Failure) -> Self {
        let mut chain = failure.chain().into_iter();
        let message = chain.next().unwrap_or_default();
        Self {
            step: Some(step),
            kind: failure.kind(),
            message,
            causes: chain.collect(),
            // Whoever knows more about it says more.
            hint: failure.hint().or_else(|| {
                (failure.kind() == FailureKind::Interrupted)
                    .then(|| "run again: what is in place already is not sent again".to_owned())
            }),
            faults: Vec::new(),
        }
    }
}

/// What came of a recipe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The recipe's identifier.
    pub recipe: String,
    /// Whether nothing was applied, on purpose. `status` and `bytes_sent` then say what a real run would come to.
    pub dry_run: bool,
    /// In one word.
    pub status: Status,
    /// Bytes of package files that were sent, by this run.
    pub bytes_sent: u64,
    /// Bytes of package files that an earlier run had sent, and that this run went on with.
    #[serde(skip_serializing_if = "is_zero")]
    pub bytes_resumed: u64,
    /// Bytes of package files that were fetched.
    pub bytes_fetched: u64,
    /// Step by step.
    pub steps: Vec<StepReport>,
    /// Why it ended early.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureReport>,
    /// The attempt before this one, if there was one: how far it came, and why it was given up. What it changed until then
    /// stays changed, and this attempt went on from there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_up: Option<Box<Report>>,
}

impl Report {
    pub(crate) fn new(
        recipe: String,
        dry_run: bool,
        steps: Vec<StepReport>,
        failure: Option<FailureReport>,
    ) -> Self {
        // Only steps that ran to their end count; in a dry run, all that planned do.
        let counted = |step: &&StepReport| dry_run || step.outcome.is_some();
        let finished = || steps.iter().filter(counted);
        let bytes_fetched = finished().flat_map(|step| &step.changes).map(|change| change.fetches).sum();
        let sent = |step: &StepReport| match (step.bytes_sent, counted(&step)) {
            (Some(sent), _) => sent,
            (None, true) => step.planned_bytes(),
            (None, false) => 0,
        };
        let bytes_sent = steps.iter().map(sent).sum();
        let resumed = |step: &StepReport| Some(step.planned_bytes().saturating_sub(step.bytes_sent?));
        let bytes_resumed = finished().filter_map(resumed).sum();
        let status = match &failure {
            Some(failure) => status_of_failure(failure, &steps),
            None => status(&steps),
        };
        Self {
            recipe,
            dry_run,
            status,
            bytes_sent,
            bytes_resumed,
            bytes_fetched,
            steps,
            failure,
            given_up: None,
        }
    }

    /// Id of the package record, if a step found or made it.
    #[must_use]
    pub fn package_id(&self) -> Option<PackageId> {
        self.steps.iter().rev().find_map(|step| step.package_id)
    }

    /// A recipe that could not be read or did not pass its check.
    #[must_use]
    pub fn refused(recipe: impl Into<String>, dry_run: bool, faults: &recipe::Faults) -> Self {
        let failure = FailureReport {
            step: None,
            kind: FailureKind::Recipe,
            message: faults.to_string(),
            causes: Vec::new(),
            hint: None,
            faults: faults.iter().map(FaultReport::from).collect(),
        };
        Self::new(recipe.into(), dry_run, Vec::new(), Some(failure))
    }

    /// A recipe that something outside it keeps from being run at all.
    #[must_use]
    pub fn not_run<E: Diagnose>(recipe: impl Into<String>, dry_run: bool, why: &E) -> Self {
        let mut causes = pipeline::causes(why);
        let failure = FailureReport {
            step: None,
            kind: why.kind(),
            message: causes.next().unwrap_or_default(),
            causes: causes.collect(),
            hint: why.hint(),
            faults: Vec::new(),
        };
        Self::new(recipe.into(), dry_run, Vec::new(), Some(failure))
    }

    /// The same, with the step that would have failed.
    #[must_use]
    pub fn because_of(mut self, step: StepRef) -> Self {
        if let Some(failure) = &mut self.failure {
            failure.step = Some(step);
        }
        self
    }

    /// A recipe that was not begun, because the run had stopped before its turn.
    #[must_use]
    pub fn not_begun(recipe: impl Into<String>, dry_run: bool, stop: Stop) -> Self {
        Self::not_run(recipe, dry_run, &stop)
    }

    /// Whether a step planned any change.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        self.steps.iter().any(|step| !step.changes.is_empty())
    }
}

impl StepReport {
    /// Whether it made a change that lasts.
    pub(crate) fn has_changed(&self) -> bool {
        self.outcome.is_some() && self.changes.iter().any(Change::lasts)
    }
}

fn status_of_failure(failure: &FailureReport, steps: &[StepReport]) -> Status {
    match failure.kind {
        FailureKind::Interrupted if failure.step.is_none() && steps.is_empty() => Status::NotBegun,
        FailureKind::Interrupted => Status::Interrupted,
        FailureKind::Deadline if !steps.iter().any(StepReport::has_changed) => Status::NotBegun,
        _ => Status::Failed,
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn status(steps: &[StepReport]) -> Status {
    let unverified = |step: &StepReport| {
        matches!(step.outcome, Some(Outcome::Warned { warning: Warning::Unverified, .. }))
    };
    let proven = |step: &StepReport| {
        matches!(step.outcome, Some(Outcome::Done { .. }))
            && step.changes.iter().any(|change| change.verb == Verb::Prove)
    };
    // A later proof settles an earlier doubt.
    if steps.iter().rev().take_while(|step| !proven(step)).any(unverified) {
        return Status::Unverified;
    }
    let changes = || steps.iter().flat_map(|step| &step.changes);
    let mut files = changes().filter(|change| change.subject == Subject::File).map(|change| change.verb);
    // What changed on the server counts for more than what was fetched from it.
    match files.clone().find(|verb| *verb != Verb::Download).or_else(|| files.next()) {
        Some(Verb::Replace) => Status::Replaced,
        Some(Verb::Download) => Status::Downloaded,
        Some(_) => Status::Created,
        None if changes().any(|change| matches!(change.subject, Subject::Record | Subject::Category)) => {
            Status::MetadataOnly
        }
        None => Status::Skipped,
    }
}
