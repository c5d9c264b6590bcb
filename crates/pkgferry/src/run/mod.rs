//! `pkgferry run`, and what every command shares that runs recipes.

mod job;
mod selection;

pub use job::{Job, Ready};

use crate::args::{Mode, RunArgs};
use crate::display::ServerReport;
use crate::error::Error;
use crate::exit::Exit;
use crate::settings::Settings;
use crate::signals;
use crate::workshop::{Plan, Workshop};
use runner::{Report, Status};
use selection::Chosen;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// `pkgferry run`.
pub async fn run(args: RunArgs, settings: Settings, cancel: CancellationToken) -> Result<Exit, Error> {
    let shard = selection::shard(args.shard, &settings.process)?;
    let targets = settings.targets(&args.variables.key, args.mode.rehearsal.sandbox)?;
    let plan = Plan::of(shard, &targets);
    let (settings, mode) = (&settings, &args.mode);
    let workshop = Workshop::open(settings, mode, plan, cancel.clone()).await?;
    let jobs = async {
        let targets = workshop.reveal(settings, targets).await?;
        let library = settings.library();
        let load = move || {
            let chosen = Chosen::read(&args.recipes, &args.recipe_list)?;
            let mut jobs = Vec::new();
            for (name, variables) in chosen.recipes() {
                let chain = Arc::new(library.load(name));
                jobs.extend(
                    targets.iter().map(|target| Job::of_list(name, Arc::clone(&chain), target, &variables)),
                );
            }
            let notes: Vec<String> = chosen.notes().iter().map(ToString::to_string).collect();
            Ok::<_, Error>((jobs, notes))
        };
        let (jobs, notes) = signals::blocking(&cancel, load).await??;
        for note in &notes {
            workshop.warn(note);
        }
        Ok(jobs)
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
    let mut revealed = Vec::with_capacity(jobs.len());
    for mut job in jobs {
        match workshop.reveal(settings, vec![job.target.clone()]).await {
            Ok(mut targets) => job.target = targets.swap_remove(0),
            Err(error) => return workshop.break_off(error).await,
        }
        revealed.push(job);
    }
    workshop.run_all(revealed).await
}

/// The exit code of a run is that of its worst recipe: interruption first, then the first failure, then what had no turn, then
/// what is unverified, then what is pending.
pub fn exit_of(reports: &[ServerReport], tells_pending: bool, is_cancelled: bool) -> Exit {
    let reports = || reports.iter().map(|report| &report.report);
    let failures =
        || reports().filter_map(|report| report.failure.as_ref()).map(|failure| Exit::of(failure.kind));
    if is_cancelled && failures().any(|exit| exit == Exit::Interrupted) {
        return Exit::Interrupted;
    }
    if let Some(exit) = failures().find(|exit| *exit != Exit::Interrupted) {
        return exit;
    }
    // Nobody interrupted it, so that it was the clock.
    if failures().next().is_some() {
        return Exit::Deadline;
    }
    if reports().any(|report| report.status == Status::Unverified) {
        return Exit::Unverified;
    }
    if tells_pending && reports().any(Report::has_changes) {
        return Exit::ChangesPending;
    }
    Exit::Done
}
