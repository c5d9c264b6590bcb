//! Finding recipe files: by identifier, by name, near to each other.

use crate::fault::{Fault, did_you_mean};
use crate::model::Recipe;
use crate::source::{Format, Source};
use std::path::{Path, PathBuf};

/// Levels of folders below a search folder that are looked through. AutoPkg stops after one and so misses files that
/// real repositories have on the second and third (`recipe-corpus.md §3`).
const MAX_LEVELS: usize = 4;
/// Folders that one search looks into; somebody who keeps a recipe in the home folder must not wait for all of it.
const MAX_FOLDERS: usize = 10_000;

/// What recipe files end in, longest first; among equals in one folder earlier ones win (`autopkg-recipes.md §1.4`).
const SUFFIXES: &[&str] =
    &[".recipe", ".recipe.plist", ".recipe.yaml", ".recipe.yml", ".plist", ".yaml", ".yml"];

/// A recipe file that a search came across.
#[derive(Debug)]
struct Candidate {
    path: PathBuf,
    rank: usize,
    /// The file name without suffix.
    name: String,
}

fn candidate(path: PathBuf) -> Option<Candidate> {
    let file_name = path.file_name()?.to_str()?;
    let (rank, suffix) = SUFFIXES
        .iter()
        .enumerate()
        .filter(|(_, suffix)| file_name.ends_with(**suffix))
        .max_by_key(|(_, suffix)| suffix.len())?;
    let name = file_name.strip_suffix(suffix).filter(|name| !name.is_empty())?.to_owned();
    Some(Candidate { path, rank, name })
}

/// Strips one recipe suffix from a name that somebody typed.
fn bare(name: &str) -> &str {
    let suffix = SUFFIXES.iter().filter(|suffix| name.ends_with(**suffix)).max_by_key(|suffix| suffix.len());
    suffix.and_then(|suffix| name.strip_suffix(suffix)).filter(|name| !name.is_empty()).unwrap_or(name)
}

/// The recipe files of a folder, level by level, each level in order; hidden folders and unreadable ones are passed over.
fn walk(root: &Path) -> Vec<Candidate> {
    let (mut found, mut level, mut visited) = (Vec::new(), vec![root.to_owned()], 0);
    for depth in 0..=MAX_LEVELS {
        let (mut files, mut folders) = (Vec::new(), Vec::new());
        for folder in &level {
            visited += 1;
            if visited > MAX_FOLDERS {
                break;
            }
            let Ok(entries) = folder.read_dir() else { continue };
            for entry in entries.flatten() {
                if entry.file_name().to_string_lossy().starts_with('.') {
                    continue;
                }
                // Links are followed: cloned repositories are often linked into place, and the levels are bounded.
                match entry.path().metadata() {
                    Ok(metadata) if metadata.is_dir() && depth < MAX_LEVELS => folders.push(entry.path()),
                    Ok(metadata) if metadata.is_file() => files.extend(candidate(entry.path())),
                    _ => {}
                }
            }
        }
        files.sort_by(|a, b| (a.path.parent(), a.rank, &a.path).cmp(&(b.path.parent(), b.rank, &b.path)));
        found.append(&mut files);
        folders.sort();
        level = folders;
    }
    found
}

/// Looks for the recipe with this identifier. Among several in one search folder, the first in the wanted format is
/// taken, so that recipes that exist in both formats find parents of their own kind; else the first.
pub(crate) fn by_identifier(
    identifier: &str,
    folders: &[PathBuf],
    format: Option<Format>,
) -> Option<(Source, Recipe)> {
    folders.iter().find_map(|folder| {
        let mut first = None;
        for candidate in walk(folder) {
            let Ok(source) = Source::read(&candidate.path) else { continue };
            if !may_contain(&source, identifier) {
                continue;
            }
            let Ok(recipe) = Recipe::read(&source) else { continue };
            if recipe.identifier.as_ref().is_some_and(|found| found.value == identifier) {
                if format.is_none_or(|format| source.format() == format) {
                    return Some((source, recipe));
                }
                first = first.or(Some((source, recipe)));
            }
        }
        first
    })
}

/// Whether it is worth parsing a file: a text that never mentions the identifier is not the recipe. Repositories hold
/// thousands of files. Binary property lists may spell text in UTF-16.
fn may_contain(source: &Source, identifier: &str) -> bool {
    let plain = identifier.chars().all(|ch| ch.is_ascii_alphanumeric() || "._-".contains(ch));
    let needle = identifier.as_bytes();
    !plain
        || needle.is_empty()
        || source.bytes.starts_with(crate::plist::BINARY_MAGIC)
        || source.bytes.windows(needle.len()).any(|window| window == needle)
}

/// Looks for a recipe file of this name, with or without its suffix.
pub(crate) fn by_name(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let bare = bare(name);
    folders.iter().find_map(|folder| {
        let found = walk(folder).into_iter().find(|candidate| {
            let file_name = candidate.path.file_name().and_then(|file_name| file_name.to_str());
            file_name == Some(name) || candidate.name == bare
        });
        found.map(|candidate| candidate.path)
    })
}

/// What a search that failed came across: something near, or a file that may be the one but is broken.
/// `known` are identifiers from elsewhere.
pub(crate) fn near(wanted: &str, folders: &[PathBuf], mut known: Vec<String>) -> Option<String> {
    let mut broken = None;
    for candidate in folders.iter().flat_map(|folder| walk(folder)) {
        let Ok(source) = Source::read(&candidate.path) else { continue };
        match Recipe::read(&source) {
            Ok(recipe) => {
                known.extend(recipe.identifier.map(|identifier| identifier.value));
                known.push(candidate.name);
            }
            Err(faults) if candidate.name == bare(wanted) || may_contain(&source, wanted) => {
                broken = broken.or(faults.into_first());
            }
            Err(_) => {}
        }
    }
    if let Some(fault) = broken {
        return Some(format!("this file may be the one: {}", Fault { hint: None, ..fault }));
    }
    did_you_mean(wanted, known.iter().map(String::as_str))
}
