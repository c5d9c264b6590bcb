//! The bytes of a part, ready to be sent as often as it takes: read once into a buffer of a fixed pool, or streamed from the
//! file where parts are too large for that.

use crate::Error;
use crate::checksum::Checksum;
use crate::local::LocalFile;
use crate::parts::{MIB, Part};
use aws_sdk_s3::primitives::{ByteStream, Length, SdkBody};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::convert::Infallible;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes of a buffer: a part of the usual size.
pub(crate) const BUFFER: u64 = 8 * MIB;
/// Parts that can be in memory at a time, those of all uploads together. It does not grow with the file.
pub(crate) const BUFFERS: u8 = 6;
/// Reads of this size cost a quarter of what 4 KiB reads cost (`baselines.md §2`), and what was read is still near the core
/// when its checksum is computed.
const BLOCK: usize = 256 * 1024;

/// Where payloads come from.
pub(crate) struct Source {
    path: PathBuf,
    checksum: Checksum,
    pool: Option<Arc<Pool>>,
}

impl Source {
    /// A source for parts of `part_size` bytes, `at_once` of them at a time. More or larger ones than the pool has room for
    /// are streamed.
    pub(crate) fn new(
        file: &LocalFile,
        checksum: Checksum,
        part_size: u64,
        at_once: u8,
        pool: &Arc<Pool>,
    ) -> Self {
        let fits = part_size <= BUFFER && at_once <= BUFFERS;
        Self { path: file.path().to_owned(), checksum, pool: fits.then(|| Arc::clone(pool)) }
    }

    /// Reads a part, as far as it is needed before it can be sent.
    pub(crate) async fn prepare(&self, part: Part) -> Result<Payload, Error> {
        let (path, checksum) = (self.path.clone(), self.checksum);
        let Some(pool) = &self.pool else {
            // S3 wants the checksum before the bytes, so a part that memory does not hold is read twice, the second time
            // from the system's cache.
            let read = blocking(move || sum(&path, part, checksum));
            let checksum = read.await.map_err(|error| self.unreadable(error))?;
            return Ok(Payload { bytes: Stored::File(self.stream(part).await?), checksum });
        };
        let mut buffer = pool.take().await;
        let read = blocking(move || {
            let checksum = buffer.fill(&path, part, checksum)?;
            Ok((buffer, checksum))
        });
        let (buffer, checksum) = read.await.map_err(|error| self.unreadable(error))?;
        Ok(Payload { bytes: Stored::Memory(Bytes::from_owner(buffer)), checksum })
    }

    async fn stream(&self, part: Part) -> Result<SdkBody, Error> {
        let range = ByteStream::read_from()
            .path(&self.path)
            .offset(part.offset)
            .length(Length::Exact(part.length))
            .buffer_size(BLOCK)
            .build()
            .await;
        // Only a file that became shorter, or went away, fails here.
        range.map(ByteStream::into_inner).map_err(|_| Error::Changed { path: self.path.clone() })
    }

    fn unreadable(&self, source: io::Error) -> Error {
        let path = self.path.clone();
        match source.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::NotFound => Error::Changed { path },
            _ => fingerprint::Error::Read { path, source }.into(),
        }
    }
}

/// A part's bytes and their checksum.
pub(crate) struct Payload {
    bytes: Stored,
    checksum: Option<String>,
}

enum Stored {
    Memory(Bytes),
    File(SdkBody),
}

impl Payload {
    /// The checksum in base64, if there is one.
    pub(crate) fn checksum(&self) -> Option<&str> {
        self.checksum.as_deref()
    }

    /// The bytes from the start. Nothing is copied.
    pub(crate) fn body(&self) -> SdkBody {
        match &self.bytes {
            Stored::Memory(bytes) => SdkBody::from_body_1_x(Slices(bytes.clone())),
            Stored::File(body) => body.try_clone().unwrap_or_else(SdkBody::taken),
        }
    }
}

/// Bytes that leave in blocks, so that it is seen how far they are.
struct Slices(Bytes);

impl Body for Slices {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let block = BLOCK.min(self.0.len());
        Poll::Ready((block > 0).then(|| Ok(Frame::data(self.0.split_to(block)))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.len() as u64)
    }
}

/// Buffers that are used again and again: fresh memory for each part costs as much as sending it.
#[derive(Debug)]
pub(crate) struct Pool {
    free: Mutex<Vec<Vec<u8>>>,
    permits: Arc<Semaphore>,
}

impl Default for Pool {
    fn default() -> Self {
        Self { free: Mutex::default(), permits: Arc::new(Semaphore::new(BUFFERS.into())) }
    }
}

impl Pool {
    /// A buffer, as soon as there is one.
    async fn take(self: &Arc<Self>) -> Buffer {
        // Nobody closes it; without a permit there would be one buffer more, no harm.
        let permit = Arc::clone(&self.permits).acquire_owned().await.ok();
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        // The system gives memory as it is touched: a small file takes little.
        let bytes = free.unwrap_or_else(|| vec![0; BUFFER as usize]);
        Buffer { bytes, filled: 0, pool: Arc::clone(self), _permit: permit }
    }
}

/// A buffer of the pool; it goes back when nobody holds a piece of it any more.
struct Buffer {
    bytes: Vec<u8>,
    filled: usize,
    pool: Arc<Pool>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Buffer {
    /// Reads a part into it, and gives its checksum.
    fn fill(&mut self, path: &Path, part: Part, checksum: Checksum) -> io::Result<Option<String>> {
        let length = usize::try_from(part.length).unwrap_or(usize::MAX).min(self.bytes.len());
        let mut file = at(path, part.offset)?;
        let mut sum = checksum.sum();
        for block in self.bytes[..length].chunks_mut(BLOCK) {
            file.read_exact(block)?;
            sum.update(block);
        }
        self.filled = length;
        Ok(sum.finish())
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        self.pool.free.lock().unwrap_or_else(PoisonError::into_inner).push(bytes);
    }
}

fn sum(path: &Path, part: Part, checksum: Checksum) -> io::Result<Option<String>> {
    if checksum == Checksum::None {
        return Ok(None);
    }
    let mut file = at(path, part.offset)?;
    let mut sum = checksum.sum();
    let mut buffer = vec![0; BLOCK];
    let mut left = part.length;
    while left > 0 {
        let block = &mut buffer[..usize::try_from(left).map_or(BLOCK, |left| left.min(BLOCK))];
        file.read_exact(block)?;
        sum.update(block);
        left -= block.len() as u64;
    }
    Ok(sum.finish())
}

fn at(path: &Path, offset: u64) -> io::Result<File> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    Ok(file)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;

    /// 20 MiB in which every byte tells where it is.
    fn file() -> (tempfile::NamedTempFile, Vec<u8>) {
        let bytes: Vec<u8> = (0..20 * MIB).map(|at| (at ^ (at >> 8) ^ (at >> 16)) as u8).collect();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &bytes).unwrap();
        (file, bytes)
    }

    async fn sent(payload: &Payload) -> Vec<u8> {
        payload.body().collect().await.unwrap().to_bytes().to_vec()
    }

    #[tokio::test]
    async fn a_payload_is_the_part_however_often_it_is_sent() {
        let (file, bytes) = file();
        let local = LocalFile::look(file.path().to_owned()).unwrap();
        let part = Part { number: 2, offset: 8 * MIB, length: 8 * MIB };
        let expected = &bytes[8 << 20..16 << 20];
        let mut sum = Checksum::Crc64Nvme.sum();
        sum.update(expected);
        let checksum = sum.finish();
        // The first fits into the pool; the second does not.
        let pool = Arc::default();
        for at_once in [1, 100] {
            let source = Source::new(&local, Checksum::Crc64Nvme, 8 * MIB, at_once, &pool);
            assert_eq!(source.pool.is_some(), at_once == 1);
            let payload = source.prepare(part).await.unwrap();
            assert_eq!(payload.checksum(), checksum.as_deref());
            assert_eq!(payload.body().size_hint().exact(), Some(8 * MIB));
            for _ in 0..2 {
                assert!(sent(&payload).await == expected);
            }
        }
    }

    #[tokio::test]
    async fn buffers_are_used_again() {
        let (file, _) = file();
        let local = LocalFile::look(file.path().to_owned()).unwrap();
        let source = Source::new(&local, Checksum::None, 8 * MIB, 1, &Arc::default());
        let part = |number: i32| Part { number, offset: 0, length: 8 * MIB };
        let first = source.prepare(part(1)).await.unwrap();
        let mut others = Vec::new();
        for number in 2..=i32::from(BUFFERS) {
            others.push(source.prepare(part(number)).await.unwrap());
        }
        let address = |payload: &Payload| match &payload.bytes {
            Stored::Memory(bytes) => bytes.as_ptr(),
            Stored::File(_) => panic!("in memory"),
        };
        let before = address(&first);
        {
            let mut second = std::pin::pin!(source.prepare(part(7)));
            assert!(futures_util::poll!(&mut second).is_pending(), "there are no more");
            drop(first);
            assert_eq!(address(&second.await.unwrap()), before);
        }
    }

    #[tokio::test]
    async fn a_file_that_became_shorter_has_changed() {
        let (file, _) = file();
        let local = LocalFile::look(file.path().to_owned()).unwrap();
        file.as_file().set_len(MIB).unwrap();
        for at_once in [1, 100] {
            let source = Source::new(&local, Checksum::Crc32, 8 * MIB, at_once, &Arc::default());
            let part = Part { number: 2, offset: 8 * MIB, length: 8 * MIB };
            assert!(matches!(source.prepare(part).await.map(drop), Err(Error::Changed { .. })));
        }
    }
}
