//! Settings from the file, the process environment and flags, each with its source.

mod contents;
mod file;

pub use contents::{Contents, Kept, contents_of};
pub use file::{is_place, is_plain};

use crate::args::Global;
use crate::chronicle::Notices;
use crate::error::Error;
use crate::process::Process;
use crate::remembered::StateFolder;
use crate::servers::{self, Servers, Target};
use crate::shipped;
use file::FromFile;
use pipeline::{Context, Env, Key, Origin, Secret, Typed, Value, keys};
use recipe::{Library, Located};
use secrets::{SecretSource, Secrets, Surroundings};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Variables of the process environment that are settings. Empty ones count as not set.
pub const VARIABLES: &[&str] = &[
    "JSS_URL",
    "JAMF_REGION",
    "JAMF_TENANT_ID",
    "JAMF_ENVIRONMENT_ID",
    "JAMF_GATEWAY_ADDRESSING",
    "API_USERNAME",
    "API_PASSWORD",
    "CLIENT_ID",
    "CLIENT_SECRET",
    "PKGFERRY_S3_ENDPOINT",
];
/// The path of a settings file.
const SETTINGS_FILE: &str = "PKGFERRY_SETTINGS";
/// Names of servers, separated by commas.
const SERVERS: &str = "PKGFERRY_SERVER";

/// Secrets that may be kept elsewhere than in the settings.
pub const PLACED: [Key<Secret>; 2] = [keys::API_PASSWORD, keys::CLIENT_SECRET];

const SEARCH_DIRS: Key<Vec<String>> = Key::new("RECIPE_SEARCH_DIRS");
const CACHE_DIR: Key<PathBuf> = Key::new("CACHE_DIR");

/// Names that mean something in a settings file, besides the inputs of processors.
pub fn names() -> Vec<&'static str> {
    let own = [SEARCH_DIRS.name(), CACHE_DIR.name(), "notify", "servers"];
    VARIABLES.iter().copied().chain(own).collect()
}

/// What applies to a whole run.
#[derive(Debug)]
pub struct Settings {
    /// From the top level of the settings file: a recipe's Input wins over these, as over AutoPkg's preferences.
    preferences: Env,
    /// From the process environment and flags: these win over a recipe's Input.
    overrides: Env,
    /// The servers that the file names.
    servers: Servers,
    /// Those that are asked for.
    wanted: Wanted,
    /// The settings file that was read.
    pub file: Option<PathBuf>,
    /// The names of settings in it.
    pub names: Vec<Located<String>>,
    /// Where things are remembered between runs.
    pub state: StateFolder,
    /// Folders to look for recipes in, and who named them.
    pub search_dirs: Vec<(PathBuf, Origin)>,
    /// Who is told of runs.
    pub notices: Notices,
    /// Where secrets are taken from.
    pub secrets: Secrets,
    /// What the system handed to the process.
    pub process: Process,
}

impl Settings {
    /// Reads the file and puts the layers together.
    pub fn resolve(global: &Global, process: Process) -> Result<Self, Error> {
        let (file, named_by) = settings_file(global, &process);
        let FromFile { mut preferences, servers, notices, names } = match &file {
            Some(file) => file::read(file, named_by)?,
            None => Default::default(),
        };
        if !preferences.contains(CACHE_DIR.name())
            && let Some(home) = process.home()
        {
            // AutoPkg's own default on every system (`autopkg-recipes.md §1.5`).
            preferences.set(CACHE_DIR, home.join("Library/AutoPkg/Cache"), Origin::Runner);
        }
        let named = global.search_dirs.iter().map(|folder| (folder.clone(), Origin::Flag("--search-dir")));
        let search_dirs = named.chain(folders(&preferences, &process)?).collect();
        let state = StateFolder::resolve(global, &process);
        let (overrides, wanted) = (overrides(global, &process), Wanted::of(global, &process));
        let notices = notices.with_variables(|name| process.variable(name))?;
        let variables = process.variables.clone();
        let secrets = Secrets::new(Surroundings::new(move |name| variables.get(name).map(OsString::from)));
        Ok(Self {
            preferences,
            overrides,
            servers,
            wanted,
            file,
            names,
            state,
            search_dirs,
            notices,
            secrets,
            process,
        })
    }

    /// Puts the secrets in that the settings only name the place of. Each place is asked once in a run.
    pub async fn reveal(&self, mut target: Target, cx: &Context) -> Result<Target, Error> {
        for key in PLACED {
            let env = target.winning(key.name());
            let Some(entry) = env.entry(key.name()) else { continue };
            let failed = |source| Error::Secret { name: key.name().to_owned(), source: Box::new(source) };
            let source = SecretSource::from_value(entry.value()).map_err(failed)?;
            let origin = entry.origin().clone();
            let secret = self.secrets.resolve(cx, &source).await.map_err(failed)?;
            env.set(key, secret, origin);
        }
        Ok(target)
    }

    /// The same for all of them.
    pub async fn reveal_all(&self, targets: Vec<Target>, cx: &Context) -> Result<Vec<Target>, Error> {
        let mut revealed = Vec::with_capacity(targets.len());
        for target in targets {
            revealed.push(self.reveal(target, cx).await?);
        }
        Ok(revealed)
    }

    /// Puts something in the place of these secrets, for who only checks: whether one can be had is for a run to find out.
    pub fn veil(mut target: Target) -> Result<Target, Error> {
        for key in PLACED {
            let env = target.winning(key.name());
            let Some(entry) = env.entry(key.name()) else { continue };
            let failed = |source| Error::Secret { name: key.name().to_owned(), source: Box::new(source) };
            if !SecretSource::from_value(entry.value()).map_err(failed)?.is_plain() {
                let origin = entry.origin().clone();
                env.set(key, Secret::from("not asked for"), origin);
            }
        }
        Ok(target)
    }

    /// Where recipes are found: the folders, then those that come with the program.
    pub fn library(&self) -> Library {
        Library {
            search_dirs: self.search_dirs.iter().map(|(folder, _)| folder.clone()).collect(),
            built_in: shipped::all(),
        }
    }

    /// The servers that a run goes to, with variables from the command line: the named ones, else the one that the top
    /// level of the file, the environment and flags lead to. The rehearsal server takes the place of any other.
    pub fn targets(&self, variables: &[(String, String)], sandbox: bool) -> Result<Vec<Target>, Error> {
        match &self.wanted {
            Wanted::Named { by_flag: true, .. } if sandbox => Err(Error::SandboxAndServer),
            Wanted::Named { names, .. } if !sandbox => self.named(names, variables),
            _ => {
                let (preferences, overrides) = (self.preferences.clone(), self.given(variables));
                Ok(vec![Target { name: None, preferences, overrides }])
            }
        }
    }

    /// The servers of these names.
    pub fn named(&self, names: &[String], variables: &[(String, String)]) -> Result<Vec<Target>, Error> {
        let given = self.given(variables);
        let target = |name: &String| self.servers.target(name, &self.preferences, &given);
        if let [one] = names {
            return Ok(vec![target(one)?]);
        }
        if let Some(entry) = servers::connection().find_map(|name| given.entry(name)) {
            return Err(Error::OneForSeveral { origin: entry.origin().clone(), servers: names.to_vec() });
        }
        names.iter().map(target).collect()
    }

    /// Where each server of the settings file is, whoever signs in there.
    pub fn places(&self) -> impl Iterator<Item = (String, Env)> {
        self.servers.names().into_iter().filter_map(|name| {
            let mut env = self.servers.target(&name, &self.preferences, &Env::new()).ok()?.env();
            // Ids and secrets may come from elsewhere, and secrets may have to be asked for. Nobody signs in with these.
            env.remove(keys::API_USERNAME.name());
            env.remove(keys::API_PASSWORD.name());
            env.set(keys::CLIENT_ID, "nobody".to_owned(), Origin::Runner);
            env.set(keys::CLIENT_SECRET, Secret::from("nobody"), Origin::Runner);
            Some((name, env))
        })
    }

    /// The only server of a command that works with one.
    pub fn only_target(
        &self,
        variables: &[(String, String)],
        command: &'static str,
    ) -> Result<Target, Error> {
        let mut targets = self.targets(variables, false)?;
        match (targets.pop(), targets.is_empty()) {
            (Some(target), true) => Ok(target),
            _ => Err(Error::OneServerOnly { command }),
        }
    }

    /// The environment and flags, and variables from the command line.
    fn given(&self, variables: &[(String, String)]) -> Env {
        let mut env = self.overrides.clone();
        for (name, value) in variables {
            env.insert(name, Value::String(value.clone()), Origin::CommandLine, false);
        }
        env
    }
}

/// Which servers are asked for.
#[derive(Debug)]
enum Wanted {
    /// None by name.
    Unnamed,
    /// These, each once.
    Named { names: Vec<String>, by_flag: bool },
}

impl Wanted {
    fn of(global: &Global, process: &Process) -> Self {
        let by_flag = !global.servers.is_empty();
        let variable =
            || process.variable(SERVERS).unwrap_or_default().split(',').map(str::to_owned).collect();
        let all: Vec<String> = if by_flag { global.servers.clone() } else { variable() };
        let mut names: Vec<String> = Vec::new();
        for name in all.iter().map(|name| name.trim()).filter(|name| !name.is_empty()) {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        if names.is_empty() { Self::Unnamed } else { Self::Named { names, by_flag } }
    }
}

fn overrides(global: &Global, process: &Process) -> Env {
    let mut env = Env::new();
    for name in VARIABLES {
        if let Some(value) = process.variable(name) {
            env.insert(name, Value::String(value.to_owned()), Origin::Variable((*name).to_owned()), false);
        }
    }
    let flags = [
        (keys::JSS_URL.name(), "--url", global.url.clone()),
        (keys::CLIENT_ID.name(), "--client-id", global.client_id.clone()),
        (keys::API_USERNAME.name(), "--username", global.username.clone()),
        (keys::PACKAGE_API.name(), "--package-api", global.package_api.map(|api| api.as_str().to_owned())),
        (keys::ROUTE.name(), "--route", global.route.map(|route| route.as_str().to_owned())),
    ];
    for (name, flag, value) in flags {
        if let Some(value) = value {
            env.insert(name, Value::String(value), Origin::Flag(flag), false);
        }
    }
    env
}

fn folders(preferences: &Env, process: &Process) -> Result<Vec<(PathBuf, Origin)>, Error> {
    let Some(entry) = preferences.entry(SEARCH_DIRS.name()) else { return Ok(Vec::new()) };
    let listed = match entry.value() {
        Value::String(one) => vec![one.clone()],
        value => Vec::read(value).map_err(|source| Error::Setting { name: SEARCH_DIRS.name(), source })?,
    };
    let expand = |text: String| match (text.strip_prefix("~/"), process.home()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(text),
    };
    Ok(listed.into_iter().map(|text| (expand(text), entry.origin().clone())).collect())
}

/// The file that was asked for and who asked for it, else the default one if it is there.
fn settings_file(global: &Global, process: &Process) -> (Option<PathBuf>, Option<&'static str>) {
    if let Some(file) = &global.settings {
        return (Some(file.clone()), Some("--settings"));
    }
    match process.variable(SETTINGS_FILE) {
        Some(file) => (Some(PathBuf::from(file)), Some(SETTINGS_FILE)),
        None => (default_file(process).filter(|path| path.is_file()), None),
    }
}

fn default_file(process: &Process) -> Option<PathBuf> {
    let configuration = match process.variable("XDG_CONFIG_HOME") {
        Some(folder) => PathBuf::from(folder),
        None => process.home()?.join(".config"),
    };
    Some(configuration.join("pkgferry/settings.toml"))
}

#[cfg(unix)]
pub fn others_can_read(path: &Path) -> Result<bool, Error> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = std::fs::metadata(path).map_err(|source| Error::ReadSettings {
        path: path.to_owned(),
        named_by: None,
        source,
    })?;
    Ok(metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
pub fn others_can_read(_path: &Path) -> Result<bool, Error> {
    Ok(false)
}
