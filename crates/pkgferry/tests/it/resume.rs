//! `pkgferry resume`.

use crate::stage::{Server, Stage, noise};
use insta::assert_snapshot;
use sandbox::Request;
use std::process::Stdio;

const MIB: usize = 1 << 20;

fn sends_the_second_part(requests: &[Request]) -> bool {
    requests.iter().any(|request| request.path.contains("partNumber=2&"))
}

/// An upload that was killed when S3 had two of its parts.
pub fn killed(stage: &Stage, server: &Server, name: &str) -> String {
    let file = stage.write(name, noise(7, 33 * MIB));
    let mut command = stage.command(&["upload", &file, "-k", "upload_concurrency=1"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    server.until("the second part", sends_the_second_part);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(server.open_uploads().len(), 1);
    server.clear_journal();
    file
}

#[test]
fn there_may_be_nothing_to_go_on_with() {
    // Not even a server is needed for that.
    assert_snapshot!(Stage::new().run(&["resume"]).shown(), @"
    exit 0
    --- stdout
    nothing was left unfinished
    ");
}

#[test]
fn an_upload_is_gone_on_with() {
    let (stage, server) = Stage::with_server();
    let file = killed(&stage, &server, "App.pkg");
    let ran = stage.run(&["resume"]).succeeded();
    assert!(
        ran.stdout.contains("upload credentials for the upload that an earlier run began"),
        "{}",
        ran.shown()
    );
    // The journal does not know what its recipe says of the record, and whoever resumes is told.
    let first = ran.stdout.lines().next().unwrap();
    assert!(first.contains("names alone; category, notes and the like are set by the next run"), "{first}");
    assert!(server.bytes_of("App.pkg").unwrap() == std::fs::read(file).unwrap());
    assert_eq!(server.open_uploads(), Vec::<String>::new());
    assert_eq!(stage.run(&["resume"]).stdout, "nothing was left unfinished\n");
}

#[test]
fn what_cannot_be_gone_on_with_is_removed() {
    let (stage, server) = Stage::with_server();
    let file = killed(&stage, &server, "App.pkg");
    std::fs::remove_file(file).unwrap();
    assert_snapshot!(stage.run(&["resume"]).shown(), @"
    exit 0
    --- stderr
      warn  Jamf marked /v1/jcds/* deprecated on 2025-08-28; they are still served; `route: packages-api` does without them
      warn  what an earlier run left of App.pkg was removed
    ");
    assert_eq!(server.open_uploads(), Vec::<String>::new());
    assert_eq!(server.names(), Vec::<String>::new());
    assert_eq!(stage.run(&["resume"]).stdout, "nothing was left unfinished\n");
}

/// The old file may have been deleted for it, and S3 may be about to put it together.
#[test]
fn what_s3_was_asked_to_put_together_is_left_alone() {
    let (stage, server) = Stage::with_server();
    let file = killed(&stage, &server, "App.pkg");
    std::fs::remove_file(file).unwrap();
    {
        let state = state::State::open(&stage.path("home/.local/state/pkgferry")).unwrap().state;
        let taken = state.take_over(&server.connection().jss_url, |_| true).unwrap();
        let (journal, left) = &taken[0];
        journal.phase(state::Phase::Completing, left.begun).unwrap();
    }
    assert_snapshot!(stage.run(&["resume"]).shown(), @"
    exit 0
    --- stderr
      warn  S3 was asked to put App.pkg together, and its local file is gone or another one now: what was sent is left alone, since it may be all that there is; run the recipe of App.pkg, or give it up with --discard
    ");
    assert_eq!(server.open_uploads().len(), 1);
    let discarded = stage.run(&["resume", "--discard"]).succeeded();
    let told =
        "S3 was asked to put App.pkg together before, and may have done so, or do so yet: look at the list";
    assert!(discarded.stderr.contains(told), "{}", discarded.shown());
    assert_eq!(server.open_uploads(), Vec::<String>::new());
    assert_eq!(stage.run(&["resume"]).stdout, "nothing was left unfinished\n");
}

#[test]
fn all_can_be_discarded() {
    let (stage, server) = Stage::with_server();
    killed(&stage, &server, "App.pkg");
    assert_snapshot!(stage.run(&["resume", "--discard"]).shown(), @"
    exit 0
    --- stderr
      warn  Jamf marked /v1/jcds/* deprecated on 2025-08-28; they are still served; `route: packages-api` does without them
      warn  what an earlier run left of App.pkg was removed
    ");
    assert_eq!(server.open_uploads(), Vec::<String>::new());
    assert_eq!(server.names(), Vec::<String>::new());
}

#[test]
fn another_servers_uploads_are_left_alone_and_named() {
    let (mut stage, server) = Stage::with_server();
    killed(&stage, &server, "App.pkg");
    stage.set("JSS_URL", "http://127.0.0.1:9");
    assert_snapshot!(stage.run(&["resume"]).shown(), @"
    exit 0
    --- stderr
      warn  an upload of App.pkg to http://127.0.0.1:[PORT] is unfinished; name that server to go on
    ");
    assert_eq!(server.open_uploads().len(), 1);
}

#[test]
fn parts_are_kept_on_request() {
    let (stage, server) = Stage::with_server();
    let file = stage.write("App.pkg", noise(7, 100 * MIB));
    let mut command = stage.command(&["upload", &file, "--keep-partial", "-k", "upload_concurrency=1"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    server.until("the second part", sends_the_second_part);
    std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    let _ = child.wait();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("its parts are kept, and the next run goes on with them"), "{said}");
    assert_eq!(server.open_uploads().len(), 1);
}

/// A state that cannot be used is no reason not to deliver.
#[test]
fn without_a_state_folder_packages_are_delivered_all_the_same() {
    let (mut stage, server) = Stage::with_server();
    let occupied = stage.write("occupied", "no folder");
    stage.set("PKGFERRY_STATE", &occupied);
    let file = stage.write("App.pkg", noise(7, 1000));
    let ran = stage.run(&["upload", &file]).succeeded();
    assert_snapshot!(ran.stderr, @"
    warn  nothing is remembered after this run: cannot use [STAGE]/occupied/running: Not a directory (os error 20); name a state folder that can be written, or mend the rights of [STAGE]/occupied/running
    warn  Jamf marked /v1/jcds/* deprecated on 2025-08-28; they are still served; `route: packages-api` does without them
    ");
    assert_eq!(server.names(), ["App.pkg"]);
}

#[test]
fn a_damaged_state_is_set_aside() {
    let (mut stage, _server) = Stage::with_server();
    let folder = stage.path("state");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("state.db"), vec![b'x'; 9000]).unwrap();
    stage.set("PKGFERRY_STATE", folder.to_str().unwrap());
    let file = stage.write("App.pkg", noise(7, 1000));
    let ran = stage.run(&["upload", &file]).succeeded();
    assert_snapshot!(ran.stderr, @"
    warn  the state was damaged and is now [STAGE]/state/state.db.damaged-1; what it remembered is found out again
    warn  Jamf marked /v1/jcds/* deprecated on 2025-08-28; they are still served; `route: packages-api` does without them
    ");
    assert!(folder.join("state.db.damaged-1").exists());
}
