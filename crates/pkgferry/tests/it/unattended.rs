//! Runs that nobody watches: what they leave, whom they tell, and where their secrets come from.

use crate::batch::recipes;
use crate::stage::{Ran, Stage, noise, until};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

/// Takes whatever is sent to it, and answers 200.
pub struct Listening {
    pub address: String,
    heard: Arc<Mutex<Vec<(String, String)>>>,
}

impl Listening {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let told = heard.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.unwrap());
                let (mut line, mut length) = (String::new(), 0);
                stream.read_line(&mut line).unwrap();
                let request = line.trim().to_owned();
                loop {
                    line.clear();
                    stream.read_line(&mut line).unwrap();
                    if line.trim().is_empty() {
                        break;
                    }
                    if let Some((name, value)) = line.split_once(':')
                        && name.eq_ignore_ascii_case("content-length")
                    {
                        length = value.trim().parse().unwrap();
                    }
                }
                let mut body = vec![0; length];
                stream.read_exact(&mut body).unwrap();
                told.lock().unwrap().push((request, String::from_utf8(body).unwrap()));
                stream
                    .get_mut()
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                    .unwrap();
            }
        });
        Self { address, heard }
    }

    pub fn requests(&self) -> Vec<String> {
        self.heard.lock().unwrap().iter().map(|(request, _)| request.replace(" HTTP/1.1", "")).collect()
    }

    pub fn last(&self) -> Value {
        serde_json::from_str(&self.heard.lock().unwrap().last().unwrap().1).unwrap()
    }
}

pub fn settings(stage: &Stage, text: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = stage.path("home/.config/pkgferry");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("settings.toml");
    std::fs::write(&file, text).unwrap();
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn webhooks_and_the_heartbeat_hear_of_the_run() {
    let (stage, _server) = Stage::with_server();
    let ear = Listening::start();
    let folder = recipes(&stage, 2);
    std::fs::write(format!("{folder}/Gone.recipe.yaml"), "Identifier: gone\nParentRecipe: com.github.pkgferry.recipes.upload-package\nInput:\n  pkg_path: /no/such/Gone.pkg\n").unwrap();
    let address = &ear.address;
    let text = format!(
        "[notify]\nwebhook = \"{address}/hook\"\nslack = \"{address}/slack\"\nteams = \"{address}/teams\"\n\
         heartbeat = \"{address}/beat\"\ntitle = \"nightly\"\non = \"failure\"\n"
    );
    settings(&stage, &text, 0o600);
    assert_eq!(stage.run(&["run", &folder]).code, 6);
    let mut requests = ear.requests();
    assert_eq!((requests[0].as_str(), requests.len()), ("POST /beat/start", 5));
    requests.sort_unstable();
    assert_eq!(requests, ["POST /beat/6", "POST /beat/start", "POST /hook", "POST /slack", "POST /teams"]);
    let heard = ear.heard.lock().unwrap().clone();
    let body = |path: &str| {
        let found = heard.iter().find(|(request, _)| request.starts_with(path)).unwrap();
        found.1.clone()
    };
    let hook: Value = serde_json::from_str(&body("POST /hook")).unwrap();
    let failed = &hook["failed"][0];
    assert_eq!(
        (&failed["package"], &failed["step"]["processor"]),
        (&"Gone.pkg".into(), &"compare-hash".into()),
        "{hook}"
    );
    assert!(failed["message"].as_str().unwrap().contains("/no/such/Gone.pkg"), "{hook}");
    for path in ["POST /slack", "POST /teams", "POST /beat/6"] {
        assert!(body(path).contains("Gone.pkg"), "{path}: {}", body(path));
    }

    // All is well, and nobody wanted to hear of that.
    std::fs::remove_file(format!("{folder}/Gone.recipe.yaml")).unwrap();
    ear.heard.lock().unwrap().clear();
    stage.run(&["run", &folder]).succeeded();
    assert_eq!(ear.requests(), ["POST /beat/start", "POST /beat"]);
    ear.heard.lock().unwrap().clear();
    stage.run(&["run", &folder, "--notify-on", "always"]).succeeded();
    assert_eq!(ear.requests().len(), 5);
}

/// Addresses are tried before the first night, and not by it.
#[test]
fn a_test_message_reaches_everybody_but_the_heartbeat() {
    let stage = Stage::new();
    let ear = Listening::start();
    let address = &ear.address;
    let text = format!(
        "[notify]\nslack = \"{address}/slack\"\nteams = \"{address}/teams\"\nwebhook = \"{address}/hook\"\n\
         heartbeat = \"{address}/beat\"\ntitle = \"nightly\"\non = \"failure\"\n"
    );
    settings(&stage, &text, 0o600);
    insta::assert_snapshot!(stage.run(&["notify"]).succeeded().shown(), @"
    exit 0
    --- stdout
      told       notify.slack: has taken a test message
      told       notify.teams: has taken a test message
      told       notify.webhook: has taken a test message
      not asked  notify.heartbeat: can be used; a ping would count as a run, so none was sent
    ");
    let mut requests = ear.requests();
    assert_eq!(ear.last()["title"], "nightly (test message)");
    requests.sort_unstable();
    assert_eq!(requests, ["POST /hook", "POST /slack", "POST /teams"]);
}

#[test]
fn what_keeps_a_test_message_from_arriving_is_said() {
    let stage = Stage::new();
    let ear = Listening::start();
    settings(&stage, "", 0o600);
    insta::assert_snapshot!(stage.run(&["notify"]).shown(), @r#"
    exit 3
    --- stderr
    pkgferry: nobody is told of runs: the settings have no address in [notify], and the environment has none
      hint: name one in [notify] of the settings file, such as slack = "file:~/.config/pkgferry/slack", or in PKGFERRY_NOTIFY_SLACK, PKGFERRY_NOTIFY_TEAMS or PKGFERRY_NOTIFY_WEBHOOK
    "#);
    let text = format!(
        "[notify]\nslack = \"env:NO_SUCH_NAME\"\nteams = \"http://127.0.0.1:1/teams\"\nwebhook = \"{}/hook\"\n\
         heartbeat = \"ftp://example.com\"\n",
        ear.address
    );
    settings(&stage, &text, 0o600);
    insta::assert_snapshot!(stage.run(&["notify"]).shown(), @"
    exit 3
    --- stdout
      fail       notify.slack: cannot get notify.slack: the environment variable NO_SUCH_NAME is not set
                 hint: set NO_SUCH_NAME where this is started from; a scheduler does not read the profile of a shell
      fail       notify.teams: no working connection to notify.teams: error sending request: client error (Connect): tcp connect error: Connection refused (os error 111)
                 hint: check the network, the proxy settings and the address
      told       notify.webhook: has taken a test message
      fail       notify.heartbeat: the address of notify.heartbeat cannot be used: it does not begin with https://
                 hint: copy the whole address from the service, https:// included
    ");
    assert_eq!(ear.requests(), ["POST /hook"]);
}

/// Shards that ping one address cover for each other; with `{shard}` in it the silence of one is noticed.
#[test]
fn each_shard_has_a_heartbeat_of_its_own() {
    let (mut stage, _server) = Stage::with_server();
    let ear = Listening::start();
    let folder = recipes(&stage, 2);
    stage.set("PKGFERRY_HEARTBEAT", &format!("{}/beat-{{shard}}", ear.address));
    stage.run(&["run", &folder, "--shard", "2/4"]).succeeded();
    assert_eq!(ear.requests(), ["POST /beat-2-of-4/start", "POST /beat-2-of-4"]);
    ear.heard.lock().unwrap().clear();
    stage.run(&["run", &folder]).succeeded();
    assert_eq!(ear.requests(), ["POST /beat-all/start", "POST /beat-all"]);
}

#[test]
fn a_run_that_cannot_begin_is_told_of_too() {
    let (mut stage, _server) = Stage::with_server();
    let ear = Listening::start();
    stage.set("PKGFERRY_NOTIFY_WEBHOOK", &format!("{}/hook", ear.address));
    assert_eq!(stage.run(&["run", "/no/such/*.recipe"]).code, 3);
    assert_eq!(ear.requests(), ["POST /hook"]);
    assert!(ear.last().to_string().contains("matches no recipe file"), "{}", ear.last());
}

#[test]
fn a_promotion_that_ends_early_is_told_of() {
    let (mut stage, _test, _production) = crate::servers::stage_with_two();
    let ear = Listening::start();
    stage.set("PKGFERRY_NOTIFY_WEBHOOK", &format!("{}/hook", ear.address));
    let path = stage.path("run.json").to_str().unwrap().to_owned();
    let ran = stage.run(&["promote", "No.pkg", "--from", "test", "--to", "production", "--report", &path]);
    assert_eq!(ran.code, 5, "{}", ran.shown());
    assert_eq!(ear.requests(), ["POST /hook"]);
    assert!(
        ear.last().to_string().contains("no package record on test names the file No.pkg"),
        "{}",
        ear.last()
    );
    assert!(report(&path)["warnings"].to_string().contains("No.pkg"));
    assert!(
        stage.run(&["history"]).succeeded().stdout.contains("exit 5"),
        "{}",
        stage.run(&["history"]).stdout
    );
}

/// The settings of named servers may name the place of a secret, too, and so may a list.
#[test]
fn secrets_of_lists_are_fetched() {
    let (stage, server) = Stage::with_server();
    let folder = recipes(&stage, 1);
    let list = format!("recipes: [{folder}/App0000.recipe.yaml]\nCLIENT_SECRET: env:ELSEWHERE\n");
    let list = stage.write("list.yaml", list);
    let mut command = stage.command(&["run", "--recipe-list", &list]);
    let command = command.env_remove("CLIENT_SECRET").env("ELSEWHERE", &server.connection().client_secret);
    std::fs::set_permissions(&list, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    Ran::new(command.output().unwrap(), &stage.path("")).succeeded();
    assert_eq!(server.names(), ["App0.pkg"]);
}

#[test]
fn who_cannot_be_told_keeps_no_package_back() {
    let (mut stage, server) = Stage::with_server();
    let ear = Listening::start();
    let folder = recipes(&stage, 1);
    stage.set("PKGFERRY_NOTIFY_SLACK", "command:/bin/false");
    stage.set("PKGFERRY_HEARTBEAT", &format!("{}/beat", ear.address));
    let ran = stage.run(&["run", &folder]).succeeded();
    assert!(ran.stderr.contains("PKGFERRY_NOTIFY_SLACK will not hear of this run"), "{}", ran.stderr);
    assert_eq!(
        (server.names().len(), ear.requests()),
        (1, vec!["POST /beat/start".into(), "POST /beat".into()])
    );
    // Neither a package that is sent by hand nor a rehearsal is a night.
    stage.run(&["upload", &stage.write("App.pkg", noise(1, 10))]).succeeded();
    stage.run(&["run", "recipes/ExampleApp.jamf.recipe.yaml", "--sandbox"]).succeeded();
    assert_eq!(ear.requests().len(), 2);
}

#[test]
fn a_webhook_that_nobody_answers_fails_no_run_and_is_not_shown() {
    let (mut stage, server) = Stage::with_server();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    stage.set("PKGFERRY_NOTIFY_SLACK", &format!("http://{closed}/secret-part"));
    let file = stage.write("App.pkg", noise(1, 10));
    let ran = stage.run(&["upload", &file]).succeeded();
    assert!(ran.stderr.contains("PKGFERRY_NOTIFY_SLACK"), "{}", ran.stderr);
    assert!(!ran.shown().contains("secret-part"), "{}", ran.shown());
    assert_eq!(server.names(), ["App.pkg"]);
}

#[test]
fn a_wrong_notify_table_is_told_with_its_place() {
    let stage = Stage::new();
    settings(&stage, "[notify]\nslak = \"x\"\n", 0o600);
    insta::assert_snapshot!(stage.run(&["run", "x"]).shown(), @"
    exit 3
    --- stderr
    pkgferry: [STAGE]/home/.config/pkgferry/settings.toml: notify.slak: there is no such setting; did you mean slack?
    ");
    settings(&stage, "[notify]\non = \"sometimes\"\n", 0o600);
    insta::assert_snapshot!(stage.run(&["run", "x"]).shown(), @r#"
    exit 3
    --- stderr
    pkgferry: [STAGE]/home/.config/pkgferry/settings.toml: notify.on: "sometimes" is not change, failure or always
    "#);
    settings(&stage, "[notify]\nslack = \"https://hooks.example.com/x\"\n", 0o644);
    insta::assert_snapshot!(stage.run(&["run", "x"]).shown(), @"
    exit 3
    --- stderr
    pkgferry: [STAGE]/home/.config/pkgferry/settings.toml holds notify.slack and can be read by other users
      hint: chmod 600 [STAGE]/home/.config/pkgferry/settings.toml
    ");
}

#[test]
fn secrets_come_from_a_file_or_a_command() {
    use std::os::unix::fs::PermissionsExt as _;
    let (stage, server) = Stage::with_server();
    let package = stage.write("App.pkg", noise(1, 10));
    let secret = stage.write("secret", format!("{}\n", server.connection().client_secret));
    let run = |source: &str| {
        // The settings themselves hold no secret, and may be read.
        settings(&stage, &format!("CLIENT_SECRET = {source}\n"), 0o644);
        let mut command = stage.command(&["upload", &package]);
        let own = &server.connection().client_secret;
        Ran::new(
            command.env_remove("CLIENT_SECRET").env("OWN_SECRET", own).output().unwrap(),
            &stage.path(""),
        )
    };
    let mode = |mode: u32| std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(mode)).unwrap();
    mode(0o644);
    insta::assert_snapshot!(run(&format!("\"file:{secret}\"")).shown(), @"
    exit 6
    --- stderr
    pkgferry: cannot get CLIENT_SECRET
      caused by: file:[STAGE]secret can be read or changed by others (mode 0644)
      hint: chmod 600 [STAGE]secret; then change the secret, which others may have read
    ");
    mode(0o600);
    run(&format!("\"file:{secret}\"")).succeeded();
    run(&format!("\"command:/bin/cat {secret}\"")).succeeded();
    run(&format!("[\"/bin/cat\", {secret:?}]")).succeeded();
    run("\"env:OWN_SECRET\"").succeeded();
    insta::assert_snapshot!(run("\"command:/no/such/op read x\"").shown(), @"
    exit 6
    --- stderr
    pkgferry: cannot get CLIENT_SECRET
      caused by: cannot start command:/no/such/op (2 arguments)
      caused by: No such file or directory (os error 2)
      hint: write the whole path of the program: a scheduler looks into fewer folders than a shell does
    ");
    insta::assert_snapshot!(run("\"env:NOT_SET\"").shown(), @"
    exit 3
    --- stderr
    pkgferry: cannot get CLIENT_SECRET
      caused by: the environment variable NOT_SET is not set
      hint: set NOT_SET where this is started from; a scheduler does not read the profile of a shell
    ");
}

#[test]
fn every_shape_of_report_is_written_and_a_wrong_one_refused_before_the_run() {
    let (stage, server) = Stage::with_server();
    let package = stage.write("App.pkg", noise(1, 10));
    let names = ["run.json", "run.plist", "run.xml", "run.md", "run.html"];
    let paths = names.map(|name| stage.path(name).to_str().unwrap().to_owned());
    let mut arguments = vec!["upload", &package];
    for path in &paths {
        arguments.extend(["--report", path]);
    }
    stage.run(&arguments).succeeded();
    let starts = ["{\n", "<?xml", "<?xml", "#", "<!doctype html>"];
    for (path, start) in paths.iter().zip(starts) {
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.starts_with(start) && text.contains("App.pkg"), "{path}: {text}");
    }
    server.clear_journal();
    insta::assert_snapshot!(stage.run(&["upload", &package, "--report", "run.txt"]).shown(), @"
    exit 64
    --- stderr
    pkgferry: run.txt has none of the extensions json, plist, xml, md and html, which say what a report looks like
      hint: name the file REPORT.html, for example
    ");
    insta::assert_snapshot!(stage.run(&["upload", &package, "--report", "/no/such/run.json"]).shown(), @"
    exit 6
    --- stderr
    pkgferry: cannot write /no/such/run.json
      caused by: entity not found
      hint: make the folder /no/such first, or name another
    ");
    assert!(server.journal().is_empty());
}

/// A run of two packages of which the first takes its time.
fn long_run(stage: &Stage, reports: &[&str]) -> Child {
    let first = stage.write("First.pkg", noise(1, 300 << 20));
    let second = stage.write("Second.pkg", noise(2, 1000));
    let mut command = stage.command(&["upload", &first, &second, "--jobs", "1"]);
    command.args(reports.iter().flat_map(|report| ["--report", report]));
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

pub fn report(path: &str) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn told(report: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let packages = report["packages"].as_array().unwrap().iter();
    packages.map(|package| (text(&package["file"]), text(&package["status"]))).collect()
}

#[test]
fn sigterm_ends_cleanly_with_a_report() {
    let (stage, server) = Stage::with_server();
    let path = stage.path("run.json").to_str().unwrap().to_owned();
    let mut child = long_run(&stage, &[&path]);
    server.until("a part", |requests| requests.iter().any(|request| request.path.contains("partNumber=")));
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let report = report(&path);
    assert_eq!(
        told(&report),
        [("First.pkg".into(), "interrupted".into()), ("Second.pkg".into(), "not-begun".into())]
    );
    assert_eq!((&report["ending"], &report["exit_code"]), (&"interrupted".into(), &130.into()));
    let next = report["packages"][0]["failure"]["hint"].as_str().unwrap();
    assert!(next.contains("--keep-partial"), "{next}");
    assert!(!report["finished"].is_null());
    assert_eq!(server.open_uploads(), Vec::<String>::new());
}

#[test]
fn a_crash_still_leaves_a_report() {
    let (stage, server) = Stage::with_server();
    let path = stage.path("run.json").to_str().unwrap().to_owned();
    let others =
        [("run.html", "</html>"), ("run.xml", "</testsuites>"), ("run.plist", "</plist>"), ("run.md", "")];
    let paths = others.map(|(name, _)| stage.path(name).to_str().unwrap().to_owned());
    let all: Vec<&str> = std::iter::once(&path).chain(&paths).map(String::as_str).collect();
    let mut child = long_run(&stage, &all);
    // The file is there whole or not at all.
    let statuses = || if std::path::Path::new(&path).exists() { told(&report(&path)) } else { Vec::new() };
    // It tells of all packages before the first request, and of what goes on soon after.
    until("a report", || !statuses().is_empty());
    until("a report of what runs", || statuses()[0].1 == "running");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(
        statuses(),
        [("First.pkg".into(), "running".into()), ("Second.pkg".into(), "not-begun".into())]
    );
    assert_eq!(report(&path)["finished"], Value::Null);
    assert!(server.names().is_empty());
    for (path, (_, end)) in paths.iter().zip(others) {
        let text = std::fs::read_to_string(path).unwrap();
        assert!(
            text.contains("First.pkg") && text.contains("Second.pkg") && text.trim_end().ends_with(end),
            "{path}: {text}"
        );
    }
}

/// As a scheduler starts it: no home folder, a session of its own, no terminal anywhere.
#[cfg(target_os = "linux")]
#[test]
fn neither_home_nor_session_nor_terminal_is_needed() {
    let (mut stage, server) = Stage::with_server();
    let state = stage.path("state");
    stage.set("PKGFERRY_STATE", state.to_str().unwrap());
    let package = stage.write("App.pkg", noise(1, 1000));
    let run = stage.command(&["upload", &package]);
    let mut alone = Command::new("/usr/bin/setsid");
    alone.arg("--wait").arg(run.get_program()).args(run.get_args()).env_clear().stdin(Stdio::null());
    alone.envs(run.get_envs().filter_map(|(name, value)| Some((name, value?)))).env_remove("HOME");
    Ran::new(alone.output().unwrap(), &stage.path("")).succeeded();
    assert_eq!(server.names(), ["App.pkg"]);
    assert!(state.join("state.db").exists(), "what it did is remembered");
}

#[test]
fn what_had_begun_when_a_run_was_killed_is_in_its_report() {
    let (stage, server) = Stage::with_server();
    let path = stage.path("run.json").to_str().unwrap().to_owned();
    let mut child = long_run(&stage, &[&path]);
    // Long before the report would be due again.
    server.until("part 3", |requests| requests.iter().any(|request| request.path.contains("partNumber=3&")));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(told(&report(&path))[0], ("First.pkg".into(), "running".into()));
    let page = stage.path("run.md").to_str().unwrap().to_owned();
    stage.run(&["report", "merge", &path, "--output", &page]);
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("nobody told how it ended") || page.contains("did not end"), "{page}");
    assert!(page.contains("at least 0 bytes sent"), "{page}");
}
