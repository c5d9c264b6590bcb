//! `verify-delivery` against the rehearsal server, over real HTTP and in simulated time.

mod alone;
mod plan;
mod prove;
mod stage;
mod unverified;
