use crate::run::Version;
use crate::track::Track;
use crate::{Ending, PackageReport, Program, RunReport, Shard, Warning};
use jiff::Timestamp;
use pipeline::{Boundary, Clock, Event, Level, Listener, Occurrence, PackageId};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is known of a run before it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// What runs.
    pub program: Program,
    /// What tells this run from all others.
    pub id: String,
    /// Whether nothing will be changed, on purpose.
    pub dry_run: bool,
    /// Which shard of its list it takes.
    pub shard: Option<Shard>,
    /// The servers, by the names of the settings, or by address.
    pub servers: Vec<String>,
}

/// What the caller knows of a package and events do not say. Whatever is not known stays `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// The server, by its name in the settings, or by address.
    pub server: Option<String>,
    /// The name of the file. The server's spelling wins over it, once a step has told it.
    pub file: Option<String>,
    /// The version of what is in the package.
    pub pkg_version: Option<String>,
    /// Bytes of the local file that the recipe carries; `None` for recipes that carry none. Where nothing had to be sent,
    /// these are the bytes saved.
    pub size: Option<u64>,
    /// The id of the record. What a step has told wins over it.
    pub package_id: Option<PackageId>,
    /// What is in the package: the recipe's `NAME`.
    pub product: Option<String>,
    /// The category that the recipe gives it.
    pub category: Option<String>,
    /// The display name that the recipe gives it.
    pub display_name: Option<String>,
    /// The local file.
    pub local_path: Option<String>,
}

impl Subject {
    /// Adds what `newer` knows; where both know something, `newer` wins.
    fn learn(&mut self, newer: Self) {
        let Self { server, file, pkg_version, size, package_id, product, category, display_name, local_path } =
            newer;
        self.server = server.or(self.server.take());
        self.file = file.or(self.file.take());
        self.pkg_version = pkg_version.or(self.pkg_version.take());
        self.size = size.or(self.size);
        self.package_id = package_id.or(self.package_id);
        self.product = product.or(self.product.take());
        self.category = category.or(self.category.take());
        self.display_name = display_name.or(self.display_name.take());
        self.local_path = local_path.or(self.local_path.take());
    }
}

/// Makes the [`RunReport`] of a run out of its events and of what came of each recipe.
///
/// Times, phases and warnings come from events; status, bytes and failures from [`runner::Report`], which is the truth
/// about them. [`snapshot`](Recorder::snapshot) gives an honest report at any moment, so that a caller who writes one now and
/// then leaves a report even if the process dies.
///
/// An event names its recipe, but two packages may be carried by one recipe, and one package to two servers. So each package has
/// a [`PackageRecorder`], which listens for it alone; build the context of each recipe with that listener. The recorder
/// itself listens too: it gives an event to the package whose recipe it names, which is enough where recipes of one name
/// do not run side by side, and it keeps warnings that belong to no recipe.
pub struct Recorder {
    run: Run,
    clock: Arc<dyn Clock>,
    boundary: Arc<Boundary>,
    started: Timestamp,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    finished: Option<Timestamp>,
    end: Option<(Ending, u8)>,
    warnings: Vec<Warning>,
    tracks: Vec<Track>,
}

impl Recorder {
    /// The run begins now, by this clock. Requests are counted by this boundary.
    #[must_use]
    pub fn new(run: Run, clock: Arc<dyn Clock>, boundary: Arc<Boundary>) -> Self {
        let started = clock.now();
        Self { run, clock, boundary, started, state: Mutex::default() }
    }

    /// Announces a package before its turn. Packages are reported in the order in which they are announced.
    ///
    /// `recipe` is the recipe as it was asked for.
    #[must_use]
    pub fn package(self: &Arc<Self>, recipe: impl Into<String>, subject: Subject) -> PackageRecorder {
        let mut state = self.state();
        state.tracks.push(Track::new(recipe.into(), subject));
        PackageRecorder { recorder: Arc::clone(self), index: state.tracks.len() - 1 }
    }

    /// Takes what came of the recipe that the report names: for callers that have no [`PackageRecorder`].
    pub fn finish_recipe(&self, report: &runner::Report) {
        let now = self.clock.now();
        self.state().track_of(&report.recipe).finish(report, now);
    }

    /// Adds a warning that belongs to no package.
    pub fn warn(&self, message: impl Into<String>, hint: Option<String>) {
        self.state().warnings.push(Warning { step: None, message: message.into(), hint });
    }

    /// The report as of now, of a run that goes on.
    #[must_use]
    pub fn snapshot(&self) -> RunReport {
        let state = self.state();
        RunReport {
            version: Version,
            program: self.run.program.clone(),
            id: self.run.id.clone(),
            started: self.started,
            finished: state.finished,
            updated: self.clock.now(),
            dry_run: self.run.dry_run,
            shard: self.run.shard,
            servers: self.run.servers.clone(),
            ending: state.end.map(|(ending, _)| ending),
            exit_code: state.end.map(|(_, exit_code)| exit_code),
            requests: self.boundary.traffic().into(),
            warnings: state.warnings.clone(),
            parts: Vec::new(),
            packages: state.tracks.iter().map(|track| track.report(state.finished.is_some())).collect(),
        }
    }

    /// The report of the run, which ends now.
    #[must_use]
    pub fn finish(&self) -> RunReport {
        let now = self.clock.now();
        self.state().finished.get_or_insert(now);
        self.snapshot()
    }

    /// The same, where it is known why it ends and with which exit code.
    #[must_use]
    pub fn end(&self, ending: Ending, exit_code: u8) -> RunReport {
        self.state().end.get_or_insert((ending, exit_code));
        self.finish()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The package of this recipe that is being worked on; else the next one that waits; else a new one.
    fn track_of(&mut self, recipe: &str) -> &mut Track {
        let is_meant = |track: &Track| track.is_open() && track.is_of(recipe);
        let found = self
            .tracks
            .iter()
            .position(|track| is_meant(track) && track.has_begun())
            .or_else(|| self.tracks.iter().position(is_meant));
        let index = found.unwrap_or_else(|| {
            self.tracks.push(Track::new(recipe.to_owned(), Subject::default()));
            self.tracks.len() - 1
        });
        &mut self.tracks[index]
    }
}

impl Listener for Recorder {
    fn on(&self, event: &Event) {
        let now = self.clock.now();
        let mut state = self.state();
        if !event.recipe.is_empty() {
            return state.track_of(&event.recipe).hear(event, now);
        }
        if let Occurrence::Notice { level: Level::Warning, message } = &event.what {
            let step = event.step.as_ref().map(Into::into);
            state.warnings.push(Warning { step, message: message.clone(), hint: None });
        }
    }
}

/// Listens for one package of a run.
#[derive(Clone)]
pub struct PackageRecorder {
    recorder: Arc<Recorder>,
    index: usize,
}

impl PackageRecorder {
    /// Adds what has become known of the package.
    pub fn learn(&self, subject: Subject) {
        self.with(|track, _| track.subject.learn(subject));
    }

    /// Takes what came of it.
    pub fn finish(&self, report: &runner::Report) {
        self.with(|track, now| track.finish(report, now));
    }

    /// What is known of it now.
    #[must_use]
    pub fn snapshot(&self) -> Option<PackageReport> {
        let state = self.recorder.state();
        state.tracks.get(self.index).map(|track| track.report(state.finished.is_some()))
    }

    fn with(&self, change: impl FnOnce(&mut Track, Timestamp)) {
        let now = self.recorder.clock.now();
        // Packages are only ever added, so it is there.
        if let Some(track) = self.recorder.state().tracks.get_mut(self.index) {
            change(track, now);
        }
    }
}

impl Listener for PackageRecorder {
    fn on(&self, event: &Event) {
        self.with(|track, now| track.hear(event, now));
    }
}
