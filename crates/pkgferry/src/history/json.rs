//! The history for programs: one line.

use jiff::Timestamp;
use pipeline::{FileName, PackageId, StepRef};
use serde::Serialize;
use state::{
    HistoryPruned, Page, RunDetail, RunEnding, StoredFailure, StoredPackage, StoredRun, StoredStep,
    StoredWarning,
};
use std::collections::BTreeMap;

/// Version of the JSON's shape. It grows when a key changes its meaning or goes; new keys do not count.
const VERSION: u32 = 1;

#[derive(Serialize)]
pub struct Line {
    version: u32,
    time: Timestamp,
    #[serde(flatten)]
    what: What,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
enum What {
    History { runs: Vec<Run>, more: bool },
    HistoryOfRun(Box<RunWithPackages>),
    HistoryOfPackage { packages: Vec<Package>, more: bool },
    HistoryPruned { runs: u64, packages: u64 },
}

#[derive(Serialize)]
struct Run {
    id: String,
    begun: Timestamp,
    #[serde(flatten)]
    ending: Ending,
    command: Vec<String>,
    pkgferry: String,
    host: String,
    dry_run: bool,
    statuses: BTreeMap<String, u64>,
    unfinished: u64,
    bytes_sent: u64,
    bytes_saved: u64,
}

#[derive(Serialize)]
#[serde(tag = "ending", rename_all = "kebab-case")]
enum Ending {
    GoesOn,
    Ended { ended: Timestamp, exit_code: u8 },
    DidNotEnd,
}

#[derive(Serialize)]
struct RunWithPackages {
    run: Run,
    packages: Vec<Package>,
    warnings: Vec<Warning>,
}

#[derive(Serialize)]
struct Package {
    run: String,
    dry_run: bool,
    recipe: String,
    server: Option<String>,
    file: Option<String>,
    package_id: Option<u64>,
    begun: Timestamp,
    ended: Option<Timestamp>,
    status: Option<String>,
    reason: Option<String>,
    bytes_sent: u64,
    bytes_fetched: u64,
    bytes_saved: u64,
    failure: Option<Warning>,
    steps: Vec<Step>,
    warnings: Vec<Warning>,
}

#[derive(Serialize)]
struct Step {
    #[serde(flatten)]
    step: StepRef,
    progress: &'static str,
    message: Option<String>,
    at: Option<Timestamp>,
}

#[derive(Serialize)]
struct Warning {
    step: Option<StepRef>,
    message: String,
    hint: Option<String>,
}

impl Line {
    pub fn runs(page: &Page<StoredRun>, time: Timestamp) -> Self {
        let runs = page.items.iter().map(run).collect();
        Self::of(What::History { runs, more: page.next.is_some() }, time)
    }

    pub fn run(detail: &RunDetail, time: Timestamp) -> Self {
        let RunDetail { run: of, packages, warnings } = detail;
        let (packages, warnings) =
            (packages.iter().map(package).collect(), warnings.iter().map(warning).collect());
        Self::of(What::HistoryOfRun(Box::new(RunWithPackages { run: run(of), packages, warnings })), time)
    }

    pub fn packages(page: &Page<StoredPackage>, time: Timestamp) -> Self {
        let packages = page.items.iter().map(package).collect();
        Self::of(What::HistoryOfPackage { packages, more: page.next.is_some() }, time)
    }

    pub fn pruned(HistoryPruned { runs, packages }: HistoryPruned, time: Timestamp) -> Self {
        Self::of(What::HistoryPruned { runs, packages }, time)
    }

    fn of(what: What, time: Timestamp) -> Self {
        Self { version: VERSION, time, what }
    }
}

fn run(run: &StoredRun) -> Run {
    Run {
        id: run.id.to_string(),
        begun: run.begun,
        ending: match run.ending {
            RunEnding::GoesOn => Ending::GoesOn,
            RunEnding::Ended { at, exit } => Ending::Ended { ended: at, exit_code: exit },
            RunEnding::Gone => Ending::DidNotEnd,
        },
        command: run.command.words().to_vec(),
        pkgferry: run.version.clone(),
        host: run.host.clone(),
        dry_run: run.dry_run,
        statuses: run.statuses.clone(),
        unfinished: run.open,
        bytes_sent: run.bytes_sent,
        bytes_saved: run.bytes_saved,
    }
}

fn package(package: &StoredPackage) -> Package {
    Package {
        run: package.run.to_string(),
        dry_run: package.dry_run,
        recipe: package.recipe.clone(),
        server: package.server.clone(),
        file: package.file.as_ref().map(FileName::to_string),
        package_id: package.record.map(PackageId::get),
        begun: package.begun,
        ended: package.ended,
        status: package.status.clone(),
        reason: package.reason.clone(),
        bytes_sent: package.bytes_sent,
        bytes_fetched: package.bytes_fetched,
        bytes_saved: package.bytes_saved,
        failure: package.failure.as_ref().map(failure),
        steps: package.steps.iter().map(step).collect(),
        warnings: package.warnings.iter().map(warning).collect(),
    }
}

fn step(StoredStep { step, progress, message, at }: &StoredStep) -> Step {
    Step { step: step.clone(), progress: progress.word(), message: message.clone(), at: *at }
}

fn warning(StoredWarning { step, message, hint }: &StoredWarning) -> Warning {
    Warning { step: step.clone(), message: message.clone(), hint: hint.clone() }
}

fn failure(StoredFailure { step, message, hint }: &StoredFailure) -> Warning {
    Warning { step: step.clone(), message: message.clone(), hint: hint.clone() }
}
