use crate::args::{Mode, SandboxArgs};
use crate::clock::SystemClock;
use crate::error::Error;
use crate::exit::Exit;
use crate::servers;
use pipeline::{Env, Origin, Value};
use sandbox::{Connection, Sandbox};
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// The rehearsal server inside a run (`--sandbox`).
pub struct Embedded {
    sandbox: Sandbox,
    _folder: Option<TempDir>,
}

impl Embedded {
    /// Starts it with its files where `mode` says, or in a folder that ends with it.
    pub async fn start(mode: &Mode, clock: Arc<SystemClock>) -> Result<Self, Error> {
        let (data, folder) = folder(mode.sandbox_data.as_deref())?;
        let faults = mode.faults.clone();
        let config = sandbox::Config { faults, ..sandbox::Config::new(data, clock) };
        let sandbox = Sandbox::start(config).await?;
        Ok(Self { sandbox, _folder: folder })
    }

    /// How to reach it, as environment entries. What else the shell or the settings say about a server does not count.
    pub fn env(&self) -> Env {
        let mut env = Env::new();
        for name in servers::connection() {
            env.insert(name, Value::String(String::new()), Origin::Sandbox, false);
        }
        env.overlay(&self.sandbox.env());
        env
    }
}

fn folder(data: Option<&Path>) -> Result<(std::path::PathBuf, Option<TempDir>), Error> {
    match data {
        Some(data) => Ok((data.to_owned(), None)),
        None => {
            let folder = tempfile::Builder::new()
                .prefix("pkgferry-sandbox-")
                .tempdir()
                .map_err(Error::TemporaryFolder)?;
            Ok((folder.path().to_owned(), Some(folder)))
        }
    }
}

/// `pkgferry sandbox`: prints how to reach it, for `eval`, and serves until it is stopped.
pub async fn serve(args: SandboxArgs, cancel: CancellationToken) -> Result<Exit, Error> {
    let (data, _folder) = folder(args.data.as_deref())?;
    let mut config = sandbox::Config::new(data, Arc::new(SystemClock));
    config.jamf = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port));
    config.s3 = SocketAddr::from((Ipv4Addr::LOCALHOST, args.s3_port));
    config.listed_after = Duration::from_secs(args.listed_after);
    config.ready_after = Duration::from_secs(args.ready_after);
    config.client_token_life = Duration::from_secs(args.token_life);
    config.version = args.jamf_version;
    config.faults = args.faults;
    let sandbox = Sandbox::start(config).await?;
    {
        let mut out = std::io::stdout().lock();
        for (name, value) in variables(sandbox.connection()) {
            writeln!(out, "export {name}={}", quoted(value))?;
        }
        out.flush()?;
    }
    let_go_of_stdout()?;
    cancel.cancelled().await;
    Ok(Exit::Done)
}

/// `eval "$(pkgferry sandbox &)"` waits for the end of the output, which is here and not where the server ends.
#[cfg(unix)]
fn let_go_of_stdout() -> std::io::Result<()> {
    let nothing = std::fs::File::options().write(true).open("/dev/null")?;
    Ok(rustix::stdio::dup2_stdout(&nothing)?)
}

#[cfg(not(unix))]
fn let_go_of_stdout() -> std::io::Result<()> {
    Ok(())
}

/// Secrets of the rehearsal server open nothing else, and printing them is what the command is for.
fn variables(connection: &Connection) -> [(&'static str, &str); 7] {
    [
        ("JSS_URL", &connection.jss_url),
        ("CLIENT_ID", &connection.client_id),
        ("CLIENT_SECRET", &connection.client_secret),
        ("API_USERNAME", &connection.username),
        ("API_PASSWORD", &connection.password),
        ("PKGFERRY_S3_ENDPOINT", &connection.s3_endpoint),
        ("AWS_ENDPOINT_URL_S3", &connection.s3_endpoint),
    ]
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
