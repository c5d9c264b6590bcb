//! No text of a report becomes more than text.
//!
//! Each shape is read by a reader of its own, twice: as it is, and with every text replaced by a harmless one. What is left
//! when the texts are taken away has to be the same.

use crate::arbitrary;
use html5gum::{DefaultEmitter, Token, Tokenizer};
use proptest::prelude::*;
use quick_xml::events::Event;
use report::{Format, RunReport, write};
use std::collections::BTreeMap;

/// The report with harmless texts: equal ones stay equal, empty ones empty, and lines lines.
fn tame(report: &RunReport) -> RunReport {
    let mut tame = report.clone();
    let mut words: BTreeMap<String, String> = BTreeMap::new();
    for text in arbitrary::texts(&mut tame) {
        let next = words.len();
        let line = |line: &str| if line.is_empty() { String::new() } else { format!("word{next}") };
        let word = words
            .entry(text.clone())
            .or_insert_with(|| text.split('\n').map(line).collect::<Vec<_>>().join("\n"));
        text.clone_from(word);
    }
    tame
}

fn text(report: &RunReport, format: Format) -> String {
    String::from_utf8(write(report, format).unwrap()).unwrap()
}

/// Tags with all attributes, comments and doctypes, and whether there was text between them.
fn html(page: &str) -> Vec<String> {
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    let mut marks: Vec<String> = Vec::new();
    for Ok(token) in Tokenizer::new_with_emitter(page, emitter) {
        match token {
            Token::String(_) => {}
            Token::StartTag(tag) => marks.push(format!("{tag:?}")),
            Token::EndTag(tag) => marks.push(format!("{tag:?}")),
            Token::Comment(comment) => marks.push(format!("{comment:?}")),
            Token::Doctype(doctype) => marks.push(format!("{doctype:?}")),
            Token::Error(error) => panic!("{error:?} in the page"),
        }
    }
    marks
}

/// What a person reads on the page.
fn shown(page: &str) -> String {
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    let mut shown = String::new();
    for Ok(token) in Tokenizer::new_with_emitter(page, emitter) {
        if let Token::String(text) = token {
            shown.push_str(std::str::from_utf8(&text).unwrap());
        }
    }
    shown
}

/// Elements and names of attributes.
fn xml(document: &str) -> Vec<String> {
    let mut reader = quick_xml::Reader::from_str(document);
    let mut marks = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => return marks,
            Event::Text(_) | Event::GeneralRef(_) => {}
            Event::Start(tag) | Event::Empty(tag) => {
                let names = tag.attributes().map(|attribute| attribute.unwrap().key.as_ref().to_owned());
                marks.push(format!("{} {}", tag.name().as_ref(), names.collect::<Vec<_>>().join(" ")));
            }
            other => marks.push(format!("{other:?}").chars().take(12).collect()),
        }
    }
}

fn markdown(text: &str) -> Vec<String> {
    use pulldown_cmark::{Event, Options, Parser};
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_MATH | Options::ENABLE_GFM;
    Parser::new_ext(text, options)
        .filter(|event| !matches!(event, Event::Text(_)))
        .map(|event| format!("{event:?}"))
        .collect()
}

/// As it can be written at all.
fn writable(text: &str) -> String {
    let refused = |sign: char| {
        (sign.is_control() && !matches!(sign, '\t' | '\n' | '\r')) || matches!(sign, '\u{fffe}' | '\u{ffff}')
    };
    text.replace(refused, "\u{fffd}").replace('\r', "")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_page_has_only_our_elements_and_attributes(report in arbitrary::report()) {
        let page = text(&report, Format::Html);
        prop_assert_eq!(html(&page), html(&text(&tame(&report), Format::Html)));
        let shown = shown(&page);
        for package in &report.packages {
            prop_assert!(shown.contains(&writable(package.name())), "{:?} is missing", package.name());
        }
    }

    #[test]
    fn junit_has_only_our_elements_and_attributes(report in arbitrary::report()) {
        prop_assert_eq!(xml(&text(&report, Format::Junit)), xml(&text(&tame(&report), Format::Junit)));
    }

    #[test]
    fn a_plist_is_read_by_its_reader(report in arbitrary::report()) {
        let bytes = write(&report, Format::AutoPkg).unwrap();
        let root = plist::Value::from_reader_xml(bytes.as_slice()).unwrap().into_dictionary().unwrap();
        let failures = root.get("failures").unwrap().as_array().unwrap();
        let count = report.totals();
        prop_assert_eq!(u64::try_from(failures.len()).unwrap(), count.failed + count.unverified + count.not_done());
    }

    #[test]
    fn markdown_has_only_our_marks(report in arbitrary::report()) {
        let (wild, tame) = (text(&report, Format::Markdown), text(&tame(&report), Format::Markdown));
        prop_assert_eq!(markdown(&wild), markdown(&tame), "{}", wild);
    }
}

#[test]
fn a_page_loads_nothing_and_runs_nothing_but_itself() {
    let page = text(&crate::sample::nightly(30), Format::Html);
    let tags = html(&page).join("\n");
    for word in ["http:", "https:", "onclick", "onload", "style=", "javascript:", "@import", "url("] {
        assert!(!tags.contains(word), "{word}");
        assert!(!page.contains(&format!("\"{word}")), "{word}");
    }
    assert!(page.contains("default-src 'none'; img-src data:; style-src 'sha256-"));
    assert_eq!(page.matches("<script").count(), 1);
    assert_eq!(page.matches("<style").count(), 1);
}
