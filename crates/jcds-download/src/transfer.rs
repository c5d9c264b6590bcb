//! All ranges that are missing, side by side, each until it is there.

use crate::address::{AddressSource, Addresses, Lease};
use crate::problem::{Problem, in_full, place};
use crate::ranges::{Done, Range};
use crate::request::{self, Asked};
use crate::scratch::{self, Scratch};
use crate::write::Writer;
use crate::{Error, Options, disk};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use pipeline::{Activity, Context, Effect, FileName};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::Instant;

/// Tries in a row that bring a range no further.
const TRIES: u32 = 5;
/// Before the second try; each later pause is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// So many bytes have to come within the time after which a range counts as stalled; and a try that brought so many is
/// none that brought the range no further.
const LEAST: u64 = 16 << 10;
/// Bytes between two tellings of how far the download is.
const TELL_EVERY: u64 = 1 << 20;

/// A download on its way.
pub(crate) struct Transfer<'a, S> {
    pub addresses: Addresses<'a, S>,
    pub scratch: &'a Scratch,
    pub file: &'a FileName,
    pub size: u64,
    pub options: &'a Options,
    pub cx: &'a Context,
    pub meter: Meter,
    /// What is in place, and how much of it from the beginning on.
    pub done: Mutex<Done>,
    pub ready: watch::Sender<u64>,
}

/// Bytes that have come, those of earlier runs included.
pub(crate) struct Meter {
    pub come: AtomicU64,
    pub told: AtomicU64,
}

impl<S: AddressSource> Transfer<'_, S> {
    /// Fetches what is missing.
    pub(crate) async fn run(&self) -> Result<(), Error> {
        let done = self.done().clone();
        self.tell();
        stream::iter(done.missing())
            .map(|range| self.range(range))
            .buffer_unordered(self.options.concurrency.get())
            .try_collect::<()>()
            .await?;
        self.tell();
        Ok(())
    }

    pub(crate) fn done(&self) -> MutexGuard<'_, Done> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fetches one range: again and again from where it stopped, as long as that brings it on.
    async fn range(&self, range: Range) -> Result<(), Error> {
        let (mut at, mut refused) = (range.start, None);
        // Where the last try that brought something ended, the tries since then, and whether one was refused.
        let (mut mark, mut made, mut renewed) = (at, 0, false);
        while at < range.end {
            let lease = self.addresses.lease(refused).await?;
            let Some(problem) = self.attempt(&lease, range, &mut at).await? else { continue };
            if at >= mark + LEAST {
                (mark, made, renewed) = (at, 0, false);
            }
            if problem.is_refusal() {
                refused = Some(lease.number);
                // Addresses end; another one may be had at once.
                if !std::mem::replace(&mut renewed, true) {
                    self.cx.info(format!("{}; asking for a new address", in_full(&problem)));
                    continue;
                }
            }
            made += 1;
            if made == TRIES || !problem.may_pass() {
                return Err(Error::Range {
                    file: self.file.clone(),
                    start: range.start,
                    end: range.end,
                    source: Box::new(problem),
                });
            }
            let pause = problem.ordered_pause().unwrap_or_else(|| backoff(made, fastrand::f64()));
            self.cx.warn(format!(
                "{} of {}: {}; going on in {:.1} s (try {} of {TRIES})",
                place(at, range.end),
                self.file,
                in_full(&problem),
                pause.as_secs_f64(),
                made + 1
            ));
            self.cx.clock().sleep(pause).await;
        }
        self.note(range).await
    }

    /// One request. Moves `at` to the first byte that has not come; what has come is in the file. Gives what went wrong on
    /// the way.
    async fn attempt(&self, lease: &Lease, range: Range, at: &mut u64) -> Result<Option<Problem>, Error> {
        let asked = Asked { start: *at, end: range.end, size: self.size };
        self.cx.boundary().pass(Effect::Read, "GET", lease.url.path())?;
        let response = match request::send(lease, asked, self.addresses.limits).await {
            Ok(response) => response,
            Err(problem) => return Ok(Some(problem)),
        };
        let mut writer = Writer::new(Arc::clone(self.scratch.part()), *at);
        let problem = self.receive(response, &mut writer, &lease.host, asked, at).await;
        let (problem, written) = match problem {
            Ok(problem) => (problem, writer.finish().await),
            Err(error) => (None, Err(error)),
        };
        written.map_err(|error| self.not_written(error))?;
        Ok(problem)
    }

    /// Takes the body. A body is stalled when next to nothing of it comes for a while, however long it takes in all.
    async fn receive(
        &self,
        mut response: reqwest::Response,
        writer: &mut Writer,
        host: &str,
        asked: Asked,
        at: &mut u64,
    ) -> io::Result<Option<Problem>> {
        let limit = self.options.stall;
        let (mut deadline, mut least) = (Instant::now() + limit, *at + LEAST);
        while *at < asked.end {
            let chunk = match tokio::time::timeout_at(deadline, response.chunk()).await {
                Ok(Ok(Some(chunk))) => chunk,
                Ok(Ok(None)) => {
                    let (got, asked) = (*at - asked.start, asked.length());
                    return Ok(Some(Problem::Short { host: host.to_owned(), got, asked }));
                }
                Ok(Err(source)) => return Ok(Some(request::broken(host, source))),
                Err(_) => return Ok(Some(Problem::Stalled { host: host.to_owned(), limit })),
            };
            let length = chunk.len() as u64;
            if length > asked.end - *at {
                return Ok(Some(Problem::Long { host: host.to_owned(), asked: asked.length() }));
            }
            let waited = writer.take(chunk).await?;
            *at += length;
            self.count(length);
            // The network is not to blame for a slow disk.
            if waited || *at >= least {
                (deadline, least) = (Instant::now() + limit, *at + LEAST);
            }
        }
        // An answer that did not say how long it is may go on. One that does not end is as good: all of it is here.
        match tokio::time::timeout_at(deadline, response.chunk()).await {
            Ok(Ok(Some(_))) => Ok(Some(Problem::Long { host: host.to_owned(), asked: asked.length() })),
            _ => Ok(None),
        }
    }

    /// Notes in the journal that a range is in place; not before it is.
    async fn note(&self, range: Range) -> Result<(), Error> {
        let journal = Arc::clone(self.scratch.journal());
        let noted = spawn_blocking(move || scratch::note(&journal, range.index)).await;
        let noted = noted.unwrap_or_else(|error| Err(io::Error::other(error)));
        noted.map_err(disk::failed("write", &self.scratch.paths().journal))?;
        let mut done = self.done();
        done.mark(range.index);
        self.ready.send_replace(done.prefix());
        Ok(())
    }

    fn not_written(&self, error: io::Error) -> Error {
        let path = &self.scratch.paths().part;
        if disk::is_about_room(error.kind()) {
            return Error::NoRoom {
                path: path.clone(),
                size: self.size,
                available: None,
                source: Some(error),
            };
        }
        disk::failed("write", path)(error)
    }

    fn count(&self, bytes: u64) {
        let come = self.meter.come.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if come >= self.meter.told.load(Ordering::Relaxed) + TELL_EVERY {
            self.tell();
        }
    }

    fn tell(&self) {
        let come = self.meter.come.load(Ordering::Relaxed);
        self.meter.told.store(come, Ordering::Relaxed);
        self.cx.progress(Activity::Downloading, come, self.size);
    }
}

/// The pause after this many tries: doubled each time, then cut at random (from 0 to 1) to between half and all of it, so
/// that ranges which failed together do not come back together.
fn backoff(made: u32, random: f64) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(made.saturating_sub(1)));
    doubled.min(LONGEST_PAUSE).mul_f64(0.5 + random / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_jitter() {
        for (made, seconds) in [(1, 1.0), (2, 2.0), (3, 4.0), (5, 16.0), (9, 30.0)] {
            assert_eq!(backoff(made, 0.0).as_secs_f64(), seconds / 2.0);
            assert_eq!(backoff(made, 1.0).as_secs_f64(), seconds);
        }
    }
}
