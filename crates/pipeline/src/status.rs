use serde::{Deserialize, Serialize};

/// What came of a package, in one word. Failures come first, as everywhere in a report. Reports write and read it as its
/// [key](Self::key).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// A step failed, or the recipe is wrong.
    Failed,
    /// Somebody pressed Ctrl-C or sent SIGTERM while it was being worked on.
    Interrupted,
    /// It was being worked on when the report was written; in a report of a run that ended, nobody heard how it ended. Nothing
    /// that has ended has it.
    Running,
    /// Its turn did not come, or the run stopped before anything was done for it that lasts.
    NotBegun,
    /// Something was sent, and the server has not shown that it holds the right bytes.
    Unverified,
    /// A file was sent in place of another.
    Replaced,
    /// A file was sent that the server did not have.
    Created,
    /// No file was sent; the record or a category was changed.
    MetadataOnly,
    /// A file was fetched from the server, and none was sent.
    Downloaded,
    /// Everything was there already.
    Skipped,
}

impl Status {
    /// All of them, in the order of a report.
    pub const ALL: [Self; 10] = [
        Self::Failed,
        Self::Interrupted,
        Self::Running,
        Self::NotBegun,
        Self::Unverified,
        Self::Replaced,
        Self::Created,
        Self::MetadataOnly,
        Self::Downloaded,
        Self::Skipped,
    ];

    /// The word for a person.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Running => "running",
            Self::NotBegun => "not begun",
            Self::Unverified => "unverified",
            Self::Replaced => "replaced",
            Self::Created => "created",
            Self::MetadataOnly => "metadata only",
            Self::Downloaded => "downloaded",
            Self::Skipped => "skipped",
        }
    }

    /// The word where it is read when all is over: what was being worked on then did not end.
    #[must_use]
    pub const fn final_word(self) -> &'static str {
        match self {
            Self::Running => "did not end",
            other => other.word(),
        }
    }

    /// The word for a program, as it is written and stored.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::NotBegun => "not-begun",
            Self::MetadataOnly => "metadata-only",
            other => other.word(),
        }
    }

    /// The one with this [key](Self::key).
    #[must_use]
    pub fn of_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.key() == key)
    }

    /// Whether the server holds the file that the recipe carries.
    #[must_use]
    pub const fn is_in_place(self) -> bool {
        matches!(self, Self::Replaced | Self::Created | Self::MetadataOnly | Self::Skipped)
    }

    /// Whether something was changed and is known to be right.
    #[must_use]
    pub const fn is_change(self) -> bool {
        matches!(self, Self::Replaced | Self::Created | Self::MetadataOnly | Self::Downloaded)
    }
}
