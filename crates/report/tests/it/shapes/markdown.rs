//! Markdown, as GitHub shows it.

use super::text;
use crate::sample;
use insta::assert_snapshot;
use report::{Format, PackageReport, Status};

#[test]
fn markdown_of_one_of_each() {
    assert_snapshot!(text(&sample::one_of_each(), Format::Markdown), @r"
    ## 1 of 10 packages failed

    21 Nov 2026 02:00:00 UTC · 2 min 5 s · production · pkgferry 0.1.0

    ### Failed

    | Package | What happened | Next step |
    |---|---|---|
    | <b>Failed-1.0.pkg</b><br>Failed.jamf · production | step 4 s3-upload: S3 refused part 3 of 12 of the upload<br>caused by: SlowDown: Please reduce your request rate. | run it again: parts that are there are not sent twice |

    ### Not done

    | Package | What happened | Next step |
    |---|---|---|
    | <b>Interrupted-1.0.pkg</b><br>Interrupted.jamf · production | step 4 s3-upload: the upload of it was interrupted; its parts are kept | run again: it goes on where it stopped |
    | <b>Running-1.0.pkg</b><br>Running.jamf · production | did not end: in step 4 s3-upload: 1.0 GiB of 3.0 GiB sent | – |
    | <b>NotBegun-1.0.pkg</b><br>NotBegun.jamf · production | not begun: the run was interrupted | – |

    ### Not verified

    | Package | What happened | Next step |
    |---|---|---|
    | <b>Unverified-1.0.pkg</b><br>Unverified.jamf · production | step 6 verify-delivery: Unverified-1.0.pkg is not proven after 15 min: the record is PENDING | wait a few minutes, then run \`pkgferry verify\`, which sends nothing |

    ### Changed

    | Package | Result | Why | Transferred |
    |---|---|---|---|
    | <b>Replaced-1.0.pkg</b><br>Replaced.jamf · production | replaced | MD5 differs | 7.0 MiB |
    | <b>Created-1.0.pkg</b><br>Created.jamf · production | created | the server has no file of this name | 5.0 MiB |
    | <b>MetadataOnly-1.0.pkg</b><br>MetadataOnly.jamf · production | metadata only | updated record 42: pkg\_category | – |
    | <b>Downloaded-1.0.pkg</b><br>Downloaded.jamf · production | downloaded | there is no such file here | 9.0 MiB |

    ### Totals

    10 packages: 1 failed, 1 interrupted, 1 did not end, 1 not begun, 1 unverified, 1 replaced, 1 created, 1 metadata only, 1 downloaded, 1 skipped.<br>25.0 MiB sent, 3.0 GiB saved, 9.0 MiB fetched; 13 requests.
    ");
}

#[test]
fn markdown_of_a_quiet_night() {
    let report = sample::run("1", vec![sample::package("A-1.pkg", Status::Skipped)]);
    assert_snapshot!(text(&report, Format::Markdown), @"
    ## 1 package: nothing to change

    21 Nov 2026 02:00:00 UTC · 2 min 5 s · production · pkgferry 0.1.0

    ### Totals

    1 package: 1 skipped.<br>0 bytes sent, 3.0 GiB saved; 13 requests.
    ");
}

#[test]
fn markdown_stays_under_githubs_limit_and_leaves_out_what_matters_least() {
    let report = |failures: usize, message: &str| {
        let failed = (0..failures).map(|number| PackageReport {
            reason: format!("{message} {number}"),
            ..sample::package("App-1.pkg", Status::Failed)
        });
        let changed =
            (0..20_000).map(|number| sample::package(&format!("App-{number}.pkg"), Status::Created));
        sample::run("1", failed.chain(changed).collect())
    };
    let small = text(&report(20, "no luck"), Format::Markdown);
    assert!(small.len() <= 1 << 20, "{}", small.len());
    assert!(small.contains("no luck 19") && small.contains("App-0.pkg") && !small.contains("App-19999.pkg"));
    assert!(small.contains("20020 packages: 20 failed, 20000 created"));
    let large = text(&report(5_000, &"<".repeat(9_000)), Format::Markdown);
    assert!(large.len() <= 1 << 20, "{}", large.len());
    let told: Vec<&str> = large.lines().filter(|line| line.starts_with("Section")).collect();
    assert_snapshot!(told.join("\n"), @"
    Section “failed”: 4938 more, in the full report.
    Section “changed”: 19991 more, in the full report.
    ");
}
