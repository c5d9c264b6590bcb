//! Connections that are opened before parts need them: shaking hands takes three round trips, and an upload has to wait for
//! the answer to its first request anyway.

use crate::bucket::Bucket;
use jiff::{SignedDuration, Timestamp};
use pipeline::Context;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::task::JoinSet;

/// How long nobody may have used a connection that is counted on. The client itself keeps one for 90 s; how long S3 does is
/// nowhere said.
const IDLE: SignedDuration = SignedDuration::from_secs(10);

/// Connections by the host that they lead to, as far as uploads count on them. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines {
    hosts: Arc<Mutex<HashMap<String, Line>>>,
}

/// Connections to one host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Line {
    open: usize,
    /// How many of them uploads are using.
    claimed: usize,
    used: Timestamp,
}

impl Line {
    /// Claims connections for an upload. Gives whether some of them are yet to be opened.
    fn claim(&mut self, wanted: usize, now: Timestamp) -> bool {
        if self.claimed == 0 && now.duration_since(self.used) > IDLE {
            self.open = 0;
        }
        self.claimed += wanted;
        let missing = self.open < self.claimed;
        self.open = self.open.max(self.claimed);
        self.used = now;
        missing
    }

    fn release(&mut self, claimed: usize, now: Timestamp) {
        self.claimed = self.claimed.saturating_sub(claimed);
        self.used = now;
    }
}

impl Lines {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Line>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has as many connections opened as an upload begins with, while it begins; one of them it opens by itself. An upload that
    /// begins with one has none opened. Nobody waits for them, and what fails is left to the parts to tell. To be kept until the
    /// upload ends.
    pub(crate) fn warm(&self, bucket: &Bucket, wanted: usize, cx: &Context) -> Warm {
        let (host, now) = (bucket.host().to_owned(), cx.clock().now());
        let mut knocking = JoinSet::new();
        let wanted = if wanted > 1 { wanted } else { 0 };
        if wanted > 0 && self.lock().entry(host.clone()).or_default().claim(wanted, now) {
            // Those that are open take part, since each carries one request at a time.
            for _ in 1..wanted {
                let bucket = bucket.clone();
                knocking.spawn(async move { bucket.knock().await });
            }
        }
        Warm { lines: self.clone(), host, claimed: wanted, cx: cx.clone(), _knocking: knocking }
    }
}

/// Connections that an upload counts on.
pub(crate) struct Warm {
    lines: Lines,
    host: String,
    claimed: usize,
    cx: Context,
    /// Ends with the upload.
    _knocking: JoinSet<()>,
}

impl Drop for Warm {
    fn drop(&mut self) {
        if let Some(line) = self.lines.lock().get_mut(&self.host) {
            line.release(self.claimed, self.cx.clock().now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_not_there_is_opened() {
        let mut line = Line::default();
        let at = |seconds: i64| Timestamp::from_second(1_700_000_000 + seconds).unwrap();
        assert!(line.claim(3, at(0)), "the first upload");
        assert!(line.claim(3, at(1)), "another one beside it");
        line.release(3, at(60));
        assert!(!line.claim(2, at(60)), "one after it");
        assert!(!line.claim(1, at(60)));
        assert!(line.claim(1, at(60)), "all six are in use");
        for claimed in [3, 2, 1, 1] {
            line.release(claimed, at(100));
        }
        assert!(!line.claim(7, at(110)));
        line.release(7, at(110));
        assert!(line.claim(2, at(121)), "nobody used them for a while");
    }
}
