use crate::args::{Mode, RunArgs};
use crate::clock::SystemClock;
use crate::display::Display;
use crate::error::Error;
use crate::exit::Exit;
use crate::serve;
use crate::settings::Settings;
use crate::signals;
use jamf::Sessions;
use pipeline::{Access, Boundary, Context, Env, Origin};
use recipe::{Chain, Faults};
use runner::{Registry, Report, Status};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// A recipe as the command line names it, and what became of reading it.
pub struct Job {
    /// As it was typed.
    pub name: String,
    /// The recipe with its parents.
    pub chain: Result<Chain, Faults>,
    /// What wins over its Input.
    pub overrides: Env,
}

/// `pkgferry run`.
pub async fn run(args: RunArgs, settings: Settings, cancel: CancellationToken) -> Result<Exit, Error> {
    let library = settings.library();
    let overrides = settings.overrides_with(&args.variables.key);
    let load = move || {
        let job = |name: String| Job { chain: library.load(&name), name, overrides: overrides.clone() };
        args.recipes.into_iter().map(job).collect()
    };
    let jobs = signals::blocking(&cancel, load).await?;
    execute(jobs, &settings, &args.mode, cancel).await
}

/// Runs recipes one after the other in one session, and shows what comes of them. A faulty recipe fails alone.
pub async fn execute(
    jobs: Vec<Job>,
    settings: &Settings,
    mode: &Mode,
    cancel: CancellationToken,
) -> Result<Exit, Error> {
    let clock = Arc::new(SystemClock);
    let embedded = match mode.sandbox {
        true => Some(serve::Embedded::start(mode, clock.clone()).await?),
        false => None,
    };
    let display = Display::new(mode.json, clock.clone());
    let access = if mode.dry_run { Access::ReadOnly } else { Access::ReadWrite };
    let boundary = Arc::new(Boundary::new(access));
    let cx = Context::new(clock, boundary.clone(), display.listener(), cancel);
    // The seed only spreads retries over time; two runs at once should not share it.
    let config = jamf::Config { seed: std::process::id().into(), ..jamf::Config::default() };
    let sessions = Arc::new(Sessions::new(config).map_err(Error::Client)?);
    let folder = if embedded.is_some() { settings.state.of_rehearsal() } else { settings.state.clone() };
    let memory = folder.open(mode.rehash, &cx).map_err(Error::State)?;
    let registry = crate::registry::registry(&sessions, &memory)?;

    let mut reports = Vec::with_capacity(jobs.len());
    let mut shown = Ok(());
    for mut job in jobs {
        if let Some(embedded) = &embedded {
            job.overrides.overlay(&embedded.env());
        }
        if mode.keep_partial {
            job.overrides.set(s3_upload::KEEP_PARTIAL, true, Origin::Flag("--keep-partial"));
        }
        let report = match cx.cancelled().is_cancelled() {
            true => Report::not_begun(job.name, mode.dry_run),
            false => one(job, settings, mode.dry_run, &registry, &cx).await,
        };
        // Output that cannot be written is no reason to leave packages undelivered.
        shown = shown.and(display.report(&report));
        reports.push(report);
    }
    sessions.close(&cx).await;
    let exit = exit_of(&reports, mode);
    match shown.and(display.finish(&reports, boundary.traffic(), exit)) {
        Err(error) if !error.is_closed_pipe() => Err(error),
        _ => Ok(exit),
    }
}

async fn one(job: Job, settings: &Settings, dry_run: bool, registry: &Registry, cx: &Context) -> Report {
    let checked = job
        .chain
        .and_then(|chain| recipe::check(&chain, &registry.specs(), &settings.preferences, &job.overrides));
    let checked = match checked {
        Ok(checked) => checked,
        Err(faults) => return Report::refused(job.name, dry_run, &faults),
    };
    runner::run(registry, &checked, dry_run, cx).await
}

/// The exit code of a run: interruption first, then the first failure, then what is unverified, then what is pending.
fn exit_of(reports: &[Report], mode: &Mode) -> Exit {
    let failures =
        || reports.iter().filter_map(|report| report.failure.as_ref()).map(|failure| Exit::of(failure.kind));
    if failures().any(|exit| exit == Exit::Interrupted) {
        return Exit::Interrupted;
    }
    if let Some(exit) = failures().next() {
        return exit;
    }
    if reports.iter().any(|report| report.status == Status::Unverified) {
        return Exit::Unverified;
    }
    if mode.detailed_exit_code && reports.iter().any(Report::has_changes) {
        return Exit::ChangesPending;
    }
    Exit::Done
}
