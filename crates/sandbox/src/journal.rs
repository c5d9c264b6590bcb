use jiff::Timestamp;
use serde::Serialize;
use std::sync::{Mutex, PoisonError};

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
    /// Status of the answer. Where there was none, on the S3 side: 499 if the client left before it, 444 if a fault kept it.
    pub status: u16,
    /// Bytes of the request's body.
    pub bytes_in: u64,
    /// Bytes of the answer's body.
    pub bytes_out: u64,
}

/// Calls that sign in and out; they change no record and no file.
const SIGN_IN: [&str; 5] = ["/api/v1/auth/", "/api/v1/oauth/", "/api/oauth/", "/auth/", "/oauth2/"];

impl Request {
    /// Whether it changes something other than a sign-in: anything but GET and HEAD, without the `auth` and `oauth` calls.
    #[must_use]
    pub fn is_write(&self) -> bool {
        let reads = matches!(self.method.as_str(), "GET" | "HEAD");
        let signs_in = self.side == Side::Jamf && SIGN_IN.iter().any(|prefix| self.path.starts_with(prefix));
        !reads && !signs_in
    }
}

/// The requests of both sides in the order of their answers.
#[derive(Debug, Default)]
pub(crate) struct Journal(Mutex<Vec<Request>>);

impl Journal {
    pub(crate) fn record(&self, request: Request) {
        self.with(|requests| requests.push(request));
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.with(|requests| requests.clone())
    }

    pub(crate) fn clear(&self) {
        self.with(Vec::clear);
    }

    fn with<T>(&self, work: impl FnOnce(&mut Vec<Request>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::{Request, Side};

    #[test]
    fn writes_are_told_from_reads_and_sign_ins() {
        let is_write = |side, method: &str, path: &str| {
            Request {
                time: jiff::Timestamp::UNIX_EPOCH,
                side,
                method: method.to_owned(),
                path: path.to_owned(),
                status: 200,
                bytes_in: 0,
                bytes_out: 0,
            }
            .is_write()
        };
        assert!(!is_write(Side::Jamf, "GET", "/api/v1/packages"));
        assert!(!is_write(Side::Jamf, "POST", "/api/v1/auth/token"));
        assert!(!is_write(Side::Jamf, "POST", "/api/oauth/token"));
        assert!(!is_write(Side::Jamf, "POST", "/auth/token"));
        assert!(!is_write(Side::Jamf, "POST", "/oauth2/token"));
        assert!(is_write(Side::Jamf, "POST", "/api/v1/jcds/files"));
        assert!(is_write(Side::Jamf, "DELETE", "/JSSResource/packages/id/1"));
        assert!(is_write(Side::S3, "PUT", "/bucket/api/v1/auth/"));
        assert!(!is_write(Side::Download, "HEAD", "/__cdn/1"));
    }
}
