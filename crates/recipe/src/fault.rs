use crate::limits::{MAX_FILE_SIZE, MAX_PARENTS};
use crate::place::Place;
use crate::substitute::Reference;
use crate::tree::Syntax;
use crate::words::with_article;
use pipeline::text::{clip, shown};
use pipeline::{Kind, Origin, WrongType};
use std::fmt;
use std::sync::Arc;

/// One thing that is wrong with a recipe.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Where it stands; `None` for what comes from settings or the command line.
    pub place: Option<Place>,
    /// The step that it concerns: its number in the chain, counted from 1, and its processor, empty if that is what is
    /// wrong.
    pub step: Option<(usize, String)>,
    /// What is wrong.
    pub problem: Problem,
    /// What a person can do about it.
    pub hint: Option<String>,
}

impl Fault {
    pub(crate) fn new(place: impl Into<Option<Place>>, problem: impl Into<Problem>) -> Self {
        Self { place: place.into(), step: None, problem: problem.into(), hint: None }
    }

    /// What is wrong and why, without place, step and hint.
    #[must_use]
    pub fn message(&self) -> String {
        let message = pipeline::causes(&self.problem).collect::<Vec<_>>().join(": ");
        clip(&message, MAX_MESSAGE).into_owned()
    }

    pub(crate) fn hint(mut self, hint: impl Into<Option<String>>) -> Self {
        self.hint = hint.into().map(|hint| clip(&hint, MAX_MESSAGE).into_owned());
        self
    }

    pub(crate) fn in_step(mut self, number: usize, processor: &str) -> Self {
        self.step = Some((number, processor.to_owned()));
        self
    }
}

/// `file:line:column: step 2 compare-hash: message`, and the hint on a line of its own.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{}: ", clip(&place.to_string(), MAX_MESSAGE))?;
        }
        match &self.step {
            Some((number, processor)) if processor.is_empty() => write!(f, "step {number}: ")?,
            Some((number, processor)) => write!(f, "step {number} {}: ", shown(processor))?,
            None => {}
        }
        f.write_str(&self.message())?;
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

/// What can be wrong with a recipe.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Problem {
    /// The file cannot be read.
    #[error("cannot be read")]
    Unreadable(#[source] Arc<std::io::Error>),
    /// A folder, a device, a pipe.
    #[error("is not a regular file")]
    NotAFile,
    /// A folder where a recipe was asked for, and nothing in it that could be one.
    #[error("is a folder without a recipe file, and there is no recipe of this name")]
    EmptyFolder,
    /// The file is larger than any recipe.
    #[error("is {size} bytes large; a recipe has at most {} MiB", MAX_FILE_SIZE >> 20)]
    TooLarge {
        /// Its size in bytes.
        size: u64,
    },
    /// The file is neither YAML nor a property list.
    #[error(transparent)]
    Syntax(#[from] Syntax),
    /// No recipe goes by what was asked for.
    #[error("there is no recipe `{}`", shown(.0))]
    RecipeNotFound(String),
    /// No recipe has the identifier of the parent.
    #[error("the parent recipe `{}` was not found", shown(.0))]
    ParentNotFound(String),
    /// Recipes are each other's parents.
    #[error("recipes are their own parents: {}", chain(.0))]
    ParentCycle(Vec<String>),
    /// The chain does not end.
    #[error("the recipe has more than {MAX_PARENTS} parents in a row")]
    TooManyParents,
    /// The identifier has no letters.
    #[error("`Identifier` is empty")]
    EmptyIdentifier,
    /// The file is well-formed, but no recipe.
    #[error("is not a recipe: it has neither `Process` nor `ParentRecipe`")]
    NotARecipe,
    /// A part of a recipe has the wrong shape.
    #[error("{} is {}, not {}", shown(what), with_article(found), with_article(expected))]
    Shape {
        /// Which part.
        what: String,
        /// The type that it has to have.
        expected: &'static str,
        /// The type that it has.
        found: &'static str,
    },
    /// A key that is so near to a known one that it is a slip; it would be ignored.
    #[error("unknown key `{}`", shown(.0))]
    UnknownKey(String),
    /// AutoPkg's form of overrides from before `ParentRecipe`.
    #[error("the key `Recipe` is not read")]
    LegacyParent,
    /// A step that names no processor.
    #[error("the step has no `Processor`")]
    NoProcessor,
    /// The recipe wants a newer AutoPkg than pkgferry is compatible with.
    #[error(
        "the recipe asks for AutoPkg {}; pkgferry is compatible with {}",
        shown(wanted),
        crate::AUTOPKG_LEVEL
    )]
    TooNew {
        /// The version that it asks for.
        wanted: String,
    },
    /// A processor that pkgferry does not have.
    #[error("unknown processor `{}`", shown(.0))]
    UnknownProcessor(String),
    /// An argument that the processor does not know.
    #[error("unknown argument `{}`", shown(.0))]
    UnknownArgument(String),
    /// An argument given under two of its names.
    #[error("`{}` and `{}` are two names of one argument", shown(first), shown(second))]
    SameArgument {
        /// The one given first.
        first: String,
        /// The other.
        second: String,
    },
    /// A required input that nothing provides.
    #[error("{}", missing(.0))]
    MissingInput(Vec<String>),
    /// An input that is needed before its provider has it.
    #[error("`{}` is needed while planning, but is known only after step {step} ran", shown(name))]
    TooLate {
        /// The name of the input, or of the variable behind it.
        name: String,
        /// The step that provides it.
        step: usize,
    },
    /// A value that the input cannot take.
    #[error("`{}`{}", shown(name), .origin.as_ref().map(|origin| format!(" (from {origin})")).unwrap_or_default())]
    WrongType {
        /// The input's name.
        name: String,
        /// Who set it, if that is not the place of the fault.
        origin: Option<Origin>,
        /// What was expected and found.
        #[source]
        source: WrongType,
    },
    /// What a step gives never fits what another takes.
    #[error("`{}` takes {}, but is given {} by step {step}", shown(name), with_article(&expected.to_string()), with_article(&found.to_string()))]
    WrongKind {
        /// The input's name.
        name: String,
        /// What it takes.
        expected: Kind,
        /// What it is given.
        found: Kind,
        /// The step that gives it.
        step: usize,
    },
    /// A `%KEY%` that cannot be replaced.
    #[error("`{}`: {reference}", shown(within))]
    Unresolved {
        /// The variable or argument that it stands in.
        within: String,
        /// The reference.
        reference: Reference,
    },
    /// Values that refer to each other in a circle.
    #[error("values refer to each other in a circle: {}", chain(.0))]
    InputCycle(Vec<String>),
    /// A secret on the command line, where other users of the machine can read it.
    #[error("`{}` is secret and must not be given on the command line", shown(.0))]
    SecretArgument(String),
    /// A recipe that says where a secret is kept, instead of the secret.
    #[error("`{}` says where a secret is kept, and a recipe is not asked for that", shown(.0))]
    SecretElsewhere(String),
    /// A recipe would send secrets that are not its own elsewhere than they are for.
    #[error("{name} leads to {to}, and would take secrets there that are for {meant} ({origin})")]
    LedElsewhere {
        /// The variable or argument.
        name: String,
        /// Where the recipe leads.
        to: String,
        /// Where the secrets are for.
        meant: String,
        /// Who says so.
        origin: Origin,
    },
}

impl Problem {
    /// Whether something would be right if another recipe gave what is missing.
    pub(crate) fn is_about_what_is_not_there(&self) -> bool {
        match self {
            Self::MissingInput(_) => true,
            Self::Unresolved { reference, .. } => matches!(reference, Reference::Undefined { .. }),
            _ => false,
        }
    }
}

/// Everything that is wrong with a recipe, in one report. Never empty.
pub type Faults = pipeline::Faults<Fault>;

/// How many characters a message has; it may name several values.
const MAX_MESSAGE: usize = 2_000;

fn missing(names: &[String]) -> String {
    match names {
        [name] => format!("the input `{}` is missing", shown(name)),
        names => {
            let names: Vec<_> = names.iter().map(|name| shown(name)).collect();
            format!("the inputs `{}` are missing", names.join("`, `"))
        }
    }
}

fn chain(names: &[String]) -> String {
    names.iter().map(|name| shown(name)).collect::<Vec<_>>().join(" -> ")
}
