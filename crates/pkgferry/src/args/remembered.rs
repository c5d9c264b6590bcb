//! Commands over what is remembered between runs.

use super::{Mode, Variables};
use clap::{ArgGroup, Args, Subcommand};
use pipeline::FileName;
use std::num::NonZeroU32;

#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Give the proof of this file up instead: it was deleted or replaced since; may be repeated. Nothing is asked of the server
    #[arg(long, value_name = "NAME")]
    pub forget: Vec<FileName>,
    /// Print events as JSON lines and a final result, instead of text
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub variables: Variables,
}

impl VerifyArgs {
    /// The mode of the run that looks.
    pub fn mode(&self) -> Mode {
        Mode { json: self.json, ..Mode::default() }
    }
}

#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// Show one run with all that it did: its id, or how that begins
    #[arg(value_name = "RUN", conflicts_with_all = ["package", "prune"])]
    pub run: Option<String>,
    /// Show what runs did with the package of this file name
    #[arg(long, value_name = "NAME", conflicts_with = "prune")]
    pub package: Option<FileName>,
    /// How many are shown
    #[arg(short = 'n', long = "number", value_name = "N", default_value = "20")]
    pub number: NonZeroU32,
    /// Forget runs that are older than so many days; the newest hundred stay
    #[arg(long, value_name = "DAYS")]
    pub prune: Option<u32>,
    /// Print one line of JSON instead of text
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
    /// Tell how much is remembered, and what it takes on disk
    Show(CacheShowArgs),
    /// Forget digests, and give the room back to the disk. Their files are read again when they are needed
    Prune(CachePruneArgs),
}

#[derive(Debug, Args)]
pub struct CacheShowArgs {
    /// Print one line of JSON instead of text
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("condition").required(true).multiple(true))]
pub struct CachePruneArgs {
    /// Forget what no run has used for so many days
    #[arg(long, value_name = "DAYS", group = "condition")]
    pub unused_for: Option<u32>,
    /// Keep so many, those used last
    #[arg(long, value_name = "N", group = "condition")]
    pub at_most: Option<u64>,
    /// Forget files that are not there any more, or not now: a disk may not be mounted
    #[arg(long, group = "condition")]
    pub missing: bool,
    /// Tell how many would go, and keep them
    #[arg(long)]
    pub dry_run: bool,
}
