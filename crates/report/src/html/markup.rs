use crate::words::writable;
use std::fmt::Write as _;

/// A page while it is written. Mark-up comes only from the program, text only through [`text`](Markup::text), which escapes it; so no
/// text of a report can become an element or an attribute.
#[derive(Default)]
pub(super) struct Markup(String);

impl Markup {
    /// Mark-up, which stands in the program.
    pub(super) fn put(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Text, between tags or in an attribute in double quotes.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        for sign in writable(text).chars() {
            match sign {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                // A browser makes a line feed of it.
                '\r' => {}
                _ => self.0.push(sign),
            }
        }
        self
    }

    /// A whole number.
    pub(super) fn number(&mut self, number: impl TryInto<u64>) -> &mut Self {
        // Writing to a String does not fail.
        let _ = write!(self.0, "{}", number.try_into().unwrap_or(u64::MAX));
        self
    }

    /// A length in percent, to a thousandth: a twentieth of a pixel of a picture that is 50,000 wide.
    pub(super) fn percent(&mut self, percent: f64) -> &mut Self {
        let percent = if percent.is_finite() { percent.clamp(0.0, 100.0) } else { 0.0 };
        let written = format!("{percent:.3}");
        self.0.push_str(written.trim_end_matches('0').trim_end_matches('.'));
        self.0.push('%');
        self
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}
