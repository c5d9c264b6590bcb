//! What the list of the distribution service holds under the name, and whether that is what the plan saw.

use crate::Error;
use fingerprint::{Agreement, Fingerprint};
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

/// What the commit has to do with the name.
#[derive(Debug)]
pub(crate) enum Spot {
    /// The new file goes there, and this one, if any, goes away for it.
    For(Option<JcdsFile>),
    /// Another run was faster, or an earlier one of this machine, whose last request was still on its way when it was killed:
    /// the very same bytes are there.
    HeldBySame,
    /// Somebody has put a file there that the service has not digested yet. It may be the same.
    Undigested(Error),
}

/// Looks at the name again, right before the commit.
pub(crate) fn spot(
    name: &FileName,
    planned: Option<&JcdsFile>,
    ours: Fingerprint,
    listed: &[JcdsFile],
) -> Result<Spot, Error> {
    let unplanned = match file_to_replace(name, planned, listed) {
        Ok(old) => return Ok(Spot::For(old)),
        Err(error @ (Error::Appeared { .. } | Error::NotAsPlanned { .. })) => error,
        Err(error) => return Err(error),
    };
    let Some(there) = only_file(name, listed)? else { return Err(unplanned) };
    match compare(&there, ours) {
        _ if there.name != name.as_str() => Err(unplanned),
        Agreement::Same => Ok(Spot::HeldBySame),
        Agreement::Untold => Ok(Spot::Undigested(unplanned)),
        Agreement::Others => Err(unplanned),
    }
}

/// What a listed file tells of bytes.
pub(crate) fn compare(listed: &JcdsFile, bytes: Fingerprint) -> Agreement {
    bytes.agrees_with(listed.size, listed.md5, listed.sha3_512)
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
    fn who_was_faster_with_the_same_bytes_did_the_work() {
        let ours =
            Fingerprint { size: 9, md5: Md5::from_bytes([1; 16]), sha3_512: Sha3_512::from_bytes([2; 64]) };
        let planned = file(5, Some(7), Some(8));
        for planned in [None, Some(&planned)] {
            let seen = |now: JcdsFile| spot(&name(), planned, ours, &[now]);
            for same in [file(9, Some(1), Some(2)), file(9, None, Some(2))] {
                assert!(matches!(seen(same.clone()), Ok(Spot::HeldBySame)), "{same:?}");
            }
            for unclear in [file(0, None, None), file(9, Some(1), None), file(0, Some(1), Some(2))] {
                assert!(matches!(seen(unclear.clone()), Ok(Spot::Undigested(_))), "{unclear:?}");
            }
            for other in [
                file(8, None, None),
                file(9, Some(3), Some(2)),
                file(9, Some(1), Some(3)),
                file(0, Some(3), None),
            ] {
                let refused = seen(other.clone());
                assert!(
                    matches!(refused, Err(Error::Appeared { .. } | Error::NotAsPlanned { .. })),
                    "{other:?}: {refused:?}"
                );
            }
        }
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
