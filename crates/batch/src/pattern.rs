//! Patterns such as `recipes/**/*.jamf.recipe.yaml`, walked through part by part.

use crate::fault::Problem;
use crate::select::{Expanded, Folders, Kind, Listed, Refused, is_recipe, to_text, unreadable};
use glob::{MatchOptions, Pattern, PatternError};
use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};
use unicode_normalization::UnicodeNormalization as _;

/// How many files and folders one pattern looks at.
const MAX_VISITED: usize = 100_000;
/// How deep `**` goes.
const MAX_LEVELS: usize = 16;
/// How many parts a pattern has.
const MAX_STEPS: usize = 64;

/// The recipe files that a pattern matches, in the order of their paths.
pub(crate) fn matches(text: &str, folders: &impl Folders) -> Result<Expanded, Refused> {
    let refuse = |why: &str| (Problem::Pattern { pattern: text.to_owned(), why: why.to_owned() }, None);
    let parts = Path::new(text).components().map(step);
    let steps = parts.collect::<Result<Vec<_>, _>>().map_err(|error| refuse(error.msg))?;
    if steps.len() > MAX_STEPS {
        return Err(refuse("it has too many parts"));
    }
    let mut walk = Walk { text, folders, visited: 0, found: Vec::new(), passed_over: BTreeMap::new() };
    walk.follow(Path::new(""), &steps, At { level: 0, by_wildcard: false })?;
    let Walk { mut found, passed_over, .. } = walk;
    found.sort();
    // `**/**` comes by the same file more than once.
    found.dedup();
    if found.is_empty() {
        let hint = "`*`, `?` and `[` make a pattern of a name; `[*]`, `[?]` and `[[]` stand for themselves";
        return Err((Problem::NoMatch(text.to_owned()), Some(hint.to_owned())));
    }
    let recipes = found.into_iter().map(to_text).collect::<Result<_, _>>()?;
    Ok(Expanded { recipes, passed_over })
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
    passed_over: BTreeMap<PathBuf, String>,
}

/// How the walk got where it is.
#[derive(Clone, Copy)]
struct At {
    /// How many folders `**` has led down.
    level: usize,
    /// Whether wildcards led there: nobody has asked for exactly this folder then.
    by_wildcard: bool,
}

impl<F: Folders> Walk<'_, F> {
    fn follow(&mut self, base: &Path, steps: &[Step], at: At) -> Result<(), Refused> {
        let Some((step, rest)) = steps.split_first() else { return Ok(()) };
        match step {
            Step::Plain(name) => {
                let path = base.join(name);
                if !rest.is_empty() {
                    return self.follow(&path, rest, at);
                }
                // Only reached where wildcards stand in front of it.
                self.visit(1)?;
                match self.folders.kind(&path) {
                    Ok(kind) => self.take(path, kind.unwrap_or(Kind::Other)),
                    Err(error) => self.refuse(&path, error, at)?,
                }
                Ok(())
            }
            Step::Name(pattern) => {
                let below = At { by_wildcard: true, ..at };
                for entry in self.list(base, at)? {
                    let name: String = entry.name.to_string_lossy().nfc().collect();
                    if !pattern.matches_with(&name, OPTIONS) {
                        continue;
                    }
                    let path = base.join(&entry.name);
                    match (rest.is_empty(), entry.kind) {
                        (true, kind) => self.take(path, kind),
                        (false, Kind::Folder) => self.follow(&path, rest, below)?,
                        (false, _) => {}
                    }
                }
                Ok(())
            }
            Step::AnyFolders => {
                if rest.is_empty() {
                    // `folder/**` stands for all files below it.
                    for entry in self.list(base, at)? {
                        self.take(base.join(entry.name), entry.kind);
                    }
                } else {
                    self.follow(base, rest, at)?;
                }
                if at.level >= MAX_LEVELS {
                    return Ok(());
                }
                let below = At { level: at.level + 1, by_wildcard: true };
                for entry in self.list(base, at)? {
                    let hidden = entry.name.to_string_lossy().starts_with('.');
                    if entry.kind == Kind::Folder && !hidden {
                        self.follow(&base.join(entry.name), steps, below)?;
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
    fn list(&mut self, folder: &Path, at: At) -> Result<Vec<Listed>, Refused> {
        match self.folders.list(folder) {
            Ok(entries) => {
                self.visit(entries.len() + 1)?;
                Ok(entries)
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Ok(Vec::new())
            }
            Err(error) => self.refuse(folder, error, at).map(|()| Vec::new()),
        }
    }

    /// What somebody named and cannot be read is a fault; what only lies on the way is not. `**` over a home folder would
    /// always find something that is closed to it.
    fn refuse(&mut self, path: &Path, error: io::Error, at: At) -> Result<(), Refused> {
        if !at.by_wildcard {
            return Err(unreadable(path, error));
        }
        self.passed_over.insert(path.to_owned(), error.to_string());
        Ok(())
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
