//! Many recipes side by side.

use crate::Registry;
use crate::report::{FailureReport, Report};
use crate::run::Run;
use futures_util::{Stream, StreamExt as _};
use pipeline::{Context, FailureKind, FileName, Gate, Occurrence};
use recipe::Checked;
use std::any::Any;
use std::collections::{HashMap, VecDeque};
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;
use tokio::task::{Id, JoinError, JoinSet};

/// How many recipes are run side by side.
#[derive(Clone, Debug)]
pub struct Batch {
    /// So many run at a time, at most. Requests and hashing have limits of their own, so that this may well be more than there
    /// are processors.
    pub jobs: NonZeroUsize,
    /// So many of them send at a time, at most. A recipe waits for its turn before it changes anything, and the next one has its
    /// turn when everything [has been sent](Context::has_sent). One that sends [alone](pipeline::Change::alone) waits for all others.
    pub senders: NonZeroUsize,
    /// Whether nothing is applied.
    pub dry_run: bool,
}

/// A recipe of a batch.
#[derive(Debug)]
pub struct Item {
    /// What a report calls it if it is not begun.
    pub name: String,
    /// What it may change, where that is known before it runs.
    pub claim: Option<Claim>,
    /// What there is to do; a report where it is settled already, as for a recipe that does not pass its check.
    pub work: Result<Job, Box<Report>>,
}

/// A recipe that can run.
#[derive(Debug)]
pub struct Job {
    /// The recipe.
    pub checked: Checked,
    /// The processors that it was checked against.
    pub registry: Arc<Registry>,
    /// What its steps use. Its cancellation ends the recipe; that of the batch only keeps others from being begun.
    pub cx: Context,
}

/// A package of a server, for which one recipe at a time may run. The second would otherwise decide by what the first is about
/// to change: both would send the file, and one of them would end up as `Name_1.pkg` (`jamf-pro-api.md §12`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    server: String,
    file: FileName,
}

impl Claim {
    /// The package of this file name on this server.
    #[must_use]
    pub fn new(server: impl Into<String>, file: FileName) -> Self {
        Self { server: server.into(), file }
    }

    /// Whether the other is for the same package. A [twin](FileName::is_twin) counts as the same: while a file is put in place, a
    /// twin that appears is taken for a collision.
    #[must_use]
    pub fn collides_with(&self, other: &Self) -> bool {
        let (one, two) = (&self.file, &other.file);
        self.server == other.server
            && (one.same_name(two.as_str()) || one.is_twin(two.as_str()) || two.is_twin(one.as_str()))
    }
}

impl Batch {
    /// Runs the items, and gives their reports in the order of the items. `done` hears of each as soon as it has ended, with its
    /// place in the order.
    ///
    /// Items are taken from the stream when there is room for them, so that they may be prepared on the way. One whose
    /// [claim](Claim) collides with another's waits until that one has ended, in the order of the items, and holds up no others.
    ///
    /// When `cx` [stops](Context::stop), no more are begun: the rest of the stream is reported as not begun. What is running hears of
    /// it by its own context, and is brought to its end at a deadline if it has changed anything by then. A recipe that panics has
    /// failed, and nothing else has.
    pub async fn run(
        &self,
        items: impl Stream<Item = Item>,
        cx: &Context,
        mut done: impl FnMut(usize, &Report),
    ) -> Vec<Report> {
        let mut items = pin!(items.enumerate());
        let mut floor = Floor::new(Gate::new(self.senders), self.dry_run);
        let mut reports: Vec<(usize, Report)> = Vec::new();
        let mut end = |place: usize, report: Report| {
            done(place, &report);
            reports.push((place, report));
        };
        let mut is_exhausted = false;
        loop {
            let stop = cx.stop();
            if let Some(stop) = stop {
                for waiting in floor.waiting.drain(..) {
                    end(waiting.place, Report::not_begun(waiting.name, self.dry_run, stop));
                }
            } else {
                while floor.running.len() < self.jobs.get()
                    && let Some(next) = floor.next_waiting()
                {
                    floor.begin(next);
                }
            }
            // Whatever waits collides with something that runs, so something will end.
            let has_room = stop.is_some() || floor.running.len() < self.jobs.get();
            if is_exhausted && floor.running.is_empty() {
                break;
            }
            tokio::select! {
                // What has ended is told before anything else is begun.
                biased;
                Some(ended) = floor.tasks.join_next_with_id() => {
                    if let Some((place, report)) = floor.end(ended) {
                        end(place, report);
                    }
                }
                // Where nothing is begun any more there is nothing to hear either.
                _ = cx.stopped(), if stop.is_none() => {}
                item = items.next(), if has_room && !is_exhausted => match item {
                    None => is_exhausted = true,
                    Some((place, Item { name, claim, work })) => match (work, cx.stop()) {
                        (Err(report), _) => end(place, *report),
                        (Ok(_), Some(stop)) => end(place, Report::not_begun(name, self.dry_run, stop)),
                        (Ok(job), None) => {
                            floor.waiting.push_back(Waiting { place, name, claim, job });
                        }
                    },
                },
            }
        }
        reports.sort_unstable_by_key(|(place, _)| *place);
        reports.into_iter().map(|(_, report)| report).collect()
    }
}

/// What runs, and what waits for its turn.
struct Floor {
    gate: Gate,
    dry_run: bool,
    tasks: JoinSet<Report>,
    running: HashMap<Id, Running>,
    waiting: VecDeque<Waiting>,
}

/// Whoever goes away does not end what runs: between deleting an old file and completing the new one no step may be dropped.
impl Drop for Floor {
    fn drop(&mut self) {
        self.tasks.detach_all();
    }
}

struct Waiting {
    place: usize,
    name: String,
    claim: Option<Claim>,
    job: Job,
}

struct Running {
    place: usize,
    claim: Option<Claim>,
    recipe: String,
    cx: Context,
}

impl Floor {
    fn new(gate: Gate, dry_run: bool) -> Self {
        Self { gate, dry_run, tasks: JoinSet::new(), running: HashMap::new(), waiting: VecDeque::new() }
    }

    /// The first that collides neither with what runs nor with what waits longer.
    fn next_waiting(&mut self) -> Option<Waiting> {
        let is_free = |place: usize, waiting: &Waiting| {
            let running = self.running.values().map(|running| &running.claim);
            let before = self.waiting.iter().take(place).map(|earlier| &earlier.claim);
            let Some(claim) = &waiting.claim else { return true };
            !running.chain(before).flatten().any(|other| claim.collides_with(other))
        };
        let next = self.waiting.iter().enumerate().position(|(place, waiting)| is_free(place, waiting))?;
        self.waiting.remove(next)
    }

    fn begin(&mut self, waiting: Waiting) {
        let Waiting { place, claim, job, .. } = waiting;
        let (recipe, cx) = (job.checked.identifier.clone(), job.cx.clone());
        let task = self.tasks.spawn(run_one(job, self.dry_run, self.gate.clone()));
        self.running.insert(task.id(), Running { place, claim, recipe, cx });
    }

    fn end(&mut self, ended: Result<(Id, Report), JoinError>) -> Option<(usize, Report)> {
        let id = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let Running { place, recipe, cx, .. } = self.running.remove(&id)?;
        let report = match ended {
            Ok((_, report)) => report,
            Err(error) => {
                // It could not say so itself.
                cx.for_recipe(&recipe).emit(Occurrence::RecipeFinished);
                broken(recipe, self.dry_run, error)
            }
        };
        Some((place, report))
    }
}

async fn run_one(job: Job, dry_run: bool, gate: Gate) -> Report {
    let Job { checked, registry, cx } = job;
    Run { registry: &registry, checked: &checked, dry_run, gate: Some(&gate) }.run(&cx).await
}

/// A recipe whose task did not come to its end.
fn broken(recipe: String, dry_run: bool, error: JoinError) -> Report {
    let failure = match error.try_into_panic() {
        Ok(panic) => FailureReport {
            step: None,
            kind: FailureKind::Internal,
            message: "pkgferry broke down while it ran this recipe; what it had changed by then is not known".into(),
            causes: words(&*panic).into_iter().collect(),
            hint: Some(
                "this is a fault in pkgferry: please report it; then run again, which finds what is already there".into(),
            ),
            faults: Vec::new(),
        },
        // The runtime is shutting down.
        Err(_) => FailureReport {
            step: None,
            kind: FailureKind::Interrupted,
            message: "interrupted; what it had changed by then is not known".into(),
            causes: Vec::new(),
            hint: None,
            faults: Vec::new(),
        },
    };
    Report::new(recipe, dry_run, Vec::new(), Some(failure))
}

/// What a panic says, if it says anything.
fn words(panic: &(dyn Any + Send)) -> Option<String> {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
}
