use bytes::Bytes;
use md5::{Digest as _, Md5};
use sha3::Sha3_512;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;
use tempfile::{NamedTempFile, TempPath};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};

/// Large enough that system calls do not show beside the hashing.
const BUFFER: usize = 256 * 1024;

/// Pieces that may wait for the one who hashes or writes them.
const QUEUE: usize = 8;

/// Bytes on their way to a new file, hashed as they pass. Memory does not grow with their number.
pub(super) struct Writer {
    pieces: [mpsc::Sender<Bytes>; 2],
    file: JoinHandle<io::Result<OnDisk>>,
    /// Slower than all the rest together, so it has its own thread.
    sha3: JoinHandle<[u8; 64]>,
}

struct OnDisk {
    path: TempPath,
    size: u64,
    md5: [u8; 16],
}

/// A file that is complete. It goes away with this value, unless somebody has moved it.
pub(super) struct Written {
    pub(super) path: TempPath,
    pub(super) size: u64,
    pub(super) md5: [u8; 16],
    pub(super) sha3: [u8; 64],
}

impl Writer {
    pub(super) fn new(folder: &Path) -> io::Result<Self> {
        let file = NamedTempFile::new_in(folder)?;
        let (to_file, pieces_of_file) = mpsc::channel(QUEUE);
        let (to_sha3, pieces_of_sha3) = mpsc::channel(QUEUE);
        Ok(Self {
            pieces: [to_file, to_sha3],
            file: spawn_blocking(move || write(file, pieces_of_file)),
            sha3: spawn_blocking(move || sha3(pieces_of_sha3)),
        })
    }

    /// Waits while the disk or the hashing is behind.
    pub(super) async fn write(&mut self, bytes: Bytes) -> io::Result<()> {
        for pieces in &self.pieces {
            if pieces.send(bytes.clone()).await.is_err() {
                return Err(self.reason().await);
            }
        }
        Ok(())
    }

    pub(super) async fn finish(self) -> io::Result<Written> {
        drop(self.pieces);
        let OnDisk { path, size, md5 } = self.file.await.map_err(io::Error::other)??;
        let sha3 = self.sha3.await.map_err(io::Error::other)?;
        Ok(Written { path, size, md5, sha3 })
    }

    /// Why the file takes no more.
    async fn reason(&mut self) -> io::Error {
        match (&mut self.file).await {
            Ok(Err(error)) => error,
            Ok(Ok(_)) => io::Error::other("the hashing thread failed"),
            Err(error) => io::Error::other(error),
        }
    }
}

fn write(file: NamedTempFile, mut pieces: mpsc::Receiver<Bytes>) -> io::Result<OnDisk> {
    let (mut size, mut md5) = (0, Md5::new());
    let mut writer = BufWriter::with_capacity(BUFFER, file);
    while let Some(bytes) = pieces.blocking_recv() {
        size += bytes.len() as u64;
        md5.update(&bytes);
        writer.write_all(&bytes)?;
    }
    let file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
    Ok(OnDisk { path: file.into_temp_path(), size, md5: md5.finalize().into() })
}

fn sha3(mut pieces: mpsc::Receiver<Bytes>) -> [u8; 64] {
    let mut sha3 = Sha3_512::new();
    while let Some(bytes) = pieces.blocking_recv() {
        sha3.update(&bytes);
    }
    sha3.finalize().into()
}
