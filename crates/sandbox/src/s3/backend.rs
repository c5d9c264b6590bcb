//! The operations.

use super::blob;
use super::checksum::{Agreement, Algorithm, Kind, set_checksum};
use super::claim::{self, Claim};
use super::complete::{Hand, Order};
use super::meddle;
use super::refusal::{refusal, refusal_saying};
use super::upload::{self, Listed, Part, PartNumber};
use crate::s3::checksum::Checksum;
use jiff::Timestamp;
use s3s::dto::{
    self, AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CompletedPart, CreateMultipartUploadInput, CreateMultipartUploadOutput,
    ETag, ListMultipartUploadsInput, ListMultipartUploadsOutput, ListPartsInput, ListPartsOutput,
    MultipartUpload, PutObjectInput, PutObjectOutput, StreamingBlob, UploadPartInput, UploadPartOutput,
};
use s3s::{S3, S3ErrorCode, S3Request, S3Response, S3Result, TrailingHeaders};
use std::path::Path;
use std::time::SystemTime;
use tempfile::TempPath;

/// What S3 lists at most in one answer.
const PAGE: i32 = 1000;

/// Keeps uploads in memory and their bytes in a folder.
pub(super) struct Backend {
    pub(super) hand: Hand,
    /// Bodies of single PUTs, until they are objects.
    pub(super) incoming: std::path::PathBuf,
}

#[async_trait::async_trait]
impl S3 for Backend {
    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let key = object_key(&request, &request.input.key);
        if request.input.if_match.is_some() || request.input.if_none_match.is_some() {
            return Err(refusal(S3ErrorCode::NotImplemented));
        }
        let claim = Claim::read(&request.headers)?;
        let algorithm = claim.algorithm().unwrap_or(Algorithm::DEFAULT);
        let body = request.input.body;
        let (file, received) =
            receive(body, &self.incoming, algorithm, &claim, request.trailing_headers.as_ref()).await?;
        let hand = self.hand.clone();
        let work = move || hand.land(&key, &[file.as_ref()], algorithm, |_| Ok(()));
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|error| blob::disk(&std::io::Error::other(error)))??;
        let mut output = PutObjectOutput {
            e_tag: Some(ETag::Strong(upload::part_etag(&received))),
            checksum_type: Some(dto::ChecksumType::from_static(Kind::FullObject.name())),
            ..PutObjectOutput::default()
        };
        set_checksum!(output, received.checksum);
        Ok(S3Response::new(output))
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let key = object_key(&request, &request.input.key);
        let input = request.input;
        let algorithm = input.checksum_algorithm.as_ref().map(dto::ChecksumAlgorithm::as_str);
        let agreement = agreement(algorithm, input.checksum_type.as_ref().map(dto::ChecksumType::as_str))?;
        let begun = self.hand.desk.now();
        let id =
            self.hand.uploads.begin(key.clone(), agreement, begun).map_err(|error| blob::disk(&error))?;
        Ok(S3Response::new(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(key),
            upload_id: Some(id),
            checksum_algorithm: agreement.map(algorithm_dto),
            checksum_type: agreement.map(kind_dto),
            ..CreateMultipartUploadOutput::default()
        }))
    }

    async fn upload_part(
        &self,
        request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        let key = object_key(&request, &request.input.key);
        let input = request.input;
        let number = PartNumber::new(input.part_number).ok_or_else(|| {
            let message = "Part number must be an integer between 1 and 10000, inclusive";
            refusal_saying(S3ErrorCode::InvalidArgument, message)
        })?;
        let uploads = &self.hand.uploads;
        let (agreement, folder) = uploads.with_open(&input.upload_id, &key, |upload, parts| {
            (upload.agreement, parts.folder.path().to_owned())
        })?;
        let claim = Claim::read(&request.headers)?;
        let algorithm = upload::part_algorithm(agreement, claim.algorithm())?;
        let trailers = request.trailing_headers.as_ref();
        let body = meddle::body(self.hand.desk.faults(), number.get(), input.body);
        let (file, received) = receive(body, &folder, algorithm, &claim, trailers).await?;
        let mut output = UploadPartOutput {
            e_tag: Some(ETag::Strong(upload::part_etag(&received))),
            ..UploadPartOutput::default()
        };
        set_checksum!(output, received.checksum.clone());
        let part = Part { received, file, at: self.hand.desk.now() };
        uploads.put(&input.upload_id, &key, number, part)?;
        Ok(S3Response::new(output))
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let key = object_key(&request, &request.input.key);
        let location = location(&request);
        let input = request.input;
        if input.if_match.is_some() || input.if_none_match.is_some() {
            return Err(refusal(S3ErrorCode::NotImplemented));
        }
        let order = Order {
            listed: listed(input.multipart_upload.and_then(|list| list.parts).unwrap_or_default()),
            size: input.mpu_object_size.and_then(|size| u64::try_from(size).ok()),
            checksum: claim::checksums_in(&request.headers).pop(),
            kind: input.checksum_type.as_ref().and_then(|kind| Kind::named(kind.as_str())),
        };
        let completion = self.hand.complete(&input.upload_id, &key, &order)?;
        let future = async move {
            let completed = completion.await?;
            let mut output = CompleteMultipartUploadOutput {
                bucket: Some(input.bucket),
                key: Some(key),
                location: Some(location),
                e_tag: Some(ETag::Strong(completed.etag)),
                checksum_type: Some(dto::ChecksumType::from_static(completed.kind.name())),
                ..CompleteMultipartUploadOutput::default()
            };
            set_checksum!(output, completed.checksum);
            Ok(output)
        };
        // 200 at once, blanks while it works, and then the result, as S3 does it (`jamf-pro-api.md §9.5`).
        Ok(S3Response::new(CompleteMultipartUploadOutput {
            future: Some(Box::pin(future)),
            ..CompleteMultipartUploadOutput::default()
        }))
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let key = object_key(&request, &request.input.key);
        self.hand.uploads.abort(&request.input.upload_id, &key)?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }

    async fn list_parts(&self, request: S3Request<ListPartsInput>) -> S3Result<S3Response<ListPartsOutput>> {
        let key = object_key(&request, &request.input.key);
        let input = request.input;
        let marker = input.part_number_marker.unwrap_or(0);
        let (agreement, all) = self.hand.uploads.with_open(&input.upload_id, &key, |upload, parts| {
            let behind = parts.by_number.iter().filter(|(number, _)| number.get() > marker);
            (
                upload.agreement,
                behind.map(|(number, part)| part_dto(*number, part, upload.agreement)).collect(),
            )
        })?;
        let (parts, page, is_truncated): (Vec<dto::Part>, _, _) = first_page(all, input.max_parts);
        Ok(S3Response::new(ListPartsOutput {
            bucket: Some(input.bucket),
            key: Some(key),
            upload_id: Some(input.upload_id),
            checksum_algorithm: agreement.map(algorithm_dto),
            checksum_type: agreement.map(kind_dto),
            part_number_marker: Some(marker),
            next_part_number_marker: parts.last().and_then(|part| part.part_number).or(Some(0)),
            max_parts: Some(page),
            is_truncated: Some(is_truncated),
            parts: Some(parts),
            ..ListPartsOutput::default()
        }))
    }

    async fn list_multipart_uploads(
        &self,
        request: S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        let input = request.input;
        if input.delimiter.is_some() || input.encoding_type.is_some() {
            return Err(refusal(S3ErrorCode::NotImplemented));
        }
        let prefix = input.prefix.unwrap_or_default();
        let after = (input.key_marker.unwrap_or_default(), input.upload_id_marker.unwrap_or_default());
        let all = self.open_uploads(&prefix, &after);
        let (uploads, page, is_truncated) = first_page(all, input.max_uploads);
        let last = uploads.last().filter(|_| is_truncated);
        Ok(S3Response::new(ListMultipartUploadsOutput {
            bucket: Some(input.bucket),
            prefix: Some(prefix),
            next_key_marker: last.and_then(|upload: &MultipartUpload| upload.key.clone()),
            next_upload_id_marker: last.and_then(|upload| upload.upload_id.clone()),
            key_marker: Some(after.0),
            upload_id_marker: Some(after.1),
            max_uploads: Some(page),
            is_truncated: Some(is_truncated),
            uploads: Some(uploads),
            ..ListMultipartUploadsOutput::default()
        }))
    }
}

impl Backend {
    /// Sorted by key and id, behind a marker. A marker without an id passes over all uploads of its key.
    fn open_uploads(&self, prefix: &str, (key, id): &(String, String)) -> Vec<MultipartUpload> {
        let uploads = self.hand.uploads.lock();
        let mut open: Vec<_> = uploads
            .iter()
            .filter(|(_, upload)| upload.parts().is_some() && upload.key.starts_with(prefix))
            .filter(|(own, upload)| upload.key > *key || (upload.key == *key && !id.is_empty() && *own > id))
            .collect();
        open.sort_unstable_by_key(|(id, upload)| (&upload.key, *id));
        let dto = |(id, upload): (&String, &upload::Upload)| MultipartUpload {
            key: Some(upload.key.clone()),
            upload_id: Some(id.clone()),
            initiated: Some(time_dto(upload.begun)),
            checksum_algorithm: upload.agreement.map(algorithm_dto),
            checksum_type: upload.agreement.map(kind_dto),
            ..MultipartUpload::default()
        };
        open.into_iter().map(dto).collect()
    }
}

/// A body on disk that is what the request said it would be.
async fn receive(
    body: Option<StreamingBlob>,
    folder: &Path,
    algorithm: Algorithm,
    claim: &Claim,
    trailers: Option<&TrailingHeaders>,
) -> S3Result<(TempPath, blob::Received)> {
    let body = body.ok_or_else(|| refusal(S3ErrorCode::IncompleteBody))?;
    let (file, received) = blob::receive(body, folder, algorithm).await?;
    claim.check(&received, trailers)?;
    Ok((file, received))
}

/// The key as S3 reads it. A bare `+` in an address is a space to S3, which is how JamfSync before 1.2.0 got its names
/// wrong (`jamf-pro-api.md §9.1`); `s3s` leaves it a `+`.
fn object_key<T>(request: &S3Request<T>, key: &str) -> String {
    let path = request.uri.path();
    if !path.contains('+') {
        return key.to_owned();
    }
    let spaced = path.replace('+', " ");
    let decoded = percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy();
    let start = decoded.len().saturating_sub(key.len());
    decoded.get(start..).unwrap_or(key).to_owned()
}

fn location<T>(request: &S3Request<T>) -> String {
    let host =
        request.headers.get(http::header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    format!("http://{host}{}", request.uri.path())
}

fn agreement(algorithm: Option<&str>, kind: Option<&str>) -> S3Result<Option<Agreement>> {
    let invalid = |message: String| refusal_saying(S3ErrorCode::InvalidRequest, message);
    let kind =
        kind.map(|name| Kind::named(name).ok_or_else(|| invalid(format!("Unknown checksum type {name}."))));
    let kind = kind.transpose()?;
    let Some(name) = algorithm else {
        return match kind {
            None => Ok(None),
            Some(_) => {
                let message = "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.";
                Err(invalid(message.to_owned()))
            }
        };
    };
    let valid = Algorithm::ALL.map(Algorithm::name).join(", ");
    let algorithm = Algorithm::named(name).ok_or_else(|| {
        invalid(format!(
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [{valid}]"
        ))
    })?;
    let agreement = Agreement::new(algorithm, kind).ok_or_else(|| {
        let (kind, name) = (kind.map_or("", Kind::name), algorithm.name().to_lowercase());
        invalid(format!("The {kind} checksum type cannot be used with the {name} checksum algorithm."))
    })?;
    Ok(Some(agreement))
}

fn listed(parts: Vec<CompletedPart>) -> Vec<Listed> {
    let listed = |part: CompletedPart| {
        let values = [
            (Algorithm::Crc32, part.checksum_crc32),
            (Algorithm::Crc32c, part.checksum_crc32c),
            (Algorithm::Crc64Nvme, part.checksum_crc64nvme),
            (Algorithm::Sha1, part.checksum_sha1),
            (Algorithm::Sha256, part.checksum_sha256),
        ];
        let mut checksums =
            values.into_iter().filter_map(|(algorithm, value)| Some(Checksum { algorithm, value: value? }));
        Listed {
            number: part.part_number,
            etag: part.e_tag.map(ETag::into_value),
            checksum: checksums.next(),
        }
    };
    parts.into_iter().map(listed).collect()
}

/// The first page of a list, how long a page is, and whether there is another.
fn first_page<T>(mut all: Vec<T>, size: Option<i32>) -> (Vec<T>, i32, bool) {
    let size = size.unwrap_or(PAGE).clamp(0, PAGE);
    let fits = usize::try_from(size).unwrap_or_default();
    let is_truncated = all.len() > fits;
    all.truncate(fits);
    (all, size, is_truncated)
}

fn part_dto(number: PartNumber, part: &Part, agreement: Option<Agreement>) -> dto::Part {
    let mut listed = dto::Part {
        part_number: Some(number.get()),
        e_tag: Some(ETag::Strong(upload::part_etag(&part.received))),
        size: i64::try_from(part.received.size).ok(),
        last_modified: Some(time_dto(part.at)),
        ..dto::Part::default()
    };
    if agreement.is_some() {
        set_checksum!(listed, part.received.checksum.clone());
    }
    listed
}

fn algorithm_dto(agreement: Agreement) -> dto::ChecksumAlgorithm {
    dto::ChecksumAlgorithm::from_static(agreement.algorithm.name())
}

fn kind_dto(agreement: Agreement) -> dto::ChecksumType {
    dto::ChecksumType::from_static(agreement.kind.name())
}

fn time_dto(time: Timestamp) -> dto::Timestamp {
    SystemTime::from(time).into()
}
