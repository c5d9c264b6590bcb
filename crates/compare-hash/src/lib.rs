//! Processor `compare-hash`: is the file on the server the local file, byte for byte?
//!
//! The [`Verdict`] decides whether anything is sent, so it errs on one side only: *same* needs proof. Size, MD5 and
//! SHA3-512 must agree; an entry without a digest proves nothing.
//!
//! It asks no server: what the server holds arrives in the environment, from `find-package` or as arguments in a recipe.
//! It makes no change either; `s3-upload` acts on the verdict.
//!
//! ```
//! use compare_hash::CompareHash;
//! use pipeline::{Processor as _, keys};
//!
//! let step = CompareHash::default();
//! let spec = step.spec();
//! assert!(!spec.writes);
//! assert!(spec.outputs.iter().any(|output| output.name == keys::VERDICT.name()));
//! ```
//!
//! [`Verdict`]: pipeline::Verdict

mod decision;
mod processor;

pub use processor::CompareHash;
