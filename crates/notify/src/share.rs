use pipeline::{ExposeSecret as _, Secret};
use std::fmt;

/// What stands in the address of a heartbeat for the part of the packages that a run takes.
const PLACE: &str = "{shard}";

/// Which part of the packages a run takes, as the address of a heartbeat says it.
///
/// Runs that divide the packages among them and ping one address cover for each other: the silence of one is not noticed. So
/// `https://hc-ping.com/KEY/nightly-{shard}` becomes an address of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// All of them: `all`.
    All,
    /// Those of one shard: `2-of-4`.
    Shard {
        /// Its number, counted from 1.
        index: u32,
        /// How many there are.
        count: u32,
    },
}

impl Share {
    /// The share of a shard. The only one of one has all packages, whatever the scheduler calls it.
    #[must_use]
    pub fn of(index: u32, count: u32) -> Self {
        if count == 1 { Self::All } else { Self::Shard { index, count } }
    }

    /// The address with this share in the place of each `{shard}`.
    pub(crate) fn put_into(self, address: &Secret) -> Secret {
        Secret::from(address.expose_secret().replace(PLACE, &self.to_string()))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Shard { index, count } => write!(f, "{index}-of-{count}"),
        }
    }
}
