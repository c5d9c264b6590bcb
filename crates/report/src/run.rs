use crate::{Error, PackageReport, Totals, Warning};
use jiff::Timestamp;
use pipeline::Shard;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::collections::{BTreeMap, BTreeSet};

/// The version of the model that this crate writes and reads.
///
/// It grows when a key goes or changes its meaning, or when a key that is one of a few words gets a new word. New keys do
/// not count, and readers pass over keys that they do not know.
///
/// Version 2 has the status `interrupted`, which was a `failed` one before, and counts no bytes as sent that an earlier run
/// had sent. Version 1 is read as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Version;

impl Version {
    /// As a number.
    pub const NUMBER: u32 = 2;
    /// The oldest that is read.
    pub const OLDEST: u32 = 1;

    fn is_known(number: u64) -> bool {
        (u64::from(Self::OLDEST)..=u64::from(Self::NUMBER)).contains(&number)
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(Self::NUMBER)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u64::deserialize(deserializer)? {
            found if Self::is_known(found) => Ok(Self),
            found => Err(de::Error::custom(Error::OtherVersion { found })),
        }
    }
}

/// The program that made a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Its name.
    pub name: String,
    /// Its version, such as `0.1.0`.
    pub version: String,
}

/// How many requests of each kind left the machine: [`pipeline::Traffic`], written and read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Requests {
    /// Sign-in, renewal, sign-out.
    pub sign_ins: u64,
    /// Reads.
    pub reads: u64,
    /// Writes.
    pub writes: u64,
    /// Writes that a dry run refused.
    pub refused: u64,
}

impl Requests {
    /// All that left.
    #[must_use]
    pub fn sent(self) -> u64 {
        [self.reads, self.writes].into_iter().fold(self.sign_ins, u64::saturating_add)
    }
}

impl From<pipeline::Traffic> for Requests {
    fn from(traffic: pipeline::Traffic) -> Self {
        let pipeline::Traffic { sign_ins, reads, writes, refused, .. } = traffic;
        Self { sign_ins, reads, writes, refused }
    }
}

impl std::iter::Sum for Requests {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, next| Self {
            sign_ins: sum.sign_ins.saturating_add(next.sign_ins),
            reads: sum.reads.saturating_add(next.reads),
            writes: sum.writes.saturating_add(next.writes),
            refused: sum.refused.saturating_add(next.refused),
        })
    }
}

/// Why a run ended. One that was killed did not end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// Every package had its turn.
    Complete,
    /// Its deadline came before every package had its turn.
    Deadline,
    /// Somebody pressed Ctrl-C or sent SIGTERM.
    Interrupted,
    /// It could not begin, or not go on. A warning of the run says why.
    BrokenOff,
}

/// A run whose report went into a merged one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its id.
    pub id: String,
    /// What made it.
    pub program: Program,
    /// Which shard it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// When it began.
    pub started: Timestamp,
    /// When it ended; `None` if it did not.
    #[serde(default)]
    pub finished: Option<Timestamp>,
    /// Why it ended; `None` if it did not, or if nobody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending: Option<Ending>,
    /// The exit code that it ended with; `None` as above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<u8>,
    /// When it was last heard of.
    pub updated: Timestamp,
    /// Its warnings that belong to no package.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

/// What came of a run, or of several that were [merged](crate::merge()).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunReport {
    /// The version of this model.
    pub version: Version,
    /// What ran.
    pub program: Program,
    /// What tells this run from others. The caller chooses it; reports of one id are never merged.
    pub id: String,
    /// When it began.
    pub started: Timestamp,
    /// When it ended. `None`: it had not ended when this was written, and if nothing runs any more, it never did.
    #[serde(default)]
    pub finished: Option<Timestamp>,
    /// Why it ended; `None` if it did not, if nobody said so, and in a merged report, whose [parts](Part) have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending: Option<Ending>,
    /// The exit code that came of it; `None` as above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<u8>,
    /// When this was written.
    pub updated: Timestamp,
    /// Whether nothing was changed, on purpose. Statuses and bytes then say what a real run would come to.
    #[serde(default)]
    pub dry_run: bool,
    /// Which shard of its list it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// The servers that it worked on, by the names of the settings, or by address.
    #[serde(default)]
    pub servers: Vec<String>,
    /// What was asked of them.
    #[serde(default)]
    pub requests: Requests,
    /// What a person should look at and what belongs to no package. In a merged report, what merging found; the warnings
    /// of each run are with its [`Part`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
    /// The runs that this report was merged from; empty for one run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// Package by package.
    #[serde(default)]
    pub packages: Vec<PackageReport>,
}

impl RunReport {
    /// Counts and sums over all packages.
    #[must_use]
    pub fn totals(&self) -> Totals {
        Totals::of(&self.packages)
    }

    /// This run as a part of a merged report: the parts that it has, or itself.
    #[must_use]
    pub fn to_parts(&self) -> Vec<Part> {
        if !self.parts.is_empty() {
            return self.parts.clone();
        }
        vec![Part {
            id: self.id.clone(),
            program: self.program.clone(),
            shard: self.shard,
            started: self.started,
            finished: self.finished,
            ending: self.ending,
            exit_code: self.exit_code,
            updated: self.updated,
            warnings: self.warnings.clone(),
        }]
    }

    /// Why the run ended, or each of those that were merged, where it is known.
    pub fn endings(&self) -> impl Iterator<Item = Ending> {
        self.ending.into_iter().chain(self.parts.iter().filter_map(|part| part.ending))
    }

    /// Whether the runs that were merged are shards of a split, and the report of another one is not there.
    #[must_use]
    pub fn lacks_shards(&self) -> bool {
        let mut there: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
        for shard in self.parts.iter().filter_map(|part| part.shard) {
            there.entry(shard.count()).or_default().insert(shard.index());
        }
        there.iter().any(|(count, shards)| u32::try_from(shards.len()) != Ok(*count))
    }

    /// Warnings that belong to no package, those of the parts included.
    pub fn run_warnings(&self) -> impl Iterator<Item = &Warning> {
        self.warnings.iter().chain(self.parts.iter().flat_map(|part| &part.warnings))
    }

    /// Reads what [`Format::Json`](crate::Format::Json) wrote. Keys that are not known are passed over.
    ///
    /// # Errors
    /// When it is no report, or one of a version that this program does not know.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Error> {
        // The version first: the rest of another version may look like damage.
        #[derive(Deserialize)]
        struct Head {
            version: Option<u64>,
        }
        let head: Head = serde_json::from_slice(bytes)
            .map_err(|source| if source.is_data() { Error::NotAReport } else { Error::NotJson(source) })?;
        match head.version {
            Some(found) if Version::is_known(found) => {}
            Some(found) => return Err(Error::OtherVersion { found }),
            None => return Err(Error::NotAReport),
        }
        let mut report: Self = serde_json::from_slice(bytes).map_err(Error::Damaged)?;
        if head.version == Some(1) {
            report.packages.iter_mut().for_each(PackageReport::of_version_1);
        }
        Ok(report)
    }
}
