//! Names that are nearly right, in everything that a run is made of.

use crate::args::Variables;
use crate::run::Chosen;
use crate::settings::{self, Settings};
use indexmap::IndexSet;
use pipeline::{Spec, Value};
use recipe::{Chain, Place, Readers, Slip, references};

/// Names that are set for all recipes of a run: in the settings file, on the command line, and in lists.
#[derive(Debug)]
pub struct Given {
    /// Each with its place; the command line has none.
    names: Vec<(String, Option<Place>)>,
    /// What values of the command line refer to. No reference is followed in the others.
    used: Vec<String>,
}

impl Given {
    /// What the settings file and the command line say.
    pub fn new(settings: &Settings, variables: &Variables) -> Self {
        let file = settings.names.iter().map(|name| (name.value.clone(), Some(name.place.clone())));
        let line = variables.key.iter().map(|(name, _)| (name.clone(), None));
        let used = variables.key.iter().flat_map(|(_, value)| references(&Value::String(value.clone())));
        Self { names: file.chain(line).collect(), used: used.collect() }
    }

    /// And what the lists say.
    pub fn and_lists(mut self, chosen: &Chosen) -> Self {
        self.names.extend(chosen.variables().map(|(name, place)| (name.to_owned(), Some(place.clone()))));
        self
    }

    /// The slips among these names and in the recipes of the run. Each is told once, however many recipes share it.
    pub fn slips(&self, chains: &[&Chain], specs: &[&'static Spec]) -> Vec<Slip> {
        let names = settings::names();
        let readers = Readers::new(specs, &names);
        let is_used = |name: &str| self.used.iter().any(|used| used == name);
        let is_mentioned = |name: &str| is_used(name) || chains.iter().any(|chain| chain.mentions(name));
        let given = self.names.iter().filter(|(name, _)| !is_mentioned(name)).filter_map(|(name, place)| {
            let meant = readers.nearest(name)?.to_owned();
            Some(Slip { name: name.clone(), meant, place: place.clone() })
        });
        let in_recipes = chains.iter().flat_map(|chain| readers.slips(chain));
        let slips: IndexSet<Slip> = given.chain(in_recipes.filter(|slip| !is_used(&slip.name))).collect();
        slips.into_iter().collect()
    }
}
