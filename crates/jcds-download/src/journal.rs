//! What the journal beside a `.part` file says: one line about the file, then a line for each range that is in place.
//!
//! A line counts when its line end is there: a process that is killed while it writes one leaves a piece of a line, which
//! is no line. So the journal is right at every moment, as long as a range is written before its line is.

use crate::Wanted;
use crate::ranges::{Cut, Done};
use serde::{Deserialize, Serialize};

/// Grows when the lines change their meaning. A journal of another version is one of another file.
const VERSION: u32 = 1;

/// Which file the ranges are of, and how it was cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    pkgferry_download: u32,
    file: String,
    size: u64,
    md5: Option<String>,
    sha3_512: Option<String>,
    range_size: u64,
}

impl Header {
    pub(crate) fn new(wanted: &Wanted, cut: Cut) -> Self {
        Self {
            pkgferry_download: VERSION,
            file: wanted.name.as_str().to_owned(),
            size: wanted.size,
            md5: wanted.md5.map(|md5| md5.to_string()),
            sha3_512: wanted.sha3_512.map(|sha3_512| sha3_512.to_string()),
            range_size: cut.range_size(),
        }
    }

    /// Whether two journals with this header are surely about the same bytes.
    fn identifies(&self) -> bool {
        self.md5.is_some() || self.sha3_512.is_some()
    }

    /// The first line of a journal.
    pub(crate) fn line(&self) -> Result<String, serde_json::Error> {
        Ok(format!("{}\n", serde_json::to_string(self)?))
    }
}

/// The line of a range that is in place.
pub(crate) fn line(index: u64) -> String {
    format!("{index}\n")
}

/// What an earlier run left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// Nothing that says anything.
    Nothing,
    /// Ranges of the file that is wanted.
    Ranges {
        /// Which.
        done: Done,
        /// How long the journal is up to the last line that counts.
        length: u64,
    },
    /// Ranges of another file, or of one that nobody can tell from the one that is wanted.
    Other,
}

/// Reads a journal.
pub(crate) fn read(bytes: &[u8], wanted: &Header, cut: Cut) -> Left {
    let Some((first, rest)) = split_line(bytes) else { return Left::Nothing };
    let Ok(header) = serde_json::from_slice::<Header>(first) else { return Left::Other };
    let mut indexes = Vec::new();
    let mut unread = rest;
    while let Some((line, rest)) = split_line(unread) {
        let Some(index) = number(line).filter(|index| *index < cut.count()) else { break };
        indexes.push(index);
        unread = rest;
    }
    let begins_anew = header != *wanted || !header.identifies();
    match begins_anew {
        // Nothing is lost with it.
        true if indexes.is_empty() && rest.is_empty() => Left::Nothing,
        true => Left::Other,
        false => Left::Ranges { done: Done::of(cut, indexes), length: (bytes.len() - unread.len()) as u64 },
    }
}

fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    Some((&bytes[..end], &bytes[end + 1..]))
}

fn number(line: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(line).ok()?;
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pipeline::{Md5, Sha3_512};
    use proptest::prelude::*;
    use std::num::NonZeroU64;

    fn wanted(md5: Option<u8>) -> Wanted {
        Wanted {
            name: "App.pkg".parse().unwrap(),
            size: 95,
            md5: md5.map(|byte| Md5::from_bytes([byte; 16])),
            sha3_512: md5.map(|byte| Sha3_512::from_bytes([byte; 64])),
        }
    }

    fn cut() -> Cut {
        Cut::new(95, NonZeroU64::new(10).unwrap())
    }

    fn header() -> Header {
        Header::new(&wanted(Some(1)), cut())
    }

    fn journal(lines: &str) -> Vec<u8> {
        format!("{}{lines}", header().line().unwrap()).into_bytes()
    }

    fn ranges(bytes: &[u8]) -> (u64, u64) {
        match read(bytes, &header(), cut()) {
            Left::Ranges { done, length } => (done.bytes(), length),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_header_says_which_file_it_is() {
        let md5 = Md5::from_bytes([1; 16]);
        let wanted = Wanted { md5: Some(md5), sha3_512: None, ..wanted(None) };
        insta::assert_snapshot!(Header::new(&wanted, cut()).line().unwrap(), @r#"{"pkgferry_download":1,"file":"App.pkg","size":95,"md5":"01010101010101010101010101010101","sha3_512":null,"range_size":10}"#);
    }

    #[test]
    fn lines_count_up_to_the_first_that_is_none() {
        let head = header().line().unwrap().len() as u64;
        for (lines, bytes, length) in [
            ("", 0, 0),
            ("0\n", 10, 2),
            ("0\n9\n", 15, 4),
            ("0\n9\n3", 15, 4),
            ("9\n9\n", 5, 4),
            ("1\n10\n2\n", 10, 2),
            ("1\n\0\0\n2\n", 10, 2),
            ("1\n02\n", 10, 2),
        ] {
            assert_eq!(ranges(&journal(lines)), (bytes, head + length), "{lines:?}");
        }
    }

    #[test]
    fn another_file_begins_anew() {
        let left = |bytes: &[u8], wanted: &Wanted| read(bytes, &Header::new(wanted, cut()), cut());
        let other = wanted(Some(2));
        assert_eq!(left(&journal("1\n"), &other), Left::Other);
        assert_eq!(left(b"not a journal\n", &other), Left::Other);
        // Nothing was there to lose.
        assert_eq!(left(&journal(""), &other), Left::Nothing);
        assert_eq!(left(b"{\"pkgferry_down", &other), Left::Nothing);
        assert_eq!(left(b"", &other), Left::Nothing);
        // Two files without digests may be two files.
        let nameless = wanted(None);
        let bytes = format!("{}1\n", Header::new(&nameless, cut()).line().unwrap());
        assert_eq!(left(bytes.as_bytes(), &nameless), Left::Other);
    }

    proptest! {
        /// Wherever a kill cuts the journal, it says no more than what was written.
        #[test]
        fn a_journal_cut_anywhere_is_right(indexes in prop::collection::vec(0_u64..10, 0..12), at in 0_usize..400) {
            let whole = journal(&indexes.iter().copied().map(line).collect::<String>());
            let torn = &whole[..at.min(whole.len())];
            match read(torn, &header(), cut()) {
                Left::Nothing => prop_assert!(torn.len() < header().line().unwrap().len()),
                Left::Ranges { done, length } => {
                    let lines = torn.iter().filter(|byte| **byte == b'\n').count() - 1;
                    prop_assert_eq!(done, Done::of(cut(), indexes[..lines].iter().copied()));
                    prop_assert!(length <= torn.len() as u64 && torn[length as usize - 1] == b'\n');
                }
                Left::Other => prop_assert!(false, "the file is the same"),
            }
        }

        #[test]
        fn any_bytes_can_be_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&bytes, &header(), cut());
            let mut after_a_header = journal("");
            after_a_header.extend(bytes);
            let is_read = matches!(read(&after_a_header, &header(), cut()), Left::Ranges { .. });
            prop_assert!(is_read);
        }
    }
}
