//! Where secrets go. Whoever writes a recipe is not always who runs it, and what it says of a server wins over the settings file: their
//! secrets are for the server that they name, and for no other.

use crate::fault::{Fault, Problem};
use crate::library::Chain;
use crate::substitute::references;
use pipeline::{Env, Origin, Spec, Value, keys};

/// Where a recipe would lead secrets that it did not bring with it. `env` is what its first step sees.
pub(crate) fn led_elsewhere(chain: &Chain, specs: &[&'static Spec], settings: &Env, env: &Env) -> Vec<Fault> {
    let is_own = |name: &str| env.entry(name).is_none_or(|entry| matches!(entry.origin(), Origin::Input(_)));
    if keys::SECRETS.iter().all(|name| is_own(name)) {
        return Vec::new();
    }
    let mut faults = Vec::new();
    let inputs = specs.iter().flat_map(|spec| spec.inputs).filter(|input| input.is_destination);
    let mut names: Vec<&'static str> = inputs.map(|input| input.name).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let Some(entry) = env.entry(name) else { continue };
        let meant = match entry.origin() {
            Origin::Input(_) => settings.entry(name),
            _ => Some(entry),
        };
        // Nobody else says where the secrets are for.
        let Some(meant) = meant else { continue };
        let fault = |to: &Value, place| {
            let differs = address(to) != address(meant.value()) && references(to).is_empty();
            differs.then(|| {
                let problem = Problem::LedElsewhere {
                    name: name.to_owned(),
                    to: to.to_string(),
                    meant: meant.value().to_string(),
                    origin: meant.origin().clone(),
                };
                Fault::new(Some(place), problem).hint(HINT.to_owned())
            })
        };
        if let (Origin::Input(_), Some(located)) = (entry.origin(), chain.input.get(name)) {
            faults.extend(fault(entry.value(), located.place.clone()));
        }
        for step in &chain.steps {
            let argument = step.arguments.get(name);
            let told = argument.and_then(|located| fault(&located.value, located.place.clone()));
            faults.extend(told.map(|fault| fault.in_step(step.number, &step.processor.value)));
        }
    }
    faults
}

const HINT: &str = "take it out of the recipe; for another server, write a table [servers.NAME] into the settings file and run with --server NAME";

/// Two spellings of an address are one.
fn address(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    text.trim_end_matches('/').to_ascii_lowercase()
}
