use crate::plan::{Stage, set_argument};
use crate::report::{FailureReport, Report, StepReport};
use crate::{Error, Planned, PlannedStep};
use pipeline::{Applied, Change, Context, Env, Failure, Occurrence, Outcome, StepRef};

impl Planned {
    /// Makes the planned changes, step by step. A step that fails ends the recipe; what was done until then stands in
    /// the report.
    pub async fn apply(self, cx: &Context) -> Report {
        let cx = cx.for_recipe(&self.recipe);
        let mut applied = Env::new();
        let mut reports = Vec::with_capacity(self.steps.len());
        let mut failed = None;
        for planned in self.steps {
            if failed.is_some() {
                reports.push(StepReport::of_plan(&planned));
                continue;
            }
            let step = planned.step.clone();
            let cx = cx.for_step(step.clone());
            match apply_step(planned, &mut applied, &cx).await {
                Ok((changes, outcome)) => reports.push(StepReport { step, changes, outcome: Some(outcome) }),
                Err((changes, failure)) => {
                    let failure = FailureReport::new(step.clone(), &failure);
                    cx.emit(Occurrence::StepFailed { message: failure.message.clone() });
                    reports.push(StepReport { step, changes, outcome: None });
                    failed = Some(failure);
                }
            }
        }
        cx.emit(Occurrence::RecipeFinished);
        Report::new(self.recipe, false, reports, failed)
    }
}

type Ended = Result<(Vec<Change>, Outcome), (Vec<Change>, Failure)>;

async fn apply_step(planned: PlannedStep, applied: &mut Env, cx: &Context) -> Ended {
    let PlannedStep { step, spec, stage, mut env, deferred } = planned;
    let (changes, work) = match stage {
        Stage::Settled(outcome) => return Ok((Vec::new(), outcome)),
        Stage::Pending { changes, work } => (changes, work),
    };
    let result = async {
        if cx.cancelled().is_cancelled() {
            return Err(Failure::from(Error::Interrupted));
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
