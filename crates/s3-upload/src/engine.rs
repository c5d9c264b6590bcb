use crate::Error;
use crate::bucket::{Bucket, Place};
use crate::checksum::Checksum;
use crate::connections::Connections;
use crate::credentials::LiveCredentials;
use crate::endpoint::Endpoint;
use crate::inputs::Concurrency;
use crate::local::LocalFile;
use crate::log::Log;
use crate::parts::PartPlan;
use crate::send::{Sending, at_first, check_whole};
use crate::stall::Patience;
use jamf::UploadGrant;
use pipeline::{Context, FileName};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// The way that the bytes of an upload take, by itself: no Jamf Pro, no journal, no digests, nothing that is replaced. For
/// measurements; whoever delivers packages wants [`S3Upload`](crate::S3Upload).
#[derive(Debug)]
pub struct Engine {
    bucket: Bucket,
    prefix: String,
    cx: Context,
}

impl Engine {
    /// An engine for one place; `endpoint` is an S3 server other than Amazon's. The credentials are never renewed.
    ///
    /// # Errors
    /// When the endpoint is no address that may be used.
    pub fn open(endpoint: Option<&str>, grant: UploadGrant, cx: &Context) -> Result<Self, Error> {
        let place = Place {
            endpoint: Endpoint::parse(endpoint)?,
            region: grant.region.clone(),
            bucket: grant.bucket.clone(),
        };
        let prefix = grant.path.clone();
        let credentials = LiveCredentials::fixed(grant, cx);
        let bucket = Bucket::open(&place, credentials, &Connections::default(), Arc::clone(cx.boundary()));
        Ok(Self { bucket, prefix, cx: cx.clone() })
    }

    /// Sends a file and gives its size. Files may be sent side by side.
    ///
    /// # Errors
    /// When it cannot be read, or S3 did not take all of it.
    pub async fn put(&self, path: &Path, name: &FileName) -> Result<u64, Error> {
        let file = LocalFile::look(path.to_owned())?;
        let plan = PartPlan::new(file.size(), Default::default())
            .ok_or_else(|| Error::TooLarge { path: path.to_owned(), size: file.size() })?;
        let key = format!("{}{name}", self.prefix);
        let _warm = self.bucket.warm(at_first(Concurrency::default(), plan), &self.cx);
        let begun = self.bucket.begin(&key, Checksum::Crc64Nvme).await;
        let upload = begun.map_err(|source| Error::Begin { file: name.clone(), source })?;
        let sending = Sending {
            bucket: &self.bucket,
            upload: &upload,
            file: &file,
            name,
            plan,
            concurrency: Concurrency::default(),
            patience: Patience::default(),
            hashed: None,
            log: &Log::none(&self.cx),
            confirmed: &AtomicU64::new(0),
            cx: &self.cx,
        };
        let parts = sending.run(Vec::new()).await?;
        file.check_unchanged()?;
        check_whole(&parts, plan, name)?;
        let completed = self.bucket.complete(&upload, &parts).await;
        completed.map_err(|source| Error::NotCompleted { file: name.clone(), source, may_be_done: false })?;
        Ok(file.size())
    }
}
