use clap::{Args, Subcommand};
use std::num::NonZeroU32;

#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Print events as JSON lines and a final result, instead of text
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// A run, by the beginning of its id: show its packages and steps
    #[arg(value_name = "RUN", conflicts_with = "package")]
    pub run: Option<String>,
    /// Show what became of one package, by the name of its file
    #[arg(long, value_name = "NAME")]
    pub package: Option<String>,
    /// How many runs, or entries of a package, are shown; the newest first
    #[arg(short = 'n', long, value_name = "N", default_value = "20")]
    pub last: NonZeroU32,
    /// Forget runs that are older than so many days, but for the newest 100
    #[arg(long, value_name = "DAYS", conflicts_with_all = ["run", "package"])]
    pub prune: Option<u32>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct CacheArgs {
    #[command(subcommand)]
    pub command: CacheCommand,
}

#[derive(Debug, Subcommand)]
pub enum CacheCommand {
    /// Show how many digests are remembered, and how much room they take
    Show {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Forget digests that nobody needs
    Prune(PruneArgs),
}

#[derive(Debug, Args)]
pub struct PruneArgs {
    /// Forget those that were not used for so many days
    #[arg(long, value_name = "DAYS")]
    pub unused_for: Option<u32>,
    /// Keep at most so many, those that were used last
    #[arg(long, value_name = "N")]
    pub at_most: Option<u64>,
    /// Forget those of files that are not there any more
    #[arg(long)]
    pub missing: bool,
    /// Say what would be forgotten, and forget nothing
    #[arg(long)]
    pub dry_run: bool,
}
