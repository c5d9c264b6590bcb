use crate::args::{Mode, RunArgs};
use crate::clock::SystemClock;
use crate::display::{Display, ServerReport};
use crate::error::Error;
use crate::exit::Exit;
use crate::serve;
use crate::servers::Target;
use crate::settings::Settings;
use crate::signals;
use jamf::Sessions;
use pipeline::{Access, Boundary, Context, Env, Origin};
use recipe::{Chain, Faults};
use runner::{Registry, Report, Status};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// A recipe as the command line names it, what became of reading it, and the server that it runs for.
pub struct Job {
    name: String,
    chain: Arc<Result<Chain, Faults>>,
    target: Target,
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
}

/// `pkgferry run`.
pub async fn run(args: RunArgs, settings: Settings, cancel: CancellationToken) -> Result<Exit, Error> {
    let library = settings.library();
    let targets = settings.targets(&args.variables.key, args.mode.sandbox)?;
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
    mode.check()?;
    let clock = Arc::new(SystemClock);
    let embedded = match mode.sandbox {
        true => Some(serve::Embedded::start(mode, clock.clone()).await?),
        false => None,
    };
    let display = Display::new(mode.json, clock.clone());
    let access = if mode.dry_run { Access::ReadOnly } else { Access::ReadWrite };
    let boundary = Arc::new(Boundary::new(access));
    let listening = |server: Option<&str>| {
        Context::new(clock.clone(), boundary.clone(), display.listener(server), cancel.clone())
    };
    let cx = listening(None);
    // The seed only spreads retries over time; two runs at once should not share it.
    let config = jamf::Config { seed: std::process::id().into(), ..jamf::Config::default() };
    let sessions = Arc::new(Sessions::new(config).map_err(Error::Client)?);
    let folder = if embedded.is_some() { settings.state.of_rehearsal() } else { settings.state.clone() };
    let memory = folder.open(mode.rehash, &cx).map_err(Error::State)?;
    let registry = crate::registry::registry(&sessions, &memory)?;

    let mut reports = Vec::with_capacity(jobs.len());
    let mut shown = Ok(());
    for mut job in jobs {
        let overrides = &mut job.target.overrides;
        if let Some(embedded) = &embedded {
            overrides.overlay(&embedded.env());
        }
        if mode.keep_partial {
            overrides.set(s3_upload::KEEP_PARTIAL, true, Origin::Flag("--keep-partial"));
        }
        let server = job.target.name.clone();
        let report = match cx.cancelled().is_cancelled() {
            true => Report::not_begun(job.name, mode.dry_run),
            false => one(job, mode.dry_run, &registry, &listening(server.as_deref())).await,
        };
        let report = ServerReport { server, report };
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

async fn one(job: Job, dry_run: bool, registry: &Registry, cx: &Context) -> Report {
    let Target { preferences, overrides, .. } = &job.target;
    let checked = match &*job.chain {
        Ok(chain) => match recipe::check(chain, &registry.specs(), preferences, overrides) {
            Ok(checked) => checked,
            Err(faults) => return Report::refused(job.name, dry_run, &faults),
        },
        Err(faults) => return Report::refused(job.name, dry_run, faults),
    };
    runner::run(registry, &checked, dry_run, cx).await
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
