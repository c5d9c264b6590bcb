use crate::args::{Mode, RunArgs};
use crate::display::ServerReport;
use crate::error::Error;
use crate::exit::Exit;
use crate::servers::Target;
use crate::settings::Settings;
use crate::signals;
use crate::workshop::Workshop;
use pipeline::{Context, Env};
use recipe::{Chain, Faults};
use runner::{Registry, Report, Status};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// A recipe as the command line names it, what became of reading it, and the server that it runs for.
pub struct Job {
    /// As it was typed.
    pub name: String,
    /// The server, and what wins over the recipe's Input.
    pub target: Target,
    chain: Arc<Result<Chain, Faults>>,
}

impl Job {
    /// A recipe, `name` as it was typed. `values` win over its Input.
    pub fn new(
        name: impl Into<String>,
        chain: Arc<Result<Chain, Faults>>,
        target: &Target,
        values: &Env,
    ) -> Self {
        let mut target = target.clone();
        target.overrides.overlay(values);
        Self { name: name.into(), chain, target }
    }

    /// Checks the recipe and runs it.
    pub async fn run(self, dry_run: bool, registry: &Registry, cx: &Context) -> Report {
        let Target { preferences, overrides, .. } = &self.target;
        let checked = match &*self.chain {
            Ok(chain) => match recipe::check(chain, &registry.specs(), preferences, overrides) {
                Ok(checked) => checked,
                Err(faults) => return Report::refused(self.name, dry_run, &faults),
            },
            Err(faults) => return Report::refused(self.name, dry_run, faults),
        };
        runner::run(registry, &checked, dry_run, cx).await
    }
}

/// `pkgferry run`.
pub async fn run(args: RunArgs, settings: Settings, cancel: CancellationToken) -> Result<Exit, Error> {
    let library = settings.library();
    let targets = settings.targets(&args.variables.key, args.mode.rehearsal.sandbox)?;
    let load = move || {
        let jobs = args.recipes.iter().flat_map(|name| {
            let chain = Arc::new(library.load(name));
            targets.iter().map(move |target| Job::new(name, Arc::clone(&chain), target, &Env::new()))
        });
        jobs.collect()
    };
    let jobs = signals::blocking(&cancel, load).await?;
    execute(jobs, &settings, &args.mode, cancel).await
}

/// Runs recipes one after the other, each server in one session, and shows what comes of them. A faulty recipe fails
/// alone.
pub async fn execute(
    jobs: Vec<Job>,
    settings: &Settings,
    mode: &Mode,
    cancel: CancellationToken,
) -> Result<Exit, Error> {
    let workshop = Workshop::open(settings, mode, cancel).await?;
    let mut reports = Vec::with_capacity(jobs.len());
    let mut shown = Ok(());
    for job in jobs {
        let (report, told) = workshop.run(job).await;
        shown = shown.and(told);
        reports.push(report);
    }
    workshop.close(&reports, shown, mode, None).await
}

/// The exit code of a run is that of its worst recipe: interruption first, then the first failure, then what is unverified,
/// then what is pending.
pub fn exit_of(reports: &[ServerReport], mode: &Mode) -> Exit {
    let reports = || reports.iter().map(|report| &report.report);
    let failures =
        || reports().filter_map(|report| report.failure.as_ref()).map(|failure| Exit::of(failure.kind));
    if failures().any(|exit| exit == Exit::Interrupted) {
        return Exit::Interrupted;
    }
    if let Some(exit) = failures().next() {
        return exit;
    }
    if reports().any(|report| report.status == Status::Unverified) {
        return Exit::Unverified;
    }
    if mode.detailed_exit_code && reports().any(Report::has_changes) {
        return Exit::ChangesPending;
    }
    Exit::Done
}
