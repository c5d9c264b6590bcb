use crate::plan::first_env;
use pipeline::{Env, Need, Origin, StepRef, Typed as _};
use recipe::{Checked, CheckedStep};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Where an input's value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// It is known now.
    Known {
        /// The value as a person may see it.
        shown: String,
        /// Who set it.
        origin: Origin,
    },
    /// `Arguments` of this step set it, from values that earlier steps will give.
    Template(String),
    /// An earlier step will give it.
    Step(usize),
    /// Nobody sets it, and the step does without.
    Unset,
}

/// An input of a step and its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedInput {
    /// The input's name.
    pub name: &'static str,
    /// Where its value comes from.
    pub source: Source,
}

/// A step with the sources of its inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedStep {
    /// Its number, counted from 1.
    pub number: usize,
    /// The processor.
    pub processor: &'static str,
    /// Its inputs, in the order in which the processor declares them.
    pub inputs: Vec<ExplainedInput>,
}

/// What is known, before anything runs, of what the steps will see: the environment of the recipe, and arguments that refer to
/// nothing which only a step will tell.
#[must_use]
pub fn known(checked: &Checked) -> Env {
    let mut env = first_env(checked);
    for step in &checked.steps {
        take_arguments(step, &mut env);
    }
    env
}

/// A file without which a step fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeededFile {
    /// Where it has to be.
    pub path: PathBuf,
    /// The first step that needs it.
    pub step: StepRef,
}

/// Files that have to be there before the first step, as far as no step gives their paths; each once.
#[must_use]
pub fn needed_files(checked: &Checked) -> Vec<NeededFile> {
    let mut env = first_env(checked);
    let mut files: Vec<NeededFile> = Vec::new();
    for step in &checked.steps {
        take_arguments(step, &mut env);
        for input in step.spec.inputs.iter().filter(|input| input.must_exist) {
            let path = env.entry(input.name).and_then(|entry| PathBuf::read(entry.value()).ok());
            let is_known = |path: &PathBuf| files.iter().any(|file| file.path == *path);
            if let Some(path) = path.filter(|path| !path.as_os_str().is_empty() && !is_known(path)) {
                let step = StepRef { number: step.number, processor: step.spec.name.to_owned() };
                files.push(NeededFile { path, step });
            }
        }
        step.spec.outputs.iter().for_each(|output| drop(env.remove(output.name)));
    }
    files
}

/// Arguments as far as they are known; an entry that an unknown one replaces is not known either.
fn take_arguments(step: &CheckedStep, env: &mut Env) {
    for (name, argument) in &step.arguments {
        match recipe::substitute(&argument.value, env) {
            Ok(known) => env.insert(name, known.value, Origin::Argument(step.number), known.secret),
            Err(_) => {
                env.remove(name);
            }
        }
    }
}

/// Tells where each value of each step comes from. Nothing is run.
#[must_use]
pub fn explain(checked: &Checked) -> Vec<ExplainedStep> {
    let mut env = first_env(checked);
    // Values that will be there, and are not known yet.
    let mut later: BTreeMap<String, Source> = BTreeMap::new();
    let mut steps = Vec::new();
    for step in &checked.steps {
        for (name, argument) in &step.arguments {
            let from_later = recipe::references(&argument.value).iter().any(|key| later.contains_key(key));
            match recipe::substitute(&argument.value, &env) {
                Ok(substituted) if !from_later => {
                    later.remove(name);
                    env.insert(name, substituted.value, Origin::Argument(step.number), substituted.secret);
                }
                _ => {
                    later.insert(name.clone(), Source::Template(argument.value.to_string()));
                }
            }
        }
        let spec = step.spec;
        let inputs = spec.inputs.iter().map(|input| {
            let source = match (later.get(input.name), env.entry(input.name), input.need) {
                (Some(source), ..) => source.clone(),
                (None, Some(entry), _) => {
                    Source::Known { shown: entry.shown(), origin: entry.origin().clone() }
                }
                (None, None, Need::Default(default)) => Source::Known {
                    shown: default.to_value().to_string(),
                    origin: Origin::Default(spec.name),
                },
                (None, None, Need::Required | Need::Optional) => Source::Unset,
            };
            ExplainedInput { name: input.name, source }
        });
        let inputs = inputs.collect();
        steps.push(ExplainedStep { number: step.number, processor: spec.name, inputs });
        for output in spec.outputs {
            later.insert(output.name.to_owned(), Source::Step(step.number));
        }
    }
    steps
}
