//! `pkgferry run`, and what every command shares that runs recipes.

mod job;
mod selection;

pub use job::{Job, Ready, missing_file};
pub use selection::Chosen;

use crate::args::{Mode, RunArgs};
use crate::display::ServerReport;
use crate::error::Error;
use crate::exit::Exit;
use crate::registry;
use crate::settings::Settings;
use crate::signals;
use crate::slips::Given;
use crate::workshop::{Plan, Workshop};
use batch::ShardChoice;
use runner::{Report, Status};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// `pkgferry run`.
pub async fn run(args: RunArgs, settings: Settings, cancel: CancellationToken) -> Result<Exit, Error> {
    let shard = selection::shard(args.shard, &settings.process)?;
    let targets = settings.targets(&args.variables.key, args.mode.rehearsal.sandbox)?;
    let plan = Plan { heartbeat: true, ..Plan::of(shard, &targets) };
    let found_none = shard.is_none() && args.shard == Some(ShardChoice::Auto);
    let (settings, mode) = (&settings, &args.mode);
    let workshop = Workshop::open(settings, mode, plan, cancel.clone()).await?;
    if found_none {
        workshop.warn("no scheduler says which shard this is; all packages are taken");
    }
    let jobs = async {
        let library = settings.library();
        let given = Given::new(settings, &args.variables);
        let load = move || {
            let chosen = Chosen::read(&args.recipes.named, &args.recipes.recipe_list)?;
            let mut jobs = Vec::new();
            let chains = library.load_all(chosen.recipes().map(|(name, _)| name));
            let readable: Vec<_> = chains.iter().filter_map(|chain| chain.as_ref().ok()).collect();
            let slips = given.and_lists(&chosen).slips(&readable, &registry::declared()?.specs());
            for ((name, variables), chain) in chosen.recipes().zip(chains) {
                let chain = Arc::new(chain);
                jobs.extend(
                    targets.iter().map(|target| Job::of_list(name, Arc::clone(&chain), target, &variables)),
                );
            }
            let notes = chosen.notes().iter().map(ToString::to_string);
            let notes: Vec<String> = notes.chain(slips.iter().map(ToString::to_string)).collect();
            Ok::<_, Error>((jobs, notes))
        };
        let (jobs, notes) = signals::blocking(&cancel, load).await??;
        for note in &notes {
            workshop.warn(note);
        }
        reveal(jobs, &workshop, settings).await
    };
    match jobs.await {
        Ok(jobs) => workshop.run_all(jobs).await,
        Err(error) => workshop.break_off(error).await,
    }
}

/// Runs recipes that are at hand, each server in one session. A faulty recipe fails alone.
pub async fn execute(
    jobs: Vec<Job>,
    settings: &Settings,
    mode: &Mode,
    cancel: CancellationToken,
) -> Result<Exit, Error> {
    let plan = Plan::of(None, jobs.iter().map(|job| &job.target));
    let workshop = Workshop::open(settings, mode, plan, cancel).await?;
    match reveal(jobs, &workshop, settings).await {
        Ok(jobs) => workshop.run_all(jobs).await,
        Err(error) => workshop.break_off(error).await,
    }
}

/// Puts in the secrets of settings and lists. Each place is asked once in a run.
async fn reveal(jobs: Vec<Job>, workshop: &Workshop, settings: &Settings) -> Result<Vec<Job>, Error> {
    let mut revealed = Vec::with_capacity(jobs.len());
    for mut job in jobs {
        job.target = workshop.reveal(settings, job.target).await?;
        revealed.push(job);
    }
    Ok(revealed)
}

/// The exit code of a run is that of its worst recipe: interruption first, then the first failure, then what had no turn, then
/// what is unverified, then what is pending.
pub fn exit_of(reports: &[ServerReport], tells_pending: bool) -> Exit {
    let reports = || reports.iter().map(|report| &report.report);
    let failures =
        || reports().filter_map(|report| report.failure.as_ref()).map(|failure| Exit::of(failure.kind));
    if failures().any(|exit| exit == Exit::Interrupted) {
        return Exit::Interrupted;
    }
    // What had no turn did not go wrong.
    if let Some(exit) = failures().find(|exit| *exit != Exit::Deadline).or_else(|| failures().next()) {
        return exit;
    }
    if reports().any(|report| report.status == Status::Unverified) {
        return Exit::Unverified;
    }
    if tells_pending && reports().any(Report::has_changes) {
        return Exit::ChangesPending;
    }
    Exit::Done
}
