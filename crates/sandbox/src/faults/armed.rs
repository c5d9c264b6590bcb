use super::Fault;
use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The faults that wait to be played, and what earlier ones have ended for good.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// In the order in which they were armed.
    armed: Vec<Armed>,
    ended: HashSet<String>,
}

/// A fault and what is left of its schedule.
#[derive(Debug)]
struct Armed {
    fault: Fault,
    wait: u32,
    /// `None` is always; it is gone before it reaches 0.
    left: Option<u32>,
}

impl Faults {
    /// Arms a fault. Several that are the same play one after the other.
    pub(crate) fn arm(&self, fault: Fault) {
        let schedule = fault.schedule();
        let left = schedule.times.map(std::num::NonZeroU32::get);
        self.lock().armed.push(Armed { fault, wait: schedule.wait, left });
    }

    /// Those that have something left to play, as they were armed.
    pub(crate) fn armed(&self) -> Vec<Fault> {
        self.lock().armed.iter().map(|armed| armed.fault).collect()
    }

    /// Disarms all. What they have done stays done.
    pub(crate) fn disarm(&self) {
        self.lock().armed.clear();
    }

    /// An event comes by that those faults are about to which `about` gives what they make of it. The earliest that has
    /// waited long enough plays; the others that still count have counted it.
    pub(crate) fn play<T>(&self, about: impl Fn(Fault) -> Option<T>) -> Option<T> {
        let mut played = None;
        self.lock().armed.retain_mut(|armed| match about(armed.fault) {
            Some(_) if armed.wait > 0 => {
                armed.wait -= 1;
                true
            }
            Some(effect) if played.is_none() => {
                played = Some(effect);
                armed.left = armed.left.map(|left| left - 1);
                armed.left != Some(0)
            }
            _ => true,
        });
        played
    }

    /// Whether a fault plays that is this one, or one for which it holds.
    pub(crate) fn plays(&self, is_meant: impl Fn(Fault) -> bool) -> bool {
        self.play(|fault| is_meant(fault).then_some(())).is_some()
    }

    /// Whether this one waits to be played.
    pub(crate) fn awaits(&self, fault: Fault) -> bool {
        self.lock().armed.iter().any(|armed| armed.fault == fault)
    }

    /// Ends something before its time: a key of S3, an address.
    pub(crate) fn end(&self, what: String) {
        self.lock().ended.insert(what);
    }

    /// Whether it was ended.
    pub(crate) fn has_ended(&self, what: &str) -> bool {
        self.lock().ended.contains(what)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FromIterator<Fault> for Faults {
    fn from_iter<I: IntoIterator<Item = Fault>>(faults: I) -> Self {
        let armed = Self::default();
        faults.into_iter().for_each(|fault| armed.arm(fault));
        armed
    }
}

#[cfg(test)]
mod tests {
    use super::Faults;
    use crate::Fault;

    fn armed(faults: &[&str]) -> Faults {
        faults.iter().map(|text| text.parse::<Fault>().unwrap()).collect()
    }

    fn part(number: u32) -> impl Fn(Fault) -> Option<Fault> {
        move |fault| match fault {
            Fault::PartCut(n) | Fault::PartFailsTwice(n) if n.get() == number => Some(fault),
            _ => None,
        }
    }

    #[test]
    fn one_that_was_played_is_spent() {
        let faults = armed(&["part-cut=2", "part-fails-twice=2", "part-cut=3"]);
        assert_eq!(faults.play(part(1)), None);
        let played: Vec<String> =
            std::iter::from_fn(|| faults.play(part(2))).map(|fault| fault.to_string()).collect();
        assert_eq!(played, ["part-cut=2", "part-fails-twice=2", "part-fails-twice=2"]);
        assert_eq!(faults.armed(), ["part-cut=3".parse().unwrap()]);
    }

    #[test]
    fn all_that_count_count_an_event_and_one_plays() {
        let faults = armed(&["download-cut=2", "download-error=2", "download-stalls=4"]);
        let about = |fault| {
            matches!(fault, Fault::DownloadCut(_) | Fault::DownloadError(_) | Fault::DownloadStalls(_))
        };
        let played: Vec<Option<String>> = (0..5)
            .map(|_| faults.play(|fault| about(fault).then_some(fault)).map(|fault| fault.to_string()))
            .collect();
        let played: Vec<_> = played.iter().map(Option::as_deref).collect();
        assert_eq!(
            played,
            [None, Some("download-cut=2"), Some("download-error=2"), Some("download-stalls=4"), None]
        );
    }

    #[test]
    fn those_that_are_always_so_end_when_they_are_disarmed() {
        let faults = armed(&["abort-denied"]);
        let plays = || faults.plays(|fault| fault == Fault::AbortDenied);
        assert!(plays() && plays() && faults.awaits(Fault::AbortDenied));
        faults.disarm();
        assert!(!plays() && faults.armed().is_empty());
    }

    #[test]
    fn as_often_as_it_says() {
        let faults = armed(&["slow-down=3"]);
        let played = (0..10).filter(|_| faults.plays(|fault| matches!(fault, Fault::SlowDown(_)))).count();
        assert_eq!(played, 3);
    }
}
