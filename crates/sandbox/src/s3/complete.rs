//! The completion of a multipart upload: the commit, after which there is an object.

use super::blob::{self, Whole};
use super::checksum::{Agreement, Algorithm, Checksum, Kind};
use super::refusal::{refusal, refusal_saying};
use super::upload::{self, Completed, Completion, Failure, Listed, Part, Parts, Upload, Uploads};
use crate::Fault;
use crate::grant::{Desk, Landed};
use futures_util::FutureExt as _;
use s3s::{S3Error, S3ErrorCode, S3Result};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempPath;

/// What a client asks for when it completes an upload.
pub(super) struct Order {
    pub(super) listed: Vec<Listed>,
    /// How large it says that the object is.
    pub(super) size: Option<u64>,
    /// The checksum that it says the object has.
    pub(super) checksum: Option<Checksum>,
    /// How it says that the checksum came about.
    pub(super) kind: Option<Kind>,
}

/// Where a completed object goes.
#[derive(Clone)]
pub(super) struct Hand {
    pub(super) uploads: Arc<Uploads>,
    pub(super) objects: PathBuf,
    pub(super) desk: Arc<dyn Desk>,
}

/// An order that was checked as far as that goes without reading the parts.
struct Job {
    key: String,
    parts: Vec<Arc<Part>>,
    etag: String,
    agreement: Agreement,
    /// To be compared with that of the whole object.
    expected: Option<Checksum>,
    /// Known before, because it only depends on the parts' checksums.
    composite: Option<Checksum>,
}

impl Hand {
    /// Starts the completion, or joins in if it was started before. It goes on if nobody waits for it any more, as it
    /// does in S3.
    pub(super) fn complete(&self, id: &str, key: &str, order: &Order) -> S3Result<Completion> {
        self.uploads.complete(id, key, |upload, parts| {
            let job = Job::new(upload, parts, order)?;
            let faults = self.desk.faults();
            let pause = faults.play(|fault| match fault {
                Fault::CompleteSlow(seconds) => Some(Duration::from_secs(seconds)),
                _ => None,
            });
            let fails = faults.plays(|fault| fault == Fault::CompleteError);
            let (hand, id) = (self.clone(), id.to_owned());
            let blocking = move || {
                let result = if fails { Err(Failure::OnRequest) } else { job.run(&hand) };
                hand.uploads.settle(&id, result.is_ok());
                result
            };
            let desk = Arc::clone(&self.desk);
            let work = tokio::spawn(async move {
                if let Some(pause) = pause {
                    desk.sleep(pause).await;
                }
                tokio::task::spawn_blocking(blocking).await
            });
            let completion = async {
                let result = work.await.and_then(|result| result);
                result.unwrap_or_else(|error| Err(broken(io::Error::other(error))))
            };
            Ok(completion.boxed().shared())
        })
    }

    /// Makes an object of parts and hands it over. Blocks.
    pub(super) fn land(
        &self,
        key: &str,
        parts: &[&Path],
        algorithm: Algorithm,
        accept: impl FnOnce(&Whole) -> Result<(), Failure>,
    ) -> Result<Whole, Failure> {
        let blob = self.objects.join(uuid::Uuid::new_v4().simple().to_string());
        let whole = blob::join(parts, &blob, algorithm);
        let guard = TempPath::try_from_path(blob).map_err(broken)?;
        let whole = whole.map_err(broken)?;
        accept(&whole)?;
        let blob = guard.keep().map_err(|kept| broken(kept.error))?;
        let (size, md5, sha3) = (whole.received.size, whole.received.md5, whole.sha3);
        self.desk.landed(Landed { key: key.to_owned(), blob, size, md5, sha3 });
        Ok(whole)
    }
}

impl Job {
    fn new(upload: &Upload, parts: &Parts, order: &Order) -> S3Result<Self> {
        let came = |number| parts.by_number.get(&number).map(|part| &part.received);
        let chosen = upload::choose(&order.listed, upload.agreement, came)?;
        let parts: Vec<Arc<Part>> =
            chosen.iter().filter_map(|number| parts.by_number.get(number).cloned()).collect();
        let size: u64 = parts.iter().map(|part| part.received.size).sum();
        if let Some(stated) = order.size.filter(|stated| *stated != size) {
            let message = format!(
                "The provided 'x-amz-mp-object-size' header value {stated} does not match what was computed: {size}"
            );
            return Err(refusal_saying(S3ErrorCode::InvalidRequest, message));
        }
        let agreement = agreed(upload.agreement, order)?;
        let composite = (agreement.kind == Kind::Composite).then(|| {
            Checksum::composite(agreement.algorithm, parts.iter().map(|part| &part.received.checksum))
        });
        let expected = order.checksum.clone();
        if let (Some(composite), Some(expected)) = (&composite, &expected)
            && composite != expected
        {
            return Err(refusal(S3ErrorCode::BadDigest));
        }
        let etag = upload::object_etag(parts.iter().map(|part| &part.received));
        Ok(Self { key: upload.key.clone(), parts, etag, agreement, expected, composite })
    }

    fn run(&self, hand: &Hand) -> Result<Completed, Failure> {
        let paths: Vec<&Path> = self.parts.iter().map(|part| part.file.as_ref()).collect();
        let expected = self.expected.as_ref().filter(|_| self.composite.is_none());
        let whole = hand.land(&self.key, &paths, self.agreement.algorithm, |whole| match expected {
            Some(expected) if *expected != whole.received.checksum => Err(Failure::BadDigest),
            _ => Ok(()),
        })?;
        let checksum = self.composite.clone().unwrap_or(whole.received.checksum);
        Ok(Completed { etag: self.etag.clone(), checksum, kind: self.agreement.kind })
    }
}

/// What holds for the object. A type that differs from the one at the beginning is a `BadDigest`, says the AWS manual.
fn agreed(agreement: Option<Agreement>, order: &Order) -> S3Result<Agreement> {
    let stated = order.checksum.as_ref().map(|checksum| checksum.algorithm);
    let agreement = match agreement {
        Some(agreement) => agreement,
        None => Agreement { algorithm: stated.unwrap_or(Algorithm::DEFAULT), kind: Kind::FullObject },
    };
    let same = stated.is_none_or(|stated| stated == agreement.algorithm)
        && order.kind.is_none_or(|kind| kind == agreement.kind);
    if same { Ok(agreement) } else { Err(refusal(S3ErrorCode::BadDigest)) }
}

fn broken(error: io::Error) -> Failure {
    Failure::Broken(Arc::new(error))
}

impl From<Failure> for S3Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::BadDigest => refusal(S3ErrorCode::BadDigest),
            Failure::OnRequest => refusal(S3ErrorCode::InternalError),
            Failure::Broken(error) => blob::disk(&error),
        }
    }
}
