//! Faults as text: one table, from which they are read, listed and explained.

use super::Fault;
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

/// A fault as a list of them shows it.
#[derive(Clone, Copy, Debug)]
pub struct FaultInfo {
    /// Its name.
    pub name: &'static str,
    /// What N is, if it takes one.
    pub number: Option<FaultNumber>,
    /// What happens, in one line.
    pub summary: &'static str,
    make: Make,
}

/// The N of `NAME=N`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultNumber {
    /// What it says: `seconds`, `number of the part`.
    pub meaning: &'static str,
    /// What holds for `NAME` alone.
    pub default: i64,
}

#[derive(Clone, Copy, Debug)]
enum Make {
    Plain(Fault),
    Counted(fn(NonZeroU32) -> Fault),
    Seconds(fn(u64) -> Fault),
    Offset(fn(i64) -> Fault),
}

/// A text is no fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseFaultError {
    /// There is none of this name.
    #[error("there is no fault called {name:?}{}", did_you_mean(nearest))]
    Unknown {
        /// As it was given.
        name: String,
        /// Names that may have been meant, the nearest first.
        nearest: Vec<&'static str>,
    },
    /// It takes no N.
    #[error("{name} takes no number")]
    NoNumber {
        /// Which.
        name: &'static str,
    },
    /// Its N is none.
    #[error("{name} takes a number ({meaning}), {wanted}, and not {text:?}")]
    Number {
        /// Which.
        name: &'static str,
        /// What N is.
        meaning: &'static str,
        /// Which numbers it takes.
        wanted: &'static str,
        /// What was given.
        text: String,
    },
}

fn did_you_mean(nearest: &[&str]) -> String {
    if nearest.is_empty() { String::new() } else { format!("; did you mean {}?", nearest.join(" or ")) }
}

/// What N is, and what holds without it.
const PART: (&str, i64) = ("number of the part", 1);
const RANGE_REQUEST: (&str, i64) = ("number of the range request", 1);
const SECONDS: FaultNumber = FaultNumber { meaning: "seconds", default: 10 };

impl Fault {
    /// All of them, for help.
    pub const ALL: &'static [FaultInfo] = &[
        counted(
            "credentials-end-at-part",
            Self::CredentialsEndAtPart,
            ("number of the UploadPart request", 1),
            "at UploadPart request N the keys end; renewed ones work",
        ),
        plain(
            "renewal-other-path",
            Self::RenewalOtherPath,
            "renewals tell another path; keys open the first too; always",
        ),
        plain(
            "renewal-empty-fields",
            Self::RenewalEmptyFields,
            "renewals tell no bucket, path, region and uuid; always",
        ),
        plain(
            "renewal-only-new-path",
            Self::RenewalOnlyNewPath,
            "renewals tell another path and open only that; always",
        ),
        plain("renewal-refused", Self::RenewalRefused, "renewals are answered with 500; always"),
        counted(
            "part-fails-twice",
            Self::PartFailsTwice,
            PART,
            "part N is answered with 500 InternalError, twice",
        ),
        counted("part-stalls", Self::PartStalls, PART, "the server stops reading in the middle of part N"),
        counted("part-cut", Self::PartCut, PART, "the connection is closed in the middle of part N"),
        counted(
            "slow-down",
            Self::SlowDown,
            ("how many", 3),
            "N requests to S3 are answered with 503 SlowDown",
        ),
        counted("etag-lost", Self::EtagLost, PART, "the answer to part N has no ETag"),
        counted("part-damaged", Self::PartDamaged, PART, "one bit of part N arrives turned over"),
        plain(
            "complete-error",
            Self::CompleteError,
            "completing says 200, then InternalError; nothing is completed",
        ),
        plain("complete-lost", Self::CompleteLost, "the upload is completed, and the answer lost"),
        seconds("complete-slow", Self::CompleteSlow, "completing takes N seconds, with blanks meanwhile"),
        seconds("delete-late", Self::DeleteLate, "a deleted file stays, and its name taken, for N seconds"),
        plain("delete-lost", Self::DeleteLost, "a file is deleted, and the answer is a page that says 504"),
        plain("delete-refused", Self::DeleteRefused, "a deletion is answered with 500 and does nothing"),
        plain("never-listed", Self::NeverListed, "the next file that is sent never appears"),
        plain("size-zero", Self::SizeZero, "the next file that is sent is listed with length 0"),
        plain("wrong-digest", Self::WrongDigest, "the next file that is sent is listed with other digests"),
        plain(
            "record-digest-wrong",
            Self::RecordDigestWrong,
            "the next record tells other digests than the list",
        ),
        seconds(
            "digest-before-size",
            Self::DigestBeforeSize,
            "the next record tells hashes N seconds before its size",
        ),
        seconds("listed-late", Self::ListedLate, "the next file that is sent is listed after N seconds"),
        FaultInfo {
            name: "clock-skew",
            number: Some(FaultNumber { meaning: "seconds, negative for behind", default: 3600 }),
            summary: "the clock runs N seconds ahead, or behind; always",
            make: Make::Offset(Self::ClockSkew),
        },
        plain("abort-denied", Self::AbortDenied, "AbortMultipartUpload and ListParts are denied; always"),
        counted(
            "token-ends",
            Self::TokenEnds,
            ("number of the request with a token", 1),
            "at Jamf Pro request N the API token has ended (401)",
        ),
        plain("date-stripped", Self::DateStripped, "a proxy takes x-amz-date out of requests to S3; always"),
        plain(
            "signature-stripped",
            Self::SignatureStripped,
            "a proxy takes Authorization out of requests to S3; always",
        ),
        plain(
            "checksum-refused",
            Self::ChecksumRefused,
            "S3 answers 501 to requests with a checksum; always",
        ),
        plain("crc64-refused", Self::Crc64Refused, "S3 answers 400 to requests with CRC64NVME; always"),
        counted(
            "upload-fails",
            Self::UploadFails,
            ("how many", 1),
            "N uploads over the Pro API get 500 and no body",
        ),
        plain(
            "upload-stalls",
            Self::UploadStalls,
            "the server stops reading in the middle of an upload over the Pro API",
        ),
        plain(
            "upload-too-large",
            Self::UploadTooLarge,
            "uploads over the Pro API get a proxy's page that says 413; always",
        ),
        plain(
            "upload-blocked",
            Self::UploadBlocked,
            "uploads over the Pro API get a page of the edge that says 403; always",
        ),
        counted(
            "download-cut",
            Self::DownloadCut,
            RANGE_REQUEST,
            "the answer to range request N is cut in its middle",
        ),
        counted(
            "download-expired",
            Self::DownloadExpired,
            RANGE_REQUEST,
            "at range request N the address ends; a new one works",
        ),
        counted(
            "download-stalls",
            Self::DownloadStalls,
            RANGE_REQUEST,
            "the answer to range request N stands still in its middle",
        ),
        counted("download-error", Self::DownloadError, RANGE_REQUEST, "range request N is answered with 503"),
        plain(
            "download-ignores-range",
            Self::DownloadIgnoresRange,
            "range requests are answered with the whole file; always",
        ),
    ];

    /// Name and number.
    fn parts(self) -> (&'static str, Option<i128>) {
        let count = |name, n: NonZeroU32| (name, Some(n.get().into()));
        let seconds = |name, seconds: u64| (name, Some(seconds.into()));
        match self {
            Self::CredentialsEndAtPart(n) => count("credentials-end-at-part", n),
            Self::RenewalOtherPath => ("renewal-other-path", None),
            Self::RenewalEmptyFields => ("renewal-empty-fields", None),
            Self::RenewalOnlyNewPath => ("renewal-only-new-path", None),
            Self::RenewalRefused => ("renewal-refused", None),
            Self::PartFailsTwice(n) => count("part-fails-twice", n),
            Self::PartStalls(n) => count("part-stalls", n),
            Self::PartCut(n) => count("part-cut", n),
            Self::SlowDown(n) => count("slow-down", n),
            Self::EtagLost(n) => count("etag-lost", n),
            Self::PartDamaged(n) => count("part-damaged", n),
            Self::CompleteError => ("complete-error", None),
            Self::CompleteLost => ("complete-lost", None),
            Self::CompleteSlow(s) => seconds("complete-slow", s),
            Self::DeleteLate(s) => seconds("delete-late", s),
            Self::DeleteLost => ("delete-lost", None),
            Self::DeleteRefused => ("delete-refused", None),
            Self::NeverListed => ("never-listed", None),
            Self::SizeZero => ("size-zero", None),
            Self::WrongDigest => ("wrong-digest", None),
            Self::RecordDigestWrong => ("record-digest-wrong", None),
            Self::DigestBeforeSize(s) => seconds("digest-before-size", s),
            Self::ListedLate(s) => seconds("listed-late", s),
            Self::ClockSkew(s) => ("clock-skew", Some(s.into())),
            Self::AbortDenied => ("abort-denied", None),
            Self::TokenEnds(n) => count("token-ends", n),
            Self::DateStripped => ("date-stripped", None),
            Self::SignatureStripped => ("signature-stripped", None),
            Self::ChecksumRefused => ("checksum-refused", None),
            Self::Crc64Refused => ("crc64-refused", None),
            Self::UploadFails(n) => count("upload-fails", n),
            Self::UploadStalls => ("upload-stalls", None),
            Self::UploadTooLarge => ("upload-too-large", None),
            Self::UploadBlocked => ("upload-blocked", None),
            Self::DownloadCut(n) => count("download-cut", n),
            Self::DownloadExpired(n) => count("download-expired", n),
            Self::DownloadStalls(n) => count("download-stalls", n),
            Self::DownloadError(n) => count("download-error", n),
            Self::DownloadIgnoresRange => ("download-ignores-range", None),
        }
    }
}

const fn plain(name: &'static str, fault: Fault, summary: &'static str) -> FaultInfo {
    FaultInfo { name, number: None, summary, make: Make::Plain(fault) }
}

const fn counted(
    name: &'static str,
    make: fn(NonZeroU32) -> Fault,
    (meaning, default): (&'static str, i64),
    summary: &'static str,
) -> FaultInfo {
    let number = Some(FaultNumber { meaning, default });
    FaultInfo { name, number, summary, make: Make::Counted(make) }
}

const fn seconds(name: &'static str, make: fn(u64) -> Fault, summary: &'static str) -> FaultInfo {
    FaultInfo { name, number: Some(SECONDS), summary, make: Make::Seconds(make) }
}

/// Lists of faults show this: `NAME`, or `NAME=N`.
impl fmt::Display for FaultInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        if self.number.is_some() { f.write_str("=N") } else { Ok(()) }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parts() {
            (name, None) => f.write_str(name),
            (name, Some(number)) => write!(f, "{name}={number}"),
        }
    }
}

impl FromStr for Fault {
    type Err = ParseFaultError;

    fn from_str(text: &str) -> Result<Self, ParseFaultError> {
        let (name, number) = match text.split_once('=') {
            Some((name, number)) => (name, Some(number)),
            None => (text, None),
        };
        let info = Self::ALL.iter().find(|info| info.name == name);
        let info =
            info.ok_or_else(|| ParseFaultError::Unknown { name: name.to_owned(), nearest: nearest(name) })?;
        info.read(number)
    }
}

impl FaultInfo {
    fn read(&self, number: Option<&str>) -> Result<Fault, ParseFaultError> {
        let default = self.number.map(|number| number.default.to_string());
        let text = number.or(default.as_deref()).unwrap_or_default();
        let (read, wanted) = match self.make {
            Make::Plain(fault) => {
                return match number {
                    None => Ok(fault),
                    Some(_) => Err(ParseFaultError::NoNumber { name: self.name }),
                };
            }
            Make::Counted(make) => (text.parse().ok().map(make), "from 1 on"),
            Make::Seconds(make) => (text.parse().ok().map(make), "from 0 on"),
            Make::Offset(make) => (text.parse().ok().map(make), "whole"),
        };
        read.ok_or_else(|| ParseFaultError::Number {
            name: self.name,
            meaning: self.number.map_or("", |number| number.meaning),
            wanted,
            text: text.to_owned(),
        })
    }
}

/// Names that are a few letters off, or of which this is a piece.
fn nearest(name: &str) -> Vec<&'static str> {
    let allowed = (name.chars().count() / 3).clamp(1, 4);
    let distance = |known: &str| {
        let letters = strsim::damerau_levenshtein(&name.to_lowercase(), known);
        if letters <= allowed { Some(letters) } else { known.contains(name).then_some(allowed + 1) }
    };
    // Nobody types a shorter one, or a much longer one, and means one of these.
    if !(3..=64).contains(&name.len()) {
        return Vec::new();
    }
    let mut near: Vec<(usize, &'static str)> =
        Fault::ALL.iter().filter_map(|info| Some((distance(info.name)?, info.name))).collect();
    near.sort_unstable();
    near.into_iter().map(|(_, name)| name).take(3).collect()
}

#[cfg(test)]
mod tests {
    use super::Make;
    use crate::Fault;
    use proptest::prelude::*;
    use std::num::NonZeroU32;

    fn any_fault() -> impl Strategy<Value = Fault> {
        let count = any::<NonZeroU32>();
        (0..Fault::ALL.len(), count, any::<u64>(), any::<i64>()).prop_map(
            |(index, count, seconds, offset)| match Fault::ALL[index].make {
                Make::Plain(fault) => fault,
                Make::Counted(make) => make(count),
                Make::Seconds(make) => make(seconds),
                Make::Offset(make) => make(offset),
            },
        )
    }

    proptest! {
        #[test]
        fn a_fault_is_what_its_text_says(fault in any_fault()) {
            prop_assert_eq!(fault.to_string().parse(), Ok(fault));
        }

        #[test]
        fn reading_never_fails_otherwise_than_with_words(text in "\\PC{0,80}") {
            if let Err(error) = text.parse::<Fault>() {
                prop_assert!(!error.to_string().is_empty());
            }
        }
    }

    #[test]
    fn the_list_and_the_names_are_the_same() {
        for info in Fault::ALL {
            let alone: Fault = info.name.parse().unwrap();
            let expected = match info.number {
                None => info.name.to_owned(),
                Some(number) => format!("{}={}", info.name, number.default),
            };
            assert_eq!(alone.to_string(), expected);
            assert_eq!(expected.parse(), Ok(alone));
        }
        let names: std::collections::BTreeSet<_> = Fault::ALL.iter().map(|info| info.name).collect();
        assert_eq!(names.len(), Fault::ALL.len(), "no name twice");
    }

    #[test]
    fn what_is_wrong_is_said() {
        let refused = |text: &str| text.parse::<Fault>().unwrap_err().to_string();
        insta::assert_snapshot!(refused("part-ct=2"), @r#"there is no fault called "part-ct"; did you mean part-cut?"#);
        insta::assert_snapshot!(refused("stalls"), @r#"there is no fault called "stalls"; did you mean download-stalls or part-stalls or upload-stalls?"#);
        insta::assert_snapshot!(refused("earthquake"), @r#"there is no fault called "earthquake""#);
        insta::assert_snapshot!(refused(""), @r#"there is no fault called """#);
        insta::assert_snapshot!(refused("never-listed=1"), @"never-listed takes no number");
        insta::assert_snapshot!(refused("part-cut=0"), @r#"part-cut takes a number (number of the part), from 1 on, and not "0""#);
        insta::assert_snapshot!(refused("delete-late=-1"), @r#"delete-late takes a number (seconds), from 0 on, and not "-1""#);
        insta::assert_snapshot!(refused("clock-skew="), @r#"clock-skew takes a number (seconds, negative for behind), whole, and not """#);
    }
}
