//! What was seen, without any judgement: data that the checks work on.

use jamf::{DistributionPoint, ServerKind, TokenFacts, UploadCapability, Version};
use jiff::SignedDuration;
use jiff::civil::Date;
use pipeline::{PackageId, RouteChoice};
use s3_upload::Probe;
use std::path::PathBuf;
use std::time::Duration;

/// What asking for something came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen<T> {
    /// It is so.
    Told(T),
    /// The server does not tell it, or not to this account; why.
    NotTold(String),
    /// It could not be asked for, because something else had failed before.
    NotExamined,
    /// Asking failed.
    Failed(Trouble),
}

impl<T> Seen<T> {
    /// What was told.
    pub fn told(&self) -> Option<&T> {
        match self {
            Self::Told(told) => Some(told),
            Self::NotTold(_) | Self::NotExamined | Self::Failed(_) => None,
        }
    }

    /// The same about something that follows from it.
    pub(crate) fn map<U>(self, follows: impl FnOnce(T) -> U) -> Seen<U> {
        match self {
            Self::Told(told) => Seen::Told(follows(told)),
            Self::NotTold(why) => Seen::NotTold(why),
            Self::NotExamined => Seen::NotExamined,
            Self::Failed(trouble) => Seen::Failed(trouble),
        }
    }
}

/// Why asking failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The error with its causes.
    pub message: String,
    /// What its author advises.
    pub hint: Option<String>,
}

/// The transfer that a server is examined for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Bytes of the file.
    pub size: u64,
    /// Whether nobody said how large it is.
    pub is_assumed: bool,
    /// Bytes a second that leave this machine.
    pub rate: u64,
}

impl Expected {
    /// A gibibyte at ten mebibytes a second: what nobody has measured.
    pub const ASSUMED: Self = Self { size: 1 << 30, is_assumed: true, rate: 10 << 20 };

    /// How long the transfer takes.
    #[must_use]
    pub fn time(self) -> Duration {
        Duration::from_secs(self.size.div_ceil(self.rate.max(1)))
    }
}

/// Calls of the server, as far as they matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// Whether the calls of the distribution service are there; `None` if only their age is known.
    pub jcds: Option<bool>,
    /// Those that are used on one of the routes and marked as deprecated, and since when.
    pub deprecated: Vec<(Family, Option<Date>)>,
}

/// Calls that go or stay together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `/v1/jcds/…`
    Jcds,
    /// `/v1/packages…`
    Packages,
    /// `/v1/cloud-distribution-point…`
    DistributionPoint,
}

/// A package record, as far as its name goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its id.
    pub id: PackageId,
    /// The file that it names.
    pub file: String,
}

/// A place on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// What it is for.
    pub role: PlaceRole,
    /// Where it is.
    pub path: PathBuf,
    /// Bytes that are free for this user; why they are not known.
    pub free: Result<u64, String>,
}

/// What a place is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceRole {
    /// The state folder.
    State,
    /// Temporary files: packages that are carried from one server to another.
    Temporary,
}

/// What is remembered between runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remembered {
    /// There is nowhere to remember anything.
    Nowhere,
    /// What a rehearsal did is forgotten with its server.
    OfRehearsal,
    /// The folder is not there yet, or holds nothing.
    Nothing {
        /// Where it would be.
        folder: PathBuf,
    },
    /// It is sound.
    Sound {
        /// Where.
        folder: PathBuf,
        /// Files whose uploads were left unfinished, and where they were going.
        left_over: Vec<(String, String)>,
        /// Damaged files that were set aside.
        set_aside: usize,
    },
    /// It cannot be used.
    Unusable {
        /// Where.
        folder: PathBuf,
        /// Why.
        trouble: Trouble,
        /// Whether it is damaged, and not merely closed to this user.
        is_damaged: bool,
    },
}

/// All that was seen of one server and this machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Observations {
    /// Server or gateway.
    pub kind: ServerKind,
    /// The transfer that it is examined for.
    pub expected: Expected,
    /// The setting `route`.
    pub choice: RouteChoice,
    /// Whether `package_api` is `classic`.
    pub classic_forced: bool,
    /// The account's token.
    pub token: Seen<TokenFacts>,
    /// Version of Jamf Pro.
    pub version: Seen<Version>,
    /// Of all privileges that matter, those that the account does not have.
    pub lacking: Seen<Vec<jamf::Privilege>>,
    /// The cloud distribution point.
    pub point: Seen<DistributionPoint>,
    /// Whether Jamf Pro takes files itself.
    pub capability: Seen<UploadCapability>,
    /// What the server says of its own calls.
    pub calls: Seen<Calls>,
    /// How far the server's clock is ahead of this machine's.
    pub clock: Seen<SignedDuration>,
    /// What became of a request to S3.
    pub storage: Seen<Probe>,
    /// All package records.
    pub records: Seen<Vec<Record>>,
    /// Names of the files that the distribution service lists.
    pub files: Seen<Vec<String>>,
    /// What is remembered between runs.
    pub remembered: Remembered,
    /// Room on this machine.
    pub places: Vec<Place>,
}

impl Observations {
    /// Nothing of the server was examined.
    #[must_use]
    pub fn nothing(remembered: Remembered) -> Self {
        Self {
            kind: ServerKind::Instance,
            expected: Expected::ASSUMED,
            choice: RouteChoice::Auto,
            classic_forced: false,
            token: Seen::NotExamined,
            version: Seen::NotExamined,
            lacking: Seen::NotExamined,
            point: Seen::NotExamined,
            capability: Seen::NotExamined,
            calls: Seen::NotExamined,
            clock: Seen::NotExamined,
            storage: Seen::NotExamined,
            records: Seen::NotExamined,
            files: Seen::NotExamined,
            remembered,
            places: Vec::new(),
        }
    }
}
