//! What Jamf said when it refused: JSON, HTML or nothing, turned into a sentence.

use crate::redact::Redactor;
use serde_json::Value;
use std::borrow::Cow;

/// No sentence is longer: a proxy's page can be a novel.
const LONGEST: usize = 300;

/// One entry of `errors` in the Pro API's answer (`jamf-pro-api.md §1.5`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: Option<String>,
    pub(crate) field: Option<String>,
    description: Option<String>,
}

/// What an answer other than 2xx says about why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// For a person; without tags, line breaks and control characters.
    pub(crate) sentence: Option<String>,
    /// For a program; empty where the answer is not the Pro API's JSON.
    pub(crate) faults: Vec<Fault>,
    /// It is HTML.
    pub(crate) is_page: bool,
}

impl Said {
    /// Reads the body of an answer. A server may say what nobody must read: the redactor goes over every text.
    pub(crate) fn from_body(body: &[u8], redactor: &Redactor) -> Self {
        match serde_json::from_slice::<Value>(body) {
            Ok(json) => Self::from_json(&json, redactor),
            Err(_) => {
                let text = String::from_utf8_lossy(body);
                let sentence = clean(from_text(&text).into_owned(), redactor);
                Self { sentence, faults: Vec::new(), is_page: text.trim_start().starts_with('<') }
            }
        }
    }

    /// Whether one of the faults has this code.
    pub(crate) fn has_code(&self, code: &str) -> bool {
        self.faults.iter().any(|fault| fault.code.as_deref() == Some(code))
    }

    fn from_json(json: &Value, redactor: &Redactor) -> Self {
        let faults: Vec<Fault> = json
            .get("errors")
            .and_then(Value::as_array)
            .map(|errors| errors.iter().filter_map(|entry| fault(entry, redactor)).collect())
            .unwrap_or_default();
        let sentence = if faults.is_empty() {
            oauth_sentence(json)
        } else {
            Some(faults.iter().map(fault_sentence).collect::<Vec<_>>().join("; "))
        };
        Self { sentence: sentence.and_then(|sentence| clean(sentence, redactor)), faults, is_page: false }
    }
}

fn fault(entry: &Value, redactor: &Redactor) -> Option<Fault> {
    let text = |key| crate::wire::filled(entry, key).map(|text| redactor.redact(text.to_owned()));
    let fault = Fault { code: text("code"), field: text("field"), description: text("description") };
    (fault.code.is_some() || fault.description.is_some()).then_some(fault)
}

/// `fileName: duplicate name (DUPLICATE_FIELD)`
fn fault_sentence(fault: &Fault) -> String {
    let field = fault.field.as_ref().map(|field| format!("{field}: ")).unwrap_or_default();
    match (&fault.description, &fault.code) {
        (Some(description), Some(code)) => format!("{field}{description} ({code})"),
        (Some(words), None) | (None, Some(words)) => format!("{field}{words}"),
        (None, None) => field,
    }
}

/// The token call answers in the shape of RFC 6749, gateways and frameworks with a `message`.
fn oauth_sentence(json: &Value) -> Option<String> {
    let text = |key| crate::wire::filled(json, key);
    match (text("error"), text("error_description").or_else(|| text("message"))) {
        (Some(error), Some(description)) => Some(format!("{description} ({error})")),
        (one, other) => one.or(other).map(str::to_owned),
    }
}

/// The Classic API puts its reason into the paragraph that begins with `Error:`, or into the second one; gateways have
/// only a title (`jamf-pro-api.md §6.5`).
fn from_text(body: &str) -> Cow<'_, str> {
    if !body.contains('<') {
        return Cow::Borrowed(body.trim().lines().next().unwrap_or_default());
    }
    let paragraphs: Vec<String> = elements(body, "p").map(plain).collect();
    let reason = paragraphs.iter().find_map(|text| text.trim().strip_prefix("Error:"));
    let sentence = reason
        .or_else(|| paragraphs.get(1).map(String::as_str))
        .map(str::to_owned)
        .or_else(|| elements(body, "title").map(plain).next())
        .or_else(|| elements(body, "h1").map(plain).next())
        .unwrap_or_else(|| plain(body));
    Cow::Owned(sentence)
}

/// The contents of all elements of this name, in order. No parser of HTML: these pages are not even well-formed, and
/// the three names looked for do not nest.
fn elements<'a>(html: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    let lower = html.to_ascii_lowercase();
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let open = at + lower[at..].find(&format!("<{name}"))? + 1 + name.len();
            let after = lower[open..].chars().next()?;
            at = open;
            if after != '>' && !after.is_ascii_whitespace() {
                continue;
            }
            let start = open + lower[open..].find('>')? + 1;
            let end = lower[start..].find(&format!("</{name}")).map_or(html.len(), |length| start + length);
            at = end;
            return Some(&html[start..end]);
        }
    })
}

/// Text without tags, entities resolved.
fn plain(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        text.push(' ');
        rest = tag.split_once('>').map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    quick_xml::escape::unescape(&text).map(Cow::into_owned).unwrap_or(text)
}

/// One line, no control characters (the text ends on a terminal), not endless, no full stop.
fn clean(text: String, redactor: &Redactor) -> Option<String> {
    // Before it is shortened: half of a secret is not recognised.
    let text = redactor.redact(text);
    let words: String = text.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).collect();
    let mut line = redactor.redact(words.split_whitespace().collect::<Vec<_>>().join(" "));
    if line.chars().count() > LONGEST {
        line = line.chars().take(LONGEST).chain("...".chars()).collect();
    }
    let line = line.strip_suffix('.').filter(|line| !line.ends_with('.')).unwrap_or(&line);
    (!line.is_empty()).then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sentence(body: &str) -> String {
        Said::from_body(body.as_bytes(), &Redactor::default())
            .sentence
            .unwrap_or_else(|| "(nothing)".to_owned())
    }

    #[test]
    fn json_becomes_a_sentence() {
        insta::assert_snapshot!(
            sentence(r#"{ "httpStatus" : 400, "errors" : [ { "code" : "DUPLICATE_FIELD", "description" : "duplicate name", "id" : "0", "field" : "fileName" } ] }"#),
            @"fileName: duplicate name (DUPLICATE_FIELD)"
        );
        insta::assert_snapshot!(
            sentence(r#"{"httpStatus":404,"errors":[{"code":"NOT_FOUND","description":"JCDS Settings record not found","id":null,"field":null}]}"#),
            @"JCDS Settings record not found (NOT_FOUND)"
        );
        insta::assert_snapshot!(sentence(r#"{"httpStatus":401,"errors":[]}"#), @"(nothing)");
        insta::assert_snapshot!(sentence(r#"{"httpStatus":401,"errors":null}"#), @"(nothing)");
        insta::assert_snapshot!(sentence(r#"{"error":"invalid_client"}"#), @"invalid_client");
        insta::assert_snapshot!(
            sentence(r#"{"error":"invalid_scope","error_description":"OAuth 2.0 Parameter: scope"}"#),
            @"OAuth 2.0 Parameter: scope (invalid_scope)"
        );
        insta::assert_snapshot!(sentence(""), @"(nothing)");
    }

    #[test]
    fn a_classic_page_becomes_its_reason() {
        let page = |first: &str, second: &str| {
            format!(
                "<html>\n<head>\n   <title>Status page</title>\n</head>\n<body style=\"font-family: sans-serif;\">\n\
                 <p style=\"font-size: 1.2em;\">{first}</p>\n<p>{second}</p>\n<p>You can get technical details \
                 <a href=\"http://www.w3.org/\">here</a>.<br>\nPlease continue</p>\n</body>\n</html>"
            )
        };
        insta::assert_snapshot!(sentence(&page("Conflict", "Error: Duplicate name")), @"Duplicate name");
        insta::assert_snapshot!(
            sentence(&page("Not Found", "The server has not found anything matching the request URI")),
            @"The server has not found anything matching the request URI"
        );
        insta::assert_snapshot!(
            sentence(&page("Conflict", "Error: Problem with category <b>Design &amp;\nMedia</b>")),
            @"Problem with category Design & Media"
        );
    }

    #[test]
    fn a_gateway_page_becomes_its_title() {
        insta::assert_snapshot!(
            sentence("<html>\r\n<head><TITLE>504 Gateway Time-out</TITLE></head>\r\n<body>\r\n<center><h1>504</h1></center></body></html>"),
            @"504 Gateway Time-out"
        );
        insta::assert_snapshot!(sentence("<h1>Bad <pre>luck</pre></h1>"), @"Bad luck");
        insta::assert_snapshot!(sentence("upstream connect error\nsecond line"), @"upstream connect error");
    }

    #[test]
    fn nothing_reaches_the_terminal_but_text() {
        assert_eq!(sentence("\u{1b}[31mred\u{7}"), "[31mred");
    }

    proptest! {
        #[test]
        fn any_body_gives_one_short_line_or_nothing(body in "(<p|<P>|</p|<title>|<|>|&amp;|&|Error:|\\PC|\n|\u{0}){0,60}") {
            if let Some(line) = Said::from_body(body.as_bytes(), &Redactor::default()).sentence {
                prop_assert!(!line.is_empty() && !line.chars().any(char::is_control));
                prop_assert!(line.chars().count() <= LONGEST + 3);
            }
        }
    }
}
