//! What runs did, written as it happens.

mod command;
mod listen;
mod log;
mod package;
mod prune;
mod read;
mod run_id;
mod stored;

pub use command::CommandLine;
pub use log::{NewRun, RunLog};
pub use package::{Failed, NewPackage, PackageEnd, PackageFacts, PackageLog};
pub use prune::{HistoryKeep, HistoryPruned};
pub(crate) use read::record;
pub use read::{Cursor, Page};
pub use run_id::{InvalidRunId, RunId};
pub use stored::{
    RunDetail, RunEnding, StepProgress, StoredFailure, StoredPackage, StoredRun, StoredStep, StoredWarning,
};

use crate::State;

/// What runs did: [`begin_run`](History::begin_run) writes, the others read.
///
/// ```
/// use pipeline::SimulatedClock;
/// use state::{CommandLine, NewPackage, NewRun, PackageEnd, PackageFacts, RunId, State};
///
/// let clock = std::sync::Arc::new(SimulatedClock::at("2026-11-20T22:00:00Z".parse()?));
/// let history = State::in_memory()?.history();
/// let command = CommandLine::from_words(["run", "App.yaml", "-k", "CLIENT_SECRET=abc"]);
/// let new = NewRun { id: &RunId::random(), command: &command, version: "0.1.0", host: "mac-3", dry_run: false };
/// let run = history.begin_run(&new, clock)?;
///
/// // It listens to the package's events, too.
/// let package = run.package(&NewPackage { recipe: "App.yaml", facts: PackageFacts::default() });
/// package.end(&PackageEnd {
///     status: "skipped",
///     reason: "the server has this very file",
///     bytes_sent: 0,
///     bytes_fetched: 0,
///     bytes_saved: 1_000,
///     failure: None,
/// });
/// run.end(0)?;
///
/// let page = history.runs(std::num::NonZeroU32::MIN, None)?;
/// assert_eq!(page.items[0].command.to_string(), "run App.yaml -k CLIENT_SECRET=***");
/// assert_eq!(page.items[0].statuses["skipped"], 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct History {
    state: State,
}

impl History {
    pub(crate) fn new(state: State) -> Self {
        Self { state }
    }

    /// Whether a run that did not end goes on.
    fn goes_on(&self, number: i64, life: &str) -> bool {
        let own = &self.state.shared.life;
        if life == own.name() { self.state.running().contains(&number) } else { own.sees(life) }
    }
}
