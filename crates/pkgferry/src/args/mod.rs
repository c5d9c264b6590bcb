//! What can be typed. Nothing here decides anything.

mod examine;
mod promote;
mod rehearsal;
mod remembered;
mod report;
mod run;
mod schedule;

pub use examine::{DoctorArgs, Size};
pub use promote::PromoteArgs;
pub use rehearsal::{GatewayAddressing, Played, Rehearsal, SandboxArgs};
pub use remembered::{CacheArgs, CacheCommand, CachePruneArgs, HistoryArgs, VerifyArgs};
pub use report::{MergeArgs, ReportArgs, ReportCommand};
pub use run::{Deadline, Mode, RecipeArgs, RunArgs};
pub use schedule::{InstallArgs, ScheduleArgs, Scheduler, UnitArgs, When};

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Carries macOS installer packages into Jamf Cloud. What is already there, byte for byte, is not sent again.
#[derive(Debug, Parser)]
#[command(name = "pkgferry", version, arg_required_else_help = true, after_help = crate::exit::HELP)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

// Each command's own options come first, not in between.
#[derive(Debug, Args)]
#[command(next_help_heading = "General options")]
pub struct Global {
    /// Settings file (TOML); also PKGFERRY_SETTINGS. Default: pkgferry/settings.toml in the user's configuration folder
    #[arg(long, global = true, value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// Folder to look for recipes and parents in; may be repeated, and comes before RECIPE_SEARCH_DIRS of the settings
    #[arg(short = 'd', long = "search-dir", global = true, value_name = "DIR")]
    pub search_dirs: Vec<PathBuf>,
    /// Server of the settings file, by the name of its [servers.NAME] table; may be repeated, and the work is then done on
    /// each in turn. Also PKGFERRY_SERVER, where commas separate names
    #[arg(long = "server", global = true, value_name = "NAME")]
    pub servers: Vec<String>,
    /// Address of the Jamf Pro server; also JSS_URL
    #[arg(long, global = true, value_name = "URL")]
    pub url: Option<String>,
    /// Id of an API client; also CLIENT_ID. Its secret comes from CLIENT_SECRET or the settings file, never from here
    #[arg(long, global = true, value_name = "ID")]
    pub client_id: Option<String>,
    /// Name of a user account; also API_USERNAME. Its password comes from API_PASSWORD or the settings file
    #[arg(long, global = true, value_name = "NAME")]
    pub username: Option<String>,
    /// Folder for what is remembered between runs; also PKGFERRY_STATE. Default: pkgferry in the user's state folder
    #[arg(long, global = true, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Which API serves package records
    #[arg(long, global = true, value_enum)]
    pub package_api: Option<PackageApi>,
    /// Which route files take into the cloud
    #[arg(long, global = true, value_enum)]
    pub route: Option<Route>,
    /// More detail; -vv and -vvv for requests and decisions. Secrets are never shown
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum PackageApi {
    /// The Pro API where the server has it, else the Classic API
    Auto,
    /// /api/v1/packages
    Pro,
    /// /JSSResource/packages
    Classic,
}

impl PackageApi {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Pro => "pro",
            Self::Classic => "classic",
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Route {
    /// The one that the server offers; where it offers both, jcds
    Auto,
    /// Straight into the storage of the distribution service: parts side by side, resumable
    Jcds,
    /// Through Jamf Pro, onto the package record
    PackagesApi,
}

impl Route {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Jcds => "jcds",
            Self::PackagesApi => "packages-api",
        }
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run recipes
    Run(Box<RunArgs>),
    /// Send package files with the shipped recipe, without writing one
    Upload(Box<UploadArgs>),
    /// Fetch a file of the distribution service, and prove that it is the listed one
    Download(Box<DownloadArgs>),
    /// Carry a package that is proven on one server to others, without building it again
    Promote(Box<PromoteArgs>),
    /// Look for what would keep packages from arriving, and say how to mend it; changes nothing
    Doctor(DoctorArgs),
    /// Send a test message to everybody who would be told of a run
    Notify,
    /// Go on with uploads that earlier runs have left unfinished, and remove what nobody can go on with
    Resume(ResumeArgs),
    /// Look again at what earlier runs have sent and not proven; sends nothing
    Verify(VerifyArgs),
    /// Show what earlier runs did
    History(HistoryArgs),
    /// Show or prune the digests that are remembered of local files
    Cache(CacheArgs),
    /// Check recipes and everything they refer to, without a network
    Check(CheckArgs),
    /// Show the resolved steps of a recipe and where each value comes from
    Explain(ExplainArgs),
    /// List the processors, or describe one
    Processors(ProcessorsArgs),
    /// Print the unit that lets a scheduler run recipes, and how to install it
    Schedule(Box<ScheduleArgs>),
    /// Work with reports that runs have written
    Report(ReportArgs),
    /// Serve the rehearsal server alone and print how to reach it
    Sandbox(SandboxArgs),
}

#[derive(Debug, Args)]
pub struct Variables {
    /// Set a variable of the recipe; wins over its Input. Secrets are refused here
    #[arg(short, long = "key", value_name = "KEY=VALUE", value_parser = key_value)]
    pub key: Vec<(String, String)>,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("it takes the form KEY=VALUE".to_owned()),
    }
}

#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// Go on with nothing: remove all that was left
    #[arg(long)]
    pub discard: bool,
    /// Keep what was sent when an upload is interrupted again
    #[arg(long)]
    pub keep_partial: bool,
    /// Print events as JSON lines and a final result, instead of text
    #[arg(long)]
    pub json: bool,
}

impl ResumeArgs {
    /// The mode of the runs that go on.
    pub fn mode(&self) -> Mode {
        Mode { json: self.json, keep_partial: self.keep_partial, ..Mode::default() }
    }
}

#[derive(Debug, Args)]
pub struct UploadArgs {
    /// Package files: pkg, mpkg, dmg or zip
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Category, by name
    #[arg(long, value_name = "NAME")]
    pub category: Option<String>,
    /// Create the category if it is missing
    #[arg(long)]
    pub create_category: bool,
    /// File name on the server; default: the file's own
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Display name of the record; default: the file name
    #[arg(long, value_name = "NAME")]
    pub display_name: Option<String>,
    /// Info text of the record
    #[arg(long, value_name = "TEXT")]
    pub info: Option<String>,
    /// Notes of the record
    #[arg(long, value_name = "TEXT")]
    pub notes: Option<String>,
    /// Priority of the record, 1 to 20
    #[arg(long, value_name = "N")]
    pub priority: Option<u32>,
    /// Whether computers restart after installation
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub reboot_required: Option<bool>,
    /// Operating systems the package is for, such as "14.x, 15.x"
    #[arg(long, value_name = "LIST")]
    pub os_requirements: Option<String>,
    /// Send the file even if the server holds the same bytes
    #[arg(long)]
    pub force: bool,
    #[command(flatten)]
    pub variables: Variables,
    #[command(flatten)]
    pub mode: Mode,
}

#[derive(Debug, Args)]
pub struct DownloadArgs {
    /// Name of the file in the distribution service
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Where it goes: a file, or a folder that is there
    #[arg(value_name = "TARGET", default_value = ".")]
    pub target: PathBuf,
    /// Replace a file that is there already and is another one
    #[arg(long)]
    pub overwrite: bool,
    #[command(flatten)]
    pub variables: Variables,
    #[command(flatten)]
    pub mode: Mode,
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    pub recipes: RecipeArgs,
    #[command(flatten)]
    pub variables: Variables,
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Recipe: a file, an identifier or a name
    #[arg(value_name = "RECIPE")]
    pub recipe: String,
    #[command(flatten)]
    pub variables: Variables,
}

#[derive(Debug, Args)]
pub struct ProcessorsArgs {
    /// The processor to describe
    pub name: Option<String>,
}
