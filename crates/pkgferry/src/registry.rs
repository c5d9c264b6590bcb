use crate::error::Error;
use jamf::Sessions;
use runner::Registry;
use s3_upload::Memory;
use std::sync::Arc;

/// All processors that recipes may name.
pub fn registry(sessions: &Arc<Sessions>, memory: &Memory) -> Result<Registry, Error> {
    let mut registry = Registry::default();
    registry.register(choose_route::ChooseRoute::new(Arc::clone(sessions)))?;
    let find = find_package::FindPackage::new(Arc::clone(sessions));
    registry.register(find.remembering(memory.state.clone()))?;
    registry.register(compare_hash::CompareHash::new(memory.digests.clone()))?;
    registry.register(jcds_credentials::JcdsCredentials::new(Arc::clone(sessions), memory.state.clone()))?;
    registry.register(s3_upload::S3Upload::new(Arc::clone(sessions), memory.clone()))?;
    registry.register(package_metadata::PackageMetadata::new(Arc::clone(sessions)))?;
    registry.register(package_upload::PackageUpload::new(Arc::clone(sessions), memory.digests.clone()))?;
    let verify = verify_delivery::VerifyDelivery::new(Arc::clone(sessions), memory.digests.clone());
    registry.register(verify.keeping(memory.state.clone()))?;
    registry.register(jcds_download::JcdsDownload::new(Arc::clone(sessions)))?;
    Ok(registry)
}

/// The same for commands that only look at what the processors declare.
pub fn declared() -> Result<Registry, Error> {
    let sessions = Sessions::new(jamf::Config::default()).map_err(Error::Client)?;
    registry(&Arc::new(sessions), &Memory::of_one_run().map_err(Error::State)?)
}
