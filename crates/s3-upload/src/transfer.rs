//! One upload from its plan to its end.

use crate::attempt::{Aim, Attempt, Done, OnFailure};
use crate::bucket::{Bucket, Place};
use crate::checksum::ChecksumChoice;
use crate::commit::{Committed, Doubt};
use crate::connections::Connections;
use crate::credentials::LiveCredentials;
use crate::endpoint::Endpoint;
use crate::inputs::{
    self, Concurrency, JCDS_OBJECT_KEY, KEEP_PARTIAL, PART_SIZE, UPLOAD_CHECKSUM, UPLOAD_CONCURRENCY,
    UPLOAD_STALL_SECONDS,
};
use crate::late::{self, Heard};
use crate::listed::only_file;
use crate::local::LocalFile;
use crate::log::Log;
use crate::parts::PartPlan;
use crate::resume::{Leftovers, Went};
use crate::s3_error::in_full;
use crate::stall::Patience;
use crate::twins::{Aftermath, Lookout};
use crate::{Error, Memory};
use fingerprint::{Digests, Fingerprint};
use jamf::{JcdsFile, Session, UploadGrant};
use pipeline::{
    Applied, Change, Context, Env, FileName, PackageId, Route, Subject, Verb, Warning, Witness, keys,
};
use state::{Arrival, NewDelivery, NewUpload, Phase, State, StoredUpload};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Files of this size are sent alone. The server renews credentials of an account's latest upload only (`jamf-pro-api.md §7.3`), so that
/// what is sent side by side has to be through within their first hour: two files below this are, at 2.4 Mbit/s.
pub(crate) const LARGE: u64 = 512 << 20;

const LOOK_AGAIN: &str = "run `pkgferry verify` in a few minutes, which looks again and sends nothing";

/// A planned upload.
#[derive(Debug)]
pub struct Work {
    pub(crate) session: Arc<Session>,
    pub(crate) digests: Digests,
    pub(crate) file: LocalFile,
    pub(crate) name: FileName,
    pub(crate) parts: PartPlan,
    pub(crate) concurrency: Concurrency,
    pub(crate) patience: Patience,
    /// The file of that name that the service lists.
    pub(crate) old: Option<JcdsFile>,
    checksum: ChecksumChoice,
    pub(crate) known: Option<Fingerprint>,
    keep: bool,
    record: Option<PackageId>,
    witness: Witness,
    pub(crate) state: State,
    connections: Connections,
    /// Bytes of parts that S3 has confirmed to this run.
    pub(crate) confirmed: AtomicU64,
}

/// What credentials open.
pub(crate) struct Door {
    pub place: Place,
    /// What keys begin with.
    pub prefix: String,
    pub bucket: Bucket,
}

impl Work {
    /// Looks at the file and at the list of the service.
    pub(crate) async fn plan(
        session: Arc<Session>,
        memory: &Memory,
        env: &Env,
        cx: &Context,
    ) -> Result<Self, Error> {
        let name = keys::file_name(env)?;
        let path = env.need(keys::PKG_PATH)?;
        // Settings that cannot work are told before the first byte is sent.
        let _: Endpoint = inputs::endpoint(env)?;
        let file = LocalFile::look(path)?;
        let parts = PartPlan::new(file.size(), env.get(PART_SIZE)?.unwrap_or_default())
            .ok_or_else(|| Error::TooLarge { path: file.path().to_owned(), size: file.size() })?;
        let listed = session
            .jcds_files_for(cx, &name)
            .await
            .map_err(|source| Error::List { file: name.clone(), source: Box::new(source) })?;
        let old = only_file(&name, &listed)?;
        // The new file keeps the server's spelling, because the record names it (`user-pains.md` row 25).
        let name = match &old {
            Some(old) => old.name.parse().map_err(|source| Error::Spelling { file: name, source })?,
            None => name,
        };
        Ok(Self {
            known: match inputs::known_fingerprint(env, file.size())? {
                Some(known) => Some(known),
                None => memory.digests.known(file.path())?,
            },
            checksum: env.get(UPLOAD_CHECKSUM)?.unwrap_or_default(),
            concurrency: env.get(UPLOAD_CONCURRENCY)?.unwrap_or_default(),
            patience: env.get(UPLOAD_STALL_SECONDS)?.unwrap_or_default(),
            keep: env.get(KEEP_PARTIAL)?.unwrap_or(false),
            record: env.get(keys::PACKAGE_ID)?,
            witness: env.get(keys::WITNESS)?.unwrap_or(Witness::List),
            digests: memory.digests.clone(),
            state: memory.state.clone(),
            connections: memory.connections.clone(),
            confirmed: AtomicU64::new(0),
            session,
            name,
            old,
            file,
            parts,
        })
    }

    /// What applying changes.
    pub(crate) fn change(&self, reason: Option<String>) -> Change {
        let verb = if self.old.is_some() { Verb::Replace } else { Verb::Create };
        let change = Change::new(verb, Subject::File, self.name.as_str()).sending(self.file.size());
        let change = if self.file.size() < LARGE { change } else { change.alone() };
        match reason {
            Some(reason) => change.because(reason),
            None => change,
        }
    }

    /// Sends the file and puts it in place, or leaves everything as it was.
    pub(crate) async fn apply(&self, env: &Env, cx: &Context) -> Result<Applied, Error> {
        let grant = inputs::grant(env)?;
        let endpoint = inputs::endpoint(env)?;
        self.file.check_unchanged()?;
        let door = self.open(&endpoint, grant, cx);
        let (done, door) = self.deliver(door, &endpoint, cx).await?;
        // Not before: with another upload begun, nobody could go on with this one after a kill, and its old file may have gone.
        cx.has_sent();
        let lookout = Lookout {
            session: &self.session,
            name: &self.name,
            sent: done.fingerprint,
            waits: cx.cancelled(),
            cx: &cx.shielded(),
        };
        let aftermath = match &done.committed {
            Committed::Placed { circumstances, .. } => lookout.settle(circumstances).await,
            Committed::ByAnother => Aftermath { is_listed: true, ..Aftermath::default() },
            Committed::ByEarlier { is_listed } => Aftermath { is_listed: *is_listed, ..Aftermath::default() },
        };
        if aftermath.is_listed {
            self.was_listed(done.fingerprint);
        }
        self.tidy(&door.bucket, &endpoint, cx).await;
        Ok(self.applied(&done, &aftermath.gone))
    }

    /// Goes on with what an earlier run left, waits for what it asked for, or begins; where these credentials do not open what they
    /// ought to, with new ones, which are given back too.
    async fn deliver(&self, door: Door, endpoint: &Endpoint, cx: &Context) -> Result<(Done, Door), Error> {
        let left = self.left_over(&door, cx);
        let Leftovers { is_second_hand, may_be_missing, .. } = left;
        let (awaited, spent, refusal) = match self.go_on(left, &door, cx).await {
            Went::Through(done) => return Ok((done?, door)),
            Went::Nowhere { awaited, spent, refusal } => (awaited, spent, refusal),
        };
        let awaited: Vec<_> = awaited.into_iter().chain(self.sent_lately(cx)).collect();
        let old = match self.hear_of(&awaited, cx).await? {
            Heard::Delivered(done) => {
                self.remember(done.fingerprint, cx);
                late::end(awaited, &door, cx).await;
                return Ok((done, door));
            }
            Heard::Outdated(file) => Some(file),
            Heard::Nothing { .. } => self.old.clone(),
        };
        let aim = Aim { old, may_have_twin: !awaited.is_empty(), may_be_missing };
        let awaited = late::call_off(awaited, &door, cx).await;
        let sent = self.send_anew(door, endpoint, aim, is_second_hand, refusal, cx).await?;
        // Not before: until then, whoever comes after a kill has to reckon with them too.
        awaited.into_iter().for_each(|upload| upload.close(cx));
        spent.into_iter().for_each(Log::close);
        Ok(sent)
    }

    /// Sends the file from its beginning, unless these credentials were refused before; then, or when they are now, with new ones.
    async fn send_anew(
        &self,
        door: Door,
        endpoint: &Endpoint,
        aim: Aim,
        is_second_hand: bool,
        refusal: Option<Error>,
        cx: &Context,
    ) -> Result<(Done, Door), Error> {
        // What was waited for in vain has been told.
        let is_told = aim.may_have_twin;
        let begun = match refusal {
            None => self.begin(&door, &aim, cx).await,
            Some(error) => Err(error),
        };
        let may_have_twin = is_told || begun.as_ref().is_err_and(Error::needs_the_parts);
        let aim = Aim { may_have_twin, ..aim };
        match begun {
            // The renewed credentials are those of an upload that cannot be gone on with, nor begun again.
            Err(error) if (is_second_hand && error.shuts_out()) || error.is_superseded() => {
                if !is_told {
                    let what = if is_second_hand { "what an earlier run left" } else { "the upload" };
                    let why = in_full(&error);
                    cx.warn(format!(
                        "{what} of {} cannot be gone on with: {why}; it is sent anew",
                        self.name
                    ));
                }
            }
            begun => return Ok((begun?, door)),
        }
        let renewed = self.session.jcds_initiate(cx).await;
        let no_credentials =
            |source| Error::NoCredentials { file: self.name.clone(), source: Box::new(source) };
        let door = self.open(endpoint, renewed.map_err(no_credentials)?, cx);
        let done = self.begin(&door, &aim, cx).await?;
        // The first one, if nobody has heard what S3 made of it.
        let is_first = |stored: &StoredUpload| {
            stored.phase == Phase::Completing
                && stored.identity == self.file.identity()
                && self.name.same_name(&stored.file)
        };
        for (journal, _) in self.state.take_over(self.session.server(), is_first).unwrap_or_default() {
            Log::go_on(journal, cx).close();
        }
        Ok((done, door))
    }

    /// Bytes of the file that this run has sent, as far as S3 has confirmed them.
    pub(crate) fn sent(&self) -> u64 {
        self.confirmed.load(Ordering::Relaxed)
    }

    fn open(&self, endpoint: &Endpoint, grant: UploadGrant, cx: &Context) -> Door {
        let place =
            Place { endpoint: endpoint.clone(), region: grant.region.clone(), bucket: grant.bucket.clone() };
        let prefix = grant.path.clone();
        let credentials = LiveCredentials::new(grant, Arc::clone(&self.session), cx);
        let bucket = Bucket::open(&place, credentials, &self.connections, Arc::clone(cx.boundary()));
        Door { place, prefix, bucket }
    }

    pub(crate) fn attempt<'a>(&'a self, bucket: &'a Bucket, aim: &'a Aim, cx: &'a Context) -> Attempt<'a> {
        let on_failure = if self.keep { OnFailure::Keep } else { OnFailure::Abort };
        Attempt { work: self, bucket, aim, known: self.known, hashed: None, on_failure, cx }
    }

    /// Sends the file from its first byte, with the best checksum that the server takes.
    async fn begin(&self, door: &Door, aim: &Aim, cx: &Context) -> Result<Done, Error> {
        let Door { place, prefix, bucket } = door;
        let key = format!("{prefix}{}", self.name);
        let attempt = self.attempt(bucket, aim, cx);
        let stored = state::Place {
            endpoint: place.endpoint.address().map(str::to_owned),
            region: place.region.clone(),
            bucket: place.bucket.clone(),
            prefix: prefix.clone(),
        };
        let mut checksum = self.checksum.first();
        loop {
            let new = NewUpload {
                server: self.session.server(),
                file: &self.name,
                path: &self.file.absolute(),
                identity: self.file.identity(),
                place: &stored,
                key: &key,
                part_size: self.parts.part_size(),
                begun: cx.clock().now(),
            };
            let log = Log::begin(&self.state, &new, cx);
            match attempt.anew(&key, checksum, &log).await {
                Err(error) if error.refuses_checksums() && self.checksum.after(checksum).is_some() => {
                    let lesser = self.checksum.after(checksum).unwrap_or(checksum);
                    cx.info(format!(
                        "the server does not take {} checksums; trying {}",
                        checksum.word(),
                        lesser.word()
                    ));
                    checksum = lesser;
                    log.close();
                }
                done => {
                    settle(log, &done);
                    return done;
                }
            }
        }
    }

    /// Writes down that these bytes were sent, until somebody has proven it.
    pub(crate) fn remember(&self, sent: Fingerprint, cx: &Context) {
        let new = NewDelivery {
            server: self.session.server(),
            file: &self.name,
            record: self.record,
            sent,
            route: Route::Jcds,
            witness: self.witness,
            since: cx.clock().now(),
            arrival: Arrival::Awaited,
        };
        if let Err(error) = self.state.keep_delivery(&new) {
            let why = in_full(&error);
            cx.warn(format!("if {} is not proven now, the next run will not know: {why}", self.name));
        }
    }

    /// What cannot be written now is taken to be late for an hour at most.
    fn was_listed(&self, sent: Fingerprint) {
        if let Ok(Some(kept)) = self.state.delivery(self.session.server(), &self.name)
            && kept.sent == sent
        {
            let _ = self.state.arrived(&kept, Arrival::Listed);
        }
    }

    fn applied(&self, done: &Done, surplus: &[String]) -> Applied {
        let (name, sent) = (&self.name, done.fingerprint);
        let applied = match &done.committed {
            Committed::ByEarlier { is_listed: true } => {
                Applied::done(format!("{name} was sent by an earlier run, and S3 has put it together"))
            }
            Committed::ByEarlier { is_listed: false } => Applied::warned(
                Warning::Unverified,
                format!(
                    "{name} was sent by an earlier run, and S3 does not know the upload any more, as when it has put it together; the \
                     list does not show the file yet"
                ),
                LOOK_AGAIN,
            ),
            Committed::ByAnother => Applied::done(format!(
                "{name} was sent, and another run had put the same bytes in place before; those were left there"
            )),
            Committed::Placed { doubt: None, replaced, .. } => {
                let how = if *replaced { ", in place of the old file" } else { "" };
                let twins = match surplus {
                    [] => String::new(),
                    twins => format!(
                        "; another run sent the same, and its surplus {} was deleted",
                        twins.join(", ")
                    ),
                };
                let noun = if done.parts == 1 { "part" } else { "parts" };
                Applied::done(format!(
                    "sent {name}: {} in {} {noun}{}{how}{twins}",
                    pipeline::size(sent.size),
                    done.parts,
                    share(self.sent(), sent.size)
                ))
            }
            Committed::Placed { doubt: Some(doubt), .. } => doubted(name, *doubt),
        };
        applied
            .having_sent(self.sent())
            .with(keys::PKG_UPLOADED, true)
            .with(keys::PKG_SIZE, sent.size)
            .with(keys::PKG_MD5, sent.md5)
            .with(keys::PKG_SHA3_512, sent.sha3_512)
            .with(JCDS_OBJECT_KEY, done.key.clone())
    }
}

/// Ends the journal of an attempt. What S3 shuts out, nobody can go on with nor remove.
fn settle(log: Log, done: &Result<Done, Error>) {
    match done {
        Err(error) if error.shuts_out() && !error.needs_the_parts() => log.close(),
        _ => log.end(done),
    }
}

/// The file was sent, and something about it is odd.
fn doubted(name: &FileName, doubt: Doubt) -> Applied {
    match doubt {
        Doubt::NameTaken => Applied::warned(
            Warning::Unverified,
            format!("{name} was sent, but the old file was not seen to have gone before"),
            "look at the list of the distribution service: the new file may have got a name such as Name_1.pkg",
        ),
        Doubt::Unheard => Applied::warned(
            Warning::Unverified,
            format!(
                "{name} was sent, and S3 was asked to put it together; its answer was lost, and it does not know the upload any more, \
                     as when it has done it"
            ),
            LOOK_AGAIN,
        ),
        // Servers other than Amazon's make ETags of their own, so this alone proves nothing.
        Doubt::OtherEtag => Applied::warned(
            Warning::Other,
            format!("{name} was sent, but S3 gave it another ETag than its parts make"),
            "let verify-delivery compare the digests, and run again if they differ",
        ),
    }
}

/// How much of the file this run has sent, where an earlier run had sent some of it.
fn share(sent: u64, size: u64) -> String {
    match sent {
        0 if size > 0 => ", all of it by an earlier run".to_owned(),
        sent if sent < size => format!(", {} of it by this run", pipeline::size(sent)),
        _ => String::new(),
    }
}
