//! What the list of the distribution service holds under the name, and whether that is what the plan saw.

use crate::Error;
use jamf::JcdsFile;
use pipeline::{FileName, Found};

/// The only listed file of this name.
pub(crate) fn only_file(name: &FileName, listed: &[JcdsFile]) -> Result<Option<JcdsFile>, Error> {
    match name.find(listed, |file| &file.name) {
        Found::None => Ok(None),
        Found::One(file) => Ok(Some(file.clone())),
        Found::Several(files) => {
            Err(Error::SeveralFiles { names: files.into_iter().map(|file| file.name.clone()).collect() })
        }
    }
}

/// The file to delete, if it is the one that the plan showed. A planned one that has gone in the meantime leaves nothing to
/// delete.
pub(crate) fn file_to_replace(
    name: &FileName,
    planned: Option<&JcdsFile>,
    listed: &[JcdsFile],
) -> Result<Option<JcdsFile>, Error> {
    match (planned, only_file(name, listed)?) {
        (_, None) => Ok(None),
        (None, Some(_)) => Err(Error::Appeared { file: name.clone() }),
        (Some(planned), Some(now)) if !is_still(planned, &now) => {
            Err(Error::NotAsPlanned { file: name.clone() })
        }
        (Some(_), Some(now)) => Ok(Some(now)),
    }
}

/// Digests may be missing in the list for a while (`jamf-pro-api.md §7.1`), and then say nothing.
fn is_still(planned: &JcdsFile, now: &JcdsFile) -> bool {
    planned.name == now.name
        && planned.size == now.size
        && agree(planned.md5, now.md5)
        && agree(planned.sha3_512, now.sha3_512)
}

fn agree<T: PartialEq>(planned: Option<T>, now: Option<T>) -> bool {
    planned.zip(now).is_none_or(|(planned, now)| planned == now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pipeline::{Md5, Sha3_512};

    fn name() -> FileName {
        "App.pkg".parse().unwrap()
    }

    fn file(size: u64, md5: Option<u8>, sha3: Option<u8>) -> JcdsFile {
        JcdsFile {
            name: "App.pkg".to_owned(),
            size,
            md5: md5.map(|byte| Md5::from_bytes([byte; 16])),
            sha3_512: sha3.map(|byte| Sha3_512::from_bytes([byte; 64])),
        }
    }

    #[test]
    fn only_the_planned_file_is_replaced() {
        let planned = file(9, Some(1), Some(2));
        let replaced = |now: JcdsFile| file_to_replace(&name(), Some(&planned), &[now]);
        for same in
            [file(9, Some(1), Some(2)), file(9, None, Some(2)), file(9, Some(1), None), file(9, None, None)]
        {
            assert_eq!(replaced(same.clone()).unwrap(), Some(same));
        }
        for other in [file(8, Some(1), Some(2)), file(9, Some(3), Some(2)), file(9, Some(1), Some(3))] {
            assert!(matches!(replaced(other.clone()), Err(Error::NotAsPlanned { .. })), "{other:?}");
        }
    }

    #[test]
    fn a_planned_new_file_replaces_nothing() {
        assert_eq!(file_to_replace(&name(), None, &[]).unwrap(), None);
        let appeared = file_to_replace(&name(), None, &[file(9, None, None)]);
        assert!(matches!(appeared, Err(Error::Appeared { .. })));
    }

    #[test]
    fn what_has_gone_need_not_be_deleted() {
        assert_eq!(file_to_replace(&name(), Some(&file(9, None, None)), &[]).unwrap(), None);
    }

    #[test]
    fn a_file_in_another_spelling_is_another_file() {
        let composed = JcdsFile { name: "B\u{fc}ro.pkg".to_owned(), ..file(9, None, None) };
        let decomposed = JcdsFile { name: "Bu\u{308}ro.pkg".to_owned(), ..file(9, None, None) };
        let name = composed.name.parse().unwrap();
        let respelled = file_to_replace(&name, Some(&composed), std::slice::from_ref(&decomposed));
        assert!(matches!(respelled, Err(Error::NotAsPlanned { .. })));
        let both = file_to_replace(&name, Some(&composed), &[composed.clone(), decomposed]);
        assert!(matches!(both, Err(Error::SeveralFiles { .. })));
    }
}
