//! The traps of `jamf-pro-api.md §11.3`, one by one.

use super::*;
use crate::report::told;
use insta::assert_snapshot;

const NEW: u8 = 0xab;
const OLD: u8 = 0xcd;
const SIZE: u64 = 1000;

fn expected() -> Expected {
    expected_named("App.pkg")
}

fn expected_named(name: &str) -> Expected {
    let bytes = Fingerprint {
        size: SIZE,
        md5: Md5::from_bytes([NEW; 16]),
        sha3_512: Sha3_512::from_bytes([NEW; 64]),
    };
    Expected { name: name.parse().unwrap(), bytes }
}

/// A list entry whose two digests are made of one byte.
fn file(name: &str, size: u64, digest: u8) -> JcdsFile {
    JcdsFile {
        name: name.to_owned(),
        size,
        md5: Some(Md5::from_bytes([digest; 16])),
        sha3_512: Some(Sha3_512::from_bytes([digest; 64])),
    }
}

fn arrived() -> JcdsFile {
    file("App.pkg", SIZE, NEW)
}

fn record(size: Option<u64>, digest: Option<u8>, state: Option<&str>) -> Testimony {
    Testimony {
        id: 42.try_into().unwrap(),
        file_name: "App.pkg".to_owned(),
        api: PackageApi::Pro,
        size,
        md5: digest.map(|digest| Md5::from_bytes([digest; 16])),
        sha3_512: digest.map(|digest| Sha3_512::from_bytes([digest; 64])),
        state: state.map(str::to_owned),
    }
}

fn ready() -> Testimony {
    record(Some(SIZE), Some(NEW), Some("READY"))
}

fn with(listed: &[JcdsFile], record: &Testimony) -> Judgement {
    judge(&expected(), listed, &Record::Told(record.clone()))
}

/// What is being waited for.
fn waits(judgement: Judgement) -> String {
    match judgement {
        Judgement::Waiting(lacks) => told(&lacks),
        other => panic!("not waiting: {other:?}"),
    }
}

#[test]
fn both_witnesses_agree() {
    assert_eq!(with(&[file("Other.pkg", 1, OLD), arrived()], &ready()), Judgement::Proven);
}

#[test]
fn nothing_is_listed() {
    assert_snapshot!(waits(with(&[], &ready())), @"the distribution service does not list it");
}

#[test]
fn old_bytes_are_still_listed() {
    let old = record(Some(7), Some(OLD), Some("READY"));
    assert_snapshot!(waits(with(&[file("App.pkg", 7, OLD)], &old)), @"the distribution service lists 7 bytes instead of 1000; record 42 says 7 bytes instead of 1000");
    assert_snapshot!(waits(with(&[file("App.pkg", SIZE, OLD)], &ready())), @"the distribution service lists MD5 cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd instead of abababababababababababababababab");
    let mut collision = file("App.pkg", SIZE, NEW);
    collision.sha3_512 = Some(Sha3_512::from_bytes([OLD; 64]));
    assert_snapshot!(waits(with(&[collision], &ready())), @"the distribution service lists SHA3-512 cdcdcdcdcdcdcdcd… instead of abababababababab…");
}

#[test]
fn the_new_digest_stands_beside_the_old_size() {
    assert_snapshot!(waits(with(&[file("App.pkg", 7, NEW)], &ready())), @"the distribution service lists 7 bytes instead of 1000");
    assert_snapshot!(waits(with(&[arrived()], &record(Some(7), Some(NEW), Some("READY")))), @"record 42 says 7 bytes instead of 1000");
}

#[test]
fn the_new_digest_without_bytes_means_that_nothing_landed() {
    let nothing = Lack::ListedSize { found: 0, expected: SIZE };
    assert_eq!(with(&[file("App.pkg", 0, NEW)], &ready()), Judgement::Empty(nothing));
    let id = 42.try_into().unwrap();
    let nothing = Lack::RecordSize { id, found: 0, expected: SIZE };
    assert_eq!(with(&[], &record(Some(0), Some(NEW), Some("READY"))), Judgement::Empty(nothing));
}

#[test]
fn size_0_beside_another_digest_may_be_replaced_yet() {
    assert!(matches!(with(&[file("App.pkg", 0, OLD)], &ready()), Judgement::Waiting(_)));
    assert!(matches!(with(&[arrived()], &record(Some(0), Some(NEW), Some("READY"))), Judgement::Waiting(_)));
}

#[test]
fn an_entry_without_sha3_512_is_no_proof_and_one_without_md5_is() {
    let mut no_md5 = arrived();
    no_md5.md5 = None;
    let mut no_sha3 = arrived();
    no_sha3.sha3_512 = None;
    assert_eq!(with(&[no_md5], &ready()), Judgement::Proven);
    assert_snapshot!(waits(with(&[no_sha3], &ready())), @"the distribution service lists it without SHA3-512");
}

#[test]
fn a_record_that_contradicts_is_waited_for() {
    let digest = record(Some(SIZE), Some(OLD), Some("READY"));
    assert_snapshot!(waits(with(&[arrived()], &digest)), @"record 42 says SHA3-512 cdcdcdcdcdcdcdcd… instead of abababababababab…");
    let pending = record(Some(SIZE), Some(NEW), Some("PENDING"));
    assert_snapshot!(waits(with(&[arrived()], &pending)), @"record 42 is PENDING");
    let error = record(None, None, Some("ERROR"));
    assert_snapshot!(waits(with(&[arrived()], &error)), @"record 42 is ERROR");
    let other = Testimony { file_name: "Other.pkg".to_owned(), ..ready() };
    assert_snapshot!(waits(with(&[arrived()], &other)), @"record 42 names the file Other.pkg");
}

#[test]
fn a_record_that_another_node_does_not_know_yet_is_waited_for() {
    let missing = Record::Missing(42.try_into().unwrap());
    assert_snapshot!(waits(judge(&expected(), &[arrived()], &missing)), @"record 42 is not there");
}

#[test]
fn what_the_record_leaves_open_is_not_held_against_the_list() {
    let told = |record: &Testimony| with(&[arrived()], record);
    let open = |untold: &[Untold]| Judgement::ListProves { untold: untold.to_vec(), may_come: true };
    assert_eq!(told(&record(None, Some(NEW), Some("READY"))), open(&[Untold::Size]));
    assert_eq!(told(&record(Some(SIZE), None, Some("READY"))), open(&[Untold::Digest]));
    assert_eq!(told(&record(Some(SIZE), Some(NEW), None)), open(&[Untold::State]));
    assert_eq!(told(&record(None, None, None)), open(&[Untold::Size, Untold::Digest, Untold::State]));
}

#[test]
fn the_classic_api_never_tells_size_and_state() {
    let classic = |digest| Testimony { api: PackageApi::Classic, ..record(None, digest, None) };
    assert_eq!(
        with(&[arrived()], &classic(Some(NEW))),
        Judgement::ListProves { untold: vec![Untold::Size, Untold::State], may_come: false }
    );
    assert!(matches!(with(&[arrived()], &classic(None)), Judgement::ListProves { may_come: true, .. }));
    assert!(matches!(with(&[arrived()], &classic(Some(OLD))), Judgement::Waiting(_)));
}

#[test]
fn without_a_record_the_list_alone_proves() {
    assert_eq!(
        judge(&expected(), &[arrived()], &Record::None),
        Judgement::ListProves { untold: vec![Untold::Everything], may_come: false }
    );
}

#[test]
fn a_twin_with_the_new_bytes_is_found() {
    let twin = file("App_1.pkg", SIZE, NEW);
    let renamed = with(&[file("App.pkg", 7, OLD), twin.clone()], &ready());
    assert!(
        matches!(&renamed, Judgement::Renamed { twin, lacks } if twin == "App_1.pkg" && lacks.len() == 1)
    );
    assert!(matches!(with(std::slice::from_ref(&twin), &ready()), Judgement::Renamed { .. }));

    let both = [arrived(), twin];
    assert_eq!(with(&both, &ready()), Judgement::Proven);
    assert_eq!(twins(&expected(), &both).map(|file| file.name.as_str()).collect::<Vec<_>>(), ["App_1.pkg"]);
}

#[test]
fn a_package_with_bytes_of_its_own_is_no_twin() {
    let named_alike =
        [file("App_16.pkg", SIZE, OLD), file("App_1.pkg", 7, NEW), file("App_x.pkg", SIZE, NEW)];
    assert_eq!(twins(&expected(), &named_alike).count(), 0);
    let mut no_digest = file("App_1.pkg", SIZE, NEW);
    (no_digest.md5, no_digest.sha3_512) = (None, None);
    assert!(matches!(with(&[no_digest], &ready()), Judgement::Waiting(_)));
}

#[test]
fn another_unicode_spelling_is_the_same_name() {
    let (composed, decomposed) = ("K\u{fc}che.pkg", "Ku\u{308}che.pkg");
    let expected = expected_named(decomposed);
    let record = Testimony { file_name: composed.to_owned(), ..ready() };
    assert_eq!(judge(&expected, &[file(composed, SIZE, NEW)], &Record::Told(record)), Judgement::Proven);
    let twin = file("K\u{fc}che_1.pkg", SIZE, NEW);
    assert_eq!(twins(&expected, &[twin]).count(), 1);
}

#[test]
fn of_two_spellings_the_one_that_the_record_names_counts() {
    let (composed, decomposed) = ("K\u{fc}che.pkg", "Ku\u{308}che.pkg");
    let listed = [file(decomposed, SIZE, NEW), file(composed, 7, OLD)];
    let record = Testimony { file_name: composed.to_owned(), ..ready() };
    let judgement = judge(&expected_named(decomposed), &listed, &Record::Told(record));
    assert!(matches!(judgement, Judgement::Waiting(_)));
    assert_eq!(
        judge(&expected_named(decomposed), &listed, &Record::None),
        Judgement::ListProves { untold: vec![Untold::Everything], may_come: false }
    );
}

mod record_alone {
    use super::*;
    use crate::judge::alone::judge_record;

    fn by_record(record: &Testimony) -> Judgement {
        judge_record(&expected(), &Record::Told(record.clone()))
    }

    #[test]
    fn it_proves_by_telling_everything() {
        assert_eq!(by_record(&ready()), Judgement::Proven);
        assert_eq!(
            by_record(&Testimony { md5: None, ..ready() }),
            Judgement::Proven,
            "SHA3-512 is the proof"
        );
    }

    #[test]
    fn what_it_does_not_tell_is_waited_for() {
        assert_snapshot!(waits(by_record(&record(None, Some(NEW), Some("READY")))), @"record 42 tells no size");
        assert_snapshot!(waits(by_record(&record(Some(SIZE), Some(NEW), None))), @"record 42 tells no state");
        let only_md5 = Testimony { sha3_512: None, ..ready() };
        assert_snapshot!(waits(by_record(&only_md5)), @"record 42 tells no SHA3-512");
        assert_snapshot!(waits(by_record(&record(None, None, None))), @"record 42 tells no size");
    }

    #[test]
    fn what_it_says_otherwise_is_waited_for() {
        assert_snapshot!(waits(by_record(&record(Some(7), Some(NEW), Some("READY")))), @"record 42 says 7 bytes instead of 1000");
        assert_snapshot!(waits(by_record(&record(Some(SIZE), Some(OLD), Some("READY")))), @"record 42 says SHA3-512 cdcdcdcdcdcdcdcd… instead of abababababababab…");
        assert_snapshot!(waits(by_record(&record(Some(SIZE), Some(NEW), Some("PENDING")))), @"record 42 is PENDING");
        let md5 = Testimony { md5: Some(Md5::from_bytes([OLD; 16])), ..ready() };
        assert_snapshot!(waits(by_record(&md5)), @"record 42 says MD5 cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd instead of abababababababababababababababab");
        let other = Testimony { file_name: "Other.pkg".to_owned(), ..ready() };
        assert_snapshot!(waits(by_record(&other)), @"record 42 names the file Other.pkg");
    }

    #[test]
    fn the_new_digest_beside_no_bytes_is_an_empty_upload() {
        let empty = by_record(&record(Some(0), Some(NEW), Some("READY")));
        assert!(matches!(empty, Judgement::Empty(Lack::RecordSize { found: 0, .. })), "{empty:?}");
        let older = by_record(&record(Some(0), Some(OLD), Some("READY")));
        assert!(
            matches!(older, Judgement::Waiting(_)),
            "an older failure may be about to be replaced: {older:?}"
        );
    }

    #[test]
    fn a_record_that_is_not_there_proves_nothing() {
        assert_snapshot!(waits(judge_record(&expected(), &Record::None)), @"no package record names it");
        let missing = Record::Missing(42.try_into().unwrap());
        assert_snapshot!(waits(judge_record(&expected(), &missing)), @"record 42 is not there");
    }

    proptest::proptest! {
        /// Whatever is left out or differs, it is no proof.
        #[test]
        fn nothing_less_proves(
            size in proptest::option::of(0..3u64), digest in proptest::option::of(0..2u8),
            state in proptest::option::of("READY|PENDING|ERROR"), md5 in proptest::option::of(0..2u8),
        ) {
            let told = Testimony {
                size: size.map(|size| size * SIZE),
                md5: md5.map(|md5| Md5::from_bytes([if md5 == 0 { NEW } else { OLD }; 16])),
                ..record(None, digest.map(|digest| if digest == 0 { NEW } else { OLD }), state.as_deref())
            };
            let all = size == Some(1) && digest == Some(0) && state.as_deref() == Some("READY") && md5 != Some(1);
            proptest::prop_assert_eq!(by_record(&told) == Judgement::Proven, all);
        }
    }
}
