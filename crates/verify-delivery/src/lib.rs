//! The processor `verify-delivery`: success is proof.
//!
//! - [`VerifyDelivery`] asks the server to refresh its inventory, then looks until size, MD5 and SHA3-512 in the
//!   distribution service equal the local file's and the package record agrees.
//! - What one look means is decided by a pure function over what was seen, and how long to go on by another; both know
//!   the ways in which servers have shown half the truth (`jamf-pro-api.md §11.3`).
//! - Where `choose-route` says so, the package record is the only witness, and has to tell everything.
//! - A delivery that is not proven in time is *unverified*: a warning with what was seen last, not an error, and never
//!   counted as delivered.
//!
//! It sends no bytes and mends nothing: a twin or an empty file is reported with what a person can do. A twin of the same
//! bytes beside the proven file gets half a minute to go, since another run that made it at the same time deletes it.
//!
//! ```
//! use pipeline::Processor;
//! use std::sync::Arc;
//! use verify_delivery::VerifyDelivery;
//!
//! # fn example(config: jamf::Config) -> Result<(), jamf::Error> {
//! let sessions = Arc::new(jamf::Sessions::new(config)?);
//! let step = VerifyDelivery::new(sessions, fingerprint::Digests::default());
//! assert!(step.spec().input("verify_timeout").is_some());
//! # Ok(())
//! # }
//! ```

mod budget;
mod error;
mod judge;
mod prove;
mod report;
mod spec;

pub use error::Error;

use crate::judge::{Expected, READY};
use crate::spec::VERIFY_TIMEOUT;
use fingerprint::{Digests, FileIdentity, Fingerprint};
use jamf::{Session, Sessions};
use pipeline::{
    Activity, Applied, Change, Context, Env, Failure, FileName, Plan, Processor, Spec, Subject, Verb,
    Witness, keys,
};
use std::sync::Arc;
use std::time::Duration;

/// The processor.
#[derive(Debug)]
pub struct VerifyDelivery {
    sessions: Arc<Sessions>,
    digests: Digests,
}

/// What [`plan`](Processor::plan) found to prove.
#[derive(Debug)]
pub struct Work {
    session: Arc<Session>,
    file: FileName,
    witness: Witness,
    timeout: Option<Duration>,
}

impl VerifyDelivery {
    /// The processor over these sessions; a file whose digests are remembered is not read.
    #[must_use]
    pub fn new(sessions: Arc<Sessions>, digests: Digests) -> Self {
        Self { sessions, digests }
    }

    async fn look(&self, env: &Env, cx: &Context) -> Result<Plan<Work>, Error> {
        let uploaded = env.get(keys::PKG_UPLOADED)?;
        let updated = env.get(keys::PKG_METADATA_UPDATED)?;
        if uploaded != Some(true) && env.get(keys::RECORD_ONLY)? == Some(true) {
            return Ok(Plan::skipped("record only"));
        }
        let file = keys::file_name(env)?;
        let session = self.sessions.open(env)?;
        let change = Change::new(Verb::Prove, Subject::Delivery, file.as_str());
        // A change of the record counts: it blanks the record's size until the next refresh (`jamf-pro-api.md §5.3`).
        // Nobody having said anything is not the same as nothing having been sent.
        let said = [uploaded, updated];
        let change = if said.contains(&Some(false)) && !said.contains(&Some(true)) {
            match open_state(&session, cx, &file).await? {
                None => return Ok(Plan::skipped("nothing was sent")),
                Some(state) => change.because(state),
            }
        } else {
            change
        };
        let timeout = env.get(VERIFY_TIMEOUT)?.map(Duration::from_secs);
        let witness = env.get(keys::WITNESS)?.unwrap_or(Witness::List);
        Ok(Plan::change(change, Work { session, file, witness, timeout }))
    }
}

/// A record that is not ready is an earlier run's unfinished proof: it must not turn into a success by running again.
async fn open_state(session: &Session, cx: &Context, file: &FileName) -> Result<Option<String>, Error> {
    let record = session.only_package_named(cx, file).await?;
    Ok(record.and_then(|record| {
        let state = record.transfer_status.filter(|state| !state.is_empty() && state != READY)?;
        Some(format!("record {} is still {state}", record.id))
    }))
}

impl Processor for VerifyDelivery {
    type Work = Work;

    fn spec(&self) -> &'static Spec {
        &spec::SPEC
    }

    async fn plan(&self, env: &Env, cx: &Context) -> Result<Plan<Work>, Failure> {
        Ok(Box::pin(self.look(env, cx)).await?)
    }

    async fn apply(&self, work: Work, env: &Env, cx: &Context) -> Result<Applied, Failure> {
        let (file, witness) = (work.file.clone(), work.witness);
        // Boxed: the client's futures are large, and this one would hold several of them on the stack.
        let applied = cx.cancelled().run_until_cancelled(Box::pin(work.apply(&self.digests, env, cx))).await;
        match applied.unwrap_or(Err(Error::Interrupted { file, witness })) {
            // A run that only looks may look at the record instead; one that has sent must not begin anew.
            Err(Error::Jamf(error)) if error.is_refusal() && env.get(keys::PKG_UPLOADED)? != Some(true) => {
                Err(Failure::from(error).or_fallback(env))
            }
            applied => Ok(applied?),
        }
    }
}

impl Work {
    async fn apply(self, digests: &Digests, env: &Env, cx: &Context) -> Result<Applied, Error> {
        let bytes = local_bytes(digests, env, cx).await?;
        let record = match env.get(keys::PACKAGE_ID)? {
            Some(id) => Some(id),
            None => self.session.only_package_named(cx, &self.file).await?.map(|record| record.id),
        };
        let budget = self.timeout.unwrap_or_else(|| budget::budget(bytes.size));
        let expected = Expected { name: self.file, bytes };
        let conclusion = prove::prove(&self.session, cx, &expected, record, self.witness, budget).await?;
        Ok(report::outcome(&expected, &conclusion))
    }
}

/// What the local file holds: from the steps before, which have read it already, else by reading it.
async fn local_bytes(digests: &Digests, env: &Env, cx: &Context) -> Result<Fingerprint, Error> {
    let path = env.need(keys::PKG_PATH)?;
    if let (Some(md5), Some(sha3_512)) = (env.get(keys::PKG_MD5)?, env.get(keys::PKG_SHA3_512)?) {
        let size = match env.get(keys::PKG_SIZE)? {
            Some(size) => size,
            None => FileIdentity::of(&path)?.size,
        };
        return Ok(Fingerprint { size, md5, sha3_512 });
    }
    let total = FileIdentity::of(&path)?.size;
    let progress = {
        let cx = cx.clone();
        move |bytes| cx.progress(Activity::Hashing, bytes, total)
    };
    let now = || cx.clock().now();
    let (fingerprint, _) = digests.digest(&path, now, progress, cx.cancelled()).await?;
    Ok(fingerprint)
}
