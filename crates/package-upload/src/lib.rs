//! The processor `package-upload`: a local file through Jamf Pro, onto its package record (`jamf-pro-api.md §5.4`).
//!
//! - [`PackageUpload`] needs the record first, and makes it where no earlier step has. It comes after `package-metadata`, because
//!   a later change of the record blanks the size (`§5.3`).
//! - The file goes in one piece and in little memory; its digests are computed beside the sending and not before it.
//! - A file that is there is replaced under its name by the server itself, and stays as it is until the new one has arrived.
//! - What is refused before the server has taken anything may go by the other route.
//!
//! It does not decide whether to send (that is `compare-hash`), nor by which route (that is `choose-route`), and what it calls
//! sent is not yet proven (that is `verify-delivery`).
//!
//! ```
//! use package_upload::PackageUpload;
//! use pipeline::Processor as _;
//! use std::sync::Arc;
//!
//! let sessions = Arc::new(jamf::Sessions::new(jamf::Config::default())?);
//! let step = PackageUpload::new(sessions, fingerprint::Digests::default());
//! assert_eq!(step.spec().name, pipeline::Route::PackagesApi.sender());
//! # Ok::<(), jamf::Error>(())
//! ```

mod error;
mod local;
mod patience;
mod spec;
mod work;

pub use error::Error;
pub use work::Work;

use fingerprint::Digests;
use jamf::Sessions;
use pipeline::{Applied, Context, Env, Failure, Plan, Processor, Route, Spec, Verdict, keys};
use std::sync::Arc;

/// Sends a file onto its package record.
#[derive(Debug)]
pub struct PackageUpload {
    sessions: Arc<Sessions>,
    digests: Digests,
}

impl PackageUpload {
    /// A step that talks to Jamf Pro through these sessions; a file whose digests are remembered is read only to be sent.
    #[must_use]
    pub fn new(sessions: Arc<Sessions>, digests: Digests) -> Self {
        Self { sessions, digests }
    }
}

impl Processor for PackageUpload {
    type Work = Work;

    fn spec(&self) -> &'static Spec {
        &spec::SPEC
    }

    async fn plan(&self, env: &Env, cx: &Context) -> Result<Plan<Work>, Failure> {
        if let Some(reason) = keys::other_route(env, Route::PackagesApi)? {
            // Whether the file is sent is for the step of that route to say.
            return Ok(Plan::skipped(reason));
        }
        let reason = env.get(keys::VERDICT_REASON)?;
        if env.get(keys::VERDICT)? == Some(Verdict::Same) {
            let reason = reason.unwrap_or_else(|| "the server holds the same file".to_owned());
            return Ok(Plan::skipped(reason).with(keys::PKG_UPLOADED, false));
        }
        let session = self.sessions.open(env)?;
        match Work::plan(session, self.digests.clone(), env, cx).await {
            Ok(work) => Ok(Plan::change(work.change(reason), work).with(keys::PKG_UPLOADED, true)),
            Err(error) => Err(failure(error, env)),
        }
    }

    async fn apply(&self, work: Work, env: &Env, cx: &Context) -> Result<Applied, Failure> {
        // Boxed: the client's futures are large.
        Box::pin(work.apply(env, cx)).await.map_err(|error| failure(error, env))
    }
}

/// What was refused before the server had taken anything of the file may be sent on the other route.
fn failure(error: Error, env: &Env) -> Failure {
    let is_refusal = error.is_refusal();
    let failure = Failure::from(error);
    if is_refusal { failure.or_fallback(env) } else { failure }
}
