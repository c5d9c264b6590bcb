use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct ReportArgs {
    #[command(subcommand)]
    pub command: ReportCommand,
}

#[derive(Debug, Subcommand)]
pub enum ReportCommand {
    /// Make one report of those of several shards, or another shape of one
    Merge(MergeArgs),
}

/// For the help of `report merge`: how its exit code comes about.
const EXIT: &str = "\
The exit code is the worst that the merged runs ended with: 130 if one was interrupted or did not end, or if a shard is missing; \
else that of the first failure; else 9 if one came to its deadline; else 7 if a package is not verified; else 0.";

#[derive(Debug, Args)]
#[command(after_help = EXIT)]
pub struct MergeArgs {
    /// Reports that runs have written with --report FILE.json, in any order. A single one may be given too, for another shape of it
    #[arg(required = true, value_name = "REPORT.json")]
    pub reports: Vec<PathBuf>,
    /// Write the merged report; may be repeated. The extension says its shape: json, plist (AutoPkg), xml (JUnit), md or html
    #[arg(short, long = "output", value_name = "FILE")]
    pub outputs: Vec<PathBuf>,
    /// End with 0 whatever the reports say, if they could be merged
    #[arg(long)]
    pub exit_zero: bool,
}
