//! Files that are there whole or not at all.

use std::io::{self, Write as _};
use std::path::Path;

/// What becomes of a file that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It goes.
    Replace,
    /// It stays, and nothing is written.
    Keep,
}

/// Writes a file beside its place and moves it there, so that nobody reads half of it, whenever this process ends.
pub fn write(path: &Path, bytes: &[u8], existing: Existing) -> io::Result<()> {
    // The error tells the name of the temporary file, which nobody has asked for.
    let mut file = builder().tempfile_in(folder_of(path)).map_err(|error| io::Error::from(error.kind()))?;
    file.as_file_mut().write_all(bytes)?;
    // A rename may reach the disk before what was written.
    file.as_file().sync_all()?;
    let placed = match existing {
        Existing::Replace => file.persist(path),
        Existing::Keep => file.persist_noclobber(path),
    };
    placed.map(drop).map_err(|refused| refused.error)
}

/// Whether a file could be written there; what is there stays as it is.
pub fn probe(path: &Path) -> io::Result<()> {
    builder().tempfile_in(folder_of(path)).map(drop).map_err(|error| io::Error::from(error.kind()))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn builder() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".pkgferry-");
    // Temporary files are private; these are as readable as any that the user makes.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder
}
