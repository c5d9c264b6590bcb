use super::progress::Meter;
use super::{ServerReport, came_of, count, on};
use crate::clock::SystemClock;
use crate::error::Error;
use pipeline::{
    Change, Event, FieldChange, Level, Listener, Occurrence, Outcome, Status, StepRef, Traffic, Warning, size,
};
use runner::{FailureReport, Report};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Text for a person: what each step would do and did, on standard output; what moves and what is odd, on standard error.
pub struct Human {
    meter: Mutex<Meter>,
}

impl Human {
    /// Progress is timed by this clock.
    pub fn new(clock: Arc<SystemClock>) -> Self {
        Self { meter: Mutex::new(Meter::new(clock)) }
    }

    fn meter(&self) -> MutexGuard<'_, Meter> {
        self.meter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Text on standard output, above what moves.
    pub fn print(&self, text: &str) -> Result<(), Error> {
        self.meter().above(|| std::io::stdout().lock().write_all(text.as_bytes())).map_err(Error::Output)
    }

    fn complain(&self, text: &str) {
        // There is nobody left to tell when standard error is gone.
        let _ = self.meter().above(|| std::io::stderr().lock().write_all(text.as_bytes()));
    }

    /// The last lines of a run.
    pub fn finish(&self, reports: &[ServerReport], traffic: Traffic) -> Result<(), Error> {
        let servers: BTreeSet<_> = reports.iter().filter_map(|report| report.server.as_deref()).collect();
        let reports: Vec<_> = reports.iter().map(|report| &report.report).collect();
        let mut text = String::new();
        if reports.len() > 1 {
            let _ = writeln!(text, "{}", summary(&reports, servers.len()));
        }
        if reports.iter().any(|report| report.dry_run) {
            let _ = writeln!(text, "{}", guarantee(traffic));
        }
        self.print(&text)
    }
}

/// When the lines of a recipe are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// As they come.
    Live,
    /// All at once when it has ended, because others run beside it.
    Together,
}

/// What one recipe has to say on the way.
pub struct Voice {
    human: Arc<Human>,
    /// What bars of other recipes are told apart by.
    title: String,
    server: Option<String>,
    held: Option<Mutex<Vec<Line>>>,
    /// Whether the recipe's title was shown.
    begun: AtomicBool,
}

enum Line {
    Said(String),
    Complained(String),
}

impl Voice {
    /// For the work on one server.
    pub fn new(human: Arc<Human>, title: String, server: Option<String>, pace: Pace) -> Self {
        let held = match pace {
            Pace::Live => None,
            Pace::Together => Some(Mutex::default()),
        };
        Self { human, title, server, held, begun: AtomicBool::new(false) }
    }

    fn utter(&self, line: Line) -> Result<(), Error> {
        match (&self.held, line) {
            (Some(held), line) => held.lock().unwrap_or_else(PoisonError::into_inner).push(line),
            (None, Line::Said(text)) => return self.human.print(&text),
            (None, Line::Complained(text)) => self.human.complain(&text),
        }
        Ok(())
    }

    /// The last lines of a recipe, and those that were held back. Of a recipe that changed nothing one line is enough where many
    /// run side by side, besides what it complained of.
    pub fn report(&self, ServerReport { server, report }: &ServerReport) -> Result<(), Error> {
        self.human.meter().stop(&self.title);
        let title = on(&report.recipe, server.as_deref());
        let held = self.held.as_ref();
        let lines =
            held.map(|held| std::mem::take(&mut *held.lock().unwrap_or_else(PoisonError::into_inner)));
        if let Some(lines) = lines {
            if report.status == Status::Skipped {
                for line in lines {
                    if let Line::Complained(text) = line {
                        self.human.complain(&text);
                    }
                }
                return self.human.print(&format!("{title}  = {}\n", verdict(report)));
            }
            if lines.is_empty() {
                self.human.print(&format!("{title}\n"))?;
            }
            for line in lines {
                match line {
                    Line::Said(text) => self.human.print(&text)?,
                    Line::Complained(text) => self.human.complain(&text),
                }
            }
        }
        if let Some(failure) = &report.failure {
            let is_titled = failure.step.is_some() && self.begun.load(Ordering::Relaxed);
            let text = match (is_titled, held.is_some()) {
                // Its lines on standard output stand elsewhere.
                (true, true) => failure_text(failure, Some(&title)),
                (true, false) => failure_text(failure, None),
                (false, _) => format!("{title}\n{}", failure_text(failure, None)),
            };
            self.human.complain(&text);
        }
        self.human.print(&format!("  = {}\n", verdict(report)))
    }
}

impl Listener for Voice {
    fn on(&self, event: &Event) {
        let human = &self.human;
        let line = match &event.what {
            Occurrence::RecipeStarted { .. } => {
                self.begun.store(true, Ordering::Relaxed);
                Line::Said(format!("{}\n", on(&event.recipe, self.server.as_deref())))
            }
            Occurrence::StepPlanned { changes, result } => {
                human.meter().stop(&self.title);
                Line::Said(planned(event.step.as_ref(), changes, result.as_ref()))
            }
            Occurrence::StepFinished { result } => {
                human.meter().stop(&self.title);
                Line::Said(finished(event.step.as_ref(), result))
            }
            Occurrence::Progress(progress) => {
                let step = || event.step.as_ref().map_or("", |step| &step.processor);
                let label = if self.held.is_some() { &self.title } else { step() };
                return human.meter().show(&self.title, label, *progress);
            }
            Occurrence::Notice { level: Level::Warning, message } => {
                // Where others run beside it, nobody could tell whose it is.
                let whose = match &self.held {
                    Some(_) => format!("{}: ", on(&event.recipe, self.server.as_deref())),
                    None => String::new(),
                };
                Line::Complained(format!("  warn  {whose}{}{message}\n", name(event.step.as_ref())))
            }
            Occurrence::Notice { level: Level::Info, message } => {
                tracing::info!(step = event.step.as_ref().map(|step| step.processor.as_str()), "{message}");
                return;
            }
            Occurrence::PlanReady
            | Occurrence::StepStarted
            | Occurrence::StepFailed { .. }
            | Occurrence::RecipeFinished => return,
        };
        // A reader that went away is noticed when the report is written.
        let _ = self.utter(line);
    }
}

fn name(step: Option<&StepRef>) -> String {
    step.map_or_else(String::new, |step| format!("{:<16}  ", step.processor))
}

fn planned(step: Option<&StepRef>, changes: &[Change], result: Option<&Outcome>) -> String {
    let name = name(step);
    if let Some(outcome) = result {
        let word = match outcome {
            Outcome::Done { .. } => "look",
            Outcome::Warned { .. } => "warn",
            Outcome::Skipped { .. } => "skip",
        };
        return format!("  {word}  {name}{}\n", outcome.message());
    }
    let mut text = String::new();
    for change in changes {
        let bytes = match (change.bytes, change.fetches) {
            (0, 0) => String::new(),
            (0, fetches) => format!(", {} to fetch", size(fetches)),
            (bytes, _) => format!(", {} to send", size(bytes)),
        };
        let _ = writeln!(text, "  plan  {name}{change}{bytes}");
        for field in &change.fields {
            let _ = writeln!(text, "        {:<16}    {}", "", field_text(field));
        }
    }
    text
}

fn field_text(change: &FieldChange) -> String {
    match &change.old {
        Some(old) => format!("{}: {old:?} -> {:?}", change.field, change.new),
        None => format!("{}: {:?}", change.field, change.new),
    }
}

fn finished(step: Option<&StepRef>, outcome: &Outcome) -> String {
    let name = name(step);
    match outcome {
        Outcome::Done { message } => format!("  done  {name}{message}\n"),
        Outcome::Skipped { reason } => format!("  skip  {name}{reason}\n"),
        Outcome::Warned { warning, message, hint } => {
            let word = match warning {
                Warning::Unverified => "unverified: ",
                Warning::Other => "",
            };
            let hint = hint.as_ref().map(|hint| format!("        hint: {hint}\n")).unwrap_or_default();
            format!("  warn  {name}{word}{message}\n{hint}")
        }
    }
}

/// `whose` failure it is, where that is not plain.
fn failure_text(failure: &FailureReport, whose: Option<&str>) -> String {
    let mut text = String::new();
    let whose = whose.map(|whose| format!("{whose}: ")).unwrap_or_default();
    let step = failure.step.as_ref().map(|step| format!("step {} {}: ", step.number, step.processor));
    let mut lines = failure.message.lines();
    let first = lines.next().unwrap_or_default();
    let _ = writeln!(text, "  fail  {whose}{}{first}", step.unwrap_or_default());
    for line in lines {
        let _ = writeln!(text, "        {line}");
    }
    for cause in &failure.causes {
        let _ = writeln!(text, "        caused by: {cause}");
    }
    if let Some(hint) = &failure.hint {
        let _ = writeln!(text, "        hint: {hint}");
    }
    text
}

fn verdict(report: &Report) -> String {
    let word = came_of(report.status, report.dry_run);
    match report.status {
        Status::Failed | Status::Interrupted | Status::NotBegun => word,
        Status::Skipped => format!("{word}: nothing {}", if report.dry_run { "to send" } else { "sent" }),
        _ => format!("{word}: {}", moved(&[report])),
    }
}

/// `1.0 MiB sent`, `1.0 MiB to fetch`, or both; and what an earlier run had sent.
fn moved(reports: &[&Report]) -> String {
    let resumed: u64 = reports.iter().map(|report| report.bytes_resumed).sum();
    match resumed {
        0 => moved_now(reports),
        resumed => format!("{}, {} resumed", moved_now(reports), size(resumed)),
    }
}

fn moved_now(reports: &[&Report]) -> String {
    let sent: u64 = reports.iter().map(|report| report.bytes_sent).sum();
    let fetched: u64 = reports.iter().map(|report| report.bytes_fetched).sum();
    let dry_run = reports.iter().any(|report| report.dry_run);
    let sent_text = format!("{} {}", size(sent), if dry_run { "to send" } else { "sent" });
    let fetched_text = format!("{} {}", size(fetched), if dry_run { "to fetch" } else { "fetched" });
    let only_fetches = sent == 0 && reports.iter().any(|report| report.status == Status::Downloaded);
    match (sent, fetched) {
        _ if only_fetches => fetched_text,
        (_, 0) => sent_text,
        (0, _) => fetched_text,
        _ => format!("{sent_text}, {fetched_text}"),
    }
}

/// `3 recipes: 1 created, 2 skipped; 1.0 MiB sent`; with named servers, `6 runs on 2 servers: …`; of a dry run,
/// `3 recipes: 1 would be created, 2 skipped; 1.0 MiB to send`.
fn summary(reports: &[&Report], servers: usize) -> String {
    let all = [
        Status::Failed,
        Status::Unverified,
        Status::Created,
        Status::Replaced,
        Status::Downloaded,
        Status::MetadataOnly,
        Status::Skipped,
        Status::Interrupted,
        Status::NotBegun,
    ];
    let dry_run = reports.iter().any(|report| report.dry_run);
    let counts = all.into_iter().filter_map(|status| {
        let number = reports.iter().filter(|report| report.status == status).count();
        (number > 0).then(|| format!("{number} {}", came_of(status, dry_run)))
    });
    let counts = counts.collect::<Vec<_>>().join(", ");
    let runs = match servers {
        0 => count(reports.len(), "recipe"),
        _ => format!("{} on {}", count(reports.len(), "run"), count(servers, "server")),
    };
    format!("{runs}: {counts}; {}", moved(reports))
}

/// What a dry run promises, from what was counted where requests leave.
fn guarantee(traffic: Traffic) -> String {
    let Traffic { reads, writes, refused, .. } = traffic;
    match (writes, refused) {
        (0, 0) => format!(
            "Dry run: no write request was made ({}).",
            count(usize::try_from(reads).unwrap_or(usize::MAX), "read")
        ),
        (0, _) => format!(
            "Dry run: no write request was made; {refused} were refused at the boundary, which is a fault to report."
        ),
        _ => format!("Dry run broken: {writes} write requests were made. This is a fault; please report it."),
    }
}
