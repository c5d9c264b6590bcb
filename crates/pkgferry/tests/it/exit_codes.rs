use crate::stage::{Stage, noise};
use sandbox::Privilege;
use std::time::Duration;

#[test]
fn a_wrong_recipe_is_3() {
    let (stage, server) = Stage::with_server();
    let recipe =
        stage.write("Wrong.recipe.yaml", "Identifier: x\nInput: {}\nProcess:\n- Processor: compare-hsh\n");
    let ran = stage.run(&["run", &recipe]);
    insta::assert_snapshot!(ran.shown(), @"
    exit 3
    --- stdout
      = failed
    --- stderr
    [STAGE]/Wrong.recipe.yaml
      fail  [STAGE]/Wrong.recipe.yaml:4:14: step 1: unknown processor `compare-hsh`
              hint: did you mean `compare-hash`?
            1 fault
    ");
    assert!(server.journal().is_empty());
}

#[test]
fn a_wrong_password_is_4() {
    let (mut stage, _server) = Stage::with_server();
    stage.set("CLIENT_SECRET", "not-the-secret");
    let file = stage.write("App.pkg", noise(1, 10));
    insta::assert_snapshot!(stage.run(&["upload", &file]).shown(), @"
    exit 4
    --- stdout
    App.pkg
      = failed
    --- stderr
      fail  step 1 choose-route: http://127.0.0.1:[PORT] does not let API client rehearsal-client in: POST /api/v1/oauth/token was answered with 401 Unauthorized: invalid_client
            hint: check CLIENT_ID and CLIENT_SECRET, and that the API client is enabled in Settings > API roles and clients
    ");
}

#[test]
fn a_missing_privilege_is_4_and_is_named() {
    let (stage, server) = Stage::with_server_like(|config| {
        for account in &mut config.accounts {
            account.privileges.retain(|privilege| *privilege != Privilege::CreateJcdsFiles);
        }
    });
    let file = stage.write("App.pkg", noise(1, 10));
    // Otherwise the file goes by the other route, which does without it.
    insta::assert_snapshot!(stage.run(&["upload", &file, "--route", "jcds"]).shown(), @r#"
    exit 4
    --- stdout
    App.pkg
      look  choose-route      jcds: the setting route asks for it
      look  find-package      no record, no file
      look  compare-hash      absent: the server has no file of this name
      plan  jcds-credentials  obtain upload credentials for App.pkg
      plan  s3-upload         create file App.pkg (the server has no file of this name), 10 bytes to send
      plan  package-metadata  create record App.pkg
                                display_name: "App.pkg"
      skip  package-upload    route jcds: s3-upload sends the file
      plan  verify-delivery   prove delivery of App.pkg
      = failed
    --- stderr
      warn  Jamf marked /v1/jcds/* deprecated on 2025-08-28; they are still served; `route: packages-api` does without them
      fail  step 4 jcds-credentials: POST /api/v1/jcds/files was answered with 403 Forbidden: Forbidden (INVALID_PRIVILEGE); it takes the privilege “Create Jamf Cloud Distribution Service Files”
            hint: give the API role the privilege “Create Jamf Cloud Distribution Service Files” in Settings > API roles and clients (a user account: Settings > User accounts and groups); before Jamf Pro 11.20 it is called “Create Jamf Content Distribution Server Files”
    "#);
    assert!(server.files().is_empty() && server.packages().is_empty());
}

#[test]
fn a_server_that_is_not_there_is_5() {
    let mut stage = Stage::new();
    for (name, value) in [("JSS_URL", "http://127.0.0.1:1"), ("CLIENT_ID", "a"), ("CLIENT_SECRET", "b")] {
        stage.set(name, value);
    }
    let file = stage.write("App.pkg", noise(1, 10));
    let ran = stage.run(&["upload", &file]);
    assert_eq!(ran.code, 5, "{}", ran.shown());
    assert!(ran.stderr.contains("127.0.0.1"), "{}", ran.stderr);
}

#[test]
fn a_missing_file_is_6() {
    let (stage, _server) = Stage::with_server();
    insta::assert_snapshot!(stage.run(&["upload", "/no/such/App.pkg"]).shown(), @"
    exit 6
    --- stdout
      = failed
    --- stderr
    /no/such/App.pkg
      fail  step 3 compare-hash: cannot read /no/such/App.pkg
            caused by: No such file or directory (os error 2)
            hint: check pkg_path; what makes the package may not have run, or may have made it elsewhere
    ");
}

#[test]
fn what_never_shows_up_is_7() {
    let (stage, _server) = Stage::with_server_like(|config| config.listed_after = Duration::from_secs(3_600));
    let file = stage.write("App.pkg", noise(1, 10));
    let ran = stage.run(&["upload", &file, "-k", "verify_timeout=1"]);
    assert_eq!(ran.code, 7, "{}", ran.shown());
    assert!(ran.stdout.contains("= unverified: 10 bytes sent"), "{}", ran.stdout);
}

#[test]
fn a_wrong_command_line_is_64() {
    let stage = Stage::new();
    assert_eq!(stage.run(&["run"]).code, 64);
    assert_eq!(stage.run(&["upload", "a.pkg", "b.pkg", "--name", "c.pkg"]).code, 64);
    assert_eq!(stage.run(&["run", "x", "-k", "no-equals-sign"]).code, 64);
    assert_eq!(stage.run(&["processors", "no-such"]).code, 64);
}

#[test]
fn settings_that_are_missing_are_3_and_named() {
    let stage = Stage::new();
    let file = stage.write("App.pkg", noise(1, 10));
    insta::assert_snapshot!(stage.run(&["upload", &file]).shown(), @"
    exit 3
    --- stdout
    App.pkg
      = failed
    --- stderr
      fail  step 1 choose-route: JSS_URL is not set
            hint: set JSS_URL to something like https://example.jamfcloud.com
    ");
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_leaves_no_package_undelivered() {
    let (stage, server) = Stage::with_server();
    let (one, two) = (stage.write("One.pkg", noise(1, 10)), stage.write("Two.pkg", noise(2, 10)));
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let status = stage.command(&["upload", &one, &two]).stdout(full).status().unwrap();
    assert_eq!(status.code(), Some(1));
    let mut names = server.names();
    names.sort_unstable();
    assert_eq!(names, ["One.pkg", "Two.pkg"]);
    assert!(server.requests().ends_with("POST /api/v1/auth/invalidate-token 204"), "{}", server.requests());
}

#[test]
fn a_reader_that_goes_away_does_not_change_how_the_run_ends() {
    let (stage, server) = Stage::with_server();
    let file = stage.write("App.pkg", noise(1, 10));
    for (path, code) in [(file.as_str(), 0), ("/no/such/App.pkg", 6)] {
        let mut command = stage.command(&["upload", path]);
        let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        assert_eq!(child.wait().unwrap().code(), Some(code), "{path}");
    }
    assert_eq!(server.names(), ["App.pkg"]);
}
