//! What a server says of itself (`jamf-pro-api.md §3`, `§8`, `§15`).

use crate::call::Call;
use crate::lapse::Lapse;
use crate::memory::Memory;
use crate::{Error, Privilege, Session, wire};
use pipeline::Context;
use std::fmt;
use std::str::FromStr;

const VERSION: &str = "/api/v1/jamf-pro-version";
const DISTRIBUTION_POINT: &str = "/api/v1/cloud-distribution-point";
const UPLOAD_CAPABILITY: &str = "/api/v1/cloud-distribution-point/upload-capability";

/// A version of Jamf Pro. Only the leading numbers are compared (`jamf-pro-api.md §3`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    major: u32,
    minor: u32,
    patch: u32,
}

impl Version {
    /// A version with a patch number of 0.
    #[must_use]
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor, patch: 0 }
    }

    /// Whether `/v1/packages` is there (`jamf-pro-api.md §15`).
    #[must_use]
    pub fn has_pro_packages(self) -> bool {
        self >= Self::new(11, 5)
    }

    /// Whether package records tell SHA3-512 reliably (`jamf-pro-api.md §11.3`).
    #[must_use]
    pub fn has_reliable_records(self) -> bool {
        self >= Self::new(11, 25)
    }
}

/// Reads `11.30.1-t1784555528405`.
impl FromStr for Version {
    type Err = InvalidVersion;
    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        let invalid = || InvalidVersion(text.to_owned());
        let numbers = text.split_once('-').map_or(text, |(numbers, _)| numbers);
        let mut parts = numbers.split('.').map(|part| part.parse().map_err(|_| invalid()));
        let (major, minor) = (parts.next().ok_or_else(invalid)??, parts.next().ok_or_else(invalid)??);
        let patch = parts.next().unwrap_or(Ok(0))?;
        Ok(Self { major, minor, patch })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// Text is no version of Jamf Pro.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no version of Jamf Pro")]
pub struct InvalidVersion(String);

/// What asking for a fact came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact<T> {
    /// The server told it.
    Told(T),
    /// The account may not ask for it; the privilege that it takes.
    NotAllowed(&'static str),
    /// This server does not know the question.
    NotServed,
}

impl<T> Fact<T> {
    /// What was told.
    pub fn told(&self) -> Option<&T> {
        match self {
            Self::Told(fact) => Some(fact),
            Self::NotAllowed(_) | Self::NotServed => None,
        }
    }
}

/// Where the cloud distribution point keeps its files (`jamf-pro-api.md §8`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CdnType {
    /// There is none.
    None,
    /// The distribution service of Jamf Cloud (JCDS).
    JamfCloud,
    /// Somebody else's storage, by Jamf's word for it.
    Other(String),
}

/// The cloud distribution point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistributionPoint {
    /// Where it keeps its files.
    pub cdn: CdnType,
    /// Whether it is the principal one.
    pub is_principal: bool,
}

/// Whether packages can be uploaded through Jamf Pro.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UploadCapability {
    /// `principalDistributionTechnology`: the principal distribution point is in the cloud.
    pub principal: bool,
    /// `directUploadCapable`.
    pub direct: bool,
}

/// What is remembered of them.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    version: Memory<(), Version>,
    version_lapse: Lapse,
    distribution_point: Memory<(), Fact<DistributionPoint>>,
    distribution_point_lapse: Lapse,
    upload_capability: Memory<(), Fact<UploadCapability>>,
    upload_capability_lapse: Lapse,
}

impl Session {
    /// Version of the server. Remembered.
    ///
    /// # Errors
    /// When the server cannot be asked, or tells none.
    pub async fn version(&self, cx: &Context) -> Result<Version, Error> {
        let ask = || self.ask_version(cx, Call::get(VERSION));
        self.facts.version.get((), || self.unless_lapsed(cx, &self.facts.version_lapse, ask)).await
    }

    /// The same, without trying again.
    pub(crate) async fn version_once(&self, cx: &Context) -> Result<Version, Error> {
        self.facts.version.get((), || self.ask_version(cx, Call::get(VERSION).once())).await
    }

    /// The version if somebody has asked for it.
    pub(crate) fn version_known(&self) -> Option<Version> {
        self.facts.version.known(&())
    }

    async fn ask_version(&self, cx: &Context, call: Call) -> Result<Version, Error> {
        let answer = self.send(cx, &call.unwatched()).await?;
        let expected = "the version of Jamf Pro";
        let json = answer.json(expected)?;
        let text = wire::filled(&json, "version").ok_or_else(|| answer.lacks(expected, "version"))?;
        text.parse().map_err(|error: InvalidVersion| answer.unusable(expected, error.to_string()))
    }

    /// The cloud distribution point. Remembered.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn distribution_point(&self, cx: &Context) -> Result<Fact<DistributionPoint>, Error> {
        let ask = async || {
            let call = Call::get(DISTRIBUTION_POINT).needs(Privilege::ReadDistributionPoint);
            let answer = match self.send(cx, &call).await {
                Ok(answer) => answer,
                Err(error) => {
                    return absent(error, Privilege::ReadDistributionPoint.name(None, self.kind()));
                }
            };
            let json = answer.json("a cloud distribution point")?;
            let cdn = match wire::filled(&json, "cdnType") {
                None | Some("NONE") => CdnType::None,
                Some("JAMF_CLOUD") => CdnType::JamfCloud,
                Some(other) => CdnType::Other(other.to_owned()),
            };
            let is_principal = wire::flag(&json, "master").unwrap_or(false);
            Ok(Fact::Told(DistributionPoint { cdn, is_principal }))
        };
        let lapse = &self.facts.distribution_point_lapse;
        self.facts.distribution_point.get((), || self.unless_lapsed(cx, lapse, ask)).await
    }

    /// Whether packages can be uploaded through Jamf Pro. It takes no privilege. Remembered.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn upload_capability(&self, cx: &Context) -> Result<Fact<UploadCapability>, Error> {
        let ask = async || {
            let answer = match self.send(cx, &Call::get(UPLOAD_CAPABILITY)).await {
                Ok(answer) => answer,
                Err(error) => return absent(error, "any privilege at all"),
            };
            let json = answer.json("an upload capability")?;
            let flag = |key| wire::flag(&json, key).unwrap_or(false);
            Ok(Fact::Told(UploadCapability {
                principal: flag("principalDistributionTechnology"),
                direct: flag("directUploadCapable"),
            }))
        };
        let lapse = &self.facts.upload_capability_lapse;
        self.facts.upload_capability.get((), || self.unless_lapsed(cx, lapse, ask)).await
    }
}

/// A question that the server does not know, or does not let this account ask.
fn absent<T>(error: Error, privilege: &'static str) -> Result<Fact<T>, Error> {
    match error.status() {
        Some(403) => Ok(Fact::NotAllowed(privilege)),
        Some(404 | 405 | 410) => Ok(Fact::NotServed),
        _ => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn versions_compare_by_number() {
        let version = |text: &str| text.parse::<Version>().unwrap();
        assert_eq!(version("11.30.1-t1784555528405").to_string(), "11.30.1");
        assert_eq!(version("11.5"), Version::new(11, 5));
        assert!(version("11.5.0").has_pro_packages() && !version("11.4.99").has_pro_packages());
        assert!(version("11.25.0").has_reliable_records() && !version("11.9.2").has_reliable_records());
        assert!(version("12.0.0") > version("11.99.9-b1"));
        for text in ["", "11", "11.", "eleven.five", "11.30.1rc", "-11.5", "11.-5", "99999999999.1"] {
            assert_eq!(text.parse::<Version>(), Err(InvalidVersion(text.to_owned())), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in "([0-9]{1,12}|\\.|-|t|\\PC){0,9}") {
            if let Ok(version) = text.parse::<Version>() {
                prop_assert_eq!(version.to_string().parse::<Version>(), Ok(version));
            }
        }
    }
}
