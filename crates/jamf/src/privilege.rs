//! Privileges, and what servers call them (`jamf-pro-api.md §14`, `§16`).

use crate::{ServerKind, Version};
use pipeline::Route;

/// Jamf renamed the privileges for files of the distribution service here (`user-pains.md` row 30).
const RENAMED: Version = Version::new(11, 20);

/// What an account has to be allowed for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Privilege {
    /// Read package records.
    ReadPackages,
    /// Create package records.
    CreatePackages,
    /// Update package records; sending their files through Jamf Pro is one.
    UpdatePackages,
    /// Read categories.
    ReadCategories,
    /// Create categories.
    CreateCategories,
    /// Read files of the distribution service.
    ReadFiles,
    /// Create files of the distribution service.
    CreateFiles,
    /// Delete files of the distribution service.
    DeleteFiles,
    /// Read the cloud distribution point, and refresh its inventory.
    ReadDistributionPoint,
}

impl Privilege {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::ReadPackages,
        Self::CreatePackages,
        Self::UpdatePackages,
        Self::ReadCategories,
        Self::CreateCategories,
        Self::ReadFiles,
        Self::CreateFiles,
        Self::DeleteFiles,
        Self::ReadDistributionPoint,
    ];

    /// What carrying a file into the cloud takes, its record and the proof included, without the creation of missing
    /// categories (`jamf-pro-api.md §16`). `replaces`: a file of that name is there already, which only the route through
    /// the distribution service has to delete.
    #[must_use]
    pub const fn of(route: Route, replaces: bool) -> &'static [Self] {
        use Privilege::{
            CreateFiles, CreatePackages, DeleteFiles, ReadCategories, ReadDistributionPoint, ReadFiles,
            ReadPackages, UpdatePackages,
        };
        const JCDS: &[Privilege] = &[
            ReadPackages,
            CreatePackages,
            UpdatePackages,
            ReadCategories,
            ReadDistributionPoint,
            ReadFiles,
            CreateFiles,
            DeleteFiles,
        ];
        const PACKAGES_API: &[Privilege] =
            &[ReadPackages, CreatePackages, UpdatePackages, ReadCategories, ReadDistributionPoint];
        match (route, JCDS.split_last()) {
            (Route::PackagesApi, _) => PACKAGES_API,
            (Route::Jcds, Some((_, without_deletion))) if !replaces => without_deletion,
            (Route::Jcds, _) => JCDS,
        }
    }

    /// How a server of this kind and version spells it, in its list of privileges. A version that is not known counts as
    /// a current one.
    #[must_use]
    pub fn name(self, version: impl Into<Option<Version>>, kind: ServerKind) -> &'static str {
        match (kind, version.into()) {
            (ServerKind::Gateway, _) => self.gateway_name(),
            (ServerKind::Instance, Some(version)) if version < RENAMED => {
                self.old_name().unwrap_or(self.current_name())
            }
            (ServerKind::Instance, _) => self.current_name(),
        }
    }

    /// As the role editor of Jamf Pro spells it.
    const fn current_name(self) -> &'static str {
        match self {
            Self::ReadPackages => "Read Packages",
            Self::CreatePackages => "Create Packages",
            Self::UpdatePackages => "Update Packages",
            Self::ReadCategories => "Read Categories",
            Self::CreateCategories => "Create Categories",
            Self::ReadFiles => "Read Jamf Cloud Distribution Service Files",
            Self::CreateFiles => "Create Jamf Cloud Distribution Service Files",
            Self::DeleteFiles => "Delete Jamf Cloud Distribution Service Files",
            Self::ReadDistributionPoint => "Read Cloud Distribution Point",
        }
    }

    /// Before 11.20, where that was another one.
    pub(crate) const fn old_name(self) -> Option<&'static str> {
        match self {
            Self::ReadFiles => Some("Read Jamf Content Distribution Server Files"),
            Self::CreateFiles => Some("Create Jamf Content Distribution Server Files"),
            Self::DeleteFiles => Some("Delete Jamf Content Distribution Server Files"),
            _ => None,
        }
    }

    /// At the Platform API gateway.
    const fn gateway_name(self) -> &'static str {
        match self {
            Self::ReadPackages => "read:pro:packages",
            Self::CreatePackages => "create:pro:packages",
            Self::UpdatePackages => "update:pro:packages",
            Self::ReadCategories => "read:pro:categories",
            Self::CreateCategories => "create:pro:categories",
            Self::ReadFiles => "read:pro:jamf-cloud-distribution-service-files",
            Self::CreateFiles => "create:pro:jamf-cloud-distribution-service-files",
            Self::DeleteFiles => "delete:pro:jamf-cloud-distribution-service-files",
            Self::ReadDistributionPoint => "read:pro:cloud-distribution-point",
        }
    }

    /// Whether a server means this one by that name, in whichever spelling.
    pub(crate) fn is_called(self, name: &str) -> bool {
        let names = [Some(self.current_name()), self.old_name(), Some(self.gateway_name())];
        names.into_iter().flatten().any(|known| known.eq_ignore_ascii_case(name.trim()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_have_their_own_spellings() {
        let name = |version: Option<Version>, kind| Privilege::CreateFiles.name(version, kind);
        let (old, new) = (Version::new(11, 19), Version::new(11, 20));
        assert_eq!(name(Some(old), ServerKind::Instance), "Create Jamf Content Distribution Server Files");
        assert_eq!(name(Some(new), ServerKind::Instance), "Create Jamf Cloud Distribution Service Files");
        assert_eq!(name(None, ServerKind::Instance), "Create Jamf Cloud Distribution Service Files");
        let gateway = "create:pro:jamf-cloud-distribution-service-files";
        assert_eq!(name(Some(old), ServerKind::Gateway), gateway);
        assert_eq!(Privilege::ReadPackages.name(old, ServerKind::Instance), "Read Packages");
        assert!(Privilege::CreateFiles.is_called(gateway) && !Privilege::ReadFiles.is_called(gateway));
    }

    #[test]
    fn only_a_replacement_over_jcds_deletes() {
        let of = |route, replaces| Privilege::of(route, replaces);
        assert!(of(Route::Jcds, true).contains(&Privilege::DeleteFiles));
        assert_eq!(of(Route::Jcds, false).len() + 1, of(Route::Jcds, true).len());
        assert!(!of(Route::Jcds, false).contains(&Privilege::DeleteFiles));
        assert_eq!(of(Route::PackagesApi, true), of(Route::PackagesApi, false));
        assert!(!of(Route::PackagesApi, true).contains(&Privilege::ReadFiles));
    }
}
