use crate::auto::{self, Detected, Error};
use pipeline::FileName;
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use unicode_normalization::UnicodeNormalization as _;

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

/// One of several runs that divide the packages of a list among them: number K of N, counted from 1.
///
/// Every file name belongs to exactly one shard of N, whatever recipe names it, so shards never touch the same package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shard {
    index: NonZeroU32,
    count: NonZeroU32,
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

    /// The shard of `count` that a file name belongs to.
    ///
    /// The name in NFC as UTF-8 is hashed with SHA-256; the first eight bytes of the hash, as a big-endian number, modulo
    /// `count`, plus one, is the shard's number. This never changes: machines with different versions may share one list.
    ///
    /// ```
    /// # use batch::Shard;
    /// # use std::num::NonZeroU32;
    /// let name = "Firefox-140.0.pkg".parse().unwrap();
    /// // printf %s Firefox-140.0.pkg | sha256sum begins with cc1f05451790bac2, and that modulo 3 is 1.
    /// assert_eq!(Shard::of(&name, NonZeroU32::new(3).unwrap()).to_string(), "2/3");
    /// ```
    #[must_use]
    pub fn of(name: &FileName, count: NonZeroU32) -> Self {
        let normal: String = name.as_str().nfc().collect();
        let digest = Sha256::digest(normal.as_bytes());
        let number = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        // Smaller than `count`, and so than 2³².
        let remainder = u32::try_from(number % u64::from(count.get())).unwrap_or_default();
        Self { index: NonZeroU32::MIN.saturating_add(remainder), count }
    }

    /// Whether the package with this file name is this shard's.
    #[must_use]
    pub fn takes(self, name: &FileName) -> bool {
        Self::of(name, self.count) == self
    }

    /// Its number, counted from 1.
    #[must_use]
    pub fn index(self) -> u32 {
        self.index.get()
    }

    /// How many there are.
    #[must_use]
    pub fn count(self) -> u32 {
        self.count.get()
    }

    /// The shard that the scheduler's environment names; `None` where it names none, which means all packages. `lookup`
    /// gives the value of a variable; an empty one counts as not set.
    ///
    /// | scheduler | this one | of how many |
    /// |---|---|---|
    /// | any, such as a GitHub Actions matrix | `PKGFERRY_SHARD=K/N` | |
    /// | Kubernetes Indexed Job | `JOB_COMPLETION_INDEX`, from 0 | `PKGFERRY_SHARD_COUNT`: Kubernetes tells no count |
    /// | GitLab CI `parallel:` | `CI_NODE_INDEX`, from 1 | `CI_NODE_TOTAL` |
    /// | AWS Batch array | `AWS_BATCH_JOB_ARRAY_INDEX`, from 0 | `AWS_BATCH_JOB_ARRAY_SIZE`, else `PKGFERRY_SHARD_COUNT` |
    /// | Slurm array | `SLURM_ARRAY_TASK_ID`, `…_MIN`, `…_MAX`, `…_STEP` | `SLURM_ARRAY_TASK_COUNT` |
    ///
    /// # Errors
    /// When a value is no number or out of range, when half of a pair is missing, when two schedulers contradict each
    /// other, or in a job of GitHub Actions without `PKGFERRY_SHARD`; the message names the variables.
    pub fn auto(lookup: impl Fn(&str) -> Option<String>) -> Result<Option<Detected>, Error> {
        auto::detect(&lookup)
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
        let numbers = text.split_once('/').and_then(|(index, count)| Some((number(index)?, number(count)?)));
        let (index, count) = numbers.ok_or_else(|| InvalidShard::Form(text.to_owned()))?;
        Self::new(index, count)
    }
}

/// Digits and nothing else; Rust's own parser takes a sign too.
pub(crate) fn number(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// What `--shard` takes: `K/N`, or `auto`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShardChoice {
    /// The one that the environment names ([`Shard::auto`]).
    Auto,
    /// This one.
    Fixed(Shard),
}

impl FromStr for ShardChoice {
    type Err = InvalidShard;

    fn from_str(text: &str) -> Result<Self, InvalidShard> {
        if text == "auto" { Ok(Self::Auto) } else { text.parse().map(Self::Fixed) }
    }
}

/// As it is typed.
impl fmt::Display for ShardChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Fixed(shard) => shard.fmt(f),
        }
    }
}
