//! What the figures of several rounds come to.
//!
//! Contenders are compared round by round, and the median is taken of the ratios: what slows the machine for a while slows
//! all contenders of a round, and drops out.

use std::time::Duration;

/// One run of a command.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sample {
    /// From before its start to after its end.
    pub wall: Duration,
    /// User and system time, its children's that it waited for included.
    pub cpu: Duration,
    /// Most memory, in bytes.
    pub peak: u64,
    /// CPU time that the sink took meanwhile.
    pub sink: Option<Duration>,
    /// Requests that the sink got.
    pub requests: u64,
}

impl Sample {
    /// Wall time in seconds.
    pub fn seconds(&self) -> f64 {
        self.wall.as_secs_f64()
    }
}

/// The middle value, or the mean of the two in the middle; `None` of nothing.
pub fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let upper = values.len() / 2;
    match values.len() {
        0 => None,
        length if length % 2 == 1 => Some(values[upper]),
        _ => Some(f64::midpoint(values[upper - 1], values[upper])),
    }
}

/// Median over the rounds of how much longer `of` took than the slowest of `to`.
pub fn ratio(of: &[Sample], to: &[&[Sample]]) -> Option<f64> {
    let slowest = |round: usize| {
        to.iter().map(|samples| samples.get(round).map(Sample::seconds)).reduce(|a, b| Some(a?.max(b?)))?
    };
    median(of.iter().enumerate().filter_map(|(round, sample)| Some(sample.seconds() / slowest(round)?)))
}

/// Median over the rounds of the seconds that `of` took longer than `to`.
pub fn difference(of: &[Sample], to: &[Sample]) -> Option<f64> {
    median(of.iter().zip(to).map(|(of, to)| of.seconds() - to.seconds()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(seconds: &[f64]) -> Vec<Sample> {
        let sample = |seconds: &f64| Sample { wall: Duration::from_secs_f64(*seconds), ..Sample::default() };
        seconds.iter().map(sample).collect()
    }

    #[test]
    fn medians() {
        assert_eq!(median([]), None);
        assert_eq!(median([3.0]), Some(3.0));
        assert_eq!(median([9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([4.0, 1.0, 3.0, 2.0]), Some(2.5));
    }

    #[test]
    fn ratios_are_of_one_round() {
        // The machine was ten times slower in the second round; the ratio of the medians would be 4.
        let (fast, slow) = (samples(&[1.0, 10.0, 2.0]), samples(&[2.0, 20.0, 8.0]));
        assert_eq!(ratio(&slow, &[&fast]), Some(2.0));
        assert_eq!(difference(&slow, &fast), Some(6.0));
    }

    #[test]
    fn a_ratio_to_several_is_to_the_slowest_of_the_round() {
        let (of, a, b) = (samples(&[6.0, 6.0]), samples(&[1.0, 3.0]), samples(&[2.0, 1.0]));
        assert_eq!(ratio(&of, &[&a, &b]), Some(2.5));
        assert_eq!(ratio(&of, &[]), None);
        assert_eq!(ratio(&of, &[&[]]), None);
    }
}
