//! All parts of a file, side by side, each until it is there.

use crate::Error;
use crate::bucket::{Bucket, SentPart, Upload};
use crate::inputs::Concurrency;
use crate::local::LocalFile;
use crate::log::Log;
use crate::pacer::Pacer;
use crate::parts::{MIB, Part, PartPlan};
use crate::payload::{BUFFERS, Payload, Source};
use crate::s3_error::{S3Error, in_full};
use crate::stall::{Moved, Patience, unless_stalled};
use aws_sdk_s3::primitives::SdkBody;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use http_body_util::BodyExt as _;
use jiff::{SignedDuration, Timestamp};
use pipeline::{Activity, Context, FileName};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// How far parts may be ahead of the digests, in bytes.
const AHEAD: u64 = 64 * MIB;

/// Tries of a part in all. S3 itself says: back off and send again (`jamf-pro-api.md §9.5`).
const TRIES: u32 = 8;
/// Before the second try; each later pause is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// How long one part is tried in all, and by how many bytes a second a larger one is given longer. What is begun is not cut
/// off by it, so that it is no limit for slow lines; but an S3 that never answers ends the upload in minutes, not in hours.
const PATIENCE: SignedDuration = SignedDuration::from_mins(10);
const PACE: u64 = 64 * 1024;

/// The parts of one upload on their way.
pub(crate) struct Sending<'a> {
    pub bucket: &'a Bucket,
    pub upload: &'a Upload,
    pub file: &'a LocalFile,
    pub name: &'a FileName,
    pub plan: PartPlan,
    pub concurrency: Concurrency,
    pub patience: Patience,
    /// How many bytes from the start of the file are hashed; `None` if its digests are known.
    pub hashed: Option<watch::Receiver<u64>>,
    pub log: &'a Log,
    /// Counts bytes that S3 has confirmed.
    pub confirmed: &'a AtomicU64,
    pub cx: &'a Context,
}

impl Sending<'_> {
    /// Sends all parts but those that S3 has, and gives all of them in order.
    pub(crate) async fn run(self, mut sent: Vec<SentPart>) -> Result<Vec<SentPart>, Error> {
        let (most, pacer) = pacer(self.concurrency, self.cx.clock().now());
        let (checksum, pool) = (self.upload.checksum, self.bucket.pool());
        let source = Source::new(self.file, checksum, self.plan.part_size(), most, pool);
        let there: u64 = sent.iter().map(|part| part.size).sum();
        let meter =
            Arc::new(Meter { cx: self.cx.clone(), sent: AtomicU64::new(there), total: self.plan.file() });
        let pacer = Mutex::new(pacer);
        let have: Vec<i32> = sent.iter().map(|part| part.number).collect();
        let mut missing = self.plan.parts().filter(|part| !have.contains(&part.number));
        let mut on_their_way = FuturesUnordered::new();
        loop {
            while on_their_way.len() < lock(&pacer).at_once()
                && let Some(part) = missing.next()
            {
                let meter = PartMeter { meter: Arc::clone(&meter), part, counted: AtomicU64::new(0) };
                on_their_way.push(self.send(part, &source, Arc::new(meter), &pacer));
            }
            let Some(part) = on_their_way.next().await.transpose()? else { break };
            self.confirmed.fetch_add(part.size, Ordering::Relaxed);
            self.log.part(&part);
            lock(&pacer).arrived(part.size, self.cx.clock().now());
            sent.push(part);
        }
        sent.sort_unstable_by_key(|part| part.number);
        Ok(sent)
    }

    /// Sends one part until S3 has it. The SDK would repeat it too, but without a word, on a clock of its own, and not when
    /// the bytes were damaged on the way.
    async fn send(
        &self,
        part: Part,
        source: &Source,
        meter: Arc<PartMeter>,
        pacer: &Mutex<Pacer>,
    ) -> Result<SentPart, Error> {
        let (number, count) = (part.number, self.plan.count());
        self.wait_for_digests(part).await;
        let end = self.cx.clock().now() + patience(part);
        self.file.check_unchanged()?;
        let mut payload = source.prepare(part).await?;
        let mut made = 0;
        loop {
            // Before every try, so that hours are not spent on a file that is not the planned one any more.
            self.file.check_unchanged()?;
            let failure = match self.once(part, &payload, &meter).await {
                Ok(sent) => {
                    meter.finish();
                    return Ok(sent);
                }
                Err(failure) => failure,
            };
            made += 1;
            let pause = backoff(made, fastrand::f64());
            let late = made == TRIES || self.cx.clock().now() + pause >= end;
            if late || !(failure.may_pass() || failure.is_damage()) {
                return Err(Error::Part { file: self.name.clone(), number, count, source: failure });
            }
            if failure.asks_to_slow_down() {
                lock(pacer).slow_down();
            }
            self.cx.warn(format!(
                "part {number} of {count} of {}: {}; trying again in {:.1} s (try {} of {TRIES})",
                self.name,
                in_full(&failure),
                pause.as_secs_f64(),
                made + 1
            ));
            self.cx.clock().sleep(pause).await;
            if failure.is_damage() {
                // Memory may be what damaged it.
                drop(payload);
                payload = source.prepare(part).await?;
            }
        }
    }

    /// Holds a part back that is far ahead of the digests. The upload cannot end before them, so being ahead gains nothing; it
    /// takes processor time from the hash that everybody waits for, and bytes from the disk that would be in memory later.
    async fn wait_for_digests(&self, part: Part) {
        if let Some(mut hashed) = self.hashed.clone() {
            let due = part.offset.saturating_sub(AHEAD);
            // If nobody hashes any more, the reason is told by whoever did.
            let _ = hashed.wait_for(|hashed| *hashed >= due).await;
        }
    }

    async fn once(&self, part: Part, payload: &Payload, meter: &Arc<PartMeter>) -> Result<SentPart, S3Error> {
        let sending = self.bucket.send(self.upload, part, payload, |body| metered(body, meter));
        let moved = || Moved { bytes: meter.counted.load(Ordering::Relaxed), of: part.length };
        let sent = unless_stalled(sending, self.patience, moved).await;
        sent.unwrap_or_else(|| Err(self.bucket.silent_for(self.patience.window())))
    }
}

/// How many parts of an upload leave at once to begin with.
pub(crate) fn at_first(concurrency: Concurrency, plan: PartPlan) -> usize {
    let at_once = pacer(concurrency, Timestamp::UNIX_EPOCH).1.at_once();
    usize::try_from(plan.count()).map_or(at_once, |count| count.min(at_once))
}

/// How many parts there can be at a time, and who decides how many there are. Without a wish, no more than there are
/// buffers.
fn pacer(concurrency: Concurrency, now: Timestamp) -> (u8, Pacer) {
    match concurrency {
        Concurrency::Fixed(number) => (number, Pacer::fixed(number.into(), now)),
        Concurrency::Auto => (BUFFERS, Pacer::adaptive(BUFFERS.into(), now)),
    }
}

fn lock(pacer: &Mutex<Pacer>) -> MutexGuard<'_, Pacer> {
    pacer.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long a part may take, all tries together.
fn patience(part: Part) -> SignedDuration {
    let seconds = i64::try_from(part.length / PACE).unwrap_or(i64::MAX);
    PATIENCE.saturating_add(SignedDuration::from_secs(seconds))
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
    meter.restart();
    let meter = Arc::clone(meter);
    SdkBody::from_body_1_x(body.inspect_frame(move |frame| {
        if let Some(data) = frame.data_ref() {
            meter.advance(data.len() as u64);
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parts::PartSize;

    fn sent(sizes: &[u64]) -> Vec<SentPart> {
        let part = |(size, number): (&u64, i32)| SentPart {
            number,
            size: *size,
            etag: format!("\"{number}\""),
            checksum: None,
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
    fn there_are_no_more_parts_on_their_way_than_there_are() {
        let first =
            |concurrency, mib| at_first(concurrency, PartPlan::new(mib * MIB, PartSize::default()).unwrap());
        assert_eq!([1, 9, 17, 800].map(|mib| first(Concurrency::Auto, mib)), [1, 2, 3, 3]);
        assert_eq!(first(Concurrency::Fixed(32), 800), 32);
    }

    #[test]
    fn larger_parts_are_given_longer() {
        let patience = |length| patience(Part { number: 1, offset: 0, length }).to_string();
        assert_eq!(patience(1), "PT10M");
        assert_eq!(patience(8 * MIB), "PT12M8S");
        assert_eq!(patience(5 * 1024 * MIB), "PT22H55M20S");
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
