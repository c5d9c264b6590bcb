use crate::fault::{Fault, Faults, Problem};
use crate::place::{Located, Place, Position};
use crate::source::{Format, Source};
use crate::tree::{Member, Members, Node, Tree};
use crate::words::{did_you_mean, nearest};
use crate::{AUTOPKG_LEVEL, version};
use indexmap::IndexMap;
use pipeline::Value;
use std::cmp::Ordering;
use std::path::Path;
use std::sync::Arc;

/// One recipe file, as it stands there; parents are not looked at.
#[derive(Debug)]
pub struct Recipe {
    /// The file.
    pub file: Arc<Path>,
    /// The unique id; a recipe may do without.
    pub identifier: Option<Located<String>>,
    /// What it is for.
    pub description: Option<Located<String>>,
    /// The oldest AutoPkg that can run it.
    pub minimum_version: Option<Located<String>>,
    /// The identifier, path or name of the recipe that it builds on.
    pub parent: Option<Located<String>>,
    /// Variables.
    pub input: IndexMap<String, Located<Value>>,
    /// Steps.
    pub process: Vec<Step>,
    /// How many steps the file has, those with faults included, so that numbers over a chain match what people count.
    pub(crate) step_count: usize,
    /// What is wrong with the parts, so that it can be told together with what is wrong with the chain.
    pub(crate) faults: Vec<Fault>,
}

/// One step of a process.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Its number, counted from 1 over the file, and over the whole chain in a [`Chain`](crate::Chain).
    pub number: usize,
    /// The processor, as written.
    pub processor: Located<String>,
    /// What it sets in the environment, in the order of the file; `%KEY%` is not replaced yet.
    pub arguments: IndexMap<String, Located<Value>>,
    /// Where it stands.
    pub place: Place,
}

/// Keys that a recipe can have (`autopkg-recipes.md §1.2`).
const KEYS: &[&str] = &[
    "Identifier",
    "Description",
    "MinimumVersion",
    "ParentRecipe",
    "Input",
    "Process",
    "ParentRecipeTrustInfo",
    "Comment",
    "SupportedPlatforms",
];
const STEP_KEYS: &[&str] = &["Processor", "Arguments", "Comment", "SharedProcessorRepoURL"];
/// Keys that are meant as they are, although they look like a slip of the pen.
const HARMLESS: &[&str] = &["Comments", "Recipe"];

impl Recipe {
    /// Reads a recipe.
    ///
    /// # Errors
    /// When the file is not well-formed (then that is the only fault), or is no recipe at all. Faults in its parts are kept
    /// for [`check`](crate::check()), which tells all of a chain's faults together.
    pub fn read(source: &Source) -> Result<Self, Faults> {
        let file: Arc<Path> = Arc::from(source.path.as_path());
        let node = source.parse().map_err(|malformed| {
            let place = Place { file: Arc::clone(&file), position: malformed.at };
            let hint = suffix_hint(source);
            Fault::new(place, malformed.problem).hint(hint)
        })?;
        let at = node.at;
        let Tree::Dict(members) = node.tree else {
            let place = Place { file: Arc::clone(&file), position: at };
            let what = "the whole file".to_owned();
            return Err(Fault::new(
                place,
                Problem::Shape { what, expected: "dict", found: Node { tree: node.tree, at }.kind_name() },
            )
            .into());
        };
        if !members.contains_key("Process") && !members.contains_key("ParentRecipe") {
            let near = members.keys().find_map(|name| {
                did_you_mean(name, ["Process", "ParentRecipe"])
                    .map(|hint| format!("`{name}` is not a key: {hint}"))
            });
            let legacy = members.contains_key("Recipe").then(|| LEGACY_HINT.to_owned());
            return Err(Fault::new(Place::whole(&file), Problem::NotARecipe).hint(near.or(legacy)).into());
        }
        Ok(Reader { file, faults: Vec::new() }.recipe(members))
    }
}

const LEGACY_HINT: &str = "write `ParentRecipe:` and the parent's identifier instead of `Recipe:`";

fn suffix_hint(source: &Source) -> Option<String> {
    let text_plist = source.format() == Format::Plist && !source.bytes.trim_ascii_start().starts_with(b"<");
    let yaml_start = source.bytes.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'#');
    (text_plist && yaml_start && !source.bytes.starts_with(crate::plist::BINARY_MAGIC))
        .then(|| "the file's suffix says property list; a recipe in YAML is named `….recipe.yaml`".to_owned())
}

/// Turns a tree into a recipe and collects what does not fit.
struct Reader {
    file: Arc<Path>,
    faults: Vec<Fault>,
}

impl Reader {
    fn place(&self, position: Option<Position>) -> Place {
        Place { file: Arc::clone(&self.file), position }
    }

    fn recipe(mut self, mut members: Members) -> Recipe {
        self.near_misses(&members, KEYS, None);
        if !members.contains_key("ParentRecipe")
            && let Some(legacy) = members.get("Recipe")
        {
            let fault = Fault::new(self.place(legacy.name_at), Problem::LegacyParent);
            self.faults.push(fault.hint(LEGACY_HINT.to_owned()));
        }
        let input = self.dict("Input", members.shift_remove("Input"));
        let identifier = self.identifier(members.shift_remove("Identifier"), &input);
        let description = self.text("Description", members.shift_remove("Description"));
        let minimum_version = self.text("MinimumVersion", members.shift_remove("MinimumVersion"));
        self.check_version(minimum_version.as_ref());
        let parent = self.text("ParentRecipe", members.shift_remove("ParentRecipe"));
        let process = members.shift_remove("Process");
        let step_count = match process.as_ref().map(|member| &member.node.tree) {
            Some(Tree::Array(items)) => items.len(),
            _ => 0,
        };
        let process = self.process(process);
        Recipe {
            file: self.file,
            identifier,
            description,
            minimum_version,
            parent,
            input,
            process,
            step_count,
            faults: self.faults,
        }
    }

    /// Unknown keys are ignored, as AutoPkg does, except those that are a slip of the pen: 29 public recipes have
    /// `MiniumumVersion`, and 2 lose their `Arugments` (`recipe-corpus.md §3`).
    fn near_misses(&mut self, members: &Members, known: &[&str], step: Option<(usize, &str)>) {
        for (name, member) in members {
            if known.contains(&name.as_str()) || HARMLESS.contains(&name.as_str()) {
                continue;
            }
            if let Some(hint) = did_you_mean(name, known.iter().copied()) {
                let fault = Fault::new(self.place(member.name_at), Problem::UnknownKey(name.clone()));
                let fault = match step {
                    Some((number, processor)) => fault.in_step(number, processor),
                    None => fault,
                };
                self.faults.push(fault.hint(hint));
            }
        }
    }

    fn text(&mut self, key: &str, member: Option<Member>) -> Option<Located<String>> {
        let Member { name_at, node } = member?;
        let (place, found) = (self.place(node.at.or(name_at)), node.kind_name());
        match node.tree {
            Tree::Scalar(Value::String(value)) => Some(Located { value, place }),
            Tree::Null if key == "Description" => Some(Located { value: String::new(), place }),
            tree => {
                let shape = Problem::Shape { what: format!("`{key}`"), expected: "string", found };
                let number = matches!(tree, Tree::Scalar(Value::Real(_) | Value::Integer(_)));
                let hint = number.then(|| "put the number in quotes to keep it as it is written".to_owned());
                self.faults.push(Fault::new(place, shape).hint(hint));
                None
            }
        }
    }

    fn identifier(
        &mut self,
        member: Option<Member>,
        input: &IndexMap<String, Located<Value>>,
    ) -> Option<Located<String>> {
        let identifier = self.text("Identifier", member).or_else(|| legacy_identifier(input))?;
        if identifier.value.trim().is_empty() {
            self.faults.push(Fault::new(identifier.place, Problem::EmptyIdentifier));
            return None;
        }
        Some(identifier)
    }

    /// A dict of values; null and absence are an empty one.
    fn dict(&mut self, key: &str, member: Option<Member>) -> IndexMap<String, Located<Value>> {
        let Some(Member { name_at, node }) = member else { return IndexMap::new() };
        let found = node.kind_name();
        match node.tree {
            Tree::Null => IndexMap::new(),
            Tree::Dict(members) => members
                .into_iter()
                .map(|(name, Member { name_at, node })| {
                    (name, Located { place: self.place(name_at), value: node.into_value() })
                })
                .collect(),
            _ => {
                let shape = Problem::Shape { what: format!("`{key}`"), expected: "dict", found };
                self.faults.push(Fault::new(self.place(name_at), shape));
                IndexMap::new()
            }
        }
    }

    fn check_version(&mut self, minimum: Option<&Located<String>>) {
        let Some(minimum) = minimum else { return };
        if version::compare(&minimum.value, AUTOPKG_LEVEL) == Ordering::Greater {
            let problem = Problem::TooNew { wanted: minimum.value.clone() };
            self.faults.push(Fault::new(minimum.place.clone(), problem));
        }
    }

    fn process(&mut self, member: Option<Member>) -> Vec<Step> {
        let Some(Member { name_at, node }) = member else { return Vec::new() };
        let found = node.kind_name();
        match node.tree {
            Tree::Null => Vec::new(),
            Tree::Array(items) => {
                let steps = items
                    .into_iter()
                    .enumerate()
                    .filter_map(|(index, item)| self.step(index + 1, item, name_at));
                steps.collect()
            }
            _ => {
                let shape = Problem::Shape { what: "`Process`".into(), expected: "array", found };
                self.faults.push(Fault::new(self.place(name_at), shape));
                Vec::new()
            }
        }
    }

    fn step(&mut self, number: usize, node: Node, process_at: Option<Position>) -> Option<Step> {
        let place = self.place(node.at.or(process_at));
        let found = node.kind_name();
        let Tree::Dict(mut members) = node.tree else {
            let what = format!("step {number} of `Process`");
            self.faults.push(Fault::new(place, Problem::Shape { what, expected: "dict", found }));
            return None;
        };
        let name = match members.get("Processor").map(|member| &member.node.tree) {
            Some(Tree::Scalar(Value::String(name))) => name.clone(),
            _ => String::new(),
        };
        self.near_misses(&members, STEP_KEYS, Some((number, &name)));
        let slipped =
            members.keys().any(|name| nearest(name, STEP_KEYS.iter().copied()) == Some("Processor"));
        let arguments = self.dict("Arguments", members.shift_remove("Arguments"));
        let processor = match members.shift_remove("Processor") {
            Some(member) => self.text("Processor", Some(member)),
            None if slipped => None,
            None => {
                let fault = Fault::new(place.clone(), Problem::NoProcessor);
                self.faults.push(fault.in_step(number, ""));
                None
            }
        };
        Some(Step { number, processor: processor?, arguments, place })
    }
}

/// The form from before `Identifier` (`autopkg-recipes.md §1.2`).
fn legacy_identifier(input: &IndexMap<String, Located<Value>>) -> Option<Located<String>> {
    let located = input.get("IDENTIFIER")?;
    match &located.value {
        Value::String(value) => Some(Located { value: value.clone(), place: located.place.clone() }),
        _ => None,
    }
}
