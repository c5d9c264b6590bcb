//! What a unit needs to run and does not have yet, as far as it shows from here.

use crate::args::Global;
use crate::process::Process;
use crate::settings;
use pipeline::{causes, keys};
use schedule::{CONFIG_FOLDER, FilePath, GithubActions, Gitlab, Install, Kind, Kubernetes, Request, Target};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const URL: &str = keys::JSS_URL.name();
const CLIENT: [&str; 2] = [keys::CLIENT_ID.name(), keys::CLIENT_SECRET.name()];
const USER: [&str; 2] = [keys::API_USERNAME.name(), keys::API_PASSWORD.name()];

/// The list that is told: empty if nothing is known to be missing.
pub fn told(request: &Request, target: &Target, global: &Global, process: &Process) -> String {
    let look = Look { request, target, global, process };
    let missing: Vec<_> = [look.program(), look.list(), look.connection()]
        .into_iter()
        .flatten()
        .map(|item| format!("- {item}\n"))
        .collect();
    if missing.is_empty() { String::new() } else { format!("\nStill missing:\n{}", missing.concat()) }
}

struct Look<'l> {
    request: &'l Request,
    target: &'l Target,
    global: &'l Global,
    process: &'l Process,
}

/// What is known of a settings file.
enum Settings {
    /// None is named, or nobody can tell from here.
    Unknown,
    /// It is not where it is named, which is here.
    Absent(PathBuf),
    /// It cannot be read as settings, for this reason.
    Wrong(String),
    /// It sets these names for every server that the unit goes to.
    Names(PathBuf, BTreeSet<String>),
}

impl Look<'_> {
    fn program(&self) -> Option<String> {
        let program = self.request.program.as_str();
        match self.target {
            Target::Launchd | Target::Systemd(_) | Target::Cron(_) => (!Path::new(program).exists())
                .then(|| format!("pkgferry itself: {program} is not on this machine")),
            Target::Gitlab(Gitlab { image: Some(image), install: Install::Present, .. })
            | Target::Kubernetes(Kubernetes { image, .. }) => {
                Some(format!("pkgferry itself: the image {image} has to hold it as {program}"))
            }
            Target::GithubActions(GithubActions { install, .. }) | Target::Gitlab(Gitlab { install, .. }) => {
                let is_here = || self.here(&self.request.program).is_some_and(|path| path.exists());
                (*install == Install::Present && !is_here())
                    .then(|| format!("pkgferry itself: the runner has to have it as {program}"))
            }
        }
    }

    fn list(&self) -> Option<String> {
        let list = self.request.list.as_ref()?;
        if self.target.kind() == Kind::Kubernetes {
            return self.in_container("the recipe list", list);
        }
        (!self.here(list)?.exists()).then(|| format!("the recipe list: {list} is not {}", self.place()))
    }

    /// What leads to a server and an account.
    fn connection(&self) -> Option<String> {
        if let (Kind::Kubernetes, Some(settings)) = (self.target.kind(), &self.request.settings) {
            return self.in_container("the settings file", settings);
        }
        let settings = self.settings();
        let names = match &settings {
            Settings::Names(_, names) => names.clone(),
            Settings::Unknown if self.request.settings.is_some() => return None,
            Settings::Unknown | Settings::Absent(_) => BTreeSet::new(),
            Settings::Wrong(why) => return Some(format!("the settings file: {why}")),
        };
        let missing = missing_names(|name| names.contains(name) || self.gives(name));
        let named = list_of(&missing);
        match (&settings, missing.is_empty()) {
            (Settings::Absent(path), true) => {
                Some(format!("the settings file: {} is not {}", path.display(), self.place()))
            }
            (Settings::Absent(path), false) => Some(format!(
                "the settings file: {} is not {}; it has to name {named}",
                path.display(),
                self.place()
            )),
            (_, true) => None,
            (Settings::Names(path, _), false) => {
                Some(format!("{named}: left out by {} and by the options", path.display()))
            }
            (_, false) => Some(format!("{named}: {}", self.way(&missing))),
        }
    }

    /// How the names that lead to a server get to the run.
    fn way(&self, missing: &[&str]) -> String {
        let each = |before: &str, behind: &str, between: &str| {
            let each = missing.iter().map(|name| format!("{before}{name}{behind}"));
            each.collect::<Vec<_>>().join(between)
        };
        let add = each("--secret ", "", " ");
        match self.target {
            Target::Launchd | Target::Systemd(_) | Target::Cron(_) => {
                "give a settings file that names them, with --settings".to_owned()
            }
            Target::GithubActions(_) => format!("add {add}, and {}", each("gh secret set ", "", "; ")),
            Target::Gitlab(_) => {
                format!("add {add}, and {}", each("cat | glab variable set ", " --masked --raw", "; "))
            }
            Target::Kubernetes(Kubernetes { secret: Some(secret), .. })
                if self.request.secrets.is_empty() =>
            {
                format!(
                    "the Secret {secret} has to hold them, or a settings file of the ConfigMap (--settings FILE)"
                )
            }
            Target::Kubernetes(_) => {
                format!(
                    "add {add} with --secrets-from, or name a settings file of a ConfigMap (--config-map, --settings FILE)"
                )
            }
        }
    }

    /// Whether an option of the unit gives a name its value. Secrets that are named become variables, but not on machines, where
    /// settings have to say where each is kept.
    fn gives(&self, name: &str) -> bool {
        let flags = [
            (URL, self.global.url.is_some()),
            (CLIENT[0], self.global.client_id.is_some()),
            (USER[0], self.global.username.is_some()),
        ];
        let variable = format!("{name}=");
        flags.contains(&(name, true))
            || (!super::is_of_machine(self.target.kind())
                && self.request.secrets.iter().any(|secret| secret.as_str() == name))
            || self.request.arguments.iter().any(|argument| {
                let text = argument.as_str();
                text.strip_prefix("--key=").unwrap_or(text).starts_with(&variable)
            })
    }

    fn settings(&self) -> Settings {
        let path = match &self.request.settings {
            Some(named) => self.here(named),
            None => self.usual_settings(),
        };
        let Some(path) = path else { return Settings::Unknown };
        match path.try_exists() {
            Ok(true) => {}
            Ok(false) => return Settings::Absent(path),
            // Another account's folder is nothing that can be told of.
            Err(_) => return Settings::Unknown,
        }
        if std::fs::File::open(&path).is_err() {
            return Settings::Unknown;
        }
        let servers: Vec<_> = self.request.servers.iter().map(ToString::to_string).collect();
        match settings::names_in(&path, &servers) {
            Ok(names) => Settings::Names(path, names),
            Err(error) => Settings::Wrong(causes(&error).collect::<Vec<_>>().join(": ")),
        }
    }

    /// The file that a run finds by itself: that of whoever's crontab it is.
    fn usual_settings(&self) -> Option<PathBuf> {
        let is_own = matches!(self.target, Target::Cron(_)) && self.request.user.is_none();
        let path = self.process.home().filter(|_| is_own)?.join(".config/pkgferry/settings.toml");
        path.exists().then_some(path)
    }

    /// Where a path of the unit would be here: on this machine, or in the repository if this folder is its root.
    fn here(&self, path: &FilePath) -> Option<PathBuf> {
        let path = Path::new(path.as_str());
        let folder = self.request.folder.as_ref().map_or(Path::new(""), |folder| Path::new(folder.as_str()));
        match super::is_of_machine(self.target.kind()) {
            true => Some(folder.join(path)),
            false => (!path.has_root() && !folder.has_root()).then(|| folder.join(path)),
        }
    }

    fn place(&self) -> &'static str {
        if super::is_of_machine(self.target.kind()) {
            "on this machine"
        } else {
            "below this folder; the repository has to hold it"
        }
    }

    /// A file that no volume of the unit brings into the container.
    fn in_container(&self, what: &str, path: &FilePath) -> Option<String> {
        let Target::Kubernetes(Kubernetes { config: None, .. }) = self.target else { return None };
        let below = Path::new(path.as_str()).starts_with(CONFIG_FOLDER);
        below.then(|| format!("{what}: {path} is in no ConfigMap; name one with --config-map"))
    }
}

/// The names without which no server is reached or nobody signs in.
fn missing_names(is_known: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let through_gateway = is_known(keys::REGION.name())
        && (is_known(keys::TENANT_ID.name()) || is_known(keys::ENVIRONMENT_ID.name()));
    let server = (!through_gateway).then_some(URL);
    // Whoever has begun with a user account goes on with it.
    let by_user = USER.iter().any(|name| is_known(name)) && !CLIENT.iter().any(|name| is_known(name));
    let account = if by_user { USER } else { CLIENT };
    server.into_iter().chain(account).filter(|name| !is_known(name)).collect()
}

/// `JSS_URL, CLIENT_ID and CLIENT_SECRET`.
fn list_of(names: &[&str]) -> String {
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}
