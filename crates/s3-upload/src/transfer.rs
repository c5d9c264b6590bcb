//! One upload from its plan to its end.

use crate::attempt::{Aim, Attempt, Done};
use crate::bucket::{Bucket, Place, Standing};
use crate::checksum::ChecksumChoice;
use crate::commit::{Committed, Doubt};
use crate::connections::Connections;
use crate::credentials::LiveCredentials;
use crate::endpoint::Endpoint;
use crate::inputs::{
    self, Concurrency, JCDS_OBJECT_KEY, KEEP_PARTIAL, PART_SIZE, UPLOAD_CHECKSUM, UPLOAD_CONCURRENCY,
    UPLOAD_STALL_SECONDS,
};
use crate::late::{self, Asked, Heard};
use crate::listed::only_file;
use crate::local::LocalFile;
use crate::log::Log;
use crate::parts::PartPlan;
use crate::resume::{Resumption, abandon, is_at, is_stale};
use crate::s3_error::in_full;
use crate::stall::Patience;
use crate::{Error, Memory};
use fingerprint::{Digests, Fingerprint};
use jamf::{JcdsFile, Session, UploadGrant};
use pipeline::{Applied, Change, Context, Env, FileName, Subject, Verb, Warning, keys};
use state::{Journal, NewUpload, Phase, State, StoredUpload};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Files of this size are sent alone. The server renews credentials of an account's latest upload only (`jamf-pro-api.md §7.3`), so that
/// what is sent side by side has to be through within their first hour: two files below this are, at 2.4 Mbit/s.
pub(crate) const LARGE: u64 = 512 << 20;

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
    known: Option<Fingerprint>,
    keep: bool,
    state: State,
    connections: Connections,
    /// Bytes of parts that S3 has confirmed to this run.
    pub(crate) confirmed: AtomicU64,
}

/// How far what an earlier run left was gone on with.
enum Went {
    /// To its end.
    Through(Result<Done, Error>),
    /// There was nothing to go on with, or nobody may any more.
    Nowhere {
        /// What may still appear.
        asked: Vec<Asked>,
        /// What the credentials were refused with.
        shut_out: Option<Error>,
    },
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
        let left = self.left_over(&grant, cx);
        let second_hand = left.iter().any(|(_, stored)| stored.place.prefix == grant.path);
        let place = place_of(&endpoint, &grant);
        let bucket = self.open(&place, grant.clone(), cx);
        let (asked, shut_out) = match self.go_on(&bucket, &place, &grant.path, left, cx).await {
            Went::Through(done) => return Ok(self.end(&done?, &bucket, &endpoint, cx).await),
            Went::Nowhere { asked, shut_out } => (asked, shut_out),
        };
        let is_told = !asked.is_empty();
        let aim = match self.hear_of(&asked, cx).await? {
            Heard::Delivered(done) => {
                asked.into_iter().for_each(|upload| upload.close(cx));
                return Ok(self.end(&done, &bucket, &endpoint, cx).await);
            }
            Heard::Outdated(file) => Aim { old: Some(file), may_have_twin: false },
            Heard::Nothing => Aim { old: self.old.clone(), may_have_twin: is_told },
        };
        for upload in asked {
            self.give_up(&bucket, &place, upload, cx).await;
        }
        let done = match shut_out {
            None => self.begin(&bucket, &place, &grant.path, &aim, cx).await,
            Some(error) => Err(error),
        };
        let error = match done {
            Err(error) if (second_hand && error.shuts_out()) || error.is_superseded() => error,
            done => return Ok(self.end(&done?, &bucket, &endpoint, cx).await),
        };
        // The renewed credentials are those of an upload that cannot be gone on with, nor begun again.
        if !is_told {
            let what = if second_hand { "what an earlier run left" } else { "the upload" };
            let why = in_full(&error);
            cx.warn(format!("{what} of {} cannot be gone on with: {why}; it is sent anew", self.name));
        }
        let renewed = self.session.jcds_initiate(cx).await;
        let grant = renewed
            .map_err(|source| Error::NoCredentials { file: self.name.clone(), source: Box::new(source) })?;
        let place = place_of(&endpoint, &grant);
        let bucket = self.open(&place, grant.clone(), cx);
        let done = self.begin(&bucket, &place, &grant.path, &aim, cx).await?;
        Ok(self.end(&done, &bucket, &endpoint, cx).await)
    }

    /// Bytes of the file that this run has sent, as far as S3 has confirmed them.
    pub(crate) fn sent(&self) -> u64 {
        self.confirmed.load(Ordering::Relaxed)
    }

    fn open(&self, place: &Place, grant: UploadGrant, cx: &Context) -> Bucket {
        let credentials = LiveCredentials::new(grant, Arc::clone(&self.session), cx);
        Bucket::open(place, credentials, &self.connections, Arc::clone(cx.boundary()))
    }

    fn attempt<'a>(&'a self, bucket: &'a Bucket, aim: &'a Aim, cx: &'a Context) -> Attempt<'a> {
        let (known, keep) = (self.known, self.keep);
        Attempt { work: self, bucket, aim, known, hashed: None, was_asked: false, keep, cx }
    }

    /// Sends the file from its first byte, with the best checksum that the server takes.
    async fn begin(
        &self,
        bucket: &Bucket,
        place: &Place,
        prefix: &str,
        aim: &Aim,
        cx: &Context,
    ) -> Result<Done, Error> {
        let key = format!("{prefix}{}", self.name);
        let attempt = self.attempt(bucket, aim, cx);
        let stored = state::Place {
            endpoint: place.endpoint.address().map(str::to_owned),
            region: place.region.clone(),
            bucket: place.bucket.clone(),
            prefix: prefix.to_owned(),
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

    /// What earlier runs left of this file, the newest last. Without a journal there is nothing.
    fn left_over(&self, grant: &UploadGrant, cx: &Context) -> Vec<(Journal, StoredUpload)> {
        let wanted = |stored: &StoredUpload| self.name.same_name(&stored.file);
        match self.state.take_over(self.session.server(), wanted) {
            Ok(mut left) => {
                // What these credentials open is the likeliest to be gone on with.
                left.sort_by_key(|(_, stored)| stored.place.prefix == grant.path);
                left
            }
            Err(error) => {
                cx.warn(format!("the journal cannot be read: {}", in_full(&error)));
                Vec::new()
            }
        }
    }

    /// Goes on with the newest upload that fits, and removes what does not and cannot appear any more.
    async fn go_on(
        &self,
        bucket: &Bucket,
        place: &Place,
        prefix: &str,
        left: Vec<(Journal, StoredUpload)>,
        cx: &Context,
    ) -> Went {
        let (mut fitting, mut asked) = (None, Vec::new());
        for (journal, stored) in left.into_iter().rev() {
            let resumption = Resumption::of(&stored, self.file.identity(), place, prefix);
            match resumption.filter(|_| fitting.is_none()) {
                Some(resumption) => fitting = Some((journal, stored, resumption)),
                None => match late::made_of(&stored) {
                    Some(made_of) => asked.push(Asked { journal, stored, made_of }),
                    None if is_at(&stored, place) => _ = abandon(bucket, journal, &stored, cx).await,
                    // These credentials lead elsewhere.
                    None => {}
                },
            }
        }
        let Some((journal, stored, mut resumption)) = fitting else {
            return Went::Nowhere { asked, shut_out: None };
        };
        let log = Log::go_on(journal, cx);
        let (there, count) = (resumption.sent.len() as u64, resumption.plan.count());
        if there == count {
            // Nothing may be deleted for an upload that S3 has forgotten; and where S3 may not be asked, sending a part
            // tells.
            match bucket.standing(&resumption.upload).await {
                Standing::Open => {}
                Standing::Gone if self.old.is_some() => {
                    log.close();
                    return Went::Nowhere { asked, shut_out: None };
                }
                Standing::Unknown if self.old.is_some() => _ = resumption.sent.pop(),
                Standing::Gone | Standing::Unknown => {}
            }
        }
        cx.info(format!(
            "going on with the upload of {} that an earlier run began: {there} of {count} parts are in S3",
            self.name
        ));
        let known = resumption.fingerprint.or(self.known);
        let (hashed, was_asked) = (resumption.hashed.take(), stored.phase == Phase::Completing);
        let aim = Aim { old: self.old.clone(), may_have_twin: false };
        let attempt = Attempt { known, hashed, was_asked, ..self.attempt(bucket, &aim, cx) };
        match attempt.go_on(resumption, &log).await {
            Err(error) if error.shuts_out() => {
                match late::made_of(&stored).filter(|_| error.locks_out()) {
                    Some(made_of) => {
                        asked.extend(log.into_journal().map(|journal| Asked { journal, stored, made_of }));
                    }
                    None => log.close(),
                }
                Went::Nowhere { asked, shut_out: Some(error) }
            }
            done => {
                log.end(&done);
                Went::Through(done)
            }
        }
    }

    /// Forgets an upload that may still appear, and lets S3 forget it if these credentials may ask for that.
    async fn give_up(&self, bucket: &Bucket, place: &Place, asked: Asked, cx: &Context) {
        if is_at(&asked.stored, place) {
            abandon(bucket, asked.journal, &asked.stored, cx).await;
        } else {
            asked.close(cx);
        }
    }

    /// Whatever came of the file: what nobody needs any more is removed, and the end told.
    async fn end(&self, done: &Done, bucket: &Bucket, endpoint: &Endpoint, cx: &Context) -> Applied {
        self.tidy(bucket, endpoint, cx).await;
        self.applied(done)
    }

    /// Removes what nobody will go on with, of other files too.
    async fn tidy(&self, bucket: &Bucket, endpoint: &Endpoint, cx: &Context) {
        let now = cx.clock().now();
        let stale = |stored: &StoredUpload| !self.name.same_name(&stored.file) && is_stale(stored, now);
        for (journal, stored) in self.state.take_over(self.session.server(), stale).unwrap_or_default() {
            if stored.place.endpoint.as_deref() == endpoint.address() {
                abandon(bucket, journal, &stored, cx).await;
            }
        }
    }

    fn applied(&self, done: &Done) -> Applied {
        let (name, sent) = (&self.name, done.fingerprint);
        let applied = match &done.committed {
            Committed::ByEarlier => {
                Applied::done(format!("{name} is in place: S3 has put together what an earlier run sent"))
            }
            Committed::ByAnother => Applied::done(format!(
                "{name} was sent, and another run had put the same bytes in place before; those were left there"
            )),
            Committed::Placed { doubt: None, replaced, surplus } => {
                let how = if *replaced { ", in place of the old file" } else { "" };
                let twins = match surplus.as_slice() {
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
            Committed::Placed { doubt: Some(Doubt::NameTaken), .. } => Applied::warned(
                Warning::Unverified,
                format!("{name} was sent, but the old file was not seen to have gone before"),
                "look at the list of the distribution service: the new file may have got a name such as Name_1.pkg",
            ),
            // Servers other than Amazon's make ETags of their own, so this alone proves nothing.
            Committed::Placed { doubt: Some(Doubt::OtherEtag), .. } => Applied::warned(
                Warning::Other,
                format!("{name} was sent, but S3 gave it another ETag than its parts make"),
                "let verify-delivery compare the digests, and run again if they differ",
            ),
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
        Err(error) if error.shuts_out() => log.close(),
        _ => log.end(done),
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

fn place_of(endpoint: &Endpoint, grant: &UploadGrant) -> Place {
    Place { endpoint: endpoint.clone(), region: grant.region.clone(), bucket: grant.bucket.clone() }
}
