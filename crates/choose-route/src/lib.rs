//! Processor `choose-route`: which route a file takes into the cloud, and who tells what the server holds.
//!
//! Two routes lead there: straight into the storage of the distribution service (`jcds`), and through Jamf Pro onto the package
//! record (`packages-api`). Which of them a server offers is asked from it (version, distribution point, upload capability, its
//! own schema) and never guessed from an error code (`user-pains.md` row 50). The choice is a pure decision over these facts;
//! a fact that the server does not tell, or not to this account, speaks against nothing.
//!
//! It sends nothing, and it does not try a route out: where the chosen one is refused, the step that is refused fails with the
//! fallback, and the runner plans again.
//!
//! ```
//! use choose_route::ChooseRoute;
//! use pipeline::{Processor as _, keys};
//! use std::sync::Arc;
//!
//! let step = ChooseRoute::new(Arc::new(jamf::Sessions::new(jamf::Config::default())?));
//! assert!(!step.spec().writes);
//! assert!(step.spec().outputs.iter().any(|output| output.name == keys::CHOSEN_ROUTE.name()));
//! # Ok::<(), jamf::Error>(())
//! ```

mod decision;
mod error;
mod facts;
mod obstacle;
mod processor;

pub use decision::{Decision, Steps, Wish, decide};
pub use error::Error;
pub use facts::Facts;
pub use obstacle::Obstacle;
pub use processor::ChooseRoute;
