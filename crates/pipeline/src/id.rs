use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

/// Text or number is not the id of a package record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a package id: it takes a whole number above 0")]
pub struct InvalidPackageId(String);

/// The id of a package record. A string of digits in the Pro API, an integer in the Classic API (`jamf-pro-api.md §1.1`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PackageId(NonZeroU64);

impl PackageId {
    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0.get()
    }
}

impl From<NonZeroU64> for PackageId {
    fn from(number: NonZeroU64) -> Self {
        Self(number)
    }
}

impl TryFrom<u64> for PackageId {
    type Error = InvalidPackageId;
    fn try_from(number: u64) -> Result<Self, InvalidPackageId> {
        NonZeroU64::new(number).map(Self).ok_or_else(|| InvalidPackageId(number.to_string()))
    }
}

impl FromStr for PackageId {
    type Err = InvalidPackageId;
    fn from_str(text: &str) -> Result<Self, InvalidPackageId> {
        text.parse().map(Self).map_err(|_| InvalidPackageId(text.to_owned()))
    }
}

impl fmt::Display for PackageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl serde::Serialize for PackageId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.get())
    }
}
