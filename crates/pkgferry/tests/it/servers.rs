//! Named servers: `[servers.NAME]` in the settings file, `--server NAME`.

use crate::stage::{Server, Stage, noise, until};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;

/// A stage whose settings file has the servers `test` and `production`, and whose environment has none.
pub fn stage_with_two() -> (Stage, Server, Server) {
    let mut stage = Stage::new();
    let (test, production) =
        (Server::start(stage.path("test"), |_| {}), Server::start(stage.path("production"), |_| {}));
    let text = format!("{}\n{}", table("test", &test), table("production", &production));
    settle(&mut stage, &text);
    (stage, test, production)
}

/// Makes the settings file of a stage.
pub fn settle(stage: &mut Stage, text: &str) {
    let file = stage.write("settings.toml", text);
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    stage.set("PKGFERRY_SETTINGS", &file);
}

/// The table of a server.
pub fn table(name: &str, server: &Server) -> String {
    let at = server.connection();
    format!(
        "[servers.{name}]\nJSS_URL = {:?}\nCLIENT_ID = {:?}\nCLIENT_SECRET = {:?}\nPKGFERRY_S3_ENDPOINT = {:?}\n",
        at.jss_url, at.client_id, at.client_secret, at.s3_endpoint
    )
}

fn lines(stdout: &str) -> Vec<Value> {
    stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn one_package_goes_to_each_server_in_turn() {
    let (stage, test, production) = stage_with_two();
    let file = stage.write("App.pkg", noise(1, 5_000));
    let arguments = ["upload", &file, "--server", "test", "--server", "production"];
    let ran = stage.run(&arguments).succeeded();
    let outline = ran.stdout.lines().filter(|line| !line.starts_with("  ") || line.starts_with("  ="));
    insta::assert_snapshot!(outline.collect::<Vec<_>>().join("\n"), @"
    App.pkg (test)
      = created: 4.8 KiB sent
    App.pkg (production)
      = created: 4.8 KiB sent
    2 runs on 2 servers: 2 created; 9.7 KiB sent
    ");
    assert_eq!((test.names(), production.names()), (vec!["App.pkg".to_owned()], vec!["App.pkg".to_owned()]));

    test.clear_journal();
    production.clear_journal();
    let ran = stage.run(&arguments).succeeded();
    assert!(ran.stdout.ends_with("2 runs on 2 servers: 2 skipped; 0 bytes sent\n"), "{}", ran.stdout);
    assert!(test.writes().is_empty() && production.writes().is_empty());
}

#[test]
fn recipes_go_to_each_server_too_and_json_names_it() {
    let (mut stage, test, production) = stage_with_two();
    stage.set("PKGFERRY_SERVER", "production, test,production");
    let ran = stage.run(&["run", "recipes/ExampleApp.jamf.recipe.yaml", "--json"]).succeeded();
    let lines = lines(&ran.stdout);
    let (result, events) = lines.split_last().unwrap();
    let servers = |lines: &[Value]| -> Vec<String> {
        let mut names: Vec<_> =
            lines.iter().map(|line| line["server"].as_str().unwrap_or("?").to_owned()).collect();
        names.dedup();
        names
    };
    assert_eq!(servers(events), ["production", "test"]);
    let recipes = result["recipes"].as_array().unwrap();
    assert_eq!(servers(recipes), ["production", "test"]);
    assert!(recipes.iter().all(|recipe| recipe["status"] == "created"));
    assert_eq!((test.names(), production.names()).0, ["ExampleApp-1.2.3.pkg"]);
}

#[test]
fn the_exit_code_is_the_worst_and_one_server_does_not_hold_up_the_other() {
    let (mut stage, test, production) = stage_with_two();
    let wrong = table("test", &test).replace(&test.connection().client_secret, "wrong");
    let text = format!("{wrong}{}", table("production", &production));
    settle(&mut stage, &text);
    let file = stage.write("App.pkg", noise(1, 5_000));
    let ran = stage.run(&["upload", &file, "--server", "test", "--server", "production"]);
    assert_eq!(ran.code, 4, "{}", ran.shown());
    assert_eq!(production.names(), ["App.pkg"]);
    assert!(
        ran.stdout.ends_with("2 runs on 2 servers: 1 failed, 1 created; 4.8 KiB sent\n"),
        "{}",
        ran.stdout
    );
}

#[test]
fn an_unknown_server_is_named_with_those_there_are() {
    let (stage, ..) = stage_with_two();
    insta::assert_snapshot!(stage.run(&["upload", "a.pkg", "--server", "prodution"]).shown(), @"
    exit 64
    --- stderr
    pkgferry: there is no server called prodution; [STAGE]/settings.toml has production, test
      hint: did you mean production?
    ");
    insta::assert_snapshot!(Stage::new().run(&["upload", "a.pkg", "--server", "test"]).shown(), @"
    exit 64
    --- stderr
    pkgferry: there is no server called test; there is no settings file with servers in it
      hint: write a table [servers.test] with its JSS_URL into the settings file, or leave its name out and reach the server with --url
    ");
    let mut stage = Stage::new();
    settle(&mut stage, "[servers]\n");
    insta::assert_snapshot!(stage.run(&["check", "a", "--server", "test"]).shown(), @"
    exit 64
    --- stderr
    pkgferry: there is no server called test; there is no settings file with servers in it
      hint: write a table [servers.test] with its JSS_URL into the settings file, or leave its name out and reach the server with --url
    ");
}

#[test]
fn a_settings_file_that_is_missing_is_told_with_who_named_it() {
    let mut stage = Stage::new();
    stage.set("PKGFERRY_SETTINGS", "/none/settings.toml");
    insta::assert_snapshot!(stage.run(&["check", "a"]).shown(), @"
    exit 6
    --- stderr
    pkgferry: cannot read the settings file /none/settings.toml
      caused by: No such file or directory (os error 2)
      hint: PKGFERRY_SETTINGS names it; leave that out where no settings file is needed
    ");
    insta::assert_snapshot!(stage.run(&["run", "a", "--settings", "/none/other.toml"]).shown(), @"
    exit 6
    --- stderr
    pkgferry: cannot read the settings file /none/other.toml
      caused by: No such file or directory (os error 2)
      hint: --settings names it; leave that out where no settings file is needed
    ");
}

#[test]
fn a_name_in_a_list_needs_folders_to_be_looked_for_in() {
    let stage = Stage::new();
    let list = stage.write("nightly.txt", "Firefox.jamf\n");
    insta::assert_snapshot!(stage.run(&["check", "-l", &list]).shown(), @"
    exit 3
    --- stdout
    Firefox.jamf: faulty
      there is no recipe `Firefox.jamf`
        hint: looked nowhere: no search folders are set; name them with --search-dir or in RECIPE_SEARCH_DIRS, or write the recipe's path
      1 fault
    ");
}

#[test]
fn what_leads_elsewhere_is_an_error_and_not_a_mixture() {
    let (mut stage, test, production) = stage_with_two();
    let both = ["upload", "a.pkg", "--server", "test", "--server", "production"];
    insta::assert_snapshot!(stage.run(&[&both[..], &["--url", "https://x.example.com"]].concat()).shown(), @"
    exit 64
    --- stderr
    pkgferry: several servers are named (test, production), and --url would hold for each of them
      hint: put it into the tables of the servers instead, or leave out --url
    ");
    let ran = stage.run(&[&both[..], &["-k", "CLIENT_ID=x"]].concat());
    assert!(ran.code == 64 && ran.stderr.contains("and -k would hold for each of them"), "{}", ran.shown());

    stage.set("JSS_URL", "https://x.example.com");
    let ran = stage.run(&both);
    assert!(ran.code == 64 && ran.stderr.contains("environment variable JSS_URL"), "{}", ran.shown());
    insta::assert_snapshot!(stage.run(&["upload", "a.pkg", "--server", "test"]).shown(), @"
    exit 64
    --- stderr
    pkgferry: server test is named, and environment variable JSS_URL says something else
      hint: leave out environment variable JSS_URL to reach test, or leave out its name to go where environment variable JSS_URL leads
    ");
    assert!(test.journal().is_empty() && production.journal().is_empty());
}

#[test]
fn the_environment_may_complete_one_server() {
    let (mut stage, test, _production) = stage_with_two();
    let at = test.connection();
    let text = format!(
        "[servers.test]\nJSS_URL = {:?}\nCLIENT_ID = {:?}\nPKGFERRY_S3_ENDPOINT = {:?}\n",
        at.jss_url, at.client_id, at.s3_endpoint
    );
    settle(&mut stage, &text);
    stage.set("CLIENT_SECRET", &at.client_secret);
    let file = stage.write("App.pkg", noise(1, 10));
    stage.run(&["upload", &file, "--server", "test"]).succeeded();
    assert_eq!(test.names(), ["App.pkg"]);
}

#[test]
fn a_recipe_that_names_a_server_does_not_lead_there() {
    let (stage, test, production) = stage_with_two();
    let file = stage.write("App.pkg", noise(1, 10));
    let elsewhere = production.connection();
    let recipe = stage.write(
        "App.recipe.yaml",
        format!(
            "ParentRecipe: com.github.pkgferry.recipes.upload-package\nInput: {{pkg_path: '{file}', JSS_URL: '{}', API_USERNAME: \
             '{}', API_PASSWORD: '{}'}}\n",
            elsewhere.jss_url, elsewhere.username, elsewhere.password
        ),
    );
    stage.run(&["run", &recipe, "--server", "test"]).succeeded();
    assert_eq!((test.names().len(), production.journal().len()), (1, 0));
}

/// Whoever wrote the recipe is not who signs in.
#[test]
fn a_recipe_does_not_lead_the_settings_secrets_elsewhere() {
    let mut stage = Stage::new();
    let own = Server::start(stage.path("own"), |_| {});
    let foreign = Server::start(stage.path("foreign"), |_| {});
    let (here, there) = (own.connection().clone(), foreign.connection().jss_url.clone());
    let text = format!(
        "JSS_URL = '{}'\nCLIENT_ID = '{}'\nCLIENT_SECRET = '{}'\nPKGFERRY_S3_ENDPOINT = '{}'\n",
        here.jss_url, here.client_id, here.client_secret, here.s3_endpoint
    );
    settle(&mut stage, &text);
    let package = stage.write("App.pkg", noise(1, 10));
    let recipe = |name: &str, rest: &str| {
        let text = format!(
            "ParentRecipe: com.github.pkgferry.recipes.upload-package\nInput: {{pkg_path: '{package}'{rest}}}\n"
        );
        stage.write(&format!("{name}.recipe.yaml"), text)
    };
    let elsewhere = recipe("Elsewhere", &format!(", JSS_URL: '{there}'"));
    let same = recipe("Same", &format!(", JSS_URL: '{}/'", here.jss_url));
    let brought = recipe("Brought", &format!(", JSS_URL: '{there}', CLIENT_ID: a, CLIENT_SECRET: b"));
    let argument = stage.write(
        "Argument.recipe.yaml",
        format!("Process:\n- Processor: find-package\n  Arguments: {{pkg_path: '{package}', JSS_URL: '{there}'}}\n"),
    );
    for recipe in [&elsewhere, &argument] {
        for arguments in [&["check", recipe][..], &["run", recipe, "--dry-run"], &["run", recipe]] {
            let ran = stage.run(arguments);
            assert_eq!(ran.code, 3, "{}", ran.shown());
            assert!(ran.shown().contains("and would take secrets there that are for"), "{}", ran.shown());
        }
    }
    // However it is put together.
    let put_together = [
        format!(", HOST: '{there}', JSS_URL: '%HOST%'"),
        format!(", JSS_URL: '{there}', CLIENT_ID: a, CLIENT_SECRET: '%CLIENT_SECRET%'"),
        ", JAMF_REGION: eu".to_owned(),
        format!(", PKGFERRY_S3_ENDPOINT: '{there}'"),
        ", JSS_URL: 'http://%CLIENT_SECRET%.example.com'".to_owned(),
    ];
    for (number, rest) in put_together.iter().enumerate() {
        let recipe = recipe(&format!("Made{number}"), rest);
        let ran = stage.run(&["run", &recipe]);
        assert!(
            ran.code == 3 && ran.stderr.contains("and would take secrets there"),
            "{rest}: {}",
            ran.shown()
        );
        assert!(!ran.shown().contains(&here.client_secret), "{}", ran.shown());
    }
    let in_step = |value: &str| {
        let text = format!(
            "Input: {{HOST: '{there}'}}\nProcess:\n- Processor: find-package\n  Arguments: {{pkg_name: A.pkg, JSS_URL: '{value}'}}\n"
        );
        stage.write("InStep.recipe.yaml", text)
    };
    for more in [&[][..], &["--sandbox"]] {
        let ran = stage.run(&[&["run", &in_step("%HOST%")], more].concat());
        assert_eq!(ran.code, 3, "{}", ran.shown());
    }
    stage.run(&["run", &in_step("%JSS_URL%")]).succeeded();
    insta::assert_snapshot!(stage.run(&["check", &elsewhere]).shown(), @r#"
    exit 3
    --- stdout
    [STAGE]/Elsewhere.recipe.yaml: faulty
      [STAGE]/Elsewhere.recipe.yaml:2:46: JSS_URL leads to "http://127.0.0.1:[PORT]", and would take secrets there that are for "http://127.0.0.1:[PORT]" (settings file [STAGE]/settings.toml)
        hint: take it out of the recipe; for another server, write a table [servers.NAME] into the settings file and run with --server NAME
      1 fault
    "#);
    assert_eq!(foreign.journal().len(), 0);
    stage.run(&["run", &same]).succeeded();
    // With secrets of its own it may go where it likes; here it is not let in.
    assert_eq!(stage.run(&["run", &brought]).code, 4);
    assert!(!foreign.journal().is_empty());
    // The environment wins over the recipe.
    stage.set("JSS_URL", &here.jss_url);
    stage.run(&["run", &elsewhere]).succeeded();
    // A gateway is named by its region.
    let mut stage = Stage::new();
    settle(
        &mut stage,
        "JAMF_REGION = 'us'\nJAMF_ENVIRONMENT_ID = 'e'\nCLIENT_ID = 'a'\nCLIENT_SECRET = 'b'\n",
    );
    let ran = stage.run(&["run", &elsewhere]);
    assert!(ran.code == 3 && ran.stderr.contains("that are for \"us\""), "{}", ran.shown());
}

#[test]
fn other_settings_of_a_table_hold_for_its_server_alone() {
    let (mut stage, test, production) = stage_with_two();
    let text = format!(
        "pkg_notes = \"for all\"\n{}pkg_notes = \"for tests\"\nroute = \"packages-api\"\n{}",
        table("test", &test),
        table("production", &production)
    );
    settle(&mut stage, &text);
    let file = stage.write("App.pkg", noise(1, 10));
    stage.run(&["upload", &file, "--server", "test", "--server", "production"]).succeeded();
    assert_eq!(test.packages()[0]["notes"], "for tests");
    assert_eq!(production.packages()[0]["notes"], "for all");
    let sent_through_jamf_pro = |server: &Server| server.requests().contains("/upload 201");
    assert!(sent_through_jamf_pro(&test) && !sent_through_jamf_pro(&production));
}

#[test]
fn a_secret_in_a_table_closes_the_file_too() {
    let (stage, ..) = stage_with_two();
    let file = stage.path("settings.toml");
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o640)).unwrap();
    let ran = stage.run(&["upload", "a.pkg", "--server", "test"]);
    assert!(
        ran.code == 3 && ran.stderr.contains("CLIENT_SECRET and can be read by other users"),
        "{}",
        ran.shown()
    );
}

#[test]
fn what_is_no_table_of_a_server_is_refused() {
    let mut stage = Stage::new();
    for text in [
        "servers = 3\n",
        "[servers]\nJSS_URL = \"https://x\"\n",
        "[servers.test]\nRECIPE_SEARCH_DIRS = [\"/x\"]\n",
    ] {
        settle(&mut stage, text);
        let ran = stage.run(&["check", "recipes/ExampleApp.jamf.recipe.yaml"]);
        assert_eq!(ran.code, 3, "{text}: {}", ran.shown());
    }
}

#[test]
fn the_rehearsal_server_takes_the_place_of_a_named_one() {
    let (mut stage, test, _production) = stage_with_two();
    let file = stage.write("App.pkg", noise(1, 10));
    assert_eq!(stage.run(&["upload", &file, "--server", "test", "--sandbox"]).code, 64);
    stage.set("PKGFERRY_SERVER", "test");
    stage.set("JAMF_TENANT_ID", "somebody");
    stage.run(&["upload", &file, "--sandbox"]).succeeded();
    assert!(test.journal().is_empty());
}

#[test]
fn explain_and_check_know_named_servers() {
    let (stage, ..) = stage_with_two();
    let recipe = "recipes/ExampleApp.jamf.recipe.yaml";
    let ran = stage.run(&["explain", recipe, "--server", "test"]).succeeded();
    assert!(ran.stdout.contains("[[servers.test] of settings file [STAGE]/settings.toml]"), "{}", ran.stdout);
    assert_eq!(stage.run(&["explain", recipe, "--server", "test", "--server", "production"]).code, 64);
    insta::assert_snapshot!(stage.run(&["check", recipe, "--server", "test", "--server", "production"]).succeeded().stdout, @"
    recipes/ExampleApp.jamf.recipe.yaml (test): ok, 8 steps
    recipes/ExampleApp.jamf.recipe.yaml (production): ok, 8 steps
    2 checks on 2 servers: 2 ok
    ");
}

/// Servers for which bytes of the file were hashed.
fn hashed_for(stdout: &str) -> Vec<String> {
    // At 0 bytes nobody has read anything yet, and may not have to.
    let hashing =
        |line: &Value| line["event"] == "progress" && line["activity"] == "hashing" && line["done"] != 0;
    let mut names: Vec<_> = lines(stdout)
        .iter()
        .filter(|line| hashing(line))
        .map(|line| line["server"].as_str().unwrap().to_owned())
        .collect();
    names.dedup();
    names
}

/// A file that the build before has just written, too: three seconds would not have passed.
#[test]
fn a_package_is_hashed_once_for_all_servers() {
    let (stage, test, production) = stage_with_two();
    let file = stage.write("App.pkg", noise(1, 3_000_000));
    let written = std::fs::metadata(&file).unwrap().modified().unwrap();
    // Nobody can tell a write within one clock tick from another.
    until("the clock", || written.elapsed().unwrap() > std::time::Duration::from_millis(300));
    let arguments = ["upload", &file, "--server", "test", "--server", "production", "--json"];
    assert_eq!(hashed_for(&stage.run(&arguments).succeeded().stdout), ["test"]);
    assert!(test.bytes_of("App.pkg") == production.bytes_of("App.pkg"));

    let again = [&arguments[..], &["--rehash"]].concat();
    assert_eq!(hashed_for(&stage.run(&again).succeeded().stdout), ["test"]);
}
