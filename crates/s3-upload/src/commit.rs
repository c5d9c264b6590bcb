//! The commit: the old file goes, and the new one takes its place. Everything before it can be undone.
//!
//! The distribution service does not replace: a name that is taken makes a twin, `Name_1.pkg` (`jamf-pro-api.md §12`).
//! So the old file is deleted first, at the last moment, and its name is seen to be free before S3 makes the new object
//! appear. Before that the file must be the one that the plan showed, and the credentials must outlast what follows. From
//! the deletion on, nothing calls the upload off: the new file is then the only copy.

use crate::bucket::{Bucket, SentPart, Upload};
use crate::error::Leftover;
use crate::listed::{Spot, compare, only_file, spot};
use crate::log::Log;
use crate::pauses::{LOOKS, lasting, secs};
use crate::s3_error::in_full;
use crate::twins::{Circumstances, Lookout};
use crate::{Error, S3Error};
use fingerprint::{Agreement, Fingerprint};
use jamf::{Deletion, JcdsFile, Session};
use jiff::{SignedDuration, Timestamp};
use md5::Digest as _;
use pipeline::{Activity, Context, Diagnose as _, FailureKind, FileName};
use state::{Delivery, Phase};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long a deleted name is waited for. Nobody knows when the service takes a name as free (`§19.4`); nodes exchange
/// changes about once a minute (`§13.1`).
const LATE_DELETION: Duration = secs(120);
/// How long credentials must last when the old file is deleted: until its name is free, and for tries to complete.
const COMMIT: SignedDuration = SignedDuration::from_mins(10);
/// Pauses between tries to complete; the last one repeats.
const COMPLETIONS: [Duration; 7] = [secs(1), secs(2), secs(5), secs(10), secs(20), secs(30), secs(60)];
/// How long completion is tried in all. What S3 has not done by then a person has to hear of: there may be no file.
const PATIENCE: Duration = secs(15 * 60);
/// A try takes no longer, its look at the list included. What the clock says beyond that, the machine has slept.
const LONGEST_TRY: SignedDuration = SignedDuration::from_mins(6);

/// Puts one upload in place.
pub(crate) struct Commit<'a> {
    pub session: &'a Session,
    pub bucket: &'a Bucket,
    pub upload: &'a Upload,
    pub name: &'a FileName,
    pub parts: &'a [SentPart],
    pub fingerprint: Fingerprint,
    /// The file that the plan showed as the one to be replaced.
    pub planned: Option<&'a JcdsFile>,
    /// What this machine has sent last under the name.
    pub last: Option<&'a Delivery>,
    /// Whether another upload of the file may appear after this one.
    pub may_have_twin: bool,
    /// Whether S3 was asked for it before, so lately that it may have done it.
    pub was_asked: bool,
    /// Whether an earlier run may have deleted the old file for it.
    pub may_be_missing: bool,
    pub log: &'a Log,
    /// Ctrl-C, also while `cx` is deaf to it.
    pub interrupt: &'a CancellationToken,
    pub cx: &'a Context,
}

/// What is right for the commit.
enum Ready {
    /// There is something to do.
    ToPlace {
        /// The file to delete.
        old: Option<JcdsFile>,
        /// All that was listed.
        listed: Arc<[JcdsFile]>,
    },
    /// The same bytes are there already.
    There,
}

/// The file is in place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Committed {
    /// By this commit.
    Placed {
        /// Whether an old file was deleted for it.
        replaced: bool,
        /// What was listed before, by which twins are known.
        circumstances: Circumstances,
        /// What is odd about it.
        doubt: Option<Doubt>,
    },
    /// Another run was faster with the same bytes; this upload is needed no more.
    ByAnother,
    /// By S3, which an earlier run had asked for it.
    ByEarlier {
        /// Whether the list shows it. If not, S3 does not know the upload any more, which it was asked to complete.
        is_listed: bool,
    },
}

/// Why the new file may not be what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// The old file was not seen to have gone when the new one was completed.
    NameTaken,
    /// S3 gave the object another ETag than its parts make.
    OtherEtag,
    /// S3 was asked for it, and nobody heard what it did; since then it does not know the upload any more, and the list was not seen to
    /// show the file.
    Unheard,
}

/// What is known of a completion that did not fail.
#[derive(Debug)]
enum Completion {
    /// S3 has done it, and told the object's ETag or not.
    Told(Option<String>),
    /// The list shows the file.
    Listed,
    /// S3 has forgotten the upload, as it does when it is through.
    Unheard,
}

/// A completion that failed in the end.
enum NotCompleted {
    Failed {
        source: S3Error,
        /// Whether S3 may have done it at a try whose answer was lost.
        may_be_done: bool,
    },
    /// Somebody does not want to wait for the next try.
    Interrupted,
}

/// What the list shows of the file that was to be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sight {
    Gone,
    Listed,
    /// Other bytes than it had, and those that are to be placed: another run has put them there, and they are to stay.
    HeldBySame,
    Unknown,
}

/// What a deletion leaves to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Judgement {
    /// The name is free.
    Complete,
    /// It is not known to be free; but a twin is better than no file at all.
    CompleteAnyway,
    /// The old file is there as it was: leave it so.
    CallOff,
    /// What is to be done was done by another run.
    Leave,
}

/// Decides by what was seen, and by whether any deletion was confirmed.
fn judge(sight: Sight, confirmed: bool) -> Judgement {
    match (sight, confirmed) {
        (Sight::Gone, _) => Judgement::Complete,
        (Sight::HeldBySame, _) => Judgement::Leave,
        (Sight::Listed, false) => Judgement::CallOff,
        (Sight::Listed, true) | (Sight::Unknown, _) => Judgement::CompleteAnyway,
    }
}

impl Commit<'_> {
    /// Does it. Ctrl-C is heard until the first deletion; where nothing was deleted, also between tries to complete.
    pub(crate) async fn run(&self) -> Result<Committed, Error> {
        self.step(0);
        let cancelled = self.cx.cancelled();
        let ready = match cancelled.run_until_cancelled(self.prepare()).await {
            Some(ready) if !cancelled.is_cancelled() => ready?,
            _ => return Err(Error::Interrupted { file: self.name.clone(), leftover: Leftover::None }),
        };
        let Ready::ToPlace { old, listed } = ready else { return Ok(Committed::ByAnother) };
        // From here on deaf to Ctrl-C: between deletion and completion there is no file at all.
        let may_be_missing = self.may_be_missing || old.is_some();
        let commit = Commit { cx: &self.cx.shielded(), may_be_missing, ..*self };
        let mut finish = pin!(commit.finish(old, listed));
        tokio::select! {
            biased;
            done = &mut finish => return done,
            () = cancelled.cancelled() => self.cx.warn(match may_be_missing {
                true => "finishing the commit, which must not be interrupted; interrupt again to end at once",
                false => "waiting until S3 has answered whether it has put the file together; interrupt again to end at once",
            }),
        }
        finish.await
    }

    /// Deletes the old file and completes the upload, with no way back.
    async fn finish(&self, old: Option<JcdsFile>, listed: Arc<[JcdsFile]>) -> Result<Committed, Error> {
        let judgement = match &old {
            Some(old) => {
                self.log.phase(Phase::Deleting);
                self.log.gives_way(self.session.server(), self.name);
                self.free_the_name(old).await?
            }
            None => Judgement::Complete,
        };
        if judgement == Judgement::Leave {
            return Ok(Committed::ByAnother);
        }
        self.step(1);
        // A file of the same bytes under the name proves nothing where it may be the old one.
        let is_new = old.as_ref().is_none_or(|old| compare(old, self.fingerprint) == Agreement::Others);
        let is_surely_new = judgement == Judgement::Complete && is_new;
        let begun = self.now();
        let completed = self.complete(old.is_some(), is_surely_new).await;
        let took = self.now().duration_since(begun);
        let circumstances =
            Circumstances { before: listed, may_be_late: self.may_have_twin, took, is_surely_new };
        let completion = match completed {
            Ok(completion) => completion,
            Err(NotCompleted::Failed { source, may_be_done }) => {
                self.lookout().tell(&circumstances).await;
                let file = self.name.clone();
                return Err(match old {
                    Some(_) => Error::Lost { file, source },
                    None => Error::NotCompleted { file, source, may_be_done },
                });
            }
            Err(NotCompleted::Interrupted) => {
                return Err(Error::Interrupted { file: self.name.clone(), leftover: Leftover::Asked });
            }
        };
        self.step(2);
        let doubt = match (judgement, completion) {
            (Judgement::CompleteAnyway, _) => Some(Doubt::NameTaken),
            (_, Completion::Unheard) => Some(Doubt::Unheard),
            (_, Completion::Told(Some(etag))) => {
                expected_etag(self.parts).filter(|made| *made != etag).map(|_| Doubt::OtherEtag)
            }
            (_, Completion::Told(None) | Completion::Listed) => None,
        };
        Ok(Committed::Placed { replaced: old.is_some(), circumstances, doubt })
    }

    /// Sees to all that has to be right before anything is deleted. The look at the list comes last, so that it is fresh.
    async fn prepare(&self) -> Result<Ready, Error> {
        let mut pauses = LOOKS.iter().copied();
        let mut spreading =
            lasting(&LOOKS, self.last.map_or(Duration::ZERO, |last| last.spreads_for(self.now())));
        loop {
            if self.planned.is_some() {
                self.bucket.credentials().outlast(COMMIT).await.map_err(|source| Error::ShortLived {
                    file: self.name.clone(),
                    source: source.map(Box::new),
                })?;
            }
            let listed = self.session.jcds_files_now(self.cx).await;
            let listed = listed.map_err(|source| self.list_failed(source))?;
            let spot = spot(self.name, self.planned, self.fingerprint, &listed);
            if self.may_be_behind(&spot, &listed)
                && let Some(pause) = spreading.next()
            {
                self.cx.info(format!(
                    "the list does not show {} as the plan did, and what was sent last may be unknown to this node of the server: \
                     looking again in {} s",
                    self.name,
                    pause.as_secs()
                ));
                self.cx.clock().sleep(pause).await;
                continue;
            }
            let unplanned = match spot? {
                Spot::For(old) => return Ok(Ready::ToPlace { old, listed }),
                Spot::HeldBySame => return Ok(Ready::There),
                Spot::Undigested(unplanned) => unplanned,
            };
            let pause = pauses.next().ok_or(unplanned)?;
            self.cx.clock().sleep(pause).await;
        }
    }

    /// Whether the list is not what the plan has seen, and shows less than was sent last.
    fn may_be_behind(&self, spot: &Result<Spot, Error>, listed: &[JcdsFile]) -> bool {
        let is_as_planned = match spot {
            Ok(Spot::For(old)) => old.is_some() == self.planned.is_some(),
            // Unless these bytes were sent before others, which the list may not show yet.
            Ok(Spot::HeldBySame) => self.last.is_none_or(|last| last.sent == self.fingerprint),
            Ok(Spot::Undigested(_)) => true,
            // A person has to sort that out.
            Err(Error::SeveralFiles { .. }) => true,
            Err(_) => false,
        };
        let shows_last = |last: &Delivery| match only_file(self.name, listed) {
            Ok(Some(file)) => compare(&file, last.sent) == Agreement::Same,
            Ok(None) | Err(_) => false,
        };
        !is_as_planned && !self.last.is_some_and(shows_last)
    }

    /// Deletes the old file, and waits until the list shows it gone.
    async fn free_the_name(&self, old: &JcdsFile) -> Result<Judgement, Error> {
        let deletion = self.session.jcds_delete(self.cx, &old.name).await;
        let sight = match &deletion {
            // An earlier try of the same request may have done it, and its answer have been lost.
            Err(error) if error.kind() == FailureKind::Access => match self.look_for_old(old).await {
                Sight::Gone => Sight::Gone,
                Sight::Listed | Sight::HeldBySame | Sight::Unknown => Sight::Listed,
            },
            Err(_) => self.wait_until_gone(old, None).await,
            Ok(deleted) => self.wait_until_gone(old, Some(*deleted)).await,
        };
        let judgement = judge(sight, deletion.is_ok());
        match (judgement, deletion) {
            (Judgement::CallOff, Err(source)) => {
                return Err(Error::Delete { file: self.name.clone(), source: Box::new(source) });
            }
            (Judgement::CompleteAnyway, deletion) => {
                let why = deletion.err().map_or_else(String::new, |error| format!(" ({})", in_full(&error)));
                self.cx.warn(format!(
                    "the old {} is not known to have gone{why}; the new one is put in place all the same",
                    self.name
                ));
            }
            _ => {}
        }
        Ok(judgement)
    }

    async fn wait_until_gone(&self, old: &JcdsFile, deleted: Option<Deletion>) -> Sight {
        let mut pauses = lasting(&LOOKS, LATE_DELETION);
        let mut seen = Sight::Unknown;
        loop {
            seen = match self.look_for_old(old).await {
                // What this run has deleted may have been these, and the list be behind: they have to stay.
                Sight::HeldBySame if deleted == Some(Deletion::WasAbsent) => return Sight::HeldBySame,
                Sight::Gone => return Sight::Gone,
                Sight::Unknown => seen,
                sight => sight,
            };
            let Some(pause) = pauses.next() else { return seen };
            self.cx.clock().sleep(pause).await;
        }
    }

    /// Looks once.
    async fn look_for_old(&self, old: &JcdsFile) -> Sight {
        match self.session.jcds_files_now(self.cx).await {
            Ok(listed) => match listed.iter().find(|file| file.name == old.name) {
                None => Sight::Gone,
                Some(now) if self.is_by_another(old, now) => Sight::HeldBySame,
                Some(_) => Sight::Listed,
            },
            Err(_) => Sight::Unknown,
        }
    }

    /// Whether the name, of which the old file is to go, holds the new bytes already.
    fn is_by_another(&self, old: &JcdsFile, now: &JcdsFile) -> bool {
        compare(old, self.fingerprint) == Agreement::Others
            && compare(now, self.fingerprint) == Agreement::Same
    }

    /// Completes, and finds out what a failure means.
    async fn complete(&self, deleted: bool, is_surely_new: bool) -> Result<Completion, NotCompleted> {
        let mut pauses = lasting(&COMPLETIONS, PATIENCE);
        let mut left = PATIENCE;
        // This try, or an earlier one, may have done it although its answer was lost (`jamf-pro-api.md §9.5`).
        let mut may_be_done = self.was_asked;
        loop {
            let begun = self.now();
            self.log.phase(Phase::Completing);
            let error = match self.bucket.complete(self.upload, self.parts).await {
                Ok(etag) => return Ok(Completion::Told(etag)),
                Err(error) => error,
            };
            may_be_done |= error.may_have_completed();
            let look = is_surely_new && (error.is_forgotten() || error.leaves_open_what_happened());
            if look && self.is_listed().await {
                return Ok(Completion::Listed);
            }
            if error.is_forgotten() && may_be_done {
                return Ok(Completion::Unheard);
            }
            // With no file there any more, credentials are worth as many tries as a busy server.
            let may_pass = error.may_pass() || (deleted && error.is_about_ended_credentials());
            let took =
                self.now().duration_since(begun).clamp(SignedDuration::ZERO, LONGEST_TRY).unsigned_abs();
            let pause = pauses.next().filter(|pause| may_pass && took + *pause < left);
            let Some(pause) = pause else { return Err(NotCompleted::Failed { source: error, may_be_done }) };
            left -= took + pause;
            let why = in_full(&error);
            self.cx.warn(format!("S3 has not put {} together yet ({why}); trying again", self.name));
            let pausing = self.cx.clock().sleep(pause);
            if self.may_be_missing {
                pausing.await;
            } else if self.interrupt.run_until_cancelled(pausing).await.is_none() {
                return Err(NotCompleted::Interrupted);
            }
        }
    }

    /// Whether the service shows the new file, which may take a while.
    async fn is_listed(&self) -> bool {
        for pause in LOOKS {
            if let Ok(listed) = self.session.jcds_files_now(self.cx).await
                && listed
                    .iter()
                    .any(|file| self.name.same_name(&file.name) && is_ours(file, self.fingerprint))
            {
                return true;
            }
            self.cx.clock().sleep(pause).await;
        }
        false
    }

    fn lookout(&self) -> Lookout<'_> {
        let Self { session, name, fingerprint, cx, .. } = *self;
        Lookout { session, name, sent: fingerprint, waits: cx.cancelled(), cx }
    }

    fn list_failed(&self, source: jamf::Error) -> Error {
        Error::List { file: self.name.clone(), source: Box::new(source) }
    }

    fn now(&self) -> Timestamp {
        self.cx.clock().now()
    }

    fn step(&self, done: u64) {
        self.cx.progress(Activity::Committing, done, 2);
    }
}

/// Whether a listed file is the one that was sent: by size, and by MD5 where the list has one.
fn is_ours(file: &JcdsFile, sent: Fingerprint) -> bool {
    file.size == sent.size && file.md5.is_none_or(|md5| md5 == sent.md5)
}

/// The ETag that S3 makes from these parts: the MD5 of their MD5s, and their number (`jamf-pro-api.md §9.4`). `None` where
/// a part's ETag is no MD5, as under KMS encryption.
fn expected_etag(parts: &[SentPart]) -> Option<String> {
    let mut all = md5::Md5::new();
    for part in parts {
        let digest: pipeline::Md5 = part.etag.trim_matches('"').parse().ok()?;
        all.update(digest.as_bytes());
    }
    Some(format!("\"{}-{}\"", hex::encode(all.finalize()), parts.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_is_called_off_only_if_the_old_file_is_there() {
        assert_eq!(judge(Sight::Gone, true), Judgement::Complete);
        assert_eq!(judge(Sight::Gone, false), Judgement::Complete);
        assert_eq!(judge(Sight::Listed, true), Judgement::CompleteAnyway);
        assert_eq!(judge(Sight::Listed, false), Judgement::CallOff);
        for confirmed in [true, false] {
            assert_eq!(judge(Sight::HeldBySame, confirmed), Judgement::Leave);
        }
        assert_eq!(judge(Sight::Unknown, true), Judgement::CompleteAnyway);
        assert_eq!(judge(Sight::Unknown, false), Judgement::CompleteAnyway);
    }

    fn part(etag: &str) -> SentPart {
        SentPart { number: 1, size: 1, etag: etag.into(), checksum: None }
    }

    #[test]
    fn etags_are_made_as_s3_makes_them() {
        // Part and object ETags of `wire-examples/s3.complete-multipart-upload.*`.
        let parts = [
            part("\"f12022078b3b6122dd3bfd01d7e8da23\""),
            part("\"0196137465515953dc2ff63966c9726a\""),
            part("\"851d7f2604e4fa6cf130a4659b5c38b0\""),
        ];
        assert_eq!(expected_etag(&parts).as_deref(), Some("\"3692e537a480ac097da041718e8d5c6d-3\""));
        assert_eq!(expected_etag(&[part("\"kms-encrypted\"")]), None);
    }
}
