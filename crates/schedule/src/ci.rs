//! What jobs of CI servers have in common: they start in a fresh copy of a repository, on a machine that most often is new,
//! and what they leave there is gone unless it is kept.

use crate::command::{Extra, arguments, shell_command};
use crate::error::Error;
use crate::quote::{shell, shell_line};
use crate::request::{Request, below};
use crate::target::Kind;
use crate::text::{FilePath, Script};

/// How pkgferry gets to where a job runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Install {
    /// It is there already, on a machine that stays.
    #[default]
    Present,
    /// It is built from its source ([`SOURCE`]).
    FromSource,
    /// These commands get it.
    Script(Script),
}

/// The command that builds pkgferry from its source, wherever Rust is.
pub const SOURCE: &str = concat!("cargo install --locked --git ", env!("CARGO_PKG_REPOSITORY"), " pkgferry");

/// Where reports are, from the working folder.
const REPORTS: &str = "pkgferry-reports";
/// Where what is remembered between nights is, from the working folder.
const STATE: &str = "pkgferry-state";

/// The jobs of a request.
pub(crate) struct Jobs<'r> {
    pub(crate) request: &'r Request,
    pub(crate) install: &'r Install,
    /// How many divide the packages.
    pub(crate) count: u8,
    /// The folder of reports, from the working folder.
    pub(crate) reports: &'r str,
    /// The folder of what is remembered that the server has to keep, from the working folder.
    state: Option<&'r str>,
}

impl<'r> Jobs<'r> {
    /// The folders become part of patterns and, on GitHub, of lists in lines, so they are plain ones.
    pub(crate) fn new(request: &'r Request, install: &'r Install, kind: Kind) -> Result<Self, Error> {
        request.refuse_user(kind, "the runner has one")?;
        let folder = request.folder.as_ref().map_or("", FilePath::as_str);
        let reports = request.logs.as_ref().map_or(REPORTS, FilePath::as_str).trim_end_matches('/');
        if reports.is_empty() || !is_kept(reports) || !is_kept(folder) {
            let what = "the log folder or the working folder";
            let why = "reports are kept from a folder inside of the repository, with letters, digits, blanks and _-. in its path";
            return Err(Error::CannotSay { kind, what, why });
        }
        let state = match (&request.state, install) {
            // An absolute one is the machine's own, and stays with it.
            (Some(state), _) => Some(state.as_str()).filter(|state| !state.starts_with('/')),
            // A machine that has no pkgferry yet has no memory either.
            (None, Install::Present) => None,
            (None, _) => Some(STATE),
        };
        if state.is_some_and(|state| !is_kept(state)) {
            let what = "the state folder";
            let why =
                "it is kept from inside of the repository, with letters, digits, blanks and _-. in its path";
            return Err(Error::CannotSay { kind, what, why });
        }
        let count = request.shards.get();
        Ok(Self { request, install, count, reports, state })
    }

    /// Whether the packages are divided.
    pub(crate) fn is_sharded(&self) -> bool {
        self.count > 1
    }

    /// A path from the root of the repository.
    pub(crate) fn rooted(&self, path: &str) -> String {
        self.request.folder.as_ref().map_or_else(|| path.to_owned(), |folder| below(folder.as_str(), path))
    }

    /// The folder of reports, from the root.
    pub(crate) fn kept_reports(&self) -> String {
        self.rooted(self.reports)
    }

    /// The folder of what is remembered, from the root, if the server has to keep it.
    pub(crate) fn kept_state(&self) -> Option<String> {
        self.state.map(|state| self.rooted(state))
    }

    /// Lines that run the recipes. `index` is the number of the shard in the notation of the shell: the jobs of all shards
    /// put their reports together, each into a folder of its own. A job that its server ends leaves work half done, so nothing
    /// begins after `deadline`, unless the request has one.
    pub(crate) fn run(&self, index: &str, shapes: &[&str], deadline: &str) -> [String; 2] {
        let folder = match self.count {
            1 => shell(self.reports),
            _ => format!("\"{}/shard-{index}\"", self.reports),
        };
        let report = |shape: &&str| match self.count {
            1 => shell(&format!("{}/report.{shape}", self.reports)),
            _ => format!("\"{}/shard-{index}/report.{shape}\"", self.reports),
        };
        let reports: Vec<_> = shapes.iter().map(report).collect();
        [format!("mkdir -p {folder}"), shell_command(self.request, &self.extra(deadline), &reports)]
    }

    /// The words after the program, without reports: their paths are for the shell to read.
    pub(crate) fn words(&self, deadline: &str) -> Vec<String> {
        arguments(self.request, &self.extra(deadline))
    }

    fn extra<'e>(&'e self, deadline: &'e str) -> Extra<'e> {
        let asked = |word: &str| word == "--deadline" || word.starts_with("--deadline=");
        let has_own = self.request.arguments.iter().any(|argument| asked(argument.as_str()));
        Extra {
            state: self.state,
            shard: self.is_sharded().then(|| "auto".to_owned()),
            deadline: (!has_own).then_some(deadline),
            reports: Vec::new(),
        }
    }

    /// Lines that make one report of those of all shards, which are in folders below `shards`. They end as the night did: a
    /// shard that left no report is a failure, too.
    pub(crate) fn merge(&self, shards: &str, shapes: &[&str]) -> [String; 2] {
        let outputs = shapes
            .iter()
            .map(|shape| shell_line(["--output", below(self.reports, &format!("report.{shape}")).as_str()]));
        let outputs = outputs.collect::<Vec<_>>().join(" ");
        let program = shell(self.request.program.as_str());
        let all = format!("{}/shard-*/report.json", shell(shards));
        [shell_line(["mkdir", "-p", self.reports]), format!("{program} report merge {all} {outputs}")]
    }
}

/// Whether a CI server can keep a folder of this path, which starts in the repository.
fn is_kept(path: &str) -> bool {
    let plain = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '_' | '-' | '.' | '/' | ' ');
    path.chars().all(plain)
        && path.trim() == path
        && !path.starts_with('/')
        && path.split('/').all(|part| part != "..")
}
