//! The S3 side as a client sees it: driven over HTTP by the AWS SDK, with a desk that stands for the Jamf side.

mod access;
mod bodies;
mod multipart;

use super::S3Side;
use crate::Request;
use crate::faults::Faults;
use crate::grant::{Desk, Grant, Landed};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{BehaviorVersion, Builder, Credentials, Region};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use jiff::{SignedDuration, Timestamp};
use pipeline::{BoxFuture, Clock as _, SimulatedClock};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;

const BUCKET: &str = "example-jcds-upload-use1";
const PATH: &str = "tmp/0f9a3a52-54f8-4c0e-8d0b-3d1f5b7c9e21/";
const MIB: usize = 1024 * 1024;

/// Keeps what it is told.
struct TestDesk {
    clock: SimulatedClock,
    grant: Grant,
    landed: Mutex<Vec<Object>>,
    requests: Mutex<Vec<Request>>,
    faults: Faults,
}

/// A [`Landed`] with its bytes.
#[derive(Debug, PartialEq, Eq)]
struct Object {
    key: String,
    bytes: Vec<u8>,
    md5: String,
    sha3: String,
}

impl Desk for TestDesk {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.clock.sleep(duration)
    }

    fn faults(&self) -> &Faults {
        &self.faults
    }

    fn grant(&self, access_key_id: &str) -> Option<Grant> {
        Some(self.grant.clone()).filter(|grant| grant.access_key_id == access_key_id)
    }

    fn landed(&self, landed: Landed) {
        let bytes = std::fs::read(&landed.blob).unwrap();
        assert_eq!(landed.size, bytes.len() as u64);
        let (md5, sha3) = (hex::encode(landed.md5), hex::encode(landed.sha3));
        self.landed.lock().unwrap().push(Object { key: landed.key, bytes, md5, sha3 });
    }

    fn record(&self, request: Request) {
        self.requests.lock().unwrap().push(request);
    }
}

/// A running S3 side, its desk and its folder.
struct Stage {
    side: S3Side,
    desk: Arc<TestDesk>,
    folder: TempDir,
}

impl Stage {
    async fn new() -> Self {
        let now: Timestamp = "2026-11-21T08:00:00Z".parse().unwrap();
        let desk = Arc::new(TestDesk {
            clock: SimulatedClock::at(now),
            grant: Grant {
                access_key_id: "ASIAIOSFODNN7EXAMPLE".to_owned(),
                secret_access_key: "a rehearsed secret".to_owned(),
                session_token: "EXAMPLE/SESSION+TOKEN/0001==".to_owned(),
                expiration: now + SignedDuration::from_hours(1),
                region: "eu-central-1".to_owned(),
                bucket: BUCKET.to_owned(),
                path: PATH.to_owned(),
                other_path: None,
            },
            landed: Mutex::default(),
            requests: Mutex::default(),
            faults: Faults::default(),
        });
        let folder = tempfile::tempdir().unwrap();
        let side = start(&folder, &desk).await;
        Self { side, desk, folder }
    }

    /// The settings of a client that has the grant.
    fn config(&self) -> Builder {
        let grant = &self.desk.grant;
        self.config_with(&grant.access_key_id, &grant.secret_access_key, Some(&grant.session_token))
    }

    fn config_with(&self, key: &str, secret: &str, token: Option<&str>) -> Builder {
        aws_sdk_s3::config::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider(Credentials::new(key, secret, token.map(str::to_owned), None, "test"))
            .region(Region::new("eu-central-1"))
            .endpoint_url(format!("http://{}", self.side.address()))
            .force_path_style(true)
            .retry_config(RetryConfig::disabled())
    }

    fn client(&self) -> Client {
        Client::from_conf(self.config().build())
    }

    /// What landed, taken away.
    fn landed(&self) -> Vec<Object> {
        std::mem::take(&mut *self.desk.landed.lock().unwrap())
    }

    /// The journal, taken away: `METHOD status bytes-in bytes-out`.
    fn journal(&self) -> Vec<String> {
        let requests = std::mem::take(&mut *self.desk.requests.lock().unwrap());
        requests.iter().map(|r| format!("{} {} {} {}", r.method, r.status, r.bytes_in, r.bytes_out)).collect()
    }

    /// Everything in the folder of unfinished uploads.
    fn left_over(&self) -> usize {
        std::fs::read_dir(self.folder.path().join("uploads")).unwrap().count()
    }
}

async fn start(folder: &TempDir, desk: &Arc<TestDesk>) -> S3Side {
    let listen = "127.0.0.1:0".parse().unwrap();
    S3Side::start(listen, folder.path().to_owned(), desk.clone()).await.unwrap()
}

fn key(name: &str) -> String {
    format!("{PATH}{name}")
}

/// Bytes that differ from part to part.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    fastrand::Rng::with_seed(seed).fill(&mut bytes);
    bytes
}

/// `403 AccessDenied: Access Denied`
fn refused<T: std::fmt::Debug, E: ProvideErrorMetadata>(result: Result<T, SdkError<E>>) -> String {
    let error = match result {
        Ok(answer) => panic!("not refused: {answer:?}"),
        Err(error) => error,
    };
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    let (code, message) = (error.code().unwrap_or("?"), error.message().unwrap_or("?"));
    format!("{status} {code}: {message}")
}
