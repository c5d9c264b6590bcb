//! What the server's answers mean, without asking anything.

use crate::Error;
use fingerprint::Agreement;
use jamf::{JcdsFile, Package};
use pipeline::{FileName, Found, Md5, PackageId, Sha3_512, size};
use state::{Arrival, Delivery};

/// The file that the server holds, as its witness tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    /// `None` where the record's is blank (`jamf-pro-api.md §5.3`); the list always has one.
    pub size: Option<u64>,
    pub md5: Option<Md5>,
    pub sha3_512: Option<Sha3_512>,
}

impl Held {
    /// As the list tells it.
    pub(crate) fn of_list(file: &JcdsFile) -> Self {
        Self { size: Some(file.size), md5: file.md5, sha3_512: file.sha3_512 }
    }

    /// As whoever sent it wrote it down.
    pub(crate) fn of_sent(sent: &Delivery) -> Self {
        let bytes = sent.sent;
        Self { size: Some(bytes.size), md5: Some(bytes.md5), sha3_512: Some(bytes.sha3_512) }
    }

    /// As the record tells it. A record that never had a file has neither size nor digest (`jamf-pro-api.md §5.3`).
    pub(crate) fn of_record(record: &Package) -> Option<Self> {
        let Package { size, md5, sha3_512, .. } = *record;
        let is_told = size.is_some() || md5.is_some() || sha3_512.is_some();
        is_told.then_some(Self { size, md5, sha3_512 })
    }
}

/// The listed file that is `asked` to a person.
pub(crate) fn listed_file<'a>(
    asked: &FileName,
    files: &'a [JcdsFile],
) -> Result<Option<&'a JcdsFile>, Error> {
    match asked.find(files, |file| &file.name) {
        Found::None => Ok(None),
        Found::One(file) => Ok(Some(file)),
        Found::Several(files) => {
            Err(Error::SeveralFiles { names: files.into_iter().map(|file| file.name.clone()).collect() })
        }
    }
}

/// Whether the list shows something else than was sent: nothing, unless it has never shown it, or a file that is not shown to hold it.
pub(crate) fn is_behind(files: &[JcdsFile], sent: &Delivery, asked: &FileName) -> bool {
    match listed_file(asked, files) {
        Ok(None) => sent.arrival != Arrival::Awaited,
        Ok(Some(file)) => sent.sent.agrees_with(file.size, file.md5, file.sha3_512) != Agreement::Same,
        // A person has to sort that out.
        Err(_) => false,
    }
}

/// Listed files that look like further uploads of this name (`jamf-pro-api.md §12`). By the name alone nobody can tell:
/// `Office_16.pkg` beside `Office.pkg` may well be a package of its own.
pub(crate) fn twins<'a>(name: &FileName, files: &'a [JcdsFile]) -> impl Iterator<Item = &'a JcdsFile> {
    files.iter().filter(|file| name.is_twin(&file.name))
}

/// Whether two listed files hold the same bytes: one digest has to say so, and none may deny it.
pub(crate) fn same_bytes(one: &JcdsFile, other: &JcdsFile) -> bool {
    let agree = [
        one.md5.zip(other.md5).map(|(one, other)| one == other),
        one.sha3_512.zip(other.sha3_512).map(|(one, other)| one == other),
    ];
    one.size == other.size && agree.contains(&Some(true)) && !agree.contains(&Some(false))
}

/// The name that later steps use: the file's spelling on the server, since deleting and proving go by it; else the record's,
/// since the record must find the file; else the one that was asked for.
pub(crate) fn spelling(
    asked: &FileName,
    record: Option<&str>,
    file: Option<&str>,
) -> Result<FileName, Error> {
    match file.or(record) {
        None => Ok(asked.clone()),
        Some(known) => known.parse().map_err(|source| Error::Spelling { file: asked.clone(), source }),
    }
}

/// `record 42, file of 1.0 MiB`.
pub(crate) fn summary(record: Option<PackageId>, file: Option<Held>) -> String {
    let record = record.map_or_else(|| "no record".to_owned(), |id| format!("record {id}"));
    let file = match file {
        None => "no file".to_owned(),
        Some(Held { size: Some(bytes), .. }) => format!("file of {}", size(bytes)),
        Some(Held { size: None, .. }) => "file of a size that the record does not tell".to_owned(),
    };
    format!("{record}, {file}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;
    use pipeline::{Diagnose as _, Md5, Sha3_512};

    const COMPOSED: &str = "M\u{fc}ller.pkg";
    const DECOMPOSED: &str = "Mu\u{308}ller.pkg";

    fn name(text: &str) -> FileName {
        text.parse().unwrap()
    }

    fn file(name: &str) -> JcdsFile {
        JcdsFile { name: name.to_owned(), size: 1024, md5: None, sha3_512: None }
    }

    /// Of a new file not everything need be told at once (`jamf-pro-api.md §11.3`).
    #[test]
    fn an_entry_that_does_not_show_what_was_sent_is_behind() {
        let (md5, sha3_512) = (Md5::from_bytes([1; 16]), Sha3_512::from_bytes([2; 64]));
        let sent = |arrival| {
            let state = state::State::in_memory().unwrap();
            let new = state::NewDelivery {
                server: "https://example.jamfcloud.com",
                file: &name("App.pkg"),
                record: None,
                sent: fingerprint::Fingerprint { size: 9, md5, sha3_512 },
                route: pipeline::Route::Jcds,
                witness: pipeline::Witness::List,
                since: "2026-11-20T12:00:00Z".parse().unwrap(),
                arrival,
            };
            state.keep_delivery(&new).unwrap();
            state.unproven(None).unwrap().remove(0)
        };
        let listed = |size, md5, sha3_512| JcdsFile { name: "App.pkg".to_owned(), size, md5, sha3_512 };
        let behind = |arrival, files: &[JcdsFile]| is_behind(files, &sent(arrival), &name("App.pkg"));
        let all = listed(9, Some(md5), Some(sha3_512));
        for arrival in [Arrival::Awaited, Arrival::Listed] {
            assert!(!behind(arrival, std::slice::from_ref(&all)));
            assert!(!behind(arrival, &[listed(9, None, Some(sha3_512))]));
            for entry in [
                listed(0, Some(md5), Some(sha3_512)),
                listed(9, None, None),
                listed(9, Some(md5), None),
                listed(8, Some(md5), Some(sha3_512)),
                listed(9, Some(Md5::from_bytes([3; 16])), Some(sha3_512)),
                listed(9, Some(md5), Some(Sha3_512::from_bytes([3; 64]))),
            ] {
                assert!(behind(arrival, std::slice::from_ref(&entry)), "{entry:?}");
            }
        }
        assert!(behind(Arrival::Listed, &[file("Other.pkg")]));
        assert!(!behind(Arrival::Awaited, &[file("Other.pkg")]), "that is waited for by who proves it");
    }

    #[test]
    fn a_file_is_found_under_any_one_spelling() {
        let found = |asked: &str, files: &[JcdsFile]| {
            listed_file(&name(asked), files).unwrap().map(|file| file.name.clone())
        };
        let other = file("Other.pkg");
        assert_eq!(found(COMPOSED, &[other.clone(), file(COMPOSED)]).as_deref(), Some(COMPOSED));
        assert_eq!(found(COMPOSED, &[file(DECOMPOSED), other.clone()]).as_deref(), Some(DECOMPOSED));
        assert_eq!(found(COMPOSED, &[other]), None);
        assert_eq!(found(COMPOSED, &[file("m\u{fc}ller.pkg")]), None, "case matters");
    }

    #[test]
    fn two_spellings_at_once_are_for_a_person_to_sort_out() {
        let files = [file(COMPOSED), file("Other.pkg"), file(DECOMPOSED)];
        let error = listed_file(&name(COMPOSED), &files).unwrap_err();
        assert_snapshot!(error, @r#"the distribution service lists 2 files whose names differ only in how their characters are encoded: M\u{fc}ller.pkg, Mu\u{308}ller.pkg"#);
        assert_snapshot!(error.hint().unwrap(), @"find out which of these files the package record serves, and delete the others");
        assert_eq!(listed_file(&name(DECOMPOSED), &files), Err(error), "whichever was asked for");
    }

    #[test]
    fn the_files_spelling_goes_before_the_records() {
        let asked = name("as asked.pkg");
        let chosen = |record, file| spelling(&asked, record, file).unwrap().to_string();
        assert_eq!(chosen(None, None), "as asked.pkg");
        assert_eq!(chosen(Some(COMPOSED), None), COMPOSED);
        assert_eq!(chosen(None, Some(DECOMPOSED)), DECOMPOSED);
        assert_eq!(chosen(Some(COMPOSED), Some(DECOMPOSED)), DECOMPOSED);
    }

    #[test]
    fn a_spelling_that_is_no_file_name_is_refused() {
        let (composed, decomposed) = ("\u{fc}".repeat(90), "u\u{308}".repeat(90));
        let error = spelling(&name(&composed), None, Some(&decomposed)).unwrap_err();
        assert!(matches!(error, Error::Spelling { .. }), "{error}");
    }

    #[test]
    fn twins_are_numbered_copies() {
        let files = ["App.pkg", "App_1.pkg", "App_12.pkg", "App_x.pkg", "Map_1.pkg", "App_1.dmg"].map(file);
        let app = name("App.pkg");
        let found: Vec<_> = twins(&app, &files).map(|file| file.name.as_str()).collect();
        assert_eq!(found, ["App_1.pkg", "App_12.pkg"]);
    }

    #[test]
    fn the_same_bytes_take_a_digest_that_says_so_and_none_that_denies_it() {
        let (md5, sha3) =
            (|byte| Some(Md5::from_bytes([byte; 16])), |byte| Some(Sha3_512::from_bytes([byte; 64])));
        let listed = |size, md5, sha3_512| JcdsFile { name: "App.pkg".to_owned(), size, md5, sha3_512 };
        let full = listed(9, md5(1), sha3(1));
        let same = |other: JcdsFile| same_bytes(&full, &other) && same_bytes(&other, &full);
        assert!(same(full.clone()) && same(listed(9, md5(1), None)) && same(listed(9, None, sha3(1))));
        assert!(!same(listed(9, None, None)), "a size alone says little");
        assert!(!same(listed(8, md5(1), sha3(1))));
        assert!(!same(listed(9, md5(2), sha3(1))) && !same(listed(9, md5(1), sha3(2))));
    }

    #[test]
    fn what_was_found_in_one_line() {
        let (record, size) = (Some(PackageId::try_from(42).unwrap()), Some(1_048_576));
        let held = |size| Some(Held { size, md5: None, sha3_512: None });
        let each = [
            summary(record, held(size)),
            summary(record, held(None)),
            summary(record, None),
            summary(None, held(size)),
            summary(None, None),
        ];
        assert_snapshot!(each.join("\n"), @r"
        record 42, file of 1.0 MiB
        record 42, file of a size that the record does not tell
        record 42, no file
        no record, file of 1.0 MiB
        no record, no file
        ");
    }
}
