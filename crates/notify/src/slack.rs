//! Slack: an incoming webhook, in Block Kit.
//!
//! What others wrote stands in `rich_text` and `plain_text`, neither of which Slack reads for markup: no name can notify a
//! channel, look like a link, or turn the rest bold. Only `text`, which notifications show (and services that speak Slack's
//! dialect, such as Mattermost, instead of the blocks), knows markup; there `&`, `<` and `>` are escaped, and the rest is
//! switched off.

use crate::card::{Card, Paragraph, Room, escaped_length};
use crate::summary::Summary;
use crate::text::{cut, units};
use serde_json::{Value, json};

/// All blocks together. Not documented; Slack refuses from about 13,200 characters on, containers included
/// (github.com/slackapi/bolt-js/issues/2509).
pub(crate) const ALL_BLOCKS: usize = 12_000;
/// A `header`'s text (docs.slack.dev/reference/block-kit/blocks/header-block).
pub(crate) const HEADER: usize = 150;
/// The text of a `context`'s element, as of any text object.
pub(crate) const TEXT_OBJECT: usize = 3_000;
/// `text`. Slack asks for no more than 4,000.
pub(crate) const FALLBACK: usize = 3_000;
/// Blocks of a message are 50 at most; those that frame paragraphs are fewer than the rest.
const PARAGRAPHS: usize = 36;
/// Bullets of one list.
const LINES: usize = 60;
/// For the lines that say what was left out.
const RESERVE: usize = 400;

/// The message.
pub(crate) fn message(summary: &Summary) -> Value {
    let card = Card::new(summary, ALL_BLOCKS);
    json!({ "text": fallback(&card), "mrkdwn": false, "blocks": blocks(&card) })
}

fn blocks(card: &Card) -> Vec<Value> {
    let mut frame =
        vec![json!({ "type": "header", "text": plain(&card.headline, HEADER) }), context(&card.facts)];
    if let Some((message, next_step)) = &card.ending {
        frame.push(rich(&[section(&ending(message, next_step.as_deref()))]));
    }
    let footer = footer(card);
    let mut room = Room(ALL_BLOCKS - RESERVE);
    for block in frame.iter().chain(&footer) {
        room.take_anyway(escaped_length(block) + 1);
    }
    let mut blocks = frame;
    let shown = paragraphs(card, &mut room);
    let more = card.left_out(shown.len());
    blocks.extend(shown);
    blocks.extend(more.map(|more| rich(&[section(&[text(&more)])])));
    blocks.extend(changed(card, &mut room));
    blocks.extend(footer);
    blocks
}

fn paragraphs(card: &Card, room: &mut Room) -> Vec<Value> {
    let size = |block: &Value| escaped_length(block) + 1;
    let say = |one: &Paragraph| rich(&[section(&paragraph(one))]);
    card.paragraphs.iter().take(PARAGRAPHS).map_while(|one| one.fitted(room, say, size)).collect()
}

fn paragraph(one: &Paragraph) -> Vec<Value> {
    let mut elements = vec![text(&format!("{} ", one.weight.symbol())), styled(&one.name, "bold")];
    let about = match one.place.is_empty() {
        true => format!(" {}", one.weight.word()),
        false => format!(" {} · {}", one.weight.word(), one.place),
    };
    elements.push(text(&about));
    elements.push(text(&format!("\n{}", one.message)));
    elements
        .extend(one.next_step.as_ref().map(|next_step| styled(&format!("\nNext: {next_step}"), "italic")));
    elements
}

fn ending(message: &str, next_step: Option<&str>) -> Vec<Value> {
    let mut elements = vec![styled(message, "bold")];
    elements.extend(next_step.map(|next_step| styled(&format!("\nNext: {next_step}"), "italic")));
    elements
}

fn changed(card: &Card, room: &mut Room) -> Option<Value> {
    let bullets = card
        .changed
        .iter()
        .map(|line| section(&[styled(&line.name, "bold"), text(&format!(" {}", line.about))]));
    // What holds the list.
    if !room.take(300) {
        return None;
    }
    let shown: Vec<_> =
        bullets.take(LINES).take_while(|bullet| room.take(escaped_length(bullet) + 1)).collect();
    if shown.is_empty() {
        return None;
    }
    let more = card.changed.len() - shown.len();
    let mut elements = vec![
        section(&[styled(card.changed_heading, "bold")]),
        json!({ "type": "rich_text_list", "style": "bullet", "elements": shown }),
    ];
    if more > 0 {
        elements.push(section(&[text(&format!("… and {more} more"))]));
    }
    Some(rich(&elements))
}

fn footer(card: &Card) -> Vec<Value> {
    let link = card.page.as_ref().map(|page| {
        let link = json!({ "type": "link", "url": page.as_str(), "text": "Full report" });
        rich(&[section(&[link])])
    });
    link.into_iter().chain([context(&card.footer)]).collect()
}

fn context(text: &str) -> Value {
    json!({ "type": "context", "elements": [plain(text, TEXT_OBJECT)] })
}

/// `emoji` off: `:x:` in a name stays what it is.
fn plain(text: &str, most: usize) -> Value {
    json!({ "type": "plain_text", "text": cut(text, most), "emoji": false })
}

fn rich(elements: &[Value]) -> Value {
    json!({ "type": "rich_text", "elements": elements })
}

fn section(elements: &[Value]) -> Value {
    json!({ "type": "rich_text_section", "elements": elements })
}

fn text(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}

fn styled(text: &str, style: &str) -> Value {
    json!({ "type": "text", "text": text, "style": { style: true } })
}

fn fallback(card: &Card) -> String {
    let mut lines = vec![card.headline.clone()];
    lines.extend(card.ending.iter().map(|(message, _)| message.clone()));
    lines.extend(card.paragraphs.iter().map(|one| match one.place.is_empty() {
        true => format!("{} {} {}: {}", one.weight.symbol(), one.name, one.weight.word(), one.message),
        false => {
            let (symbol, word) = (one.weight.symbol(), one.weight.word());
            format!("{symbol} {} {word} in {}: {}", one.name, one.place, one.message)
        }
    }));
    escaped(&lines.join("\n"), FALLBACK)
}

/// What Slack shows as `text`, in at most `most` units (docs.slack.dev/messaging/formatting-message-text, "Escaping text").
pub(crate) fn escaped(text: &str, most: usize) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut left = most.saturating_sub(1);
    for c in text.chars() {
        let mut buffer = [0; 4];
        let shown = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            other => other.encode_utf8(&mut buffer),
        };
        let Some(rest) = left.checked_sub(units(shown)) else {
            escaped.push('…');
            break;
        };
        left = rest;
        escaped.push_str(shown);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn control_characters_of_slack_are_escaped() {
        assert_eq!(escaped("<!channel> & <@U1> &amp;", 99), "&lt;!channel&gt; &amp; &lt;@U1&gt; &amp;amp;");
        assert_eq!(escaped("a & b", 8), "a &amp;…", "no half entity");
        assert_eq!(escaped("a & b", 7), "a …");
    }

    proptest! {
        #[test]
        fn escaped_text_has_no_markup_and_comes_back(text in "\\PC{0,80}", most in 1_usize..120) {
            let shown = escaped(&text, most);
            prop_assert!(units(&shown) <= most);
            prop_assert!(!shown.contains(['<', '>']));
            let entities = shown.matches("&amp;").count() + shown.matches("&lt;").count() + shown.matches("&gt;").count();
            prop_assert_eq!(shown.matches('&').count(), entities);
            let back = shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
            prop_assert!(back == text || text.starts_with(back.strip_suffix('…').unwrap_or(&back)));
        }
    }
}
