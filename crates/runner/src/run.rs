use crate::plan::plan;
use crate::report::{FailureReport, Report, StepReport};
use crate::{Registry, plan::step_ref};
use pipeline::{Context, Failure, Gate, Instead, Occurrence, StepRef, Value};
use recipe::Checked;

/// A step that ended its recipe early.
pub(crate) struct Halt {
    /// What came of the steps so far, and what the ones after it had planned.
    pub(crate) steps: Vec<StepReport>,
    pub(crate) step: StepRef,
    pub(crate) failure: Failure,
}

/// What one attempt came to.
type Ended = Result<Vec<StepReport>, Halt>;

/// Runs a recipe: every step plans, in order, each seeing what the ones before it found; then, unless this is a dry run, those
/// with something to do apply.
///
/// A step may fail with [something that may succeed instead](Failure::or_with): it was refused before it had done what another
/// attempt would stumble over. Then a warning says why, the whole recipe is planned again with that entry, which wins over every
/// other setting of it, and that plan is applied. This happens once: what fails then has failed.
///
/// Whatever happens is in the report, which is that of the last attempt.
pub async fn run(registry: &Registry, checked: &Checked, dry_run: bool, cx: &Context) -> Report {
    Run { registry, checked, dry_run, gate: None }.run(cx).await
}

/// A recipe that is run.
pub(crate) struct Run<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) checked: &'a Checked,
    pub(crate) dry_run: bool,
    /// What it passes before it changes anything, if it is going to send.
    pub(crate) gate: Option<&'a Gate>,
}

impl Run<'_> {
    pub(crate) async fn run(&self, cx: &Context) -> Report {
        let Self { checked, dry_run, .. } = *self;
        let cx = cx.for_recipe(&checked.identifier);
        let steps = checked.steps.iter().map(step_ref).collect();
        cx.emit(Occurrence::RecipeStarted { dry_run, steps });

        let mut ended = self.attempt(None, &cx).await;
        let mut given_up = None;
        if let Err(halt) = &ended
            && let Some(instead) = halt.failure.instead().cloned()
        {
            tell(halt, &instead, &cx);
            let has_begun = halt.steps.iter().any(StepReport::has_changed);
            let cx = if has_begun { cx.without_deadline() } else { cx.clone() };
            let again = self.attempt(Some(&instead), &cx).await;
            let first = std::mem::replace(&mut ended, again);
            given_up = Some(Box::new(report(&checked.identifier, dry_run, first)));
        }

        if let Err(halt) = &ended {
            let message = halt.failure.chain().into_iter().next().unwrap_or_default();
            cx.for_step(halt.step.clone()).emit(Occurrence::StepFailed { message });
        }
        cx.emit(Occurrence::RecipeFinished);
        Report { given_up, ..report(&checked.identifier, dry_run, ended) }
    }

    async fn attempt(&self, instead: Option<&Instead>, cx: &Context) -> Ended {
        let planned = plan(self.registry, self.checked, instead, cx).await?;
        if self.dry_run {
            return Ok(planned.into_steps());
        }
        let (planned, place) = planned.turn(self.gate, cx).await?;
        planned.apply(place.as_ref(), cx).await
    }
}

/// The second plan begins with a notice of the step that gave up the first. No step has failed as yet, so none is called failed.
fn tell(halt: &Halt, instead: &Instead, cx: &Context) {
    let value = match &instead.value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let why = &halt.failure;
    cx.for_step(halt.step.clone()).warn(format!("{why}; planning again with {} {value}", instead.name));
}

fn report(recipe: &str, dry_run: bool, ended: Ended) -> Report {
    let (steps, failure) = match ended {
        Ok(steps) => (steps, None),
        Err(Halt { steps, step, failure }) => (steps, Some(FailureReport::new(step, &failure))),
    };
    Report::new(recipe.to_owned(), dry_run, steps, failure)
}
