//! Whether a server shows that it holds a package, and which bytes. Pure.

use fingerprint::Fingerprint;
use jamf::{JcdsFile, Package, PackageApi};
use pipeline::{Md5, Sha3_512, size};
use serde::{Serialize, Serializer};
use std::fmt;

/// The only state that is known to mean deliverable (`jamf-pro-api.md §11.1`).
const READY: &str = "READY";

/// What a file is known by. At least one digest is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Proven {
    pub size: u64,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_text")]
    pub md5: Option<Md5>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_text")]
    pub sha3_512: Option<Sha3_512>,
}

fn as_text<T: fmt::Display, S: Serializer>(digest: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&digest.as_ref().map_or_else(String::new, ToString::to_string))
}

/// `4.8 KiB, SHA3-512 0a1b…`: the strongest digest that there is.
impl fmt::Display for Proven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", size(self.size))?;
        match (self.sha3_512, self.md5) {
            (Some(digest), _) => write!(f, ", SHA3-512 {digest}"),
            (None, Some(digest)) => write!(f, ", MD5 {digest}"),
            (None, None) => Ok(()),
        }
    }
}

impl Proven {
    /// What a witness tells; `None` if it tells too little to know a file by.
    fn of(size: Option<u64>, md5: Option<Md5>, sha3_512: Option<Sha3_512>) -> Option<Self> {
        let size = size.filter(|size| *size > 0)?;
        (md5.is_some() || sha3_512.is_some()).then_some(Self { size, md5, sha3_512 })
    }

    /// What the list tells of a file.
    pub fn of_listed(file: &JcdsFile) -> Option<Self> {
        Self::of(Some(file.size), file.md5, file.sha3_512)
    }

    /// Whether the two are one file: the size, and every digest that both have, of which there is one at least.
    pub fn is(&self, other: &Self) -> bool {
        let md5 = self.md5.zip(other.md5).map(|(one, other)| one == other);
        let sha3_512 = self.sha3_512.zip(other.sha3_512).map(|(one, other)| one == other);
        let compared = [md5, sha3_512];
        self.size == other.size
            && compared.iter().any(Option::is_some)
            && compared.into_iter().flatten().all(|same| same)
    }

    /// All that either of two knows of one file.
    fn with(self, other: Self) -> Self {
        Self { size: self.size, md5: self.md5.or(other.md5), sha3_512: self.sha3_512.or(other.sha3_512) }
    }
}

impl From<Fingerprint> for Proven {
    fn from(known: Fingerprint) -> Self {
        Self { size: known.size, md5: Some(known.md5), sha3_512: Some(known.sha3_512) }
    }
}

/// What two witnesses tell of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disagreement {
    listed: Proven,
    recorded: Proven,
}

/// Why a server does not show that it holds a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The record is in another state.
    State(Option<String>),
    /// Neither the record nor the list tells a size and a digest.
    NoDigest,
    /// The list of the distribution service does not have the file.
    NotListed,
    /// The list tells another file than the record.
    Disagreement(Box<Disagreement>),
    /// Without the list only a record can tell, and this server's cannot be relied on.
    OldRecord,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State(Some(state)) => write!(f, "its record is {state} and not READY"),
            Self::State(None) => f.write_str("its record tells no state"),
            Self::NoDigest => f.write_str("neither its record nor the list tells a size and a digest"),
            Self::NotListed => f.write_str("the distribution service does not list it"),
            Self::Disagreement(told) => {
                write!(f, "its record tells {}, and the list {}", told.recorded, told.listed)
            }
            Self::OldRecord => f.write_str(
                "the list of files is not to be had, and records before Jamf Pro 11.25 cannot be relied on",
            ),
        }
    }
}

/// Who can be heard of a server's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listed {
    /// The list has it.
    File(JcdsFile),
    /// The list does not have it.
    Absent,
    /// There is no list, or not for this account.
    NoList,
}

/// What a record tells of its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// `cloudTransferStatus`, if there is one.
    state: Option<String>,
    /// Whether the API that it came from tells a state at all.
    tells_state: bool,
    /// A size that the server has filled in, and digests: those alone may be what a client once wrote (`jamf-pro-api.md §11.3`).
    known: Option<Proven>,
}

impl From<&Package> for Recorded {
    fn from(record: &Package) -> Self {
        Self {
            state: record.transfer_status.clone(),
            tells_state: record.api == PackageApi::Pro,
            known: Proven::of(record.size, record.md5, record.sha3_512),
        }
    }
}

/// What is proven of a package: the record is `READY`, and the list agrees with it. Digests of records are heard where the
/// server's are reliable (`jamf-pro-api.md §11.3`).
pub fn prove(record: &Recorded, listed: &Listed, has_reliable_records: bool) -> Result<Proven, Doubt> {
    // The Classic API tells no state; the list is all that there is then.
    if record.tells_state && record.state.as_deref() != Some(READY) {
        return Err(Doubt::State(record.state.clone()));
    }
    let recorded = record.known.filter(|_| has_reliable_records && record.tells_state);
    match listed {
        Listed::Absent => Err(Doubt::NotListed),
        Listed::NoList if !has_reliable_records || !record.tells_state => Err(Doubt::OldRecord),
        Listed::NoList => recorded.ok_or(Doubt::NoDigest),
        Listed::File(file) => match (Proven::of_listed(file), recorded) {
            (None, None) => Err(Doubt::NoDigest),
            (Some(known), None) | (None, Some(known)) => Ok(known),
            (Some(listed), Some(recorded)) if listed.is(&recorded) => Ok(listed.with(recorded)),
            (Some(listed), Some(recorded)) => {
                Err(Doubt::Disagreement(Box::new(Disagreement { listed, recorded })))
            }
        },
    }
}

/// What a server holds already, next to what is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// The same bytes.
    Same,
    /// Another file of this name, or one of which too little is told.
    Other,
    /// No file of this name.
    Nothing,
    /// Nobody tells.
    Unknown,
}

/// Compares what a server holds with what is to come. `recorded` is heard where there is no list.
pub fn holds(
    coming: &Proven,
    listed: &Listed,
    recorded: Option<&Recorded>,
    has_reliable_records: bool,
) -> Holds {
    let verdict = |held: Option<Proven>| match held {
        Some(held) if held.is(coming) => Holds::Same,
        _ => Holds::Other,
    };
    match (listed, recorded) {
        (Listed::File(file), _) => verdict(Proven::of_listed(file)),
        (Listed::Absent, _) => Holds::Nothing,
        (Listed::NoList, _) if !has_reliable_records => Holds::Unknown,
        (Listed::NoList, None) => Holds::Nothing,
        (Listed::NoList, Some(record)) => verdict(record.known),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(byte: u8) -> Sha3_512 {
        Sha3_512::from_bytes([byte; 64])
    }

    fn known(size: u64, md5: Option<u8>, sha3_512: Option<u8>) -> Proven {
        Proven { size, md5: md5.map(|byte| Md5::from_bytes([byte; 16])), sha3_512: sha3_512.map(digest) }
    }

    #[test]
    fn one_file_agrees_in_all_that_both_tell() {
        let both = known(3, Some(1), Some(1));
        assert!(both.is(&both) && both.is(&known(3, Some(1), None)) && both.is(&known(3, None, Some(1))));
        assert!(!both.is(&known(4, Some(1), Some(1))), "another size");
        assert!(!both.is(&known(3, Some(1), Some(2))), "one digest differs");
        assert!(!known(3, Some(1), None).is(&known(3, None, Some(1))), "nothing was compared");
    }

    #[test]
    fn what_has_no_size_or_no_digest_is_not_known() {
        assert_eq!(Proven::of(Some(0), None, Some(digest(1))), None);
        assert_eq!(Proven::of(None, None, Some(digest(1))), None);
        assert_eq!(Proven::of(Some(3), None, None), None);
    }

    fn record(state: Option<&str>, known: Option<Proven>) -> Recorded {
        Recorded { state: state.map(str::to_owned), tells_state: true, known }
    }

    fn listed(size: u64, md5: Option<u8>, sha3_512: Option<u8>) -> Listed {
        let Proven { md5, sha3_512, .. } = known(size, md5, sha3_512);
        Listed::File(JcdsFile { name: "App.pkg".into(), size, md5, sha3_512 })
    }

    #[test]
    fn a_package_is_proven_by_its_record_and_the_list_together() {
        let (same, ready) = (known(3, Some(1), Some(1)), Some("READY"));
        let list = listed(3, Some(1), Some(1));
        let cases = [
            ("both agree", record(ready, Some(same)), list.clone(), true, Ok(same)),
            (
                "each knows another digest, and one is common",
                record(ready, Some(known(3, None, Some(1)))),
                listed(3, Some(1), Some(1)),
                true,
                Ok(same),
            ),
            ("a record without a size", record(ready, None), list.clone(), true, Ok(same)),
            ("a list without a digest", record(ready, Some(same)), listed(3, None, None), true, Ok(same)),
            ("no list", record(ready, Some(same)), Listed::NoList, true, Ok(same)),
            (
                "an old record's digests are not heard",
                record(ready, Some(known(3, Some(9), Some(9)))),
                list.clone(),
                false,
                Ok(same),
            ),
            (
                "pending",
                record(Some("PENDING"), Some(same)),
                list.clone(),
                true,
                Err(Doubt::State(Some("PENDING".into()))),
            ),
            ("no state", record(None, Some(same)), list.clone(), true, Err(Doubt::State(None))),
            ("not listed", record(ready, Some(same)), Listed::Absent, true, Err(Doubt::NotListed)),
            ("an old record alone", record(ready, Some(same)), Listed::NoList, false, Err(Doubt::OldRecord)),
            ("nothing known", record(ready, None), listed(3, None, None), true, Err(Doubt::NoDigest)),
            ("nothing known without a list", record(ready, None), Listed::NoList, true, Err(Doubt::NoDigest)),
            (
                "a contradiction",
                record(ready, Some(known(3, Some(1), Some(2)))),
                list.clone(),
                true,
                Err(Doubt::Disagreement(Box::new(Disagreement {
                    listed: same,
                    recorded: known(3, Some(1), Some(2)),
                }))),
            ),
        ];
        for (case, record, listed, reliable, expected) in cases {
            assert_eq!(prove(&record, &listed, reliable), expected, "{case}");
        }
        let classic = Recorded { state: None, tells_state: false, known: None };
        assert_eq!(prove(&classic, &list, true), Ok(same));
        assert_eq!(prove(&classic, &Listed::NoList, true), Err(Doubt::OldRecord));
    }

    #[test]
    fn what_a_server_holds_already() {
        let coming = known(3, Some(1), Some(1));
        let hears = |listed: Listed, recorded: Option<Proven>, reliable| {
            let recorded = recorded.map(|known| record(Some("READY"), Some(known)));
            holds(&coming, &listed, recorded.as_ref(), reliable)
        };
        assert_eq!(hears(listed(3, Some(1), None), None, true), Holds::Same);
        assert_eq!(hears(listed(3, Some(2), None), Some(coming), true), Holds::Other, "the list counts");
        assert_eq!(hears(listed(3, None, None), None, true), Holds::Other, "too little is told");
        assert_eq!(hears(Listed::Absent, Some(coming), true), Holds::Nothing);
        assert_eq!(hears(Listed::NoList, Some(coming), true), Holds::Same);
        assert_eq!(hears(Listed::NoList, None, true), Holds::Nothing);
        assert_eq!(hears(Listed::NoList, Some(coming), false), Holds::Unknown);
    }
}
