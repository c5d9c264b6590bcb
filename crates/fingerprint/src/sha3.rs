//! The one place that decides whose SHA3-512 is used.
//!
//! RustCrypto's `sha3`, except on x86-64: there is no instruction for Keccak there, and the assembly of aws-lc, which is
//! linked for TLS anyway, is 1.26 to 1.37 times as fast as what the compiler makes of portable code (`cargo bench -p fingerprint`).
//! On ARM `sha3` finds the SHA3 instructions at run time. The tests compute with both and compare.

#[cfg(target_arch = "x86_64")]
pub use aws_lc::Sha3;
#[cfg(not(target_arch = "x86_64"))]
pub use rust_crypto::Sha3;

#[cfg(any(test, target_arch = "x86_64"))]
mod aws_lc {
    use aws_lc_rs::digest::{Context, SHA3_512};
    use pipeline::Sha3_512;

    /// A SHA3-512 in the making, by the fastest implementation that is linked.
    pub struct Sha3(Context);

    /// Of nothing yet.
    impl Default for Sha3 {
        fn default() -> Self {
            Self(Context::new(&SHA3_512))
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
            let mut digest = [0; 64];
            digest.copy_from_slice(self.0.finish().as_ref());
            Sha3_512::from_bytes(digest)
        }
    }
}

#[cfg(any(test, not(target_arch = "x86_64")))]
mod rust_crypto {
    use pipeline::Sha3_512;
    use sha3::Digest as _;

    /// A SHA3-512 in the making, by the fastest implementation that is linked.
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
    }
}

#[cfg(test)]
mod tests {
    use super::{aws_lc, rust_crypto};
    use proptest::prelude::*;

    /// Bytes that are absorbed at once.
    const RATE: usize = 72;

    proptest! {
        #[test]
        fn both_implementations_agree(
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
            let (mut one, mut other) = (aws_lc::Sha3::default(), rust_crypto::Sha3::default());
            for piece in cuts.windows(2) {
                one.update(&bytes[piece[0]..piece[1]]);
            }
            other.update(&bytes);
            prop_assert_eq!(one.finish(), other.finish());
        }
    }

    /// FIPS 202, by the example of NIST for no bytes at all.
    #[test]
    fn both_know_the_empty_message() {
        let published = "a69f73cca23a9ac5c8b567dc185a756e97c982164fe25859e0d1dcc1475c80a6\
                         15b2123af1f5f94c11e3e9402c3ac558f500199d95b6d3e301758586281dcd26";
        assert_eq!(aws_lc::Sha3::default().finish().to_string(), published);
        assert_eq!(rust_crypto::Sha3::default().finish().to_string(), published);
    }
}
