//! The rehearsal server over real HTTP, on a clock that stands still.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends where it fails, helpers included")]

mod auth;
mod categories;
mod classic;
mod delivery;
mod distribution_point;
mod download;
mod faults;
mod gateway;
mod jcds;
mod journal;
mod limits;
mod names;
mod observer;
mod packages;
mod privileges;
mod rehearsal;
mod restart;
mod schema;
mod stale;
mod upload;
mod without_jcds;
