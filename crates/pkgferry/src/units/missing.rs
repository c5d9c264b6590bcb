//! What a unit needs to run and does not have yet, as far as it shows from here.

use crate::args::Global;
use crate::process::Process;
use crate::settings::{self, Contents};
use crate::units::kept::Reach;
use pipeline::{causes, keys};
use schedule::{
    CONFIG_FOLDER, FilePath, GithubActions, Gitlab, Install, Kind, Kubernetes, KubernetesName, Request,
    Target,
};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const URL: &str = keys::JSS_URL.name();
const CLIENT: [&str; 2] = [keys::CLIENT_ID.name(), keys::CLIENT_SECRET.name()];
const USER: [&str; 2] = [keys::API_USERNAME.name(), keys::API_PASSWORD.name()];

/// The list that is told: empty if nothing is known to be missing.
pub fn told(request: &Request, target: &Target, global: &Global, process: &Process) -> String {
    let look = Look { request, target, global, process };
    let settings = look.settings();
    let missing: Vec<_> = [look.program(), look.list(), look.connection(&settings)]
        .into_iter()
        .flatten()
        .chain(look.secrets(&settings))
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
    /// It says this.
    Known(PathBuf, Contents),
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
    fn connection(&self, settings: &Settings) -> Option<String> {
        if let (Kind::Kubernetes, Some(named)) = (self.target.kind(), &self.request.settings)
            && let Some(item) = self.in_container("the settings file", named)
        {
            return Some(item);
        }
        let nothing = BTreeSet::new();
        let names = match settings {
            Settings::Known(_, contents) => &contents.names,
            Settings::Unknown if self.request.settings.is_some() => return None,
            Settings::Unknown | Settings::Absent(_) => &nothing,
            Settings::Wrong(why) => return Some(format!("the settings file: {why}")),
        };
        let missing = missing_names(|name| names.contains(name) || self.gives(name));
        let named = list_of(&missing);
        match settings {
            Settings::Absent(path) => {
                let (path, place) = (path.display(), self.place());
                Some(format!("the settings file: {path} is not {place}{}", self.has_to_name(&missing)))
            }
            _ if missing.is_empty() => None,
            Settings::Known(path, _) => {
                let may_be_there = brings_all(self.request, self.target).is_some();
                let secret = missing.iter().copied().filter(|name| may_be_there || is_secret(name));
                let secret: Vec<_> = secret.collect();
                let way = way_of_secrets(self.request, self.target, &secret).map(|way| format!("; {way}"));
                let path = path.display();
                Some(format!("{named}: left out by {path} and by the options{}", way.unwrap_or_default()))
            }
            _ => Some(format!("{named}: {}", self.way(&missing))),
        }
    }

    /// What a settings file is there for. One that a repository holds is read by many.
    fn has_to_name(&self, missing: &[&str]) -> String {
        if missing.is_empty() {
            return String::new();
        }
        let (secret, open): (Vec<&str>, Vec<&str>) = missing.iter().partition(|name| is_secret(name));
        match way_of_secrets(self.request, self.target, &secret) {
            None => format!("; it has to name {}", list_of(missing)),
            Some(way) if open.is_empty() => format!("; it holds no secret: {way}"),
            Some(way) => format!("; it has to name {}, and holds no secret: {way}", list_of(&open)),
        }
    }

    /// The secrets that the settings keep where the run does not get at them.
    fn secrets(&self, settings: &Settings) -> Vec<String> {
        let (path, contents) = match settings {
            Settings::Known(path, contents) => (path, contents),
            Settings::Unknown => {
                let named = self.request.settings.iter();
                let unread = |path| {
                    format!(
                        "the settings file: {path} cannot be read from here; its secrets were not checked"
                    )
                };
                return named.map(unread).collect();
            }
            Settings::Absent(_) | Settings::Wrong(_) => return Vec::new(),
        };
        let runner_stays = match self.target {
            Target::GithubActions(GithubActions { install, .. }) => *install == Install::Present,
            Target::Gitlab(Gitlab { install, image, .. }) => *install == Install::Present && image.is_none(),
            _ => false,
        };
        Reach { request: self.request, target: self.target, runner_stays }.missing(path, contents)
    }

    /// How the names that lead to a server get to the run.
    fn way(&self, missing: &[&str]) -> String {
        let add = each(missing, "--secret ", "", " ");
        match self.target {
            Target::Launchd | Target::Systemd(_) | Target::Cron(_) => {
                "give a settings file that names them, with --settings".to_owned()
            }
            Target::GithubActions(_) | Target::Gitlab(_) => {
                way_of_secrets(self.request, self.target, missing).unwrap_or_default()
            }
            Target::Kubernetes(_) => match brings_all(self.request, self.target) {
                Some(secret) => format!(
                    "the Secret {secret} has to hold them, or a settings file of the ConfigMap (--settings FILE)"
                ),
                None => format!(
                    "add {add} with --secrets-from, or name a settings file of a ConfigMap (--config-map, --settings FILE)"
                ),
            },
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

    /// The settings of the run.
    fn settings(&self) -> Settings {
        let path = match &self.request.settings {
            Some(named) => self.here(named),
            None => self.usual_settings(),
        };
        let Some(path) = path else { return Settings::Unknown };
        match path.try_exists() {
            Ok(true) => {}
            // A ConfigMap may be made elsewhere.
            Ok(false) if self.target.kind() == Kind::Kubernetes => return Settings::Unknown,
            Ok(false) => return Settings::Absent(path),
            // Another account's folder is nothing that can be told of.
            Err(_) => return Settings::Unknown,
        }
        if std::fs::File::open(&path).is_err() {
            return Settings::Unknown;
        }
        let servers: Vec<_> = self.request.servers.iter().map(ToString::to_string).collect();
        match settings::contents_of(&path, &servers) {
            Ok(contents) => Settings::Known(path, contents),
            Err(error) => Settings::Wrong(causes(&error).collect::<Vec<_>>().join(": ")),
        }
    }

    /// The file that a run finds by itself: that of whoever's crontab it is.
    fn usual_settings(&self) -> Option<PathBuf> {
        let is_own = matches!(self.target, Target::Cron(_)) && self.request.user.is_none();
        let path = self.process.home().filter(|_| is_own)?.join(".config/pkgferry/settings.toml");
        path.exists().then_some(path)
    }

    /// Where a path of the unit would be here: on this machine, in the repository if this folder is its root, or in this folder if
    /// a ConfigMap is made of it.
    fn here(&self, path: &FilePath) -> Option<PathBuf> {
        let path = Path::new(path.as_str());
        let folder = self.request.folder.as_ref().map_or(Path::new(""), |folder| Path::new(folder.as_str()));
        match self.target.kind() {
            Kind::Launchd | Kind::Systemd | Kind::Cron => Some(folder.join(path)),
            Kind::Kubernetes => {
                let path = Path::new(CONFIG_FOLDER).join(folder).join(path);
                path.strip_prefix(CONFIG_FOLDER).ok().map(Path::to_owned)
            }
            Kind::GithubActions | Kind::Gitlab => {
                (!path.has_root() && !folder.has_root()).then(|| folder.join(path))
            }
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

/// The Secret whose entries all become variables, whatever they are called.
fn brings_all<'t>(request: &Request, target: &'t Target) -> Option<&'t KubernetesName> {
    let Target::Kubernetes(Kubernetes { secret, .. }) = target else { return None };
    secret.as_ref().filter(|_| request.secrets.is_empty())
}

/// How secrets of these names get to whoever hands them on as variables; `None` for schedulers that hand on none, and if there
/// are no names.
pub fn way_of_secrets(request: &Request, target: &Target, names: &[&str]) -> Option<String> {
    if names.is_empty() {
        return None;
    }
    let add = format!("add {}", each(names, "--secret ", "", " "));
    match target {
        Target::GithubActions(_) => Some(format!("{add}, and {}", each(names, "gh secret set ", "", "; "))),
        Target::Gitlab(_) => {
            Some(format!("{add}, and {}", each(names, "cat | glab variable set ", " --masked --raw", "; ")))
        }
        Target::Kubernetes(Kubernetes { secret, .. }) => Some(match (brings_all(request, target), secret) {
            (Some(secret), _) => format!("let the Secret {secret} hold {}", list_of(names)),
            (None, Some(_)) => add,
            (None, None) => format!("{add} with --secrets-from"),
        }),
        Target::Launchd | Target::Systemd(_) | Target::Cron(_) => None,
    }
}

fn each(names: &[&str], before: &str, behind: &str, between: &str) -> String {
    names.iter().map(|name| format!("{before}{name}{behind}")).collect::<Vec<_>>().join(between)
}

fn is_secret(name: &str) -> bool {
    keys::SECRETS.contains(&name)
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
