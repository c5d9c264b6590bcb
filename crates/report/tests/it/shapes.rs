//! What each shape looks like, and what its readers make of it.

use crate::sample;
use insta::assert_snapshot;
use pipeline::Diagnose as _;
use quick_xml::events::{BytesStart, Event};
use report::{Failure, FailureKind, Fault, Format, PackageReport, RunReport, Status, Warning, merge, write};
use std::path::Path;

fn text(report: &RunReport, format: Format) -> String {
    String::from_utf8(write(report, format).unwrap()).unwrap()
}

fn plist_of(report: &RunReport) -> plist::Value {
    plist::Value::from_reader_xml(write(report, Format::AutoPkg).unwrap().as_slice()).unwrap()
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
      "version": 1,
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
        "bytes_fetched": 0,
        "bytes_saved": 0
      }
    }
    "#);
}

#[test]
fn plist_of_one_of_each() {
    assert_snapshot!(text(&sample::one_of_each(), Format::AutoPkg), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
    <plist version="1.0">
    <dict>
    	<key>failures</key>
    	<array>
    		<dict>
    			<key>message</key>
    			<string>Error in com.github.example.jamf.Failed: Processor: s3-upload: Error: S3 refused part 3 of 12 of the upload
    caused by: SlowDown: Please reduce your request rate.
    server: production
    hint: run it again: parts that are there are not sent twice</string>
    			<key>recipe</key>
    			<string>Failed.jamf</string>
    			<key>recipe_id</key>
    			<string>com.github.example.jamf.Failed</string>
    			<key>traceback</key>
    			<string></string>
    		</dict>
    		<dict>
    			<key>message</key>
    			<string>Error in com.github.example.jamf.Running: Error: running: in step 4 s3-upload: 1.0 GiB of 3.0 GiB sent
    server: production</string>
    			<key>recipe</key>
    			<string>Running.jamf</string>
    			<key>recipe_id</key>
    			<string>com.github.example.jamf.Running</string>
    			<key>traceback</key>
    			<string></string>
    		</dict>
    		<dict>
    			<key>message</key>
    			<string>Error in NotBegun.jamf: Error: not begun: the run was interrupted
    server: production</string>
    			<key>recipe</key>
    			<string>NotBegun.jamf</string>
    			<key>traceback</key>
    			<string></string>
    		</dict>
    		<dict>
    			<key>message</key>
    			<string>Error in com.github.example.jamf.Unverified: Processor: verify-delivery: Error: unverified: Unverified-1.0.pkg is not proven after 15 min: the record is PENDING
    server: production
    hint: wait a few minutes, then run `pkgferry verify`, which sends nothing</string>
    			<key>recipe</key>
    			<string>Unverified.jamf</string>
    			<key>recipe_id</key>
    			<string>com.github.example.jamf.Unverified</string>
    			<key>traceback</key>
    			<string></string>
    		</dict>
    	</array>
    	<key>summary_results</key>
    	<dict>
    		<key>jamfpackageuploader_summary_result</key>
    		<dict>
    			<key>data_rows</key>
    			<array>
    				<dict>
    					<key>name</key>
    					<string>Replaced-1.0.pkg</string>
    					<key>package_id</key>
    					<string></string>
    					<key>pkg_display_name</key>
    					<string>Replaced-1.0.pkg</string>
    					<key>pkg_name</key>
    					<string>Replaced-1.0.pkg</string>
    					<key>reason</key>
    					<string>MD5 differs</string>
    					<key>server</key>
    					<string>production</string>
    					<key>status</key>
    					<string>replaced</string>
    					<key>version</key>
    					<string></string>
    				</dict>
    				<dict>
    					<key>name</key>
    					<string>Created-1.0.pkg</string>
    					<key>package_id</key>
    					<string>42</string>
    					<key>pkg_display_name</key>
    					<string>Created-1.0.pkg</string>
    					<key>pkg_name</key>
    					<string>Created-1.0.pkg</string>
    					<key>reason</key>
    					<string>the server has no file of this name</string>
    					<key>server</key>
    					<string>production</string>
    					<key>status</key>
    					<string>created</string>
    					<key>version</key>
    					<string>1.2.3</string>
    				</dict>
    				<dict>
    					<key>name</key>
    					<string>MetadataOnly-1.0.pkg</string>
    					<key>package_id</key>
    					<string></string>
    					<key>pkg_display_name</key>
    					<string>MetadataOnly-1.0.pkg</string>
    					<key>pkg_name</key>
    					<string>MetadataOnly-1.0.pkg</string>
    					<key>reason</key>
    					<string>updated record 42: pkg_category</string>
    					<key>server</key>
    					<string>production</string>
    					<key>status</key>
    					<string>metadata only</string>
    					<key>version</key>
    					<string></string>
    				</dict>
    			</array>
    			<key>header</key>
    			<array>
    				<string>name</string>
    				<string>pkg_name</string>
    				<string>pkg_display_name</string>
    				<string>version</string>
    				<string>status</string>
    				<string>server</string>
    				<string>package_id</string>
    				<string>reason</string>
    			</array>
    			<key>summary_text</key>
    			<string>The following packages were uploaded to or updated in Jamf Pro:</string>
    		</dict>
    		<key>url_downloader_summary_result</key>
    		<dict>
    			<key>data_rows</key>
    			<array>
    				<dict>
    					<key>download_path</key>
    					<string>/tmp/Downloaded-1.0.pkg</string>
    				</dict>
    			</array>
    			<key>header</key>
    			<array>
    				<string>download_path</string>
    			</array>
    			<key>summary_text</key>
    			<string>The following new items were downloaded:</string>
    		</dict>
    	</dict>
    </dict>
    </plist>
    "#);
}

#[test]
fn a_dry_run_tells_of_no_upload() {
    let report = RunReport { dry_run: true, ..sample::one_of_each() };
    assert!(text(&report, Format::Markdown).contains("A dry run: nothing was changed"));
    assert!(text(&report, Format::Html).contains("<b>Dry run.</b>"));
    let root: plist::Value = plist_of(&report);
    let results = root.as_dictionary().unwrap().get("summary_results").unwrap().as_dictionary().unwrap();
    let keys: Vec<&str> = results.keys().map(String::as_str).collect();
    assert_eq!(keys, ["dry_run_summary_result"]);
}

/// What tools do that read AutoPkg's reports: rows by the names of the header, all of them strings.
#[test]
fn plist_is_what_readers_of_autopkgs_reports_expect() {
    let root: plist::Value = plist_of(&sample::nightly(300));
    let root = root.as_dictionary().unwrap();
    assert_eq!(root.keys().collect::<Vec<_>>(), ["failures", "summary_results"]);
    for failure in root.get("failures").unwrap().as_array().unwrap() {
        let keys: Vec<&String> = failure.as_dictionary().unwrap().keys().collect();
        assert_eq!(keys, ["message", "recipe", "recipe_id", "traceback"]);
    }
    for (key, table) in root.get("summary_results").unwrap().as_dictionary().unwrap() {
        assert!(key.ends_with("_summary_result"), "{key}");
        let table = table.as_dictionary().unwrap();
        assert!(table.get("summary_text").unwrap().as_string().is_some());
        let header: Vec<&str> = table
            .get("header")
            .unwrap()
            .as_array()
            .unwrap()
            .iter()
            .map(|name| name.as_string().unwrap())
            .collect();
        let rows = table.get("data_rows").unwrap().as_array().unwrap();
        assert!(!rows.is_empty());
        for row in rows {
            let row = row.as_dictionary().unwrap();
            assert_eq!(row.len(), header.len());
            assert!(header.iter().all(|name| row.get(name).unwrap().as_string().is_some()));
        }
    }
    let empty = plist_of(&sample::run("1", Vec::new()));
    assert_eq!(empty.as_dictionary().unwrap().len(), 2);
}

#[test]
fn junit_of_one_of_each() {
    assert_snapshot!(text(&sample::one_of_each(), Format::Junit), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="pkgferry" tests="9" failures="2" errors="2" skipped="1" time="125.000">
      <testsuite name="pkgferry production" tests="9" failures="2" errors="2" skipped="1" time="130.500" timestamp="2026-11-21T02:00:01">
        <properties>
          <property name="run" value="nightly-7"/>
          <property name="program" value="pkgferry 0.1.0"/>
          <property name="started" value="2026-11-21T02:00:00Z"/>
          <property name="dry_run" value="false"/>
          <property name="finished" value="2026-11-21T02:02:05Z"/>
          <property name="bytes_sent" value="24117248"/>
          <property name="bytes_fetched" value="9437184"/>
          <property name="bytes_saved" value="3222274048"/>
        </properties>
        <testcase classname="com.github.example.jamf.Failed" name="Failed-1.0.pkg" time="1.250">
          <properties>
            <property name="status" value="failed"/>
            <property name="recipe" value="Failed.jamf"/>
          </properties>
          <failure type="remote" message="S3 refused part 3 of 12 of the upload">step 4 s3-upload: S3 refused part 3 of 12 of the upload
    caused by: SlowDown: Please reduce your request rate.
    server: production
    next step: run it again: parts that are there are not sent twice</failure>
        </testcase>
        <testcase classname="com.github.example.jamf.Running" name="Running-1.0.pkg" time="0.000">
          <properties>
            <property name="status" value="running"/>
            <property name="recipe" value="Running.jamf"/>
          </properties>
          <error type="not-ended" message="running: in step 4 s3-upload: 1.0 GiB of 3.0 GiB sent">running: in step 4 s3-upload: 1.0 GiB of 3.0 GiB sent
    server: production</error>
        </testcase>
        <testcase classname="NotBegun.jamf" name="NotBegun-1.0.pkg" time="0.000">
          <properties>
            <property name="status" value="not begun"/>
            <property name="recipe" value="NotBegun.jamf"/>
          </properties>
          <error type="not-begun" message="not begun: the run was interrupted">not begun: the run was interrupted
    server: production</error>
        </testcase>
        <testcase classname="com.github.example.jamf.Unverified" name="Unverified-1.0.pkg" time="60.000">
          <properties>
            <property name="status" value="unverified"/>
            <property name="recipe" value="Unverified.jamf"/>
            <property name="bytes_sent" value="11534336"/>
          </properties>
          <failure type="unverified" message="unverified: Unverified-1.0.pkg is not proven after 15 min: the record is PENDING">step 6 verify-delivery: unverified: Unverified-1.0.pkg is not proven after 15 min: the record is PENDING
    server: production
    next step: wait a few minutes, then run `pkgferry verify`, which sends nothing</failure>
          <system-out>6 verify-delivery: Unverified-1.0.pkg is not proven after 15 min: the record is PENDING (50 s)</system-out>
        </testcase>
        <testcase classname="com.github.example.jamf.Replaced" name="Replaced-1.0.pkg" time="1.250">
          <properties>
            <property name="status" value="replaced"/>
            <property name="recipe" value="Replaced.jamf"/>
            <property name="bytes_sent" value="7340032"/>
          </properties>
          <system-out>replaced: MD5 differs</system-out>
        </testcase>
        <testcase classname="com.github.example.jamf.Created" name="Created-1.0.pkg" time="64.250">
          <properties>
            <property name="status" value="created"/>
            <property name="recipe" value="Created.jamf"/>
            <property name="version" value="1.2.3"/>
            <property name="package_id" value="42"/>
            <property name="bytes_sent" value="5242880"/>
          </properties>
          <system-out>created: the server has no file of this name</system-out>
        </testcase>
        <testcase classname="com.github.example.jamf.MetadataOnly" name="MetadataOnly-1.0.pkg" time="1.250">
          <properties>
            <property name="status" value="metadata only"/>
            <property name="recipe" value="MetadataOnly.jamf"/>
            <property name="bytes_saved" value="1048576"/>
          </properties>
          <system-out>metadata only: updated record 42: pkg_category</system-out>
        </testcase>
        <testcase classname="com.github.example.jamf.Downloaded" name="Downloaded-1.0.pkg" time="1.250">
          <properties>
            <property name="status" value="downloaded"/>
            <property name="recipe" value="Downloaded.jamf"/>
            <property name="bytes_fetched" value="9437184"/>
          </properties>
          <system-out>downloaded: there is no such file here</system-out>
        </testcase>
        <testcase classname="com.github.example.jamf.Skipped" name="Skipped-1.0.pkg" time="1.250">
          <properties>
            <property name="status" value="skipped"/>
            <property name="recipe" value="Skipped.jamf"/>
            <property name="bytes_saved" value="3221225472"/>
          </properties>
          <skipped message="same: size, MD5 and SHA3-512 agree"/>
        </testcase>
      </testsuite>
    </testsuites>
    "#);
}

#[test]
fn junit_of_a_run_that_did_not_end_is_not_green() {
    let started = sample::run("1", Vec::new());
    let report = RunReport { finished: None, ..started };
    assert_snapshot!(text(&report, Format::Junit), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="pkgferry" tests="1" failures="0" errors="1" skipped="0" time="125.000">
      <testsuite name="run" tests="1" failures="0" errors="1" skipped="0" time="0.000" timestamp="2026-11-21T02:00:00">
        <testcase classname="run" name="the run as a whole" time="0.000">
          <error type="not-ended" message="the run did not end; last heard of 2026-11-21T02:02:05Z">the run did not end; last heard of 2026-11-21T02:02:05Z</error>
        </testcase>
      </testsuite>
    </testsuites>
    "#);
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = tag.attributes().map(Result::unwrap).find(|attribute| attribute.key.as_ref() == name)?;
    Some(attribute.value.into_owned())
}

/// Counts what a CI server counts, and holds it against what the suites say of themselves.
#[test]
fn junit_says_the_right_numbers_of_itself() {
    for report in
        [sample::nightly(300), sample::one_of_each(), RunReport { finished: None, ..sample::one_of_each() }]
    {
        let document = text(&report, Format::Junit);
        let mut reader = quick_xml::Reader::from_str(&document);
        let numbers = |tag: &BytesStart<'_>| {
            ["tests", "failures", "errors", "skipped"]
                .map(|name| attribute(tag, name).unwrap().parse::<u64>().unwrap())
        };
        let (mut all, mut of_suite, mut counted, mut sum) = ([0; 4], [0; 4], [0; 4], [0; 4]);
        let mut suites = 0;
        loop {
            match reader.read_event().unwrap() {
                Event::Eof => break,
                Event::Start(tag) | Event::Empty(tag) => match tag.name().as_ref() {
                    "testsuites" => all = numbers(&tag),
                    "testsuite" => {
                        suites += 1;
                        of_suite = numbers(&tag);
                        counted = [0; 4];
                        // As Ant's schema wants it: no zone.
                        let timestamp = attribute(&tag, "timestamp").unwrap();
                        assert!(timestamp.parse::<jiff::civil::DateTime>().is_ok(), "{timestamp}");
                    }
                    "testcase" => {
                        counted[0] += 1;
                        assert!(attribute(&tag, "classname").is_some() && attribute(&tag, "name").is_some());
                        assert!(attribute(&tag, "time").unwrap().parse::<f64>().is_ok());
                    }
                    "failure" => {
                        counted[1] += 1;
                        assert!(attribute(&tag, "message").is_some() && attribute(&tag, "type").is_some());
                    }
                    "error" => counted[2] += 1,
                    "skipped" => counted[3] += 1,
                    "properties" | "property" | "system-out" => {}
                    other => panic!("{other} is no element of JUnit"),
                },
                Event::End(tag) if tag.name().as_ref() == "testsuite" => {
                    assert_eq!(of_suite, counted);
                    sum = std::array::from_fn(|index| sum[index] + counted[index]);
                }
                _ => {}
            }
        }
        assert_eq!(all, sum);
        assert_eq!(suites, report.servers.len() + usize::from(report.finished.is_none()));
    }
}

#[test]
fn markdown_of_one_of_each() {
    assert_snapshot!(text(&sample::one_of_each(), Format::Markdown), @r"
    ## 1 of 9 packages failed

    21 Nov 2026 02:00:00 UTC · 2 min 5 s · production · pkgferry 0.1.0

    ### Failed

    | Package | What happened | Next step |
    |---|---|---|
    | <b>Failed-1.0.pkg</b><br>Failed.jamf · production | step 4 s3-upload: S3 refused part 3 of 12 of the upload<br>caused by: SlowDown: Please reduce your request rate. | run it again: parts that are there are not sent twice |

    ### Not done

    | Package | What happened | Next step |
    |---|---|---|
    | <b>Running-1.0.pkg</b><br>Running.jamf · production | running: in step 4 s3-upload: 1.0 GiB of 3.0 GiB sent | – |
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

    9 packages: 1 failed, 1 running, 1 not begun, 1 unverified, 1 replaced, 1 created, 1 metadata only, 1 downloaded, 1 skipped.<br>23.0 MiB sent, 3.0 GiB saved, 9.0 MiB fetched; 13 requests.
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

/// What a recipe with faults looks like where faults have places.
#[test]
fn faults_of_a_recipe_stand_with_their_places() {
    let fault = |line, message: &str, hint: Option<&str>| Fault {
        file: Some("Broken.recipe.yaml".into()),
        line: Some(line),
        column: Some(3),
        step: None,
        message: message.into(),
        hint: hint.map(ToOwned::to_owned),
    };
    let failure = Failure {
        step: None,
        kind: FailureKind::Recipe,
        message: "Broken.recipe.yaml:4:3: unknown key\nBroken.recipe.yaml:9:3: no such processor".into(),
        causes: Vec::new(),
        hint: None,
        faults: vec![
            fault(4, "unknown key", None),
            fault(9, "no such processor", Some("did you mean s3-upload?")),
        ],
    };
    let package = PackageReport {
        reason: failure.message.clone(),
        failure: Some(failure),
        file: None,
        ..sample::package("Broken.pkg", Status::Failed)
    };
    let report = sample::run("1", vec![package]);
    let page = text(&report, Format::Html);
    let begin = page.find("<article").unwrap();
    let end = page.find("</article>").unwrap();
    assert_snapshot!(page[begin..end], @r#"
    <article class="card failed" id="p0" data-item>
    <h3 data-key><bdi>Broken.jamf</bdi></h3> <span class="status" data-key>failed</span>
    <div class="origin" data-key><bdi>production</bdi></div>
    <dl>
    <dt>What</dt><dd dir="auto" data-key><span class="what">unknown key</span> <bdi class="soft">Broken.recipe.yaml:4:3</bdi></dd>
    <dd dir="auto" data-key><span class="what">no such processor</span> <span class="next">did you mean s3-upload?</span> <bdi class="soft">Broken.recipe.yaml:9:3</bdi></dd>
    </dl>
    "#);
    let junit = text(&report, Format::Junit);
    assert!(junit.contains("Broken.recipe.yaml:9:3: no such processor"));
}

#[test]
fn a_page_of_one_of_each() {
    let page = text(&sample::one_of_each(), Format::Html);
    let main = &page[page.find("<body>").unwrap()..page.find("<script>").unwrap()];
    assert_snapshot!(main, @r##"
    <body>
    <header>
    <h1><span class="sign failed" aria-hidden="true">!</span> 1 of 9 packages failed</h1>
    <p class="about"><time datetime="2026-11-21T02:00:00Z">21 Nov 2026 02:00:00 UTC</time>, 2 min 5 s · <bdi>production</bdi></p>
    <nav aria-label="Results"><ul class="tiles">
    <li class="failed"><a href="#failed"><b>1</b> failed</a></li>
    <li class="not-done"><a href="#not-done"><b>2</b> not done</a></li>
    <li class="unverified"><a href="#unverified"><b>1</b> not verified</a></li>
    <li class="changed"><a href="#changed"><b>4</b> changed</a></li>
    <li class="skipped"><a href="#skipped"><b>1</b> skipped</a></li>
    </ul></nav>
    <div class="bytes">
    <svg width="100%" height="8" aria-hidden="true"><rect class="saved" width="100%" height="8"/><rect class="sent" width="0.743%" height="8"/></svg>
    <p><b class="sent">23.0 MiB</b> sent · <b>3.0 GiB</b> already there, not sent · <b>9.0 MiB</b> fetched · 13 requests <span class="soft">(5 that write)</span></p>
    </div>
    </header>
    <main>
    <form class="filter" role="search" hidden><label for="filter">Filter</label><input id="filter" type="search" autocomplete="off" spellcheck="false" placeholder="package, recipe, server, status"><output id="shown" for="filter"></output></form>
    <section id="failed" data-section aria-labelledby="failed-title">
    <h2 id="failed-title">Failed <span class="count">1</span></h2>
    <article class="card failed" id="p0" data-item>
    <h3 data-key><bdi>Failed-1.0.pkg</bdi></h3> <span class="status" data-key>failed</span>
    <div class="origin" data-key><bdi>Failed.jamf</bdi> · <bdi>production</bdi></div>
    <dl>
    <dt>What</dt><dd class="what" dir="auto" data-key>S3 refused part 3 of 12 of the upload</dd>
    <dt>Why</dt><dd dir="auto">SlowDown: Please reduce your request rate.</dd>
    <dt>Where</dt><dd>step 4 <b>s3-upload</b> <span class="soft">(remote)</span></dd>
    <dt class="next">Next</dt><dd class="next" dir="auto">run it again: parts that are there are not sent twice</dd>
    </dl>
    </article>
    </section>
    <section id="not-done" data-section aria-labelledby="not-done-title">
    <h2 id="not-done-title">Not done <span class="count">2</span></h2>
    <article class="card not-done" id="p1" data-item>
    <h3 data-key><bdi>Running-1.0.pkg</bdi></h3> <span class="status" data-key>running</span>
    <div class="origin" data-key><bdi>Running.jamf</bdi> · <bdi>production</bdi></div>
    <dl>
    <dt>What</dt><dd class="what" dir="auto" data-key>in step 4 s3-upload: 1.0 GiB of 3.0 GiB sent</dd>
    </dl>
    </article>
    <article class="card not-done" id="p2" data-item>
    <h3 data-key><bdi>NotBegun-1.0.pkg</bdi></h3> <span class="status" data-key>not begun</span>
    <div class="origin" data-key><bdi>NotBegun.jamf</bdi> · <bdi>production</bdi></div>
    <dl>
    <dt>What</dt><dd class="what" dir="auto" data-key>the run was interrupted</dd>
    </dl>
    </article>
    </section>
    <section id="unverified" data-section aria-labelledby="unverified-title">
    <h2 id="unverified-title">Not verified <span class="count">1</span></h2>
    <article class="card unverified" id="p3" data-item>
    <h3 data-key><bdi>Unverified-1.0.pkg</bdi></h3> <span class="status" data-key>unverified</span>
    <div class="origin" data-key><bdi>Unverified.jamf</bdi> · <bdi>production</bdi></div>
    <dl>
    <dt>What</dt><dd class="what" dir="auto" data-key>Unverified-1.0.pkg is not proven after 15 min: the record is PENDING</dd>
    <dt>Where</dt><dd>step 6 <b>verify-delivery</b></dd>
    <dt class="next">Next</dt><dd class="next" dir="auto">wait a few minutes, then run `pkgferry verify`, which sends nothing</dd>
    </dl>
    <details><summary>Steps, 60 s</summary><ol class="steps">
    <li class="unverified"><span class="soft">02:00:11, 50 s</span> <b>6 verify-delivery</b> unverified: <span dir="auto">Unverified-1.0.pkg is not proven after 15 min: the record is PENDING</span></li>
    </ol></details>
    </article>
    </section>
    <section id="timeline" aria-labelledby="timeline-title">
    <h2 id="timeline-title">Timeline</h2>
    <figure>
    <div class="scroll" role="region" aria-label="Picture of the timeline" tabindex="0">
    <svg role="img" aria-labelledby="timeline-text" width="100%" height="168">
    <line class="tick" x1="0%" x2="0%" y1="15" y2="168"/><text x="0%" y="11">02:00:00</text>
    <line class="tick" x1="12%" x2="12%" y1="15" y2="168"/><text x="12%" y="11">02:00:15</text>
    <line class="tick" x1="24%" x2="24%" y1="15" y2="168"/><text x="24%" y="11">02:00:30</text>
    <line class="tick" x1="36%" x2="36%" y1="15" y2="168"/><text x="36%" y="11">02:00:45</text>
    <line class="tick" x1="48%" x2="48%" y1="15" y2="168"/><text x="48%" y="11">02:01:00</text>
    <line class="tick" x1="60%" x2="60%" y1="15" y2="168"/><text x="60%" y="11">02:01:15</text>
    <line class="tick" x1="72%" x2="72%" y1="15" y2="168"/><text x="72%" y="11">02:01:30</text>
    <line class="tick" x1="84%" x2="84%" y1="15" y2="168"/><text x="84%" y="11">02:01:45</text>
    <line class="tick" x1="96%" x2="96%" y1="15" y2="168"/><g data-p="0"><title>Failed-1.0.pkg, failed
    02:00:01 to 02:00:02 (1.2 s)</title><rect class="p" x="0.8%" y="24" width="1%" height="14"></rect></g>
    <g data-p="4"><title>Replaced-1.0.pkg, replaced
    02:00:01 to 02:00:02 (1.2 s)</title><rect class="p" x="0.8%" y="42" width="1%" height="14"></rect></g>
    <g data-p="6"><title>MetadataOnly-1.0.pkg, metadata only
    02:00:01 to 02:00:02 (1.2 s)</title><rect class="p" x="0.8%" y="60" width="1%" height="14"></rect></g>
    <g data-p="7"><title>Downloaded-1.0.pkg, downloaded
    02:00:01 to 02:00:02 (1.2 s)</title><rect class="p" x="0.8%" y="78" width="1%" height="14"></rect></g>
    <g data-p="8"><title>Skipped-1.0.pkg, skipped
    02:00:01 to 02:00:02 (1.2 s)</title><rect class="p" x="0.8%" y="96" width="1%" height="14"></rect></g>
    <g data-p="3"><title>Unverified-1.0.pkg, unverified
    02:00:01 to 02:01:01 (60 s)</title><rect class="p" x="0.8%" y="114" width="48%" height="14"></rect><rect class="prove" x="8.8%" y="114" width="40%" height="14"><title>Unverified-1.0.pkg
    02:00:11 to 02:01:01 (50 s)
    6 verify-delivery: Unverified-1.0.pkg is not proven after 15 min: the record is PENDING</title></rect></g>
    <g data-p="5"><title>Created-1.0.pkg, created
    02:00:01 to 02:01:05 (64 s)</title><rect class="p" x="0.8%" y="132" width="51.4%" height="14"></rect></g>
    <g data-p="1"><title>Running-1.0.pkg, running
    02:00:01 to 02:02:05 (2 min 4 s)</title><rect class="p" x="0.8%" y="150" width="99.2%" height="14"></rect></g>
    <circle class="bad" cx="1.8%" cy="31" r="7"/><text class="sign" x="1.8%" y="35">!</text>
    <circle class="odd" cx="48.8%" cy="121" r="7"/><text class="sign" x="48.8%" y="125">?</text>
    <circle class="odd" cx="99.4%" cy="157" r="7"/><text class="sign" x="99.4%" y="158">…</text>
    </svg>
    </div>
    <figcaption id="timeline-text">
    <p>8 packages in 2 min 5 s, at most 8 side by side. Times are UTC. Longest: <bdi>Running-1.0.pkg</bdi>, 2 min 4 s.</p>
    <ul class="legend" aria-label="Where the time went"><li><svg width="12" height="12" aria-hidden="true"><rect class="prove" width="12" height="12"/></svg>proving <span class="soft">50 s</span></li></ul>
    </figcaption>
    </figure>
    </section>
    <section id="changed" data-section aria-labelledby="changed-title">
    <h2 id="changed-title">Changed <span class="count">4</span></h2>
    <p class="soft">1 replaced, 1 created, 1 metadata only, 1 downloaded</p>
    <table role="table"><thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">Package</th><th role="columnheader" scope="col">Result</th><th role="columnheader" scope="col">Why</th><th role="columnheader" scope="col">Transferred</th><th role="columnheader" scope="col">Took</th></tr></thead>
    <tbody role="rowgroup" id="p4" data-item><tr role="row"><th role="rowheader" scope="row"><bdi data-key>Replaced-1.0.pkg</bdi><div class="origin" data-key><bdi>Replaced.jamf</bdi> · <bdi>production</bdi></div>
    </th><td role="cell"><span class="status changed" data-key>replaced</span></td><td role="cell" class="wide" dir="auto" data-key>MD5 differs</td><td role="cell" class="figure">7.0 MiB</td><td role="cell" class="figure">1.2 s</td></tr></tbody>
    <tbody role="rowgroup" id="p5" data-item><tr role="row"><th role="rowheader" scope="row"><bdi data-key>Created-1.0.pkg</bdi><div class="origin" data-key><bdi>Created.jamf</bdi> · <bdi>production</bdi> · <bdi>1.2.3</bdi> · record 42</div>
    </th><td role="cell"><span class="status changed" data-key>created</span></td><td role="cell" class="wide" dir="auto" data-key>the server has no file of this name</td><td role="cell" class="figure">5.0 MiB</td><td role="cell" class="figure">64 s</td></tr></tbody>
    <tbody role="rowgroup" id="p6" data-item><tr role="row"><th role="rowheader" scope="row"><bdi data-key>MetadataOnly-1.0.pkg</bdi><div class="origin" data-key><bdi>MetadataOnly.jamf</bdi> · <bdi>production</bdi></div>
    </th><td role="cell"><span class="status record" data-key>metadata only</span></td><td role="cell" class="wide" dir="auto" data-key>updated record 42: pkg_category</td><td role="cell" class="figure none">–</td><td role="cell" class="figure">1.2 s</td></tr></tbody>
    <tbody role="rowgroup" id="p7" data-item><tr role="row"><th role="rowheader" scope="row"><bdi data-key>Downloaded-1.0.pkg</bdi><div class="origin" data-key><bdi>Downloaded.jamf</bdi> · <bdi>production</bdi></div>
    </th><td role="cell"><span class="status fetched" data-key>downloaded</span></td><td role="cell" class="wide" dir="auto" data-key>there is no such file here</td><td role="cell" class="figure">9.0 MiB</td><td role="cell" class="figure">1.2 s</td></tr></tbody>
    </table>
    </section>
    <section id="skipped" data-section aria-labelledby="skipped-title">
    <h2 id="skipped-title">Skipped <span class="count">1</span></h2>
    <details class="fold"><summary>1 package with nothing to do, 3.0 GiB already there</summary>
    <table role="table"><thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">Package</th><th role="columnheader" scope="col">Why</th><th role="columnheader" scope="col">Saved</th></tr></thead>
    <tbody role="rowgroup">
    <tr role="row" id="p8" data-item><th role="rowheader" scope="row"><bdi data-key>Skipped-1.0.pkg</bdi><div class="origin" data-key><bdi>Skipped.jamf</bdi> · <bdi>production</bdi></div>
    </th><td role="cell" class="wide" dir="auto" data-key>same: size, MD5 and SHA3-512 agree</td><td role="cell" class="figure">3.0 GiB</td></tr>
    </tbody></table>
    </details>
    </section>
    </main>
    <footer><p>pkgferry 0.1.0, run <bdi>nightly-7</bdi>. Written <time datetime="2026-11-21T02:02:05Z">21 Nov 2026 02:02:05 UTC</time>.</p></footer>
    "##);
}

#[test]
fn a_merged_page_shows_lanes_of_each_shard_and_what_is_there_twice() {
    let one = sample::shard(1, 3, vec![sample::package("A-1.pkg", Status::Created)]);
    let mut two = sample::shard(2, 3, vec![sample::package("A-1.pkg", Status::Failed)]);
    two.warnings.push(Warning { step: None, message: "the clock is wrong".into(), hint: None });
    let page = text(&merge([one, two]).unwrap(), Format::Html);
    for part in [
        "shard 1/3</text>",
        "shard 2/3</text>",
        "also in <bdi>shard 2/3</bdi>",
        "these shards are missing: 3/3",
        "the clock is wrong",
        "merged from 2 runs",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn headlines_tell_the_worst() {
    let headline = |report: &RunReport| {
        let page = text(report, Format::Html);
        let title = page.split("<title>").nth(1).unwrap();
        title.split("</title>").next().unwrap().to_owned()
    };
    let of = |statuses: &[Status]| {
        sample::run("1", statuses.iter().map(|status| sample::package("A-1.pkg", *status)).collect())
    };
    use Status::{Created, Failed, NotBegun, Running, Skipped, Unverified};
    let ended = [
        of(&[]),
        of(&[Skipped]),
        of(&[Skipped, Created]),
        of(&[Skipped, Created, Unverified]),
        of(&[Skipped, NotBegun, Unverified]),
        of(&[Failed, NotBegun, Unverified]),
    ];
    let cut = RunReport { finished: None, ..of(&[Skipped, Running, NotBegun]) };
    let planned = RunReport { dry_run: true, ..of(&[Skipped, Created]) };
    let all: Vec<String> = ended.iter().chain([&cut, &planned]).map(headline).collect();
    assert_snapshot!(all.join("\n"), @"
    No packages · pkgferry
    1 package: nothing to change · pkgferry
    1 of 2 packages changed · pkgferry
    1 of 3 packages not verified · pkgferry
    1 of 3 packages not done · pkgferry
    1 of 3 packages failed · pkgferry
    Did not end: 1 of 3 packages done · pkgferry
    1 of 2 packages would be changed · pkgferry
    ");
}
