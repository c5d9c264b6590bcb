//! The ways of the bytes by themselves: pkgferry's transfers without Jamf Pro, proof and state around them.

use crate::error::Error;
use jamf::UploadGrant;
use jcds_download::{Options, Wanted};
use pipeline::{Access, Boundary, BoxFuture, Clock, Context, FileName, Silent};
use s3_upload::Engine;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// Files at a time.
const AT_ONCE: usize = 8;

struct RealTime;

#[expect(clippy::disallowed_methods, reason = "what is measured runs in real time")]
impl Clock for RealTime {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

fn context() -> Context {
    let boundary = Arc::new(Boundary::new(Access::ReadWrite));
    Context::new(Arc::new(RealTime), boundary, Arc::new(Silent), Default::default())
}

fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(Error::io("there is no runtime"))
}

/// Sends files side by side.
pub fn upload(endpoint: &str, files: Vec<PathBuf>) -> Result<(), Error> {
    let cx = context();
    let grant = UploadGrant {
        access_key_id: "bench".into(),
        secret_access_key: "bench".to_owned().into(),
        session_token: "bench".to_owned().into(),
        expiration: jiff::Timestamp::MAX,
        region: "us-east-1".into(),
        bucket: "jcds".into(),
        path: "peer/".into(),
    };
    let engine = Arc::new(Engine::open(Some(endpoint), grant, &cx).map_err(Error::engine)?);
    runtime()?.block_on(async {
        let (mut running, mut files) = (JoinSet::new(), files.into_iter());
        loop {
            while running.len() < AT_ONCE
                && let Some(file) = files.next()
            {
                let engine = Arc::clone(&engine);
                running.spawn(async move {
                    let name = file.file_name().unwrap_or_default().to_string_lossy();
                    let name: FileName = name.parse().map_err(Error::engine)?;
                    engine.put(&file, &name).await.map_err(Error::engine)
                });
            }
            match running.join_next().await {
                None => return Ok(()),
                Some(sent) => _ = sent.map_err(Error::engine)??,
            }
        }
    })
}

/// Fetches a file, without proof.
pub fn download(address: &str, size: u64, target: &Path) -> Result<(), Error> {
    let address: url::Url = address.parse().map_err(Error::engine)?;
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let name = name.parse().map_err(Error::engine)?;
    let wanted = Wanted { name, size, md5: None, sha3_512: None };
    let (options, cx) = (Options::default(), context());
    let fetched = runtime()?.block_on(jcds_download::fetch(&address, &wanted, target, &options, &cx));
    fetched.map(drop).map_err(Error::engine)
}
