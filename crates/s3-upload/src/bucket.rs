//! The requests that make an upload, through the SDK, with nothing of the user's AWS settings in them.

use crate::checksum::Checksum;
use crate::connections::Connections;
use crate::credentials::LiveCredentials;
use crate::endpoint::Endpoint;
use crate::parts::Part;
use crate::payload::{Payload, Pool};
use crate::s3_error::S3Error;
use crate::warm::{Lines, Warm};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{Builder, ConfigBag, Intercept, RequestChecksumCalculation, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart};
use pipeline::{Boundary, Context, Effect};
use std::sync::Arc;
use std::time::Duration;

/// Tries of a small request that nothing has been invested in yet.
const TRIES: u32 = 5;
/// Before the second try; each later pause is up to twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const CONNECT: Duration = Duration::from_secs(10);
/// For the answer to a small request.
pub(crate) const ANSWER: Duration = Duration::from_secs(120);
/// Somebody waits for the end after Ctrl-C, and what is not aborted here is only left over.
pub(crate) const ABORT: Duration = Duration::from_secs(15);
/// S3 may work for minutes on a large object, and sends blanks meanwhile (`jamf-pro-api.md §9.5`). Its work is not lost
/// when nobody waits any more: the list tells what became of it.
const COMPLETION: Duration = Duration::from_secs(5 * 60);

/// Which bucket, and where.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub endpoint: Endpoint,
    pub region: String,
    pub bucket: String,
}

/// A multipart upload that S3 has begun. Together with the parts that are in, this is all it takes to go on later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Upload {
    /// The object's key.
    pub key: String,
    /// S3's name for the upload.
    pub id: String,
    /// What goes along with each part. It is agreed at the beginning (`jamf-pro-api.md §9.4`).
    pub checksum: Checksum,
}

/// A part that is in S3. S3 cannot be asked for it again (`jamf-pro-api.md §9.2`), so what completion needs is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SentPart {
    pub number: i32,
    pub size: u64,
    /// In quotes, as received.
    pub etag: String,
    /// In base64, if one went along.
    pub checksum: Option<String>,
}

/// Whether S3 still knows an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Open,
    Gone,
    /// The credentials may not ask.
    Unknown,
}

/// A bucket that temporary credentials open.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    client: Client,
    credentials: LiveCredentials,
    gate: Gate,
    pool: Arc<Pool>,
    lines: Lines,
    name: String,
    host: String,
}

impl Bucket {
    pub(crate) fn open(
        place: &Place,
        credentials: LiveCredentials,
        connections: &Connections,
        boundary: Arc<Boundary>,
    ) -> Self {
        Self {
            client: connections.client(&place.endpoint, &place.region),
            credentials,
            gate: Gate { boundary },
            pool: connections.pool(),
            lines: connections.lines(),
            name: place.bucket.clone(),
            host: place.endpoint.host(&place.bucket, &place.region),
        }
    }

    /// Memory for parts on their way.
    pub(crate) fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// Who is asked, for messages.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Opens connections beside the beginning of an upload that will send so many parts at a time; see [`Lines::warm`].
    pub(crate) fn warm(&self, at_once: usize, cx: &Context) -> Warm {
        self.lines.warm(self, at_once, cx)
    }

    /// Opens a connection, or uses one that nobody else is using. Whether the bucket is there is asked unsigned, because the
    /// answer does not matter.
    pub(crate) async fn knock(&self) {
        let asked = self.client.head_bucket().bucket(&self.name).customize();
        let settings = self.settings(1, Some(ANSWER)).allow_no_auth();
        let _ = asked.config_override(settings).send().await;
    }

    /// The credentials that open it.
    pub(crate) fn credentials(&self) -> &LiveCredentials {
        &self.credentials
    }

    /// Begins an upload.
    pub(crate) async fn begin(&self, key: &str, checksum: Checksum) -> Result<Upload, S3Error> {
        let (algorithm, kind) = match checksum {
            Checksum::Crc64Nvme => (Some(ChecksumAlgorithm::Crc64Nvme), Some(ChecksumType::FullObject)),
            Checksum::Crc32 => (Some(ChecksumAlgorithm::Crc32), None),
            Checksum::None => (None, None),
        };
        let answer = self
            .with_fresh_credentials(|| {
                self.client
                    .create_multipart_upload()
                    .bucket(&self.name)
                    .key(key)
                    .set_checksum_algorithm(algorithm.clone())
                    .set_checksum_type(kind.clone())
                    .customize()
                    .config_override(self.tries(TRIES, Some(ANSWER)))
                    .send()
            })
            .await?;
        let id = answer.upload_id.filter(|id| !id.is_empty());
        let id = id.ok_or_else(|| S3Error::NoUploadId { host: self.host.clone() })?;
        Ok(Upload { key: key.to_owned(), id, checksum })
    }

    /// Sends one part: one try, because repeating is for the caller, who tells of it. `metered` is called with the body
    /// each time that it leaves.
    pub(crate) async fn send(
        &self,
        upload: &Upload,
        part: Part,
        payload: &Payload,
        metered: impl Fn(SdkBody) -> SdkBody,
    ) -> Result<SentPart, S3Error> {
        let checksum = payload.checksum().map(str::to_owned);
        let of = |wanted| checksum.clone().filter(|_| upload.checksum == wanted);
        let answer = self
            .with_fresh_credentials(|| {
                self.client
                    .upload_part()
                    .bucket(&self.name)
                    .key(&upload.key)
                    .upload_id(&upload.id)
                    .part_number(part.number)
                    .set_checksum_crc64_nvme(of(Checksum::Crc64Nvme))
                    .set_checksum_crc32(of(Checksum::Crc32))
                    .body(ByteStream::new(metered(payload.body())))
                    .customize()
                    // SHA-256 over every byte takes five times as long as TLS does (`baselines.md`), and TLS or the
                    // checksum notices what it would notice.
                    .disable_payload_signing()
                    .config_override(self.tries(1, None))
                    .send()
            })
            .await?;
        let etag =
            answer.e_tag.filter(|etag| !etag.is_empty()).ok_or_else(|| S3Error::no_etag(&self.host))?;
        Ok(SentPart { number: part.number, size: part.length, etag, checksum })
    }

    /// What a try that was given up for its silence failed of.
    pub(crate) fn silent_for(&self, time: Duration) -> S3Error {
        S3Error::silent(&self.host, time)
    }

    /// Makes one object of the parts: one try, because what a failure means is for the caller to find out. S3 compares the
    /// size and, where it can, the checksum of the whole. Gives the object's ETag.
    pub(crate) async fn complete(
        &self,
        upload: &Upload,
        parts: &[SentPart],
    ) -> Result<Option<String>, S3Error> {
        let size: u64 = parts.iter().map(|part| part.size).sum();
        let sums: Option<Vec<_>> =
            parts.iter().map(|part| Some((part.checksum.as_deref()?, part.size))).collect();
        let whole = sums.and_then(|sums| upload.checksum.of_whole(sums));
        let parts = parts.iter().map(|part| {
            let of = |wanted| part.checksum.clone().filter(|_| upload.checksum == wanted);
            CompletedPart::builder()
                .part_number(part.number)
                .e_tag(&part.etag)
                .set_checksum_crc64_nvme(of(Checksum::Crc64Nvme))
                .set_checksum_crc32(of(Checksum::Crc32))
                .build()
        });
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.collect())).build();
        let answer = self
            .with_fresh_credentials(|| {
                self.client
                    .complete_multipart_upload()
                    .bucket(&self.name)
                    .key(&upload.key)
                    .upload_id(&upload.id)
                    .set_mpu_object_size(i64::try_from(size).ok())
                    .set_checksum_type(whole.as_ref().map(|_| ChecksumType::FullObject))
                    .set_checksum_crc64_nvme(whole.clone())
                    .multipart_upload(parts.clone())
                    .customize()
                    .config_override(self.tries(1, Some(COMPLETION)))
                    .send()
            })
            .await?;
        Ok(answer.e_tag)
    }

    /// Forgets an upload and its parts.
    pub(crate) async fn abort(&self, key: &str, id: &str) -> Result<(), S3Error> {
        let aborted = self
            .with_fresh_credentials(|| {
                self.client
                    .abort_multipart_upload()
                    .bucket(&self.name)
                    .key(key)
                    .upload_id(id)
                    .customize()
                    .config_override(self.tries(2, Some(ABORT)))
                    .send()
            })
            .await;
        match aborted {
            Err(error) if error.code() != Some("NoSuchUpload") => Err(error),
            _ => Ok(()),
        }
    }

    /// Whether S3 still knows an upload, as far as it says so in this time.
    pub(crate) async fn standing(&self, upload: &Upload, limit: Duration) -> Standing {
        let listed = self
            .with_fresh_credentials(|| {
                self.client
                    .list_parts()
                    .bucket(&self.name)
                    .key(&upload.key)
                    .upload_id(&upload.id)
                    .max_parts(1)
                    .customize()
                    .config_override(self.tries(2, Some(limit)))
                    .send()
            })
            .await;
        match listed {
            Ok(_) => Standing::Open,
            Err(error) if error.code() == Some("NoSuchUpload") => Standing::Gone,
            Err(_) => Standing::Unknown,
        }
    }

    /// The uploads of this key that are open, as far as the credentials may ask.
    pub(crate) async fn open_uploads(&self, key: &str) -> Result<Vec<String>, S3Error> {
        let answer = self
            .with_fresh_credentials(|| {
                self.client
                    .list_multipart_uploads()
                    .bucket(&self.name)
                    .prefix(key)
                    .customize()
                    .config_override(self.tries(2, Some(ANSWER)))
                    .send()
            })
            .await?;
        let uploads = answer.uploads.unwrap_or_default().into_iter();
        Ok(uploads
            .filter(|open| open.key.as_deref() == Some(key))
            .filter_map(|open| open.upload_id)
            .collect())
    }

    /// Sends a request; if S3 says that the credentials have ended, once more with new ones.
    async fn with_fresh_credentials<T, E, F>(&self, request: impl Fn() -> F) -> Result<T, S3Error>
    where
        E: std::error::Error + aws_sdk_s3::error::ProvideErrorMetadata + Send + Sync + 'static,
        F: Future<Output = Result<T, aws_sdk_s3::error::SdkError<E>>>,
    {
        let error = match request().await {
            Ok(answer) => return Ok(answer),
            Err(error) => self.failed(&error),
        };
        if error.code() != Some("ExpiredToken") {
            return Err(error);
        }
        self.credentials.distrust().await;
        request().await.map_err(|error| self.failed(&error))
    }

    fn failed<E>(&self, error: &aws_sdk_s3::error::SdkError<E>) -> S3Error
    where
        E: std::error::Error + aws_sdk_s3::error::ProvideErrorMetadata + Send + Sync + 'static,
    {
        S3Error::new(error, &self.host, |text| self.credentials.hide(text))
    }

    /// What one request adds to the client: who asks, how often it is tried, and how long each try may take.
    fn tries(&self, times: u32, limit: Option<Duration>) -> Builder {
        self.settings(times, limit).credentials_provider(self.credentials.clone())
    }

    /// The same without saying who asks.
    fn settings(&self, times: u32, limit: Option<Duration>) -> Builder {
        let limits = TimeoutConfig::builder().connect_timeout(CONNECT);
        let limits = match limit {
            Some(limit) => limits.operation_attempt_timeout(limit),
            None => limits,
        };
        aws_sdk_s3::Config::builder()
            .interceptor(self.gate.clone())
            // Checksums are computed while reading; the SDK shall add none of its own.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .timeout_config(limits.build())
            .retry_config(RetryConfig::standard().with_max_attempts(times).with_initial_backoff(FIRST_PAUSE))
    }
}

/// Every try of every request passes the boundary.
#[derive(Clone, Debug)]
struct Gate {
    boundary: Arc<Boundary>,
}

impl Intercept for Gate {
    fn name(&self) -> &'static str {
        "boundary"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request();
        let effect = if matches!(request.method(), "GET" | "HEAD") { Effect::Read } else { Effect::Write };
        Ok(self.boundary.pass(effect, request.method(), request.uri())?)
    }
}
