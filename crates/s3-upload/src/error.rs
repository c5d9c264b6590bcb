use crate::S3Error;
use crate::parts::LARGEST_FILE;
use pipeline::{Diagnose, EnvError, FailureKind, FileName, InvalidFileName};
use std::fmt;
use std::path::PathBuf;

/// A file was not sent.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An input is wrong.
    #[error(transparent)]
    Input(#[from] EnvError),
    /// `PKGFERRY_S3_ENDPOINT` is wrong.
    #[error("PKGFERRY_S3_ENDPOINT {endpoint} cannot be used: {reason}")]
    Endpoint {
        /// The setting.
        endpoint: String,
        /// Why not.
        reason: &'static str,
    },
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] fingerprint::Error),
    /// The file is larger than S3 takes.
    #[error("{} is too large: it has {size} bytes, and S3 takes {LARGEST_FILE}", .path.display())]
    TooLarge {
        /// Which.
        path: PathBuf,
        /// Its size.
        size: u64,
    },
    /// The file is not the one that was planned any more.
    #[error("{} changed after the upload was planned; nothing of it was put in place", .path.display())]
    Changed {
        /// Which.
        path: PathBuf,
    },
    /// Ctrl-C.
    #[error("the upload of {file} was interrupted{leftover}")]
    Interrupted {
        /// Name of the file.
        file: FileName,
        /// What became of the parts that were sent.
        leftover: Leftover,
    },
    /// The distribution service could not be asked.
    #[error("the list of the distribution service could not be read, so {file} was not put in place")]
    List {
        /// Name of the file.
        file: FileName,
        /// Why.
        source: Box<jamf::Error>,
    },
    /// Several listed names are one name to a person; which of them is meant nobody may guess.
    #[error(
        "the distribution service lists {} files whose names differ only in how their characters are encoded: {}; \
         nothing was deleted or put in place",
        names.len(),
        list(names)
    )]
    SeveralFiles {
        /// The names, as the server spells them.
        names: Vec<String>,
    },
    /// The server's spelling is too long once decomposed, or the like.
    #[error("the server's spelling of {file} cannot be used")]
    Spelling {
        /// Name of the file.
        file: FileName,
        /// Why not.
        source: InvalidFileName,
    },
    /// The plan said that there was nothing to replace, and now there is.
    #[error(
        "{file} appeared on the server after the plan was made; it was left alone, and the new one was not put in place"
    )]
    Appeared {
        /// Name of the file.
        file: FileName,
    },
    /// The file to replace is another one than the plan showed.
    #[error(
        "the {file} on the server changed after the plan was made; it was left alone, and the new one was not put in \
         place"
    )]
    NotAsPlanned {
        /// Name of the file.
        file: FileName,
    },
    /// The credentials might end between the deletion of the old file and the completion of the new one.
    #[error(
        "the upload credentials end too soon to replace {file} safely, and there are no new ones; the old file was left \
         alone"
    )]
    ShortLived {
        /// Name of the file.
        file: FileName,
        /// Why there are no new ones; `None` if those that came had ended as well.
        source: Option<Box<jamf::Error>>,
    },
    /// There are no credentials to begin anew with.
    #[error("the upload of {file} cannot be gone on with, and there are no credentials to begin it anew")]
    NoCredentials {
        /// Name of the file.
        file: FileName,
        /// Why.
        source: Box<jamf::Error>,
    },
    /// S3 did not begin the upload.
    #[error("the upload of {file} could not begin")]
    Begin {
        /// Name of the file.
        file: FileName,
        /// Why.
        source: S3Error,
    },
    /// A part could not be sent, retries included.
    #[error("part {number} of {count} of {file} could not be sent")]
    Part {
        /// Name of the file.
        file: FileName,
        /// Number of the part, from 1.
        number: i32,
        /// Parts in all.
        count: u64,
        /// Why.
        source: S3Error,
    },
    /// S3 has not confirmed every byte. Completing would make a shorter file without any error (`jamf-pro-api.md §9.5`).
    #[error("S3 confirmed {parts} parts and {bytes} bytes of {file}, which has {count} and {size}")]
    Unconfirmed {
        /// Name of the file.
        file: FileName,
        /// Parts confirmed with an ETag.
        parts: u64,
        /// Bytes in them.
        bytes: u64,
        /// Parts in all.
        count: u64,
        /// Bytes in all.
        size: u64,
    },
    /// The old file could not be deleted, and is still there.
    #[error("the old {file} could not be deleted; it is still there, and the new one was not put in place")]
    Delete {
        /// Name of the file.
        file: FileName,
        /// Why.
        source: Box<jamf::Error>,
    },
    /// S3 did not make a file of the parts. Nothing had been deleted, unless by an earlier run that began the upload.
    #[error("S3 did not put {file} together; this run deleted nothing for it")]
    NotCompleted {
        /// Name of the file.
        file: FileName,
        /// Why.
        source: S3Error,
        /// Whether S3 may have done it all the same, at a try whose answer was lost.
        may_be_done: bool,
    },
    /// S3 did not make a file of the parts, after the old file had gone.
    #[error("{file} IS MISSING: the old file was deleted, and S3 did not put the new one together")]
    Lost {
        /// Name of the file.
        file: FileName,
        /// Why.
        source: S3Error,
    },
}

/// What became of the parts of an upload that ended early.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Leftover {
    /// Nothing was sent, or nobody has looked yet.
    #[default]
    None,
    /// They were removed.
    Removed,
    /// They are kept on purpose.
    Kept,
    /// They could not be removed.
    Stuck,
    /// They are in S3, which was asked to complete them.
    Asked,
    /// Nothing was sent. An earlier run has asked S3 for the file.
    AskedBefore,
}

/// As the end of a sentence.
impl fmt::Display for Leftover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "; nothing of it was put in place",
            Self::Removed => "; nothing of it was put in place, and its parts were removed from S3",
            Self::Kept => {
                "; nothing of it was put in place; its parts are kept, and the next run goes on with them"
            }
            Self::Stuck => {
                "; nothing of it was put in place; its parts could not be removed, and the next run goes on with them"
            }
            Self::Asked => "; S3 was asked to put it together, and may do so yet",
            Self::AskedBefore => {
                "; nothing of it was put in place by this run; S3 was asked for it by an earlier one, and may have done it since"
            }
        })
    }
}

impl Error {
    /// The same, with what became of the parts.
    pub(crate) fn leaving(self, leftover: Leftover) -> Self {
        match self {
            Self::Interrupted { file, .. } => Self::Interrupted { file, leftover },
            other => other,
        }
    }

    /// Whether the same upload may do better later: nothing is wrong with the file, nor with what the server holds.
    pub(crate) fn is_worth_keeping_for(&self) -> bool {
        match self {
            Self::Interrupted { .. } => true,
            Self::Part { source, .. } => source.may_pass(),
            Self::List { source, .. } => source.kind() == FailureKind::Remote,
            Self::ShortLived { .. } => true,
            _ => false,
        }
    }

    /// Whether nothing of the file was sent when an upload was refused, so that another route may be tried.
    pub(crate) fn is_refusal_to_begin(&self) -> bool {
        match self {
            // Also where no answer came: a network that does not let S3 through may let Jamf Pro through.
            Self::Begin { source, .. } => !matches!(source, S3Error::Refused(_)),
            Self::NoCredentials { source, .. } => source.is_refusal(),
            _ => false,
        }
    }

    /// Whether the server does not give the list.
    pub(crate) fn is_refused_list(&self) -> bool {
        matches!(self, Self::List { source, .. } if source.is_refusal())
    }

    /// Whether S3 did not understand the checksums.
    pub(crate) fn refuses_checksums(&self) -> bool {
        match self {
            Self::Begin { source, .. }
            | Self::Part { source, .. }
            | Self::NotCompleted { source, .. }
            | Self::Lost { source, .. } => source.refuses_checksums(),
            _ => false,
        }
    }

    /// Whether an upload of an earlier run cannot be gone on with: S3 has forgotten it, or the credentials do not open it.
    pub(crate) fn shuts_out(&self) -> bool {
        match self {
            Self::Begin { source, .. } | Self::Part { source, .. } | Self::NotCompleted { source, .. } => {
                source.shuts_out()
            }
            _ => false,
        }
    }

    /// Whether the credentials do not open an upload that S3 may still know.
    pub(crate) fn locks_out(&self) -> bool {
        match self {
            Self::Part { source, .. } | Self::NotCompleted { source, .. } => source.locks_out(),
            _ => false,
        }
    }

    /// Whether the credentials have ended and cannot be renewed, since another upload was begun after this one. Nothing was deleted
    /// for it.
    pub(crate) fn is_superseded(&self) -> bool {
        match self {
            Self::Begin { source, .. } | Self::Part { source, .. } | Self::NotCompleted { source, .. } => {
                source.is_superseded()
            }
            Self::ShortLived { source: Some(source), .. } => matches!(**source, jamf::Error::Superseded),
            _ => false,
        }
    }

    /// Whether the parts in S3 may still become the file: S3 was asked to complete and nobody knows what it did, or the old
    /// file has gone and they are all that there is.
    pub(crate) fn needs_the_parts(&self) -> bool {
        match self {
            Self::Lost { .. } | Self::Interrupted { leftover: Leftover::Asked, .. } => true,
            Self::NotCompleted { source, may_be_done, .. } => {
                source.may_pass() || (*may_be_done && self.refused_completion().is_none())
            }
            _ => false,
        }
    }

    /// Whether S3 does not know the upload, and has not put it together: whoever sends the file again makes no twin.
    pub(crate) fn is_forgotten(&self) -> bool {
        matches!(self, Self::Lost { source, .. } if source.is_forgotten())
    }

    /// Why S3 will never make a file of the parts, although the credentials open them.
    pub(crate) fn refused_completion(&self) -> Option<&S3Error> {
        // Without a code it is somebody in between who says so.
        let Self::NotCompleted { source: source @ S3Error::Answer { code: Some(_), .. }, .. } = self else {
            return None;
        };
        let is_lasting = !source.may_pass() && !source.shuts_out() && !source.refuses_checksums();
        is_lasting.then_some(source)
    }
}

/// Names in which composed and decomposed characters do not look alike.
fn list(names: &[String]) -> String {
    names.iter().map(|name| name.escape_default().to_string()).collect::<Vec<_>>().join(", ")
}

impl Diagnose for Error {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Input(_) | Self::Endpoint { .. } => FailureKind::Recipe,
            Self::File(source) => source.kind(),
            Self::TooLarge { .. } | Self::Changed { .. } => FailureKind::Local,
            Self::Interrupted { .. } => FailureKind::Interrupted,
            Self::List { source, .. }
            | Self::Delete { source, .. }
            | Self::NoCredentials { source, .. }
            | Self::ShortLived { source: Some(source), .. } => source.kind(),
            Self::Part { source, .. } if source.is_damage() => FailureKind::Remote,
            Self::Begin { source, .. } | Self::Part { source, .. } => source.kind(),
            Self::NotCompleted { source, .. } => source.kind(),
            Self::SeveralFiles { .. }
            | Self::Spelling { .. }
            | Self::Appeared { .. }
            | Self::NotAsPlanned { .. }
            | Self::ShortLived { source: None, .. }
            | Self::Unconfirmed { .. }
            | Self::Lost { .. } => FailureKind::Remote,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Input(_) | Self::TooLarge { .. } | Self::Spelling { .. } => None,
            Self::Interrupted { leftover: Leftover::Kept | Leftover::Stuck, .. } => {
                Some("run again: it goes on where it stopped".into())
            }
            Self::Interrupted { leftover: Leftover::Asked, .. } => {
                Some("run again: it goes on with what was sent".into())
            }
            Self::Interrupted { leftover: Leftover::AskedBefore, .. } => {
                Some("run again: it looks whether the file is listed by then".into())
            }
            Self::Interrupted { leftover: Leftover::None | Leftover::Removed, .. } => Some(
                "run again: the file is sent from its beginning; with --keep-partial an interrupted upload goes on where it \
                 stopped"
                    .into(),
            ),
            Self::Endpoint { .. } => Some("leave it unset to reach Amazon's S3".into()),
            Self::File(source) => source.hint(),
            Self::Changed { .. } => Some("run again when nothing writes to the file any more".into()),
            Self::List { source, .. } | Self::Delete { source, .. } | Self::NoCredentials { source, .. } => source.hint(),
            Self::SeveralFiles { .. } => Some(
                "find out which of these files the package record serves, and delete the others; then run again".into(),
            ),
            Self::Appeared { .. } | Self::NotAsPlanned { .. } => {
                Some("run again: the plan then shows the file that is there now".into())
            }
            Self::ShortLived { source, .. } => source
                .as_ref()
                .and_then(|source| source.hint())
                .or_else(|| Some("run again: the upload begins with new credentials".into())),
            Self::Part { source, .. } if source.is_damage() => {
                Some("bytes were damaged or lost on the way, again and again; try another network".into())
            }
            Self::Begin { source, .. } | Self::Part { source, .. } => source.hint(),
            Self::NotCompleted { source, .. } => source.hint(),
            Self::Unconfirmed { .. } => Some("run again; if it happens again, please report it".into()),
            Self::Lost { .. } => Some(
                "run the same again at once: it sends the file anew. Until then computers cannot install it"
                    .into(),
            ),
        }
    }
}
