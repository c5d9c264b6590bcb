use super::{Rehearsal, Variables};
use batch::ShardChoice;
use clap::Args;
use jiff::{SignedDuration, Timestamp};
use notify::NotifyOn;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Which recipes are meant.
#[derive(Debug, Args)]
pub struct RecipeArgs {
    /// Recipes: files, identifiers, names, folders, or patterns such as 'recipes/**/*.recipe.yaml'
    #[arg(required_unless_present = "recipe_list", value_name = "RECIPE")]
    pub named: Vec<String>,
    /// File that lists recipes: text with one a line, or a plist, YAML or JSON list as AutoPkg knows it; may be repeated
    #[arg(short = 'l', long, value_name = "FILE")]
    pub recipe_list: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub struct RunArgs {
    #[command(flatten)]
    pub recipes: RecipeArgs,
    /// Take only the packages of one of N runs that share the work: K/N, or `auto` for what the scheduler says
    #[arg(long, value_name = "K/N")]
    pub shard: Option<ShardChoice>,
    #[command(flatten)]
    pub variables: Variables,
    #[command(flatten)]
    pub mode: Mode,
}

#[derive(Debug, Default, Args)]
pub struct Mode {
    /// Print the plan and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// With --dry-run: exit with 2 when changes are pending
    #[arg(long, requires = "dry_run")]
    pub detailed_exit_code: bool,
    /// Read files again, even if their digests are remembered
    #[arg(long)]
    pub rehash: bool,
    /// Keep what was sent when an upload is interrupted, so that the next run goes on with it
    #[arg(long)]
    pub keep_partial: bool,
    /// Print events as JSON lines and a final result, instead of text
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub side: Side,
    #[command(flatten)]
    pub rehearsal: Rehearsal,
}

/// What only matters to runs of many packages, and to runs that nobody watches.
#[derive(Debug, Default, Args)]
pub struct Side {
    /// How many packages are worked at side by side; default: 4. Files are hashed two at a time, and two are sent at a time
    #[arg(short, long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// Begin no package after this: a time from now such as 2h30m, or a moment such as 2026-11-22T05:30:00Z
    #[arg(long, value_name = "WHEN")]
    pub deadline: Option<Deadline>,
    /// Write a report of the run: .json, .html, .md, .xml (JUnit) or .plist (AutoPkg's); may be repeated
    #[arg(long = "report", value_name = "FILE")]
    pub reports: Vec<PathBuf>,
    /// Which runs the webhooks of the settings are told of: change, failure or always
    #[arg(long, value_name = "WHICH")]
    pub notify_on: Option<NotifyOn>,
}

/// When no more packages are begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deadline {
    /// So long after the start.
    After(SignedDuration),
    /// At this moment.
    At(Timestamp),
}

impl Deadline {
    /// As a moment of a run that starts now.
    pub fn of_run(self, now: Timestamp) -> Timestamp {
        match self {
            Self::After(time) => now.saturating_add(time).unwrap_or(Timestamp::MAX),
            Self::At(moment) => moment,
        }
    }
}

impl std::str::FromStr for Deadline {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let duration = text.parse().ok().filter(|time: &SignedDuration| time.is_positive());
        let moment = || text.parse().ok().map(Self::At);
        duration
            .map(Self::After)
            .or_else(moment)
            .ok_or("it is neither a time such as 2h30m nor a moment such as 2026-11-22T05:30:00Z")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_a_time_or_a_moment() {
        let now = "2026-11-21T22:00:00Z".parse().unwrap();
        let deadline = |text: &str| text.parse::<Deadline>().map(|deadline| deadline.of_run(now).to_string());
        assert_eq!(deadline("2h30m").as_deref(), Ok("2026-11-22T00:30:00Z"));
        assert_eq!(deadline("90 minutes").as_deref(), Ok("2026-11-21T23:30:00Z"));
        assert_eq!(deadline("2026-11-22T06:30:00+01:00").as_deref(), Ok("2026-11-22T05:30:00Z"));
        for wrong in ["", "soon", "-2h", "0s", "05:30", "2026-11-22T05:30:00"] {
            assert!(deadline(wrong).is_err(), "{wrong}");
        }
    }
}
