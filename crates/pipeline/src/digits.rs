use std::str::FromStr;

/// A whole number of digits and nothing else; `None` where it is none, or does not fit. Rust's own parser takes a sign too.
///
/// ```
/// assert_eq!(pipeline::digits::<u8>("12"), Some(12));
/// assert_eq!(["+12", "-12", " 12", "", "256"].map(pipeline::digits::<u8>), [None; 5]);
/// ```
#[must_use]
pub fn digits<N: FromStr>(text: &str) -> Option<N> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}
