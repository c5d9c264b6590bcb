use crate::{Config, Error, Request};
use pipeline::{Env, PackageId};

/// How to reach a running rehearsal server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// `http://127.0.0.1:PORT`.
    pub jss_url: String,
    /// An API client with all privileges.
    pub client_id: String,
    /// Its secret. Invented at start or fixed by the configuration; opens nothing but the rehearsal.
    pub client_secret: String,
    /// A user account with all privileges.
    pub username: String,
    /// Its password.
    pub password: String,
    /// `http://127.0.0.1:PORT`.
    pub s3_endpoint: String,
}

/// A file as the distribution service lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedFile {
    /// Name.
    pub name: String,
    /// Size in bytes.
    pub size: u64,
    /// MD5, lower-case hex.
    pub md5: String,
    /// SHA3-512, lower-case hex.
    pub sha3: String,
}

/// A running rehearsal server. Dropping it stops it.
pub struct Sandbox {}

impl Config {
    /// A current server in `data` on free loopback ports, with one user and one client that may do everything. Nothing
    /// is delayed, tokens live 30 minutes (user) and 60 seconds (client), grants an hour.
    #[must_use]
    pub fn new(_data: std::path::PathBuf, _clock: std::sync::Arc<dyn pipeline::Clock>) -> Self {
        todo!()
    }
}

impl Sandbox {
    /// Starts both sides; they serve until this value is dropped.
    pub async fn start(_config: Config) -> Result<Self, Error> {
        todo!()
    }

    /// How to reach it.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        todo!()
    }

    /// The connection as environment entries from [`Origin::Sandbox`](pipeline::Origin::Sandbox): `JSS_URL`, `CLIENT_ID`, `CLIENT_SECRET`,
    /// `PKGFERRY_S3_ENDPOINT`.
    #[must_use]
    pub fn env(&self) -> Env {
        todo!()
    }

    /// All requests since the start or since they were last cleared.
    #[must_use]
    pub fn journal(&self) -> Vec<Request> {
        todo!()
    }

    /// Forgets the requests so far.
    pub fn clear_journal(&self) {
        todo!()
    }

    /// Puts a file into the distribution service, listed at once, with or without a record.
    pub fn put_file(&self, _name: &str, _bytes: &[u8]) {
        todo!()
    }

    /// Puts a package record (full JSON of the Pro API, without id) into the server; the Classic API shows it too.
    /// Uniqueness is not checked, so that old servers' duplicates can be played.
    pub fn put_package(&self, _record: serde_json::Value) -> PackageId {
        todo!()
    }

    /// Puts a category into the server and gives its id.
    pub fn put_category(&self, _name: &str) -> u64 {
        todo!()
    }

    /// What the distribution service lists now.
    #[must_use]
    pub fn files(&self) -> Vec<ListedFile> {
        todo!()
    }

    /// The bytes of a listed file.
    #[must_use]
    pub fn bytes_of(&self, _name: &str) -> Option<Vec<u8>> {
        todo!()
    }

    /// All package records, as the Pro API shows them.
    #[must_use]
    pub fn packages(&self) -> Vec<serde_json::Value> {
        todo!()
    }

    /// Multipart uploads that were begun and neither completed nor aborted, as keys.
    #[must_use]
    pub fn open_uploads(&self) -> Vec<String> {
        todo!()
    }
}
