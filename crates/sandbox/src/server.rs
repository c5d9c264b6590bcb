use crate::core::Core;
use crate::grant::Desk;
use crate::s3::S3Side;
use crate::world::{Category, Package, Record};
use crate::{Config, Error, Fault, GatewayConnection, Request, jamf};
use pipeline::{Env, Origin, PackageId, Secret, keys};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

/// How to reach a running rehearsal server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// `http://127.0.0.1:PORT`.
    pub jss_url: String,
    /// The first API client of the configuration; by default it has all privileges.
    pub client_id: String,
    /// Its secret. Invented at start or fixed by the configuration; opens nothing but the rehearsal.
    pub client_secret: String,
    /// The first user account of the configuration; by default it has all privileges.
    pub username: String,
    /// Its password.
    pub password: String,
    /// `http://127.0.0.1:PORT`.
    pub s3_endpoint: String,
    /// The addresses to use if a [gateway](crate::Config::gateway) is played. Under `jss_url` itself there is nothing then, and
    /// only the API client can sign in.
    pub gateway: Option<GatewayConnection>,
}

/// A file as the distribution service lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedFile {
    /// Name.
    pub name: String,
    /// Size in bytes.
    pub size: u64,
    /// MD5, lower-case hex.
    pub md5: String,
    /// SHA3-512, lower-case hex.
    pub sha3: String,
}

/// A running rehearsal server. Dropping it stops it.
pub struct Sandbox {
    core: Arc<Core>,
    connection: Connection,
    s3: S3Side,
    _jamf: DropGuard,
}

impl Sandbox {
    /// Starts both sides; they serve until this value is dropped.
    ///
    /// # Errors
    /// When the data folder cannot be used, a port cannot be opened, or the version is none.
    pub async fn start(config: Config) -> Result<Self, Error> {
        let core = Arc::new(Core::open(config)?);
        let (jamf_address, jamf) = serve_jamf(Arc::clone(&core)).await?;
        let desk: Arc<dyn Desk> = Arc::clone(&core) as _;
        let s3 = S3Side::start(core.config.s3, core.config.data.join("s3"), desk).await?;
        let account = |is_client| {
            let account = core.config.accounts.iter().find(|account| account.is_client == is_client);
            account.map(|account| (account.id.clone(), account.secret.clone())).unwrap_or_default()
        };
        let ((client_id, client_secret), (username, password)) = (account(true), account(false));
        let jss_url = format!("http://{jamf_address}");
        let connection = Connection {
            gateway: core.config.gateway.as_ref().map(|gateway| gateway.connection(&jss_url)),
            jss_url,
            client_id,
            client_secret,
            username,
            password,
            s3_endpoint: format!("http://{}", s3.address()),
        };
        Ok(Self { core, connection, s3, _jamf: jamf })
    }

    /// How to reach it.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The connection as environment entries from [`Origin::Sandbox`](pipeline::Origin::Sandbox): `JSS_URL`, `CLIENT_ID`, `CLIENT_SECRET`,
    /// `PKGFERRY_S3_ENDPOINT`.
    #[must_use]
    pub fn env(&self) -> Env {
        let here = &self.connection;
        let mut env = Env::new();
        env.set(keys::JSS_URL, here.jss_url.clone(), Origin::Sandbox);
        env.set(keys::CLIENT_ID, here.client_id.clone(), Origin::Sandbox);
        env.set(keys::CLIENT_SECRET, Secret::from(here.client_secret.clone()), Origin::Sandbox);
        env.set(keys::S3_ENDPOINT, here.s3_endpoint.clone(), Origin::Sandbox);
        env
    }

    /// All requests since the start or since they were last cleared.
    #[must_use]
    pub fn journal(&self) -> Vec<Request> {
        self.core.journal.requests()
    }

    /// Forgets the requests so far.
    pub fn clear_journal(&self) {
        self.core.journal.clear();
    }

    /// Waits until the requests since the start or since they were last cleared are as `is_so` wants them, which is asked again
    /// with every one that is answered, and not in between. `false` if they are not within `timeout`.
    ///
    /// For tests that have a program in another process go so far. It blocks the thread, for which the server's own runtime has to
    /// have others, and it waits in real time, whatever the clock of the [`Config`] says.
    pub fn wait_for(&self, timeout: Duration, is_so: impl FnMut(&[Request]) -> bool) -> bool {
        self.core.journal.wait_for(timeout, is_so)
    }

    /// Arms a fault, beside those that are armed. It plays from the next request on.
    pub fn inject(&self, fault: Fault) {
        self.core.faults.arm(fault);
    }

    /// The faults that have something left to play, in the order in which they were armed.
    #[must_use]
    pub fn armed_faults(&self) -> Vec<Fault> {
        self.core.faults.armed()
    }

    /// Disarms all faults. What they have done stays done: credentials that one has ended do not live again.
    pub fn disarm_faults(&self) {
        self.core.faults.disarm();
    }

    /// Puts a file into the distribution service, listed and ready at once, with or without a record. A file of that
    /// name is replaced.
    pub fn put_file(&self, name: &str, bytes: &[u8]) {
        if let Err(error) = self.core.put_file(name, bytes) {
            tracing::error!(name, %error, "cannot write the bytes of a file");
        }
    }

    /// Puts a package record (full JSON of the Pro API, without id) into the server; the Classic API shows it too.
    /// Uniqueness is not checked, so that old servers' duplicates can be played. Keys that are missing, unknown or of a
    /// wrong type get Jamf's defaults.
    ///
    /// A record that names its `cloudTransferStatus` keeps what it says (hashes, size) although a file of its name is
    /// listed already, until a refresh: so every state between upload and proof can be laid out.
    pub fn put_package(&self, record: serde_json::Value) -> PackageId {
        let record = Record::lenient(record);
        let now = self.core.now();
        let mut guard = self.core.world();
        let world = &mut *guard;
        let fixed = !record.cloud_transfer_status.is_empty();
        let file = world.files.listed(&record.file_name, now).filter(|_| fixed);
        let id = world.packages.insert(|id| {
            let mut package = Package::new(id, record.clone());
            package.mark_adopted(file);
            package
        });
        drop(guard);
        self.core.remember();
        id.into()
    }

    /// Puts a category into the server and gives its id.
    pub fn put_category(&self, name: &str) -> u64 {
        let category = |id| Category { id, name: name.to_owned(), priority: 9 };
        self.core.world().categories.insert(category).get()
    }

    /// What the distribution service lists now.
    #[must_use]
    pub fn files(&self) -> Vec<ListedFile> {
        let now = self.core.now();
        let world = self.core.world();
        let files = world.files.all_listed(now).map(|file| ListedFile {
            name: file.name.clone(),
            size: file.content.size,
            md5: file.content.md5.clone(),
            sha3: file.content.sha3.clone(),
        });
        files.collect()
    }

    /// The bytes of a listed file.
    #[must_use]
    pub fn bytes_of(&self, name: &str) -> Option<Vec<u8>> {
        let blob = self.core.world().files.listed(name, self.core.now())?.content.blob.clone();
        std::fs::read(self.core.blob(&blob)).ok()
    }

    /// All package records, as the Pro API shows them.
    #[must_use]
    pub fn packages(&self) -> Vec<serde_json::Value> {
        let tells_sha3512 = self.core.version.tells_sha3512();
        self.core.world().packages.iter().map(|package| package.pro(tells_sha3512)).collect()
    }

    /// Multipart uploads that were begun and neither completed nor aborted, as keys.
    #[must_use]
    pub fn open_uploads(&self) -> Vec<String> {
        self.s3.open_uploads()
    }
}

/// What was put in after the last request is not on disk yet.
impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Err(error) = self.core.save() {
            tracing::error!(%error, "cannot save the rehearsal server's data");
        }
        if let Some(observer) = &self.core.config.observer {
            observer.finish();
        }
    }
}

/// Opens the port of the Jamf Pro side; it closes, once running answers are out, when the guard is dropped.
async fn serve_jamf(core: Arc<Core>) -> Result<(SocketAddr, DropGuard), Error> {
    let address = core.config.jamf;
    let listen = |source| Error::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(listen)?;
    let bound = listener.local_addr().map_err(listen)?;
    let stop = CancellationToken::new();
    let server =
        axum::serve(listener, jamf::router(core)).with_graceful_shutdown(stop.clone().cancelled_owned());
    tokio::spawn(async move {
        if let Err(error) = server.await {
            tracing::error!(%error, "the Jamf Pro side stopped");
        }
    });
    Ok((bound, stop.drop_guard()))
}
