//! Who hears of a run, and of which runs.

use crate::stage::{Stage, noise, until};
use crate::unattended::{Listening, settings};
use std::process::{Command, Stdio};

/// Requests that a run has made of the addresses.
fn heard_of(stage: &Stage, ear: &Listening, arguments: &[&str]) -> usize {
    let before = ear.requests().len();
    stage.run(arguments);
    ear.requests().len() - before
}

#[test]
fn the_command_line_says_of_which_runs_somebody_is_told() {
    let (stage, _server) = Stage::with_server();
    let ear = Listening::start();
    let file = stage.path("App.pkg").to_str().unwrap().to_owned();
    settings(&stage, &format!("[notify]\nwebhook = \"{}/hook\"\non = \"always\"\n", ear.address), 0o600);
    for (on, of_nothing, of_change, of_failure) in
        [("always", 1, 1, 1), ("change", 0, 1, 1), ("failure", 0, 0, 1)]
    {
        stage.write("App.pkg", noise(on.as_bytes()[0].into(), 1000));
        let arguments = ["upload", &file, "--notify-on", on];
        assert_eq!(heard_of(&stage, &ear, &arguments), of_change, "{on}, replaced");
        assert_eq!(heard_of(&stage, &ear, &arguments), of_nothing, "{on}, skipped");
        std::fs::remove_file(&file).unwrap();
        assert_eq!(heard_of(&stage, &ear, &arguments), of_failure, "{on}, failed");
    }
    stage.write("App.pkg", noise(1, 1000));
    assert_eq!(heard_of(&stage, &ear, &["upload", &file, "--dry-run"]), 0, "nothing was done");
}

/// Silence is for runs that cannot say anything any more.
#[test]
fn a_run_that_is_ended_early_says_so_to_the_heartbeat() {
    let (stage, server) = Stage::with_server();
    let ear = Listening::start();
    settings(&stage, &format!("[notify]\nheartbeat = \"{}/beat\"\n", ear.address), 0o600);
    let file = stage.write("App.pkg", noise(1, 100 << 20));
    let recipe = format!(
        "Identifier: large\nParentRecipe: com.github.pkgferry.recipes.upload-package\nInput:\n  pkg_path: {file}\n  upload_concurrency: 1\n"
    );
    let recipe = stage.write("Large.recipe.yaml", recipe);
    let mut command = stage.command(&["run", &recipe]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    server.until("a part", |requests| requests.iter().any(|request| request.path.contains("partNumber=")));
    until("the ping", || !ear.requests().is_empty());
    assert_eq!(ear.requests(), ["POST /beat/start"]);
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(ear.requests(), ["POST /beat/start", "POST /beat/130"]);

    let mut killed = command.spawn().unwrap();
    until("the next ping", || ear.requests().len() == 3);
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert_eq!(ear.requests()[2..], ["POST /beat/start"], "and then silence");
}
