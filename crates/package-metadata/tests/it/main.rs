//! `package-metadata` against the rehearsal server, over real HTTP.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends where it fails, helpers included")]

mod classic;
mod create;
mod refuse;
mod stage;
mod update;
