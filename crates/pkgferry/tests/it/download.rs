use crate::stage::{Ran, Server, Stage, noise, until};
use sandbox::Side;
use serde_json::Value;
use std::process::{Child, Command, Stdio};

const MIB: usize = 1 << 20;

/// Bytes of each range that was answered.
fn ranges(server: &Server) -> Vec<u64> {
    let all = server.journal();
    let served = all.iter().filter(|request| request.side == Side::Download && request.status == 206);
    served.map(|request| request.bytes_out).collect()
}

fn result(ran: &Ran) -> Value {
    serde_json::from_str(ran.stdout.lines().last().unwrap()).unwrap()
}

#[test]
fn a_file_is_fetched_once() {
    let (stage, server) = Stage::with_server();
    let bytes = noise(1, 200_000);
    server.put_file("App.pkg", &bytes);
    std::fs::create_dir(stage.path("here")).unwrap();
    let target = stage.path("here").to_str().unwrap().to_owned();
    insta::assert_snapshot!(stage.run(&["download", "App.pkg", &target, "--dry-run"]).shown(), @"
    exit 0
    --- stdout
    App.pkg
      plan  jcds-download     download file App.pkg to [STAGE]/here/App.pkg, 195.3 KiB to fetch
      = would be downloaded: 195.3 KiB to fetch
    Dry run: no write request was made (3 reads).
    --- stderr
      warn  Jamf marked /v1/jcds/* deprecated on 2025-08-28; they are still served; `route: packages-api` does without them
    ");
    assert_eq!(std::fs::read_dir(&target).unwrap().count(), 0);

    insta::assert_snapshot!(stage.run(&["download", "App.pkg", &target]).shown(), @"
    exit 0
    --- stdout
    App.pkg
      plan  jcds-download     download file App.pkg to [STAGE]/here/App.pkg, 195.3 KiB to fetch
      done  jcds-download     downloaded App.pkg to [STAGE]/here/App.pkg: 195.3 KiB, MD5 and SHA3-512 agree
      = downloaded: 195.3 KiB fetched
    --- stderr
      warn  Jamf marked /v1/jcds/* deprecated on 2025-08-28; they are still served; `route: packages-api` does without them
    ");
    assert_eq!(std::fs::read(stage.path("here/App.pkg")).unwrap(), bytes);
    assert_eq!(std::fs::read_dir(&target).unwrap().count(), 1);

    server.clear_journal();
    insta::assert_snapshot!(stage.run(&["download", "App.pkg", &target]).shown(), @"
    exit 0
    --- stdout
    App.pkg
      skip  jcds-download     [STAGE]/here/App.pkg is the listed file: 195.3 KiB, MD5 and SHA3-512 agree
      = skipped: nothing sent
    --- stderr
      warn  Jamf marked /v1/jcds/* deprecated on 2025-08-28; they are still served; `route: packages-api` does without them
    ");
    assert_eq!(ranges(&server), [0; 0]);
    assert!(server.writes().is_empty());
}

#[test]
fn a_file_that_is_there_is_replaced_only_when_asked() {
    let (stage, server) = Stage::with_server();
    server.put_file("App.pkg", b"the listed bytes");
    let target = stage.write("Mine.pkg", "precious");
    insta::assert_snapshot!(stage.run(&["download", "App.pkg", &target]).shown(), @"
    exit 6
    --- stdout
    App.pkg
      = failed
    --- stderr
      warn  Jamf marked /v1/jcds/* deprecated on 2025-08-28; they are still served; `route: packages-api` does without them
      fail  step 1 jcds-download: [STAGE]/Mine.pkg is there already: it has 8 bytes, and 16 bytes are listed
            hint: to replace it, say --overwrite (in a recipe `overwrite: true`)
    ");
    assert_eq!(std::fs::read(&target).unwrap(), b"precious");
    stage.run(&["download", "App.pkg", &target, "--overwrite"]).succeeded();
    assert_eq!(std::fs::read(&target).unwrap(), b"the listed bytes");
}

#[test]
fn what_cannot_be_has_its_exit_code() {
    let (stage, server) = Stage::with_server();
    server.put_file("App.pkg", b"the listed bytes");
    let here = stage.path("").to_str().unwrap().to_owned();
    for (arguments, code) in [
        (vec!["download", "Absent.pkg", &here], 5),
        (vec!["download", "../App.pkg", &here], 3),
        (vec!["download", "App.pkg", "/no/such/folder/App.pkg"], 6),
        (vec!["download", "App.pkg", &here, "-k", "download_concurrency=17"], 3),
        (vec!["download"], 64),
    ] {
        let ran = stage.run(&arguments);
        assert_eq!(ran.code, code, "{arguments:?}\n{}", ran.shown());
    }
}

#[test]
fn programs_read_what_was_fetched() {
    let (stage, server) = Stage::with_server();
    server.put_file("App.pkg", &noise(2, 10_000));
    let target = stage.path("App.pkg").to_str().unwrap().to_owned();
    let dry = result(&stage.run(&["download", "App.pkg", &target, "--dry-run", "--json"]).succeeded());
    let real = result(&stage.run(&["download", "App.pkg", &target, "--json"]).succeeded());
    for run in [&dry, &real] {
        let recipe = &run["recipes"][0];
        assert_eq!(
            (&recipe["status"], &recipe["bytes_fetched"], &recipe["bytes_sent"]),
            (&"downloaded".into(), &10_000.into(), &0.into())
        );
        assert_eq!(run["requests"]["writes"], 0);
    }
    assert_eq!(dry["recipes"][0]["steps"][0]["changes"], real["recipes"][0]["steps"][0]["changes"]);
}

#[test]
fn the_recipe_runs_by_its_name() {
    let (stage, server) = Stage::with_server();
    server.put_file("App.pkg", b"the listed bytes");
    let path = format!("download_path={}", stage.path("App.pkg").to_str().unwrap());
    let recipe = "com.github.pkgferry.recipes.download-package";
    stage.run(&["run", recipe, "-k", "pkg_name=App.pkg", "-k", &path]).succeeded();
    assert_eq!(std::fs::read(stage.path("App.pkg")).unwrap(), b"the listed bytes");
}

/// Starts a download, one range after the other, and lets it run until the journal notes so many of them.
fn until_noted(stage: &Stage, number: usize) -> Child {
    let target = stage.path("App.pkg");
    let arguments = ["download", "App.pkg", target.to_str().unwrap(), "-k", "download_concurrency=1"];
    let mut child = stage.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let journal = stage.path("App.pkg.part.ranges");
    let notes = || std::fs::read_to_string(&journal).is_ok_and(|text| text.lines().count() > number);
    until("a range in the journal", || notes() || child.try_wait().unwrap().is_some());
    child
}

/// Runs to the end what was begun, and sees to it that nothing is left and what was noted was not fetched again.
fn finish(stage: &Stage, server: &Server, bytes: &[u8]) {
    let journal = std::fs::read_to_string(stage.path("App.pkg.part.ranges")).unwrap();
    let noted = journal.lines().count() - 1;
    server.clear_journal();
    let target = stage.path("App.pkg");
    let ran = stage.run(&["download", "App.pkg", target.to_str().unwrap()]).succeeded();
    assert!(std::fs::read(&target).unwrap() == bytes, "{}", ran.shown());
    assert!(!stage.path("App.pkg.part").exists() && !stage.path("App.pkg.part.ranges").exists());
    // A range that nobody was there any more to take may stand among them; it did not come to its end.
    let whole = ranges(server).into_iter().filter(|length| *length == 20 << 20).count();
    assert_eq!(whole, 3 - noted.min(3), "{}", ran.shown());
}

#[test]
fn a_killed_download_goes_on() {
    let (stage, server) = Stage::with_server();
    let bytes = noise(3, 65 * MIB);
    server.put_file("App.pkg", &bytes);
    for noted in [1, 3] {
        let mut child = until_noted(&stage, noted);
        child.kill().unwrap();
        child.wait().unwrap();
        finish(&stage, &server, &bytes);
        std::fs::remove_file(stage.path("App.pkg")).unwrap();
    }
}

#[test]
fn an_interrupt_keeps_what_came_says_so_and_ends_with_130() {
    let (stage, server) = Stage::with_server();
    let bytes = noise(4, 65 * MIB);
    server.put_file("App.pkg", &bytes);
    let child = until_noted(&stage, 1);
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let ran = Ran::new(child.wait_with_output().unwrap(), &stage.path(""));
    assert_eq!(ran.code, 130, "{}", ran.shown());
    assert!(ran.stderr.contains("the download of App.pkg was interrupted; "), "{}", ran.shown());
    assert!(
        ran.stderr.contains("App.pkg.part\n        hint: run the same again to go on"),
        "{}",
        ran.shown()
    );
    finish(&stage, &server, &bytes);
}
