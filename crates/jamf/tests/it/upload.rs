//! A file through Jamf Pro, onto its record (`jamf-pro-api.md §5.4`).

use crate::stub::{CLIENT, Reply, Rig, Seen, Stub, USER, shown, signed_in};
use jamf::{Config, Error, PackageFile, Retry, Timeouts};
use pipeline::{Access, FileName, PackageId, SimulatedClock, Traffic};
use sandbox::Sandbox;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;

const NAME: &str = "App.pkg";
const PATIENCE: Duration = Duration::from_secs(60);
const MIB: usize = 1 << 20;

/// A file on disk, which goes with this.
struct Local {
    folder: TempDir,
    size: u64,
}

impl Local {
    fn new(bytes: &[u8]) -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join(NAME), bytes).unwrap();
        Self { folder, size: bytes.len() as u64 }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join(NAME)
    }
}

fn file<'a>(path: &'a Path, size: u64) -> PackageFile<'a> {
    PackageFile { path, name: NAME, size, patience: PATIENCE }
}

fn id() -> PackageId {
    PackageId::try_from(42).unwrap()
}

async fn upload(rig: &Rig, local: &Local) -> Result<(), Error> {
    rig.session.upload_package(&rig.cx, id(), &file(&local.path(), local.size), |_| {}).await
}

fn once(url: &str) -> Rig {
    let config = Config { retry: Retry { tries: 1, ..Config::default().retry }, ..Config::default() };
    Rig::with(url, CLIENT, Access::ReadWrite, config)
}

fn taken() -> Reply {
    Reply::new(201, r#"{ "id" : "42", "href" : "https://elsewhere/api/v1/packages/42/upload/42" }"#)
}

/// The body without what is another one each time.
fn form(seen: &Seen) -> String {
    let boundary =
        seen.header("content-type").unwrap().strip_prefix("multipart/form-data; boundary=").unwrap();
    assert!(boundary.len() > 30, "{boundary}");
    seen.body.replace(boundary, "BOUNDARY").replace("\r\n", "\n")
}

#[tokio::test]
async fn a_form_of_known_length_with_one_part_leaves() {
    let stub = Stub::start(signed_in(|_| taken())).await;
    let rig = Rig::new(&stub.url);
    let local = Local::new(b"bytes\r\nof it");
    let told = Arc::new(Mutex::new(Vec::new()));
    let ear = Arc::clone(&told);
    let name = "Ünï & \"Co\" (1+2) 100%.pkg";
    let path = local.path();
    let package = PackageFile { name, ..file(&path, local.size) };
    let progress = move |done| ear.lock().unwrap().push(done);
    rig.session.upload_package(&rig.cx, id(), &package, progress).await.unwrap();

    let seen = stub.calls().remove(0);
    assert_eq!(seen.line(), "POST /api/v1/packages/42/upload");
    assert_eq!(seen.header("content-length"), Some(&*seen.body.len().to_string()));
    assert_eq!(seen.header("transfer-encoding"), None);
    assert_eq!(seen.header("authorization"), Some("Bearer token-1"));
    assert!(seen.header("user-agent").unwrap().starts_with("pkgferry/"));
    insta::assert_snapshot!(form(&seen), @r#"
    --BOUNDARY
    Content-Disposition: form-data; name="file"; filename="Ünï & \"Co\" (1+2) 100%.pkg"
    Content-Type: application/octet-stream

    bytes
    of it
    --BOUNDARY--
    "#);
    assert_eq!(*told.lock().unwrap(), [0, 12]);
    assert_eq!(rig.cx.boundary().traffic(), Traffic { sign_ins: 1, reads: 0, writes: 1, refused: 0 });
}

#[tokio::test]
async fn each_try_begins_at_the_start_of_the_file() {
    let mut answers =
        vec![Reply::new(500, ""), Reply::Cut, Reply::new(504, "<html><title>504</title></html>"), taken()]
            .into_iter();
    let stub = Stub::start(signed_in(move |_| answers.next().unwrap())).await;
    let rig = Rig::new(&stub.url);
    let local = Local::new(&b"0123456789abcdef".repeat(20_000));
    let told = Arc::new(Mutex::new(Vec::new()));
    let ear = Arc::clone(&told);
    let path = local.path();
    let progress = move |done| ear.lock().unwrap().push(done);
    rig.session.upload_package(&rig.cx, id(), &file(&path, local.size), progress).await.unwrap();

    let calls = stub.calls();
    assert_eq!(calls.len(), 4);
    assert!(calls.iter().all(|seen| form(seen) == form(&calls[0])));
    assert!(calls[0].body.len() > 320_000);
    let told = told.lock().unwrap();
    assert_eq!(told.iter().filter(|done| **done == 0).count(), 4);
    for window in told.windows(2) {
        assert!(window[1] == 0 || window[1] > window[0], "{told:?}");
    }
    assert_eq!(*told.last().unwrap(), local.size);
    insta::assert_snapshot!(rig.notices()[0].split(" in ").next().unwrap(), @"POST /api/v1/packages/42/upload was answered with 500 Internal Server Error; trying again");
}

/// The client's first token has 59 seconds; nobody knows when the server looks at it.
#[tokio::test]
async fn an_upload_begins_with_a_fresh_token() {
    let mut given = 0;
    let stub = Stub::start(move |seen| match seen.line().as_str() {
        "POST /api/v1/oauth/token" => {
            given += 1;
            Reply::new(200, format!(r#"{{ "access_token" : "token-{given}", "expires_in" : 59 }}"#))
        }
        "GET /api/v1/jcds/files" => Reply::new(200, "[]"),
        _ => taken(),
    })
    .await;
    let rig = Rig::new(&stub.url);
    let local = Local::new(b"bytes");
    rig.session.jcds_files(&rig.cx).await.unwrap();
    rig.clock.advance(Duration::from_secs(5));
    upload(&rig, &local).await.unwrap();
    rig.clock.advance(Duration::from_secs(1));
    upload(&rig, &local).await.unwrap();
    let bearers: Vec<_> =
        stub.calls().iter().map(|seen| seen.header("authorization").unwrap().to_owned()).collect();
    assert_eq!(bearers, ["Bearer token-1", "Bearer token-1", "Bearer token-2"]);
}

#[tokio::test]
async fn a_user_s_token_is_kept_alive_for_an_upload() {
    let stub = Stub::start(|seen| match seen.line().as_str() {
        "POST /api/v1/auth/token" => Reply::new(200, r#"{"token":"t1","expires":"2026-11-20T12:30:00Z"}"#),
        "POST /api/v1/auth/keep-alive" => {
            Reply::new(200, r#"{"token":"t2","expires":"2026-11-20T12:45:00Z"}"#)
        }
        "GET /api/v1/jcds/files" => Reply::new(200, "[]"),
        _ => taken(),
    })
    .await;
    let rig = Rig::with(&stub.url, USER, Access::ReadWrite, Config::default());
    rig.session.jcds_files(&rig.cx).await.unwrap();
    rig.clock.advance(Duration::from_secs(15 * 60));
    upload(&rig, &Local::new(b"bytes")).await.unwrap();
    assert_eq!(stub.calls()[1].header("authorization"), Some("Bearer t2"));
}

#[tokio::test]
async fn a_401_gets_a_new_token_once() {
    let stub = Stub::start(signed_in(|seen| match seen.header("authorization") {
        Some("Bearer token-1") => Reply::new(401, r#"{"httpStatus":401,"errors":[]}"#),
        _ => taken(),
    }))
    .await;
    upload(&Rig::new(&stub.url), &Local::new(b"bytes")).await.unwrap();
    assert_eq!(stub.calls().len(), 2);

    let stub = Stub::start(signed_in(|_| Reply::new(401, ""))).await;
    let error = upload(&Rig::new(&stub.url), &Local::new(b"bytes")).await.unwrap_err();
    assert!(!error.is_refusal());
    assert_eq!(stub.calls().len(), 2);
    insta::assert_snapshot!(shown(error, &stub.url), @r"
    Access: POST /api/v1/packages/42/upload was answered with 401 Unauthorized
    the server refuses a token that was new when the upload began: if the upload takes longer than the token lives, give the API client a longer access token lifetime in Settings > API roles and clients (Jamf's default is 60 seconds)
    ");
}

#[tokio::test]
async fn refusals_say_what_to_do_and_are_known_as_such() {
    let mut all = String::new();
    for reply in [
        Reply::new(413, "<html><head><title>413 Request Entity Too Large</title></head></html>"),
        Reply::fault(400, "INVALID_FILE_NAME", "The filename does not correspond", Some("file")),
        Reply::fault(404, "INVALID_ID", "Package with that id does not exist", Some("id")),
        Reply::fault(403, "INVALID_PRIVILEGE", "Forbidden", None),
        Reply::new(403, "<!DOCTYPE html><html><head><title>Access denied</title></head></html>"),
    ] {
        let mut reply = Some(reply);
        let stub = Stub::start(signed_in(move |_| reply.take().unwrap())).await;
        let error = upload(&Rig::new(&stub.url), &Local::new(b"bytes")).await.unwrap_err();
        assert!(error.is_refusal(), "{error}");
        assert_eq!(stub.calls().len(), 1);
        all.push_str(&format!("{}\n\n", shown(error, &stub.url)));
    }
    insta::assert_snapshot!(all, @r"
    Remote: POST /api/v1/packages/42/upload was answered with 413 Payload Too Large: 413 Request Entity Too Large
    a proxy in front of the server limits the size of requests; with route: jcds the file does not pass it

    Remote: POST /api/v1/packages/42/upload was answered with 400 Bad Request: file: The filename does not correspond (INVALID_FILE_NAME)
    the record names another file, or the server reads the name otherwise: look at the record in Jamf Pro, and keep to names of plain letters

    Remote: POST /api/v1/packages/42/upload was answered with 404 Not Found: id: Package with that id does not exist (INVALID_ID)
    the package record is gone, or this server is older than Jamf Pro 11.5: then set package_api to classic

    Access: POST /api/v1/packages/42/upload was answered with 403 Forbidden: Forbidden (INVALID_PRIVILEGE); it takes the privilege “Update Packages”
    give the API role the privilege “Update Packages” in Settings > API roles and clients (a user account: Settings > User accounts and groups)

    Access: POST /api/v1/packages/42/upload was answered with 403 Forbidden: Access denied
    something in front of the server, such as a firewall, refused this and not Jamf Pro: with route: jcds the file does not pass it
    ");
    let stub = Stub::start(signed_in(|_| Reply::new(500, ""))).await;
    let error = upload(&once(&stub.url), &Local::new(b"bytes")).await.unwrap_err();
    assert!(!error.is_refusal());
}

/// Proxies refuse a large body by its length. The client has to hear that although it is still sending.
#[tokio::test]
async fn a_refusal_before_the_end_is_heard() {
    let stub = Stub::hasty(signed_in(|_| {
        Reply::After(
            Duration::from_millis(50),
            Box::new(Reply::new(413, "<html><title>Too large</title></html>")),
        )
    }))
    .await;
    let local = Local::new(&vec![b'x'; 64 * MIB]);
    let error = upload(&Rig::new(&stub.url), &local).await.unwrap_err();
    assert_eq!(error.status(), Some(413), "{error:?}");

    let stub = Stub::hasty(signed_in(|_| taken())).await;
    let error = upload(&once(&stub.url), &local).await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.ends_with("it came before the file was sent") || matches!(error, Error::Connection { .. }),
        "{text}"
    );
}

#[tokio::test]
async fn a_file_that_is_not_the_one_that_was_looked_at_is_not_sent() {
    let stub = Stub::start(signed_in(|_| taken())).await;
    let rig = Rig::new(&stub.url);
    let local = Local::new(b"bytes");
    let path = local.path();
    for size in [4, 6] {
        let error = rig.session.upload_package(&rig.cx, id(), &file(&path, size), |_| {}).await.unwrap_err();
        let expected = format!("it was to have {size} bytes, and has 5");
        assert!(error.to_string().ends_with(&expected), "{error}");
    }
    let missing = path.with_file_name("None.pkg");
    let error = rig.session.upload_package(&rig.cx, id(), &file(&missing, 5), |_| {}).await.unwrap_err();
    assert!(matches!(error, Error::Unreadable { .. }), "{error:?}");
    assert_eq!(stub.calls().len(), 0);
    assert_eq!(rig.cx.boundary().traffic().writes, 0);

    // It can be opened, but not read.
    let folder = local.folder.path();
    let size = folder.metadata().unwrap().len();
    let error = rig.session.upload_package(&rig.cx, id(), &file(folder, size), |_| {}).await.unwrap_err();
    assert!(matches!(error, Error::Unreadable { .. }), "{error:?}");
    assert_eq!(rig.cx.boundary().traffic().writes, 1, "not tried again");
}

/// What the server has got by then it must not take for a file.
#[tokio::test]
async fn a_file_that_changes_meanwhile_lands_nowhere() {
    for grows in [true, false] {
        let stage = Stage::new().await;
        let rig = stage.rig();
        let local = Local::new(&vec![b'x'; 8 * MIB]);
        let record = stage.record(NAME);
        let path = local.path();
        let changing = path.clone();
        let change = move |done| {
            if done == 64 * 1024 {
                let file = std::fs::OpenOptions::new().append(true).open(&changing).unwrap();
                if grows { (&file).write_all(b"more").unwrap() } else { file.set_len(4 << 20).unwrap() }
            }
        };
        let package = file(&path, local.size);
        let error = rig.session.upload_package(&rig.cx, record, &package, change).await.unwrap_err();
        let found = if grows { "goes on behind them" } else { "ended after 4194304" };
        assert_eq!(
            error.to_string(),
            format!("{} changed: it was to have 8388608 bytes, and {found}", path.display())
        );
        assert_eq!(pipeline::Diagnose::kind(&error), pipeline::FailureKind::Local);
        assert_eq!(stage.sandbox.files(), []);
        assert_eq!(rig.cx.boundary().traffic().writes, 1, "not tried again");
    }
}

#[tokio::test]
async fn a_server_that_stops_reading_is_given_up() {
    let stub = Stub::hasty(signed_in(|_| Reply::Silence)).await;
    let rig = once(&stub.url);
    let local = Local::new(&vec![b'x'; 64 * MIB]);
    let path = local.path();
    let package = PackageFile { patience: Duration::from_millis(200), ..file(&path, local.size) };
    let error = rig.session.upload_package(&rig.cx, id(), &package, |_| {}).await.unwrap_err();
    insta::assert_snapshot!(shown(error, &stub.url), @r"
    Remote: POST /api/v1/packages/42/upload: the file stood still for 0.2 s
    the server is slow or the network drops packets: try again later
    ");
}

#[tokio::test]
async fn the_answer_is_waited_for_longer_the_larger_the_file() {
    let limit = Duration::from_millis(100);
    let config = || Config {
        timeouts: Timeouts { connect: limit, header: limit, idle: limit },
        retry: Retry { tries: 1, ..Config::default().retry },
        ..Config::default()
    };
    let stub = Stub::start(signed_in(|_| Reply::Silence)).await;
    let rig = Rig::with(&stub.url, CLIENT, Access::ReadWrite, config());
    let local = Local::new(b"bytes");
    let path = local.path();
    let package = PackageFile { patience: limit, ..file(&path, local.size) };
    let error = rig.session.upload_package(&rig.cx, id(), &package, |_| {}).await.unwrap_err();
    insta::assert_snapshot!(error, @"POST /api/v1/packages/42/upload: no answer for 0.1 s");

    let late = || Reply::After(Duration::from_millis(600), Box::new(taken()));
    let stub = Stub::start(signed_in(move |_| late())).await;
    let rig = Rig::with(&stub.url, CLIENT, Access::ReadWrite, config());
    let local = Local::new(&vec![b'x'; 5 * MIB]);
    let path = local.path();
    let package = PackageFile { patience: limit, ..file(&path, local.size) };
    rig.session.upload_package(&rig.cx, id(), &package, |_| {}).await.unwrap();
}

#[tokio::test]
async fn ctrl_c_ends_an_upload_and_a_dry_run_begins_none() {
    let stub = Stub::hasty(signed_in(|_| Reply::Silence)).await;
    let rig = Rig::new(&stub.url);
    let local = Local::new(&vec![b'x'; 16 * MIB]);
    let path = local.path();
    let cancel = rig.cancel.clone();
    let progress = move |done| {
        if done > 0 {
            cancel.cancel();
        }
    };
    let outcome = rig.session.upload_package(&rig.cx, id(), &file(&path, local.size), progress).await;
    assert!(matches!(outcome, Err(Error::Interrupted)), "{outcome:?}");

    let stub = Stub::start(signed_in(|_| taken())).await;
    let rig = Rig::read_only(&stub.url);
    let error = upload(&rig, &local).await.unwrap_err();
    assert!(matches!(error, Error::Refused(_)), "{error:?}");
    assert_eq!(stub.calls().len(), 0);
}

/// The node that answers may not know yet what another one made (`jamf-pro-api.md §13.1`).
#[tokio::test]
async fn a_record_that_was_just_made_may_take_a_moment() {
    let mut reads = 0;
    let stub = Stub::start(signed_in(move |seen| match seen.line().as_str() {
        "POST /api/v1/packages" => Reply::new(201, r#"{ "id" : "42", "href" : "" }"#),
        "GET /api/v1/packages/42" if reads < 2 => {
            reads += 1;
            Reply::new(404, "")
        }
        "GET /api/v1/packages/42" => Reply::new(200, r#"{ "id" : "42", "fileName" : "App.pkg" }"#),
        "POST /api/v1/packages/42/upload" if reads == 0 => Reply::new(404, ""),
        "POST /api/v1/packages/42/upload" => taken(),
        _ => Reply::list(&[]),
    }))
    .await;
    let rig = Rig::new(&stub.url);
    let name: FileName = NAME.parse().unwrap();
    let made = rig.session.create_package(&rig.cx, &name, "App", &[]).await.unwrap();
    assert_eq!(made, id());
    upload(&rig, &Local::new(b"bytes")).await.unwrap();
    insta::assert_snapshot!(stub.lines(), @r"
    GET /api/v1/packages?page=0&page-size=1
    POST /api/v1/packages
    POST /api/v1/packages/42/upload
    GET /api/v1/packages/42
    GET /api/v1/packages/42
    GET /api/v1/packages/42
    POST /api/v1/packages/42/upload
    ");
}

/// A rehearsal server.
struct Stage {
    sandbox: Sandbox,
    _data: TempDir,
}

impl Stage {
    async fn new() -> Self {
        let data = TempDir::new().unwrap();
        let clock = Arc::new(SimulatedClock::at("2026-11-20T12:00:00Z".parse().unwrap()));
        let sandbox = Sandbox::start(contract::watched(sandbox::Config::new(data.path().to_owned(), clock)))
            .await
            .unwrap();
        Self { sandbox, _data: data }
    }

    fn rig(&self) -> Rig {
        let here = self.sandbox.connection();
        let account = [("CLIENT_ID", here.client_id.as_str()), ("CLIENT_SECRET", &here.client_secret)];
        Rig::with(&here.jss_url, &account, Access::ReadWrite, Config::default())
    }

    fn record(&self, name: &str) -> PackageId {
        self.sandbox.put_package(serde_json::json!({ "packageName": name, "fileName": name }))
    }
}

#[tokio::test]
async fn awkward_names_and_sizes_arrive_byte_for_byte() {
    let stage = Stage::new().await;
    let rig = stage.rig();
    for (name, size) in [
        ("Example App & Friends-2.0+beta (1).pkg", 3 * MIB + 1),
        ("100% #1; 'quoted' \"twice\" <b> a=b?c.pkg", 256 * 1024),
        ("U\u{308}bung mit Umla\u{308}uten \u{1F389}.pkg", 64 * 1024 + 1),
        ("back\\slash, comma*.pkg", 1),
        ("Empty.pkg", 0),
    ] {
        let record = stage.record(name);
        let bytes: Vec<u8> = (0..size).map(|at| (at * 31 % 251) as u8).collect();
        let local = Local::new(&bytes);
        let path = local.path();
        // The second one replaces the first.
        for _ in 0..2 {
            let package = PackageFile { name, ..file(&path, local.size) };
            rig.session.upload_package(&rig.cx, record, &package, |_| {}).await.unwrap();
        }
        assert_eq!(stage.sandbox.bytes_of(name), Some(bytes), "{name}");
        let package = rig.session.package(&rig.cx, record).await.unwrap().unwrap();
        assert_eq!(package.size, Some(size as u64), "{name}");
        assert!(package.md5.is_some() && package.sha3_512.is_some());
    }
    assert_eq!(stage.sandbox.files().len(), 5);

    let error = upload(&rig, &Local::new(b"bytes")).await.unwrap_err();
    assert!(error.is_refusal() && error.status() == Some(404), "{error}");
    let record = stage.record("Other.pkg");
    let local = Local::new(b"bytes");
    let path = local.path();
    let error = rig.session.upload_package(&rig.cx, record, &file(&path, 5), |_| {}).await.unwrap_err();
    assert!(error.is_refusal() && error.to_string().contains("INVALID_FILE_NAME"), "{error}");
}

/// Digests and size were read before.
#[tokio::test]
async fn what_was_remembered_of_records_and_files_is_forgotten() {
    let stage = Stage::new().await;
    let rig = stage.rig();
    let record = stage.record(NAME);
    let name: FileName = NAME.parse().unwrap();
    let before = rig.session.packages_named(&rig.cx, &name).await.unwrap().remove(0);
    assert_eq!((before.size, rig.session.jcds_files(&rig.cx).await.unwrap().len()), (None, 0));
    let local = Local::new(b"bytes");
    let path = local.path();
    rig.session.upload_package(&rig.cx, record, &file(&path, 5), |_| {}).await.unwrap();
    let after = rig.session.packages_named(&rig.cx, &name).await.unwrap().remove(0);
    assert_eq!((after.size, rig.session.jcds_files(&rig.cx).await.unwrap().len()), (Some(5), 1));
}
