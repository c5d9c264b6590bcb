use clap::{Args, Subcommand};
use std::path::PathBuf;

/// What has to be known to read the flags of every scheduler.
const NOTES: &str = "\
Nothing is installed: the text goes to standard output, and how it is installed to standard error.

--settings, --state, --server, --search-dir and the other general options are those of the scheduled runs, \
and all paths are paths where the runs happen. Variables of this shell, such as PKGFERRY_SETTINGS, do not count.

Secrets are named (--secret CLIENT_SECRET) and never written down: their values stay with the scheduler or in the \
settings file. What looks like a secret is refused wherever it is given.";

const TIMES: &str = "\
Times:
  --at 03:00                       every day
  --at 'Mon-Fri 03:00'             also: Sat,Sun  weekdays  weekends  daily
  --every 6h --days weekdays       1, 2, 3, 4, 6, 8 or 12 hours, counted from midnight
  --every '6h at :20'              20 minutes past";

#[derive(Debug, Args)]
#[command(after_help = TIMES, after_long_help = long_notes())]
pub struct ScheduleArgs {
    #[command(subcommand)]
    pub scheduler: Scheduler,
}

#[derive(Debug, Subcommand)]
pub enum Scheduler {
    /// A LaunchDaemon of macOS
    #[command(after_help = TIMES, after_long_help = long_notes())]
    Launchd {
        #[command(flatten)]
        unit: UnitArgs,
    },
    /// A service of systemd with its timer
    #[command(after_help = TIMES, after_long_help = long_notes())]
    Systemd {
        #[command(flatten)]
        unit: UnitArgs,
        /// Folder that recipes write to, besides that of --state; may be repeated. All else is read-only to the run
        #[arg(long, value_name = "DIR")]
        writable: Vec<String>,
        /// Folder with a file for each secret, named like it. Default: /etc/pkgferry/credentials
        #[arg(long, value_name = "DIR")]
        credentials: Option<String>,
    },
    /// A file for /etc/cron.d if --user is given, else lines for somebody's own crontab
    #[command(after_help = TIMES, after_long_help = long_notes())]
    Cron {
        #[command(flatten)]
        unit: UnitArgs,
        /// Who gets what a run prints. Default: the owner of the crontab
        #[arg(long, value_name = "ADDRESS")]
        mail_to: Option<String>,
    },
    /// A workflow of GitHub Actions; its runner needs each secret named
    #[command(after_help = TIMES, after_long_help = long_notes())]
    GithubActions {
        #[command(flatten)]
        unit: UnitArgs,
        /// Label of the runner; may be repeated. Default: ubuntu-latest
        #[arg(long, value_name = "LABEL")]
        runs_on: Vec<String>,
        #[command(flatten)]
        install: InstallArgs,
    },
    /// A pipeline of GitLab CI
    #[command(after_help = TIMES, after_long_help = long_notes())]
    Gitlab {
        #[command(flatten)]
        unit: UnitArgs,
        /// Container image of the job, where the runner has containers. Default: one with Rust, if pkgferry is built
        #[arg(long, value_name = "IMAGE")]
        image: Option<String>,
        /// Tag of the runner; may be repeated
        #[arg(long = "tag", value_name = "TAG")]
        tags: Vec<String>,
        #[command(flatten)]
        install: InstallArgs,
    },
    /// A CronJob of Kubernetes that starts an Indexed Job, a pod for each shard
    #[command(after_help = TIMES, after_long_help = long_notes())]
    Kubernetes {
        #[command(flatten)]
        unit: UnitArgs,
        /// Container image that holds pkgferry
        #[arg(long, value_name = "IMAGE")]
        image: String,
        /// Namespace. Default: that of whoever applies the manifest
        #[arg(long, value_name = "NAME")]
        namespace: Option<String>,
        /// Kubernetes Secret with an entry for each --secret, named like it; without --secret, all of its entries become
        /// variables of the run
        #[arg(long, value_name = "NAME")]
        secrets_from: Option<String>,
        /// ConfigMap with settings file and recipes; the run finds it as /etc/pkgferry, which relative paths such as --settings
        /// settings.toml start from
        #[arg(long, value_name = "NAME")]
        config_map: Option<String>,
        /// Claim of the volume with package files; the run finds it as /packages, to read
        #[arg(long, value_name = "NAME")]
        packages_claim: Option<String>,
        /// Claim of a volume for what is remembered between runs, and for the report; without it, nothing is kept
        #[arg(long, value_name = "NAME")]
        state_claim: Option<String>,
    },
}

fn long_notes() -> String {
    format!("{TIMES}\n\n{NOTES}")
}

/// What every scheduler is told. Texts are read by the command and not here: clap would repeat a secret that was pasted by
/// mistake.
#[derive(Debug, Args)]
pub struct UnitArgs {
    /// Recipes to run: files, identifiers, names, folders or patterns
    #[arg(value_name = "RECIPE")]
    pub recipes: Vec<String>,
    /// Recipe list to run
    #[arg(long, value_name = "FILE")]
    pub recipe_list: Option<String>,
    #[command(flatten)]
    pub when: When,
    /// Days to run on. Default: all
    #[arg(long, value_name = "DAYS")]
    pub days: Option<String>,
    /// Clock that the times are on, such as Europe/Berlin. Default: the machine's own, and UTC for github-actions, gitlab and
    /// kubernetes; launchd and cron know no other
    #[arg(long, value_name = "ZONE")]
    pub time_zone: Option<String>,
    /// What the unit is called, behind pkgferry-
    #[arg(long, value_name = "NAME", default_value = "nightly")]
    pub name: String,
    /// Path of pkgferry where the runs happen. Default: this program's own for launchd, systemd and cron, else the pkgferry
    /// of the PATH there
    #[arg(long, value_name = "FILE")]
    pub program: Option<String>,
    /// Folder that relative paths start from, also those in recipe lists
    #[arg(long, value_name = "DIR")]
    pub working_dir: Option<String>,
    /// Folder for output and reports. Default: /Library/Logs/pkgferry for launchd, /var/log/pkgferry for systemd and, with --user,
    /// cron (reports alone), pkgferry-reports for github-actions and gitlab; else that of what is remembered
    #[arg(long, value_name = "DIR")]
    pub logs: Option<String>,
    /// Divide the packages among so many runs, 1 to 200. launchd, systemd and cron know only their own machine: a unit for
    /// each of so many machines
    #[arg(long, value_name = "N", default_value = "1")]
    pub shards: String,
    /// Account that runs it. Default: root for launchd, one made for the run by systemd, the crontab's owner for cron
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    /// Secret that the run needs, by name alone, such as CLIENT_SECRET; may be repeated
    #[arg(long = "secret", value_name = "NAME")]
    pub secrets: Vec<String>,
    /// Write the files into this folder instead of printing them
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Replace files that are there already
    #[arg(long, requires = "output")]
    pub force: bool,
    /// Further arguments of `pkgferry run`
    #[arg(last = true, value_name = "ARGUMENT")]
    pub arguments: Vec<String>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct When {
    /// Time of day to run at, or days and time
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// Run every so many hours
    #[arg(long, value_name = "HOURS")]
    pub every: Option<String>,
}

#[derive(Debug, Args)]
pub struct InstallArgs {
    /// Shell command that puts pkgferry where the job runs; may be repeated. It sees no secrets on GitHub. none: it is there
    /// already. Default: none with --program, a runner labelled self-hosted or an --image, else it is built from its source by
    /// cargo install
    #[arg(long = "install", value_name = "COMMAND")]
    pub commands: Vec<String>,
}
