//! Finding recipe files: by identifier, by name, near to each other.

use crate::fault::Fault;
use crate::model::Recipe;
use crate::source::{Format, Source};
use crate::words::did_you_mean;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Levels of folders below a search folder that are looked through. AutoPkg stops after one and so misses files that
/// real repositories have on the second and third (`recipe-corpus.md §3`).
const MAX_LEVELS: usize = 4;
/// Folders that one search looks into; somebody who keeps a recipe in the home folder must not wait for all of it.
const MAX_FOLDERS: usize = 10_000;

/// Files up to this size are parsed only to see whether their identifier is near to one that was not found.
const MAX_GUESSED: usize = 256 << 10;

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

/// What searches for one chain have found out. Folders are walked once and files parsed once, however many parents are
/// looked for.
#[derive(Default)]
pub(crate) struct Search {
    walks: HashMap<PathBuf, Rc<[Candidate]>>,
    /// The files that were parsed.
    parsed: HashMap<PathBuf, Result<Identity, Fault>>,
}

/// What a recipe file is known by.
#[derive(Debug)]
struct Identity {
    identifier: Option<String>,
    format: Format,
}

impl Search {
    fn walk(&mut self, folder: &Path) -> Rc<[Candidate]> {
        let known = self.walks.entry(folder.to_owned());
        Rc::clone(known.or_insert_with(|| walk(folder).into()))
    }

    /// What a file is known by, unless `worth` finds that it need not be parsed. `None` also if it cannot be read.
    fn identity(&mut self, path: &Path, worth: impl Fn(&Source) -> bool) -> Option<&Result<Identity, Fault>> {
        if !self.parsed.contains_key(path) {
            let source = Source::read(path).ok().filter(worth)?;
            let identity = match Recipe::read(&source) {
                Ok(recipe) => Ok(Identity {
                    identifier: recipe.identifier.map(|identifier| identifier.value),
                    format: source.format(),
                }),
                Err(faults) => Err(faults.into_vec().into_iter().next()?),
            };
            self.parsed.insert(path.to_owned(), identity);
        }
        self.parsed.get(path)
    }

    /// Looks for the recipe with this identifier. Among several in one search folder, the first in the wanted format is
    /// taken, so that recipes that exist in both formats find parents of their own kind; else the first.
    pub(crate) fn by_identifier(
        &mut self,
        identifier: &str,
        folders: &[PathBuf],
        format: Option<Format>,
    ) -> Option<PathBuf> {
        folders.iter().find_map(|folder| {
            let mut first = None;
            for candidate in self.walk(folder).iter() {
                let identity = self.identity(&candidate.path, |source| may_contain(source, identifier));
                let Some(Ok(found)) = identity else { continue };
                if found.identifier.as_deref() == Some(identifier) {
                    if format.is_none_or(|format| found.format == format) {
                        return Some(candidate.path.clone());
                    }
                    first = first.or_else(|| Some(candidate.path.clone()));
                }
            }
            first
        })
    }

    /// Looks for a recipe file of this name, with or without its suffix.
    pub(crate) fn by_name(&mut self, name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
        let bare = bare(name);
        folders.iter().find_map(|folder| {
            let walk = self.walk(folder);
            let found = walk.iter().find(|candidate| {
                let file_name = candidate.path.file_name().and_then(|file_name| file_name.to_str());
                file_name == Some(name) || candidate.name == bare
            });
            found.map(|candidate| candidate.path.clone())
        })
    }

    /// What a search that failed came across: something near, or a file that may be the one but is broken.
    /// `known` are identifiers from elsewhere.
    pub(crate) fn near(
        &mut self,
        wanted: &str,
        folders: &[PathBuf],
        mut known: Vec<String>,
    ) -> Option<String> {
        let mut broken = None;
        for folder in folders {
            for candidate in self.walk(folder).iter() {
                let named = candidate.name == bare(wanted);
                let worth = |source: &Source| {
                    source.bytes.len() <= MAX_GUESSED || named || may_contain(source, wanted)
                };
                match self.identity(&candidate.path, worth) {
                    Some(Ok(found)) => {
                        known.extend(found.identifier.clone());
                        known.push(candidate.name.clone());
                    }
                    Some(Err(fault)) if broken.is_none() => {
                        let mentioned =
                            || Source::read(&candidate.path).is_ok_and(|source| may_contain(&source, wanted));
                        if named || mentioned() {
                            broken = Some(Fault { hint: None, ..fault.clone() });
                        }
                    }
                    _ => {}
                }
            }
        }
        if let Some(fault) = broken {
            return Some(format!("this file may be the one: {fault}"));
        }
        did_you_mean(wanted, known.iter().map(String::as_str))
    }
}

/// Whether it is worth parsing a file: a text that never mentions the identifier is not the recipe. Repositories hold
/// thousands of files, and one that takes long must not hold up recipes that have nothing to do with it. Binary property
/// lists may spell text in UTF-16.
fn may_contain(source: &Source, identifier: &str) -> bool {
    let plain = identifier.chars().all(|ch| ch.is_ascii_alphanumeric() || "._-".contains(ch));
    let needle = identifier.as_bytes();
    !plain
        || needle.is_empty()
        || source.bytes.starts_with(crate::plist::BINARY_MAGIC)
        || source.bytes.windows(needle.len()).any(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_walks_once_and_parses_what_mentions_the_identifier() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("a.yaml", "Identifier: org.a\nParentRecipe: org.b\n");
        write("b.yaml", "Identifier: org.b\nProcess: []\n");
        write("broken.yaml", "Identifier: [\n");
        let (mut search, folders) = (Search::default(), [folder.path().to_owned()]);
        let mut found = |identifier| {
            let found = search.by_identifier(identifier, &folders, None);
            let mut parsed: Vec<_> =
                search.parsed.keys().filter_map(|path| path.file_name()?.to_str()).collect();
            parsed.sort_unstable();
            (found, parsed.join(" "))
        };
        assert_eq!(found("org.a"), (Some(folder.path().join("a.yaml")), "a.yaml".to_owned()));
        write("0.yaml", "Identifier: org.b\nProcess: []\n");
        let expected = (Some(folder.path().join("b.yaml")), "a.yaml b.yaml".to_owned());
        assert_eq!(found("org.b"), expected, "the folder is not walked again");
        assert_eq!(found("org.c").0, None);
    }
}
