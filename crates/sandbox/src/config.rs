use crate::version::Version;
use crate::{Fault, Gateway};
use pipeline::Clock;
use std::fmt;
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
    /// Whether the distribution service is set up. Without it there is no cloud distribution point at all.
    pub jcds: bool,
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
            jcds: true,
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
        }
    }

    /// What the version says about behaviour.
    pub(crate) fn parsed_version(&self) -> Result<Version, Error> {
        self.version.parse().map_err(|()| Error::Version { text: self.version.clone() })
    }
}

fn random_secret() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// A user account or an API client.
#[derive(Clone)]
pub struct Account {
    /// User name or client id.
    pub id: String,
    /// Password or client secret.
    pub secret: String,
    /// Whether it is an API client.
    pub is_client: bool,
    /// What it may do.
    pub privileges: Vec<Privilege>,
}

impl Account {
    /// A user account that may do everything.
    #[must_use]
    pub fn user(name: &str, password: &str) -> Self {
        Self {
            id: name.to_owned(),
            secret: password.to_owned(),
            is_client: false,
            privileges: Privilege::ALL.to_vec(),
        }
    }

    /// An API client that may do everything.
    #[must_use]
    pub fn client(id: &str, secret: &str) -> Self {
        Self { is_client: true, ..Self::user(id, secret) }
    }

    /// The same account without one privilege.
    #[must_use]
    pub fn without(mut self, privilege: Privilege) -> Self {
        self.privileges.retain(|held| *held != privilege);
        self
    }
}

/// Without the secret.
impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("id", &self.id)
            .field("is_client", &self.is_client)
            .field("privileges", &self.privileges)
            .finish_non_exhaustive()
    }
}

/// A privilege, as far as the calls here need it (`jamf-pro-api.md §16`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Privilege {
    /// Read Packages.
    ReadPackages,
    /// Create Packages.
    CreatePackages,
    /// Update Packages.
    UpdatePackages,
    /// Delete Packages.
    DeletePackages,
    /// Read Categories.
    ReadCategories,
    /// Create Categories.
    CreateCategories,
    /// Update Categories.
    UpdateCategories,
    /// Delete Categories.
    DeleteCategories,
    /// Read Jamf Cloud Distribution Service Files.
    ReadJcdsFiles,
    /// Create Jamf Cloud Distribution Service Files.
    CreateJcdsFiles,
    /// Delete Jamf Cloud Distribution Service Files.
    DeleteJcdsFiles,
    /// Read Cloud Distribution Point.
    ReadDistributionPoint,
    /// Update Cloud Distribution Point.
    UpdateDistributionPoint,
}

impl Privilege {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::ReadPackages,
        Self::CreatePackages,
        Self::UpdatePackages,
        Self::DeletePackages,
        Self::ReadCategories,
        Self::CreateCategories,
        Self::UpdateCategories,
        Self::DeleteCategories,
        Self::ReadJcdsFiles,
        Self::CreateJcdsFiles,
        Self::DeleteJcdsFiles,
        Self::ReadDistributionPoint,
        Self::UpdateDistributionPoint,
    ];

    /// The name that Jamf Pro shows.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadPackages => "Read Packages",
            Self::CreatePackages => "Create Packages",
            Self::UpdatePackages => "Update Packages",
            Self::DeletePackages => "Delete Packages",
            Self::ReadCategories => "Read Categories",
            Self::CreateCategories => "Create Categories",
            Self::UpdateCategories => "Update Categories",
            Self::DeleteCategories => "Delete Categories",
            Self::ReadJcdsFiles => "Read Jamf Cloud Distribution Service Files",
            Self::CreateJcdsFiles => "Create Jamf Cloud Distribution Service Files",
            Self::DeleteJcdsFiles => "Delete Jamf Cloud Distribution Service Files",
            Self::ReadDistributionPoint => "Read Cloud Distribution Point",
            Self::UpdateDistributionPoint => "Update Cloud Distribution Point",
        }
    }
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
    /// A port could not be opened.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}
