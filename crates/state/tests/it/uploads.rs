//! Journals, over a real file and from the point of view of several processes.

use crate::{SERVER, open, time};
use fingerprint::{DigestState, FileIdentity, Fingerprint};
use pipeline::{FileName, Md5, Sha3_512};
use state::{Journal, NewUpload, Phase, Place, State, StoredPart, StoredUpload};
use std::path::Path;

const IDENTITY: FileIdentity = FileIdentity { size: 20 << 20, modified: 1, changed: 2, inode: 3, device: 4 };

fn begin(state: &State, name: &str) -> Journal {
    let place =
        Place { endpoint: None, region: "us-east-1".into(), bucket: "jcds".into(), prefix: "tmp/1/".into() };
    let file: FileName = name.parse().unwrap();
    let path = Path::new("/packages").join(name);
    let key = format!("tmp/1/{name}");
    let new = NewUpload {
        server: SERVER,
        file: &file,
        path: &path,
        identity: IDENTITY,
        place: &place,
        key: &key,
        part_size: 8 << 20,
        begun: "2026-11-20T22:00:00Z".parse().unwrap(),
    };
    state.begin(&new).unwrap()
}

fn part(number: i32) -> StoredPart {
    StoredPart { number, size: 8 << 20, etag: format!("\"{number}\""), checksum: Some("AAAA".into()) }
}

fn take_all(state: &State) -> Vec<(Journal, StoredUpload)> {
    state.take_over(SERVER, |_| true).unwrap()
}

#[test]
fn what_was_written_is_found_by_the_next_process() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path());
    let journal = begin(&first, "App.pkg");
    journal.begun("upload-1", "crc64nvme").unwrap();
    for number in [2, 1] {
        journal.part(&part(number)).unwrap();
    }
    let digests = Fingerprint {
        size: IDENTITY.size,
        md5: Md5::from_bytes([1; 16]),
        sha3_512: Sha3_512::from_bytes([2; 64]),
    };
    journal.digests(digests).unwrap();
    journal.phase(Phase::Deleting, time("2026-11-20T22:30:00.5Z")).unwrap();
    drop((journal, first));

    let next = open(folder.path());
    let found = take_all(&next);
    let [(_, found)] = &found[..] else { panic!("{found:?}") };
    assert_eq!(found.server, SERVER);
    assert_eq!(found.file, "App.pkg");
    assert_eq!(found.path, Path::new("/packages/App.pkg"));
    assert_eq!(found.identity, IDENTITY);
    assert_eq!(found.upload_id.as_deref(), Some("upload-1"));
    assert_eq!(found.checksum.as_deref(), Some("crc64nvme"));
    assert_eq!((found.part_size, found.phase), (8 << 20, Phase::Deleting));
    assert_eq!(found.place.prefix, "tmp/1/");
    assert_eq!(found.fingerprint, Some(digests));
    assert_eq!(found.digest_state.as_ref().map(DigestState::offset), None);
    assert_eq!(found.parts, [part(1), part(2)]);
    assert_eq!(found.begun.to_string(), "2026-11-20T22:00:00Z");
    assert_eq!(found.phase_since.to_string(), "2026-11-20T22:30:00.5Z");
    assert!(
        found.may_be_late(time("2026-11-20T23:30:00Z")) && !found.may_be_late(time("2026-11-20T23:30:01Z"))
    );
}

/// Nothing else in the journal is worse for it.
#[test]
fn a_digest_state_that_was_damaged_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let stored = DigestState::default().to_bytes();
    let mut damaged = stored.clone();
    damaged[stored.len() / 2] ^= 1;
    let entries: [(Box<dyn rusqlite::ToSql>, Option<u64>); 4] = [
        (Box::new(stored), Some(0)),
        (Box::new(damaged), None),
        (Box::new(Vec::<u8>::new()), None),
        (Box::new("text"), None),
    ];
    for (entry, expected) in entries {
        let state = open(folder.path());
        let journal = begin(&state, "App.pkg");
        journal.digest_state(&DigestState::default()).unwrap();
        drop(journal);
        let database = rusqlite::Connection::open(folder.path().join("state.db")).unwrap();
        assert_eq!(database.execute("UPDATE uploads SET digest_state = ?1", [entry]).unwrap(), 1);
        let (journal, found) = take_all(&state).remove(0);
        assert_eq!(found.digest_state.map(|state| state.offset()), expected);
        assert_eq!(found.file, "App.pkg");
        journal.close().unwrap();
    }
}

#[test]
fn nobody_takes_over_what_a_living_process_works_at() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (open(folder.path()), open(folder.path()));
    let journal = begin(&one, "App.pkg");
    assert!(take_all(&other).is_empty());
    assert!(take_all(&one).is_empty());
    assert!(other.left_over().unwrap().is_empty());

    // Given up, by a process that goes on: itself and others may go on with it, but only one of them.
    drop(journal);
    assert_eq!(other.left_over().unwrap().len(), 1);
    let taken = take_all(&one);
    assert_eq!(taken.len(), 1);
    assert!(take_all(&one).is_empty());
    assert!(take_all(&other).is_empty());
}

#[test]
fn only_what_is_wanted_is_taken() {
    let state = State::in_memory().unwrap();
    drop((begin(&state, "App.pkg"), begin(&state, "Other.pkg")));
    let taken = state.take_over(SERVER, |upload| upload.file == "Other.pkg").unwrap();
    assert_eq!(taken.iter().map(|(_, upload)| upload.file.as_str()).collect::<Vec<_>>(), ["Other.pkg"]);
    assert!(state.take_over("https://other.jamfcloud.com", |_| true).unwrap().is_empty());
    assert_eq!(take_all(&state).len(), 1, "the other one is still there to be taken");
}

#[test]
fn a_closed_journal_leaves_nothing() {
    let state = State::in_memory().unwrap();
    let journal = begin(&state, "App.pkg");
    journal.begun("upload-1", "crc32").unwrap();
    journal.part(&part(1)).unwrap();
    journal.close().unwrap();
    assert!(take_all(&state).is_empty());
}

#[test]
fn a_second_beginning_forgets_the_parts_of_the_first() {
    let state = State::in_memory().unwrap();
    let journal = begin(&state, "App.pkg");
    journal.begun("upload-1", "crc64nvme").unwrap();
    journal.part(&part(1)).unwrap();
    journal.begun("upload-2", "none").unwrap();
    drop(journal);
    let taken = take_all(&state);
    assert_eq!(taken[0].1.upload_id.as_deref(), Some("upload-2"));
    assert_eq!(taken[0].1.parts, []);
}

#[test]
fn the_folder_is_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let _state = open(&path);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    }
}

/// The id of a journal that is closed is the next one's.
#[test]
fn who_closes_a_journal_gives_up_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(folder.path());
    let open_and_close = &|name| {
        for _ in 0..300 {
            let journal = begin(&state, name);
            let left = state.left_over().unwrap();
            assert!(left.is_empty(), "a journal that is open was left over: {left:?}");
            journal.close().unwrap();
        }
    };
    std::thread::scope(|scope| {
        for name in ["One.pkg", "Two.pkg", "Three.pkg", "Four.pkg"] {
            scope.spawn(move || open_and_close(name));
        }
    });
    assert_eq!(take_all(&state).len(), 0);
}

#[test]
fn who_looks_for_what_was_left_keeps_nobody_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(folder.path());
    drop((begin(&state, "One.pkg"), begin(&state, "Other.pkg")));
    let looked_at = |upload: &StoredUpload| {
        begin(&state, "Third.pkg").close().unwrap();
        upload.file == "One.pkg"
    };
    let taken = state.take_over(SERVER, looked_at).unwrap();
    assert_eq!(taken.iter().map(|(_, upload)| upload.file.as_str()).collect::<Vec<_>>(), ["One.pkg"]);
}

#[test]
fn two_that_look_at_the_same_time_share_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(folder.path());
    for _ in 0..100 {
        drop(begin(&state, "One.pkg"));
        let take = || state.take_over(SERVER, |_| true).unwrap();
        let (one, other) = std::thread::scope(|scope| {
            let other = scope.spawn(take);
            (take(), other.join().unwrap())
        });
        assert_eq!(one.len() + other.len(), 1);
        one.into_iter().chain(other).for_each(|(journal, _)| journal.close().unwrap());
    }
}
