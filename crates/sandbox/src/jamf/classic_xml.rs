//! The XML of the Classic API: pretty answers, and the flat documents that it takes.

use quick_xml::Reader;
use quick_xml::escape::partial_escape;
use quick_xml::events::{BytesRef, Event};
use std::fmt::Write as _;

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";

/// An element with text or with elements.
pub(super) enum Element {
    Text(&'static str, String),
    Parent(&'static str, Vec<Element>),
}

impl Element {
    pub(super) fn text(name: &'static str, text: impl Into<String>) -> Self {
        Self::Text(name, text.into())
    }
}

/// A document with two spaces of indent.
pub(super) fn document(root: &Element) -> String {
    let mut out = format!("{DECLARATION}\n");
    write_element(&mut out, root, 0);
    out
}

/// What a write answers, on one line as clients match it (`jamf-pro-api.md §6.2`).
pub(super) fn written(id: u64) -> String {
    format!("{DECLARATION}<package><id>{id}</id></package>")
}

fn write_element(out: &mut String, element: &Element, depth: usize) {
    let indent = "  ".repeat(depth);
    // Writing to a String cannot fail.
    let _ = match element {
        Element::Text(name, text) if text.is_empty() => writeln!(out, "{indent}<{name}/>"),
        Element::Text(name, text) => writeln!(out, "{indent}<{name}>{}</{name}>", escape(text)),
        Element::Parent(name, children) if children.is_empty() => writeln!(out, "{indent}<{name}/>"),
        Element::Parent(name, children) => {
            let _ = writeln!(out, "{indent}<{name}>");
            for child in children {
                write_element(out, child, depth + 1);
            }
            writeln!(out, "{indent}</{name}>")
        }
    };
}

/// A bare CR would be read as a line feed, so it goes as a reference (`§6.3`); other control characters have no place
/// in XML at all.
fn escape(text: &str) -> String {
    let allowed = |sign: &char| !sign.is_control() || ['\n', '\r', '\t'].contains(sign);
    let text: String = text.chars().filter(allowed).collect();
    partial_escape(text).replace('\r', "&#13;")
}

/// The text of each element right under the root, which has to be `root`. Deeper elements are passed over, as are
/// names that nobody knows. `None` when it is not well-formed.
pub(super) fn read(body: &[u8], root: &str) -> Option<Vec<(String, String)>> {
    let mut reader = Reader::from_str(std::str::from_utf8(body).ok()?);
    let mut open: Vec<String> = Vec::new();
    let mut seen_root = false;
    let mut fields: Vec<(String, String)> = Vec::new();
    loop {
        let event = reader.read_event().ok()?;
        match event {
            Event::Start(ref tag) | Event::Empty(ref tag) => {
                let name = tag.name().as_ref().to_owned();
                match open.len() {
                    0 if seen_root || name != root => return None,
                    0 => seen_root = true,
                    1 => fields.push((name.clone(), String::new())),
                    _ => {}
                }
                if matches!(event, Event::Start(_)) {
                    open.push(name);
                }
            }
            Event::End(_) => {
                open.pop()?;
            }
            Event::Text(text) => add(&mut fields, &open, &text.xml10_content())?,
            Event::CData(text) => add(&mut fields, &open, &text.xml10_content())?,
            Event::GeneralRef(reference) => add(&mut fields, &open, &resolve(&reference)?)?,
            // A document type could define entities; no client sends one.
            Event::DocType(_) => return None,
            Event::Eof => return (seen_root && open.is_empty()).then_some(fields),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
        }
    }
}

/// Text belongs to a field, or is the space between elements.
fn add(fields: &mut [(String, String)], open: &[String], text: &str) -> Option<()> {
    match open.len() {
        2 => fields.last_mut()?.1.push_str(text),
        0 | 1 if !text.trim().is_empty() => return None,
        _ => {}
    }
    Some(())
}

fn resolve(reference: &BytesRef<'_>) -> Option<String> {
    if reference.is_char_ref() {
        return reference.resolve_char_ref().ok()?.map(String::from);
    }
    quick_xml::escape::resolve_predefined_entity(&reference.xml10_content()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::{Element, document, read};
    use proptest::prelude::{any, proptest};

    fn fields(xml: &str) -> Option<Vec<(String, String)>> {
        read(xml.as_bytes(), "package")
    }

    #[test]
    fn reads_escapes_references_cdata_and_empty_elements() {
        let xml = "<?xml version=\"1.0\"?>\n<package>\n <name>A &amp; B &#60;&#x1F680;></name><info/><notes></notes>\
                   <x><![CDATA[<&>]]></x><!-- no --></package>\n";
        let expected = [("name", "A & B <🚀>"), ("info", ""), ("notes", ""), ("x", "<&>")];
        assert_eq!(fields(xml).unwrap(), expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
    }

    #[test]
    fn refuses_what_is_not_well_formed() {
        for xml in [
            "",
            "text",
            "<package>",
            "<package><name></package>",
            "<package/><package/>",
            "<policy><name>a</name></policy>",
            "<package><name>a & b</name></package>",
            "<package><name>&unknown;</name></package>",
            "<!DOCTYPE package [<!ENTITY a \"b\">]><package><name>&a;</name></package>",
        ] {
            assert_eq!(fields(xml), None, "{xml}");
        }
        assert_eq!(read(b"<package>\xff</package>", "package"), None);
    }

    #[test]
    fn line_breaks_survive() {
        let element = Element::Parent("package", vec![Element::text("notes", "a\r\nb\nc")]);
        let xml = document(&element);
        insta::assert_snapshot!(xml.trim_end(), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <package>
          <notes>a&#13;
        b
        c</notes>
        </package>
        "#);
        assert_eq!(fields(&xml).unwrap()[0].1, "a\r\nb\nc");
    }

    proptest! {
        #[test]
        fn never_panics(text in any::<String>()) {
            fields(&text);
            fields(&format!("<package>{text}</package>"));
        }

        #[test]
        fn what_is_written_reads_back(text in r"[^\p{Cc}\u{FFFE}\u{FFFF}]{0,20}") {
            let xml = document(&Element::Parent("package", vec![Element::text("name", text.as_str())]));
            assert_eq!(fields(&xml).unwrap()[0].1, text);
        }
    }
}
