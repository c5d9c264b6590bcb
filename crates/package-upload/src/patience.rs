use pipeline::{Kind, Typed, Value, WrongType};
use std::time::Duration;

/// After how many seconds in which hardly anything moves a try is given up: 1 to 3600. It is the entry, and the default, that
/// `s3-upload` has for its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Patience(u32);

impl From<Patience> for Duration {
    fn from(patience: Patience) -> Self {
        Self::from_secs(patience.0.into())
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self(60)
    }
}

/// A whole number from 1 to 3600.
impl Typed for Patience {
    const KIND: Kind = Kind::Integer;

    fn read(value: &Value) -> Result<Self, WrongType> {
        match u32::read(value) {
            Ok(seconds @ 1..=3600) => Ok(Self(seconds)),
            _ => Err(WrongType::new("a whole number of seconds from 1 to 3600", value)),
        }
    }

    fn write(self) -> Value {
        self.0.write()
    }
}
