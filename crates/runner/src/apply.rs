use crate::Error;
use crate::plan::{Planned, PlannedStep, Stage, set_argument};
use crate::report::StepReport;
use crate::run::Halt;
use pipeline::{Applied, Change, Context, Env, Failure, Occurrence, PackageId, Place, StepRef, Stop, keys};

impl Planned {
    /// Makes the planned changes, step by step. A step that fails ends the recipe.
    pub(crate) async fn apply(self, place: Option<&Place>, cx: &Context) -> Result<Vec<StepReport>, Halt> {
        let last_sender = self.steps.iter().rposition(PlannedStep::sends);
        let mut applied = Env::new();
        let mut reports = Vec::with_capacity(self.steps.len());
        let mut failed: Option<(StepRef, Failure)> = None;
        let mut has_begun = false;
        for (position, planned) in self.steps.into_iter().enumerate() {
            if failed.is_some() {
                reports.push(StepReport::of_plan(&planned));
                continue;
            }
            let step = planned.step.clone();
            let cx = cx.for_step(step.clone());
            let cx = match place {
                Some(place) if last_sender == Some(position) => cx.sending_from(place),
                _ => cx,
            };
            match apply_step(planned, &mut applied, has_begun, &cx).await {
                Ok(report) => {
                    has_begun |= report.changes.iter().any(Change::lasts);
                    reports.push(report);
                }
                Err((report, failure)) => {
                    reports.push(report);
                    failed = Some((step, failure));
                }
            }
        }
        match failed {
            None => Ok(reports),
            Some((step, failure)) => Err(Halt { steps: reports, step, failure }),
        }
    }
}

type Ended = Result<StepReport, (StepReport, Failure)>;

async fn apply_step(planned: PlannedStep, applied: &mut Env, has_begun: bool, cx: &Context) -> Ended {
    let report = StepReport::of_plan(&planned);
    let PlannedStep { step, spec, stage, mut env, deferred, .. } = planned;
    let work = match stage {
        Stage::Settled(_) => return Ok(report),
        Stage::Pending { work, .. } => work,
    };
    let result = async {
        match cx.stop() {
            // What has changed something is brought to its end, or the record would lack its file, or the file its record.
            Some(Stop::Deadline(_)) if has_begun => {}
            Some(stop) => return Err(Failure::from(Error::from(stop))),
            None => {}
        }
        env.overlay(applied);
        for (name, template) in &deferred {
            set_argument(&mut env, step.number, spec, name, template)?;
        }
        cx.emit(Occurrence::StepStarted);
        // Not cancelled from outside: between deleting the old file and completing the new one a step must not be dropped.
        work.apply(&env, cx).await
    }
    .await;
    match result {
        Ok(Applied { outcome, outputs, sent }) => {
            cx.emit(Occurrence::StepFinished { result: outcome.clone() });
            let outputs = outputs.from_step(step.number);
            applied.overlay(&outputs);
            let package_id = package_id(&outputs).or(report.package_id);
            Ok(StepReport { outcome: Some(outcome), package_id, bytes_sent: sent, ..report })
        }
        Err(failure) => {
            let bytes_sent = Some(failure.sent()).filter(|sent| *sent > 0);
            Err((StepReport { bytes_sent, ..report }, failure))
        }
    }
}

impl StepReport {
    pub(crate) fn of_plan(planned: &PlannedStep) -> Self {
        let step: StepRef = planned.step.clone();
        Self {
            step,
            changes: planned.changes().to_vec(),
            outcome: planned.outcome().cloned(),
            package_id: planned.package_id,
            bytes_sent: None,
        }
    }
}

/// The record that a step found or made. What cannot be read is told by the step that needs it.
pub(crate) fn package_id(outputs: &Env) -> Option<PackageId> {
    outputs.get(keys::PACKAGE_ID).ok().flatten()
}
