//! The one place that decides whose SHA3-512 is used.
//!
//! RustCrypto's `sha3`, which finds the SHA3 instructions of ARM at run time; except on x86-64, which has none, and where the
//! permutation is [`keccak`](crate::keccak)'s: alone of all that was tried it is faster there than OpenSSL's
//! (`cargo bench -p fingerprint`). The sponge around it is the one that `sha3` uses. The tests compute with both, and with
//! aws-lc, and compare.

#[cfg(target_arch = "x86_64")]
pub(crate) use own::IMPLEMENTATION;
#[cfg(target_arch = "x86_64")]
pub use own::Sha3;
#[cfg(not(target_arch = "x86_64"))]
pub(crate) use rust_crypto::IMPLEMENTATION;
#[cfg(not(target_arch = "x86_64"))]
pub use rust_crypto::Sha3;

/// Bytes of a stored state: 25 lanes, and where the sponge is in its block.
const STORED: usize = 201;

#[cfg(target_arch = "x86_64")]
mod own {
    use super::STORED;
    use crate::keccak::{Lanes, RATE, absorb, f1600};
    use fearless_simd::Level;
    use pipeline::Sha3_512;
    use sponge_cursor::SpongeCursor;

    /// Whose state is stored, and in which version.
    pub(crate) const IMPLEMENTATION: &str = "keccak 1";

    /// A SHA3-512 in the making, by the fastest implementation that is linked.
    #[derive(Clone)]
    pub struct Sha3 {
        level: Level,
        lanes: Lanes,
        cursor: SpongeCursor<RATE>,
    }

    /// Of nothing yet.
    impl Default for Sha3 {
        fn default() -> Self {
            Self::at(Level::new())
        }
    }

    impl Sha3 {
        /// With no more than the instructions of this level.
        pub(super) fn at(level: Level) -> Self {
            Self { level, lanes: [0; 25], cursor: SpongeCursor::default() }
        }

        /// Takes more bytes.
        pub fn update(&mut self, bytes: &[u8]) {
            // What fills the block that was begun; then whole blocks, all at once; then what begins the next one.
            let missing = (RATE - self.cursor.pos()) % RATE;
            let (head, bytes) = bytes.split_at(bytes.len().min(missing));
            self.cursor.absorb_u64_le(&mut self.lanes, f1600, head);
            let (blocks, tail) = bytes.as_chunks();
            absorb(self.level, &mut self.lanes, blocks);
            self.cursor.absorb_u64_le(&mut self.lanes, f1600, tail);
        }

        /// The digest of all of them.
        #[must_use]
        pub fn finish(mut self) -> Sha3_512 {
            // The suffix of SHA-3 and the padding (FIPS 202 §B.2).
            let end = self.cursor.pos();
            self.lanes[end / 8] ^= 0x06 << (8 * (end % 8));
            self.lanes[RATE / 8 - 1] ^= 0x80 << 56;
            f1600(&mut self.lanes);
            let mut digest = [0; 64];
            for (bytes, lane) in digest.as_chunks_mut().0.iter_mut().zip(self.lanes) {
                *bytes = lane.to_le_bytes();
            }
            Sha3_512::from_bytes(digest)
        }

        /// What it has come to, for [`from_bytes`](Sha3::from_bytes).
        pub(crate) fn to_bytes(&self) -> [u8; STORED] {
            let mut bytes = [0; STORED];
            let [lanes @ .., cursor] = &mut bytes;
            for (bytes, lane) in lanes.as_chunks_mut().0.iter_mut().zip(self.lanes) {
                *bytes = lane.to_le_bytes();
            }
            *cursor = self.cursor.raw_pos();
            bytes
        }

        /// `None` for bytes that no state has.
        pub(crate) fn from_bytes(bytes: &[u8; STORED]) -> Option<Self> {
            let [stored @ .., cursor] = bytes;
            let cursor = SpongeCursor::new(*cursor)?;
            let mut lanes = [0; 25];
            for (lane, bytes) in lanes.iter_mut().zip(stored.as_chunks().0) {
                *lane = u64::from_le_bytes(*bytes);
            }
            Some(Self { lanes, cursor, ..Self::default() })
        }
    }
}

#[cfg(any(test, not(target_arch = "x86_64")))]
mod rust_crypto {
    use super::STORED;
    use pipeline::Sha3_512;
    use sha3::Digest as _;
    use sha3::digest::common::hazmat::SerializableState as _;

    /// Whose state is stored, and in which version.
    #[cfg_attr(test, allow(dead_code, reason = "the tests compute with both"))]
    pub(crate) const IMPLEMENTATION: &str = "sha3 0.12";

    /// A SHA3-512 in the making, by the fastest implementation that is linked.
    #[derive(Clone)]
    pub struct Sha3(sha3::Sha3_512);

    /// Of nothing yet.
    impl Default for Sha3 {
        fn default() -> Self {
            Self(sha3::Sha3_512::new())
        }
    }

    impl Sha3 {
        /// Takes more bytes.
        pub fn update(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }

        /// The digest of all of them.
        #[must_use]
        pub fn finish(self) -> Sha3_512 {
            Sha3_512::from_bytes(self.0.finalize().into())
        }

        /// What it has come to, for [`from_bytes`](Sha3::from_bytes).
        pub(crate) fn to_bytes(&self) -> [u8; STORED] {
            self.0.serialize().into()
        }

        /// `None` for bytes that no state has.
        pub(crate) fn from_bytes(bytes: &[u8; STORED]) -> Option<Self> {
            sha3::Sha3_512::deserialize(&(*bytes).into()).ok().map(Self)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{STORED, Sha3, rust_crypto};
    use aws_lc_rs::digest;
    use pipeline::Sha3_512;
    use proptest::prelude::*;

    /// Bytes that are absorbed at once.
    const RATE: usize = 72;

    /// The one that is used here, and those that are used on other machines of this architecture.
    #[cfg(target_arch = "x86_64")]
    fn ways() -> Vec<Sha3> {
        vec![Sha3::default(), Sha3::at(fearless_simd::Level::baseline())]
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn ways() -> Vec<Sha3> {
        vec![Sha3::default()]
    }

    fn aws_lc(bytes: &[u8]) -> Sha3_512 {
        let digest = digest::digest(&digest::SHA3_512, bytes);
        Sha3_512::from_bytes(digest.as_ref().try_into().unwrap())
    }

    fn rust_crypto(bytes: &[u8]) -> Sha3_512 {
        let mut digest = rust_crypto::Sha3::default();
        digest.update(bytes);
        digest.finish()
    }

    /// The examples of NIST (FIPS 202) for no bytes, and of 200 times the byte A3, which fills blocks.
    #[test]
    fn published_digests() {
        let published = [
            (
                0,
                "a69f73cca23a9ac5c8b567dc185a756e97c982164fe25859e0d1dcc1475c80a6\
                 15b2123af1f5f94c11e3e9402c3ac558f500199d95b6d3e301758586281dcd26",
            ),
            (
                200,
                "e76dfad22084a8b1467fcf2ffa58361bec7628edf5f3fdc0e4805dc48caeeca8\
                 1b7c13c30adf52a3659584739a2df46be589c51ca1a4a8416df6545a1ce8ba00",
            ),
        ];
        for (length, digest) in published {
            let bytes = vec![0xA3; length];
            for mut way in ways() {
                way.update(&bytes);
                assert_eq!(way.finish().to_string(), digest);
            }
            assert_eq!(rust_crypto(&bytes).to_string(), digest);
            assert_eq!(aws_lc(&bytes).to_string(), digest);
        }
    }

    proptest! {
        #[test]
        fn all_implementations_agree(
            blocks in 0_usize..6,
            beside in -2_isize..=2,
            cuts in proptest::collection::vec(0_usize..6 * RATE, 0..4),
            seed in any::<u64>(),
        ) {
            let length = (blocks * RATE).saturating_add_signed(beside);
            let bytes: Vec<u8> = (0..length as u64).map(|index| (seed ^ index).wrapping_mul(31) as u8).collect();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(length)).collect();
            cuts.extend([0, length]);
            cuts.sort_unstable();
            let expected = rust_crypto(&bytes);
            prop_assert_eq!(aws_lc(&bytes), expected);
            for mut way in ways() {
                for piece in cuts.windows(2) {
                    way.update(&bytes[piece[0]..piece[1]]);
                }
                prop_assert_eq!(way.finish(), expected);
            }
        }

        /// The one that is used here and RustCrypto's keep their states alike, so that each can be tested by the other.
        #[test]
        fn a_stored_state_goes_on_in_any_implementation(
            bytes in proptest::collection::vec(any::<u8>(), 0..4 * RATE),
            cut in 0_usize..4 * RATE,
        ) {
            let (head, tail) = bytes.split_at(cut.min(bytes.len()));
            let (mut one, mut other) = (Sha3::default(), rust_crypto::Sha3::default());
            one.update(head);
            other.update(head);
            prop_assert_eq!(one.to_bytes(), other.to_bytes());
            let (mut one, mut other) =
                (Sha3::from_bytes(&other.to_bytes()).unwrap(), rust_crypto::Sha3::from_bytes(&one.to_bytes()).unwrap());
            one.update(tail);
            other.update(tail);
            let expected = aws_lc(&bytes);
            prop_assert_eq!((one.finish(), other.finish()), (expected, expected));
        }
    }

    #[test]
    fn no_state_is_beyond_its_block() {
        let mut stored = Sha3::default().to_bytes();
        stored[STORED - 1] = RATE as u8;
        assert!(Sha3::from_bytes(&stored).is_none());
        assert!(rust_crypto::Sha3::from_bytes(&stored).is_none());
    }
}
