//! What a message says, before any service's way of saying it: failures first, then what is unverified, then what changed.

use crate::summary::{Changed, Ending, FullReport, How, Mode, Standing, Summary, Trouble};
use crate::text::{cut, line, short, units};
use jiff::tz::TimeZone;
use pipeline::{Status, duration, size};
use url::Url;

/// Longer names are no names of files.
const NAME: usize = 255;
/// A title longer than that hides the counts behind it.
const TITLE: usize = 80;
/// A message is as long at most where there is room, and at least where there is none.
const MESSAGES: std::ops::RangeInclusive<usize> = 160..=700;
/// Why the run itself ended, which frames the rest and always has its room.
const ENDING: usize = 300;
/// Names of packages with one and the same trouble: as many, and as long together.
const NAMES: (usize, usize) = (5, 300);
/// Any text of a paragraph where nothing longer has room.
const SHORT: usize = 100;
/// A link that is longer is none that anybody reads or copies.
const LINK: usize = 1_000;

/// How much a paragraph matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    Failed,
    Unverified,
}

impl Weight {
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Failed => "❌",
            Self::Unverified => "⚠️",
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Failed => Status::Failed.word(),
            Self::Unverified => Status::Unverified.word(),
        }
    }
}

/// A package, or several with the same trouble.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Paragraph {
    pub weight: Weight,
    /// `Firefox.pkg`, or `Firefox.pkg, Chrome.pkg and 12 more`.
    pub name: String,
    /// How many packages.
    pub packages: usize,
    /// `step 4 s3-upload, example.jamfcloud.com`.
    pub place: String,
    pub message: String,
    pub next_step: Option<String>,
}

impl Paragraph {
    /// The same in few words.
    fn shortened(&self) -> Self {
        Self {
            name: cut(&self.name, SHORT),
            place: cut(&self.place, SHORT),
            message: cut(&self.message, SHORT),
            next_step: self.next_step.as_ref().map(|next_step| cut(next_step, SHORT)),
            ..self.clone()
        }
    }

    /// As a service says it, in few words if there is no room for more; `None` if there is not even that.
    pub(crate) fn fitted<T>(
        &self,
        room: &mut Room,
        say: impl Fn(&Self) -> T,
        size: impl Fn(&T) -> usize,
    ) -> Option<T> {
        [self.clone(), self.shortened()].iter().map(say).find(|said| room.take(size(said)))
    }
}

/// A package that is another one now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub name: String,
    /// `131.0, replaced: MD5 differs`.
    pub about: String,
}

/// A message without a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Card {
    pub standing: Standing,
    /// `❌ nightly: 1 failed, 3 changed of 300`.
    pub headline: String,
    /// Counts, bytes, time.
    pub facts: String,
    /// Why the run ended early, and what to do about it.
    pub ending: Option<(String, Option<String>)>,
    pub paragraphs: Vec<Paragraph>,
    /// `Changed`, or `Would change`.
    pub changed_heading: &'static str,
    pub changed: Vec<Line>,
    /// Where everything else stands, when it began, who says so.
    pub footer: String,
    pub page: Option<Url>,
}

/// What a service still has room for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room(pub usize);

impl Room {
    /// Takes the room in any case: what frames a message has limits of its own.
    pub(crate) fn take_anyway(&mut self, size: usize) {
        self.0 = self.0.saturating_sub(size);
    }

    /// Takes the room if it is there.
    pub(crate) fn take(&mut self, size: usize) -> bool {
        match self.0.checked_sub(size) {
            Some(left) => {
                self.0 = left;
                true
            }
            None => false,
        }
    }
}

impl Card {
    /// `room` is about as many units as the service takes in all.
    pub(crate) fn new(summary: &Summary, room: usize) -> Self {
        let troubles = [(Weight::Failed, &summary.failed), (Weight::Unverified, &summary.unverified)];
        let servers = Servers::of(summary);
        let mut kinds: Vec<(Weight, Vec<&Trouble>)> = Vec::new();
        for (weight, all) in troubles {
            group(weight, all, &mut kinds);
        }
        // Half of the room for what frames it.
        let longest = (room / 2 / kinds.len().max(1)).clamp(*MESSAGES.start(), *MESSAGES.end());
        Self {
            standing: summary.standing(),
            headline: headline(summary),
            facts: facts(summary, &servers),
            ending: ending(summary),
            paragraphs: kinds
                .iter()
                .map(|(weight, same)| paragraph(*weight, same, &servers, longest))
                .collect(),
            changed_heading: match summary.mode {
                Mode::Real => "Changed",
                Mode::DryRun => "Would change",
            },
            changed: summary.changed.iter().map(|changed| changed_line(changed, &servers)).collect(),
            footer: footer(summary),
            page: match &summary.report {
                Some(FullReport::Page(url)) if is_link(url) => Some(url.clone()),
                _ => None,
            },
        }
    }

    /// How many packages are in paragraphs from `from` on, by weight.
    pub(crate) fn left_out(&self, from: usize) -> Option<String> {
        let left = &self.paragraphs[from..];
        let count = |weight| {
            let packages: usize =
                left.iter().filter(|one| one.weight == weight).map(|one| one.packages).sum();
            (packages > 0).then(|| format!("{packages} more {}", weight.word()))
        };
        let parts: Vec<_> = [Weight::Failed, Weight::Unverified].into_iter().filter_map(count).collect();
        (!parts.is_empty()).then(|| format!("… and {}", parts.join(", ")))
    }
}

fn is_link(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.as_str().len() <= LINK
}

/// Packages with one and the same trouble are told together: when a server is down, three hundred say the same.
fn group<'a>(weight: Weight, all: &'a [Trouble], kinds: &mut Vec<(Weight, Vec<&'a Trouble>)>) {
    let same = |a: &Trouble, b: &Trouble| {
        (&a.server, &a.step, &a.message, &a.next_step) == (&b.server, &b.step, &b.message, &b.next_step)
    };
    for trouble in all {
        let known = kinds.iter_mut().find(|(of, packages)| {
            *of == weight && packages.first().is_some_and(|first| same(first, trouble))
        });
        match known {
            Some((_, packages)) => packages.push(trouble),
            None => kinds.push((weight, vec![trouble])),
        }
    }
}

/// The servers of a run. One that is everybody's is named once.
struct Servers {
    only: Option<String>,
}

impl Servers {
    fn of(summary: &Summary) -> Self {
        let troubles = summary.failed.iter().chain(&summary.unverified).map(|trouble| &trouble.server);
        let mut named = troubles.chain(summary.changed.iter().map(|changed| &changed.server)).flatten();
        let only = named.next().filter(|first| named.all(|other| other == *first));
        Self { only: only.map(|server| short(server, NAME)) }
    }

    fn name(&self, server: Option<&String>) -> Option<String> {
        server.filter(|_| self.only.is_none()).map(|server| short(server, NAME))
    }
}

fn paragraph(weight: Weight, same: &[&Trouble], servers: &Servers, longest: usize) -> Paragraph {
    let (most, longest_names) = NAMES;
    let names: Vec<_> = same.iter().take(most).map(|trouble| short(&trouble.package, NAME)).collect();
    let more = same.len() - names.len();
    let mut name = cut(&names.join(", "), longest_names);
    if more > 0 {
        name.push_str(&format!(" and {more} more"));
    }
    let first = same.first();
    let step = first.and_then(|trouble| trouble.step.as_ref());
    let step = step.map(|step| format!("step {} {}", step.number, short(&step.processor, NAME)));
    let server = servers.name(first.and_then(|trouble| trouble.server.as_ref()));
    Paragraph {
        weight,
        name,
        packages: same.len(),
        place: [step, server].into_iter().flatten().collect::<Vec<_>>().join(", "),
        message: short(first.map_or("", |trouble| &trouble.message), longest),
        next_step: first
            .and_then(|trouble| trouble.next_step.as_ref())
            .filter(|next_step| !line(next_step).is_empty())
            .map(|next_step| short(next_step, longest)),
    }
}

fn changed_line(changed: &Changed, servers: &Servers) -> Line {
    let given = |text: &Option<String>| text.as_ref().map(|text| short(text, NAME));
    let category = given(&changed.category).map(|category| format!("category {category}"));
    let parts = [
        given(&changed.version),
        Some(changed.how.status().word().to_owned()),
        category,
        servers.name(changed.server.as_ref()),
    ];
    let mut about = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    if let Some(reason) = given(&changed.reason) {
        about = format!("{about}: {reason}");
    }
    Line { name: short(&changed.package, NAME), about }
}

/// Long enough for what a phone shows of a message, and the worst first.
pub(crate) fn headline(summary: &Summary) -> String {
    let symbol = match summary.standing() {
        Standing::Failed => "❌",
        Standing::Unfinished | Standing::Unverified => "⚠️",
        Standing::Changed | Standing::Unchanged => "✅",
    };
    let mut title = short(&summary.title, TITLE);
    if summary.mode == Mode::DryRun {
        title.push_str(" (dry run)");
    }
    let broken = matches!(summary.ending, Ending::BrokenOff { .. }).then(|| "broken off".to_owned());
    let cut_short = match summary.ending {
        Ending::Interrupted => Some("interrupted".to_owned()),
        Ending::DeadlineReached => Some("deadline reached".to_owned()),
        Ending::Complete | Ending::BrokenOff { .. } => None,
    };
    let changed = match summary.mode {
        Mode::Real => "changed",
        Mode::DryRun => "would change",
    };
    let parts: Vec<_> = [
        broken,
        counted(summary.failed.len() as u64, Status::Failed.word()),
        counted(summary.unverified.len() as u64, Status::Unverified.word()),
        cut_short,
        counted(summary.not_begun, Status::NotBegun.word()),
        counted(summary.changed.len() as u64, changed),
    ]
    .into_iter()
    .flatten()
    .collect();
    match (parts.is_empty(), summary.packages()) {
        (true, 0) => format!("{symbol} {title}: no packages"),
        (true, all) => format!("{symbol} {title}: {all} {}", Status::Skipped.word()),
        (false, 0) => format!("{symbol} {title}: {}", parts.join(", ")),
        (false, all) => format!("{symbol} {title}: {} of {all}", parts.join(", ")),
    }
}

/// `3 failed`; nothing of what there is none.
fn counted(count: u64, word: &str) -> Option<String> {
    (count > 0).then(|| format!("{count} {word}"))
}

fn facts(summary: &Summary, servers: &Servers) -> String {
    let how = |how: How| counted(summary.count(how) as u64, how.status().word());
    let bytes = |bytes: u64, word: &str| (bytes > 0).then(|| format!("{} {word}", size(bytes)));
    let volume = &summary.volume;
    let parts = [
        how(How::Created),
        how(How::Replaced),
        how(How::MetadataOnly),
        how(How::Downloaded),
        counted(summary.skipped, Status::Skipped.word()),
        bytes(volume.sent, "sent"),
        bytes(volume.fetched, "fetched"),
        bytes(volume.saved, "saved"),
        Some(duration(summary.duration)),
        servers.only.clone(),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn ending(summary: &Summary) -> Option<(String, Option<String>)> {
    match &summary.ending {
        Ending::Complete => None,
        Ending::Interrupted => Some((
            "The run was interrupted.".into(),
            Some("run it again; what is there already is not sent again".into()),
        )),
        Ending::DeadlineReached => Some((
            "The run stopped at its deadline before every package had its turn.".into(),
            Some("let it begin earlier, give it more time, or split the list into shards".into()),
        )),
        Ending::BrokenOff { message, next_step } => {
            Some((short(message, ENDING), next_step.as_ref().map(|next_step| short(next_step, ENDING))))
        }
    }
}

fn footer(summary: &Summary) -> String {
    let started = summary.started.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M UTC");
    let report = match &summary.report {
        Some(FullReport::File(path)) => Some(format!("full report: {}", short(path, NAME))),
        _ => None,
    };
    let parts = [
        report,
        Some(format!("started {started}")),
        Some(short(&summary.program, TITLE)),
        Some(format!("run {}", short(&summary.run, TITLE))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// How long a JSON value is on the wire with everything but ASCII written as `\u…`: the most that a service may count.
pub(crate) fn escaped_length(value: &serde_json::Value) -> usize {
    let text = value.to_string();
    let ascii = text.chars().filter(char::is_ascii).count();
    ascii + 6 * (units(&text) - ascii)
}
