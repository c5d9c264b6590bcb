use crate::schema;
use crate::version::Version;
use crate::{Account, DistributionPoint, Fault, Gateway, JcdsGone, Observer};
use pipeline::Clock;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What kind of server to play.
#[derive(Clone)]
pub struct Config {
    /// Time; shared with the client in tests.
    pub clock: Arc<dyn Clock>,
    /// Folder for uploaded files and the database of records. It is made if missing, and what is in it is found again.
    pub data: PathBuf,
    /// Where the Jamf Pro side listens; port 0 takes a free one.
    pub jamf: SocketAddr,
    /// Where the S3 side listens; port 0 takes a free one.
    pub s3: SocketAddr,
    /// From the completion of an upload until the file is listed.
    pub listed_after: Duration,
    /// From the listing until the record tells of the file and says `READY` (a refresh for that file name does it at
    /// once).
    pub ready_after: Duration,
    /// From the listing until the size of the file is known. Its hashes are known at once: a record that learns of the
    /// file before this has passed tells the new hashes beside the old size, and is `PENDING` until the size follows.
    pub hash_before_size: Duration,
    /// How long a refresh for a file name takes before it answers.
    pub refresh_takes: Duration,
    /// How far the other nodes are behind: a request without the cookie of a load balancer reads package records as they
    /// were this long ago. Zero: there is one node.
    pub stale_reads: Duration,
    /// The cloud distribution point. JCDS calls reach something if it is Jamf's own.
    pub distribution_point: DistributionPoint,
    /// Whether JCDS calls are no longer there, and how that is told. `None` is as the version has it: all that are known have
    /// them, and 12.0 is taken to be the first without.
    pub jcds_gone: Option<JcdsGone>,
    /// Whether `/api/schema/` is served.
    pub serves_schema: bool,
    /// Faults that are armed from the start; more can be [injected](crate::Sandbox::inject) while it runs.
    pub faults: Vec<Fault>,
    /// Life of a user's token.
    pub user_token_life: Duration,
    /// Life of an API client's token.
    pub client_token_life: Duration,
    /// Life of upload credentials.
    pub grant_life: Duration,
    /// Life of a download address.
    pub download_life: Duration,
    /// The version that the server reports and behaves like: `11.30.1`.
    pub version: String,
    /// Who may sign in.
    pub accounts: Vec<Account>,
    /// The gateway of the Platform API to play in front of the Jamf side (`jamf-pro-api.md §14`); `None` plays the server
    /// itself. `config.gateway = Some(Gateway::new(tenant))` switches it on, its fields set the limit and the rest, and
    /// [`Connection::gateway`](crate::Connection::gateway) of the running server tells the addresses.
    pub gateway: Option<Gateway>,
    /// Who hears of every exchange of the Jamf side.
    pub observer: Option<Arc<dyn Observer>>,
}

impl Config {
    /// A current server with the distribution service in `data` on free loopback ports, with one user and one client that
    /// may do everything. Nothing is delayed or stale; tokens live 30 minutes (user) and 60 seconds (client), grants and
    /// download addresses an hour.
    #[must_use]
    pub fn new(data: PathBuf, clock: Arc<dyn Clock>) -> Self {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            clock,
            data,
            jamf: loopback,
            s3: loopback,
            listed_after: Duration::ZERO,
            ready_after: Duration::ZERO,
            hash_before_size: Duration::ZERO,
            refresh_takes: Duration::ZERO,
            stale_reads: Duration::ZERO,
            distribution_point: DistributionPoint::JAMF_CLOUD,
            jcds_gone: None,
            serves_schema: true,
            faults: Vec::new(),
            user_token_life: Duration::from_secs(30 * 60),
            client_token_life: Duration::from_secs(60),
            grant_life: Duration::from_secs(60 * 60),
            download_life: Duration::from_secs(60 * 60),
            version: "11.30.1".to_owned(),
            accounts: vec![
                Account::user("rehearsal-user", &random_secret()),
                Account::client("rehearsal-client", &random_secret()),
            ],
            gateway: None,
            observer: None,
        }
    }

    /// What the server publishes about its calls, as `/api/schema/` serves it: the reduced schema of Jamf Pro (OpenAPI 3.0)
    /// as far as the version and [`jcds_gone`](Self::jcds_gone) leave the calls there.
    ///
    /// # Errors
    /// When the version is none.
    pub fn schema(&self) -> Result<serde_json::Value, Error> {
        let version = self.parsed_version()?;
        let has_jcds = self.jcds_gone.is_none() && version.has_jcds();
        schema::of(version, &self.version, has_jcds).map_err(Error::Schema)
    }

    /// What the version says about behaviour.
    pub(crate) fn parsed_version(&self) -> Result<Version, Error> {
        self.version.parse().map_err(|()| Error::Version { text: self.version.clone() })
    }
}

fn random_secret() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// The rehearsal server could not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A folder or file of its data could not be used.
    #[error("cannot use {path}")]
    Data {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The version in the configuration is none.
    #[error("{text:?} is not a version of Jamf Pro: it takes numbers like 11.30.1")]
    Version {
        /// What was given.
        text: String,
    },
    /// The schema inside is broken.
    #[error("the schema of Jamf Pro cannot be read")]
    Schema(#[source] serde_json::Error),
    /// A port could not be opened.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}
