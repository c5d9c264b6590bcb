//! When a message is sent again, and when not.

use crate::Error;
use crate::address::Address;
use crate::client::{Channel, Letter, Refusal};
use jiff::{SignedDuration, Timestamp};
use pipeline::{Context, Effect};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How messages and pings are sent.
#[derive(Clone, Debug)]
pub struct Config {
    /// Sent with every request: `pkgferry/0.1.0`.
    pub user_agent: String,
    /// Seed of the jitter, so that a test can fix it.
    pub seed: u64,
    /// When it is given up.
    pub limits: Limits,
}

/// When a message is given up.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Tries in all, the first included.
    pub tries: u32,
    /// One try, from the connection to the end of the answer; by the real clock.
    pub each: Duration,
    /// The first pause; each later one is twice as long, with jitter.
    pub pause: Duration,
    /// No pause is longer, not even one that the service asks for with `Retry-After`.
    pub longest_pause: Duration,
    /// No pause begins that would end later than this after the first try; by the clock of the run.
    pub total: Duration,
}

impl Default for Config {
    /// Three tries of 10 s within a minute: less than systemd and launchd wait for a service that they stop.
    fn default() -> Self {
        Self {
            user_agent: concat!("pkgferry/", env!("CARGO_PKG_VERSION")).to_owned(),
            seed: 0,
            limits: Limits {
                tries: 3,
                each: Duration::from_secs(10),
                pause: Duration::from_secs(2),
                longest_pause: Duration::from_secs(30),
                total: Duration::from_secs(60),
            },
        }
    }
}

/// What became of a message that met no error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It was taken.
    Sent {
        /// After as many tries.
        tries: u32,
    },
    /// Not sent: this is a dry run, and nobody asked for it.
    Withheld,
    /// Not sent: there is nothing to tell.
    NotDue,
}

/// Sends, and sends again.
#[derive(Debug)]
pub(crate) struct Sender {
    config: Config,
    random: Mutex<fastrand::Rng>,
}

impl Sender {
    pub(crate) fn new(config: &Config) -> Self {
        Self { random: Mutex::new(fastrand::Rng::with_seed(config.seed)), config: config.clone() }
    }

    /// Sends until it is taken, or given up.
    pub(crate) async fn send(
        &self,
        cx: &Context,
        label: &str,
        address: &Address,
        letter: &Letter,
    ) -> Result<Delivery, Error> {
        let channel = Channel::open(label, address, &self.config)?;
        let cancel = listening(cx);
        let limits = &self.config.limits;
        let until = after(cx.clock().now(), limits.total);
        let mut made = 0;
        loop {
            if cx.boundary().pass(Effect::Write, letter.method.as_str(), label).is_err() {
                return Ok(Delivery::Withheld);
            }
            made += 1;
            let trying = tokio::time::timeout(limits.each, channel.exchange(letter));
            let Refusal { error, retry_after } = match cancel.run_until_cancelled(trying).await {
                Some(Ok(Ok(()))) => return Ok(Delivery::Sent { tries: made }),
                Some(Ok(Err(refusal))) => refusal,
                Some(Err(_)) => Error::Timeout { label: label.to_owned(), limit: limits.each }.into(),
                None => Error::Interrupted { label: label.to_owned() }.into(),
            };
            let now = cx.clock().now();
            let ordered = retry_after.as_deref().and_then(|text| ordered(text, now));
            let pause = ordered.unwrap_or_else(|| self.backoff(made)).min(limits.longest_pause);
            if !error.may_pass() || made >= limits.tries || after(now, pause) > until {
                return Err(error);
            }
            let why = pipeline::causes(&error).collect::<Vec<_>>().join(": ");
            let next = made + 1;
            cx.info(format!(
                "{why}; trying again in {:.1} s (try {next} of {})",
                pause.as_secs_f64(),
                limits.tries
            ));
            if cancel.run_until_cancelled(cx.clock().sleep(pause)).await.is_none() {
                return Err(error);
            }
        }
    }

    /// Doubled each time, then cut at random to between half and all of it: many machines start at the full hour.
    fn backoff(&self, made: u32) -> Duration {
        let doubled = self.config.limits.pause.saturating_mul(2_u32.saturating_pow(made.saturating_sub(1)));
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        doubled.mul_f64(0.5 + random.f64() / 2.0)
    }
}

/// A cancellation that came before is part of the news, and does not keep it back. One that comes while it is sent does.
fn listening(cx: &Context) -> CancellationToken {
    match cx.cancelled().is_cancelled() {
        true => CancellationToken::new(),
        false => cx.cancelled().clone(),
    }
}

fn after(now: Timestamp, pause: Duration) -> Timestamp {
    let pause = SignedDuration::try_from(pause).unwrap_or(SignedDuration::MAX);
    now.saturating_add(pause).unwrap_or(Timestamp::MAX)
}

/// `Retry-After`: seconds or a date.
fn ordered(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some(Duration::try_from(until.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = "2026-11-20T12:00:00Z".parse().unwrap();
        let pause = |text| ordered(text, now).map(|pause| pause.as_secs());
        assert_eq!(pause(" 7 "), Some(7));
        assert_eq!(pause("Fri, 20 Nov 2026 12:00:09 GMT"), Some(9));
        assert_eq!(pause("Fri, 20 Nov 2026 11:00:00 GMT"), Some(0));
        assert_eq!(pause("soon"), None);
        assert_eq!(pause("-1"), None);
    }

    #[test]
    fn pauses_double_and_jitter_by_half() {
        let sender = Sender::new(&Config::default());
        for (made, full) in [(1, 2.0), (2, 4.0), (3, 8.0)] {
            for _ in 0..50 {
                let pause = sender.backoff(made).as_secs_f64();
                assert!(pause >= full / 2.0 && pause <= full, "{made}: {pause}");
            }
        }
    }
}
