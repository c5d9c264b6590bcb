//! Names that are too much alike.

use super::{listed, told};
use crate::{Check, Finding, Observations, Record};
use pipeline::FileName;
use std::collections::{BTreeMap, BTreeSet};

/// More than these are counted and not named.
const NAMED: usize = 3;

pub(super) fn duplicates(seen: &Observations) -> Vec<Finding> {
    let check = Check::Duplicates;
    let records = told(check, &seen.records);
    let files = told(check, &seen.files);
    let mut findings = Vec::new();
    let mut told_twins = Vec::new();
    if let Ok(records) = &records {
        findings.extend(shared(records));
        let names: Vec<_> = records.iter().map(|record| record.file.as_str()).collect();
        findings.extend(spellings(&names, "package records name", "the records"));
        told_twins = all_twins(&names);
        findings.extend(twins(&told_twins, "package records name", "the record that no policy uses"));
    }
    if let Ok(files) = &files {
        let names: Vec<_> = files.iter().map(String::as_str).collect();
        findings.extend(spellings(&names, "the distribution service lists", "the files"));
        let mut more = all_twins(&names);
        more.retain(|pair| !told_twins.contains(pair));
        findings.extend(twins(&more, "the distribution service lists", "the file that no record names"));
    }
    if !findings.is_empty() {
        return findings;
    }
    match (records, files) {
        (Ok(records), Ok(files)) => vec![Finding::fine(
            check,
            format!("no two of {} records and {} files are called alike", records.len(), files.len()),
        )],
        (Ok(records), Err(_)) => {
            vec![Finding::fine(check, format!("no two of {} records are called alike", records.len()))]
        }
        (Err(finding), _) => vec![finding],
    }
}

/// Records that name the same file, letter by letter.
fn shared(records: &[Record]) -> Option<Finding> {
    let mut by_file: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for record in records.iter().filter(|record| !record.file.is_empty()) {
        by_file.entry(&record.file).or_default().push(record.id.to_string());
    }
    let shared: Vec<_> = by_file
        .into_iter()
        .filter(|(_, ids)| ids.len() > 1)
        .map(|(file, ids)| format!("{file} (records {})", listed(&ids)))
        .collect();
    let first = first(&shared)?;
    Some(
        Finding::warning(Check::Duplicates, format!("several package records name one file: {first}"))
            .because("nobody can tell which record a recipe means, and it fails")
            .mend(
                "delete all but one of these records in Jamf Pro, after looking which of them policies use; deleting a record \
                 deletes its file too",
            ),
    )
}

/// Names that are one to a person and two to the server.
fn spellings(names: &[&str], who: &str, which: &str) -> Option<Finding> {
    let mut by_spelling: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for name in names {
        let Ok(parsed) = name.parse::<FileName>() else { continue };
        let composed = parsed.spellings().into_iter().min().unwrap_or_default();
        let all = by_spelling.entry(composed).or_default();
        if !all.contains(name) {
            all.push(name);
        }
    }
    let alike: Vec<_> = by_spelling
        .values()
        .filter(|all| all.len() > 1)
        .filter_map(|all| all.first().map(|name| (*name).to_owned()))
        .collect();
    let first = first(&alike)?;
    Some(
        Finding::warning(Check::Duplicates, format!("{who} one name in two spellings: {first}"))
            .because("the letters look the same and are composed otherwise (ü as one sign, or as u and ¨), and a recipe that means one of them fails")
            .mend(format!("rename or delete one of {which} in Jamf Pro")),
    )
}

/// What the service made of names that were taken.
fn twins(twins: &[(&str, &str)], who: &str, which: &str) -> Option<Finding> {
    let shown: Vec<_> = twins.iter().map(|(name, twin)| format!("{twin} beside {name}")).collect();
    let first = first(&shown)?;
    Some(
        Finding::warning(Check::Duplicates, format!("{who} twins: {first}"))
            .because(
                "a file that was sent while its name was taken is kept under another one, and computers go on getting the old \
                 bytes",
            )
            .mend(format!("compare the two, then delete {which}")),
    )
}

/// Names of which the first may have become the second.
fn all_twins<'a>(names: &[&'a str]) -> Vec<(&'a str, &'a str)> {
    // Names are looked up by what a twin is made of, since lists hold thousands.
    let known: BTreeSet<&str> = names.iter().copied().collect();
    let original = |twin: &str| {
        let (stem, extension) = twin.rsplit_once('.')?;
        let (stem, _) = stem.rsplit_once('_')?;
        known.get(format!("{stem}.{extension}").as_str()).copied()
    };
    let twins = known.iter().filter_map(|twin| {
        let name = original(twin)?;
        name.parse::<FileName>().is_ok_and(|parsed| parsed.is_twin(twin)).then_some((name, *twin))
    });
    twins.collect()
}

/// The first few, and how many more.
fn first(all: &[String]) -> Option<String> {
    match all {
        [] => None,
        all if all.len() <= NAMED => Some(listed(all)),
        all => Some(format!("{}, and {} more", all[..NAMED].join(", "), all.len() - NAMED)),
    }
}
