use crate::error::Error;
use std::io::Write as _;

/// Prints an error with its causes, one a line, and the hint after them.
pub fn print(error: &Error) {
    if error.is_closed_pipe() {
        return;
    }
    let mut text = format!("pkgferry: {error}\n");
    for cause in pipeline::causes(error).skip(1) {
        text.push_str(&format!("  caused by: {cause}\n"));
    }
    if let Some(hint) = error.hint() {
        text.push_str(&format!("  hint: {hint}\n"));
    }
    // There is nobody left to tell when standard error is gone.
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}
