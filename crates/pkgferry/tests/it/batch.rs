//! Many recipes in one run.

use crate::stage::{Ran, Server, Stage, noise};
use sandbox::Request;
use serde_json::Value;
use std::fmt::Write as _;

/// Recipes `App0` … in a folder, each with a package of its own; the same bytes every time.
pub fn recipes(stage: &Stage, count: usize) -> String {
    let folder = stage.path("recipes");
    std::fs::create_dir_all(&folder).unwrap();
    for number in 0..count {
        let package = stage.write(&format!("App{number}.pkg"), noise(number as u64, 1000 + number));
        std::fs::write(folder.join(format!("App{number:04}.recipe.yaml")), recipe(number, &package)).unwrap();
    }
    folder.to_str().unwrap().to_owned()
}

fn recipe(number: usize, package: &str) -> String {
    format!(
        "Identifier: com.example.App{number}\nParentRecipe: com.github.pkgferry.recipes.upload-package\n\
         Input:\n  pkg_path: {package:?}\n  pkg_category: Apps\n  create_category: true\n"
    )
}

fn paths(server: &Server) -> String {
    server.journal().iter().map(|request| format!("{} {}\n", request.method, path(&request.path))).collect()
}

fn path(path: &str) -> &str {
    path.split('?').next().unwrap_or(path)
}

fn report(stage: &Stage, name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(stage.path(name)).unwrap()).unwrap()
}

fn statuses(report: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let packages = report["packages"].as_array().unwrap().iter();
    packages.map(|package| (text(&package["file"]), text(&package["status"]))).collect()
}

#[test]
fn a_thousand_unchanged_packages_take_a_dozen_requests_and_read_no_file() {
    let (stage, server) = Stage::with_server();
    let folder = recipes(&stage, 1000);
    assert_eq!(server.put_category("Apps"), 1);
    for number in 0..1000 {
        let (name, bytes) = (format!("App{number}.pkg"), noise(number as u64, 1000 + number));
        server.put_file(&name, &bytes);
        server.put_package(serde_json::json!({
            "packageName": name, "fileName": name, "categoryId": "1",
        }));
    }
    // What was written a moment ago is not remembered; by the second run it was long ago.
    stage.run(&["run", &folder]).succeeded();
    stage.run(&["run", &folder]).succeeded();
    server.clear_journal();
    let ran = stage.run(&["run", &folder, "--json"]).succeeded();
    let lines: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let reads = |line: &&Value| line["activity"] == "hashing" && line["done"] != 0;
    let hashed = lines.iter().filter(reads).count();
    let recipes = lines.last().unwrap()["recipes"].as_array().unwrap();
    assert!(recipes.iter().all(|recipe| recipe["status"] == "skipped"), "{}", recipes[0]);
    assert_eq!((recipes.len(), hashed), (1000, 0));
    insta::assert_snapshot!(paths(&server), @"
    POST /api/v1/oauth/token
    GET /api/v1/jamf-pro-version
    GET /api/v1/cloud-distribution-point
    GET /api/v1/cloud-distribution-point/upload-capability
    GET /api/v1/packages
    GET /api/v1/jcds/files
    GET /api/v1/categories
    POST /api/v1/auth/invalidate-token
    ");
    assert!(server.journal().len() <= 12);
}

#[test]
fn of_a_hundred_recipes_the_five_that_changed_stand_in_the_report_with_the_reason() {
    let (stage, server) = Stage::with_server();
    let folder = recipes(&stage, 100);
    stage.run(&["run", &folder]).succeeded();
    // One of them has the size that it had.
    for (number, size) in [(3, 1003), (14, 5000), (15, 5000), (92, 5000), (65, 5000)] {
        stage.write(&format!("App{number}.pkg"), noise(9000 + number, size));
    }
    server.clear_journal();
    let (json, page) = (stage.path("run.json"), stage.path("run.html"));
    let arguments = ["run", &folder, "--report", json.to_str().unwrap(), "--report", page.to_str().unwrap()];
    let ran = stage.run(&arguments).succeeded();
    assert!(ran.stdout.ends_with("100 recipes: 5 replaced, 95 skipped; 20.5 KiB sent\n"), "{}", ran.stdout);
    // Only those that did something are told of at length.
    assert_eq!(ran.stdout.matches("= skipped: nothing sent").count(), 95);
    assert_eq!(ran.stdout.matches("s3-upload         sent").count(), 5);
    let report = report(&stage, "run.json");
    let changed: Vec<String> = report["packages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|package| package["status"] != "skipped")
        .map(|package| format!("{} {}: {}", package["status"], package["file"], package["reason"]))
        .collect();
    insta::assert_snapshot!(changed.join("\n"), @r#"
    "replaced" "App3.pkg": "MD5 differs"
    "replaced" "App14.pkg": "size 4.8 KiB here, 1014 bytes on the server"
    "replaced" "App15.pkg": "size 4.8 KiB here, 1015 bytes on the server"
    "replaced" "App65.pkg": "size 4.8 KiB here, 1.0 KiB on the server"
    "replaced" "App92.pkg": "size 4.8 KiB here, 1.0 KiB on the server"
    "#);
    assert!(std::fs::read_to_string(page).unwrap().contains("App92.pkg"));
}

#[test]
fn lists_of_every_kind_folders_and_patterns_name_recipes() {
    let (stage, server) = Stage::with_server();
    let folder = recipes(&stage, 6);
    let at = |number: usize| format!("{folder}/App{number:04}.recipe.yaml");
    let lists = [
        ("list.txt", format!("# the first\n{}\n\n", at(0))),
        ("list.yaml", format!("recipes:\n  - {}\npkg_notes: from the list\n", at(1))),
        ("list.json", format!("[{:?}]", at(2))),
        (
            "list.plist",
            format!(
                "<?xml version=\"1.0\"?><plist version=\"1.0\"><array><string>{}</string></array></plist>",
                at(3)
            ),
        ),
    ];
    let mut arguments = vec!["run".to_owned(), format!("{folder}/App*4.recipe.yaml"), at(5)];
    for (name, text) in lists {
        arguments.extend(["--recipe-list".to_owned(), stage.write(name, text)]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ran = stage.run(&arguments).succeeded();
    assert!(ran.stdout.contains("6 recipes: 6 created"), "{}", ran.stdout);
    let mut names = server.names();
    names.sort_unstable();
    assert_eq!(names, (0..6).map(|number| format!("App{number}.pkg")).collect::<Vec<_>>());
    let notes = server.packages().into_iter().filter(|package| package["notes"] == "from the list");
    assert_eq!(notes.count(), 1);
}

#[test]
fn what_a_list_says_wins_over_the_recipe_and_the_command_line_over_the_list() {
    let (stage, server) = Stage::with_server();
    let folder = recipes(&stage, 1);
    let list = stage
        .write("list.yaml", format!("recipes: [{folder}/App0000.recipe.yaml]\npkg_category: Of the list\n"));
    stage.run(&["run", "--recipe-list", &list]).succeeded();
    let category = || server.packages()[0]["categoryId"].as_str().unwrap().to_owned();
    assert_eq!(category(), "1", "Of the list");
    stage.run(&["run", "--recipe-list", &list, "-k", "pkg_category=Typed"]).succeeded();
    assert_eq!(category(), "2", "Typed");
}

#[test]
fn lists_that_are_wrong_are_told_before_anything_runs() {
    let (stage, server) = Stage::with_server();
    let wrong = stage.write("list.json", "{\"recipes\": [1, \"\"]}");
    let secret = stage.write("secret.yaml", "recipes: [A]\nCLIENT_SECRET: abc\n");
    insta::assert_snapshot!(stage.run(&["run", "--recipe-list", &wrong]).shown(), @"
    exit 3
    --- stderr
    pkgferry: [STAGE]/list.json:1:14: entry 1 of the list is an integer, not a string
      hint: put it in quotes to have it taken as it is written
    [STAGE]/list.json:1:17: entry 2 of the list is empty
    2 faults
    ");
    insta::assert_snapshot!(stage.run(&["run", "--recipe-list", &secret]).shown(), @"
    exit 3
    --- stderr
    pkgferry: [STAGE]/secret.yaml holds CLIENT_SECRET and can be read by other users
      hint: chmod 600 [STAGE]/secret.yaml
    ");
    insta::assert_snapshot!(stage.run(&["run", "/no/such/*.recipe"]).shown(), @"
    exit 3
    --- stderr
    pkgferry: `/no/such/*.recipe` matches no recipe file
      hint: `*`, `?` and `[` make a pattern of a name; `[*]`, `[?]` and `[[]` stand for themselves
    1 fault
    ");
    assert_eq!(stage.run(&["run", "--recipe-list", "/no/such/list"]).code, 6);
    assert!(server.journal().is_empty());
}

#[test]
fn a_faulty_recipe_fails_alone() {
    let (stage, server) = Stage::with_server();
    let folder = recipes(&stage, 3);
    std::fs::write(format!("{folder}/App0001.recipe.yaml"), "Identifier: broken\nProcess: 1\n").unwrap();
    let ran = stage.run(&["run", &folder]);
    assert_eq!(ran.code, 3, "{}", ran.shown());
    assert!(ran.stdout.ends_with("3 recipes: 1 failed, 2 created; 1.9 KiB sent\n"), "{}", ran.stdout);
    assert_eq!(server.names().len(), 2);
}

#[test]
fn shards_divide_the_packages_and_their_reports_make_one() {
    let (stage, server) = Stage::with_server();
    let folder = recipes(&stage, 12);
    let mut sum = 0;
    let mut files = Vec::new();
    for shard in 1..=3 {
        let file = stage.path(&format!("shard{shard}.json")).to_str().unwrap().to_owned();
        let choice = format!("{shard}/3");
        stage.run(&["run", &folder, "--shard", &choice, "--report", &file]).succeeded();
        let report = report(&stage, &format!("shard{shard}.json"));
        assert_eq!(report["shard"], serde_json::json!({"index": shard, "count": 3}));
        sum += statuses(&report).len();
        files.push(file);
    }
    assert_eq!((sum, server.names().len()), (12, 12));
    let merged = stage.path("all.json").to_str().unwrap().to_owned();
    let mut arguments = vec!["report", "merge", "--output", &merged];
    arguments.extend(files.iter().map(String::as_str));
    stage.run(&arguments).succeeded();
    // One of them got lost: nobody may take what is left for all of it.
    let [page, tests] = ["lost.md", "lost.xml"].map(|name| stage.path(name).to_str().unwrap().to_owned());
    let lost = stage.run(&["report", "merge", &files[0], &files[2], "--output", &page, "--output", &tests]);
    assert_eq!(lost.code, 130, "{}", lost.shown());
    let text = |path: &str| std::fs::read_to_string(path).unwrap();
    assert!(text(&page).starts_with("## A shard is missing: "), "{}", text(&page));
    assert!(
        text(&tests).contains("errors=\"1\"") && text(&tests).contains("shard-missing"),
        "{}",
        text(&tests)
    );
    let report = report(&stage, "all.json");
    assert_eq!((statuses(&report).len(), &report["totals"]["created"]), (12, &12.into()));
    assert_eq!(report["warnings"], Value::Null);
}

#[test]
fn a_shard_without_packages_says_so() {
    let (stage, _server) = Stage::with_server();
    let folder = recipes(&stage, 1);
    let is_empty = |shard: &u32| {
        let said = stage.run(&["run", &folder, "--shard", &format!("{shard}/3")]).succeeded().stdout;
        said == format!("no package of these recipes belongs to shard {shard}/3\n")
    };
    assert_eq!((1..=3).filter(is_empty).count(), 2, "one has the package");
}

#[test]
fn the_scheduler_says_which_shard_this_is() {
    let (mut stage, server) = Stage::with_server();
    let folder = recipes(&stage, 12);
    let mut sum = 0;
    for (index, total) in [("1", "2"), ("2", "2")] {
        stage.set("CI_NODE_INDEX", index);
        stage.set("CI_NODE_TOTAL", total);
        let file = stage.path("run.json").to_str().unwrap().to_owned();
        stage.run(&["run", &folder, "--shard", "auto", "--report", &file]).succeeded();
        sum += statuses(&report(&stage, "run.json")).len();
    }
    assert_eq!((sum, server.names().len()), (12, 12));
    stage.set("CI_NODE_INDEX", "3");
    insta::assert_snapshot!(stage.run(&["run", &folder, "--shard", "auto"]).shown(), @"
    exit 64
    --- stderr
    pkgferry: which shard this is cannot be told
      caused by: CI_NODE_INDEX is 3 and CI_NODE_TOTAL is 2: there is no such shard
      hint: say --shard K/N
    ");
}

#[test]
fn nothing_is_begun_after_the_deadline() {
    let (stage, server) = Stage::with_server();
    let folder = recipes(&stage, 3);
    let file = stage.path("run.json").to_str().unwrap().to_owned();
    let ran = stage.run(&["run", &folder, "--deadline", "2026-01-01T00:00:00Z", "--report", &file]);
    assert_eq!(ran.code, 9, "{}", ran.shown());
    assert!(server.names().is_empty());
    assert!(statuses(&report(&stage, "run.json")).iter().all(|(_, status)| status == "not-begun"));
    assert_eq!(report(&stage, "run.json")["ending"], "deadline");
    stage.run(&["run", &folder, "--deadline", "1h"]).succeeded();
    assert_eq!(server.names().len(), 3);
    // What went wrong besides sets the exit code, and does not hide why the others had no turn.
    std::fs::write(
        format!("{folder}/Faulty.recipe.yaml"),
        "Identifier: faulty\nProcess: [{Processor: nonsense}]\n",
    )
    .unwrap();
    let ran = stage.run(&["run", &folder, "--deadline", "2026-01-01T00:00:00Z", "--report", &file]);
    assert_eq!(ran.code, 3, "{}", ran.shown());
    let told = report(&stage, "run.json");
    assert_eq!((&told["ending"], &told["exit_code"]), (&"deadline".into(), &3.into()));
}

/// Two send at a time, and the server stops reading until after the deadline.
#[test]
fn who_waits_to_send_does_not_send_after_the_deadline() {
    let (stage, server) =
        Stage::with_server_like(|config| config.faults = vec!["part-stalls".parse().unwrap(); 2]);
    let folder = recipes(&stage, 4);
    let file = stage.path("run.json").to_str().unwrap().to_owned();
    let patience = ["-k", "upload_stall_seconds=2"];
    let ran = stage.run(&[&["run", &folder, "--deadline", "1s", "--report", &file][..], &patience].concat());
    assert_eq!(ran.code, 9, "{}", ran.shown());
    let told = statuses(&report(&stage, "run.json"));
    let of = |wanted: &str| told.iter().filter(|(_, status)| status == wanted).count();
    // Fewer where this machine has much else to do.
    let sent = of("created");
    assert!(sent <= 2 && sent + of("not-begun") == 4, "{told:?}");
    let asked = |seen: &&sandbox::Request| seen.method == "POST" && seen.path == "/api/v1/jcds/files";
    let asked = server.journal().iter().filter(asked).count();
    assert_eq!(
        (asked, server.names().len(), server.packages().len()),
        (sent, sent, sent),
        "nothing was begun for them"
    );
}

#[test]
fn as_many_run_side_by_side_as_asked_for() {
    for (jobs, most) in [("1", 1), ("3", 3)] {
        let (stage, _server) = Stage::with_server();
        let folder = recipes(&stage, 8);
        let ran = stage.run(&["run", &folder, "--jobs", jobs, "--json"]).succeeded();
        let (mut now, mut highest) = (0_i32, 0);
        for line in ran.stdout.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            match line["event"].as_str() {
                Some("recipe-started") => now += 1,
                Some("recipe-finished") => now -= 1,
                _ => {}
            }
            highest = highest.max(now);
        }
        assert_eq!((now, highest), (0, most), "--jobs {jobs}");
    }
}

#[test]
fn two_recipes_for_one_package_do_not_race() {
    let (stage, server) = Stage::with_server();
    let package = stage.write("App.pkg", noise(1, 100_000));
    let mut arguments = vec!["run".to_owned(), "--jobs".to_owned(), "8".to_owned()];
    for number in 0..8 {
        arguments.push(stage.write(&format!("{number}.recipe.yaml"), recipe(number, &package)));
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ran = stage.run(&arguments).succeeded();
    assert!(ran.stdout.ends_with("8 recipes: 1 created, 7 skipped; 97.6 KiB sent\n"), "{}", ran.stdout);
    assert_eq!(server.names(), ["App.pkg"]);
}

/// Whichever came last would stay, and in the next run the other one again.
#[test]
fn different_files_of_one_name_are_refused() {
    let (stage, server) = Stage::with_server();
    let folder = recipes(&stage, 1);
    std::fs::create_dir(stage.path("other")).unwrap();
    for (number, path) in [(1, "Dup.pkg"), (2, "other/Dup.pkg"), (3, "other/../Dup.pkg")] {
        let package = stage.write(path, noise(number, 100 * usize::try_from(number).unwrap()));
        let text = recipe(usize::try_from(number).unwrap(), &package);
        std::fs::write(format!("{folder}/Dup{number}.recipe.yaml"), text).unwrap();
    }
    let ran = stage.run(&["check", &folder]);
    assert_eq!(ran.code, 3, "{}", ran.shown());
    assert!(ran.stdout.ends_with("4 recipes: 1 ok, 3 faulty\n"), "{}", ran.stdout);
    assert_eq!(ran.stdout.matches("several recipes of this run carry Dup.pkg").count(), 3);
    let ran = stage.run(&["run", &folder]);
    assert_eq!(ran.code, 3, "{}", ran.shown());
    assert!(ran.stdout.ends_with("4 recipes: 3 failed, 1 created; 1000 bytes sent\n"), "{}", ran.stdout);
    insta::assert_snapshot!(ran.stderr, @"
    [STAGE]/recipes/Dup1.recipe.yaml
      fail  several recipes of this run carry Dup.pkg, and from different files: [STAGE]/other/../Dup.pkg, [STAGE]/other/Dup.pkg; none of them is carried
            hint: leave out all of these recipes but one, or give one another pkg_name
    [STAGE]/recipes/Dup2.recipe.yaml
      fail  several recipes of this run carry Dup.pkg, and from different files: [STAGE]/other/../Dup.pkg, [STAGE]/other/Dup.pkg; none of them is carried
            hint: leave out all of these recipes but one, or give one another pkg_name
    [STAGE]/recipes/Dup3.recipe.yaml
      fail  several recipes of this run carry Dup.pkg, and from different files: [STAGE]/other/../Dup.pkg, [STAGE]/other/Dup.pkg; none of them is carried
            hint: leave out all of these recipes but one, or give one another pkg_name
      warn  Jamf marked /v1/jcds/* deprecated on 2025-08-28; they are still served; `route: packages-api` does without them
    ");
    assert_eq!(server.names(), ["App0.pkg"]);
    // One file may have several recipes.
    std::fs::remove_file(format!("{folder}/Dup2.recipe.yaml")).unwrap();
    stage.run(&["run", &folder]).succeeded();
}

/// A run that is at its first package, and stays there until it is killed.
struct Stuck(std::process::Child);

impl Stuck {
    fn start(stage: &Stage, server: &Server) -> Self {
        let package = stage.write("Held.pkg", noise(1, 100));
        let mut command = stage.command(&["upload", &package, "-k", "verify_timeout=600"]);
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        let child = command.spawn().unwrap();
        server.until("the first write", |requests| requests.iter().any(Request::is_write));
        Self(child)
    }
}

impl Drop for Stuck {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn a_second_start_is_told_who_works_on_the_server() {
    let never = |config: &mut sandbox::Config| config.listed_after = std::time::Duration::from_secs(3600);
    let (stage, server) = Stage::with_server_like(never);
    let stuck = Stuck::start(&stage, &server);
    let other = stage.write("Other.pkg", noise(2, 100));
    // A report that is there may be that of the run which goes on.
    let report = stage.write("run.json", "what the other run has written");
    let ran = stage.run(&["upload", &other, &other, "-k", "verify_timeout=1", "--report", &report]);
    let shown = without_times(&ran, stuck.0.id());
    insta::assert_snapshot!(shown, @"
    exit 10
    --- stderr
    pkgferry: nothing was begun, and the report was left alone, since it may be another run's
      caused by: another pkgferry works on [HOST] since [TIME] (upload [STAGE]/Held.pkg -k verify_timeout=600)
            hint: [WHICH PROCESS]
    ");
    // Nor do shards work beside a run that takes all packages.
    let folder = recipes(&stage, 2);
    let codes = ["1/2", "2/2"].map(|shard| stage.run(&["run", &folder, "--shard", shard]).code);
    assert!(codes.contains(&10) && codes.iter().all(|code| matches!(code, 0 | 10)), "{codes:?}");
    assert!(!server.names().iter().any(|name| name.starts_with("App")), "{:?}", server.names());
    assert_eq!(std::fs::read_to_string(&report).unwrap(), "what the other run has written");
    // What ended before is no running run's, and a merge would take it for tonight's.
    let old = stage.path("old.json").to_str().unwrap().to_owned();
    stage.run(&["run", "--recipe-list", &stage.write("none.txt", "# none\n"), "--dry-run", "--report", &old]);
    assert!(self::report(&stage, "old.json")["finished"].is_string());
    assert_eq!(stage.run(&["upload", &other, "--report", &old]).code, 10);
    assert_eq!(self::report(&stage, "old.json")["exit_code"], 10);
    // Nor where one of its recipes takes no lock: what it did would stand in the other's place.
    let recipe = stage.write(
        "Fetch.recipe.yaml",
        "Identifier: fetch\nProcess: [{Processor: find-package, Arguments: {pkg_name: Other.pkg}}]\n",
    );
    let both = recipes(&stage, 1);
    let ran = stage.run(&["run", &recipe, &both, "--report", &report]);
    assert_eq!(ran.code, 10, "{}", ran.shown());
    assert_eq!(std::fs::read_to_string(&report).unwrap(), "what the other run has written");
    // Nor does one touch it that does not come as far as that.
    let ran = stage.run(&["run", "/no/such/*.recipe", "--report", &report]);
    assert_eq!(ran.code, 3, "{}", ran.shown());
    assert_eq!(std::fs::read_to_string(&report).unwrap(), "what the other run has written");
    // Who only looks is not kept off.
    stage.run(&["upload", &other, "--dry-run"]).succeeded();
    drop(stuck);
    assert_eq!(stage.run(&["upload", &other, "-k", "verify_timeout=1"]).code, 7, "death has released it");
}

fn without_times(ran: &Ran, pid: u32) -> String {
    let mut text = String::new();
    for line in ran.shown().lines() {
        let line = line.replace(&pid.to_string(), "[PID]");
        let line = match line.split_once(" on ").zip(line.split_once(" since ")) {
            Some(((before, _), (_, after))) => {
                let rest = after.split_once(' ').map_or("", |(_, rest)| rest);
                format!("{before} on [HOST] since [TIME] {rest}")
            }
            None if line.contains("end process") => "        hint: [WHICH PROCESS]".to_owned(),
            None => line,
        };
        let _ = writeln!(text, "{line}");
    }
    text
}
