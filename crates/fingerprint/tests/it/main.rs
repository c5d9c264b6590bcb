//! Fingerprints of real files.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails, helpers included")]

mod cached;
mod digests;
mod growing;
mod identity;
mod interruption;
mod started;

use fingerprint::Fingerprint;
use md5::Digest as _;
use pipeline::{Md5, Sha3_512};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A folder with one file in it.
fn file(bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("Example.pkg");
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

/// Bytes that repeat nowhere near a buffer's length.
fn bytes(length: usize) -> Vec<u8> {
    (0..length as u64).map(|index| (index.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8).collect()
}

/// The digests by the plain use of the libraries.
fn plain(bytes: &[u8]) -> Fingerprint {
    Fingerprint {
        size: bytes.len() as u64,
        md5: Md5::from_bytes(md5::Md5::digest(bytes).into()),
        sha3_512: Sha3_512::from_bytes(sha3::Sha3_512::digest(bytes).into()),
    }
}

/// What a person sees of an error, without the name of the temporary folder.
fn shown(error: fingerprint::Error, folder: &Path) -> String {
    let failure = pipeline::Failure::from(error);
    let hint = failure.hint().unwrap_or_else(|| "-".to_owned());
    let text = format!("{failure}\nkind: {:?}\nhint: {hint}", failure.kind());
    text.replace(&folder.display().to_string(), "FOLDER")
}

const MIB: usize = 1024 * 1024;
