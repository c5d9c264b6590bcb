//! Names in addresses.

use crate::Error;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::fmt::Write as _;

/// RFC 3986's unreserved signs stay; everything else is encoded, whatever a lenient server would let pass
/// (`jamf-pro-api.md §6.4`).
const ALL_BUT_UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A name as one segment of a path.
///
/// # Errors
/// When there is no such segment: addresses drop an empty one, and `.` and `..` even when they are encoded.
pub(crate) fn segment(name: &str) -> Result<String, Error> {
    match name {
        "" | "." | ".." => Err(Error::Unaddressable(name.to_owned())),
        _ => Ok(encoded(name)),
    }
}

/// Names and values as a query, or as the body of a form.
pub(crate) fn pairs(pairs: &[(&str, &str)]) -> String {
    let mut all = String::new();
    for (name, value) in pairs {
        let separator = if all.is_empty() { "" } else { "&" };
        let _ = write!(all, "{separator}{}={}", encoded(name), encoded(value));
    }
    all
}

pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ALL_BUT_UNRESERVED).to_string()
}

/// The same with digits such as `%2b`, which mean no other sign than `%2B`.
pub(crate) fn encoded_in_lower_case(text: &str) -> String {
    let parts = utf8_percent_encode(text, ALL_BUT_UNRESERVED);
    let lower = |part: &str| if part.starts_with('%') { part.to_ascii_lowercase() } else { part.to_owned() };
    parts.map(lower).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use url::Url;

    #[test]
    fn awkward_names_are_one_segment() {
        insta::assert_snapshot!(
            segment("Ünï & Co (v1+2) #3 100%/a?b;c.pkg").unwrap(),
            @"%C3%9Cn%C3%AF%20%26%20Co%20%28v1%2B2%29%20%233%20100%25%2Fa%3Fb%3Bc.pkg"
        );
    }

    #[test]
    fn what_no_address_can_carry_is_refused() {
        for name in ["", ".", ".."] {
            assert!(matches!(segment(name), Err(Error::Unaddressable(_))), "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn a_segment_survives_the_address(name in "\\PC{1,40}") {
            prop_assume!(segment(&name).is_ok());
            let mut url = Url::parse("https://jamf.example.com").unwrap();
            url.set_path(&format!("/prefix/api/{}", segment(&name).unwrap()));
            let last = url.path_segments().unwrap().nth(2).unwrap().to_owned();
            let back = percent_encoding::percent_decode_str(&last).decode_utf8().unwrap().into_owned();
            prop_assert_eq!(back, name);
            prop_assert_eq!(url.path_segments().unwrap().count(), 3);
        }

        #[test]
        fn a_query_survives_the_address(value in "\\PC{0,40}") {
            let mut url = Url::parse("https://jamf.example.com/api").unwrap();
            url.set_query(Some(&pairs(&[("a", "1"), ("filter", &value)])));
            let back: Vec<(String, String)> = url.query_pairs().into_owned().collect();
            prop_assert_eq!(back, vec![("a".to_owned(), "1".to_owned()), ("filter".to_owned(), value)]);
        }
    }
}
