//! Tests of the crate from outside.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may panic like tests")]

mod arbitrary;
mod escaping;
mod merging;
mod model;
mod recorder;
mod sample;
mod shapes;
