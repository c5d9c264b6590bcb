//! `pkgferry doctor`: its text, its JSON and its exit code. What it finds is tested in its own crate.

use crate::stage::Stage;
use sandbox::DistributionPoint;
use serde_json::Value;

/// Without what differs from machine to machine.
fn steady(text: &str) -> String {
    text.lines().filter(|line| !line.contains(" disk ")).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_server_with_nothing_wrong() {
    let (stage, server) = Stage::with_server();
    let ran = stage.run(&["doctor"]).succeeded();
    insta::assert_snapshot!(steady(&ran.stdout), @"
    http://127.0.0.1:[PORT]
      note     token-life          a token lives 59 s, which does for jcds; for packages-api sending 1.0 GiB (assumed) at 10.0 MiB/s takes about 103 s
                                   why: the server may refuse an upload whose token ends before the upload does, and uploads with tokens of 60 s were seen to fail
                                   mend: let tokens of the API client live 600 s: Settings > API roles and clients > API clients > access token lifetime
      note     deprecated-calls    Jamf marked /v1/jcds/* deprecated on 2025-08-28
                                   why: marked calls stay for a year at least; nobody has said when these go
                                   mend: nothing now: auto takes packages-api when they are gone
      fine     sign-in             the account is let in; its token lives 59 s
      fine     version             Jamf Pro 11.30.1
      fine     route               jcds: the files of this server are in Jamf Cloud's own distribution service; packages-api if it is refused
      fine     privileges          the account has all that both routes take
      fine     distribution-point  Jamf Cloud, and the principal one
      fine     direct-upload       Jamf Pro takes files itself
      fine     storage             127.0.0.1:[PORT] is reached, and headers arrive there as they were sent
      fine     clock               this machine's clock and the server's agree
      fine     duplicates          no two of 0 records and 0 files are called alike
      fine     state               [STAGE]/home/.local/state/pkgferry is made by the first run
      = nothing is wrong
    ");
    assert_eq!(ran.stderr, "");
    assert!(server.writes().is_empty(), "{}", server.requests());
    assert!(!stage.path("home/.local/state/pkgferry").exists(), "looking leaves nothing behind");
}

#[test]
fn what_blocks_has_an_exit_code_of_its_own() {
    let (stage, server) =
        Stage::with_server_like(|config| config.distribution_point = DistributionPoint::NONE);
    let ran = stage.run(&["doctor"]);
    assert_eq!(ran.code, 8, "{}", ran.shown());
    insta::assert_snapshot!(steady(&ran.stdout), @"
    http://127.0.0.1:[PORT]
      blocks   distribution-point  no cloud distribution point is set up
                                   why: there is nowhere to send files to; records can be made all the same
                                   mend: set one up in Settings > Server > Cloud distribution point
      note     route               no route leads into the cloud of this server; not jcds: no cloud distribution point is set up; not packages-api: the principal distribution point is not in the cloud
                                   why: no file can be sent
                                   mend: make Jamf Cloud the principal distribution point in Settings > Server > Cloud distribution point; for files that lie elsewhere, the recipe package-record-only makes the record alone
      note     direct-upload       Jamf Pro takes no files: the principal distribution point is not in the cloud
      note     deprecated-calls    Jamf marked /v1/jcds/* deprecated on 2025-08-28, which are not used here
                                   why: marked calls stay for a year at least; nobody has said when these go
                                   mend: see to it that packages-api is open by then
      fine     sign-in             the account is let in; its token lives 59 s
      fine     version             Jamf Pro 11.30.1
      fine     privileges          the account lacks none that matters here
      fine     token-life          a token lives 59 s, which does for jcds
      fine     storage             127.0.0.1:[PORT] is reached, and headers arrive there as they were sent
      fine     clock               this machine's clock and the server's agree
      fine     duplicates          no two of 0 records are called alike
      fine     state               [STAGE]/home/.local/state/pkgferry is made by the first run
      = blocked by 1 finding
    ");
    assert!(server.writes().is_empty());
}

#[test]
fn without_signing_in_it_goes_as_far_as_it_can() {
    let (mut stage, _server) = Stage::with_server();
    stage.set("CLIENT_SECRET", "wrong");
    let ran = stage.run(&["doctor"]);
    assert_eq!(ran.code, 8);
    insta::assert_snapshot!(steady(&ran.stdout), @"
    http://127.0.0.1:[PORT]
      blocks   sign-in             http://127.0.0.1:[PORT] does not let API client rehearsal-client in: POST /api/v1/oauth/token was answered with 401 Unauthorized: invalid_client
                                   why: nothing of this server can be used or examined without signing in
                                   mend: check CLIENT_ID and CLIENT_SECRET, and that the API client is enabled in Settings > API roles and clients
      fine     storage             127.0.0.1:[PORT] is reached, and headers arrive there as they were sent
      fine     clock               this machine's clock and the server's agree
      fine     state               [STAGE]/home/.local/state/pkgferry is made by the first run
      not examined: version, route, privileges, token-life, distribution-point, direct-upload, duplicates, deprecated-calls
      = blocked by 1 finding
    ");
}

#[test]
fn json_is_one_line_with_a_version() {
    let (stage, _server) = Stage::with_server();
    let ran = stage
        .run(&["doctor", "--json", "--route", "packages-api", "--size", "1000000000", "--rate", "1"])
        .succeeded();
    let line: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        (&line["type"], &line["version"], &line["exit_code"]),
        (&"examination".into(), &1.into(), &0.into())
    );
    let first = &line["servers"][0]["findings"][0];
    assert_eq!((&first["check"], &first["level"]), (&"token-life".into(), &"warning".into()));
    for key in ["what", "why", "mend"] {
        assert!(first[key].is_string(), "{key}");
    }
}

#[test]
fn the_size_may_be_that_of_a_file() {
    let (stage, _server) = Stage::with_server();
    let file = stage.write("App.pkg", "0123456789");
    let ran = stage.run(&["doctor", "--route", "packages-api", "--size", &file]).succeeded();
    assert!(ran.stdout.contains("sending 10 bytes at 10.0 MiB/s takes about 1 s"), "{}", ran.stdout);
    assert_eq!(stage.run(&["doctor", "--size", "/no/such/file"]).code, 6);
    assert_eq!(stage.run(&["doctor", "--size", "0"]).code, 64);
}

#[test]
fn it_can_be_rehearsed() {
    let stage = Stage::new();
    let ran = stage.run(&["doctor", "--sandbox", "--not-principal"]).succeeded();
    assert!(ran.stdout.contains("another distribution point is the principal one"), "{}", ran.stdout);
    let ran = stage.run(&["doctor", "--sandbox", "--gateway", "environment-header"]).succeeded();
    assert!(ran.stdout.contains("through the Platform API gateway"), "{}", ran.stdout);
}

#[cfg(unix)]
#[test]
fn it_examines_each_named_server() {
    let (stage, _test, _production) = crate::servers::stage_with_two();
    let ran = stage.run(&["doctor", "--server", "test", "--server", "production"]).succeeded();
    let titles: Vec<_> = ran.stdout.lines().filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(titles, ["http://127.0.0.1:[PORT] (test)", "http://127.0.0.1:[PORT] (production)"]);
}
