//! What an earlier run has sent, and the list does not show: a completion that it did not live to hear of, or a file that is listed
//! late.
//!
//! S3 goes on with a completion when nobody waits any more. Where the credentials still open the upload, asking again tells what became
//! of it. Where they do not, only the list does; and whoever sends the file anew at once has a twin of it, `Name_1.pkg`, as soon as S3
//! is through. So the list is looked at for a while first, and what has come by then need not be sent, or is replaced.

use crate::Error;
use crate::attempt::Done;
use crate::bucket::{ABORT, ANSWER, Bucket, Place, Standing, Upload};
use crate::error::Leftover;
use crate::listed::{compare, only_file};
use crate::log::Log;
use crate::pauses::{LOOKS, lasting};
use crate::resume::{Resumption, is_at};
use crate::s3_error::in_full;
use crate::transfer::{Door, Work};
use fingerprint::{Agreement, Fingerprint};
use jamf::JcdsFile;
use jiff::Timestamp;
use pipeline::Context;
use state::{Delivery, Journal, Phase, StoredUpload};
use std::time::Duration;

/// A file that may still appear under the name.
#[derive(Debug)]
pub(crate) struct Awaited {
    pub made_of: Fingerprint,
    /// The upload, which nobody can open any more; `None` if it was seen to be complete.
    pub left: Option<(Journal, StoredUpload)>,
    /// How long a node of the server may not show it although another one does.
    pub spreads_for: Duration,
}

impl Awaited {
    /// Nobody has to look for it any more.
    pub(crate) fn close(self, cx: &Context) {
        if let Some((journal, _)) = self.left {
            Log::go_on(journal, cx).close();
        }
    }

    /// The upload, if credentials for this place open it.
    fn upload_at(&self, place: &Place) -> Option<Upload> {
        let (_, stored) = self.left.as_ref()?;
        Resumption::upload_of(stored).filter(|_| is_at(stored, place))
    }

    /// S3 shall forget it, if credentials for this place may ask for that. Gives it back if it may still appear.
    pub(crate) async fn call_off(self, bucket: &Bucket, place: &Place, cx: &Context) -> Option<Self> {
        let Some(upload) = self.upload_at(place) else { return Some(self) };
        // An abort says for hours that it was done, also of what was put together before. What is open was not.
        let is_open = bucket.standing(&upload, ABORT).await == Standing::Open;
        match bucket.abort(&upload.key, &upload.id).await {
            Ok(()) if is_open => {
                self.close(cx);
                None
            }
            _ => Some(self),
        }
    }
}

/// S3 shall forget all of these; gives back what may still appear.
pub(crate) async fn call_off(awaited: Vec<Awaited>, door: &Door, cx: &Context) -> Vec<Awaited> {
    let mut left = Vec::new();
    for upload in awaited {
        left.extend(upload.call_off(&door.bucket, &door.place, cx).await);
    }
    left
}

/// The file is in place: S3 shall forget all of these, and nobody has to look for them any more.
pub(crate) async fn end(awaited: Vec<Awaited>, door: &Door, cx: &Context) {
    for upload in awaited {
        if let Some(left) = upload.upload_at(&door.place) {
            let _ = door.bucket.abort(&left.key, &left.id).await;
        }
        upload.close(cx);
    }
}

/// What has become of it.
pub(crate) enum Heard {
    /// It is in place, and is what is to be sent now.
    Delivered(Done),
    /// It is in place, and the file has changed since.
    Outdated(JcdsFile),
    /// It may still come.
    Nothing {
        /// Why the list could not be read when it was looked for last.
        unread: Option<jamf::Error>,
    },
}

/// What became of an upload that was watched.
pub(crate) enum Watched {
    /// The list shows what it was made of.
    Listed(Fingerprint),
    /// The list does not, and S3 says this of it.
    Unlisted(Standing),
}

/// What an upload is made of that may still appear; `None` if S3 was not asked to complete it, or so long ago that the list would show it.
pub(crate) fn made_of(stored: &StoredUpload, now: Timestamp) -> Option<Fingerprint> {
    stored.fingerprint.filter(|_| stored.phase == Phase::Completing && stored.may_be_late(now))
}

impl Work {
    /// What was sent so lately under this name that the list need not show it yet.
    pub(crate) fn sent_lately(&self, cx: &Context) -> Option<Awaited> {
        let (sent, now) = (self.sent_last()?, cx.clock().now());
        let may_appear = self.old.is_none() && sent.may_be_unlisted(now);
        may_appear.then(|| Awaited { made_of: sent.sent, left: None, spreads_for: sent.spreads_for(now) })
    }

    /// What this machine has sent last under this name. What cannot be read is not known.
    pub(crate) fn sent_last(&self) -> Option<Delivery> {
        self.state.delivery(self.session.server(), &self.name).ok().flatten()
    }

    /// Waits until the list shows one of these, for a quarter of the time in which a part has to move: S3 has all bytes, and
    /// puts what is not [sent alone](crate::transfer::LARGE) together in a moment. Of large uploads the service still gives
    /// credentials, unless another machine has begun one since. Longer if a node of the server may not know yet what another one shows.
    ///
    /// # Errors
    /// Ctrl-C.
    pub(crate) async fn hear_of(&self, awaited: &[Awaited], cx: &Context) -> Result<Heard, Error> {
        if awaited.is_empty() {
            return Ok(Heard::Nothing { unread: None });
        }
        let spreads_for = awaited.iter().map(|awaited| awaited.spreads_for).max().unwrap_or_default();
        let (name, window) = (&self.name, self.window().max(spreads_for));
        cx.info(format!("an earlier run has sent {name}, and the list does not show it: looking for it"));
        let heard = cx.cancelled().run_until_cancelled(self.look_for(awaited, window, cx)).await;
        let heard = heard.ok_or_else(|| self.interrupted_wait())?;
        match &heard {
            Heard::Delivered(_) => {}
            Heard::Outdated(_) => {
                cx.info(format!("the {name} that an earlier run has sent is listed now, and is replaced"));
            }
            Heard::Nothing { unread } => {
                let what = match unread {
                    None => "it is not listed".to_owned(),
                    Some(error) => format!("the list could not be read ({})", in_full(error)),
                };
                cx.warn(format!(
                    "an earlier run has sent {name}, and {} s later {what}; nobody can ask S3 about it any more, so it is \
                     sent anew",
                    window.as_secs()
                ));
            }
        }
        Ok(heard)
    }

    async fn look_for(&self, awaited: &[Awaited], window: Duration, cx: &Context) -> Heard {
        let mut pauses = lasting(&LOOKS, window);
        loop {
            let unread = match self.listed_one_of(awaited, cx).await {
                Ok(Some((there, file))) => return self.judge(there, file),
                Ok(None) => None,
                Err(error) => Some(error),
            };
            match pauses.next() {
                Some(pause) => cx.clock().sleep(pause).await,
                None => return Heard::Nothing { unread },
            }
        }
    }

    /// Looks once which of these is listed under the name.
    async fn listed_one_of<'a>(
        &self,
        awaited: &'a [Awaited],
        cx: &Context,
    ) -> Result<Option<(&'a Awaited, JcdsFile)>, jamf::Error> {
        let listed = self.session.jcds_files_now(cx).await?;
        // What two spellings mean is for the commit to say.
        let Ok(Some(file)) = only_file(&self.name, &listed) else { return Ok(None) };
        let there = awaited.iter().find(|awaited| compare(&file, awaited.made_of) == Agreement::Same);
        Ok(there.map(|there| (there, file)))
    }

    /// What becomes of an upload that S3 was asked to complete and does not show: it may be at it, have done it, or fail of it and
    /// show it again. Looks as long as [`hear_of`](Self::hear_of).
    ///
    /// # Errors
    /// Ctrl-C.
    pub(crate) async fn watch(
        &self,
        bucket: &Bucket,
        upload: &Upload,
        made_of: Fingerprint,
        cx: &Context,
    ) -> Result<Watched, Error> {
        let awaited = [Awaited { made_of, left: None, spreads_for: Duration::ZERO }];
        let watching = async {
            for pause in lasting(&LOOKS, self.window()) {
                if let Ok(Some(_)) = self.listed_one_of(&awaited, cx).await {
                    return Watched::Listed(made_of);
                }
                match bucket.standing(upload, ANSWER).await {
                    Standing::Gone => cx.clock().sleep(pause).await,
                    standing => return Watched::Unlisted(standing),
                }
            }
            Watched::Unlisted(bucket.standing(upload, ANSWER).await)
        };
        cx.cancelled().run_until_cancelled(watching).await.ok_or_else(|| self.interrupted_wait())
    }

    /// How long it is looked for.
    fn window(&self) -> Duration {
        self.patience.window() / 4
    }

    fn interrupted_wait(&self) -> Error {
        Error::Interrupted { file: self.name.clone(), leftover: Leftover::AskedBefore }
    }

    fn judge(&self, there: &Awaited, file: JcdsFile) -> Heard {
        match &there.left {
            Some((_, stored))
                if stored.identity == self.file.identity() && file.name == self.name.as_str() =>
            {
                Heard::Delivered(Done::by_earlier(stored, there.made_of, true))
            }
            _ => Heard::Outdated(file),
        }
    }
}
