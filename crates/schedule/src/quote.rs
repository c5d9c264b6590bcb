//! Quoting: how each format that is not data says a word with anything in it.

use crate::error::Error;
use crate::target::Kind;
use std::fmt::Write as _;

/// Characters that mean themselves everywhere.
fn is_plain(text: &str) -> bool {
    let plain =
        |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '_' | '-' | '.' | '/' | ',' | '@' | '+' | ':');
    !text.is_empty() && text.chars().all(plain)
}

/// A word for a POSIX shell. In single quotes nothing has a meaning but the quote itself.
pub(crate) fn shell(word: &str) -> String {
    if is_plain(word) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// Words for a POSIX shell, with blanks between them.
pub(crate) fn shell_line<W: AsRef<str>>(words: impl IntoIterator<Item = W>) -> String {
    words.into_iter().map(|word| shell(word.as_ref())).collect::<Vec<_>>().join(" ")
}

/// A shell command for a crontab, where `%` ends the command unless a backslash stands before it. cron takes that backslash
/// away and no other; so a `%` behind a backslash that is meant for the shell gets a pair of quotes between them. Backslashes
/// stand only inside of single quotes here, where such a pair is nothing (see [`shell`]), or in `'\''`, where no `%` follows.
pub(crate) fn crontab(command: &str) -> String {
    let (mut text, mut escaped) = (String::new(), false);
    for ch in command.chars() {
        if ch == '%' {
            text.push_str(if escaped { "''\\%" } else { "\\%" });
            escaped = false;
        } else {
            text.push(ch);
            escaped = ch == '\\' && !escaped;
        }
    }
    text
}

/// A word of `ExecStart=` (`systemd.service(5)`, "Command lines"), for a command line that begins with `:`, so that `$` is
/// itself. In double quotes backslash escapes work; `%` begins a specifier everywhere.
pub(crate) fn systemd(word: &str) -> String {
    if is_plain(word) {
        return word.to_owned();
    }
    let mut text = String::from("\"");
    for ch in word.chars() {
        match ch {
            '"' | '\\' => text.extend(['\\', ch]),
            '%' => text.push_str("%%"),
            '\n' => text.push_str("\\n"),
            ch if ch.is_control() && ch.is_ascii() => {
                // Writing to a string does not fail.
                let _ = write!(text, "\\x{:02x}", u32::from(ch));
            }
            ch => text.push(ch),
        }
    }
    text.push('"');
    text
}

/// A word of a list of paths, such as `ReadWritePaths=`. There a backslash makes any character itself, `n` too.
pub(crate) fn systemd_path(what: &'static str, path: &str) -> Result<String, Error> {
    refuse_control(Kind::Systemd, what, path)?;
    if is_plain(path) {
        return Ok(path.to_owned());
    }
    Ok(format!("\"{}\"", path.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%")))
}

/// A value that takes the rest of its line, such as `WorkingDirectory=`: there is no quoting, blanks at the end are cut off,
/// and a backslash at the end joins the next line.
pub(crate) fn systemd_rest(what: &'static str, value: &str) -> Result<String, Error> {
    refuse_control(Kind::Systemd, what, value)?;
    if value.ends_with(|ch: char| ch.is_whitespace() || ch == '\\') {
        let why = "systemd cuts off what it ends in";
        return Err(Error::CannotSay { kind: Kind::Systemd, what, why });
    }
    Ok(value.replace('%', "%%"))
}

/// That a text has one line, and nothing in it that a terminal obeys.
pub(crate) fn refuse_control(kind: Kind, what: &'static str, text: &str) -> Result<(), Error> {
    if text.contains(char::is_control) {
        return Err(Error::CannotSay {
            kind,
            what,
            why: "it holds a line break or another control character",
        });
    }
    Ok(())
}
