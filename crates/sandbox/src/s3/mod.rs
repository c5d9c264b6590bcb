//! The S3 side. Placeholder until it is built: it listens nowhere and has no uploads.

use crate::Error;
use crate::grant::Desk;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// A running S3 side; it stops on drop.
pub(crate) struct S3Side {
    address: SocketAddr,
}

impl S3Side {
    /// Starts it.
    #[expect(clippy::unused_async, reason = "the real one listens")]
    pub(crate) async fn start(
        listen: SocketAddr,
        _folder: PathBuf,
        _desk: Arc<dyn Desk>,
    ) -> Result<Self, Error> {
        Ok(Self { address: listen })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Keys of multipart uploads that were begun and neither completed nor aborted.
    #[expect(clippy::unused_self, reason = "the real one looks")]
    pub(crate) fn open_uploads(&self) -> Vec<String> {
        Vec::new()
    }
}
