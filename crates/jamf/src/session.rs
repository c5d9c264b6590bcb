use crate::{Category, Deletion, Error, JcdsFile, Package, PackageApi, Setting, UploadGrant};
use pipeline::{Context, FileName, PackageId};
use std::sync::Arc;

/// One server and one account.
///
/// Reads marked *remembered* are asked once and kept until a write through this session makes them stale.
#[derive(Debug)]
pub struct Session {}

#[expect(clippy::unused_async, unused_variables, clippy::todo, reason = "being written")]
impl Session {
    /// The server's address, without a slash at the end.
    #[must_use]
    pub fn server(&self) -> &str {
        todo!()
    }

    /// Records whose file name is `file`, under any [spelling](FileName::spellings). Remembered. All of them: more than
    /// one is for the caller to refuse.
    pub async fn packages_named(&self, cx: &Context, file: &FileName) -> Result<Vec<Package>, Error> {
        todo!()
    }

    /// Records whose display name is `name`, exactly. Remembered.
    pub async fn packages_displayed_as(&self, cx: &Context, name: &str) -> Result<Vec<Package>, Error> {
        todo!()
    }

    /// One record, read now. 404 is `None`.
    pub async fn package(&self, cx: &Context, id: PackageId) -> Result<Option<Package>, Error> {
        todo!()
    }

    /// One record as the Classic API tells it, read now: the only API that knows [classic-only fields](crate::Field::is_classic_only).
    pub async fn classic_package(&self, cx: &Context, id: PackageId) -> Result<Option<Package>, Error> {
        todo!()
    }

    /// Creates a record with the server's API for records; fields not named get Jamf's defaults. Classic-only settings
    /// are refused when that is the Pro API: set them afterwards through [`classic_package`](Session::classic_package).
    pub async fn create_package(
        &self,
        cx: &Context,
        file: &FileName,
        display_name: &str,
        settings: &[Setting],
    ) -> Result<PackageId, Error> {
        todo!()
    }

    /// Changes only these fields of a record, through the API it was read from. The Pro API has no partial update: the
    /// record is read again, merged and written back whole (`jamf-pro-api.md §5.3`).
    pub async fn update_package(
        &self,
        cx: &Context,
        package: &Package,
        settings: &[Setting],
    ) -> Result<(), Error> {
        todo!()
    }

    /// Which API this server's records are served by; asks the server on first use, unless `package_api` forces one.
    pub async fn package_api(&self, cx: &Context) -> Result<PackageApi, Error> {
        todo!()
    }

    /// The category of this name, exactly. Remembered.
    pub async fn category_named(&self, cx: &Context, name: &str) -> Result<Option<Category>, Error> {
        todo!()
    }

    /// The category of a record, `None` for none. Remembered by id.
    pub async fn category_of(&self, cx: &Context, package: &Package) -> Result<Option<Category>, Error> {
        todo!()
    }

    /// Creates a category.
    pub async fn create_category(&self, cx: &Context, name: &str, priority: u32) -> Result<Category, Error> {
        todo!()
    }

    /// The files of the distribution service. Remembered.
    pub async fn jcds_files(&self, cx: &Context) -> Result<Arc<[JcdsFile]>, Error> {
        todo!()
    }

    /// The files of the distribution service, asked now; what is remembered is replaced.
    pub async fn jcds_files_now(&self, cx: &Context) -> Result<Arc<[JcdsFile]>, Error> {
        todo!()
    }

    /// Asks for credentials for one upload.
    pub async fn jcds_initiate(&self, cx: &Context) -> Result<UploadGrant, Error> {
        todo!()
    }

    /// Renews credentials. Fields of the place (region, bucket, path) that come back empty are taken from `first`
    /// (`jamf-pro-api.md §7.3`).
    pub async fn jcds_renew(&self, cx: &Context, first: &UploadGrant) -> Result<UploadGrant, Error> {
        todo!()
    }

    /// Deletes a file, by the name the server spells. The record stays.
    pub async fn jcds_delete(&self, cx: &Context, name: &str) -> Result<Deletion, Error> {
        todo!()
    }

    /// A signed address to download a file from. Short-lived.
    pub async fn jcds_download_address(&self, cx: &Context, name: &str) -> Result<url::Url, Error> {
        todo!()
    }

    /// Asks the server to look at its distribution service again, for one file or for all (once per 15 s). Tries
    /// `cloud-distribution-point/refresh-inventory` and falls back to `jcds/refresh-inventory` where that is not there.
    pub async fn refresh_inventory(&self, cx: &Context, file: Option<&str>) -> Result<(), Error> {
        todo!()
    }
}
