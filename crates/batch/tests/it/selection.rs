//! Folders and patterns become files: on a disk that is a list of paths.

use batch::{Folders, Kind, Listed, RecipeList, Selection, select};
use proptest::prelude::*;
use recipe::Source;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

/// Files, by their paths; folders are what files are in, or end in `/`.
struct Disk(Vec<&'static str>);

impl Disk {
    fn clean(path: &Path) -> PathBuf {
        path.components().filter(|part| !matches!(part, std::path::Component::CurDir)).collect()
    }
}

impl Folders for Disk {
    fn kind(&self, path: &Path) -> io::Result<Option<Kind>> {
        let path = Self::clean(path);
        if path.starts_with("locked") && path != Path::new("locked") {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let is_file = |file: &&&str| Path::new(file) == path && !file.ends_with('/');
        if self.0.iter().any(|file| is_file(&file)) {
            return Ok(Some(Kind::File));
        }
        Ok(self.0.iter().any(|file| Path::new(file).starts_with(&path)).then_some(Kind::Folder))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<Listed>> {
        if Self::clean(folder) == Path::new("locked") {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        if self.kind(folder)? != Some(Kind::Folder) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let folder = Self::clean(folder);
        let below = self.0.iter().filter_map(|file| Path::new(file).strip_prefix(&folder).ok());
        let names: BTreeSet<_> = below
            .filter_map(|rest| rest.components().next())
            .map(|part| part.as_os_str().to_owned())
            .collect();
        // Disks list in no order.
        let entry = |name| {
            let kind = self.kind(&folder.join(&name))?.unwrap_or(Kind::Other);
            Ok(Listed { name, kind })
        };
        names.into_iter().rev().map(entry).collect()
    }
}

fn disk() -> Disk {
    Disk(vec![
        "recipes/Firefox.jamf.recipe.yaml",
        "recipes/Chrome.jamf.recipe",
        "recipes/._Chrome.jamf.recipe",
        "recipes/.recipe",
        "recipes/notes.txt",
        "recipes/Parents/Firefox.pkg.recipe",
        "recipes/Parents/Old/Opera.jamf.recipe.plist",
        "recipes/.git/Hidden.jamf.recipe",
        "recipes/Gru\u{308}n.jamf.recipe.yml",
        "odd/[1] Odd*.recipe",
        "empty/",
        "Word/readme.md",
        "locked/A.recipe",
    ])
}

fn run(arguments: &[&str], lists: &[(&str, &str)]) -> Result<Selection, batch::Faults> {
    let arguments: Vec<_> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    let lists: Vec<_> = lists
        .iter()
        .map(|(name, text)| RecipeList::read(&Source { path: name.into(), bytes: (*text).into() }).unwrap())
        .collect();
    select(&arguments, &lists, &disk())
}

fn report(arguments: &[&str], lists: &[(&str, &str)]) -> String {
    let selection = match run(arguments, lists) {
        Ok(selection) => selection,
        Err(faults) => return faults.to_string(),
    };
    let mut text = String::new();
    for selected in &selection.recipes {
        // The accent, which an editor would not show apart.
        let recipe = selected.recipe.replace('\u{308}', "¨");
        writeln!(text, "{recipe} ({})", selected.origin).unwrap();
    }
    for note in &selection.notes {
        writeln!(text, "note: {note}").unwrap();
    }
    text
}

#[test]
fn names_and_files_stay_as_they_are() {
    insta::assert_snapshot!(report(&["com.example.jamf.Firefox", "recipes/notes.txt", "Word", "nowhere/A.recipe"], &[]), @r"
    com.example.jamf.Firefox (command line)
    recipes/notes.txt (command line)
    Word (command line)
    nowhere/A.recipe (command line)
    ");
}

#[test]
fn folders() {
    insta::assert_snapshot!(report(&["recipes"], &[]), @r"
    recipes/Chrome.jamf.recipe (command line)
    recipes/Firefox.jamf.recipe.yaml (command line)
    recipes/Gru¨n.jamf.recipe.yml (command line)
    ");
    insta::assert_snapshot!(report(&["empty/", "./Word"], &[]), @r"
    the folder empty/ holds no recipe file
      hint: recipe files end in .recipe, .recipe.plist, .recipe.yaml or .recipe.yml; those in folders below it are found by `**`, as in 'folder/**/*.recipe.yaml'
    the folder ./Word holds no recipe file
      hint: recipe files end in .recipe, .recipe.plist, .recipe.yaml or .recipe.yml; those in folders below it are found by `**`, as in 'folder/**/*.recipe.yaml'
    2 faults
    ");
}

#[test]
fn patterns() {
    insta::assert_snapshot!(report(&["recipes/*.jamf.*"], &[]), @r"
    recipes/Chrome.jamf.recipe (command line)
    recipes/Firefox.jamf.recipe.yaml (command line)
    recipes/Gru¨n.jamf.recipe.yml (command line)
    ");
    insta::assert_snapshot!(report(&["recipes/**/*.recipe*"], &[]), @r"
    recipes/Chrome.jamf.recipe (command line)
    recipes/Firefox.jamf.recipe.yaml (command line)
    recipes/Gru¨n.jamf.recipe.yml (command line)
    recipes/Parents/Firefox.pkg.recipe (command line)
    recipes/Parents/Old/Opera.jamf.recipe.plist (command line)
    ");
    assert_eq!(report(&["recipes/**"], &[]), report(&["./recipes/**/**/*"], &[]).replace("./", ""));
    // A folder that is closed and that nobody has named.
    insta::assert_snapshot!(report(&["*/P*/*.recipe"], &[]), @r"
    recipes/Parents/Firefox.pkg.recipe (command line)
    note: passed over locked: permission denied
    ");
    insta::assert_snapshot!(report(&["recipes/?hrome.jamf.recipe", "recipes/[A-D]*"], &[]), @r"
    recipes/Chrome.jamf.recipe (command line)
    note: recipes/Chrome.jamf.recipe is asked for twice and runs once; first on the command line
    ");
    // Composed where the disk is decomposed, and a file whose name looks like a pattern.
    insta::assert_snapshot!(report(&["recipes/Gr\u{FC}*.recipe.yml", "odd/[1] Odd*.recipe"], &[]), @r"
    recipes/Gru¨n.jamf.recipe.yml (command line)
    odd/[1] Odd*.recipe (command line)
    ");
}

#[test]
fn arguments_come_before_lists_and_nothing_twice() {
    let lists = [
        ("a.txt", "Firefox.jamf\nrecipes/*.recipe\nOpera\n"),
        ("b.yaml", "preprocessors: []\nrecipes: [Opera, Safari]\n"),
    ];
    insta::assert_snapshot!(report(&["Opera", "./recipes/Chrome.jamf.recipe"], &lists), @r"
    Opera (command line)
    ./recipes/Chrome.jamf.recipe (command line)
    Firefox.jamf (a.txt:1:1)
    Safari (b.yaml:2:18)
    note: b.yaml:1:1: preprocessors is not used: recipes run with their own steps only
    note: a.txt:2:1: recipes/Chrome.jamf.recipe is asked for twice and runs once; first on the command line
    note: a.txt:3:1: Opera is asked for twice and runs once; first on the command line
    note: b.yaml:2:11: Opera is asked for twice and runs once; first on the command line
    ");
}

#[test]
fn all_faults_are_told() {
    let list = ("a.txt", "nowhere/*.recipe\nrecipes/[A.recipe\nlocked/*.recipe\nrecipes/*.txt\n");
    insta::assert_snapshot!(report(&["recipes/a**/x", "fine"], &[list]), @r"
    `recipes/a**/x` is not a pattern: recursive wildcards must form a single path component
    a.txt:1:1: `nowhere/*.recipe` matches no recipe file
      hint: `*`, `?` and `[` make a pattern of a name; `[*]`, `[?]` and `[[]` stand for themselves
    a.txt:2:1: `recipes/[A.recipe` is not a pattern: invalid range pattern
    a.txt:3:1: cannot look into locked/*.recipe: permission denied
    a.txt:4:1: `recipes/*.txt` matches no recipe file
      hint: `*`, `?` and `[` make a pattern of a name; `[*]`, `[?]` and `[[]` stand for themselves
    5 faults
    ");
    insta::assert_snapshot!(report(&[], &[]), @r"
    there is no recipe to run
    1 fault
    ");
}

/// A disk on which every folder holds itself: links that lead in a circle.
struct Circle;

impl Folders for Circle {
    fn kind(&self, path: &Path) -> io::Result<Option<Kind>> {
        Ok(match path.file_name().and_then(|name| name.to_str()) {
            Some("A.recipe") => Some(Kind::File),
            Some("again" | "too") | None => Some(Kind::Folder),
            Some(_) => None,
        })
    }

    fn list(&self, _folder: &Path) -> io::Result<Vec<Listed>> {
        let folder = |name: &str| Listed { name: name.into(), kind: Kind::Folder };
        Ok(vec![folder("again"), folder("too"), Listed { name: "A.recipe".into(), kind: Kind::File }])
    }
}

#[test]
fn a_circle_of_links_ends() {
    let faults = select(&["**/*.recipe".to_owned()], &[], &Circle).unwrap_err().to_string();
    insta::assert_snapshot!(faults, @r"
    `**/*.recipe` leads through more than 100000 files and folders
      hint: let the pattern begin with the folder that holds the recipes
    1 fault
    ");
    let long = format!("{}*.recipe", "**/a/".repeat(100_000));
    assert!(select(&[long], &[], &Circle).unwrap_err().to_string().contains("it has too many parts"));
}

fn words() -> impl Strategy<Value = String> {
    prop::string::string_regex("(recipes|[*?\\[\\]a-f!.-]{1,5}|\\*\\*|\\.\\.|/|\\PC{1,3}){1,4}").unwrap()
}

proptest! {
    #[test]
    fn never_panics(arguments in prop::collection::vec(words(), 0..4)) {
        match select(&arguments, &[], &disk()) {
            Ok(selection) => prop_assert!(!selection.recipes.is_empty()),
            Err(faults) => prop_assert!(faults.len() > 0),
        }
    }
}
