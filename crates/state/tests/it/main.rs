//! The state, over a real file and from the point of view of several processes.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test ends where it fails, helpers included; other processes of tests say on standard output what they did"
)]

mod cache;
mod child;
mod deliveries;
mod formats;
mod history;
mod killed;
mod locks;
mod opening;
mod pruning;
mod together;
mod uploads;
#[cfg(unix)]
mod users;

use jiff::Timestamp;
use pipeline::{FileName, Md5, Sha3_512, SimulatedClock};
use state::{CommandLine, NewRun, RunId, RunLog, State};
use std::path::Path;
use std::sync::Arc;

const SERVER: &str = "https://example.jamfcloud.com";

fn open(folder: &Path) -> State {
    State::open(folder).unwrap().state
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn clock() -> Arc<SimulatedClock> {
    Arc::new(SimulatedClock::at(time("2026-11-20T22:00:00Z")))
}

fn file(name: &str) -> FileName {
    name.parse().unwrap()
}

fn digests(byte: u8) -> fingerprint::Fingerprint {
    fingerprint::Fingerprint {
        size: 3,
        md5: Md5::from_bytes([byte; 16]),
        sha3_512: Sha3_512::from_bytes([byte; 64]),
    }
}

/// Begins a run that differs from others by its id alone.
fn begin_run(state: &State, id: &RunId, clock: &Arc<SimulatedClock>) -> RunLog {
    let command = CommandLine::from_words(["run", "nightly.yaml"]);
    let run = NewRun { id, command: &command, version: "0.1.0", host: "mac-3", dry_run: false };
    state.history().begin_run(&run, Arc::clone(clock) as _).unwrap()
}
