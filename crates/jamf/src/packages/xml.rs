//! The little XML that the Classic API speaks: elements with text, one or two levels deep, no attributes.

use quick_xml::Reader;
use quick_xml::errors::Error as XmlError;
use quick_xml::escape::{escape, resolve_predefined_entity};
use quick_xml::events::Event;
use std::borrow::Cow;

/// An element: its name and everything between its tags, as it stands there.
pub(super) type Element<'a> = (String, Cow<'a, str>);

/// The elements at the top of this text. `text` is a document or the inside of an element.
pub(super) fn elements(text: &str) -> Result<Vec<Element<'_>>, XmlError> {
    let mut reader = Reader::from_str(text);
    let mut found = Vec::new();
    loop {
        match reader.read_event()? {
            Event::Start(start) => {
                let inside = reader.read_text(start.name())?.into_inner();
                found.push((start.name().as_ref().to_owned(), inside));
            }
            Event::Empty(start) => found.push((start.name().as_ref().to_owned(), Cow::Borrowed(""))),
            Event::Eof => return Ok(found),
            _ => {}
        }
    }
}

/// The text of an element that holds nothing else.
pub(super) fn text(inside: &str) -> Result<String, XmlError> {
    let mut reader = Reader::from_str(inside);
    let mut text = String::new();
    loop {
        match reader.read_event()? {
            Event::Text(part) => text.push_str(&part.xml10_content()),
            Event::CData(part) => text.push_str(&part.xml10_content()),
            Event::GeneralRef(reference) => match reference.resolve_char_ref()? {
                Some(sign) => text.push(sign),
                None => {
                    let name = reference.xml10_content();
                    match resolve_predefined_entity(&name) {
                        Some(sign) => text.push_str(sign),
                        None => text.push_str(&format!("&{name};")),
                    }
                }
            },
            Event::Eof => return Ok(text),
            _ => {}
        }
    }
}

/// A `package` document with these elements, in this order.
pub(super) fn package<'a>(fields: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let mut document = String::from(r#"<?xml version="1.0" encoding="UTF-8"?><package>"#);
    for (name, value) in fields {
        document.push_str(&format!("<{name}>{}</{name}>", escape(value)));
    }
    document.push_str("</package>");
    document
}

/// The first sign that XML 1.0 cannot carry, not even escaped.
pub(super) fn unwritable(text: &str) -> Option<char> {
    text.chars()
        .find(|sign| matches!(sign, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn elements_come_with_what_is_inside() {
        let list = "\u{feff}<?xml version=\"1.0\"?>\n<packages><size>1</size>\n<package><id>42</id><name>A &amp; B</name></package></packages>";
        let root = elements(list).unwrap();
        assert_eq!(root.len(), 1);
        let inside = elements(&root[0].1).unwrap();
        let names: Vec<&str> = inside.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["size", "package"]);
        let package = elements(&inside[1].1).unwrap();
        assert_eq!(text(&package[1].1).unwrap(), "A & B");
        assert!(elements("<package><id>42</package>").is_err());
    }

    #[test]
    fn text_is_read_in_every_way_of_writing_it() {
        assert_eq!(
            text("a&#13;\r\nb &lt;&#x1F389;<![CDATA[ & <c>]]>&nbsp;").unwrap(),
            "a\r\nb <🎉 & <c>&nbsp;"
        );
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read(value in "(\\PC|\n|\t|\r|<|>|&|]]>|'|\"){0,40}") {
            prop_assume!(unwritable(&value).is_none());
            let document = package([("name", value.clone()), ("notes", String::new())]);
            let root = elements(&document).unwrap();
            let inside = elements(&root[0].1).unwrap();
            prop_assert_eq!(text(&inside[0].1).unwrap(), value);
            prop_assert_eq!(&*inside[1].1, "");
        }

        #[test]
        fn nothing_panics(text_ in "(<|>|/|a|&|;|!|\\[|\\]|-|\\?|\"|=| ){0,40}") {
            let _ = elements(&text_);
            let _ = text(&text_);
        }
    }
}
