use crate::plan::plan;
use crate::report::{FailureReport, Report, StepReport};
use crate::{Registry, plan::step_ref};
use pipeline::{Context, Failure, Instead, Occurrence, StepRef, Value};
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
    let cx = cx.for_recipe(&checked.identifier);
    let steps = checked.steps.iter().map(step_ref).collect();
    cx.emit(Occurrence::RecipeStarted { dry_run, steps });

    let mut ended = attempt(registry, checked, None, dry_run, &cx).await;
    let mut given_up = None;
    if let Err(halt) = &ended
        && let Some(instead) = halt.failure.instead().cloned()
    {
        tell(halt, &instead, &cx);
        let again = attempt(registry, checked, Some(&instead), dry_run, &cx).await;
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

async fn attempt(
    registry: &Registry,
    checked: &Checked,
    instead: Option<&Instead>,
    dry_run: bool,
    cx: &Context,
) -> Ended {
    let planned = plan(registry, checked, instead, cx).await?;
    if dry_run { Ok(planned.into_steps()) } else { planned.apply(cx).await }
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
