//! That the bytes that came are those that the list tells of.

use crate::error::Differs;
use crate::{Error, Wanted};
use fingerprint::Fingerprint;

/// What was compared with the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Size, MD5 and SHA3-512 agree.
    Both,
    /// Size and MD5 agree; the list has no SHA3-512.
    Md5,
    /// Size and SHA3-512 agree; the list has no MD5.
    Sha3_512,
    /// Only the size is known to agree: the list has no digest.
    None,
}

impl Proof {
    /// What can be compared with this file.
    pub(crate) fn possible(wanted: &Wanted) -> Self {
        match (wanted.md5, wanted.sha3_512) {
            (Some(_), Some(_)) => Self::Both,
            (Some(_), None) => Self::Md5,
            (None, Some(_)) => Self::Sha3_512,
            (None, None) => Self::None,
        }
    }
}

/// `MD5 and SHA3-512 agree`
impl std::fmt::Display for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Both => "MD5 and SHA3-512 agree",
            Self::Md5 => "MD5 agrees (the list has no SHA3-512)",
            Self::Sha3_512 => "SHA3-512 agrees (the list has no MD5)",
            Self::None => "only the size agrees, since the list has no digest",
        })
    }
}

/// Holds the digests against those of the list.
pub(crate) fn judge(wanted: &Wanted, got: &Fingerprint) -> Result<Proof, Error> {
    let wrong = |differs| Error::WrongDigest { file: wanted.name.clone(), differs: Box::new(differs) };
    if let Some(expected) = wanted.md5.filter(|expected| *expected != got.md5) {
        return Err(wrong(Differs::Md5 { expected, got: got.md5 }));
    }
    if let Some(expected) = wanted.sha3_512.filter(|expected| *expected != got.sha3_512) {
        return Err(wrong(Differs::Sha3_512 { expected, got: got.sha3_512 }));
    }
    Ok(Proof::possible(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pipeline::{Md5, Sha3_512};

    #[test]
    fn every_listed_digest_has_to_agree() {
        let (md5, other_md5) = (Md5::from_bytes([1; 16]), Md5::from_bytes([2; 16]));
        let (sha3, other_sha3) = (Sha3_512::from_bytes([1; 64]), Sha3_512::from_bytes([2; 64]));
        let got = Fingerprint { size: 9, md5, sha3_512: sha3 };
        let judged = |md5, sha3_512| {
            let name = "App.pkg".parse().unwrap();
            judge(&Wanted { name, size: 9, md5, sha3_512 }, &got).ok()
        };
        assert_eq!(judged(Some(md5), Some(sha3)), Some(Proof::Both));
        assert_eq!(judged(Some(md5), None), Some(Proof::Md5));
        assert_eq!(judged(None, Some(sha3)), Some(Proof::Sha3_512));
        assert_eq!(judged(None, None), Some(Proof::None));
        for (md5, sha3) in [
            (Some(other_md5), Some(sha3)),
            (Some(md5), Some(other_sha3)),
            (Some(other_md5), None),
            (None, Some(other_sha3)),
        ] {
            assert_eq!(judged(md5, sha3), None);
        }
    }
}
