//! Plans the steps of a checked recipe, then applies what was planned.
//!
//! - [`Registry`] maps names to processors; nothing else here knows one by name.
//! - [`run`] lets every step look at the world, in order; the result is a value, and a dry run ends there. Applying consumes
//!   that value and makes the changes, in the same order. What a step was refused may be planned again in another way, once.
//! - [`Report`] says what came of it, one per recipe, ready for JSON.
//! - [`Batch`] runs many recipes side by side.
//! - [`explain`] tells where each value of each step comes from, without running anything.
//!
//! It is not a scheduler and does not read recipe files: the `recipe` crate hands it a
//! [`Checked`](recipe::Checked) chain, which cannot be had with faults in it.
//!
//! ```
//! use pipeline::{Applied, Context, Env, Failure, Plan, Processor, Spec};
//! use std::convert::Infallible;
//!
//! struct Look;
//! static SPEC: Spec = Spec { name: "look", summary: "looks", docs: "", writes: false, inputs: &[], outputs: &[] };
//!
//! impl Processor for Look {
//!     type Work = Infallible;
//!     fn spec(&self) -> &'static Spec {
//!         &SPEC
//!     }
//!     async fn plan(&self, _env: &Env, _cx: &Context) -> Result<Plan<Infallible>, Failure> {
//!         Ok(Plan::done("seen"))
//!     }
//!     async fn apply(&self, work: Infallible, _env: &Env, _cx: &Context) -> Result<Applied, Failure> {
//!         match work {}
//!     }
//! }
//!
//! let mut registry = runner::Registry::default();
//! registry.register(Look)?;
//! assert_eq!(registry.specs()[0].name, "look");
//! # Ok::<(), runner::DuplicateProcessor>(())
//! ```

mod apply;
mod batch;
mod error;
mod explain;
mod plan;
mod registry;
mod report;
mod run;

pub use batch::{Batch, Claim, Item, Job};
pub use error::Error;
pub use explain::{ExplainedInput, ExplainedStep, NeededFile, Source, explain, known, needed_files};
pub use registry::{DuplicateProcessor, Registry};
pub use report::{FailureReport, FaultReport, Report, StepReport};
pub use run::run;
