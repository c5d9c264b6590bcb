//! The model is written and read back, and nothing else is taken for it.

use crate::{arbitrary, sample};
use insta::assert_snapshot;
use pipeline::Diagnose as _;
use proptest::prelude::*;
use report::{Error, Format, RunReport, Shard, Status, write};
use serde_json::{Value, json};

fn read(value: &Value) -> Result<RunReport, Error> {
    RunReport::from_json(value.to_string().as_bytes())
}

fn written(report: &RunReport) -> Value {
    serde_json::from_slice(&write(report, Format::Json).unwrap()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_written_is_read(report in arbitrary::report()) {
        let bytes = write(&report, Format::Json).unwrap();
        prop_assert_eq!(RunReport::from_json(&bytes).unwrap(), report);
    }

    #[test]
    fn nothing_panics(bytes in any::<Vec<u8>>()) {
        let _ = RunReport::from_json(&bytes);
    }

    #[test]
    fn totals_add_up(report in arbitrary::report()) {
        let totals = report.totals();
        let by_status: u64 = Status::ALL.into_iter().map(|status| totals.with(status)).sum();
        prop_assert_eq!(by_status, u64::try_from(report.packages.len()).unwrap());
        prop_assert_eq!(totals.packages, by_status);
    }
}

#[test]
fn json_tells_totals_and_status_words() {
    let value = written(&sample::one_of_each());
    assert_eq!(value["version"], 2);
    assert_eq!(value["totals"]["failed"], 1);
    assert_eq!(value["totals"]["bytes_sent"], (5 + 7 + 11 + 2) << 20);
    assert_eq!(value["totals"]["bytes_saved"], (3_u64 << 30) + (1 << 20));
    let words: Vec<&str> = value["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| package["status"].as_str().unwrap())
        .collect();
    assert_snapshot!(
        words.join(" "),
        @"failed interrupted running not-begun unverified replaced created metadata-only downloaded skipped"
    );
}

#[test]
fn keys_that_nobody_knows_are_passed_over() {
    let report = sample::one_of_each();
    let mut value = written(&report);
    value["weather"] = json!({"temperature": 4});
    value["packages"][0]["mood"] = json!("grim");
    value["packages"][0]["failure"]["blame"] = json!(["nobody"]);
    assert_eq!(read(&value).unwrap(), report);
}

/// Version 1 called it failed, and said neither why a run ended nor with which exit code.
#[test]
fn what_was_interrupted_is_so_in_older_reports_too() {
    let report = sample::run("1", vec![sample::package("A-1.pkg", Status::Interrupted)]);
    let mut older = written(&report);
    older["version"] = json!(1);
    older["packages"][0]["status"] = json!("failed");
    assert_eq!(read(&older).unwrap(), report);
    // In this version it would be another thing that failed.
    older["version"] = json!(2);
    assert_eq!(read(&older).unwrap().packages[0].status, Status::Failed);
    assert_eq!(report.to_parts()[0].ending, None);
}

#[test]
fn what_is_not_known_may_be_missing() {
    let value = json!({
        "version": 1, "program": {"name": "pkgferry", "version": "0.1.0"}, "id": "1",
        "started": "2026-11-21T02:00:00Z", "updated": "2026-11-21T02:00:00Z",
        "packages": [{"recipe": "a", "status": "skipped", "reason": "same"}]
    });
    let report = read(&value).unwrap();
    assert_eq!((report.finished, report.packages[0].name()), (None, "a"));
}

#[test]
fn other_versions_and_other_files_are_refused_with_a_reason() {
    let mut newer = written(&sample::one_of_each());
    newer["version"] = json!(3);
    // Another version may have moved anything.
    newer["packages"] = json!({"by": "server"});
    let mut older = newer.clone();
    older["version"] = json!(0);
    let mut damaged = written(&sample::one_of_each());
    damaged["packages"][3]["status"] = json!("perfect");
    let faults = [
        read(&newer).unwrap_err(),
        read(&older).unwrap_err(),
        read(&json!({"summary_results": {}})).unwrap_err(),
        read(&json!([1, 2])).unwrap_err(),
        read(&json!({"version": "1"})).unwrap_err(),
        read(&damaged).unwrap_err(),
        RunReport::from_json(b"<plist/>").unwrap_err(),
        RunReport::from_json(b"").unwrap_err(),
    ];
    let told = faults.map(|fault| {
        let hint = fault.hint().unwrap_or_else(|| "-".into());
        format!("{}\n  {hint}", pipeline::causes(&fault).collect::<Vec<_>>().join(": "))
    });
    assert_snapshot!(told.join("\n"), @"
    the report has version 3, and this program reads versions 1 to 2
      read it with a pkgferry that is at least as new as the one that wrote it
    the report has version 0, and this program reads versions 1 to 2
      -
    this JSON is no report of a run: it has no version
      only reports that were written with --report FILE.json can be read
    this is no JSON: trailing characters at line 1 column 4
      only reports that were written with --report FILE.json can be read
    this JSON is no report of a run: it has no version
      only reports that were written with --report FILE.json can be read
    the report is damaged: unknown variant `perfect`, expected one of `failed`, `interrupted`, `running`, `not-begun`, `unverified`, `replaced`, `created`, `metadata-only`, `downloaded`, `skipped` at line 1 column 1807
      the file was changed or cut after it was written; let the run write it again
    this is no JSON: expected value at line 1 column 1
      only reports that were written with --report FILE.json can be read
    this is no JSON: EOF while parsing a value at line 1 column 0
      only reports that were written with --report FILE.json can be read
    ");

    let direct = serde_json::from_value::<RunReport>(newer).unwrap_err();
    assert_snapshot!(direct, @"the report has version 3, and this program reads versions 1 to 2");
}

#[test]
fn a_shard_is_one_of_its_count() {
    assert_eq!(Shard::new(2, 5).unwrap().to_string(), "2/5");
    for (index, count) in [(0, 5), (6, 5), (0, 0), (1, 0)] {
        assert!(Shard::new(index, count).is_err(), "{index}/{count}");
    }
    let mut value = written(&sample::shard(1, 2, Vec::new()));
    value["shard"]["index"] = json!(3);
    assert!(matches!(read(&value), Err(Error::Damaged(_))));
}
