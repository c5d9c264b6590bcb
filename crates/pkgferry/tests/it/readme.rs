//! README is a promise: every command in it runs here, and its tables are those of the program.

use crate::stage::{Ran, Server, Stage, repository};
use crate::unattended::Listening;
use std::ffi::OsStr;
use std::process::Command;

fn readme() -> String {
    std::fs::read_to_string(repository().join("README.md")).unwrap()
}

/// The bodies of fenced blocks of one kind.
fn blocks(kind: &str) -> Vec<String> {
    let text = readme();
    let fence = format!("```{kind}\n");
    text.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

/// Lines of shell blocks, continued lines joined.
fn commands() -> Vec<String> {
    let joined = blocks("sh").join("\n").replace("\\\n", " ");
    joined
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_command_of_the_readme_does_what_it_says() {
    let (mut stage, server) = Stage::with_server();
    let ear = Listening::start();
    stage.set("PKGFERRY_NOTIFY_WEBHOOK", &format!("{}/hook", ear.address));
    let production = Server::start(stage.path("production"), |_| {});
    settle_servers(&stage, &server, &production);
    let example = std::fs::read(crate::stage::example_package()).unwrap();
    stage.write("Firefox-140.0.pkg", &example);
    for recipe in blocks("yaml") {
        stage.write("Firefox.jamf.recipe.yaml", recipe);
    }
    stage.write("nightly.txt", "# one recipe a line\nFirefox.jamf.recipe.yaml\n");
    let mut ran = 0;
    for line in commands() {
        let line = line.replace("cargo run -q -p pkgferry --", "pkgferry");
        if line.starts_with("cargo test")
            || line.contains("pkgferry sandbox")
            || line.starts_with("cargo install")
            || line.starts_with("cargo run -p bench")
        {
            // The first is this very test, the second has tests of its own, the third builds what is built, and the last
            // has a smaller run of its own.
            continue;
        }
        let in_repository = line.contains("recipes/");
        let script = line.replacen("pkgferry", env!("CARGO_BIN_EXE_pkgferry"), 1);
        let folder = if in_repository { repository() } else { stage.path("") };
        let template = stage.command(&[]);
        // Who names servers has no other one in the environment.
        let names_servers = line.contains("--server") || line.contains("promote");
        let leads_to_one = |name: &OsStr| {
            ["JSS_URL", "CLIENT_ID", "CLIENT_SECRET", "PKGFERRY_S3_ENDPOINT"].iter().any(|one| name == *one)
        };
        let variables = template.get_envs().filter_map(|(name, value)| Some((name, value?)));
        let variables = variables.filter(|(name, _)| !(names_servers && leads_to_one(name)));
        let output = Command::new("/bin/sh")
            .args(["-c", &script])
            .env_clear()
            .envs(variables)
            .env("PATH", "/usr/bin:/bin")
            .current_dir(folder)
            .output()
            .unwrap();
        let result = Ran::new(output, &stage.path(""));
        assert_eq!(result.code, 0, "{line}\n{}", result.shown());
        ran += 1;
    }
    assert!(ran >= 6, "only {ran} commands were found");
    assert!(!server.files().is_empty());
    assert_eq!(production.names(), ["Firefox-140.0.pkg"]);
}

/// The settings file of the README, its servers those of the rehearsal.
fn settle_servers(stage: &Stage, test: &Server, production: &Server) {
    let mut text = blocks("toml").into_iter().find(|block| block.starts_with("[servers.")).unwrap();
    for (name, server) in [("test", test), ("production", production)] {
        let at = server.connection();
        for (shown, real) in [
            (
                format!("https://{name}.jamfcloud.com\""),
                format!("{}\"\nPKGFERRY_S3_ENDPOINT = {:?}", at.jss_url, at.s3_endpoint),
            ),
            (format!("{name}-id"), at.client_id.clone()),
            (format!("{name}-secret"), at.client_secret.clone()),
        ] {
            assert!(text.contains(&shown), "the settings of the README lack {shown}");
            text = text.replace(&shown, &real);
        }
    }
    let folder = stage.path("home/.config/pkgferry");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("settings.toml");
    std::fs::write(&file, text).unwrap();
    std::fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}

#[test]
fn the_output_that_it_shows_is_the_output() {
    let stage = Stage::new();
    let [yaml, plist] = ["yaml", "plist"].map(|kind| format!("recipes/ExampleApp.jamf.recipe.{kind}"));
    let ran = stage.run(&["run", &yaml, &plist, "--sandbox"]).succeeded();
    let shown = blocks("text").into_iter().find(|block| block.starts_with("com.github.pkgferry")).unwrap();
    assert_eq!(
        shown.replace("proven after 0 s", "proven after [N] s"),
        ran.stdout.replace("good until [TIME]", "good until 2026-11-21T09:56:16Z")
    );
}

#[test]
fn its_table_of_who_is_told_is_read() {
    let stage = Stage::new();
    let text = blocks("toml").into_iter().find(|block| block.starts_with("[notify]")).unwrap();
    let settings = stage.write("settings.toml", text.replace("slack", "slick"));
    let recipe = "recipes/ExampleApp.jamf.recipe.yaml";
    let ran = stage.run(&["check", recipe, "--settings", &settings]);
    assert!(ran.stderr.contains("notify.slick: there is no such setting"), "{}", ran.shown());
    let settings = stage.write("settings.toml", text);
    stage.run(&["check", recipe, "--settings", &settings]).succeeded();
}

#[test]
fn its_exit_codes_are_those_of_the_program() {
    let help = Stage::new().run(&["--help"]).succeeded().stdout;
    let text = readme();
    let codes =
        help.split("Exit codes:").nth(1).unwrap().lines().filter_map(|line| line.trim().split_once(' '));
    for (code, meaning) in codes {
        let row = format!("| {code} | {} |", meaning.trim());
        assert!(text.contains(&row), "README lacks {row}");
    }
}
