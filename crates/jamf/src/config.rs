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
        }
    }
}
