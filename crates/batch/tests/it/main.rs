//! Tests of the crate from outside: what people write into lists, and what schedulers put into the environment.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod auto;
mod lists;
mod selection;
mod shards;
