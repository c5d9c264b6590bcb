//! A place to run the binary in: nothing of the machine's environment, a home of its own, and a server when asked for.

pub use sandbox::noise;
use sandbox::{Config, Request, Sandbox};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The root of the repository: what README's commands run in.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The real package in `fixtures/`.
pub fn example_package() -> PathBuf {
    repository().join("fixtures/ExampleApp-1.2.3.pkg")
}

/// Nothing that a test waits for takes longer, on a machine that is busy with other things too.
const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until something is so, without keeping a processor from those who make it so. For files and processes; what a server has
/// been asked tells [`Server::until`].
#[track_caller]
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "waited {PATIENCE:?} for {what}");
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

struct RealTime;

#[expect(
    clippy::disallowed_methods,
    reason = "the binary under test lives in real time, so its server does too"
)]
impl pipeline::Clock for RealTime {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }
    fn sleep(&self, duration: Duration) -> pipeline::BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// A rehearsal server in this process, so that tests can look behind it.
pub struct Server {
    _runtime: tokio::runtime::Runtime,
    sandbox: Sandbox,
}

impl std::ops::Deref for Server {
    type Target = Sandbox;
    fn deref(&self) -> &Sandbox {
        &self.sandbox
    }
}

impl Server {
    /// A server that keeps its files in `data` and differs from the usual one.
    pub fn start(data: PathBuf, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::new(data, Arc::new(RealTime));
        change(&mut config);
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let sandbox = runtime.block_on(Sandbox::start(contract::watched(config))).unwrap();
        Self { _runtime: runtime, sandbox }
    }

    /// Requests so far as `METHOD path`, without queries and without what changes from run to run.
    pub fn requests(&self) -> String {
        let all = self.journal();
        all.iter().map(short).collect::<Vec<_>>().join("\n")
    }

    /// Whether this file was deleted, for a test that sees it gone. A deletion comes before its line in the journal: the world is
    /// saved in between, and whoever was killed does not wait for that.
    pub fn tells_of_a_deletion(&self, name: &str) -> bool {
        let deletes = |request: &Request| {
            request.method == "DELETE"
                && request.side == sandbox::Side::Jamf
                && request.path.ends_with(&format!("/{name}"))
        };
        self.wait_for(Duration::from_secs(20), |requests| requests.iter().any(deletes))
    }

    /// Waits until it has answered what `is_so` asks for.
    #[track_caller]
    pub fn until(&self, what: &str, is_so: impl FnMut(&[Request]) -> bool) {
        assert!(
            self.wait_for(PATIENCE, is_so),
            "waited {PATIENCE:?} for {what}; so far:\n{}",
            self.requests()
        );
    }

    /// The same, or until the program that asks has ended.
    #[track_caller]
    pub fn until_or_ended(&self, what: &str, child: &mut Child, mut is_so: impl FnMut(&[Request]) -> bool) {
        // Only requests wake who waits for them, so whether there will be any is asked now and then.
        until(what, || {
            self.wait_for(Duration::from_millis(5), &mut is_so) || child.try_wait().unwrap().is_some()
        });
    }

    pub fn writes(&self) -> Vec<Request> {
        self.journal().into_iter().filter(Request::is_write).collect()
    }

    pub fn names(&self) -> Vec<String> {
        self.files().into_iter().map(|file| file.name).collect()
    }
}

fn short(request: &Request) -> String {
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    // Prefix and upload id are new every time.
    let path = match path.split_once("/tmp/") {
        Some((bucket, rest)) => {
            format!("{bucket}/tmp/…/{}", rest.split_once('/').map_or(rest, |(_, name)| name))
        }
        None => path.to_owned(),
    };
    let query = match query
        .split('&')
        .find(|part| part.starts_with("partNumber=") || *part == "uploads" || *part == "uploads=")
    {
        Some(part) => format!("?{}", part.trim_end_matches('=')),
        None if query.contains("uploadId=") => "?uploadId=…".to_owned(),
        None => String::new(),
    };
    format!("{} {path}{query} {}", request.method, request.status)
}

/// A folder, and the variables that the binary gets.
pub struct Stage {
    folder: TempDir,
    variables: BTreeMap<String, String>,
}

impl Stage {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        std::fs::create_dir(&home).unwrap();
        let variables = BTreeMap::from([("HOME".to_owned(), home.to_str().unwrap().to_owned())]);
        Self { folder, variables }
    }

    /// A stage whose variables lead to a server.
    pub fn with_server() -> (Self, Server) {
        Self::with_server_like(|_| {})
    }

    /// The same, with a server that differs from the usual one.
    pub fn with_server_like(change: impl FnOnce(&mut Config)) -> (Self, Server) {
        let mut stage = Self::new();
        let server = Server::start(stage.path("server"), change);
        let connection = server.connection().clone();
        stage.set("JSS_URL", &connection.jss_url);
        stage.set("CLIENT_ID", &connection.client_id);
        stage.set("CLIENT_SECRET", &connection.client_secret);
        stage.set("PKGFERRY_S3_ENDPOINT", &connection.s3_endpoint);
        (stage, server)
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file and gives its path as text.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pkgferry"));
        command
            .args(arguments)
            .env_clear()
            .envs(&self.variables)
            .current_dir(repository())
            .stdin(Stdio::null());
        command
    }

    /// Runs the binary to its end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::new(self.command(arguments).output().unwrap(), self.folder.path())
    }
}

/// What the binary said and how it ended.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn new(output: Output, folder: &Path) -> Self {
        // macOS and some Linux set-ups reach the temporary folder through a link.
        let folder = folder.to_str().unwrap();
        let text = |bytes: Vec<u8>| steady(&String::from_utf8(bytes).unwrap().replace(folder, "[STAGE]"));
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    #[track_caller]
    pub fn succeeded(self) -> Self {
        assert_eq!(self.code, 0, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Everything at once, for snapshots.
    pub fn shown(&self) -> String {
        let mut text = format!("exit {}\n", self.code);
        for (name, stream) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !stream.is_empty() {
                text.push_str(&format!("--- {name}\n{stream}"));
            }
        }
        text
    }
}

/// Without what changes from run to run and from place to place: moments, ports, seconds, paths.
fn steady(text: &str) -> String {
    let repository = repository();
    // Before the repository: what is built may lie in it or elsewhere.
    let program = std::fs::canonicalize(env!("CARGO_BIN_EXE_pkgferry")).unwrap();
    let mut text = text
        .replace(program.to_str().unwrap(), "[PKGFERRY]")
        .replace(repository.to_str().unwrap(), "[REPOSITORY]");
    text = replace_after(&text, "good until ", "[TIME]", |c| c.is_ascii_digit() || "-T:.Z".contains(c));
    text =
        replace_after(&text, "which was sent at ", "[TIME]", |c| c.is_ascii_digit() || "-T:.Z".contains(c));
    text = replace_after(&text, "proven after ", "[N]", |c| c.is_ascii_digit());
    replace_after(&text, "127.0.0.1:", "[PORT]", |c| c.is_ascii_digit())
}

fn replace_after(text: &str, mark: &str, by: &str, is_part: impl Fn(char) -> bool) -> String {
    let mut parts = text.split(mark);
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        result.push_str(mark);
        result.push_str(by);
        result.push_str(part.trim_start_matches(&is_part));
    }
    result
}
