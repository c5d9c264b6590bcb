use crate::destination;
use crate::fault::{Fault, Faults, Problem};
use crate::foreign;
use crate::input::{self, Base};
use crate::library::Chain;
use crate::model::Step;
use crate::place::{Located, Place};
use crate::substitute::{Reference, references, sole_reference, substitute};
use crate::words::{did_you_mean, nearest};
use indexmap::IndexMap;
use pipeline::{Env, Input, Kind, Need, Origin, Output, Phase, Spec, Value, WrongType, keys};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

/// A chain that has been checked and can run. Only [`check`] makes one.
#[derive(Debug)]
#[non_exhaustive]
pub struct Checked {
    /// The recipe's identifier.
    pub identifier: String,
    /// What it is for.
    pub description: Option<String>,
    /// The asked-for file, then its parents, nearest first.
    pub files: Vec<Arc<Path>>,
    /// The environment before the first step.
    pub env: Env,
    /// The steps, in order.
    pub steps: Vec<CheckedStep>,
}

/// A step whose processor is known and whose arguments fit.
#[derive(Debug)]
#[non_exhaustive]
pub struct CheckedStep {
    /// Its number, counted from 1 over the chain.
    pub number: usize,
    /// What its processor declares.
    pub spec: &'static Spec,
    /// Its arguments in the order of the file, under the processor's own names; `%KEY%` is replaced when the step runs.
    pub arguments: IndexMap<String, Located<Value>>,
    /// Where it stands.
    pub place: Place,
}

/// Checks a whole chain before anything runs, and builds the environment that its first step sees.
///
/// `settings` has the lowest precedence, `command_line` the highest; the recipe's `Input` stands between them. Every fault
/// is told: in the files, in `Input`, and in each step, as far as it can be known without running.
///
/// # Errors
/// When anything is wrong.
pub fn check(
    chain: &Chain,
    specs: &[&'static Spec],
    settings: &Env,
    command_line: &Env,
) -> Result<Checked, Faults> {
    let (base, mut faults) = input::resolve(chain, specs, settings, command_line);
    let mut all = chain.faults.clone();
    all.extend(secrets_on_command_line(command_line, specs));
    all.append(&mut faults);
    all.extend(destination::led_elsewhere(chain, specs, settings, &base.env));
    let env = base.env.clone();
    let mut walk = Walk::new(base, specs, all);
    let steps: Vec<_> = chain.steps.iter().filter_map(|step| walk.step(step)).collect();
    if !chain.is_complete {
        // A parent that is missing may give anything.
        walk.faults.retain(|fault| !fault.problem.is_about_what_is_not_there());
    }
    Faults::or(walk.faults, ())?;
    let (identifier, description) = (chain.identifier.clone(), chain.description.clone());
    Ok(Checked { identifier, description, files: chain.files.clone(), env, steps })
}

/// Arguments of a process can be read by every user of the machine.
fn secrets_on_command_line(command_line: &Env, specs: &[&'static Spec]) -> Vec<Fault> {
    let secret_input = |name: &str| {
        specs
            .iter()
            .flat_map(|spec| spec.inputs)
            .any(|input| input.name == name && input.kind == Kind::Secret)
    };
    command_line
        .iter()
        .filter(|(name, entry)| {
            *entry.origin() == Origin::CommandLine && (keys::SECRETS.contains(name) || secret_input(name))
        })
        .map(|(name, _)| Fault::new(None, Problem::SecretArgument(name.to_owned())).hint(secret_hint(name)))
        .collect()
}

fn secret_hint(name: &str) -> String {
    format!("set the environment variable `{name}`, or put it into the settings file")
}

/// Something that a step sets while the recipe runs, so that its value is not known here.
#[derive(Clone, Copy)]
struct Given {
    step: usize,
    kind: Kind,
    when: Phase,
}

/// Walks the steps in order and keeps what is known about the environment on the way.
struct Walk<'s> {
    specs: &'s [&'static Spec],
    /// Entries whose values are known.
    known: Env,
    /// Entries that earlier steps set to something; they may also be known, if nothing says that the step always sets it.
    given: HashMap<String, Given>,
    places: HashMap<String, Place>,
    faulty: HashSet<String>,
    /// Names of environment entries whose wrong type is told, so that it is told once and not for every step.
    told: HashSet<&'static str>,
    /// Whether the processors have been listed in a hint.
    listed: bool,
    faults: Vec<Fault>,
}

impl<'s> Walk<'s> {
    fn new(base: Base, specs: &'s [&'static Spec], faults: Vec<Fault>) -> Self {
        let Base { env, places, faulty } = base;
        Self {
            specs,
            known: env,
            given: HashMap::new(),
            places,
            faulty,
            told: HashSet::new(),
            listed: false,
            faults,
        }
    }

    fn step(&mut self, step: &Step) -> Option<CheckedStep> {
        let name = step.processor.value.as_str();
        let first = self.faults.len();
        let Some(spec) = self.specs.iter().find(|spec| spec.name == name).copied() else {
            self.unknown_processor(step);
            return None;
        };
        let arguments = self.arguments(step, spec);
        for input in spec.inputs.iter().filter(|input| !arguments.contains_key(input.name)) {
            self.input(step, input);
        }
        self.outputs(step.number, spec.outputs);
        for fault in &mut self.faults[first..] {
            fault.step = Some((step.number, name.to_owned()));
        }
        Some(CheckedStep { number: step.number, spec, arguments, place: step.place.clone() })
    }

    fn outputs(&mut self, step: usize, outputs: &[Output]) {
        for output in outputs {
            self.faulty.remove(output.name);
            self.given.insert(output.name.to_owned(), Given { step, kind: output.kind, when: output.when });
        }
    }

    fn unknown_processor(&mut self, step: &Step) {
        let written = step.processor.value.as_str();
        let bare = written.rsplit('/').next().unwrap_or(written);
        let guess = nearest(bare, self.specs.iter().map(|spec| spec.name));
        let hint = match (guess, foreign::counterpart(bare)) {
            (Some(name), _) => Some(format!("did you mean `{name}`?")),
            (None, Some(counterpart)) => Some(counterpart.to_owned()),
            // One look at the list is enough for a whole report.
            (None, None) => (!std::mem::replace(&mut self.listed, true)).then(|| {
                let names: Vec<_> = self.specs.iter().map(|spec| spec.name).collect();
                format!("the processors are: {}", names.join(", "))
            }),
        };
        let problem = Problem::UnknownProcessor(written.to_owned());
        let fault = Fault::new(step.processor.place.clone(), problem).hint(hint);
        self.faults.push(Fault { step: Some((step.number, String::new())), ..fault });
        // What a misspelt processor would give is taken as given, so that one slip is told once.
        self.faulty.extend(step.arguments.keys().cloned());
        if let Some(spec) = self.specs.iter().find(|spec| guess == Some(spec.name)) {
            self.outputs(step.number, spec.outputs);
        }
    }

    /// Checks a step's arguments and gives them under the processor's own names.
    fn arguments(&mut self, step: &Step, spec: &'static Spec) -> IndexMap<String, Located<Value>> {
        let mut arguments = IndexMap::new();
        let mut written_as = HashMap::new();
        for (written, located) in &step.arguments {
            let Some(input) = spec.input(written) else {
                let names =
                    spec.inputs.iter().flat_map(|input| std::iter::once(&input.name).chain(input.aliases));
                let hint = did_you_mean(written, names.copied()).or_else(|| known_arguments(spec));
                let problem = Problem::UnknownArgument(written.clone());
                self.faults.push(Fault::new(located.place.clone(), problem).hint(hint));
                self.faulty.insert(written.clone());
                continue;
            };
            if let Some(first) = written_as.insert(input.name, written.as_str()) {
                let (first, second) = (first.to_owned(), written.clone());
                self.faults.push(Fault::new(located.place.clone(), Problem::SameArgument { first, second }));
                continue;
            }
            self.argument(step, input, written, located);
            arguments.insert(input.name.to_owned(), located.clone());
        }
        arguments
    }

    /// Checks one argument and notes what the environment knows of it afterwards: arguments stay for later steps
    /// (`autopkg-recipes.md §3.2`).
    fn argument(&mut self, step: &Step, input: &Input, written: &str, located: &Located<Value>) {
        let place = &located.place;
        let names = references(&located.value);
        let undefined: Vec<_> = names.iter().filter(|name| !self.is_available(name)).collect();
        let mut faults: Vec<Fault> = Vec::new();
        for name in undefined {
            let reference = Reference::Undefined { name: name.clone() };
            let hint = reference.hint().or_else(|| self.undefined_hint(name, step));
            let problem = Problem::Unresolved { within: written.to_owned(), reference };
            faults.push(Fault::new(place.clone(), problem).hint(hint));
        }
        if !faults.is_empty() || names.iter().any(|name| self.faulty.contains(name)) {
            self.faults.append(&mut faults);
            self.faulty.insert(input.name.to_owned());
            return;
        }
        let given: Vec<_> =
            names.iter().filter_map(|name| Some((name.as_str(), *self.given.get(name)?))).collect();
        let outcome = if given.is_empty() {
            self.known_argument(step.number, input, written, located)
        } else {
            self.given_argument(step.number, input, written, located, &given)
        };
        match outcome {
            Ok(()) => {
                self.faulty.remove(input.name);
            }
            Err(problems) => {
                self.faulty.insert(input.name.to_owned());
                self.faults.extend(
                    problems.into_iter().map(|(problem, hint)| Fault::new(place.clone(), problem).hint(hint)),
                );
            }
        }
    }

    /// An argument whose value is known now.
    fn known_argument(
        &mut self,
        step: usize,
        input: &Input,
        written: &str,
        located: &Located<Value>,
    ) -> Result<(), Vec<(Problem, Option<String>)>> {
        let within = || written.to_owned();
        let substituted = substitute(&located.value, &self.known).map_err(|unresolved| {
            let told = |reference: Reference| {
                let hint = reference.hint();
                (Problem::Unresolved { within: within(), reference }, hint)
            };
            unresolved.keys.into_iter().map(told).collect::<Vec<_>>()
        })?;
        fits(input, &substituted.value, substituted.secret)
            .map_err(|source| vec![(Problem::WrongType { name: within(), origin: None, source }, None)])?;
        self.known.insert(input.name, substituted.value, Origin::Argument(step), substituted.secret);
        self.given.remove(input.name);
        Ok(())
    }

    /// An argument that refers to what earlier steps set: its type is checked as far as it is certain.
    fn given_argument(
        &mut self,
        step: usize,
        input: &Input,
        written: &str,
        located: &Located<Value>,
        given: &[(&str, Given)],
    ) -> Result<(), Vec<(Problem, Option<String>)>> {
        let mut problems = Vec::new();
        let mut when = Phase::Plan;
        for (name, given) in given {
            if matches!(given.kind, Kind::Array | Kind::Dict) {
                let kind = if given.kind == Kind::Array { "array" } else { "dict" };
                let reference = Reference::NotText { name: (*name).to_owned(), kind };
                problems.push((Problem::Unresolved { within: written.to_owned(), reference }, None));
            }
            if given.when == Phase::Apply && !self.known.contains(name) {
                when = Phase::Apply;
                if input.when == Phase::Plan {
                    problems.push((Problem::TooLate { name: (*name).to_owned(), step: given.step }, None));
                }
            }
        }
        let found = match (sole_reference(&located.value), given) {
            _ if given.iter().any(|(_, given)| given.kind == Kind::Secret) => Kind::Secret,
            (Some(_), [(_, sole)]) => sole.kind,
            _ if matches!(located.value, Value::Array(_)) => Kind::Array,
            _ if matches!(located.value, Value::Dict(_)) => Kind::Dict,
            _ => Kind::String,
        };
        if problems.is_empty() && !can_become(found, input.kind) {
            let giver = given.first().map_or(step, |(_, given)| given.step);
            let name = written.to_owned();
            problems.push((Problem::WrongKind { name, expected: input.kind, found, step: giver }, None));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        self.given.insert(input.name.to_owned(), Given { step, kind: input.kind, when });
        Ok(())
    }

    /// Checks an input that no argument sets.
    fn input(&mut self, step: &Step, input: &Input) {
        if self.faulty.contains(input.name) {
            return;
        }
        let given = self.given.get(input.name).copied();
        let known = self.known.entry(input.name);
        if let Some(entry) = known
            && given.is_none()
            && let Err(source) = fits(input, entry.value(), entry.is_secret())
            && self.told.insert(input.name)
        {
            let place = self.places.get(input.name).filter(|_| matches!(entry.origin(), Origin::Input(_)));
            let origin = place.is_none().then(|| entry.origin().clone());
            let name = input.name.to_owned();
            self.faults.push(Fault::new(place.cloned(), Problem::WrongType { name, origin, source }));
        }
        let problem = match given {
            Some(given) if !can_become(given.kind, input.kind) => Problem::WrongKind {
                name: input.name.to_owned(),
                expected: input.kind,
                found: given.kind,
                step: given.step,
            },
            Some(given)
                if known.is_none()
                    && (given.when, input.when, input.need)
                        == (Phase::Apply, Phase::Plan, Need::Required) =>
            {
                Problem::TooLate { name: input.name.to_owned(), step: given.step }
            }
            None if known.is_none() && input.need == Need::Required => {
                return self.missing(step, input);
            }
            _ => return,
        };
        self.faults.push(Fault::new(step.place.clone(), problem));
    }

    /// Inputs of a step that are mended in one way are told in one fault.
    fn missing(&mut self, step: &Step, input: &Input) {
        let hint = self.missing_hint(input);
        let name = input.name.to_owned();
        match self.faults.last_mut() {
            Some(Fault { problem: Problem::MissingInput(names), hint: Some(before), place, step: None })
                if *before == hint && place.as_ref() == Some(&step.place) =>
            {
                names.push(name);
            }
            _ => {
                let fault = Fault::new(step.place.clone(), Problem::MissingInput(vec![name]));
                self.faults.push(fault.hint(hint));
            }
        }
    }

    fn is_available(&self, name: &str) -> bool {
        self.known.contains(name) || self.given.contains_key(name) || self.faulty.contains(name)
    }

    fn undefined_hint(&self, name: &str, step: &Step) -> Option<String> {
        if let Some(giver) = self.giver(name) {
            return Some(match giver == step.processor.value {
                true => "the step gives it only after its arguments are read".to_owned(),
                false => format!("`{giver}` gives it: put that step before this one"),
            });
        }
        let known = self.known.iter().map(|(name, _)| name);
        did_you_mean(name, known.chain(self.given.keys().map(String::as_str)))
    }

    fn missing_hint(&self, input: &Input) -> String {
        let name = input.name;
        let slips =
            self.places.keys().filter(|known| !self.specs.iter().any(|spec| spec.input(known).is_some()));
        if let Some(slip) = nearest(name, slips.map(String::as_str)) {
            return format!("`Input` has `{slip}`; did you mean `{name}`?");
        }
        match self.giver(name) {
            Some(giver) => format!("`{giver}` gives it: put that step before this one"),
            None if input.kind == Kind::Secret || keys::SECRETS.contains(&name) => secret_hint(name),
            None => format!("set it in `Input` or `Arguments`, or with `-k {name}=...`"),
        }
    }

    /// The processor that has an output of this name, in time for all who read it: what is known only after it ran is for
    /// the recipe to set where a plan needs it.
    fn giver(&self, name: &str) -> Option<&'static str> {
        let readers = self.specs.iter().filter_map(|spec| spec.input(name));
        let needed = readers.map(|input| input.when).min().unwrap_or(Phase::Apply);
        let is_in_time = |output: &Output| output.name == name && output.when <= needed;
        let gives = |spec: &&&'static Spec| spec.outputs.iter().any(is_in_time);
        self.specs.iter().find(gives).map(|spec| spec.name)
    }
}

fn known_arguments(spec: &Spec) -> Option<String> {
    let names: Vec<_> = spec.inputs.iter().map(|input| input.name).collect();
    match names.as_slice() {
        [] => Some("it takes no arguments".to_owned()),
        names if names.len() <= 12 => Some(format!("its arguments are: {}", names.join(", "))),
        _ => Some(format!("`pkgferry processors {}` lists its arguments", spec.name)),
    }
}

/// Whether a value can be read as the input's type. A secret fits secret inputs only: all others are shown in plans and
/// stored on the server. It does not show up in the error.
fn fits(input: &Input, value: &Value, secret: bool) -> Result<(), WrongType> {
    if secret && input.kind != Kind::Secret {
        let expected = "for this input, which is shown and stored".to_owned();
        return Err(WrongType { expected, found: "a value made from a secret".to_owned() });
    }
    input.check(value).map_err(|wrong| match secret || input.kind == Kind::Secret {
        true => WrongType { found: value.kind_name().to_owned(), ..wrong },
        false => wrong,
    })
}

/// Whether some value of one kind can be read as another. Text may turn out to be anything but a container; a secret is only
/// for those who keep it.
fn can_become(found: Kind, wanted: Kind) -> bool {
    use Kind::{
        Array, Bool, Date, Dict, FileName, Integer, Md5, PackageId, Path, Secret, Sha3_512, String, Verdict,
    };
    match (found, wanted) {
        (found, wanted) if found == wanted => true,
        (Secret | Array | Dict, _) | (_, Array | Dict) => false,
        (_, String | Secret | Path | FileName) | (String | Path | FileName, _) => true,
        (Integer, PackageId) | (PackageId, Integer) => true,
        (Bool | Integer | PackageId | Date | Md5 | Sha3_512 | Verdict, _) => false,
    }
}
