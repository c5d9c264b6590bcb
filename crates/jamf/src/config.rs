use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

/// How a client behaves, whatever server it talks to.
#[derive(Clone, Debug)]
pub struct Config {
    /// Sent with every request: `pkgferry/0.1.0`.
    pub user_agent: String,
    /// Seed of the jitter, so that a test can fix it.
    pub seed: u64,
    /// Phases that are limited in time. There is no limit on a whole request.
    pub timeouts: Timeouts,
    /// When a failed request is sent again.
    pub retry: Retry,
    /// How records and categories are looked up.
    pub listing: Listing,
    /// What outlasts the run. Without it calls are held only against what was asked of a server anyway, since its schema
    /// is megabytes.
    pub notes: Option<Arc<dyn Notes>>,
}

/// How a session looks up package records and categories.
///
/// The Classic API cannot search by file name, so there all records are read in either case (`jamf-pro-api.md §6.4`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Listing {
    /// Each name is asked for by itself, with a filter, and asked for again after any write: for a handful of packages.
    #[default]
    ByName,
    /// All records are listed once, and all categories: for many packages. What the session writes is known anew by itself, and
    /// the listing stays. So it says what was there when it was made: what somebody else changes later is noticed where
    /// something is written (see [`Session`](crate::Session)).
    Whole,
}

/// What is kept between runs: what a server of one version says about its calls. Nothing in it is secret, and nothing is
/// lost with it but a request. Whoever keeps it handles trouble on its own: what cannot be read is not there.
pub trait Notes: Send + Sync + Debug {
    /// What was put under this key.
    fn get(&self, key: &str) -> Option<String>;
    /// Keeps a value, some ten thousand bytes long, in the place of an earlier one.
    fn put(&self, key: &str, value: &str);
}

/// Limits on phases of a request (`jamf-pro-api.md §13.4`).
#[derive(Clone, Debug)]
pub struct Timeouts {
    /// Until the connection stands, TLS included.
    pub connect: Duration,
    /// From the end of the request to the first byte of the answer.
    pub header: Duration,
    /// Between two bytes of the answer.
    pub idle: Duration,
}

/// Retries of what is safe to repeat (`jamf-pro-api.md §13.3`).
#[derive(Clone, Debug)]
pub struct Retry {
    /// Tries in all, the first included.
    pub tries: u32,
    /// The first pause; each later one is twice as long, with jitter.
    pub base: Duration,
    /// No pause is longer, unless the server asks for it with `Retry-After`.
    pub longest: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            user_agent: concat!("pkgferry/", env!("CARGO_PKG_VERSION")).to_owned(),
            seed: 0,
            timeouts: Timeouts {
                connect: Duration::from_secs(10),
                header: Duration::from_secs(60),
                idle: Duration::from_secs(60),
            },
            retry: Retry { tries: 4, base: Duration::from_secs(2), longest: Duration::from_secs(30) },
            listing: Listing::default(),
            notes: None,
        }
    }
}
