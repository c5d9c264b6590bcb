//! Verdicts about real files.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends where it fails, helpers included")]

use compare_hash::CompareHash;
use fingerprint::Fingerprint;
use insta::assert_snapshot;
use pipeline::{
    Access, Activity, Boundary, Context, Env, Event, FailureKind, Listener, Md5, Occurrence, Origin, Outcome,
    Plan, Processor as _, Progress, Sha3_512, SimulatedClock, Traffic, Verdict, keys,
};
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// Keeps what it hears.
#[derive(Default)]
struct Recorder(Mutex<Vec<Occurrence>>);

impl Listener for Recorder {
    fn on(&self, event: &Event) {
        self.0.lock().unwrap().push(event.what.clone());
    }
}

struct Bench {
    folder: TempDir,
    recorder: Arc<Recorder>,
    cx: Context,
    env: Env,
}

/// What a plan came to, as the steps after it see it.
struct Seen {
    message: String,
    env: Env,
}

impl Seen {
    fn verdict(&self) -> Verdict {
        self.env.need(keys::VERDICT).unwrap()
    }

    /// The message and all outputs, for snapshots.
    fn text(&self) -> String {
        let outputs = self.env.iter().map(|(name, entry)| format!("\n{name}: {}", entry.shown()));
        self.message.clone() + &outputs.collect::<String>()
    }
}

impl Bench {
    /// A local file with these bytes, and a server that has nothing.
    fn new(local: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let recorder = Arc::new(Recorder::default());
        let clock = SimulatedClock::at("2026-11-20T12:00:00Z".parse().unwrap());
        let boundary = Boundary::new(Access::ReadOnly);
        let cx = Context::new(Arc::new(clock), Arc::new(boundary), recorder.clone(), Default::default());
        let mut bench = Self { folder, recorder, cx, env: Env::new() };
        let path = bench.write("Local.pkg", local);
        bench.env.set(keys::PKG_PATH, path, Origin::CommandLine);
        bench.env.set(keys::JCDS_FILE_FOUND, false, Origin::Output(1));
        bench
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// The server lists a file with these bytes, digests and all.
    async fn server_has(&mut self, bytes: &[u8]) {
        let Fingerprint { size, md5, sha3_512 } = fingerprint(&self.write("Server.pkg", bytes)).await;
        self.server_lists(size, Some(md5), Some(sha3_512));
    }

    fn server_lists(&mut self, size: u64, md5: Option<Md5>, sha3_512: Option<Sha3_512>) {
        let origin = || Origin::Output(1);
        self.env.set(keys::JCDS_FILE_FOUND, true, origin());
        self.env.set(keys::JCDS_FILE_SIZE, size, origin());
        if let Some(md5) = md5 {
            self.env.set(keys::JCDS_FILE_MD5, md5, origin());
        }
        if let Some(sha3_512) = sha3_512 {
            self.env.set(keys::JCDS_FILE_SHA3_512, sha3_512, origin());
        }
    }

    fn force(&mut self) {
        self.env.set(keys::FORCE, true, Origin::CommandLine);
    }

    async fn plan(&self) -> Seen {
        match CompareHash::default().plan(&self.env, &self.cx).await.unwrap() {
            Plan::Settled { outcome: Outcome::Done { message }, outputs } => {
                Seen { message, env: outputs.from_step(2) }
            }
            other => panic!("it only looks: {other:?}"),
        }
    }

    async fn failure(&self) -> (FailureKind, String) {
        let failure = CompareHash::default().plan(&self.env, &self.cx).await.unwrap_err();
        let text = format!("{failure}\nhint: {}", failure.hint().unwrap_or_else(|| "-".into()));
        (failure.kind(), text.replace(&self.folder.path().display().to_string(), "FOLDER"))
    }

    /// Whether the local file was read, by the progress that it told.
    fn was_read(&self) -> bool {
        self.recorder.0.lock().unwrap().iter().any(|what| matches!(what, Occurrence::Progress(_)))
    }
}

async fn fingerprint(path: &Path) -> Fingerprint {
    fingerprint::digest(path, |_| {}, &Default::default()).await.unwrap().0
}

#[tokio::test]
async fn absent() {
    let bench = Bench::new(b"abc");
    assert_snapshot!(bench.plan().await.text(), @r#"
    absent: the server has no file of this name
    verdict: "absent"
    verdict_reason: "the server has no file of this name"
    pkg_size: 3
    "#);
    assert!(!bench.was_read());
}

#[tokio::test]
async fn same() {
    let mut bench = Bench::new(&[1; 1024 * 1024]);
    bench.server_has(&[1; 1024 * 1024]).await;
    assert_snapshot!(bench.plan().await.text(), @r#"
    same: 1.0 MiB, MD5 and SHA3-512 agree
    verdict: "same"
    verdict_reason: "1.0 MiB, MD5 and SHA3-512 agree"
    pkg_size: 1048576
    pkg_md5: "d35bb2e58b602d94ccd9628f249ae7e5"
    pkg_sha3_512: "39a72f53fd44a40856143d6a1d5ba01739303a859c843f050e2b151abd8a3ce9ac302dd0901dd9fe346610e3d07483c4606061d7f6bc5008d2fba55f04c90e98"
    "#);
    let progress =
        |done| Occurrence::Progress(Progress { activity: Activity::Hashing, done, total: 1024 * 1024 });
    assert_eq!(*bench.recorder.0.lock().unwrap(), [progress(0), progress(1024 * 1024)]);
}

#[tokio::test]
async fn another_size() {
    let mut bench = Bench::new(&[1; 2048]);
    bench.server_has(&[1; 3072]).await;
    assert_snapshot!(bench.plan().await.text(), @r#"
    different: size 2.0 KiB here, 3.0 KiB on the server
    verdict: "different"
    verdict_reason: "size 2.0 KiB here, 3.0 KiB on the server"
    pkg_size: 2048
    "#);
    assert!(!bench.was_read());
}

#[tokio::test]
async fn another_size_by_a_byte() {
    let mut bench = Bench::new(&[1; 20_000]);
    bench.server_has(&[1; 20_001]).await;
    assert_snapshot!(bench.plan().await.text(), @r#"
    different: size 20000 bytes here, 20001 bytes on the server
    verdict: "different"
    verdict_reason: "size 20000 bytes here, 20001 bytes on the server"
    pkg_size: 20000
    "#);
}

/// An upload that never arrived is listed so (`jamf-pro-api.md §11.3`).
#[tokio::test]
async fn size_0_on_the_server() {
    let mut bench = Bench::new(b"abc");
    let Fingerprint { md5, sha3_512, .. } = fingerprint(&bench.write("Server.pkg", b"abc")).await;
    bench.server_lists(0, Some(md5), Some(sha3_512));
    assert_snapshot!(bench.plan().await.text(), @r#"
    different: size 3 bytes here, 0 bytes on the server
    verdict: "different"
    verdict_reason: "size 3 bytes here, 0 bytes on the server"
    pkg_size: 3
    "#);
    assert!(!bench.was_read());
}

#[tokio::test]
async fn another_md5() {
    let mut bench = Bench::new(b"abc");
    bench.server_has(b"abd").await;
    assert_snapshot!(bench.plan().await.text(), @r#"
    different: MD5 differs
    verdict: "different"
    verdict_reason: "MD5 differs"
    pkg_size: 3
    pkg_md5: "900150983cd24fb0d6963f7d28e17f72"
    "#);
}

/// Two files that share an MD5 can be made on purpose; SHA3-512 tells them apart.
#[tokio::test]
async fn another_sha3_512_only() {
    let mut bench = Bench::new(b"abc");
    let Fingerprint { size, md5, .. } = fingerprint(&bench.write("Server.pkg", b"abc")).await;
    bench.server_lists(size, Some(md5), Some(Sha3_512::from_bytes([7; 64])));
    assert_snapshot!(bench.plan().await.text(), @r#"
    different: SHA3-512 differs, although MD5 agrees
    verdict: "different"
    verdict_reason: "SHA3-512 differs, although MD5 agrees"
    pkg_size: 3
    pkg_md5: "900150983cd24fb0d6963f7d28e17f72"
    pkg_sha3_512: "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0"
    "#);
}

#[tokio::test]
async fn an_entry_without_a_digest() {
    let mut messages = Vec::new();
    for (md5, sha3_512) in [(true, false), (false, true), (false, false)] {
        let mut bench = Bench::new(b"abc");
        let known = fingerprint(&bench.write("Server.pkg", b"abc")).await;
        bench.server_lists(known.size, md5.then_some(known.md5), sha3_512.then_some(known.sha3_512));
        messages.push(bench.plan().await.message);
        assert!(!bench.was_read());
    }
    assert_snapshot!(messages.join("\n"), @r"
    different: the server lists no SHA3-512 for its file
    different: the server lists no MD5 for its file
    different: the server lists no digests for its file
    ");
}

#[tokio::test]
async fn an_entry_without_a_size() {
    let mut bench = Bench::new(b"abc");
    bench.server_has(b"abc").await;
    bench.env.remove(keys::JCDS_FILE_SIZE.name());
    assert_snapshot!(bench.plan().await.message, @"different: the server's size is not known");
    assert!(!bench.was_read());
}

#[tokio::test]
async fn forced() {
    let mut bench = Bench::new(b"abc");
    bench.force();
    assert_snapshot!(bench.plan().await.message, @"absent: the server has no file of this name");
    bench.server_has(b"abc").await;
    assert_snapshot!(bench.plan().await.text(), @r#"
    different: forced
    verdict: "different"
    verdict_reason: "forced"
    pkg_size: 3
    "#);
    assert!(!bench.was_read());
}

/// A recipe can give the values itself, in AutoPkg's spellings.
#[tokio::test]
async fn alone_in_a_recipe() {
    let mut bench = Bench::new(b"abc");
    for (name, text) in [
        ("jcds_file_found", "True"),
        ("jcds_file_size", "3"),
        ("jcds_file_md5", "900150983CD24FB0D6963F7D28E17F72"),
        (
            "jcds_file_sha3_512",
            "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e\
             10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0",
        ),
        ("force", "false"),
    ] {
        CompareHash::default()
            .spec()
            .input(name)
            .unwrap()
            .check(&pipeline::Value::String(text.into()))
            .unwrap();
        bench.env.insert(name, pipeline::Value::String(text.into()), Origin::Argument(1), false);
    }
    assert_snapshot!(bench.plan().await.message, @"same: 3 bytes, MD5 and SHA3-512 agree");
}

#[tokio::test]
async fn nothing_leaves_the_machine() {
    let mut bench = Bench::new(b"abc");
    bench.server_has(b"abc").await;
    bench.plan().await;
    assert_eq!(bench.cx.boundary().traffic(), Traffic::default());
}

#[tokio::test]
async fn a_missing_file() {
    let bench = Bench::new(b"abc");
    std::fs::remove_file(bench.folder.path().join("Local.pkg")).unwrap();
    let (kind, text) = bench.failure().await;
    assert_eq!(kind, FailureKind::Local);
    assert_snapshot!(text, @"
    cannot read FOLDER/Local.pkg: No such file or directory (os error 2)
    hint: check pkg_path; what makes the package may not have run, or may have made it elsewhere
    ");
}

#[tokio::test]
async fn a_bundle_package() {
    let mut bench = Bench::new(b"abc");
    let folder = bench.folder.path().to_owned();
    bench.env.set(keys::PKG_PATH, folder, Origin::CommandLine);
    let (kind, text) = bench.failure().await;
    assert_eq!(kind, FailureKind::Local);
    assert_snapshot!(text, @r"
    FOLDER is a folder, not a file
    hint: a bundle package is a folder: zip it first, and name the zip file instead
    ");
}

#[tokio::test]
async fn without_a_path() {
    let mut bench = Bench::new(b"abc");
    bench.env.remove(keys::PKG_PATH.name());
    let (kind, text) = bench.failure().await;
    assert_eq!(kind, FailureKind::Recipe);
    assert_snapshot!(text, @r"
    pkg_path is not set
    hint: -
    ");
}

/// Nobody has looked, so nobody may say that the file is absent.
#[tokio::test]
async fn without_a_look_at_the_server() {
    let mut bench = Bench::new(b"abc");
    bench.env.remove(keys::JCDS_FILE_FOUND.name());
    let (kind, text) = bench.failure().await;
    assert_eq!(kind, FailureKind::Recipe);
    assert_snapshot!(text, @r"
    jcds_file_found is not set
    hint: -
    ");
    let needed = CompareHash::default().spec().input("jcds_file_found").unwrap().need;
    assert_eq!(needed, pipeline::Need::Required, "so that checking a recipe finds it");
}

#[tokio::test]
async fn interrupted() {
    let mut bench = Bench::new(b"abc");
    bench.server_has(b"abc").await;
    bench.cx.cancelled().cancel();
    assert_eq!(bench.failure().await.0, FailureKind::Interrupted);
}

/// The outputs that a plan gives are the ones that the spec declares, name by name.
#[tokio::test]
async fn outputs_are_declared() {
    let mut bench = Bench::new(b"abc");
    bench.server_has(b"abc").await;
    let seen = bench.plan().await;
    let given: Vec<_> = seen.env.iter().map(|(name, _)| name).collect();
    let declared: Vec<_> = CompareHash::default().spec().outputs.iter().map(|output| output.name).collect();
    assert_eq!(given, declared);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the server lists about its file: *same* is said only of the same bytes, and always of them when the
    /// entry is complete and nothing forces the upload.
    #[test]
    fn same_means_equal_bytes(
        server in prop::collection::vec(0_u8..3, 1..5),
        other in prop::collection::vec(0_u8..3, 1..5),
        equal: bool,
        has_md5 in prop::bool::weighted(0.8),
        has_sha3 in prop::bool::weighted(0.8),
        force in prop::bool::weighted(0.2),
    ) {
        let local = if equal { server.clone() } else { other };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let seen = runtime.block_on(async {
            let mut bench = Bench::new(&local);
            let known = fingerprint(&bench.write("Server.pkg", &server)).await;
            bench.server_lists(known.size, has_md5.then_some(known.md5), has_sha3.then_some(known.sha3_512));
            if force {
                bench.force();
            }
            bench.plan().await
        });
        let provable = local == server && has_md5 && has_sha3 && !force;
        prop_assert_eq!(seen.verdict(), if provable { Verdict::Same } else { Verdict::Different });
    }
}
