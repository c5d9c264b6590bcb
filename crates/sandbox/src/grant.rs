//! Where the two sides meet: what S3 has to know from Jamf Pro, and what Jamf Pro learns from S3.

use crate::Request;
use crate::faults::Faults;
use jiff::Timestamp;
use pipeline::BoxFuture;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Credentials as the Jamf side handed them out.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Grant {
    pub access_key_id: String,
    pub secret_access_key: String,
    pub session_token: String,
    pub expiration: Timestamp,
    pub region: String,
    pub bucket: String,
    /// Prefix that the keys of objects must have; ends in `/`.
    pub path: String,
    /// Another such prefix, if it opens two.
    pub other_path: Option<String>,
}

impl Grant {
    /// Whether a key, or a prefix of keys, lies in what it opens.
    pub(crate) fn opens(&self, key: &str) -> bool {
        key.starts_with(&self.path) || self.other_path.as_ref().is_some_and(|other| key.starts_with(other))
    }
}

/// Without the two secrets.
impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("access_key_id", &self.access_key_id)
            .field("expiration", &self.expiration)
            .field("bucket", &self.bucket)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// An object that was completed (multipart) or put (single).
#[derive(Debug)]
pub(crate) struct Landed {
    /// Its key, prefix included.
    pub key: String,
    /// A file inside the data folder, owned by the receiver from now on.
    pub blob: PathBuf,
    pub size: u64,
    pub md5: [u8; 16],
    pub sha3: [u8; 64],
}

/// What the S3 side asks and tells.
pub(crate) trait Desk: Send + Sync + 'static {
    /// The time.
    fn now(&self) -> Timestamp;
    /// Lets time pass.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
    /// What goes wrong on request.
    fn faults(&self) -> &Faults;
    /// The grant with this access key id. Expired ones are found too: S3 answers those with `ExpiredToken`.
    fn grant(&self, access_key_id: &str) -> Option<Grant>;
    /// An object is complete.
    fn landed(&self, object: Landed);
    /// Writes the journal.
    fn record(&self, request: Request);
}
