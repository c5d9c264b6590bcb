//! The language of the house: what every other crate of pkgferry speaks, and nothing that touches the world.
//!
//! - [`Value`] is what YAML and property lists can both say; [`Env`] maps names to values and remembers who set each.
//! - [`Key`] joins a name and a type in one constant; [`keys`] lists all of them.
//! - A [`Processor`] declares itself with a [`Spec`], [plans](Processor::plan) the [`Change`]s it would make, and
//!   [applies](Processor::apply) exactly the work that it planned.
//! - What happened is an [`Outcome`]; what can be watched is an [`Event`]; what went wrong is a [`Failure`]; what
//!   came of a package is a [`Status`].
//! - [`Context`] carries what a library must not take for itself: the clock, the listener, the cancellation, and the
//!   [`Boundary`] that every request passes and that refuses writes in a dry run.
//! - A [`Gate`] lets so much work of one kind run at a time; a [`Stop`] is why nothing new is begun.
//! - A [`Shard`] is one of several runs that divide the packages among them.
//!
//! It is not a runner (that is the `runner` crate) and it does no I/O.
//!
//! ```
//! use pipeline::{Applied, Change, Context, Env, Failure, Input, Key, Plan, Processor, Spec, Subject, Verb};
//!
//! const GREETING: Key<String> = Key::new("greeting");
//!
//! struct Greet;
//!
//! impl Processor for Greet {
//!     type Work = String;
//!
//!     fn spec(&self) -> &'static Spec {
//!         static SPEC: Spec = Spec {
//!             name: "greet",
//!             summary: "says hello",
//!             docs: "",
//!             writes: true,
//!             inputs: &[Input::required(GREETING, "what to say")],
//!             outputs: &[],
//!         };
//!         &SPEC
//!     }
//!
//!     async fn plan(&self, env: &Env, _cx: &Context) -> Result<Plan<String>, Failure> {
//!         let words = env.need(GREETING)?;
//!         Ok(Plan::change(Change::new(Verb::Create, Subject::Record, words.clone()), words))
//!     }
//!
//!     async fn apply(&self, words: String, _env: &Env, _cx: &Context) -> Result<Applied, Failure> {
//!         Ok(Applied::done(format!("said {words}")))
//!     }
//! }
//! ```

mod change;
mod choice;
mod clock;
mod context;
mod digest;
mod digits;
mod duration;
mod env;
mod event;
mod failure;
mod faults;
mod gate;
mod id;
mod key;
pub mod keys;
mod name;
mod outcome;
mod place;
mod priority;
mod processor;
mod reach;
mod secret;
mod shard;
mod size;
mod spec;
mod status;
mod stop;
pub mod text;
mod typed;
mod value;

pub use change::{Change, FieldChange, Subject, Verb};
pub use choice::{
    Delivery, InvalidChoice, PackageApiChoice, RequiredProcessor, Route, RouteChoice, Verdict, Witness,
};
pub use clock::{BoxFuture, Clock, SimulatedClock};
pub use context::{Access, Boundary, Context, Effect, Listener, Refused, Silent, Traffic};
pub use digest::{InvalidDigest, Md5, Sha3_512};
pub use digits::digits;
pub use duration::duration;
pub use env::{Entry, Env, EnvError, Origin};
pub use event::{Activity, Event, Level, Occurrence, Progress, StepRef};
pub use failure::{Diagnose, Failure, FailureKind, Instead, causes};
pub use faults::Faults;
pub use gate::{Gate, Permit, Places};
pub use id::{InvalidPackageId, PackageId};
pub use key::Key;
pub use name::{FileName, Found, InvalidFileName, name_key};
pub use outcome::{Outcome, Warning};
pub use place::Place;
pub use priority::{InvalidPriority, Priority};
pub use processor::{AnyProcessor, Applied, ErasedWork, Outputs, Plan, Processor};
pub use reach::{Reach, is_loopback};
pub use secret::{ExposeSecret, Secret};
pub use shard::{InvalidShard, Shard};
pub use size::size;
pub use spec::{Default, Input, Need, Output, Phase, Spec, join};
pub use status::Status;
pub use stop::Stop;
pub use typed::{Kind, Typed, WrongType};
pub use value::{Dict, Value};
