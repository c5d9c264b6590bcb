use pipeline::{Diagnose, FailureKind, FileName, InvalidFileName};

/// The server holds something that nobody may guess about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
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

impl Diagnose for Error {
    fn kind(&self) -> FailureKind {
        FailureKind::Remote
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::SeveralFiles { .. } => {
                "find out which of these files the package record serves, and delete the others"
            }
            Self::Spelling { .. } => return None,
        };
        Some(hint.to_owned())
    }
}

fn list_names(names: &[String]) -> String {
    names.iter().map(|name| encoded(name)).collect::<Vec<_>>().join(", ")
}

/// A name in which composed and decomposed characters do not look alike.
pub(crate) fn encoded(name: &str) -> String {
    name.escape_default().to_string()
}
