//! All parts of a file, side by side, each until it is there.

use crate::Error;
use crate::bucket::{Bucket, SentPart, Upload};
use crate::local::LocalFile;
use crate::parts::{Part, PartPlan};
use crate::s3_error::in_full;
use aws_sdk_s3::primitives::{ByteStream, Length, SdkBody};
use futures_util::{StreamExt as _, TryStreamExt as _};
use http_body_util::BodyExt as _;
use jiff::SignedDuration;
use pipeline::{Activity, Context, FileName};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Reads of this size cost a quarter of what 4 KiB reads cost (`baselines.md §2`).
const BUFFER: usize = 256 * 1024;

/// Tries of a part in all. S3 itself says: back off and send again (`jamf-pro-api.md §9.5`).
const TRIES: u32 = 8;
/// Before the second try; each later pause is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// How long one part is tried in all, and by how many bytes a second a larger one is given longer. What is begun is not cut
/// off by it, so that it is no limit for slow lines; but an S3 that never answers ends the upload in minutes, not in hours.
const PATIENCE: SignedDuration = SignedDuration::from_mins(10);
const PACE: u64 = 64 * 1024;
/// A try of which no byte moves and no answer comes for this long is given up. Less would take a slow line, on which the
/// system still holds the last bytes, for a dead one.
const SILENCE: Duration = Duration::from_secs(120);

/// The parts of one upload on their way.
pub(crate) struct Sending<'a> {
    pub bucket: &'a Bucket,
    pub upload: &'a Upload,
    pub file: &'a LocalFile,
    pub name: &'a FileName,
    pub plan: PartPlan,
    pub cx: &'a Context,
}

impl Sending<'_> {
    /// Sends all parts, `at_once` of them at a time, and gives them in order.
    pub(crate) async fn run(self, at_once: usize) -> Result<Vec<SentPart>, Error> {
        let total = self.plan.file();
        let meter = Arc::new(Meter { cx: self.cx.clone(), sent: AtomicU64::new(0), total });
        let sending = self.plan.parts().map(|part| {
            let meter = Arc::new(PartMeter { meter: Arc::clone(&meter), part, counted: AtomicU64::new(0) });
            self.send(part, meter)
        });
        let mut sent: Vec<SentPart> =
            futures_util::stream::iter(sending).buffer_unordered(at_once).try_collect().await?;
        sent.sort_unstable_by_key(|part| part.number);
        Ok(sent)
    }

    /// Sends one part until S3 has it. The SDK would repeat it too, but without a word, on a clock of its own, and not when
    /// the bytes were damaged on the way.
    async fn send(&self, part: Part, meter: Arc<PartMeter>) -> Result<SentPart, Error> {
        let (number, count) = (part.number, self.plan.count());
        let end = self.cx.clock().now() + patience(part);
        let mut made = 0;
        loop {
            // Before every try, so that hours are not spent on a file that is not the planned one any more.
            self.file.check_unchanged()?;
            let body = self.body(part, &meter).await?;
            let body = || ByteStream::new(body.try_clone().unwrap_or_else(SdkBody::taken));
            let sending = self.bucket.send(self.upload, part, body);
            let source = match unless_silent(sending, SILENCE, || meter.counted.load(Ordering::Relaxed)).await
            {
                Some(Ok(sent)) => {
                    meter.finish();
                    return Ok(sent);
                }
                Some(Err(error)) => error,
                None => self.bucket.silent_for(SILENCE),
            };
            made += 1;
            let pause = backoff(made, fastrand::f64());
            let late = made == TRIES || self.cx.clock().now() + pause >= end;
            if late || !(source.may_pass() || source.is_damage()) {
                return Err(Error::Part { file: self.name.clone(), number, count, source });
            }
            self.cx.warn(format!(
                "part {number} of {count} of {}: {}; trying again in {:.1} s (try {} of {TRIES})",
                self.name,
                in_full(&source),
                pause.as_secs_f64(),
                made + 1
            ));
            self.cx.clock().sleep(pause).await;
        }
    }

    /// A range of the file that the SDK reads while it sends. Parts in memory would be hashed with SHA-256 for the
    /// signature, which takes five times as long (`baselines.md`), and would make memory grow with the part size.
    async fn body(&self, part: Part, meter: &Arc<PartMeter>) -> Result<SdkBody, Error> {
        let range = ByteStream::read_from()
            .path(self.file.path())
            .offset(part.offset)
            .length(Length::Exact(part.length))
            .buffer_size(BUFFER)
            .build()
            .await;
        match range {
            Ok(range) => Ok(metered(range.into_inner(), meter)),
            // Only a file that became shorter, or went away, fails here.
            Err(_) => Err(Error::Changed { path: self.file.path().to_owned() }),
        }
    }
}

/// How long a part may take, all tries together.
fn patience(part: Part) -> SignedDuration {
    let seconds = i64::try_from(part.length / PACE).unwrap_or(i64::MAX);
    PATIENCE.saturating_add(SignedDuration::from_secs(seconds))
}

/// Gives up sending when `moved` has not changed for a while. It waits on the runtime's clock, as the SDK's limits do: the
/// network does not follow an injected one.
async fn unless_silent<T>(
    sending: impl Future<Output = T>,
    limit: Duration,
    moved: impl Fn() -> u64,
) -> Option<T> {
    let mut sending = pin!(sending);
    loop {
        let before = moved();
        match tokio::time::timeout(limit, &mut sending).await {
            Ok(sent) => return Some(sent),
            Err(_) if moved() == before => return None,
            Err(_) => {}
        }
    }
}

/// The pause after this many tries: doubled each time, then cut at random (from 0 to 1) to between half and all of it, so
/// that parts which failed together do not come back together.
fn backoff(made: u32, random: f64) -> Duration {
    let doubled = FIRST_PAUSE * 2_u32.pow(made.saturating_sub(1));
    doubled.mul_f64(0.5 + random / 2.0)
}

/// Refuses to complete anything but the whole file.
pub(crate) fn check_whole(sent: &[SentPart], plan: PartPlan, name: &FileName) -> Result<(), Error> {
    let confirmed = || sent.iter().filter(|part| !part.etag.is_empty());
    let planned = plan.parts().map(|part| (part.number, part.length));
    if confirmed().map(|part| (part.number, part.size)).eq(planned) {
        return Ok(());
    }
    Err(Error::Unconfirmed {
        file: name.clone(),
        parts: confirmed().count() as u64,
        bytes: confirmed().map(|part| part.size).sum(),
        count: plan.count(),
        size: plan.file(),
    })
}

/// How much has left for S3, all parts together.
struct Meter {
    cx: Context,
    sent: AtomicU64,
    total: u64,
}

impl Meter {
    fn tell(&self) {
        let sent = self.sent.load(Ordering::Relaxed).min(self.total);
        self.cx.progress(Activity::Uploading, sent, self.total);
    }
}

/// How much of one part has left. A part that is sent again counts again from its start.
struct PartMeter {
    meter: Arc<Meter>,
    part: Part,
    counted: AtomicU64,
}

impl PartMeter {
    fn restart(&self) {
        let counted = self.counted.swap(0, Ordering::Relaxed);
        self.meter.sent.fetch_sub(counted, Ordering::Relaxed);
    }

    fn advance(&self, bytes: u64) {
        self.counted.fetch_add(bytes, Ordering::Relaxed);
        self.meter.sent.fetch_add(bytes, Ordering::Relaxed);
        self.meter.tell();
    }

    fn finish(&self) {
        self.restart();
        self.advance(self.part.length);
    }
}

/// Counts the bytes of a body as they are taken from it.
fn metered(body: SdkBody, meter: &Arc<PartMeter>) -> SdkBody {
    let meter = Arc::clone(meter);
    body.map_preserve_contents(move |body| {
        meter.restart();
        let meter = Arc::clone(&meter);
        SdkBody::from_body_1_x(body.inspect_frame(move |frame| {
            if let Some(data) = frame.data_ref() {
                meter.advance(data.len() as u64);
            }
        }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parts::{MIB, PartSize};

    fn sent(sizes: &[u64]) -> Vec<SentPart> {
        let part = |(size, number): (&u64, i32)| SentPart {
            number,
            size: *size,
            etag: format!("\"{number}\""),
            crc32: None,
        };
        sizes.iter().zip(1..).map(part).collect()
    }

    #[test]
    fn pauses_double_and_are_cut_by_up_to_half() {
        let pauses = |random| (1..TRIES).map(|made| backoff(made, random).as_secs_f64()).collect::<Vec<_>>();
        assert_eq!(pauses(1.0), [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0]);
        assert_eq!(pauses(0.0), [0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0]);
    }

    #[test]
    fn larger_parts_are_given_longer() {
        let patience = |length| patience(Part { number: 1, offset: 0, length }).to_string();
        assert_eq!(patience(1), "PT10M");
        assert_eq!(patience(8 * MIB), "PT12M8S");
        assert_eq!(patience(5 * 1024 * MIB), "PT22H55M20S");
    }

    #[tokio::test]
    async fn a_try_ends_when_nothing_moves_and_no_sooner() {
        let shortly = Duration::from_millis(1);
        assert_eq!(unless_silent(std::future::pending::<()>(), shortly, || 7).await, None);

        // Nothing but the limit wakes it.
        let mut polls = 0;
        let slow = std::future::poll_fn(|_| {
            polls += 1;
            if polls < 20 { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
        });
        let moved = AtomicU64::new(0);
        let moving = || moved.fetch_add(1, Ordering::Relaxed);
        assert_eq!(unless_silent(slow, shortly, moving).await, Some(()), "slow is not silent");
    }

    #[test]
    fn only_the_whole_file_is_completed() {
        let name: FileName = "Example.pkg".parse().unwrap();
        let plan = PartPlan::new(20 * MIB, PartSize::default()).unwrap();
        let whole = sent(&[8 * MIB, 8 * MIB, 4 * MIB]);
        check_whole(&whole, plan, &name).unwrap();

        let error = check_whole(&whole[..2], plan, &name).unwrap_err();
        insta::assert_snapshot!(error, @"S3 confirmed 2 parts and 16777216 bytes of Example.pkg, which has 3 and 20971520");

        let mut unconfirmed = whole.clone();
        unconfirmed[1].etag.clear();
        let error = check_whole(&unconfirmed, plan, &name).unwrap_err();
        insta::assert_snapshot!(error, @"S3 confirmed 2 parts and 12582912 bytes of Example.pkg, which has 3 and 20971520");

        let mut twice = whole.clone();
        twice[2] = twice[1].clone();
        assert!(check_whole(&twice, plan, &name).is_err());
    }
}
