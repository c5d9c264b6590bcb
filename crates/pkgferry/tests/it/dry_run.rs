use crate::stage::{Server, Stage, noise};
use serde_json::Value;

fn result(stdout: &str) -> Value {
    serde_json::from_str(stdout.lines().last().unwrap()).unwrap()
}

/// All changes of all steps of a result.
fn changes(result: &Value) -> Vec<Value> {
    let steps =
        result["recipes"].as_array().unwrap().iter().flat_map(|recipe| recipe["steps"].as_array().unwrap());
    steps.flat_map(|step| step["changes"].as_array().unwrap().clone()).collect()
}

/// Plans, then runs, and holds the plan against what was done and against the requests.
#[track_caller]
fn plan_and_run(stage: &Stage, server: &Server, arguments: &[&str]) -> Value {
    server.clear_journal();
    let dry = stage.run(&[arguments, &["--dry-run", "--json"]].concat()).succeeded();
    assert_eq!(server.writes(), []);
    let dry = result(&dry.stdout);
    assert_eq!((&dry["requests"]["writes"], &dry["requests"]["refused"]), (&0.into(), &0.into()));

    let real = result(&stage.run(&[arguments, &["--json"]].concat()).succeeded().stdout);
    assert_eq!(changes(&dry), changes(&real));
    for key in ["status", "bytes_sent"] {
        assert_eq!(dry["recipes"][0][key], real["recipes"][0][key]);
    }
    let sent: u64 = server
        .writes()
        .iter()
        .filter(|request| request.method == "PUT" && request.path.contains("partNumber"))
        .map(|request| request.bytes_in)
        .sum();
    // Chunk signatures and checksums come on top of the bytes themselves.
    let planned = dry["recipes"][0]["bytes_sent"].as_u64().unwrap();
    assert!(sent >= planned && sent <= planned + planned / 50 + 4096, "{sent} bytes sent, {planned} planned");
    dry
}

#[test]
fn the_plan_of_a_dry_run_is_what_the_real_run_then_does() {
    let (stage, server) = Stage::with_server();
    let file = stage.write("App.pkg", noise(1, 200_000));
    let create = ["upload", &file, "--category", "Tools", "--create-category", "--notes", "one"];
    assert_eq!(plan_and_run(&stage, &server, &create)["recipes"][0]["status"], "created");
    assert_eq!(plan_and_run(&stage, &server, &create)["recipes"][0]["status"], "skipped");
    let change = ["upload", &file, "--notes", "two"];
    assert_eq!(plan_and_run(&stage, &server, &change)["recipes"][0]["status"], "metadata-only");
    stage.write("App.pkg", noise(2, 150_000));
    assert_eq!(plan_and_run(&stage, &server, &change)["recipes"][0]["status"], "replaced");
}

#[test]
fn a_dry_run_shows_everything_and_ends_with_its_promise() {
    let (stage, server) = Stage::with_server();
    let file = stage.write("App.pkg", noise(1, 200_000));
    stage.run(&["upload", &file, "--notes", "one", "--priority", "5"]).succeeded();
    stage.write("App.pkg", noise(2, 300_000));
    server.clear_journal();
    let ran = stage.run(&["upload", &file, "--notes", "two", "--priority", "5", "--dry-run"]).succeeded();
    insta::assert_snapshot!(ran.shown(), @r#"
    exit 0
    --- stdout
    App.pkg
      look  choose-route      jcds: the files of this server are in Jamf Cloud's own distribution service; packages-api if it is refused
      look  find-package      record 1, file of 195.3 KiB
      look  compare-hash      different: size 292.9 KiB here, 195.3 KiB on the server
      plan  jcds-credentials  obtain upload credentials for App.pkg
      plan  s3-upload         replace file App.pkg (size 292.9 KiB here, 195.3 KiB on the server), 292.9 KiB to send
      plan  package-metadata  update record App.pkg
                                notes: "one" -> "two"
      skip  package-upload    route jcds: s3-upload sends the file
      plan  verify-delivery   prove delivery of App.pkg
      = would be replaced: 292.9 KiB to send
    Dry run: no write request was made (5 reads).
    --- stderr
      warn  Jamf marked /v1/jcds/* deprecated on 2025-08-28; they are still served; `route: packages-api` does without them
    "#);
    assert_eq!(server.writes(), []);
}

#[test]
fn pending_changes_have_an_exit_code_when_asked_for() {
    let (stage, _server) = Stage::with_server();
    let file = stage.write("App.pkg", noise(1, 1_000));
    let dry = ["upload", &file, "--dry-run", "--detailed-exit-code"];
    assert_eq!(stage.run(&dry).code, 2);
    stage.run(&["upload", &file]).succeeded();
    assert_eq!(stage.run(&dry).code, 0);
}
