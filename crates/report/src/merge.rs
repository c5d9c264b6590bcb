use crate::run::Version;
use crate::{Ending, Error, PackageReport, Part, RunReport, Shard, Warning};
use std::collections::{BTreeMap, BTreeSet};
use unicode_normalization::UnicodeNormalization as _;

/// Makes one report of several, such as those of the shards of one list.
///
/// The result does not depend on the order of `reports`: runs stand in the order of their shards, then of their beginnings.
/// Packages keep the order of their run. A package that several runs worked on is kept as often as it was worked on and
/// flagged. A shard that is missing or there twice, programs of several versions, and runs that did not end are told as
/// warnings of the merged report. It has ended when all its runs have.
///
/// # Errors
/// When there is none, when one run stands in several of them, or when some are of dry runs and others are not.
pub fn merge(reports: impl IntoIterator<Item = RunReport>) -> Result<RunReport, Error> {
    let mut reports: Vec<RunReport> = reports.into_iter().collect();
    reports.sort_by(|one, other| key(one).cmp(&key(other)));
    let Some(first) = reports.first() else { return Err(Error::NothingToMerge) };
    let (dry_run, started, updated) = (first.dry_run, first.started, first.updated);
    all_of_one_kind(&reports)?;
    let parts = parts_of(&reports)?;

    let id = match parts.len() {
        1 => first.id.clone(),
        count => format!("{}+{}", parts[0].id, count - 1),
    };
    let requests = reports.iter().map(|report| report.requests).sum();
    let servers: BTreeSet<String> = reports.iter().flat_map(|report| report.servers.clone()).collect();
    let mut packages = packages_of(reports, &parts);
    let doubled = flag_duplicates(&mut packages);
    let all_ended = parts.iter().all(|part| part.finished.is_some());

    Ok(RunReport {
        version: Version,
        program: parts[0].program.clone(),
        id,
        started: parts.iter().map(|part| part.started).min().unwrap_or(started),
        finished: parts.iter().filter_map(|part| part.finished).max().filter(|_| all_ended),
        ending: None,
        exit_code: None,
        updated: parts.iter().map(|part| part.updated).max().unwrap_or(updated),
        dry_run,
        shard: None,
        servers: servers.into_iter().collect(),
        requests,
        warnings: findings(&parts, &doubled),
        parts,
        packages,
    })
}

/// Plans and deeds do not add up.
fn all_of_one_kind(reports: &[RunReport]) -> Result<(), Error> {
    let of = |dry_run| reports.iter().find(|report| report.dry_run == dry_run);
    match (of(true), of(false)) {
        (Some(dry), Some(real)) => Err(Error::DryAndReal { dry: dry.id.clone(), real: real.id.clone() }),
        _ => Ok(()),
    }
}

/// The runs, each of which may count once.
fn parts_of(reports: &[RunReport]) -> Result<Vec<Part>, Error> {
    let mut parts: Vec<Part> = reports.iter().flat_map(RunReport::to_parts).collect();
    parts.sort_by(|one, other| order(one).cmp(&order(other)));
    let mut ids = BTreeSet::new();
    match parts.iter().find(|part| !ids.insert(part.id.as_str())) {
        Some(twice) => Err(Error::SameRun { id: twice.id.clone() }),
        None => Ok(parts),
    }
}

/// The packages, each with the run that it is of, in the order of the runs.
fn packages_of(reports: Vec<RunReport>, parts: &[Part]) -> Vec<PackageReport> {
    let mut packages: Vec<PackageReport> = Vec::new();
    for report in reports {
        packages.extend(report.packages.into_iter().map(|package| PackageReport {
            run: Some(package.run.unwrap_or_else(|| report.id.clone())),
            ..package
        }));
    }
    let places: BTreeMap<&str, usize> =
        parts.iter().enumerate().map(|(place, part)| (part.id.as_str(), place)).collect();
    packages.sort_by_key(|package| package.run.as_deref().and_then(|run| places.get(run)).copied());
    packages
}

type Order<'a> = (Option<Shard>, jiff::Timestamp, &'a str);

fn order(part: &Part) -> Order<'_> {
    (part.shard, part.started, &part.id)
}

fn key(report: &RunReport) -> Order<'_> {
    (report.shard, report.started, &report.id)
}

/// A package is the same where a file of the same name went to the same server, however its accents are encoded.
fn identity(package: &PackageReport) -> (Option<String>, String) {
    (package.server.clone(), package.name().nfc().collect())
}

/// Tells each package which other runs worked on it, and returns the names of those packages.
fn flag_duplicates(packages: &mut [PackageReport]) -> BTreeSet<String> {
    let mut runs: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
    for package in packages.iter() {
        runs.entry(identity(package)).or_default().extend(package.run.clone());
    }
    let mut doubled = BTreeSet::new();
    for package in packages {
        let all = runs.get(&identity(package)).into_iter().flatten();
        package.also_in = all.filter(|run| package.run.as_ref() != Some(run)).cloned().collect();
        if !package.also_in.is_empty() {
            doubled.insert(identity(package).1);
        }
    }
    doubled
}

/// What a person should know before trusting the sum.
fn findings(parts: &[Part], doubled: &BTreeSet<String>) -> Vec<Warning> {
    let mut findings = Findings::default();
    findings.of_shards(&parts.iter().filter_map(|part| part.shard).collect::<Vec<_>>());
    findings.of_endings(parts);
    let program = |part: &Part| format!("{} {}", part.program.name, part.program.version);
    findings.add(
        "the merged runs are of different programs",
        several(parts.iter().map(program).collect()),
        "let all shards run the same version",
    );
    findings.add(
        "several of the merged runs worked on",
        doubled.iter().cloned(),
        "split the list with --shard, which gives each package to one shard",
    );
    findings.0
}

#[derive(Default)]
struct Findings(Vec<Warning>);

impl Findings {
    /// Nothing, where there is nothing to name.
    fn add(&mut self, start: &str, things: impl IntoIterator<Item = String>, hint: &str) {
        let things: Vec<String> = things.into_iter().collect();
        if !things.is_empty() {
            let message = format!("{start}: {}", things.join(", "));
            self.0.push(Warning { step: None, message, hint: Some(hint.to_owned()) });
        }
    }

    fn of_shards(&mut self, shards: &[Shard]) {
        let counts: BTreeSet<u32> = shards.iter().map(|shard| shard.count()).collect();
        let one_count = counts.iter().copied().filter(|_| counts.len() == 1);
        self.add(
            "these shards are missing",
            one_count.flat_map(|count| missing(shards, count)),
            "look for the reports of these shards: their packages are not in here",
        );
        self.add(
            "the merged runs are shards of different splits",
            several(counts.iter().map(|count| format!("of {count}")).collect()),
            "give all shards of one list the same count; otherwise packages are missing or carried twice",
        );
        let mut seen = BTreeSet::new();
        let twice: BTreeSet<String> =
            shards.iter().filter(|shard| !seen.insert(**shard)).map(ToString::to_string).collect();
        self.add(
            "these shards are there more than once",
            twice,
            "merge one report a shard, the last one if it ran twice",
        );
    }

    fn of_endings(&mut self, parts: &[Part]) {
        let named = |is_meant: fn(&Part) -> bool| {
            let name = |part: &Part| match part.shard {
                Some(shard) => format!("{} (shard {shard})", part.id),
                None => part.id.clone(),
            };
            parts.iter().filter(|part| is_meant(part)).map(name).collect::<Vec<_>>()
        };
        self.add(
            "these of the merged runs did not end",
            named(|part| part.finished.is_none()),
            "see in their logs why, and run them again; what is there already is not sent again",
        );
        self.add(
            "these of the merged runs were broken off",
            named(|part| part.ending == Some(Ending::BrokenOff)),
            "mend what their warnings tell of, and run them again",
        );
        self.add(
            "these of the merged runs were interrupted",
            named(|part| part.ending == Some(Ending::Interrupted)),
            "run them again; what is there already is not sent again",
        );
        self.add(
            "these of the merged runs came to their deadline",
            named(|part| part.ending == Some(Ending::Deadline)),
            "run them again for what is left, or give them more time or more jobs",
        );
    }
}

/// All of them if they differ.
fn several(things: BTreeSet<String>) -> BTreeSet<String> {
    if things.len() > 1 { things } else { BTreeSet::new() }
}

/// Shards of this split that are not there. A file may say that there are four billion.
fn missing(shards: &[Shard], count: u32) -> Vec<String> {
    const TOLD: usize = 100;
    let there: BTreeSet<u32> = shards.iter().map(|shard| shard.index()).collect();
    let mut missing =
        (1..=count).filter(|index| !there.contains(index)).map(|index| format!("{index}/{count}"));
    let mut told: Vec<String> = missing.by_ref().take(TOLD).collect();
    if missing.next().is_some() {
        told.push("and more".to_owned());
    }
    told
}
