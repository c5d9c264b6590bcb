//! All parts of a file, side by side.

use crate::Error;
use crate::bucket::{Bucket, SentPart, Upload};
use crate::local::LocalFile;
use crate::parts::{Part, PartPlan};
use aws_sdk_s3::primitives::{ByteStream, Length, SdkBody};
use futures_util::{StreamExt as _, TryStreamExt as _};
use http_body_util::BodyExt as _;
use pipeline::{Activity, Context, FileName};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Reads of this size cost a quarter of what 4 KiB reads cost (`baselines.md §2`).
const BUFFER: usize = 256 * 1024;

/// Sends all parts, `at_once` of them at a time, and gives them in order.
///
/// A part's body is a range of the file that the SDK reads while it sends. Parts in memory would be hashed with SHA-256
/// for the signature, which takes five times as long (`baselines.md`), and would make memory grow with the part size.
pub(crate) async fn send_parts(
    bucket: &Bucket,
    upload: &Upload,
    file: &LocalFile,
    name: &FileName,
    plan: PartPlan,
    at_once: usize,
    cx: &Context,
) -> Result<Vec<SentPart>, Error> {
    let meter = Arc::new(Meter { cx: cx.clone(), sent: AtomicU64::new(0), total: plan.file() });
    let sending = plan.parts().map(|part| {
        let meter = Arc::new(PartMeter { meter: Arc::clone(&meter), part, counted: AtomicU64::new(0) });
        async move {
            // Between parts, so that hours are not spent on a file that is not the planned one any more.
            file.check_unchanged()?;
            let range = ByteStream::read_from()
                .path(file.path())
                .offset(part.offset)
                .length(Length::Exact(part.length))
                .buffer_size(BUFFER)
                .build()
                .await;
            // Only a file that became shorter, or went away, fails here.
            let Ok(range) = range else { return Err(Error::Changed { path: file.path().to_owned() }) };
            let body = metered(range.into_inner(), &meter);
            let body = || ByteStream::new(body.try_clone().unwrap_or_else(SdkBody::taken));
            let sent = bucket.send(upload, part, body).await.map_err(|source| Error::Part {
                file: name.clone(),
                number: part.number,
                count: plan.count(),
                source,
            })?;
            meter.finish();
            Ok(sent)
        }
    });
    let mut sent: Vec<SentPart> =
        futures_util::stream::iter(sending).buffer_unordered(at_once).try_collect().await?;
    sent.sort_unstable_by_key(|part| part.number);
    Ok(sent)
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
