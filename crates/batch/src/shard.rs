//! Which packages are a shard's.

use pipeline::{FileName, InvalidShard, Shard};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use unicode_normalization::UnicodeNormalization as _;

/// The shard of `count` that a file name belongs to. It is exactly one, whatever recipe names the file, so shards never touch
/// the same package.
///
/// The name in NFC as UTF-8 is hashed with SHA-256; the first eight bytes of the hash, as a big-endian number, modulo
/// `count`, plus one, is the shard's number. This never changes: machines with different versions may share one list.
///
/// ```
/// use std::num::NonZeroU32;
/// let name = "Firefox-140.0.pkg".parse().unwrap();
/// // printf %s Firefox-140.0.pkg | sha256sum begins with cc1f05451790bac2, and that modulo 3 is 1.
/// assert_eq!(batch::shard_of(&name, NonZeroU32::new(3).unwrap()).to_string(), "2/3");
/// ```
#[must_use]
pub fn shard_of(name: &FileName, count: NonZeroU32) -> Shard {
    let normal: String = name.as_str().nfc().collect();
    let digest = Sha256::digest(normal.as_bytes());
    let number = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    Shard::of_number(number, count)
}

/// Whether the package with this file name is this shard's.
#[must_use]
pub fn takes(shard: Shard, name: &FileName) -> bool {
    shard_of(name, shard.divisor()) == shard
}

/// What `--shard` takes: `K/N`, or `auto`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShardChoice {
    /// The one that the environment names ([`detect_shard`](crate::detect_shard)).
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
