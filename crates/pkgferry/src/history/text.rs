//! The history for people. Pure: what is stored in, text out.

use crate::display::came_of;
use jiff::Timestamp;
use pipeline::{FileName, Status, StepRef, duration, size};
use state::{
    Page, RunDetail, RunEnding, RunId, StepProgress, StoredPackage, StoredRun, StoredStep, StoredWarning,
};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::num::NonZeroU32;

/// What was killed has this for its end, be it a run or a package.
const DID_NOT_END: &str = Status::Running.final_word();

/// Why a run did not end.
const KILLED: &str = "it was killed, or the machine went down";

/// The newest runs, a line each.
pub fn runs(page: &Page<StoredRun>, asked: NonZeroU32) -> String {
    if page.items.is_empty() {
        return "no run is remembered\n".to_owned();
    }
    let head = ["run", "begun (UTC)", "end", "packages", "bytes", "command"].map(str::to_owned);
    let rows = page.items.iter().map(|run| {
        [
            run.id.short().to_owned(),
            moment(run.begun),
            ending(run.ending),
            packages_of(run),
            bytes_of_run(run),
            run.command.to_string(),
        ]
    });
    table(head, rows) + &older(page, asked)
}

/// What runs did with one package, a line each. `endings` are those of the runs that have not told what came of it.
pub fn packages(
    name: &FileName,
    page: &Page<StoredPackage>,
    endings: &HashMap<RunId, RunEnding>,
    asked: NonZeroU32,
    near: Option<&str>,
) -> String {
    if page.items.is_empty() {
        let hint = near.map(|near| format!("  hint: did you mean {near}?\n")).unwrap_or_default();
        return format!("no run has had to do with {name}\n{hint}");
    }
    let head = ["run", "begun (UTC)", "status", "bytes", "server", "why"].map(str::to_owned);
    let ending_of = |package: &StoredPackage| endings.get(&package.run).copied().unwrap_or(RunEnding::Gone);
    let rows = page.items.iter().map(|package| {
        [
            package.run.short().to_owned(),
            moment(package.begun),
            format!("{}{}", dry(package.dry_run), package_end(package, ending_of(package))),
            bytes_of(package),
            package.server.clone().unwrap_or_default(),
            why(package, ending_of(package)),
        ]
    });
    table(head, rows) + &older(page, asked)
}

/// One run: its packages, their steps, and what a person should look at.
pub fn run(RunDetail { run, packages, warnings }: &RunDetail) -> String {
    let mut text = format!("run {}\n", run.id);
    let host = format!("{} UTC on {}, pkgferry {}", moment(run.begun), run.host, run.version);
    let end = match run.ending {
        RunEnding::Ended { at, .. } => {
            format!("{} UTC, {} later: {}", moment(at), lasted(run.begun, at), ending(run.ending))
        }
        RunEnding::GoesOn => "it goes on".to_owned(),
        RunEnding::Gone => format!("it did not end: {KILLED}"),
    };
    let bytes = bytes_of_run(run);
    for (name, value) in [
        ("command", run.command.to_string()),
        ("begun", host),
        ("end", end),
        ("packages", packages_of(run)),
        ("bytes", bytes),
    ] {
        let _ = writeln!(text, "  {name:<8}  {value}");
    }
    for warning in warnings {
        warned(&mut text, None, warning);
    }
    for package in packages {
        text.push('\n');
        told(&mut text, package, run.ending);
    }
    text
}

fn told(text: &mut String, package: &StoredPackage, of_run: RunEnding) {
    let file = package.file.as_ref().map(FileName::as_str);
    let place: Vec<_> =
        file.filter(|file| *file != package.recipe).into_iter().chain(package.server.as_deref()).collect();
    let place = if place.is_empty() { String::new() } else { format!("  ({})", place.join(" on ")) };
    let _ = writeln!(text, "{}{place}", package.recipe);
    let failed = package.failure.as_ref();
    for step in &package.steps {
        let is_failure = failed.is_some_and(|failure| failure.step.as_ref() == Some(&step.step));
        let said = step.message.as_deref().unwrap_or_default();
        for warning in of_step(package, step).filter(|warning| warning.message != said) {
            warned(text, Some(&step.step), warning);
        }
        // Its failure has more to say.
        if !is_failure {
            line(text, step_word(step.progress), Some(&step.step), said);
            let hint = of_step(package, step)
                .find(|warning| warning.message == said)
                .and_then(|warning| warning.hint.as_deref());
            hinted(text, hint);
        }
    }
    let is_of_step =
        |warning: &StoredWarning| package.steps.iter().any(|step| warning.step.as_ref() == Some(&step.step));
    for warning in package.warnings.iter().filter(|warning| !is_of_step(warning)) {
        warned(text, warning.step.as_ref(), warning);
    }
    if let Some(failure) = failed {
        line(text, "fail", failure.step.as_ref(), &failure.message);
        hinted(text, failure.hint.as_deref());
    }
    let status = package_end(package, of_run);
    let reason = package.reason.as_deref().filter(|_| failed.is_none()).filter(|reason| !reason.is_empty());
    let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    let bytes = if package.status.is_some() { format!("; {}", bytes_of(package)) } else { String::new() };
    let _ = writeln!(text, "  = {}{status}{reason}{bytes}", dry(package.dry_run));
}

fn of_step<'a>(package: &'a StoredPackage, step: &'a StoredStep) -> impl Iterator<Item = &'a StoredWarning> {
    package.warnings.iter().filter(|warning| warning.step.as_ref() == Some(&step.step))
}

fn line(text: &mut String, word: &str, step: Option<&StepRef>, message: &str) {
    let step = step.map_or_else(String::new, |step| format!("{:<16}  ", step.processor));
    let full = format!("  {word:<4}  {step}{}", message.replace('\n', "\n        "));
    let _ = writeln!(text, "{}", full.trim_end());
}

fn warned(text: &mut String, step: Option<&StepRef>, warning: &StoredWarning) {
    line(text, "warn", step, &warning.message);
    hinted(text, warning.hint.as_deref());
}

fn hinted(text: &mut String, hint: Option<&str>) {
    if let Some(hint) = hint {
        let _ = writeln!(text, "        hint: {hint}");
    }
}

/// As a run shows its steps.
fn step_word(progress: StepProgress) -> &'static str {
    match progress {
        StepProgress::Waiting => "wait",
        StepProgress::Planned => "plan",
        StepProgress::Working => "work",
        StepProgress::Done => "done",
        StepProgress::Warned | StepProgress::Unverified => "warn",
        StepProgress::Skipped => "skip",
        StepProgress::Failed => "fail",
    }
}

fn ending(ending: RunEnding) -> String {
    match ending {
        RunEnding::GoesOn => "goes on".to_owned(),
        RunEnding::Ended { exit, .. } => format!("exit {exit}"),
        RunEnding::Gone => DID_NOT_END.to_owned(),
    }
}

/// What came of the packages of a run, the worst first.
fn packages_of(run: &StoredRun) -> String {
    let mut counts: Vec<_> = run.statuses.iter().collect();
    // What no program of today calls so comes last.
    counts
        .sort_by_key(|(status, _)| Status::of_key(status).map_or((true, None), |known| (false, Some(known))));
    let counts =
        counts.into_iter().map(|(status, count)| format!("{count} {}", outcome(run.dry_run, status)));
    let open = (run.open > 0).then(|| match run.ending {
        RunEnding::GoesOn => format!("{} in hand", run.open),
        RunEnding::Ended { .. } | RunEnding::Gone => format!("{} {DID_NOT_END}", run.open),
    });
    let all: Vec<_> = counts.chain(open).collect();
    let all = if all.is_empty() { "none".to_owned() } else { all.join(", ") };
    format!("{}{all}", dry(run.dry_run))
}

/// The words for a person of a status as it is stored.
fn outcome(dry_run: bool, stored: &str) -> String {
    Status::of_key(stored).map_or_else(|| stored.to_owned(), |status| came_of(status, dry_run))
}

fn dry(dry_run: bool) -> &'static str {
    if dry_run { "dry run: " } else { "" }
}

/// What came of a package, or that nobody can tell.
fn package_end(package: &StoredPackage, of_run: RunEnding) -> String {
    match (package.status.as_deref(), of_run) {
        (Some(status), _) => outcome(package.dry_run, status),
        (None, RunEnding::GoesOn) => "goes on".to_owned(),
        (None, RunEnding::Ended { .. } | RunEnding::Gone) => DID_NOT_END.to_owned(),
    }
}

fn why(package: &StoredPackage, of_run: RunEnding) -> String {
    if package.status.is_none() && of_run == RunEnding::Gone {
        return format!("the run did not end: {KILLED}");
    }
    let failure = package.failure.as_ref().map(|failure| failure.message.lines().next().unwrap_or_default());
    failure.or(package.reason.as_deref()).unwrap_or_default().to_owned()
}

/// Bytes are told when a package ends: what one has sent that did not is known to nobody.
const NOT_KNOWN: &str = "not known";

fn bytes_of_run(run: &StoredRun) -> String {
    if run.open > 0 && run.bytes_sent == 0 && run.bytes_saved == 0 {
        return NOT_KNOWN.to_owned();
    }
    bytes(run.dry_run, run.bytes_sent, 0, run.bytes_saved)
}

fn bytes_of(package: &StoredPackage) -> String {
    if package.status.is_none() {
        return NOT_KNOWN.to_owned();
    }
    bytes(package.dry_run, package.bytes_sent, package.bytes_fetched, package.bytes_saved)
}

/// A dry run has moved nothing: its bytes are those that a run would move.
fn bytes(dry_run: bool, sent: u64, fetched: u64, saved: u64) -> String {
    let [sent_word, fetched_word, saved_word] =
        if dry_run { ["to send", "to fetch", "there already"] } else { ["sent", "fetched", "saved"] };
    let told = [(sent, sent_word), (fetched, fetched_word), (saved, saved_word)].into_iter();
    let told: Vec<_> =
        told.filter(|(bytes, _)| *bytes > 0).map(|(bytes, word)| format!("{} {word}", size(bytes))).collect();
    if told.is_empty() { format!("nothing {sent_word}") } else { told.join(", ") }
}

fn moment(time: Timestamp) -> String {
    time.strftime("%F %T").to_string()
}

/// How long something took; the clock may have been set back meanwhile.
fn lasted(begun: Timestamp, ended: Timestamp) -> String {
    duration(ended.duration_since(begun).try_into().unwrap_or_default())
}

fn older<T>(page: &Page<T>, asked: NonZeroU32) -> String {
    match page.next {
        Some(_) => format!(
            "There are older ones: -n {} shows more.\n",
            asked.saturating_mul(NonZeroU32::MIN.saturating_add(1))
        ),
        None => String::new(),
    }
}

/// Columns as wide as what is in them.
fn table<const N: usize>(head: [String; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let rows: Vec<_> = std::iter::once(head).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        let _ = writeln!(text, "{}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
    text
}
