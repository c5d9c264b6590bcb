//! What the environment says about an upload.

use crate::Error;
use crate::checksum::ChecksumChoice;
use crate::endpoint::Endpoint;
use crate::parts::PartSize;
use crate::stall::Patience;
use fingerprint::Fingerprint;
use jamf::UploadGrant;
use jiff::Timestamp;
use pipeline::{Env, EnvError, Key, Kind, Typed, Value, WrongType, keys};

/// Key of the object that the file was sent as.
pub const JCDS_OBJECT_KEY: Key<String> = Key::new("jcds_object_key");
/// How many parts are sent at a time.
pub(crate) const UPLOAD_CONCURRENCY: Key<Concurrency> = Key::new("upload_concurrency");
/// How large a part is at least.
pub(crate) const PART_SIZE: Key<PartSize> = Key::new("part_size_mib");

/// After how many seconds of too little throughput a part is sent again.
pub(crate) const UPLOAD_STALL_SECONDS: Key<Patience> = Key::new("upload_stall_seconds");
/// Which checksum goes along with the parts.
pub(crate) const UPLOAD_CHECKSUM: Key<ChecksumChoice> = Key::new("upload_checksum");
/// Whether what was sent is kept when an upload ends early.
pub const KEEP_PARTIAL: Key<bool> = Key::new("keep_partial");

/// How many parts are sent at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Concurrency {
    /// As many as make the upload faster.
    #[default]
    Auto,
    /// This many: 1 to 32.
    Fixed(u8),
}

/// `auto`, or a whole number from 1 to 32.
impl Typed for Concurrency {
    const KIND: Kind = Kind::String;

    fn read(value: &Value) -> Result<Self, WrongType> {
        if matches!(value, Value::String(text) if text.eq_ignore_ascii_case("auto")) {
            return Ok(Self::Auto);
        }
        match u32::read(value).ok().and_then(|number| u8::try_from(number).ok()) {
            Some(number @ 1..=32) => Ok(Self::Fixed(number)),
            _ => Err(WrongType::new("auto, or a whole number from 1 to 32", value)),
        }
    }

    fn write(self) -> Value {
        match self {
            Self::Auto => Value::String("auto".to_owned()),
            Self::Fixed(number) => Value::Integer(number.into()),
        }
    }
}

/// The credentials that an earlier step obtained. Without a known end they are never renewed ahead of time.
pub(crate) fn grant(env: &Env) -> Result<UploadGrant, EnvError> {
    let path = env.need(keys::JCDS_PATH)?;
    Ok(UploadGrant {
        access_key_id: env.need(keys::JCDS_ACCESS_KEY_ID)?,
        secret_access_key: env.need(keys::JCDS_SECRET_ACCESS_KEY)?,
        session_token: env.need(keys::JCDS_SESSION_TOKEN)?,
        expiration: env.get(keys::JCDS_EXPIRATION)?.unwrap_or(Timestamp::MAX),
        region: env.need(keys::JCDS_REGION)?,
        bucket: env.need(keys::JCDS_BUCKET)?,
        // Exactly one slash between path and name (`jamf-pro-api.md §9.1`).
        path: format!("{}/", path.trim_end_matches('/')),
    })
}

/// Whether S3 is Amazon's.
pub(crate) fn endpoint(env: &Env) -> Result<Endpoint, Error> {
    Endpoint::parse(env.get(keys::S3_ENDPOINT)?.as_deref())
}

/// The file's digests, if an earlier step computed both.
pub(crate) fn known_fingerprint(env: &Env, size: u64) -> Result<Option<Fingerprint>, EnvError> {
    let md5 = env.get(keys::PKG_MD5)?;
    let sha3_512 = env.get(keys::PKG_SHA3_512)?;
    Ok(md5.zip(sha3_512).map(|(md5, sha3_512)| Fingerprint { size, md5, sha3_512 }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pipeline::Origin;

    #[test]
    fn a_path_ends_in_one_slash() {
        for (path, expected) in [("tmp/1/", "tmp/1/"), ("tmp/1", "tmp/1/"), ("tmp/1//", "tmp/1/")] {
            let mut env = Env::new();
            let all = [
                ("jcds_access_key_id", "A"),
                ("jcds_secret_access_key", "B"),
                ("jcds_session_token", "C"),
                ("jcds_region", "eu-central-1"),
                ("jcds_bucket", "jcds"),
                ("jcds_path", path),
            ];
            for (name, text) in all {
                env.insert(name, Value::String(text.into()), Origin::Output(1), false);
            }
            assert_eq!(grant(&env).unwrap().path, expected);
        }
    }

    #[test]
    fn concurrency_has_bounds() {
        for (text, good) in [
            ("0", false),
            ("1", true),
            ("32", true),
            ("33", false),
            ("300", false),
            ("4.0", false),
            ("auto", true),
        ] {
            assert_eq!(Concurrency::read(&Value::String(text.into())).is_ok(), good, "{text}");
        }
        assert_eq!(Concurrency::read(&Value::Integer(4)).unwrap(), Concurrency::Fixed(4));
    }
}
