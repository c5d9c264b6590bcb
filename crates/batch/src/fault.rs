use crate::words::{clip, shown, with_article};
use pipeline::{Diagnose, FailureKind, causes};
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
#[derive(Debug)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// The faults, if there are any.
    pub(crate) fn of(faults: Vec<Fault>) -> Option<Self> {
        (!faults.is_empty()).then_some(Self(faults))
    }

    /// The value, if there are no faults.
    pub(crate) fn or<T>(faults: Vec<Fault>, value: T) -> Result<T, Self> {
        if faults.is_empty() { Ok(value) } else { Err(Self(faults)) }
    }

    /// The faults, in the order of the list.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }

    /// How many there are.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes in the faults of another list, so that one report tells all.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}

/// How many characters a message has; it may name several values.
const MAX_MESSAGE: usize = 2_000;
/// How many faults a report shows.
const MAX_SHOWN_FAULTS: usize = 50;

/// The faults, one after the other, as many as somebody would read, and the number of all.
impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in self.0.iter().take(MAX_SHOWN_FAULTS) {
            writeln!(f, "{fault}")?;
        }
        if let Some(more) = self.0.len().checked_sub(MAX_SHOWN_FAULTS).filter(|more| *more > 0) {
            writeln!(f, "… and {more} more")?;
        }
        match self.0.len() {
            1 => f.write_str("1 fault"),
            count => write!(f, "{count} faults"),
        }
    }
}

impl std::error::Error for Faults {}

impl Diagnose for Faults {
    fn kind(&self) -> FailureKind {
        FailureKind::Recipe
    }
}
