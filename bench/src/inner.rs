//! What is measured of pkgferry's crates without the binary around them: hidden commands of the bench, so that each is a
//! process with a memory of its own.

use crate::error::Error;
use crate::source;
use sha3::Digest;
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
}

/// Which digests of a file.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum What {
    Md5,
    Sha3,
    /// As pkgferry computes them.
    Both,
}

/// Hashes a file. The single ones have to use the implementations that `fingerprint` uses.
pub fn hash(what: What, path: &Path) -> Result<(), Error> {
    match what {
        What::Md5 => alone::<md5::Md5>(path),
        What::Sha3 => alone::<sha3::Sha3_512>(path),
        What::Both => source::fingerprint(path).map(drop),
    }
}

fn alone<D: Digest>(path: &Path) -> Result<(), Error> {
    let hash = || -> std::io::Result<()> {
        let (mut file, mut digest, mut buffer) = (File::open(path)?, D::new(), vec![0; 256 << 10]);
        loop {
            match file.read(&mut buffer)? {
                0 => break,
                read => digest.update(&buffer[..read]),
            }
        }
        std::hint::black_box(digest.finalize());
        Ok(())
    };
    hash().map_err(Error::io(format!("{} cannot be read", path.display())))
}
