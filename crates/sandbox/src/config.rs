use pipeline::Clock;
use std::net::SocketAddr;
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
    /// From the listing until the record says `READY` (a refresh for that file name does it at once).
    pub ready_after: Duration,
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
}

/// A user account or an API client.
#[derive(Clone, Debug)]
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
    /// A port could not be opened.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}
