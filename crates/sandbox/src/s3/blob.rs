//! Bytes to disk: a body as it comes in, and parts joined into an object. Memory does not grow with size.

use super::checksum::{Algorithm, Checksum, Hasher};
use super::refusal::{refusal, refusal_named};
use bytes::Bytes;
use futures_util::StreamExt as _;
use http::StatusCode;
use md5::{Digest as _, Md5};
use s3s::dto::StreamingBlob;
use s3s::{S3Error, S3ErrorCode, StdError};
use sha3::Sha3_512;
use std::fs::File;
use std::io::{self, BufWriter, Read as _, Write};
use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;
use tempfile::{NamedTempFile, TempPath};
use tokio::sync::mpsc;

/// The most that one PUT may carry, whether object or part (`jamf-pro-api.md §9.3`).
pub(super) const MAX_PIECE: u64 = 5 * 1024 * 1024 * 1024;

/// Large enough that system calls do not show beside the hashing.
const BUFFER: usize = 256 * 1024;

/// Pieces of a body, or of a file, that may wait for the one who hashes or writes them.
const QUEUE: usize = 8;

/// What is known about bytes that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Received {
    pub(super) size: u64,
    pub(super) md5: [u8; 16],
    pub(super) checksum: Checksum,
}

/// What is known about a complete object.
#[derive(Clone, Debug)]
pub(super) struct Whole {
    pub(super) received: Received,
    pub(super) sha3: [u8; 64],
}

/// Why a body did not make it to the disk.
#[derive(Debug)]
pub(super) enum Trouble {
    Body(StdError),
    TooLarge,
    Disk(io::Error),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

impl From<Trouble> for S3Error {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Body(error) => broken_body(&error),
            Trouble::TooLarge => refusal(S3ErrorCode::EntityTooLarge),
            Trouble::Disk(error) => disk(&error),
        }
    }
}

/// `s3s` checks signatures while a body is read, and its error types for that are private: the text is all there is.
fn broken_body(error: &StdError) -> S3Error {
    let text = error.to_string();
    if text.contains("Sha256Mismatch") {
        not_as_signed()
    } else if text.contains("SignatureMismatch") {
        refusal(S3ErrorCode::SignatureDoesNotMatch)
    } else {
        refusal(S3ErrorCode::IncompleteBody)
    }
}

/// The body is not the one whose hash was signed.
pub(super) fn not_as_signed() -> S3Error {
    refusal_named("XAmzContentSHA256Mismatch", StatusCode::BAD_REQUEST)
}

/// The rehearsal itself has a problem; the log says which, the client only that.
pub(super) fn disk(error: &io::Error) -> S3Error {
    tracing::error!(%error, "the S3 side cannot use its folder");
    refusal(S3ErrorCode::InternalError)
}

/// Computes what S3 wants to know about bytes.
struct Digester {
    size: u64,
    md5: Md5,
    checksum: Hasher,
}

impl Digester {
    fn new(algorithm: Algorithm) -> Self {
        Self { size: 0, md5: Md5::new(), checksum: algorithm.hasher() }
    }

    fn update(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        self.md5.update(bytes);
        self.checksum.update(bytes);
    }

    fn finish(self) -> Received {
        Received { size: self.size, md5: self.md5.finalize().into(), checksum: self.checksum.finish() }
    }
}

/// Writes a body into a new file of the folder. The file goes away with the returned path.
pub(super) async fn receive(
    mut body: StreamingBlob,
    folder: &Path,
    algorithm: Algorithm,
) -> Result<(TempPath, Received), Trouble> {
    let file = NamedTempFile::new_in(folder)?;
    let (sender, receiver) = mpsc::channel(QUEUE);
    let writer = tokio::task::spawn_blocking(move || write(file, receiver, algorithm));
    let mut size = 0;
    while let Some(bytes) = body.next().await {
        let bytes = bytes.map_err(Trouble::Body)?;
        size += bytes.len() as u64;
        if size > MAX_PIECE {
            return Err(Trouble::TooLarge);
        }
        if sender.send(bytes).await.is_err() {
            break; // The writer gave up, and says why below.
        }
    }
    drop(sender);
    writer.await.map_err(io::Error::other)?.map_err(Trouble::Disk)
}

fn write(
    file: NamedTempFile,
    mut pieces: mpsc::Receiver<Bytes>,
    algorithm: Algorithm,
) -> io::Result<(TempPath, Received)> {
    let mut digester = Digester::new(algorithm);
    let mut writer = BufWriter::with_capacity(BUFFER, file);
    while let Some(bytes) = pieces.blocking_recv() {
        digester.update(&bytes);
        writer.write_all(&bytes)?;
    }
    let file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
    Ok((file.into_temp_path(), digester.finish()))
}

/// Makes one object of parts, in the order given, and takes its digests on the way. The parts stay as they are. Blocks.
pub(super) fn join(parts: &[&Path], object: &Path, algorithm: Algorithm) -> io::Result<Whole> {
    if let [only] = parts {
        std::fs::hard_link(only, object)?;
        return digest(parts, io::sink(), algorithm);
    }
    let mut writer = BufWriter::with_capacity(BUFFER, File::create_new(object)?);
    let whole = digest(parts, &mut writer, algorithm)?;
    writer.flush()?;
    Ok(whole)
}

/// Reads each byte once. SHA3-512 is several times slower than all the rest together, so it has its own thread.
fn digest(parts: &[&Path], mut copy: impl Write, algorithm: Algorithm) -> io::Result<Whole> {
    let (pieces, sha3) = sha3_thread()?;
    let mut digester = Digester::new(algorithm);
    for part in parts {
        let mut part = File::open(part)?;
        loop {
            let mut buffer = vec![0; BUFFER];
            let read = part.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            buffer.truncate(read);
            let bytes = Bytes::from(buffer);
            pieces.send(bytes.clone()).map_err(io::Error::other)?;
            digester.update(&bytes);
            copy.write_all(&bytes)?;
        }
    }
    drop(pieces);
    let sha3 = sha3.join().map_err(|_| io::Error::other("the hashing thread failed"))?;
    Ok(Whole { received: digester.finish(), sha3 })
}

fn sha3_thread() -> io::Result<(SyncSender<Bytes>, JoinHandle<[u8; 64]>)> {
    let (sender, receiver) = sync_channel::<Bytes>(QUEUE);
    let thread = std::thread::Builder::new().name("sha3-512".to_owned()).spawn(move || {
        let mut sha3 = Sha3_512::new();
        receiver.iter().for_each(|bytes| sha3.update(&bytes));
        sha3.finalize().into()
    })?;
    Ok((sender, thread))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_parts_are_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let bytes: Vec<u8> = (0..700_000_u32).map(|n| (n % 251) as u8).collect();
        let paths = ["1", "2", "3"].map(|name| folder.path().join(name));
        for (path, part) in paths.iter().zip(bytes.chunks(300_000)) {
            std::fs::write(path, part).unwrap();
        }
        let parts: Vec<&Path> = paths.iter().map(AsRef::as_ref).collect();
        let object = folder.path().join("object");
        let whole = join(&parts, &object, Algorithm::Crc32).unwrap();
        assert_eq!(std::fs::read(&object).unwrap(), bytes);
        assert_eq!(whole.received.size, 700_000);
        assert_eq!(whole.received.md5, <[u8; 16]>::from(Md5::digest(&bytes)));
        assert_eq!(whole.sha3, <[u8; 64]>::from(Sha3_512::digest(&bytes)));
    }

    #[test]
    fn a_single_part_is_linked_not_copied() {
        let folder = tempfile::tempdir().unwrap();
        let part = folder.path().join("part");
        std::fs::write(&part, b"123456789").unwrap();
        let object = folder.path().join("object");
        let whole = join(&[&part], &object, Algorithm::Crc32).unwrap();
        assert_eq!(whole.received.checksum.value, "y/Q5Jg==");
        std::fs::remove_file(&part).unwrap();
        assert_eq!(std::fs::read(&object).unwrap(), b"123456789");
    }
}
