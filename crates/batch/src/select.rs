use crate::fault::{Fault, Faults, Problem};
use crate::list::RecipeList;
use crate::words::shown;
use glob::{MatchOptions, Pattern, PatternError};
use recipe::Place;
use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use unicode_normalization::UnicodeNormalization as _;

/// What recipe files end in (`autopkg-recipes.md §1.1`), and `.recipe.yml` with it.
const SUFFIXES: &[&str] = &[".recipe", ".recipe.plist", ".recipe.yaml", ".recipe.yml"];
/// How many files and folders one pattern looks at.
const MAX_VISITED: usize = 100_000;
/// How deep `**` goes.
const MAX_LEVELS: usize = 16;
/// How many parts a pattern has.
const MAX_STEPS: usize = 64;

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
    fn place(&self) -> Option<Place> {
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
    /// The recipes. Never empty.
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
                write!(f, "{} is asked for twice and runs once; first ", shown(recipe))?;
                match first {
                    Some(first) => write!(f, "at {}", shown(&first.to_string())),
                    None => f.write_str("on the command line"),
                }
            }
            Self::Ignored { key, place } => {
                let place = place.to_string();
                write!(f, "{}: {key} is not used: recipes run with their own steps only", shown(&place))
            }
        }
    }
}

/// Puts together which recipes run: the arguments first, then the lists, as AutoPkg does it.
///
/// A folder stands for the recipe files in it, though not below it: parents are often kept in folders of their own. A
/// pattern with `*`, `?` or `[…]` stands for the recipe files it matches, in the order of their paths; `**` stands for any
/// number of folders, and what begins with a dot is matched only by a dot. Anything else, and whatever is there under
/// exactly this path, is left as it is. Names match whichever way their accents are encoded.
///
/// # Errors
/// When a pattern or folder gives no recipe or cannot be read, or when nothing is left to run. All faults are told.
pub fn select(
    arguments: &[String],
    lists: &[RecipeList],
    folders: &impl Folders,
) -> Result<Selection, Faults> {
    let mut picked =
        Picked { selection: Selection { recipes: Vec::new(), notes: Vec::new() }, seen: HashMap::new() };
    let mut faults = Vec::new();
    let listed = lists.iter().flat_map(|list| &list.recipes);
    let listed = listed.map(|entry| (&entry.value, Origin::List(entry.place.clone())));
    let wanted = arguments.iter().map(|argument| (argument, Origin::CommandLine)).chain(listed);
    for (text, origin) in wanted {
        match expand(text, folders) {
            Ok(recipes) => recipes.into_iter().for_each(|recipe| picked.take(recipe, &origin)),
            Err((problem, hint)) => faults.push(Fault::new(origin.place(), problem).hint(hint)),
        }
    }
    let mut selection = picked.selection;
    let of_lists = lists.iter().flat_map(|list| &list.notes).cloned();
    selection.notes.splice(..0, of_lists);
    if selection.recipes.is_empty() && faults.is_empty() {
        faults.push(Fault::new(None, Problem::Nothing));
    }
    Faults::or(faults, selection)
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

type Refused = (Problem, Option<String>);

/// The recipes that one argument or entry stands for.
fn expand(text: &str, folders: &impl Folders) -> Result<Vec<String>, Refused> {
    let path = Path::new(text);
    let kind = folders.kind(path).map_err(|error| unreadable(path, error))?;
    match kind {
        Some(Kind::Folder) => {
            let files = recipe_files(path, folders)?;
            if files.is_empty() && path.components().nth(1).is_none() && !text.ends_with('/') {
                // A single word may as well be the name of a recipe, beside a folder of that name.
                return Ok(vec![text.to_owned()]);
            }
            if files.is_empty() {
                let hint =
                    "recipe files in folders below it are found by `**`, as in 'folder/**/*.recipe.yaml'";
                return Err((Problem::EmptyFolder(path.to_owned()), Some(hint.to_owned())));
            }
            Ok(files)
        }
        Some(_) => Ok(vec![text.to_owned()]),
        None if text.contains(['*', '?', '[']) => matches(text, folders),
        None => Ok(vec![text.to_owned()]),
    }
}

fn recipe_files(folder: &Path, folders: &impl Folders) -> Result<Vec<String>, Refused> {
    let listed = folders.list(folder).map_err(|error| unreadable(folder, error))?;
    let files = listed.into_iter().filter(|entry| entry.kind == Kind::File && is_recipe(entry));
    let mut paths: Vec<_> = files.map(|entry| folder.join(entry.name)).collect();
    paths.sort();
    paths.into_iter().map(to_text).collect()
}

/// Whether a file's name says that it holds a recipe. `._Firefox.recipe` is what macOS leaves beside it on foreign disks.
fn is_recipe(entry: &Listed) -> bool {
    let name = entry.name.to_string_lossy();
    !name.starts_with('.')
        && SUFFIXES.iter().any(|suffix| name.strip_suffix(suffix).is_some_and(|stem| !stem.is_empty()))
}

fn matches(text: &str, folders: &impl Folders) -> Result<Vec<String>, Refused> {
    let refuse = |why: &str| (Problem::Pattern { pattern: text.to_owned(), why: why.to_owned() }, None);
    let parts = Path::new(text).components().map(step);
    let steps = parts.collect::<Result<Vec<_>, _>>().map_err(|error| refuse(error.msg))?;
    if steps.len() > MAX_STEPS {
        return Err(refuse("it has too many parts"));
    }
    let mut walk = Walk { text, folders, visited: 0, found: Vec::new() };
    walk.follow(Path::new(""), &steps, 0)?;
    let mut found = walk.found;
    found.sort();
    // `**/**` comes by the same file more than once.
    found.dedup();
    if found.is_empty() {
        let hint = "`*`, `?` and `[` make a pattern of a name; `[*]`, `[?]` and `[[]` stand for themselves";
        return Err((Problem::NoMatch(text.to_owned()), Some(hint.to_owned())));
    }
    found.into_iter().map(to_text).collect()
}

/// One part of a pattern.
enum Step {
    /// A name as it is, a root, `.` or `..`.
    Plain(PathBuf),
    /// A name with wildcards.
    Name(Pattern),
    /// `**`.
    AnyFolders,
}

fn step(part: Component<'_>) -> Result<Step, PatternError> {
    let Component::Normal(name) = part else { return Ok(Step::Plain(PathBuf::from(part.as_os_str()))) };
    let name: String = name.to_string_lossy().nfc().collect();
    if name == "**" {
        return Ok(Step::AnyFolders);
    }
    if !name.contains(['*', '?', '[']) {
        return Ok(Step::Plain(PathBuf::from(part.as_os_str())));
    }
    Pattern::new(&name).map(Step::Name)
}

struct Walk<'w, F> {
    text: &'w str,
    folders: &'w F,
    visited: usize,
    found: Vec<PathBuf>,
}

impl<F: Folders> Walk<'_, F> {
    fn follow(&mut self, base: &Path, steps: &[Step], level: usize) -> Result<(), Refused> {
        let Some((step, rest)) = steps.split_first() else { return Ok(()) };
        match step {
            Step::Plain(name) => {
                let path = base.join(name);
                if !rest.is_empty() {
                    return self.follow(&path, rest, level);
                }
                // Only reached where wildcards stand in front of it.
                let kind = self.folders.kind(&path).map_err(|error| unreadable(&path, error))?;
                self.visit(1)?;
                self.take(path, kind.unwrap_or(Kind::Other));
                Ok(())
            }
            Step::Name(pattern) => {
                for entry in self.list(base)? {
                    let name: String = entry.name.to_string_lossy().nfc().collect();
                    if !pattern.matches_with(&name, OPTIONS) {
                        continue;
                    }
                    let path = base.join(&entry.name);
                    match (rest.is_empty(), entry.kind) {
                        (true, kind) => self.take(path, kind),
                        (false, Kind::Folder) => self.follow(&path, rest, level)?,
                        (false, _) => {}
                    }
                }
                Ok(())
            }
            Step::AnyFolders => {
                if rest.is_empty() {
                    // `folder/**` stands for all files below it.
                    for entry in self.list(base)? {
                        self.take(base.join(entry.name), entry.kind);
                    }
                } else {
                    self.follow(base, rest, level)?;
                }
                if level >= MAX_LEVELS {
                    return Ok(());
                }
                for entry in self.list(base)? {
                    let hidden = entry.name.to_string_lossy().starts_with('.');
                    if entry.kind == Kind::Folder && !hidden {
                        self.follow(&base.join(entry.name), steps, level + 1)?;
                    }
                }
                Ok(())
            }
        }
    }

    fn take(&mut self, path: PathBuf, kind: Kind) {
        let name = path.file_name().unwrap_or_default().to_owned();
        if kind == Kind::File && is_recipe(&Listed { name, kind }) {
            self.found.push(path);
        }
    }

    /// A folder that is not there holds nothing: the pattern then matches nothing, and that is the fault.
    fn list(&mut self, folder: &Path) -> Result<Vec<Listed>, Refused> {
        match self.folders.list(folder) {
            Ok(entries) => {
                self.visit(entries.len() + 1)?;
                Ok(entries)
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Ok(Vec::new())
            }
            Err(error) => Err(unreadable(folder, error)),
        }
    }

    fn visit(&mut self, entries: usize) -> Result<(), Refused> {
        self.visited += entries;
        if self.visited > MAX_VISITED {
            let hint = "let the pattern begin with the folder that holds the recipes".to_owned();
            return Err((Problem::TooMany { pattern: self.text.to_owned(), max: MAX_VISITED }, Some(hint)));
        }
        Ok(())
    }
}

const OPTIONS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

fn unreadable(path: &Path, error: io::Error) -> Refused {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    (Problem::Unreadable { path: path.to_owned(), source: Arc::new(error) }, None)
}

fn to_text(path: PathBuf) -> Result<String, Refused> {
    path.into_os_string().into_string().map_err(|path| (Problem::PathNotText(PathBuf::from(path)), None))
}
