use crate::version::Version;
use std::fmt;

/// A user account or an API client.
#[derive(Clone)]
pub struct Account {
    /// User name or client id.
    pub id: String,
    /// Password or client secret.
    pub secret: String,
    /// Whether it is an API client.
    pub is_client: bool,
    /// What it may do.
    pub privileges: Vec<Privilege>,
    /// The set that its privileges come from, as `GET /v1/auth` tells it.
    pub privilege_set: PrivilegeSet,
}

/// What an account's privileges come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrivilegeSet {
    /// All privileges there are.
    Administrator,
    /// Those that were chosen for it.
    Custom,
}

impl PrivilegeSet {
    /// The word for it in answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Administrator => "ADMINISTRATOR",
            Self::Custom => "CUSTOM",
        }
    }
}

impl Account {
    /// A user account that may do everything.
    #[must_use]
    pub fn user(name: &str, password: &str) -> Self {
        Self {
            id: name.to_owned(),
            secret: password.to_owned(),
            is_client: false,
            privileges: Privilege::ALL.to_vec(),
            privilege_set: PrivilegeSet::Custom,
        }
    }

    /// An API client that may do everything.
    #[must_use]
    pub fn client(id: &str, secret: &str) -> Self {
        Self { is_client: true, ..Self::user(id, secret) }
    }

    /// A user account that may do everything because of its role. It tells that instead of the list of its privileges,
    /// which nobody promises to be complete there.
    #[must_use]
    pub fn administrator(name: &str, password: &str) -> Self {
        Self { privilege_set: PrivilegeSet::Administrator, ..Self::user(name, password) }
    }

    /// The same account without one privilege.
    #[must_use]
    pub fn without(mut self, privilege: Privilege) -> Self {
        self.privileges.retain(|held| *held != privilege);
        self.privilege_set = PrivilegeSet::Custom;
        self
    }
}

/// Without the secret.
impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("id", &self.id)
            .field("is_client", &self.is_client)
            .field("privileges", &self.privileges)
            .finish_non_exhaustive()
    }
}

/// A privilege, as far as the calls here need it (`jamf-pro-api.md §16`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Privilege {
    /// Read Packages.
    ReadPackages,
    /// Create Packages.
    CreatePackages,
    /// Update Packages.
    UpdatePackages,
    /// Delete Packages.
    DeletePackages,
    /// Read Categories.
    ReadCategories,
    /// Create Categories.
    CreateCategories,
    /// Update Categories.
    UpdateCategories,
    /// Delete Categories.
    DeleteCategories,
    /// Read Jamf Cloud Distribution Service Files.
    ReadJcdsFiles,
    /// Create Jamf Cloud Distribution Service Files.
    CreateJcdsFiles,
    /// Delete Jamf Cloud Distribution Service Files.
    DeleteJcdsFiles,
    /// Read Cloud Distribution Point.
    ReadDistributionPoint,
    /// Update Cloud Distribution Point.
    UpdateDistributionPoint,
}

impl Privilege {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::ReadPackages,
        Self::CreatePackages,
        Self::UpdatePackages,
        Self::DeletePackages,
        Self::ReadCategories,
        Self::CreateCategories,
        Self::UpdateCategories,
        Self::DeleteCategories,
        Self::ReadJcdsFiles,
        Self::CreateJcdsFiles,
        Self::DeleteJcdsFiles,
        Self::ReadDistributionPoint,
        Self::UpdateDistributionPoint,
    ];

    /// The name that a server of this version has for it. Before 11.20 the distribution service was spelt otherwise (`§7`).
    pub(crate) fn name_at(self, version: Version) -> &'static str {
        match self {
            Self::ReadJcdsFiles if version.says_content_distribution() => {
                "Read Jamf Content Distribution Server Files"
            }
            Self::CreateJcdsFiles if version.says_content_distribution() => {
                "Create Jamf Content Distribution Server Files"
            }
            Self::DeleteJcdsFiles if version.says_content_distribution() => {
                "Delete Jamf Content Distribution Server Files"
            }
            _ => self.name(),
        }
    }

    /// The name that Jamf Pro shows.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadPackages => "Read Packages",
            Self::CreatePackages => "Create Packages",
            Self::UpdatePackages => "Update Packages",
            Self::DeletePackages => "Delete Packages",
            Self::ReadCategories => "Read Categories",
            Self::CreateCategories => "Create Categories",
            Self::UpdateCategories => "Update Categories",
            Self::DeleteCategories => "Delete Categories",
            Self::ReadJcdsFiles => "Read Jamf Cloud Distribution Service Files",
            Self::CreateJcdsFiles => "Create Jamf Cloud Distribution Service Files",
            Self::DeleteJcdsFiles => "Delete Jamf Cloud Distribution Service Files",
            Self::ReadDistributionPoint => "Read Cloud Distribution Point",
            Self::UpdateDistributionPoint => "Update Cloud Distribution Point",
        }
    }
}
