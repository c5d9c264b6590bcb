use crate::run::Version;
use std::path::PathBuf;

/// A report cannot be read, merged or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text is no JSON.
    #[error("this is no JSON")]
    NotJson(#[source] serde_json::Error),
    /// JSON, but without the version that every report begins with.
    #[error("this JSON is no report of a run: it has no version")]
    NotAReport,
    /// A later program wrote it.
    #[error(
        "the report has version {found}, and this program reads versions {} to {}",
        Version::OLDEST,
        Version::NUMBER
    )]
    OtherVersion {
        /// Its version.
        found: u64,
    },
    /// The version is known, and the rest is not what that version says.
    #[error("the report is damaged")]
    Damaged(#[source] serde_json::Error),
    /// Nothing was given to merge.
    #[error("there are no reports to merge")]
    NothingToMerge,
    /// One run stands in several of the reports.
    #[error("run {id} is in several of the reports, so its packages would count twice")]
    SameRun {
        /// The run.
        id: String,
    },
    /// Plans and deeds do not add up.
    #[error(
        "run {dry} was a dry run and run {real} was not; what would have been and what was cannot be one report"
    )]
    DryAndReal {
        /// A dry run.
        dry: String,
        /// A real one.
        real: String,
    },
    /// The name of the file does not say which shape is meant.
    #[error("{} has none of the extensions json, plist, xml, md and html, which say what a report looks like", path.display())]
    UnknownExtension {
        /// The file.
        path: PathBuf,
    },
    /// A number does not fit a shape, or the like.
    #[error("the report cannot be written as {shape}")]
    Unwritable {
        /// The shape.
        shape: &'static str,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl pipeline::Diagnose for Error {
    fn kind(&self) -> pipeline::FailureKind {
        match self {
            Self::Unwritable { .. } => pipeline::FailureKind::Internal,
            Self::UnknownExtension { .. } => pipeline::FailureKind::Recipe,
            Self::NotJson(_)
            | Self::NotAReport
            | Self::OtherVersion { .. }
            | Self::Damaged(_)
            | Self::NothingToMerge
            | Self::SameRun { .. }
            | Self::DryAndReal { .. } => pipeline::FailureKind::Local,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NotJson(_) | Self::NotAReport => {
                "only reports that were written with --report FILE.json can be read"
            }
            Self::Damaged(_) => {
                "the file was changed or cut after it was written; let the run write it again"
            }
            Self::OtherVersion { found } if *found > u64::from(Version::NUMBER) => {
                "read it with a pkgferry that is at least as new as the one that wrote it"
            }
            Self::SameRun { .. } => "give each report once, and no merged report beside its parts",
            Self::DryAndReal { .. } => "merge the dry runs, and merge the others",
            Self::UnknownExtension { .. } => "name the file REPORT.html, for example",
            Self::OtherVersion { .. } | Self::NothingToMerge | Self::Unwritable { .. } => return None,
        };
        Some(hint.to_owned())
    }
}
