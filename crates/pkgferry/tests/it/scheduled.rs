//! What `pkgferry schedule` prints, run as it is printed, and what it says is still missing.

use crate::batch::recipes;
use crate::schedule::{PROGRAM, schedule, yaml};
use crate::stage::{Ran, Stage};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

#[test]
fn what_a_unit_runs_is_what_this_program_takes() {
    let (stage, server) = Stage::with_server();
    let folder = recipes(&stage, 2);
    let list =
        stage.write("nightly.txt", format!("{folder}/App0000.recipe.yaml\n{folder}/App0001.recipe.yaml\n"));
    let settings = stage.write("settings.toml", "pkg_notes = \"from the settings\"\n");
    let page = stage.path("run.html").to_str().unwrap().to_owned();
    let logs = stage.path("").to_str().unwrap().to_owned();
    let line = format!(
        "launchd --every 6h --logs {logs} --recipe-list {list} --settings {settings} --user me {PROGRAM} \
         -- --jobs 2 --deadline 2h30m --shard 1/1 --notify-on failure --report {page}"
    );
    let unit =
        schedule(&stage, &line).succeeded().stdout.replace("[STAGE]", stage.path("").to_str().unwrap());
    let unit = plist::Value::from_reader_xml(unit.as_bytes()).unwrap().into_dictionary().unwrap();
    let words = unit["ProgramArguments"].as_array().unwrap().iter().map(|word| word.as_string().unwrap());
    let words: Vec<&str> = words.skip(1).collect();
    stage.run(&words).succeeded();
    assert_eq!(server.names().len(), 2);
    assert!(server.packages().iter().all(|package| package["notes"] == "from the settings"));
    assert!(std::fs::read_to_string(page).unwrap().contains("App1.pkg"));
}

/// Runs a script of a unit as a runner does: in a copy of the repository, with pkgferry in the `PATH`.
fn runner(stage: &Stage, script: &str, variables: &[(&str, &str)]) -> Ran {
    let template = stage.command(&[]);
    let given = template.get_envs().filter_map(|(name, value)| Some((name, value?)));
    let program = Path::new(env!("CARGO_BIN_EXE_pkgferry")).parent().unwrap();
    let output = Command::new("bash")
        .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script])
        .env_clear()
        .envs(given)
        .envs(variables.iter().copied())
        .env("PATH", format!("{}:/usr/bin:/bin", program.display()))
        .current_dir(stage.path(""))
        .output()
        .unwrap();
    Ran::new(output, &stage.path(""))
}

fn step(workflow: &Value, job: &str, name: &str) -> String {
    let steps = workflow["jobs"][job]["steps"].as_array().unwrap();
    let step = steps.iter().find(|step| step["name"] == name).unwrap();
    step["run"].as_str().unwrap().to_owned()
}

/// Two shards carry what is to carry, and the job behind them tells of both; one that left nothing is a failure.
#[test]
fn a_workflow_of_shards_ends_in_one_report() {
    let (stage, server) = Stage::with_server();
    recipes(&stage, 4);
    let list: String = (0..4).map(|number| format!("recipes/App000{number}.recipe.yaml\n")).collect();
    stage.write("nightly.txt", list);
    let line = "github-actions --at 03:00 --shards 2 --recipe-list nightly.txt";
    let workflow = yaml(&schedule(&stage, line).succeeded());
    let run = step(&workflow, "run", "Run the recipes");
    for shard in ["1/2", "2/2"] {
        runner(&stage, &run, &[("PKGFERRY_SHARD", shard)]).succeeded();
    }
    assert_eq!(server.names().len(), 4);
    assert!(stage.path("pkgferry-state").is_dir(), "nothing is remembered where the cache looks for it");
    // What the artifacts do: all shards' folders come together.
    std::fs::rename(stage.path("pkgferry-reports"), stage.path("pkgferry-shards")).unwrap();
    let merge = step(&workflow, "report", "Merge the reports");
    let merged = runner(&stage, &merge, &[]).succeeded();
    assert!(merged.stdout.starts_with("2 runs, 4 packages: 4 created"), "{}", merged.shown());
    let summary = stage.path("summary.md");
    let show = step(&workflow, "report", "Show the summary");
    runner(&stage, &show, &[("GITHUB_STEP_SUMMARY", summary.to_str().unwrap())]).succeeded();
    assert!(std::fs::read_to_string(summary).unwrap().contains("App3.pkg"));

    std::fs::remove_dir_all(stage.path("pkgferry-shards/shard-2")).unwrap();
    let lacking = runner(&stage, &merge, &[]);
    assert_eq!(lacking.code, 130, "{}", lacking.shown());
    std::fs::remove_dir_all(stage.path("pkgferry-shards/shard-1")).unwrap();
    assert_eq!(runner(&stage, &merge, &[]).code, 6);
}

/// A runner that seems to have pkgferry gets none.
#[test]
fn pkgferry_is_installed_where_it_is_not() {
    let stage = Stage::new();
    let unit = |line: &str| schedule(&stage, &format!("{line} --at 03:00 Firefox.jamf")).succeeded().stdout;
    for line in ["github-actions", "github-actions --runs-on ubuntu-24.04", "gitlab", "gitlab --tag docker"] {
        assert!(unit(line).contains("cargo install --locked --git"), "{line}");
    }
    for line in [
        "github-actions --runs-on self-hosted --runs-on macOS",
        "github-actions --install none",
        "github-actions --program tools/pkgferry",
        "gitlab --install none",
        "gitlab --program tools/pkgferry",
        "gitlab --image registry.example.com/pkgferry:1",
    ] {
        let unit = unit(line);
        assert!(!unit.contains("cargo") && !unit.contains("none"), "{line}\n{unit}");
    }
    // It is the command that README names.
    let readme = std::fs::read_to_string(crate::stage::repository().join("README.md")).unwrap();
    let workflow: Value = serde_yaml::from_str(&unit("github-actions")).unwrap();
    let command = step(&workflow, "run", "Install pkgferry");
    assert!(readme.lines().any(|line| line == command), "README does not name {command}");
}

/// What the text on standard error says is missing.
fn missing(ran: &Ran) -> String {
    ran.stderr.split("\nStill missing:\n").nth(1).unwrap_or_default().to_owned()
}

#[test]
fn what_is_missing_on_a_machine() {
    let stage = Stage::new();
    let list = stage.write("nightly.txt", "Firefox.jamf\n");
    let settings = stage.write("settings.toml", "");
    let told = |more: &str, text: &str| {
        stage.write("settings.toml", text);
        let line = format!("systemd --at 03:00 --recipe-list {list} --settings {settings} {more}");
        missing(&schedule(&stage, &line).succeeded())
    };
    let place = "JSS_URL = \"https://example.jamfcloud.com\"\n";
    let account = "CLIENT_ID = \"x\"\nCLIENT_SECRET = \"credential:CLIENT_SECRET\"\n";
    assert_eq!(told("", &format!("{place}{account}")), "");
    assert_eq!(told("--url https://example.jamfcloud.com --client-id x", "CLIENT_SECRET = \"env:X\"\n"), "");
    let gateway = "JAMF_REGION = \"eu\"\nJAMF_TENANT_ID = \"x\"\n";
    assert_eq!(told("", &format!("{gateway}{account}")), "");
    // systemd hands secrets on in files, which only settings name.
    insta::assert_snapshot!(told("--secret CLIENT_SECRET", &format!("{place}CLIENT_ID = \"x\"\n")), @"- CLIENT_SECRET: left out by [STAGE]/settings.toml and by the options");
    insta::assert_snapshot!(told("--username ferry", place), @"- API_PASSWORD: left out by [STAGE]/settings.toml and by the options");
    let two = format!("{account}[servers.test]\n{place}[servers.production]\n");
    assert_eq!(told("--server test", &two), "");
    insta::assert_snapshot!(told("--server test --server production", &two), @"- JSS_URL: left out by [STAGE]/settings.toml and by the options");
    insta::assert_snapshot!(told("--server tset", &two), @"- the settings file: there is no server called tset; [STAGE]/settings.toml has production, test");
    insta::assert_snapshot!(told("", "JSS_URL ="), @"- the settings file: [STAGE]/settings.toml:1: string values must be quoted, expected literal string");

    std::fs::remove_file(&list).unwrap();
    std::fs::remove_file(&settings).unwrap();
    let line = format!("cron --at 03:00 --recipe-list {list} --settings {settings} {PROGRAM}");
    insta::assert_snapshot!(missing(&schedule(&stage, &line).succeeded()), @"
    - pkgferry itself: /opt/ferry/bin/pkgferry is not on this machine
    - the recipe list: [STAGE]/nightly.txt is not on this machine
    - the settings file: [STAGE]/settings.toml is not on this machine; it has to name JSS_URL, CLIENT_ID and CLIENT_SECRET
    ");
    // Somebody's own crontab finds somebody's own settings.
    let own = "cron --at 03:00 Firefox.jamf";
    assert_ne!(missing(&schedule(&stage, own).succeeded()), "");
    std::fs::create_dir_all(stage.path("home/.config/pkgferry")).unwrap();
    stage.write(
        "home/.config/pkgferry/settings.toml",
        format!("{place}CLIENT_ID = \"x\"\nCLIENT_SECRET = \"env:X\"\n"),
    );
    assert_eq!(missing(&schedule(&stage, own).succeeded()), "");
}

#[test]
fn what_is_missing_elsewhere() {
    let stage = Stage::new();
    let told = |line: &str| missing(&schedule(&stage, &format!("{line} --at 03:00")).succeeded());
    let all = "--secret JSS_URL --secret CLIENT_ID --secret CLIENT_SECRET";
    insta::assert_snapshot!(told("github-actions --recipe-list no-such.txt --secret CLIENT_SECRET"), @"
    - the recipe list: no-such.txt is not below this folder; the repository has to hold it
    - JSS_URL and CLIENT_ID: add --secret JSS_URL --secret CLIENT_ID, and gh secret set JSS_URL; gh secret set CLIENT_ID
    ");
    insta::assert_snapshot!(told("gitlab --install none Firefox.jamf"), @"
    - pkgferry itself: the runner has to have it as pkgferry
    - JSS_URL, CLIENT_ID and CLIENT_SECRET: add --secret JSS_URL --secret CLIENT_ID --secret CLIENT_SECRET, and cat | glab variable set JSS_URL --masked --raw; cat | glab variable set CLIENT_ID --masked --raw; cat | glab variable set CLIENT_SECRET --masked --raw
    ");
    insta::assert_snapshot!(told(&format!("gitlab --image ferry:1 Firefox.jamf {all}")), @"- pkgferry itself: the image ferry:1 has to hold it as pkgferry");
    insta::assert_snapshot!(told("kubernetes --image ferry:1 --recipe-list /etc/pkgferry/nightly.txt"), @"
    - pkgferry itself: the image ferry:1 has to hold it as pkgferry
    - the recipe list: /etc/pkgferry/nightly.txt is in no ConfigMap; name one with --config-map
    - JSS_URL, CLIENT_ID and CLIENT_SECRET: add --secret JSS_URL --secret CLIENT_ID --secret CLIENT_SECRET with --secrets-from, or name a settings file of a ConfigMap (--config-map, --settings FILE)
    ");
    insta::assert_snapshot!(told("kubernetes --image ferry:1 --secrets-from jamf Firefox.jamf"), @"
    - pkgferry itself: the image ferry:1 has to hold it as pkgferry
    - JSS_URL, CLIENT_ID and CLIENT_SECRET: the Secret jamf has to hold them, or a settings file of the ConfigMap (--settings FILE)
    ");
    for line in ["github-actions", "gitlab"] {
        assert_eq!(told(&format!("{line} Firefox.jamf {all}")), "");
        assert_eq!(
            told(&format!(
                "{line} Firefox.jamf --url https://x.jamfcloud.com --secret API_USERNAME --secret API_PASSWORD"
            )),
            ""
        );
    }
    // What the ConfigMap holds, nobody can see from here.
    let map =
        "kubernetes --image ferry:1 --config-map nightly --settings settings.toml --recipe-list nightly.txt";
    assert!(!told(map).contains("JSS_URL") && !told(map).contains("nightly.txt"), "{}", told(map));
}
