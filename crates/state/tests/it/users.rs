//! Two users of one machine.

use crate::child::{Played, claim, command, play};
use crate::{SERVER, open};
use state::Error;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};

/// Nobody's number, on Linux and elsewhere somebody's who has no more rights.
const OTHER_USER: u32 = 65534;

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().mode() & 0o777
}

/// A folder that all may use, and this program where all may start it.
struct Shared {
    folder: tempfile::TempDir,
    program: PathBuf,
}

impl Shared {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        set_mode(folder.path(), 0o755);
        let program = folder.path().join("program");
        std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
        set_mode(&program, 0o755);
        let state = folder.path().join("state");
        std::fs::create_dir(&state).unwrap();
        set_mode(&state, 0o777);
        Self { folder, program }
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// The same, played by another user if this one may do that; else by this one, to whom the rights of files say less.
    fn play(&self, part: &str) -> Played {
        let mut command = command(&self.program, part, &self.state());
        if std::fs::metadata(&self.program).unwrap().uid() == 0 {
            command.uid(OTHER_USER).gid(OTHER_USER);
        }
        Played::start(&mut command)
    }
}

#[test]
fn users_of_one_folder_see_each_others_locks() {
    let shared = Shared::new();
    // The other one comes first, and owns all files.
    let mut child = shared.play("hold");
    assert_eq!(child.says().as_deref(), Some("held"));
    let state = open(&shared.state());
    let refused = state.lock_server(SERVER, pipeline::Shard::WHOLE, &claim()).unwrap_err();
    assert!(matches!(&refused, Error::Held(held) if held.by.pid == child.child.id()));
    child.kill();
    let lock = state.lock_server(SERVER, pipeline::Shard::WHOLE, &claim()).unwrap();
    assert!(lock.left_by().is_some());

    // And now it comes second.
    let said = shared.play("hold").end();
    let Error::Held(held) = state.lock_server(SERVER, pipeline::Shard::WHOLE, &claim()).unwrap_err() else {
        panic!("{said:?}")
    };
    assert_eq!(said, [held.to_string()]);
    drop(lock);
    assert_eq!(shared.play("hold").end(), ["held", "released"]);
}

#[test]
fn users_of_one_folder_write_one_file() {
    let shared = Shared::new();
    let own = play("write 100", &shared.state());
    let other = shared.play("write 100");
    for said in [own.end(), other.end(), shared.play("write 100").end()] {
        assert_eq!(said.last().map(String::as_str), Some("done"));
    }
    let runs = open(&shared.state()).history().runs(10.try_into().unwrap(), None).unwrap();
    assert_eq!(runs.items.len(), 3);
}

#[test]
fn what_is_made_in_a_shared_folder_is_shared() {
    let shared = Shared::new();
    let state = open(&shared.state());
    let _lock = state.lock_server(SERVER, pipeline::Shard::WHOLE, &claim()).unwrap();
    let mut files = 0;
    for folder in [shared.state(), shared.state().join("running"), shared.state().join("locks")] {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let expected = if path.is_dir() { 0o777 } else { 0o666 };
            assert_eq!(mode(&path), expected, "{}", path.display());
            files += 1;
        }
    }
    assert!(files >= 6, "{files}");
}

#[test]
fn what_is_made_in_a_folder_of_one_is_his() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(&folder.path().join("state"));
    let _lock = state.lock_server(SERVER, pipeline::Shard::WHOLE, &claim()).unwrap();
    assert_eq!(mode(&folder.path().join("state/state.db")), 0o600);
    assert_eq!(mode(&folder.path().join("state/locks")), 0o700);
    assert_eq!(mode(&folder.path().join("state/running")), 0o700);
}
