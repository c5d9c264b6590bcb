//! The processor `jcds-download`: a file of the distribution service onto this machine (`jamf-pro-api.md §10`).
//!
//! - [`fetch`] is the engine: ranges side by side, written straight into place, resumed after a kill, proven before the
//!   file gets its name. It knows nothing of Jamf Pro, and takes addresses from an [`AddressSource`].
//! - `transfer` sees to it that every range comes, `request` that what comes is what was asked for, `write` that it goes
//!   to the disk fast, `address` that all ranges share one address that is good.
//! - `scratch` is what is on the disk meanwhile: right at every moment, since nobody knows when a kill comes. `journal`
//!   says what is in place.
//! - [`JcdsDownload`] finds the file in the list, looks at the target, and lets the engine do the rest.
//!
//! It leaves no file that is not proven under the name of one that is: what the list has no digest for is *unverified*.
//!
//! ```
//! use jcds_download::JcdsDownload;
//! use pipeline::Processor as _;
//! use std::sync::Arc;
//!
//! let sessions = Arc::new(jamf::Sessions::new(jamf::Config::default())?);
//! let step = JcdsDownload::new(sessions);
//! assert_eq!(step.spec().name, "jcds-download");
//! # Ok::<(), jamf::Error>(())
//! ```

mod address;
mod disk;
mod error;
mod fetch;
mod inputs;
mod journal;
mod listed;
mod problem;
mod proof;
mod ranges;
mod request;
mod scratch;
mod spec;
mod target;
mod transfer;
mod work;
mod write;

pub use address::AddressSource;
pub use error::{Differs, Error};
pub use fetch::{Fetched, Options, Wanted, fetch};
pub use inputs::{DOWNLOAD_PATH, OVERWRITE};
pub use problem::Problem;
pub use proof::Proof;
pub use work::Work;

use jamf::Sessions;
use pipeline::{Applied, Context, Env, Failure, Plan, Processor, Spec};
use std::sync::Arc;

/// Fetches a file of the distribution service.
#[derive(Debug)]
pub struct JcdsDownload {
    sessions: Arc<Sessions>,
}

impl JcdsDownload {
    /// A step that talks to Jamf Pro through these sessions.
    #[must_use]
    pub fn new(sessions: Arc<Sessions>) -> Self {
        Self { sessions }
    }
}

impl Processor for JcdsDownload {
    type Work = Work;

    fn spec(&self) -> &'static Spec {
        &spec::SPEC
    }

    async fn plan(&self, env: &Env, cx: &Context) -> Result<Plan<Work>, Failure> {
        let session = self.sessions.open(env)?;
        Ok(Box::pin(Work::plan(session, env, cx)).await?)
    }

    async fn apply(&self, work: Work, _env: &Env, cx: &Context) -> Result<Applied, Failure> {
        // Boxed: the client's futures are large, and this one would hold several of them on the stack.
        Ok(Box::pin(work.apply(cx)).await?)
    }
}
