use crate::words::with_article;
use pipeline::causes;
use pipeline::text::{clip, shown};
use recipe::{Place, Syntax};
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// One thing that is wrong with a recipe list or an argument.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Where it stands; `None` for what the command line says.
    pub place: Option<Place>,
    /// What is wrong.
    pub problem: Problem,
    /// What a person can do about it.
    pub hint: Option<String>,
}

impl Fault {
    pub(crate) fn new(place: impl Into<Option<Place>>, problem: Problem) -> Self {
        Self { place: place.into(), problem, hint: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<Option<String>>) -> Self {
        self.hint = hint.into();
        self
    }
}

/// `file:line:column: message`, and the hint on a line of its own.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{}: ", shown(&place.to_string()))?;
        }
        // Messages of parsers hold what they found as it is.
        f.write_str(&clip(&causes(&self.problem).collect::<Vec<_>>().join(": "), MAX_MESSAGE))?;
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

/// What can be wrong with a recipe list or an argument.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Problem {
    /// The file is not what its format asks for.
    #[error(transparent)]
    Syntax(#[from] Syntax),
    /// The file is not JSON.
    #[error("not valid JSON: {0}")]
    Json(String),
    /// A part of the list has the wrong shape.
    #[error("{what} is {}, not {}", with_article(found), with_article(expected))]
    Shape {
        /// Which part.
        what: String,
        /// The type that it has to have.
        expected: &'static str,
        /// The type that it has.
        found: &'static str,
    },
    /// A dict that says nothing about recipes.
    #[error("the list has no `recipes`")]
    NoRecipes,
    /// A key that is so near to a known one that it is a slip.
    #[error("unknown key `{}`", shown(.0))]
    UnknownKey(String),
    /// A name stands twice in one dict.
    #[error("`{}` stands twice in the same dict", shown(.0))]
    DuplicateKey(String),
    /// An entry without a name.
    #[error("{0} is empty")]
    EmptyEntry(String),
    /// An entry with characters that no name has.
    #[error("`{}` holds a control character", shown(.0))]
    ControlCharacter(String),
    /// A list of names in which no name stands.
    #[error("lists no recipe")]
    Empty,
    /// A text file that looks like another format.
    #[error("the file looks like {0}, and its name says text")]
    LooksLike(&'static str),
    /// Neither arguments nor lists name anything.
    #[error("there is no recipe to run")]
    Nothing,
    /// A pattern that cannot be read.
    #[error("`{}` is not a pattern: {why}", shown(pattern))]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        why: String,
    },
    /// A pattern that fits no recipe file.
    #[error("`{}` matches no recipe file", shown(.0))]
    NoMatch(String),
    /// A folder without recipe files.
    #[error("the folder {} holds no recipe file", shown(&.0.to_string_lossy()))]
    EmptyFolder(PathBuf),
    /// A folder or file that cannot be looked at.
    #[error("cannot look into {}", shown(&path.to_string_lossy()))]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: Arc<io::Error>,
    },
    /// A recipe file whose path is no Unicode text.
    #[error("the path {} is not UTF-8", shown(&.0.to_string_lossy()))]
    PathNotText(PathBuf),
    /// A pattern that would take ages.
    #[error("`{}` leads through more than {max} files and folders", shown(pattern))]
    TooMany {
        /// The pattern.
        pattern: String,
        /// How many are looked at.
        max: usize,
    },
}

/// Everything that is wrong with the lists and arguments of a run, in one report. Never empty.
pub type Faults = pipeline::Faults<Fault>;

/// How many characters a message has; it may name several values.
const MAX_MESSAGE: usize = 2_000;
