//! Two machines that send the same package at the same moment.

use crate::stage::{Ran, Server, Stage, noise};
use std::process::{Child, Stdio};

/// Starts an upload as a machine of its own does it: nothing of the other one's state is known there.
fn start(stage: &Stage, machine: &str, file: &str) -> Child {
    let home = stage.path(machine);
    std::fs::create_dir_all(&home).unwrap();
    let mut command = stage.command(&["upload", file]);
    command.env("HOME", home).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Both at once, until both have ended.
fn race(stage: &Stage, file: &str) -> [Ran; 2] {
    let both = ["one", "other"].map(|machine| start(stage, machine, file));
    both.map(|child| Ran::new(child.wait_with_output().unwrap(), &stage.path("")))
}

fn records_of(server: &Server, name: &str) -> usize {
    server.packages().iter().filter(|record| record["fileName"] == name).count()
}

#[test]
fn two_machines_that_send_the_same_end_in_one_file() {
    let (stage, server) = Stage::with_server();
    for round in 0..12 {
        let name = format!("App{round}.pkg");
        let bytes = noise(round, 300_000);
        if round % 3 == 2 {
            server.put_file(&name, &noise(100 + round, 1000));
        }
        let file = stage.write(&name, &bytes);
        let ran = race(&stage, &file);
        let told = || format!("round {round}\n{}\n{}", ran[0].shown(), ran[1].shown());

        let stem = format!("App{round}");
        let is_of_this_round =
            |listed: &String| listed.strip_prefix(&stem).is_some_and(|rest| rest.starts_with(['.', '_']));
        let listed: Vec<String> = server.names().into_iter().filter(is_of_this_round).collect();
        assert_eq!(listed, std::slice::from_ref(&name), "{}", told());
        assert!(server.bytes_of(&name).as_deref() == Some(bytes.as_slice()), "other bytes: {}", told());
        assert_eq!(records_of(&server, &name), 1, "{}", told());
        assert_eq!(server.open_uploads(), Vec::<String>::new(), "{}", told());
        let failed = ran.iter().filter(|ran| ran.code != 0).count();
        assert!(failed < 2, "{}", told());
        for ran in &ran {
            assert!(ran.code == 0 || ran.stderr.contains("error"), "{}", told());
            assert!(!ran.shown().contains("find out which of them"), "{}", told());
        }
    }
}
