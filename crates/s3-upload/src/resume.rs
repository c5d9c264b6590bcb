//! What earlier runs left unfinished: what can be gone on with, and what has to go.

use crate::attempt::{Aim, Attempt, Done, OnFailure};
use crate::bucket::{ANSWER, Bucket, Place, SentPart, Standing, Upload};
use crate::checksum::Checksum;
use crate::endpoint::Endpoint;
use crate::late::{self, Awaited, Watched};
use crate::listed::compare;
use crate::log::Log;
use crate::parts::PartPlan;
use crate::s3_error::in_full;
use crate::transfer::{Door, Work};
use crate::{Error, S3Error};
use fingerprint::{Agreement, FileIdentity, Fingerprint, Start};
use jiff::{SignedDuration, Timestamp};
use pipeline::Context;
use state::{Journal, Phase, StoredPart, StoredUpload};
use std::time::Duration;

/// S3 may have forgotten an older one, and whoever runs every night has sent the file since.
const OLD: SignedDuration = SignedDuration::from_hours(24);

type Fitting = (Journal, StoredUpload, Resumption);

/// How far what an earlier run left was gone on with.
pub(crate) enum Went {
    /// To its end.
    Through(Result<Done, Error>),
    /// There was nothing to go on with, or nobody may any more.
    Nowhere {
        /// What may still appear.
        awaited: Vec<Awaited>,
        /// What S3 will not put together and nobody may remove. Its old file may have gone, until the new one is in place.
        spent: Option<Log>,
        /// What the credentials were refused with.
        refusal: Option<Error>,
    },
}

/// Whether an upload of an earlier run can be gone on with.
enum Resumable {
    Yes,
    /// S3 has forgotten it.
    No,
    /// S3 was asked to complete it and has: nobody has called it off.
    Completed {
        made_of: Fingerprint,
        is_listed: bool,
    },
}

/// What earlier runs left of a file, by what credentials for a place can do about it.
pub(crate) struct Leftovers {
    /// The newest that can be gone on with.
    pub fitting: Option<Fitting>,
    /// What S3 was asked to complete, and what cannot be gone on with: it may still appear.
    pub awaited: Vec<Awaited>,
    /// What is to be removed.
    pub over: Vec<(Journal, StoredUpload)>,
    /// Whether the credentials are those of one of them, renewed.
    pub is_second_hand: bool,
    /// Whether the old file may have been deleted for one of them.
    pub may_be_missing: bool,
}

impl Leftovers {
    /// Sorts them. What these credentials lead past stays in the journal.
    pub(crate) fn sort(
        mut left: Vec<(Journal, StoredUpload)>,
        file: FileIdentity,
        place: &Place,
        prefix: &str,
        now: Timestamp,
    ) -> Self {
        // What the credentials open is the likeliest to be gone on with, and a newer one likelier than an older one.
        left.reverse();
        left.sort_by_key(|(_, stored)| stored.place.prefix != prefix);
        let is_second_hand = left.iter().any(|(_, stored)| stored.place.prefix == prefix);
        let may_be_missing = left.iter().any(|(_, stored)| stored.phase != Phase::Sending);
        let (awaited, over) = (Vec::new(), Vec::new());
        let mut sorted = Self { fitting: None, awaited, over, is_second_hand, may_be_missing };
        for (journal, stored) in left {
            let resumption = Resumption::of(&stored, file, place, prefix);
            match (resumption.filter(|_| sorted.fitting.is_none()), late::made_of(&stored, now)) {
                (Some(resumption), _) => sorted.fitting = Some((journal, stored, resumption)),
                (None, Some(made_of)) => {
                    let left = Some((journal, stored));
                    sorted.awaited.push(Awaited { made_of, left, spreads_for: Duration::ZERO });
                }
                (None, None) if is_at(&stored, place) => sorted.over.push((journal, stored)),
                (None, None) => {}
            }
        }
        sorted
    }
}

/// An upload that can be gone on with.
#[derive(Clone, Debug)]
pub(crate) struct Resumption {
    pub upload: Upload,
    pub plan: PartPlan,
    pub sent: Vec<SentPart>,
    pub fingerprint: Option<Fingerprint>,
    pub hashed: Option<Start>,
}

impl Resumption {
    /// The upload, if it has a name.
    pub(crate) fn upload_of(stored: &StoredUpload) -> Option<Upload> {
        let id = stored.upload_id.clone().filter(|id| !id.is_empty())?;
        Some(Upload { key: stored.key.clone(), id, checksum: Checksum::named(stored.checksum.as_deref()?)? })
    }

    /// Reads a journal. `None` if it is about another file or place, or does not tell enough, or not what this program
    /// would write.
    pub(crate) fn of(stored: &StoredUpload, file: FileIdentity, place: &Place, prefix: &str) -> Option<Self> {
        let stays = stored.identity == file
            && is_at(stored, place)
            && stored.place.prefix == prefix
            && stored.key.starts_with(prefix);
        let upload = Self::upload_of(stored).filter(|_| stays)?;
        let plan = PartPlan::again(file.size, stored.part_size)?;
        let part = |part: &StoredPart| SentPart {
            number: part.number,
            size: part.size,
            etag: part.etag.clone(),
            checksum: part.checksum.clone(),
        };
        let sent: Vec<_> = stored.parts.iter().map(part).collect();
        let sound = sent.iter().all(|part| plan.part(part.number).is_some_and(|cut| cut.length == part.size));
        // The journal is older than the first byte that was read.
        let begun = stored.begun;
        let hashed = stored.digest_state.clone().map(|state| Start { identity: file, state, begun });
        sound.then_some(Self { upload, plan, sent, fingerprint: stored.fingerprint, hashed })
    }
}

/// Whether credentials for a place open what was left behind.
pub(crate) fn is_at(stored: &StoredUpload, place: &Place) -> bool {
    stored.place.endpoint.as_deref() == place.endpoint.address()
        && stored.place.region == place.region
        && stored.place.bucket == place.bucket
}

impl Work {
    /// What earlier runs left of this file. Without a journal there is nothing.
    pub(crate) fn left_over(&self, door: &Door, cx: &Context) -> Leftovers {
        let wanted = |stored: &StoredUpload| self.name.same_name(&stored.file);
        let left = self.state.take_over(self.session.server(), wanted).unwrap_or_else(|error| {
            cx.warn(format!("the journal cannot be read: {}", in_full(&error)));
            Vec::new()
        });
        Leftovers::sort(left, self.file.identity(), &door.place, &door.prefix, cx.clock().now())
    }

    /// Goes on with the newest upload that fits, and removes what does not and cannot appear any more.
    pub(crate) async fn go_on(&self, left: Leftovers, door: &Door, cx: &Context) -> Went {
        let Leftovers { fitting, mut awaited, over, .. } = left;
        for (journal, stored) in over {
            abandon(&door.bucket, journal, &stored, cx).await;
        }
        let Some(fitting) = fitting else { return Went::Nowhere { awaited, spent: None, refusal: None } };
        match self.resume(fitting, !awaited.is_empty(), &door.bucket, cx).await {
            Went::Nowhere { awaited: more, spent, refusal } => {
                awaited.extend(more);
                Went::Nowhere { awaited, spent, refusal }
            }
            Went::Through(done) => {
                if done.is_ok() {
                    late::end(awaited, door, cx).await;
                }
                Went::Through(done)
            }
        }
    }

    async fn resume(&self, fitting: Fitting, may_have_twin: bool, bucket: &Bucket, cx: &Context) -> Went {
        let (journal, stored, mut resumption) = fitting;
        let log = Log::go_on(journal, cx);
        let made_of = late::made_of(&stored, cx.clock().now());
        match self.can_resume(&mut resumption, made_of, bucket, cx).await {
            Ok(Resumable::Yes) => {
                let may_be_missing = stored.phase != Phase::Sending;
                let aim = Aim { old: self.old.clone(), may_have_twin, may_be_missing };
                self.resume_parts(self.attempt(bucket, &aim, cx), resumption, stored, made_of, log).await
            }
            Ok(Resumable::Completed { made_of, is_listed }) => {
                self.remember(made_of, cx);
                log.close();
                Went::Through(Ok(Done::by_earlier(&stored, made_of, is_listed)))
            }
            Ok(Resumable::No) => {
                log.close();
                Went::Nowhere { awaited: Vec::new(), spent: None, refusal: None }
            }
            Err(interrupted) => Went::Through(Err(interrupted)),
        }
    }

    async fn resume_parts(
        &self,
        usual: Attempt<'_>,
        mut resumption: Resumption,
        stored: StoredUpload,
        made_of: Option<Fingerprint>,
        log: Log,
    ) -> Went {
        let cx = usual.cx;
        cx.info(format!(
            "going on with the upload of {} that an earlier run began: {} of {} parts are in S3",
            self.name,
            stored.parts.len(),
            resumption.plan.count()
        ));
        let attempt = Attempt {
            known: resumption.fingerprint.or(self.known),
            hashed: resumption.hashed.take(),
            on_failure: match stored.phase {
                _ if made_of.is_some() => OnFailure::LeaveAsked,
                Phase::Deleting | Phase::Completing => OnFailure::Leave,
                Phase::Sending => usual.on_failure,
            },
            ..usual
        };
        let went = attempt.go_on(resumption, &log).await;
        if let Some(why) = went.as_ref().err().and_then(Error::refused_completion) {
            // Asked again, S3 would say the same.
            cx.warn(format!(
                "what an earlier run has sent of {} is of no use: {}; it is sent anew",
                self.name,
                in_full(why)
            ));
            return Went::Nowhere { awaited: Vec::new(), spent: log.unless_removed(), refusal: None };
        }
        let error = match went {
            Err(error) if error.shuts_out() => error,
            done => {
                log.end(&done);
                return Went::Through(done);
            }
        };
        let awaited = match made_of.filter(|_| error.locks_out()) {
            Some(made_of) => {
                let left = log.into_journal().map(|journal| (journal, stored));
                vec![Awaited { made_of, left, spreads_for: Duration::ZERO }]
            }
            None => {
                // Nobody can go on with it, nor remove it.
                log.close();
                Vec::new()
            }
        };
        Went::Nowhere { awaited, spent: None, refusal: Some(error) }
    }

    /// Whether S3 still knows an upload of which it has all parts; `made_of` is set if it was asked to complete it. Where S3 may not be
    /// asked and something is to be deleted for it, a part is sent once more, which tells.
    ///
    /// # Errors
    /// Ctrl-C.
    async fn can_resume(
        &self,
        resumption: &mut Resumption,
        made_of: Option<Fingerprint>,
        bucket: &Bucket,
        cx: &Context,
    ) -> Result<Resumable, Error> {
        if (resumption.sent.len() as u64) < resumption.plan.count() {
            return Ok(Resumable::Yes);
        }
        let made_of = made_of.filter(|made_of| self.may_hold(*made_of));
        let watched = match (bucket.standing(&resumption.upload, ANSWER).await, made_of) {
            (Standing::Gone, Some(made_of)) => self.watch(bucket, &resumption.upload, made_of, cx).await?,
            (standing, _) => Watched::Unlisted(standing),
        };
        let standing = match watched {
            Watched::Listed(made_of) => return Ok(Resumable::Completed { made_of, is_listed: true }),
            Watched::Unlisted(standing) => standing,
        };
        Ok(match (standing, made_of) {
            (Standing::Gone, Some(made_of)) => Resumable::Completed { made_of, is_listed: false },
            // S3 was not asked for it, or so long ago that the list would show it.
            (Standing::Gone, None) => Resumable::No,
            (Standing::Unknown, _) if self.old.is_some() => {
                resumption.sent.pop();
                Resumable::Yes
            }
            (Standing::Open | Standing::Unknown, _) => Resumable::Yes,
        })
    }

    /// Whether the list speaks against these bytes having been put under the name.
    fn may_hold(&self, made_of: Fingerprint) -> bool {
        self.old.as_ref().is_none_or(|old| compare(old, made_of) != Agreement::Others)
    }

    /// Removes what nobody will go on with, of other files too.
    pub(crate) async fn tidy(&self, bucket: &Bucket, endpoint: &Endpoint, cx: &Context) {
        let now = cx.clock().now();
        let stale = |stored: &StoredUpload| !self.name.same_name(&stored.file) && is_stale(stored, now);
        for (journal, stored) in self.state.take_over(self.session.server(), stale).unwrap_or_default() {
            if stored.place.endpoint.as_deref() == endpoint.address()
                && abandon(bucket, journal, &stored, cx).await != Abandoned::Stays
            {
                tell_what_may_be_missing(&stored, cx);
            }
        }
    }
}

/// What is to be expected of an upload that was left unfinished, by what its local file is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// It can be gone on with.
    GoesOn,
    /// Its file is gone or another one; but S3 was asked to complete it, and may still be about to.
    MayAppear,
    /// Its file is gone or another one.
    Over,
}

impl Outlook {
    /// Looks at the file.
    #[must_use]
    pub fn of(stored: &StoredUpload) -> Self {
        let is_same = FileIdentity::of(&stored.path).is_ok_and(|identity| identity == stored.identity);
        match stored.phase {
            _ if is_same => Self::GoesOn,
            Phase::Completing => Self::MayAppear,
            Phase::Sending | Phase::Deleting => Self::Over,
        }
    }
}

/// Whether nobody will go on with it, nor wait for it.
pub(crate) fn is_stale(stored: &StoredUpload, now: Timestamp) -> bool {
    now.duration_since(stored.begun) > OLD || Outlook::of(stored) == Outlook::Over
}

/// What has become of an upload that nobody will go on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Abandoned {
    /// S3 has forgotten it.
    Removed,
    /// Nobody may ask S3 to forget it. S3 removes it by itself, after a time that is its own.
    LeftToS3,
    /// S3 could not be asked, or the journal not be written: the next run tries again.
    Stays,
}

/// Lets S3 forget an upload that nobody will go on with.
pub(crate) async fn abandon(
    bucket: &Bucket,
    journal: Journal,
    stored: &StoredUpload,
    cx: &Context,
) -> Abandoned {
    let ids = match &stored.upload_id {
        Some(id) => vec![id.clone()],
        // The process died before it knew the name of what it had begun.
        None => match bucket.open_uploads(&stored.key).await {
            Ok(ids) => ids,
            Err(error) if error.leaves_open_what_is_allowed() => {
                cx.warn(not_removed(stored, &error));
                return Abandoned::Stays;
            }
            // Nobody is ever allowed to ask, and nothing was sent yet.
            Err(_) => Vec::new(),
        },
    };
    let mut came_to = Abandoned::Removed;
    for id in ids {
        match bucket.abort(&stored.key, &id).await {
            Ok(()) => {}
            Err(error) if error.leaves_open_what_is_allowed() => {
                cx.warn(not_removed(stored, &error));
                return Abandoned::Stays;
            }
            Err(error) => {
                came_to = Abandoned::LeftToS3;
                cx.info(format!(
                    "what an earlier run left of {} stays in S3 until S3 removes it by itself: {}",
                    stored.file,
                    in_full(&error)
                ));
            }
        }
    }
    if journal.close().is_ok() { came_to } else { Abandoned::Stays }
}

/// What somebody has to know of an upload that was given up, and that nobody takes the place of.
pub(crate) fn tell_what_may_be_missing(stored: &StoredUpload, cx: &Context) {
    let file = &stored.file;
    match stored.phase {
        Phase::Sending => {}
        Phase::Deleting => cx.warn(format!(
            "the old {file} may have been deleted for what was sent: look at the list of the distribution service, and run the recipe \
             of {file} if it is not there"
        )),
        Phase::Completing => cx.warn(format!(
            "S3 was asked to put {file} together before, and may have done so, or do so yet: look at the list of the distribution \
             service before it is sent again"
        )),
    }
}

fn not_removed(stored: &StoredUpload, error: &S3Error) -> String {
    format!("what an earlier run left of {} in S3 could not be removed: {}", stored.file, in_full(error))
}
