use super::{Mode, Variables};
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct PromoteArgs {
    /// Name of the package's file, as its record has it
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Server that the package is on, by the name of its [servers.NAME] table
    #[arg(long, value_name = "SERVER")]
    pub from: String,
    /// Server that it goes to; may be repeated
    #[arg(long, value_name = "SERVER", required = true)]
    pub to: Vec<String>,
    /// The package's bytes; carried only if they are those that are proven on the first server
    #[arg(long, value_name = "FILE", conflicts_with = "cache")]
    pub file: Option<PathBuf>,
    /// Folder that keeps the package afterwards; without it the package ends with the run
    #[arg(long, value_name = "DIR")]
    pub cache: Option<PathBuf>,
    /// Carry the file alone, and nothing that its record says
    #[arg(long)]
    pub file_only: bool,
    /// Create the category where it is missing
    #[arg(long, conflicts_with = "file_only")]
    pub create_category: bool,
    #[command(flatten)]
    pub variables: Variables,
    #[command(flatten)]
    pub mode: Mode,
}
