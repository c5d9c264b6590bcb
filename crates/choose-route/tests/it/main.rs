//! `choose-route`: its decision by itself, and against rehearsal servers over real HTTP.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends where it fails, helpers included")]

mod decisions;
mod servers;
