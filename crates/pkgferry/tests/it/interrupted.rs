use crate::stage::{Ran, Server, Stage, noise};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const MIB: usize = 1 << 20;

/// Starts an upload and leaves it running.
fn start(stage: &Stage, file: &str) -> Child {
    let mut command = stage.command(&["upload", file, "-k", "part_size_mib=8", "-k", "upload_concurrency=1"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Lets it run until the server has answered this many requests of S3, or until it ends.
fn until_requests(server: &Server, child: &mut Child, number: usize) {
    server.until_or_ended("requests of S3", child, |requests| {
        requests.iter().filter(|request| request.side == sandbox::Side::S3).count() >= number
    });
}

fn signal(child: &Child, name: &str) {
    Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
}

/// The promise of safe replace, in the hardest way: no chance to clean up.
#[test]
fn a_killed_upload_leaves_the_old_file_or_the_new_one_and_a_rerun_mends_it() {
    let (stage, server) = Stage::with_server();
    let old = noise(1, 3 * MIB);
    let new = noise(2, 33 * MIB);
    for answered in 0..=6 {
        let name = format!("App{answered}.pkg");
        let file = stage.write(&name, &old);
        stage.run(&["upload", &file]).succeeded();
        stage.write(&name, &new);
        server.clear_journal();
        let mut child = start(&stage, &file);
        until_requests(&server, &mut child, answered);
        child.kill().unwrap();
        child.wait().unwrap();

        let is_old = server.bytes_of(&name).as_deref() == Some(old.as_slice());
        assert!(
            is_old || server.tells_of_a_deletion(&name),
            "killed after {answered} requests: the old file is gone"
        );
        stage.run(&["upload", &file]).succeeded();
        assert!(server.bytes_of(&name).as_deref() == Some(new.as_slice()));
    }
    assert!(server.names().iter().all(|name| !name.contains('_')), "{:?}", server.names());
}

#[test]
fn an_interrupt_ends_with_130_and_leaves_nothing_behind() {
    for name in ["-INT", "-TERM"] {
        let (stage, server) = Stage::with_server();
        let old = noise(1, MIB);
        let file = stage.write("App.pkg", &old);
        stage.run(&["upload", &file]).succeeded();
        stage.write("App.pkg", noise(2, 100 * MIB));
        server.clear_journal();
        let mut child = start(&stage, &file);
        until_requests(&server, &mut child, 2);
        signal(&child, name);
        let ran = Ran::new(child.wait_with_output().unwrap(), &stage.path(""));
        assert_eq!(ran.code, 130, "{}", ran.shown());
        assert!(server.open_uploads().is_empty(), "the multipart upload was not aborted");
        assert_eq!(server.bytes_of("App.pkg").unwrap(), old);
    }
}

/// The first interrupt waits for the commit, the second does not.
#[test]
fn a_second_interrupt_ends_the_commit_at_once() {
    use std::io::{BufRead as _, BufReader};

    let (stage, server) = Stage::with_server();
    let file = stage.write("App.pkg", noise(1, MIB));
    stage.run(&["upload", &file]).succeeded();
    stage.write("App.pkg", noise(2, MIB));
    server.clear_journal();
    // The old file stays listed, so that the commit waits for its name.
    server.inject("delete-late=600".parse().unwrap());
    let mut child = start(&stage, &file);
    server.until("the deletion", |requests| requests.iter().any(|request| request.method == "DELETE"));
    signal(&child, "-INT");
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let waits = said.find(|line| line.as_ref().unwrap().contains("finishing the commit"));
    assert!(waits.is_some(), "the first interrupt was not heard");
    assert!(child.try_wait().unwrap().is_none(), "the first interrupt ended the commit");
    signal(&child, "-INT");
    let second = Instant::now();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(second.elapsed() < Duration::from_secs(20), "the second interrupt was not heard");
    // What is left is known, so that the next run can put it in place.
    let state = state::State::open(&stage.path("home/.local/state/pkgferry")).unwrap().state;
    assert_eq!(state.left_over().unwrap()[0].phase, state::Phase::Deleting);
}
