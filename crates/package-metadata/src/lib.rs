//! The processor `package-metadata`: the package record in Jamf Pro holds what the recipe names.
//!
//! - [`PackageMetadata`] finds the record by its file name and compares the fields that the recipe names. What the
//!   recipe does not name stays as an administrator typed it. Nothing differs: nothing is written.
//! - No record yet: one is created, also for a file that lies on another distribution point (`record_only`).
//! - Whatever Jamf Pro would refuse (several records, a display name in use, a missing category, a file type) is
//!   refused while planning, so before an upload has sent its first byte.
//! - What was written is read back, and what does not read back is a warning.
//!
//! It does not look at files or their digests: `compare-hash` does before the upload, `verify-delivery` after it.
//!
//! ```
//! use package_metadata::PackageMetadata;
//! use pipeline::Processor;
//! use std::sync::Arc;
//!
//! # fn example(config: jamf::Config) -> Result<(), jamf::Error> {
//! let sessions = Arc::new(jamf::Sessions::new(config)?);
//! let step = PackageMetadata::new(sessions);
//! assert!(step.spec().input("category").is_some());
//! # Ok(())
//! # }
//! ```

mod apply;
mod diff;
mod error;
mod plan;
mod spec;
mod wanted;
mod work;

pub use error::Error;
pub use work::Work;

use jamf::Sessions;
use pipeline::{Applied, Context, Env, Failure, Plan, Processor, Spec};
use std::sync::Arc;

/// The processor.
#[derive(Debug)]
pub struct PackageMetadata {
    sessions: Arc<Sessions>,
}

impl PackageMetadata {
    /// The processor over these sessions.
    #[must_use]
    pub fn new(sessions: Arc<Sessions>) -> Self {
        Self { sessions }
    }
}

impl Processor for PackageMetadata {
    type Work = Work;

    fn spec(&self) -> &'static Spec {
        &spec::SPEC
    }

    async fn plan(&self, env: &Env, cx: &Context) -> Result<Plan<Work>, Failure> {
        Ok(plan::plan(&self.sessions, env, cx).await?)
    }

    async fn apply(&self, work: Work, _env: &Env, cx: &Context) -> Result<Applied, Failure> {
        Ok(work.apply(cx).await?)
    }
}
