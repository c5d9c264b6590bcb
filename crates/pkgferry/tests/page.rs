//! The page that a real run leaves, in a real browser. What a page can be besides is tested where it is made, in `report`.
//!
//! Screenshots are left in the folder `report` beside cargo's temporary files of tests.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

#[path = "it/stage.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod stage;

use browser::{DESK, PHONE, Tab};
use serde_json::{Value, json};
use stage::{Stage, noise};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    browser::run(&[(
        "of_three_hundred_recipes_the_one_that_failed_is_seen_at_once",
        of_three_hundred_recipes_the_one_that_failed_is_seen_at_once,
    )])
}

const RECIPES: u64 = 300;
/// Two records name its file, and nothing is guessed.
const FAILS: u64 = 137;
/// The server has other bytes.
const CHANGED: [u64; 4] = [3, 14, 92, 299];
/// The server has none.
const NEW: u64 = 200;

fn name(number: u64) -> String {
    format!("App{number:03}-1.{number}.pkg")
}

/// Runs the recipes, one a package, and gives the report as JSON; the page is beside it.
fn night(stage: &Stage, server: &stage::Server) -> Value {
    let folder = stage.path("recipes");
    std::fs::create_dir(&folder).unwrap();
    for number in 0..RECIPES {
        let (name, bytes) = (name(number), noise(number, 1000));
        let package = stage.write(&name, &bytes);
        let text = format!(
            "Identifier: com.example.jamf.App{number}\nParentRecipe: com.github.pkgferry.recipes.upload-package\n\
             Input: {{pkg_path: {package:?}}}\n"
        );
        std::fs::write(folder.join(format!("App{number:03}.jamf.recipe.yaml")), text).unwrap();
        if number != NEW {
            let there = if CHANGED.contains(&number) { noise(number + RECIPES, 1000) } else { bytes };
            server.put_file(&name, &there);
            server.put_package(json!({ "packageName": name, "fileName": name }));
        }
    }
    server.put_package(json!({ "packageName": "Another record", "fileName": name(FAILS) }));
    let [data, page] = ["run.json", "run.html"].map(|name| stage.path(name).to_str().unwrap().to_owned());
    let ran = stage.run(&["run", folder.to_str().unwrap(), "--report", &data, "--report", &page]);
    assert_eq!(ran.code, 5, "{}", ran.shown());
    let data: Value = serde_json::from_slice(&std::fs::read(data).unwrap()).unwrap();
    assert_eq!(data["packages"].as_array().unwrap().len(), 300);
    data
}

/// The words of an element, as they are shown.
fn words(tab: &mut Tab, selector: &str) -> Value {
    tab.ask(&format!("document.querySelector({selector:?}).innerText"))
}

fn of_three_hundred_recipes_the_one_that_failed_is_seen_at_once(tab: &mut Tab) {
    let (stage, server) = Stage::with_server();
    let report = night(&stage, &server);
    let is_failed = |package: &&Value| package["status"] == "failed";
    let failed = report["packages"].as_array().unwrap().iter().find(is_failed).unwrap();
    assert_eq!(failed["file"], json!(name(FAILS)));
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report");
    std::fs::create_dir_all(&pictures).unwrap();

    for (width, height) in [PHONE, DESK] {
        tab.resize(width, height, "light");
        tab.go(&stage.path("run.html"));
        tab.screenshot(&pictures.join(format!("run-{width}x{height}.png")), false);
        // Which one, why, and what to do, before anybody scrolls or clicks.
        for (part, told) in [
            ("h3", &failed["file"]),
            (".what", &failed["failure"]["message"]),
            ("dd.next", &failed["failure"]["hint"]),
        ] {
            let part = format!("#failed .card {part}");
            tab.sees(&part);
            assert_eq!((words(tab, &part), told.is_string()), (told.clone(), true), "{part}");
        }
        let wide = tab.ask("document.documentElement.scrollWidth");
        assert_eq!(wide, json!(width), "nobody scrolls sideways");
    }
    // The page tells of as many as the run had.
    let packages = |section: &str| format!("document.querySelectorAll('{section} [data-item]').length");
    for (section, number) in [("#failed", 1), ("#changed", 5), ("#skipped", 294), ("main", 300)] {
        assert_eq!(tab.ask(&packages(section)), json!(number), "{section}");
    }
    assert_eq!(tab.ask("document.querySelectorAll('#timeline g[data-p]').length"), json!(300));
    // Its script runs: any one of them is found by its name.
    tab.key("/");
    for letter in name(42).chars() {
        tab.key(&letter.to_string());
    }
    assert_eq!(words(tab, "#shown"), json!("1 of 300"));
    let visible = "[...document.querySelectorAll('[data-item]')].filter((item) => item.checkVisibility())";
    let found = tab.ask(&format!("{visible}.map((item) => item.innerText).join()"));
    assert!(found.as_str().unwrap().contains(&name(42)), "{found}");
    tab.has_no_complaint();
}
