use crate::card::Card;
use crate::summary::Summary;
use crate::text::cut;

/// An alarm with more than this is read by nobody.
const LONGEST: usize = 8_000;

/// A run in plain text: what goes with a ping, so that an alarm tells what failed.
#[must_use]
pub fn note(summary: &Summary) -> String {
    let card = Card::new(summary, LONGEST);
    let mut lines = vec![card.headline, card.facts];
    let next = |next_step: Option<String>| next_step.map(|next_step| format!("  next: {next_step}"));
    if let Some((message, next_step)) = card.ending {
        lines.push(message);
        lines.extend(next(next_step));
    }
    for one in card.paragraphs {
        let place = if one.place.is_empty() { String::new() } else { format!(" in {}", one.place) };
        lines.push(format!("{}: {}{place}: {}", one.weight.word(), one.name, one.message));
        lines.extend(next(one.next_step));
    }
    lines.push(card.footer);
    cut(&lines.join("\n"), LONGEST)
}
