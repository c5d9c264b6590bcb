use jiff::Timestamp;
use serde::Serialize;

/// Which side a request came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Jamf Pro.
    Jamf,
    /// S3.
    S3,
    /// Signed download addresses.
    Download,
}

/// One answered request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Request {
    /// When it came.
    pub time: Timestamp,
    /// Which side it came to.
    pub side: Side,
    /// Method.
    pub method: String,
    /// Path and query, as sent (still percent-encoded).
    pub path: String,
    /// Status of the answer.
    pub status: u16,
    /// Bytes of the request's body.
    pub bytes_in: u64,
    /// Bytes of the answer's body.
    pub bytes_out: u64,
}

impl Request {
    /// Whether it changes something other than a sign-in: anything but GET and HEAD, without the `auth` and `oauth` calls.
    #[must_use]
    pub fn is_write(&self) -> bool {
        todo!()
    }
}
