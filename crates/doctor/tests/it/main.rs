//! What is seen, and what is made of it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod judgements;
mod servers;
