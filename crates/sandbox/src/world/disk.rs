use super::World;
use crate::Error;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// The data folder: `world.json`, the bytes of files under `files/`, and those of uploads under way over the Pro API
/// under `jamf/uploads/`.
#[derive(Debug)]
pub(crate) struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// Makes the folder if it is missing and reads what is in it. What an earlier process had not received to the end is
    /// removed.
    pub(crate) fn open(folder: &Path) -> Result<(Self, World), Error> {
        let disk = Self { folder: folder.to_owned() };
        let files = disk.folder.join("files");
        fs::create_dir_all(&files).map_err(|source| Error::Data { path: files, source })?;
        make_empty(&disk.incoming()).map_err(|source| Error::Data { path: disk.incoming(), source })?;
        let path = disk.world();
        let world = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(io::Error::from),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(World::default()),
            Err(error) => Err(error),
        }
        .map_err(|source| Error::Data { path, source })?;
        Ok((disk, world))
    }

    /// Replaces `world.json` as a whole, so that a reader after a crash finds the old or the new one.
    pub(crate) fn save(&self, world: &World) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(&serde_json::to_vec(world)?)?;
        file.persist(self.world())?;
        Ok(())
    }

    /// Where a blob is.
    pub(crate) fn blob(&self, name: &str) -> PathBuf {
        self.folder.join("files").join(name)
    }

    /// Where uploads are written until they are complete; on the same disk as the blobs.
    pub(crate) fn incoming(&self) -> PathBuf {
        self.folder.join("jamf").join("uploads")
    }

    /// A name for a new blob; it is also the path of its download address, which tells nothing of the file's name
    /// (`jamf-pro-api.md §10`).
    pub(crate) fn new_blob() -> String {
        uuid::Uuid::new_v4().to_string()
    }

    fn world(&self) -> PathBuf {
        self.folder.join("world.json")
    }
}

fn make_empty(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => fs::create_dir_all(folder),
    }
}
