//! One package on its way: events in, a report out.

use crate::conclusion::Conclusion;
use crate::recorder::Subject;
use crate::{PackageReport, Phase, PhaseKind, PhaseResult, Stage, Status, Step, Warning};
use jiff::Timestamp;
use pipeline::{Activity, Change, Event, Level, Occurrence, Outcome, Progress, StepRef, Verb, size};
use std::collections::BTreeMap;

pub(crate) struct Track {
    recipe: String,
    identifier: Option<String>,
    pub subject: Subject,
    started: Option<Timestamp>,
    finished: Option<Timestamp>,
    /// The steps to come, as the recipe announced them.
    steps: Vec<StepRef>,
    phases: Vec<Phase>,
    /// What the time of each step goes into once it makes its changes.
    kinds: BTreeMap<usize, PhaseKind>,
    warnings: Vec<Warning>,
    /// How far the last phase is, if it told.
    progress: Option<Progress>,
    conclusion: Option<Conclusion>,
}

impl Track {
    pub(crate) fn new(recipe: String, subject: Subject) -> Self {
        Self {
            recipe,
            identifier: None,
            subject,
            started: None,
            finished: None,
            steps: Vec::new(),
            phases: Vec::new(),
            kinds: BTreeMap::new(),
            warnings: Vec::new(),
            progress: None,
            conclusion: None,
        }
    }

    /// Whether nobody has said yet what came of it.
    pub(crate) fn is_open(&self) -> bool {
        self.conclusion.is_none()
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.started.is_some()
    }

    /// Whether events and reports mean this one by that name.
    pub(crate) fn is_of(&self, recipe: &str) -> bool {
        self.recipe == recipe || self.identifier.as_deref() == Some(recipe)
    }

    pub(crate) fn hear(&mut self, event: &Event, now: Timestamp) {
        match (&event.what, &event.step) {
            (Occurrence::RecipeStarted { steps, .. }, _) => {
                self.identifier = Some(event.recipe.clone());
                self.started.get_or_insert(now);
                // A recipe that is planned again goes on.
                self.finished = None;
                self.steps.clone_from(steps);
                if let Some(first) = steps.first() {
                    self.open(first, Stage::Plan, PhaseKind::Look, now);
                }
            }
            (Occurrence::StepPlanned { changes, result }, Some(step)) => {
                self.planned(step, changes, result.as_ref(), now);
            }
            (Occurrence::StepStarted, Some(step)) => {
                let kind = self.kinds.get(&step.number).copied().unwrap_or(PhaseKind::Other);
                self.open(step, Stage::Apply, kind, now);
            }
            (Occurrence::StepFinished { result }, Some(step)) => {
                self.warned(step, result);
                self.close(step, PhaseResult::of(result), Some(result.message().to_owned()), now);
            }
            (Occurrence::StepFailed { message }, Some(step)) => {
                self.close(step, PhaseResult::Failed, Some(message.clone()), now);
            }
            (Occurrence::Progress(progress), _) => self.moved(*progress),
            (Occurrence::Notice { level: Level::Warning, message }, step) => {
                let step = step.as_ref().map(Step::from);
                self.warnings.push(Warning { step, message: message.clone(), hint: None });
            }
            (Occurrence::RecipeFinished, _) => self.finished = Some(now),
            (
                Occurrence::PlanReady
                | Occurrence::Notice { .. }
                | Occurrence::StepPlanned { .. }
                | Occurrence::StepStarted
                | Occurrence::StepFinished { .. }
                | Occurrence::StepFailed { .. },
                _,
            ) => {}
        }
    }

    fn planned(&mut self, step: &StepRef, changes: &[Change], result: Option<&Outcome>, now: Timestamp) {
        match result {
            Some(outcome) => {
                self.warned(step, outcome);
                self.close(step, PhaseResult::of(outcome), Some(outcome.message().to_owned()), now);
            }
            None => {
                let plan = changes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
                self.close(step, PhaseResult::Planned, Some(plan), now);
            }
        }
        self.kinds.insert(step.number, kind(changes));
        let next = self.steps.iter().find(|next| next.number > step.number).cloned();
        if let Some(next) = next {
            self.open(&next, Stage::Plan, PhaseKind::Look, now);
        }
    }

    fn open(&mut self, step: &StepRef, stage: Stage, kind: PhaseKind, now: Timestamp) {
        self.progress = None;
        let step = step.into();
        self.phases.push(Phase { step, stage, kind, from: now, to: None, result: None, outcome: None });
    }

    fn close(&mut self, step: &StepRef, result: PhaseResult, outcome: Option<String>, now: Timestamp) {
        let is_open = |phase: &Phase| phase.to.is_none() && phase.step.number == step.number;
        // A step may end without having begun: what it needs was not there, or somebody interrupted.
        if !self.phases.last().is_some_and(is_open) {
            let kind = self.kinds.get(&step.number).copied().unwrap_or(PhaseKind::Look);
            self.open(step, Stage::Apply, kind, now);
        }
        if let Some(phase) = self.phases.last_mut() {
            phase.to = Some(now);
            phase.result = Some(result);
            phase.outcome = outcome;
        }
        self.progress = None;
    }

    fn moved(&mut self, progress: Progress) {
        self.progress = Some(progress);
        // Digests that are computed beside the sending take no time of their own.
        if let Some(phase) = self.phases.last_mut()
            && phase.stage == Stage::Plan
            && progress.activity == Activity::Hashing
        {
            phase.kind = PhaseKind::Hash;
        }
    }

    fn warned(&mut self, step: &StepRef, outcome: &Outcome) {
        if let Outcome::Warned { message, hint, .. } = outcome {
            let warning = Warning { step: Some(step.into()), message: message.clone(), hint: hint.clone() };
            // The report of the recipe tells it again.
            if !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
        }
    }

    pub(crate) fn finish(&mut self, report: &runner::Report, now: Timestamp) {
        for step in &report.steps {
            if let Some(outcome) = &step.outcome {
                self.warned(&step.step, outcome);
            }
        }
        let conclusion = Conclusion::of(report, &self.subject);
        if conclusion.status != Status::NotBegun {
            self.finished.get_or_insert(now);
        }
        if self.has_begun() || !report.steps.is_empty() {
            self.identifier = Some(report.recipe.clone());
        }
        self.conclusion = Some(conclusion);
    }

    /// `run_has_ended` tells whether somebody may still finish it.
    pub(crate) fn report(&self, run_has_ended: bool) -> PackageReport {
        let conclusion = self.conclusion.clone().unwrap_or_else(|| self.unfinished(run_has_ended));
        let subject = self.subject.clone();
        PackageReport {
            recipe: self.recipe.clone(),
            identifier: self.identifier.clone(),
            server: subject.server,
            file: conclusion.file.or(subject.file),
            pkg_version: subject.pkg_version,
            product: subject.product,
            category: subject.category,
            display_name: subject.display_name,
            local_path: subject.local_path,
            package_id: conclusion.package_id.or(subject.package_id),
            status: conclusion.status,
            reason: conclusion.reason,
            bytes_sent: conclusion.bytes_sent,
            bytes_resumed: conclusion.bytes_resumed,
            bytes_fetched: conclusion.bytes_fetched,
            bytes_saved: conclusion.bytes_saved,
            fetched_to: conclusion.fetched_to,
            started: self.started,
            finished: self.finished,
            phases: self.phases.clone(),
            warnings: self.warnings.clone(),
            failure: conclusion.failure,
            run: None,
            also_in: Vec::new(),
        }
    }

    fn unfinished(&self, run_has_ended: bool) -> Conclusion {
        let (status, reason) = match (self.started, self.phases.last()) {
            (None, _) => (Status::NotBegun, "its turn had not come".to_owned()),
            (Some(_), None) => (Status::Running, "begun".to_owned()),
            (Some(_), Some(phase)) => {
                let far = self.progress.map(far).unwrap_or_default();
                let verb = match (phase.stage, phase.to) {
                    (_, Some(_)) => "after",
                    (Stage::Plan, None) => "planning",
                    (Stage::Apply, None) => "in",
                };
                (Status::Running, format!("{verb} step {}{far}", phase.step))
            }
        };
        let reason = match (status, run_has_ended) {
            (Status::Running, true) => format!("nobody told how it ended; last heard of {reason}"),
            // A run that is killed leaves it so.
            (Status::NotBegun, false) => format!("{reason} when this was written"),
            _ => reason,
        };
        Conclusion::unfinished(status, reason)
    }
}

fn far(progress: Progress) -> String {
    let Progress { activity, done, total } = progress;
    let bytes = |word: &str| format!(": {} of {} {word}", size(done), size(total));
    match activity {
        Activity::Hashing => bytes("read"),
        Activity::Uploading => bytes("sent"),
        Activity::Downloading => bytes("fetched"),
        Activity::Committing => ": putting the new file in place of the old one".to_owned(),
        Activity::Verifying => ": waiting for the server to show it".to_owned(),
    }
}

/// What making these changes takes time for: the largest of them.
fn kind(changes: &[Change]) -> PhaseKind {
    use pipeline::Subject;
    let kinds = changes.iter().map(|change| match (change.verb, change.subject) {
        (Verb::Download, _) => PhaseKind::Fetch,
        (_, Subject::File) => PhaseKind::Send,
        (_, Subject::Record | Subject::Category) => PhaseKind::Record,
        (Verb::Prove, _) | (_, Subject::Delivery) => PhaseKind::Prove,
        (_, Subject::Credentials) => PhaseKind::Obtain,
        (_, Subject::LeftOver) => PhaseKind::Other,
    });
    let weight = |kind: &PhaseKind| match kind {
        PhaseKind::Send | PhaseKind::Fetch => 4,
        PhaseKind::Record => 3,
        PhaseKind::Prove => 2,
        PhaseKind::Obtain => 1,
        PhaseKind::Look | PhaseKind::Hash | PhaseKind::Other => 0,
    };
    kinds.max_by_key(weight).unwrap_or(PhaseKind::Other)
}
