use crate::Error;
use crate::plan::{Planned, PlannedStep, Stage, set_argument};
use crate::report::StepReport;
use crate::run::Halt;
use pipeline::{Applied, Change, Context, Env, Failure, Occurrence, Outcome, Place, StepRef, Stop};

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
                Ok((changes, outcome)) => {
                    has_begun |= changes.iter().any(Change::lasts);
                    reports.push(StepReport { step, changes, outcome: Some(outcome) });
                }
                Err((changes, failure)) => {
                    reports.push(StepReport { step: step.clone(), changes, outcome: None });
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

type Ended = Result<(Vec<Change>, Outcome), (Vec<Change>, Failure)>;

async fn apply_step(planned: PlannedStep, applied: &mut Env, has_begun: bool, cx: &Context) -> Ended {
    let PlannedStep { step, spec, stage, mut env, deferred } = planned;
    let (changes, work) = match stage {
        Stage::Settled(outcome) => return Ok((Vec::new(), outcome)),
        Stage::Pending { changes, work } => (changes, work),
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
        Ok(Applied { outcome, outputs }) => {
            cx.emit(Occurrence::StepFinished { result: outcome.clone() });
            applied.overlay(&outputs.from_step(step.number));
            Ok((changes, outcome))
        }
        Err(failure) => Err((changes, failure)),
    }
}

impl StepReport {
    pub(crate) fn of_plan(planned: &PlannedStep) -> Self {
        let step: StepRef = planned.step.clone();
        Self { step, changes: planned.changes().to_vec(), outcome: planned.outcome().cloned() }
    }
}
