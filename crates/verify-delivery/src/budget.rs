//! How long to wait, and when to look again. Pure: time comes in as what has passed since the first look.

use crate::judge::{Judgement, Lack};
use pipeline::Witness;
use std::time::Duration;

const GIB: u64 = 1 << 30;
const MINUTE: Duration = Duration::from_secs(60);

/// How long a picture that will hardly change has to hold before it is taken as final.
const GRACE: Duration = Duration::from_secs(30);
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// The refresh of all files is limited to once per 15 s, the one for a name is not but takes about 4 s
/// (`jamf-pro-api.md §7.6, §11.4`).
const REFRESH_EVERY: Duration = Duration::from_secs(30);
/// A record as the only witness learns by nothing but a refresh, so each look is preceded by one when pauses have grown.
const REFRESH_RECORD_EVERY: Duration = Duration::from_secs(10);

/// Time for the check of a file of this size: 5 minutes and one per GiB, and from 1 GiB on at least 15. The check of
/// a file of 10.85 GB ran out of a fixed time (`user-pains.md` rows 1 and 16).
pub(crate) fn budget(size: u64) -> Duration {
    let minutes = 5 + size / GIB;
    let minutes = if size > GIB { minutes.max(15) } else { minutes };
    MINUTE.saturating_mul(u32::try_from(minutes).unwrap_or(u32::MAX))
}

/// What to do after a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// This look is the last: it is final, or the time is over.
    Conclude,
    /// Look again after this pause.
    LookAgain(Duration),
}

/// Decides after each look whether there is another one.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    budget: Duration,
    pause: Duration,
    /// Since when the picture that may be final is the same, and which one it is.
    calm: Option<(Calm, Duration)>,
    refreshed: Option<Duration>,
    refresh_every: Duration,
    /// Whether the last look did not find the file in the list.
    unlisted: bool,
    looks: u64,
}

/// Pictures that are taken as final when they hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Calm {
    SilentRecord,
    SilentList,
    Renamed,
    Twins,
}

impl Watch {
    pub fn new(budget: Duration, witness: Witness) -> Self {
        let refresh_every = match witness {
            Witness::List => REFRESH_EVERY,
            Witness::Record => REFRESH_RECORD_EVERY,
        };
        let (calm, refreshed) = (None, None);
        Self { budget, pause: FIRST_PAUSE, calm, refreshed, refresh_every, unlisted: false, looks: 0 }
    }

    /// Whether the server is to be asked for a refresh before the look; asking counts as done.
    pub fn refresh_is_due(&mut self, elapsed: Duration) -> bool {
        let due = self.refreshed.is_none_or(|last| elapsed.saturating_sub(last) >= self.refresh_every);
        if due {
            self.refreshed = Some(elapsed);
        }
        due
    }

    /// Takes a look into account.
    pub fn after(&mut self, elapsed: Duration, judgement: &Judgement) -> Next {
        self.looks += 1;
        let calm = match judgement {
            Judgement::Proven | Judgement::Empty(_) | Judgement::ListProves { may_come: false, .. } => {
                return Next::Conclude;
            }
            Judgement::Waiting(lacks) if lacks.iter().any(Lack::is_final) => return Next::Conclude,
            Judgement::ListProves { may_come: true, .. } => Some(Calm::SilentRecord),
            // An earlier run's twin may hold the same bytes while this run's file is still on its way.
            Judgement::Renamed { .. } => Some(Calm::Renamed),
            Judgement::Waiting(lacks) if lacks.iter().all(Lack::is_silence_of_the_list) => {
                Some(Calm::SilentList)
            }
            Judgement::Waiting(_) => None,
        };
        // The record learns of the file by a refresh only, and the earlier one came before there was anything to see.
        let unlisted = judgement.lacks().iter().any(Lack::leaves_listing_open);
        if self.unlisted && !unlisted {
            self.refreshed = None;
        }
        self.unlisted = unlisted;
        self.unless_calm(elapsed, calm)
    }

    /// Takes a look into account that proved the file, and showed twins of the same bytes beside it. The run that made them
    /// deletes them if it ran at the same time.
    pub fn after_twins(&mut self, elapsed: Duration) -> Next {
        self.looks += 1;
        self.unlisted = false;
        self.unless_calm(elapsed, Some(Calm::Twins))
    }

    /// Looks again, unless the time is over or the picture has held.
    fn unless_calm(&mut self, elapsed: Duration, calm: Option<Calm>) -> Next {
        self.calm = calm.map(|calm| match self.calm {
            Some((before, since)) if before == calm => (calm, since),
            _ => (calm, elapsed),
        });
        let held = self.calm.is_some_and(|(_, since)| elapsed.saturating_sub(since) >= GRACE);
        if held || elapsed >= self.budget {
            return Next::Conclude;
        }
        let pause = self.pause.min(self.budget.saturating_sub(elapsed));
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Next::LookAgain(pause)
    }

    /// Looks so far, and about how many there are at most.
    pub fn looks(&self, elapsed: Duration) -> (u64, u64) {
        let left = self.budget.saturating_sub(elapsed).as_secs() / LONGEST_PAUSE.as_secs();
        (self.looks, self.looks + left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::{Lack, Untold};

    const SECOND: Duration = Duration::from_secs(1);

    fn watch(seconds: u32) -> Watch {
        Watch::new(seconds * SECOND, Witness::List)
    }

    fn waiting() -> Judgement {
        Judgement::Waiting(vec![Lack::NotListed])
    }

    fn silent(may_come: bool) -> Judgement {
        Judgement::ListProves { untold: vec![Untold::State], may_come }
    }

    #[test]
    fn the_budget_grows_with_the_file() {
        let minutes = |size| budget(size).as_secs() / 60;
        assert_eq!(minutes(1), 5);
        assert_eq!(minutes(GIB), 6);
        assert_eq!(minutes(GIB + 1), 15);
        assert_eq!(minutes(20 * GIB), 25);
        assert!(budget(u64::MAX) > MINUTE);
    }

    #[test]
    fn pauses_grow_to_ten_seconds_and_never_pass_the_end() {
        let mut watch = watch(60);
        let (mut elapsed, mut pauses) = (Duration::ZERO, Vec::new());
        while let Next::LookAgain(pause) = watch.after(elapsed, &waiting()) {
            pauses.push(pause.as_secs());
            elapsed += pause;
        }
        assert_eq!(pauses, [2, 4, 8, 10, 10, 10, 10, 6]);
        assert_eq!(elapsed, 60 * SECOND);
    }

    #[test]
    fn a_picture_that_cannot_change_ends_the_wait_at_once() {
        let empty = Judgement::Empty(Lack::ListedSize { found: 0, expected: 9 });
        let nothing = Judgement::Waiting(vec![Lack::NoRecord]);
        for last in [Judgement::Proven, silent(false), empty, nothing] {
            assert_eq!(watch(60).after(Duration::ZERO, &last), Next::Conclude);
        }
    }

    #[test]
    fn a_silent_record_gets_its_grace_from_the_moment_the_list_proves() {
        let mut watch = watch(600);
        assert_ne!(watch.after(100 * SECOND, &waiting()), Next::Conclude);
        assert_ne!(watch.after(110 * SECOND, &silent(true)), Next::Conclude);
        assert_ne!(watch.after(139 * SECOND, &silent(true)), Next::Conclude);
        assert_eq!(watch.after(140 * SECOND, &silent(true)), Next::Conclude);
    }

    #[test]
    fn grace_starts_again_when_the_picture_changed() {
        let mut watch = watch(600);
        let renamed = Judgement::Renamed { twin: "App_1.pkg".into(), lacks: vec![Lack::NotListed] };
        assert_ne!(watch.after(Duration::ZERO, &renamed), Next::Conclude);
        assert_ne!(watch.after(29 * SECOND, &waiting()), Next::Conclude);
        assert_ne!(watch.after(31 * SECOND, &renamed), Next::Conclude);
        assert_ne!(watch.after(40 * SECOND, &silent(true)), Next::Conclude);
        assert_ne!(watch.after(65 * SECOND, &silent(true)), Next::Conclude);
        assert_eq!(watch.after(70 * SECOND, &silent(true)), Next::Conclude);
    }

    #[test]
    fn twins_get_their_grace_and_no_more() {
        let mut watch = watch(600);
        assert_ne!(watch.after_twins(Duration::ZERO), Next::Conclude);
        assert_ne!(watch.after_twins(29 * SECOND), Next::Conclude);
        assert_eq!(watch.after_twins(30 * SECOND), Next::Conclude);
        // Whoever has no time for it concludes as it is.
        assert_eq!(
            super::Watch::new(Duration::ZERO, Witness::List).after_twins(Duration::ZERO),
            Next::Conclude
        );
    }

    #[test]
    fn a_refresh_is_due_as_soon_as_the_file_is_listed() {
        let mut watch = watch(600);
        assert!(watch.refresh_is_due(Duration::ZERO));
        watch.after(Duration::ZERO, &waiting());
        assert!(!watch.refresh_is_due(2 * SECOND));
        watch.after(2 * SECOND, &silent(true));
        assert!(watch.refresh_is_due(6 * SECOND));
        watch.after(6 * SECOND, &silent(true));
        assert!(!watch.refresh_is_due(14 * SECOND));
    }

    #[test]
    fn a_list_that_never_tells_a_digest_is_not_waited_for_to_the_end() {
        let mut watch = watch(600);
        let silent = Judgement::Waiting(vec![Lack::ListedWithout("SHA3-512")]);
        assert_ne!(watch.after(Duration::ZERO, &silent), Next::Conclude);
        assert_eq!(watch.after(30 * SECOND, &silent), Next::Conclude);
    }

    #[test]
    fn a_refresh_is_due_at_the_start_and_every_half_minute() {
        let mut watch = watch(600);
        let due: Vec<u32> = (0..100).filter(|second| watch.refresh_is_due(*second * SECOND)).collect();
        assert_eq!(due, [0, 30, 60, 90]);
    }

    #[test]
    fn a_record_that_is_alone_is_refreshed_more_often() {
        let mut watch = Watch::new(600 * SECOND, Witness::Record);
        let due: Vec<u32> = (0..40).filter(|second| watch.refresh_is_due(*second * SECOND)).collect();
        assert_eq!(due, [0, 10, 20, 30]);
    }

    /// The hash of a large package may come much later than its size.
    #[test]
    fn a_record_that_is_alone_is_waited_for_to_the_end() {
        let mut watch = Watch::new(600 * SECOND, Witness::Record);
        let silent = Judgement::Waiting(vec![Lack::RecordWithout(42.try_into().unwrap(), "SHA3-512")]);
        for second in [0, 30, 60, 590] {
            assert_ne!(watch.after(second * SECOND, &silent), Next::Conclude);
        }
        assert_eq!(watch.after(600 * SECOND, &silent), Next::Conclude);
    }
}
