//! A file with a secret in it, and whether nobody else can read it.

use crate::place::Place;
use crate::text::{self, LONGEST};
use crate::{Error, Fault};
use pipeline::Secret;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Who else may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Privacy {
    /// Nobody: neither the group nor others.
    Owner,
    /// The group. systemd gives a service its credentials by an access list, whose mask shows as the rights of the group;
    /// Kubernetes gives a pod its secrets by the group (`fsGroup`).
    Group,
}

/// The secret in a file. The rights are those of the file that is read, not of a name that may lead elsewhere a moment
/// later. Access lists of a Mac and the folders above are not looked at.
pub(crate) async fn secret(place: &Place, path: PathBuf, privacy: Privacy) -> Result<Secret, Error> {
    let of = place.clone();
    let reading = tokio::task::spawn_blocking(move || read(&of, &path, privacy));
    match reading.await {
        Ok(secret) => secret,
        Err(broken) => Err(Error::Read { place: place.clone(), source: Arc::new(io::Error::other(broken)) }),
    }
}

fn read(place: &Place, path: &Path, privacy: Privacy) -> Result<Secret, Error> {
    let unreadable = |source| Error::Read { place: place.clone(), source: Arc::new(source) };
    let file = open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(Error::NotAFile { place: place.clone() });
    }
    check(place, &metadata, privacy)?;
    let mut bytes = Vec::new();
    file.take(LONGEST as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    text::secret(&bytes).map_err(|fault: Fault| Error::Unusable { place: place.clone(), fault, said: None })
}

#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    // A pipe without a writer would hold up the run.
    let flags = rustix::fs::OFlags::NONBLOCK.bits();
    OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

#[cfg(unix)]
fn check(place: &Place, metadata: &Metadata, privacy: Privacy) -> Result<(), Error> {
    use std::os::unix::fs::MetadataExt as _;
    let user = rustix::process::geteuid().as_raw();
    judge(metadata.mode() & 0o7777, metadata.uid(), user, privacy).map_err(|fault| match fault {
        Unsafe::Exposed => Error::Exposed { place: place.clone(), mode: metadata.mode() & 0o7777 },
        Unsafe::Foreign => Error::Foreign { place: place.clone(), owner: metadata.uid() },
    })
}

/// Windows keeps rights elsewhere; a file of the user's own profile is closed to others from the start.
#[cfg(not(unix))]
fn check(_place: &Place, _metadata: &Metadata, _privacy: Privacy) -> Result<(), Error> {
    Ok(())
}

#[cfg(unix)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unsafe {
    Exposed,
    Foreign,
}

#[cfg(unix)]
fn judge(mode: u32, owner: u32, user: u32, privacy: Privacy) -> Result<(), Unsafe> {
    if owner != user && owner != 0 {
        // Its owner can put another secret there, and read what is sent with it.
        return Err(Unsafe::Foreign);
    }
    let closed = match privacy {
        Privacy::Owner => 0o077,
        Privacy::Group => 0o027,
    };
    if mode & closed != 0 { Err(Unsafe::Exposed) } else { Ok(()) }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_else_can_read_is_taken() {
        const ME: u32 = 501;
        let own = |mode, owner| judge(mode, owner, ME, Privacy::Owner);
        for mode in [0o600, 0o400, 0o700] {
            assert_eq!(own(mode, ME), Ok(()), "{mode:o}");
            assert_eq!(own(mode, 0), Ok(()), "{mode:o}");
            assert_eq!(own(mode, 502), Err(Unsafe::Foreign), "{mode:o}");
        }
        for mode in [0o640, 0o604, 0o660, 0o602, 0o610, 0o644, 0o444] {
            assert_eq!(own(mode, ME), Err(Unsafe::Exposed), "{mode:o}");
        }
        let handed = |mode, owner| judge(mode, owner, ME, Privacy::Group);
        for mode in [0o440, 0o400, 0o600, 0o640] {
            assert_eq!(handed(mode, 0), Ok(()), "{mode:o}");
        }
        for mode in [0o444, 0o660, 0o604] {
            assert_eq!(handed(mode, 0), Err(Unsafe::Exposed), "{mode:o}");
        }
        assert_eq!(judge(0o600, 501, 0, Privacy::Owner), Err(Unsafe::Foreign), "not even for root");
    }
}
