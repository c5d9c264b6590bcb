//! The processor `s3-upload`: a local file into the distribution service, through temporary S3 credentials.
//!
//! Every upload is a multipart upload, because its completion is the moment at which the new file appears, and that
//! moment is ours to choose. So a file that is replaced stays listed and downloadable until every part of the new one
//! is in S3; then it is deleted, its name is seen to be free, and the upload is completed, in one go.
//!
//! - `parts` cuts the file; `payload` reads a part once and sums it up in passing; `send` sends parts side by side, as many
//!   as `pacer` finds useful, in constant memory, and those that `stall` again; `local` watches the file meanwhile.
//! - `bucket` makes the requests over `connections` that outlast one upload and are `warm` before parts need them, `credentials` keeps them signed with keys that
//!   have not ended, `checksum` goes along.
//! - `log` writes down what a later run must know; `resume` reads it.
//! - `transfer` decides what to go on with and what to begin; `attempt` is one multipart upload until its end; `late` waits for what an
//!   earlier run has sent and the list does not show.
//! - `listed` sees to it that what is replaced is what the plan showed; `commit` replaces, and finds out what became of a completion whose answer was lost.
//! - `twins` sees to it that two runs at the same time end in one file.
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
//! let memory = s3_upload::Memory::of_one_run()?;
//! let step = S3Upload::new(sessions, memory);
//! assert_eq!(step.spec().name, "s3-upload");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod attempt;
mod bucket;
mod checksum;
mod commit;
mod connections;
mod credentials;
mod discard;
mod endpoint;
mod engine;
mod error;
mod inputs;
mod late;
mod listed;
mod local;
mod log;
mod pacer;
mod parts;
mod pauses;
mod payload;
mod probe;
mod resume;
mod s3_error;
mod send;
mod spec;
mod stall;
mod transfer;
mod twins;
mod warm;

pub use connections::Connections;
pub use discard::discard;
pub use engine::Engine;
pub use error::{Error, Leftover};
pub use inputs::{JCDS_OBJECT_KEY, KEEP_PARTIAL};
pub use probe::{Probe, Reach, probe};
pub use resume::{Abandoned, Outlook};
pub use s3_error::{Cause, S3Error};
pub use transfer::Work;

use fingerprint::{Digests, Fingerprint};
use jamf::{Session, Sessions};
use pipeline::{
    Access, Applied, Context, Env, EnvError, Failure, Plan, Processor, Route, Spec, Verdict, Witness, keys,
};
use state::{Arrival, NewDelivery, Phase, State, StoredUpload};
use std::sync::Arc;

/// Sends a file into the distribution service, in place of an old one if there is one.
#[derive(Debug)]
pub struct S3Upload {
    sessions: Arc<Sessions>,
    memory: Memory,
}

/// What outlasts one upload.
#[derive(Clone, Debug)]
pub struct Memory {
    /// Journals of uploads.
    pub state: State,
    /// Digests of local files.
    pub digests: Digests,
    /// Open connections to S3.
    pub connections: Connections,
}

impl Memory {
    /// A memory that ends with the run: a later one cannot go on with what this one leaves.
    ///
    /// # Errors
    /// When there is no room for it.
    pub fn of_one_run() -> Result<Self, state::Error> {
        let state = State::in_memory()?;
        Ok(Self {
            digests: Digests::new(Arc::new(state.clone()), false),
            state,
            connections: Connections::default(),
        })
    }
}

impl S3Upload {
    /// A step that talks to Jamf Pro through these sessions.
    #[must_use]
    pub fn new(sessions: Arc<Sessions>, memory: Memory) -> Self {
        Self { sessions, memory }
    }

    /// An upload whose completion was not heard of any more is seen to be in place: there is nothing left to do for it but to prove it.
    /// One of other bytes may still appear. What is only remembered to have been sent is not seen.
    async fn settle(&self, session: &Session, env: &Env, cx: &Context) -> Result<(), EnvError> {
        let name = keys::file_name(env)?;
        let (md5, sha3_512) = (env.get(keys::PKG_MD5)?, env.get(keys::PKG_SHA3_512)?);
        let is_it = |made_of: Fingerprint| {
            md5.is_none_or(|md5| md5 == made_of.md5) && sha3_512.is_none_or(|sha3| sha3 == made_of.sha3_512)
        };
        let wanted = |stored: &StoredUpload| {
            name.same_name(&stored.file)
                && stored.phase == Phase::Completing
                && stored.fingerprint.is_none_or(is_it)
        };
        if cx.boundary().access() == Access::ReadOnly {
            return Ok(());
        }
        // Somebody else has put these bytes in the place of those that were to be proven.
        if let Ok(Some(replaced)) = self.memory.state.delivery(session.server(), &name)
            && !is_it(replaced.sent)
        {
            let _ = self.memory.state.forget_delivery(&replaced);
        }
        let left = self.memory.state.left_over().unwrap_or_default();
        if !left.iter().any(|left| left.server == session.server() && wanted(left)) {
            return Ok(());
        }
        let listed = session.jcds_files_for(cx, &name).await;
        if !listed.is_ok_and(|listed| listed.iter().any(|file| name.same_name(&file.name))) {
            return Ok(());
        }
        let (record, witness) = (env.get(keys::PACKAGE_ID)?, env.get(keys::WITNESS)?);
        // What cannot be read or written now is found again by the next run.
        for (journal, stored) in self.memory.state.take_over(session.server(), wanted).unwrap_or_default() {
            let kept = stored.fingerprint.map(|sent| {
                self.memory.state.keep_delivery(&NewDelivery {
                    server: session.server(),
                    file: &name,
                    record,
                    sent,
                    route: Route::Jcds,
                    witness: witness.unwrap_or(Witness::List),
                    since: stored.phase_since,
                    arrival: Arrival::Listed,
                })
            });
            if kept.is_none_or(|kept| kept.is_ok()) {
                let _ = journal.close();
            }
        }
        Ok(())
    }
}

impl Processor for S3Upload {
    type Work = Work;

    fn spec(&self) -> &'static Spec {
        &spec::SPEC
    }

    async fn plan(&self, env: &Env, cx: &Context) -> Result<Plan<Work>, Failure> {
        if let Some(reason) = keys::other_route(env, Route::Jcds)? {
            // Whether the file is sent is for the step of that route to say.
            return Ok(Plan::skipped(reason));
        }
        let reason = env.get(keys::VERDICT_REASON)?;
        let session = self.sessions.open(env)?;
        if env.get(keys::VERDICT)? == Some(Verdict::Same) {
            self.settle(&session, env, cx).await?;
            let reason = reason.unwrap_or_else(|| "the server holds the same file".to_owned());
            return Ok(Plan::skipped(reason).with(keys::PKG_UPLOADED, false));
        }
        let work = match Work::plan(session, &self.memory, env, cx).await {
            Err(error) if error.is_refused_list() => return Err(Failure::from(error).or_fallback(env)),
            planned => planned?,
        };
        Ok(Plan::change(work.change(reason), work).with(keys::PKG_UPLOADED, true))
    }

    async fn apply(&self, work: Work, env: &Env, cx: &Context) -> Result<Applied, Failure> {
        match work.apply(env, cx).await {
            Ok(applied) => Ok(applied),
            Err(error) if error.is_refusal_to_begin() && work.sent() == 0 => {
                Err(Failure::from(error).or_fallback(env))
            }
            Err(error) => Err(Failure::from(error).having_sent(work.sent())),
        }
    }
}
