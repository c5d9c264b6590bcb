use crate::report::{FailureReport, Report, StepReport};
use crate::{Error, Registry};
use indexmap::IndexMap;
use pipeline::{
    Change, Context, Env, ErasedWork, Failure, Kind, Need, Occurrence, Origin, Outcome, Phase, Plan, Spec,
    StepRef, Value,
};
use recipe::{Checked, CheckedStep};
use std::collections::BTreeSet;

/// A recipe whose steps have all planned. Showing it is a dry run; [applying](Planned::apply) it is the rest of a real one.
pub struct Planned {
    pub(crate) recipe: String,
    pub(crate) steps: Vec<PlannedStep>,
}

/// A step that has planned.
pub struct PlannedStep {
    /// Which step this is.
    pub step: StepRef,
    pub(crate) spec: &'static Spec,
    pub(crate) stage: Stage,
    /// What the step saw. Applying lays over it what the applying of earlier steps adds.
    pub(crate) env: Env,
    /// Arguments that refer to values which only applying gives.
    pub(crate) deferred: IndexMap<String, Value>,
}

pub(crate) enum Stage {
    Settled(Outcome),
    Pending { changes: Vec<Change>, work: Box<dyn ErasedWork> },
}

impl PlannedStep {
    /// What applying would change; empty when there is nothing to do.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        match &self.stage {
            Stage::Settled(_) => &[],
            Stage::Pending { changes, .. } => changes,
        }
    }

    /// How the step ended, if it has ended by planning.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        match &self.stage {
            Stage::Settled(outcome) => Some(outcome),
            Stage::Pending { .. } => None,
        }
    }
}

impl Planned {
    /// The steps, in order.
    #[must_use]
    pub fn steps(&self) -> &[PlannedStep] {
        &self.steps
    }

    /// Whether applying would change anything.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        self.steps.iter().any(|step| !step.changes().is_empty())
    }

    /// The plan as the report of a dry run.
    #[must_use]
    pub fn into_report(self) -> Report {
        let steps = self.steps.iter().map(StepReport::of_plan).collect();
        Report::new(self.recipe, true, steps, None)
    }
}

/// Lets every step of a recipe plan, in order, each seeing what the ones before it found. Nothing is written.
///
/// # Errors
/// When a step cannot plan: the report of the recipe up to there, with the failure.
pub async fn plan(
    registry: &Registry,
    checked: &Checked,
    dry_run: bool,
    cx: &Context,
) -> Result<Planned, Box<Report>> {
    let recipe = checked.identifier.clone();
    let cx = cx.for_recipe(&recipe);
    let references = checked.steps.iter().map(step_ref).collect();
    cx.emit(Occurrence::RecipeStarted { dry_run, steps: references });

    let mut env = checked.env.clone();
    let mut promised = BTreeSet::new();
    let mut steps: Vec<PlannedStep> = Vec::with_capacity(checked.steps.len());
    for step in &checked.steps {
        let cx = cx.for_step(step_ref(step));
        match plan_step(registry, step, &steps, &mut env, &mut promised, &cx).await {
            Ok(planned) => {
                cx.emit(Occurrence::StepPlanned {
                    changes: planned.changes().to_vec(),
                    result: planned.outcome().cloned(),
                });
                steps.push(planned);
            }
            Err(failure) => {
                let failure = FailureReport::new(step_ref(step), &failure);
                cx.emit(Occurrence::StepFailed { message: failure.message.clone() });
                cx.emit(Occurrence::RecipeFinished);
                let reports = steps.iter().map(StepReport::of_plan).collect();
                return Err(Box::new(Report::new(recipe, dry_run, reports, Some(failure))));
            }
        }
    }
    cx.emit(Occurrence::PlanReady);
    Ok(Planned { recipe, steps })
}

fn step_ref(step: &CheckedStep) -> StepRef {
    StepRef { number: step.number, processor: step.spec.name.to_owned() }
}

async fn plan_step(
    registry: &Registry,
    step: &CheckedStep,
    before: &[PlannedStep],
    env: &mut Env,
    promised: &mut BTreeSet<&'static str>,
    cx: &Context,
) -> Result<PlannedStep, Failure> {
    let spec = step.spec;
    let processor = registry.get(spec.name).ok_or_else(|| Error::UnknownProcessor(spec.name.to_owned()))?;
    let mut deferred = IndexMap::new();
    for (name, argument) in &step.arguments {
        if recipe::references(&argument.value).iter().any(|key| promised.contains(key.as_str())) {
            deferred.insert(name.clone(), argument.value.clone());
        } else {
            set_argument(env, step.number, spec, name, &argument.value)?;
        }
    }
    set_defaults(env, spec);
    forget_earlier_outputs(env, spec, before);

    // Planning writes nothing, so that it may be dropped wherever it stands.
    let plan =
        tokio_util::future::FutureExt::with_cancellation_token(processor.plan(env, cx), cx.cancelled())
            .await
            .ok_or(Error::Interrupted)??;
    let seen = env.clone();
    env.overlay(&plan.outputs().from_step(step.number));
    let stage = match plan {
        Plan::Settled { outcome, .. } => Stage::Settled(outcome),
        Plan::Pending { changes, work, .. } => {
            let later = spec.outputs.iter().filter(|output| output.when == Phase::Apply);
            promised.extend(later.map(|output| output.name));
            Stage::Pending { changes, work }
        }
    };
    Ok(PlannedStep { step: step_ref(step), spec, stage, env: seen, deferred })
}

/// Substitutes an argument and writes it into the environment, where it stays for later steps, as in AutoPkg
/// (`autopkg-recipes.md §3.2`).
pub(crate) fn set_argument(
    env: &mut Env,
    step: usize,
    spec: &Spec,
    name: &str,
    template: &Value,
) -> Result<(), Error> {
    let substituted = recipe::substitute(template, env)
        .map_err(|source| Error::Unset { argument: name.to_owned(), source })?;
    // The check of the chain sees secrets of settings; this sees those that steps give.
    if substituted.secret && spec.input(name).is_some_and(|input| input.kind != Kind::Secret) {
        return Err(Error::SecretShown { argument: name.to_owned() });
    }
    env.insert(name, substituted.value, Origin::Argument(step), substituted.secret);
    Ok(())
}

/// A processor that runs again speaks anew: what it said the first time, and does not say now, is no longer true.
fn forget_earlier_outputs(env: &mut Env, spec: &'static Spec, before: &[PlannedStep]) {
    for output in spec.outputs {
        let Some(Origin::Output(number)) = env.entry(output.name).map(pipeline::Entry::origin) else {
            continue;
        };
        if before.iter().any(|earlier| earlier.step.number == *number && earlier.step.processor == spec.name)
        {
            env.remove(output.name);
        }
    }
}

fn set_defaults(env: &mut Env, spec: &'static Spec) {
    for input in spec.inputs {
        if let Need::Default(default) = input.need
            && !env.contains(input.name)
        {
            env.insert(input.name, default.to_value(), Origin::Default(spec.name), false);
        }
    }
}
