use std::time::Duration;
use uuid::Uuid;

/// The gateway of the Platform API, to be played in front of the Jamf side (`jamf-pro-api.md §14`).
///
/// The addresses of the server itself are then absent, and so are the calls that sign a user in: only API clients get in,
/// over the token path of the gateway. Signed download addresses, and S3, are reached directly all the same. What answers
/// call `href` names the server behind the gateway, as it does in reality, and cannot be followed.
///
/// ```
/// # let clock = std::sync::Arc::new(pipeline::SimulatedClock::at("2026-11-20T12:00:00Z".parse()?));
/// use sandbox::{Config, Gateway};
///
/// let mut config = Config::new("data".into(), clock);
/// config.gateway = Some(Gateway::new("1f0e2d3c-4b5a-4978-8a9b-0c1d2e3f4a5b".parse()?));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// A running server tells the addresses in [`Connection::gateway`](crate::Connection::gateway).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// Id of the one tenant, or of the platform environment, that the gateway leads to. Another one is refused.
    pub tenant: Uuid,
    /// How a request says which tenant it means.
    pub addressing: Addressing,
    /// Where API clients get their tokens.
    pub token_path: TokenPath,
    /// Life of a token. [`Config::client_token_life`](crate::Config::client_token_life) does not count here.
    pub token_life: Duration,
    /// Requests that a client has in each window; after these it gets 429. Sign-ins are not counted.
    pub budget: u32,
    /// How long a window is. It begins with the first request after the one before.
    pub window: Duration,
}

impl Gateway {
    /// As `§14` has it: the tenant in the path, `/auth/token`, and 100 requests a second; tokens live 900 seconds, as Jamf's
    /// guide to moving an integration to the gateway says.
    #[must_use]
    pub fn new(tenant: Uuid) -> Self {
        Self {
            tenant,
            addressing: Addressing::TenantInPath,
            token_path: TokenPath::Auth,
            token_life: Duration::from_secs(900),
            budget: 100,
            window: Duration::from_secs(1),
        }
    }

    /// How to reach it at `base`, which ends without a slash.
    pub(crate) fn connection(&self, base: &str) -> GatewayConnection {
        let tenant = self.tenant;
        let (pro_url, classic_url) = match self.addressing {
            Addressing::TenantInPath => (
                format!("{base}/api/pro/v1/tenant/{tenant}"),
                format!("{base}/api/proclassic/tenant/{tenant}"),
            ),
            Addressing::TenantHeader | Addressing::EnvironmentHeader => {
                (format!("{base}/pro/v1"), format!("{base}/proclassic"))
            }
        };
        GatewayConnection {
            token_url: format!("{base}{}", self.token_path.as_str()),
            pro_url,
            classic_url,
            header: self.addressing.header().map(|name| (name, tenant.to_string())),
        }
    }
}

/// How a request says which tenant it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addressing {
    /// `/api/pro/v1/tenant/{tenant}/packages`, as `§14` has it. This was the public beta.
    TenantInPath,
    /// `/pro/v1/packages` with the header `X-Tenant-Id`. The API is so since its release on 2026-09-03 (developer.jamf.com,
    /// moving an existing integration to the Platform API gateway; jamfplatform-go-sdk, docs/WIRE-FACTS.md), which `§14`
    /// does not tell yet.
    TenantHeader,
    /// The same with `X-Environment-Id`, which Jamf prefers now.
    EnvironmentHeader,
}

impl Addressing {
    /// The header that carries it, in lower case.
    #[must_use]
    pub fn header(self) -> Option<&'static str> {
        match self {
            Self::TenantInPath => None,
            Self::TenantHeader => Some("x-tenant-id"),
            Self::EnvironmentHeader => Some("x-environment-id"),
        }
    }
}

/// Where API clients get their tokens: clients and the published schema disagree (`§14`, `§19.15`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenPath {
    /// `/auth/token`, as all clients have it.
    Auth,
    /// `/oauth2/token`, as the schema has it.
    OAuth2,
}

impl TokenPath {
    /// The path.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "/auth/token",
            Self::OAuth2 => "/oauth2/token",
        }
    }
}

/// How to reach the Jamf side through its gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayConnection {
    /// Where an API client posts its form for a token.
    pub token_url: String,
    /// What stands in the place of `{jss_url}/api/v1`, without a slash at its end.
    pub pro_url: String,
    /// What stands in the place of `{jss_url}/JSSResource`, without a slash at its end.
    pub classic_url: String,
    /// Name and value of the header that each call has to carry, if the path does not name the tenant.
    pub header: Option<(&'static str, String)>,
}
