//! The four requests that make an upload, through the SDK, with nothing of the user's AWS settings in them.

use crate::credentials::LiveCredentials;
use crate::endpoint::Endpoint;
use crate::parts::Part;
use crate::s3_error::S3Error;
use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Builder, ConfigBag, IdentityCache, Intercept, Region, RequestChecksumCalculation,
    RuntimeComponents, StalledStreamProtectionConfig,
};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use aws_sdk_s3::{Client, Config};
use pipeline::{Boundary, Effect};
use std::sync::Arc;
use std::time::Duration;

/// Tries of a small request that nothing has been invested in yet.
const TRIES: u32 = 5;
/// Before the second try; each later pause is up to twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const CONNECT: Duration = Duration::from_secs(10);
/// For an answer, once everything is sent.
const ANSWER: Duration = Duration::from_secs(120);
/// Somebody waits for the end after Ctrl-C, and what is not aborted here is only left over.
const ABORT: Duration = Duration::from_secs(15);
/// S3 may work for minutes on a large object, and sends blanks meanwhile (`jamf-pro-api.md §9.5`). Its work is not lost
/// when nobody waits any more: the list tells what became of it.
const COMPLETION: Duration = Duration::from_secs(5 * 60);
/// A part that moves slower than this, in bytes a second, is given up and sent again. It is a floor for the throughput
/// and not a limit on the upload's time, which would break large files on slow lines (`user-pains.md` rows 3 and 5). The
/// SDK notices a line that stands still long before.
const FLOOR: u64 = 8 * 1024;

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
}

/// A part that is in S3. S3 cannot be asked for it again (`jamf-pro-api.md §9.2`), so what completion needs is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SentPart {
    pub number: i32,
    pub size: u64,
    /// In quotes, as received.
    pub etag: String,
    pub crc32: Option<String>,
}

/// A bucket that temporary credentials open.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    client: Client,
    credentials: LiveCredentials,
    name: String,
    host: String,
}

impl Bucket {
    pub(crate) fn open(place: Place, credentials: LiveCredentials, boundary: Arc<Boundary>) -> Self {
        let host = place.endpoint.host(&place.bucket, &place.region);
        let client = Client::from_conf(config(&place, credentials.clone(), boundary));
        Self { client, credentials, name: place.bucket, host }
    }

    /// The credentials that open it.
    pub(crate) fn credentials(&self) -> &LiveCredentials {
        &self.credentials
    }

    /// Begins an upload.
    pub(crate) async fn begin(&self, key: &str) -> Result<Upload, S3Error> {
        let answer = self
            .with_fresh_credentials(|| {
                self.client
                    .create_multipart_upload()
                    .bucket(&self.name)
                    .key(key)
                    // S3 wants the parts' algorithm here (`jamf-pro-api.md §9.4`).
                    .checksum_algorithm(ChecksumAlgorithm::Crc32)
                    .customize()
                    .config_override(tries(TRIES, ANSWER))
                    .send()
            })
            .await?;
        let id = answer.upload_id.unwrap_or_default();
        Ok(Upload { key: key.to_owned(), id })
    }

    /// Sends one part: one try, because repeating is for the caller, who tells of it. `body` gives the bytes, anew each time
    /// that it is asked.
    pub(crate) async fn send(
        &self,
        upload: &Upload,
        part: Part,
        body: impl Fn() -> ByteStream,
    ) -> Result<SentPart, S3Error> {
        let limit = ANSWER + Duration::from_secs(part.length / FLOOR);
        let answer = self
            .with_fresh_credentials(|| {
                self.client
                    .upload_part()
                    .bucket(&self.name)
                    .key(&upload.key)
                    .upload_id(&upload.id)
                    .part_number(part.number)
                    .checksum_algorithm(ChecksumAlgorithm::Crc32)
                    .body(body())
                    .customize()
                    .config_override(tries(1, limit))
                    .send()
            })
            .await?;
        Ok(SentPart {
            number: part.number,
            size: part.length,
            etag: answer.e_tag.unwrap_or_default(),
            crc32: answer.checksum_crc32,
        })
    }

    /// What a try that was given up for its silence failed of.
    pub(crate) fn silent_for(&self, time: Duration) -> S3Error {
        S3Error::silent(&self.host, time)
    }

    /// Makes one object of the parts: one try, because what a failure means is for the caller to find out. Gives the
    /// object's ETag.
    pub(crate) async fn complete(
        &self,
        upload: &Upload,
        parts: &[SentPart],
    ) -> Result<Option<String>, S3Error> {
        let parts = parts.iter().map(|part| {
            CompletedPart::builder()
                .part_number(part.number)
                .e_tag(&part.etag)
                .set_checksum_crc32(part.crc32.clone())
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
                    .multipart_upload(parts.clone())
                    .customize()
                    // Blanks now and then are too few bytes for the SDK, which would call the answer stalled.
                    .config_override(
                        tries(1, COMPLETION)
                            .stalled_stream_protection(StalledStreamProtectionConfig::disabled()),
                    )
                    .send()
            })
            .await?;
        Ok(answer.e_tag)
    }

    /// Forgets an upload and its parts.
    pub(crate) async fn abort(&self, upload: &Upload) -> Result<(), S3Error> {
        let aborted = self
            .with_fresh_credentials(|| {
                self.client
                    .abort_multipart_upload()
                    .bucket(&self.name)
                    .key(&upload.key)
                    .upload_id(&upload.id)
                    .customize()
                    .config_override(tries(2, ABORT))
                    .send()
            })
            .await;
        match aborted {
            Err(error) if error.code() != Some("NoSuchUpload") => Err(error),
            _ => Ok(()),
        }
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
}

/// The SDK's configuration, by hand: `aws-config` would bring in profiles, variables and endpoints of the user
/// (`jamf-pro-api.md §9.1`).
fn config(place: &Place, credentials: LiveCredentials, boundary: Arc<Boundary>) -> Config {
    let builder = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(place.region.clone()))
        .credentials_provider(credentials)
        // The provider knows when credentials end; a cache in front of it would hand out old ones.
        .identity_cache(IdentityCache::no_cache())
        .request_checksum_calculation(RequestChecksumCalculation::WhenSupported)
        .stalled_stream_protection(
            StalledStreamProtectionConfig::enabled().grace_period(Duration::from_secs(20)).build(),
        )
        .interceptor(Gate { boundary });
    match &place.endpoint {
        Endpoint::Amazon => builder,
        Endpoint::Other(url) => {
            let builder = builder.endpoint_url(url.as_str().trim_end_matches('/')).force_path_style(true);
            // Plain HTTP stays on this machine, where no proxy finds it; the SDK's own client would ask `HTTP_PROXY`.
            if url.scheme() == "http" {
                builder.http_client(aws_smithy_http_client::Builder::new().build_http())
            } else {
                builder
            }
        }
    }
    .build()
}

/// How often one request is tried, and how long each try may take.
fn tries(times: u32, limit: Duration) -> Builder {
    let limits = TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(limit);
    let retry = RetryConfig::standard().with_max_attempts(times).with_initial_backoff(FIRST_PAUSE);
    Config::builder().timeout_config(limits.build()).retry_config(retry)
}

/// Every try of every request passes the boundary.
#[derive(Debug)]
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
        Ok(self.boundary.pass(Effect::Write, request.method(), request.uri())?)
    }
}
