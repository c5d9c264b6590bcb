use std::fmt;
use std::str::FromStr;

/// What comparing the local file with the server's file came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The server has no file of this name.
    Absent,
    /// The server's file is the local file, byte for byte: size, MD5 and SHA3-512 agree.
    Same,
    /// The server has another file of this name, or one that cannot be shown to be the same.
    Different,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "absent",
            Self::Same => "same",
            Self::Different => "different",
        })
    }
}

impl FromStr for Verdict {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "absent" => Ok(Self::Absent),
            "same" => Ok(Self::Same),
            "different" => Ok(Self::Different),
            _ => Err(format!("{text:?} is not a verdict")),
        }
    }
}
