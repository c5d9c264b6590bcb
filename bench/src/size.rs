//! Sizes as people write them.

use std::fmt;
use std::str::FromStr;

const UNITS: [(&str, u32); 4] = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("B", 0)];

/// A number of bytes, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

impl Size {
    pub const fn kib(number: u64) -> Self {
        Self(number << 10)
    }

    pub const fn mib(number: u64) -> Self {
        Self(number << 20)
    }

    pub const fn gib(number: u64) -> Self {
        Self(number << 30)
    }
}

/// `64MiB`, `1 GiB`, or bytes without a unit.
impl FromStr for Size {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (number, shift) = UNITS
            .iter()
            .find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, *shift)))
            .unwrap_or((text, 0));
        let number: u64 = number.trim().parse().map_err(|_| "it takes the form 64MiB or 1GiB")?;
        let bytes = number.checked_mul(1 << shift).filter(|bytes| *bytes > 0);
        bytes.map(Self).ok_or("it is out of range")
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = |shift: u32| self.0.is_multiple_of(1 << shift);
        match UNITS.iter().rev().skip(1).find(|(_, shift)| whole(*shift)) {
            Some((unit, shift)) => write!(f, "{} {unit}", self.0 >> shift),
            None => write!(f, "{} bytes", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_shown() {
        for (text, bytes, shown) in [
            ("1GiB", 1 << 30, "1 GiB"),
            ("64 MiB", 64 << 20, "64 MiB"),
            ("1536MiB", 1536 << 20, "1536 MiB"),
            ("2KiB", 2048, "2 KiB"),
            ("7", 7, "7 bytes"),
            ("7B", 7, "7 bytes"),
        ] {
            let size: Size = text.parse().unwrap();
            assert_eq!((size.0, &*size.to_string()), (bytes, shown));
        }
        for wrong in ["", "0", "GiB", "1TiB", "-1", "1.5GiB", "99999999999GiB"] {
            assert!(wrong.parse::<Size>().is_err(), "{wrong}");
        }
    }
}
