//! Each fault, played for the clients that will meet it: the SDK and an HTTP client.

mod commit;
mod credentials;
mod door;
mod download;
mod landing;
mod parts;
mod proxy;
mod unfinished;
mod uploads;

use crate::rehearsal::Rehearsal;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::complete_multipart_upload::builders::CompleteMultipartUploadFluentBuilder;
use aws_sdk_s3::operation::upload_part::builders::UploadPartFluentBuilder;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use sandbox::{Fault, Request, Side};
use serde_json::Value;

const MIB: usize = 1024 * 1024;

fn fault(text: &str) -> Fault {
    text.parse().unwrap()
}

/// A server on which these faults are armed.
async fn armed(faults: &[&str]) -> Rehearsal {
    Rehearsal::with(|config| config.faults = faults.iter().map(|text| fault(text)).collect()).await
}

/// Bytes that differ from place to place.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    fastrand::Rng::with_seed(seed).fill(&mut bytes);
    bytes
}

/// A multipart upload under way.
struct Upload {
    client: Client,
    bucket: String,
    key: String,
    id: String,
}

impl Upload {
    /// With credentials for it alone.
    async fn begin(rehearsal: &Rehearsal, name: &str) -> Self {
        let grant = rehearsal.post("/api/v1/jcds/files").await.json();
        Self::begin_with(rehearsal, &grant, name).await
    }

    async fn begin_with(rehearsal: &Rehearsal, grant: &Value, name: &str) -> Self {
        let text = |key: &str| grant[key].as_str().unwrap().to_owned();
        let (client, bucket, key) =
            (rehearsal.s3(grant), text("bucketName"), format!("{}{name}", text("path")));
        let begun = client.create_multipart_upload().bucket(&bucket).key(&key).send().await.unwrap();
        Self { client, bucket, key, id: begun.upload_id().unwrap().to_owned() }
    }

    /// The same upload, gone on with by another client.
    fn with(&self, client: Client) -> Self {
        Self { client, bucket: self.bucket.clone(), key: self.key.clone(), id: self.id.clone() }
    }

    fn part(&self, number: i32, bytes: &[u8]) -> UploadPartFluentBuilder {
        let part = self.client.upload_part().bucket(&self.bucket).key(&self.key).upload_id(&self.id);
        part.part_number(number).body(bytes.to_vec().into())
    }

    async fn send(&self, number: i32, bytes: &[u8]) -> Result<CompletedPart, String> {
        match self.part(number, bytes).send().await {
            Ok(sent) => Ok(CompletedPart::builder()
                .part_number(number)
                .set_e_tag(sent.e_tag().map(str::to_owned))
                .build()),
            Err(error) => Err(told(&error)),
        }
    }

    fn completion(&self, parts: &[CompletedPart]) -> CompleteMultipartUploadFluentBuilder {
        let list = CompletedMultipartUpload::builder().set_parts(Some(parts.to_vec())).build();
        let completion = self.client.complete_multipart_upload().bucket(&self.bucket).key(&self.key);
        completion.upload_id(&self.id).multipart_upload(list)
    }

    async fn complete(&self, parts: &[CompletedPart]) -> Result<(), String> {
        self.completion(parts).send().await.map(drop).map_err(|error| told(&error))
    }

    /// Sends one part and completes.
    async fn send_all(&self, bytes: &[u8]) -> Result<(), String> {
        let part = self.send(1, bytes).await?;
        self.complete(&[part]).await
    }
}

/// `503 SlowDown`, or that there was no answer.
fn told<E: ProvideErrorMetadata>(error: &SdkError<E>) -> String {
    match (error, error.raw_response()) {
        (_, Some(response)) => {
            format!("{} {}", response.status().as_u16(), error.code().unwrap_or("without a code"))
        }
        (SdkError::DispatchFailure(_), None) => "no answer".to_owned(),
        (_, None) => "not sent".to_owned(),
    }
}

/// `PUT 200`, for the requests to S3 so far.
fn s3_journal(rehearsal: &Rehearsal) -> Vec<String> {
    let journal = rehearsal.sandbox.journal();
    let s3 = journal.iter().filter(|request| request.side == Side::S3);
    s3.map(|request| format!("{} {}", request.method, request.status)).collect()
}

/// Waits until the journal has such a request.
async fn journaled(rehearsal: &Rehearsal, is_meant: impl Fn(&Request) -> bool) -> Request {
    loop {
        if let Some(request) = rehearsal.sandbox.journal().into_iter().find(&is_meant) {
            return request;
        }
        tokio::task::yield_now().await;
    }
}

/// A fault that is added takes a test with it.
#[test]
fn every_fault_is_played_by_a_test() {
    let tests = [
        include_str!("commit.rs"),
        include_str!("credentials.rs"),
        include_str!("download.rs"),
        include_str!("landing.rs"),
        include_str!("parts.rs"),
        include_str!("proxy.rs"),
        include_str!("uploads.rs"),
    ]
    .concat();
    for info in Fault::ALL {
        let played = [format!("\"{}\"", info.name), format!("\"{}=", info.name)];
        assert!(played.iter().any(|text| tests.contains(text)), "{}", info.name);
    }
}
