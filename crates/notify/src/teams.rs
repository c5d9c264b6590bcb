//! Teams: the webhook of a workflow ("Post to a channel when a webhook request is received"), an Adaptive Card 1.4.
//!
//! What others wrote stands in `RichTextBlock`s, whose runs Teams shows as they are; a `TextBlock` would read them as
//! Markdown.

use crate::card::{Card, Paragraph, Room, Weight};
use crate::summary::{Standing, Summary};
use crate::text::units;
use serde_json::{Value, json};

/// All of the message, in bytes. Teams takes about 28 KB and counts more than what is sent
/// (learn.microsoft.com/microsoftteams/limits-specifications-teams); some of its doors count two bytes a character.
pub(crate) const MESSAGE: usize = 26 << 10;
/// For the lines that say what was left out.
const RESERVE: usize = 1_000;
/// A card is read on a phone; there is a full report.
const PARAGRAPHS: usize = 30;
const LINES: usize = 40;

/// The message.
pub(crate) fn message(summary: &Summary) -> Value {
    let card = Card::new(summary, MESSAGE / 2);
    let mut body = vec![head(&card)];
    if let Some((message, next_step)) = &card.ending {
        body.push(container(None, &ending(message, next_step.as_deref())));
    }
    let footer = block(vec![run(&card.footer).with("isSubtle", true).with("size", "small")], "medium");
    let mut room = Room(MESSAGE - RESERVE);
    room.take_anyway(size(&envelope(&card, &[&body[..], std::slice::from_ref(&footer)].concat())));

    let all = card.paragraphs.iter().take(PARAGRAPHS);
    let shown: Vec<_> =
        all.map_while(|one| one.fitted(&mut room, paragraph, |said| size(said) + 2)).collect();
    let more = card.left_out(shown.len());
    body.extend(shown);
    body.extend(more.map(|more| block(vec![run(&more)], "medium")));
    body.extend(changed(&card, &mut room));
    body.push(footer);
    envelope(&card, &body)
}

fn envelope(card: &Card, body: &[Value]) -> Value {
    let mut content = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "msteams": { "width": "Full" },
    });
    if let Some(page) = &card.page {
        content["actions"] =
            json!([{ "type": "Action.OpenUrl", "title": "Full report", "url": page.as_str() }]);
    }
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": content,
        }],
    })
}

fn head(card: &Card) -> Value {
    let style = match card.standing {
        Standing::Failed => "attention",
        Standing::Unfinished | Standing::Unverified => "warning",
        Standing::Changed | Standing::Unchanged => "good",
    };
    let items = vec![
        block(vec![run(&card.headline).with("weight", "bolder").with("size", "medium")], "none"),
        block(vec![run(&card.facts).with("isSubtle", true)], "small"),
    ];
    container(Some(style), &items)
}

fn ending(message: &str, next_step: Option<&str>) -> Vec<Value> {
    let mut items = vec![block(vec![run(message).with("weight", "bolder")], "none")];
    items.extend(next_step.map(next));
    items
}

fn paragraph(one: &Paragraph) -> Value {
    let color = match one.weight {
        Weight::Failed => "attention",
        Weight::Unverified => "warning",
    };
    let word = match one.place.is_empty() {
        true => format!(" {}", one.weight.word()),
        false => format!(" {} · {}", one.weight.word(), one.place),
    };
    let name = format!("{} {}", one.weight.symbol(), one.name);
    let mut items = vec![
        block(
            vec![run(&name).with("weight", "bolder").with("color", color), run(&word).with("isSubtle", true)],
            "none",
        ),
        block(vec![run(&one.message)], "small"),
    ];
    items.extend(one.next_step.as_deref().map(next));
    container(None, &items)
}

fn next(next_step: &str) -> Value {
    block(vec![run("Next: ").with("weight", "bolder"), run(next_step)], "small")
}

fn changed(card: &Card, room: &mut Room) -> Vec<Value> {
    let line = |line: &crate::card::Line| {
        block(vec![run(&line.name).with("weight", "bolder"), run(&format!(" {}", line.about))], "small")
    };
    let heading = container(None, &[block(vec![run(card.changed_heading).with("weight", "bolder")], "none")]);
    if card.changed.is_empty() || !room.take(size(&heading) + 2) {
        return Vec::new();
    }
    let all = card.changed.iter().take(LINES).map(line);
    let shown: Vec<_> = all.take_while(|block| room.take(size(block) + 2)).collect();
    let more = card.changed.len() - shown.len();
    let more = (more > 0).then(|| block(vec![run(&format!("… and {more} more"))], "small"));
    [heading].into_iter().chain(shown).chain(more).collect()
}

/// What stands apart from what is above it.
fn container(style: Option<&str>, items: &[Value]) -> Value {
    let mut container = json!({ "type": "Container", "items": items });
    match style {
        Some(style) => {
            container["style"] = json!(style);
            container["bleed"] = json!(true);
        }
        None => container["separator"] = json!(true),
    }
    container
}

fn block(runs: Vec<Run>, spacing: &str) -> Value {
    let inlines: Vec<_> = runs.into_iter().map(|run| run.0).collect();
    json!({ "type": "RichTextBlock", "spacing": spacing, "inlines": inlines })
}

struct Run(Value);

impl Run {
    fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0[name] = value.into();
        self
    }
}

fn run(text: &str) -> Run {
    Run(json!({ "type": "TextRun", "text": text }))
}

/// Bytes, counted in the way that makes more of them.
pub(crate) fn size(value: &Value) -> usize {
    let text = value.to_string();
    text.len().max(2 * units(&text))
}
