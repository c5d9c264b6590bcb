//! One multipart upload: from its beginning, or from where an earlier run left it, until the file is in place.

use crate::Error;
use crate::bucket::{Bucket, SentPart, Upload};
use crate::checksum::Checksum;
use crate::commit::{Commit, Committed};
use crate::error::Leftover;
use crate::log::Log;
use crate::parts::PartPlan;
use crate::resume::Resumption;
use crate::s3_error::in_full;
use crate::send::{Sending, at_first, check_whole};
use crate::transfer::Work;
use fingerprint::{DigestState, Fingerprint, Start};
use jamf::JcdsFile;
use pipeline::{Activity, Context};
use state::{Phase, StoredUpload};
use std::pin::pin;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// An upload that is in place.
#[derive(Debug)]
pub(crate) struct Done {
    pub committed: Committed,
    pub fingerprint: Fingerprint,
    pub parts: u64,
    pub key: String,
}

impl Done {
    /// An earlier run has sent this, and asked S3 to complete it.
    pub(crate) fn by_earlier(stored: &StoredUpload, fingerprint: Fingerprint, is_listed: bool) -> Self {
        let (parts, key) = (stored.parts.len() as u64, stored.key.clone());
        Self { committed: Committed::ByEarlier { is_listed }, fingerprint, parts, key }
    }
}

/// What an upload is to take the place of.
#[derive(Debug)]
pub(crate) struct Aim {
    /// The file of that name that is known to be listed.
    pub old: Option<JcdsFile>,
    /// Whether another upload of the file may still appear beside it.
    pub may_have_twin: bool,
    /// Whether an earlier run may have deleted the old file.
    pub may_be_missing: bool,
}

/// What an upload needs besides the file.
pub(crate) struct Attempt<'a> {
    pub work: &'a Work,
    pub bucket: &'a Bucket,
    pub aim: &'a Aim,
    /// The file's digests, if somebody knows them.
    pub known: Option<Fingerprint>,
    /// How far an earlier run has hashed the file.
    pub hashed: Option<Start>,
    pub on_failure: OnFailure,
    pub cx: &'a Context,
}

/// What becomes of the parts when it ends early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnFailure {
    /// They are removed.
    Abort,
    /// They are kept where the same upload may do better later.
    Keep,
    /// They are kept unless S3 will never make a file of them: an earlier run may have deleted the old file for them.
    Leave,
    /// The same, and that run has asked S3 to complete them, so lately that it may have done it.
    LeaveAsked,
}

impl OnFailure {
    fn leaves(self, error: &Error) -> bool {
        match self {
            Self::Abort => false,
            Self::Keep => error.is_worth_keeping_for(),
            Self::Leave | Self::LeaveAsked => error.refused_completion().is_none(),
        }
    }
}

impl Attempt<'_> {
    /// Begins an upload and brings it to its end.
    pub(crate) async fn anew(&self, key: &str, checksum: Checksum, log: &Log) -> Result<Done, Error> {
        let at_once = at_first(self.work.concurrency, self.work.parts);
        let _warm = self.bucket.warm(at_once, self.cx);
        let begun = self.cx.cancelled().run_until_cancelled(self.bucket.begin(key, checksum)).await;
        let upload = match begun {
            Some(Ok(begun)) => begun,
            Some(Err(source)) => {
                if !source.leaves_open_what_happened() {
                    // S3 has begun nothing that a later run could go on with.
                    log.aborted(Leftover::Removed);
                }
                return Err(Error::Begin { file: self.work.name.clone(), source });
            }
            None => return Err(self.interrupted()),
        };
        log.begun(&upload);
        self.finish(&upload, self.work.parts, Vec::new(), log).await
    }

    /// Goes on with the upload of an earlier run.
    pub(crate) async fn go_on(&self, left: Resumption, log: &Log) -> Result<Done, Error> {
        self.finish(&left.upload, left.plan, left.sent, log).await
    }

    /// Whatever fails, the parts do not stay in S3 unless somebody will need them.
    async fn finish(
        &self,
        upload: &Upload,
        plan: PartPlan,
        sent: Vec<SentPart>,
        log: &Log,
    ) -> Result<Done, Error> {
        let result = self.fill_and_commit(upload, plan, sent, log).await;
        let key = upload.key.clone();
        let error = match result {
            Ok((committed, fingerprint)) => {
                if committed == Committed::ByAnother {
                    self.abort(upload, Phase::Sending, log).await;
                }
                return Ok(Done { committed, fingerprint, parts: plan.count(), key });
            }
            // An abort could take away what S3 is about to put together, or the only copy there is.
            Err(error) if error.needs_the_parts() && !error.refuses_checksums() => {
                if error.is_forgotten() {
                    // The next run is to send the file, and not to wait for it.
                    log.aborted(Leftover::Removed);
                }
                return Err(error);
            }
            Err(error) => error,
        };
        if self.on_failure.leaves(&error) {
            return Err(error.leaving(Leftover::Kept));
        }
        let phase = match self.on_failure {
            OnFailure::Abort | OnFailure::Keep => Phase::Sending,
            // The old file may have gone for it.
            OnFailure::Leave | OnFailure::LeaveAsked => Phase::Deleting,
        };
        let leftover = self.abort(upload, phase, log).await;
        log.aborted(leftover);
        Err(error.leaving(leftover))
    }

    async fn fill_and_commit(
        &self,
        upload: &Upload,
        plan: PartPlan,
        sent: Vec<SentPart>,
        log: &Log,
    ) -> Result<(Committed, Fingerprint), Error> {
        let (parts, fingerprint) = self.fill(upload, plan, sent, log).await?;
        let last = self.work.sent_last();
        let commit = Commit {
            session: &self.work.session,
            bucket: self.bucket,
            upload,
            name: &self.work.name,
            parts: &parts,
            fingerprint,
            planned: self.aim.old.as_ref(),
            last: last.as_ref(),
            may_have_twin: self.aim.may_have_twin,
            was_asked: self.on_failure == OnFailure::LeaveAsked,
            may_be_missing: self.aim.may_be_missing,
            log,
            interrupt: self.cx.cancelled(),
            cx: self.cx,
        };
        let committed = commit.run().await;
        if committed.is_ok() {
            // Before the journal is closed, so that a kill leaves the one or the other.
            self.work.remember(fingerprint, self.cx);
        }
        // What the session remembers is the list before the completion, which it does not see.
        self.work.session.jcds_file_changed(&self.work.name);
        Ok((committed?, fingerprint))
    }

    /// Sends all parts. The digests are computed beside it and not before it: SHA3-512 is slower than a fast network
    /// (`baselines.md`).
    async fn fill(
        &self,
        upload: &Upload,
        plan: PartPlan,
        sent: Vec<SentPart>,
        log: &Log,
    ) -> Result<(Vec<SentPart>, Fingerprint), Error> {
        let Work { file, name, concurrency, patience, .. } = self.work;
        let start = self.start();
        let (tell, hashed) = watch::channel(start.state.offset());
        let sending = Sending {
            bucket: self.bucket,
            upload,
            file,
            name,
            plan,
            concurrency: *concurrency,
            patience: *patience,
            hashed: self.known.is_none().then_some(hashed),
            log,
            confirmed: &self.work.confirmed,
            cx: self.cx,
        };
        let filling = async { tokio::try_join!(sending.run(sent), self.digests(start, tell, log)) };
        let Some(filled) = self.cx.cancelled().run_until_cancelled(filling).await else {
            return Err(self.interrupted());
        };
        // A file that changed explains whatever else went wrong: a body cut short, a checksum that does not fit.
        file.check_unchanged()?;
        let (parts, fingerprint) = filled?;
        check_whole(&parts, plan, name)?;
        Ok((parts, fingerprint))
    }

    /// Where the hashing begins.
    fn start(&self) -> Start {
        let identity = self.work.file.identity();
        let anew = || Start { identity, state: DigestState::default(), begun: self.cx.clock().now() };
        self.hashed.clone().unwrap_or_else(anew)
    }

    async fn digests(&self, start: Start, tell: watch::Sender<u64>, log: &Log) -> Result<Fingerprint, Error> {
        if let Some(known) = self.known {
            log.digests(known);
            return Ok(known);
        }
        let file = &self.work.file;
        let (voice, total) = (self.cx.clone(), file.size());
        let progress = move |done| {
            voice.progress(Activity::Hashing, done, total);
            tell.send_replace(done);
        };
        // Only the latest state counts, and the hashing does not wait until it is written.
        let (keep, mut kept) = watch::channel(None);
        let save = move |state| _ = keep.send_replace(Some(state));
        // Ctrl-C drops this future, which ends the reading.
        let never = CancellationToken::new();
        let mut hashing = pin!(self.work.digests.digest_from(file.path(), start, save, progress, &never));
        let fingerprint = loop {
            tokio::select! {
                fingerprint = &mut hashing => break fingerprint?,
                Ok(()) = kept.changed() => {
                    if let Some(state) = &*kept.borrow_and_update() {
                        log.digest_state(state);
                    }
                }
            }
        };
        log.digests(fingerprint);
        Ok(fingerprint)
    }

    /// Lets S3 forget the parts. Whether the credentials allow it is not known (`jamf-pro-api.md §9.2`), so a failure is
    /// only told.
    async fn abort(&self, upload: &Upload, phase: Phase, log: &Log) -> Leftover {
        // Whoever finds the journal after a kill is to wait for nothing.
        log.phase(phase);
        match self.bucket.abort(&upload.key, &upload.id).await {
            Ok(()) => Leftover::Removed,
            Err(error) => {
                self.cx.warn(format!(
                    "the parts of {} that were sent could not be removed from S3: {}",
                    self.work.name,
                    in_full(&error)
                ));
                Leftover::Stuck
            }
        }
    }

    fn interrupted(&self) -> Error {
        Error::Interrupted { file: self.work.name.clone(), leftover: Leftover::None }
    }
}
