//! The processor `verify-delivery`: success is proof.
//!
//! - [`VerifyDelivery`] asks the server to refresh its inventory, then looks until size, MD5 and SHA3-512 in the
//!   distribution service equal the local file's and the package record agrees.
//! - What one look means is decided by a pure function over what was seen, and how long to go on by another; both know
//!   the ways in which servers have shown half the truth (`jamf-pro-api.md §11.3`).
//! - Where `choose-route` says so, the package record is the only witness, and has to tell everything.
//! - A delivery that is not proven in time is *unverified*: a warning with what was seen last, not an error, and never
//!   counted as delivered.
//! - [`keeping`](VerifyDelivery::keeping) a [`State`], it writes a delivery down before it begins to prove it, and when it is
//!   proven; so what a killed run or a slow server left open is known to the next run.
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
mod kept;
mod prove;
mod report;
mod spec;

pub use error::Error;
pub use report::LookAgain;

use crate::judge::{Expected, READY};
use crate::kept::{Kept, Part};
use crate::spec::VERIFY_TIMEOUT;
use fingerprint::{Digests, FileIdentity, Fingerprint};
use jamf::{Session, Sessions};
use pipeline::{
    Activity, Applied, Change, Context, Env, EnvError, Failure, FileName, PackageId, Plan, Processor, Route,
    Spec, Subject, Verb, Witness, keys,
};
use state::{Arrival, NewDelivery, State};
use std::sync::Arc;
use std::time::Duration;

/// The processor.
#[derive(Debug)]
pub struct VerifyDelivery {
    sessions: Arc<Sessions>,
    digests: Digests,
    kept: Kept,
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
        Self { sessions, digests, kept: Kept::default() }
    }

    /// Keeps deliveries in this state until they are proven. What cannot be written there is told, and is no failure.
    #[must_use]
    pub fn keeping(self, state: State) -> Self {
        Self { kept: Kept::in_state(state), ..self }
    }

    async fn look(&self, env: &Env, cx: &Context) -> Result<Plan<Work>, Error> {
        let uploaded = env.get(keys::PKG_UPLOADED)?;
        let updated = env.get(keys::PKG_METADATA_UPDATED)?;
        if uploaded != Some(true) && env.get(keys::RECORD_ONLY)? == Some(true) {
            return Ok(Plan::skipped("record only"));
        }
        let file = keys::file_name(env)?;
        if env.get(keys::PKG_PATH)?.is_none() && known_bytes(env)?.is_none() {
            return Err(EnvError::Missing(keys::PKG_PATH.name()).into());
        }
        let session = self.sessions.open(env)?;
        let change = Change::new(Verb::Prove, Subject::Delivery, file.as_str());
        // A change of the record counts: it blanks the record's size until the next refresh (`jamf-pro-api.md §5.3`).
        // Nobody having said anything is not the same as nothing having been sent.
        let said = [uploaded, updated];
        let change = if said.contains(&Some(false)) && !said.contains(&Some(true)) {
            match self.open_proof(&session, cx, &file).await? {
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

    /// Why there is an earlier run's proof to finish, if there is: it must not turn into a success by running again.
    async fn open_proof(
        &self,
        session: &Session,
        cx: &Context,
        file: &FileName,
    ) -> Result<Option<String>, Error> {
        let kept = self.kept.find(session.server(), file, cx);
        if kept.is_some_and(|kept| kept.arrival != Arrival::Proven) {
            return Ok(Some("an earlier run has not proven it".to_owned()));
        }
        open_state(session, cx, file).await
    }

    async fn prove(&self, work: Work, env: &Env, cx: &Context) -> Result<Applied, Error> {
        let Work { session, file, witness, timeout } = work;
        let server = session.server();
        let earlier = self.kept.find(server, &file, cx);
        let interrupted = |again| Error::Interrupted { file: file.clone(), witness, again };
        // Boxed: the client's futures are large, and this one would hold several of them on the stack.
        let delivery = Box::pin(delivery(&session, &file, &self.digests, env, cx));
        let Some(delivery) = cx.cancelled().run_until_cancelled(delivery).await else {
            return Err(interrupted(self.kept.look_again(earlier.as_ref(), None)));
        };
        let (bytes, record) = delivery?;
        // Before the first look, so that a kill leaves it.
        let new = NewDelivery {
            server,
            file: &file,
            record,
            sent: bytes,
            route: env.get(keys::CHOSEN_ROUTE)?.unwrap_or(Route::Jcds),
            witness,
            since: cx.clock().now(),
            arrival: Arrival::Awaited,
        };
        let kept = self.kept.keep(new, Part::of(env)?, earlier, cx);
        let again = self.kept.look_again(kept.as_ref(), Some(bytes));
        let expected = Expected { name: file.clone(), bytes };
        let budget = timeout.unwrap_or_else(|| budget::budget(bytes.size));
        let proof = Box::pin(prove::prove(&session, cx, &expected, record, witness, budget));
        let Some(conclusion) = cx.cancelled().run_until_cancelled(proof).await else {
            return Err(interrupted(again));
        };
        let conclusion = conclusion?;
        if let Some(kept) = kept {
            self.kept.hear(&kept, bytes, &conclusion.judgement, cx);
        }
        Ok(report::outcome(&expected, &conclusion, again))
    }
}

/// A record that is not ready tells that its last delivery is not complete.
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
        match Box::pin(self.prove(work, env, cx)).await {
            // A run that only looks may look at the record instead; one that has sent must not begin anew.
            Err(Error::Jamf(error)) if error.is_refusal() && env.get(keys::PKG_UPLOADED)? != Some(true) => {
                Err(Failure::from(error).or_fallback(env))
            }
            applied => Ok(applied?),
        }
    }
}

/// What should be there, and the record that serves it.
async fn delivery(
    session: &Session,
    file: &FileName,
    digests: &Digests,
    env: &Env,
    cx: &Context,
) -> Result<(Fingerprint, Option<PackageId>), Error> {
    let bytes = match known_bytes(env)? {
        Some(bytes) => bytes,
        None => local_bytes(digests, env, cx).await?,
    };
    let record = match env.get(keys::PACKAGE_ID)? {
        Some(id) => Some(id),
        None => session.only_package_named(cx, file).await?.map(|record| record.id),
    };
    Ok((bytes, record))
}

/// The bytes as somebody tells them who knows: an earlier step that has read the file, or who has written down what was sent.
fn known_bytes(env: &Env) -> Result<Option<Fingerprint>, EnvError> {
    let (size, md5) = (env.get(keys::PKG_SIZE)?, env.get(keys::PKG_MD5)?);
    let told = size.zip(md5).zip(env.get(keys::PKG_SHA3_512)?);
    Ok(told.map(|((size, md5), sha3_512)| Fingerprint { size, md5, sha3_512 }))
}

/// What the local file holds, by reading as much of it as nobody has told.
async fn local_bytes(digests: &Digests, env: &Env, cx: &Context) -> Result<Fingerprint, Error> {
    let path = env.need(keys::PKG_PATH)?;
    let total = FileIdentity::of(&path)?.size;
    if let (Some(md5), Some(sha3_512)) = (env.get(keys::PKG_MD5)?, env.get(keys::PKG_SHA3_512)?) {
        return Ok(Fingerprint { size: total, md5, sha3_512 });
    }
    let progress = {
        let cx = cx.clone();
        move |bytes| cx.progress(Activity::Hashing, bytes, total)
    };
    let now = || cx.clock().now();
    let (fingerprint, _) = digests.digest(&path, now, progress, cx.cancelled()).await?;
    Ok(fingerprint)
}
