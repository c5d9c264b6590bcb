//! Which files of a folder it stands for.

use std::path::Path;

/// What recipe files end in (`autopkg-recipes.md §1.1`), and `.recipe.yml` with it.
const SUFFIXES: &[&str] = &[".recipe", ".recipe.plist", ".recipe.yaml", ".recipe.yml"];

/// What to do about a folder that holds no file of a recipe's name.
pub const EMPTY_FOLDER_HINT: &str = "recipe files end in .recipe, .recipe.plist, .recipe.yaml or .recipe.yml; those in folders \
                                     below it are found by `**`, as in 'folder/**/*.recipe.yaml'";

/// Whether a file's name says that it holds a recipe. `._Firefox.recipe` is what macOS leaves beside it on foreign disks.
#[must_use]
pub fn is_recipe_name(name: &str) -> bool {
    !name.starts_with('.')
        && SUFFIXES.iter().any(|suffix| name.strip_suffix(suffix).is_some_and(|stem| !stem.is_empty()))
}

/// Whether it can be told that there is no recipe file in a folder.
pub(crate) fn holds_none(folder: &Path) -> bool {
    let is_recipe = |entry: std::fs::DirEntry| is_recipe_name(&entry.file_name().to_string_lossy());
    folder.read_dir().is_ok_and(|mut entries| !entries.any(|entry| entry.map_or(true, is_recipe)))
}
