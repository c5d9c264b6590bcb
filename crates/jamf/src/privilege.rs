//! Privileges as Jamf Pro's role editor spells them (`jamf-pro-api.md §16`).

pub(crate) const READ_PACKAGES: &str = "Read Packages";
pub(crate) const CREATE_PACKAGES: &str = "Create Packages";
pub(crate) const UPDATE_PACKAGES: &str = "Update Packages";
pub(crate) const READ_CATEGORIES: &str = "Read Categories";
pub(crate) const CREATE_CATEGORIES: &str = "Create Categories";
pub(crate) const READ_FILES: &str = "Read Jamf Cloud Distribution Service Files";
pub(crate) const CREATE_FILES: &str = "Create Jamf Cloud Distribution Service Files";
pub(crate) const DELETE_FILES: &str = "Delete Jamf Cloud Distribution Service Files";
pub(crate) const READ_DISTRIBUTION_POINT: &str = "Read Cloud Distribution Point";

/// The spelling that servers before 11.20 use, where it differs (`jamf-pro-api.md §7`, `user-pains.md` row 30).
pub(crate) fn old_spelling(privilege: &str) -> Option<String> {
    privilege
        .strip_suffix("Jamf Cloud Distribution Service Files")
        .map(|verb| format!("{verb}Jamf Content Distribution Server Files"))
}
