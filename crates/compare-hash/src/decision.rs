//! The decision, without reading anything: from what is known to a verdict, or to the digests that have to be compared.

use fingerprint::{Comparison, Expected};
use pipeline::{Md5, Sha3_512, Verdict, size};
use std::fmt;

/// The server's file, as its list tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) size: Option<u64>,
    pub(crate) md5: Option<Md5>,
    pub(crate) sha3_512: Option<Sha3_512>,
    /// Whether its deletion was asked for.
    pub(crate) is_leaving: bool,
}

/// What can be said before the local file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The reason settles it.
    Settled(Reason),
    /// Only the bytes can tell.
    Read(Expected),
}

/// Why a verdict is what it is. Each reason belongs to one verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    NoFile,
    Forced,
    Leaving,
    SizeUnknown,
    Size { here: u64, server: u64 },
    NoDigest(Missing),
    Md5,
    Sha3_512,
    Agree { size: u64 },
}

/// Which digests the server's list lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    Md5,
    Sha3_512,
    Both,
}

/// Decides as far as possible without a read: a file that differs in size is not hashed, nor one that could not be called
/// the same whatever its digests are.
pub(crate) fn before_reading(here: u64, server: Option<Listed>, force: bool) -> Decision {
    let Some(Listed { size, md5, sha3_512, is_leaving }) = server else {
        return Decision::Settled(Reason::NoFile);
    };
    if force {
        return Decision::Settled(Reason::Forced);
    }
    if is_leaving {
        return Decision::Settled(Reason::Leaving);
    }
    Decision::Settled(match (size, md5, sha3_512) {
        (None, ..) => Reason::SizeUnknown,
        (Some(server), ..) if server != here => Reason::Size { here, server },
        (_, None, None) => Reason::NoDigest(Missing::Both),
        (_, None, Some(_)) => Reason::NoDigest(Missing::Md5),
        (_, Some(_), None) => Reason::NoDigest(Missing::Sha3_512),
        (_, md5 @ Some(_), sha3_512 @ Some(_)) => return Decision::Read(Expected { md5, sha3_512 }),
    })
}

/// Decides after the read.
pub(crate) fn after_reading(comparison: &Comparison) -> Reason {
    match comparison {
        Comparison::Md5Differs { .. } => Reason::Md5,
        Comparison::Sha3Differs { .. } => Reason::Sha3_512,
        Comparison::Equal { fingerprint } => Reason::Agree { size: fingerprint.size },
    }
}

impl Reason {
    pub(crate) fn verdict(self) -> Verdict {
        match self {
            Self::NoFile => Verdict::Absent,
            Self::Agree { .. } => Verdict::Same,
            Self::Forced
            | Self::Leaving
            | Self::SizeUnknown
            | Self::Size { .. }
            | Self::NoDigest(_)
            | Self::Md5
            | Self::Sha3_512 => Verdict::Different,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NoFile => f.write_str("the server has no file of this name"),
            Self::Forced => f.write_str("forced"),
            Self::Leaving => f.write_str("an earlier run has asked the server to delete its file"),
            Self::SizeUnknown => f.write_str("the server's size is not known"),
            // Two sizes that read alike would look like a contradiction.
            Self::Size { here, server } if size(here) == size(server) => {
                write!(f, "size {here} bytes here, {server} bytes on the server")
            }
            Self::Size { here, server } => {
                write!(f, "size {} here, {} on the server", size(here), size(server))
            }
            Self::NoDigest(Missing::Md5) => f.write_str("the server lists no MD5 for its file"),
            Self::NoDigest(Missing::Sha3_512) => f.write_str("the server lists no SHA3-512 for its file"),
            Self::NoDigest(Missing::Both) => f.write_str("the server lists no digests for its file"),
            Self::Md5 => f.write_str("MD5 differs"),
            Self::Sha3_512 => f.write_str("SHA3-512 differs, although MD5 agrees"),
            Self::Agree { size: bytes } => write!(f, "{}, MD5 and SHA3-512 agree", size(bytes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MD5: Option<Md5> = Some(Md5::from_bytes([1; 16]));
    const SHA3: Option<Sha3_512> = Some(Sha3_512::from_bytes([2; 64]));

    fn listed(size: Option<u64>, md5: Option<Md5>, sha3_512: Option<Sha3_512>) -> Option<Listed> {
        Some(Listed { size, md5, sha3_512, is_leaving: false })
    }

    #[test]
    fn only_equal_sizes_with_both_digests_lead_to_a_read() {
        for size in [None, Some(0), Some(9), Some(10)] {
            for md5 in [None, MD5] {
                for sha3_512 in [None, SHA3] {
                    let decision = before_reading(10, listed(size, md5, sha3_512), false);
                    let reads = decision == Decision::Read(Expected { md5, sha3_512 });
                    assert_eq!(
                        reads,
                        size == Some(10) && md5.is_some() && sha3_512.is_some(),
                        "{decision:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_is_about_to_go_is_as_good_as_another_file() {
        let leaving = listed(Some(10), MD5, SHA3).map(|listed| Listed { is_leaving: true, ..listed });
        assert_eq!(before_reading(10, leaving, false), Decision::Settled(Reason::Leaving));
        assert_eq!(Reason::Leaving.verdict(), Verdict::Different);
    }

    #[test]
    fn nothing_is_same_without_a_read() {
        for server in
            [None, listed(Some(10), MD5, SHA3), listed(Some(9), MD5, SHA3), listed(None, None, None)]
        {
            for force in [false, true] {
                if let Decision::Settled(reason) = before_reading(10, server, force) {
                    assert_ne!(reason.verdict(), Verdict::Same, "{reason}");
                }
            }
        }
    }

    #[test]
    fn force_sends_what_is_there_and_leaves_absent_what_is_not() {
        let forced = |server| before_reading(10, server, true);
        assert_eq!(forced(listed(Some(10), MD5, SHA3)), Decision::Settled(Reason::Forced));
        assert_eq!(forced(listed(None, None, None)), Decision::Settled(Reason::Forced));
        assert_eq!(forced(None), Decision::Settled(Reason::NoFile));
    }
}
