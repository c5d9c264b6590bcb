//! Each check over what may be seen. Nothing is asked here.

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
fn who_is_not_let_in() {
    insta::assert_snapshot!(told(|seen| {
        *seen = Observations {
            token: Seen::Failed(trouble("the server does not let you in")),
            clock: Seen::Told(SignedDuration::ZERO),
            storage: probe(Reach::Intact, 0),
            ..Observations::nothing(Remembered::Nothing { folder: "/state".into() })
        };
    }), @"
    blocks sign-in: the server does not let you in
      why: nothing of this server can be used or examined without signing in
      mend: do something about it
    note version: not examined
    note route: not examined
    note privileges: not examined
    note token-life: not examined
    note distribution-point: not examined
    note direct-upload: not examined
    note duplicates: not examined
    note deprecated-calls: not examined
    ");
}

#[test]
fn tokens_against_the_time_of_a_transfer() {
    let slow = Expected { size: 10 * GIB, is_assumed: false, rate: 10 << 20 };
    insta::assert_snapshot!(told(|seen| {
        (seen.token, seen.choice, seen.expected) = (token(60, false), RouteChoice::PackagesApi, slow);
    }), @"
    warning token-life: a token lives 60 s, and sending 10.0 GiB at 10.0 MiB/s takes about 1024 s
      why: the server may refuse an upload whose token ends before the upload does, and uploads with tokens of 60 s were seen to fail
      mend: let tokens of the API client live 2100 s: Settings > API roles and clients > API clients > access token lifetime
    ");
    // The default of API clients is no fault where parts are signed for by themselves.
    insta::assert_snapshot!(told(|seen| seen.token = token(60, false)), @"
    note token-life: a token lives 60 s, which does for jcds; for packages-api sending 1.0 GiB (assumed) at 10.0 MiB/s takes about 103 s
      why: the server may refuse an upload whose token ends before the upload does, and uploads with tokens of 60 s were seen to fail
      mend: let tokens of the API client live 600 s: Settings > API roles and clients > API clients > access token lifetime
    ");
    assert_eq!(
        told(|seen| {
            (seen.token, seen.choice) = (token(60, false), RouteChoice::Jcds);
        }),
        ""
    );
    insta::assert_snapshot!(told(|seen| {
        (seen.token, seen.choice, seen.expected) = (token(900, false), RouteChoice::PackagesApi, slow);
        seen.kind = ServerKind::Gateway;
    }), @"
    warning token-life: a token lives 900 s, and sending 10.0 GiB at 10.0 MiB/s takes about 1024 s
      why: the server may refuse an upload whose token ends before the upload does, and uploads with tokens of 60 s were seen to fail
      mend: tokens of the gateway cannot be made to live longer: let the route be jcds, or sign in at the server itself
    ");
    // A user's token is renewed between requests, and not within one.
    let findings = seen(|seen| {
        (seen.token, seen.choice, seen.expected) = (token(1_000, true), RouteChoice::PackagesApi, slow);
    });
    assert_eq!((findings[0].check, findings[0].level), (Check::TokenLife, Level::Warning));
}

#[test]
fn privileges_that_are_missing() {
    let lacking = |privileges: &[Privilege]| {
        let privileges = privileges.to_vec();
        move |seen: &mut Observations| seen.lacking = Seen::Told(privileges)
    };
    insta::assert_snapshot!(told(lacking(&[Privilege::CreateFiles])), @"
    warning privileges: the account lacks “Create Jamf Cloud Distribution Service Files” for the route jcds
      why: the server gives no upload credentials; files go by packages-api instead, after being refused
      mend: give the API role “Create Jamf Cloud Distribution Service Files” in Settings > API roles and clients (a user account: Settings > User accounts and groups)
    ");
    insta::assert_snapshot!(told(lacking(&[Privilege::DeleteFiles, Privilege::ReadCategories])), @"
    warning privileges: the account lacks “Read Categories” and “Delete Jamf Cloud Distribution Service Files” for the route jcds
      why: no category can be given; files can be added and not replaced
      mend: give the API role “Read Categories” and “Delete Jamf Cloud Distribution Service Files” in Settings > API roles and clients (a user account: Settings > User accounts and groups)
    ");
    insta::assert_snapshot!(told(lacking(&[Privilege::ReadPackages])), @"
    blocks privileges: the account lacks “Read Packages” for the route jcds
      why: no record can be found
      mend: give the API role “Read Packages” in Settings > API roles and clients (a user account: Settings > User accounts and groups)
    ");
    // Not needed for the chosen route, but for the other one.
    insta::assert_snapshot!(told(|seen| {
        seen.choice = RouteChoice::PackagesApi;
        seen.lacking = Seen::Told(vec![Privilege::CreateFiles, Privilege::DeleteFiles]);
    }), @"
    note privileges: all for the route packages-api; jcds would take “Create Jamf Cloud Distribution Service Files” and “Delete Jamf Cloud Distribution Service Files” too
      mend: give the API role “Create Jamf Cloud Distribution Service Files” and “Delete Jamf Cloud Distribution Service Files” in Settings > API roles and clients (a user account: Settings > User accounts and groups)
    ");
    // By the names of the server's version, and of the gateway.
    insta::assert_snapshot!(told(|seen| {
        seen.version = Seen::Told(Version::new(11, 19));
        seen.choice = RouteChoice::Jcds;
        seen.lacking = Seen::Told(vec![Privilege::CreateFiles]);
    }), @"
    blocks privileges: the account lacks “Create Jamf Content Distribution Server Files” for the route jcds
      why: the server gives no upload credentials
      mend: give the API role “Create Jamf Content Distribution Server Files” in Settings > API roles and clients (a user account: Settings > User accounts and groups)
    ");
    let findings = seen(|seen| {
        seen.kind = ServerKind::Gateway;
        seen.lacking = Seen::Told(vec![Privilege::CreatePackages]);
    });
    assert_eq!(
        findings[0].mend.as_deref(),
        Some("give the API client “create:pro:packages” in Jamf Account")
    );
    assert_eq!(findings[0].level, Level::Blocks);
}

#[test]
fn privileges_that_nobody_tells() {
    let why = "this server does not know the question";
    assert_eq!(
        told(|seen| seen.lacking = Seen::NotTold(why.into())),
        format!("note privileges: the server does not tell it: {why}\n")
    );
}

#[test]
fn what_the_server_offers() {
    insta::assert_snapshot!(told(|seen| seen.version = Seen::Told(Version::new(11, 4))), @"
    note version: Jamf Pro 11.4.0 has no packages in its Pro API
      why: jcds is the only route into the cloud
      mend: update Jamf Pro to 11.5 or later
    ");
    insta::assert_snapshot!(told(|seen| {
        (seen.point, seen.capability) = (point(CdnType::None, false), capability(false, false));
    }), @"
    blocks distribution-point: no cloud distribution point is set up
      why: there is nowhere to send files to; records can be made all the same
      mend: set one up in Settings > Server > Cloud distribution point
    note route: no route leads into the cloud of this server; not jcds: no cloud distribution point is set up; not packages-api: the principal distribution point is not in the cloud
      why: no file can be sent
      mend: make Jamf Cloud the principal distribution point in Settings > Server > Cloud distribution point; for files that lie elsewhere, the recipe package-record-only makes the record alone
    note direct-upload: Jamf Pro takes no files: the principal distribution point is not in the cloud
    ");
    insta::assert_snapshot!(told(|seen| {
        (seen.point, seen.capability) = (point(CdnType::JamfCloud, false), capability(false, true));
    }), @"
    warning distribution-point: Jamf Cloud, but another distribution point is the principal one
      why: computers fetch from the principal one first, and packages-api sends only there
      mend: make it the principal one in Settings > Server > Cloud distribution point
    note direct-upload: Jamf Pro takes no files: the principal distribution point is not in the cloud
    ");
    let bucket = || CdnType::Other("AMAZON_S3".into());
    insta::assert_snapshot!(told(|seen| seen.point = point(bucket(), true)), @"
    note distribution-point: AMAZON_S3, and the principal one
      why: only packages-api leads there
    ");
    insta::assert_snapshot!(told(|seen| {
        (seen.point, seen.capability) = (point(bucket(), false), capability(false, true));
    }), @"
    blocks distribution-point: AMAZON_S3, and not the principal one
      why: jcds does not lead there, and packages-api sends to the principal one only
      mend: make it, or Jamf Cloud, the principal one in Settings > Server > Cloud distribution point
    note route: no route leads into the cloud of this server; not jcds: the cloud distribution point is AMAZON_S3 and not Jamf Cloud; not packages-api: the principal distribution point is not in the cloud
      why: no file can be sent
      mend: make Jamf Cloud the principal distribution point in Settings > Server > Cloud distribution point; for files that lie elsewhere, the recipe package-record-only makes the record alone
    note direct-upload: Jamf Pro takes no files: the principal distribution point is not in the cloud
    ");
    insta::assert_snapshot!(told(|seen| seen.capability = capability(true, false)), @"
    warning direct-upload: Jamf Pro says that it takes no files itself
      why: packages-api is closed
      mend: test the connection in Settings > Server > Cloud distribution point; if it works, ask Jamf's support
    ");
    insta::assert_snapshot!(told(|seen| {
        (seen.point, seen.capability) = (point(bucket(), true), capability(true, false));
    }), @"
    blocks direct-upload: Jamf Pro says that it takes no files itself
      why: packages-api is closed
      mend: test the connection in Settings > Server > Cloud distribution point; if it works, ask Jamf's support
    note route: no route leads into the cloud of this server; not jcds: the cloud distribution point is AMAZON_S3 and not Jamf Cloud; not packages-api: the server says that it takes no uploads
      why: no file can be sent
      mend: make Jamf Cloud the principal distribution point in Settings > Server > Cloud distribution point; for files that lie elsewhere, the recipe package-record-only makes the record alone
    note distribution-point: AMAZON_S3, and the principal one
    ");
    insta::assert_snapshot!(told(|seen| {
        (seen.point, seen.capability) = (Seen::NotTold("it takes Read Cloud Distribution Point".into()), capability(false, true));
    }), @"
    warning direct-upload: Jamf Pro takes no files: the principal distribution point is not in the cloud
      why: packages-api is closed
      mend: make the cloud distribution point the principal one in Settings > Server > Cloud distribution point
    note distribution-point: the server does not tell it: it takes Read Cloud Distribution Point
    ");
}

#[test]
fn a_route_that_is_asked_for_and_closed() {
    insta::assert_snapshot!(told(|seen| {
        (seen.choice, seen.version) = (RouteChoice::PackagesApi, Seen::Told(Version::new(11, 4)));
    }), @"
    blocks route: route packages-api is asked for, but Jamf Pro 11.4.0 has no packages in its Pro API; 11.5 has
      why: no file can be sent
      mend: let route be auto: jcds is open
    note version: Jamf Pro 11.4.0 has no packages in its Pro API
      why: jcds is the only route into the cloud
      mend: update Jamf Pro to 11.5 or later
    ");
    insta::assert_snapshot!(told(|seen| {
        (seen.classic_forced, seen.calls) = (true, Seen::Told(Calls { jcds: Some(false), deprecated: Vec::new() }));
    }), @"
    blocks route: no route leads into the cloud of this server; not jcds: Jamf Pro 11.30.0 has no JCDS calls any more; not packages-api: package_api is classic
      why: no file can be sent
      mend: let package_api be auto
    ");
}

#[test]
fn deprecated_calls() {
    insta::assert_snapshot!(told(|seen| {
        seen.calls = Seen::Told(Calls { jcds: Some(true), deprecated: vec![JCDS_MARKED] });
    }), @"
    note deprecated-calls: Jamf marked /v1/jcds/* deprecated on 2025-08-28
      why: marked calls stay for a year at least; nobody has said when these go
      mend: nothing now: auto takes packages-api when they are gone
    ");
    insta::assert_snapshot!(told(|seen| {
        seen.calls = Seen::Told(Calls { jcds: None, deprecated: vec![JCDS_MARKED] });
        seen.capability = capability(true, false);
    }), @"
    warning direct-upload: Jamf Pro says that it takes no files itself
      why: packages-api is closed
      mend: test the connection in Settings > Server > Cloud distribution point; if it works, ask Jamf's support
    note deprecated-calls: Jamf marked /v1/jcds/* deprecated on 2025-08-28
      why: marked calls stay for a year at least; nobody has said when these go
      mend: see to it that packages-api is open by then
    ");
    insta::assert_snapshot!(told(|seen| {
        seen.calls = Seen::Told(Calls { jcds: Some(false), deprecated: Vec::new() });
    }), @"
    note deprecated-calls: this server has no JCDS calls any more
      why: packages-api is the only route into the cloud, and files cannot be downloaded
    ");
    insta::assert_snapshot!(told(|seen| {
        seen.calls = Seen::Told(Calls { jcds: Some(true), deprecated: vec![JCDS_MARKED, (Family::Packages, None)] });
    }), @"
    warning deprecated-calls: Jamf marked /v1/packages deprecated
      why: no version of pkgferry does without them as yet
      mend: look for a newer pkgferry before Jamf Pro is updated
    ");
}

#[test]
fn clocks() {
    let off = |server: i64, storage: i64| {
        move |seen: &mut Observations| {
            seen.clock = Seen::Told(SignedDuration::from_secs(server));
            seen.storage = probe(Reach::Intact, storage);
        }
    };
    assert_eq!(told(off(20, -20)), "");
    insta::assert_snapshot!(told(off(60, 61)), @"
    note clock: this machine's clock is 61 s behind the server's and S3's
      why: S3 refuses what is signed by a clock more than 15 minutes off, and tokens seem to end too soon or too late
      mend: let this machine take its time from the network (a Mac: System Settings > General > Date & Time)
    ");
    insta::assert_snapshot!(told(off(-400, -400)), @"
    warning clock: this machine's clock is 6 minutes ahead of the server's and S3's
      why: S3 refuses what is signed by a clock more than 15 minutes off, and tokens seem to end too soon or too late
      mend: let this machine take its time from the network (a Mac: System Settings > General > Date & Time)
    ");
    insta::assert_snapshot!(told(off(1_200, 1_200)), @"
    warning clock: this machine's clock is 20 minutes behind the server's and S3's
      why: S3 refuses what is signed by a clock more than 15 minutes off, and tokens seem to end too soon or too late
      mend: let this machine take its time from the network (a Mac: System Settings > General > Date & Time)
    ");
    insta::assert_snapshot!(told(off(3_600, 0)), @"
    warning clock: the server's clock is 60 minutes ahead of this machine's and S3's
      why: tokens end sooner or later than the server says
      mend: tell Jamf's support, or whoever runs the server: its clock is wrong
    ");
    insta::assert_snapshot!(told(|seen| {
        seen.choice = RouteChoice::Jcds;
        seen.storage = probe(Reach::ClockTooFarOff, 1_000);
    }), @"
    blocks clock: this machine's clock is 16 minutes behind the server's and S3's
      why: S3 refuses what is signed by a clock more than 15 minutes off, and tokens seem to end too soon or too late
      mend: let this machine take its time from the network (a Mac: System Settings > General > Date & Time)
    note storage: s3.us-east-1.amazonaws.com is reached
    ");
    assert_eq!(
        told(|seen| {
            seen.clock = Seen::NotTold("its answers have no date".into());
            seen.storage = Seen::NotExamined;
        }),
        "note storage: not examined\nnote clock: the server does not tell it: its answers have no date\n"
    );
}

#[test]
fn a_server_that_is_not_reached_is_told_of_once() {
    let findings = seen(|seen| {
        *seen = Observations {
            token: Seen::Failed(trouble("no working connection")),
            clock: Seen::Failed(trouble("no working connection")),
            ..Observations::nothing(Remembered::Nothing { folder: "/state".into() })
        };
    });
    let serious: Vec<_> = findings.iter().filter(|finding| finding.level > Level::Note).collect();
    assert_eq!(serious.len(), 1, "{serious:#?}");
}

#[test]
fn the_way_to_s3() {
    let said = || "s3.us-east-1.amazonaws.com answered 403 AccessDenied".to_owned();
    let reach = |reach| move |seen: &mut Observations| seen.storage = probe(reach, 0);
    insta::assert_snapshot!(told(reach(Reach::Stripped { header: "x-amz-date", said: said() })), @"
    warning storage: something between this machine and s3.us-east-1.amazonaws.com takes out or changes x-amz-date
      why: S3 takes no upload without it: s3.us-east-1.amazonaws.com answered 403 AccessDenied; files go by packages-api instead, after being refused
      mend: let the proxy or firewall pass requests to *.amazonaws.com unchanged, or let this machine reach s3.us-east-1.amazonaws.com without it
    ");
    insta::assert_snapshot!(told(|seen| {
        seen.choice = RouteChoice::Jcds;
        seen.storage = probe(Reach::Unreachable { why: "no answer from s3.us-east-1.amazonaws.com".into() }, 0);
    }), @"
    blocks storage: no answer from s3.us-east-1.amazonaws.com
      why: jcds sends files to S3
      mend: let this machine reach *.amazonaws.com on port 443, directly or through the proxy of its settings (HTTPS_PROXY)
    ");
    insta::assert_snapshot!(told(reach(Reach::Foreign { said: "s3.us-east-1.amazonaws.com answered 407 without saying why".into() })), @"
    warning storage: s3.us-east-1.amazonaws.com answered 407 without saying why
      why: a proxy or firewall answers in place of S3; files go by packages-api instead, after being refused
      mend: let the proxy or firewall pass requests to *.amazonaws.com
    ");
    // Who does not send there does not need it.
    let findings = seen(|seen| {
        seen.choice = RouteChoice::PackagesApi;
        seen.storage = probe(Reach::Unreachable { why: "no answer".into() }, 0);
    });
    assert_eq!(findings[0].level, Level::Note);
}

#[test]
fn names_that_are_too_much_alike() {
    insta::assert_snapshot!(told(|seen| {
        seen.records = records(&["App.pkg", "Other.pkg", "App.pkg", "App.pkg"]);
    }), @"
    warning duplicates: several package records name one file: App.pkg (records 1, 3 and 4)
      why: nobody can tell which record a recipe means, and it fails
      mend: delete all but one of these records in Jamf Pro, after looking which of them policies use; deleting a record deletes its file too
    ");
    insta::assert_snapshot!(told(|seen| seen.files = files(&["Prüfer.pkg", "Pru\u{308}fer.pkg"])), @"
    warning duplicates: the distribution service lists one name in two spellings: Prüfer.pkg
      why: the letters look the same and are composed otherwise (ü as one sign, or as u and ¨), and a recipe that means one of them fails
      mend: rename or delete one of the files in Jamf Pro
    ");
    insta::assert_snapshot!(told(|seen| {
        seen.files = files(&["A.pkg", "A_1.pkg", "B.pkg", "B_1.pkg", "B_2.pkg", "C.pkg", "C_7.pkg", "D_1.pkg"]);
    }), @"
    warning duplicates: the distribution service lists twins: A_1.pkg beside A.pkg, B_1.pkg beside B.pkg, B_2.pkg beside B.pkg, and 1 more
      why: a file that was sent while its name was taken is kept under another one, and computers go on getting the old bytes
      mend: compare the two, then delete the file that no record names
    ");
    // The record and its file are one matter.
    let findings = seen(|seen| {
        (seen.records, seen.files) = (records(&["A.pkg", "A_1.pkg"]), files(&["A.pkg", "A_1.pkg"]));
    });
    assert_eq!(findings.iter().filter(|finding| finding.check == Check::Duplicates).count(), 1);
    // Records that name no file share nothing.
    assert_eq!(told(|seen| seen.records = records(&["", ""])), "");
}

#[test]
fn what_is_remembered() {
    insta::assert_snapshot!(told(|seen| {
        seen.remembered = Remembered::Sound {
            folder: "/state".into(),
            left_over: vec![("App.pkg".into(), "https://a.jamfcloud.com".into())],
            set_aside: 0,
        };
    }), @"
    note state: uploads were left unfinished: App.pkg to https://a.jamfcloud.com
      why: their parts lie in S3 until they are gone on with or removed
      mend: pkgferry resume
    ");
    insta::assert_snapshot!(told(|seen| {
        seen.remembered = Remembered::Sound { folder: "/state".into(), left_over: Vec::new(), set_aside: 2 };
    }), @"
    note state: /state holds 2 damaged files that were set aside
      mend: delete state.db.damaged-* there; nothing in them is the only copy of anything
    ");
    let unusable = |is_damaged| {
        move |seen: &mut Observations| {
            seen.remembered = Remembered::Unusable {
                folder: "/state".into(),
                trouble: trouble("cannot be used"),
                is_damaged,
            };
        }
    };
    insta::assert_snapshot!(told(unusable(false)), @"
    warning state: /state: cannot be used
      why: digests are computed anew in each run, and interrupted uploads begin anew
      mend: do something about it
    ");
    insta::assert_snapshot!(told(unusable(true)), @"
    warning state: /state: cannot be used
      why: digests are computed anew in each run, and interrupted uploads begin anew
      mend: nothing: the next run sets the damaged file aside and begins another one
    ");
    insta::assert_snapshot!(told(|seen| seen.remembered = Remembered::Nowhere), @"
    warning state: there is no state folder
      why: digests are computed anew in each run, and interrupted uploads begin anew
      mend: name a folder with --state or PKGFERRY_STATE, or set HOME
    ");
    assert_eq!(told(|seen| seen.remembered = Remembered::OfRehearsal), "");
}

#[test]
fn room() {
    insta::assert_snapshot!(told(|seen| seen.places[0].free = Ok(1 << 20)), @"
    warning disk: 1.0 MiB are free in /state, the state folder
      why: what cannot be written down is lost when a run is interrupted
      mend: make room, or name another folder with --state
    ");
    insta::assert_snapshot!(told(|seen| {
        seen.expected = Expected { size: 5 * GIB, is_assumed: false, rate: 1 << 30 };
        seen.places[1].free = Ok(4 * GIB);
    }), @"
    warning disk: 4.0 GiB are free in /tmp, and the file has 5.0 GiB
      why: promote keeps a package there on its way from one server to the other
      mend: make room, or name another folder with --cache
    ");
    assert_eq!(told(|seen| seen.places[1].free = Ok(1)), "");
    assert!(told(|seen| seen.places[1].free = Err("no such device".into())).starts_with("note disk:"));
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

fn any_seen<T: std::fmt::Debug + Clone + 'static>(
    told: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Seen<T>> {
    prop_oneof![
        told.prop_map(Seen::Told),
        Just(Seen::NotExamined),
        "[a-z]{1,8}".prop_map(Seen::NotTold),
        "[a-z]{1,8}".prop_map(|message| Seen::Failed(Trouble { message, hint: None })),
    ]
    .boxed()
}

fn any_observations() -> impl Strategy<Value = Observations> {
    let cdn =
        prop_oneof![Just(CdnType::None), Just(CdnType::JamfCloud), Just(CdnType::Other("AKAMAI".into()))];
    let point = (cdn, any::<bool>()).prop_map(|(cdn, is_principal)| DistributionPoint { cdn, is_principal });
    let capability =
        (any::<bool>(), any::<bool>()).prop_map(|(principal, direct)| UploadCapability { principal, direct });
    let token = (0_u64..5_000, any::<bool>())
        .prop_map(|(life, renewable)| TokenFacts { life: Duration::from_secs(life), renewable });
    let calls = (any::<Option<bool>>(), any::<bool>()).prop_map(|(jcds, marked)| Calls {
        jcds,
        deprecated: if marked { vec![JCDS_MARKED] } else { Vec::new() },
    });
    let reach = prop_oneof![
        Just(Reach::Intact),
        Just(Reach::ClockTooFarOff),
        Just(Reach::Unreachable { why: "none".into() }),
        Just(Reach::Stripped { header: "x-amz-date", said: "no".into() }),
    ];
    let probe = (reach, -5_000_i64..5_000).prop_map(|(reach, off)| Probe {
        host: "s3".into(),
        reach,
        clock_difference: Some(SignedDuration::from_secs(off)),
    });
    let choice =
        prop_oneof![Just(RouteChoice::Auto), Just(RouteChoice::Jcds), Just(RouteChoice::PackagesApi)];
    let lacking = prop::sample::subsequence(Privilege::ALL.to_vec(), 0..=Privilege::ALL.len());
    let server = (
        any_seen(token),
        any_seen((4_u32..40).prop_map(|minor| Version::new(11, minor))),
        any_seen(lacking),
        any_seen(point),
        any_seen(capability),
        any_seen(calls),
        any_seen((-5_000_i64..5_000).prop_map(SignedDuration::from_secs)),
        any_seen(probe),
        choice,
        any::<bool>(),
    );
    server.prop_map(|(token, version, lacking, point, capability, calls, clock, storage, choice, classic)| {
        Observations {
            token,
            version,
            lacking,
            point,
            capability,
            calls,
            clock,
            storage,
            choice,
            classic_forced: classic,
            ..healthy()
        }
    })
}

proptest! {
    #[test]
    fn whatever_is_seen_every_check_says_something_and_what_matters_says_how_to_mend_it(seen in any_observations()) {
        let findings = judge(&seen);
        for check in [Check::SignIn, Check::Version, Check::Route, Check::Privileges, Check::Clock, Check::Storage, Check::State] {
            prop_assert_eq!(findings.iter().filter(|finding| finding.check == check).count(), 1, "{}", check);
        }
        for finding in &findings {
            prop_assert!(!finding.what.is_empty());
            if finding.level >= Level::Warning {
                prop_assert!(finding.why.is_some(), "{:?}", finding);
            }
        }
        prop_assert!(findings.is_sorted_by(|one, other| one.level >= other.level));
        // Where no route is left, something says so.
        let no_route = findings.iter().any(|finding| finding.check == Check::Route && finding.why.is_some());
        let blocked = findings.iter().any(|finding| finding.level == Level::Blocks);
        prop_assert!(!no_route || blocked);
    }
}
