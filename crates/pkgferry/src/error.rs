mod hint;

use crate::exit::Exit;
use crate::promote::Doubt;
use pipeline::{FailureKind, FileName, Origin, WrongType};
use std::io;
use std::path::{Path, PathBuf};

/// The command could not do its work. What fails inside a step is in that recipe's report instead.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The settings file cannot be read.
    #[error("cannot read the settings file {path}")]
    ReadSettings {
        /// Which.
        path: PathBuf,
        /// The flag or variable that names it.
        named_by: Option<&'static str>,
        /// Why.
        source: io::Error,
    },
    /// The settings file is no TOML.
    #[error("{path}:{line}: {message}")]
    ParseSettings {
        /// Which.
        path: PathBuf,
        /// Where, counted from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// The settings file holds a secret and can be read by others.
    #[error("{path} holds {name} and can be read by other users")]
    OpenSecrets {
        /// Which.
        path: PathBuf,
        /// The secret's name.
        name: String,
    },
    /// The settings file has something else where tables of servers belong.
    #[error("{path}: {name} is no table")]
    ServerTable {
        /// Which.
        path: PathBuf,
        /// What should have been one.
        name: String,
    },
    /// The settings file has no server of this name.
    #[error("there is no server called {name}{}", known_servers(.file.as_deref(), .known))]
    UnknownServer {
        /// What was asked for.
        name: String,
        /// The names there are.
        known: Vec<String>,
        /// The settings file; none if there is none.
        file: Option<PathBuf>,
    },
    /// A table of a server holds what applies to the whole run.
    #[error("{path}: {name} belongs to the top level, not to [servers.{server}]")]
    NotOfServer {
        /// The settings file.
        path: PathBuf,
        /// The setting.
        name: &'static str,
        /// The server.
        server: String,
    },
    /// Several servers are named, and something else says which server or account it is.
    #[error("several servers are named ({}), and {origin} would hold for each of them", servers.join(", "))]
    OneForSeveral {
        /// What says it.
        origin: Origin,
        /// The servers.
        servers: Vec<String>,
    },
    /// Something given leads elsewhere than the named server.
    #[error("server {server} is named, and {origin} says something else")]
    Contradicted {
        /// What says it.
        origin: Origin,
        /// The server.
        server: String,
    },
    /// The rehearsal server takes the place of any other.
    #[error("--sandbox and --server exclude each other")]
    SandboxAndServer,
    /// What only the rehearsal server can play was asked of a real one.
    #[error("{flag} is for the rehearsal server")]
    NeedsSandbox {
        /// The flag.
        flag: &'static str,
    },
    /// A command that works with one server was given several.
    #[error("{command} works with one server, and several are named")]
    OneServerOnly {
        /// The command.
        command: &'static str,
    },
    /// What should name a file does not.
    #[error(transparent)]
    FileName(pipeline::InvalidFileName),
    /// A local file cannot be used.
    #[error(transparent)]
    File(fingerprint::Error),
    /// A folder for packages cannot be made.
    #[error("cannot use {path}")]
    Cache {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A package was to go where it comes from.
    #[error("{server} is named as the server to carry from and to carry to")]
    ToItself {
        /// The server.
        server: String,
    },
    /// A server could not be asked about a package.
    #[error("{server} cannot be asked about the package")]
    Look {
        /// The server's name.
        server: String,
        /// Why.
        source: Box<jamf::Error>,
    },
    /// There is no record for a file.
    #[error("no package record on {server} names the file {file}")]
    NoPackage {
        /// The file.
        file: FileName,
        /// The server's name.
        server: String,
    },
    /// A server does not show that it holds a package.
    #[error("{file} is not proven on {server}: {doubt}")]
    NotProven {
        /// The file.
        file: FileName,
        /// The server's name.
        server: String,
        /// Why not.
        doubt: Doubt,
    },
    /// A package cannot be fetched from its server.
    #[error("{file} cannot be fetched from {server}: there is no list of files to fetch from")]
    NoDownload {
        /// The file.
        file: FileName,
        /// The server's name.
        server: String,
    },
    /// A local file is not the proven one.
    #[error("{path} is not the file that is proven as {file} on {server}")]
    OtherBytes {
        /// The local file.
        path: PathBuf,
        /// The proven one.
        file: FileName,
        /// The server's name.
        server: String,
    },
    /// A setting has the wrong type.
    #[error("setting {name}")]
    Setting {
        /// Which.
        name: &'static str,
        /// Why.
        source: WrongType,
    },
    /// A secret cannot be had from where it is kept.
    #[error("cannot get {name}")]
    Secret {
        /// The setting.
        name: String,
        /// Why.
        source: Box<secrets::Error>,
    },
    /// The `[notify]` table of the settings file is wrong.
    #[error("{path}: notify.{name}: {why}")]
    Notify {
        /// The file.
        path: PathBuf,
        /// The setting.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// An address that is to be told of runs cannot be used.
    #[error(transparent)]
    News(notify::Error),
    /// There is no address to send a test message to.
    #[error("nobody is told of runs: the settings have no address in [notify], and the environment has none")]
    Nobody,
    /// A recipe list cannot be read.
    #[error("cannot read the recipe list {path}")]
    RecipeList {
        /// Which.
        path: PathBuf,
        /// Why.
        source: Box<recipe::Problem>,
    },
    /// Arguments or lists stand for nothing that can be run.
    #[error("{0}")]
    Selection(batch::Faults),
    /// The scheduler's environment names no shard that can be relied on.
    #[error("which shard this is cannot be told")]
    Shard(#[source] batch::Error),
    /// A recipe is wrong.
    #[error("{0}")]
    Recipe(recipe::Faults),
    /// There is no processor of this name.
    #[error("there is no processor called {name}")]
    UnknownProcessor {
        /// What was asked for.
        name: String,
        /// The nearest name there is.
        nearest: Option<&'static str>,
    },
    /// A flag that names one file was given with several.
    #[error("{flag} fits one file only")]
    OneFileOnly {
        /// The flag.
        flag: &'static str,
    },
    /// A path is not UTF-8, and the server's names are.
    #[error("{0} is not UTF-8")]
    PathNotText(PathBuf),
    /// There is not even memory for a state.
    #[error("cannot remember anything")]
    State(#[source] state::Error),
    /// What earlier runs have left cannot be read or changed.
    #[error(transparent)]
    Remembered(state::Error),
    /// Another run has the servers that this one was to write to.
    #[error("nothing was begun{}", if *.leaves_reports { ", and the report was left alone, since it may be another run's" } else { "" })]
    Busy {
        /// Which run.
        source: state::Error,
        /// Whether there would have been a report.
        leaves_reports: bool,
    },
    /// There is no run with such an id.
    #[error("no run has an id that begins with {0:?}")]
    NoRun(String),
    /// No unit can be written for a scheduler.
    #[error(transparent)]
    Schedule(#[from] schedule::Error),
    /// The run of a unit would end at its command line.
    #[error("what follows -- does not fit pkgferry run: {}", .0.message)]
    RunArguments(RunArguments),
    /// The system does not tell which file runs.
    #[error("the system does not tell where this pkgferry is")]
    UnknownProgram,
    /// A file is where one was to be written.
    #[error("{path} is there already")]
    FileExists {
        /// Which.
        path: PathBuf,
    },
    /// A file cannot be written.
    #[error("cannot write {path}")]
    WriteFile {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file of a report cannot be read.
    #[error("cannot read the report {path}")]
    OpenReport {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is no report that can be read.
    #[error("{path} cannot be used as a report")]
    ReadReport {
        /// Which.
        path: PathBuf,
        /// Why.
        source: report::Error,
    },
    /// Nothing says what a report is to look like.
    #[error(transparent)]
    ReportShape(report::Error),
    /// Reports cannot be merged, or the merged one not written.
    #[error(transparent)]
    MergeReports(report::Error),
    /// The HTTP client cannot be built.
    #[error("cannot set up the client of Jamf Pro")]
    Client(#[source] jamf::Error),
    /// Two processors have one name: a fault of this program.
    #[error(transparent)]
    Registry(#[from] runner::DuplicateProcessor),
    /// The rehearsal server cannot start.
    #[error("cannot start the rehearsal server")]
    Sandbox(#[from] sandbox::Error),
    /// A temporary folder cannot be made.
    #[error("cannot make a temporary folder")]
    TemporaryFolder(#[source] io::Error),
    /// Somebody pressed Ctrl-C before anything was begun.
    #[error("interrupted")]
    Interrupted,
    /// The asynchronous runtime cannot start.
    #[error("cannot start the runtime")]
    Runtime(#[source] io::Error),
    /// Nothing can be written to standard output.
    #[error("cannot write to standard output")]
    Output(#[from] io::Error),
}

/// What the parser of the command line has to say against the arguments of a run.
#[derive(Debug)]
pub struct RunArguments {
    /// What is wrong.
    pub message: String,
    /// What it would propose.
    pub tip: Option<String>,
}

impl RunArguments {
    /// Of what clap prints, without how to call this program: that was called otherwise.
    pub fn of(error: &clap::Error) -> Self {
        if !error.use_stderr() {
            return Self { message: "it would print a text and run nothing".to_owned(), tip: None };
        }
        let text = error.render().to_string();
        let mut parts = text.trim_start_matches("error: ").split("\n\n");
        let message = parts.next().unwrap_or_default().trim_end().to_owned();
        let tip = parts.find_map(|part| part.trim().strip_prefix("tip: ").map(str::to_owned));
        Self { message, tip }
    }
}

fn known_servers(file: Option<&Path>, known: &[String]) -> String {
    match (file, known) {
        (None, _) | (_, []) => "; there is no settings file with servers in it".to_owned(),
        (Some(file), known) => format!("; {} has {}", file.display(), known.join(", ")),
    }
}

impl From<recipe::Faults> for Error {
    fn from(faults: recipe::Faults) -> Self {
        Self::Recipe(faults)
    }
}

impl Error {
    /// The exit code that tells it apart.
    pub fn exit(&self) -> Exit {
        match self {
            Self::ReadSettings { .. }
            | Self::PathNotText(_)
            | Self::RecipeList { .. }
            | Self::Cache { .. }
            | Self::OtherBytes { .. }
            | Self::FileExists { .. }
            | Self::WriteFile { .. }
            | Self::OpenReport { .. } => Exit::Local,
            Self::ReadReport { source, .. } | Self::MergeReports(source) => {
                Exit::of(pipeline::Diagnose::kind(source))
            }
            // All of what a unit says was typed.
            Self::Schedule(error) if pipeline::Diagnose::kind(error) == FailureKind::Recipe => Exit::Usage,
            Self::Remembered(state::Error::Ambiguous { .. }) | Self::NoRun(_) => Exit::Usage,
            Self::Remembered(source) | Self::Busy { source, .. } => {
                Exit::of(pipeline::Diagnose::kind(source))
            }
            Self::File(error) => Exit::of(pipeline::Diagnose::kind(error)),
            Self::Look { source, .. } => Exit::of(pipeline::Diagnose::kind(&**source)),
            Self::NoPackage { .. } | Self::NoDownload { .. } => Exit::Remote,
            Self::NotProven { .. } => Exit::Unverified,
            Self::ParseSettings { .. }
            | Self::OpenSecrets { .. }
            | Self::Setting { .. }
            | Self::ServerTable { .. }
            | Self::NotOfServer { .. }
            | Self::Notify { .. }
            | Self::Nobody
            | Self::Selection(_)
            | Self::Recipe(_) => Exit::Recipe,
            Self::Secret { source, .. } => Exit::of(pipeline::Diagnose::kind(&**source)),
            Self::News(error) => Exit::of(pipeline::Diagnose::kind(error)),
            Self::Interrupted => Exit::Interrupted,
            Self::Shard(_)
            | Self::UnknownProcessor { .. }
            | Self::OneFileOnly { .. }
            | Self::UnknownServer { .. }
            | Self::OneForSeveral { .. }
            | Self::Contradicted { .. }
            | Self::FileName(_)
            | Self::ToItself { .. }
            | Self::ReportShape(_)
            | Self::RunArguments(_)
            | Self::UnknownProgram
            | Self::SandboxAndServer
            | Self::NeedsSandbox { .. }
            | Self::OneServerOnly { .. } => Exit::Usage,
            // A reader that has seen enough (`| head`) is no failure.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            Self::Client(error) => Exit::of(pipeline::Diagnose::kind(error)),
            Self::Registry(_)
            | Self::Schedule(_)
            | Self::State(_)
            | Self::Sandbox(_)
            | Self::TemporaryFolder(_)
            | Self::Runtime(_)
            | Self::Output(_) => Exit::Internal,
        }
    }

    /// Whether it is a reader that went away.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl From<FailureKind> for Exit {
    fn from(kind: FailureKind) -> Self {
        Self::of(kind)
    }
}
