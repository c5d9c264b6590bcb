use std::fmt;
use std::str::FromStr;

/// Text is not a digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {name}: it takes {digits} hex digits")]
pub struct InvalidDigest {
    text: String,
    name: &'static str,
    digits: usize,
}

macro_rules! digest {
    ($(#[$doc:meta])* $type:ident, $bytes:literal, $name:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $type([u8; $bytes]);

        impl $type {
            /// Takes the bytes that the algorithm gave.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; $bytes]) -> Self {
                Self(bytes)
            }

            /// The digest's bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }
        }

        /// Lower-case hex.
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($type), "({})"), self)
            }
        }

        /// Hex in either case: samples are lower-case, and servers are not trusted to stay so (`jamf-pro-api.md §7.1`).
        impl FromStr for $type {
            type Err = InvalidDigest;
            fn from_str(text: &str) -> Result<Self, InvalidDigest> {
                let mut bytes = [0; $bytes];
                hex::decode_to_slice(text, &mut bytes)
                    .map_err(|_| InvalidDigest { text: text.to_owned(), name: $name, digits: $bytes * 2 })?;
                Ok(Self(bytes))
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

digest! {
    /// An MD5 digest, 16 bytes. It finds differences fast; it proves nothing against somebody who wants a collision.
    Md5, 16, "an MD5 digest"
}
digest! {
    /// A SHA3-512 digest, 64 bytes: what Jamf calls `sha3` and `SHA3_512`. Not SHA-512 (`jamf-pro-api.md §7.1`).
    Sha3_512, 64, "a SHA3-512 digest"
}
