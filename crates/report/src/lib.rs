//! What came of a run: one versioned model, and the shapes in which people and programs want it.
//!
//! - [`RunReport`] holds a [`PackageReport`] for each package; both are written to JSON and read from it.
//! - A [`Recorder`] listens to a run and makes its report, at any moment, so that a crash leaves one too.
//! - [`merge()`] makes one report of those of several shards.
//! - [`write()`] gives the bytes of a [`Format`]: JSON, AutoPkg's report plist, JUnit, Markdown, or a page.
//!
//! Nothing here touches a file, the clock or the network; the caller hands in the one and writes the other.
//!
//! ```
//! use report::{Format, RunReport};
//! use std::path::Path;
//!
//! let text = r#"{"version": 2, "program": {"name": "pkgferry", "version": "0.1.0"}, "id": "nightly-7",
//!     "started": "2026-11-21T02:00:00Z", "finished": null, "updated": "2026-11-21T02:00:05Z",
//!     "packages": [{"recipe": "Firefox.jamf", "status": "running", "reason": "planning step 2 compare-hash"}]}"#;
//! let report = RunReport::from_json(text.as_bytes())?;
//! assert_eq!(report.totals().running, 1);
//!
//! let page = report::write(&report, Format::of(Path::new("report.html"))?)?;
//! assert!(page.starts_with(b"<!doctype html>"));
//! # Ok::<(), report::Error>(())
//! ```

mod autopkg;
mod conclusion;
mod error;
mod format;
mod html;
mod junit;
mod markdown;
mod merge;
mod package;
mod recorder;
mod run;
mod totals;
mod track;
mod words;

pub use error::Error;
pub use format::{Format, write};
pub use merge::merge;
pub use package::{Failure, Fault, PackageReport, Phase, PhaseKind, PhaseResult, Stage, Step, Warning};
/// What came of a package, why it failed, and which packages were a run's is told in the words of the language.
pub use pipeline::{FailureKind, Shard, Status};
pub use recorder::{PackageRecorder, Recorder, Run, Subject};
pub use run::{Ending, Part, Program, Requests, RunReport, Version};
pub use totals::Totals;
