use crate::error::Error;
use std::error::Error as _;
use std::io::Write as _;

/// Prints an error with its causes, one a line, and the hint after them.
pub fn print(error: &Error) {
    if error.is_closed_pipe() {
        return;
    }
    let mut text = format!("pkgferry: {error}\n");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!("  caused by: {error}\n"));
        cause = error.source();
    }
    if let Some(hint) = error.hint() {
        text.push_str(&format!("  hint: {hint}\n"));
    }
    // There is nobody left to tell when standard error is gone.
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}
