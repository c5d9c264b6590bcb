//! How many requests a gateway lets through, and when the next ones (`jamf-pro-api.md §14`).

use crate::Error;
use crate::transport::wait;
use jiff::{SignedDuration, Timestamp};
use pipeline::Context;
use reqwest::header::HeaderMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Windows last a second. Whoever is told to wait for longer than this has another clock than the gateway.
const LONGEST: Duration = Duration::from_secs(60);
/// Shorter waits are nobody's business.
const WORTH_TELLING: Duration = Duration::from_secs(5);
/// What is larger is a moment and no span: as a span it would be thirty years.
const LARGEST_SPAN: i64 = 1_000_000_000;

/// What an answer says about the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Allowance {
    remaining: u64,
    resets: Timestamp,
}

impl Allowance {
    /// Reads `x-ratelimit-remaining` and `x-ratelimit-reset`, which is a moment in seconds since 1970, or a number of seconds
    /// from now.
    pub(crate) fn read(headers: &HeaderMap, now: Timestamp) -> Option<Self> {
        let number = |name| headers.get(name)?.to_str().ok()?.trim().parse::<i64>().ok();
        let remaining = u64::try_from(number("x-ratelimit-remaining")?).ok()?;
        let reset = number("x-ratelimit-reset")?;
        let resets = if reset > LARGEST_SPAN {
            Timestamp::from_second(reset).ok()?
        } else {
            now.checked_add(SignedDuration::from_secs(reset.max(0))).ok()?
        };
        Some(Self { remaining, resets })
    }

    /// How long to wait for the next window; nothing when it has begun.
    pub(crate) fn pause(&self, now: Timestamp) -> Option<Duration> {
        let pause = Duration::try_from(self.resets.duration_since(now)).ok()?;
        (pause > Duration::ZERO).then(|| pause.min(LONGEST))
    }
}

/// What one API client has left, as far as its answers tell. Servers without a limit tell nothing.
#[derive(Debug, Default)]
pub(crate) struct Pace(Mutex<Option<Allowance>>);

impl Pace {
    /// Waits until a request may go, rather than being told so.
    pub(crate) async fn wait(&self, cx: &Context) -> Result<(), Error> {
        let Some(pause) = self.spend(cx.clock().now()) else { return Ok(()) };
        if pause >= WORTH_TELLING {
            cx.info(format!("the gateway lets no more requests through for {:.1} s", pause.as_secs_f64()));
        }
        wait(cx, pause).await
    }

    /// Counts a request that is about to go; when there is none left, how long to wait.
    fn spend(&self, now: Timestamp) -> Option<Duration> {
        let mut allowance = self.allowance();
        let current = allowance.as_mut()?;
        let Some(pause) = current.pause(now) else {
            // The window is over; the next answer tells of the new one.
            *allowance = None;
            return None;
        };
        if current.remaining == 0 {
            return Some(pause);
        }
        current.remaining -= 1;
        None
    }

    /// Learns from an answer. Several are under way at a time: those of an earlier window say nothing, and within one the
    /// lowest counts.
    pub(crate) fn learn(&self, told: Allowance) {
        let mut allowance = self.allowance();
        *allowance = match *allowance {
            Some(known) if known.resets > told.resets => Some(known),
            Some(known) if known.resets == told.resets => {
                Some(Allowance { remaining: known.remaining.min(told.remaining), ..told })
            }
            _ => Some(told),
        };
    }

    fn allowance(&self) -> MutexGuard<'_, Option<Allowance>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use reqwest::header::{HeaderName, HeaderValue};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_176_000 + second).unwrap()
    }

    fn told(remaining: u64, resets: i64) -> Allowance {
        Allowance { remaining, resets: at(resets) }
    }

    fn read(remaining: &str, reset: &str) -> Option<Allowance> {
        let entry =
            |name, value: &str| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        let headers = [entry("x-ratelimit-remaining", remaining), entry("x-ratelimit-reset", reset)];
        Allowance::read(&HeaderMap::from_iter(headers), at(0))
    }

    #[test]
    fn a_reset_is_a_moment_or_a_span() {
        assert_eq!(read("7", "1795176009"), Some(told(7, 9)));
        assert_eq!(read(" 0 ", "9"), Some(told(0, 9)));
        assert_eq!(read("0", "-9"), Some(told(0, 0)));
        for (remaining, reset) in [("", "9"), ("-1", "9"), ("7", "soon"), ("7", "99999999999999999")] {
            assert_eq!(read(remaining, reset), None, "{remaining} {reset}");
        }
        assert_eq!(Allowance::read(&HeaderMap::new(), at(0)), None);
    }

    #[test]
    fn what_is_left_is_spent_and_then_waited_for() {
        let pace = Pace::default();
        assert_eq!(pace.spend(at(0)), None, "nobody told of a limit");
        pace.learn(told(2, 10));
        assert_eq!((pace.spend(at(0)), pace.spend(at(0))), (None, None));
        assert_eq!(pace.spend(at(4)), Some(Duration::from_secs(6)));
        pace.learn(told(2, 10));
        assert_eq!(pace.spend(at(4)), Some(Duration::from_secs(6)), "an older answer");
        assert_eq!(pace.spend(at(10)), None, "a new window");
        pace.learn(told(5, 20));
        pace.learn(told(0, 10));
        assert_eq!(pace.spend(at(11)), None, "an answer of the window before");
        pace.learn(told(0, 100_000));
        assert_eq!(pace.spend(at(11)), Some(LONGEST), "another clock");
    }

    proptest! {
        #[test]
        fn no_header_is_too_odd(remaining in "[ -~]{0,24}", reset in "-?[0-9]{0,24}") {
            if let Some(pause) = read(&remaining, &reset).and_then(|told| told.pause(at(0))) {
                prop_assert!(pause <= LONGEST && pause > Duration::ZERO);
            }
        }
    }
}
