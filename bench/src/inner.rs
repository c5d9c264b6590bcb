//! What is measured of pkgferry's crates without the binary around them: hidden commands of the bench, so that each is a
//! process with a memory of its own.

use crate::error::Error;
use crate::source;
use md5::Digest as _;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// A hidden command.
#[derive(Debug, clap::Subcommand)]
pub enum Inner {
    /// Be the sink
    #[command(hide = true)]
    Sink { folder: PathBuf },
    /// Hash a file
    #[command(hide = true)]
    HashFile { what: What, file: PathBuf },
    /// Send files
    #[command(hide = true)]
    EngineUpload { endpoint: String, files: Vec<PathBuf> },
    /// Fetch a file
    #[command(hide = true)]
    EngineDownload { address: String, size: u64, target: PathBuf },
}

/// Which digests of a file.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum What {
    Md5,
    Sha3,
    /// As pkgferry computes them.
    Both,
}

/// Hashes a file. The single ones use the implementations that `fingerprint` uses.
pub fn hash(what: What, path: &Path) -> Result<(), Error> {
    match what {
        What::Md5 => alone(path, md5::Md5::new(), |digest, bytes| digest.update(bytes)),
        What::Sha3 => alone(path, fingerprint::Sha3::default(), fingerprint::Sha3::update),
        What::Both => source::fingerprint(path).map(drop),
    }
}

fn alone<D>(path: &Path, mut digest: D, update: impl Fn(&mut D, &[u8])) -> Result<(), Error> {
    let mut hash = || -> std::io::Result<()> {
        let (mut file, mut buffer) = (File::open(path)?, vec![0; 256 << 10]);
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(()),
                read => update(&mut digest, &buffer[..read]),
            }
        }
    };
    hash().map_err(Error::io(format!("{} cannot be read", path.display())))?;
    std::hint::black_box(digest);
    Ok(())
}
