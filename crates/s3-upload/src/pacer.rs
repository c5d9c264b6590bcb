//! How many parts are sent at a time: as many as make the upload faster. Pure: arrivals in, a number out.

use jiff::Timestamp;

/// Parts at a time to begin with.
const FIRST: usize = 3;
/// A gain smaller than this, in percent, is no reason for more connections.
const GAIN: u64 = 5;

/// Climbs by measured throughput. Each level is measured over as many parts as are sent at a time; a level that brings a gain
/// leads to the next one, a level that brings none ends the climb one step lower. When S3 asks to slow down, half remain, and the climb
/// begins anew after as many have arrived; until then further requests are about parts that left before.
#[derive(Clone, Debug)]
pub(crate) struct Pacer {
    at_once: usize,
    most: usize,
    climbing: bool,
    /// Bytes a second of the level before.
    before: Option<u64>,
    since: Timestamp,
    bytes: u64,
    parts: usize,
    /// Parts that have to arrive before it may be slowed down again.
    slowed: usize,
}

impl Pacer {
    /// Finds the number by itself, up to `most`.
    pub(crate) fn adaptive(most: usize, now: Timestamp) -> Self {
        Self { climbing: true, ..Self::fixed(FIRST.min(most), now) }.with_most(most)
    }

    /// Keeps to a number.
    pub(crate) fn fixed(at_once: usize, now: Timestamp) -> Self {
        Self {
            at_once,
            most: at_once,
            climbing: false,
            before: None,
            since: now,
            bytes: 0,
            parts: 0,
            slowed: 0,
        }
    }

    fn with_most(self, most: usize) -> Self {
        Self { most, ..self }
    }

    /// Parts that may be on their way now.
    pub(crate) fn at_once(&self) -> usize {
        self.at_once
    }

    /// A part of this size has arrived.
    pub(crate) fn arrived(&mut self, bytes: u64, now: Timestamp) {
        if self.slowed > 0 {
            self.slowed -= 1;
            self.climbing |= self.slowed == 0;
            (self.before, self.since, self.bytes, self.parts) = (None, now, 0, 0);
            return;
        }
        self.bytes += bytes;
        self.parts += 1;
        if !self.climbing || self.parts < self.at_once {
            return;
        }
        let elapsed = u64::try_from(now.duration_since(self.since).as_micros()).unwrap_or(0).max(1);
        let rate = self.bytes.saturating_mul(1_000_000) / elapsed;
        let gained = self.before.is_none_or(|before| rate > before.saturating_add(before / 100 * GAIN));
        match gained {
            true if self.at_once < self.most => self.at_once += 1,
            true => self.climbing = false,
            false => {
                self.at_once = self.at_once.saturating_sub(1).max(1);
                self.climbing = false;
            }
        }
        (self.before, self.since, self.bytes, self.parts) = (Some(rate), now, 0, 0);
    }

    /// S3 has asked to slow down.
    pub(crate) fn slow_down(&mut self) {
        if self.slowed == 0 {
            self.at_once = (self.at_once / 2).max(1);
            self.climbing = false;
            self.slowed = self.at_once;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    /// Lets rounds of parts arrive at a throughput that depends on how many are sent at a time.
    fn settle(mut pacer: Pacer, rounds: usize, rate: impl Fn(usize) -> f64) -> usize {
        let mut now = Timestamp::UNIX_EPOCH;
        for _ in 0..rounds {
            let round = pacer.at_once();
            now += SignedDuration::from_secs_f64(round as f64 / rate(round));
            for _ in 0..round {
                pacer.arrived(1 << 20, now);
            }
        }
        pacer.at_once()
    }

    fn adaptive(most: usize) -> Pacer {
        Pacer::adaptive(most, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_line_that_each_connection_makes_faster_gets_all_of_them() {
        assert_eq!(settle(adaptive(8), 20, |parts| parts as f64), 8);
    }

    #[test]
    fn a_line_that_is_full_gets_no_more() {
        assert_eq!(settle(adaptive(8), 20, |_| 10.0), 3);
        assert_eq!(settle(adaptive(8), 20, |parts| parts.min(5) as f64), 5);
    }

    #[test]
    fn bounds_are_kept() {
        assert_eq!(adaptive(2).at_once(), 2);
        assert_eq!(settle(Pacer::fixed(4, Timestamp::UNIX_EPOCH), 20, |parts| parts as f64), 4);
    }

    #[test]
    fn half_remain_when_s3_asks_to_slow_down() {
        let mut pacer = Pacer::fixed(8, Timestamp::UNIX_EPOCH);
        let steps = [4, 2, 1, 1].map(|_| {
            pacer.slow_down();
            let slowed = pacer.at_once();
            (0..slowed).for_each(|_| pacer.arrived(1, Timestamp::UNIX_EPOCH));
            slowed
        });
        assert_eq!(steps, [4, 2, 1, 1]);
    }

    #[test]
    fn parts_that_are_refused_together_halve_it_once() {
        let mut pacer = Pacer::fixed(6, Timestamp::UNIX_EPOCH);
        (0..6).for_each(|_| pacer.slow_down());
        assert_eq!(pacer.at_once(), 3);
    }

    #[test]
    fn it_climbs_again_when_s3_has_had_its_rest() {
        for mut pacer in [Pacer::fixed(8, Timestamp::UNIX_EPOCH), adaptive(8)] {
            pacer.slow_down();
            assert_eq!(settle(pacer, 20, |parts| parts as f64), 8);
        }
    }

    #[test]
    fn parts_that_arrive_at_the_same_instant_divide_nothing_by_zero() {
        let mut pacer = adaptive(8);
        for _ in 0..100 {
            pacer.arrived(u64::MAX / 200, Timestamp::UNIX_EPOCH);
        }
        assert!((1..=8).contains(&pacer.at_once()));
    }
}
