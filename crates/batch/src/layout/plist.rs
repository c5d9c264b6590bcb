use super::{Layout, Marks, RECIPES};
use crate::position::Lines;
use quick_xml::events::Event;
use recipe::{Malformed, from_plist};

/// Reads a property list, XML or binary.
pub(crate) fn plist(bytes: &[u8]) -> Result<Layout, Malformed> {
    let value = from_plist(bytes)?;
    let text = std::str::from_utf8(bytes).ok().map(|text| text.trim_start_matches('\u{FEFF}'));
    let marks = text.filter(|text| text.trim_start().starts_with('<')).map(xml_marks).unwrap_or_default();
    Ok(Layout::of(value, marks))
}

/// Walks through XML that is known to be a property list.
fn xml_marks(text: &str) -> Marks {
    let lines = Lines::new(text);
    let mut reader = quick_xml::Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut marks = Marks::default();
    // How many arrays and dicts are open, and at which number of them an element is a recipe.
    let (mut depth, mut level) = (0_usize, None);
    let mut key: Option<String> = None;
    loop {
        let start = usize::try_from(reader.buffer_position()).unwrap_or_default();
        match reader.read_event() {
            Ok(Event::Start(tag)) => {
                let name = tag.local_name();
                let name: &str = name.as_ref();
                if level == Some(depth) {
                    marks.entries.push(Some(lines.position(start)));
                }
                match name {
                    "array" | "dict" => {
                        if depth == 0 && name == "array" || depth == 1 && key.as_deref() == Some(RECIPES) {
                            level = level.or(Some(depth + 1));
                        }
                        depth += 1;
                    }
                    "key" if depth == 1 => {
                        key = Some(String::new());
                        marks.names.push((String::new(), lines.position(start)));
                    }
                    _ => {}
                }
            }
            Ok(Event::Text(text)) => {
                if let (1, Some(key), Some((name, _))) = (depth, &mut key, marks.names.last_mut())
                    && name.is_empty()
                {
                    key.push_str(&text);
                    name.push_str(&text);
                }
            }
            Ok(Event::End(tag)) => {
                let name = tag.local_name();
                if matches!(name.as_ref(), "array" | "dict") {
                    depth = depth.saturating_sub(1);
                    if level.is_some_and(|level| depth < level) {
                        // No second array is the list.
                        level = Some(usize::MAX);
                    }
                }
            }
            Ok(Event::Eof) | Err(_) => return marks,
            Ok(_) => {}
        }
    }
}
