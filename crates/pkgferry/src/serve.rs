use crate::args::{GatewayAddressing, Played, Rehearsal, SandboxArgs};
use crate::clock::SystemClock;
use crate::error::Error;
use crate::exit::Exit;
use crate::servers;
use pipeline::{Env, Origin, Value, keys};
use sandbox::{Addressing, CdnType, Connection, DistributionPoint, Gateway, Sandbox};
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The tenant, or the platform environment, that a played gateway leads to.
const TENANT: Uuid = Uuid::from_u128(0x1f0e_2d3c_4b5a_4978_8a9b_0c1d_2e3f_4a5b);

/// The rehearsal server inside a run (`--sandbox`).
pub struct Embedded {
    sandbox: Sandbox,
    _folder: Option<TempDir>,
}

impl Embedded {
    /// Starts it if it is asked for, with its files where that says, or in a folder that ends with it.
    pub async fn start(rehearsal: &Rehearsal, clock: Arc<SystemClock>) -> Result<Option<Self>, Error> {
        rehearsal.check()?;
        if !rehearsal.sandbox {
            return Ok(None);
        }
        let (data, folder) = folder(rehearsal.sandbox_data.as_deref())?;
        let mut config = sandbox::Config::new(data, clock);
        play(&mut config, &rehearsal.played);
        let sandbox = Sandbox::start(config).await?;
        Ok(Some(Self { sandbox, _folder: folder }))
    }

    /// How to reach it, as environment entries. What else the shell or the settings say about a server does not count.
    pub fn env(&self) -> Env {
        let mut env = Env::new();
        for name in servers::connection() {
            env.insert(name, Value::String(String::new()), Origin::Sandbox, false);
        }
        env.overlay(&self.sandbox.env());
        for (name, value) in gateway(self.sandbox.connection()) {
            env.insert(name, Value::String(value), Origin::Sandbox, false);
        }
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
    play(&mut config, &args.played);
    let sandbox = Sandbox::start(config).await?;
    {
        let mut out = std::io::stdout().lock();
        for (name, value) in variables(sandbox.connection()) {
            writeln!(out, "export {name}={}", quoted(&value))?;
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

/// Makes a server what it was asked to be.
fn play(config: &mut sandbox::Config, played: &Played) {
    if let Some(version) = &played.jamf_version {
        config.version.clone_from(version);
    }
    if let Some(kind) = played.cdn_type {
        config.distribution_point = match kind {
            CdnType::None => DistributionPoint::NONE,
            kind => DistributionPoint::principal(kind),
        };
    }
    if played.not_principal {
        config.distribution_point.is_principal = false;
    }
    config.jcds_gone = played.jcds_gone.map(Into::into);
    config.serves_schema = !played.no_schema;
    config.gateway = played.gateway.map(|addressing| Gateway {
        addressing: match addressing {
            GatewayAddressing::Path => Addressing::TenantInPath,
            GatewayAddressing::TenantHeader => Addressing::TenantHeader,
            GatewayAddressing::EnvironmentHeader => Addressing::EnvironmentHeader,
        },
        ..Gateway::new(TENANT)
    });
    for privilege in &played.without_privileges {
        config.accounts = config.accounts.drain(..).map(|account| account.without(*privilege)).collect();
    }
    config.faults.clone_from(&played.faults);
}

/// Secrets of the rehearsal server open nothing else, and printing them is what the command is for.
fn variables(connection: &Connection) -> Vec<(&'static str, String)> {
    let mut variables = vec![("JSS_URL", &connection.jss_url)];
    variables.extend([("CLIENT_ID", &connection.client_id), ("CLIENT_SECRET", &connection.client_secret)]);
    if connection.gateway.is_none() {
        // Gateways let API clients in only.
        variables.extend([("API_USERNAME", &connection.username), ("API_PASSWORD", &connection.password)]);
    }
    variables.push(("PKGFERRY_S3_ENDPOINT", &connection.s3_endpoint));
    variables.push(("AWS_ENDPOINT_URL_S3", &connection.s3_endpoint));
    let owned = variables.into_iter().map(|(name, value)| (name, value.clone()));
    owned.chain(gateway(connection)).collect()
}

/// What tells a client that the address is a gateway's, where it is: its host does not.
fn gateway(connection: &Connection) -> Vec<(&'static str, String)> {
    let Some(gateway) = &connection.gateway else { return Vec::new() };
    let scope = match &gateway.header {
        Some((name, id)) if *name == "x-environment-id" => (keys::ENVIRONMENT_ID.name(), id.clone()),
        Some((_, id)) => (keys::TENANT_ID.name(), id.clone()),
        None => (keys::TENANT_ID.name(), TENANT.to_string()),
    };
    let addressing = if gateway.header.is_some() { "header" } else { "path" };
    vec![scope, (jamf::GATEWAY_ADDRESSING.name(), addressing.to_owned())]
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
