//! `verify-delivery` against the rehearsal server, over real HTTP and in simulated time.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends where it fails, helpers included")]

mod alone;
mod kept;
mod plan;
mod prove;
mod record;
mod stage;
mod unverified;
