//! Whether S3 can be reached from here, and whether what is signed arrives there as it was sent.

use crate::endpoint::Endpoint;
use crate::s3_error::S3Error;
use crate::{Connections, Error, inputs};
use aws_credential_types::Credentials;
use aws_sdk_s3::Config;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::list_buckets::{ListBucketsError, ListBucketsOutput};
use jiff::{SignedDuration, Timestamp};
use pipeline::{Context, Effect, Env};
use std::time::Duration;

/// Where the buckets of the distribution service are is told with credentials only, and asking for those writes. From this
/// region S3 tells of keys that nobody has.
const REGION: &str = "us-east-1";
const CONNECT: Duration = Duration::from_secs(10);
const ANSWER: Duration = Duration::from_secs(20);

/// What became of a request that was signed with made-up keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Who was asked.
    pub host: String,
    /// What came back.
    pub reach: Reach,
    /// How far S3's clock is at least ahead of the one here; negative when it is behind, zero when the two may agree. `None` when
    /// nobody told the time.
    pub clock_difference: Option<SignedDuration>,
}

/// How far a signed request came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// S3 has read the signature and does not know the keys: it came as it was sent.
    Intact,
    /// S3 misses a header: something in between takes it out (`jamf-pro-api.md §9.5`).
    Stripped {
        /// The header.
        header: &'static str,
        /// What S3 said.
        said: String,
    },
    /// S3 says that the two clocks are too far apart for signatures.
    ClockTooFarOff,
    /// S3 answered with something else, which says nothing about uploads.
    Odd {
        /// What it said.
        said: String,
    },
    /// Something answered that is not S3.
    Foreign {
        /// What it said.
        said: String,
    },
    /// No answer came.
    Unreachable {
        /// Why.
        why: String,
    },
}

/// Asks S3 for something, once, with keys that nobody has. Nothing is read or written by it.
///
/// # Errors
/// When `PKGFERRY_S3_ENDPOINT` is wrong.
pub async fn probe(connections: &Connections, env: &Env, cx: &Context) -> Result<Probe, Error> {
    let endpoint = inputs::endpoint(env)?;
    let host = match &endpoint {
        Endpoint::Amazon => format!("s3.{REGION}.amazonaws.com"),
        Endpoint::Other(_) => endpoint.host("", REGION),
    };
    if let Err(refused) = cx.boundary().pass(Effect::Read, "GET", "/") {
        let why = refused.to_string();
        return Ok(Probe { host, reach: Reach::Unreachable { why }, clock_difference: None });
    }
    let keys = Credentials::new("AKIAPKGFERRYDOCTOR00", "made-up", None, None, "probe");
    let limits = TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(ANSWER);
    let before = cx.clock().now();
    let answer = connections
        .client(&endpoint, REGION)
        .list_buckets()
        .customize()
        .config_override(
            Config::builder()
                .credentials_provider(keys)
                .timeout_config(limits.build())
                .retry_config(RetryConfig::disabled()),
        )
        .send()
        .await;
    let after = cx.clock().now();
    let date = date(&answer).map(|told| difference(told, before, after));
    let reach = match answer {
        Ok(_) => Reach::Odd { said: "it lists buckets for keys that nobody has".to_owned() },
        Err(error) => reach(&S3Error::new(&error, &host, str::to_owned)),
    };
    Ok(Probe { host, reach, clock_difference: date })
}

/// What an error says about the way.
fn reach(error: &S3Error) -> Reach {
    let said = crate::s3_error::in_full(error);
    match error {
        S3Error::Answer { code: Some(code), message, .. } => {
            let message = message.as_deref().unwrap_or_default().to_ascii_lowercase();
            match code.as_str() {
                "InvalidAccessKeyId" => Reach::Intact,
                "RequestTimeTooSkewed" => Reach::ClockTooFarOff,
                "AccessDenied" if message.contains("date") => Reach::Stripped { header: "x-amz-date", said },
                // What comes without a signature is refused as anybody's.
                "AccessDenied" | "MissingSecurityHeader" => Reach::Stripped { header: "Authorization", said },
                // A header that was signed came changed, or not at all.
                "SignatureDoesNotMatch" => Reach::Stripped { header: "a signed header", said },
                _ => Reach::Odd { said },
            }
        }
        // To those without a signature Amazon shows its page about S3.
        S3Error::Answer { status: 301..=308, .. } => Reach::Stripped { header: "Authorization", said },
        S3Error::Answer { .. }
        | S3Error::Unreadable { .. }
        | S3Error::NoEtag { .. }
        | S3Error::NoUploadId { .. } => Reach::Foreign { said },
        S3Error::NoAnswer { .. } | S3Error::Unsendable { .. } | S3Error::Refused(_) | S3Error::Renewal(_) => {
            Reach::Unreachable { why: said }
        }
    }
}

/// When the answer was given, by the clock over there.
fn date(answer: &Result<ListBucketsOutput, SdkError<ListBucketsError>>) -> Option<Timestamp> {
    let headers = answer.as_ref().err()?.raw_response()?.headers();
    jiff::fmt::rfc2822::parse(headers.get("date")?).ok().map(|date| date.timestamp())
}

/// Who said `told` did so from then to a second later, and from `before` to `after` by the clock here.
fn difference(told: Timestamp, before: Timestamp, after: Timestamp) -> SignedDuration {
    let latest = told.saturating_add(SignedDuration::from_secs(1)).unwrap_or(Timestamp::MAX);
    if told > after {
        told.duration_since(after)
    } else if latest < before {
        latest.duration_since(before)
    } else {
        SignedDuration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, code: Option<&str>, message: Option<&str>) -> Reach {
        reach(&S3Error::Answer {
            host: "s3.example.com".into(),
            status,
            code: code.map(str::to_owned),
            message: message.map(str::to_owned),
        })
    }

    #[test]
    fn an_answer_tells_how_far_the_request_came() {
        let header = |reach| match reach {
            Reach::Stripped { header, .. } => Some(header),
            _ => None,
        };
        assert_eq!(answer(403, Some("InvalidAccessKeyId"), None), Reach::Intact);
        assert_eq!(answer(403, Some("RequestTimeTooSkewed"), None), Reach::ClockTooFarOff);
        let date = "AWS authentication requires a valid Date or x-amz-date header";
        assert_eq!(header(answer(403, Some("AccessDenied"), Some(date))), Some("x-amz-date"));
        assert_eq!(header(answer(403, Some("AccessDenied"), Some("Access Denied"))), Some("Authorization"));
        assert_eq!(header(answer(307, None, None)), Some("Authorization"));
        assert_eq!(header(answer(403, Some("SignatureDoesNotMatch"), None)), Some("a signed header"));
        assert!(matches!(answer(503, Some("SlowDown"), None), Reach::Odd { .. }));
        assert!(matches!(answer(407, None, None), Reach::Foreign { .. }));
    }

    #[test]
    fn clocks_differ_by_what_cannot_be_explained() {
        let at = |second: i64| Timestamp::from_second(1_795_176_000 + second).unwrap();
        assert_eq!(difference(at(0), at(0), at(0)).as_secs(), 0);
        assert_eq!(difference(at(1_000), at(0), at(10)).as_secs(), 990);
        assert_eq!(difference(at(0), at(1_001), at(1_002)).as_secs(), -1_000);
    }
}
