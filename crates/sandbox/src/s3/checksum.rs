//! The checksums of S3: one algorithm at a time, base64, over a part, a whole object, or the checksums of the parts.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Sha1, Sha256};

/// A checksum algorithm of S3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

impl Algorithm {
    pub(super) const ALL: [Self; 5] = [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256];

    /// What S3 computes when the client names none (`jamf-pro-api.md §9.4`).
    pub(super) const DEFAULT: Self = Self::Crc64Nvme;

    /// As in `x-amz-checksum-algorithm`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    /// The header or trailer that carries its value.
    pub(super) fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    /// Bytes of a value.
    fn len(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    pub(super) fn hasher(self) -> Hasher {
        let mut hasher = ChecksumHasher::default();
        match self {
            Self::Crc32 => hasher.crc32 = Some(Crc32::new()),
            Self::Crc32c => hasher.crc32c = Some(Crc32c::new()),
            Self::Crc64Nvme => hasher.crc64nvme = Some(Crc64Nvme::new()),
            Self::Sha1 => hasher.sha1 = Some(Sha1::new()),
            Self::Sha256 => hasher.sha256 = Some(Sha256::new()),
        }
        Hasher { algorithm: self, hasher }
    }
}

/// A checksum being computed.
pub(super) struct Hasher {
    algorithm: Algorithm,
    hasher: ChecksumHasher,
}

impl Hasher {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
    }

    pub(super) fn finish(self) -> Checksum {
        let sums = self.hasher.finalize();
        let value = match self.algorithm {
            Algorithm::Crc32 => sums.checksum_crc32,
            Algorithm::Crc32c => sums.checksum_crc32c,
            Algorithm::Crc64Nvme => sums.checksum_crc64nvme,
            Algorithm::Sha1 => sums.checksum_sha1,
            Algorithm::Sha256 => sums.checksum_sha256,
        };
        Checksum { algorithm: self.algorithm, value: value.unwrap_or_default() }
    }
}

/// A checksum as the protocol writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Checksum {
    pub(super) algorithm: Algorithm,
    /// Base64, and `-N` after it if it is a composite one.
    pub(super) value: String,
}

impl Checksum {
    /// Whether the value can be a checksum of a body.
    pub(super) fn is_well_formed(&self) -> bool {
        BASE64_STANDARD.decode(&self.value).is_ok_and(|bytes| bytes.len() == self.algorithm.len())
    }

    /// The checksum of the parts' checksums (`jamf-pro-api.md §9.4`).
    pub(super) fn composite<'a>(algorithm: Algorithm, parts: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut hasher = algorithm.hasher();
        let mut count = 0;
        for part in parts {
            hasher.update(&BASE64_STANDARD.decode(&part.value).unwrap_or_default());
            count += 1;
        }
        let Self { value, .. } = hasher.finish();
        Self { algorithm, value: format!("{value}-{count}") }
    }
}

/// How the checksum of a multipart object comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// From the checksums of the parts.
    Composite,
    /// From all bytes, as if they had come in one piece.
    FullObject,
}

impl Kind {
    /// As in `x-amz-checksum-type`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Composite => "COMPOSITE",
            Self::FullObject => "FULL_OBJECT",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::Composite, Self::FullObject].into_iter().find(|kind| kind.name().eq_ignore_ascii_case(name))
    }
}

/// What was agreed about checksums when a multipart upload was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Agreement {
    pub(super) algorithm: Algorithm,
    pub(super) kind: Kind,
}

impl Agreement {
    /// The kind that S3 takes if only the algorithm is named, or the named one if it goes with the algorithm: CRC64NVME
    /// is always of the full object, the SHAs never are.
    pub(super) fn new(algorithm: Algorithm, kind: Option<Kind>) -> Option<Self> {
        let kind = match (algorithm, kind) {
            (Algorithm::Crc64Nvme, None) => Kind::FullObject,
            (_, None) => Kind::Composite,
            (Algorithm::Crc64Nvme, Some(Kind::Composite)) => return None,
            (Algorithm::Sha1 | Algorithm::Sha256, Some(Kind::FullObject)) => return None,
            (_, Some(kind)) => kind,
        };
        Some(Self { algorithm, kind })
    }
}

/// Writes a checksum into the one of five fields that it belongs to; many structures of the protocol have these five.
macro_rules! set_checksum {
    ($target:expr, $checksum:expr) => {{
        let $crate::s3::checksum::Checksum { algorithm, value } = $checksum;
        match algorithm {
            $crate::s3::checksum::Algorithm::Crc32 => $target.checksum_crc32 = Some(value),
            $crate::s3::checksum::Algorithm::Crc32c => $target.checksum_crc32c = Some(value),
            $crate::s3::checksum::Algorithm::Crc64Nvme => $target.checksum_crc64nvme = Some(value),
            $crate::s3::checksum::Algorithm::Sha1 => $target.checksum_sha1 = Some(value),
            $crate::s3::checksum::Algorithm::Sha256 => $target.checksum_sha256 = Some(value),
        }
    }};
}
pub(super) use set_checksum;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(algorithm: Algorithm, bytes: &[u8]) -> Checksum {
        let mut hasher = algorithm.hasher();
        hasher.update(bytes);
        hasher.finish()
    }

    #[test]
    fn known_values() {
        let values = Algorithm::ALL.map(|algorithm| of(algorithm, b"123456789").value);
        insta::assert_snapshot!(values.join(" "), @"y/Q5Jg== 4waSgw== rosUhgp5mIg= 98O8HYCOBHMq32eZZczDTKeuNEE= FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=");
    }

    #[test]
    fn a_composite_is_the_checksum_of_the_checksums() {
        let parts = [of(Algorithm::Crc32, b"one"), of(Algorithm::Crc32, b"two")];
        let joined: Vec<u8> =
            parts.iter().flat_map(|part| BASE64_STANDARD.decode(&part.value).unwrap()).collect();
        let expected = format!("{}-2", of(Algorithm::Crc32, &joined).value);
        assert_eq!(Checksum::composite(Algorithm::Crc32, &parts).value, expected);
    }

    #[test]
    fn kinds_go_with_algorithms() {
        let kind = |algorithm, kind| Agreement::new(algorithm, kind).map(|agreement| agreement.kind);
        assert_eq!(kind(Algorithm::Crc32, None), Some(Kind::Composite));
        assert_eq!(kind(Algorithm::Crc64Nvme, None), Some(Kind::FullObject));
        assert_eq!(kind(Algorithm::Crc32c, Some(Kind::FullObject)), Some(Kind::FullObject));
        assert_eq!(kind(Algorithm::Crc64Nvme, Some(Kind::Composite)), None);
        assert_eq!(kind(Algorithm::Sha256, Some(Kind::FullObject)), None);
    }

    #[test]
    fn only_values_of_the_right_length_are_well_formed() {
        let checksum = |value: &str| Checksum { algorithm: Algorithm::Crc32, value: value.to_owned() };
        assert!(checksum("y/Q5Jg==").is_well_formed());
        assert!(!checksum("y/Q5").is_well_formed());
        assert!(!checksum("%%%").is_well_formed());
    }
}
