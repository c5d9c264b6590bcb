use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use unicode_normalization::UnicodeNormalization as _;

/// Text is not the name of a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a file name: {reason}")]
pub struct InvalidFileName {
    text: String,
    reason: &'static str,
}

/// What a list holds under a name, whatever the spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<T> {
    /// Nothing.
    None,
    /// One item, perhaps in another spelling.
    One(T),
    /// Several, which only a person can tell apart.
    Several(Vec<T>),
}

/// The name of a file in the distribution service, which is also `fileName` of its package record.
///
/// Valid by construction: 1 to 255 bytes of UTF-8, no `/`, no control characters, neither `.` nor `..`. The spelling
/// is kept as given; [`same_name`](FileName::same_name) compares without regard to Unicode normalisation.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileName(String);

impl FileName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the two are one name to a person: equal after normalisation to NFC. macOS hands out decomposed umlauts
    /// where a browser upload wrote composed ones (`user-pains.md` row 25).
    #[must_use]
    pub fn same_name(&self, other: &str) -> bool {
        // ASCII has one spelling only, and lists hold thousands of names.
        self.0 == other || (!(self.0.is_ascii() && other.is_ascii()) && self.0.nfc().eq(other.nfc()))
    }

    /// Under what the name stands in an index: the same for names that are [one](FileName::same_name).
    #[must_use]
    pub fn key(&self) -> Cow<'_, str> {
        name_key(&self.0)
    }

    /// What stands under this name among `items`, of each of which `name` tells the name. With several spellings an exact
    /// match settles nothing: the spelling at hand comes from a local disk or a recipe, and says nothing about which of
    /// the server's files is meant.
    pub fn find<T>(&self, items: impl IntoIterator<Item = T>, name: impl Fn(&T) -> &str) -> Found<T> {
        let mut found: Vec<T> = items.into_iter().filter(|item| self.same_name(name(item))).collect();
        match (found.pop(), found.is_empty()) {
            (None, _) => Found::None,
            (Some(only), true) => Found::One(only),
            (Some(last), false) => {
                found.push(last);
                Found::Several(found)
            }
        }
    }

    /// The spellings under which a server may know this name: as it is, composed (NFC), decomposed (NFD); each once.
    #[must_use]
    pub fn spellings(&self) -> Vec<String> {
        let mut all = vec![self.0.clone()];
        for other in [self.0.nfc().collect::<String>(), self.0.nfd().collect()] {
            if !all.contains(&other) {
                all.push(other);
            }
        }
        all
    }

    /// Whether `other` is what the service makes of this name when it is already taken: `Name_1.pkg`, `Name_2.pkg`, …
    /// (`jamf-pro-api.md §12`).
    #[must_use]
    pub fn is_twin(&self, other: &str) -> bool {
        let (stem, extension) = split(&self.0);
        let (other_stem, other_extension) = split(other);
        extension == other_extension
            && other_stem
                .strip_prefix(stem)
                .and_then(|rest| rest.strip_prefix('_'))
                .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    }
}

/// The [key](FileName::key) of a name as a server spells it, which need not be one that a file can have.
#[must_use]
pub fn name_key(name: &str) -> Cow<'_, str> {
    if name.is_ascii() { Cow::Borrowed(name) } else { Cow::Owned(name.nfc().collect()) }
}

fn split(name: &str) -> (&str, &str) {
    name.rsplit_once('.').map_or((name, ""), |(stem, extension)| (stem, extension))
}

impl FromStr for FileName {
    type Err = InvalidFileName;
    fn from_str(text: &str) -> Result<Self, InvalidFileName> {
        let reason = if text.is_empty() {
            "it is empty"
        } else if text == "." || text == ".." {
            "it names a folder"
        } else if text.contains('/') {
            "it contains `/`"
        } else if text.chars().any(char::is_control) {
            "it contains a control character"
        } else if text.len() > 255 {
            "it is longer than 255 bytes"
        } else {
            return Ok(Self(text.to_owned()));
        };
        Err(InvalidFileName { text: text.to_owned(), reason })
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for FileName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl serde::Serialize for FileName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}
