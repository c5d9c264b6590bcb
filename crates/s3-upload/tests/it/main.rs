//! `s3-upload` against the rehearsal server, over real HTTP with real signatures.

mod credentials;
mod faults;
mod meddler;
mod plan;
mod replace;
mod stage;
mod upload;
