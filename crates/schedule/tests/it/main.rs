//! Tests of the crate from outside: each unit is read by its own reader, or by one written after its manual.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod ci;
mod ci_jobs;
mod cron;
mod kubernetes;
mod launchd;
mod recurrence;
mod requests;
mod secrets;
mod support;
mod systemd;
