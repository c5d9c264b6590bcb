//! Where the file goes, and what is there already.

use crate::{Error, Proof, Wanted};
use fingerprint::{Comparison, Expected, Fingerprint, compare_with};
use pipeline::{Activity, Context, FileName, size};
use std::path::{Component, Path, PathBuf};

/// The target file: `path` itself, or the name in it where it is a folder.
///
/// # Errors
/// When the folder is not there.
pub(crate) fn resolve(path: &Path, name: &FileName) -> Result<PathBuf, Error> {
    if path.is_dir() {
        // Whatever a name may be elsewhere: here it has to be one step down and nothing else.
        let mut steps = Path::new(name.as_str()).components();
        return match (steps.next(), steps.next()) {
            (Some(Component::Normal(only)), None) if only == name.as_str() => Ok(path.join(only)),
            _ => Err(Error::Unplaceable { file: name.clone() }),
        };
    }
    let is_meant_as_folder = path.as_os_str().as_encoded_bytes().last().is_some_and(|last| *last == b'/');
    let folder = if is_meant_as_folder { Some(path) } else { path.parent() };
    match folder {
        Some(folder) if is_meant_as_folder || !(folder.as_os_str().is_empty() || folder.is_dir()) => {
            Err(Error::NoFolder(folder.to_owned()))
        }
        _ if path.file_name().is_none() => Err(Error::NotAFile(path.to_owned())),
        _ => Ok(path.to_owned()),
    }
}

/// What is at the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing.
    Nothing,
    /// The listed file, by its size and every digest that the list has.
    Same(Fingerprint),
    /// A file that is not, or cannot be shown to be, the listed one.
    Other(String),
}

/// Compares what is at the target with what is listed. It is read only if it could be the same.
pub(crate) async fn look(target: &Path, wanted: &Wanted, cx: &Context) -> Result<Found, Error> {
    let here = match std::fs::symlink_metadata(target) {
        Err(_) => return Ok(Found::Nothing),
        // A link that leads nowhere is no file, and is there all the same.
        Ok(_) => match std::fs::metadata(target) {
            Ok(metadata) if metadata.is_file() => metadata.len(),
            Ok(_) => return Err(Error::NotAFile(target.to_owned())),
            Err(_) => return Ok(Found::Other("it is a link to nothing".to_owned())),
        },
    };
    if here != wanted.size {
        return Ok(Found::Other(sizes(here, wanted.size)));
    }
    if Proof::possible(wanted) == Proof::None {
        return Ok(Found::Other("the list has no digest to tell whether it is the same".to_owned()));
    }
    let voice = cx.clone();
    let progress = move |done| voice.progress(Activity::Hashing, done, here);
    let expected = Expected { md5: wanted.md5, sha3_512: wanted.sha3_512 };
    Ok(match compare_with(target, expected, progress, cx.cancelled()).await? {
        Comparison::Equal { fingerprint } => Found::Same(fingerprint),
        Comparison::Md5Differs { .. } => Found::Other("its MD5 is not the listed one".to_owned()),
        Comparison::Sha3Differs { .. } => Found::Other("its SHA3-512 is not the listed one".to_owned()),
    })
}

/// Two sizes that read alike would look like a contradiction.
fn sizes(here: u64, listed: u64) -> String {
    if size(here) == size(listed) {
        format!("it has {here} bytes, and {listed} are listed")
    } else {
        format!("it has {}, and {} are listed", size(here), size(listed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_there_gets_the_name() {
        let folder = tempfile::tempdir().unwrap();
        let name: FileName = "App 1.0.pkg".parse().unwrap();
        let resolved = |path: &Path| resolve(path, &name).map_err(|error| error.to_string());
        assert_eq!(resolved(folder.path()), Ok(folder.path().join("App 1.0.pkg")));
        assert_eq!(resolved(&folder.path().join("")), Ok(folder.path().join("App 1.0.pkg")));
        assert_eq!(resolved(Path::new(".")), Ok(PathBuf::from("./App 1.0.pkg")));
        assert_eq!(resolved(Path::new("Other.pkg")), Ok(PathBuf::from("Other.pkg")));
        let file = folder.path().join("Other.pkg");
        assert_eq!(resolved(&file), Ok(file.clone()));
        assert_eq!(
            resolved(&folder.path().join("none/")),
            Err(format!("there is no folder {}/none/", folder.path().display()))
        );
        assert_eq!(
            resolved(&folder.path().join("none/Other.pkg")),
            Err(format!("there is no folder {}/none", folder.path().display()))
        );
    }

    #[test]
    fn sizes_tell_apart() {
        insta::assert_snapshot!(sizes(3, 842), @"it has 3 bytes, and 842 bytes are listed");
        insta::assert_snapshot!(sizes(5 << 30, (5 << 30) + 1), @"it has 5368709120 bytes, and 5368709121 are listed");
    }
}
