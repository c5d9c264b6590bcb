use jiff::Timestamp;
use pipeline::{Md5, Secret, Sha3_512};

/// A file in the distribution service (`jamf-pro-api.md §7.1`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JcdsFile {
    /// Its name, as the server spells it.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its MD5, if the list has one that is well-formed.
    pub md5: Option<Md5>,
    /// Its SHA3-512, if the list has one that is well-formed.
    pub sha3_512: Option<Sha3_512>,
}

/// Temporary credentials for one upload (`jamf-pro-api.md §7.2`). Every field is filled; a 2xx with empty fields is an error.
#[derive(Clone, Debug)]
pub struct UploadGrant {
    /// Access key id.
    pub access_key_id: String,
    /// Secret key.
    pub secret_access_key: Secret,
    /// Session token.
    pub session_token: Secret,
    /// When the three end.
    pub expiration: Timestamp,
    /// AWS region.
    pub region: String,
    /// Bucket.
    pub bucket: String,
    /// Key prefix, ends in exactly one `/`.
    pub path: String,
}

/// What a deletion found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// It was there.
    Deleted,
    /// It was not there (404): as good as deleted (`jamf-pro-api.md §13.3`).
    WasAbsent,
}
