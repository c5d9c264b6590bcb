use pipeline::{Md5, PackageId, Sha3_512};
use std::collections::BTreeMap;

/// Which API serves package records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PackageApi {
    /// `/api/v1/packages`, Jamf Pro 11.5 and later.
    Pro,
    /// `/JSSResource/packages`.
    Classic,
}

/// A category.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Category {
    /// Its id.
    pub id: u64,
    /// Its name, as the server spells it.
    pub name: String,
}

/// A field of a package record that a recipe can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// Display name.
    DisplayName,
    /// Category.
    Category,
    /// Info.
    Info,
    /// Notes.
    Notes,
    /// Priority, 1 to 20.
    Priority,
    /// Restart after installation.
    RebootRequired,
    /// Fill user template.
    FillUserTemplate,
    /// Fill existing users.
    FillExistingUsers,
    /// OS requirements.
    OsRequirements,
    /// Required processor; Classic API only.
    RequiredProcessor,
    /// Send notification; Classic API only.
    SendNotification,
}

impl Field {
    /// Whether only the Classic API knows it.
    #[must_use]
    pub fn is_classic_only(self) -> bool {
        matches!(self, Self::RequiredProcessor | Self::SendNotification)
    }
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldValue {
    /// Text.
    Text(String),
    /// True or false.
    Flag(bool),
    /// A whole number.
    Number(u32),
    /// A category, or none.
    Category(Option<Category>),
}

/// One field and what it is to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The field.
    pub field: Field,
    /// Its value.
    pub value: FieldValue,
}

/// A package record as one of the two APIs tells it.
#[derive(Clone, Debug)]
pub struct Package {
    /// Its id.
    pub id: PackageId,
    /// Name of its file, as the server spells it.
    pub file_name: String,
    /// Display name.
    pub display_name: String,
    /// Which API this was read from, and which an update goes to.
    pub api: PackageApi,
    /// Fields that this API tells, without [`Field::Category`]: see [`Session::category_of`](crate::Session::category_of).
    pub values: BTreeMap<Field, FieldValue>,
    /// Size in bytes; `None` when blank, not told, or not a number (`jamf-pro-api.md §5.3`).
    pub size: Option<u64>,
    /// MD5, if the record has one.
    pub md5: Option<Md5>,
    /// SHA3-512 (`sha3512`, or `hashValue` where `hashType` says so), if the record has one.
    pub sha3_512: Option<Sha3_512>,
    /// `cloudTransferStatus`, if the API tells it (`jamf-pro-api.md §11.1`).
    pub transfer_status: Option<String>,
    pub(crate) category: CategoryRef,
}

/// How a record names its category: the Pro API by id, the Classic API by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CategoryRef {
    None,
    Id(u64),
    Name(String),
}
