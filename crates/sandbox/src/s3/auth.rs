//! Who may do what. `s3s` verifies signatures and the clock; temporary credentials, their end, their region and their
//! prefix are judged here.

use super::meddle::Operation;
use super::refusal::{refusal, refusal_saying};
use crate::Fault;
use crate::grant::{Desk, Grant};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::dto::ListMultipartUploadsInput;
use s3s::host::{S3Host, VirtualHost};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Result};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

const SCHEME: &str = "AWS4-HMAC-SHA256";
const TOKEN: &str = "x-amz-security-token";

/// What a request says about its signature.
struct Signed<'a> {
    /// `KEY/DATE/REGION/s3/aws4_request`
    credential: Cow<'a, str>,
    /// `host;x-amz-date;…`
    headers: Cow<'a, str>,
    token: Option<Cow<'a, str>>,
}

/// Finds the grant that a request was signed with and judges all of it but the signature, which is next.
pub(super) fn admit(desk: &dyn Desk, request: &Parts, operation: Operation) -> S3Result<Grant> {
    let signed = Signed::read(request)?;
    let mut scope = signed.credential.split('/');
    let (Some(key), Some(_date), Some(region)) = (scope.next(), scope.next(), scope.next()) else {
        return Err(malformed("the Credential is mal-formed"));
    };
    let grant = desk.grant(key).ok_or_else(|| refusal(S3ErrorCode::InvalidAccessKeyId))?;
    match &signed.token {
        // To S3 the key of temporary credentials without their token is a key that does not exist
        // (hydraulic-software/conveyor#157), and an altered token is an invalid one (aws/aws-sdk-js#4129).
        None => return Err(refusal(S3ErrorCode::InvalidAccessKeyId)),
        Some(token) if **token != grant.session_token => return Err(refusal(S3ErrorCode::InvalidToken)),
        Some(_) => {}
    }
    let ends = |fault| matches!(fault, Fault::CredentialsEndAtPart(_));
    if matches!(operation, Operation::Part(_)) && desk.faults().plays(ends) {
        desk.faults().end(key.to_owned());
    }
    if desk.now() >= grant.expiration || desk.faults().has_ended(key) {
        return Err(refusal(S3ErrorCode::ExpiredToken));
    }
    if region != grant.region {
        let expected = &grant.region;
        return Err(malformed(&format!("the region '{region}' is wrong; expecting '{expected}'")));
    }
    all_are_signed(&request.headers, &signed.headers)?;
    Ok(grant)
}

impl<'a> Signed<'a> {
    fn read(request: &'a Parts) -> S3Result<Self> {
        let header = |name| request.headers.get(name).and_then(|value| value.to_str().ok());
        match header(AUTHORIZATION.as_str()) {
            Some(authorization) => {
                if header("x-amz-date").is_none() {
                    // Seen in the wild when a proxy drops the header (`jamf-pro-api.md §9.5`).
                    let message = "AWS authentication requires a valid Date or x-amz-date header";
                    return Err(refusal_saying(S3ErrorCode::AccessDenied, message));
                }
                Self::in_header(authorization, header(TOKEN))
            }
            None => Self::in_query(request.uri.query().unwrap_or_default(), header(TOKEN)),
        }
    }

    fn in_header(authorization: &'a str, token: Option<&'a str>) -> S3Result<Self> {
        let Some(fields) = authorization.strip_prefix(SCHEME) else {
            let message = "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.";
            return Err(refusal_saying(S3ErrorCode::InvalidRequest, message));
        };
        let mut credential = None;
        let mut headers = None;
        for field in fields.split(',') {
            match field.trim().split_once('=') {
                Some(("Credential", value)) => credential = Some(value),
                Some(("SignedHeaders", value)) => headers = Some(value),
                _ => {}
            }
        }
        let (Some(credential), Some(headers)) = (credential, headers) else {
            return Err(malformed("a field is missing"));
        };
        Ok(Self { credential: credential.into(), headers: headers.into(), token: token.map(Into::into) })
    }

    /// A presigned address.
    fn in_query(query: &'a str, token: Option<&'a str>) -> S3Result<Self> {
        let mut fields: HashMap<_, _> = url::form_urlencoded::parse(query.as_bytes()).collect();
        let mut field = |name: &str| fields.remove(name);
        let (Some(credential), Some(headers)) = (field("X-Amz-Credential"), field("X-Amz-SignedHeaders"))
        else {
            return Err(refusal(S3ErrorCode::AccessDenied)); // Nobody signed it.
        };
        let token = token.map(Into::into).or_else(|| field("X-Amz-Security-Token"));
        Ok(Self { credential, headers, token })
    }
}

fn malformed(why: &str) -> S3Error {
    let message = format!("The authorization header is malformed; {why}");
    refusal_saying(S3ErrorCode::AuthorizationHeaderMalformed, message)
}

/// `s3s` takes the list of signed headers as it comes, so a client could leave out the token.
fn all_are_signed(headers: &HeaderMap, signed: &str) -> S3Result<()> {
    let is_signed = |name: &str| signed.split(';').any(|signed| signed.eq_ignore_ascii_case(name));
    let mut needed = headers.keys().map(http::HeaderName::as_str).filter(|name| name.starts_with("x-amz-"));
    if is_signed("host") && needed.all(is_signed) {
        return Ok(());
    }
    let message = "There were headers present in the request which were not signed";
    Err(refusal_saying(S3ErrorCode::AccessDenied, message))
}

/// Gives `s3s` the secrets to verify signatures with.
pub(super) struct Secrets {
    pub(super) desk: Arc<dyn Desk>,
}

#[async_trait::async_trait]
impl S3Auth for Secrets {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        match self.desk.grant(access_key) {
            Some(grant) => Ok(grant.secret_access_key.into()),
            None => Err(refusal(S3ErrorCode::InvalidAccessKeyId)),
        }
    }
}

/// Holds requests to the operations, the bucket and the prefix of their grant.
pub(super) struct Policy;

#[async_trait::async_trait]
impl S3Access for Policy {
    async fn check(&self, request: &mut S3AccessContext<'_>) -> S3Result<()> {
        let denied = || refusal(S3ErrorCode::AccessDenied);
        // A grant is there, since nothing comes this far without one; the signature is what `s3s` found.
        request.credentials().ok_or_else(denied)?;
        let grant = request.extensions_mut().get::<Grant>().cloned().ok_or_else(denied)?;
        let path = request.s3_path();
        if path.get_bucket_name().is_some_and(|bucket| bucket != grant.bucket) {
            return Err(refusal(S3ErrorCode::NoSuchBucket));
        }
        let allowed = match (request.s3_op().name(), path.get_object_key()) {
            // Nobody knows whether the credentials of Jamf allow more, and no client has used more
            // (`jamf-pro-api.md §9.2`).
            (
                "PutObject"
                | "CreateMultipartUpload"
                | "UploadPart"
                | "CompleteMultipartUpload"
                | "AbortMultipartUpload"
                | "ListParts",
                Some(key),
            ) => grant.opens(key),
            ("ListMultipartUploads", None) => true,
            _ => false,
        };
        if allowed { Ok(()) } else { Err(denied()) }
    }

    async fn list_multipart_uploads(
        &self,
        request: &mut S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<()> {
        let grant = request.extensions.get::<Grant>();
        let prefix = request.input.prefix.as_deref().unwrap_or_default();
        match grant.is_some_and(|grant| grant.opens(prefix)) {
            true => Ok(()),
            false => Err(refusal(S3ErrorCode::AccessDenied)),
        }
    }
}

/// `bucket.localhost` names a bucket, as `bucket.s3.region.amazonaws.com` does; every other host is one of paths.
pub(super) struct Hosts;

impl S3Host for Hosts {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let name = host.rsplit_once(':').map_or(host, |(name, _port)| name);
        Ok(match name.strip_suffix(".localhost") {
            Some(bucket) => VirtualHost::new("localhost").with_bucket(bucket),
            None => VirtualHost::new(host),
        })
    }
}
