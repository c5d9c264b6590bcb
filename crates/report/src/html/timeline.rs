use super::lanes::{Bar, Group, Scale, groups};
use super::markup::Markup;
use crate::words::{count, duration, span, time_of_day};
use crate::{Phase, PhaseKind, PhaseResult, RunReport, Stage, Status};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

const AXIS: usize = 22;
const LANE: usize = 18;
const BAR: usize = 14;
/// Room above the lanes of a run in a merged report, for its name.
const TITLE: usize = 18;
/// What is shorter is drawn this wide, in percent, so that it can be seen and pointed at.
const NARROWEST: f64 = 0.15;

/// The picture of a run; nothing if nothing in it took time.
pub(super) fn write(page: &mut Markup, report: &RunReport) {
    let groups = groups(report);
    let Some(scale) = Scale::of(report, &groups) else { return };
    let titled = groups.len() > 1;
    let tops = tops(&groups, titled);
    let lanes: usize = groups.iter().map(|group| group.lanes).sum();
    let height = AXIS + lanes * LANE + if titled { groups.len() * TITLE } else { 0 } + 2;

    page.put("<section id=\"timeline\" aria-labelledby=\"timeline-title\">\n<h2 id=\"timeline-title\">Timeline</h2>\n<figure>\n");
    page.put(
        "<div class=\"scroll\" role=\"region\" aria-label=\"Picture of the timeline\" tabindex=\"0\">\n",
    );
    page.put("<svg role=\"img\" aria-labelledby=\"timeline-text\" width=\"100%\" height=\"")
        .number(height)
        .put("\">\n");
    axis(page, scale, height);
    for (group, top) in groups.iter().zip(&tops) {
        if titled {
            page.put("<text class=\"run\" x=\"0\" y=\"")
                .number(top - 5)
                .put("\">")
                .text(&title(report, group))
                .put("</text>\n");
        }
        for bar in &group.bars {
            draw(page, report, scale, bar, top + (bar.lane - group.first_lane) * LANE + (LANE - BAR) / 2);
        }
    }
    // Above all bars, so that no neighbour hides one.
    for (group, top) in groups.iter().zip(&tops) {
        for bar in &group.bars {
            mark(page, scale, bar, top + (bar.lane - group.first_lane) * LANE + LANE / 2);
        }
    }
    page.put("</svg>\n</div>\n<figcaption id=\"timeline-text\">\n");
    caption(page, &groups, lanes, scale, report.updated);
    page.put("</figcaption>\n</figure>\n</section>\n");
}

fn tops(groups: &[Group<'_>], titled: bool) -> Vec<usize> {
    let above = |number: usize| if titled { (number + 1) * TITLE } else { 0 };
    groups.iter().enumerate().map(|(number, group)| AXIS + above(number) + group.first_lane * LANE).collect()
}

/// A run of a merged report by its shard, or else by its id.
fn title(report: &RunReport, group: &Group<'_>) -> String {
    let run = group.run.unwrap_or(&report.id);
    match report.parts.iter().find(|part| part.id == run).and_then(|part| part.shard) {
        Some(shard) => format!("shard {shard}"),
        None => format!("run {run}"),
    }
}

fn axis(page: &mut Markup, scale: Scale, height: usize) {
    let (step, ticks) = scale.ticks();
    for tick in ticks {
        let x = scale.place(tick);
        page.put("<line class=\"tick\" x1=\"").percent(x).put("\" x2=\"").percent(x);
        page.put("\" y1=\"15\" y2=\"").number(height).put("\"/>");
        let (format, room) = match step.as_secs() {
            0 if step.as_millis() < 100 => ("%H:%M:%S%.2f", 10.5),
            0 => ("%H:%M:%S%.1f", 9.5),
            ..60 => ("%H:%M:%S", 7.0),
            60..86_400 => ("%H:%M", 5.0),
            _ => ("%-d %b", 6.0),
        };
        // A label that begins at the end would end outside.
        if x > 100.0 - room {
            continue;
        }
        page.put("<text x=\"").percent(x).put("\" y=\"11\">");
        page.text(&tick.strftime(format).to_string()).put("</text>\n");
    }
}

fn draw(page: &mut Markup, report: &RunReport, scale: Scale, bar: &Bar<'_>, y: usize) {
    let package = bar.package;
    page.put("<g data-p=\"").number(bar.index).put("\"><title>").text(package.name()).put(", ");
    page.text(package.status.final_word()).put("\n").text(&times(bar.from, bar.to)).put("</title>");
    rect(page, "p", scale, bar.from, bar.to, y);
    page.put("</rect>");
    for stretch in stretches(&package.phases, report.updated, scale) {
        rect(page, class(stretch.kind), scale, stretch.from, stretch.to, y);
        page.put("<title>").text(package.name()).put("\n").text(&stretch.title()).put("</title></rect>");
    }
    page.put("</g>\n");
}

/// A sign where a package ended badly: colour alone says nothing to many people, and a short phase is narrow.
fn mark(page: &mut Markup, scale: Scale, bar: &Bar<'_>, y: usize) {
    // Dots lie on the line of writing, and would lie below the middle.
    let (class, sign, down) = match bar.package.status {
        Status::Failed => ("bad", "!", 4),
        Status::Unverified => ("odd", "?", 4),
        Status::Interrupted | Status::Running => ("odd", "…", 1),
        _ => return,
    };
    let x = scale.place(bar.to).clamp(0.6, 99.4);
    page.put("<circle class=\"")
        .put(class)
        .put("\" cx=\"")
        .percent(x)
        .put("\" cy=\"")
        .number(y)
        .put("\" r=\"7\"/>");
    page.put("<text class=\"sign\" x=\"")
        .percent(x)
        .put("\" y=\"")
        .number(y + down)
        .put("\">")
        .put(sign)
        .put("</text>\n");
}

fn rect(page: &mut Markup, class: &'static str, scale: Scale, from: Timestamp, to: Timestamp, y: usize) {
    let width = (scale.place(to) - scale.place(from)).max(NARROWEST);
    let x = scale.place(from).min(100.0 - width);
    page.put("<rect class=\"").put(class).put("\" x=\"").percent(x).put("\" y=\"").number(y);
    page.put("\" width=\"").percent(width).put("\" height=\"").number(BAR).put("\">");
}

/// Phases of one kind, one after the other.
struct Stretch<'a> {
    kind: Kind,
    from: Timestamp,
    to: Timestamp,
    phases: Vec<&'a Phase>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Is(PhaseKind),
    Failed,
}

impl Stretch<'_> {
    fn title(&self) -> String {
        let mut lines = vec![times(self.from, self.to)];
        lines.extend(self.phases.iter().map(|phase| {
            let verb = if phase.stage == Stage::Plan { "plan " } else { "" };
            let said = phase.outcome.as_deref().unwrap_or("did not end");
            format!("{verb}{}: {said}", phase.step)
        }));
        lines.join("\n")
    }
}

/// Joins neighbours of one kind, and neighbours that nobody could tell apart.
fn stretches(phases: &[Phase], until: Timestamp, scale: Scale) -> Vec<Stretch<'_>> {
    let mut stretches: Vec<Stretch<'_>> = Vec::new();
    for phase in phases {
        let to = phase.to.unwrap_or(until).max(phase.from);
        let failed = phase.result == Some(PhaseResult::Failed);
        let kind = if failed { Kind::Failed } else { Kind::Is(phase.kind) };
        let narrow = |from, to| scale.place(to) - scale.place(from) < NARROWEST;
        match stretches.last_mut() {
            // What failed is never hidden in something else.
            Some(last)
                if last.kind == kind
                    || (!failed
                        && last.kind != Kind::Failed
                        && (narrow(phase.from, to) || narrow(last.from, last.to))) =>
            {
                // The longer of the two gives the colour.
                if span(phase.from, to) > span(last.from, last.to) {
                    last.kind = kind;
                }
                last.to = to;
                last.phases.push(phase);
            }
            _ => stretches.push(Stretch { kind, from: phase.from, to, phases: vec![phase] }),
        }
    }
    stretches
}

fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Failed => "bad",
        Kind::Is(PhaseKind::Look) => "look",
        Kind::Is(PhaseKind::Hash) => "hash",
        Kind::Is(PhaseKind::Obtain) => "obtain",
        Kind::Is(PhaseKind::Send) => "send",
        Kind::Is(PhaseKind::Fetch) => "fetch",
        Kind::Is(PhaseKind::Record) => "record",
        Kind::Is(PhaseKind::Prove) => "prove",
        Kind::Is(PhaseKind::Other) => "other",
    }
}

fn word(kind: PhaseKind) -> &'static str {
    match kind {
        PhaseKind::Look => "looking",
        PhaseKind::Hash => "hashing",
        PhaseKind::Obtain => "getting credentials",
        PhaseKind::Send => "sending",
        PhaseKind::Fetch => "fetching",
        PhaseKind::Record => "writing records",
        PhaseKind::Prove => "proving",
        PhaseKind::Other => "other",
    }
}

fn times(from: Timestamp, to: Timestamp) -> String {
    // What begins and ends in the same seconds would seem to take no time.
    let clock = |time: Timestamp| match span(from, to).as_secs() {
        ..10 => time.strftime("%H:%M:%S%.3f").to_string(),
        _ => time_of_day(time),
    };
    format!("{} to {} ({})", clock(from), clock(to), duration(span(from, to)))
}

/// What the picture shows, in words: for those who do not see it, and for those who do, the sums.
fn caption(page: &mut Markup, groups: &[Group<'_>], lanes: usize, scale: Scale, until: Timestamp) {
    let bars = || groups.iter().flat_map(|group| &group.bars);
    let drawn = u64::try_from(bars().count()).unwrap_or(u64::MAX);
    page.put("<p>").text(&count(drawn, "package")).put(" in ").text(&duration(scale.length()));
    page.put(", at most ").number(lanes).put(" side by side. Times are UTC.");
    if let Some(longest) = bars().max_by_key(|bar| span(bar.from, bar.to)) {
        page.put(" Longest: <bdi>").text(longest.package.name()).put("</bdi>, ");
        page.text(&duration(span(longest.from, longest.to))).put(".");
    }
    page.put("</p>\n");
    let mut sums: BTreeMap<Kind, SignedDuration> = BTreeMap::new();
    for phase in bars().flat_map(|bar| &bar.package.phases) {
        let failed = phase.result == Some(PhaseResult::Failed);
        let sum = sums.entry(if failed { Kind::Failed } else { Kind::Is(phase.kind) }).or_default();
        *sum = sum.saturating_add(span(phase.from, phase.to.unwrap_or(until)));
    }
    let mut sums: Vec<(Kind, SignedDuration)> = sums.into_iter().collect();
    sums.sort_by_key(|(_, sum)| std::cmp::Reverse(*sum));
    page.put("<ul class=\"legend\" aria-label=\"Where the time went\">");
    for (kind, sum) in sums {
        page.put("<li><svg width=\"12\" height=\"12\" aria-hidden=\"true\"><rect class=\"").put(class(kind));
        page.put("\" width=\"12\" height=\"12\"/></svg>");
        page.put(match kind {
            Kind::Is(kind) => word(kind),
            Kind::Failed => "failed steps",
        });
        page.put(" <span class=\"soft\">").text(&duration(sum)).put("</span></li>");
    }
    page.put("</ul>\n");
}
