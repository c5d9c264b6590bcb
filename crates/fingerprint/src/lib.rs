//! Size, MD5 and SHA3-512 of a file, over one pass of the disk, and the proof that nobody touched it meanwhile.
//!
//! - [`digest`] computes both digests; [`compare_with`] compares them with what somebody expects and stops as soon as
//!   the MD5 settles it.
//! - [`digest_from`] goes on where an earlier run was interrupted, by a [`DigestState`] that it left.
//! - [`digest_growing`] computes both digests of a file while somebody else writes it.
//! - [`FileIdentity`] tells whether a file is still the one that was looked at. Folders, devices and empty files are
//!   refused there, so whoever has an identity has a file that can be sent.
//!
//! - [`Digests`] reads a file only if its digests are not remembered; where they are kept is for who implements [`Memory`].
//!
//! It knows nothing of Jamf, and it decides nothing: what a difference means is the caller's business.
//!
//! ```
//! use fingerprint::{Comparison, Expected, compare_with, digest};
//! use tokio_util::sync::CancellationToken;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("Example.pkg");
//! std::fs::write(&path, "abc")?;
//! let cancel = CancellationToken::new();
//!
//! let (fingerprint, _identity) = digest(&path, |_bytes| {}, &cancel).await?;
//! assert_eq!(fingerprint.md5.to_string(), "900150983cd24fb0d6963f7d28e17f72");
//!
//! let expected = Expected { md5: Some(fingerprint.md5), sha3_512: Some(fingerprint.sha3_512) };
//! assert_eq!(compare_with(&path, expected, |_bytes| {}, &cancel).await?, Comparison::Equal { fingerprint });
//! # Ok(())
//! # }
//! ```

mod cached;
mod digest;
mod digest_state;
mod error;
mod growing;
mod identity;
#[cfg(target_arch = "x86_64")]
mod keccak;
mod pass;
mod relay;
mod sha3;
mod threads;

pub use cached::{Digests, Memory};
pub use digest::{Agreement, Comparison, Expected, Fingerprint, Start, compare_with, digest, digest_from};
pub use digest_state::DigestState;
pub use error::Error;
pub use growing::digest_growing;
pub use identity::FileIdentity;
pub use sha3::Sha3;
