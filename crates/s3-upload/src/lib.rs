//! The processor `s3-upload`: a local file into the distribution service, through temporary S3 credentials.
//!
//! Every upload is a multipart upload, because its completion is the moment at which the new file appears, and that
//! moment is ours to choose. So a file that is replaced stays listed and downloadable until every part of the new one
//! is in S3; then it is deleted, its name is seen to be free, and the upload is completed, in one go.
//!
//! - `parts` cuts the file; `send` sends the parts side by side, in constant memory; `local` watches the file meanwhile.
//! - `bucket` makes the requests, `credentials` keeps them signed with keys that have not ended.
//! - `listed` sees to it that what is replaced is what the plan showed; `commit` replaces, and finds out what became of a completion whose answer was lost.
//!
//! It does not decide whether to send (that is `compare-hash`), and what it calls sent is not yet proven
//! (that is `verify-delivery`).
//!
//! ```
//! use pipeline::Processor as _;
//! use s3_upload::S3Upload;
//! use std::sync::Arc;
//!
//! let sessions = Arc::new(jamf::Sessions::new(jamf::Config::default())?);
//! let step = S3Upload::new(sessions);
//! assert_eq!(step.spec().name, "s3-upload");
//! # Ok::<(), jamf::Error>(())
//! ```

mod bucket;
mod commit;
mod credentials;
mod endpoint;
mod error;
mod inputs;
mod listed;
mod local;
mod parts;
mod s3_error;
mod send;
mod spec;
mod transfer;

pub use error::Error;
pub use inputs::JCDS_OBJECT_KEY;
pub use s3_error::{Cause, S3Error};
pub use transfer::Work;

use jamf::Sessions;
use pipeline::{Applied, Context, Env, Failure, Plan, Processor, Spec, Verdict, keys};
use std::sync::Arc;

/// Sends a file into the distribution service, in place of an old one if there is one.
#[derive(Debug)]
pub struct S3Upload {
    sessions: Arc<Sessions>,
}

impl S3Upload {
    /// A step that talks to Jamf Pro through these sessions.
    #[must_use]
    pub fn new(sessions: Arc<Sessions>) -> Self {
        Self { sessions }
    }
}

impl Processor for S3Upload {
    type Work = Work;

    fn spec(&self) -> &'static Spec {
        &spec::SPEC
    }

    async fn plan(&self, env: &Env, cx: &Context) -> Result<Plan<Work>, Failure> {
        let reason = env.get(keys::VERDICT_REASON)?;
        if env.get(keys::VERDICT)? == Some(Verdict::Same) {
            let reason = reason.unwrap_or_else(|| "the server holds the same file".to_owned());
            return Ok(Plan::skipped(reason).with(keys::PKG_UPLOADED, false));
        }
        let work = Work::plan(self.sessions.open(env)?, env, cx).await?;
        Ok(Plan::change(work.change(reason), work).with(keys::PKG_UPLOADED, true))
    }

    async fn apply(&self, work: Work, env: &Env, cx: &Context) -> Result<Applied, Failure> {
        Ok(work.apply(env, cx).await?)
    }
}
