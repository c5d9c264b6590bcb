use jiff::Timestamp;
use serde::Serialize;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

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
pub(crate) struct Journal {
    requests: Mutex<Vec<Request>>,
    changed: Condvar,
}

impl Journal {
    pub(crate) fn record(&self, request: Request) {
        self.lock().push(request);
        self.changed.notify_all();
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.lock().clone()
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
        self.changed.notify_all();
    }

    /// Whether it came to be so within the time. Blocks.
    pub(crate) fn wait_for(&self, timeout: Duration, mut is_so: impl FnMut(&[Request]) -> bool) -> bool {
        let is_missing = |requests: &mut Vec<Request>| !is_so(requests);
        let waited = self.changed.wait_timeout_while(self.lock(), timeout, is_missing);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Request>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Journal, Request, Side};
    use std::time::Duration;

    fn request(side: Side, method: &str, path: &str) -> Request {
        Request {
            time: jiff::Timestamp::UNIX_EPOCH,
            side,
            method: method.to_owned(),
            path: path.to_owned(),
            status: 200,
            bytes_in: 0,
            bytes_out: 0,
        }
    }

    #[test]
    fn who_waits_is_woken_by_what_is_recorded_and_by_what_is_forgotten() {
        let (journal, long) = (Journal::default(), Duration::from_secs(60));
        let mut looks = 0;
        std::thread::scope(|scope| {
            let third = scope.spawn(|| {
                journal.wait_for(long, |requests| {
                    looks += 1;
                    requests.len() == 3
                })
            });
            for path in ["/1", "/2", "/3"] {
                journal.record(request(Side::Jamf, "GET", path));
            }
            assert!(third.join().unwrap());
            let none = scope.spawn(|| journal.wait_for(long, <[Request]>::is_empty));
            journal.clear();
            assert!(none.join().unwrap());
        });
        assert!((1..=4).contains(&looks), "{looks} looks at three requests");
    }

    #[test]
    fn nobody_waits_for_longer_than_was_said() {
        let journal = Journal::default();
        assert!(!journal.wait_for(Duration::from_millis(1), |requests| !requests.is_empty()));
        // What is so already needs no time.
        assert!(journal.wait_for(Duration::ZERO, <[Request]>::is_empty));
    }

    #[test]
    fn writes_are_told_from_reads_and_sign_ins() {
        let is_write = |side, method, path| request(side, method, path).is_write();
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
