//! One at a time: which process works on which packages of a server, and since when.
//!
//! Each holder writes a file that names its life, which ends with the process (the `life` module). Who wants to hold looks
//! through these files and adds its own, behind a door that one process at a time passes: a file lock, held for that long only.

use crate::{Error, State, folder};
use jiff::Timestamp;
use pipeline::{Shard, digits};
use std::fmt;
use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

/// What a process that wants a server says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// What it does there, for who comes second: `run nightly.yaml`.
    pub what: &'a str,
    /// The name of this machine.
    pub host: &'a str,
    /// Now.
    pub since: Timestamp,
}

/// A process that works on a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its number on its machine.
    pub pid: u32,
    /// Its machine.
    pub host: String,
    /// What it does.
    pub what: String,
    /// Since when.
    pub since: Timestamp,
}

/// Packages of a server that another process works on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The server.
    pub server: String,
    /// Whose packages were wanted.
    pub wanted: Shard,
    /// Whose packages the other process has.
    pub shard: Shard,
    /// Which process it is.
    pub by: Holder,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pid, host, what, since } = self;
        write!(f, "process {pid} on {host} since {since:.0} ({what})")
    }
}

/// `another pkgferry works on …: process 71 on mac-3 since … (run nightly.yaml)`.
impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, wanted, shard, by } = self;
        write!(f, "another pkgferry works on ")?;
        match (*wanted, *shard) {
            (Shard::WHOLE, Shard::WHOLE) => {}
            (_, Shard::WHOLE) => write!(f, "all packages of ")?,
            (_, shard) => write!(f, "shard {shard} of ")?,
        }
        write!(f, "{server}: {by}")
    }
}

/// Packages of a server are this process's alone, until the value is dropped or the process dies.
#[derive(Debug)]
pub struct ServerLock {
    taken: Option<Taken>,
    left_by: Option<Holder>,
}

#[derive(Debug)]
struct Taken {
    facts: File,
    /// The life that the facts name.
    _state: State,
}

impl ServerLock {
    /// Who held the same shard last and never let go of it: a process that was killed, or one on another machine whose lock
    /// cannot be seen from here.
    #[must_use]
    pub fn left_by(&self) -> Option<&Holder> {
        self.left_by.as_ref()
    }
}

impl Drop for ServerLock {
    fn drop(&mut self) {
        if let Some(Taken { facts, .. }) = &self.taken {
            // What stays is held until the process ends, and would then be taken for a killed one's.
            let _ = facts.set_len(0);
        }
    }
}

impl State {
    /// Makes packages of a server this process's alone, among all that use this state folder. `server` is compared as it is: two
    /// spellings are two servers.
    ///
    /// The lock is not waited for. It holds between users of one machine, if the folder lets both write. Whether it is seen from
    /// another machine that shares the folder is up to the file system: NFS may hand it on, or keep it to itself; then the
    /// other process can be told from a killed one by nothing but [`left_by`](ServerLock::left_by). Processes with other state folders
    /// are not kept off, and a state in memory without a folder keeps off nobody. So this prevents double starts, and nothing
    /// that would do harm may rely on it.
    ///
    /// # Errors
    /// [`Error::Held`] when another process has a shard that [overlaps](Shard::overlaps), or this one already; others when the folder
    /// cannot be used.
    pub fn lock_server(&self, server: &str, shard: Shard, claim: &Claim<'_>) -> Result<ServerLock, Error> {
        let Some(folder) = &self.shared.folder else {
            return Ok(ServerLock { taken: None, left_by: None });
        };
        let places = Places::make(folder, server)?;
        let failed = || Error::folder(&places.door);
        let door = folder::open_file(&places.door).map_err(failed())?;
        door.lock().map_err(failed())?;
        let taken = match self.holders(&places).into_iter().find(|(other, _)| shard.overlaps(*other)) {
            Some((other, by)) => {
                Err(Error::Held(Held { server: server.to_owned(), wanted: shard, shard: other, by }))
            }
            None => self.take(&places.facts(shard), claim),
        };
        // Closing is not enough: a child process that is just being started has the file open too.
        door.unlock().map_err(failed())?;
        taken
    }

    /// Who works on a server now and on what, without keeping anybody off; none if nobody does, or has said so.
    #[must_use]
    pub fn server_holders(&self, server: &str) -> Vec<(Shard, Holder)> {
        let folder = self.shared.folder.as_ref();
        folder.map(|folder| self.holders(&Places::name(folder.join(FOLDER), server))).unwrap_or_default()
    }

    fn take(&self, path: &Path, claim: &Claim<'_>) -> Result<ServerLock, Error> {
        let failed = || Error::folder(path);
        let mut facts = folder::open_file(path).map_err(failed())?;
        let left_by = read(&mut facts).map(|(holder, _)| holder);
        let holder = Holder {
            pid: std::process::id(),
            host: line(claim.host),
            what: line(claim.what),
            since: claim.since,
        };
        write(&mut facts, &holder, self.shared.life.name()).map_err(failed())?;
        Ok(ServerLock { taken: Some(Taken { facts, _state: self.clone() }), left_by })
    }

    /// All who live. Who died left its facts, and its life has ended.
    fn holders(&self, places: &Places) -> Vec<(Shard, Holder)> {
        let holder = |(shard, path): (Shard, PathBuf)| {
            let (holder, life) = read(&mut File::open(path).ok()?)?;
            self.shared.life.sees(&life).then_some((shard, holder))
        };
        places.all_facts().filter_map(holder).collect()
    }
}

const FOLDER: &str = "locks";

/// What the end of a file's name says that a holder wrote it.
const FACTS: &str = ".holder";

struct Places {
    folder: PathBuf,
    server: String,
    door: PathBuf,
}

impl Places {
    fn make(folder: &Path, server: &str) -> Result<Self, Error> {
        let inside = folder::make_inside(folder, FOLDER).map_err(Error::folder(folder.join(FOLDER)))?;
        Ok(Self::name(inside, server))
    }

    fn name(folder: PathBuf, server: &str) -> Self {
        let server = file_name(server);
        Self { door: folder.join(format!("{server}.lock")), folder, server }
    }

    fn facts(&self, shard: Shard) -> PathBuf {
        self.folder.join(format!("{}{}{FACTS}", self.server, suffix(shard)))
    }

    /// Of all shards that anybody ever held.
    fn all_facts(&self) -> impl Iterator<Item = (Shard, PathBuf)> {
        let entries = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        entries.filter_map(|entry| {
            let name = entry.file_name();
            let suffix = name.to_str()?.strip_prefix(&self.server)?.strip_suffix(FACTS)?;
            Some((shard_of(suffix)?, entry.path()))
        })
    }
}

/// A shard as it stands in the name of a file; empty for all packages.
fn suffix(shard: Shard) -> String {
    if shard == Shard::WHOLE { String::new() } else { format!(".{}-of-{}", shard.index(), shard.count()) }
}

/// The shard that a [`suffix`] names.
fn shard_of(suffix: &str) -> Option<Shard> {
    if suffix.is_empty() {
        return Some(Shard::WHOLE);
    }
    let (index, count) = suffix.strip_prefix('.')?.split_once("-of-")?;
    Shard::new(digits(index)?, digits(count)?).ok()
}

/// A name that says to a person which server it is, and to the file system that it is this one: where case does not count,
/// where names are short, and whatever the address is made of.
fn file_name(server: &str) -> String {
    let (_, address) = server.split_once("://").unwrap_or(("", server));
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    let plain: String = address.chars().take_while(is_plain).take(80).collect();
    let mut digest = fingerprint::Sha3::default();
    digest.update(server.as_bytes());
    let digest = digest.finish().to_string();
    format!("{}-{}", plain.to_ascii_lowercase(), digest.get(..16).unwrap_or_default())
}

/// Lines, for a person too: `cat` shows who holds a lock.
fn write(file: &mut File, holder: &Holder, life: &str) -> std::io::Result<()> {
    let Holder { pid, host, what, since } = holder;
    // The last line says that all lines are there.
    let text = format!("pid: {pid}\nhost: {host}\nsince: {since}\nwhat: {what}\nlife: {life}\n.\n");
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(text.as_bytes())
}

fn read(file: &mut File) -> Option<(Holder, String)> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    parse(&text)
}

fn parse(text: &str) -> Option<(Holder, String)> {
    let mut lines = text.strip_suffix("\n.\n")?.split('\n');
    let mut value = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(": ").map(str::to_owned);
    let pid = value("pid")?.parse().ok()?;
    let host = value("host")?;
    let since = value("since")?.parse().ok()?;
    let what = value("what")?;
    let life = value("life")?;
    lines.next().is_none().then_some((Holder { pid, host, what, since }, life))
}

/// On one line.
fn line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_lock_is_named_after_its_server() {
        insta::assert_snapshot!(file_name("https://Example.jamfcloud.com"), @"example.jamfcloud.com-8483d156dc6c9950");
        insta::assert_snapshot!(file_name("https://us.api.jamfcloud.com tenant a/b"), @"us.api.jamfcloud.com-0ac3c2ebf4913b8f");
        let others =
            ["https://example.jamfcloud.com", "http://example.jamfcloud.com", "example.jamfcloud.com", ""];
        let names: std::collections::HashSet<String> = others.map(file_name).into();
        assert_eq!(names.len(), others.len());
        assert!(file_name(&"x".repeat(1000)).len() < 100);
    }

    proptest! {
        #[test]
        fn a_shard_is_named_as_it_is_read(index in 1_u32.., more: u32) {
            for shard in [Shard::new(index, index.saturating_add(more)).unwrap(), Shard::WHOLE] {
                prop_assert_eq!(shard_of(&suffix(shard)), Some(shard));
            }
        }

        #[test]
        fn what_a_holder_says_is_read_as_it_was_said(pid: u32, host in ".*", what in "\\PC*", second in 0_i64..4_000_000_000) {
            let since = Timestamp::from_second(second).unwrap();
            let holder = Holder { pid, host: line(&host), what: line(&what), since };
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&[b'x'; 1000]).unwrap();
            write(&mut file, &holder, "life").unwrap();
            file.rewind().unwrap();
            prop_assert_eq!(read(&mut file), Some((holder, "life".to_owned())));
        }

        #[test]
        fn half_of_it_says_nothing(cut in 0_usize..70) {
            let since = Timestamp::UNIX_EPOCH;
            let holder = Holder { pid: 7, host: "h".into(), what: "w".into(), since };
            let mut file = tempfile::tempfile().unwrap();
            write(&mut file, &holder, "life").unwrap();
            let whole = file.metadata().unwrap().len();
            file.set_len((cut as u64).min(whole - 1)).unwrap();
            file.rewind().unwrap();
            prop_assert_eq!(read(&mut file), None);
        }
    }
}
