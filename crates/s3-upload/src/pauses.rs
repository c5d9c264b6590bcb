//! Pauses between tries. They are counted and not taken from the clock: a machine that slept for an hour has not tried for an hour.

use std::time::Duration;

/// Pauses between looks at the list of the distribution service.
pub(crate) const LOOKS: [Duration; 5] = [secs(1), secs(2), secs(4), secs(8), secs(15)];

pub(crate) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// These pauses, the last one again and again, until they take so long together.
pub(crate) fn lasting(pauses: &[Duration], mut left: Duration) -> impl Iterator<Item = Duration> {
    let last = pauses.last().copied().unwrap_or(left);
    pauses.iter().copied().chain(std::iter::repeat(last)).map_while(move |pause| {
        let pause = pause.min(left);
        left -= pause;
        (!pause.is_zero()).then_some(pause)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_take_as_long_as_they_are_to() {
        let seconds = |window| lasting(&LOOKS, secs(window)).map(|pause| pause.as_secs()).collect::<Vec<_>>();
        assert_eq!(seconds(15), [1, 2, 4, 8]);
        assert_eq!(seconds(2), [1, 1]);
        assert_eq!(seconds(50), [1, 2, 4, 8, 15, 15, 5]);
        assert_eq!(seconds(0), [0; 0]);
    }
}
