//! JUnit, as CI servers count it.

use super::text;
use crate::sample;
use insta::assert_snapshot;
use quick_xml::events::{BytesStart, Event};
use report::{Format, RunReport};

#[test]
fn junit_of_one_of_each() {
    assert_snapshot!(text(&sample::one_of_each(), Format::Junit), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="pkgferry" tests="10" failures="2" errors="3" skipped="1" time="125.000">
      <testsuite name="pkgferry production" tests="10" failures="2" errors="3" skipped="1" time="131.750" timestamp="2026-11-21T02:00:01">
        <properties>
          <property name="run" value="nightly-7"/>
          <property name="program" value="pkgferry 0.1.0"/>
          <property name="started" value="2026-11-21T02:00:00Z"/>
          <property name="dry_run" value="false"/>
          <property name="finished" value="2026-11-21T02:02:05Z"/>
          <property name="bytes_sent" value="26214400"/>
          <property name="bytes_resumed" value="0"/>
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
        <testcase classname="com.github.example.jamf.Interrupted" name="Interrupted-1.0.pkg" time="1.250">
          <properties>
            <property name="status" value="interrupted"/>
            <property name="recipe" value="Interrupted.jamf"/>
            <property name="bytes_sent" value="2097152"/>
          </properties>
          <error type="interrupted" message="the upload of it was interrupted; its parts are kept">step 4 s3-upload: the upload of it was interrupted; its parts are kept
    server: production
    next step: run again: it goes on where it stopped</error>
        </testcase>
        <testcase classname="com.github.example.jamf.Running" name="Running-1.0.pkg" time="0.000">
          <properties>
            <property name="status" value="running"/>
            <property name="recipe" value="Running.jamf"/>
          </properties>
          <error type="not-ended" message="did not end: in step 4 s3-upload: 1.0 GiB of 3.0 GiB sent">did not end: in step 4 s3-upload: 1.0 GiB of 3.0 GiB sent
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
          <system-out>6 verify-delivery: Unverified-1.0.pkg is not proven after 15 min: the record is PENDING (50.000 s)</system-out>
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
