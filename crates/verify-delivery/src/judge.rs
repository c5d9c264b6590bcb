//! Whether what the server shows proves that the local file has arrived. Pure: no clock, no requests.
//!
//! Two witnesses are heard. The list of the distribution service is the proof of the bytes: length, MD5 and SHA3-512 of
//! the exact name. The package record is the second one: what it tells must not contradict, and it has to be `READY`.
//! Where the list is not to be had, [`alone`] judges by the record. `jamf-pro-api.md §11.3` names the traps.

pub(crate) mod alone;

use fingerprint::Fingerprint;
use jamf::{JcdsFile, Package, PackageApi};
use pipeline::{FileName, Md5, PackageId, Sha3_512};
use std::fmt;

/// The only state that is known to mean deliverable (`jamf-pro-api.md §11.1`).
pub(crate) const READY: &str = "READY";

/// What should be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    pub name: FileName,
    pub bytes: Fingerprint,
}

/// What is known of the package record.
#[derive(Clone, Debug)]
pub(crate) enum Record {
    /// No record names the file, so there is none to hear.
    None,
    /// It was there before, and this look did not find it.
    Missing(PackageId),
    /// What it tells.
    Told(Testimony),
}

/// What a record tells of its file.
#[derive(Clone, Debug)]
pub(crate) struct Testimony {
    pub id: PackageId,
    pub file_name: String,
    pub api: PackageApi,
    pub size: Option<u64>,
    pub md5: Option<Md5>,
    pub sha3_512: Option<Sha3_512>,
    /// Never blank: that is how a record without a cloud file tells none (`jamf-pro-api.md §11.1`).
    pub state: Option<String>,
}

impl Testimony {
    /// What is left of it on a server that refreshes nothing: a record that cannot learn of new bytes tells of old ones,
    /// and contradicts nobody.
    pub fn without_what_may_be_old(mut self, expected: &Fingerprint) -> Self {
        self.size = self.size.filter(|size| *size == expected.size);
        self.md5 = self.md5.filter(|digest| *digest == expected.md5);
        self.sha3_512 = self.sha3_512.filter(|digest| *digest == expected.sha3_512);
        self
    }
}

impl From<Package> for Testimony {
    fn from(record: Package) -> Self {
        let Package { id, file_name, api, size, md5, sha3_512, transfer_status, .. } = record;
        let state = transfer_status.filter(|state| !state.is_empty());
        Self { id, file_name, api, size, md5, sha3_512, state }
    }
}

/// What one look came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// Every witness that is heard agrees.
    Proven,
    /// The list proves the bytes; the record contradicts nothing and leaves something open.
    ListProves {
        /// What the record does not tell.
        untold: Vec<Untold>,
        /// Whether waiting may bring it.
        may_come: bool,
    },
    /// The bytes are there under a twin's name, and not under their own.
    Renamed {
        /// The twin.
        twin: String,
        /// What is wrong under their own name.
        lacks: Vec<Lack>,
    },
    /// The server has the new digest and no bytes: nothing landed, and waiting does not help.
    Empty(Lack),
    /// Not proven yet.
    Waiting(Vec<Lack>),
}

impl Judgement {
    /// Whether the delivery is proven.
    pub fn is_proof(&self) -> bool {
        matches!(self, Self::Proven | Self::ListProves { .. })
    }

    /// What is missing.
    pub fn lacks(&self) -> &[Lack] {
        match self {
            Self::Waiting(lacks) | Self::Renamed { lacks, .. } => lacks,
            Self::Proven | Self::ListProves { .. } | Self::Empty(_) => &[],
        }
    }
}

/// Something that a record leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Untold {
    Size,
    Digest,
    State,
    /// There is no record.
    Everything,
}

/// Something that keeps a delivery from being proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Lack {
    NotListed,
    ListedSize {
        found: u64,
        expected: u64,
    },
    ListedMd5 {
        found: Md5,
        expected: Md5,
    },
    ListedSha3 {
        found: Sha3_512,
        expected: Sha3_512,
    },
    /// A list entry without a digest is no proof.
    ListedWithout(&'static str),
    /// Nothing tells of the file.
    NoRecord,
    RecordMissing(PackageId),
    /// A record that does not tell this is no proof.
    RecordWithout(PackageId, &'static str),
    RecordNames {
        id: PackageId,
        file: String,
    },
    RecordSize {
        id: PackageId,
        found: u64,
        expected: u64,
    },
    RecordMd5 {
        id: PackageId,
        found: Md5,
        expected: Md5,
    },
    RecordSha3 {
        id: PackageId,
        found: Sha3_512,
        expected: Sha3_512,
    },
    RecordState {
        id: PackageId,
        state: String,
    },
    /// The last look failed.
    Unreadable(String),
}

/// Judges one look.
pub(crate) fn judge(expected: &Expected, listed: &[JcdsFile], record: &Record) -> Judgement {
    let entry = entry(&expected.name, listed, record);
    let list_lack = list_lack(&expected.bytes, entry);
    let record_lack = record_lack(expected, record);
    match (list_lack, record_lack) {
        (None, None) => agreed(record),
        (None, Some(record_lack)) => Judgement::Waiting(vec![record_lack]),
        (Some(list_lack), record_lack) => {
            if let Some(empty) = landed_empty(&expected.bytes, entry, record) {
                return Judgement::Empty(empty);
            }
            let lacks = std::iter::once(list_lack).chain(record_lack).collect();
            match twins(expected, listed).next() {
                Some(twin) => Judgement::Renamed { twin: twin.name.clone(), lacks },
                None => Judgement::Waiting(lacks),
            }
        }
    }
}

/// Listed files that the service renamed because the name was taken (`jamf-pro-api.md §12`). Only those that hold the
/// expected bytes count: `Office_16.pkg` beside `Office.pkg` may well be a package of its own.
pub(crate) fn twins<'a>(expected: &Expected, listed: &'a [JcdsFile]) -> impl Iterator<Item = &'a JcdsFile> {
    let spellings: Vec<FileName> =
        expected.name.spellings().iter().filter_map(|spelling| spelling.parse().ok()).collect();
    let bytes = expected.bytes;
    listed
        .iter()
        .filter(move |file| spellings.iter().any(|name| name.is_twin(&file.name)))
        .filter(move |file| bears(&bytes, file))
}

/// Whether a listed file holds the bytes, as far as it tells; a size alone tells too little.
fn bears(bytes: &Fingerprint, file: &JcdsFile) -> bool {
    file.size == bytes.size
        && (file.md5.is_some() || file.sha3_512.is_some())
        && file.md5.is_none_or(|md5| md5 == bytes.md5)
        && file.sha3_512.is_none_or(|sha3_512| sha3_512 == bytes.sha3_512)
}

/// The list entry that counts: the spelling that the record names, else the one that was sent, else any other spelling
/// of the name (`user-pains.md` row 25).
fn entry<'a>(name: &FileName, listed: &'a [JcdsFile], record: &Record) -> Option<&'a JcdsFile> {
    let named = match record {
        Record::Told(record) if name.same_name(&record.file_name) => record.file_name.as_str(),
        _ => name.as_str(),
    };
    listed
        .iter()
        .find(|file| file.name == named)
        .or_else(|| listed.iter().find(|file| name.same_name(&file.name)))
}

/// What keeps the list from proving the bytes. The size comes first: the new digest can stand beside the old size for a
/// while (`jamf-pro-api.md §11.3`).
fn list_lack(expected: &Fingerprint, entry: Option<&JcdsFile>) -> Option<Lack> {
    let Some(entry) = entry else { return Some(Lack::NotListed) };
    if entry.size != expected.size {
        return Some(Lack::ListedSize { found: entry.size, expected: expected.size });
    }
    if let Some(found) = entry.md5.filter(|md5| *md5 != expected.md5) {
        return Some(Lack::ListedMd5 { found, expected: expected.md5 });
    }
    // SHA3-512 proves without MD5, and not the other way round.
    match entry.sha3_512 {
        None => Some(Lack::ListedWithout("SHA3-512")),
        Some(found) if found != expected.sha3_512 => {
            Some(Lack::ListedSha3 { found, expected: expected.sha3_512 })
        }
        Some(_) => None,
    }
}

/// What a record tells that does not fit. What it does not tell is no contradiction.
fn record_lack(expected: &Expected, record: &Record) -> Option<Lack> {
    let record = match record {
        Record::None => return None,
        Record::Missing(id) => return Some(Lack::RecordMissing(*id)),
        Record::Told(record) => record,
    };
    contradiction(expected, record)
}

/// What a record says that is not so.
fn contradiction(expected: &Expected, record: &Testimony) -> Option<Lack> {
    let id = record.id;
    if !expected.name.same_name(&record.file_name) {
        return Some(Lack::RecordNames { id, file: record.file_name.clone() });
    }
    if let Some(found) = record.size.filter(|size| *size != expected.bytes.size) {
        return Some(Lack::RecordSize { id, found, expected: expected.bytes.size });
    }
    if let Some(found) = record.sha3_512.filter(|digest| *digest != expected.bytes.sha3_512) {
        return Some(Lack::RecordSha3 { id, found, expected: expected.bytes.sha3_512 });
    }
    // The record's schema lists no states, so an unknown one is not ready (`jamf-pro-api.md §11.1`).
    record.state.clone().filter(|state| state != READY).map(|state| Lack::RecordState { id, state })
}

/// The list proves the bytes and the record does not contradict: does the record agree, or is it silent?
fn agreed(record: &Record) -> Judgement {
    let Record::Told(record) = record else {
        return Judgement::ListProves { untold: vec![Untold::Everything], may_come: false };
    };
    let open = [
        (record.size.is_none(), Untold::Size),
        (record.sha3_512.is_none(), Untold::Digest),
        (record.state.is_none(), Untold::State),
    ];
    let untold: Vec<Untold> = open.into_iter().filter_map(|(open, what)| open.then_some(what)).collect();
    if untold.is_empty() {
        return Judgement::Proven;
    }
    // The Classic API has neither size nor state at all (`jamf-pro-api.md §6.3`).
    let may_come = record.api == PackageApi::Pro || untold.contains(&Untold::Digest);
    Judgement::ListProves { untold, may_come }
}

/// The new digest beside size 0: the upload was accepted and nothing landed (`jamf-pro-api.md §5.4`). Size 0 beside
/// another digest may be an older failure that is about to be replaced.
fn landed_empty(expected: &Fingerprint, entry: Option<&JcdsFile>, record: &Record) -> Option<Lack> {
    let listed_empty = entry.is_some_and(|file| {
        file.size == 0 && (file.md5 == Some(expected.md5) || file.sha3_512 == Some(expected.sha3_512))
    });
    if listed_empty {
        return Some(Lack::ListedSize { found: 0, expected: expected.size });
    }
    match record {
        Record::Told(record) => record_is_empty(expected, record),
        Record::None | Record::Missing(_) => None,
    }
}

fn record_is_empty(expected: &Fingerprint, record: &Testimony) -> Option<Lack> {
    let is_empty = record.size == Some(0) && record.sha3_512 == Some(expected.sha3_512);
    is_empty.then_some(Lack::RecordSize { id: record.id, found: 0, expected: expected.size })
}

impl Lack {
    /// Whether it says that there is a file without bytes.
    pub fn is_empty_file(&self) -> bool {
        matches!(self, Self::ListedSize { found: 0, .. } | Self::RecordSize { found: 0, .. })
    }

    /// Whether looking again brings nothing.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::NoRecord)
    }

    /// Whether the list has the file and too little about it.
    pub fn is_silence_of_the_list(&self) -> bool {
        matches!(self, Self::ListedWithout(_))
    }

    /// Whether nobody knows that the file is listed, or it is known that it is not.
    pub fn leaves_listing_open(&self) -> bool {
        matches!(self, Self::NotListed | Self::Unreadable(_))
    }

    /// Whether the record tells of other bytes.
    pub fn is_other_record(&self) -> bool {
        matches!(self, Self::RecordSize { .. } | Self::RecordMd5 { .. } | Self::RecordSha3 { .. })
    }

    /// Whether the list has other bytes under the name, or bytes that it does not prove.
    pub fn is_other_bytes(&self) -> bool {
        matches!(
            self,
            Self::ListedSize { .. }
                | Self::ListedMd5 { .. }
                | Self::ListedSha3 { .. }
                | Self::ListedWithout(_)
        )
    }
}

/// `found` and `expected`, after a subject that the context gives: `App.pkg is not proven: …`.
impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotListed => f.write_str("the distribution service does not list it"),
            Self::ListedSize { found, expected } => {
                write!(f, "the distribution service lists {found} bytes instead of {expected}")
            }
            Self::ListedMd5 { found, expected } => {
                write!(f, "the distribution service lists MD5 {found} instead of {expected}")
            }
            Self::ListedSha3 { found, expected } => write!(
                f,
                "the distribution service lists SHA3-512 {} instead of {}",
                short(found),
                short(expected)
            ),
            Self::ListedWithout(digest) => write!(f, "the distribution service lists it without {digest}"),
            Self::NoRecord => f.write_str("no package record names it"),
            Self::RecordMissing(id) => write!(f, "record {id} is not there"),
            Self::RecordWithout(id, what) => write!(f, "record {id} tells no {what}"),
            Self::RecordNames { id, file } => write!(f, "record {id} names the file {file}"),
            Self::RecordSize { id, found, expected } => {
                write!(f, "record {id} says {found} bytes instead of {expected}")
            }
            Self::RecordMd5 { id, found, expected } => {
                write!(f, "record {id} says MD5 {found} instead of {expected}")
            }
            Self::RecordSha3 { id, found, expected } => {
                write!(f, "record {id} says SHA3-512 {} instead of {}", short(found), short(expected))
            }
            Self::RecordState { id, state } => write!(f, "record {id} is {state}"),
            Self::Unreadable(error) => write!(f, "the server could not be asked: {error}"),
        }
    }
}

/// 128 digits fill a screen and say no more than the first 16.
fn short(digest: &Sha3_512) -> String {
    let mut text = digest.to_string();
    text.truncate(16);
    text + "…"
}

impl fmt::Display for Untold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Size => "no size",
            Self::Digest => "no SHA3-512",
            Self::State => "no state",
            Self::Everything => "nothing",
        })
    }
}

#[cfg(test)]
mod tests;
