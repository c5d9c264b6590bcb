//! What is told of a run: its report, while it goes on and when it has ended, its history, and the news of it.

mod files;
mod news;

use crate::clock::SystemClock;
use crate::error::Error;
use crate::exit::Exit;
use files::ReportFiles;
use jiff::{SignedDuration, Timestamp};
use news::News;
pub use news::{Notices, Reached, Tried};
use pipeline::{Boundary, Clock as _, Context, Event, FileName, Level, Listener, Occurrence, Shard, causes};
use report::{Ending, PackageRecorder, PackageReport, Program, Recorder, RunReport, Subject};
use runner::Report;
use state::{
    CommandLine, Failed, HistoryKeep, HistoryPruned, NewPackage, NewRun, PackageEnd, PackageFacts,
    PackageLog, RunId, RunLog, State,
};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::{Arc, Once};
use tokio::sync::Notify;

/// How many runs the history keeps at least, and for how many days it keeps more than that.
pub const HISTORY_RUNS: NonZeroU32 = NonZeroU32::new(100).expect("not zero");
const HISTORY_DAYS: u32 = 180;

/// What is known of a run before it begins, and who is to hear of it.
pub struct Outset<'a> {
    /// What was typed.
    pub command: CommandLine,
    /// The name of this machine.
    pub host: String,
    /// Whether nothing will be changed.
    pub dry_run: bool,
    /// Which part of a list it takes.
    pub shard: Option<Shard>,
    /// Names or addresses of its servers.
    pub servers: Vec<String>,
    /// Files to write the report to.
    pub reports: &'a [PathBuf],
    /// Webhooks and the heartbeat.
    pub news: News,
}

/// Whether the files of the report are left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaveReports {
    /// They are this run's.
    No,
    /// They may be those of another run, which works on the server that this one was to work on.
    ToTheOther,
}

/// Everything that is told of one run.
pub struct Chronicle {
    recorder: Arc<Recorder>,
    log: Option<RunLog>,
    files: ReportFiles,
    news: News,
    begun: Arc<Notify>,
}

impl Chronicle {
    /// The run begins, and the heartbeat is told. Its report is there from the first [`write`](Self::write) on, which comes when
    /// the run has its servers for itself: until then what is there may be the report of another run.
    pub async fn begin(
        outset: Outset<'_>,
        state: &State,
        clock: &Arc<SystemClock>,
        boundary: &Arc<Boundary>,
        cx: &Context,
    ) -> Result<Self, Error> {
        let Outset { command, host, dry_run, shard, servers, reports, mut news } = outset;
        let id = RunId::random();
        let version = env!("CARGO_PKG_VERSION");
        let run = report::Run {
            program: Program { name: "pkgferry".to_owned(), version: version.to_owned() },
            id: id.to_string(),
            dry_run,
            shard,
            servers,
        };
        let recorder = Arc::new(Recorder::new(run, clock.clone(), boundary.clone()));
        // What cannot be written now cannot be written after hours of work either.
        let files = ReportFiles::open(reports, clock.clone())?;
        files.probe()?;
        let new = NewRun { id: &id, command: &command, version, host: &host, dry_run };
        let log = match state.history().begin_run(&new, clock.clone()) {
            Ok(log) => Some(log),
            Err(error) => {
                cx.warn(format!("this run will not be in the history: {}", in_full(&error)));
                None
            }
        };
        // A history that cannot be shortened is as good as another.
        drop(forget(state, HISTORY_DAYS, clock.now()));
        news.begin(&id, &host, reports, cx);
        Ok(Self { recorder, log, files, news, begun: Arc::default() })
    }

    /// Announces a package before its turn. Reports list packages in this order.
    pub fn announce(&self, recipe: &str, subject: Subject) -> PackageRecorder {
        self.recorder.package(recipe, subject)
    }

    /// What listens to an announced package whose turn has come.
    pub fn follow(&self, recipe: &str, recorder: PackageRecorder, facts: &PackageFacts<'_>) -> Entry {
        let log = self.log.as_ref().map(|log| log.package(&NewPackage { recipe, facts: *facts }));
        Entry { recorder, log, begins: Once::new(), begun: Arc::clone(&self.begun) }
    }

    /// Takes a warning that belongs to no package.
    pub fn warn(&self, message: &str) {
        self.recorder.warn(message, None);
        if let Some(log) = &self.log {
            log.warn(message, None);
        }
    }

    /// What hears of the run itself.
    pub fn listener(&self) -> Arc<dyn Listener> {
        Arc::new(OfRun { recorder: self.recorder.clone(), log: self.log.clone() })
    }

    /// Writes the report down as it is.
    pub fn write(&self, cx: &Context) {
        if let Err(error) = self.files.write(&self.recorder.snapshot()) {
            cx.warn(in_full(&error));
        }
    }

    /// Waits until a package begins to change something.
    pub async fn package_begins(&self) {
        self.begun.notified().await;
    }

    /// Writes the report down as it is, if it was not just written.
    pub fn keep(&self, cx: &Context) {
        if let Err(error) = self.files.write_now_and_then(|| self.recorder.snapshot()) {
            cx.warn(in_full(&error));
        }
    }

    /// Whether a report that was asked for may be that of another run, which goes on.
    pub fn may_have_anothers_reports(&self) -> bool {
        self.files.may_be_anothers()
    }

    /// The run has ended. Everything is tried, whatever fails of it; the first failure is told.
    pub async fn end(
        self,
        exit: Exit,
        broke: Option<&Error>,
        leave: LeaveReports,
        cx: &Context,
    ) -> Result<(), Error> {
        let Self { recorder, log, files, news, .. } = self;
        // That somebody interrupted it is nothing to look at.
        if let Some(error) = broke.filter(|_| exit != Exit::Interrupted) {
            recorder.warn(in_full(error), error.hint());
        }
        let ending = ending(exit, broke, &recorder.snapshot());
        let report = recorder.end(ending, exit.code());
        let is_own = leave == LeaveReports::No || !files.may_be_anothers();
        let written = match leave {
            LeaveReports::No => files.write(&report),
            LeaveReports::ToTheOther => files.write_own(&report),
        };
        let logged = match log {
            Some(log) => log.end(exit.code()).map_err(Error::State),
            None => Ok(()),
        };
        if let Err(error) = &logged {
            cx.warn(format!("the history of this run is not whole: {}", in_full(error)));
        }
        let is_written = is_own && written.is_ok();
        news.end(&report, is_written, exit, broke, cx).await;
        written
    }
}

/// Why a run ended. What went wrong besides is in the exit code; a package that had no turn tells of the deadline in any case.
fn ending(exit: Exit, broke: Option<&Error>, report: &RunReport) -> Ending {
    match (broke, exit) {
        (_, Exit::Interrupted) => Ending::Interrupted,
        (Some(_), _) => Ending::BrokenOff,
        (None, _) if report.totals().not_begun > 0 => Ending::Deadline,
        (None, _) => Ending::Complete,
    }
}

/// Forgets runs that are older than so many days, but for the newest.
pub fn forget(state: &State, days: u32, now: Timestamp) -> Result<HistoryPruned, state::Error> {
    let history = state.history();
    let newest = history.runs(HISTORY_RUNS, None)?;
    let Some(oldest_of_them) = newest.items.last().filter(|_| newest.next.is_some()) else {
        return Ok(HistoryPruned::default());
    };
    let cut = days_ago(days, now);
    history.prune(HistoryKeep { since: Some(cut.min(oldest_of_them.begun)), runs: None })
}

/// So many days before a moment.
pub fn days_ago(days: u32, now: Timestamp) -> Timestamp {
    now.saturating_sub(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(Timestamp::MIN)
}

/// What belongs to no package, as reports and history hear of it.
struct OfRun {
    recorder: Arc<Recorder>,
    log: Option<RunLog>,
}

impl Listener for OfRun {
    fn on(&self, event: &Event) {
        self.recorder.on(event);
        if let (Some(log), Occurrence::Notice { level: Level::Warning, message }) = (&self.log, &event.what) {
            log.warn(message, None);
        }
    }
}

/// One package, as reports and history hear of it.
pub struct Entry {
    recorder: PackageRecorder,
    log: Option<PackageLog>,
    begins: Once,
    begun: Arc<Notify>,
}

impl Entry {
    /// Takes what came of it.
    pub fn end(&self, report: &Report) {
        self.recorder.finish(report);
        if let (Some(log), Some(package)) = (&self.log, self.recorder.snapshot()) {
            log_end(log, &package, report);
        }
    }
}

fn log_end(log: &PackageLog, package: &PackageReport, report: &Report) {
    let file: Option<FileName> = package.file.as_deref().and_then(|name| name.parse().ok());
    log.learn(&PackageFacts { file: file.as_ref(), record: package.package_id, ..PackageFacts::default() });
    let failure = report.failure.as_ref();
    // In one line, as reports have it.
    let message = package.failure.as_ref().map(|failure| {
        [&failure.message]
            .into_iter()
            .chain(&failure.causes)
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(": ")
    });
    log.end(&PackageEnd {
        status: package.status.key(),
        reason: &package.reason,
        bytes_sent: package.bytes_sent,
        bytes_fetched: package.bytes_fetched,
        bytes_saved: package.bytes_saved,
        failure: failure.zip(message.as_deref()).map(|(failure, message)| Failed {
            step: failure.step.as_ref(),
            message,
            hint: failure.hint.as_deref(),
        }),
    });
}

impl Listener for Entry {
    fn on(&self, event: &Event) {
        self.recorder.on(event);
        if let Some(log) = &self.log {
            log.on(event);
        }
        if matches!(event.what, Occurrence::StepStarted) {
            self.begins.call_once(|| self.begun.notify_one());
        }
    }
}

fn in_full(error: &dyn std::error::Error) -> String {
    causes(error).collect::<Vec<_>>().join(": ")
}
