//! The two files beside the target while a download is not finished: the `.part` file with the bytes, and its journal.
//!
//! What a kill may leave, in the order in which it comes about: an empty journal; a journal that names the file; an
//! empty `.part`; a `.part` of full size with some ranges in place; the target in place of the `.part`; the target
//! alone. The journal comes first and goes last, and is locked meanwhile, so that whoever finds it knows what the other
//! one is.

use crate::Error;
use crate::disk::{self, Writes};
use crate::journal::{self, Header, Left};
use crate::ranges::{Cut, Done};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A journal of the largest file that S3 holds takes a seventh of it.
const LONGEST_JOURNAL: u64 = 16 << 20;

/// Where things are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Paths {
    /// Where the file goes.
    pub target: PathBuf,
    /// `NAME.part`.
    pub part: PathBuf,
    /// `NAME.part.ranges`.
    pub journal: PathBuf,
}

impl Paths {
    pub(crate) fn beside(target: &Path) -> Self {
        let with = |suffix: &str| {
            let mut name = target.file_name().map(OsString::from).unwrap_or_default();
            name.push(suffix);
            target.with_file_name(name)
        };
        Self { part: with(".part"), journal: with(".part.ranges"), target: target.to_owned() }
    }

    /// What an earlier run left; only what a journal says to be ours.
    pub(crate) fn left_over(&self) -> Vec<&Path> {
        if !disk::is_there(&self.journal) {
            return Vec::new();
        }
        let part = disk::is_there(&self.part).then_some(self.part.as_path());
        part.into_iter().chain([self.journal.as_path()]).collect()
    }

    /// How many bytes an earlier run left that still count.
    pub(crate) fn kept(&self, header: &Header, cut: Cut) -> u64 {
        let whole_part = std::fs::metadata(&self.part).is_ok_and(|part| part.len() == cut.size());
        let left = File::open(&self.journal).and_then(|journal| read_journal(&journal));
        match left.map(|bytes| journal::read(&bytes, header, cut)) {
            Ok(Left::Ranges { done, .. }) if whole_part => done.bytes(),
            _ => 0,
        }
    }

    /// Removes what an earlier run left, unless somebody is at work on it. Gives what was removed.
    pub(crate) fn clean(&self) -> Result<Vec<PathBuf>, Error> {
        let Ok(journal) = disk::open(&self.journal, Writes::AtEnd) else { return Ok(Vec::new()) };
        if !disk::lock(&journal).map_err(disk::failed("lock", &self.journal))? {
            return Ok(Vec::new());
        }
        let left = self.left_over();
        for path in &left {
            disk::remove(path).map_err(disk::failed("remove", path))?;
        }
        Ok(left.into_iter().map(Path::to_owned).collect())
    }
}

/// The two files, open, and nobody else's.
#[derive(Debug)]
pub(crate) struct Scratch {
    paths: Paths,
    part: Arc<File>,
    /// Locked as long as it is open.
    journal: Arc<File>,
}

/// A download that can begin or go on.
#[derive(Debug)]
pub(crate) struct Opened {
    pub scratch: Scratch,
    /// What is there already.
    pub done: Done,
    /// Why what an earlier run left does not count.
    pub anew: Option<&'static str>,
}

impl Scratch {
    /// Takes the two files, or makes them, with room for the whole file.
    pub(crate) fn open(paths: Paths, header: &Header, cut: Cut) -> Result<Opened, Error> {
        let (journal, is_new) = take_journal(&paths)?;
        let part_is_there = disk::is_there(&paths.part);
        let bytes = read_journal(&journal).map_err(disk::failed("read", &paths.journal))?;
        let (left, anew) = match journal::read(&bytes, header, cut) {
            Left::Ranges { done, length } => {
                match disk::open(&paths.part, Writes::Anywhere)
                    .ok()
                    .filter(|part| disk::size(part) == Some(cut.size()))
                {
                    Some(part) => (Some((part, done, length)), None),
                    None if done.bytes() == 0 => (None, None),
                    None => (None, Some("its .part file is gone or was changed")),
                }
            }
            Left::Other => (None, Some("the listed file is another one, or has no digests to tell")),
            Left::Nothing if is_new && part_is_there => {
                (None, Some("nobody knows what is in its .part file"))
            }
            Left::Nothing => (None, None),
        };
        let is_fresh = left.is_none();
        let opened = match left {
            Some((part, done, length)) => {
                journal.set_len(length).map_err(disk::failed("write", &paths.journal))?;
                Opened { scratch: Self::new(paths, part, journal), done, anew }
            }
            None => {
                let part = begin(&paths, &journal, header)?;
                Opened { scratch: Self::new(paths, part, journal), done: Done::nothing(cut), anew }
            }
        };
        match disk::reserve(&opened.scratch.part, cut.size(), &opened.scratch.paths.part) {
            Ok(()) => Ok(opened),
            Err(error) => {
                if is_fresh {
                    opened.scratch.discard()?;
                }
                Err(error)
            }
        }
    }

    fn new(paths: Paths, part: File, journal: File) -> Self {
        Self { paths, part: Arc::new(part), journal: Arc::new(journal) }
    }

    pub(crate) fn paths(&self) -> &Paths {
        &self.paths
    }

    pub(crate) fn part(&self) -> &Arc<File> {
        &self.part
    }

    pub(crate) fn journal(&self) -> &Arc<File> {
        &self.journal
    }

    /// Puts the file in its place: safe on the disk first, and not over another one that nobody asked to replace.
    pub(crate) fn commit(self, overwrite: bool) -> Result<(), Error> {
        let Paths { target, part, journal } = &self.paths;
        self.part.sync_all().map_err(disk::failed("write", part))?;
        let renamed = if overwrite { std::fs::rename(part, target) } else { disk::rename_new(part, target) };
        match renamed {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && !overwrite => {
                return Err(Error::Appeared { target: target.clone() });
            }
            Err(error) => return Err(disk::failed("put in place", target)(error)),
        }
        disk::sync_folder(target);
        disk::remove(journal).map_err(disk::failed("remove", journal))
    }

    /// Removes both files: nothing in them is of use.
    pub(crate) fn discard(self) -> Result<(), Error> {
        for path in [&self.paths.part, &self.paths.journal] {
            disk::remove(path).map_err(disk::failed("remove", path))?;
        }
        Ok(())
    }
}

/// Notes that a range is in place. In one write, so that a kill leaves a whole line or a piece of one.
pub(crate) fn note(mut journal: &File, index: u64) -> io::Result<()> {
    journal.write_all(journal::line(index).as_bytes())
}

/// Opens and locks the journal, and tells whether it is new.
fn take_journal(paths: &Paths) -> Result<(File, bool), Error> {
    let path = &paths.journal;
    // Another run may remove it between the opening and the locking, but not again and again.
    for _ in 0..100 {
        let (file, is_new) = match disk::create(path, Writes::AtEnd) {
            Ok(file) => (file, true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                match disk::open(path, Writes::AtEnd) {
                    Ok(file) => (file, false),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    Err(error) => return Err(disk::failed("open", path)(error)),
                }
            }
            Err(error) => return Err(disk::failed("create", path)(error)),
        };
        if !disk::lock(&file).map_err(disk::failed("lock", path))? {
            break;
        }
        if disk::is_at(&file, path) {
            return Ok((file, is_new));
        }
    }
    Err(Error::Busy { target: paths.target.clone() })
}

fn read_journal(mut journal: &File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    journal.rewind()?;
    journal.take(LONGEST_JOURNAL).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Makes both files anew. The journal says which file it is before there is a `.part` file.
fn begin(paths: &Paths, mut journal: &File, header: &Header) -> Result<File, Error> {
    let line = header.line().map_err(|source| disk::failed("write", &paths.journal)(source.into()))?;
    let written = journal.set_len(0).and_then(|()| journal.write_all(line.as_bytes()));
    written.map_err(disk::failed("write", &paths.journal))?;
    // Not emptied but removed: a write of an earlier run may still be under way to the old one.
    disk::remove(&paths.part).map_err(disk::failed("remove", &paths.part))?;
    disk::create(&paths.part, Writes::Anywhere).map_err(disk::failed("create", &paths.part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scratch_files_stand_beside_the_target() {
        let paths = Paths::beside(Path::new("/some/where/App 1.0.pkg"));
        assert_eq!(paths.part, Path::new("/some/where/App 1.0.pkg.part"));
        assert_eq!(paths.journal, Path::new("/some/where/App 1.0.pkg.part.ranges"));
        assert_eq!(Paths::beside(Path::new("App.pkg")).part, Path::new("App.pkg.part"));
    }
}
