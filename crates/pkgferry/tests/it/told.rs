//! What is told of a run is what came of it, also when it ends badly.

use crate::batch::recipes;
use crate::resume::killed;
use crate::stage::{Ran, Stage, noise, until};
use crate::unattended::{Listening, settings};
use serde_json::Value;
use std::process::{Child, Command, Stdio};

fn terminate(child: &Child) {
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
}

/// Standard error alone, as a log file has it.
#[test]
fn failures_of_recipes_side_by_side_name_their_recipe() {
    let (stage, _server) = Stage::with_server();
    let folder = recipes(&stage, 1);
    for name in ["Games", "Toys"] {
        let package = stage.write(&format!("{name}.pkg"), noise(1, 100));
        let text = format!(
            "Identifier: {name}\nParentRecipe: com.github.pkgferry.recipes.upload-package\n\
             Input:\n  pkg_path: {package:?}\n  pkg_category: {name}\n"
        );
        std::fs::write(format!("{folder}/{name}.recipe.yaml"), text).unwrap();
    }
    let ran = stage.run(&["run", &folder]);
    assert_eq!(ran.code, 3, "{}", ran.shown());
    for name in ["Games", "Toys"] {
        let line = format!("  fail  {name}: step 6 package-metadata: ");
        assert!(ran.stderr.contains(&line), "{}", ran.stderr);
    }
    // One after the other, it stands where it belongs.
    let ran = stage.run(&["run", &format!("{folder}/Games.recipe.yaml")]);
    assert!(ran.stderr.contains("  fail  step 6 package-metadata: "), "{}", ran.stderr);
}

#[test]
fn a_report_that_cannot_be_written_is_told_although_nobody_reads_the_output() {
    let (stage, server) = Stage::with_server();
    let package = stage.write("App.pkg", noise(1, 64 << 20));
    std::fs::create_dir(stage.path("reports")).unwrap();
    let path = stage.path("reports/run.json");
    let mut command = stage.command(&["upload", &package, "--report", path.to_str().unwrap()]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    until("the report", || path.exists());
    until("the folder to go", || std::fs::remove_dir_all(stage.path("reports")).is_ok());
    let ran = Ran::new(child.wait_with_output().unwrap(), &stage.path(""));
    assert_eq!(ran.code, 6, "{}", ran.shown());
    assert!(ran.stderr.contains("pkgferry: cannot write [STAGE]reports/run.json\n"), "{}", ran.stderr);
    assert_eq!(server.names(), ["App.pkg"]);
}

#[test]
fn a_run_that_is_interrupted_before_it_begins_is_told_as_interrupted() {
    let (mut stage, _server) = Stage::with_server();
    let ear = Listening::start();
    stage.set("PKGFERRY_NOTIFY_WEBHOOK", &format!("{}/hook", ear.address));
    let asked = stage.path("asked");
    let command = format!("touch {}; exec sleep 600", asked.display());
    settings(&stage, &format!("CLIENT_SECRET = [\"/bin/sh\", \"-c\", {command:?}]\n"), 0o600);
    let package = stage.write("App.pkg", noise(1, 10));
    let report = stage.path("run.json");
    let mut command = stage.command(&["upload", &package, "--report", report.to_str().unwrap()]);
    let mut child = command.env_remove("CLIENT_SECRET").stderr(Stdio::null()).spawn().unwrap();
    until("the question", || asked.exists());
    terminate(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(ear.last()["ending"], serde_json::json!({"how": "interrupted"}), "{}", ear.last());
    let report: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    assert_eq!((&report["ending"], &report["warnings"]), (&"interrupted".into(), &Value::Null), "{report}");
}

/// What an earlier run has sent is not sent, and a new record has its id.
#[test]
fn a_resumed_upload_tells_apart_what_it_sent_and_what_was_there() {
    const MIB: u64 = 1 << 20;
    let (stage, server) = Stage::with_server();
    let file = killed(&stage, &server, "App.pkg");
    let report = stage.path("run.json");
    let plist = stage.path("run.plist");
    let (json, plist) = (report.to_str().unwrap(), plist.to_str().unwrap());
    let ran = stage.run(&["upload", &file, "--report", json, "--report", plist]).succeeded();
    let report: Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    let package = &report["packages"][0];
    let (sent, resumed) =
        (package["bytes_sent"].as_u64().unwrap(), package["bytes_resumed"].as_u64().unwrap());
    assert_eq!(sent + resumed, 33 * MIB, "{package}");
    assert!(resumed >= 8 * MIB && sent > 0, "{package}");
    let told = format!("  = created: {} sent, {} resumed\n", pipeline::size(sent), pipeline::size(resumed));
    assert!(ran.stdout.ends_with(&told), "{}", ran.stdout);
    assert_eq!((&report["ending"], &report["exit_code"]), (&"complete".into(), &0.into()));
    let address = server.connection().jss_url.trim_end_matches('/').to_owned();
    assert_eq!(package["server"], Value::from(address.as_str()));
    let table = plist::Value::from_file(plist).unwrap();
    let results = table.as_dictionary().unwrap()["summary_results"].as_dictionary().unwrap();
    let table = results["jamfpackageuploader_summary_result"].as_dictionary().unwrap();
    let row = table["data_rows"].as_array().unwrap()[0].as_dictionary().unwrap();
    let cell = |name: &str| row[name].as_string().unwrap().to_owned();
    assert_eq!((cell("server"), cell("pkg_path")), (address, file));
    assert_eq!(cell("package_id"), package["package_id"].to_string());
    assert_ne!(cell("package_id"), "null");
}
