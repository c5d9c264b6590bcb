//! The engine against a content network that misbehaves, and `jcds-download` against the rehearsal server: over real HTTP,
//! in simulated time.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails, helpers included")]

mod addresses;
mod cdn;
mod disk;
mod faults;
mod plan;
mod resume;
mod rig;
mod run;
mod stage;
mod unlisted;
mod whole;
