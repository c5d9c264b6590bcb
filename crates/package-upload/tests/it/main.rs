//! `package-upload` against the rehearsal server, over real HTTP.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends where it fails, helpers included")]

mod plan;
mod refused;
mod stage;
mod upload;
