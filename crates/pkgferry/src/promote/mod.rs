//! `pkgferry promote`: a package that is proven on one server, to others, without building it again.

mod carry;
mod proof;
mod source;

pub use proof::{Doubt, Proven};

use crate::args::PromoteArgs;
use crate::display::{self, Pace, ServerReport};
use crate::error::Error;
use crate::exit::Exit;
use crate::run::Job;
use crate::servers::Target;
use crate::settings::Settings;
use crate::shipped;
use crate::workshop::{Plan, Workshop};
use jcds_download::DOWNLOAD_PATH;
use pipeline::{
    Activity, Change, Context, Env, FileName, Level, Occurrence, Origin, Outcome, Status, StepRef, Subject,
    Verb, keys,
};
use proof::{Holds, Listed, Recorded};
use recipe::{Chain, Faults};
use runner::{Report, StepReport};
use serde::Serialize;
use source::Source;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// What was promoted, for programs.
#[derive(Debug, Serialize)]
pub struct Promoted {
    file: String,
    from: String,
    #[serde(flatten)]
    proven: Proven,
}

/// Everything that the promotion of one package works with.
struct Promotion<'a> {
    name: FileName,
    args: &'a PromoteArgs,
    workshop: Workshop,
    source: Target,
    targets: Vec<Target>,
}

/// What came of all, in order.
#[derive(Default)]
struct Results {
    reports: Vec<ServerReport>,
    shown: Option<Error>,
}

impl Results {
    fn push(&mut self, (report, shown): (ServerReport, Result<(), Error>)) -> &Report {
        self.shown = self.shown.take().or(shown.err());
        self.reports.push(report);
        let last = self.reports.len() - 1;
        &self.reports[last].report
    }
}

/// `pkgferry promote`.
pub async fn promote(
    args: PromoteArgs,
    settings: Settings,
    cancel: CancellationToken,
) -> Result<Exit, Error> {
    let name: FileName = args.name.parse().map_err(Error::FileName)?;
    if args.mode.rehearsal.sandbox {
        return Err(Error::SandboxAndServer);
    }
    if args.to.contains(&args.from) {
        return Err(Error::ToItself { server: args.from.clone() });
    }
    let names: Vec<_> = [&args.from].into_iter().chain(&args.to).cloned().collect();
    let mut targets = settings.named(&names, &args.variables.key)?;
    let source = targets.remove(0);
    let plan = Plan::of(None, &targets);
    let workshop = Workshop::open(&settings, &args.mode, plan, cancel).await?;
    targets.insert(0, source);
    let mut targets = match settings.reveal_all(targets, &workshop.context(None)).await {
        Ok(targets) => targets,
        Err(error) => return workshop.break_off(error).await,
    };
    let source = targets.remove(0);
    let promotion = Promotion { name, args: &args, workshop, source, targets };
    let mut results = Results::default();
    let done = promotion.carry(&mut results).await;
    let Results { reports, shown } = results;
    let promoted = done.as_ref().ok().map(|proven| Promoted {
        file: promotion.name.to_string(),
        from: args.from.clone(),
        proven: *proven,
    });
    let shown = shown.map_or(Ok(()), Err);
    let exit = promotion.workshop.close(&reports, shown, promoted.as_ref(), done.as_ref().err()).await;
    if let Err(error) = done {
        display::error::print(&error);
    }
    Ok(exit)
}

impl Promotion<'_> {
    async fn carry(&self, results: &mut Results) -> Result<Proven, Error> {
        let from = &self.args.from;
        let cx = self.context(&self.source);
        let session = self.workshop.sessions.open(&self.source.env()).map_err(Error::Client)?;
        let source = Source::look(&session, &self.name, from, &cx).await?;
        self.say(&cx, &format!("proven on {from}: {}, record {} is READY", source.proven, source.record.id));

        // A server that cannot be asked does not hold up the others.
        let mut held = Vec::with_capacity(self.targets.len());
        for target in &self.targets {
            match self.held(target, &source.proven).await {
                Ok(holds) => held.push((target, holds)),
                Err(error) => _ = results.push(self.failed(target, &error)),
            }
        }
        let is_needed = held.iter().any(|(_, holds)| *holds != Holds::Same);
        for (target, _) in held.iter().filter(|(_, holds)| *holds != Holds::Same) {
            // Before anything is fetched for a server that another run works on.
            self.workshop.hold(target)?;
        }
        let bytes = if is_needed { self.bytes(&source, results).await? } else { Bytes::NotNeeded };
        for (target, holds) in held {
            self.deliver(target, holds, &source, &bytes, results).await;
        }
        Ok(source.proven)
    }

    fn context(&self, target: &Target) -> Context {
        self.workshop.context(target.name.as_deref()).for_recipe(self.name.as_str())
    }

    /// What a target holds under the name.
    async fn held(&self, target: &Target, coming: &Proven) -> Result<Holds, jamf::Error> {
        let cx = self.context(target);
        let session = self.workshop.sessions.open(&target.env())?;
        let listed = source::listed(&session, &self.name, &cx).await?;
        let reliable = source::has_reliable_records(&session, &cx).await?;
        let record = match &listed {
            Listed::NoList => session.only_package_named(&cx, &self.name).await?,
            Listed::File(_) | Listed::Absent => None,
        };
        Ok(proof::holds(coming, &listed, record.as_ref().map(Recorded::from).as_ref(), reliable))
    }

    /// The bytes on this machine: those that were given, those that are kept, else fetched.
    async fn bytes(&self, source: &Source, results: &mut Results) -> Result<Bytes, Error> {
        if let Some(file) = &self.args.file {
            self.hold_against(file, &source.proven).await?;
            return Ok(Bytes::Here { path: file.clone(), _folder: None });
        }
        if !source.is_listed {
            return Err(Error::NoDownload { file: self.name.clone(), server: self.args.from.clone() });
        }
        let (place, folder) = match &self.args.cache {
            Some(cache) => {
                std::fs::create_dir_all(cache)
                    .map_err(|source| Error::Cache { path: cache.clone(), source })?;
                (cache.clone(), None)
            }
            None => {
                let folder = tempfile::Builder::new().prefix("pkgferry-promote-").tempdir();
                let folder = folder.map_err(Error::TemporaryFolder)?;
                (folder.path().to_owned(), Some(folder))
            }
        };
        let job = self.job(shipped_as(&shipped::download_package(), &self.name), &self.source, &{
            let mut values = Env::new();
            values.set(keys::PKG_NAME, self.name.clone(), Origin::Flag("NAME"));
            values.set(DOWNLOAD_PATH, place.clone(), Origin::Flag("--cache"));
            values
        });
        let report = results.push(self.workshop.run(job).await);
        match report.status {
            // A dry run plans to fetch it, unless it is there already.
            _ if report.dry_run && report.has_changes() => Ok(Bytes::Planned),
            Status::Skipped | Status::Downloaded => {
                let path = place.join(self.name.as_str());
                self.hold_against(&path, &source.proven).await?;
                Ok(Bytes::Here { path, _folder: folder })
            }
            _ => Ok(Bytes::Missing),
        }
    }

    /// Whether a local file is the proven one.
    async fn hold_against(&self, path: &Path, proven: &Proven) -> Result<(), Error> {
        let cx = self.context(&self.source);
        let total = fingerprint::FileIdentity::of(path).map_err(Error::File)?.size;
        let other = || Error::OtherBytes {
            path: path.to_owned(),
            file: self.name.clone(),
            server: self.args.from.clone(),
        };
        if total != proven.size {
            return Err(other());
        }
        let (voice, clock) = (cx.clone(), cx.clock().clone());
        let progress = move |done| voice.progress(Activity::Hashing, done, total);
        let digested =
            self.workshop.memory.digests.digest(path, || clock.now(), progress, cx.cancelled()).await;
        let (known, _) = digested.map_err(Error::File)?;
        if Proven::from(known).is(proven) { Ok(()) } else { Err(other()) }
    }

    async fn deliver(
        &self,
        target: &Target,
        holds: Holds,
        source: &Source,
        bytes: &Bytes,
        results: &mut Results,
    ) {
        let mut values = match self.args.file_only {
            true => Env::new(),
            false => carry::carried(&source.record, source.category.as_deref(), target),
        };
        values.set(keys::PKG_NAME, self.name.clone(), Origin::Flag("NAME"));
        if self.args.create_category {
            values.set(keys::CREATE_CATEGORY, true, Origin::Flag("--create-category"));
        }
        match (holds, bytes) {
            (Holds::Same, _) if self.args.file_only => {
                results.push(self.already_there(target));
            }
            (Holds::Same, _) => {
                self.say(&self.context(target), "this server holds the same bytes already");
                let recipe = shipped_as(&shipped::package_record_only(), &self.name);
                let report = results.push(self.workshop.run(self.job(recipe, target, &values)).await);
                self.tell_result(target, source, report);
            }
            (_, Bytes::Here { path, .. }) => {
                values.set(keys::PKG_PATH, path.clone(), Origin::Flag("--file"));
                // What is proven is what has to arrive, whatever becomes of the local file meanwhile.
                if let (Some(md5), Some(sha3_512)) = (source.proven.md5, source.proven.sha3_512) {
                    values.set(keys::PKG_SIZE, source.proven.size, Origin::Flag("--from"));
                    values.set(keys::PKG_MD5, md5, Origin::Flag("--from"));
                    values.set(keys::PKG_SHA3_512, sha3_512, Origin::Flag("--from"));
                }
                let recipe = shipped_as(&shipped::upload_package(), &self.name);
                let report = results.push(self.workshop.run(self.job(recipe, target, &values)).await);
                self.tell_result(target, source, report);
            }
            (_, Bytes::Planned | Bytes::NotNeeded) => {
                results.push(self.would_send(target, holds, source));
            }
            // Its report says why the bytes are not here.
            (_, Bytes::Missing) => {}
        }
    }

    fn job(&self, recipe: Arc<Result<Chain, Faults>>, target: &Target, values: &Env) -> Job {
        Job::new(self.name.as_str(), recipe, target, values)
    }

    /// A line on the way, for people and programs.
    fn say(&self, cx: &Context, message: &str) {
        let shown = self.workshop.display.say(&format!("{}: {message}\n", self.name));
        // A reader that went away is noticed when the result is written.
        drop(shown);
        cx.emit(Occurrence::Notice { level: Level::Info, message: message.to_owned() });
    }

    fn tell_result(&self, target: &Target, source: &Source, report: &Report) {
        if report.status.is_in_place() && !report.dry_run {
            let to = target.name.as_deref().unwrap_or_default();
            let message = format!("promoted from {} to {to}: {}", self.args.from, source.proven);
            self.say(&self.context(target), &message);
        }
    }

    /// The server holds the bytes, and nothing else was asked for.
    fn already_there(&self, target: &Target) -> (ServerReport, Result<(), Error>) {
        let outcome = Outcome::Skipped { reason: "this server holds the same bytes already".to_owned() };
        self.told(target, Vec::new(), Some(outcome), Status::Skipped)
    }

    /// What a dry run can say of a file that it does not fetch.
    fn would_send(
        &self,
        target: &Target,
        holds: Holds,
        source: &Source,
    ) -> (ServerReport, Result<(), Error>) {
        let (verb, reason, status) = match holds {
            Holds::Nothing => (Verb::Create, "the server has no file of this name", Status::Created),
            Holds::Other => (Verb::Replace, "the server has another file of this name", Status::Replaced),
            Holds::Unknown | Holds::Same => {
                (Verb::Create, "the server does not tell what it holds", Status::Created)
            }
        };
        let change =
            Change::new(verb, Subject::File, self.name.as_str()).because(reason).sending(source.proven.size);
        self.told(target, vec![change], None, status)
    }

    /// The server could not be asked.
    fn failed(&self, target: &Target, error: &jamf::Error) -> (ServerReport, Result<(), Error>) {
        let report = Report::not_run(self.name.as_str(), self.args.mode.dry_run, error);
        self.show(target, report)
    }

    fn show(&self, target: &Target, report: Report) -> (ServerReport, Result<(), Error>) {
        let voice = self.workshop.display.voice(self.name.as_str(), target.name.as_deref(), Pace::Live);
        let report = ServerReport { server: target.name.clone(), report };
        self.workshop.note(self.name.as_str(), &report);
        let shown = voice.report(&report);
        (report, shown)
    }

    /// A report of what no recipe was needed for.
    fn told(
        &self,
        target: &Target,
        changes: Vec<Change>,
        outcome: Option<Outcome>,
        status: Status,
    ) -> (ServerReport, Result<(), Error>) {
        let step = StepRef { number: 1, processor: "promote".to_owned() };
        let cx = self.context(target);
        let dry_run = self.args.mode.dry_run;
        cx.emit(Occurrence::RecipeStarted { dry_run, steps: vec![step.clone()] });
        cx.for_step(step.clone())
            .emit(Occurrence::StepPlanned { changes: changes.clone(), result: outcome.clone() });
        cx.emit(Occurrence::RecipeFinished);
        let report = Report {
            recipe: self.name.to_string(),
            dry_run,
            status,
            bytes_sent: changes.iter().map(|change| change.bytes).sum(),
            bytes_resumed: 0,
            bytes_fetched: 0,
            steps: vec![StepReport { step, changes, outcome, package_id: None, bytes_sent: None }],
            failure: None,
            given_up: None,
        };
        self.show(target, report)
    }
}

/// Where the package is on this machine.
enum Bytes {
    /// Here, until the folder goes.
    Here { path: PathBuf, _folder: Option<TempDir> },
    /// A dry run does not fetch them.
    Planned,
    /// All servers hold them.
    NotNeeded,
    /// They could not be fetched.
    Missing,
}

/// A shipped recipe under the package's name.
fn shipped_as(source: &recipe::Source, name: &FileName) -> Arc<Result<Chain, Faults>> {
    Arc::new(recipe::Library::default().load_source(source).map(|mut chain| {
        chain.identifier = name.to_string();
        chain
    }))
}
