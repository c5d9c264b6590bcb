//! Twins of the new file: what the service makes of a name that was taken at the completion, `Name_1.pkg`
//! (`jamf-pro-api.md §12`).
//!
//! Nothing keeps two runs from passing the last look at the list before either of them completes. Then there are two files
//! of the same bytes, and the one under the name is enough: records name that one, and a record is not touched when a file
//! is deleted (`§7.5`). Both runs look after their completion, so the later one sees both files, and the other one need not.
//! A twin is deleted only when it is shown to be surplus; whatever remains open is left alone and told.
//!
//! How long a completed file takes to be listed is not known (`§19.5`). While the new file is not listed, or without its
//! digests, the list is looked at again: for seven seconds while no twin is seen, for half a minute beside one. Where the file was
//! late, or the completion took long, it is looked once more after it was there, since the file that came first may be the other
//! run's. A twin that comes later still is left, and
//! told by verify-delivery. Meanwhile others send, and Ctrl-C ends the looking.

use crate::listed::{compare, only_file};
use crate::pauses::LOOKS;
use crate::s3_error::in_full;
use fingerprint::{Agreement, Fingerprint};
use jamf::{JcdsFile, Session};
use jiff::SignedDuration;
use pipeline::{Context, FileName};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// So often it is looked for twins while none is seen.
const QUIET_LOOKS: u32 = 4;
/// In a completion that takes as long, another run's file may be completed and listed.
const SLOW: SignedDuration = SignedDuration::from_secs(1);

/// What a look at the list after the completion shows.
#[derive(Debug, PartialEq, Eq)]
enum Picture {
    /// The file, or one of these twins, is not listed with its digests yet.
    Open { twins: Vec<String> },
    /// All is listed that was there to be listed.
    Clear {
        /// Twins of the same bytes as the file that is listed under the name: what was sent.
        surplus: Vec<String>,
        /// Twins about which nothing is proven.
        others: Vec<String>,
    },
}

impl Picture {
    /// `before` is the list as it was when nothing stood against the completion: a twin in there is a file of its own.
    fn of(name: &FileName, sent: Fingerprint, before: &[JcdsFile], now: &[JcdsFile]) -> Self {
        let twins = new_twins(name, before, now);
        let names = |twins: &[&JcdsFile]| twins.iter().map(|twin| twin.name.clone()).collect();
        let placed = match only_file(name, now) {
            Ok(Some(file)) => compare(&file, sent),
            Ok(None) => Agreement::Untold,
            // Two spellings of the name.
            Err(_) => Agreement::Others,
        };
        let is_open = |twin: &&JcdsFile| compare(twin, sent) == Agreement::Untold;
        match placed {
            Agreement::Others => Self::Clear { surplus: Vec::new(), others: names(&twins) },
            Agreement::Untold => Self::Open { twins: names(&twins) },
            Agreement::Same if twins.iter().any(is_open) => Self::Open { twins: names(&twins) },
            Agreement::Same => {
                let (surplus, others): (Vec<_>, Vec<_>) =
                    twins.into_iter().partition(|twin| compare(twin, sent) == Agreement::Same);
                Self::Clear { surplus: names(&surplus), others: names(&others) }
            }
        }
    }

    fn shows_no_twin(&self) -> bool {
        match self {
            Self::Open { twins } => twins.is_empty(),
            Self::Clear { surplus, others } => surplus.is_empty() && others.is_empty(),
        }
    }

    /// Surplus twins, and the others.
    fn end(self) -> (Vec<String>, Vec<String>) {
        match self {
            Self::Open { twins } => (Vec::new(), twins),
            Self::Clear { surplus, others } => (surplus, others),
        }
    }
}

/// Files that the service named apart from this one since the list was `before`.
fn new_twins<'a>(name: &FileName, before: &[JcdsFile], now: &'a [JcdsFile]) -> Vec<&'a JcdsFile> {
    let is_old = |file: &JcdsFile| before.iter().any(|old| old.name == file.name);
    now.iter().filter(|file| name.is_twin(&file.name) && !is_old(file)).collect()
}

/// What a commit saw, and how it went.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Circumstances {
    /// The list as it was when nothing stood against the completion.
    pub before: Arc<[JcdsFile]>,
    /// Whether another upload of the file may still appear.
    pub may_be_late: bool,
    /// How long the completion took.
    pub took: SignedDuration,
    /// Whether a file of the same bytes under the name is surely the new one. A file that is yet to go would leave its twin as the
    /// only one.
    pub is_surely_new: bool,
}

/// What looking for twins came to.
#[derive(Debug, Default)]
pub(crate) struct Aftermath {
    /// Surplus twins that are gone.
    pub gone: Vec<String>,
    /// Whether the file itself was seen in the list, whole.
    pub is_listed: bool,
}

/// Who looks for twins of a file.
pub(crate) struct Lookout<'a> {
    pub session: &'a Session,
    pub name: &'a FileName,
    pub sent: Fingerprint,
    /// Ends the waiting.
    pub waits: &'a CancellationToken,
    /// Of requests.
    pub cx: &'a Context,
}

impl Lookout<'_> {
    /// Deletes twins that are surplus after a completion, and tells of others.
    pub(crate) async fn settle(&self, circumstances: &Circumstances) -> Aftermath {
        if !circumstances.is_surely_new {
            self.tell(circumstances).await;
            return Aftermath::default();
        }
        let mut pauses = LOOKS.iter();
        let mut quiet = QUIET_LOOKS;
        let mut was_open = circumstances.may_be_late || circumstances.took >= SLOW;
        let (picture, is_listed) = loop {
            let Some(now) = self.look_for_twins().await else { return Aftermath::default() };
            let picture = Picture::of(self.name, self.sent, &circumstances.before, &now);
            let is_open = matches!(picture, Picture::Open { .. });
            let is_listed = matches!(
                only_file(self.name, &now), Ok(Some(file)) if compare(&file, self.sent) == Agreement::Same
            );
            quiet = quiet.saturating_sub(u32::from(picture.shows_no_twin()));
            // A twin that is seen is worth all looks; where none is, a service that lists late is left to verify-delivery.
            let goes_on = if picture.shows_no_twin() { (is_open || was_open) && quiet > 0 } else { is_open };
            was_open = circumstances.may_be_late || is_open;
            match pauses.next().filter(|_| goes_on) {
                Some(pause) => {
                    let pause = self.cx.clock().sleep(*pause);
                    if self.waits.run_until_cancelled(pause).await.is_none() {
                        break (picture, is_listed);
                    }
                }
                None => break (picture, is_listed),
            }
        };
        let (surplus, others) = picture.end();
        self.say(&others);
        let mut gone = Vec::new();
        for twin in surplus {
            match self.delete_twin(&twin).await {
                Ok(()) => {
                    self.cx.info(format!(
                        "{twin} held the same bytes as {}, sent by another run; it was surplus and is deleted",
                        self.name
                    ));
                    gone.push(twin);
                }
                Err(why) => self.cx.warn(format!(
                    "{twin} holds the same bytes as {}, sent by another run, and stays: {why}",
                    self.name
                )),
            }
        }
        Aftermath { gone, is_listed }
    }

    /// Tells of twins and leaves them.
    pub(crate) async fn tell(&self, circumstances: &Circumstances) {
        if let Some(now) = self.look_for_twins().await {
            let twins = new_twins(self.name, &circumstances.before, &now);
            self.say(&twins.into_iter().map(|twin| twin.name.clone()).collect::<Vec<_>>());
        }
    }

    async fn look_for_twins(&self) -> Option<Arc<[JcdsFile]>> {
        match self.session.jcds_files_now(self.cx).await {
            Ok(now) => Some(now),
            Err(error) => {
                let (why, name) = (in_full(&error), self.name);
                self.cx.warn(format!("whether {name} got a twin such as Name_1.pkg is not known: {why}"));
                None
            }
        }
    }

    fn say(&self, twins: &[String]) {
        for twin in twins {
            self.cx.warn(format!(
                "{twin} appeared on the distribution service while {} was put in place: either may be the file of this \
                 run, and the other one that of another run at the same time; find out which of them the package record \
                 serves, and delete the other",
                self.name
            ));
        }
    }

    /// Deletes a surplus twin and sees it gone, or says why it stays. The other run may be doing the same.
    async fn delete_twin(&self, twin: &str) -> Result<(), String> {
        // A package that is called so has bytes of its own right, and a record.
        let file: FileName = twin.parse().map_err(|error| in_full(&error))?;
        let records = self.session.packages_named_now(self.cx, &file).await;
        if let Some(record) = records.map_err(|error| in_full(&error))?.first() {
            return Err(format!("record {} names it", record.id));
        }
        self.session.jcds_delete(self.cx, twin).await.map_err(|error| in_full(&error))?;
        let mut pauses = LOOKS.iter();
        loop {
            let listed = self.session.jcds_files_now(self.cx).await.map_err(|error| in_full(&error))?;
            if listed.iter().all(|file| file.name != twin) {
                return Ok(());
            }
            let Some(pause) = pauses.next() else {
                return Err("it was deleted, and is still listed".to_owned());
            };
            self.cx.clock().sleep(*pause).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pipeline::{Md5, Sha3_512};

    const SIZE: u64 = 9;

    fn sent() -> Fingerprint {
        Fingerprint { size: SIZE, md5: Md5::from_bytes([1; 16]), sha3_512: Sha3_512::from_bytes([2; 64]) }
    }

    fn file(name: &str, size: u64, md5: Option<u8>, sha3: Option<u8>) -> JcdsFile {
        JcdsFile {
            name: name.to_owned(),
            size,
            md5: md5.map(|byte| Md5::from_bytes([byte; 16])),
            sha3_512: sha3.map(|byte| Sha3_512::from_bytes([byte; 64])),
        }
    }

    fn same(name: &str) -> JcdsFile {
        file(name, SIZE, Some(1), Some(2))
    }

    fn seen(before: &[JcdsFile], now: &[JcdsFile]) -> Picture {
        Picture::of(&"App.pkg".parse().unwrap(), sent(), before, now)
    }

    fn clear(surplus: &[&str], others: &[&str]) -> Picture {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Picture::Clear { surplus: names(surplus), others: names(others) }
    }

    #[test]
    fn only_a_new_twin_of_the_same_bytes_is_surplus() {
        let twins = [same("App.pkg"), same("App_1.pkg"), same("App_2.pkg")];
        assert_eq!(seen(&[], &twins), clear(&["App_1.pkg", "App_2.pkg"], &[]));
        // It was there before, whatever it holds.
        assert_eq!(seen(&[same("App_1.pkg")], &twins), clear(&["App_2.pkg"], &[]));
        assert_eq!(seen(&[], &[same("App.pkg"), same("Apple.pkg"), same("App_x.pkg")]), clear(&[], &[]));
    }

    #[test]
    fn a_twin_that_differs_in_anything_stays() {
        for other in [
            file("App_1.pkg", 8, Some(1), Some(2)),
            file("App_1.pkg", SIZE, Some(3), Some(2)),
            file("App_1.pkg", SIZE, Some(1), Some(3)),
            file("App_1.pkg", 0, Some(3), None),
        ] {
            assert_eq!(seen(&[], &[same("App.pkg"), other]), clear(&[], &["App_1.pkg"]));
        }
    }

    #[test]
    fn nothing_is_surplus_beside_a_file_of_other_bytes() {
        let other = file("App.pkg", SIZE, Some(1), Some(3));
        assert_eq!(seen(&[], &[other, same("App_1.pkg")]), clear(&[], &["App_1.pkg"]));
    }

    #[test]
    fn what_is_not_listed_in_full_is_open() {
        let open =
            |twins: &[&str]| Picture::Open { twins: twins.iter().map(|name| (*name).to_owned()).collect() };
        assert_eq!(seen(&[], &[]), open(&[]));
        assert_eq!(seen(&[], &[same("App_1.pkg")]), open(&["App_1.pkg"]));
        for late in [(0, None, None), (SIZE, Some(1), None), (0, Some(1), Some(2)), (SIZE, None, None)] {
            let late = |name| file(name, late.0, late.1, late.2);
            assert_eq!(seen(&[], &[late("App.pkg")]), open(&[]));
            assert_eq!(seen(&[], &[late("App.pkg"), same("App_1.pkg")]), open(&["App_1.pkg"]));
            assert_eq!(seen(&[], &[same("App.pkg"), late("App_1.pkg")]), open(&["App_1.pkg"]));
        }
    }
}
