//! Holds what clients and the rehearsal server say to each other against the schemas that Jamf Pro publishes. For tests.
//!
//! A server that is [watched] hands every exchange of its Jamf side to a [`Schema`], and the test ends in a panic, at the
//! point where the server is dropped, if a request or an answer was not as the schema of that version has it:
//!
//! ```no_run
//! # async fn start(clock: std::sync::Arc<pipeline::SimulatedClock>) -> Result<(), sandbox::Error> {
//! let config = sandbox::Config::new("data".into(), clock);
//! let server = sandbox::Sandbox::start(contract::watched(config)).await?;
//! # Ok(())
//! # }
//! ```
//!
//! Of a request: the call is one of that version (or one of another version that the server answers with 404, 405 or 410: that
//! is how clients find out); its query has the parameters of the call, of their types; its body is there, of the right kind
//! and valid. Unknown keys may be there, as clients send some (`jamf-pro-api.md §1.1`). Of an answer: its status is listed, or
//! one that any call can end in (`§1.5`); its body is valid, without keys that the schema does not know. Where practice and
//! schema differ and the contract says so, practice counts; those places are listed in `deviation.rs`.
//!
//! Not looked at: the Classic API and what the gateway itself says, which have other schemas; bytes of files; paths' parameters,
//! which are all strings.

#![expect(
    clippy::panic,
    clippy::print_stderr,
    reason = "the crate is for tests, and those end where something is wrong"
)]

mod check;
mod deviation;
mod dialect;
mod schema;
mod watch;

pub use check::{Violation, Wrong};
pub use schema::{Error, Schema};
pub use watch::{watched, watched_for_its_answers};
