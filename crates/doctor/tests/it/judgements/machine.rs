//! This machine: its clock, its way to the servers, what it remembers; and what the servers hold.

use super::*;

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
