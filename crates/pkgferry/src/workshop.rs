//! What the recipes of one command share: a display, one session for each server, the memory of this machine.

use crate::args::Mode;
use crate::awake::{Awake, Sleepless};
use crate::chronicle::{Chronicle, Entry, LeaveReports, Outset};
use crate::clock::SystemClock;
use crate::display::{self, Display, Pace, ServerReport, Voice};
use crate::error::Error;
use crate::exit::Exit;
use crate::locks::Locks;
use crate::promote::Promoted;
use crate::remembered;
use crate::run::{Job, Ready, exit_of, missing_file, refuse_contested};
use crate::serve::Embedded;
use crate::servers::Target;
use crate::settings::Settings;
use futures_util::{StreamExt as _, stream};
use indexmap::IndexMap;
use jamf::{Listing, Session, Sessions};
use pipeline::{
    Access, Boundary, Clock as _, Context, Event, FileName, Gate, Listener, Origin, Shard, causes, keys,
};
use report::{PackageRecorder, Subject};
use runner::{Batch, Claim, Item, Registry, Report};
use s3_upload::Memory;
use state::{PackageFacts, StoredUpload};
use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Waiting for servers is most of the work, and more at once would only make the log harder to read.
const JOBS: NonZeroUsize = NonZeroUsize::new(4).expect("not zero");
/// Each takes two threads, and a disk is not faster for being asked by many.
const HASHED_AT_ONCE: NonZeroUsize = NonZeroUsize::new(2).expect("not zero");
/// One upload fills most lines; a second one uses the gaps while the first is put in place.
const SENT_AT_ONCE: NonZeroUsize = NonZeroUsize::new(2).expect("not zero");

/// How often what goes on is written into the report.
const REPORT_EVERY: Duration = Duration::from_secs(2);

/// What is known of a run before its recipes are read.
#[derive(Default)]
pub struct Plan {
    /// Which part of the packages it takes.
    pub shard: Option<Shard>,
    /// The servers that it goes to, as reports call them.
    pub servers: Vec<String>,
    /// Their addresses, as far as settings give them.
    pub addresses: Vec<String>,
    /// Whether the heartbeat is for it. One package that somebody sends by hand is no night, and must not be taken for one.
    pub heartbeat: bool,
}

impl Plan {
    /// For these servers, each told of once.
    pub fn of<'a>(shard: Option<Shard>, targets: impl IntoIterator<Item = &'a Target>) -> Self {
        let (mut servers, mut addresses) = (Vec::<String>::new(), Vec::new());
        for target in targets {
            if let Some(label) = target.label().filter(|label| !servers.contains(label)) {
                servers.push(label);
                let address = target.env().get(keys::JSS_URL).ok().flatten();
                addresses.extend(address.map(|address| address.trim_end_matches('/').to_owned()));
            }
        }
        Self { shard, servers, addresses, heartbeat: false }
    }

    /// What the heartbeat hears of, if it is for this run.
    fn heartbeat(&self) -> Option<Shard> {
        self.heartbeat.then(|| self.shard.unwrap_or(Shard::WHOLE))
    }
}

/// It is opened once, and closed when all is done.
pub struct Workshop {
    /// What people and programs see.
    pub display: Display,
    /// One session for each server and account.
    pub sessions: Arc<Sessions>,
    /// What is remembered, and connections to S3.
    pub memory: Memory,
    clock: Arc<SystemClock>,
    boundary: Arc<Boundary>,
    /// What all contexts of the run are made from.
    cx: Context,
    registry: Arc<Registry>,
    embedded: Option<Embedded>,
    chronicle: Chronicle,
    locks: Locks,
    /// The servers that were named before recipes were read, where that is enough to know them.
    addresses: Vec<String>,
    /// What this run has seen to be in place, by server.
    settled: Mutex<IndexMap<String, Settled>>,
    awake: Arc<Awake>,
    shard: Option<Shard>,
    jobs: NonZeroUsize,
    dry_run: bool,
    keep_partial: bool,
    detailed_exit_code: bool,
}

impl Workshop {
    /// Starts the rehearsal server if it is asked for, opens the memory, and lets everybody know that the run begins.
    pub async fn open(
        settings: &Settings,
        mode: &Mode,
        plan: Plan,
        cancel: CancellationToken,
    ) -> Result<Self, Error> {
        let clock = Arc::new(SystemClock);
        let embedded = Embedded::start(&mode.rehearsal, clock.clone()).await?;
        let display = Display::new(mode.json, clock.clone());
        let access = if mode.dry_run { Access::ReadOnly } else { Access::ReadWrite };
        let boundary = Arc::new(Boundary::new(access));
        let cx = Context::new(clock.clone(), boundary.clone(), display.listener(None), cancel);
        let cx = match mode.side.deadline {
            Some(deadline) => cx.until(deadline.of_run(clock.now())),
            None => cx,
        };
        let folder = if embedded.is_some() { settings.state.of_rehearsal() } else { settings.state.clone() };
        let mut memory = folder.open(mode.rehash, &cx).map_err(Error::State)?;
        memory.digests = memory.digests.behind(Gate::new(HASHED_AT_ONCE));
        let sessions = Arc::new(remembered::sessions(&memory.state, Listing::Whole)?);
        let registry = Arc::new(crate::registry::registry(&sessions, &memory)?);
        // A rehearsal is nobody's news.
        let told = if embedded.is_some() { Access::ReadOnly } else { access };
        let news =
            settings.notices.open(mode.side.notify_on, plan.heartbeat(), told, &settings.secrets, &cx).await;
        let (command, host) = (settings.process.command(), settings.process.host());
        let locks = Locks::new(
            memory.state.clone(),
            command.to_string(),
            host.clone(),
            plan.shard.unwrap_or(Shard::WHOLE),
        );
        let outset = Outset {
            command,
            host,
            dry_run: mode.dry_run,
            shard: plan.shard,
            servers: plan.servers,
            reports: &mode.side.reports,
            news,
        };
        let chronicle = Chronicle::begin(outset, &memory.state, &clock, &boundary, &cx).await?;
        Ok(Self {
            jobs: mode.side.jobs.unwrap_or(JOBS),
            shard: plan.shard,
            awake: Arc::new(Awake::of_this_system()),
            display,
            sessions,
            memory,
            clock,
            boundary,
            cx,
            registry,
            embedded,
            chronicle,
            locks,
            addresses: plan.addresses,
            settled: Mutex::default(),
            dry_run: mode.dry_run,
            keep_partial: mode.keep_partial,
            detailed_exit_code: mode.detailed_exit_code,
        })
    }

    /// A context that speaks of the work for a server.
    pub fn context(&self, server: Option<&str>) -> Context {
        self.cx.heard_by(self.display.listener(server))
    }

    /// Tells of something that belongs to no recipe.
    pub fn warn(&self, message: &str) {
        self.context(None).warn(message);
        self.chronicle.warn(message);
    }

    /// Puts in the secrets of servers that are reached. The rehearsal server has its own.
    pub async fn reveal(&self, settings: &Settings, target: Target) -> Result<Target, Error> {
        match &self.embedded {
            Some(_) => Ok(target),
            None => settings.reveal(target, &self.context(None)).await,
        }
    }

    /// Checks a job as it is to run here.
    fn check(&self, mut job: Job) -> Ready {
        let overrides = &mut job.target.overrides;
        if let Some(embedded) = &self.embedded {
            overrides.overlay(&embedded.env());
        }
        if self.keep_partial {
            overrides.set(s3_upload::KEEP_PARTIAL, true, Origin::Flag("--keep-partial"));
        }
        job.check(self.dry_run, &self.registry)
    }

    /// Runs one recipe now, and shows what came of it. Output that cannot be written is no reason to leave packages undelivered,
    /// so that it is told beside the report.
    pub async fn run(&self, job: Job) -> (ServerReport, Result<(), Error>) {
        let announced = self.announce(self.check_all(vec![job]));
        let (mut reports, shown) = self.run_side_by_side(announced, NonZeroUsize::MIN).await;
        // As many come out as go in.
        (reports.swap_remove(0), shown)
    }

    /// Runs all of them and ends the run: one server after the other, in the order in which they were named, and the recipes of
    /// each side by side. So what goes wrong on a test server shows before anything is sent to the next one.
    pub async fn run_all(self, jobs: Vec<Job>) -> Result<Exit, Error> {
        let mut by_server: IndexMap<Option<String>, Vec<Job>> = IndexMap::new();
        for job in jobs {
            by_server.entry(job.target.name.clone()).or_default().push(job);
        }
        let mut by_server: Vec<Vec<Ready>> =
            by_server.into_values().map(|jobs| self.check_all(jobs)).collect();
        by_server.iter_mut().for_each(|ready| refuse_contested(ready, self.dry_run));
        if let Err(source) = self.hold_all(by_server.iter().flatten()) {
            let leaves_reports = self.chronicle.may_have_anothers_reports();
            return self.break_off(Error::Busy { source, leaves_reports }).await;
        }
        // All are announced before the first one begins.
        let by_server: Vec<_> = by_server.into_iter().map(|ready| self.announce(ready)).collect();
        self.chronicle.write(&self.context(None));
        let mut shown = match self.shard {
            // Silence could be anything.
            Some(shard) if by_server.iter().all(Vec::is_empty) => {
                self.display.say(&format!("no package of these recipes belongs to shard {shard}\n"))
            }
            _ => Ok(()),
        };
        let mut reports = Vec::new();
        for announced in by_server {
            let (more, told) = self.run_side_by_side(announced, self.jobs).await;
            reports.extend(more);
            shown = shown.and(told);
        }
        Ok(self.close(&reports, shown, None, None).await)
    }

    /// Checks jobs, and gives those that are this run's.
    fn check_all(&self, jobs: Vec<Job>) -> Vec<Ready> {
        jobs.into_iter().map(|job| self.check(job)).filter(|ready| self.is_ours(ready)).collect()
    }

    /// Takes all servers before anything begins. Where another run has one of them nothing is begun at all: what a second start did
    /// beside the first would take the place of its report.
    ///
    /// # Errors
    /// When another run has one of them.
    fn hold_all<'a>(&self, all: impl Iterator<Item = &'a Ready>) -> Result<(), state::Error> {
        let cx = self.context(None);
        for ready in all.filter(|ready| ready.writes() && !self.dry_run) {
            if let Some(session) = self.session(ready) {
                self.locks.hold(session.server(), self.clock.now(), &cx)?;
            }
        }
        Ok(())
    }

    /// The same for a server that will be written to, before there is a recipe.
    pub fn hold(&self, target: &Target) -> Result<(), Error> {
        if self.dry_run {
            return Ok(());
        }
        let session = self.sessions.open(&target.env()).map_err(Error::Client)?;
        self.locks.hold(session.server(), self.clock.now(), &self.context(None)).map_err(|source| {
            Error::Busy { source, leaves_reports: self.chronicle.may_have_anothers_reports() }
        })
    }

    /// The session that a recipe will use, if it passed its check and says enough of a server.
    fn session(&self, ready: &Ready) -> Option<Arc<Session>> {
        let checked = ready.checked.as_ref().ok()?;
        self.sessions.open(&checked.env).ok()
    }

    /// Lets the report know of recipes.
    fn announce(&self, ready: Vec<Ready>) -> Vec<Announced> {
        let announced = ready.into_iter().map(|ready| {
            let recorder = self.chronicle.announce(&ready.name, ready.subject.clone());
            // A server without a name is called by its address.
            let server = ready.server.clone().or_else(|| Some(self.session(&ready)?.server().to_owned()));
            recorder.learn(Subject { server, ..Subject::default() });
            Announced { ready, recorder }
        });
        announced.collect()
    }

    async fn run_side_by_side(
        &self,
        announced: Vec<Announced>,
        at_once: NonZeroUsize,
    ) -> (Vec<ServerReport>, Result<(), Error>) {
        let pace = if announced.len() > 1 && at_once.get() > 1 { Pace::Together } else { Pace::Live };
        let speaking: Mutex<Vec<Speaking>> = Mutex::default();
        let items = stream::iter(announced).map(|Announced { ready, recorder }| {
            let (one, item) = self.item(ready, recorder, pace);
            lock(&speaking).push(one);
            item
        });
        let batch = Batch { jobs: at_once, senders: SENT_AT_ONCE, dry_run: self.dry_run };
        let cx = self.context(None);
        let mut shown = Ok(());
        let done = |place: usize, report: &Report| {
            let speaking = lock(&speaking);
            // It is there since its item was taken.
            let Some(Speaking { voice, entry, server, carries }) = speaking.get(place) else { return };
            entry.end(report);
            if let Some((session, file)) = carries
                && report.status.is_in_place()
            {
                let mut settled = lock(&self.settled);
                let settled =
                    settled.entry(session.server().to_owned()).or_insert_with(|| Settled::on(session));
                settled.files.push(file.clone());
            }
            let told = voice.report(&ServerReport { server: server.clone(), report: report.clone() });
            if shown.is_ok() {
                shown = told;
            }
            self.chronicle.keep(&cx);
        };
        let reports = tokio::select! {
            reports = batch.run(items, &cx, done) => reports,
            (never, _) = async { tokio::join!(self.keep_reporting(&cx), cx.watch()) } => match never {},
        };
        let servers = speaking.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter();
        let reports = servers.zip(reports).map(|(one, report)| ServerReport { server: one.server, report });
        (reports.collect(), shown)
    }

    /// A crash in the middle of a large package leaves a report that tells of it.
    async fn keep_reporting(&self, cx: &Context) -> Infallible {
        loop {
            tokio::select! {
                () = self.clock.sleep(REPORT_EVERY) => self.chronicle.keep(cx),
                () = self.chronicle.package_begins() => self.chronicle.write(cx),
            }
        }
    }

    fn is_ours(&self, ready: &Ready) -> bool {
        let Some(shard) = self.shard else { return true };
        // What has no name at all is the first one's.
        ready.shard_name().map_or(shard.index() == 1, |name| batch::takes(shard, &name))
    }

    fn item(&self, ready: Ready, recorder: PackageRecorder, pace: Pace) -> (Speaking, Item) {
        let session = self.session(&ready);
        let address = session.as_ref().map(|session| session.server().to_owned());
        let writes = ready.writes() && !self.dry_run;
        let Ready { name, server, file, checked, .. } = ready;
        let voice = self.display.voice(&name, server.as_deref(), pace);
        let facts =
            PackageFacts { server: address.as_deref(), file: file.as_ref(), ..PackageFacts::default() };
        let entry = Arc::new(self.chronicle.follow(&name, recorder, &facts));
        let ears = Ears {
            run: [self.display.listener(server.as_deref()), self.chronicle.listener()],
            voice: voice.listener(),
            entry: entry.clone(),
            sleepless: self.awake.sleepless(),
        };
        let cx = self.cx.heard_by(Arc::new(ears));
        let hold = || match &address {
            Some(address) if writes => self.locks.hold(address, self.clock.now(), &cx),
            _ => Ok(()),
        };
        let work = checked.and_then(|checked| {
            // What is not there is told before any server is asked, and when its turn has come: it may be made meanwhile.
            if let Some((step, error)) = missing_file(&checked) {
                let report = Report::not_run(name.clone(), self.dry_run, &error);
                return Err(Box::new(report.because_of(step)));
            }
            match hold() {
                Ok(()) => Ok(runner::Job { checked, registry: self.registry.clone(), cx: cx.clone() }),
                Err(held) => Err(Box::new(Report::not_run(name.clone(), self.dry_run, &held))),
            }
        });
        let claim = address.zip(file.clone()).map(|(address, file)| Claim::new(address, file));
        let carries = session.zip(file).filter(|_| writes);
        (Speaking { voice, entry, server, carries }, Item { name, claim, work })
    }

    /// Tells of what no recipe was run for.
    pub fn note(&self, name: &str, report: &ServerReport) {
        let subject =
            Subject { server: report.server.clone(), file: Some(name.to_owned()), ..Subject::default() };
        let recorder = self.chronicle.announce(name, subject);
        self.chronicle.follow(name, recorder, &PackageFacts::default()).end(&report.report);
    }

    /// Signs out, and shows and tells what came of everything; `broke` is what ended it before its time. What cannot be shown and
    /// what cannot be told are each complained of, and the exit code is the worst of all.
    pub async fn close(
        self,
        reports: &[ServerReport],
        shown: Result<(), Error>,
        promoted: Option<&Promoted>,
        broke: Option<&Error>,
    ) -> Exit {
        let cx = self.context(None);
        self.tidy(&cx).await;
        self.sessions.close(&cx).await;
        let exit = match broke {
            Some(error) => error.exit(),
            None => exit_of(reports, self.detailed_exit_code),
        };
        let leave = self.leave_reports(broke);
        let told = self.chronicle.end(exit, broke, leave, &cx).await;
        let shown = shown.and(self.display.finish(reports, self.boundary.traffic(), exit, promoted));
        [shown, told].into_iter().filter_map(Result::err).fold(exit, |exit, error| {
            display::error::print(&error);
            exit.worse(error.exit())
        })
    }

    /// Removes what earlier runs have left of files that are in place now: nobody will go on with it.
    async fn tidy(&self, cx: &Context) {
        let settled = std::mem::take(&mut *lock(&self.settled));
        for Settled { session, files } in settled.into_values() {
            let is_of = |left: &StoredUpload| files.iter().any(|file| file.same_name(&left.file));
            s3_upload::discard(&self.memory, &session, cx, is_of).await;
        }
    }

    /// A run that ended before it had its servers does not know whether the report that is there is another's, who may work on them
    /// now.
    fn leave_reports(&self, broke: Option<&Error>) -> LeaveReports {
        let is_busy = || self.addresses.iter().any(|address| self.locks.is_held_by_another(address));
        match broke {
            Some(Error::Busy { .. }) => LeaveReports::ToTheOther,
            Some(_) if is_busy() => LeaveReports::ToTheOther,
            _ => LeaveReports::No,
        }
    }

    /// Nothing can be run. Whoever is told of runs is told of this one, too.
    pub async fn break_off(self, error: Error) -> Result<Exit, Error> {
        let cx = self.context(None);
        self.sessions.close(&cx).await;
        let leave = self.leave_reports(Some(&error));
        let says_so = matches!(error, Error::Busy { .. }) || !self.chronicle.may_have_anothers_reports();
        if leave == LeaveReports::ToTheOther && !says_so {
            cx.warn("the report was left alone, since another run works on the server and it may be its");
        }
        if let Err(second) = self.chronicle.end(error.exit(), Some(&error), leave, &cx).await {
            cx.warn(causes(&second).collect::<Vec<_>>().join(": "));
        }
        Err(error)
    }
}

/// A recipe whose turn will come.
struct Announced {
    ready: Ready,
    recorder: PackageRecorder,
}

/// A recipe whose turn has come, as it is shown and told of.
struct Speaking {
    voice: Voice,
    entry: Arc<Entry>,
    server: Option<String>,
    /// The file that it carries, and where to.
    carries: Option<(Arc<Session>, FileName)>,
}

/// Files of one server that are in place.
struct Settled {
    session: Arc<Session>,
    files: Vec<FileName>,
}

impl Settled {
    fn on(session: &Arc<Session>) -> Self {
        Self { session: Arc::clone(session), files: Vec::new() }
    }
}

/// Who hears the events of one recipe.
struct Ears {
    /// Who hears what one recipe came upon and what belongs to none.
    run: [Arc<dyn Listener>; 2],
    voice: Arc<dyn Listener>,
    entry: Arc<Entry>,
    sleepless: Sleepless,
}

impl Listener for Ears {
    fn on(&self, event: &Event) {
        if event.recipe.is_empty() {
            return self.run.iter().for_each(|listener| listener.on(event));
        }
        self.entry.on(event);
        self.sleepless.on(event);
        self.voice.on(event);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
