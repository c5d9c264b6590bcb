//! Where the settings keep secrets, and whether the unit gets at them there.

use crate::settings::{Contents, Kept};
use schedule::{FilePath, Kubernetes, Request, Surroundings, Target};
use secrets::{CommandLine, Place, SecretPath, SecretSource};
use std::fmt;
use std::path::Path;

/// What the unit has to know to get at secrets.
pub struct Reach<'r> {
    pub request: &'r Request,
    pub target: &'r Target,
    /// Where the runner is one that stays, and may have files that nobody brings.
    pub runner_stays: bool,
}

impl Reach<'_> {
    /// What is missing, an item for each secret that the run would not get.
    pub fn missing(&self, path: &Path, contents: &Contents) -> Vec<String> {
        let kept = contents.kept.iter().filter(|kept| !self.wins_over(kept));
        let mut items: Vec<_> = kept.filter_map(|kept| self.item(path, kept)).collect();
        let holds_secret = contents.kept.iter().any(|kept| kept.source.is_plain());
        if self.has_own_user() && !holds_secret && !all_can_read(path) {
            let path = path.display();
            items.push(format!(
                "the settings file: only its owner can read {path}, and the run has a user of its own; chmod 644 {path}, or give --user NAME"
            ));
        }
        items
    }

    fn item(&self, path: &Path, kept: &Kept) -> Option<String> {
        match &kept.source {
            SecretSource::Plain(_) => self.in_the_open(path, kept),
            SecretSource::At(place) if self.takes_variables() => self.brought_to(place, path, kept),
            SecretSource::At(place) => self.on_the_machine(place, path, kept),
        }
    }

    /// What stands in the settings themselves.
    fn in_the_open(&self, path: &Path, kept: &Kept) -> Option<String> {
        let (name, path) = (kept.name(), path.display());
        if self.takes_variables() {
            let holder = if self.is_of_pod() { "ConfigMap" } else { "repository" };
            return Some(format!(
                "{kept} stands in {path}, which the {holder} would hold for all its readers; {}",
                self.variable_instead(&name)
            ));
        }
        self.has_own_user().then(|| {
            format!(
                "{kept} stands in {path}, and the run has a user of its own who cannot read it; {}",
                by_user_or_credential(&name)
            )
        })
    }

    /// What a runner or a pod has to be brought.
    fn brought_to(&self, place: &Place, path: &Path, kept: &Kept) -> Option<String> {
        let (name, path) = (kept.name(), path.display());
        match (place, self.target) {
            (Place::Variable(variable), _) => self.variable(variable.as_str(), kept, &path),
            (Place::File(_) | Place::Keychain(_) | Place::Credential(_), _) if !self.runner_stays => {
                let machine = if self.is_of_pod() { "pod" } else { "runner" };
                Some(format!(
                    "{kept} of {path} is kept in {place}, which no {machine} has; {}",
                    self.variable_instead(&name)
                ))
            }
            (Place::File(_), _) => {
                Some(format!("{kept} of {path} is kept in {place}; the runner has to have it"))
            }
            (Place::Command(_), Target::Kubernetes(Kubernetes { image, .. })) => Some(format!(
                "{kept} of {path} is kept in {place}; the image {image} has to hold that program"
            )),
            _ => None,
        }
    }

    /// What the scheduler of a machine has to let the run find.
    fn on_the_machine(&self, place: &Place, path: &Path, kept: &Kept) -> Option<String> {
        let (name, path) = (kept.name(), path.display());
        let scheduler = self.target.kind();
        match (place, self.target) {
            (Place::Variable(variable), _) => self.variable(variable.as_str(), kept, &path),
            (Place::File(_), _) if self.has_own_user() => Some(format!(
                "{kept} of {path} is kept in {place}, and the run has a user of its own who cannot read it; {}",
                by_user_or_credential(&name)
            )),
            (Place::File(file), _) if !self.knows(file) => Some(format!(
                "{kept} of {path} is kept in {place}, and {scheduler} gives the run no HOME; write the whole path"
            )),
            (Place::Command(line), _) => {
                let given = self.surroundings().filter(|given| !self.finds(line, *given))?;
                Some(format!(
                    "{kept} of {path} is kept in {place}, and {scheduler} gives the run PATH={}, where that program is not; write its whole path",
                    given.path
                ))
            }
            (Place::Credential(credential), Target::Systemd(_)) => {
                let is_named = self.names(credential.as_str());
                (!is_named).then(|| {
                    format!("{kept} of {path} is kept in {place}; add --secret {}", credential.as_str())
                })
            }
            (Place::Credential(_), _) => Some(format!(
                "{kept} of {path} is kept in {place}, which systemd alone hands on; write {} in its place",
                self.places()
            )),
            _ => None,
        }
    }

    fn variable(&self, variable: &str, kept: &Kept, path: &impl fmt::Display) -> Option<String> {
        let way = self.way(variable)?;
        Some(format!("the variable {variable}, which {kept} of {path} refers to; {way}"))
    }

    /// How a variable gets to the run, if it does not.
    fn way(&self, variable: &str) -> Option<String> {
        let is_named = self.names(variable);
        match self.target {
            Target::GithubActions(_) | Target::Gitlab(_) | Target::Kubernetes(_) => {
                (!is_named).then(|| self.add(variable))
            }
            Target::Systemd(_) => {
                let add = if is_named { String::new() } else { format!(", and add --secret {variable}") };
                Some(format!("the unit sets none: write credential:{variable} for env:{variable}{add}"))
            }
            Target::Launchd | Target::Cron(_) => {
                Some(format!("the unit sets none: write {} for env:{variable}", self.places()))
            }
        }
    }

    /// How whoever hands on variables gets a secret of this name, and hands it on.
    fn add(&self, name: &str) -> String {
        super::missing::way_of_secrets(self.request, self.target, &[name]).unwrap_or_default()
    }

    fn variable_instead(&self, name: &str) -> String {
        let add = if self.names(name) { String::new() } else { format!(", {}", self.add(name)) };
        format!("write env:{name} in its place{add}")
    }

    fn surroundings(&self) -> Option<Surroundings> {
        self.target.surroundings(self.request)
    }

    /// Whether the run knows where the file is.
    fn knows(&self, file: &SecretPath) -> bool {
        !file.is_in_home() || self.surroundings().is_none_or(|given| given.home)
    }

    /// Whether the run finds the program, if the machine has what this one has.
    fn finds(&self, line: &CommandLine, given: Surroundings) -> bool {
        let program = Path::new(line.program());
        let is_there = |folder: &str| Path::new(folder).join(program).is_file();
        match (program.components().count(), &self.request.folder) {
            _ if program.has_root() => true,
            (0 | 1, _) => given.path.split(':').any(is_there),
            (_, folder) => is_there(folder.as_ref().map_or("/", FilePath::as_str)),
        }
    }

    /// Where secrets are that a machine's scheduler hands no variables to.
    fn places(&self) -> &'static str {
        match self.target {
            Target::Launchd => "file:PATH or keychain:SERVICE/ACCOUNT",
            _ => "file:PATH or command:…",
        }
    }

    fn names(&self, name: &str) -> bool {
        self.request.secrets.iter().any(|secret| secret.as_str() == name)
    }

    /// Whether a variable of the unit takes the place of what the settings say. A server's own table is not overruled, and a file
    /// that all can read is refused for a secret that stands in it, whether that is asked for or not.
    fn wins_over(&self, kept: &Kept) -> bool {
        let may_stay = kept.server.is_none() && !kept.source.is_plain();
        self.takes_variables() && may_stay && self.names(kept.variable)
    }

    /// Whether the scheduler hands secrets on as variables.
    fn takes_variables(&self) -> bool {
        !super::is_of_machine(self.target.kind())
    }

    fn is_of_pod(&self) -> bool {
        matches!(self.target, Target::Kubernetes(_))
    }

    /// Whether systemd makes a user for the run, who owns no files and is in no group.
    fn has_own_user(&self) -> bool {
        matches!(self.target, Target::Systemd(_)) && self.request.user.is_none()
    }
}

fn by_user_or_credential(name: &str) -> String {
    format!("give --user NAME, or write credential:{name} in its place and add --secret {name}")
}

#[cfg(unix)]
fn all_can_read(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn all_can_read(_path: &Path) -> bool {
    true
}
