//! Where the settings keep secrets, and whether the unit gets at them there.

use crate::settings::{Contents, Kept};
use schedule::{Request, Target};
use secrets::{Place, SecretSource};
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
        let (name, path) = (kept.name(), path.display());
        let place = match &kept.source {
            SecretSource::Plain(_) if self.is_of_ci() => {
                return Some(format!(
                    "{kept} stands in {path}, which the repository would hold for all its readers; write env:{name} in its place, {}",
                    self.add(&name)
                ));
            }
            SecretSource::Plain(_) if self.has_own_user() => {
                return Some(format!(
                    "{kept} stands in {path}, and the run has a user of its own who cannot read it; {}",
                    by_user_or_credential(&name)
                ));
            }
            SecretSource::Plain(_) => return None,
            SecretSource::At(place) => place,
        };
        match (place, self.target) {
            (_, Target::Kubernetes(_)) => None,
            (Place::Variable(variable), _) => {
                let variable = variable.as_str();
                let way = self.way(variable)?;
                Some(format!("the variable {variable}, which {kept} of {path} refers to; {way}"))
            }
            (Place::File(_) | Place::Keychain(_) | Place::Credential(_), _)
                if self.is_of_ci() && !self.runner_stays =>
            {
                Some(format!(
                    "{kept} of {path} is kept in {place}, which no runner has; write env:{name} in its place, {}",
                    self.add(&name)
                ))
            }
            (Place::File(_), _) if self.is_of_ci() => {
                Some(format!("{kept} of {path} is kept in {place}; the runner has to have it"))
            }
            (Place::File(_), _) if self.has_own_user() => Some(format!(
                "{kept} of {path} is kept in {place}, and the run has a user of its own who cannot read it; {}",
                by_user_or_credential(&name)
            )),
            (Place::Credential(credential), Target::Systemd(_)) => {
                let is_named = self.names(credential.as_str());
                (!is_named).then(|| {
                    format!("{kept} of {path} is kept in {place}; add --secret {}", credential.as_str())
                })
            }
            (Place::Credential(_), Target::Launchd | Target::Cron(_)) => Some(format!(
                "{kept} of {path} is kept in {place}, which systemd alone hands on; write {} in its place",
                self.places()
            )),
            _ => None,
        }
    }

    /// How a variable gets to the run, if it does not.
    fn way(&self, variable: &str) -> Option<String> {
        let is_named = self.names(variable);
        match self.target {
            Target::GithubActions(_) | Target::Gitlab(_) => (!is_named).then(|| self.add(variable)),
            Target::Systemd(_) => {
                let add = if is_named { String::new() } else { format!(", and add --secret {variable}") };
                Some(format!("the unit sets none: write credential:{variable} for env:{variable}{add}"))
            }
            Target::Launchd | Target::Cron(_) => {
                Some(format!("the unit sets none: write {} for env:{variable}", self.places()))
            }
            Target::Kubernetes(_) => None,
        }
    }

    /// How a CI server gets a secret of this name, and hands it on.
    fn add(&self, name: &str) -> String {
        super::missing::way_of_secrets(self.target, &[name]).unwrap_or_default()
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

    /// Whether a variable of the unit takes the place of what the settings say. A server's own table is not overruled.
    fn wins_over(&self, kept: &Kept) -> bool {
        self.is_of_ci() && kept.server.is_none() && self.names(kept.variable)
    }

    fn is_of_ci(&self) -> bool {
        matches!(self.target, Target::GithubActions(_) | Target::Gitlab(_))
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
