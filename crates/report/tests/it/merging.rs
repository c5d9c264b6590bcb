//! Several reports become one.

use crate::{arbitrary, sample};
use insta::assert_snapshot;
use pipeline::Diagnose as _;
use proptest::prelude::*;
use report::{Error, PackageReport, Program, RunReport, Status, merge};

fn warnings(report: &RunReport) -> String {
    let line = |warning: &report::Warning| {
        format!("{}\n  {}", warning.message, warning.hint.as_deref().unwrap_or("-"))
    };
    report.warnings.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn files(report: &RunReport) -> Vec<&str> {
    report.packages.iter().map(PackageReport::name).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_order_does_not_matter(runs in arbitrary::runs()) {
        let mut reversed = runs.clone();
        reversed.reverse();
        prop_assert_eq!(merge(runs).unwrap(), merge(reversed).unwrap());
    }

    #[test]
    fn it_does_not_matter_what_is_merged_first(runs in arbitrary::runs()) {
        let (last, first) = runs.split_last().unwrap();
        prop_assume!(!first.is_empty());
        let first = merge(first.to_vec()).unwrap();
        prop_assert_eq!(merge([last.clone(), first]).unwrap(), merge(runs).unwrap());
    }

    #[test]
    fn nothing_is_lost_and_nothing_counts_twice(runs in arbitrary::runs()) {
        let merged = merge(runs.clone()).unwrap();
        let all: Vec<&PackageReport> = runs.iter().flat_map(|run| &run.packages).collect();
        prop_assert_eq!(merged.totals(), report::Totals::of(all.iter().copied()));
        prop_assert_eq!(merged.requests.reads, runs.iter().map(|run| run.requests.reads).sum::<u64>());
        prop_assert_eq!(merged.parts.len(), runs.len());
        for run in &runs {
            let kept = merged.packages.iter().filter(|package| package.run.as_deref() == Some(run.id.as_str()));
            let kept: Vec<PackageReport> =
                kept.cloned().map(|package| PackageReport { run: None, also_in: Vec::new(), ..package }).collect();
            prop_assert_eq!(&kept, &run.packages);
        }
        prop_assert_eq!(merged.finished.is_some(), runs.iter().all(|run| run.finished.is_some()));
        prop_assert_eq!(merged.run_warnings().count(), merged.warnings.len() + runs.iter().map(|run| run.warnings.len()).sum::<usize>());
    }
}

#[test]
fn shards_of_one_list_make_one_clean_report() {
    let one = sample::shard(
        1,
        2,
        vec![sample::package("B-1.pkg", Status::Created), sample::package("A-1.pkg", Status::Skipped)],
    );
    let two = sample::shard(2, 2, vec![sample::package("C-1.pkg", Status::Failed)]);
    let merged = merge([two, one]).unwrap();
    assert_eq!(files(&merged), ["B-1.pkg", "A-1.pkg", "C-1.pkg"]);
    assert_eq!(warnings(&merged), "");
    assert_eq!((merged.id.as_str(), merged.shard), ("run-1+1", None));
    assert_eq!(merged.requests.sent(), 26);
    assert_eq!(merged.packages[2].run.as_deref(), Some("run-2"));
}

#[test]
fn what_does_not_fit_together_is_explained() {
    // The same name to a person: composed here, decomposed there.
    let mut one = sample::shard(1, 4, vec![sample::package("\u{c4}-1.pkg", Status::Created)]);
    one.finished = None;
    let mut again = sample::shard(1, 4, vec![sample::package("A\u{308}-1.pkg", Status::Skipped)]);
    again.id = "run-1-again".into();
    again.program = Program { name: "pkgferry".into(), version: "0.2.0".into() };
    let three = sample::shard(3, 4, Vec::new());
    let merged = merge([one.clone(), again, three]).unwrap();
    assert_eq!(merged.packages[0].also_in, ["run-1-again"]);
    assert_eq!(merged.packages[1].also_in, ["run-1"]);
    assert_eq!(merged.finished, None);
    assert_snapshot!(warnings(&merged), @"
    these shards are missing: 2/4, 4/4
      look for the reports of these shards: their packages are not in here
    these shards are there more than once: 1/4
      merge one report a shard, the last one if it ran twice
    these of the merged runs did not end: run-1 (shard 1/4)
      see in their logs why, and run them again; what is there already is not sent again
    the merged runs are of different programs: pkgferry 0.1.0, pkgferry 0.2.0
      let all shards run the same version
    several of the merged runs worked on: Ä-1.pkg
      split the list with --shard, which gives each package to one shard
    ");

    let merged = merge([one, sample::shard(2, 2, Vec::new())]).unwrap();
    assert_snapshot!(warnings(&merged), @"
    the merged runs are shards of different splits: of 2, of 4
      give all shards of one list the same count; otherwise packages are missing or carried twice
    these of the merged runs did not end: run-1 (shard 1/4)
      see in their logs why, and run them again; what is there already is not sent again
    ");
}

#[test]
fn the_same_file_on_two_servers_is_no_duplicate() {
    let test = PackageReport { server: Some("test".into()), ..sample::package("A-1.pkg", Status::Created) };
    let merged = merge([
        sample::shard(1, 2, vec![test]),
        sample::shard(2, 2, vec![sample::package("A-1.pkg", Status::Created)]),
    ]);
    assert_eq!(merged.unwrap().totals().created, 2);
    // And within one run, a package that two recipes carry is that run's own affair.
    let twice =
        vec![sample::package("A-1.pkg", Status::Created), sample::package("A-1.pkg", Status::Skipped)];
    let merged = merge([sample::run("alone", twice)]).unwrap();
    assert!(merged.packages.iter().all(|package| package.also_in.is_empty()));
    assert_eq!(warnings(&merged), "");
}

#[test]
fn what_cannot_be_summed_is_refused() {
    let dry = RunReport { dry_run: true, ..sample::run("plan", Vec::new()) };
    let real = sample::run("deed", Vec::new());
    let faults: [Error; 3] = [
        merge([]).unwrap_err(),
        merge([real.clone(), dry]).unwrap_err(),
        merge([merge([real.clone(), sample::shard(1, 1, Vec::new())]).unwrap(), real]).unwrap_err(),
    ];
    let told = faults.map(|fault| format!("{fault}\n  {}", fault.hint().unwrap_or_else(|| "-".into())));
    assert_snapshot!(told.join("\n"), @"
    there are no reports to merge
      -
    run plan was a dry run and run deed was not; what would have been and what was cannot be one report
      merge the dry runs, and merge the others
    run deed is in several of the reports, so its packages would count twice
      give each report once, and no merged report beside its parts
    ");
}

/// Why each run ended goes with its part, and is told.
#[test]
fn why_the_runs_ended_is_kept() {
    use report::Ending::{BrokenOff, Complete, Deadline, Interrupted};
    let of = |index, ending, exit_code| {
        let package = sample::package("A-1.pkg", Status::Skipped);
        RunReport {
            ending: Some(ending),
            exit_code: Some(exit_code),
            ..sample::shard(index, 4, vec![package])
        }
    };
    let merged =
        merge([of(1, Complete, 0), of(2, Deadline, 9), of(3, Interrupted, 130), of(4, BrokenOff, 4)])
            .unwrap();
    assert_eq!((merged.ending, merged.exit_code), (None, None));
    let codes: Vec<_> = merged.parts.iter().map(|part| part.exit_code).collect();
    assert_eq!(codes, [Some(0), Some(9), Some(130), Some(4)]);
    let told: Vec<&str> = merged.warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert_eq!(
        told[..3],
        [
            "these of the merged runs were broken off: run-4 (shard 4/4)",
            "these of the merged runs were interrupted: run-3 (shard 3/4)",
            "these of the merged runs came to their deadline: run-2 (shard 2/4)",
        ]
    );
    // A merged report can be merged again.
    assert_eq!(merge([merged.clone()]).unwrap().parts, merged.parts);
}
