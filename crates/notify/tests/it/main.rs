//! What is told of a run, and how it gets to those who listen: over real HTTP, to a server that answers as it is told.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails, helpers included")]

mod heartbeat;
mod limits;
mod payloads;
mod policy;
mod rig;
mod samples;
mod sending;
mod shapes;
mod stub;
