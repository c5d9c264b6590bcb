//! The binary as its users meet it: a process of its own, a cleaned environment, a real server on the other side.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod batch;
mod cache;
mod check;
mod doctor;
mod download;
mod dry_run;
mod exit_codes;
mod faults;
#[cfg(target_os = "linux")]
mod hashed;
mod history;
mod interrupted;
mod json;
#[cfg(target_os = "linux")]
mod keychain;
mod killed;
mod killed_batch;
mod main_job;
#[cfg(target_os = "linux")]
mod memory;
mod names;
#[cfg(unix)]
mod notified;
#[cfg(unix)]
mod promote;
mod races;
mod readme;
mod report_merge;
mod resume;
mod routes;
mod sandbox_command;
mod schedule;
mod scheduled;
mod secrets;
#[cfg(unix)]
mod servers;
mod stage;
mod texts;
mod told;
#[cfg(unix)]
mod unattended;
mod verify;
