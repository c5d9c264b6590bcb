use crate::{file, shown};
use fingerprint::{Error, FileIdentity, digest};
use insta::assert_snapshot;
use jiff::Timestamp;
use std::path::Path;
use tokio_util::sync::CancellationToken;

/// Both ways to look at a path refuse it alike; this is what they say.
async fn refusal(path: &Path, folder: &Path) -> String {
    let identity = shown(FileIdentity::of(path).unwrap_err(), folder);
    let digest = digest(path, |_| {}, &CancellationToken::new()).await.unwrap_err();
    assert_eq!(identity, shown(digest, folder));
    identity
}

#[tokio::test]
async fn a_missing_file() {
    let folder = tempfile::tempdir().unwrap();
    assert_snapshot!(refusal(&folder.path().join("Missing.pkg"), folder.path()).await, @"
    cannot read FOLDER/Missing.pkg: No such file or directory (os error 2)
    kind: Local
    hint: check pkg_path; what makes the package may not have run, or may have made it elsewhere
    ");
}

#[tokio::test]
async fn a_file_that_cannot_be_reached() {
    let (folder, path) = file(b"abc");
    assert_snapshot!(refusal(&path.join("inside.pkg"), folder.path()).await, @r"
    cannot read FOLDER/Example.pkg/inside.pkg: Not a directory (os error 20)
    kind: Local
    hint: -
    ");
}

#[tokio::test]
async fn a_bundle_package() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("Bundle.pkg");
    std::fs::create_dir(&bundle).unwrap();
    assert_snapshot!(refusal(&bundle, folder.path()).await, @r"
    FOLDER/Bundle.pkg is a folder, not a file
    kind: Local
    hint: a bundle package is a folder: zip it first, and name the zip file instead
    ");
}

#[tokio::test]
async fn an_empty_file() {
    let (folder, path) = file(b"");
    assert_snapshot!(refusal(&path, folder.path()).await, @r"
    FOLDER/Example.pkg is empty
    kind: Local
    hint: an empty file installs nothing: look at the step that made it
    ");
}

#[cfg(unix)]
#[tokio::test]
async fn a_socket() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket.pkg");
    let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    assert_snapshot!(refusal(&path, folder.path()).await, @r"
    FOLDER/socket.pkg is not a regular file
    kind: Local
    hint: -
    ");
}

/// Opening it would wait for a writer that never comes.
#[cfg(unix)]
#[tokio::test]
async fn a_named_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe.pkg");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    assert_snapshot!(refusal(&path, folder.path()).await, @r"
    FOLDER/pipe.pkg is not a regular file
    kind: Local
    hint: -
    ");
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_without_permission_to_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let (folder, path) = file(b"abc");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    let result = digest(&path, |_| {}, &CancellationToken::new()).await;
    match result {
        // The superuser reads everything.
        Ok((fingerprint, _)) => assert_eq!(fingerprint.size, 3),
        Err(error) => assert_snapshot!(shown(error, folder.path()), @r"
        cannot read FOLDER/Example.pkg: Permission denied (os error 13)
        kind: Local
        hint: -
        "),
    }
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_stands_for_its_file() {
    let (folder, path) = file(b"abc");
    let link = folder.path().join("link.pkg");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert_eq!(FileIdentity::of(&link).unwrap(), FileIdentity::of(&path).unwrap());
}

#[test]
fn an_open_file_is_the_file_at_its_path() {
    let (_folder, path) = file(b"abc");
    let open = std::fs::File::open(&path).unwrap();
    assert_eq!(FileIdentity::of_open(&open, &path).unwrap(), FileIdentity::of(&path).unwrap());
}

#[test]
fn untouched_is_equal() {
    let (_folder, path) = file(b"abc");
    let before = FileIdentity::of(&path).unwrap();
    std::fs::read(&path).unwrap();
    assert_eq!(FileIdentity::of(&path).unwrap(), before);
}

#[test]
fn touched_is_not_equal() {
    let (_folder, path) = file(b"abc");
    let before = FileIdentity::of(&path).unwrap();
    std::fs::write(&path, b"abcd").unwrap();
    assert_ne!(FileIdentity::of(&path).unwrap(), before);
}

/// The same size and the same times, as `cp -p` leaves them: only the inode tells.
#[cfg(unix)]
#[test]
fn another_file_at_the_same_path_is_not_equal() {
    let (folder, path) = file(b"abc");
    let before = FileIdentity::of(&path).unwrap();
    let other = folder.path().join("other.pkg");
    std::fs::write(&other, b"xyz").unwrap();
    let times = std::fs::FileTimes::new().set_modified(path.metadata().unwrap().modified().unwrap());
    std::fs::File::options().write(true).open(&other).unwrap().set_times(times).unwrap();
    std::fs::rename(&other, &path).unwrap();
    let after = FileIdentity::of(&path).unwrap();
    assert_eq!((after.size, after.modified), (before.size, before.modified));
    assert_ne!(after, before);
}

#[tokio::test]
async fn the_identity_that_comes_with_a_digest_is_the_files() {
    let (_folder, path) = file(b"abc");
    let before = FileIdentity::of(&path).unwrap();
    let (_, identity) = digest(&path, |_| {}, &CancellationToken::new()).await.unwrap();
    assert_eq!(identity, before);
}

#[test]
fn every_error_names_its_file() {
    let path = std::path::PathBuf::from("/packages/Example.pkg");
    let errors = [
        Error::Read { path: path.clone(), source: std::io::Error::other("the disk is on fire") },
        Error::Folder { path: path.clone() },
        Error::NotRegular { path: path.clone() },
        Error::Empty { path: path.clone() },
        Error::Changed { path: path.clone() },
        Error::Incomplete { path: path.clone(), ready: 1, size: 2 },
        Error::Interrupted { path },
    ];
    for error in errors {
        assert!(error.to_string().contains("/packages/Example.pkg"), "{error}");
    }
}

/// A moment in the middle of a second, in nanoseconds since 1970.
const NOW: i128 = 1_800_000_000_500_000_000;

const SECOND: i128 = 1_000_000_000;

fn touched(modified: i128, changed: i128) -> FileIdentity {
    FileIdentity { size: 3, modified, changed, inode: 1, device: 1 }
}

fn settled(modified: i128, changed: i128) -> bool {
    touched(modified, changed).settled_by(Timestamp::from_nanosecond(NOW).unwrap())
}

#[test]
fn both_times_must_lie_back() {
    let back = NOW - 3 * SECOND;
    assert!(settled(back, back));
    assert!(!settled(back + 1, back), "written a moment too late");
    assert!(!settled(back, back + 1), "written, and the time of writing set back, a moment too late");
    assert!(!settled(NOW, NOW));
}

#[test]
fn a_time_in_the_future_settles_nothing() {
    assert!(!settled(NOW + SECOND, NOW - 10 * SECOND));
    assert!(!settled(NOW - 10 * SECOND, NOW + SECOND));
}

/// Reproducible builds write such times.
#[test]
fn a_file_of_1970_and_before_is_settled_when_it_was_put_there_long_ago() {
    assert!(settled(0, NOW - 10 * SECOND));
    assert!(settled(-SECOND, NOW - 10 * SECOND));
    assert!(!settled(0, NOW));
}

#[test]
fn without_a_time_of_change_the_time_of_writing_decides() {
    assert!(settled(NOW - 3 * SECOND, 0));
    assert!(!settled(NOW - 2 * SECOND, 0));
    assert!(!settled(0, 0), "nothing is known");
}

#[test]
fn a_file_that_was_just_written_settles_in_three_seconds() {
    let (_folder, path) = file(b"abc");
    let identity = FileIdentity::of(&path).unwrap();
    let latest = identity.modified.max(identity.changed);
    let at = |nanoseconds| Timestamp::from_nanosecond(nanoseconds).unwrap();
    assert!(!identity.settled_by(at(latest)));
    assert!(identity.settled_by(at(latest + 3 * SECOND)));
}

#[test]
fn for_a_run_a_quarter_of_a_second_settles_what_has_fine_stamps() {
    let now = Timestamp::from_nanosecond(NOW).unwrap();
    let settled = |changed| touched(changed, changed).settled_for_a_run(now);
    let back = |milliseconds: i128| NOW - milliseconds * 1_000_000;
    assert!(settled(back(251) - 7));
    assert!(!settled(back(249) - 7), "a tick may hide a write");
    assert!(!settled(back(500)), "whole hundredths of a second: the clock of the stamps may be coarse");
    assert!(settled(back(3_000)), "settled in any case");
    assert!(!settled(NOW + SECOND + 7));
    // The time of writing may be anything: what is written moves the time of change too.
    assert!(touched(NOW + 10 * SECOND, back(300) - 7).settled_for_a_run(now));
    assert!(!touched(back(300) - 7, 0).settled_for_a_run(now), "there is no time of change");
}
