//! The sink and the bench as they are built, with real clients. Nothing is timed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use jamf::{Deletion, Sessions};
use pipeline::{Access, Boundary, Context, Env, ExposeSecret as _, Origin, Silent, SimulatedClock, Value};
use serde_json::{Value as Json, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

const MIB: usize = 1 << 20;

/// A running sink that knows one file, `a b+c.pkg` of 3 MiB.
struct Stage {
    process: Child,
    folder: TempDir,
    reach: Json,
}

impl Stage {
    async fn open(delivered: bool) -> Self {
        let folder = TempDir::new().unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_bench"))
            .arg("sink")
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let stage = Self { process, folder, reach: serde_json::from_str(&line).unwrap() };
        let path = stage.folder.path().join("a b+c.pkg");
        let bytes: Vec<u8> = (0..3 * MIB).map(|index| (index / 7) as u8).collect();
        std::fs::write(&path, bytes).unwrap();
        let known = json!([{
            "name": "a b+c.pkg", "size": 3 * MIB, "md5": "a".repeat(32), "sha3_512": "b".repeat(128),
            "path": path, "delivered": delivered,
        }]);
        stage.control(reqwest::Method::PUT, known.to_string()).await;
        stage
    }

    fn base(&self, scheme: &str) -> String {
        let port = if scheme == "https" { &self.reach["tls"] } else { &self.reach["http"] };
        format!("{scheme}://localhost:{port}")
    }

    /// Trusts the sink's certificate and no other.
    fn client(&self) -> reqwest::Client {
        let ca = std::fs::read(self.reach["ca"].as_str().unwrap()).unwrap();
        let ca = reqwest::Certificate::from_pem(&ca).unwrap();
        reqwest::Client::builder().no_proxy().tls_certs_only([ca]).build().unwrap()
    }

    async fn control(&self, method: reqwest::Method, body: String) -> Json {
        let address = format!("{}/__bench", self.base("http"));
        let answer = self.client().request(method, address).body(body).send().await.unwrap();
        answer.error_for_status().unwrap().json().await.unwrap()
    }

    async fn tally(&self) -> Json {
        self.control(reqwest::Method::GET, String::new()).await
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        assert!(self.process.wait().unwrap().success(), "it ends when its input does");
    }
}

/// The calls of an upload in pkgferry's order, by pkgferry's client and by the SDK that it sends with.
#[tokio::test]
async fn an_upload_goes_through_as_pkgferry_makes_it() {
    let stage = Stage::open(false).await;
    let mut env = Env::new();
    for (name, value) in
        [("JSS_URL", stage.base("http")), ("CLIENT_ID", "a".into()), ("CLIENT_SECRET", "b".into())]
    {
        env.insert(name, Value::String(value), Origin::CommandLine, false);
    }
    let clock = Arc::new(SimulatedClock::at("2026-11-20T12:00:00Z".parse().unwrap()));
    let boundary = Arc::new(Boundary::new(Access::ReadWrite));
    let cx = Context::new(clock, boundary, Arc::new(Silent), CancellationToken::new());
    let session = Sessions::new(jamf::Config::default()).unwrap().open(&env).unwrap();
    let file = "a b+c.pkg".parse().unwrap();

    assert!(session.only_package_named(&cx, &file).await.unwrap().is_none());
    let grant = session.jcds_initiate(&cx).await.unwrap();
    let credentials = Credentials::new(
        &grant.access_key_id,
        grant.secret_access_key.expose_secret(),
        Some(grant.session_token.expose_secret().to_owned()),
        None,
        "test",
    );
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(stage.base("http"))
        .force_path_style(true)
        .region(Region::new(grant.region))
        .credentials_provider(credentials)
        .build();
    let (s3, key) = (Client::from_conf(config), format!("{}a b+c.pkg", grant.path));
    let upload = s3.create_multipart_upload().bucket(&grant.bucket).key(&key).send().await.unwrap();
    let id = upload.upload_id().unwrap();
    let mut parts = Vec::new();
    for (number, size) in [(1, 2 * MIB), (2, MIB)] {
        let part = s3.upload_part().bucket(&grant.bucket).key(&key).upload_id(id).part_number(number);
        let sent = part.body(vec![7; size].into()).send().await.unwrap();
        parts.push(CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag).build());
    }
    let all = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
    let complete = s3.complete_multipart_upload().bucket(&grant.bucket).key(&key).upload_id(id);
    complete.multipart_upload(all).send().await.unwrap();
    let id = session.create_package(&cx, &file, "A", &[]).await.unwrap();
    session.refresh_inventory(&cx, Some("a b+c.pkg")).await.unwrap();

    let listed = session.jcds_files_now(&cx).await.unwrap();
    assert_eq!((listed[0].name.as_str(), listed[0].size), ("a b+c.pkg", 3 * MIB as u64));
    assert_eq!(listed[0].md5, Some("a".repeat(32).parse().unwrap()));
    let record = session.package(&cx, id).await.unwrap().unwrap();
    assert_eq!((record.display_name.as_str(), record.transfer_status.as_deref()), ("A", Some("READY")));
    let tally = stage.tally().await;
    assert_eq!(tally["objects"], json!({ key: 3 * MIB }));
    assert_eq!(tally["unfinished"], 0);
    assert_eq!(tally["requests"]["UploadPart"], 2);

    assert_eq!(session.jcds_delete(&cx, "a b+c.pkg").await.unwrap(), Deletion::Deleted);
    assert!(session.jcds_files_now(&cx).await.unwrap().is_empty());
}

/// What a client left out must be missed, whatever it says.
#[tokio::test]
async fn what_was_not_sent_is_missed() {
    let stage = Stage::open(false).await;
    let (client, base) = (stage.client(), stage.base("https"));
    let send = async |method: &str, path: &str, body: Vec<u8>| {
        let request = client.request(method.parse().unwrap(), format!("{base}/jcds/{path}"));
        let answer = request.body(body).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let (_, begun) = send("POST", "x/a.pkg?uploads", Vec::new()).await;
    let id = begun.split("<UploadId>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    for number in 1..=2 {
        let path = format!("x/a.pkg?partNumber={number}&uploadId={id}");
        assert_eq!(send("PUT", &path, vec![0; MIB]).await.0, 200);
    }
    let part = |number| format!("<Part><PartNumber>{number}</PartNumber></Part>").into_bytes();
    assert_eq!(stage.tally().await["unfinished"], 1);
    let path = format!("x/a.pkg?uploadId={id}");
    assert_eq!(send("POST", &path, part(2)).await.0, 200, "S3 does not complain either");
    assert_eq!(send("POST", &path, part(2)).await.0, 404);
    assert_eq!(stage.tally().await["objects"], json!({ "x/a.pkg": MIB }));

    stage.control(reqwest::Method::DELETE, String::new()).await;
    assert_eq!(stage.tally().await["objects"], json!({}));
    assert_eq!(send("PUT", "x/b.pkg", vec![0; 5]).await.0, 200);
    assert_eq!(stage.tally().await["objects"], json!({ "x/b.pkg": 5 }));
}

#[tokio::test]
async fn a_download_serves_the_bytes_in_full_and_in_ranges() {
    let stage = Stage::open(true).await;
    let expected = std::fs::read(stage.folder.path().join("a b+c.pkg")).unwrap();
    for scheme in ["http", "https"] {
        let (client, base) = (stage.client(), stage.base(scheme));
        let call = client.get(format!("{base}/api/v1/jcds/files/a%20b%2Bc.pkg"));
        let answer: Json = call.send().await.unwrap().json().await.unwrap();
        let uri = answer["uri"].as_str().unwrap();
        assert_eq!(client.get(uri).send().await.unwrap().bytes().await.unwrap(), expected);
        let head = client.head(uri).send().await.unwrap();
        assert_eq!(head.headers()["content-length"], expected.len().to_string());
        let range = client.get(uri).header("Range", "bytes=1048575-99999999").send().await.unwrap();
        assert_eq!(range.status(), 206);
        assert_eq!(range.headers()["content-range"], format!("bytes 1048575-3145727/{}", 3 * MIB));
        assert_eq!(range.bytes().await.unwrap(), expected[MIB - 1..]);
    }
}

#[tokio::test]
async fn folders_go_with_who_named_them() {
    let (mut stage, folder) = (Stage::open(false).await, TempDir::new().unwrap());
    std::fs::write(folder.path().join("large.pkg"), "left over").unwrap();
    writeln!(stage.process.stdin.as_mut().unwrap(), "{}", folder.path().display()).unwrap();
    drop(stage);
    assert!(!folder.path().exists());
}

/// The whole bench, with a `curl` that says that it has sent the file and has not.
#[cfg(unix)]
#[test]
fn a_contender_that_sends_nothing_fails_loudly() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = TempDir::new().unwrap();
    let script = |name: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, "#!/bin/sh\necho liar 1.0\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    };
    script("curl");
    let sources = folder.path().join("sources");
    std::fs::create_dir(&sources).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_bench"))
        .args(["upload", "--quick", "--size", "1MiB", "--over", "tls", "--only", "curl,both"])
        .args([Path::new("--python"), &script("python3"), Path::new("--pkgferry"), &script("pkgferry")])
        .args([Path::new("--dir"), &sources])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success());
    assert!(said.contains("### upload of 1 MiB over TLS"), "{said}");
    let lie = "| curl | **failed**: the sink has 0 objects of 0 bytes in all, not 1 of 1048576 ";
    assert!(said.contains(lie), "{said}");
    assert!(said.contains("\n| both digests | 0."), "{said}");
    assert_eq!(std::fs::read_dir(sources).unwrap().count(), 0, "sources go away");
}
