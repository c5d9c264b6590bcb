//! What the environment says about a download.

use pipeline::{Key, Kind, Typed, Value, WrongType};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

/// Where the file goes: a file, or a folder that is there.
pub const DOWNLOAD_PATH: Key<PathBuf> = Key::new("download_path");
/// Whether a file that is there is replaced.
pub const OVERWRITE: Key<bool> = Key::new("overwrite");
/// How many ranges are fetched at a time.
pub(crate) const DOWNLOAD_CONCURRENCY: Key<Concurrency> = Key::new("download_concurrency");
/// Seconds after which a range that does not move is asked for anew.
pub(crate) const DOWNLOAD_STALL: Key<StallSeconds> = Key::new("download_stall_seconds");

/// How many ranges are fetched at a time: 1 to 16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Concurrency(u32);

impl Concurrency {
    pub(crate) fn get(self) -> NonZeroUsize {
        NonZeroUsize::new(self.0 as usize).unwrap_or(NonZeroUsize::MIN)
    }
}

impl Default for Concurrency {
    fn default() -> Self {
        Self(4)
    }
}

/// A whole number from 1 to 16.
impl Typed for Concurrency {
    const KIND: Kind = Kind::Integer;

    fn read(value: &Value) -> Result<Self, WrongType> {
        match u32::read(value) {
            Ok(number @ 1..=16) => Ok(Self(number)),
            _ => Err(WrongType::new("a whole number from 1 to 16", value)),
        }
    }

    fn write(self) -> Value {
        self.0.write()
    }
}

/// After how many seconds a range counts as stalled: 1 to 3600.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StallSeconds(u32);

impl StallSeconds {
    pub(crate) fn get(self) -> Duration {
        Duration::from_secs(self.0.into())
    }
}

impl Default for StallSeconds {
    fn default() -> Self {
        Self(30)
    }
}

/// A whole number from 1 to 3600.
impl Typed for StallSeconds {
    const KIND: Kind = Kind::Integer;

    fn read(value: &Value) -> Result<Self, WrongType> {
        match u32::read(value) {
            Ok(number @ 1..=3600) => Ok(Self(number)),
            _ => Err(WrongType::new("a whole number from 1 to 3600", value)),
        }
    }

    fn write(self) -> Value {
        self.0.write()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_have_bounds() {
        for (text, concurrency, stall) in [
            ("0", false, false),
            ("1", true, true),
            ("16", true, true),
            ("17", false, true),
            ("3600", false, true),
        ] {
            let value = Value::String(text.into());
            assert_eq!(
                (Concurrency::read(&value).is_ok(), StallSeconds::read(&value).is_ok()),
                (concurrency, stall)
            );
        }
        assert!(StallSeconds::read(&Value::Integer(3601)).is_err());
    }

    #[test]
    fn defaults_are_those_of_the_engine() {
        let engine = crate::Options::default();
        assert_eq!(Concurrency::default().get(), engine.concurrency);
        assert_eq!(StallSeconds::default().get(), engine.stall);
    }
}
