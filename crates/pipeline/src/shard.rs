use crate::digits;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

/// Text or numbers are no shard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidShard {
    /// The text has another form.
    #[error("{0:?} is no shard: it takes the form K/N, such as 2/5")]
    Form(String),
    /// The number is zero or larger than the count.
    #[error("there is no shard {index} of {count}: shards are numbered from 1")]
    Range {
        /// The number that was asked for.
        index: u32,
        /// How many there are.
        count: u32,
    },
}

/// One of several runs that divide the packages of a list among them: number K of N, counted from 1. Which packages are
/// whose is for `batch` to say.
///
/// Reports write and read it as an object of two numbers, `index` and `count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Numbers")]
pub struct Shard {
    index: NonZeroU32,
    count: NonZeroU32,
}

/// As they are read, before anybody looked at them.
#[derive(Deserialize)]
struct Numbers {
    index: u32,
    count: u32,
}

impl Shard {
    /// The only shard: all packages.
    pub const WHOLE: Self = Self { index: NonZeroU32::MIN, count: NonZeroU32::MIN };

    /// Shard number `index` of `count`, counted from 1.
    ///
    /// # Errors
    /// When `index` is zero or larger than `count`.
    pub fn new(index: u32, count: u32) -> Result<Self, InvalidShard> {
        match (NonZeroU32::new(index), NonZeroU32::new(count)) {
            (Some(index), Some(count)) if index <= count => Ok(Self { index, count }),
            _ => Err(InvalidShard::Range { index, count }),
        }
    }

    /// The shard of `count` that a number falls to: its remainder, plus one.
    #[must_use]
    pub fn of_number(number: u64, count: NonZeroU32) -> Self {
        // Smaller than `count`, and so than 2³².
        let remainder = u32::try_from(number % u64::from(count.get())).unwrap_or_default();
        Self { index: NonZeroU32::MIN.saturating_add(remainder), count }
    }

    /// Its number, counted from 1.
    #[must_use]
    pub const fn index(self) -> u32 {
        self.index.get()
    }

    /// How many there are.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.count.get()
    }

    /// How many there are, for what divides by it.
    #[must_use]
    pub const fn divisor(self) -> NonZeroU32 {
        self.count
    }

    /// Whether both may have a package in common. Shards of one division have none; how two divisions overlap nobody knows.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.count != other.count || self.index == other.index
    }
}

/// `K/N`.
impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl FromStr for Shard {
    type Err = InvalidShard;
    fn from_str(text: &str) -> Result<Self, InvalidShard> {
        let numbers = text.split_once('/').and_then(|(index, count)| Some((digits(index)?, digits(count)?)));
        let (index, count) = numbers.ok_or_else(|| InvalidShard::Form(text.to_owned()))?;
        Self::new(index, count)
    }
}

impl TryFrom<Numbers> for Shard {
    type Error = InvalidShard;
    fn try_from(Numbers { index, count }: Numbers) -> Result<Self, InvalidShard> {
        Self::new(index, count)
    }
}
