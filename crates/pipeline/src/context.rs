use crate::place::PlaceRef;
use crate::stop::Deadline;
use crate::{Activity, Clock, Diagnose, Event, FailureKind, Level, Occurrence, Place, Progress, StepRef};
use jiff::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio_util::sync::CancellationToken;

/// Receives events. It must not block.
pub trait Listener: Send + Sync + 'static {
    /// Takes one event.
    fn on(&self, event: &Event);
}

/// A listener that hears nothing.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl Listener for Silent {
    fn on(&self, _event: &Event) {}
}

/// Whether writes may leave the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reads only: a dry run.
    ReadOnly,
    /// Anything.
    ReadWrite,
}

/// What a request does to the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Opens, renews or ends a session. Allowed in a dry run, which could not read otherwise.
    SignIn,
    /// Reads.
    Read,
    /// Writes.
    Write,
}

/// A write was about to leave during a dry run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{method} {target} was refused: this is a dry run, and nothing that writes leaves the machine")]
pub struct Refused {
    /// The request's method.
    pub method: String,
    /// The request's path.
    pub target: String,
}

impl Diagnose for Refused {
    fn kind(&self) -> FailureKind {
        FailureKind::Internal
    }
    fn hint(&self) -> Option<String> {
        Some("this is a fault in pkgferry: a step wrote while it planned; please report it".into())
    }
}

/// How many requests of each kind passed the boundary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Traffic {
    /// Sign-in, renewal, sign-out.
    pub sign_ins: u64,
    /// Reads.
    pub reads: u64,
    /// Writes.
    pub writes: u64,
    /// Writes that were refused.
    pub refused: u64,
}

/// The one gate that every request passes, to Jamf Pro and to S3 alike: it counts, and in a dry run it refuses writes.
#[derive(Debug)]
pub struct Boundary {
    access: Access,
    sign_ins: AtomicU64,
    reads: AtomicU64,
    writes: AtomicU64,
    refused: AtomicU64,
}

impl Boundary {
    /// A gate with nothing counted yet.
    #[must_use]
    pub fn new(access: Access) -> Self {
        let zero = AtomicU64::default;
        Self { access, sign_ins: zero(), reads: zero(), writes: zero(), refused: zero() }
    }

    /// Whether writes may pass.
    #[must_use]
    pub fn access(&self) -> Access {
        self.access
    }

    /// Lets a request pass and counts it. Call it right before each sending, retries included.
    ///
    /// # Errors
    /// When the request writes and the run is a dry run.
    pub fn pass(&self, effect: Effect, method: &str, target: &str) -> Result<(), Refused> {
        let counter = match (effect, self.access) {
            (Effect::SignIn, _) => &self.sign_ins,
            (Effect::Read, _) => &self.reads,
            (Effect::Write, Access::ReadWrite) => &self.writes,
            (Effect::Write, Access::ReadOnly) => {
                self.refused.fetch_add(1, Ordering::Relaxed);
                return Err(Refused { method: method.to_owned(), target: target.to_owned() });
            }
        };
        counter.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// What has passed so far.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Traffic {
            sign_ins: count(&self.sign_ins),
            reads: count(&self.reads),
            writes: count(&self.writes),
            refused: count(&self.refused),
        }
    }
}

/// What a step may use besides its environment: time, cancellation, the boundary, and a voice.
#[derive(Clone)]
pub struct Context {
    clock: Arc<dyn Clock>,
    boundary: Arc<Boundary>,
    cancel: CancellationToken,
    pub(crate) deadline: Option<Deadline>,
    pub(crate) place: PlaceRef,
    listener: Arc<dyn Listener>,
    recipe: Arc<str>,
    step: Option<StepRef>,
}

impl Context {
    /// Puts a context together; it speaks for no recipe yet.
    #[must_use]
    pub fn new(
        clock: Arc<dyn Clock>,
        boundary: Arc<Boundary>,
        listener: Arc<dyn Listener>,
        cancel: CancellationToken,
    ) -> Self {
        Self {
            clock,
            boundary,
            cancel,
            deadline: None,
            place: PlaceRef::default(),
            listener,
            recipe: Arc::from(""),
            step: None,
        }
    }

    /// The same, speaking for a recipe.
    #[must_use]
    pub fn for_recipe(&self, recipe: &str) -> Self {
        Self { recipe: Arc::from(recipe), step: None, ..self.clone() }
    }

    /// The same, speaking for a step.
    #[must_use]
    pub fn for_step(&self, step: StepRef) -> Self {
        Self { step: Some(step), ..self.clone() }
    }

    /// The same, speaking for the run: for what belongs to no recipe, though one came upon it.
    #[must_use]
    pub fn for_run(&self) -> Self {
        Self { recipe: Arc::from(""), step: None, ..self.clone() }
    }

    /// The same, with other requests than the run's own counted and let through: by this boundary.
    #[must_use]
    pub fn through(&self, boundary: Arc<Boundary>) -> Self {
        Self { boundary, ..self.clone() }
    }

    /// The same, with nothing new to be begun from this moment on. Contexts that are made from it share it.
    #[must_use]
    pub fn until(&self, deadline: Timestamp) -> Self {
        Self { deadline: Some(Deadline::new(deadline)), ..self.clone() }
    }

    /// The same for what has begun and is to be brought to its end, whatever the deadline.
    #[must_use]
    pub fn without_deadline(&self) -> Self {
        Self { deadline: None, ..self.clone() }
    }

    /// The same for another listener.
    #[must_use]
    pub fn heard_by(&self, listener: Arc<dyn Listener>) -> Self {
        Self { listener, ..self.clone() }
    }

    /// The same, deaf to Ctrl-C and to the deadline: for what has to run to its end once it has begun.
    #[must_use]
    pub fn shielded(&self) -> Self {
        Self { cancel: CancellationToken::new(), deadline: None, ..self.clone() }
    }

    /// The same for the last step that sends from this place.
    #[must_use]
    pub fn sending_from(&self, place: &Place) -> Self {
        Self { place: PlaceRef::of(place), ..self.clone() }
    }

    /// Lets the next recipe send, while this one sees to what it has sent.
    pub fn has_sent(&self) {
        self.place.leave();
    }

    /// Time.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The gate for requests.
    #[must_use]
    pub fn boundary(&self) -> &Arc<Boundary> {
        &self.boundary
    }

    /// Ends when somebody pressed Ctrl-C.
    #[must_use]
    pub fn cancelled(&self) -> &CancellationToken {
        &self.cancel
    }

    /// Tells the listeners.
    pub fn emit(&self, what: Occurrence) {
        self.listener.on(&Event { recipe: self.recipe.to_string(), step: self.step.clone(), what });
    }

    /// Tells how far an activity is.
    pub fn progress(&self, activity: Activity, done: u64, total: u64) {
        self.emit(Occurrence::Progress(Progress { activity, done, total }));
    }

    /// Tells a detail.
    pub fn info(&self, message: impl Into<String>) {
        self.emit(Occurrence::Notice { level: Level::Info, message: message.into() });
    }

    /// Tells something that matters in any case.
    pub fn warn(&self, message: impl Into<String>) {
        self.emit(Occurrence::Notice { level: Level::Warning, message: message.into() });
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("recipe", &self.recipe)
            .field("step", &self.step)
            .finish_non_exhaustive()
    }
}
