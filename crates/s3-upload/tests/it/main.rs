//! `s3-upload` against the rehearsal server, over real HTTP with real signatures.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends where it fails, helpers included")]

mod credentials;
mod faults;
mod hashed;
mod killed;
mod late;
mod leftovers;
mod meddler;
mod plan;
mod raced;
mod replace;
mod resume;
mod route;
mod stage;
mod storm;
mod unheard;
mod upload;
mod warm;
