//! A completion that an earlier run asked for, and did not live to hear of.
//!
//! S3 goes on with it when nobody waits any more. Where the credentials still open the upload, asking again tells what became of it.
//! Where they do not, only the list does; and whoever sends the file anew at once has a twin of it, `Name_1.pkg`, as soon as S3 is
//! through. So the list is looked at for a while first, and what has come by then need not be sent, or is replaced.

use crate::Error;
use crate::attempt::Done;
use crate::commit::{Committed, LOOKS};
use crate::error::Leftover;
use crate::listed::{Bytes, compare, only_file};
use crate::s3_error::in_full;
use crate::transfer::Work;
use fingerprint::Fingerprint;
use jamf::JcdsFile;
use pipeline::Context;
use state::{Journal, Phase, StoredUpload};
use std::time::Duration;

/// An upload of this file that S3 was asked to complete, and that nobody can open any more.
#[derive(Debug)]
pub(crate) struct Asked {
    pub journal: Journal,
    pub stored: StoredUpload,
    pub made_of: Fingerprint,
}

impl Asked {
    /// Nobody has to look for it any more.
    pub(crate) fn close(self, cx: &Context) {
        if let Err(error) = self.journal.close() {
            cx.warn(format!("the journal cannot be written: {}", in_full(&error)));
        }
    }
}

/// What has become of it.
pub(crate) enum Heard {
    /// It is in place, and is what is to be sent now.
    Delivered(Done),
    /// It is in place, and the file has changed since.
    Outdated(JcdsFile),
    /// It may still come.
    Nothing,
}

/// What an upload is made of that may still appear; `None` if S3 was not asked to complete it.
pub(crate) fn made_of(stored: &StoredUpload) -> Option<Fingerprint> {
    stored.fingerprint.filter(|_| stored.phase == Phase::Completing)
}

impl Work {
    /// Waits until the list shows one of these, for a quarter of the time in which a part has to move: S3 has all bytes, and
    /// puts what is not [sent alone](crate::transfer::LARGE) together in a moment. Of large uploads the service still gives
    /// credentials, unless another machine has begun one since.
    ///
    /// # Errors
    /// Ctrl-C.
    pub(crate) async fn hear_of(&self, asked: &[Asked], cx: &Context) -> Result<Heard, Error> {
        if asked.is_empty() {
            return Ok(Heard::Nothing);
        }
        let (name, window) = (&self.name, self.patience.window() / 4);
        cx.info(format!(
            "an earlier run has asked S3 to put {name} together, and has not heard of it: looking whether it is listed"
        ));
        let heard = cx.cancelled().run_until_cancelled(self.look_for(asked, window, cx)).await;
        let interrupted = || Error::Interrupted { file: name.clone(), leftover: Leftover::None };
        let heard = heard.ok_or_else(interrupted)?;
        match &heard {
            Heard::Delivered(_) => {}
            Heard::Outdated(_) => cx.info(format!("S3 has put together the {name} of an earlier run; it is replaced")),
            Heard::Nothing => cx.warn(format!(
                "an earlier run has asked S3 to put {name} together, and {} s later it is not listed; nobody can ask S3 \
                 about it any more, so it is sent anew",
                window.as_secs()
            )),
        }
        Ok(heard)
    }

    async fn look_for(&self, asked: &[Asked], window: Duration, cx: &Context) -> Heard {
        let end = cx.clock().now() + window;
        let mut pauses = LOOKS.iter();
        loop {
            if let Ok(listed) = self.session.jcds_files_now(cx).await
                && let Ok(Some(file)) = only_file(&self.name, &listed)
                && let Some(there) = asked.iter().find(|asked| compare(&file, asked.made_of) == Bytes::Same)
            {
                return self.judge(there, file);
            }
            match pauses.next() {
                Some(pause) if cx.clock().now() + *pause <= end => cx.clock().sleep(*pause).await,
                _ => return Heard::Nothing,
            }
        }
    }

    fn judge(&self, there: &Asked, file: JcdsFile) -> Heard {
        let stored = &there.stored;
        if stored.identity != self.file.identity() || file.name != self.name.as_str() {
            return Heard::Outdated(file);
        }
        Heard::Delivered(Done {
            committed: Committed::ByEarlier,
            fingerprint: there.made_of,
            parts: stored.parts.len() as u64,
            key: stored.key.clone(),
        })
    }
}
