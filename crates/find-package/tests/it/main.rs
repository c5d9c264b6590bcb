//! `find-package` against the rehearsal server, over real HTTP.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends where it fails, helpers included")]

mod remembered;

use find_package::FindPackage;
use insta::assert_snapshot;
use jamf::Sessions;
use pipeline::{
    Access, Boundary, Context, Env, Event, FailureKind, Level, Listener, Occurrence, Origin, Outcome, Plan,
    Processor as _, SimulatedClock, Value, keys,
};
use sandbox::{Config, Sandbox};
use serde_json::json;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

const COMPOSED: &str = "M\u{fc}ller.pkg";
const DECOMPOSED: &str = "Mu\u{308}ller.pkg";

/// Keeps the notices that it hears, `info: …` or `warning: …`.
#[derive(Default)]
struct Notices(Mutex<Vec<String>>);

impl Listener for Notices {
    fn on(&self, event: &Event) {
        let Occurrence::Notice { level, message } = &event.what else { return };
        let level = match level {
            Level::Info => "info",
            Level::Warning => "warning",
        };
        self.0.lock().unwrap().push(format!("{level}: {message}"));
    }
}

/// A rehearsal server, and a run whose sessions remember what they have read.
struct Stage {
    sandbox: Sandbox,
    step: FindPackage,
    notices: Arc<Notices>,
    cx: Context,
    env: Env,
    _folder: TempDir,
}

impl Stage {
    async fn open() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(adjust: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(SimulatedClock::at("2026-11-20T12:00:00Z".parse().unwrap()));
        let mut config = Config::new(folder.path().to_owned(), clock.clone());
        adjust(&mut config);
        let sandbox = Sandbox::start(contract::watched(config)).await.unwrap();
        let notices = Arc::new(Notices::default());
        let boundary = Arc::new(Boundary::new(Access::ReadOnly));
        let cx = Context::new(clock, boundary, notices.clone(), Default::default());
        let step = FindPackage::new(Arc::new(Sessions::new(jamf::Config::default()).unwrap()));
        Self { env: sandbox.env(), sandbox, step, notices, cx, _folder: folder }
    }

    /// The next run, which remembers nothing.
    fn again(self) -> Self {
        let step = FindPackage::new(Arc::new(Sessions::new(jamf::Config::default()).unwrap()));
        Self { step, ..self }
    }

    fn set(&mut self, name: &str, value: &str) {
        self.env.insert(name, Value::String(value.into()), Origin::CommandLine, false);
    }

    fn put_record(&self, file_name: &str, display_name: &str) {
        self.sandbox.put_package(json!({ "fileName": file_name, "packageName": display_name }));
    }

    /// Message and outputs of the plan for this file, and the notices on the way.
    async fn find(&mut self, file_name: &str) -> String {
        self.set("pkg_name", file_name);
        self.plan().await
    }

    async fn plan(&self) -> String {
        self.notices.0.lock().unwrap().clear();
        let (message, outputs) = match self.step.plan(&self.env, &self.cx).await.unwrap() {
            Plan::Settled { outcome: Outcome::Done { message }, outputs } => (message, outputs.from_step(1)),
            other => panic!("it only looks: {other:?}"),
        };
        let outputs = outputs.iter().map(|(name, entry)| format!("\n{name}: {}", escaped(entry.value())));
        let notices =
            self.notices.0.lock().unwrap().iter().map(|notice| format!("\n{notice}")).collect::<String>();
        message + &outputs.collect::<String>() + &notices
    }

    async fn refusal(&mut self, file_name: &str) -> (FailureKind, String) {
        self.set("pkg_name", file_name);
        let failure = self.step.plan(&self.env, &self.cx).await.unwrap_err();
        let hint = failure.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
        (failure.kind(), format!("{failure}{hint}"))
    }

    /// Requests since the start other than for signing in, without their queries.
    fn requests(&self) -> Vec<String> {
        let requests = self.sandbox.journal().into_iter();
        requests
            .map(|request| format!("{} {}", request.method, request.path.split('?').next().unwrap()))
            .filter(|line| !line.contains("/oauth/") && !line.contains("/auth/"))
            .collect()
    }
}

/// Composed and decomposed characters do not look alike here.
fn escaped(value: &Value) -> String {
    match value {
        Value::String(text) => text.escape_default().to_string(),
        other => other.to_string(),
    }
}

#[tokio::test]
async fn record_and_file() {
    let mut stage = Stage::open().await;
    stage.put_record("Other.pkg", "Other");
    stage.put_record("Firefox.pkg", "Firefox for everybody");
    stage.sandbox.put_file("Other.pkg", b"other bytes");
    stage.sandbox.put_file("Firefox.pkg", &[1; 1024 * 1024]);
    assert_snapshot!(stage.find("Firefox.pkg").await, @r"
    record 2, file of 1.0 MiB
    pkg_name: Firefox.pkg
    package_found: true
    package_id: 2
    jcds_file_found: true
    jcds_file_size: 1048576
    jcds_file_md5: d35bb2e58b602d94ccd9628f249ae7e5
    jcds_file_sha3_512: 39a72f53fd44a40856143d6a1d5ba01739303a859c843f050e2b151abd8a3ce9ac302dd0901dd9fe346610e3d07483c4606061d7f6bc5008d2fba55f04c90e98
    ");
}

#[tokio::test]
async fn neither() {
    let mut stage = Stage::open().await;
    assert_snapshot!(stage.find("Firefox.pkg").await, @r"
    no record, no file
    pkg_name: Firefox.pkg
    package_found: false
    jcds_file_found: false
    ");
}

#[tokio::test]
async fn a_file_without_a_record() {
    let mut stage = Stage::open().await;
    stage.sandbox.put_file("Firefox.pkg", b"abc");
    assert_snapshot!(stage.find("Firefox.pkg").await, @r"
    no record, file of 3 bytes
    pkg_name: Firefox.pkg
    package_found: false
    jcds_file_found: true
    jcds_file_size: 3
    jcds_file_md5: 900150983cd24fb0d6963f7d28e17f72
    jcds_file_sha3_512: b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0
    ");
}

#[tokio::test]
async fn a_record_without_a_file() {
    let mut stage = Stage::open().await;
    stage.put_record("Firefox.pkg", "Firefox");
    assert_snapshot!(stage.find("Firefox.pkg").await, @r"
    record 1, no file
    pkg_name: Firefox.pkg
    package_found: true
    package_id: 1
    jcds_file_found: false
    ");
}

#[tokio::test]
async fn the_last_part_of_the_path_will_do() {
    let mut stage = Stage::open().await;
    stage.put_record("Firefox 1.0 (Mac) #1 & 50%+.pkg", "Firefox");
    stage.set("pkg_path", "/packages/Firefox 1.0 (Mac) #1 & 50%+.pkg");
    assert_snapshot!(stage.plan().await, @r"
    record 1, no file
    pkg_name: Firefox 1.0 (Mac) #1 & 50%+.pkg
    package_found: true
    package_id: 1
    jcds_file_found: false
    ");
}

#[tokio::test]
async fn without_a_name_nothing_is_asked() {
    let stage = Stage::open().await;
    let failure = stage.step.plan(&stage.env, &stage.cx).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Recipe);
    assert_snapshot!(failure, @"pkg_name is not set");
    assert_eq!(stage.sandbox.journal(), []);
}

#[tokio::test]
async fn several_records_for_one_file() {
    let mut stage = Stage::open().await;
    stage.put_record("Firefox.pkg", "Firefox");
    stage.put_record("Other.pkg", "Other");
    stage.put_record("Firefox.pkg", "Firefox, 2nd \"copy\"");
    let (kind, said) = stage.refusal("Firefox.pkg").await;
    assert_eq!(kind, FailureKind::Remote);
    assert_snapshot!(said, @r#"
    2 package records name the file Firefox.pkg: 1 ("Firefox"), 3 ("Firefox, 2nd \"copy\"")
    hint: delete all but one of these records in Jamf Pro, or let the others name another file; mind the policies that use them
    "#);
    stage.set("package_api", "classic");
    assert_eq!(stage.refusal("Firefox.pkg").await.1, said, "both APIs tell the same");
}

/// The name came decomposed from a disk, and the server has it composed (`user-pains.md` row 25).
#[tokio::test]
async fn the_servers_spelling_is_used() {
    let mut stage = Stage::open().await;
    stage.put_record(COMPOSED, "M\u{fc}ller");
    stage.sandbox.put_file(COMPOSED, b"abc");
    assert_snapshot!(stage.find(DECOMPOSED).await, @r"
    record 1, file of 3 bytes
    pkg_name: M\u{fc}ller.pkg
    package_found: true
    package_id: 1
    jcds_file_found: true
    jcds_file_size: 3
    jcds_file_md5: 900150983cd24fb0d6963f7d28e17f72
    jcds_file_sha3_512: b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0
    info: the server encodes the file name as M\u{fc}ller.pkg, not as Mu\u{308}ller.pkg; its spelling is used
    ");
}

#[tokio::test]
async fn a_record_alone_settles_the_spelling_too() {
    let mut stage = Stage::open().await;
    stage.put_record(DECOMPOSED, "M\u{fc}ller");
    assert_snapshot!(stage.find(COMPOSED).await, @r"
    record 1, no file
    pkg_name: Mu\u{308}ller.pkg
    package_found: true
    package_id: 1
    jcds_file_found: false
    info: the server encodes the file name as Mu\u{308}ller.pkg, not as M\u{fc}ller.pkg; its spelling is used
    ");
}

#[tokio::test]
async fn record_and_file_that_spell_differently() {
    let mut stage = Stage::open().await;
    stage.put_record(COMPOSED, "M\u{fc}ller");
    stage.sandbox.put_file(DECOMPOSED, b"abc");
    assert_snapshot!(stage.find(COMPOSED).await, @r"
    record 1, file of 3 bytes
    pkg_name: Mu\u{308}ller.pkg
    package_found: true
    package_id: 1
    jcds_file_found: true
    jcds_file_size: 3
    jcds_file_md5: 900150983cd24fb0d6963f7d28e17f72
    jcds_file_sha3_512: b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0
    info: the server encodes the file name as Mu\u{308}ller.pkg, not as M\u{fc}ller.pkg; its spelling is used
    warning: record 1 encodes its file name as M\u{fc}ller.pkg, but the distribution service lists Mu\u{308}ller.pkg
    ");
}

#[tokio::test]
async fn two_files_that_only_their_encoding_tells_apart() {
    let mut stage = Stage::open().await;
    stage.sandbox.put_file(COMPOSED, b"abc");
    stage.sandbox.put_file(DECOMPOSED, b"xyz");
    let (kind, said) = stage.refusal(COMPOSED).await;
    assert_eq!(kind, FailureKind::Remote);
    assert_snapshot!(said, @r"
    the distribution service lists 2 files whose names differ only in how their characters are encoded: M\u{fc}ller.pkg, Mu\u{308}ller.pkg
    hint: find out which of these files the package record serves, and delete the others
    ");
}

#[tokio::test]
async fn twins_are_reported() {
    let mut stage = Stage::open().await;
    for name in ["Firefox.pkg", "Firefox_1.pkg", "Firefox_2.pkg", "Firefox_beta.pkg"] {
        stage.sandbox.put_file(name, b"abc");
    }
    stage.put_record("Firefox.pkg", "Firefox");
    assert_snapshot!(stage.find("Firefox.pkg").await, @"
    record 1, file of 3 bytes
    pkg_name: Firefox.pkg
    package_found: true
    package_id: 1
    jcds_file_found: true
    jcds_file_size: 3
    jcds_file_md5: 900150983cd24fb0d6963f7d28e17f72
    jcds_file_sha3_512: b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0
    warning: the distribution service lists the same bytes as Firefox.pkg and as Firefox_1.pkg, which is what it calls a second upload: check which of the two package records name
    warning: the distribution service lists the same bytes as Firefox.pkg and as Firefox_2.pkg, which is what it calls a second upload: check which of the two package records name
    ");
}

/// `Office_16.pkg` beside `Office.pkg` is a package of its own, which its record shows; the request that shows it is
/// spared where the bytes tell already.
#[tokio::test]
async fn a_package_of_its_own_is_no_twin() {
    let mut stage = Stage::open().await;
    stage.set("package_api", "pro");
    for (name, bytes) in [("Office.pkg", "abc"), ("Office_16.pkg", "xyz"), ("Office_17.pkg", "nobody's")] {
        stage.sandbox.put_file(name, bytes.as_bytes());
    }
    stage.put_record("Office.pkg", "Office");
    stage.put_record("Office_16.pkg", "Office 16");
    let found = stage.find("Office.pkg").await;
    let warnings: Vec<_> = found.lines().filter(|line| line.starts_with("warning")).collect();
    assert_snapshot!(warnings.join("\n"), @"warning: the distribution service also lists Office_17.pkg, which is what it calls a second upload of Office.pkg, and no package record names it: check whether it is the file that Office.pkg should be, or a package of its own");
    assert_eq!(stage.requests().len(), 4, "{:?}", stage.requests());

    stage.sandbox.put_file("Map.pkg", b"map");
    stage.sandbox.put_file("Map_1.pkg", b"map");
    stage.put_record("Map.pkg", "Map");
    stage.put_record("Map_1.pkg", "Map 1");
    let mut stage =
        Stage { step: FindPackage::new(Arc::new(Sessions::new(jamf::Config::default()).unwrap())), ..stage };
    let before = stage.requests().len();
    let found = stage.find("Map.pkg").await;
    assert_snapshot!(found.lines().last().unwrap(), @"warning: the distribution service lists the same bytes as Map.pkg and as Map_1.pkg, which is what it calls a second upload: check which of the two package records name");
    assert_eq!(stage.requests().len() - before, 2);
}

/// It may be in use for another file; `package-metadata` refuses to take its name.
#[tokio::test]
async fn a_record_with_the_display_name_is_not_adopted() {
    let mut stage = Stage::open().await;
    stage.put_record("Firefox-127.pkg", "Firefox");
    stage.put_record("Old.pkg", "Firefox-128.pkg");
    assert_snapshot!(stage.find("Firefox-128.pkg").await, @r#"
    no record, no file
    pkg_name: Firefox-128.pkg
    package_found: false
    jcds_file_found: false
    warning: record 2 has the display name "Firefox-128.pkg" but names the file "Old.pkg"; it is left alone
    "#);
    stage.set("pkg_display_name", "Firefox");
    assert_snapshot!(stage.plan().await, @r#"
    no record, no file
    pkg_name: Firefox-128.pkg
    package_found: false
    jcds_file_found: false
    warning: record 1 has the display name "Firefox" but names the file "Firefox-127.pkg"; it is left alone
    "#);
}

/// Old servers have no records in the Pro API; the Classic API serves them.
#[tokio::test]
async fn through_the_classic_api() {
    let mut stage = Stage::open().await;
    stage.put_record("Firefox.pkg", "Firefox");
    stage.put_record("Firefox-127.pkg", "Firefox 127");
    stage.sandbox.put_file("Firefox.pkg", b"abc");
    stage.set("package_api", "classic");
    assert_snapshot!(stage.find("Firefox.pkg").await, @r"
    record 1, file of 3 bytes
    pkg_name: Firefox.pkg
    package_found: true
    package_id: 1
    jcds_file_found: true
    jcds_file_size: 3
    jcds_file_md5: 900150983cd24fb0d6963f7d28e17f72
    jcds_file_sha3_512: b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0
    info: reading 2 package records: the Classic API cannot search by file name
    ");
    assert!(stage.requests().iter().any(|line| line.contains("/JSSResource/packages")));
}

/// Where the file goes onto the record, the record tells, and nobody asks for the list.
#[tokio::test]
async fn the_record_as_witness() {
    let mut stage = Stage::open().await;
    stage.set("witness", "record");
    assert_snapshot!(stage.find("Firefox.pkg").await, @"
    no record, no file
    pkg_name: Firefox.pkg
    package_found: false
    jcds_file_found: false
    ");
    stage.put_record("Firefox.pkg", "Firefox");
    let mut fresh = stage.again();
    assert_snapshot!(fresh.find("Firefox.pkg").await, @"
    record 1, no file
    pkg_name: Firefox.pkg
    package_found: true
    package_id: 1
    jcds_file_found: false
    ");
    fresh.sandbox.put_file("Firefox.pkg", b"abc");
    let mut fresh = fresh.again();
    assert_snapshot!(fresh.find("Firefox.pkg").await, @"
    record 1, file of 3 bytes
    pkg_name: Firefox.pkg
    package_found: true
    package_id: 1
    jcds_file_found: true
    jcds_file_size: 3
    jcds_file_md5: 900150983cd24fb0d6963f7d28e17f72
    jcds_file_sha3_512: b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0
    ");
    assert!(fresh.requests().iter().all(|line| !line.contains("jcds")), "{:?}", fresh.requests());
}

/// A change of the record blanks its size until the next refresh; what it then says of its file is no proof.
#[tokio::test]
async fn a_record_without_its_size() {
    let mut stage = Stage::open().await;
    stage.set("witness", "record");
    stage.sandbox.put_package(json!({
        "fileName": "Firefox.pkg", "packageName": "Firefox", "size": "", "cloudTransferStatus": "READY",
        "md5": "900150983cd24fb0d6963f7d28e17f72",
    }));
    assert_snapshot!(stage.find("Firefox.pkg").await, @"
    record 1, file of a size that the record does not tell
    pkg_name: Firefox.pkg
    package_found: true
    package_id: 1
    jcds_file_found: true
    jcds_file_md5: 900150983cd24fb0d6963f7d28e17f72
    warning: record 1 tells digests and no size, as after a change of the record: what it says of its file cannot be relied on. `pkgferry run com.github.pkgferry.recipes.verify-package -k pkg_path=…` lets the server look again, so that the file need not be sent
    ");
}

fn without_list(config: &mut Config) {
    config.jcds_gone = Some(sandbox::JcdsGone::Gone);
    config.serves_schema = false;
}

#[tokio::test]
async fn a_list_that_is_refused_leads_to_the_other_route() {
    let mut stage = Stage::with(without_list).await;
    stage.set("pkg_name", "Firefox.pkg");
    let instead = async |stage: &Stage| {
        let failure = stage.step.plan(&stage.env, &stage.cx).await.unwrap_err();
        assert_eq!(failure.kind(), FailureKind::Remote);
        failure.instead().map(|instead| format!("{}={}", instead.name, instead.value))
    };
    assert_eq!(instead(&stage).await, None, "nobody has named another route");
    stage.set("chosen_route", "jcds");
    stage.set("fallback_route", "packages-api");
    assert_eq!(instead(&stage).await.as_deref(), Some("route=\"packages-api\""));
}

#[tokio::test]
async fn on_the_route_that_does_without_the_list_the_record_tells_instead() {
    let mut stage = Stage::with(without_list).await;
    stage.set("chosen_route", "packages-api");
    stage.set("witness", "list");
    stage.put_record("Firefox.pkg", "Firefox");
    stage.sandbox.put_file("Firefox.pkg", b"abc");
    let told = stage.find("Firefox.pkg").await;
    assert!(told.starts_with("record 1, file of 3 bytes\n"), "{told}");
    assert!(told.contains("\nwitness: record\n"), "{told}");
    assert!(told.contains("\ninfo: the package record tells what the server holds, since"), "{told}");
}

/// A record that is found costs two reads, and no more for the next recipe that looks for it.
#[tokio::test]
async fn requests_are_few() {
    let mut stage = Stage::open().await;
    stage.set("package_api", "pro");
    stage.put_record("Firefox.pkg", "Firefox");
    stage.find("Firefox.pkg").await;
    assert_eq!(stage.requests(), ["GET /api/v1/packages", "GET /api/v1/jcds/files"]);
    stage.find("Firefox.pkg").await;
    assert_eq!(stage.requests().len(), 2);
    // Another one: the list of files is known, the record is not, and nobody has the display name.
    stage.find("Other.pkg").await;
    assert_eq!(stage.requests()[2..], ["GET /api/v1/packages", "GET /api/v1/packages"]);
    assert_eq!(stage.cx.boundary().traffic().writes, 0);
}

#[tokio::test]
async fn a_refused_sign_in_is_a_matter_of_access() {
    let mut stage = Stage::open().await;
    stage.set("CLIENT_SECRET", "wrong");
    assert_eq!(stage.refusal("Firefox.pkg").await.0, FailureKind::Access);
}

/// What a plan gives is what the spec declares, name by name.
#[tokio::test]
async fn outputs_are_declared() {
    let mut stage = Stage::open().await;
    stage.put_record("Firefox.pkg", "Firefox");
    stage.sandbox.put_file("Firefox.pkg", b"abc");
    stage.set("pkg_name", "Firefox.pkg");
    let plan = stage.step.plan(&stage.env, &stage.cx).await.unwrap();
    let outputs = plan.outputs().from_step(1);
    let given: Vec<_> = outputs.iter().map(|(name, _)| name).collect();
    let declared = stage.step.spec().outputs.iter().map(|output| output.name);
    // These are told only where there is something to tell.
    let rare = [keys::WITNESS.name(), keys::JCDS_FILE_LEAVING.name()];
    let declared: Vec<_> = declared.filter(|name| !rare.contains(name)).collect();
    assert_eq!(given, declared);
    let secret = stage.step.spec().input(keys::CLIENT_SECRET.name()).unwrap();
    assert_eq!(secret.kind, pipeline::Kind::Secret);
}
