use crate::error::Error;
use crate::request::Request;
use crate::secret::looks_secret;
use crate::{Cron, GithubActions, Gitlab, Kubernetes, Systemd};
use crate::{cron, github, gitlab, kubernetes, launchd, systemd};
use std::fmt;
use std::str::FromStr;

/// A scheduler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// launchd of macOS.
    Launchd,
    /// systemd.
    Systemd,
    /// Vixie cron and its children: cronie, Debian's cron, macOS' cron.
    Cron,
    /// GitHub Actions.
    GithubActions,
    /// GitLab CI.
    Gitlab,
    /// Kubernetes, 1.31 and newer.
    Kubernetes,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Launchd, Self::Systemd, Self::Cron, Self::GithubActions, Self::Gitlab, Self::Kubernetes];

    /// Its name on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Launchd => "launchd",
            Self::Systemd => "systemd",
            Self::Cron => "cron",
            Self::GithubActions => "github-actions",
            Self::Gitlab => "gitlab",
            Self::Kubernetes => "kubernetes",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if looks_secret(text) {
            return Err(Error::Secret { what: "a scheduler" });
        }
        let kind = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        kind.ok_or_else(|| Error::Invalid {
            what: "a scheduler",
            text: text.to_owned(),
            reason: "known are launchd, systemd, cron, github-actions, gitlab, kubernetes",
        })
    }
}

/// A scheduler, and what only that one wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A LaunchDaemon.
    Launchd,
    /// A service with its timer.
    Systemd(Systemd),
    /// A crontab.
    Cron(Cron),
    /// A workflow.
    GithubActions(GithubActions),
    /// A pipeline.
    Gitlab(Gitlab),
    /// A CronJob.
    Kubernetes(Kubernetes),
}

/// What a scheduler gives a run that stands in no word of it. Nothing of the shell that the unit was made in is among it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Surroundings {
    /// Whether `HOME` is set.
    pub home: bool,
    /// `PATH`: folders with `:` between them, where programs are found by name.
    pub path: &'static str,
}

impl Target {
    /// What the run is given, on a machine; `None` where its runner or image decides.
    ///
    /// launchd sets `HOME` with `UserName` alone (`job_postfork_become_user` of its source), systemd for a `User=` that it did
    /// not make up (`systemd.exec(5)`), cron always (`crontab(5)`).
    #[must_use]
    pub fn surroundings(&self, request: &Request) -> Option<Surroundings> {
        let (home, path) = match self {
            Self::Launchd => (request.user.is_some(), launchd::PATH),
            Self::Systemd(_) => (request.user.is_some(), systemd::PATH),
            Self::Cron(_) => (true, cron::PATH),
            Self::GithubActions(_) | Self::Gitlab(_) | Self::Kubernetes(_) => return None,
        };
        Some(Surroundings { home, path })
    }

    /// Which scheduler it is for.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Launchd => Kind::Launchd,
            Self::Systemd(_) => Kind::Systemd,
            Self::Cron(_) => Kind::Cron,
            Self::GithubActions(_) => Kind::GithubActions,
            Self::Gitlab(_) => Kind::Gitlab,
            Self::Kubernetes(_) => Kind::Kubernetes,
        }
    }
}

/// One file of a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitFile {
    /// Its name, without a folder.
    pub name: String,
    /// What it holds, the last line ended.
    pub text: String,
}

/// The files that make a scheduler run pkgferry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// One or several.
    pub files: Vec<UnitFile>,
    /// What the program is given, so that it can be tried before the night: the words after its name, `run` first. Of several
    /// shards, it is the first. Reports that only a shell can name are left out.
    pub words: Vec<String>,
    /// How they are installed, in lines as one would type them, with what to know between them.
    pub install: String,
}

/// Writes the files for a scheduler.
///
/// # Errors
/// When there is nothing to run, when the scheduler lacks something that was asked for, when the format cannot say a text,
/// or when an argument would put a secret into the unit.
pub fn write(request: &Request, target: &Target) -> Result<Written, Error> {
    request.check()?;
    let mut written = match target {
        Target::Launchd => launchd::write(request),
        Target::Systemd(options) => systemd::write(request, options),
        Target::Cron(options) => cron::write(request, options),
        Target::GithubActions(options) => github::write(request, options),
        Target::Gitlab(options) => gitlab::write(request, options),
        Target::Kubernetes(options) => kubernetes::write(request, options),
    }?;
    if request.shards.get() > 1 {
        written.install.push_str(HEARTBEAT);
    }
    Ok(written)
}

/// Runs that ping one address cover for each other.
const HEARTBEAT: &str = "
If there is a heartbeat, write {shard} into its address, such as https://hc-ping.com/KEY/nightly-{shard}: with one address for
all shards, nobody notices when one of them is silent.
";
