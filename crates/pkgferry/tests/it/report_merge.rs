//! `pkgferry report merge`: reports of shards in, one report and one exit code out.

use crate::stage::{Ran, Stage};
use serde_json::{Value, json};

/// A report of a run that ended, of one shard.
fn report(id: &str, (index, count): (u32, u32), packages: &[Value]) -> Value {
    json!({
        "version": 1, "program": {"name": "pkgferry", "version": "0.1.0"}, "id": id,
        "started": "2026-11-21T02:00:00Z", "finished": "2026-11-21T02:10:00Z", "updated": "2026-11-21T02:10:00Z",
        "shard": {"index": index, "count": count}, "servers": ["production"], "packages": packages
    })
}

fn package(name: &str, status: &str) -> Value {
    json!({"recipe": format!("{name}.jamf"), "file": format!("{name}.pkg"), "status": status, "reason": "it is a test"})
}

fn failed(name: &str, kind: &str) -> Value {
    let mut package = package(name, "failed");
    package["failure"] = json!({"kind": kind, "message": "it broke", "hint": "mend it"});
    package
}

/// Merges reports without writing anything.
fn merged(reports: &[Value]) -> Ran {
    let stage = Stage::new();
    let paths: Vec<_> = (1..)
        .zip(reports)
        .map(|(number, report)| stage.write(&format!("{number}.json"), report.to_string()))
        .collect();
    let arguments: Vec<_> = ["report", "merge"].into_iter().chain(paths.iter().map(String::as_str)).collect();
    stage.run(&arguments)
}

#[test]
fn shards_become_one_report_in_every_shape() {
    let stage = Stage::new();
    let first = report("a", (1, 2), &[package("Firefox", "skipped"), failed("Slack", "remote")]);
    let second = report("b", (2, 2), &[package("Zoom", "created")]);
    let (first, second) =
        (stage.write("1.json", first.to_string()), stage.write("2.json", second.to_string()));
    let outputs: Vec<_> =
        ["all.json", "all.plist", "all.xml", "all.md", "all.html"].map(|name| stage.path(name)).into();
    let mut arguments = vec!["report", "merge", &second, &first];
    for output in &outputs {
        arguments.extend(["--output", output.to_str().unwrap()]);
    }
    insta::assert_snapshot!(stage.run(&arguments).shown(), @"
    exit 5
    --- stdout
    2 runs, 3 packages: 1 failed, 1 created, 1 skipped
    ");
    let text = |index: usize| std::fs::read_to_string(&outputs[index]).unwrap();
    let read = report::RunReport::from_json(text(0).as_bytes()).unwrap();
    assert_eq!(
        read.packages.iter().map(|package| package.recipe.as_str()).collect::<Vec<_>>(),
        ["Firefox.jamf", "Slack.jamf", "Zoom.jamf"]
    );
    assert_eq!(read.parts.len(), 2);
    plist::Value::from_file(&outputs[1]).unwrap();
    assert!(text(2).contains("<testsuites"), "{}", text(2));
    assert!(text(3).contains("Slack"), "{}", text(3));
    assert!(text(4).starts_with("<!doctype html>"));
    // Nothing is left beside them.
    let mut names: Vec<_> = std::fs::read_dir(stage.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["1.json", "2.json", "all.html", "all.json", "all.md", "all.plist", "all.xml", "home"]);
}

/// A file that others are to read is as readable as one that a shell makes, and an earlier report gives way.
#[cfg(unix)]
#[test]
fn an_output_takes_the_place_of_an_earlier_one() {
    use std::os::unix::fs::PermissionsExt as _;
    let stage = Stage::new();
    let only = stage.write("1.json", report("a", (1, 1), &[package("Firefox", "skipped")]).to_string());
    let page = stage.write("all.html", "an earlier one");
    stage.run(&["report", "merge", &only, "--output", &page]).succeeded();
    assert!(std::fs::read_to_string(&page).unwrap().starts_with("<!doctype html>"));
    let mode = |path: &str| std::fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&page), mode(&only));
}

/// The rules of a single run: interruption, the first failure, what is unverified.
#[test]
fn the_exit_code_is_that_of_the_merged_runs() {
    let good = || report("a", (1, 2), &[package("Firefox", "skipped"), package("Zoom", "replaced")]);
    let cases: [(&[Value], i32); 13] = [
        (&[], 0),
        (&[package("A", "metadata-only"), package("B", "downloaded")], 0),
        (&[package("A", "unverified")], 7),
        (&[package("A", "unverified"), failed("B", "access"), failed("C", "recipe")], 4),
        (&[failed("A", "recipe")], 3),
        (&[failed("A", "remote")], 5),
        (&[failed("A", "local")], 6),
        (&[failed("A", "internal")], 1),
        (&[package("A", "failed")], 1),
        (&[failed("A", "recipe"), failed("B", "interrupted")], 130),
        (&[failed("A", "recipe"), package("B", "not-begun")], 130),
        (&[package("A", "running")], 130),
        (&[package("A", "unverified"), package("B", "not-begun")], 130),
    ];
    for (packages, code) in cases {
        let ran = merged(&[good(), report("b", (2, 2), packages)]);
        assert_eq!(ran.code, code, "{packages:?}\n{}", ran.shown());
    }
}

/// Reports that say with which exit code their run ended are believed: only the run knew why a package had no turn.
#[test]
fn the_exit_code_is_the_worst_that_the_runs_ended_with() {
    let ended = |id: &str, shard, packages: &[Value], (ending, exit_code): (&str, u8)| {
        let mut report = report(id, shard, packages);
        report["version"] = json!(2);
        report["ending"] = json!(ending);
        report["exit_code"] = json!(exit_code);
        report
    };
    let waiting = || [package("A", "not-begun")];
    let cases = [
        (("deadline", 9), ("complete", 0), 9),
        (("deadline", 9), ("complete", 7), 9),
        (("deadline", 9), ("broken-off", 4), 4),
        (("complete", 5), ("broken-off", 4), 5),
        (("deadline", 9), ("interrupted", 130), 130),
        (("complete", 2), ("complete", 0), 2),
    ];
    for (one, other, code) in cases {
        let ran = merged(&[ended("a", (1, 2), &waiting(), one), ended("b", (2, 2), &[], other)]);
        assert_eq!(ran.code, code, "{one:?} {other:?}\n{}", ran.shown());
    }
    // Beside a run that is not there, nothing is as good as that.
    let alone = ended("a", (1, 2), &waiting(), ("deadline", 9));
    insta::assert_snapshot!(merged(&[alone]).shown(), @"
    exit 130
    --- stdout
    1 run, 1 package: 1 not begun
    --- stderr
    warning: these shards are missing: 2/2
      hint: look for the reports of these shards: their packages are not in here
    warning: these of the merged runs came to their deadline: a (shard 1/2)
      hint: run them again for what is left, or give them more time or more jobs
    ");
}

#[test]
fn what_is_not_there_is_no_success() {
    let killed = || {
        let mut killed = report("b", (2, 3), &[package("Zoom", "running")]);
        killed["finished"] = Value::Null;
        killed
    };
    let first = || report("a", (1, 3), &[package("Firefox", "skipped")]);
    insta::assert_snapshot!(merged(&[first(), killed()]).shown(), @"
    exit 130
    --- stdout
    2 runs, 2 packages: 1 did not end, 1 skipped
    --- stderr
    warning: these shards are missing: 3/3
      hint: look for the reports of these shards: their packages are not in here
    warning: these of the merged runs did not end: b (shard 2/3)
      hint: see in their logs why, and run them again; what is there already is not sent again
    ");
    // A run that was killed between two packages, all shards being there.
    let mut killed = report("b", (2, 2), &[package("Zoom", "skipped")]);
    killed["finished"] = Value::Null;
    assert_eq!(merged(&[report("a", (1, 2), &[]), killed]).code, 130);
    // Shards of one list and no others.
    let shards = [first(), report("b", (2, 3), &[]), report("c", (3, 3), &[])];
    insta::assert_snapshot!(merged(&shards).shown(), @"
    exit 0
    --- stdout
    3 runs, 1 package: 1 skipped
    ");
}

#[test]
fn success_can_be_asked_for() {
    let stage = Stage::new();
    let path = stage.write("1.json", report("a", (1, 9), &[failed("Slack", "remote")]).to_string());
    let ran = stage.run(&["report", "merge", &path, "--exit-zero"]).succeeded();
    assert_eq!(ran.stdout, "1 run, 1 package: 1 failed\n");
    // Not when there is nothing to say it about.
    let ran = stage.run(&["report", "merge", "no.json", "--exit-zero"]);
    assert_eq!(ran.code, 6, "{}", ran.shown());
}

#[test]
fn what_cannot_be_merged_leaves_what_is_there() {
    let stage = Stage::new();
    let good = stage.write("good.json", report("a", (1, 2), &[]).to_string());
    let again = stage.write("again.json", report("a", (2, 2), &[]).to_string());
    let damaged = stage.write("damaged.json", "{\"version\": 1, \"id\":");
    let settings = stage.write("settings.json", "{\"a\": 1}");
    let output = stage.write("all.html", "an earlier one");
    let merge = |inputs: &[&str]| {
        let arguments: Vec<_> =
            ["report", "merge"].iter().chain(inputs).chain(&["--output", output.as_str()]).copied().collect();
        let ran = stage.run(&arguments);
        assert_eq!(std::fs::read_to_string(&output).unwrap(), "an earlier one");
        ran.shown()
    };
    insta::assert_snapshot!(merge(&[&good, &damaged]), @"
    exit 6
    --- stderr
    pkgferry: [STAGE]/damaged.json cannot be used as a report
      caused by: this is no JSON
      caused by: EOF while parsing a value at line 1 column 20
      hint: only reports that were written with --report FILE.json can be read
    ");
    insta::assert_snapshot!(merge(&[&good, &settings]), @"
    exit 6
    --- stderr
    pkgferry: [STAGE]/settings.json cannot be used as a report
      caused by: this JSON is no report of a run: it has no version
      hint: only reports that were written with --report FILE.json can be read
    ");
    insta::assert_snapshot!(merge(&[&good, &again]), @"
    exit 6
    --- stderr
    pkgferry: run a is in several of the reports, so its packages would count twice
      hint: give each report once, and no merged report beside its parts
    ");
    insta::assert_snapshot!(merge(&[&good, "no.json"]), @"
    exit 6
    --- stderr
    pkgferry: cannot read the report no.json
      caused by: No such file or directory (os error 2)
    ");
    insta::assert_snapshot!(merge(&[&good, "--output", "all.txt"]), @"
    exit 64
    --- stderr
    pkgferry: all.txt has none of the extensions json, plist, xml, md and html, which say what a report looks like
      hint: name the file REPORT.html, for example
    ");
    insta::assert_snapshot!(stage.run(&["report", "merge", &good, "--output", "/no/such/folder/all.md"]).shown(), @"
    exit 6
    --- stderr
    pkgferry: cannot write /no/such/folder/all.md
      caused by: entity not found
      hint: make the folder /no/such/folder first, or name another
    ");
}

/// It is about files alone: a settings file that cannot be read is none of its business.
#[test]
fn no_settings_are_needed() {
    let stage = Stage::new();
    let path = stage.write("1.json", report("a", (1, 1), &[]).to_string());
    let settings = stage.write("settings.toml", "this is no TOML");
    stage.run(&["report", "merge", &path, "--settings", &settings]).succeeded();
}
