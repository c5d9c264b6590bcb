//! The environment before the first step: settings, the runner's own keys, `Input`, the command line; references between
//! them are followed in whatever order they stand.

use crate::fault::{Fault, Problem};
use crate::library::Chain;
use crate::place::Place;
use crate::substitute::{Known, Reference, Substituted, references, substitute_with};
use crate::words::did_you_mean;
use indexmap::IndexMap;
use pipeline::{Env, Origin, Spec, Value};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

/// The environment before the first step.
pub(crate) struct Base {
    pub env: Env,
    /// Where entries of `Input` stand.
    pub places: HashMap<String, Place>,
    /// Names whose values are faulty and told; what depends on them is not told again.
    pub faulty: HashSet<String>,
}

/// A value before substitution.
struct Raw {
    value: Value,
    origin: Origin,
    secret: bool,
    place: Option<Place>,
    /// Whether references in it are followed. Settings and the runner's keys are taken as they are: a password may hold
    /// percent signs.
    template: bool,
}

/// One value of one name: the name's index, and how many values of lower precedence lie under it.
type Id = (usize, usize);

struct Resolver<'c> {
    chain: &'c Chain,
    specs: &'c [&'static Spec],
    /// All values of each name, lowest precedence first.
    names: IndexMap<String, Vec<Raw>>,
    /// What values came to; `None` for faulty ones.
    done: HashMap<Id, Option<Substituted>>,
    faults: Vec<Fault>,
}

/// Builds the environment (`autopkg-recipes.md §3.1, §3.2`): later layers win, and a value that names itself sees the one
/// below it.
pub(crate) fn resolve(
    chain: &Chain,
    specs: &[&'static Spec],
    settings: &Env,
    command_line: &Env,
) -> (Base, Vec<Fault>) {
    let mut resolver = Resolver {
        chain,
        specs,
        names: layers(chain, settings, command_line),
        done: HashMap::new(),
        faults: Vec::new(),
    };
    let tops: Vec<Id> =
        resolver.names.values().enumerate().map(|(index, raws)| (index, raws.len() - 1)).collect();
    for top in &tops {
        resolver.resolve(*top);
    }
    let mut base = Base { env: Env::new(), places: HashMap::new(), faulty: HashSet::new() };
    for (top, (name, mut raws)) in tops.into_iter().zip(resolver.names) {
        let Some(raw) = raws.pop() else { continue };
        base.places.extend(raw.place.map(|place| (name.clone(), place)));
        match resolver.done.remove(&top).flatten() {
            Some(Substituted { value, secret }) => {
                base.env.insert(&name, value, raw.origin, secret || raw.secret);
            }
            None => {
                base.faulty.insert(name);
            }
        }
    }
    (base, resolver.faults)
}

fn layers(chain: &Chain, settings: &Env, command_line: &Env) -> IndexMap<String, Vec<Raw>> {
    let mut names: IndexMap<String, Vec<Raw>> = IndexMap::new();
    let mut add = |name: &str, raw: Raw| names.entry(name.to_owned()).or_default().push(raw);
    let given = |entry: &pipeline::Entry, template| Raw {
        value: entry.value().clone(),
        origin: entry.origin().clone(),
        secret: entry.is_secret(),
        place: None,
        template,
    };
    for (name, entry) in settings.iter() {
        add(name, given(entry, false));
    }
    let has_cache = |env: &Env| env.contains("CACHE_DIR");
    let cache = has_cache(settings) || has_cache(command_line) || chain.input.contains_key("CACHE_DIR");
    for (name, value, template) in runner_keys(chain, cache) {
        add(name, Raw { value, origin: Origin::Runner, secret: false, place: None, template });
    }
    for (name, located) in &chain.input {
        let origin = Origin::Input(located.place.file.to_path_buf());
        let place = Some(located.place.clone());
        add(name, Raw { value: located.value.clone(), origin, secret: false, place, template: true });
    }
    for (name, entry) in command_line.iter() {
        // A path or a password from elsewhere may hold percent signs; only `-k` is written by somebody who knows references.
        add(name, given(entry, *entry.origin() == Origin::CommandLine));
    }
    names
}

/// What the runner itself sets (`autopkg-recipes.md §3.1`), and whether references in it are followed.
fn runner_keys(chain: &Chain, cache: bool) -> Vec<(&'static str, Value, bool)> {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let text = |path: PathBuf| Value::String(path.to_string_lossy().into_owned());
    let mut files = chain.files.iter().map(|file| absolute(file));
    let mut keys = Vec::new();
    if let Some(path) = files.next() {
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        keys.push(("RECIPE_PATH", text(path), false));
        keys.push(("RECIPE_DIR", text(folder), false));
    }
    keys.push(("PARENT_RECIPES", Value::Array(files.map(text).collect()), false));
    if cache {
        let folder = format!("%CACHE_DIR%/{}", folder_name(&chain.identifier));
        keys.push(("RECIPE_CACHE_DIR", Value::String(folder), true));
    }
    keys
}

/// The identifier as the name of one folder: it may not climb, nest or look like a reference.
fn folder_name(identifier: &str) -> String {
    let safe = |ch: char| if ch.is_control() || matches!(ch, '/' | '\\' | '%') { '-' } else { ch };
    let name: String = identifier.chars().map(safe).collect();
    match name.strip_prefix('.') {
        Some(rest) => format!("-{rest}"),
        None => name,
    }
}

/// A value that waits for the values it refers to.
struct Waiting {
    id: Id,
    needs: Vec<Id>,
    next: usize,
}

impl Resolver<'_> {
    fn raw(&self, (index, level): Id) -> Option<(&String, &Raw)> {
        let (name, raws) = self.names.get_index(index)?;
        Some((name, raws.get(level)?))
    }

    /// What a name means inside a value: the value on top, or for the value's own name the one below it.
    fn target(&self, name: &str, inside: Id) -> Option<Id> {
        let (index, _, raws) = self.names.get_full(name)?;
        if index == inside.0 && inside.1 > 0 {
            return Some((index, inside.1 - 1));
        }
        Some((index, raws.len() - 1))
    }

    /// Resolves a value and all that it needs. A stack of its own stands in for recursion: thousands of variables can
    /// form one chain.
    fn resolve(&mut self, id: Id) {
        let mut stack = vec![self.waiting(id)];
        while let Some(top) = stack.last_mut() {
            let id = top.id;
            if self.done.contains_key(&id) {
                stack.pop();
            } else if let Some(need) = top.needs.get(top.next).copied() {
                top.next += 1;
                if self.done.contains_key(&need) {
                    continue;
                }
                match stack.iter().position(|waiting| waiting.id == need) {
                    Some(start) => self.tell_cycle(&stack[start..]),
                    None => stack.push(self.waiting(need)),
                }
            } else {
                let resolved = self.substituted(id);
                self.done.insert(id, resolved);
                stack.pop();
            }
        }
    }

    fn waiting(&self, id: Id) -> Waiting {
        let names = match self.raw(id) {
            Some((_, raw)) if raw.template => references(&raw.value),
            _ => Vec::new(),
        };
        let needs = names.iter().filter_map(|name| self.target(name, id)).collect();
        Waiting { id, needs, next: 0 }
    }

    fn tell_cycle(&mut self, cycle: &[Waiting]) {
        let mut names: Vec<String> =
            cycle.iter().filter_map(|waiting| self.raw(waiting.id)).map(|(name, _)| name.clone()).collect();
        names.extend(names.first().cloned());
        let place = cycle.first().and_then(|first| self.raw(first.id)?.1.place.clone());
        self.faults.push(Fault::new(place, Problem::InputCycle(names)));
        self.done.extend(cycle.iter().map(|waiting| (waiting.id, None)));
    }

    /// Replaces the references of a value whose needs are all resolved.
    fn substituted(&mut self, id: Id) -> Option<Substituted> {
        let (within, raw) = self.raw(id)?;
        if !raw.template {
            return Some(Substituted { value: raw.value.clone(), secret: raw.secret });
        }
        let mut faulty = false;
        let result = substitute_with(&raw.value, &mut |name| {
            let resolved = self.done.get(&self.target(name, id)?)?.as_ref();
            faulty |= resolved.is_none();
            Some(resolved.map(|resolved| Known { value: &resolved.value, secret: resolved.secret }))
        });
        match result {
            Ok(substituted) => (!faulty).then_some(substituted),
            Err(unresolved) => {
                let (within, place) = (within.clone(), raw.place.clone());
                for reference in unresolved.keys {
                    let hint = reference.hint().or_else(|| self.hint(&reference));
                    let problem = Problem::Unresolved { within: within.clone(), reference };
                    self.faults.push(Fault::new(place.clone(), problem).hint(hint));
                }
                None
            }
        }
    }

    fn hint(&self, reference: &Reference) -> Option<String> {
        let Reference::Undefined { name } = reference else { return None };
        let later = self.chain.steps.iter().find(|step| {
            let spec = self.specs.iter().find(|spec| spec.name == step.processor.value);
            step.arguments.contains_key(name)
                || spec.is_some_and(|spec| spec.outputs.iter().any(|output| output.name == name))
        });
        match later {
            Some(step) => Some(format!(
                "step {} {} sets it while the recipe runs; write `%{name}%` in the `Arguments` of a later step instead",
                step.number, step.processor.value
            )),
            None => did_you_mean(name, self.names.keys().map(String::as_str)),
        }
    }
}
