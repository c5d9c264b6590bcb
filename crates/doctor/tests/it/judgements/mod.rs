//! Each check over what may be seen. Nothing is asked here.

mod any;
mod machine;
mod server;

use doctor::{
    Calls, Check, Expected, Family, Finding, Level, Observations, Place, PlaceRole, Record, Remembered, Seen,
    Trouble, judge,
};
use jamf::{CdnType, DistributionPoint, Privilege, ServerKind, TokenFacts, UploadCapability, Version};
use jiff::SignedDuration;
use jiff::civil::Date;
use pipeline::RouteChoice;
use proptest::prelude::*;
use s3_upload::{Probe, Reach};
use std::time::Duration;

const GIB: u64 = 1 << 30;
const JCDS_MARKED: (Family, Option<Date>) = (Family::Jcds, Some(Date::constant(2025, 8, 28)));

fn token(life: u64, renewable: bool) -> Seen<TokenFacts> {
    Seen::Told(TokenFacts { life: Duration::from_secs(life), renewable })
}

fn point(cdn: CdnType, is_principal: bool) -> Seen<DistributionPoint> {
    Seen::Told(DistributionPoint { cdn, is_principal })
}

fn capability(principal: bool, direct: bool) -> Seen<UploadCapability> {
    Seen::Told(UploadCapability { principal, direct })
}

fn probe(reach: Reach, off: i64) -> Seen<Probe> {
    let clock_difference = Some(SignedDuration::from_secs(off));
    Seen::Told(Probe { host: "s3.us-east-1.amazonaws.com".into(), reach, clock_difference })
}

fn records(names: &[&str]) -> Seen<Vec<Record>> {
    let record = |(index, name): (usize, &&str)| Record {
        id: (index as u64 + 1).to_string().parse().unwrap(),
        file: (*name).to_owned(),
    };
    Seen::Told(names.iter().enumerate().map(record).collect())
}

fn files(names: &[&str]) -> Seen<Vec<String>> {
    Seen::Told(names.iter().map(|name| (*name).to_owned()).collect())
}

fn trouble(message: &str) -> Trouble {
    Trouble { message: message.into(), hint: Some("do something about it".into()) }
}

/// A server and a machine with nothing wrong.
fn healthy() -> Observations {
    let place = |role, path: &str| Place { role, path: path.into(), free: Ok(100 * GIB) };
    Observations {
        token: token(600, false),
        version: Seen::Told(Version::new(11, 30)),
        lacking: Seen::Told(Vec::new()),
        point: point(CdnType::JamfCloud, true),
        capability: capability(true, true),
        calls: Seen::Told(Calls { jcds: Some(true), deprecated: Vec::new() }),
        clock: Seen::Told(SignedDuration::ZERO),
        storage: probe(Reach::Intact, 0),
        records: records(&["App.pkg", "Other.pkg"]),
        files: files(&["App.pkg"]),
        places: vec![place(PlaceRole::State, "/state"), place(PlaceRole::Temporary, "/tmp")],
        ..Observations::nothing(Remembered::Nothing { folder: "/state".into() })
    }
}

fn seen(change: impl FnOnce(&mut Observations)) -> Vec<Finding> {
    let mut seen = healthy();
    change(&mut seen);
    judge(&seen)
}

/// All that is above fine, in full.
fn told(change: impl FnOnce(&mut Observations)) -> String {
    let mut text = String::new();
    for finding in seen(change).iter().filter(|finding| finding.level > Level::Fine) {
        text.push_str(&format!("{} {}: {}\n", finding.level, finding.check, finding.what));
        for (word, line) in [("why", &finding.why), ("mend", &finding.mend)] {
            if let Some(line) = line {
                text.push_str(&format!("  {word}: {line}\n"));
            }
        }
    }
    text
}

#[test]
fn where_nothing_is_wrong_all_is_fine() {
    let findings = seen(|_| {});
    assert!(findings.iter().all(|finding| finding.level == Level::Fine), "{findings:#?}");
    let lines: Vec<_> =
        findings.iter().map(|finding| format!("{}: {}", finding.check, finding.what)).collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    sign-in: the account is let in; its token lives 600 s
    version: Jamf Pro 11.30.0
    route: jcds: the files of this server are in Jamf Cloud's own distribution service; packages-api if it is refused
    privileges: the account has all that both routes take
    token-life: a token lives 600 s; sending 1.0 GiB (assumed) at 10.0 MiB/s takes about 103 s
    distribution-point: Jamf Cloud, and the principal one
    direct-upload: Jamf Pro takes files itself
    storage: s3.us-east-1.amazonaws.com is reached, and headers arrive there as they were sent
    clock: this machine's clock and the server's agree
    duplicates: no two of 2 records and 1 files are called alike
    deprecated-calls: none in use
    state: /state is made by the first run
    disk: 100.0 GiB free in /state and 100.0 GiB free in /tmp
    ");
}

#[test]
fn what_could_not_be_asked_is_a_warning_with_the_advice_of_the_error() {
    let text = told(|seen| seen.version = Seen::Failed(trouble("the server stumbled")));
    insta::assert_snapshot!(text, @"
    warning version: the server stumbled
      why: it could not be examined
      mend: do something about it
    ");
}
