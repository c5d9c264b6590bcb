//! S3, path-style: bodies are counted and dropped (`jamf-pro-api.md §9`). No signature and no checksum is looked at.

use super::http::{Answer, Body, Content, Head};
use super::world::{Upload, World};
use std::collections::BTreeMap;

const XML: &str = "application/xml";
/// No MD5, so that nobody takes it for one and compares.
const ETAG: &str = "\"counted-not-kept\"";

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Request {
    Create,
    Part { upload: String, number: u32 },
    Complete { upload: String },
    Abort { upload: String },
    Put,
    Delete,
    Head,
    List,
    Unknown,
}

impl Request {
    fn of(head: &Head, key: &str) -> Self {
        let upload = head.parameter("uploadId");
        let number = head.parameter("partNumber").and_then(|number| number.parse().ok());
        match (head.method.as_str(), upload, number) {
            ("POST", None, _) if head.parameter("uploads").is_some() => Self::Create,
            ("PUT", Some(upload), Some(number)) => Self::Part { upload, number },
            ("POST", Some(upload), _) => Self::Complete { upload },
            ("DELETE", Some(upload), _) => Self::Abort { upload },
            ("PUT", None, None) if !key.is_empty() => Self::Put,
            ("DELETE", None, _) if !key.is_empty() => Self::Delete,
            ("HEAD", None, _) => Self::Head,
            ("GET", None, _) if key.is_empty() => Self::List,
            _ => Self::Unknown,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Create => "CreateMultipartUpload",
            Self::Part { .. } => "UploadPart",
            Self::Complete { .. } => "CompleteMultipartUpload",
            Self::Abort { .. } => "AbortMultipartUpload",
            Self::Put => "PutObject",
            Self::Delete => "DeleteObject",
            Self::Head => "HeadObject",
            Self::List => "ListObjects",
            Self::Unknown => "other S3",
        }
    }
}

/// Answers a request whose path is no other's.
pub fn answer(world: &mut World, head: &Head, body: &Body) -> Answer {
    let (bucket, key) = head.path.trim_start_matches('/').split_once('/').unwrap_or((&head.path, ""));
    let request = Request::of(head, key);
    *world.tally.requests.entry(request.name().to_owned()).or_default() += 1;
    let done = |body: String| Answer::text("200 OK", XML, format!("<?xml version=\"1.0\"?>{body}"));
    match request {
        Request::Create => {
            let id = format!("upload-{}", world.number());
            world.uploads.insert(id.clone(), Upload { key: key.to_owned(), parts: BTreeMap::new() });
            let (key, result) = (escaped(key), "InitiateMultipartUploadResult");
            done(format!(
                "<{result}><Bucket>{bucket}</Bucket><Key>{key}</Key><UploadId>{id}</UploadId></{result}>"
            ))
        }
        Request::Part { upload, number } => match (world.uploads.get_mut(&upload), payload(head, body)) {
            (None, _) => refused("404 Not Found", "NoSuchUpload"),
            (_, None) => refused("400 Bad Request", "IncompleteBody"),
            (Some(upload), Some(size)) => {
                upload.parts.insert(number, size);
                Answer::empty("200 OK").with("ETag", ETAG)
            }
        },
        Request::Complete { upload } => {
            let Some(Upload { key, parts }) = world.uploads.remove(&upload) else {
                return refused("404 Not Found", "NoSuchUpload");
            };
            // As S3 does: what is not in the list is not in the object, and nobody says so.
            let listed = part_numbers(&String::from_utf8_lossy(&body.kept));
            let Some(size) = listed.iter().map(|number| parts.get(number)).sum::<Option<u64>>() else {
                return refused("400 Bad Request", "InvalidPart");
            };
            world.complete(&key, size);
            let (key, result) = (escaped(&key), "CompleteMultipartUploadResult");
            done(format!(
                "<{result}><Location>/</Location><Bucket>{bucket}</Bucket><Key>{key}</Key><ETag>{ETAG}</ETag></{result}>"
            ))
        }
        Request::Abort { upload } => {
            world.uploads.remove(&upload);
            Answer::empty("204 No Content")
        }
        Request::Put => match payload(head, body) {
            None => refused("400 Bad Request", "IncompleteBody"),
            Some(size) => {
                world.complete(key, size);
                Answer::empty("200 OK").with("ETag", ETAG)
            }
        },
        Request::Delete => Answer::empty("204 No Content"),
        Request::Head => match world.tally.objects.get(key) {
            _ if key.is_empty() => Answer::empty("200 OK"),
            None => Answer::empty("404 Not Found"),
            Some(size) => Answer {
                status: "200 OK",
                fields: format!("ETag: {ETAG}\r\nLast-Modified: Mon, 01 Jan 2024 00:00:00 GMT\r\n"),
                content: Content::OnlyLength(*size),
            },
        },
        Request::List => done(format!(
            "<ListBucketResult><Name>{bucket}</Name><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>"
        )),
        Request::Unknown => refused("400 Bad Request", "NotImplemented"),
    }
}

/// Bytes of content in a body. Where it came in chunks with checksums between them, the request says how many there are;
/// more than the body's own they cannot be.
fn payload(head: &Head, body: &Body) -> Option<u64> {
    match head.field("x-amz-decoded-content-length") {
        None => Some(body.wire),
        Some(told) => told.parse().ok().filter(|told| *told <= body.wire),
    }
}

fn part_numbers(xml: &str) -> Vec<u32> {
    let after = xml.split("<PartNumber>").skip(1);
    after.filter_map(|rest| rest.split('<').next()?.trim().parse().ok()).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

fn refused(status: &'static str, code: &str) -> Answer {
    Answer::text(
        status,
        XML,
        format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{code}</Message></Error>"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_parts_are_read_from_any_client() {
        let xml = "<CompleteMultipartUpload xmlns=\"x\"><Part><ETag>e</ETag><PartNumber>1</PartNumber></Part>\
                   <Part>\n <PartNumber> 12 </PartNumber></Part></CompleteMultipartUpload>";
        assert_eq!(part_numbers(xml), [1, 12]);
        assert!(part_numbers("<CompleteMultipartUpload/>").is_empty());
    }
}
