//! What makes bytes a secret: one line of text.

use crate::error::Fault;
use pipeline::Secret;

/// No password, token or address is longer; what is has been taken for a secret by mistake.
pub(crate) const LONGEST: usize = 64 << 10;

/// The secret in what a file holds or a program prints: without line ends behind it, and without the mark that some editors
/// put before it.
pub(crate) fn secret(bytes: &[u8]) -> Result<Secret, Fault> {
    if bytes.len() > LONGEST {
        return Err(Fault::TooLong);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Fault::NotUtf8)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = text.trim_end_matches(['\n', '\r']);
    // Blanks within or around it belong to it: passwords may have them. One that has nothing else is a mistake.
    if text.trim().is_empty() {
        return Err(Fault::Empty);
    }
    if text.contains(['\n', '\r']) {
        return Err(Fault::SeveralLines);
    }
    if text.contains('\0') {
        return Err(Fault::Nul);
    }
    Ok(Secret::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pipeline::ExposeSecret as _;
    use proptest::prelude::*;

    #[test]
    fn a_secret_is_one_line_of_text() {
        let read = |bytes: &[u8]| secret(bytes).map(|secret| secret.expose_secret().to_owned());
        assert_eq!(read(b"hush").as_deref(), Ok("hush"));
        assert_eq!(read(b"hush\n").as_deref(), Ok("hush"));
        assert_eq!(read(b"hush\r\n\r\n").as_deref(), Ok("hush"));
        assert_eq!(read(b"\xef\xbb\xbfh\xc3\xbcsh\r\n").as_deref(), Ok("hüsh"));
        assert_eq!(read(b" hu sh \n").as_deref(), Ok(" hu sh "), "blanks belong to a password");
        assert_eq!(read(b""), Err(Fault::Empty));
        assert_eq!(read(b" \n"), Err(Fault::Empty));
        assert_eq!(read(b"hush\nhush\n"), Err(Fault::SeveralLines));
        assert_eq!(read(b"hu\0sh"), Err(Fault::Nul));
        assert_eq!(read(b"h\xfcsh"), Err(Fault::NotUtf8), "Latin-1");
        assert_eq!(read(b"\xff\xfeh\0u\0"), Err(Fault::NotUtf8), "UTF-16");
        assert_eq!(read(&[b'a'; LONGEST + 1]), Err(Fault::TooLong));
    }

    proptest! {
        #[test]
        fn a_line_comes_back_and_nothing_panics(line in "[^\\x00\r\n\u{feff}]{1,40}", bytes: Vec<u8>) {
            let _ = secret(&bytes);
            prop_assume!(!line.trim().is_empty());
            let read = secret(format!("{line}\n").as_bytes()).unwrap();
            prop_assert_eq!(read.expose_secret(), line);
        }
    }
}
