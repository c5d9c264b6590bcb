//! Names that are nearly right: nothing reads them, and something reads a name that is like them.

use crate::library::Chain;
use crate::place::Place;
use crate::words::nearest_slip;
use pipeline::Spec;
use pipeline::text::shown;
use std::fmt;

/// What the runner sets itself (`autopkg-recipes.md §3.1`).
const RUNNER: &[&str] = &["RECIPE_PATH", "RECIPE_DIR", "PARENT_RECIPES", "RECIPE_CACHE_DIR"];

/// A name that is set, that nothing reads, and that is so near to one that is read that it was probably meant to be that one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Slip {
    /// The name as it is written.
    pub name: String,
    /// The name that is read.
    pub meant: String,
    /// Where it stands; `None` for the command line.
    pub place: Option<Place>,
}

/// `file:line:column: nothing reads …; did you mean …?`
impl fmt::Display for Slip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, meant, place } = self;
        match place {
            Some(place) => write!(f, "{}: ", shown(&place.to_string()))?,
            None => f.write_str("-k: ")?,
        }
        write!(f, "nothing reads `{}`; did you mean `{}`?", shown(name), shown(meant))
    }
}

/// All names that are read from the environment of recipes.
///
/// Recipes carry variables of their own, so that a name which nobody knows is no fault (`autopkg-recipes.md §3.2`). One that
/// no `%KEY%` uses either, and that is nearly the name of a setting or an input, does nothing, and hardly on purpose.
#[derive(Clone, Debug)]
pub struct Readers<'s> {
    specs: &'s [&'static Spec],
    settings: &'s [&'static str],
}

impl<'s> Readers<'s> {
    /// Processors, and what the program itself reads.
    #[must_use]
    pub fn new(specs: &'s [&'static Spec], settings: &'s [&'static str]) -> Self {
        Self { specs, settings }
    }

    /// The slips among the variables of a recipe and its parents: names that are near to what its own steps read. Of a chain
    /// that has a gap or a processor that is not known nobody can tell what it reads.
    #[must_use]
    pub fn slips(&self, chain: &Chain) -> Vec<Slip> {
        let spec = |name: &str| self.specs.iter().find(|spec| spec.name == name).copied();
        let specs: Option<Vec<_>> =
            chain.steps.iter().map(|step| spec(step.processor.value.as_str())).collect();
        let Some(specs) = specs.filter(|_| chain.is_complete) else { return Vec::new() };
        let unused = chain.input.iter().filter(|(name, _)| !chain.mentions(name));
        let slip = |(name, located): (&String, &crate::Located<_>)| {
            let meant = self.meant(name, &specs)?.to_owned();
            Some(Slip { name: name.clone(), meant, place: Some(located.place.clone()) })
        };
        unused.filter_map(slip).collect()
    }

    /// What a name was meant to be that is set for all recipes, if no processor and no setting goes by it. Whether a recipe
    /// uses it is for [`Chain::mentions`] to say.
    #[must_use]
    pub fn nearest(&self, name: &str) -> Option<&'static str> {
        self.meant(name, self.specs)
    }

    fn meant(&self, name: &str, specs: &[&'static Spec]) -> Option<&'static str> {
        let inputs = || specs.iter().flat_map(|spec| spec.inputs);
        if self.knows(name) {
            return None;
        }
        // Such a name is for `Arguments` only.
        let aliased = inputs().find(|input| input.aliases.contains(&name));
        let read = || inputs().map(|input| input.name).chain(self.settings.iter().copied());
        aliased.map(|input| input.name).or_else(|| nearest_slip(name, read()))
    }

    fn knows(&self, name: &str) -> bool {
        let is_of = |spec: &&Spec| {
            let inputs = spec.inputs.iter().map(|input| input.name);
            inputs.chain(spec.outputs.iter().map(|output| output.name)).any(|known| known == name)
        };
        self.settings.contains(&name)
            || RUNNER.contains(&name)
            || self.specs.iter().copied().any(|spec| is_of(&spec))
    }
}
