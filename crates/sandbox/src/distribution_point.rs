/// The cloud distribution point of the server: where the files of its packages are (`jamf-pro-api.md §8`).
///
/// ```
/// use sandbox::{CdnType, DistributionPoint};
///
/// let elsewhere = DistributionPoint::principal(CdnType::AmazonS3);
/// assert!(!elsewhere.is_jcds());
/// let beside = DistributionPoint { is_principal: false, ..DistributionPoint::JAMF_CLOUD };
/// assert!(beside.is_jcds());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DistributionPoint {
    /// Whose service it is (`cdnType`).
    pub kind: CdnType,
    /// Whether it is the principal one, and not beside a file share of the house (`master`,
    /// `principalDistributionTechnology`). Packages go over the Pro API to the principal one only.
    pub is_principal: bool,
    /// Whether the server passes files on to it (`directUploadCapable`).
    pub takes_uploads: bool,
}

impl DistributionPoint {
    /// None is configured.
    pub const NONE: Self = Self { kind: CdnType::None, is_principal: false, takes_uploads: false };
    /// Jamf's own one, the principal one, as every server of Jamf Cloud begins.
    pub const JAMF_CLOUD: Self = Self::principal(CdnType::JamfCloud);

    /// One of this kind that is the principal one and takes uploads.
    #[must_use]
    pub const fn principal(kind: CdnType) -> Self {
        Self { kind, is_principal: true, takes_uploads: true }
    }

    /// Whether JCDS calls have anything to reach (`§7.7`).
    #[must_use]
    pub fn is_jcds(self) -> bool {
        self.kind == CdnType::JamfCloud
    }

    /// Whether there is one at all.
    #[must_use]
    pub fn exists(self) -> bool {
        self.kind != CdnType::None
    }

    /// Whether packages can be sent over the Pro API (`§5.4`).
    pub(crate) fn accepts_packages(self) -> bool {
        self.exists() && self.is_principal && self.takes_uploads
    }
}

/// Whose service a cloud distribution point is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CdnType {
    /// There is none.
    None,
    /// Jamf's own, which JCDS calls are about.
    JamfCloud,
    /// Rackspace.
    RackspaceCloudFiles,
    /// A bucket of the customer's own.
    AmazonS3,
    /// Akamai.
    Akamai,
}

impl CdnType {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::None, Self::JamfCloud, Self::RackspaceCloudFiles, Self::AmazonS3, Self::Akamai];

    /// The word for it in answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::JamfCloud => "JAMF_CLOUD",
            Self::RackspaceCloudFiles => "RACKSPACE_CLOUD_FILES",
            Self::AmazonS3 => "AMAZON_S3",
            Self::Akamai => "AKAMAI",
        }
    }
}

/// How calls that a server no longer has are answered. Nobody knows which of them Jamf will choose (`§19.12`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JcdsGone {
    /// As every path that is not there: 404, no error listed.
    NotFound,
    /// 410, no error listed.
    Gone,
}
