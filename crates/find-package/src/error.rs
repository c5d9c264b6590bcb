use jamf::Package;
use pipeline::{Diagnose, FailureKind, FileName, InvalidFileName, PackageId};

/// The server holds something that nobody may guess about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// More than one record names the file; servers that were filled through the Classic API may hold such
    /// (`jamf-pro-api.md §12`, `user-pains.md` row 22).
    #[error("{} package records name the file {file}: {}", records.len(), list_records(records))]
    SeveralRecords {
        /// The file.
        file: FileName,
        /// Id and display name of each.
        records: Vec<(PackageId, String)>,
    },
    /// Several listed names are one name to a person: they differ in Unicode normalisation.
    #[error(
        "the distribution service lists {} files whose names differ only in how their characters are encoded: {}",
        names.len(),
        list_names(names)
    )]
    SeveralFiles {
        /// The names, as the server spells them.
        names: Vec<String>,
    },
    /// The server's spelling is too long once decomposed, or the like.
    #[error("the server's spelling of {file} cannot be used")]
    Spelling {
        /// The file.
        file: FileName,
        /// Why not.
        source: InvalidFileName,
    },
}

impl Error {
    pub(crate) fn several_records(file: &FileName, records: &[Package]) -> Self {
        let records = records.iter().map(|record| (record.id, record.display_name.clone())).collect();
        Self::SeveralRecords { file: file.clone(), records }
    }
}

impl Diagnose for Error {
    fn kind(&self) -> FailureKind {
        FailureKind::Remote
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::SeveralRecords { .. } => {
                "delete all but one of these records in Jamf Pro, or let the others name another file; mind the policies \
                 that use them"
            }
            Self::SeveralFiles { .. } => {
                "find out which of these files the package record serves, and delete the others"
            }
            Self::Spelling { .. } => return None,
        };
        Some(hint.to_owned())
    }
}

fn list_records(records: &[(PackageId, String)]) -> String {
    let each = records.iter().map(|(id, display_name)| format!("{id} ({display_name:?})"));
    each.collect::<Vec<_>>().join(", ")
}

fn list_names(names: &[String]) -> String {
    names.iter().map(|name| encoded(name)).collect::<Vec<_>>().join(", ")
}

/// A name in which composed and decomposed characters do not look alike.
pub(crate) fn encoded(name: &str) -> String {
    name.escape_default().to_string()
}
