//! What each shape looks like, and what its readers make of it.

mod autopkg;
mod junit;
mod markdown;
mod page;

use crate::sample;
use insta::assert_snapshot;
use pipeline::Diagnose as _;
use report::{Format, RunReport, Status, write};
use std::path::Path;

fn text(report: &RunReport, format: Format) -> String {
    String::from_utf8(write(report, format).unwrap()).unwrap()
}

#[test]
fn the_extension_says_the_shape() {
    let shapes = ["a.json", "a.plist", "b/c.XML", "a.md", "a.markdown", "a.html", "a.HTM"]
        .map(|name| Format::of(Path::new(name)).unwrap());
    use Format::{AutoPkg, Html, Json, Junit, Markdown};
    assert_eq!(shapes, [Json, AutoPkg, Junit, Markdown, Markdown, Html, Html]);
    let fault = Format::of(Path::new("reports/nightly.txt")).unwrap_err();
    assert_snapshot!(format!("{fault}\n{}", fault.hint().unwrap()), @"
    reports/nightly.txt has none of the extensions json, plist, xml, md and html, which say what a report looks like
    name the file REPORT.html, for example
    ");
    assert!(Format::of(Path::new("json")).is_err());
}

#[test]
fn json_of_one_package() {
    let report = sample::run("nightly-7", vec![sample::package("Docker-1.0.pkg", Status::Failed)]);
    assert_snapshot!(text(&report, Format::Json), @r#"
    {
      "version": 2,
      "program": {
        "name": "pkgferry",
        "version": "0.1.0"
      },
      "id": "nightly-7",
      "started": "2026-11-21T02:00:00Z",
      "finished": "2026-11-21T02:02:05Z",
      "updated": "2026-11-21T02:02:05Z",
      "dry_run": false,
      "servers": [
        "production"
      ],
      "requests": {
        "sign_ins": 1,
        "reads": 7,
        "writes": 5,
        "refused": 0
      },
      "packages": [
        {
          "recipe": "Docker.jamf",
          "identifier": "com.github.example.jamf.Docker",
          "server": "production",
          "file": "Docker-1.0.pkg",
          "status": "failed",
          "reason": "S3 refused part 3 of 12 of the upload",
          "bytes_sent": 0,
          "bytes_resumed": 0,
          "bytes_fetched": 0,
          "bytes_saved": 0,
          "started": "2026-11-21T02:00:01Z",
          "finished": "2026-11-21T02:00:02.25Z",
          "failure": {
            "step": {
              "number": 4,
              "processor": "s3-upload"
            },
            "kind": "remote",
            "message": "S3 refused part 3 of 12 of the upload",
            "causes": [
              "SlowDown: Please reduce your request rate."
            ],
            "hint": "run it again: parts that are there are not sent twice"
          }
        }
      ],
      "totals": {
        "packages": 1,
        "failed": 1,
        "interrupted": 0,
        "running": 0,
        "not_begun": 0,
        "unverified": 0,
        "replaced": 0,
        "created": 0,
        "metadata_only": 0,
        "downloaded": 0,
        "skipped": 0,
        "warnings": 0,
        "bytes_sent": 0,
        "bytes_resumed": 0,
        "bytes_fetched": 0,
        "bytes_saved": 0
      }
    }
    "#);
}
