//! Into which parts a file is cut. Pure: numbers in, numbers out.

use pipeline::{Typed, Value, WrongType};

/// One mebibyte.
pub(crate) const MIB: u64 = 1 << 20;
/// The most parts that S3 takes for one object (`jamf-pro-api.md §9.3`).
pub(crate) const MOST_PARTS: u64 = 10_000;
/// The largest file that is sent: S3's limit for an object before it was raised, and what every S3 server takes.
pub(crate) const LARGEST_FILE: u64 = 5 << 40;

/// How large a part is at least: a whole number of MiB that S3 takes. The default is small enough that four parts at a
/// time move smoothly on a slow line, and large enough that requests do not count on a fast one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PartSize(u64);

impl PartSize {
    const SMALLEST_MIB: u64 = 8;
    /// 5 GiB, S3's limit for a part (`jamf-pro-api.md §9.3`).
    const LARGEST_MIB: u64 = 5 * 1024;

    const fn bytes(self) -> u64 {
        self.0 * MIB
    }
}

impl Default for PartSize {
    fn default() -> Self {
        Self(Self::SMALLEST_MIB)
    }
}

/// A whole number from 8 to 5120.
impl Typed for PartSize {
    const KIND: pipeline::Kind = pipeline::Kind::Integer;

    fn read(value: &Value) -> Result<Self, WrongType> {
        match u64::read(value) {
            Ok(mib @ Self::SMALLEST_MIB..=Self::LARGEST_MIB) => Ok(Self(mib)),
            _ => Err(WrongType::new("a whole number of MiB from 8 to 5120", value)),
        }
    }

    fn write(self) -> Value {
        self.0.write()
    }
}

/// A range of the file that is sent in one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Its number, from 1 to [`MOST_PARTS`].
    pub number: i32,
    /// Where it begins.
    pub offset: u64,
    /// How long it is; never 0.
    pub length: u64,
}

/// How a file is cut: equal parts, the last one shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PartPlan {
    file: u64,
    part_size: u64,
}

impl PartPlan {
    /// Cuts a file of `file` bytes into parts of at least `least`, and of as much more as [`MOST_PARTS`] makes needful.
    /// `None` if it is larger than [`LARGEST_FILE`], or empty, which S3 takes as a single request only (`§9.3`).
    pub(crate) fn new(file: u64, least: PartSize) -> Option<Self> {
        let needed = file.div_ceil(MOST_PARTS).next_multiple_of(MIB);
        (1..=LARGEST_FILE).contains(&file).then(|| Self { file, part_size: needed.max(least.bytes()) })
    }

    /// Goes on with a file that was cut into parts of `part` bytes before. `None` if S3 would not take such parts.
    pub(crate) fn again(file: u64, part: u64) -> Option<Self> {
        if !(5 * MIB..=PartSize::LARGEST_MIB * MIB).contains(&part) {
            return None;
        }
        let plan = Self { file, part_size: part };
        ((1..=LARGEST_FILE).contains(&file) && plan.count() <= MOST_PARTS).then_some(plan)
    }

    /// Bytes of each part but the last.
    pub(crate) fn part_size(self) -> u64 {
        self.part_size
    }

    /// Bytes of the file.
    pub(crate) fn file(self) -> u64 {
        self.file
    }

    /// How many parts there are.
    pub(crate) fn count(self) -> u64 {
        self.file.div_ceil(self.part_size)
    }

    /// The parts, in order.
    pub(crate) fn parts(self) -> impl Iterator<Item = Part> {
        (1_i32..).map_while(move |number| self.part(number))
    }

    /// The part of this number, if there is one.
    pub(crate) fn part(self, number: i32) -> Option<Part> {
        let index = u64::try_from(number).ok()?.checked_sub(1).filter(|index| *index < self.count())?;
        let offset = index * self.part_size;
        Some(Part { number, offset, length: self.part_size.min(self.file - offset) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Sizes of all magnitudes alike; a uniform draw up to 5 TiB would hardly ever be small.
    fn sizes() -> impl Strategy<Value = u64> {
        let edges = [1, 8 * MIB, 8 * MIB * MOST_PARTS, 8 * MIB * MOST_PARTS + 1, LARGEST_FILE];
        prop_oneof![
            4 => (0_u32..=43).prop_flat_map(|bits| 1..=(1_u64 << bits).min(LARGEST_FILE)),
            1 => proptest::sample::select(edges.to_vec()),
        ]
    }

    proptest! {
        #[test]
        fn parts_cover_the_file_exactly(file in sizes(), least in 8_u64..=5120) {
            let plan = PartPlan::new(file, PartSize(least)).unwrap();
            let mut reached = 0;
            let mut parts = plan.parts().zip(1..).peekable();
            while let Some((part, number)) = parts.next() {
                prop_assert_eq!(part.number, number);
                prop_assert_eq!(part.offset, reached);
                prop_assert!(part.length > 0 && part.length <= 5 * 1024 * MIB);
                if parts.peek().is_some() {
                    prop_assert!(part.length >= 8 * MIB && part.length.is_multiple_of(MIB));
                }
                reached += part.length;
            }
            prop_assert_eq!(reached, file);
            prop_assert!(plan.count() <= MOST_PARTS);
            prop_assert_eq!(plan.parts().count() as u64, plan.count());
        }
    }

    #[test]
    fn a_cut_can_be_made_again_if_s3_takes_it() {
        let first = PartPlan::new(20 * MIB, PartSize::default()).unwrap();
        assert_eq!(PartPlan::again(first.file(), first.part_size()), Some(first));
        for (file, part) in [(20 * MIB, 0), (20 * MIB, 4 * MIB), (0, 8 * MIB), (LARGEST_FILE, 8 * MIB)] {
            assert_eq!(PartPlan::again(file, part), None, "{file} in {part}");
        }
    }

    #[test]
    fn what_cannot_be_cut_is_refused() {
        assert_eq!(PartPlan::new(0, PartSize::default()), None);
        assert_eq!(PartPlan::new(LARGEST_FILE + 1, PartSize::default()), None);
    }

    #[test]
    fn part_sizes_accept_what_s3_accepts() {
        for (value, good) in [("7", false), ("8", true), ("5120", true), ("5121", false), ("8.5", false)] {
            assert_eq!(PartSize::read(&Value::String(value.into())).is_ok(), good, "{value}");
        }
    }
}
