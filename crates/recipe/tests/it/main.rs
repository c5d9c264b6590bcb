//! Tests of the crate from outside: what people write, and what they are told.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests may panic like tests")]

mod broken;
mod chains;
mod checks;
mod formats;
mod slips;
mod support;
mod vectors;
