use crate::stage::Stage;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// `pkgferry sandbox` as a process of its own; it ends with the test.
pub struct Served {
    child: Child,
    lines: Vec<String>,
}

impl Served {
    pub fn start(stage: &Stage, arguments: &[&str]) -> Self {
        let mut child =
            stage.command(&[&["sandbox"], arguments].concat()).stdout(Stdio::piped()).spawn().unwrap();
        let lines =
            BufReader::new(child.stdout.take().unwrap()).lines().take(7).map(Result::unwrap).collect();
        Self { child, lines }
    }

    pub fn variable(&self, name: &str) -> String {
        let prefix = format!("export {name}='");
        let line = self.lines.iter().find_map(|line| line.strip_prefix(&prefix)).unwrap();
        line.trim_end_matches('\'').to_owned()
    }

    /// Runs a shell that has evaluated the lines.
    fn shell(&self, script: &str) -> String {
        let output = Command::new("/bin/sh")
            .args(["-c", &format!("eval \"$LINES_OF_SANDBOX\"; {script}")])
            .env("LINES_OF_SANDBOX", self.lines.join("\n"))
            .env("PKGFERRY", env!("CARGO_BIN_EXE_pkgferry"))
            .current_dir(crate::stage::repository())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn its_lines_are_all_that_a_shell_needs() {
    let stage = Stage::new();
    let served = Served::start(&stage, &[]);
    let names: Vec<_> = served.lines.iter().map(|line| line.split_once('=').unwrap().0.to_owned()).collect();
    insta::assert_snapshot!(names.join("\n"), @"
    export JSS_URL
    export CLIENT_ID
    export CLIENT_SECRET
    export API_USERNAME
    export API_PASSWORD
    export PKGFERRY_S3_ENDPOINT
    export AWS_ENDPOINT_URL_S3
    ");
    let out = served.shell("\"$PKGFERRY\" run recipes/ExampleApp.jamf.recipe.yaml");
    assert!(out.ends_with("= created: 842 bytes sent\n"), "{out}");
    let out = served.shell("\"$PKGFERRY\" run recipes/ExampleApp.jamf.recipe.yaml");
    assert!(out.ends_with("= skipped: nothing sent\n"), "{out}");
}

#[test]
fn a_shell_can_evaluate_it_in_the_background() {
    let script = r#"
        eval "$("$PKGFERRY" sandbox & echo server=$!)"
        "$PKGFERRY" run recipes/ExampleApp.jamf.recipe.yaml
        kill $server
    "#;
    let output = Command::new("/bin/sh")
        .args(["-c", script])
        .env("PKGFERRY", env!("CARGO_BIN_EXE_pkgferry"))
        .current_dir(crate::stage::repository())
        .output()
        .unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(out.ends_with("= created: 842 bytes sent\n"), "{out}{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn the_journal_is_json_and_can_be_cleared() {
    let stage = Stage::new();
    let served = Served::start(&stage, &[]);
    let journal = format!("{}/__sandbox/journal", served.variable("JSS_URL"));
    served.shell("\"$PKGFERRY\" run recipes/ExampleApp.jamf.recipe.yaml");
    let requests: Vec<serde_json::Value> = reqwest::get(&journal).await.unwrap().json().await.unwrap();
    assert!(!requests.is_empty());
    for key in ["time", "side", "method", "path", "status", "bytes_in", "bytes_out"] {
        assert!(requests.iter().all(|request| request.get(key).is_some()), "{key}");
    }
    let sides: std::collections::BTreeSet<_> =
        requests.iter().map(|request| request["side"].as_str().unwrap()).collect();
    assert_eq!(sides.into_iter().collect::<Vec<_>>(), ["jamf", "s3"]);
    reqwest::Client::new().delete(&journal).send().await.unwrap();
    let requests: Vec<serde_json::Value> = reqwest::get(&journal).await.unwrap().json().await.unwrap();
    assert!(requests.is_empty());
}

#[test]
fn what_is_in_its_folder_is_there_again_after_a_restart() {
    let stage = Stage::new();
    let data = stage.path("kept");
    let arguments = ["--data", data.to_str().unwrap()];
    Served::start(&stage, &arguments).shell("\"$PKGFERRY\" run recipes/ExampleApp.jamf.recipe.yaml");
    let out =
        Served::start(&stage, &arguments).shell("\"$PKGFERRY\" run recipes/ExampleApp.jamf.recipe.yaml");
    assert!(out.ends_with("= skipped: nothing sent\n"), "{out}");
}

#[test]
fn it_serves_until_it_is_stopped_and_then_ends_well() {
    let stage = Stage::new();
    let mut served = Served::start(&stage, &[]);
    assert!(served.child.try_wait().unwrap().is_none());
    Command::new("kill").arg(served.child.id().to_string()).status().unwrap();
    assert_eq!(served.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_run_asks_the_rehearsal_server_for_what_it_plays() {
    let stage = Stage::new();
    let run = |flags: &[&str]| {
        stage.run(&[&["run", "recipes/ExampleApp.jamf.recipe.yaml", "--sandbox"][..], flags].concat())
    };
    run(&["--jamf-version", "11.4.2"]).succeeded();
    let ran = run(&["--without-privilege", "read packages", "--route", "jcds"]);
    assert!(ran.code == 4 && ran.stderr.contains("“Read Packages”"), "{}", ran.shown());
}

#[test]
fn what_it_plays_is_spelt_right_and_asked_of_nobody_else() {
    let stage = Stage::new();
    let run = |flags: &[&str]| stage.run(&[&["upload", "a.pkg"][..], flags].concat());
    insta::assert_snapshot!(run(&["--cdn-type", "AMAZON_S3"]).shown(), @"
    exit 64
    --- stderr
    pkgferry: --cdn-type is for the rehearsal server
      hint: add --sandbox
    ");
    let ran = run(&["--sandbox", "--without-privilege", "Read Pakages"]);
    assert!(ran.code == 64 && ran.stderr.contains("did you mean \"Read Packages\"?"), "{}", ran.shown());
    let ran = run(&["--sandbox", "--cdn-type", "DROPBOX"]);
    assert!(ran.code == 64 && ran.stderr.contains("RACKSPACE_CLOUD_FILES"), "{}", ran.shown());
}

/// Signing in, sending and proving, through each kind of gateway.
#[test]
fn the_lines_of_a_gateway_lead_through_it() {
    for (addressing, names) in [
        ("path", ["JAMF_TENANT_ID", "path"]),
        ("tenant-header", ["JAMF_TENANT_ID", "header"]),
        ("environment-header", ["JAMF_ENVIRONMENT_ID", "header"]),
    ] {
        let stage = Stage::new();
        let served = Served::start(&stage, &["--gateway", addressing]);
        assert!(!served.variable(names[0]).is_empty());
        assert_eq!(served.variable("JAMF_GATEWAY_ADDRESSING"), names[1]);
        assert!(!served.lines.iter().any(|line| line.contains("API_USERNAME")));
        let out = served.shell("\"$PKGFERRY\" run recipes/ExampleApp.jamf.recipe.yaml");
        assert!(out.ends_with("= created: 842 bytes sent\n"), "{addressing}: {out}");
        let out = served.shell("\"$PKGFERRY\" run recipes/ExampleApp.jamf.recipe.yaml");
        assert!(out.ends_with("= skipped: nothing sent\n"), "{addressing}: {out}");
    }
}

#[test]
fn servers_without_jcds_calls_can_be_played() {
    for flags in
        [&["--jamf-version", "12.0.0"][..], &["--jcds-gone", "410"], &["--jcds-gone", "404", "--no-schema"]]
    {
        let stage = Stage::new();
        let run = ["run", "recipes/ExampleApp.jamf.recipe.yaml", "--sandbox"];
        let ran = stage.run(&[&run[..], flags].concat()).succeeded();
        assert!(ran.stdout.contains("done  package-upload"), "{flags:?}: {}", ran.shown());
    }
}
