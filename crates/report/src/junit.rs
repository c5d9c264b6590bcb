//! JUnit's XML, as GitHub, GitLab and Jenkins read it: a suite for each server, a case for each package.
//!
//! There is no standard; this keeps to what the schemas of Ant and of Jenkins' plugins have in common, and adds
//! `properties` to cases, which readers that do not know them pass over.

use crate::words::{span, writable};
use crate::{Ending, Error, Failure, FailureKind, PackageReport, RunReport, Status, Totals, Warning};
use jiff::{SignedDuration, Timestamp};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use std::io;

type Xml = Writer<Vec<u8>>;

pub(crate) fn write(report: &RunReport) -> Result<Vec<u8>, Error> {
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    document(&mut xml, report)
        .map_err(|source| Error::Unwritable { shape: "JUnit", source: source.into() })?;
    let mut bytes = xml.into_inner();
    bytes.push(b'\n');
    Ok(bytes)
}

fn document(xml: &mut Xml, report: &RunReport) -> io::Result<()> {
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let of_run = verdict_of_run(report);
    let mut tests = Tests::of(&report.packages);
    of_run.iter().for_each(|verdict| tests.count(verdict));
    let attributes = tests.attributes(span(report.started, report.finished.unwrap_or(report.updated)));
    let name = writable(&report.program.name).into_owned();
    xml.create_element("testsuites")
        .with_attribute(("name", name.as_str()))
        .with_attributes(pairs(&attributes))
        .write_inner_content(|xml| {
            of_run.iter().try_for_each(|verdict| run(xml, report, verdict))?;
            suites(report)
                .into_iter()
                .try_for_each(|(server, packages)| suite(xml, report, server, &packages))
        })?;
    Ok(())
}

/// Packages by server, in the order in which servers first occur.
fn suites(report: &RunReport) -> Vec<(Option<&str>, Vec<&PackageReport>)> {
    let mut suites: Vec<(Option<&str>, Vec<&PackageReport>)> = Vec::new();
    for package in &report.packages {
        let server = package.server.as_deref();
        match suites.iter_mut().find(|(other, _)| *other == server) {
            Some((_, packages)) => packages.push(package),
            None => suites.push((server, vec![package])),
        }
    }
    suites
}

#[derive(Default)]
struct Tests {
    tests: u64,
    failures: u64,
    errors: u64,
    skipped: u64,
}

impl Tests {
    fn of<'a>(packages: impl IntoIterator<Item = &'a PackageReport>) -> Self {
        let mut tests = Self::default();
        packages.into_iter().for_each(|package| tests.count(&Verdict::of(package)));
        tests
    }

    fn count(&mut self, verdict: &Verdict) {
        self.tests += 1;
        match verdict {
            Verdict::Passed => {}
            Verdict::Skipped => self.skipped += 1,
            Verdict::Failure(_) => self.failures += 1,
            Verdict::Error(_) => self.errors += 1,
        }
    }

    fn attributes(&self, time: SignedDuration) -> Vec<(&'static str, String)> {
        vec![
            ("tests", self.tests.to_string()),
            ("failures", self.failures.to_string()),
            ("errors", self.errors.to_string()),
            ("skipped", self.skipped.to_string()),
            ("time", seconds(time)),
        ]
    }
}

/// What a package is to JUnit. A failure is about the package or its server; an error, about the run.
enum Verdict {
    Passed,
    Skipped,
    Failure(&'static str),
    Error(&'static str),
}

impl Verdict {
    fn of(package: &PackageReport) -> Self {
        match (package.status, package.failure.as_ref().map(|failure| failure.kind)) {
            (
                Status::Failed,
                Some(kind @ (FailureKind::Internal | FailureKind::Interrupted | FailureKind::Deadline)),
            ) => Self::Error(kind.word()),
            (Status::Failed, Some(kind)) => Self::Failure(kind.word()),
            (status @ (Status::Failed | Status::Unverified), _) => Self::Failure(status.key()),
            (Status::Running, _) => Self::Error("not-ended"),
            // Green would say that it is where it belongs.
            (status @ (Status::Interrupted | Status::NotBegun), _) => Self::Error(status.key()),
            (Status::Skipped, _) => Self::Skipped,
            (Status::Replaced | Status::Created | Status::MetadataOnly | Status::Downloaded, _) => {
                Self::Passed
            }
        }
    }

    fn write(&self, xml: &mut Xml, message: &str, skipped: &str, details: &str) -> io::Result<()> {
        let (element, kind) = match self {
            Self::Passed => return Ok(()),
            Self::Skipped => {
                let message = writable(skipped);
                return xml
                    .create_element("skipped")
                    .with_attribute(("message", &*message))
                    .write_empty()
                    .map(drop);
            }
            Self::Failure(kind) => ("failure", *kind),
            Self::Error(kind) => ("error", *kind),
        };
        xml.create_element(element)
            .with_attributes([("type", kind), ("message", &*writable(message))])
            .write_text_content(BytesText::new(&writable(details)))
            .map(drop)
    }
}

fn suite(
    xml: &mut Xml,
    report: &RunReport,
    server: Option<&str>,
    packages: &[&PackageReport],
) -> io::Result<()> {
    let name = match server {
        Some(server) => format!("{} {server}", report.program.name),
        None => report.program.name.clone(),
    };
    let began = packages.iter().filter_map(|package| package.started).min().unwrap_or(report.started);
    let time = packages
        .iter()
        .map(|package| time(package))
        .fold(SignedDuration::ZERO, SignedDuration::saturating_add);
    let attributes = Tests::of(packages.iter().copied()).attributes(time);
    xml.create_element("testsuite")
        .with_attribute(("name", &*writable(&name)))
        .with_attributes(pairs(&attributes))
        .with_attribute(("timestamp", local(began).as_str()))
        .write_inner_content(|xml| {
            properties(xml, &of_run(report, packages))?;
            packages.iter().try_for_each(|package| case(xml, package))
        })?;
    Ok(())
}

/// What a case of the run itself would tell: that something is wrong, or odd, which no package shows.
fn verdict_of_run(report: &RunReport) -> Option<Verdict> {
    if report.finished.is_none() {
        Some(Verdict::Error("not-ended"))
    } else if report.endings().any(|ending| ending == Ending::BrokenOff) {
        Some(Verdict::Error("broken-off"))
    } else if report.lacks_shards() {
        Some(Verdict::Error("shard-missing"))
    } else if report.packages.is_empty() {
        Some(Verdict::Skipped)
    } else {
        report.run_warnings().next().map(|_| Verdict::Passed)
    }
}

fn run(xml: &mut Xml, report: &RunReport, verdict: &Verdict) -> io::Result<()> {
    let mut tests = Tests::default();
    tests.count(verdict);
    let attributes = tests.attributes(SignedDuration::ZERO);
    let not_ended = match report.finished {
        None => format!("the run did not end; last heard of {}", report.updated),
        Some(_) if report.endings().any(|ending| ending == Ending::BrokenOff) => {
            let why: Vec<&str> = report.run_warnings().map(|warning| warning.message.as_str()).collect();
            format!("the run was broken off: {}", why.join("; "))
        }
        Some(_) => "the reports of some shards are missing, and their packages with them".to_owned(),
    };
    let lines: Vec<String> = report.run_warnings().map(warning_line).collect();
    xml.create_element("testsuite")
        .with_attribute(("name", "run"))
        .with_attributes(pairs(&attributes))
        .with_attribute(("timestamp", local(report.started).as_str()))
        .write_inner_content(|xml| {
            xml.create_element("testcase")
                .with_attributes([("classname", "run"), ("name", "the run as a whole"), ("time", "0.000")])
                .write_inner_content(|xml| {
                    verdict.write(xml, &not_ended, "the run had no packages", &not_ended)?;
                    output(xml, &lines)
                })?;
            Ok(())
        })?;
    Ok(())
}

fn of_run(report: &RunReport, packages: &[&PackageReport]) -> Vec<(&'static str, String)> {
    let totals = Totals::of(packages.iter().copied());
    let mut properties = vec![
        ("run", report.id.clone()),
        ("program", format!("{} {}", report.program.name, report.program.version)),
        ("started", report.started.to_string()),
        ("dry_run", report.dry_run.to_string()),
    ];
    properties.extend(report.finished.map(|finished| ("finished", finished.to_string())));
    properties.extend(report.shard.map(|shard| ("shard", shard.to_string())));
    properties.extend([
        ("bytes_sent", totals.bytes_sent.to_string()),
        ("bytes_resumed", totals.bytes_resumed.to_string()),
        ("bytes_fetched", totals.bytes_fetched.to_string()),
        ("bytes_saved", totals.bytes_saved.to_string()),
    ]);
    properties
}

fn case(xml: &mut Xml, package: &PackageReport) -> io::Result<()> {
    let class = package.identifier.as_ref().unwrap_or(&package.recipe);
    xml.create_element("testcase")
        .with_attribute(("classname", &*writable(class)))
        .with_attribute(("name", &*writable(package.name())))
        .with_attribute(("time", seconds(time(package)).as_str()))
        .write_inner_content(|xml| {
            properties(xml, &of_package(package))?;
            Verdict::of(package).write(xml, &package.sentence(), &package.reason, &details(package))?;
            output(xml, &story(package))
        })?;
    Ok(())
}

fn of_package(package: &PackageReport) -> Vec<(&'static str, String)> {
    let mut properties =
        vec![("status", package.status.word().to_owned()), ("recipe", package.recipe.clone())];
    properties.extend(package.pkg_version.clone().map(|version| ("version", version)));
    properties.extend(package.package_id.map(|id| ("package_id", id.to_string())));
    let bytes = [
        ("bytes_sent", package.bytes_sent),
        ("bytes_resumed", package.bytes_resumed),
        ("bytes_fetched", package.bytes_fetched),
        ("bytes_saved", package.bytes_saved),
    ];
    properties.extend(
        bytes.into_iter().filter(|(_, bytes)| *bytes > 0).map(|(name, bytes)| (name, bytes.to_string())),
    );
    properties.extend(package.also_in.iter().map(|run| ("also_in", run.clone())));
    properties
}

fn properties(xml: &mut Xml, properties: &[(&str, String)]) -> io::Result<()> {
    xml.create_element("properties").write_inner_content(|xml| {
        for (name, value) in properties {
            xml.create_element("property")
                .with_attribute(("name", *name))
                .with_attribute(("value", &*writable(value)))
                .write_empty()?;
        }
        Ok(())
    })?;
    Ok(())
}

/// What a person reads who opens the failure.
fn details(package: &PackageReport) -> String {
    let mut lines = Vec::new();
    match package.step() {
        Some(step) => lines.push(format!("step {step}: {}", package.sentence())),
        None => lines.push(package.sentence()),
    }
    if let Some(Failure { causes, faults, .. }) = &package.failure {
        lines.extend(causes.iter().map(|cause| format!("caused by: {cause}")));
        lines.extend(faults.iter().map(|fault| match fault.place() {
            Some(place) => format!("{place}: {}", fault.message),
            None => fault.message.clone(),
        }));
    }
    lines.extend(package.server.iter().map(|server| format!("server: {server}")));
    lines.extend(package.next_step().map(|hint| format!("next step: {hint}")));
    lines.join("\n")
}

/// What happened, step by step, and what is odd.
fn story(package: &PackageReport) -> Vec<String> {
    let mut lines = Vec::new();
    if matches!(Verdict::of(package), Verdict::Passed) {
        lines.push(package.sentence());
    }
    lines.extend(package.phases.iter().map(|phase| {
        let outcome = phase.outcome.as_deref().unwrap_or("did not end");
        let time = phase.to.map(|to| format!(" ({} s)", seconds(span(phase.from, to)))).unwrap_or_default();
        format!("{}: {outcome}{time}", phase.step)
    }));
    lines.extend(package.other_warnings().map(warning_line));
    lines
}

fn warning_line(warning: &Warning) -> String {
    match &warning.hint {
        Some(hint) => format!("warning: {}; {hint}", warning.message),
        None => format!("warning: {}", warning.message),
    }
}

fn output(xml: &mut Xml, lines: &[String]) -> io::Result<()> {
    if !lines.is_empty() {
        xml.create_element("system-out").write_text_content(BytesText::new(&writable(&lines.join("\n"))))?;
    }
    Ok(())
}

fn pairs<'a>(attributes: &'a [(&'a str, String)]) -> impl Iterator<Item = (&'a str, &'a str)> {
    attributes.iter().map(|(name, value)| (*name, value.as_str()))
}

fn time(package: &PackageReport) -> SignedDuration {
    match (package.started, package.finished) {
        (Some(started), Some(finished)) => span(started, finished),
        _ => SignedDuration::ZERO,
    }
}

/// With milliseconds, cut and not rounded.
fn seconds(duration: SignedDuration) -> String {
    format!("{}.{:03}", duration.as_secs(), duration.subsec_millis())
}

/// UTC without saying so: the schemas of Ant and Jenkins take no time zone.
fn local(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}
