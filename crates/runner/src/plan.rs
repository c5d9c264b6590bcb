use crate::apply::package_id;
use crate::report::StepReport;
use crate::run::Halt;
use crate::{Error, Registry};
use indexmap::IndexMap;
use pipeline::{
    Change, Context, Env, ErasedWork, Failure, Gate, Instead, Kind, Need, Occurrence, Origin, Outcome,
    PackageId, Phase, Place, Places, Plan, Spec, StepRef, Value, keys,
};
use recipe::{Checked, CheckedStep};
use std::collections::BTreeSet;

/// A recipe whose steps have all planned. [Applying](Planned::apply) it is the second half of a run.
pub(crate) struct Planned {
    pub(crate) steps: Vec<PlannedStep>,
}

/// A step that has planned.
pub(crate) struct PlannedStep {
    pub(crate) step: StepRef,
    pub(crate) spec: &'static Spec,
    pub(crate) stage: Stage,
    /// What the step saw. Applying lays over it what the applying of earlier steps adds.
    pub(crate) env: Env,
    /// Arguments that refer to values which only applying gives.
    pub(crate) deferred: IndexMap<String, Value>,
    /// The record that it found.
    pub(crate) package_id: Option<PackageId>,
}

pub(crate) enum Stage {
    Settled(Outcome),
    Pending { changes: Vec<Change>, work: Box<dyn ErasedWork> },
}

impl PlannedStep {
    /// What applying would change; empty when there is nothing to do.
    pub(crate) fn changes(&self) -> &[Change] {
        match &self.stage {
            Stage::Settled(_) => &[],
            Stage::Pending { changes, .. } => changes,
        }
    }

    /// Whether applying would send a file.
    pub(crate) fn sends(&self) -> bool {
        self.changes().iter().any(|change| change.bytes > 0)
    }

    /// How the step ended, if it has ended by planning.
    pub(crate) fn outcome(&self) -> Option<&Outcome> {
        match &self.stage {
            Stage::Settled(outcome) => Some(outcome),
            Stage::Pending { .. } => None,
        }
    }
}

impl Planned {
    /// The first step that is going to send, and how many places to send from the recipe takes.
    fn sends(&self) -> Option<(StepRef, Places)> {
        let first = self.steps.iter().find(|step| step.sends())?;
        let alone = self.steps.iter().flat_map(PlannedStep::changes).any(|change| change.alone);
        Some((first.step.clone(), if alone { Places::All } else { Places::One }))
    }

    /// Waits for a place to send from, if there is something to send. Nothing has been changed by then, and no credentials asked
    /// for, which would end meanwhile.
    pub(crate) async fn turn(self, gate: Option<&Gate>, cx: &Context) -> Result<(Self, Option<Place>), Halt> {
        let (Some(gate), Some((step, places))) = (gate, self.sends()) else {
            return Ok((self, None));
        };
        match gate.turn(places, cx).await {
            Ok(permit) => Ok((self, Some(Place::new(permit)))),
            Err(stop) => Err(Halt { steps: self.into_steps(), step, failure: Error::from(stop).into() }),
        }
    }

    /// The plan as the steps of a dry run's report.
    pub(crate) fn into_steps(self) -> Vec<StepReport> {
        self.steps.iter().map(StepReport::of_plan).collect()
    }
}

/// Lets every step of a recipe plan, in order, each seeing what the ones before it found. Nothing is written. `instead` is an
/// entry that wins over all that is said about it elsewhere.
pub(crate) async fn plan(
    registry: &Registry,
    checked: &Checked,
    instead: Option<&Instead>,
    cx: &Context,
) -> Result<Planned, Halt> {
    let mut env = first_env(checked);
    if let Some(instead) = instead {
        env.insert(instead.name, instead.value.clone(), Origin::Runner, false);
    }
    let mut promised = BTreeSet::new();
    let mut steps: Vec<PlannedStep> = Vec::with_capacity(checked.steps.len());
    for step in &checked.steps {
        let cx = cx.for_step(step_ref(step));
        // Their own work cannot be lent to a step that may go on in another thread.
        let before: Vec<StepRef> = steps.iter().map(|planned| planned.step.clone()).collect();
        match plan_step(registry, step, instead, &before, &mut env, &mut promised, &cx).await {
            Ok(planned) => {
                cx.emit(Occurrence::StepPlanned {
                    changes: planned.changes().to_vec(),
                    result: planned.outcome().cloned(),
                });
                steps.push(planned);
            }
            Err(failure) => {
                let steps = Planned { steps }.into_steps();
                return Err(Halt { steps, step: step_ref(step), failure });
            }
        }
    }
    cx.emit(Occurrence::PlanReady);
    Ok(Planned { steps })
}

/// What the first step sees: the recipe's environment, and what only the runner knows.
pub(crate) fn first_env(checked: &Checked) -> Env {
    let mut env = checked.env.clone();
    let processors = checked.steps.iter().map(|step| step.spec.name.to_owned()).collect();
    env.set(keys::RECIPE_STEPS, processors, Origin::Runner);
    env
}

pub(crate) fn step_ref(step: &CheckedStep) -> StepRef {
    StepRef { number: step.number, processor: step.spec.name.to_owned() }
}

async fn plan_step(
    registry: &Registry,
    step: &CheckedStep,
    instead: Option<&Instead>,
    before: &[StepRef],
    env: &mut Env,
    promised: &mut BTreeSet<&'static str>,
    cx: &Context,
) -> Result<PlannedStep, Failure> {
    let spec = step.spec;
    let processor = registry.get(spec.name).ok_or_else(|| Error::UnknownProcessor(spec.name.to_owned()))?;
    let mut deferred = IndexMap::new();
    let arguments = step.arguments.iter();
    for (name, argument) in arguments.filter(|(name, _)| instead.is_none_or(|instead| instead.name != *name))
    {
        if recipe::references(&argument.value).iter().any(|key| promised.contains(key.as_str())) {
            deferred.insert(name.clone(), argument.value.clone());
        } else {
            set_argument(env, step.number, spec, name, &argument.value)?;
        }
    }
    set_defaults(env, spec);
    forget_earlier_outputs(env, spec, before);

    // Planning writes nothing, so that it may be dropped wherever it stands.
    let plan = tokio::select! {
        biased;
        stop = cx.stopped() => return Err(Error::from(stop).into()),
        plan = processor.plan(env, cx) => plan?,
    };
    let seen = env.clone();
    let outputs = plan.outputs().from_step(step.number);
    env.overlay(&outputs);
    let stage = match plan {
        Plan::Settled { outcome, .. } => Stage::Settled(outcome),
        Plan::Pending { changes, work, .. } => {
            let later = spec.outputs.iter().filter(|output| output.when == Phase::Apply);
            promised.extend(later.map(|output| output.name));
            Stage::Pending { changes, work }
        }
    };
    let package_id = package_id(&outputs);
    Ok(PlannedStep { step: step_ref(step), spec, stage, env: seen, deferred, package_id })
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
fn forget_earlier_outputs(env: &mut Env, spec: &'static Spec, before: &[StepRef]) {
    for output in spec.outputs {
        let Some(Origin::Output(number)) = env.entry(output.name).map(pipeline::Entry::origin) else {
            continue;
        };
        if before.iter().any(|earlier| earlier.number == *number && earlier.processor == spec.name) {
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
