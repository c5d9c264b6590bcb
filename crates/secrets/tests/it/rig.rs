//! Secrets of a world that a test makes up.

use pipeline::{
    Access, Boundary, Context, Diagnose as _, ExposeSecret as _, Failure, Silent, SimulatedClock,
};
use secrets::{Error, KeychainTool, SecretSource, Secrets, Surroundings};
use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

pub struct Rig {
    pub folder: TempDir,
    pub cancel: CancellationToken,
    variables: HashMap<&'static str, OsString>,
    keychain: KeychainTool,
    limit: Duration,
}

impl Rig {
    pub fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            cancel: CancellationToken::new(),
            variables: HashMap::new(),
            keychain: KeychainTool::None,
            limit: Duration::from_secs(60),
        }
    }

    pub fn variable(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.variables.insert(name, value.into());
        self
    }

    pub fn keychain(mut self, tool: KeychainTool) -> Self {
        self.keychain = tool;
        self
    }

    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A context of this run.
    pub fn cx(&self) -> Context {
        let clock = SimulatedClock::at("2026-11-21T02:00:00Z".parse().unwrap());
        let boundary = Boundary::new(Access::ReadOnly);
        Context::new(Arc::new(clock), Arc::new(boundary), Arc::new(Silent), self.cancel.clone())
    }

    pub fn secrets(&self) -> Secrets {
        let variables = self.variables.clone();
        let mut surroundings = Surroundings::new(move |name| variables.get(name).cloned());
        surroundings.keychain = self.keychain.clone();
        surroundings.limit = self.limit;
        Secrets::new(surroundings)
    }

    /// What a person sees of a source: the secret, or why there is none.
    pub async fn told(&self, source: &str) -> String {
        let source: Result<SecretSource, Error> = source.replace("DIR", &self.folder()).parse();
        let secret = match &source {
            Ok(source) => self.secrets().resolve(&self.cx(), source).await,
            Err(error) => Err(error.clone()),
        };
        match secret {
            Ok(secret) => format!("secret: {}", secret.expose_secret()),
            Err(error) => self.shown(error),
        }
    }

    /// Message, causes, and what to do.
    pub fn shown(&self, error: Error) -> String {
        let hint = error.hint().unwrap_or_else(|| "(no hint)".to_owned());
        let failure = Failure::from(error);
        format!("{:?}: {failure}\n{hint}", failure.kind()).replace(&self.folder(), "DIR")
    }

    fn folder(&self) -> String {
        self.folder.path().to_str().unwrap().to_owned()
    }
}

/// Writes a file with a mode.
#[cfg(unix)]
pub fn write(path: &Path, bytes: impl AsRef<[u8]>, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, bytes).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}
