//! How a file is cut into ranges, and which of them are there.

use std::collections::BTreeSet;
use std::num::NonZeroU64;

/// A piece of the file that is fetched by one request, unless something goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    /// Its number, counted from 0.
    pub index: u64,
    /// Its first byte.
    pub start: u64,
    /// The byte after its last one.
    pub end: u64,
}

/// A file cut into ranges of one size; the last one may be smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    size: u64,
    range_size: NonZeroU64,
}

impl Cut {
    pub(crate) fn new(size: u64, range_size: NonZeroU64) -> Self {
        Self { size, range_size }
    }

    pub(crate) fn size(self) -> u64 {
        self.size
    }

    pub(crate) fn range_size(self) -> u64 {
        self.range_size.get()
    }

    /// How many ranges there are.
    pub(crate) fn count(self) -> u64 {
        self.size.div_ceil(self.range_size.get())
    }

    /// The range with this number, if there is one.
    pub(crate) fn range(self, index: u64) -> Option<Range> {
        let start = index.checked_mul(self.range_size.get()).filter(|start| *start < self.size)?;
        Some(Range { index, start, end: start.saturating_add(self.range_size.get()).min(self.size) })
    }
}

/// Which ranges are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Done {
    cut: Cut,
    /// All ranges before this one are there.
    first_missing: u64,
    /// Those that are there behind it: a few, since ranges are begun in order.
    ahead: BTreeSet<u64>,
    bytes: u64,
}

impl Done {
    /// None is.
    pub(crate) fn nothing(cut: Cut) -> Self {
        Self { cut, first_missing: 0, ahead: BTreeSet::new(), bytes: 0 }
    }

    /// These are; numbers that the file does not have count for nothing.
    pub(crate) fn of(cut: Cut, indexes: impl IntoIterator<Item = u64>) -> Self {
        let mut done = Self::nothing(cut);
        indexes.into_iter().for_each(|index| done.mark(index));
        done
    }

    /// One more is.
    pub(crate) fn mark(&mut self, index: u64) {
        let Some(range) = self.cut.range(index).filter(|range| range.index >= self.first_missing) else {
            return;
        };
        if self.ahead.insert(index) {
            self.bytes += range.end - range.start;
        }
        while self.ahead.remove(&self.first_missing) {
            self.first_missing += 1;
        }
    }

    /// Bytes of all ranges that are there.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Bytes that are there from the beginning of the file on, without a gap.
    pub(crate) fn prefix(&self) -> u64 {
        self.cut.range(self.first_missing).map_or(self.cut.size, |range| range.start)
    }

    /// The ranges that are not there, in order.
    pub(crate) fn missing(&self) -> impl Iterator<Item = Range> {
        let indexes = (self.first_missing..self.cut.count()).filter(|index| !self.ahead.contains(index));
        indexes.filter_map(|index| self.cut.range(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(size: u64, range_size: u64) -> Cut {
        Cut::new(size, NonZeroU64::new(range_size).unwrap())
    }

    #[test]
    fn the_last_range_may_be_smaller() {
        let cut = cut(45, 20);
        let ranges: Vec<_> =
            (0..4).map(|index| cut.range(index).map(|range| (range.start, range.end))).collect();
        assert_eq!(ranges, [Some((0, 20)), Some((20, 40)), Some((40, 45)), None]);
        assert_eq!(cut.count(), 3);
    }

    #[test]
    fn the_largest_file_can_be_cut() {
        let cut = cut(u64::MAX, 20 << 20);
        let last = cut.range(cut.count() - 1).unwrap();
        assert_eq!((last.end, cut.range(last.index + 1), cut.range(u64::MAX)), (u64::MAX, None, None));
    }

    proptest! {
        #[test]
        fn ranges_cover_the_file_without_a_gap(size in 0_u64..10_000, range_size in 1_u64..700) {
            let cut = cut(size, range_size);
            let mut end = 0;
            for range in Done::nothing(cut).missing() {
                prop_assert_eq!(range.start, end);
                prop_assert!(range.end > range.start && range.end - range.start <= range_size);
                end = range.end;
            }
            prop_assert_eq!(end, size);
        }

        #[test]
        fn what_is_there_and_what_is_missing_make_the_file(
            size in 1_u64..3_000,
            range_size in 1_u64..300,
            marks in prop::collection::vec(0_u64..40, 0..40),
        ) {
            let done = Done::of(cut(size, range_size), marks.iter().copied());
            let missing: Vec<_> = done.missing().collect();
            let missing_bytes: u64 = missing.iter().map(|range| range.end - range.start).sum();
            prop_assert_eq!(done.bytes() + missing_bytes, size);
            prop_assert_eq!(done.prefix(), missing.first().map_or(size, |range| range.start));
            let marked: BTreeSet<u64> = marks.into_iter().collect();
            prop_assert!(missing.iter().all(|range| !marked.contains(&range.index)));
        }
    }
}
