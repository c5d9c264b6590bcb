//! Digests that are half-way, in memory and as bytes.

use crate::sha3::{self, Sha3};
use md5::Digest as _;
use md5::digest::common::hazmat::{SerializableState as _, SerializedState};
use std::fmt;

/// Bytes of a stored MD5: four words, the number of whole blocks, and what begins the next block.
const MD5: usize = 88;
/// Where that number is.
const MD5_BLOCKS: std::ops::Range<usize> = 16..24;
/// Bytes of a block of MD5.
const MD5_BLOCK: u64 = 64;
/// Bytes of the sum at the end.
const SUM: usize = 16;

/// MD5 and SHA3-512 of the first bytes of a file, so that hashing can go on behind them. By default of no bytes.
///
/// It can be stored, and read again by a program that computes in the same way. What is stored carries a sum, because a state
/// in which one bit is another leads to a digest that looks like any other.
#[derive(Clone, Default)]
pub struct DigestState {
    offset: u64,
    md5: md5::Md5,
    sha3: Sha3,
}

impl DigestState {
    /// Both must have taken the same bytes, as many as `offset` says.
    pub(crate) fn new(offset: u64, md5: md5::Md5, sha3: Sha3) -> Self {
        Self { offset, md5, sha3 }
    }

    /// How many bytes were hashed; the next one to read is at this offset.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    pub(crate) fn into_digests(self) -> (md5::Md5, Sha3) {
        (self.md5, self.sha3)
    }

    /// As it is stored.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = header().into_bytes();
        bytes.extend(self.offset.to_le_bytes());
        bytes.extend(self.md5.serialize());
        bytes.extend(self.sha3.to_bytes());
        bytes.extend(sum(&bytes));
        bytes
    }

    /// Reads what [`to_bytes`](DigestState::to_bytes) has made. `None` if it was damaged, or stored by a program that computes
    /// in another way: then the file has to be hashed from its start.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (bytes, found) = bytes.split_last_chunk::<SUM>()?;
        if sum(bytes) != *found {
            return None;
        }
        let bytes = bytes.strip_prefix(header().as_bytes())?;
        let (offset, bytes) = bytes.split_first_chunk()?;
        let (md5, sha3) = bytes.split_first_chunk::<MD5>()?;
        let offset = u64::from_le_bytes(*offset);
        let blocks = u64::from_le_bytes(md5.get(MD5_BLOCKS)?.try_into().ok()?);
        if blocks != offset / MD5_BLOCK {
            return None;
        }
        let md5 = md5::Md5::deserialize(&SerializedState::<md5::Md5>::from(*md5)).ok()?;
        let sha3 = Sha3::from_bytes(sha3.try_into().ok()?)?;
        Some(Self { offset, md5, sha3 })
    }
}

impl fmt::Debug for DigestState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DigestState").field("offset", &self.offset).finish_non_exhaustive()
    }
}

/// The version of the format, and who computed: another implementation may keep its state in another way.
fn header() -> String {
    format!("digest state 1: md-5 0.11, {}\n", sha3::IMPLEMENTATION)
}

fn sum(bytes: &[u8]) -> [u8; SUM] {
    md5::Md5::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pipeline::{Md5, Sha3_512};
    use proptest::prelude::*;

    fn of(bytes: &[u8]) -> DigestState {
        DigestState::default().and(bytes)
    }

    impl DigestState {
        fn and(mut self, bytes: &[u8]) -> Self {
            self.md5.update(bytes);
            self.sha3.update(bytes);
            Self { offset: self.offset + bytes.len() as u64, ..self }
        }

        fn finish(self) -> (Md5, Sha3_512) {
            (Md5::from_bytes(self.md5.finalize().into()), self.sha3.finish())
        }
    }

    /// What the libraries say by themselves.
    fn plain(bytes: &[u8]) -> (Md5, Sha3_512) {
        let sha3: [u8; 64] = <::sha3::Sha3_512 as ::sha3::Digest>::digest(bytes).into();
        (Md5::from_bytes(md5::Md5::digest(bytes).into()), Sha3_512::from_bytes(sha3))
    }

    /// Bytes with a sum that fits them.
    fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
        bytes.extend(sum(&bytes));
        bytes
    }

    proptest! {
        #[test]
        fn hashing_goes_on_at_any_cut(
            bytes in proptest::collection::vec(any::<u8>(), 0..1000),
            cut in 0_usize..1000,
        ) {
            let (head, tail) = bytes.split_at(cut.min(bytes.len()));
            let stored = of(head).to_bytes();
            let state = DigestState::from_bytes(&stored).unwrap();
            prop_assert_eq!(state.offset(), head.len() as u64);
            prop_assert_eq!(state.to_bytes(), stored);
            prop_assert_eq!(state.and(tail).finish(), plain(&bytes));
        }

        #[test]
        fn no_bytes_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(DigestState::from_bytes(&bytes).is_none());
        }

        /// Nobody writes such; what is read can be used all the same.
        #[test]
        fn a_sum_that_fits_does_no_harm_either(
            offset in any::<u64>(),
            middle in proptest::collection::vec(any::<u8>(), 280..300),
            fitting in any::<bool>(),
        ) {
            let mut middle = middle;
            if fitting {
                // As close to a real state as it can be, so that the parts are read too.
                middle.resize(MD5 + 201, 0);
                middle[MD5_BLOCKS].copy_from_slice(&(offset / MD5_BLOCK).to_le_bytes());
                middle[MD5_BLOCKS.end..MD5].fill(0);
            }
            let bytes = sealed([header().as_bytes(), &offset.to_le_bytes(), &middle].concat());
            if let Some(state) = DigestState::from_bytes(&bytes) {
                state.and(&[7; 200]).finish();
            }
        }

        #[test]
        fn damage_is_noticed(cut in 0_usize..300, at in any::<prop::sample::Index>(), bit in 0_u32..8) {
            let mut stored = of(&vec![5; cut]).to_bytes();
            let at = at.index(stored.len());
            stored[at] ^= 1 << bit;
            prop_assert!(DigestState::from_bytes(&stored).is_none());
            prop_assert!(DigestState::from_bytes(&stored[..at]).is_none());
        }
    }

    #[test]
    fn what_another_implementation_stored_is_not_read() {
        let stored = of(b"abc").to_bytes();
        let body = &stored[header().len()..stored.len() - SUM];
        let with = |header: &str| DigestState::from_bytes(&sealed([header.as_bytes(), body].concat()));
        assert_eq!(with(&header()).map(|state| state.offset()), Some(3));
        assert!(with(&header().replace("state 1", "state 2")).is_none());
        assert!(with(&header().replace("0.11", "0.12")).is_none());
        assert!(with(&header().replace(sha3::IMPLEMENTATION, "another")).is_none());
    }

    /// If this fails, a library keeps its state in another way than the one whose version the header names: name it by another
    /// one, or what older programs stored is taken for something else.
    #[test]
    fn the_libraries_keep_their_state_as_they_did() {
        let stored = of(&[7; 1000]).to_bytes();
        let body = &stored[header().len()..stored.len() - SUM];
        insta::assert_snapshot!(Md5::from_bytes(sum(body)), @"6b8d108d276d16be47c0d5ec3356054d");
    }
}
