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
        let line = format!("systemd --at 03:00 --recipe-list {list} --settings {settings} --user me {more}");
        missing(&schedule(&stage, &line).succeeded())
    };
    let place = "JSS_URL = \"https://example.jamfcloud.com\"\n";
    let account = "CLIENT_ID = \"x\"\nCLIENT_SECRET = \"credential:CLIENT_SECRET\"\n";
    assert_eq!(told("--secret CLIENT_SECRET", &format!("{place}{account}")), "");
    let account = account.replace("credential:CLIENT_SECRET", "command:/opt/op read op://it/jamf/secret");
    assert_eq!(told("", &format!("{place}{account}")), "");
    let secret = "CLIENT_SECRET = \"command:/opt/op read op://it/jamf/secret\"\n";
    assert_eq!(told("--url https://example.jamfcloud.com --client-id x", secret), "");
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
        format!("{place}CLIENT_ID = \"x\"\nCLIENT_SECRET = \"file:~/secret\"\n"),
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

/// Runs `pkgferry schedule` in the root of a repository.
fn schedule_in_root(stage: &Stage, line: &str) -> Ran {
    let words = shlex::split(&format!("schedule {line}")).unwrap();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let output = stage.command(&words).current_dir(stage.path("")).output().unwrap();
    Ran::new(output, stage.path("settings.toml").parent().unwrap())
}

/// What is missing for a unit that is made there.
fn told_of(stage: &Stage, line: &str) -> String {
    missing(&schedule_in_root(stage, &format!("{line} --at 03:00 Firefox.jamf")).succeeded())
}

/// Settings for a server, with the addresses of README.
const KEPT: &str = r#"
JSS_URL = "https://example.jamfcloud.com"
CLIENT_ID = "x"
CLIENT_SECRET = "env:MYSECRET"

[notify]
slack = "file:~/.config/pkgferry/slack"
webhook = "env:OPS_WEBHOOK"
heartbeat = "env:HEARTBEAT_URL"
"#;

#[test]
fn secrets_that_the_run_would_not_get_are_named() {
    let stage = Stage::new();
    stage.write("nightly.txt", "Firefox.jamf\n");
    stage.write("settings.toml", KEPT);
    let folder = stage.path("").to_str().unwrap().trim_end_matches('/').to_owned();
    let told = |line: &str| {
        let (scheduler, more) = line.split_once(' ').unwrap_or((line, ""));
        let at = match scheduler {
            "github-actions" | "gitlab" => String::new(),
            _ => format!("{folder}/"),
        };
        let line = format!(
            "{scheduler} --at 03:00 --recipe-list {at}nightly.txt --settings {at}settings.toml {more}"
        );
        missing(&schedule_in_root(&stage, &line).succeeded())
    };
    insta::assert_snapshot!(told("github-actions"), @"
    - the variable MYSECRET, which CLIENT_SECRET of settings.toml refers to; add --secret MYSECRET, and gh secret set MYSECRET
    - notify.slack of settings.toml is kept in file:~/.config/pkgferry/slack, which no runner has; write env:PKGFERRY_NOTIFY_SLACK in its place, add --secret PKGFERRY_NOTIFY_SLACK, and gh secret set PKGFERRY_NOTIFY_SLACK
    - the variable OPS_WEBHOOK, which notify.webhook of settings.toml refers to; add --secret OPS_WEBHOOK, and gh secret set OPS_WEBHOOK
    - the variable HEARTBEAT_URL, which notify.heartbeat of settings.toml refers to; add --secret HEARTBEAT_URL, and gh secret set HEARTBEAT_URL
    ");
    let given =
        "--secret MYSECRET --secret OPS_WEBHOOK --secret PKGFERRY_NOTIFY_SLACK --secret HEARTBEAT_URL";
    for line in ["github-actions", "gitlab"] {
        assert_eq!(told(&format!("{line} {given}")), "");
        // Variables win over settings.
        let usual = given.replace("MYSECRET", "CLIENT_SECRET").replace("OPS_", "PKGFERRY_NOTIFY_");
        assert_eq!(told(&format!("{line} {usual}")), "");
    }
    insta::assert_snapshot!(told("gitlab --install none --program nightly.txt --secret OPS_WEBHOOK"), @"
    - the variable MYSECRET, which CLIENT_SECRET of settings.toml refers to; add --secret MYSECRET, and cat | glab variable set MYSECRET --masked --raw
    - notify.slack of settings.toml is kept in file:~/.config/pkgferry/slack; the runner has to have it
    - the variable HEARTBEAT_URL, which notify.heartbeat of settings.toml refers to; add --secret HEARTBEAT_URL, and cat | glab variable set HEARTBEAT_URL --masked --raw
    ");
    insta::assert_snapshot!(told("systemd --secret OPS_WEBHOOK"), @"
    - the variable MYSECRET, which CLIENT_SECRET of [STAGE]/settings.toml refers to; the unit sets none: write credential:MYSECRET for env:MYSECRET, and add --secret MYSECRET
    - notify.slack of [STAGE]/settings.toml is kept in file:~/.config/pkgferry/slack, and the run has a user of its own who cannot read it; give --user NAME, or write credential:PKGFERRY_NOTIFY_SLACK in its place and add --secret PKGFERRY_NOTIFY_SLACK
    - the variable OPS_WEBHOOK, which notify.webhook of [STAGE]/settings.toml refers to; the unit sets none: write credential:OPS_WEBHOOK for env:OPS_WEBHOOK
    - the variable HEARTBEAT_URL, which notify.heartbeat of [STAGE]/settings.toml refers to; the unit sets none: write credential:HEARTBEAT_URL for env:HEARTBEAT_URL, and add --secret HEARTBEAT_URL
    ");
    insta::assert_snapshot!(told("systemd --user me"), @"
    - the variable MYSECRET, which CLIENT_SECRET of [STAGE]/settings.toml refers to; the unit sets none: write credential:MYSECRET for env:MYSECRET, and add --secret MYSECRET
    - the variable OPS_WEBHOOK, which notify.webhook of [STAGE]/settings.toml refers to; the unit sets none: write credential:OPS_WEBHOOK for env:OPS_WEBHOOK, and add --secret OPS_WEBHOOK
    - the variable HEARTBEAT_URL, which notify.heartbeat of [STAGE]/settings.toml refers to; the unit sets none: write credential:HEARTBEAT_URL for env:HEARTBEAT_URL, and add --secret HEARTBEAT_URL
    ");
    insta::assert_snapshot!(told("launchd"), @"
    - the variable MYSECRET, which CLIENT_SECRET of [STAGE]/settings.toml refers to; the unit sets none: write file:PATH or keychain:SERVICE/ACCOUNT for env:MYSECRET
    - notify.slack of [STAGE]/settings.toml is kept in file:~/.config/pkgferry/slack, and launchd gives the run no HOME; write the whole path
    - the variable OPS_WEBHOOK, which notify.webhook of [STAGE]/settings.toml refers to; the unit sets none: write file:PATH or keychain:SERVICE/ACCOUNT for env:OPS_WEBHOOK
    - the variable HEARTBEAT_URL, which notify.heartbeat of [STAGE]/settings.toml refers to; the unit sets none: write file:PATH or keychain:SERVICE/ACCOUNT for env:HEARTBEAT_URL
    ");
    insta::assert_snapshot!(told("cron"), @"
    - the variable MYSECRET, which CLIENT_SECRET of [STAGE]/settings.toml refers to; the unit sets none: write file:PATH or command:… for env:MYSECRET
    - the variable OPS_WEBHOOK, which notify.webhook of [STAGE]/settings.toml refers to; the unit sets none: write file:PATH or command:… for env:OPS_WEBHOOK
    - the variable HEARTBEAT_URL, which notify.heartbeat of [STAGE]/settings.toml refers to; the unit sets none: write file:PATH or command:… for env:HEARTBEAT_URL
    ");

    // Two servers, each with a secret of its own.
    stage.write(
        "settings.toml",
        "CLIENT_ID = \"x\"\n[servers.test]\nJSS_URL = \"t\"\nCLIENT_SECRET = \"file:/t\"\n\
         [servers.main-eu]\nJSS_URL = \"m\"\nCLIENT_SECRET = \"env:M\"\n",
    );
    insta::assert_snapshot!(told("github-actions --server test --server main-eu --secret CLIENT_SECRET"), @"
    - CLIENT_SECRET of [servers.test] of settings.toml is kept in file:/t, which no runner has; write env:TEST_CLIENT_SECRET in its place, add --secret TEST_CLIENT_SECRET, and gh secret set TEST_CLIENT_SECRET
    - the variable M, which CLIENT_SECRET of [servers.main-eu] of settings.toml refers to; add --secret M, and gh secret set M
    ");
    assert_eq!(told("github-actions --server main-eu --secret M"), "");

    stage.write("settings.toml", KEPT.replace("env:MYSECRET", "credential:A").replace("env:", "credential:"));
    insta::assert_snapshot!(told("systemd --secret A --user me"), @"
    - notify.webhook of [STAGE]/settings.toml is kept in credential:OPS_WEBHOOK; add --secret OPS_WEBHOOK
    - notify.heartbeat of [STAGE]/settings.toml is kept in credential:HEARTBEAT_URL; add --secret HEARTBEAT_URL
    ");
    insta::assert_snapshot!(told("cron"), @"
    - CLIENT_SECRET of [STAGE]/settings.toml is kept in credential:A, which systemd alone hands on; write file:PATH or command:… in its place
    - notify.webhook of [STAGE]/settings.toml is kept in credential:OPS_WEBHOOK, which systemd alone hands on; write file:PATH or command:… in its place
    - notify.heartbeat of [STAGE]/settings.toml is kept in credential:HEARTBEAT_URL, which systemd alone hands on; write file:PATH or command:… in its place
    ");
}

/// A home folder and programs are what the scheduler gives the run, and not what whoever makes the unit has.
#[test]
fn secrets_are_looked_for_as_the_scheduler_would() {
    let stage = Stage::new();
    let settings = stage.write(
        "settings.toml",
        r#"
JSS_URL = "https://example.jamfcloud.com"
CLIENT_ID = "x"
CLIENT_SECRET = "file:~/sec"
API_PASSWORD = ["no-such-op", "read", "op://it/jamf/secret"]

[notify]
slack = "command:sh -c 'echo in every PATH'"
teams = "command:/opt/homebrew/bin/op read op://it/teams/address"
webhook = "command:tools/address"
"#,
    );
    std::fs::create_dir(stage.path("tools")).unwrap();
    let tool = stage.write("tools/address", "");
    let told = |line: &str| told_of(&stage, &format!("{line} --settings {settings}"));
    let folder = tool.strip_suffix("/tools/address").unwrap();
    insta::assert_snapshot!(told("launchd"), @"
    - API_PASSWORD of [STAGE]/settings.toml is kept in command:no-such-op (2 arguments), and launchd gives the run PATH=/usr/bin:/bin:/usr/sbin:/sbin, where that program is not; write its whole path
    - CLIENT_SECRET of [STAGE]/settings.toml is kept in file:~/sec, and launchd gives the run no HOME; write the whole path
    - notify.webhook of [STAGE]/settings.toml is kept in command:tools/address, and launchd gives the run PATH=/usr/bin:/bin:/usr/sbin:/sbin, where that program is not; write its whole path
    ");
    insta::assert_snapshot!(told(&format!("launchd --working-dir {folder} --user me")), @"- API_PASSWORD of [STAGE]/settings.toml is kept in command:no-such-op (2 arguments), and launchd gives the run PATH=/usr/bin:/bin:/usr/sbin:/sbin, where that program is not; write its whole path");
    insta::assert_snapshot!(told(&format!("cron --working-dir {folder}")), @"- API_PASSWORD of [STAGE]/settings.toml is kept in command:no-such-op (2 arguments), and cron gives the run PATH=/usr/local/bin:/usr/bin:/bin, where that program is not; write its whole path");
    insta::assert_snapshot!(told(&format!("systemd --working-dir {folder} --user me")), @"- API_PASSWORD of [STAGE]/settings.toml is kept in command:no-such-op (2 arguments), and systemd gives the run PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin, where that program is not; write its whole path");
    insta::assert_snapshot!(told(&format!("systemd --working-dir {folder}")), @"
    - API_PASSWORD of [STAGE]/settings.toml is kept in command:no-such-op (2 arguments), and systemd gives the run PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin, where that program is not; write its whole path
    - CLIENT_SECRET of [STAGE]/settings.toml is kept in file:~/sec, and the run has a user of its own who cannot read it; give --user NAME, or write credential:CLIENT_SECRET in its place and add --secret CLIENT_SECRET
    ");
    // A runner has its own.
    let of_repository = "gitlab --install none --program settings.toml --settings settings.toml";
    insta::assert_snapshot!(told_of(&stage, of_repository), @"- CLIENT_SECRET of settings.toml is kept in file:~/sec; the runner has to have it");
}

/// Into a pod come the ConfigMap and what a Secret brings as variables.
#[test]
fn secrets_that_a_pod_would_not_get_are_named() {
    let stage = Stage::new();
    let kubernetes = "kubernetes --image ferry:1 --config-map nightly";
    let told = |more: &str| {
        let told = told_of(&stage, &format!("{kubernetes} {more}"));
        told.strip_prefix("- pkgferry itself: the image ferry:1 has to hold it as pkgferry\n")
            .unwrap()
            .to_owned()
    };
    insta::assert_snapshot!(told("--settings settings.toml"), @"- the settings file: settings.toml cannot be read from here; its secrets were not checked");
    let kept = KEPT.replace("env:HEARTBEAT_URL", "command:op read op://it/jamf/heartbeat");
    stage.write("settings.toml", &kept);
    insta::assert_snapshot!(told("--settings settings.toml"), @"
    - the variable MYSECRET, which CLIENT_SECRET of settings.toml refers to; add --secret MYSECRET with --secrets-from
    - notify.slack of settings.toml is kept in file:~/.config/pkgferry/slack, which no pod has; write env:PKGFERRY_NOTIFY_SLACK in its place, add --secret PKGFERRY_NOTIFY_SLACK with --secrets-from
    - the variable OPS_WEBHOOK, which notify.webhook of settings.toml refers to; add --secret OPS_WEBHOOK with --secrets-from
    - notify.heartbeat of settings.toml is kept in command:op (2 arguments); the image ferry:1 has to hold that program
    ");
    let given = "--secrets-from jamf --secret MYSECRET --secret PKGFERRY_NOTIFY_SLACK";
    // As the run finds it.
    insta::assert_snapshot!(told(&format!("--settings /etc/pkgferry/settings.toml {given}")), @"
    - the variable OPS_WEBHOOK, which notify.webhook of settings.toml refers to; add --secret OPS_WEBHOOK
    - notify.heartbeat of settings.toml is kept in command:op (2 arguments); the image ferry:1 has to hold that program
    ");
    insta::assert_snapshot!(told("--settings ./settings.toml --secrets-from jamf"), @"
    - the variable MYSECRET, which CLIENT_SECRET of settings.toml refers to; let the Secret jamf hold MYSECRET
    - notify.slack of settings.toml is kept in file:~/.config/pkgferry/slack, which no pod has; write env:PKGFERRY_NOTIFY_SLACK in its place, let the Secret jamf hold PKGFERRY_NOTIFY_SLACK
    - the variable OPS_WEBHOOK, which notify.webhook of settings.toml refers to; let the Secret jamf hold OPS_WEBHOOK
    - notify.heartbeat of settings.toml is kept in command:op (2 arguments); the image ferry:1 has to hold that program
    ");
    // In the image.
    insta::assert_snapshot!(told("--settings /opt/settings.toml"), @"- the settings file: /opt/settings.toml cannot be read from here; its secrets were not checked");

    let kept = kept.replace("env:MYSECRET", "keychain:jamf/ferry").replace("JSS_URL", "PKG_NOTES");
    stage.write("settings.toml", kept.split("[notify]").next().unwrap());
    insta::assert_snapshot!(told("--settings settings.toml"), @"
    - JSS_URL: left out by settings.toml and by the options
    - CLIENT_SECRET of settings.toml is kept in keychain:jamf/ferry, which no pod has; write env:CLIENT_SECRET in its place, add --secret CLIENT_SECRET with --secrets-from
    ");
    insta::assert_snapshot!(told("--settings settings.toml --secrets-from jamf"), @"
    - JSS_URL: left out by settings.toml and by the options; let the Secret jamf hold JSS_URL
    - CLIENT_SECRET of settings.toml is kept in keychain:jamf/ferry, which no pod has; write env:CLIENT_SECRET in its place, let the Secret jamf hold CLIENT_SECRET
    ");
    let all = "--secrets-from jamf --secret JSS_URL --secret CLIENT_SECRET";
    assert_eq!(told(&format!("--settings settings.toml {all}")), "");
    stage.write("settings.toml", "JSS_URL =");
    insta::assert_snapshot!(told("--settings settings.toml"), @"- the settings file: settings.toml:1: string values must be quoted, expected literal string");
}

/// The files of a ConfigMap and of a repository can be read by all, and such a file is refused for a secret in it.
#[cfg(unix)]
#[test]
fn a_secret_in_settings_for_all_is_named_whatever_wins_over_it() {
    use std::os::unix::fs::PermissionsExt;
    let stage = Stage::new();
    let settings =
        stage.write("settings.toml", "JSS_URL = \"u\"\nCLIENT_ID = \"x\"\nCLIENT_SECRET = \"hunter2\"\n");
    std::fs::set_permissions(settings, std::fs::Permissions::from_mode(0o600)).unwrap();
    let line = "--settings settings.toml --secret CLIENT_SECRET";
    insta::assert_snapshot!(told_of(&stage, &format!("gitlab {line}")), @"- CLIENT_SECRET stands in settings.toml, which the repository would hold for all its readers; write env:CLIENT_SECRET in its place");
    let pod = format!("kubernetes --image ferry:1 --config-map nightly --secrets-from jamf {line}");
    insta::assert_snapshot!(told_of(&stage, &pod), @"
    - pkgferry itself: the image ferry:1 has to hold it as pkgferry
    - CLIENT_SECRET stands in settings.toml, which the ConfigMap would hold for all its readers; write env:CLIENT_SECRET in its place
    ");
}

/// systemd's own user owns no file.
#[cfg(unix)]
#[test]
fn what_the_own_user_of_a_service_cannot_read_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let stage = Stage::new();
    let settings = stage.write("settings.toml", "");
    let told = |line: &str, text: &str| {
        stage.write("settings.toml", format!("JSS_URL = \"u\"\nCLIENT_ID = \"x\"\n{text}"));
        std::fs::set_permissions(&settings, std::fs::Permissions::from_mode(0o600)).unwrap();
        let line = format!("{line} --at 03:00 --settings {settings} Firefox.jamf");
        missing(&schedule_in_root(&stage, &line).succeeded())
    };
    let plain = "CLIENT_SECRET = \"hunter2\"\n";
    insta::assert_snapshot!(told("systemd", plain), @"- CLIENT_SECRET stands in [STAGE]/settings.toml, and the run has a user of its own who cannot read it; give --user NAME, or write credential:CLIENT_SECRET in its place and add --secret CLIENT_SECRET");
    insta::assert_snapshot!(told("systemd", "CLIENT_SECRET = \"file:/etc/pkgferry/secret\"\n"), @"
    - CLIENT_SECRET of [STAGE]/settings.toml is kept in file:/etc/pkgferry/secret, and the run has a user of its own who cannot read it; give --user NAME, or write credential:CLIENT_SECRET in its place and add --secret CLIENT_SECRET
    - the settings file: only its owner can read [STAGE]/settings.toml, and the run has a user of its own; chmod 644 [STAGE]/settings.toml, or give --user NAME
    ");
    insta::assert_snapshot!(told("systemd --secret S", "CLIENT_SECRET = \"credential:S\"\n"), @"- the settings file: only its owner can read [STAGE]/settings.toml, and the run has a user of its own; chmod 644 [STAGE]/settings.toml, or give --user NAME");
    for line in ["systemd --user me", "launchd", "cron"] {
        assert_eq!(told(line, plain), "");
    }
    told("cron", plain);
    let of_repository = "github-actions --at 03:00 --settings settings.toml Firefox.jamf";
    insta::assert_snapshot!(missing(&schedule_in_root(&stage, of_repository).succeeded()), @"- CLIENT_SECRET stands in settings.toml, which the repository would hold for all its readers; write env:CLIENT_SECRET in its place, add --secret CLIENT_SECRET, and gh secret set CLIENT_SECRET");
}

/// A settings file of a repository is no place for secrets.
#[test]
fn settings_of_a_repository_hold_no_secret() {
    let stage = Stage::new();
    let told = |line: &str| {
        let line = format!("{line} --at 03:00 --settings settings.toml Firefox.jamf");
        missing(&schedule_in_root(&stage, &line).succeeded())
    };
    insta::assert_snapshot!(told("github-actions"), @"- the settings file: settings.toml is not below this folder; the repository has to hold it; it has to name JSS_URL and CLIENT_ID, and holds no secret: add --secret CLIENT_SECRET, and gh secret set CLIENT_SECRET");
    insta::assert_snapshot!(told("gitlab --secret CLIENT_SECRET"), @"- the settings file: settings.toml is not below this folder; the repository has to hold it; it has to name JSS_URL and CLIENT_ID");
    insta::assert_snapshot!(told("gitlab --username x --url https://x.jamfcloud.com"), @"- the settings file: settings.toml is not below this folder; the repository has to hold it; it holds no secret: add --secret API_PASSWORD, and cat | glab variable set API_PASSWORD --masked --raw");
    stage.write("settings.toml", "CLIENT_ID = \"x\"\n");
    insta::assert_snapshot!(told("github-actions"), @"- JSS_URL and CLIENT_SECRET: left out by settings.toml and by the options; add --secret CLIENT_SECRET, and gh secret set CLIENT_SECRET");
}

/// Lines that are told are right where they are typed, wherever the files were put.
#[test]
fn paths_of_the_installing_start_at_the_root_of_the_repository() {
    let stage = Stage::new();
    let told = |line: &str| {
        let line = format!("{line} --at 03:00 --install none Firefox.jamf --force");
        let ran = schedule_in_root(&stage, &line).succeeded();
        let lines = ran.stderr.split("\n\nThen").next().unwrap().split("\n\nRun").next().unwrap().to_owned();
        format!("{}{lines}", ran.stdout)
    };
    insta::assert_snapshot!(told("github-actions --output units"), @"
    units/pkgferry-nightly.yml
    How to install it, from the root of the repository:

    mkdir -p .github/workflows && mv units/pkgferry-nightly.yml .github/workflows/
    git add .github/workflows/pkgferry-nightly.yml       # then commit it to the default branch: schedules run from there only
    ");
    insta::assert_snapshot!(told("github-actions --output ./.github/workflows"), @"
    ./.github/workflows/pkgferry-nightly.yml
    How to install it, from the root of the repository:

    git add .github/workflows/pkgferry-nightly.yml       # then commit it to the default branch: schedules run from there only
    ");
    insta::assert_snapshot!(told("gitlab --output ./units"), @r#"
    ./units/pkgferry-nightly.gitlab-ci.yml
    How to install it, from the root of the repository:

    git add units/pkgferry-nightly.gitlab-ci.yml      # and in .gitlab-ci.yml:

    include:
      - local: "/units/pkgferry-nightly.gitlab-ci.yml"
    "#);
    insta::assert_snapshot!(told("gitlab --output ."), @r#"
    ./pkgferry-nightly.gitlab-ci.yml
    How to install it, from the root of the repository:

    git add pkgferry-nightly.gitlab-ci.yml      # and in .gitlab-ci.yml:

    include:
      - local: "/pkgferry-nightly.gitlab-ci.yml"
    "#);
    let root = stage.path("units").parent().unwrap().display().to_string();
    insta::assert_snapshot!(told(&format!("github-actions --output {root}/units")), @"
    [STAGE]/units/pkgferry-nightly.yml
    How to install it, from the root of the repository:

    mkdir -p .github/workflows && mv [STAGE]/units/pkgferry-nightly.yml .github/workflows/
    git add .github/workflows/pkgferry-nightly.yml       # then commit it to the default branch: schedules run from there only
    ");
    insta::assert_snapshot!(told(&format!("gitlab --output {root}/units")), @r#"
    [STAGE]/units/pkgferry-nightly.gitlab-ci.yml
    How to install it, from the root of the repository:

    mv [STAGE]/units/pkgferry-nightly.gitlab-ci.yml .
    git add pkgferry-nightly.gitlab-ci.yml      # and in .gitlab-ci.yml:

    include:
      - local: "/pkgferry-nightly.gitlab-ci.yml"
    "#);
    // In a repository.
    std::fs::create_dir(stage.path(".git")).unwrap();
    insta::assert_snapshot!(told(&format!("gitlab --output '{root}/ci units'")), @r#"
    [STAGE]/ci units/pkgferry-nightly.gitlab-ci.yml
    How to install it, from the root of the repository:

    git add 'ci units/pkgferry-nightly.gitlab-ci.yml'      # and in .gitlab-ci.yml:

    include:
      - local: "/ci units/pkgferry-nightly.gitlab-ci.yml"
    "#);
    // They do what they say.
    for folder in ["units", ".github/workflows"] {
        let lines = told(&format!("github-actions --output {folder}"));
        let script: String = lines.lines().filter(|line| line.starts_with("mkdir")).collect();
        runner(&stage, &script, &[]).succeeded();
        assert!(stage.path(".github/workflows/pkgferry-nightly.yml").is_file(), "{lines}");
    }
}

/// What machines with a shard each leave is what the merging takes that is told with the units.
#[test]
fn reports_of_machines_become_one() {
    let (stage, server) = Stage::with_server();
    let folder = recipes(&stage, 4);
    let list: String = (0..4).map(|number| format!("{folder}/App000{number}.recipe.yaml\n")).collect();
    let list = stage.write("nightly.txt", list);
    let root = stage.path("units").parent().unwrap().display().to_string();
    let line = format!(
        "launchd --at 03:00 --shards 2 --recipe-list {list} --logs {root} --state {root}/state --output {root}/units {PROGRAM}"
    );
    let told = schedule(&stage, &line).succeeded().stderr;
    for shard in 1..=2 {
        let unit = stage.path(&format!("units/com.github.pkgferry.nightly.{shard}-of-2.plist"));
        let unit = plist::Value::from_file(unit).unwrap().into_dictionary().unwrap();
        let words = unit["ProgramArguments"].as_array().unwrap().iter().filter_map(plist::Value::as_string);
        stage.run(&words.skip(1).collect::<Vec<_>>()).succeeded();
        std::fs::rename(stage.path("pkgferry-nightly.json"), stage.path(&format!("shard-{shard}.json")))
            .unwrap();
    }
    assert_eq!(server.names().len(), 4);
    let merge = told.lines().find(|line| line.contains("report merge")).unwrap();
    let merged = runner(&stage, merge, &[]).succeeded();
    assert!(merged.stdout.starts_with("2 runs, 4 packages: 4 created"), "{}", merged.shown());
    assert!(stage.path("pkgferry-nightly.html").is_file());
}
