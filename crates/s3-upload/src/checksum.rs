//! Which checksum goes along with a part, so that S3 notices bytes that changed on the way.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use crc_fast::{CrcAlgorithm, Digest, checksum_combine};
use pipeline::{Kind, Typed, Value, WrongType};

/// A checksum that processors compute in passing (8 GB/s, `baselines.md §3`), or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checksum {
    /// S3's own default. Those of the parts make that of the whole file, which S3 compares when it puts them together.
    Crc64Nvme,
    /// The SDKs' default, which other servers of S3's protocol learnt first. Each part is compared by itself.
    Crc32,
    /// For servers that refuse both. TLS and the proof of the delivery remain.
    None,
}

impl Checksum {
    pub(crate) const ALL: [Self; 3] = [Self::Crc64Nvme, Self::Crc32, Self::None];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Crc64Nvme => "crc64nvme",
            Self::Crc32 => "crc32",
            Self::None => "none",
        }
    }

    pub(crate) fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|checksum| checksum.word() == word)
    }

    /// What to try when a server refuses this one.
    pub(crate) fn lesser(self) -> Option<Self> {
        match self {
            Self::Crc64Nvme => Some(Self::Crc32),
            Self::Crc32 => Some(Self::None),
            Self::None => None,
        }
    }

    fn algorithm(self) -> Option<CrcAlgorithm> {
        match self {
            Self::Crc64Nvme => Some(CrcAlgorithm::Crc64Nvme),
            Self::Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
            Self::None => None,
        }
    }

    /// Begins to compute.
    pub(crate) fn sum(self) -> Sum {
        Sum { checksum: self, digest: self.algorithm().map(Digest::new) }
    }

    /// As S3 writes a value: big-endian, in base64.
    fn text(self, value: u64) -> Option<String> {
        match self {
            Self::Crc64Nvme => Some(BASE64_STANDARD.encode(value.to_be_bytes())),
            Self::Crc32 => Some(BASE64_STANDARD.encode(&value.to_be_bytes()[4..])),
            Self::None => None,
        }
    }

    /// The whole file's value from those of its parts, in order, with their sizes. `None` where S3 knows no such value, or
    /// one of them is not readable.
    pub(crate) fn of_whole<'a>(self, parts: impl IntoIterator<Item = (&'a str, u64)>) -> Option<String> {
        if self != Self::Crc64Nvme {
            return None;
        }
        let mut whole = 0;
        for (text, size) in parts {
            let bytes: [u8; 8] = BASE64_STANDARD.decode(text).ok()?.try_into().ok()?;
            whole = checksum_combine(CrcAlgorithm::Crc64Nvme, whole, u64::from_be_bytes(bytes), size);
        }
        self.text(whole)
    }
}

/// A checksum being computed.
pub(crate) struct Sum {
    checksum: Checksum,
    digest: Option<Digest>,
}

impl Sum {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        if let Some(digest) = &mut self.digest {
            digest.update(bytes);
        }
    }

    /// The value in base64; `None` for [`Checksum::None`].
    pub(crate) fn finish(self) -> Option<String> {
        self.checksum.text(self.digest?.finalize())
    }
}

/// What a recipe says: a checksum, or that it is found out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ChecksumChoice {
    /// The best that the server takes.
    #[default]
    Auto,
    /// This one.
    Only(Checksum),
}

impl ChecksumChoice {
    /// The first to try.
    pub(crate) fn first(self) -> Checksum {
        match self {
            Self::Auto => Checksum::Crc64Nvme,
            Self::Only(checksum) => checksum,
        }
    }

    /// The next to try after a refusal.
    pub(crate) fn after(self, refused: Checksum) -> Option<Checksum> {
        match self {
            Self::Auto => refused.lesser(),
            Self::Only(_) => None,
        }
    }
}

/// `auto`, `crc64nvme`, `crc32` or `none`.
impl Typed for ChecksumChoice {
    const KIND: Kind = Kind::String;

    fn read(value: &Value) -> Result<Self, WrongType> {
        match String::read(value)?.to_ascii_lowercase().as_str() {
            "auto" => Ok(Self::Auto),
            word => Checksum::named(word)
                .map(Self::Only)
                .ok_or_else(|| WrongType::new("auto, crc64nvme, crc32 or none", value)),
        }
    }

    fn write(self) -> Value {
        let word = match self {
            Self::Auto => "auto",
            Self::Only(checksum) => checksum.word(),
        };
        Value::String(word.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(checksum: Checksum, bytes: &[u8]) -> Option<String> {
        let mut sum = checksum.sum();
        sum.update(bytes);
        sum.finish()
    }

    #[test]
    fn values_are_those_of_s3() {
        // The check values of the catalogue of CRC algorithms, for `123456789`.
        let bytes = b"123456789";
        assert_eq!(
            of(Checksum::Crc64Nvme, bytes).unwrap(),
            BASE64_STANDARD.encode(0xae8b_1486_0a79_9888_u64.to_be_bytes())
        );
        assert_eq!(
            of(Checksum::Crc32, bytes).unwrap(),
            BASE64_STANDARD.encode(0xcbf4_3926_u32.to_be_bytes())
        );
        assert_eq!(of(Checksum::None, bytes), None);
    }

    proptest! {
        #[test]
        fn parts_make_the_whole(bytes in proptest::collection::vec(any::<u8>(), 1..5000), cut in 1_usize..5000) {
            let parts: Vec<_> =
                bytes.chunks(cut).map(|part| (of(Checksum::Crc64Nvme, part).unwrap(), part.len() as u64)).collect();
            let whole = Checksum::Crc64Nvme.of_whole(parts.iter().map(|(text, size)| (text.as_str(), *size)));
            prop_assert_eq!(whole, of(Checksum::Crc64Nvme, &bytes));
        }
    }

    #[test]
    fn only_crc64_makes_a_value_of_the_whole() {
        assert_eq!(Checksum::Crc32.of_whole([("AAAAAA==", 9)]), None);
        assert_eq!(Checksum::Crc64Nvme.of_whole([("no base64", 9)]), None);
    }

    #[test]
    fn a_choice_is_spelled_as_documented() {
        for word in ["auto", "crc64nvme", "crc32", "none"] {
            let value = Value::String(word.to_owned());
            assert_eq!(ChecksumChoice::read(&value).unwrap().write(), value);
        }
        assert!(ChecksumChoice::read(&Value::String("md5".into())).is_err());
        assert_eq!(ChecksumChoice::Auto.after(Checksum::Crc64Nvme), Some(Checksum::Crc32));
        assert_eq!(ChecksumChoice::Auto.after(Checksum::None), None);
        assert_eq!(ChecksumChoice::Only(Checksum::Crc64Nvme).after(Checksum::Crc64Nvme), None);
    }
}
