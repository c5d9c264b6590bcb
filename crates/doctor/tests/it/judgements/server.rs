//! Who is let in, and what the server offers.

use super::*;

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
