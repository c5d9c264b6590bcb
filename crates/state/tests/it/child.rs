//! Another process: this test binary, started again to play a part.

use crate::{SERVER, begin_run, clock, digests, file, open, time};
use fingerprint::{FileIdentity, Memory as _};
use pipeline::{Event, Listener as _, Occurrence, Route, Shard, StepRef, Witness};
use state::{
    Arrival, Claim, Error, NewDelivery, NewPackage, NewUpload, PackageEnd, PackageFacts, Place, RunId, State,
    StoredPart,
};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

const PART: &str = "STATE_TEST_PART";
const FOLDER: &str = "STATE_TEST_FOLDER";
/// The test harness writes to standard output too.
const MARK: &str = "@@";

/// A process that plays a part.
pub struct Played {
    pub child: Child,
    lines: BufReader<ChildStdout>,
}

pub fn command(program: &Path, part: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .args(["--exact", "child::another_process", "--ignored", "--nocapture"])
        .env(PART, part)
        .env(FOLDER, folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command
}

pub fn play(part: &str, folder: &Path) -> Played {
    Played::start(&mut command(&std::env::current_exe().unwrap(), part, folder))
}

impl Played {
    pub fn start(command: &mut Command) -> Self {
        let mut child = loop {
            match command.spawn() {
                // Another thread was just starting a process while this program was copied.
                Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {}
                started => break started.unwrap(),
            }
        };
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// The next thing it says; `None` once it has ended.
    pub fn says(&mut self) -> Option<String> {
        loop {
            let mut line = String::new();
            // A killed process may leave half a line, which is nothing that it said.
            if self.lines.read_line(&mut line).unwrap() == 0 || !line.ends_with('\n') {
                return None;
            }
            if let Some((_, said)) = line.trim_end().split_once(MARK) {
                return Some(said.trim().to_owned());
            }
        }
    }

    /// Ends it as `kill -9` does, and returns what it had said before.
    pub fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        let said = std::iter::from_fn(|| self.says()).collect();
        self.child.wait().unwrap();
        said
    }

    /// Lets it go on, and waits until it has ended by itself.
    pub fn end(mut self) -> Vec<String> {
        drop(self.child.stdin.take());
        let said = std::iter::from_fn(|| self.says()).collect();
        assert!(self.child.wait().unwrap().success());
        said
    }
}

fn say(what: impl std::fmt::Display) {
    println!("{MARK} {what}");
}

/// Until the other side lets go on.
fn wait() {
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

#[test]
#[ignore = "the other process of other tests"]
fn another_process() {
    let (Some(part), Some(folder)) = (std::env::var_os(PART), std::env::var_os(FOLDER)) else { return };
    let folder = PathBuf::from(folder);
    match part.to_str().unwrap() {
        "hold" => hold(&open(&folder)),
        "work" => {
            let state = open(&folder);
            let run = begin_run(&state, &"work".parse().unwrap(), &clock());
            let _package = run.package(&NewPackage { recipe: "App", facts: PackageFacts::default() });
            say("working");
            wait();
        }
        "write" => write(&open(&folder), u64::MAX),
        "write 100" => {
            write(&open(&folder), 100);
            say("done");
        }
        other => panic!("no part is called {other}"),
    }
}

pub fn claim() -> Claim<'static> {
    Claim { what: "run nightly.yaml", host: "mac-3", since: time("2026-11-20T22:00:00Z") }
}

fn hold(state: &State) {
    let lock = match state.lock_server(SERVER, Shard::WHOLE, &claim()) {
        Ok(lock) => lock,
        Err(Error::Held(held)) => return say(held),
        Err(error) => panic!("{error}: {:?}", std::error::Error::source(&error)),
    };
    say("held");
    wait();
    drop(lock);
    say("released");
}

pub const IDENTITY: FileIdentity = FileIdentity { size: 3, modified: 1, changed: 2, inode: 3, device: 4 };

/// The path of the digests that `id` has remembered as its `n`th.
pub fn path(id: &RunId, n: u64) -> PathBuf {
    Path::new("/packages").join(format!("{id}-{n}"))
}

/// Writes one thing after the other, and says what was confirmed.
fn write(state: &State, times: u64) {
    let id = RunId::random();
    say(format!("run {id}"));
    let run = begin_run(state, &id, &clock());
    let name = file(&format!("{id}.pkg"));
    let place =
        Place { endpoint: None, region: "us-east-1".into(), bucket: "jcds".into(), prefix: "tmp/".into() };
    let new = NewUpload {
        server: SERVER,
        file: &name,
        path: &path(&id, 0),
        identity: IDENTITY,
        place: &place,
        key: "tmp/key",
        part_size: 8 << 20,
        begun: time("2026-11-20T22:00:00Z"),
    };
    let journal = state.begin(&new).unwrap();
    for n in 1..=times {
        state.remember(&path(&id, n), &IDENTITY, digests(1));
        say(format!("digest {n}"));

        let package = run.package(&NewPackage { recipe: &n.to_string(), facts: PackageFacts::default() });
        say(format!("package {n}"));
        let upload = StepRef { number: 1, processor: "s3-upload".into() };
        let started = Event { recipe: n.to_string(), step: Some(upload), what: Occurrence::StepStarted };
        package.on(&started);
        say(format!("step {n}"));
        package.end(&PackageEnd {
            status: "skipped",
            reason: "the server has it",
            bytes_sent: 0,
            bytes_fetched: 0,
            bytes_saved: 3,
            failure: None,
        });
        say(format!("end {n}"));

        let number = i32::try_from(n).unwrap();
        journal.part(&StoredPart { number, size: 1, etag: "e".into(), checksum: None }).unwrap();
        say(format!("part {n}"));

        let unproven = NewDelivery {
            server: SERVER,
            file: &name,
            record: None,
            sent: fingerprint::Fingerprint { size: n, ..digests(1) },
            route: Route::Jcds,
            witness: Witness::List,
            since: time("2026-11-20T22:00:00Z"),
            arrival: Arrival::Awaited,
        };
        state.keep_delivery(&unproven).unwrap();
        say(format!("unproven {n}"));

        state.put_note(id.as_str(), &n.to_string());
        say(format!("note {n}"));
    }
    run.end(0).unwrap();
}
