//! Looks for what would keep packages from arriving, and says how to mend it.
//!
//! - [`observe`] asks the server, S3 and this machine, and only reads: it runs behind a [`Boundary`](pipeline::Boundary) that
//!   refuses writes. When signing in fails it sees what can be seen without.
//! - [`Observations`] are what was seen, without a judgement.
//! - [`judge`] makes [`Finding`]s of them: what is so, why it matters, how to mend it. It asks nobody, so that each judgement can
//!   be tested with a line of a table.
//!
//! Which route files would take is the decision of `choose-route`, so that what is said here is what a run does.
//!
//! ```
//! use doctor::{Check, Level, Observations, Remembered, judge};
//!
//! let seen = Observations::nothing(Remembered::Nowhere);
//! let findings = judge(&seen);
//! assert_eq!((findings[0].check, findings[0].level), (Check::State, Level::Warning));
//! ```

mod finding;
mod judge;
mod observations;
mod observe;
mod room;

pub use finding::{Check, Finding, Level};
pub use judge::judge;
pub use observations::{
    Calls, Expected, Family, Observations, Place, PlaceRole, Record, Remembered, Seen, Trouble,
};
pub use observe::{StateFolder, Subject, observe};
pub use room::free;

/// Whether a finding says only that there was nothing to judge.
#[must_use]
pub fn was_not_examined(finding: &Finding) -> bool {
    finding.what == judge::NOT_EXAMINED
}
