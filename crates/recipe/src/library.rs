use crate::fault::{Fault, Faults, Problem};
use crate::folder::{EMPTY_FOLDER_HINT, holds_none};
use crate::limits::MAX_PARENTS;
use crate::model::{Recipe, Step};
use crate::place::{Located, Place};
use crate::search::Search;
use crate::source::{Format, Source};
use crate::substitute::references;
use crate::version;
use indexmap::IndexMap;
use pipeline::Value;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A recipe and its parents, merged (`autopkg-recipes.md §2`). Nothing in it is checked yet.
#[derive(Clone, Debug)]
pub struct Chain {
    /// The asked-for recipe's identifier; its path with `-` for `/` if it has none, as AutoPkg names its cache.
    pub identifier: String,
    /// The nearest description.
    pub description: Option<String>,
    /// The highest minimum version.
    pub minimum_version: Option<Located<String>>,
    /// The asked-for file, then its parents, nearest first.
    pub files: Vec<Arc<Path>>,
    /// The merged variables: a child's value replaces the parent's and keeps its place in the order.
    pub input: IndexMap<String, Located<Value>>,
    /// The steps, the root's first.
    pub steps: Vec<Step>,
    /// What the recipe and its parents refer to, also in values that a child has replaced.
    mentioned: HashSet<String>,
    /// Whether all parents are in it.
    pub(crate) is_complete: bool,
    pub(crate) faults: Vec<Fault>,
}

impl Chain {
    /// Whether a `%KEY%` in any of its files uses this name, be it in a value that a child has replaced: the parent's other
    /// children need it.
    #[must_use]
    pub fn mentions(&self, name: &str) -> bool {
        self.mentioned.contains(name)
    }
}

/// Where recipes are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Library {
    /// Folders, in order; each is looked through with the folders below it.
    pub search_dirs: Vec<PathBuf>,
    /// Recipes that come with the program. Their identifiers belong to the program, so they are found before any folder is
    /// looked through; a file that has one of them is reached by its path only.
    pub built_in: Vec<Source>,
}

impl Library {
    /// Loads the recipe that an argument names, and its parents: a file's path, else an identifier, else a file name with
    /// or without suffix.
    ///
    /// # Errors
    /// When the recipe is not found or not readable. What is wrong with its parents is told by [`check`](crate::check()).
    pub fn load(&self, argument: &str) -> Result<Chain, Faults> {
        self.load_with(argument, &mut Search::default())
    }

    /// Loads several. Each search folder is walked once for all of them.
    pub fn load_all<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Vec<Result<Chain, Faults>> {
        let mut search = Search::default();
        arguments.into_iter().map(|argument| self.load_with(argument, &mut search)).collect()
    }

    fn load_with(&self, argument: &str, search: &mut Search) -> Result<Chain, Faults> {
        let path = Path::new(argument);
        let recipe = if path.is_file() {
            read(path)?
        } else if let Some(recipe) = self.built_in(argument) {
            recipe
        } else if let Some(path) = find(search, argument, &self.search_dirs, None) {
            read(&path)?
        } else {
            let near = self.near(search, argument, &self.search_dirs);
            let hint = near.unwrap_or_else(|| format!("looked {}", places(&self.search_dirs)));
            let fault = match irregular(path) {
                Some(_) if path.is_dir() && holds_none(path) => {
                    Fault::new(Place::whole(&Arc::from(path)), Problem::EmptyFolder)
                        .hint(EMPTY_FOLDER_HINT.to_owned())
                }
                Some(problem) => Fault::new(Place::whole(&Arc::from(path)), problem),
                None => Fault::new(None, Problem::RecipeNotFound(argument.to_owned())).hint(hint),
            };
            return Err(fault.into());
        };
        Ok(self.parents(recipe, search))
    }

    /// Loads a recipe that is in memory, and its parents.
    ///
    /// # Errors
    /// When it is not well-formed, or no recipe.
    pub fn load_source(&self, source: &Source) -> Result<Chain, Faults> {
        Ok(self.parents(Recipe::read(source)?, &mut Search::default()))
    }

    /// Climbs from a recipe to the root. A parent that cannot be had is a fault of the chain, and not its end: the steps
    /// that are there are checked all the same, so that everything is told at once.
    fn parents(&self, recipe: Recipe, search: &mut Search) -> Chain {
        let mut recipes = vec![recipe];
        let mut gap = None;
        while let Some(parent) = recipes.last().and_then(|child| child.parent.clone()) {
            match self.next(&parent, &recipes, search) {
                Ok(recipe) => recipes.push(recipe),
                Err(faults) => {
                    gap = Some(faults);
                    break;
                }
            }
        }
        let mut chain = merge(recipes);
        chain.is_complete = gap.is_none();
        chain.faults.extend(gap.into_iter().flat_map(Faults::into_vec));
        chain
    }

    /// The parent of the last recipe, unless the chain must not grow by it.
    fn next(
        &self,
        parent: &Located<String>,
        recipes: &[Recipe],
        search: &mut Search,
    ) -> Result<Recipe, Faults> {
        if recipes.len() > MAX_PARENTS {
            return Err(Fault::new(parent.place.clone(), Problem::TooManyParents).into());
        }
        let next = self.parent(parent, recipes, search)?;
        match circle(recipes, &next) {
            Some(names) => Err(Fault::new(parent.place.clone(), Problem::ParentCycle(names)).into()),
            None => Ok(next),
        }
    }

    fn built_in(&self, identifier: &str) -> Option<Recipe> {
        self.built_in_recipes().find(|recipe| name(recipe) == identifier)
    }

    fn built_in_recipes(&self) -> impl Iterator<Item = Recipe> {
        self.built_in.iter().filter_map(|source| Recipe::read(source).ok())
    }

    fn near(&self, search: &mut Search, wanted: &str, folders: &[PathBuf]) -> Option<String> {
        let built_in = self.built_in_recipes().map(|recipe| name(&recipe));
        search.near(wanted, folders, built_in.collect())
    }

    /// Finds a parent: a path from the child, else an identifier, those of the program first, else a name. Folders of the recipes loaded so far count
    /// as search folders, after the library's own.
    fn parent(
        &self,
        parent: &Located<String>,
        recipes: &[Recipe],
        search: &mut Search,
    ) -> Result<Recipe, Faults> {
        let child = &parent.place.file;
        let folder = child.parent().unwrap_or(Path::new("")).to_owned();
        let path = folder.join(&parent.value);
        if path.is_file() {
            return read(&path);
        }
        if let Some(recipe) = self.built_in(&parent.value) {
            return Ok(recipe);
        }
        let mut folders = self.search_dirs.clone();
        for recipe in recipes.iter().rev() {
            let folder = match recipe.file.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
                _ => PathBuf::from("."),
            };
            if !folders.contains(&folder) {
                folders.push(folder);
            }
        }
        if let Some(path) = find(search, &parent.value, &folders, Format::of(child)) {
            return read(&path);
        }
        let no_file = irregular(&path).filter(|_| !path.is_dir()).map(|problem| {
            let place = Place::whole(&Arc::from(path.as_path()));
            Fault::new(place, problem).to_string()
        });
        let near = no_file.or_else(|| self.near(search, &parent.value, &folders));
        let near = near.map(|near| format!("{near}; ")).unwrap_or_default();
        let problem = Problem::ParentNotFound(parent.value.clone());
        let hint = format!("{near}looked {}", places(&folders));
        Err(Fault::new(parent.place.clone(), problem).hint(hint).into())
    }
}

fn read(path: &Path) -> Result<Recipe, Faults> {
    let source = Source::read(path).map_err(|problem| Fault::new(Place::whole(&Arc::from(path)), problem))?;
    Recipe::read(&source)
}

/// Looks for a recipe by its identifier, else by its file name.
fn find(search: &mut Search, wanted: &str, folders: &[PathBuf], format: Option<Format>) -> Option<PathBuf> {
    search.by_identifier(wanted, folders, format).or_else(|| search.by_name(wanted, folders))
}

/// Why a path that leads to something other than a regular file cannot be read: a pipe, a device, a link in a circle.
fn irregular(path: &Path) -> Option<Problem> {
    path.symlink_metadata().ok()?;
    Source::read(path).err()
}

fn places(folders: &[PathBuf]) -> String {
    match folders {
        [] => "nowhere: no search folders are set; name them with --search-dir or in RECIPE_SEARCH_DIRS, or write the \
               recipe's path"
            .to_owned(),
        folders => {
            let shown: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
            format!("in {} and below", shown.join(", "))
        }
    }
}

fn same_file(a: &Recipe, b: &Recipe) -> bool {
    let resolved = |recipe: &Recipe| recipe.file.canonicalize().unwrap_or_else(|_| recipe.file.to_path_buf());
    a.file == b.file || resolved(a) == resolved(b)
}

fn name(recipe: &Recipe) -> String {
    let path = || recipe.file.display().to_string();
    recipe.identifier.as_ref().map_or_else(path, |identifier| identifier.value.clone())
}

/// The names along the circle that a recipe would close.
fn circle(recipes: &[Recipe], next: &Recipe) -> Option<Vec<String>> {
    let start = recipes.iter().position(|known| same_file(known, next))?;
    Some(recipes[start..].iter().chain([next]).map(name).collect())
}

/// Merges recipes, the asked-for one first.
fn merge(recipes: Vec<Recipe>) -> Chain {
    let files: Vec<_> = recipes.iter().map(|recipe| Arc::clone(&recipe.file)).collect();
    let identifier = recipes.first().map(|recipe| match &recipe.identifier {
        Some(identifier) => identifier.value.clone(),
        None => recipe.file.display().to_string().replace(['/', '\\'], "-"),
    });
    let mut chain = Chain {
        identifier: identifier.unwrap_or_default(),
        description: None,
        minimum_version: None,
        files,
        input: IndexMap::new(),
        steps: Vec::new(),
        mentioned: HashSet::new(),
        is_complete: true,
        faults: Vec::new(),
    };
    let (mut faults, mut count) = (Vec::new(), 0);
    for mut recipe in recipes.into_iter().rev() {
        chain.description = recipe.description.map(|text| text.value).or(chain.description);
        if let Some(minimum) = recipe.minimum_version {
            let highest = chain.minimum_version.take();
            let raises = |highest: &Located<String>| version::compare(&minimum.value, &highest.value).is_ge();
            chain.minimum_version =
                Some(highest.filter(|highest| !raises(highest)).unwrap_or_else(|| minimum.clone()));
        }
        let arguments = recipe.process.iter().flat_map(|step| step.arguments.values());
        let values = recipe.input.values().chain(arguments);
        chain.mentioned.extend(values.flat_map(|located| references(&located.value)));
        chain.input.extend(recipe.input);
        for fault in &mut recipe.faults {
            if let Some((number, _)) = &mut fault.step {
                *number += count;
            }
        }
        faults.push(recipe.faults);
        chain
            .steps
            .extend(recipe.process.into_iter().map(|step| Step { number: step.number + count, ..step }));
        count += recipe.step_count;
    }
    // The asked-for file's own faults come first.
    chain.faults = faults.into_iter().rev().flatten().collect();
    chain
}
