//! The client against scripted answers, bad ones above all, and against the rehearsal server.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails, helpers included")]

mod categories;
mod classic;
mod facts;
mod faults;
mod gateway;
mod jcds;
mod lapse;
mod listing;
mod packages;
mod rehearsal;
mod sign_in;
mod stub;
mod transport;
mod upload;
mod watch;
