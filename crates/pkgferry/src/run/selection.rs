//! Which recipes a run is made of, and which of their packages are this machine's.

use crate::error::Error;
use crate::process::Process;
use crate::settings::{is_plain, others_can_read};
use batch::{Folders, Kind, Listed, Note, RecipeList, Selected, Selection, ShardChoice};
use pipeline::{Env, Origin, Shard, Value, keys};
use recipe::{Chain, Faults, Library, Place, Source};
use std::collections::{BTreeMap, HashMap};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The recipes of a run, and what the lists say about them.
pub struct Chosen {
    selection: Selection,
    lists: Vec<RecipeList>,
}

impl Chosen {
    /// Reads the lists, and finds what arguments and lists stand for.
    pub fn read(arguments: &[String], lists: &[PathBuf]) -> Result<Self, Error> {
        let (chosen, errors) = Self::read_partly(arguments, lists);
        match together(errors) {
            None => Ok(chosen),
            Some(error) => Err(error),
        }
    }

    /// The same for who only looks: what is there, and beside it what is wrong with the rest.
    pub fn read_partly(arguments: &[String], lists: &[PathBuf]) -> (Self, Vec<Error>) {
        let mut errors = Vec::new();
        let lists: Vec<_> =
            lists.iter().filter_map(|path| list(path).map_err(|error| errors.push(error)).ok()).collect();
        let (selection, faults) = batch::select_partly(arguments, &lists, &Disk);
        // Where no list can be read, that nothing is left is no news.
        let is_news = !selection.recipes.is_empty() || !arguments.is_empty() || errors.is_empty();
        errors.extend(faults.filter(|_| is_news).map(Error::Selection));
        (Self { selection, lists }, errors)
    }

    /// Reads the recipes. What several names lead to, with the same variables, is taken once, and that is noted.
    pub fn load(&mut self, library: &Library) -> Vec<Wanted> {
        let chains = library.load_all(self.selection.recipes.iter().map(|selected| selected.recipe.as_str()));
        let mut all: Vec<Wanted> = Vec::new();
        let mut seen: HashMap<PathBuf, Vec<(usize, &Selected)>> = HashMap::new();
        for (selected, chain) in self.selection.recipes.iter().zip(chains) {
            let variables = self.variables_of(selected);
            if let Some(file) = chain.as_ref().ok().and_then(file) {
                let known = seen.entry(file).or_default();
                if let Some((_, first)) =
                    known.iter().find(|(index, _)| say_the_same(&all[*index].variables, &variables))
                {
                    self.selection.notes.push(Note::SameRecipe {
                        recipe: selected.recipe.clone(),
                        place: selected.origin.place(),
                        known: first.recipe.clone(),
                        first: first.origin.place(),
                    });
                    continue;
                }
                known.push((all.len(), selected));
            }
            all.push(Wanted { name: selected.recipe.clone(), variables, chain: Arc::new(chain) });
        }
        all
    }

    /// The variables that lists set, and where they stand.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &Place)> {
        let variables = self.lists.iter().flat_map(|list| &list.variables);
        variables.map(|(name, located)| (name.as_str(), &located.place))
    }

    /// What somebody may want to know about the lists.
    pub fn notes(&self) -> &[Note] {
        &self.selection.notes
    }

    fn variables_of(&self, selected: &Selected) -> Env {
        let mut env = Env::new();
        if let batch::Origin::List(place) = &selected.origin
            && let Some(list) = self.lists.iter().find(|list| list.file == place.file)
        {
            for (name, located) in &list.variables {
                // It wins over a recipe's Input, as -k does, and -k wins over it (`autopkg-recipes.md §3.2`).
                env.insert(name, located.value.clone(), Origin::List(list.file.to_path_buf()), false);
            }
        }
        env
    }
}

/// A recipe of a run, and what became of reading it.
pub struct Wanted {
    /// As somebody wrote it.
    pub name: String,
    /// What its list sets.
    pub variables: Env,
    /// The recipe and its parents.
    pub chain: Arc<Result<Chain, Faults>>,
}

/// The file of a recipe, one path for all that lead to its folder. A link to the file itself is another recipe: what it says of its own
/// folder differs.
fn file(chain: &Chain) -> Option<PathBuf> {
    let file = chain.files.first()?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // What comes with the program is nowhere on the disk.
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    Some(folder.join(file.file_name()?))
}

/// Whether the same variables have the same values, wherever they stand.
fn say_the_same(a: &Env, b: &Env) -> bool {
    let values = |env: &Env| -> BTreeMap<String, Value> {
        env.iter().map(|(name, entry)| (name.to_owned(), entry.value().clone())).collect()
    };
    values(a) == values(b)
}

/// The first error, with the faults of all lists if it is about these.
fn together(errors: Vec<Error>) -> Option<Error> {
    let mut errors = errors.into_iter();
    let mut first = errors.next()?;
    if let Error::Selection(faults) = &mut first {
        for error in errors {
            if let Error::Selection(more) = error {
                faults.extend(more);
            }
        }
    }
    Some(first)
}

fn list(path: &Path) -> Result<RecipeList, Error> {
    let source = Source::read(path)
        .map_err(|source| Error::RecipeList { path: path.to_owned(), source: Box::new(source) })?;
    let list = RecipeList::read(&source).map_err(Error::Selection)?;
    let mut variables = list.variables.iter();
    let is_written = |name: &str, value| keys::SECRETS.contains(&name) && is_plain(value);
    if let Some((name, _)) = variables.find(|(name, located)| is_written(name, &located.value))
        && others_can_read(path)?
    {
        return Err(Error::OpenSecrets { path: path.to_owned(), name: name.clone() });
    }
    Ok(list)
}

/// Which shard a run takes; `None` for all packages.
pub fn shard(choice: Option<ShardChoice>, process: &Process) -> Result<Option<Shard>, Error> {
    match choice {
        None => Ok(None),
        Some(ShardChoice::Fixed(shard)) => Ok(Some(shard)),
        Some(ShardChoice::Auto) => {
            let detected = batch::detect_shard(|name| process.variable(name).map(str::to_owned));
            Ok(detected.map_err(Error::Shard)?.map(|detected| detected.shard))
        }
    }
}

/// What there is on the disk.
struct Disk;

impl Folders for Disk {
    fn kind(&self, path: &Path) -> io::Result<Option<Kind>> {
        match path.metadata() {
            Ok(metadata) => Ok(Some(kind(&metadata))),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            // A pattern or a name may be longer than a file name can be.
            Err(error) if error.kind() == ErrorKind::InvalidFilename => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<Listed>> {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let mut listed = Vec::new();
        for entry in folder.read_dir()? {
            let entry = entry?;
            // A link that leads nowhere is nothing to run.
            let kind = entry.path().metadata().map_or(Kind::Other, |metadata| kind(&metadata));
            listed.push(Listed { name: entry.file_name(), kind });
        }
        Ok(listed)
    }
}

fn kind(metadata: &std::fs::Metadata) -> Kind {
    if metadata.is_dir() {
        Kind::Folder
    } else if metadata.is_file() {
        Kind::File
    } else {
        Kind::Other
    }
}
