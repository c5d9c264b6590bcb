//! Several whole commands in turn (A B C A B C), each measured from start to end.

use crate::cold;
use crate::error::Error;
use crate::remote::Sink;
use crate::source;
use crate::stats::Sample;
use std::ffi::OsString;
use std::fs::File;
use std::io::{IsTerminal as _, Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use wait4::Wait4 as _;

/// Nobody takes a way around to this machine.
const PROXIES: [&str; 6] =
    ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];

/// A command that is measured.
#[derive(Clone, Debug, Default)]
pub struct Contender {
    /// Its name in the table.
    pub label: &'static str,
    pub program: PathBuf,
    pub arguments: Vec<OsString>,
    pub variables: Vec<(&'static str, OsString)>,
    /// What happens before each run, and is not measured.
    pub before: Vec<Before>,
    /// What must have come of it, besides an exit code of 0.
    pub proof: Proof,
}

/// What happens before a run.
#[derive(Clone, Debug)]
pub enum Before {
    /// A file or a folder goes away.
    Remove(PathBuf),
    /// A file leaves the page cache.
    DropCache(PathBuf),
    /// The state in this folder forgets what was sent lately, which the sink has forgotten too; pkgferry would look for it.
    ForgetDeliveries(PathBuf),
}

/// What must have come of a run: a client that sends less must not look fast.
#[derive(Clone, Debug, Default)]
pub enum Proof {
    /// The exit code says enough.
    #[default]
    ExitCode,
    /// The sink has complete objects of these sizes, in ascending order, and no upload is left over.
    Sent(Vec<u64>),
    /// A file of this size is there.
    Wrote(PathBuf, u64),
}

/// What became of a contender.
#[derive(Debug)]
pub struct Entry {
    pub label: &'static str,
    /// One sample a round, or why there are none.
    pub outcome: Result<Vec<Sample>, String>,
}

/// How often all contenders run.
#[derive(Clone, Copy, Debug)]
pub struct Rounds {
    /// Not counted.
    pub warm_up: usize,
    pub counted: usize,
}

/// Runs them. One that fails drops out; the others go on.
pub fn run(rounds: Rounds, sink: &Sink, contenders: &[Contender]) -> Result<Vec<Entry>, Error> {
    let mut entries: Vec<Entry> = contenders
        .iter()
        .map(|contender| Entry { label: contender.label, outcome: Ok(Vec::new()) })
        .collect();
    for round in 0..rounds.warm_up + rounds.counted {
        for (contender, entry) in contenders.iter().zip(&mut entries) {
            let Ok(samples) = &mut entry.outcome else { continue };
            tell(&format!("round {round}: {}", contender.label));
            match once(sink, contender)? {
                Ok(sample) if round >= rounds.warm_up => samples.push(sample),
                Ok(_) => {}
                Err(why) => entry.outcome = Err(why),
            }
        }
    }
    tell("");
    Ok(entries)
}

/// Tells somebody who waits what is going on.
fn tell(text: &str) {
    if std::io::stderr().is_terminal() {
        eprint!("\r{text:60}\r");
    }
}

fn forget_deliveries(folder: &Path) -> Result<(), Error> {
    let file = folder.join("state.db");
    if file.exists() {
        rusqlite::Connection::open(file)?.execute("DELETE FROM unproven", [])?;
    }
    Ok(())
}

/// One run. The inner error is the contender's.
fn once(sink: &Sink, contender: &Contender) -> Result<Result<Sample, String>, Error> {
    for before in &contender.before {
        match before {
            Before::Remove(path) => source::remove(path)?,
            Before::DropCache(path) => cold::drop_cache(path)?,
            Before::ForgetDeliveries(folder) => forget_deliveries(folder)?,
        }
    }
    sink.reset()?;
    let sink_before = sink.cpu();
    let outcome = measure(&contender.program, &contender.arguments, &contender.variables)?;
    let sink_took = sink_before.zip(sink.cpu()).map(|(before, after)| after.saturating_sub(before));
    let tally = sink.tally()?;
    let sample = match outcome {
        Ok(sample) => sample,
        Err(why) => return Ok(Err(why)),
    };
    let mut sizes: Vec<u64> = tally.objects.values().copied().collect();
    sizes.sort_unstable();
    let wrong = match &contender.proof {
        Proof::Sent(expected) if sizes != *expected => Some(format!(
            "the sink has {} objects of {} bytes in all, not {} of {}",
            sizes.len(),
            sizes.iter().sum::<u64>(),
            expected.len(),
            expected.iter().sum::<u64>()
        )),
        Proof::Sent(_) if tally.unfinished > 0 => {
            Some(format!("{} uploads are left unfinished", tally.unfinished))
        }
        Proof::Wrote(path, expected) => match path.metadata().map(|metadata| metadata.len()) {
            Ok(size) if size == *expected => None,
            Ok(size) => Some(format!("it wrote {size} bytes, not {expected}")),
            Err(error) => Some(format!("what it wrote cannot be found: {error}")),
        },
        Proof::ExitCode | Proof::Sent(_) => None,
    };
    let requests = tally.requests.values().sum();
    Ok(wrong.map_or(Ok(Sample { sink: sink_took, requests, ..sample }), Err))
}

/// Runs a command to its end.
fn measure(
    program: &Path,
    arguments: &[OsString],
    variables: &[(&'static str, OsString)],
) -> Result<Result<Sample, String>, Error> {
    let said = || -> std::io::Result<(File, File)> {
        let file = tempfile::tempfile()?;
        Ok((file.try_clone()?, file))
    };
    let (stderr, mut said) = said().map_err(Error::io("there is no temporary file"))?;
    let mut command = Command::new(program);
    command.args(arguments).envs(variables.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr);
    for name in PROXIES {
        command.env_remove(name);
    }
    let started = Instant::now();
    let mut child = command.spawn().map_err(Error::io(format!("{} cannot be started", program.display())))?;
    let used = child.wait4().map_err(Error::io("a child cannot be waited for"))?;
    let wall = started.elapsed();
    if used.status.success() {
        let cpu: Duration = used.rusage.utime + used.rusage.stime;
        return Ok(Ok(Sample { wall, cpu, peak: used.rusage.maxrss, ..Sample::default() }));
    }
    let mut text = String::new();
    let _ = said.rewind().and_then(|()| said.read_to_string(&mut text));
    let last = text.trim_end().lines().last().unwrap_or("it says nothing");
    Ok(Err(format!("{}: {last}", used.status)))
}
