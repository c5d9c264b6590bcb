//! Where secrets go. Whoever writes a recipe is not always who runs it, and what it says of a server wins over the settings file: their
//! secrets are for the servers that they name, and for no others.

use crate::fault::{Fault, Problem};
use crate::library::Chain;
use crate::place::Place;
use crate::substitute::{Substituted, references, substitute};
use pipeline::{Entry, Env, Origin, Spec, Value, keys};

/// Where a recipe would lead secrets that it did not bring with it. `env` is what its first step sees.
pub(crate) fn led_elsewhere(chain: &Chain, specs: &[&'static Spec], settings: &Env, env: &Env) -> Vec<Fault> {
    let inputs = specs.iter().flat_map(|spec| spec.inputs).filter(|input| input.is_destination);
    let mut names: Vec<&'static str> = inputs.map(|input| input.name).collect();
    names.sort_unstable();
    names.dedup();
    let guard = Guard { chain, settings, env };
    // Where nobody else says what the secrets are for, the recipe does.
    let Some((_, meant)) = names.iter().find_map(|name| Some((name, guard.given(name).filter(is_filled)?)))
    else {
        return Vec::new();
    };
    if keys::SECRETS.iter().all(|name| guard.is_brought(name)) {
        return Vec::new();
    }
    names.into_iter().flat_map(|name| guard.faults(name, meant)).collect()
}

struct Guard<'a> {
    chain: &'a Chain,
    settings: &'a Env,
    env: &'a Env,
}

impl<'a> Guard<'a> {
    /// What others than the recipe say.
    fn given(&self, name: &str) -> Option<&'a Entry> {
        match self.env.entry(name) {
            Some(entry) if !matches!(entry.origin(), Origin::Input(_)) => Some(entry),
            _ => self.settings.entry(name),
        }
    }

    /// Whether a secret is written in the recipe itself, or is not there.
    fn is_brought(&self, name: &str) -> bool {
        let is_written =
            || self.chain.input.get(name).is_some_and(|located| references(&located.value).is_empty());
        self.env.entry(name).is_none_or(|entry| matches!(entry.origin(), Origin::Input(_)) && is_written())
    }

    fn faults(&self, name: &'static str, meant: &Entry) -> Vec<Fault> {
        let own = self.env.entry(name).filter(|entry| matches!(entry.origin(), Origin::Input(_)));
        let own = own.zip(self.chain.input.get(name)).and_then(|(entry, located)| {
            let to = Substituted { value: entry.value().clone(), secret: entry.is_secret() };
            self.fault(name, Some(to), &located.place, meant)
        });
        let in_steps = self.chain.steps.iter().filter_map(|step| {
            let located = step.arguments.get(name)?;
            let to = substitute(&located.value, self.env).ok();
            let fault = self.fault(name, to, &located.place, meant)?;
            Some(fault.in_step(step.number, &step.processor.value))
        });
        own.into_iter().chain(in_steps).collect()
    }

    /// `to` is none where only the run would tell.
    fn fault(&self, name: &str, to: Option<Substituted>, place: &Place, meant: &Entry) -> Option<Fault> {
        let given = self.given(name);
        let is_same = |to: &Substituted| {
            let given = given.map_or_else(String::new, |entry| address(entry.value()));
            given == address(&to.value)
        };
        if to.as_ref().is_some_and(is_same) {
            return None;
        }
        let meant = given.filter(is_filled).unwrap_or(meant);
        let problem = Problem::LedElsewhere {
            name: name.to_owned(),
            to: match to {
                Some(to) if to.secret => "a place that is made from a secret".to_owned(),
                Some(to) => to.value.to_string(),
                None => "a place that only the run would tell".to_owned(),
            },
            meant: meant.value().to_string(),
            origin: meant.origin().clone(),
        };
        Some(Fault::new(place.clone(), problem).hint(HINT.to_owned()))
    }
}

const HINT: &str = "take it out of the recipe; for another server, write a table [servers.NAME] into the settings file and run with --server NAME";

#[expect(clippy::trivially_copy_pass_by_ref, reason = "for `Option::filter`")]
fn is_filled(entry: &&Entry) -> bool {
    !address(entry.value()).is_empty()
}

/// Two spellings of an address are one.
fn address(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    text.trim_end_matches('/').to_ascii_lowercase()
}
