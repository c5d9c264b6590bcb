//! `pkgferry run`, and what every command shares that runs recipes.

mod job;
mod selection;

pub use job::{Carried, Job, Ready, contested, missing_file, refuse_contested};
pub use selection::{Chosen, Wanted};

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
use pipeline::Status;
use runner::Report;
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
            let mut chosen = Chosen::read(&args.recipes.named, &args.recipes.recipe_list)?;
            let mut jobs = Vec::new();
            let recipes = chosen.load(&library);
            let readable: Vec<_> =
                recipes.iter().filter_map(|wanted| (*wanted.chain).as_ref().ok()).collect();
            let slips = given.and_lists(&chosen).slips(&readable, &registry::declared()?.specs());
            for Wanted { name, variables, chain } in &recipes {
                let job = |target| Job::of_list(name, Arc::clone(chain), target, variables);
                jobs.extend(targets.iter().map(job));
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

/// The exit code of a run is that of its [worst](Exit::worse) recipe.
pub fn exit_of(reports: &[ServerReport], tells_pending: bool) -> Exit {
    let exits = reports.iter().map(|report| exit_of_one(&report.report, tells_pending));
    exits.fold(Exit::Done, Exit::worse)
}

fn exit_of_one(report: &Report, tells_pending: bool) -> Exit {
    match &report.failure {
        Some(failure) => Exit::of(failure.kind),
        None if report.status == Status::Unverified => Exit::Unverified,
        None if tells_pending && report.has_changes() => Exit::ChangesPending,
        None => Exit::Done,
    }
}
