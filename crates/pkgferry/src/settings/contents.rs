//! What a settings file says, looked at without a run.

use super::{PLACED, file};
use crate::error::Error;
use pipeline::{Env, Origin, Value};
use secrets::SecretSource;
use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

/// What a settings file says, as far as it can be told without a run.
#[derive(Debug)]
pub struct Contents {
    /// The names that it sets, for each of the servers if there are any.
    pub names: BTreeSet<String>,
    /// The secrets in it, or where they are kept.
    pub kept: Vec<Kept>,
}

/// A secret of a settings file.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The setting, such as `CLIENT_SECRET` or `notify.slack`.
    pub setting: String,
    /// The variable of the environment that says the same.
    pub variable: &'static str,
    /// The server in whose table it stands.
    pub server: Option<String>,
    /// The secret, or where it is kept.
    pub source: SecretSource,
}

impl Kept {
    /// What it may be called among the secrets of a scheduler. A variable of its usual name would contradict a server's table.
    pub fn name(&self) -> String {
        match &self.server {
            None => self.variable.to_owned(),
            Some(server) => {
                let part = |ch: char| if ch.is_ascii_alphanumeric() { ch.to_ascii_uppercase() } else { '_' };
                format!("{}_{}", server.chars().map(part).collect::<String>(), self.variable)
            }
        }
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.server {
            None => f.write_str(&self.setting),
            Some(server) => write!(f, "{} of [servers.{server}]", self.setting),
        }
    }
}

/// Reads a settings file for these servers.
///
/// # Errors
/// When it cannot be read, is none, or has no table for one of the servers.
pub fn contents_of(path: &Path, servers: &[String]) -> Result<Contents, Error> {
    let file = file::read(path, None)?;
    let set = |env: &Env| {
        let entries = env.iter().filter(|(_, entry)| *entry.value() != Value::String(String::new()));
        entries.map(|(name, _)| name.to_owned()).collect::<BTreeSet<_>>()
    };
    let targets = servers.iter().map(|name| file.servers.target(name, &file.preferences, &Env::new()));
    let mut envs: Vec<_> = targets.map(|target| Ok(target?.env())).collect::<Result<_, Error>>()?;
    if envs.is_empty() {
        envs.push(file.preferences);
    }
    let names = envs.iter().map(set).reduce(|one, other| &one & &other).unwrap_or_default();
    let mut kept: Vec<Kept> = Vec::new();
    for one in envs.iter().flat_map(kept_in) {
        // Several servers may share what stands at the top level.
        if !kept.iter().any(|known| known.setting == one.setting && known.server == one.server) {
            kept.push(one);
        }
    }
    let notices = file.notices.sources().map(|(setting, variable, source)| Kept {
        setting: setting.to_owned(),
        variable,
        server: None,
        source: source.clone(),
    });
    kept.extend(notices);
    Ok(Contents { names, kept })
}

fn kept_in(env: &Env) -> Vec<Kept> {
    let kept = PLACED.iter().filter_map(|key| {
        let entry = env.entry(key.name())?;
        let server = match entry.origin() {
            Origin::Server { name, .. } => Some(name.clone()),
            _ => None,
        };
        // What is set to nothing keeps none, and what is no place is told of when it is asked for.
        let is_set = *entry.value() != Value::String(String::new());
        let source = SecretSource::from_value(entry.value()).ok().filter(|_| is_set)?;
        Some(Kept { setting: key.name().to_owned(), variable: key.name(), server, source })
    });
    kept.collect()
}
