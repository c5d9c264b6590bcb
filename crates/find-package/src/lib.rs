//! Processor `find-package`: is there a package record for the file, is there a file, is there more than one?
//!
//! It looks a package up by the name of its file, because that is what joins record and file; the display name is
//! people's own business. It only reads, and it guesses nothing: two records for one file are an error that lists both.
//!
//! It does not judge whether the file is the right one (`compare-hash` does) nor what the record says
//! (`package-metadata`).
//!
//! ```
//! use find_package::FindPackage;
//! use pipeline::{Processor as _, keys};
//! use std::sync::Arc;
//!
//! # fn example(config: jamf::Config) -> Result<(), jamf::Error> {
//! let step = FindPackage::new(Arc::new(jamf::Sessions::new(config)?));
//! assert!(!step.spec().writes);
//! assert!(step.spec().outputs.iter().any(|output| output.name == keys::PACKAGE_FOUND.name()));
//! # Ok(())
//! # }
//! ```

mod error;
mod finding;
mod processor;

pub use error::Error;
pub use processor::FindPackage;
