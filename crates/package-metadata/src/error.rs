use pipeline::{Diagnose, EnvError, FailureKind, FileName, PackageId};

/// Why a package record cannot be made what the recipe wants.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Jamf Pro accepts four extensions only (`jamf-pro-api.md §5.1`).
    #[error("{file} is no package to Jamf Pro: its name must end in .pkg, .mpkg, .dmg or .zip")]
    UnsupportedFileType {
        /// The file.
        file: FileName,
    },
    /// Filling homes works for disk images only (`jamf-pro-api.md §5.1`).
    #[error("{input} is true for {file}: Jamf Pro allows it for a .dmg only")]
    DiskImageOnly {
        /// The input.
        input: &'static str,
        /// The file.
        file: FileName,
    },
    /// Another record has the display name; Jamf Pro would refuse (`DUPLICATE_FIELD`, `jamf-pro-api.md §5.3`).
    #[error("record {id} already has the display name {display_name:?}, and its file is {file}")]
    DisplayNameTaken {
        /// The display name.
        display_name: String,
        /// The record that has it.
        id: PackageId,
        /// That record's file.
        file: String,
    },
    /// The category is not there.
    #[error("there is no category {name:?}")]
    NoSuchCategory {
        /// Its name.
        name: String,
    },
    /// The record was there a moment ago.
    #[error("record {id} is gone")]
    RecordGone {
        /// Its id.
        id: PackageId,
    },
    /// Somebody pressed Ctrl-C.
    #[error("interrupted while record {id} was read back; it is written")]
    Interrupted {
        /// The record.
        id: PackageId,
    },
    /// The environment could not be read.
    #[error(transparent)]
    Env(#[from] EnvError),
    /// Talking to Jamf Pro failed.
    #[error(transparent)]
    Jamf(#[from] jamf::Error),
}

impl Diagnose for Error {
    fn kind(&self) -> FailureKind {
        match self {
            Self::UnsupportedFileType { .. } | Self::DiskImageOnly { .. } | Self::NoSuchCategory { .. } => {
                FailureKind::Recipe
            }
            Self::DisplayNameTaken { .. } | Self::RecordGone { .. } => FailureKind::Remote,
            Self::Interrupted { .. } => FailureKind::Interrupted,
            Self::Env(error) => error.kind(),
            Self::Jamf(error) => error.kind(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::UnsupportedFileType { .. } => {
                Some("set pkg_name, or zip what is not a flat package".into())
            }
            Self::DisplayNameTaken { id, .. } => {
                Some(format!("choose another pkg_display_name, or correct the file name of record {id}"))
            }
            Self::NoSuchCategory { .. } => {
                Some("capitals count; create it in Jamf Pro, or set create_category: true (pkgferry upload: --create-category)".into())
            }
            Self::RecordGone { .. } => Some("somebody deleted it meanwhile: run again".into()),
            Self::Interrupted { .. } => Some("run again: only what still differs is written".into()),
            Self::Env(error) => error.hint(),
            Self::Jamf(error) => error.hint(),
            Self::DiskImageOnly { .. } => None,
        }
    }
}
