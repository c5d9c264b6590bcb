//! Times in SQLite's integers: milliseconds since 1970.

use crate::Error;
use jiff::Timestamp;

pub(crate) fn stored(time: Timestamp) -> i64 {
    time.as_millisecond()
}

pub(crate) fn told(milliseconds: i64) -> Result<Timestamp, Error> {
    Timestamp::from_millisecond(milliseconds).map_err(|_| Error::Entry { what: "a time" })
}

pub(crate) fn told_if_any(milliseconds: Option<i64>) -> Result<Option<Timestamp>, Error> {
    milliseconds.map(told).transpose()
}
