//! Units for schedulers, so that `pkgferry run` happens every night without anybody.
//!
//! A [`Request`] says what runs and when; a [`Target`] says which scheduler, and what only that one wants to know.
//! [`write()`] turns both into the text of one or several files and a few words on how to install them.
//!
//! - [`Recurrence`] is a time of day, on all or some weekdays, or every so many hours; each scheduler gets it in its own
//!   notation.
//! - Paths and arguments arrive as they were given, whatever is in them: each format's own quoting is used, and what a
//!   format cannot say is an [`Error`] rather than something else.
//! - Secrets are referenced by name ([`SecretName`]) and never written down. Text that looks like a secret is refused
//!   wherever it is given.
//! - Shards: where one scheduler starts all of them, each finds out by itself which it is (`--shard auto`); launchd,
//!   systemd and cron know only their own machine, so each machine gets its own number.
//! - CI servers get pkgferry itself first ([`Install`]), keep what is remembered between nights on machines that are new each
//!   time, and merge the reports of shards. A run there begins nothing more some time before its job is ended.
//! - A report is left without being asked for, wherever a file outlasts the run.
//!
//! It is pure: nothing is installed, read or asked for, and the same request gives the same text.
//!
//! ```
//! use schedule::{Request, Systemd, Target, write};
//!
//! let request = Request {
//!     list: Some("/etc/pkgferry/nightly.txt".parse()?),
//!     ..Request::new("nightly".parse()?, "/usr/local/bin/pkgferry".parse()?, "Mon-Fri 03:00".parse()?)
//! };
//! let written = write(&request, &Target::Systemd(Systemd::default()))?;
//! assert_eq!(written.files[1].name, "pkgferry-nightly.timer");
//! assert!(written.files[1].text.contains("OnCalendar=Mon..Fri *-*-* 03:00:00\n"));
//! # Ok::<(), schedule::Error>(())
//! ```

mod ci;
mod command;
mod cron;
mod error;
mod exit;
mod github;
mod gitlab;
mod kubernetes;
mod launchd;
mod quote;
mod recurrence;
mod request;
mod secret;
mod systemd;
mod target;
mod text;
mod yaml;

pub use ci::{Install, SOURCE};
pub use cron::Cron;
pub use error::Error;
pub use github::GithubActions;
pub use gitlab::Gitlab;
pub use kubernetes::{CONFIG_FOLDER, Kubernetes, PACKAGES_FOLDER};
pub use recurrence::{InvalidRecurrence, Recurrence};
pub use request::Request;
pub use systemd::Systemd;
pub use target::{Kind, Surroundings, Target, UnitFile, Written, write};
pub use text::{
    Argument, FilePath, Image, KubernetesName, MailAddress, Name, RecipeName, RunnerLabel, Script,
    SecretName, ServerName, ShardCount, TimeZone, UserName,
};
