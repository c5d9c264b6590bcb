//! What earlier runs left unfinished: what can be gone on with, and what has to go.

use crate::bucket::{Bucket, Place, SentPart, Upload};
use crate::checksum::Checksum;
use crate::parts::PartPlan;
use crate::s3_error::in_full;
use fingerprint::{FileIdentity, Fingerprint, Start};
use jiff::{SignedDuration, Timestamp};
use pipeline::Context;
use state::{Journal, Phase, StoredPart, StoredUpload};

/// S3 may have forgotten an older one, and whoever runs every night has sent the file since.
const OLD: SignedDuration = SignedDuration::from_hours(24);

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
    /// Reads a journal. `None` if it is about another file or place, or does not tell enough, or not what this program
    /// would write.
    pub(crate) fn of(stored: &StoredUpload, file: FileIdentity, place: &Place, prefix: &str) -> Option<Self> {
        let stays = stored.identity == file
            && is_at(stored, place)
            && stored.place.prefix == prefix
            && stored.key.starts_with(prefix);
        let id = stored.upload_id.clone().filter(|id| stays && !id.is_empty())?;
        let checksum = Checksum::named(stored.checksum.as_deref()?)?;
        let plan = PartPlan::again(file.size, stored.part_size)?;
        let part = |part: &StoredPart| SentPart {
            number: part.number,
            size: part.size,
            etag: part.etag.clone(),
            checksum: part.checksum.clone(),
        };
        let sent: Vec<_> = stored.parts.iter().map(part).collect();
        let sound = sent.iter().all(|part| plan.part(part.number).is_some_and(|cut| cut.length == part.size));
        let upload = Upload { key: stored.key.clone(), id, checksum };
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

/// Whether nobody will go on with it, nor wait for it: its file is gone or another one, or it is old.
pub(crate) fn is_stale(stored: &StoredUpload, now: Timestamp) -> bool {
    let same = FileIdentity::of(&stored.path).is_ok_and(|identity| identity == stored.identity);
    let may_appear = stored.phase == Phase::Completing;
    !(same || may_appear) || now.duration_since(stored.begun) > OLD
}

/// Lets S3 forget an upload that nobody will go on with. Gives whether it is settled: S3 has forgotten it, or these
/// credentials will never be allowed to ask for it.
pub(crate) async fn abandon(bucket: &Bucket, journal: Journal, stored: &StoredUpload, cx: &Context) -> bool {
    let ids = match &stored.upload_id {
        Some(id) => vec![id.clone()],
        // The process died before it knew the name of what it had begun.
        None => bucket.open_uploads(&stored.key).await.unwrap_or_default(),
    };
    for id in ids {
        match bucket.abort(&stored.key, &id).await {
            Ok(()) => {}
            Err(error) if error.may_pass() => {
                cx.warn(format!(
                    "what an earlier run left of {} in S3 could not be removed: {}",
                    stored.file,
                    in_full(&error)
                ));
                return false;
            }
            Err(error) => cx.info(format!(
                "what an earlier run left of {} stays in S3 until S3 removes it by itself: {}",
                stored.file,
                in_full(&error)
            )),
        }
    }
    // If it stays in the journal, the next run tries again.
    journal.close().is_ok()
}
