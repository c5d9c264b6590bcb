use jamf::Version;
use pipeline::Route;
use std::fmt;

/// Why a route cannot be taken. Its text goes on after `not jcds: `.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The recipe has no step that sends on it.
    NoStep(Route),
    /// There is no cloud distribution point.
    NoDistributionPoint,
    /// The cloud distribution point is not Jamf's own, by Jamf's word for it (`jamf-pro-api.md §8`).
    OtherStorage(String),
    /// The server's own schema has no calls of the distribution service.
    NoCalls(Option<Version>),
    /// The server has no packages in its Pro API (`jamf-pro-api.md §15`).
    TooOld(Version),
    /// `package_api` is `classic`, and the upload is a call of the Pro API.
    ClassicForced,
    /// The principal distribution point is not in the cloud (`jamf-pro-api.md §5.4`).
    NotPrincipal,
    /// The server does not take uploads.
    NoDirectUpload,
}

impl Obstacle {
    /// Whether it lies in the recipe or in a setting, and not in the server.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        matches!(self, Self::NoStep(_) | Self::ClassicForced)
    }

    /// What a person can do about it.
    #[must_use]
    pub fn advice(&self) -> String {
        match self {
            Self::NoStep(route) => format!(
                "give the recipe the step {}, or the parent com.github.pkgferry.recipes.upload-package",
                route.sender()
            ),
            Self::ClassicForced => "let package_api be auto".to_owned(),
            Self::TooOld(_) => "update Jamf Pro to 11.5 or later".to_owned(),
            Self::NoDistributionPoint | Self::NotPrincipal | Self::NoDirectUpload => {
                "make Jamf Cloud the principal distribution point in Settings > Server > Cloud distribution point; for files \
                 that lie elsewhere, the recipe package-record-only makes the record alone"
                    .to_owned()
            }
            Self::OtherStorage(_) | Self::NoCalls(_) => {
                "let route be auto, and the recipe have the step package-upload".to_owned()
            }
        }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoStep(route) => write!(f, "the recipe has no step {}", route.sender()),
            Self::NoDistributionPoint => f.write_str("no cloud distribution point is set up"),
            Self::OtherStorage(kind) => {
                write!(f, "the cloud distribution point is {kind} and not Jamf Cloud")
            }
            Self::NoCalls(Some(version)) => write!(f, "Jamf Pro {version} has no JCDS calls any more"),
            Self::NoCalls(None) => f.write_str("this server has no JCDS calls any more"),
            Self::TooOld(version) => write!(f, "Jamf Pro {version} has no packages in its Pro API; 11.5 has"),
            Self::ClassicForced => f.write_str("package_api is classic"),
            Self::NotPrincipal => f.write_str("the principal distribution point is not in the cloud"),
            Self::NoDirectUpload => f.write_str("the server says that it takes no uploads"),
        }
    }
}

/// Several, one after the other.
pub(crate) fn listed(obstacles: &[Obstacle]) -> String {
    obstacles.iter().map(ToString::to_string).collect::<Vec<_>>().join(", and ")
}
