use crate::fault::{Fault, Faults, Problem};
use crate::list::RecipeList;
use crate::pattern::matches;
use pipeline::text::shown;
use recipe::Place;
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file, or a link to one.
    File,
    /// A folder. Whether a link to a folder counts as one is up to who implements [`Folders`]; `**` ends after a
    /// number of levels, so that it ends even where links lead in a circle.
    Folder,
    /// Anything else.
    Other,
}

/// An entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name in the folder.
    pub name: OsString,
    /// What it is.
    pub kind: Kind,
}

/// What there is on a disk. Relative paths start where the caller says, which is the working folder in AutoPkg.
pub trait Folders {
    /// What a path leads to; `None` when there is nothing.
    ///
    /// # Errors
    /// When that cannot be told.
    fn kind(&self, path: &Path) -> io::Result<Option<Kind>>;

    /// What a folder holds, in any order. The empty path is the folder that relative paths start from.
    ///
    /// # Errors
    /// When it cannot be read.
    fn list(&self, folder: &Path) -> io::Result<Vec<Listed>>;
}

/// Who asked for a recipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// An argument.
    CommandLine,
    /// An entry of a list.
    List(Place),
}

impl Origin {
    /// Where the entry stands; an argument stands nowhere.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        match self {
            Self::CommandLine => None,
            Self::List(place) => Some(place.clone()),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CommandLine => f.write_str("command line"),
            Self::List(place) => place.fmt(f),
        }
    }
}

/// A recipe to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected {
    /// A path, an identifier or a name, for [`recipe::Library`] to find.
    pub recipe: String,
    /// Who asked for it.
    pub origin: Origin,
}

/// Which recipes to run, in order, each once.
#[derive(Clone, Debug)]
pub struct Selection {
    /// The recipes. Never empty where nothing is wrong.
    pub recipes: Vec<Selected>,
    /// What somebody may want to know.
    pub notes: Vec<Note>,
}

/// Something about a list that changes nothing and may not be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// A recipe that is asked for twice; it runs once.
    Duplicate {
        /// The recipe.
        recipe: String,
        /// Where it stands again; `None` for the command line.
        place: Option<Place>,
        /// Where it stands first.
        first: Option<Place>,
    },
    /// A recipe that is asked for under two names; it runs once. Only who has read the recipes can tell.
    SameRecipe {
        /// The name that leads to it again.
        recipe: String,
        /// Where that stands; `None` for the command line.
        place: Option<Place>,
        /// The name that led to it first.
        known: String,
        /// Where that one stands.
        first: Option<Place>,
    },
    /// A folder that a pattern led to and that cannot be read.
    PassedOver {
        /// The folder.
        folder: PathBuf,
        /// Why.
        why: String,
        /// Where the pattern stands; `None` for the command line.
        place: Option<Place>,
    },
    /// A key of a list that is not used.
    Ignored {
        /// The key.
        key: String,
        /// Where it stands.
        place: Place,
    },
}

/// One line, the place in front.
impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicate { recipe, place, first } => {
                if let Some(place) = place {
                    write!(f, "{}: ", shown(&place.to_string()))?;
                }
                write!(f, "{} is asked for twice and runs once; first {}", shown(recipe), at(first.as_ref()))
            }
            Self::SameRecipe { recipe, place, known, first } => {
                if let Some(place) = place {
                    write!(f, "{}: ", shown(&place.to_string()))?;
                }
                let (recipe, known, first) = (shown(recipe), shown(known), at(first.as_ref()));
                write!(f, "{recipe} is asked for twice and runs once; first as {known} {first}")
            }
            Self::PassedOver { folder, why, place } => {
                if let Some(place) = place {
                    write!(f, "{}: ", shown(&place.to_string()))?;
                }
                write!(f, "passed over {}: {}", shown(&folder.to_string_lossy()), shown(why))
            }
            Self::Ignored { key, place } => {
                let place = place.to_string();
                write!(f, "{}: {key} is not used: recipes run with their own steps only", shown(&place))
            }
        }
    }
}

fn at(place: Option<&Place>) -> String {
    match place {
        Some(place) => format!("at {}", shown(&place.to_string())),
        None => "on the command line".to_owned(),
    }
}

/// Puts together which recipes run: the arguments first, then the lists, as AutoPkg does it.
///
/// A folder stands for the recipe files in it, though not below it: parents are often kept in folders of their own. A
/// pattern with `*`, `?` or `[…]` stands for the recipe files it matches, in the order of their paths; `**` stands for any
/// number of folders, and what begins with a dot is matched only by a dot. Folders that it leads to and that cannot be read
/// are passed over with a note. Anything else, and whatever is there under
/// exactly this path, is left as it is. Names match whichever way their accents are encoded.
///
/// # Errors
/// When a pattern or folder gives no recipe or cannot be read, or when nothing is left to run. All faults are told.
pub fn select(
    arguments: &[String],
    lists: &[RecipeList],
    folders: &impl Folders,
) -> Result<Selection, Faults> {
    match select_partly(arguments, lists, folders) {
        (selection, None) => Ok(selection),
        (_, Some(faults)) => Err(faults),
    }
}

/// The same for who only looks: the recipes that there are, none perhaps, and beside them what is wrong with the rest.
pub fn select_partly(
    arguments: &[String],
    lists: &[RecipeList],
    folders: &impl Folders,
) -> (Selection, Option<Faults>) {
    let mut picked =
        Picked { selection: Selection { recipes: Vec::new(), notes: Vec::new() }, seen: HashMap::new() };
    let mut faults = Vec::new();
    let listed = lists.iter().flat_map(|list| &list.recipes);
    let listed = listed.map(|entry| (&entry.value, Origin::List(entry.place.clone())));
    let wanted = arguments.iter().map(|argument| (argument, Origin::CommandLine)).chain(listed);
    for (text, origin) in wanted {
        match expand(text, folders) {
            Ok(Expanded { recipes, passed_over }) => {
                for (folder, why) in passed_over {
                    picked.selection.notes.push(Note::PassedOver { folder, why, place: origin.place() });
                }
                recipes.into_iter().for_each(|recipe| picked.take(recipe, &origin));
            }
            Err((problem, hint)) => faults.push(Fault::new(origin.place(), problem).hint(hint)),
        }
    }
    let mut selection = picked.selection;
    let of_lists = lists.iter().flat_map(|list| &list.notes).cloned();
    selection.notes.splice(..0, of_lists);
    if selection.recipes.is_empty() && faults.is_empty() {
        faults.push(Fault::new(None, Problem::Nothing));
    }
    (selection, Faults::or(faults, ()).err())
}

/// Recipes taken so far, and where each was asked for first.
struct Picked {
    selection: Selection,
    seen: HashMap<String, Option<Place>>,
}

impl Picked {
    fn take(&mut self, recipe: String, origin: &Origin) {
        let name = recipe.strip_prefix("./").unwrap_or(&recipe).to_owned();
        match self.seen.get(&name) {
            Some(first) => {
                let note = Note::Duplicate { recipe, place: origin.place(), first: first.clone() };
                self.selection.notes.push(note);
            }
            None => {
                self.seen.insert(name, origin.place());
                self.selection.recipes.push(Selected { recipe, origin: origin.clone() });
            }
        }
    }
}

/// Why an argument or entry stands for nothing, and what to do about it.
pub(crate) type Refused = (Problem, Option<String>);

/// The recipes that one argument or entry stands for.
pub(crate) struct Expanded {
    pub(crate) recipes: Vec<String>,
    /// Folders on the way that cannot be read, and why.
    pub(crate) passed_over: BTreeMap<PathBuf, String>,
}

impl From<Vec<String>> for Expanded {
    fn from(recipes: Vec<String>) -> Self {
        Self { recipes, passed_over: BTreeMap::new() }
    }
}

fn expand(text: &str, folders: &impl Folders) -> Result<Expanded, Refused> {
    let path = Path::new(text);
    let kind = folders.kind(path).map_err(|error| unreadable(path, error))?;
    match kind {
        Some(Kind::Folder) => {
            let files = recipe_files(path, folders)?;
            if files.is_empty() && path.components().nth(1).is_none() && !text.ends_with('/') {
                // A single word may as well be the name of a recipe, beside a folder of that name.
                return Ok(vec![text.to_owned()].into());
            }
            if files.is_empty() {
                let hint = recipe::EMPTY_FOLDER_HINT.to_owned();
                return Err((Problem::EmptyFolder(path.to_owned()), Some(hint)));
            }
            Ok(files.into())
        }
        Some(_) => Ok(vec![text.to_owned()].into()),
        None if text.contains(['*', '?', '[']) => matches(text, folders),
        None => Ok(vec![text.to_owned()].into()),
    }
}

fn recipe_files(folder: &Path, folders: &impl Folders) -> Result<Vec<String>, Refused> {
    let listed = folders.list(folder).map_err(|error| unreadable(folder, error))?;
    let files = listed.into_iter().filter(|entry| entry.kind == Kind::File && is_recipe(entry));
    let mut paths: Vec<_> = files.map(|entry| folder.join(entry.name)).collect();
    paths.sort();
    paths.into_iter().map(to_text).collect()
}

/// Whether a file's name says that it holds a recipe.
pub(crate) fn is_recipe(entry: &Listed) -> bool {
    recipe::is_recipe_name(&entry.name.to_string_lossy())
}

pub(crate) fn unreadable(path: &Path, error: io::Error) -> Refused {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    (Problem::Unreadable { path: path.to_owned(), source: Arc::new(error) }, None)
}

pub(crate) fn to_text(path: PathBuf) -> Result<String, Refused> {
    path.into_os_string().into_string().map_err(|path| (Problem::PathNotText(PathBuf::from(path)), None))
}
