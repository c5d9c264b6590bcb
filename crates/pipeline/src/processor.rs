use crate::{BoxFuture, Change, Context, Env, Failure, Key, Origin, Outcome, Spec, Typed, Warning};
use std::future::Future;
use std::sync::Arc;

/// What a step writes into the environment. The runner stamps the origin on it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outputs(Env);

impl Outputs {
    /// Writes one.
    pub fn set<T: Typed>(&mut self, key: Key<T>, value: T) {
        self.0.set(key, value, Origin::Runner);
    }

    /// The outputs as environment entries that come from the step with this number.
    #[must_use]
    pub fn from_step(&self, number: usize) -> Env {
        let mut env = Env::new();
        for (name, entry) in self.0.iter() {
            env.insert(name, entry.value().clone(), Origin::Output(number), entry.is_secret());
        }
        env
    }
}

/// What planning came to: the outputs known so far, and either an outcome or the changes with the work behind them.
#[derive(Debug)]
#[must_use]
pub enum Plan<W> {
    /// There is nothing to apply.
    Settled {
        /// How the step ended.
        outcome: Outcome,
        /// What it found.
        outputs: Outputs,
    },
    /// There is something to apply.
    Pending {
        /// What applying would change; never empty.
        changes: Vec<Change>,
        /// What it found.
        outputs: Outputs,
        /// What [`Processor::apply`] consumes.
        work: W,
    },
}

impl<W> Plan<W> {
    /// The step is done by having looked.
    pub fn done(message: impl Into<String>) -> Self {
        Self::settled(Outcome::Done { message: message.into() })
    }

    /// There is nothing to do, for this reason.
    pub fn skipped(reason: impl Into<String>) -> Self {
        Self::settled(Outcome::Skipped { reason: reason.into() })
    }

    /// The step has ended with this outcome.
    pub fn settled(outcome: Outcome) -> Self {
        Self::Settled { outcome, outputs: Outputs::default() }
    }

    /// One change to make.
    pub fn change(change: Change, work: W) -> Self {
        Self::changes(vec![change], work)
    }

    /// Several changes to make.
    pub fn changes(changes: Vec<Change>, work: W) -> Self {
        debug_assert!(!changes.is_empty(), "a plan without changes is settled");
        Self::Pending { changes, outputs: Outputs::default(), work }
    }

    /// Adds an output that is known from here on.
    pub fn with<T: Typed>(mut self, key: Key<T>, value: T) -> Self {
        self.outputs_mut().set(key, value);
        self
    }

    /// Adds an output if there is a value for it.
    pub fn with_some<T: Typed>(self, key: Key<T>, value: Option<T>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// What it found.
    pub fn outputs(&self) -> &Outputs {
        match self {
            Self::Settled { outputs, .. } | Self::Pending { outputs, .. } => outputs,
        }
    }

    fn outputs_mut(&mut self) -> &mut Outputs {
        match self {
            Self::Settled { outputs, .. } | Self::Pending { outputs, .. } => outputs,
        }
    }

    fn map<V>(self, wrap: impl FnOnce(W) -> V) -> Plan<V> {
        match self {
            Self::Settled { outcome, outputs } => Plan::Settled { outcome, outputs },
            Self::Pending { changes, outputs, work } => Plan::Pending { changes, outputs, work: wrap(work) },
        }
    }
}

/// What applying came to.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Applied {
    /// How the step ended.
    pub outcome: Outcome,
    /// What it wrote into the environment.
    pub outputs: Outputs,
    /// Bytes of package files that it sent, where they need not be those of the plan: an upload that an earlier run began
    /// sends only what was missing.
    pub sent: Option<u64>,
}

impl Applied {
    /// It did what it is for.
    pub fn done(message: impl Into<String>) -> Self {
        Self::settled(Outcome::Done { message: message.into() })
    }

    /// It did what it is for, something is odd, and there is something to do about it.
    pub fn warned(warning: Warning, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::settled(Outcome::Warned { warning, message: message.into(), hint: Some(hint.into()) })
    }

    /// The step has ended with this outcome: for a warning about which nobody knows what to do.
    pub fn settled(outcome: Outcome) -> Self {
        Self { outcome, outputs: Outputs::default(), sent: None }
    }

    /// Says how many bytes it sent.
    pub fn having_sent(mut self, bytes: u64) -> Self {
        self.sent = Some(bytes);
        self
    }

    /// Adds an output.
    pub fn with<T: Typed>(mut self, key: Key<T>, value: T) -> Self {
        self.outputs.set(key, value);
        self
    }

    /// Adds an output if there is a value for it.
    pub fn with_some<T: Typed>(self, key: Key<T>, value: Option<T>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }
}

/// One kind of step.
///
/// All steps of a recipe plan first, in order, each seeing what the ones before it found; then those with something to
/// do apply, in the same order. A dry run is the first half. So `plan` must not write, and `apply` gets nothing but the
/// work that `plan` described.
pub trait Processor: Send + Sync + 'static {
    /// What `plan` hands to `apply`. A processor that only reads says [`Infallible`](std::convert::Infallible).
    type Work: Send + 'static;

    /// What the processor declares about itself.
    fn spec(&self) -> &'static Spec;

    /// Reads the world and says what would change.
    ///
    /// # Errors
    /// When the world cannot be read, or shows that the step cannot succeed.
    fn plan(&self, env: &Env, cx: &Context)
    -> impl Future<Output = Result<Plan<Self::Work>, Failure>> + Send;

    /// Makes the changes. `env` is the environment that `plan` saw, with what earlier steps' applying added.
    ///
    /// # Errors
    /// When a change could not be made. The step leaves nothing half-made that it can undo.
    fn apply(
        &self,
        work: Self::Work,
        env: &Env,
        cx: &Context,
    ) -> impl Future<Output = Result<Applied, Failure>> + Send;
}

/// A [`Processor`] whose type is forgotten, as registries hold it. Implemented for every `Arc` of a processor.
pub trait AnyProcessor: Send + Sync {
    /// See [`Processor::spec`].
    fn spec(&self) -> &'static Spec;
    /// See [`Processor::plan`].
    fn plan<'a>(
        &'a self,
        env: &'a Env,
        cx: &'a Context,
    ) -> BoxFuture<'a, Result<Plan<Box<dyn ErasedWork>>, Failure>>;
}

/// Planned work together with the processor that planned it.
pub trait ErasedWork: Send {
    /// See [`Processor::apply`].
    fn apply<'a>(self: Box<Self>, env: &'a Env, cx: &'a Context) -> BoxFuture<'a, Result<Applied, Failure>>
    where
        Self: 'a;
}

impl<P: Processor> AnyProcessor for Arc<P> {
    fn spec(&self) -> &'static Spec {
        P::spec(self)
    }

    fn plan<'a>(
        &'a self,
        env: &'a Env,
        cx: &'a Context,
    ) -> BoxFuture<'a, Result<Plan<Box<dyn ErasedWork>>, Failure>> {
        Box::pin(async move {
            let plan = P::plan(self, env, cx).await?;
            Ok(plan.map(|work| Box::new(Bound { processor: Arc::clone(self), work }) as Box<dyn ErasedWork>))
        })
    }
}

struct Bound<P: Processor> {
    processor: Arc<P>,
    work: P::Work,
}

impl<P: Processor> ErasedWork for Bound<P> {
    fn apply<'a>(self: Box<Self>, env: &'a Env, cx: &'a Context) -> BoxFuture<'a, Result<Applied, Failure>>
    where
        Self: 'a,
    {
        Box::pin(async move {
            let Bound { processor, work } = *self;
            processor.apply(work, env, cx).await
        })
    }
}
